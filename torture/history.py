"""What visitors were told, held against what the database says. Pure: no HTTP, queries or clock.

The method is Jepsen's: clients keep a history of what they asked for and what was acknowledged,
something breaks the server meanwhile, and a checker compares the history with what is there.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from troubleshooter import flow
from troubleshooter.flow import Row


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of one visitor, however often it was sent.

    `acknowledged_at` is when the first success was read, in seconds of the monotonic clock. None:
    nobody said so, and it may or may not be stored. `change` replaces an earlier answer, so it
    gets a row of its own.
    """

    session: str
    seq: int
    fix: str
    outcome: str
    reason: str = ""
    change: bool = False
    acknowledged_at: float | None = None

    @property
    def said(self) -> tuple[str, str]:
        return self.outcome, self.reason


@dataclass(slots=True)
class History:
    """All that visitors did, each session's answers in the order in which they were given.

    A visitor gives the next answer only after the last one was acknowledged.
    """

    starts: dict[str, float | None] = field(default_factory=dict)  # when acknowledged, by session
    answers: list[Answer] = field(default_factory=list)
    unknown_starts: int = 0  # asked for, but what came of it was never heard

    def as_of(self, moment: float) -> "History":
        """What had been acknowledged then; the rest may or may not have been stored by then."""
        return History(
            {key: _until(at, moment) for key, at in self.starts.items()},
            [
                replace(each, acknowledged_at=_until(each.acknowledged_at, moment))
                for each in self.answers
            ],
            self.unknown_starts,
        )

    @property
    def acknowledged(self) -> int:
        return sum(each.acknowledged_at is not None for each in self.answers)


def _until(at: float | None, moment: float) -> float | None:
    return at if at is not None and at <= moment else None


def joined(histories: Iterable[History]) -> History:
    """The histories of several visitors as one: no session has two visitors."""
    whole = History()
    for each in histories:
        whole.starts |= each.starts
        whole.answers += each.answers
        whole.unknown_starts += each.unknown_starts
    return whole


@dataclass(frozen=True, slots=True)
class Stored:
    """A session as the database has it, its rows by seq."""

    key: str
    order: Sequence[str]
    risky: Collection[str]
    status: str
    resolved_by: str
    rows: Sequence[Row]


class Kind(StrEnum):
    """What can be wrong with what is stored."""

    LOST = "lost"  # acknowledged, and not there
    CHANGED = "changed"  # acknowledged, and another one is there
    DOUBLED = "doubled"  # there twice
    INVENTED = "invented"  # nobody gave it
    DISORDERED = "disordered"  # not in the order in which they were given
    GAP = "gap"  # the numbers of the showings are not 1, 2, 3 …
    UNSOUND = "unsound"  # status, or what is shown, is not what the rows say


@dataclass(frozen=True, slots=True)
class Fault:
    kind: Kind
    session: str
    what: str


def check(history: History, stored: Iterable[Stored]) -> list[Fault]:
    """Everything that is wrong with what is stored, given what visitors were told."""
    sessions = {each.key: each for each in stored}
    answers: dict[str, list[Answer]] = {key: [] for key in history.starts}
    for answer in history.answers:
        answers[answer.session].append(answer)
    faults = []
    for key, given in answers.items():
        if key in sessions:
            faults += _answers(given, sessions[key].rows)
            faults += _soundness(sessions[key])
            continue
        if history.starts[key] is not None:
            faults.append(Fault(Kind.LOST, key, "the session itself"))
        faults += [
            Fault(Kind.LOST, key, str(each)) for each in given if each.acknowledged_at is not None
        ]
    return faults + _strays(sessions.keys() - answers.keys(), sessions, history.unknown_starts)


def _strays(keys: Collection[str], sessions: dict[str, Stored], most: int) -> list[Fault]:
    """Sessions whose start was never heard of: nobody can have answered in them."""
    faults = [
        Fault(Kind.INVENTED, key, str(row))
        for key in sorted(keys)
        for row in sessions[key].rows
        if row.outcome
    ]
    if len(keys) > most:
        faults.append(Fault(Kind.INVENTED, "", f"{len(keys)} sessions, {most} unheard of starts"))
    return faults


def _answers(given: Sequence[Answer], rows: Sequence[Row]) -> list[Fault]:
    """Each answer claims the row that holds it; what is left over nobody gave."""
    faults, at = [], 0
    free = [row for row in rows if row.outcome]
    for answer in given:
        here = [row for row in free if _belongs(answer, row)]
        same = [row for row in here if (row.outcome, row.reason) == answer.said]
        if not same and answer.acknowledged_at is None:
            continue
        if not here:
            faults.append(Fault(Kind.LOST, answer.session, str(answer)))
            continue
        row = (same or here)[0]
        free.remove(row)
        if not same:
            faults.append(Fault(Kind.CHANGED, answer.session, f"{answer} is {row}"))
        if row.seq < at:
            faults.append(Fault(Kind.DISORDERED, answer.session, f"{answer} is {row}"))
        at = row.seq
    said = {(each.fix, *each.said) for each in given}
    for row in free:
        twice = (row.fix, row.outcome, row.reason) in said
        kind = Kind.DOUBLED if twice else Kind.INVENTED
        faults.append(Fault(kind, given[0].session if given else "", str(row)))
    return faults


def _belongs(answer: Answer, row: Row) -> bool:
    """Whether this row is where the answer would be: a changed one gets a later row."""
    if row.fix != answer.fix:
        return False
    return row.seq > answer.seq if answer.change else row.seq == answer.seq


def _soundness(session: Stored) -> list[Fault]:
    """Whether the numbers have no gap, and the session stands as its rows say."""
    faults = []
    if [row.seq for row in session.rows] != list(range(1, len(session.rows) + 1)):
        faults.append(Fault(Kind.GAP, session.key, str([row.seq for row in session.rows])))
    following = flow.replay(session.order, session.rows, session.risky)
    by = following.by if isinstance(following, flow.Resolved) else ""
    if (session.status, session.resolved_by) != (flow.status(following), by):
        what = f"{session.status} {session.resolved_by}, and next is {following}"
        faults.append(Fault(Kind.UNSOUND, session.key, what))
    last = session.rows[-1] if session.rows else None
    shown = last is not None and last.outcome is None
    if isinstance(following, flow.Try) and not (last and shown and last.fix == following.fix):
        faults.append(Fault(Kind.UNSOUND, session.key, f"{last} is shown, next is {following}"))
    return faults


def counted(faults: Iterable[Fault]) -> Counter[Kind]:
    return Counter(fault.kind for fault in faults)
