"""What comes next in a session, and what a posted answer means.

Pure rules: no HTTP, no queries, no clock. A session's position is never stored; it is
replayed from its order of fixes and its attempts, oldest first.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Outcome(TextChoices):
    """What came of an attempt. An attempt without one is still unanswered."""

    FIXED = "fixed", _("It’s fixed")
    NOT_FIXED = "not_fixed", _("Still broken")
    SKIPPED = "skipped", _("Skipped")


class Reason(TextChoices):
    """Why a fix was skipped: half of these are faults of the guide, not of the visitor."""

    CANT_FIND = "cant_find", _("I can’t find it")
    LOOKS_DIFFERENT = "looks_different", _("It looks different here")
    GREYED_OUT = "greyed_out", _("It’s greyed out")
    AFRAID = "afraid", _("I’m afraid to lose data")
    NO_TIME = "no_time", _("I have no time for this now")
    OTHER = "other", _("Another reason")


class Status(TextChoices):
    """How a session stands."""

    OPEN = "open", _("Open")
    RESOLVED = "resolved", _("Resolved")
    EXHAUSTED = "exhausted", _("Out of fixes")


class Row(NamedTuple):
    """One attempt as the rules see it."""

    seq: int
    fix: str
    outcome: Outcome | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """Next is this fix; `again` when it was skipped before and is offered once more."""

    fix: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """The visitor said that this fix fixed it."""

    by: str


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Every fix was tried, or skipped twice."""


Next = Try | Resolved | Exhausted


def answers(rows: Sequence[Row]) -> dict[str, Row]:
    """The answer that counts for each fix: its latest answered row."""
    return {row.fix: row for row in rows if row.outcome is not None}


def replay(order: Sequence[str], rows: Sequence[Row], risky: Collection[str] = ()) -> Next:
    """Say what comes next.

    `order` is the sequence of fixes this session was given, `rows` its attempts by seq,
    `risky` the fixes that lose data: none of them is offered while a safer fix is untried
    or was skipped only once.
    """
    counted = answers(rows)
    fixed = [row for row in counted.values() if row.outcome is Outcome.FIXED]
    if fixed:
        return Resolved(by=max(fixed, key=lambda row: row.seq).fix)
    for tier in (False, True):
        fixes = [fix for fix in order if (fix in risky) is tier]
        for fix in fixes:
            if fix not in counted:
                return Try(fix)
        for fix in fixes:
            if counted[fix].outcome is Outcome.SKIPPED and _times_skipped(rows, fix) < 2:
                return Try(fix, again=True)
    return Exhausted()


def _times_skipped(rows: Sequence[Row], fix: str) -> int:
    return sum(1 for row in rows if row.fix == fix and row.outcome is Outcome.SKIPPED)


def status(following: Next) -> Status:
    """The status of a session for which this comes next."""
    match following:
        case Resolved():
            return Status.RESOLVED
        case Exhausted():
            return Status.EXHAUSTED
        case Try():
            return Status.OPEN


def ended_before(order: Sequence[str], rows: Sequence[Row], risky: Collection[str] = ()) -> bool:
    """Whether the session had ended once before its latest answer, and went on since."""
    answered = [row for row in rows if row.outcome is not None]
    ends = (replay(order, answered[:n], risky) for n in range(1, len(answered)))
    return any(not isinstance(end, Try) for end in ends)


class Verdict(TextChoices):
    """What a posted answer means, given what is already recorded."""

    ANSWER = "answer"  # the first answer to the showing in front of the visitor
    ADD = "add"  # an answer to an earlier showing, or a changed one: it gets a row of its own
    REPEAT = "repeat"  # the same again (double click, reload): nothing to do
    ASK = "ask"  # it contradicts an earlier answer: show both and ask
    STRANGE = "strange"  # no such showing: a forged or mixed-up form


def weigh(
    rows: Sequence[Row], seq: int, fix: str, outcome: Outcome, reason: str, *, change: bool = False
) -> Verdict:
    """Weigh an answer posted for showing `seq` of `fix`.

    `change` says that the visitor was shown the earlier answer and wants the new one.
    """
    shown = next((row for row in rows if row.seq == seq and row.fix == fix), None)
    if shown is None:
        return Verdict.STRANGE
    counted = answers([row for row in rows if row.seq >= seq]).get(fix)
    if counted is None:
        last = rows[-1]
        return Verdict.ANSWER if last.fix == fix and last.outcome is None else Verdict.ADD
    if (counted.outcome, counted.reason) == (outcome, reason):
        return Verdict.REPEAT
    return Verdict.ADD if change else Verdict.ASK
