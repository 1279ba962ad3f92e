"""What was counted: how many sessions ended in which way, and what came of every fix, by day.

All of it is made of the rows of sessions and attempts by `counting.py`, a day of a guide at a
time, and can be made anew from them. Pages of numbers read nothing else.
"""

from datetime import date, datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from troubleshooter.flow import Reason
from troubleshooter.population import Ending

from .content import Guide
from .sessions import Session


class SliceQuerySet(models.QuerySet["Slice"]):
    def fine(self) -> "SliceQuerySet":
        """Told apart by everything; these and `coarse()` count the same sessions."""
        return self.filter(fine=True, months=False)

    def coarse(self) -> "SliceQuerySet":
        """Told apart by guide and language alone, for whoever asks of many guides or long times."""
        return self.filter(fine=False, months=False)


class Slice(models.Model):
    """Sessions that are alike in all that they are filtered by, but for their day.

    Every session is in two of them: a fine one and a coarse one, which knows nothing of symptom,
    platform, arm and edition. Whoever adds counts up must choose one kind. Those with `months`
    hold sums of whole months, each on its first day.
    """

    guide = models.ForeignKey(Guide, models.PROTECT, related_name="+")  # in one language
    language = models.CharField(max_length=12)
    simulated = models.BooleanField()
    fine = models.BooleanField()
    months = models.BooleanField(default=False)
    symptom_key = models.CharField(max_length=16, blank=True)
    platform = models.CharField(max_length=12, choices=Session.Platform, blank=True)
    arm = models.CharField(max_length=8, choices=Session.Arm, blank=True)
    edition = models.PositiveIntegerField(default=0)  # its number

    objects = SliceQuerySet.as_manager()

    class Meta:
        verbose_name = _("slice")
        verbose_name_plural = _("slices")
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("guide", "months", "fine", "simulated", "language"),
                    *("edition", "symptom_key", "platform", "arm"),
                ],
                name="troubleshooter_slice_once",
            ),
            models.CheckConstraint(
                condition=models.Q(fine=True)
                | models.Q(symptom_key="", platform="", arm="", edition=0),
                name="troubleshooter_slice_coarse",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.guide_id} {self.language} {self.symptom_key} {self.platform} {self.arm}"


class Count(models.Model):
    """Something that was counted of the sessions of a slice that started on a day."""

    BY: ClassVar[tuple[str, ...]] = ()  # what it is told apart by, besides slice and day
    SUMS: ClassVar[tuple[str, ...]]  # what was counted: numbers that add up

    # No index of its own: what is unique begins with it.
    slice = models.ForeignKey(Slice, models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()  # of the site's time zone

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.slice_id} {self.day}"


class SessionCount(Count):
    """How the sessions ended: each is counted once (see `population.py`)."""

    SUMS = (*Ending.values, "tries")

    confirmed = models.PositiveIntegerField(default=0)
    escalated = models.PositiveIntegerField(default=0)
    exhausted = models.PositiveIntegerField(default=0)
    assumed = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    under_way = models.PositiveIntegerField(default=0)  # when it was counted
    tries = models.PositiveIntegerField(default=0)  # fixes tried in sessions that have ended

    class Meta:
        verbose_name = _("sessions of a day")
        verbose_name_plural = _("sessions by day")
        constraints = [
            models.UniqueConstraint(
                fields=["slice", "day"], name="troubleshooter_sessioncount_once"
            )
        ]


class FixCount(Count):
    """What came of one revision of one fix. Every count is of sessions, each at most once.

    `fixed`, `not_fixed` and the reasons to skip go by the latest answered attempt in the session;
    `resolved` are the sessions that this fix ended, `away` those that went away standing on it.
    """

    BY = ("fix_key", "fix_revision")
    SUMS = ("shown", "resolved", "fixed", "not_fixed", "away", *Reason.values)

    fix_key = models.CharField(max_length=16)
    fix_revision = models.PositiveIntegerField()
    shown = models.PositiveIntegerField(default=0)
    resolved = models.PositiveIntegerField(default=0)
    fixed = models.PositiveIntegerField(default=0)
    not_fixed = models.PositiveIntegerField(default=0)
    away = models.PositiveIntegerField(default=0)
    # Skipped, and why: a field for each member of Reason.
    cant_find = models.PositiveIntegerField(default=0)
    looks_different = models.PositiveIntegerField(default=0)
    greyed_out = models.PositiveIntegerField(default=0)
    afraid = models.PositiveIntegerField(default=0)
    no_time = models.PositiveIntegerField(default=0)
    other = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("fix of a day")
        verbose_name_plural = _("fixes by day")
        constraints = [
            models.UniqueConstraint(
                fields=["slice", "day", "fix_key", "fix_revision"],
                name="troubleshooter_fixcount_once",
            )
        ]
        indexes = [  # for whoever asks of one fix in all guides
            models.Index(fields=["fix_key", "slice", "day"], name="troubleshooter_fixcount_fix")
        ]


class PlaceCount(Count):
    """What came of the n-th different fix that sessions were shown, whichever it was."""

    BY = ("place",)
    SUMS = ("fixed", "not_fixed", "skipped", "away", "under_way", "passed")

    place = models.PositiveSmallIntegerField()
    fixed = models.PositiveIntegerField(default=0)
    not_fixed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    away = models.PositiveIntegerField(default=0)
    under_way = models.PositiveIntegerField(default=0)
    passed = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("place of a day")
        verbose_name_plural = _("places by day")
        constraints = [
            models.UniqueConstraint(
                fields=["slice", "day", "place"], name="troubleshooter_placecount_once"
            )
        ]


