"""The tables of numbers as files have them, and attempts in words."""

from dataclasses import asdict

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter.analytics import (
    AttemptRow,
    Ending,
    Endings,
    FixRow,
    GuideRow,
    SessionRow,
)
from troubleshooter.exports import Row
from troubleshooter.flow import Outcome, Reason

ANSWERS = {
    Outcome.FIXED: gettext_lazy("fixed"),
    Outcome.NOT_FIXED: gettext_lazy("still broken"),
    Outcome.SKIPPED: gettext_lazy("skipped"),
    None: gettext_lazy("no answer"),
}


def in_words(attempt: AttemptRow) -> str:
    """One attempt on a path: “2 Restart the computer (again): fixed”."""
    words = {"fix": attempt.title, "answer": ANSWERS[attempt.outcome], "seq": attempt.seq}
    if attempt.reason:
        words["answer"] = f"{words['answer']} ({attempt.reason.label})"
    if attempt.changed:
        return _("%(seq)d %(fix)s (answer changed): %(answer)s") % words
    if attempt.again:
        return _("%(seq)d %(fix)s (again): %(answer)s") % words
    return _("%(seq)d %(fix)s: %(answer)s") % words


GUIDE_COLUMNS = ("key", "title", "live", "sessions", *Ending.values)
ENDING_COLUMNS = ("ending", "sessions", "share")
FIX_COLUMNS = (
    *("key", "revision", "title", "placed", "current", "resolved", "rate", "low", "high", "n"),
    *("shown", "fixed", "not_fixed", "unanswered", "skipped"),
    *(f"skipped_{reason}" for reason in Reason.values),
)
SESSION_COLUMNS = (
    *("session", "started_at", "ending", "symptom", "platform", "edition", "language", "path"),
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


def ending_cells(ended: Endings) -> list[Row]:
    return [
        {
            "ending": ending.value,
            "sessions": sessions,
            "share": round(sessions / ended.total, 4) if ended.total else None,
        }
        for ending, sessions in ended.pairs
    ]


def fix_cells(fix: FixRow) -> Row:
    rate = fix.rate if fix.rate and fix.rate.enough else None
    reasons = dict(fix.reasons)
    return {
        "key": fix.key,
        "revision": fix.revision,
        "title": fix.title,
        "placed": fix.placed,
        "current": fix.current,
        "resolved": fix.resolved,
        "rate": round(rate.share, 4) if rate else None,
        "low": round(rate.low, 4) if rate else None,
        "high": round(rate.high, 4) if rate else None,
        "n": fix.fixed + fix.not_fixed,
        "shown": fix.shown,
        "fixed": fix.fixed,
        "not_fixed": fix.not_fixed,
        "unanswered": fix.unanswered,
        "skipped": fix.skipped,
        **{f"skipped_{reason.value}": reasons.get(reason, 0) for reason in Reason},
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
        "path": " → ".join(map(in_words, row.path))
        if form == "csv"
        else [asdict(attempt) for attempt in row.path],
    }
