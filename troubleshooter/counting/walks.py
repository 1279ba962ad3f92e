"""What one session adds to the counts."""

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any, NamedTuple

from troubleshooter.flow import Outcome, Status
from troubleshooter.histograms import bucket
from troubleshooter.models import (
    Count,
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
    started_at: datetime
    last_answer_at: datetime
    status: str
    resolved_by: str


class Step(NamedTuple):
    """The row of an attempt."""

    fix: str
    revision: int
    outcome: str | None
    reason: str
    shown_at: datetime
    answered_at: datetime


Cells = defaultdict[tuple[Any, ...], Counter[str]]  # by (kind, *BY): what was counted


class Walk:
    """One session, and what it adds to the counts."""

    def __init__(
        self, head: Head, steps: list[Step], edition: Pinned, asked: bool, idle: datetime
    ) -> None:
        self.head, self.steps, self.edition = head, steps, edition
        # The latest answer to each fix counts.
        self.answers = {step.fix: step for step in steps if step.outcome}
        self.standing = steps[-1].fix if steps and not steps[-1].outcome else None
        gone = head.last_answer_at <= idle
        self.state = ("away" if gone else "under_way") if head.status == Status.OPEN else "passed"
        stays = {*edition.outline.risky, None}  # nobody can have been helped there
        self.ending = ending(
            resolved=head.status == Status.RESOLVED,
            escalated=asked,
            exhausted=head.status == Status.EXHAUSTED,
            idle=gone,
            assumed=self.standing not in stays and not edition.withdrawn,
        )
        self.kind = Kind(
            guide_id=edition.guide_id,
            language=head.language,
            simulated=head.channel == Session.SIMULATED,
            fine=True,
            symptom_key=head.symptom_key,
            platform=head.platform,
            arm=head.arm,
            edition=edition.number,
        )

    def add_to(self, cells: dict[type[Count], Cells]) -> None:
        self._add_fixes(cells)
        tried = [step for step in self.answers.values() if step.outcome != Outcome.SKIPPED]
        for step in tried:
            if step.answered_at > step.shown_at:  # a changed answer took no time
                took = (step.answered_at - step.shown_at).total_seconds()
                took = min(took, MOST * 60 * self.edition.outline.minutes[step.fix])
                cells[FixTime][self.kind, step.fix, step.revision, bucket(took)]["sessions"] += 1
        sessions = cells[SessionCount][self.kind,]
        sessions[self.ending] += 1
        if self.ending is not Ending.UNDER_WAY:
            sessions["tries"] += len(tried)
        if resolving := self.answers.get(self.head.resolved_by):
            took = (resolving.answered_at - self.head.started_at).total_seconds()
            cells[ResolutionTime][self.kind, bucket(took)]["sessions"] += 1

    def _add_fixes(self, cells: dict[type[Count], Cells]) -> None:
        """What came of each fix, and of each place: the different fixes in the order shown."""
        shown = {step.fix: step.revision for step in self.steps}
        for place, (fix, revision) in enumerate(shown.items(), start=1):
            counts = cells[FixCount][self.kind, fix, revision]
            counts["shown"] += 1
            if fix == self.head.resolved_by:
                counts["resolved"] += 1
            answer = self.answers.get(fix)
            if answer:
                counts[answer.reason or str(answer.outcome)] += 1
            if fix == self.standing and self.state == "away":
                counts["away"] += 1
            here = self.state if fix == self.standing else "passed"
            cells[PlaceCount][self.kind, place][(answer and answer.outcome) or here] += 1