class FixTime(Count):
    """How many sessions took how long to try a fix; `bucket` is one of `histograms.py`."""

    BY = ("fix_key", "fix_revision", "bucket")
    SUMS = ("sessions",)

    fix_key = models.CharField(max_length=16)
    fix_revision = models.PositiveIntegerField()
    bucket = models.PositiveSmallIntegerField()
    sessions = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("time of a fix")
        verbose_name_plural = _("times of fixes")
        constraints = [
            models.UniqueConstraint(
                fields=["slice", "day", "fix_key", "fix_revision", "bucket"],
                name="troubleshooter_fixtime_once",
            )
        ]


class ResolutionTime(Count):
    """How many confirmed sessions took how long from their start to the answer that resolved."""

    BY = ("bucket",)
    SUMS = ("sessions",)

    bucket = models.PositiveSmallIntegerField()
    sessions = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("time to a resolution")
        verbose_name_plural = _("times to resolutions")
        constraints = [
            models.UniqueConstraint(
                fields=["slice", "day", "bucket"], name="troubleshooter_resolutiontime_once"
            )
        ]


class DurableCount(Count):
    """Of the visitors who were asked days later about a fix: how many, and what they said."""

    BY = ("fix_key", "fix_revision")
    SUMS = ("asked", "still_fixed", "came_back")

    fix_key = models.CharField(max_length=16)
    fix_revision = models.PositiveIntegerField()
    asked = models.PositiveIntegerField(default=0)
    still_fixed = models.PositiveIntegerField(default=0)
    came_back = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("durable of a day")
        verbose_name_plural = _("durable by day")
        constraints = [
            models.UniqueConstraint(
                fields=["slice", "day", "fix_key", "fix_revision"],
                name="troubleshooter_durablecount_once",
            )
        ]


class EscalationCount(Count):
    """How many persons were asked for, by the fix shown last before; of a session maybe several."""

    BY = ("fix_key",)
    SUMS = ("escalations", "closed")

    fix_key = models.CharField(max_length=16, blank=True)
    escalations = models.PositiveIntegerField(default=0)
    closed = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("escalations of a day")
        verbose_name_plural = _("escalations by day")
        constraints = [
            models.UniqueConstraint(
                fields=["slice", "day", "fix_key"], name="troubleshooter_escalationcount_once"
            )
        ]


class EscalationTime(Count):
    """How many escalations took how long until they were answered first, and until closed."""

    BY = ("bucket",)
    SUMS = ("answered", "closed")

    bucket = models.PositiveSmallIntegerField()
    answered = models.PositiveIntegerField(default=0)
    closed = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("time of escalations")
        verbose_name_plural = _("times of escalations")
        constraints = [
            models.UniqueConstraint(
                fields=["slice", "day", "bucket"], name="troubleshooter_escalationtime_once"
            )
        ]


class CreditCount(Count):
    """How many escalations a fix ended, and what the visitor had made of it before asking."""

    BY = ("fix_key",)
    SUMS = ("credited", "not_fixed", "skipped")

    fix_key = models.CharField(max_length=16)
    credited = models.PositiveIntegerField(default=0)
    not_fixed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("credited fix of a day")
        verbose_name_plural = _("credited fixes by day")
        constraints = [
            models.UniqueConstraint(
                fields=["slice", "day", "fix_key"], name="troubleshooter_creditcount_once"
            )
        ]


COUNTS: tuple[type[Count], ...] = (
    *(SessionCount, FixCount, PlaceCount, FixTime, ResolutionTime),
    *(DurableCount, EscalationCount, EscalationTime, CreditCount),
)


class LookQuerySet(models.QuerySet["Look"]):
    def current(self) -> "Look":
        """The only row there is; before anything was counted, one that says so."""
        return self.filter(pk=Look.ONLY).first() or Look(pk=Look.ONLY)

    def seal(self, before: date) -> None:
        """Days before this one are counted for good: nobody counts them anew from here on."""
        open_ones = models.Q(sealed_before=None) | models.Q(sealed_before__lt=before)
        self.filter(open_ones, pk=Look.ONLY).update(sealed_before=before)

    def sealed_before(self) -> date:
        """Days before this one must be left as they were counted."""
        return self.current().sealed_before or date.min


class Look(models.Model):
    """When the rows were looked through last for what has to be counted. There is one row."""

    ONLY = 1

    looked_at = models.DateTimeField(null=True)  # everything that moved until then is marked
    counted_at = models.DateTimeField(null=True)  # everything that moved until then is counted
    months_until = models.DateField(null=True)  # whole months before this day are summed
    bundled_until = models.DateField(null=True)  # likewise: bundles of whole blocks of days
    rules = models.CharField(max_length=80, blank=True)  # by which it was counted
    # Days before this one are counted for good: their sessions may be gone (see `purge`).
    sealed_before = models.DateField(null=True)

    objects = LookQuerySet.as_manager()

    class Meta:
        verbose_name = _("look through the rows")
        verbose_name_plural = _("looks through the rows")

    def __str__(self) -> str:
        return f"{self.counted_at}"


def idle_for() -> timedelta:
    """Without a sign of life for this long, a session went away."""
    return timedelta(minutes=settings.IDLE_MINUTES)


def idle_since(now: datetime) -> datetime:
    """Whoever gave the last sign of life then, or earlier, is away by now."""
    return now - idle_for()
