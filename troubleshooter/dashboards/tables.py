"""The tables of numbers as files have them, and attempts in words."""

from dataclasses import asdict
from functools import lru_cache

from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from troubleshooter import evidence
from troubleshooter.analytics import (
    WEEKS,
    AttemptRow,
    Durable,
    Ending,
    Endings,
    FixEverywhere,
    FixInGuide,
    FixOnPlatform,
    FixRow,
    GuideRow,
    SessionRow,
    Tally,
    TrafficRow,
)
from troubleshooter.exports import Cell, Row
from troubleshooter.flow import Outcome, Reason
from troubleshooter.models import Session

ANSWERS = {
    Outcome.FIXED: gettext_lazy("fixed"),
    Outcome.NOT_FIXED: gettext_lazy("still broken"),
    Outcome.SKIPPED: gettext_lazy("skipped"),
    None: gettext_lazy("no answer"),
}


def in_words(attempt: AttemptRow) -> str:
    """One attempt on a path: “2 Restart the computer (again): fixed”."""
    how = (attempt.outcome, attempt.reason, attempt.again, attempt.changed)
    return _answered(get_language(), *how) % {"seq": attempt.seq, "fix": attempt.title}


@lru_cache(maxsize=300)
def _answered(
    language: str | None, outcome: Outcome | None, reason: Reason | None, again: bool, changed: bool
) -> str:
    """How some attempt on some fix went, in this language, which is the current one."""
    answer = str(ANSWERS[outcome])
    if reason:
        answer = f"{answer} ({reason.label})"
    line = _("%(seq)d %(fix)s: %(answer)s")
    if changed:
        line = _("%(seq)d %(fix)s (answer changed): %(answer)s")
    elif again:
        line = _("%(seq)d %(fix)s (again): %(answer)s")
    return line.replace("%(answer)s", answer.replace("%", "%%"))


GUIDE_COLUMNS = ("key", "title", "live", "sessions", *Ending.values)
TRAFFIC_COLUMNS = (
    *GUIDE_COLUMNS,
    *("topic", "before", "change", "ended"),
    *("confirmed_share", "confirmed_low", "confirmed_high"),
    *("escalated_share", "exhausted_share", "assumed_share", "left_share"),
    *(f"week_{nth}" for nth in range(1, WEEKS + 1)),
)
ENDING_COLUMNS = ("ending", "sessions", "share")
TALLY_COLUMNS = (
    *("resolved", "rate", "low", "high", "n"),
    *("shown", "fixed", "not_fixed", "unanswered", "skipped"),
    *(f"skipped_{reason}" for reason in Reason.values),
)
DURABLE_COLUMNS = (
    *("durable_rate", "durable_low", "durable_high"),
    *("durable_asked", "durable_answered", "durable_still_fixed", "durable_came_back"),
)
FIX_COLUMNS = (
    *("key", "revision", "title", "placed", "current", "away", *TALLY_COLUMNS),
    *DURABLE_COLUMNS,
)
FIXES_COLUMNS = ("key", "revision", "title", "guides", "other_revisions", *TALLY_COLUMNS)
GUIDES_OF_FIX_COLUMNS = (
    *("key", "revision", "title", "place", "live", *TALLY_COLUMNS),
    *DURABLE_COLUMNS,
)
PLATFORM_COLUMNS = ("platform", "revision", *TALLY_COLUMNS)
SESSION_COLUMNS = (
    *(
        "session",
        "started_at",
        "ending",
        "symptom",
        "platform",
        "edition",
        "language",
        "arm",
        "path",
    ),
)


def guide_cells(guide: GuideRow) -> Row:
    counts = {ending.value: sessions for ending, sessions in guide.endings.pairs}
    return {
        "key": guide.key,
        "title": guide.title,
        "live": guide.live,
        "sessions": guide.endings.total,
        **counts,
    }


