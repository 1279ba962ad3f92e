"""What is to leave the house: mail and webhooks, written in the transaction of what they tell.

A delivery is a row until it was handed over. A worker leases it, hands it over and records what
came of it; one that dies in between loses nothing, because its lease runs out. So everything is
delivered at least once. The public id never changes: whoever receives it twice can tell. What kills
one worker after the other is tried alone, and given up in the end.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter import outbound, tokens
from troubleshooter.text import BadText, clean_text

from .columns import prepared
from .fields import LineField

LEASE = timedelta(minutes=2)  # more than handing over a batch may take, whatever happens
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=2)
MOST_TRIES = 70  # four days at least, however chance falls: mail may be down for three
MOST_UNHEARD = 5  # leases in a row of which nothing was heard: it may be what kills the workers
MOST_SUBJECT = 200
MOST_TEXT = 200_000


def new_secret() -> str:
    """A secret that signs what a webhook is sent: 32 random bytes."""
    return secrets.token_urlsafe(32)


def new_delivery_id() -> str:
    return tokens.public_id(secrets.token_bytes(16))


def reachable(url: str) -> None:
    """Refuse an address that nothing could ever be sent to, while somebody can still mend it."""
    try:
        outbound.target(url)
    except outbound.Refused as refused:
        raise ValidationError(str(refused)) from refused


def is_one_address(address: str) -> bool:
    """Whether it is exactly one address, which can stand in a header.

    A list of two, a name beside the address or a hidden character could send a copy elsewhere.
    """
    try:
        validate_email(address)
    except ValidationError:
        return False
    return '"' not in address and address.isprintable()


def one_address(address: str) -> str:
    """`address` if it is exactly one; else BadText."""
    if not is_one_address(address):
        raise BadText(_("This is not one e-mail address."))
    return address


def wait(tries: int, chance: float) -> timedelta:
    """How long to wait after so many tries; `chance` (0 to 1) keeps the many from coming at once.

    Twice as long after each try, from half a minute to two hours, a fifth more or less.
    """
    longest = LONGEST_WAIT / FIRST_WAIT
    return FIRST_WAIT * min(2.0 ** min(tries - 1, 60), longest) * (0.8 + 0.4 * chance)


class TwoSecrets(ValueError):
    """A webhook has two secrets already; the message is a sentence for staff."""


class Webhook(models.Model):
    """An address of another system that wants to hear what happens here."""

    class Event(models.TextChoices):
        ESCALATION = "escalation", gettext_lazy("a person was asked for")
        SESSION = "session", gettext_lazy("a session ended")

    TEST = "test"  # an event that nobody can want: it is sent on request, to one webhook

    name = LineField(gettext_lazy("name"), max_length=80)
    url = LineField(
        gettext_lazy("address"),
        max_length=500,
        validators=[reachable],
        help_text=gettext_lazy(
            "Begins with https://. Redirects are not followed, and addresses inside your own"
            " network are refused unless the operator allows them."
        ),
    )
    secret = models.CharField(max_length=64, default=new_secret, editable=False)
    old_secret = models.CharField(max_length=64, default="", editable=False)  # until it is retired
    on_escalation = models.BooleanField(gettext_lazy("when a person is asked for"), default=True)
    on_session = models.BooleanField(gettext_lazy("when a session ends"), default=False)
    active = models.BooleanField(gettext_lazy("active"), default=True)

    class Meta:
        verbose_name = gettext_lazy("webhook")
        verbose_name_plural = gettext_lazy("webhooks")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def wanted(event: "Webhook.Event") -> bool:
        """Whether any webhook wants this event: asked at each end of a session, so by plain SQL."""
        with prepared() as cursor:
            cursor.execute(
                f"SELECT name FROM troubleshooter_webhook WHERE active AND on_{event}"  # noqa: S608
            )
            return cursor.fetchone() is not None

    @property
    def host(self) -> str:
        """Where it leads, without its path: that may be a secret of the other side."""
        return urlsplit(self.url).netloc

    @property
    def secrets(self) -> list[str]:
        """All that sign: the newest, and the one before it as long as the receiver needs it."""
        return [secret for secret in (self.secret, self.old_secret) if secret]

    def renew(self) -> str:
        """A new secret; the old one signs beside it until it is retired.

        Raises TwoSecrets while an older one still does: nobody shall lose the one they know.
        """
        with transaction.atomic():
            # Of two who press at once the second waits here, and is refused.
            known = Webhook.objects.select_for_update().only("secret", "old_secret").get(pk=self.pk)
            if known.old_secret:
                raise TwoSecrets(_("Two secrets sign already: retire the old one first."))
            self.secret, self.old_secret = new_secret(), known.secret
            self.save(update_fields=["secret", "old_secret"])
        return self.secret

    def retire(self) -> None:
        """The old secret signs nothing any more, and is gone."""
        self.old_secret = ""
        self.save(update_fields=["old_secret"])


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def mail(
        self, *, to: str, subject: str, text: str, html: str = "", reply_to: str = ""
    ) -> "Delivery":
        """Put a mail to one address into the outbox; to be called inside a transaction.

        Raises BadText when an address is not exactly one, or a text cannot be stored. The subject
        becomes one line.
        """
        return self.create(
            kind=Delivery.Kind.MAIL,
            to=one_address(to),
            body={
                "subject": clean_text(subject, most=MOST_TEXT)[:MOST_SUBJECT],
                "text": clean_text(text, most=MOST_TEXT, lines=True),
                "html": clean_text(html, most=MOST_TEXT, lines=True),
                "reply_to": reply_to and one_address(reply_to),
            },
        )

    def announce(self, event: Webhook.Event, data: dict[str, Any]) -> "list[Delivery]":
        """Put a message to every webhook that wants this event into the outbox."""
        wanting = Webhook.objects.filter(active=True, **{f"on_{event}": True})
        return self.bulk_create([Delivery.to_webhook(each, event, data) for each in wanting])

    def test(self, webhook: Webhook) -> "Delivery":
        """Put a message that only shows that it arrives into the outbox."""
        delivery = Delivery.to_webhook(webhook, Webhook.TEST, {})
        delivery.save(force_insert=True)
        return delivery

    def lease(self, now: datetime, most: int) -> "list[Delivery]":
        """Take up to so many that are due; nobody else gets them until the lease runs out.

        Those never tried come first: a receiver that is away must not hold up the others. One
        that was taken before and never heard of is taken last and alone: if the worker died of
        it, it shall take no other along again.
        """
        free = Q(leased_until=None) | Q(leased_until__lte=now)
        due = self.filter(free, state=Delivery.State.WAITING, next_try_at__lte=now)
        if not due.exists():  # without the write lock, which SQLite has only one of
            return []
        until = now + LEASE
        with transaction.atomic():
            rows = due.order_by("unheard", "tries", "next_try_at", "pk").select_related("webhook")
            # PostgreSQL skips what another worker is just taking; SQLite has one writer at a time.
            found = list(rows.select_for_update(of=("self",), skip_locked=True)[:most])
            leased = [row for row in found if not row.unheard] or found[:1]
            named = Delivery.objects.filter(pk__in=[row.pk for row in leased])
            named.update(leased_until=until, tries=F("tries") + 1, unheard=F("unheard") + 1)
        for row in leased:
            row.leased_until, row.tries, row.unheard = until, row.tries + 1, row.unheard + 1
        return leased

    def retry(self, now: datetime) -> int:
        """Try these again now, those given up too; says how many. What is under way stays."""
        free = Q(leased_until=None) | Q(leased_until__lte=now)
        return (
            self.filter(free)
            .exclude(state=Delivery.State.DONE)
            .update(
                state=Delivery.State.WAITING, tries=0, unheard=0, next_try_at=now, ended_at=None
            )
        )

    def settle(self, sent: set[str], waiting: set[str], now: datetime) -> int:
        """After a backup was restored: what left since it was made does not leave again.

        `sent` and `waiting` are the public ids of what is known to have been delivered, and to
        wait still. Of the rest nobody knows: it is given up, and somebody may try it again. Says
        how many were taken back from the queue.
        """
        settled = 0
        for row in self.exclude(state=Delivery.State.DONE).exclude(public_id__in=waiting):
            if row.public_id in sent:
                row.delivered(now)
            elif row.state == Delivery.State.WAITING:
                why = _("It waited in a backup that was restored; whether it left is not known.")
                Delivery.objects.filter(pk=row.pk).update(
                    state=Delivery.State.DEAD, error=why, leased_until=None, ended_at=now
                )
            else:
                continue
            settled += 1
        return settled

    def purge(self, before: datetime, most: int) -> int:
        """Forget up to so many that were delivered or given up before then; says how many."""
        old = self.filter(ended_at__lt=before).order_by("ended_at").values_list("pk", flat=True)
        gone = list(old[:most])
        if gone:
            Delivery.objects.filter(pk__in=gone).delete()
        return len(gone)

    def about(self, email: str, references: Sequence[str]) -> "DeliveryQuerySet":
        """Mail to this address, and mail to the team that names one of these references."""
        text = Cast("body", models.TextField())
        named = Q(to__iexact=email)
        for reference in references:
            named |= Q(text__contains=reference)
        return self.alias(text=text).filter(named)

    def dead(self) -> "DeliveryQuerySet":
        """Those given up: somebody has to look at them."""
        return self.filter(state=Delivery.State.DEAD)

    def waiting_mail(self) -> "DeliveryQuerySet":
        return self.filter(state=Delivery.State.WAITING, kind=Delivery.Kind.MAIL)


class Delivery(models.Model):
    """One message to one receiver."""

    class Kind(models.TextChoices):
        MAIL = "mail", gettext_lazy("mail")
        WEBHOOK = "webhook", gettext_lazy("webhook")

    class State(models.TextChoices):
        WAITING = "waiting", gettext_lazy("waiting")
        DONE = "done", gettext_lazy("delivered")
        DEAD = "dead", gettext_lazy("given up")

    public_id = models.CharField(
        gettext_lazy("id"), max_length=32, unique=True, default=new_delivery_id, editable=False
    )
    kind = models.CharField(gettext_lazy("kind"), max_length=7, choices=Kind)
    webhook = models.ForeignKey(
        Webhook,
        models.SET_NULL,
        null=True,
        related_name="deliveries",
        verbose_name=gettext_lazy("webhook"),
    )
    # A mail's address, shortened once it is delivered; a webhook's host: its path may be secret.
    to = models.CharField(gettext_lazy("to"), max_length=500)
    # Mail: subject, text, html, reply_to; webhook: event, data. Empty once it is delivered.
    body = models.JSONField()
    state = models.CharField(
        gettext_lazy("state"), max_length=7, choices=State, default=State.WAITING
    )
    made_at = models.DateTimeField(gettext_lazy("made"), default=timezone.now)
    next_try_at = models.DateTimeField(gettext_lazy("next try"), default=timezone.now)
    leased_until = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(gettext_lazy("tries"), default=0)
    # Leases since anything was heard of it; at most one, unless workers died with it in hand.
    unheard = models.PositiveIntegerField(default=0, editable=False)
    error = models.CharField(gettext_lazy("what went wrong"), max_length=500, blank=True)
    ended_at = models.DateTimeField(gettext_lazy("delivered or given up"), null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("delivery")
        verbose_name_plural = gettext_lazy("deliveries")
        ordering = ["-made_at", "-id"]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=Q(state="waiting"),
                name="troubleshooter_delivery_due",
            ),
            models.Index(
                fields=["ended_at"],
                condition=Q(ended_at__isnull=False),
                name="troubleshooter_delivery_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.public_id}"

    @property
    def poisonous(self) -> bool:
        """Whether it was taken so often without a word that it is not handed over once more."""
        return self.unheard > MOST_UNHEARD

    @classmethod
    def to_webhook(cls, webhook: Webhook, event: str, data: dict[str, Any]) -> "Delivery":
        """A message to a webhook (in memory)."""
        return cls(
            kind=cls.Kind.WEBHOOK,
            webhook=webhook,
            to=webhook.host,
            body={"event": str(event), "data": data},
        )

    def delivered(self, now: datetime) -> None:
        """It was handed over: what it said is forgotten, and most of the address.

        This holds whoever has the lease by now: it did arrive.
        """
        Delivery.objects.filter(pk=self.pk).update(
            state=self.State.DONE,
            body={},
            to=shortened(self.to) if self.kind == self.Kind.MAIL else self.to,
            error="",
            leased_until=None,
            unheard=0,
            ended_at=now,
        )

    def failed(self, now: datetime, why: str, chance: float, *, hopeless: bool = False) -> None:
        """It was not handed over: it waits for its next try, or is given up.

        `hopeless` when no later try can go better. Nothing happens when the lease is another's
        by now: then that one says what came of it.
        """
        dead = hopeless or self.tries >= MOST_TRIES
        mine = Delivery.objects.filter(
            pk=self.pk, state=self.State.WAITING, leased_until=self.leased_until
        )
        mine.update(
            state=self.State.DEAD if dead else self.State.WAITING,
            next_try_at=now + wait(self.tries, chance),
            leased_until=None,
            unheard=0,
            error="".join(letter if letter.isprintable() else " " for letter in why)[:500],
            ended_at=now if dead else None,
        )


def shortened(address: str) -> str:
    """An address as it may be shown to whoever knows it: a…@example.org."""
    name, _at, host = address.rpartition("@")
    return f"{name[:1]}…@{host}"
