"""Attempts: one showing of one fix in one session, and what came of it.

Written when the fix comes to the front, never changed once answered.
"""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from troubleshooter import flow
from troubleshooter.flow import Outcome, Reason

_OUTCOMES: dict[str | None, Outcome | None] = {None: None, **{each.value: each for each in Outcome}}


class Attempt(models.Model):
    """One showing of one fix in one session, and what came of it."""

    # Its index is that of the constraint below; every answer would have to keep up another.
    session = models.ForeignKey(
        "troubleshooter.Session", models.CASCADE, related_name="attempts", db_index=False
    )
    seq = models.PositiveSmallIntegerField()
    fix_key = models.CharField(max_length=16)
    fix_revision = models.PositiveIntegerField()
    place = models.PositiveSmallIntegerField()
    shown_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=9, choices=Outcome, null=True)
    reason = models.CharField(max_length=16, choices=Reason, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["session", "seq"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "seq"], name="troubleshooter_attempt_session_seq"
            ),
            # Each case says what is NULL: a CHECK lets a condition that is unknown pass.
            models.CheckConstraint(
                condition=Q(outcome=None, answered_at=None)
                | Q(
                    outcome__isnull=False,
                    outcome__in=Outcome.values,
                    answered_at__isnull=False,
                    answered_at__gte=F("shown_at"),
                ),
                name="troubleshooter_attempt_answered_once",
            ),
            models.CheckConstraint(
                condition=Q(reason="")
                | Q(outcome__isnull=False, outcome=Outcome.SKIPPED, reason__in=Reason.values),
                name="troubleshooter_attempt_reason_of_skip",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session_id}/{self.seq} {self.fix_key} {self.outcome or '…'}"

    @cached_property
    def rule(self) -> flow.Row:
        """This attempt as the rules of the flow see it."""
        return flow.Row(self.seq, self.fix_key, _OUTCOMES[self.outcome], self.reason)

    @property
    def minutes(self) -> float | None:
        """Server time from showing to answer, in minutes."""
        if self.answered_at is None:
            return None
        return (self.answered_at - self.shown_at).total_seconds() / 60

    def answered(self, outcome: Outcome, reason: str, now: datetime) -> "Attempt":
        """This attempt with its answer (in memory)."""
        self.outcome, self.reason, self.answered_at = outcome, reason, now
        self.__dict__.pop("rule", None)
        return self
