"""Look through the counts for signals: about every hour, by the worker.

Only counts are read, never rows: three statements for each guide that had sessions lately.
Simulated visitors are left out. Shares are held against each other on whole days alone, a surge is
seen on the day itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import add
from typing import Any

from django.db.models import F, Min, Q, Sum
from django.utils import timezone

from . import signals
from .flow import Reason
from .models import FixCount, Session, SessionCount, Signal
from .population import Ending
from .signals import BEFORE, WEEKS, WINDOW, Compared, Kind

DAY = timedelta(days=1)
EVERY = timedelta(hours=1)
REAL = Q(slice__simulated=False, slice__months=False)
# One that is not known is no platform to look after.
PLATFORMS = tuple(each for each in Session.Platform.values if each != Session.Platform.OTHER)
UNFINDABLE = (Reason.CANT_FIND, Reason.LOOKS_DIFFERENT)


@dataclass(frozen=True)
class Seen:
    """What stands out in one guide; `subject` is the key of a fix, or a platform."""

    kind: Kind
    evidence: dict[str, Any]
    subject: str = ""
    revision: int = 0


def watch(now: datetime) -> Iterator[Signal]:
    """Note what stands out in every guide; gives the signals that are new."""
    today = timezone.localdate(now)
    lately = SessionCount.objects.filter(
        REAL, slice__fine=False, day__gt=today - WINDOW * DAY, day__lte=today
    )
    keys = lately.order_by("slice__guide__key").values_list("slice__guide__key", flat=True)
    for guide_key in list(keys.distinct()):
        for seen in look(guide_key, today):
            made = Signal.objects.saw(
                seen.kind,
                guide_key,
                seen.evidence,
                now,
                subject=seen.subject,
                revision=seen.revision,
            )
            if made:
                yield made
    Signal.objects.calm(now)


def look(guide_key: str, today: date) -> Iterator[Seen]:
    """What stands out in this guide."""
    yield from _fixes(guide_key, today)
    platforms = _by_platform(guide_key, today)
    yield from _platforms(platforms)
    if platforms:  # else it has been known since today at most
        yield from _surges(guide_key, today, min(row["first"] for row in platforms))


def _fixes(guide_key: str, today: date) -> Iterator[Seen]:
    """Fixes that help less than before, or that more visitors cannot find."""
    lately = FixCount.objects.filter(
        REAL,
        slice__fine=False,
        slice__guide__key=guide_key,
        day__gte=today - (WINDOW + BEFORE) * DAY,
        day__lt=today,
    )
    of = {
        "worked": F("fixed"),
        "tried": F("fixed") + F("not_fixed"),
        "lost": _sum(*UNFINDABLE),
        "answered": _sum("fixed", "not_fixed", *Reason.values),
    }
    rows: list[Any] = list(
        lately.order_by().values("fix_key", "fix_revision").annotate(**_halves(of, today))
    )
    fixes = sum(bool(row["answered"]) for row in rows)
    for row in rows:
        for kind, stands_out, count, n in (
            (Kind.FALLING, signals.falling, "worked", "tried"),
            (Kind.UNFINDABLE, signals.unfindable, "lost", "answered"),
        ):
            seen = Compared(row[count], row[n], row[f"{count}_before"], row[f"{n}_before"])
            if stands_out(seen, fixes):
                yield Seen(kind, asdict(seen), row["fix_key"], row["fix_revision"])


def _by_platform(guide_key: str, today: date) -> list[dict[str, Any]]:
    """Sessions on each platform, in the window and ever before, and the first day of each."""
    ever = SessionCount.objects.filter(
        REAL, slice__fine=True, slice__guide__key=guide_key, day__lt=today
    )
    halves = _halves({"sessions": SESSIONS}, today)
    platforms: Any = ever.order_by().values(platform=F("slice__platform"))
    return list(platforms.annotate(first=Min("day"), **halves))


def _platforms(rows: Sequence[dict[str, Any]]) -> Iterator[Seen]:
    """Platforms that the guide has not seen before."""
    n, n_before = (sum(row[name] for row in rows) for name in ("sessions", "sessions_before"))
    for row in rows:
        seen = Compared(row["sessions"], n, row["sessions_before"], n_before)
        if row["platform"] in PLATFORMS and signals.unseen(seen, len(PLATFORMS)):
            yield Seen(Kind.UNSEEN, asdict(seen), row["platform"])


def _surges(guide_key: str, today: date, first: date) -> Iterator[Seen]:
    """Many more sessions than usual, or many more without a cure, today or yesterday.

    Yesterday is looked at once more, since its last hour was counted after the last look at it.
    """
    since = max(first, today - (7 * WEEKS + 1) * DAY)
    lately = SessionCount.objects.filter(
        REAL, slice__fine=False, slice__guide__key=guide_key, day__gte=since, day__lte=today
    )
    sums = {"sessions": Sum(SESSIONS), "failures": Sum(FAILURES)}
    rows: Any = lately.order_by().values("day").annotate(**sums)
    known = {row["day"]: row for row in rows}
    days = [since + nth * DAY for nth in range((today - since).days + 1)]
    for kind, name in ((Kind.SURGE, "sessions"), (Kind.FAILURES, "failures")):
        counts = [known[day][name] if day in known else 0 for day in days]
        for at in (len(days) - 2, len(days) - 1):
            found = signals.surge(counts[:at], counts[at])
            if found:
                yield Seen(kind, asdict(found) | {"day": days[at].isoformat()})


def _halves(of: dict[str, Any], today: date) -> dict[str, Any]:
    """Each sum in the window, and as `…_before` in the days before it."""
    window = Q(day__gte=today - WINDOW * DAY)
    after = {name: Sum(counts, filter=window, default=0) for name, counts in of.items()}
    before = {
        f"{name}_before": Sum(counts, filter=~window, default=0) for name, counts in of.items()
    }
    return after | before


def _sum(*names: str) -> Any:
    return reduce(add, (F(name) for name in names))


SESSIONS = _sum(*Ending.values)
FAILURES = _sum(Ending.EXHAUSTED, Ending.ESCALATED)
