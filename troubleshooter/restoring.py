"""What must not come back with a restored backup: erased addresses, and messages that had left.

Read from the database that a backup replaces, and applied to what the backup holds.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from troubleshooter.models import Delivery, Erasure, Escalation, FollowUp


@dataclass(slots=True)
class Known:
    """What is known beside a backup. When nothing can be read, `told` is false."""

    told: bool = False
    erased: dict[str, datetime] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)  # public ids of deliveries
    waiting: set[str] = field(default_factory=set)
    unasked: set[str] = field(default_factory=set)  # public ids of sessions with a follow-up

    def dump(self) -> dict[str, Any]:
        plain = asdict(self)
        plain["erased"] = {digest: at.isoformat() for digest, at in self.erased.items()}
        return plain | {name: sorted(plain[name]) for name in ("sent", "waiting", "unasked")}

    @classmethod
    def load(cls, plain: dict[str, Any]) -> "Known":
        return cls(
            plain["told"],
            {digest: datetime.fromisoformat(at) for digest, at in plain["erased"].items()},
            *(set(plain[name]) for name in ("sent", "waiting", "unasked")),
        )


def read() -> Known:
    """What the database says now. Raises django.db.Error when it cannot be read."""
    deliveries = Delivery.objects.order_by().values_list("public_id", flat=True)
    unasked = FollowUp.objects.filter(sent_at=None, forgotten_at=None).order_by()
    return Known(
        told=True,
        erased=Erasure.objects.known(),
        sent=set(deliveries.filter(state=Delivery.State.DONE)),
        waiting=set(deliveries.filter(state=Delivery.State.WAITING)),
        unasked=set(unasked.values_list("session__public_id", flat=True)),
    )


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done to a restored backup."""

    erased: int  # addresses
    settled: int  # deliveries
    unasked: int  # follow-ups that are not sent


def apply(known: Known, now: datetime) -> Applied:
    """Erase again what was erased, and keep from leaving what may have left. Idempotent."""
    with transaction.atomic():
        Erasure.objects.keep(known.erased)
        erased = Erasure.objects.among(_addresses())
        for email, until in erased.items():
            # Follow-ups first: once the mail is written, only the outbox knows whose they are.
            FollowUp.objects.erase(email, now, until)
            Escalation.objects.erase(email, now, until)
        settled = Delivery.objects.settle(known.sent, known.waiting, now)
        unasked = FollowUp.objects.settle(known.unasked if known.told else None, now)
    return Applied(len(erased), settled, unasked)


def _addresses() -> set[str]:
    """Every address that is kept somewhere."""
    kept = Escalation.objects.exclude(email="").order_by().values_list("email", flat=True)
    asked = FollowUp.objects.exclude(email="").order_by().values_list("email", flat=True)
    mails = Delivery.objects.filter(kind=Delivery.Kind.MAIL).exclude(state=Delivery.State.DONE)
    return {*kept, *asked, *mails.order_by().values_list("to", flat=True)}
