"""What was counted of each fix, in each of its revisions, with old sessions fading.

Time is counted in sessions of the guide. Pure: no queries, no clock, no chance.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from math import inf
from typing import Any

# Sessions after which a count weighs half; and for the counts that look out for sudden change.
HALF_LIFE = 1500
RECENT = 30

EDITED = 10.0  # the tries that an edited fix keeps of what its former revision was counted


@dataclass(slots=True)
class Tally:
    """The counts of one fix; `at` is the session up to which they have faded."""

    at: int = 0
    tried: float = 0.0
    cured: float = 0.0
    exposure: float = 0.0  # tries, each standing for the sessions that it took to get there
    minutes: float = 0.0
    recent_cured: float = 0.0
    recent_expected: float = 0.0

    def fade(self, now: int) -> float:
        """What is left at session `now` of each count."""
        return float(0.5 ** ((now - self.at) / HALF_LIFE))

    def count(
        self, now: int, cured: bool, exposure: float, minutes: float, expected: float
    ) -> None:
        """Count one try in session `now`, in which a cure had been `expected` so much."""
        fade, recent = self.fade(now), 0.5 ** ((now - self.at) / RECENT)
        self.at = now
        self.tried = self.tried * fade + 1.0
        self.cured = self.cured * fade + cured
        self.exposure = self.exposure * fade + exposure
        self.minutes = self.minutes * fade + minutes
        self.recent_cured = self.recent_cured * recent + cured
        self.recent_expected = self.recent_expected * recent + expected

    def edited(self) -> "Tally":
        """What a new revision starts with: the same means, as if seen a few times only."""
        keep = min(1.0, EDITED / self.tried) if self.tried else 1.0
        return Tally(
            self.at, self.tried * keep, self.cured * keep, self.exposure * keep, self.minutes * keep
        )


COUNTS = len(fields(Tally)) - 1
Tallies = dict[str, dict[int, Tally]]  # by fix key, then by revision


def find(tallies: Mapping[str, Mapping[int, Tally]], fix: str, revision: int) -> Tally:
    """The counts of a fix in a revision; of one not seen yet, what it keeps of the last."""
    revisions = tallies.get(fix)
    if not revisions:
        return Tally()
    found = revisions.get(revision)
    return found if found is not None else revisions[max(revisions)].edited()


def touch(tallies: Tallies, fix: str, revision: int) -> Tally:
    """The same, to count in: it is part of `tallies` from now on."""
    found = find(tallies, fix, revision)
    tallies.setdefault(fix, {})[revision] = found
    return found


def dump(tallies: Tallies) -> dict[str, dict[str, list[float]]]:
    """Plain JSON."""
    return {
        fix: {str(revision): list(astuple(tally)) for revision, tally in revisions.items()}
        for fix, revisions in tallies.items()
    }


def load(state: Mapping[str, Mapping[str, Any]]) -> Tallies:
    """What `dump` made; ValueError, TypeError or AttributeError when it is something else."""
    return {
        fix: {int(revision): _load_row(row) for revision, row in revisions.items()}
        for fix, revisions in state.items()
    }


def _load_row(row: Any) -> Tally:
    at, *counts = row
    counts = [float(count) for count in counts]
    if len(counts) != COUNTS or not all(0 <= count < inf for count in counts):
        raise ValueError("A row is not six counts of zero or more.")
    return Tally(int(at), *counts)
