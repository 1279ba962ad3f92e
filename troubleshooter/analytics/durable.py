"""Durable: whether what a fix had fixed was still fixed when the visitor was asked days later."""

from dataclasses import dataclass

from troubleshooter import evidence
from troubleshooter.models import DurableCount

from .filters import REAL, Filter
from .rows import Sums
from .sums import sums


@dataclass(frozen=True, slots=True)
class Durable:
    """What visitors said of one revision of a fix; each session counts once, by its last answer.

    Only those are asked who left an address, and not all of them answer: who had trouble again
    may answer more readily, or never come back. It is a rate of those who answered.
    """

    asked: int = 0  # mails that were sent
    still_fixed: int = 0
    came_back: int = 0

    @property
    def answered(self) -> int:
        return self.still_fixed + self.came_back

    @property
    def rate(self) -> evidence.Rate | None:
        """How often it was still fixed, of those who answered."""
        return evidence.rate(self.still_fixed, self.answered)


Key = tuple[str, int]  # what it is of, and the revision of the fix


def durable(guide_key: str, only: Filter = REAL) -> dict[Key, Durable]:
    """How durable is each fix of this guide? By its key and revision."""
    return _durable(sums(DurableCount, only, *DurableCount.BY, guide_key=guide_key))


def durable_in_guides(fix_key: str, only: Filter = REAL) -> dict[Key, Durable]:
    """How durable is this fix in each guide? By the key of the guide, and the fix's revision."""
    by = ("slice__guide__key", "fix_revision")
    return _durable(sums(DurableCount, only, *by, fix_key=fix_key))


def _durable(counted: Sums) -> dict[Key, Durable]:
    return {(key, revision): Durable(**counts) for (key, revision), counts in counted.items()}
