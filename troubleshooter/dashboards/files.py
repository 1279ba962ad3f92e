"""The tables of one guide as files: one entry for each in GUIDE_FILES."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from troubleshooter import analytics
from troubleshooter.analytics import (
    DayRow,
    Ending,
    Filter,
    FixTimeRow,
    GroupRow,
    PlaceRow,
    Resolution,
)
from troubleshooter.evidence import Rate
from troubleshooter.exports import Row

from .tables import (
    ENDING_COLUMNS,
    FIX_COLUMNS,
    SESSION_COLUMNS,
    ending_cells,
    fix_cells,
    session_cells,
)

PLACE_COLUMNS = (
    *("place", "reached", "fixed", "not_fixed", "skipped", "away", "under_way", "passed"),
    *("went_on", "share_went_on"),
)
TIME_COLUMNS = ("key", "revision", "title", "placed", "current", "quick", "median", "slow", "n")
RESOLUTION_COLUMNS = ("least", "below", "sessions")
DAY_COLUMNS = ("day", "key", "title", "resolved")
GROUP_COLUMNS = ("key", "title", "sessions", *Ending.values, "rate", "low", "high", "n")


@dataclass(frozen=True)
class Ask:
    """What somebody wants to have as a file."""

    guide_key: str
    only: Filter
    now: datetime
    form: str


@dataclass(frozen=True)
class GuideFile:
    """A table of one guide: its columns, and its rows, which may be read while they are sent."""

    columns: tuple[str, ...]
    rows: Callable[[Ask], Iterable[Row]]


def rate_cells(rate: Rate | None, before: str = "") -> Row:
    """A rate with its interval, empty until there are enough tries."""
    shown = rate if rate and rate.enough else None
    return {
        f"{before}rate": round(shown.share, 4) if shown else None,
        f"{before}low": round(shown.low, 4) if shown else None,
        f"{before}high": round(shown.high, 4) if shown else None,
        f"{before}n": rate.n if rate else 0,
    }


def place_cells(row: PlaceRow) -> Row:
    return {
        "place": row.place,
        "reached": row.reached,
        "fixed": row.fixed,
        "not_fixed": row.not_fixed,
        "skipped": row.skipped,
        "away": row.away,
        "under_way": row.under_way,
        "passed": row.passed,
        "went_on": row.went_on,
        "share_went_on": round(row.went_on / row.reached, 4),
    }


def time_cells(row: FixTimeRow) -> Row:
    times = row.times if row.times and row.times.enough else None
    return {
        "key": row.key,
        "revision": row.revision,
        "title": row.title,
        "placed": row.placed,
        "current": row.current,
        "quick": times.quick if times else None,
        "median": times.median if times else None,
        "slow": times.slow if times else None,
        "n": row.times.n if row.times else 0,
    }


def resolution_cells(found: Resolution) -> list[Row]:
    return [
        {"least": span.least, "below": span.below, "sessions": span.sessions}
        for span in found.spans
    ]


def day_cells(row: DayRow) -> Row:
    return {
        "day": row.day.isoformat(),
        "key": row.key,
        "title": row.title,
        "resolved": row.resolved,
    }


def group_cells(row: GroupRow) -> Row:
    counts = {ending.value: sessions for ending, sessions in row.endings.pairs}
    return {
        "key": row.key,
        "title": row.title,
        "sessions": row.endings.total,
        **counts,
        **rate_cells(row.endings.confirmed_rate),
    }


def _endings(ask: Ask) -> list[Row]:
    return ending_cells(analytics.endings(ask.guide_key, ask.only))


def _places(ask: Ask) -> Iterator[Row]:
    return map(place_cells, analytics.places(ask.guide_key, ask.only))


def _fixes(ask: Ask) -> Iterator[Row]:
    return map(fix_cells, analytics.fixes(ask.guide_key, ask.only))


def _times(ask: Ask) -> Iterator[Row]:
    return map(time_cells, analytics.fix_times(ask.guide_key, ask.only))


def _resolution(ask: Ask) -> list[Row]:
    return resolution_cells(analytics.resolution(ask.guide_key, ask.only))


def _days(ask: Ask) -> Iterator[Row]:
    return map(day_cells, analytics.days(ask.guide_key, ask.only))


def _group(kind: str) -> Callable[[Ask], Iterator[Row]]:
    def rows(ask: Ask) -> Iterator[Row]:
        found = analytics.groups(ask.guide_key, ask.only)
        return map(group_cells, getattr(found, kind))

    return rows


def _sessions(ask: Ask) -> Iterator[Row]:
    asked = analytics.Sessions(ask.guide_key, ask.only)
    return (session_cells(walk, ask.form) for walk in analytics.all_walks(asked, ask.now))


GUIDE_FILES = {
    "endings": GuideFile(ENDING_COLUMNS, _endings),
    "places": GuideFile(PLACE_COLUMNS, _places),
    "fixes": GuideFile(FIX_COLUMNS, _fixes),
    "times": GuideFile(TIME_COLUMNS, _times),
    "resolution": GuideFile(RESOLUTION_COLUMNS, _resolution),
    "days": GuideFile(DAY_COLUMNS, _days),
    "symptoms": GuideFile(GROUP_COLUMNS, _group("symptoms")),
    "platforms": GuideFile(GROUP_COLUMNS, _group("platforms")),
    "editions": GuideFile(GROUP_COLUMNS, _group("editions")),
    "languages": GuideFile(GROUP_COLUMNS, _group("languages")),
    "sessions": GuideFile(SESSION_COLUMNS, _sessions),
}
