"""What came of one nemesis: a line of the table."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from torture.history import Fault, Kind, check, counted
from torture.installation import PATIENCE, Mode, Read
from torture.visitors import Crowd


@dataclass(slots=True)
class Finding:
    """One line of the table."""

    nemesis: str
    mode: Mode
    strikes: int = 0
    acknowledged: int = 0
    faults: list[Fault] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)  # everything else that must not be
    notes: list[str] = field(default_factory=list)
    first: float | None = None  # seconds to the first answer after a strike, at the worst
    skipped: str = ""

    @property
    def counted(self) -> Counter[Kind]:
        return counted(self.faults)

    @property
    def good(self) -> bool:
        """Whether it is as it should be: nothing wrong, or the planted fault caught."""
        if self.skipped:
            return True
        return bool(self.faults) if self.mode.mutant else not (self.faults or self.wrong)

    @property
    def verdict(self) -> str:
        if self.skipped:
            return "skipped"
        return (
            ("caught" if self.good else "NOT CAUGHT")
            if self.mode.mutant
            else ("good" if self.good else "BAD")
        )


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it: strikes, answers between two of them, and visitors at once."""

    kills: int
    answers: int
    clients: int
    seed: int = 2026


def until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"It took too long: {what}."
        time.sleep(0.02)


def judge(
    finding: Finding, crowd: Crowd, read: Read, starts: dict[str, float | None] | None = None
) -> Finding:
    """Hold what visitors were told against what is there; `starts` are more sessions of theirs."""
    history, heard = crowd.history, crowd.heard
    history.starts |= starts or {}
    finding.acknowledged = history.acknowledged
    finding.faults = check(history, read.sessions)
    finding.wrong += heard.strange[:5]
    if read.integrity != "ok":
        finding.wrong.append(f"integrity: {read.integrity[:200]}")
    if failed := heard.statuses[500]:
        finding.wrong.append(f"{failed} answers were 500")
    if finding.nemesis == "reload" and heard.silences:
        finding.wrong.append(f"requests that were not answered: {dict(heard.silences)}")
    if heard.unsaid:
        finding.wrong.append(f"{heard.unsaid} refusals do not say that nothing was saved")
    if heard.stale:
        finding.wrong.append(f"{heard.stale} pages knew less than was acknowledged")
    if refused := heard.statuses[503]:
        finding.notes.append(f"{refused} refused with 503")
    return finding
