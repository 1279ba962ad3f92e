"""The rows of the tables of numbers, as plain values."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from troubleshooter import evidence
from troubleshooter.flow import Outcome, Reason
from troubleshooter.population import Ending


class Counts(dict[str, int]):
    """Counts by their names; one that is missing is nought. A Counter takes ten times as long."""

    def __missing__(self, name: str) -> int:
        return 0


Sums = dict[tuple[Any, ...], Counts]  # by what they are told apart by
Numbers = dict[tuple[Any, ...], int]  # likewise; each holds counts (see `models/bundles.py`)


@dataclass(frozen=True, slots=True)
class Endings:
    """How many sessions ended in each way."""

    confirmed: int = 0
    escalated: int = 0
    exhausted: int = 0
    assumed: int = 0
    left: int = 0
    under_way: int = 0

    @property
    def pairs(self) -> list[tuple[Ending, int]]:
        """Each ending with its number of sessions, strongest claim first."""
        return [(ending, getattr(self, ending.value)) for ending in Ending]

    @property
    def total(self) -> int:
        return self.ended + self.under_way

    @property
    def ended(self) -> int:
        """All but those under way, which may still end in any way."""
        return self.confirmed + self.escalated + self.exhausted + self.assumed + self.left

    def rate(self, ending: Ending) -> evidence.Rate | None:
        """How many of those that ended did so in this way."""
        return evidence.rate(getattr(self, ending.value), self.ended)

    @property
    def rates(self) -> list[tuple[Ending, int, evidence.Rate | None]]:
        """Each way to end with its sessions and its rate, strongest claim first."""
        ways = [ending for ending in Ending if ending is not Ending.UNDER_WAY]
        return [(ending, getattr(self, ending.value), self.rate(ending)) for ending in ways]

    @property
    def confirmed_rate(self) -> evidence.Rate | None:
        return self.rate(Ending.CONFIRMED)

    def __add__(self, other: "Endings") -> "Endings":
        return Endings(*(mine + getattr(other, ending) for ending, mine in self.pairs))


@dataclass(frozen=True, slots=True)
class GuideRow:
    """One guide, all its languages and editions together."""

    key: str
    title: str
    live: bool
    endings: Endings


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What came of a fix. Every count is of sessions, each at most once.

    `fixed`, `not_fixed` and `skipped` go by the latest answered attempt in the session;
    `resolved` are the sessions that this fix ended, so it sums to the confirmed ones.
    """

    shown: int = 0
    resolved: int = 0
    fixed: int = 0
    not_fixed: int = 0
    reasons: tuple[tuple[Reason, int], ...] = ()  # why it was skipped

    @property
    def skipped(self) -> int:
        return sum(sessions for _reason, sessions in self.reasons)

    @property
    def unanswered(self) -> int:
        return self.shown - self.fixed - self.not_fixed - self.skipped

    @property
    def tried(self) -> int:
        return self.fixed + self.not_fixed

    @property
    def rate(self) -> evidence.Rate | None:
        """How often it fixed the trouble when it was tried."""
        return evidence.rate(self.fixed, self.tried)


@dataclass(frozen=True, slots=True)
class FixRow(Tally):
    """One revision of one fix in one guide."""

    key: str
    revision: int
    title: str
    placed: bool  # the fix is in the guide as it is now
    current: bool  # and in this revision
    away: int  # went away standing on it, whatever they had answered to it before


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """The n-th different fix that sessions were shown, whichever it was, and what came of it.

    What a session was shown counts at one place only, by its latest answer; where it gave none,
    it went away there, is there still, or was led past by a changed answer to another fix.
    """

    place: int
    fixed: int = 0
    not_fixed: int = 0
    skipped: int = 0
    away: int = 0
    under_way: int = 0
    passed: int = 0
    went_on: int = 0  # and were shown a fix at the next place

    @property
    def reached(self) -> int:
        answered = self.fixed + self.not_fixed + self.skipped
        return answered + self.away + self.under_way + self.passed


@dataclass(frozen=True, slots=True)
class Quartiles:
    """How long something took in the quick quarter, the middle and the slow quarter of sessions.

    At least a quarter (half, three quarters) took no longer, to within nine hundredths of it
    where the times are kept as histograms.
    """

    n: int
    quick: int  # seconds
    median: int
    slow: int

    @property
    def enough(self) -> bool:
        """Whether there were enough sessions for them to be worth showing."""
        return self.n >= evidence.ENOUGH


@dataclass(frozen=True, slots=True)
class FixTimeRow:
    """How long one revision of one fix took those who tried it."""

    key: str
    revision: int
    title: str
    placed: bool
    current: bool
    times: Quartiles | None


@dataclass(frozen=True, slots=True)
class Span:
    """How many confirmed sessions took so long: from `least` seconds up to below `below`."""

    least: int
    below: int | None  # None: any longer
    sessions: int


@dataclass(frozen=True, slots=True)
class Resolution:
    """How long confirmed sessions took from their start to the answer that resolved them."""

    times: Quartiles | None
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class DayRow:
    """How many of the sessions that started on a day one fix resolved."""

    day: date
    key: str
    title: str
    resolved: int


@dataclass(frozen=True, slots=True)
class GroupRow:
    """How the sessions ended that are alike in something, and the filter that lets only them in."""

    key: str
    title: str
    fields: dict[str, str]  # of the filter; none where no filter can tell them
    endings: Endings


@dataclass(frozen=True, slots=True)
class Groups:
    """The same sessions, told apart in four ways."""

    symptoms: tuple[GroupRow, ...]
    platforms: tuple[GroupRow, ...]
    editions: tuple[GroupRow, ...]
    languages: tuple[GroupRow, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One of two sets of sessions that stand beside each other."""

    endings: Endings
    times: Quartiles | None  # to the resolution
    tries: int  # fixes that were tried, in sessions that have ended

    @property
    def mean_tries(self) -> float | None:
        return self.tries / self.endings.ended if self.endings.ended else None


@dataclass(frozen=True, slots=True)
class FixPair:
    """How often one revision of a fix helped on each side."""

    key: str
    revision: int
    title: str
    a: evidence.Rate | None
    b: evidence.Rate | None


@dataclass(frozen=True, slots=True)
class Beside:
    """Two sets of sessions beside each other."""

    a: Side
    b: Side
    fixes: tuple[FixPair, ...]
    shared: int  # sessions that are on both sides


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt on the path of a session."""

    seq: int
    key: str  # of the fix
    revision: int
    title: str
    outcome: Outcome | None
    reason: Reason | None
    again: bool  # the fix was shown before and had been skipped or not answered
    changed: bool  # the visitor had answered otherwise before


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session with its path."""

    public_id: str
    started_at: datetime
    symptom: str
    platform: str
    edition: int
    language: str
    arm: str
    ending: Ending
    path: tuple[AttemptRow, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the sessions of a guide can be filtered by."""

    symptoms: tuple[tuple[str, str], ...]  # key and text
    editions: tuple[int, ...]
    languages: tuple[str, ...]
