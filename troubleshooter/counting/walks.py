"""What one session adds to the counts."""

import operator
from collections import defaultdict
from datetime import datetime
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

from .reading import Asked, Rows, moment

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

    def __init__(self, rows: Rows, edition: Pinned, idle: datetime) -> None:
        self.head, self.steps, self.asked, self.told = rows
        self.edition = edition
        # The latest answer to each fix counts.
        self.answers = {step.fix_key: step for step in self.steps if step.outcome}
        last = self.steps[-1] if self.steps else None
        self.standing = last.fix_key if last and not last.outcome else None
        status = self.head.status
        gone = status == Status.OPEN and moment(self.head.last_answer_at) <= idle
        self.state = ("away" if gone else "under_way") if status == Status.OPEN else "passed"
        self.ending = ending(
            resolved=status == Status.RESOLVED,
            escalated=bool(self.asked),
            exhausted=status == Status.EXHAUSTED,
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
            took = _seconds(step.shown_at, step.answered_at)
            if took > 0:  # a changed answer took no time
                took = min(took, MOST * 60 * minutes[step.fix_key])
                times[step.fix_key, step.fix_revision, bucket(took)][0] += 1
        sessions = sheet[SessionCount][()]
        sessions[SESSION[self.ending]] += 1
        if self.ending is not Ending.UNDER_WAY:
            sessions[SESSION["tries"]] += len(tried)
        if resolving := self.answers.get(self.head.resolved_by):
            took = _seconds(self.head.started_at, resolving.answered_at)
            sheet[ResolutionTime][bucket(took),][0] += 1
        for told in self.told:
            if told.sent_at:
                counts = sheet[DurableCount][told.fix_key, told.fix_revision]
                counts[DURABLE["asked"]] += 1
                if told.answer:
                    counts[SAID[told.answer]] += 1
        for asked in self.asked:
            self._add_escalation(asked, sheet)

    def _add_fixes(self, sheet: Sheet) -> None:
        """What came of each fix, and of each place: the different fixes in the order shown."""
        fixes, places = sheet[FixCount], sheet[PlaceCount]
        shown = {step.fix_key: step.fix_revision for step in self.steps}
        for place, (fix, revision) in enumerate(shown.items(), start=1):
            counts = fixes[fix, revision]
            counts[FIX["shown"]] += 1
            here = "passed"
            if answer := self.answers.get(fix):
                here = answer.outcome or here
                counts[FIX[answer.reason or here]] += 1
            elif fix == self.standing:
                here = self.state
            if fix == self.head.resolved_by:
                counts[FIX["resolved"]] += 1
            if fix == self.standing and self.state == "away":
                counts[FIX["away"]] += 1
            places[place,][PLACE[here]] += 1

    def _add_escalation(self, asked: Asked, sheet: Sheet) -> None:
        """Where a person was asked for, how long it took, and which fix helped after all."""
        opened_at = moment(asked.opened_at)
        before = [step for step in self.steps if moment(step.shown_at) <= opened_at]
        counts = sheet[EscalationCount][before[-1].fix_key if before else "",]
        counts[0] += 1
        counts[1] += asked.closed_at is not None
        for nth, end in enumerate((asked.answered_at, asked.closed_at)):
            if end:
                took = _seconds(asked.opened_at, end)
                sheet[EscalationTime][bucket(took),][nth] += 1
        if asked.cure in (Cure.FIX, Cure.NEW):
            credit = sheet[CreditCount][asked.fix_key,]
            credit[CREDIT["credited"]] += 1
            said = [
                step.outcome
                for step in self.steps
                if step.fix_key == asked.fix_key
                and step.outcome
                and moment(step.answered_at) <= opened_at
            ]
            if said and said[-1] in CREDIT:
                credit[CREDIT[said[-1]]] += 1


def _seconds(start: str, end: str) -> float:
    return (moment(end) - moment(start)).total_seconds()
