"""The change log of a guide: every save, every move of its editions, every review; who and when.

The verbs write a line in the transaction of the move itself, whoever calls them.
"""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .content import Guide

LATEST_REVIEW = timedelta(days=5 * 366)  # a later day is a slip of the keyboard


class CannotReview(ValueError):
    """The next review cannot be on that day; the message is a sentence for the editor."""


class LogLineQuerySet(models.QuerySet["LogLine"]):
    def note(self, guide: Guide, kind: "LogLine.Kind", by: User | None, **what: Any) -> "LogLine":
        """Write a line; to be called inside the transaction of what it tells."""
        return self.create(guide=guide, kind=kind, by=by, **what)

    def review(self, guide: Guide, again_on: date, by: User | None) -> "LogLine":
        """Somebody has looked at the guide; the next review is due on that day.

        Raises CannotReview for a day that is not after today, or years away.
        """
        today = timezone.localdate()
        if again_on <= today:
            raise CannotReview(_("The next review must be on a later day than today."))
        if again_on > today + LATEST_REVIEW:
            raise CannotReview(_("That is more than five years away: choose an earlier day."))
        with transaction.atomic():
            Guide.objects.filter(pk=guide.pk).update(review_on=again_on)
            return self.note(guide, LogLine.Kind.REVIEWED, by, review_on=again_on)


class LogLine(models.Model):
    """One move: what it was, and what there is to say of it. `by` is empty for a command."""

    class Kind(models.TextChoices):
        CHANGED = "changed", gettext_lazy("changed")
        PUBLISHED = "published", gettext_lazy("published")
        PLANNED = "planned", gettext_lazy("planned")
        UNPLANNED = "unplanned", gettext_lazy("plan dropped")
        WENT_LIVE = "went_live", gettext_lazy("went live as planned")
        UNPUBLISHED = "unpublished", gettext_lazy("unpublished")
        ROLLED_BACK = "rolled_back", gettext_lazy("rolled back")
        WITHDRAWN = "withdrawn", gettext_lazy("withdrawn")
        REVIEWED = "reviewed", gettext_lazy("reviewed")
        SUGGESTED = "suggested", gettext_lazy("notice suggested")
        ANNOUNCED = "announced", gettext_lazy("notice announced")
        ENDED = "ended", gettext_lazy("notice ended")
        DISMISSED = "dismissed", gettext_lazy("suggested notice dismissed")
        ORDER_STOPPED = "stopped", gettext_lazy("learned order stopped")
        ORDER_RESUMED = "resumed", gettext_lazy("learned order resumed")

    guide = models.ForeignKey(Guide, models.CASCADE, related_name="log_lines")
    kind = models.CharField(max_length=11, choices=Kind)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    edition = models.PositiveIntegerField(null=True)  # its number: a dropped plan has no row
    goes_live_at = models.DateTimeField(null=True)
    review_on = models.DateField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    said = models.TextField(blank=True)  # what a save changed, in sentences

    objects = LogLineQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("line of the change log")
        verbose_name_plural = gettext_lazy("lines of the change log")
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["guide", "-at"], name="troubleshooter_log_newest")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"
