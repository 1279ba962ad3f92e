"""What one session adds to the counts."""

import operator
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from troubleshooter.flow import Outcome, Status
from troubleshooter.histograms import bucket
from troubleshooter.models import (
    Answer,
    Count,
    CreditCount,
    Cure,
    DurableCount,
    EscalationCount,
    EscalationTime,
    FixCount,
    FixTime,
    Outline,
    PlaceCount,
    ResolutionTime,
    Session,
    SessionCount,
)
from troubleshooter.population import Ending, ending

MOST = 4  # times the author's minutes: whoever took longer was away from the screen


class Kind(NamedTuple):
    """What tells one slice from all others: the fields of `Slice`."""

    guide_id: int
    language: str
    simulated: bool
    months: bool = False
    fine: bool = False
    symptom_key: str = ""
    platform: str = ""
    arm: str = ""
    edition: int = 0

    @property
    def coarse(self) -> "Kind":
        return Kind(self.guide_id, self.language, self.simulated)


class Pinned(NamedTuple):
    """The edition of a session, as far as counting must know it."""

    guide_id: int
    number: int
    withdrawn: bool
    outline: Outline


class Head(NamedTuple):
    """The row of a session."""

    pk: int
    edition: int
    language: str
    symptom_key: str
    platform: str
    arm: str
    channel: str
    status: str
    resolved_by: str
    started_at: datetime
    last_answer_at: datetime


class Step(NamedTuple):
    """The row of an attempt."""

    fix: str
    revision: int
    outcome: str | None
    reason: str
    shown_at: datetime
    answered_at: datetime


class Asked(NamedTuple):
    """The row of an escalation."""

    opened_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None
    cure: str
    fix: str


class Told(NamedTuple):
    """The row of a follow-up whose mail was written."""

    fix: str
    revision: int
    answer: str


class Sheet(dict[type[Count], defaultdict[tuple[Any, ...], list[int]]]):
    """What was counted of one slice: for each table, by the values of its BY, its SUMS in order."""

    def __missing__(self, model: type[Count]) -> defaultdict[tuple[Any, ...], list[int]]:
        many = len(model.SUMS)
        groups: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * many)
        self[model] = groups
        return groups

    def add(self, other: "Sheet") -> None:
        """Add what stands on another."""
        for model, groups in other.items():
            mine = self[model]
            for group, counts in groups.items():
                if group in mine:
                    mine[group] = list(map(operator.add, mine[group], counts))
                else:
                    mine[group] = counts.copy()


def _at(model: type[Count]) -> dict[str, int]:
    """Where in its SUMS each count of a table stands."""
    return {name: nth for nth, name in enumerate(model.SUMS)}


# Millions of sessions are added up by these: lists and places in them cost a third of counters.
SESSION, FIX, PLACE = _at(SessionCount), _at(FixCount), _at(PlaceCount)
DURABLE, CREDIT = _at(DurableCount), _at(CreditCount)
SAID = {Answer.STILL.value: DURABLE["still_fixed"], Answer.BACK.value: DURABLE["came_back"]}


class Walk:
    """One session, and what it adds to the counts."""

    def __init__(
        self,
        head: Head,
        steps: Sequence[Step],
        edition: Pinned,
        idle: datetime,
        asked: Sequence[Asked] = (),
        told: Sequence[Told] = (),
    ) -> None:
        self.head, self.steps, self.edition = head, steps, edition
        self.asked, self.told = asked, told
        # The latest answer to each fix counts.
        self.answers = {step.fix: step for step in steps if step.outcome}
        self.standing = steps[-1].fix if steps and not steps[-1].outcome else None
        gone = head.last_answer_at <= idle
        self.state = ("away" if gone else "under_way") if head.status == Status.OPEN else "passed"
        self.ending = ending(
            resolved=head.status == Status.RESOLVED,
            escalated=bool(asked),
            exhausted=head.status == Status.EXHAUSTED,
            idle=gone,
            # Nobody can have been helped by a fix that was never agreed to.
            assumed=self.standing is not None
            and self.standing not in edition.outline.risky
            and not edition.withdrawn,
        )

    @property
    def kind(self) -> Kind:
        head = self.head
        simulated = head.channel == Session.SIMULATED
        return Kind(
            *(self.edition.guide_id, head.language, simulated, False, True),
            *(head.symptom_key, head.platform, head.arm, self.edition.number),
        )

    def add_to(self, sheet: Sheet) -> None:
        self._add_fixes(sheet)
        tried = [step for step in self.answers.values() if step.outcome != Outcome.SKIPPED]
        times, minutes = sheet[FixTime], self.edition.outline.minutes
        for step in tried:
            if step.answered_at > step.shown_at:  # a changed answer took no time
                took = (step.answered_at - step.shown_at).total_seconds()
                took = min(took, MOST * 60 * minutes[step.fix])
                times[step.fix, step.revision, bucket(took)][0] += 1
        sessions = sheet[SessionCount][()]
        sessions[SESSION[self.ending]] += 1
        if self.ending is not Ending.UNDER_WAY:
            sessions[SESSION["tries"]] += len(tried)
        if resolving := self.answers.get(self.head.resolved_by):
            took = (resolving.answered_at - self.head.started_at).total_seconds()
            sheet[ResolutionTime][bucket(took),][0] += 1
        for told in self.told:
            counts = sheet[DurableCount][told.fix, told.revision]
            counts[DURABLE["asked"]] += 1
            if told.answer:
                counts[SAID[told.answer]] += 1
        for asked in self.asked:
            self._add_escalation(asked, sheet)

    def _add_fixes(self, sheet: Sheet) -> None:
        """What came of each fix, and of each place: the different fixes in the order shown."""
        fixes, places = sheet[FixCount], sheet[PlaceCount]
        shown = {step.fix: step.revision for step in self.steps}
        for place, (fix, revision) in enumerate(shown.items(), start=1):
            counts = fixes[fix, revision]
            counts[FIX["shown"]] += 1
            if fix == self.head.resolved_by:
                counts[FIX["resolved"]] += 1
            here = self.state if fix == self.standing else "passed"
            if answer := self.answers.get(fix):
                counts[FIX[answer.reason or answer.outcome or ""]] += 1
                here = answer.outcome or here
            if fix == self.standing and self.state == "away":
                counts[FIX["away"]] += 1
            places[place,][PLACE[here]] += 1

    def _add_escalation(self, asked: Asked, sheet: Sheet) -> None:
        """Where a person was asked for, how long it took, and which fix helped after all."""
        before = [step for step in self.steps if step.shown_at <= asked.opened_at]
        counts = sheet[EscalationCount][before[-1].fix if before else "",]
        counts[0] += 1
        counts[1] += asked.closed_at is not None
        for nth, end in enumerate((asked.answered_at, asked.closed_at)):
            if end:
                took: timedelta = end - asked.opened_at
                sheet[EscalationTime][bucket(took.total_seconds()),][nth] += 1
        if asked.cure in (Cure.FIX, Cure.NEW):
            credit = sheet[CreditCount][asked.fix,]
            credit[CREDIT["credited"]] += 1
            said = [
                step.outcome
                for step in self.steps
                if step.fix == asked.fix and step.outcome and step.answered_at <= asked.opened_at
            ]
            if said and said[-1] in CREDIT:
                credit[CREDIT[said[-1]]] += 1
