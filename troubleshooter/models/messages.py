"""What is said in an escalation after the first message, and what was done."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .content import Fix, Step
from .fields import ProseField

HOUR = timedelta(hours=1)
MOST_WAITING = 20  # messages of one visitor in an hour
MESSAGE_LIMIT = 4000


class TooMany(ValueError):
    """That was too much in a short time; the message is a sentence for the visitor."""


class MessageQuerySet(models.QuerySet["Message"]):
    def refuse_flood(self, now: datetime) -> None:
        """TooMany when the visitor has said a great deal in these within the last hour."""
        lately = self.filter(kind=Message.Kind.VISITOR, at__gt=now - HOUR)
        if lately.count() >= MOST_WAITING:
            raise TooMany(
                _("You have written many messages in this hour. Wait a little, then go on.")
            )


class Message(models.Model):
    """One message; the visitor sees their own and the replies, not notes and events."""

    class Kind(models.TextChoices):
        VISITOR = "visitor", gettext_lazy("visitor")
        AGENT = "agent", gettext_lazy("reply")
        NOTE = "note", gettext_lazy("internal note")
        EVENT = "event", gettext_lazy("what was done")

    escalation = models.ForeignKey("Escalation", models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=7, choices=Kind)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    text = ProseField(gettext_lazy("message"), max_length=MESSAGE_LIMIT)
    at = models.DateTimeField(default=timezone.now)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("message")
        verbose_name_plural = gettext_lazy("messages")
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.escalation_id} {self.kind} {self.at:%Y-%m-%d %H:%M}"

    def says(self, other: "Message") -> bool:
        """Whether another says exactly the same, by the same person: then it was sent twice."""
        words = ("kind", "author_id", "text")
        return all(getattr(self, word) == getattr(other, word) for word in words)

    def as_fix(self, language: str) -> Fix:
        """A fix that is made of it: the first line is its title, each line below a step."""
        title, *steps = [line.strip() for line in self.text.splitlines() if line.strip()]
        fix = Fix.objects.create(title=title[:120], language=language)
        for position, text in enumerate(steps or [title], start=1):
            Step.objects.create(fix=fix, position=position, text=text[:2000])
        return fix