def traffic_cells(row: TrafficRow) -> Row:
    """One guide as `guide_cells` has it, with its traffic and its shares of what ended."""
    endings = row.guide.endings
    confirmed = enough(endings.rate(Ending.CONFIRMED))
    shares: dict[str, Cell] = {
        f"{ending}_share": rounded(enough(endings.rate(ending)), "share")
        for ending in Ending
        if ending is not Ending.UNDER_WAY
    }
    return {
        **guide_cells(row.guide),
        "topic": row.topic,
        "before": row.before,
        "change": row.change,
        "ended": endings.ended,
        "confirmed_low": rounded(confirmed, "low"),
        "confirmed_high": rounded(confirmed, "high"),
        **shares,
        **{f"week_{nth}": sessions for nth, sessions in enumerate(row.weeks, start=1)},
    }


def enough(rate: evidence.Rate | None) -> evidence.Rate | None:
    """The rate, when enough tried for it to be worth showing."""
    return rate if rate and rate.enough else None


def rounded(rate: evidence.Rate | None, name: str) -> float | None:
    """One of the three shares of a rate as files have it."""
    return round(getattr(rate, name), 4) if rate else None


def ending_cells(ended: Endings) -> list[Row]:
    return [
        {
            "ending": ending.value,
            "sessions": sessions,
            "share": round(sessions / ended.total, 4) if ended.total else None,
        }
        for ending, sessions in ended.pairs
    ]


def tally_cells(tally: Tally) -> Row:
    """What came of a fix, in the columns that every table of fixes shares."""
    rate = enough(tally.rate)
    reasons = dict(tally.reasons)
    return {
        "resolved": tally.resolved,
        "rate": rounded(rate, "share"),
        "low": rounded(rate, "low"),
        "high": rounded(rate, "high"),
        "n": tally.tried,
        "shown": tally.shown,
        "fixed": tally.fixed,
        "not_fixed": tally.not_fixed,
        "unanswered": tally.unanswered,
        "skipped": tally.skipped,
        **{f"skipped_{reason.value}": reasons.get(reason, 0) for reason in Reason},
    }


def durable_cells(held: Durable) -> Row:
    """What visitors said of a fix days later."""
    rate = enough(held.rate)
    return {
        "durable_rate": rounded(rate, "share"),
        "durable_low": rounded(rate, "low"),
        "durable_high": rounded(rate, "high"),
        "durable_asked": held.asked,
        "durable_answered": held.answered,
        "durable_still_fixed": held.still_fixed,
        "durable_came_back": held.came_back,
    }


def fix_cells(fix: FixRow) -> Row:
    return {
        "key": fix.key,
        "revision": fix.revision,
        "title": fix.title,
        "placed": fix.placed,
        "current": fix.current,
        "away": fix.away,
        **tally_cells(fix),
    }


def fixes_cells(row: FixEverywhere) -> Row:
    return {
        "key": row.fix.key,
        "revision": row.fix.revision,
        "title": row.fix.title,
        "guides": row.guides,
        "other_revisions": row.other,
        **tally_cells(row.tally),
    }


def guide_of_fix_cells(row: FixInGuide) -> Row:
    return {
        "key": row.guide_key,
        "revision": row.revision,
        "title": row.title,
        "place": row.place.number if row.place else None,
        "live": row.place.live if row.place else False,
        **tally_cells(row.tally),
    }


def platform_cells(row: FixOnPlatform) -> Row:
    return {
        "platform": Session.Platform.in_words(row.platform),
        "revision": row.revision,
        **tally_cells(row.tally),
    }


def session_cells(row: SessionRow, form: str) -> Row:
    """One session; its path is in words for a spreadsheet, and in objects for a program."""
    return {
        "session": row.public_id,
        "started_at": timezone.localtime(row.started_at).isoformat(timespec="seconds"),
        "ending": row.ending.value,
        "symptom": row.symptom,
        "platform": row.platform,
        "edition": row.edition,
        "language": row.language,
        "arm": row.arm,
        "path": " → ".join(map(in_words, row.path))
        if form == "csv"
        else [asdict(attempt) for attempt in row.path],
    }
