"""Durable: whether what a fix had fixed was still fixed when the visitor was asked days later."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from troubleshooter import evidence
from troubleshooter.models import Answer, FollowUp

from .filters import REAL, Filter


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
    return _counted(Q(session__edition__guide__key=guide_key), only, "fix_key")


def durable_in_guides(fix_key: str, only: Filter = REAL) -> dict[Key, Durable]:
    """How durable is this fix in each guide? By the key of the guide, and the fix's revision."""
    return _counted(Q(fix_key=fix_key), only, "session__edition__guide__key")


def _counted(which: Q, only: Filter, by: str) -> dict[Key, Durable]:
    sent = FollowUp.objects.filter(which, only.where("session__"), sent_at__isnull=False)
    rows: Any = (
        sent.order_by()
        .values_list(by, "fix_revision")
        .annotate(
            asked=Count("pk"),
            still_fixed=Count("pk", filter=Q(answer=Answer.STILL)),
            came_back=Count("pk", filter=Q(answer=Answer.BACK)),
        )
    )
    return {(key, revision): Durable(*counts) for key, revision, *counts in rows}
