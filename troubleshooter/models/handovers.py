"""Hand-overs: a short code that opens a session once, on another device."""

import secrets
from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from troubleshooter import tokens

from .sessions import Session

LIFETIME = timedelta(minutes=10)
WINDOW = timedelta(hours=1)
MOST_IN_WINDOW = 10  # codes for one session; nobody needs them, a script would fill the disk


class HandOverQuerySet(models.QuerySet["HandOver"]):
    def make(self, session: Session) -> str | None:
        """A new code for `session`; the codes it had before end. None: it has had too many.

        This is the only moment at which the code is known: the row holds a keyed hash.
        """
        code = tokens.handover_code(secrets.token_bytes(12))
        now = timezone.now()
        with transaction.atomic():
            self.filter(made_at__lte=now - WINDOW).delete()
            earlier = self.filter(session=session)
            if earlier.count() >= MOST_IN_WINDOW:
                return None
            earlier.filter(expires_at__gt=now).update(expires_at=now)
            self.create(
                session=session,
                digest=tokens.handover_digests(code)[0],
                made_at=now,
                expires_at=now + LIFETIME,
            )
        return code

    def open(self, typed: str) -> Session | None:
        """The session that a code opens, as somebody typed it. A code opens once."""
        now = timezone.now()
        live = self.filter(
            digest__in=tokens.handover_digests(typed), used_at=None, expires_at__gt=now
        )
        found = live.select_related("session").first()
        if found is None:
            return None
        # Of two who type it at once, the database decides who was first.
        first = live.filter(pk=found.pk).update(used_at=now)
        return found.session if first else None


class HandOver(models.Model):
    """A code made for a session, kept for an hour at least so that a session's can be counted."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="handovers")
    digest = models.CharField(max_length=22, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = HandOverQuerySet.as_manager()

    class Meta:
        verbose_name = _("hand-over")
        verbose_name_plural = _("hand-overs")
        ordering = ["-made_at", "-id"]

    def __str__(self) -> str:
        return f"{self.session_id} {self.made_at:%Y-%m-%d %H:%M}"
