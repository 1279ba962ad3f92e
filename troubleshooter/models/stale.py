"""Days whose counts are no longer right: a list of what has to be counted anew."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class StaleQuerySet(models.QuerySet["Stale"]):
    def mark(self, days: Iterable[tuple[str, date]], *, month: bool = False) -> None:
        """Have these days (guide key, day) counted anew, once this transaction is done.

        A day may be marked many times over. Rows are only ever added, so nobody waits here for
        whoever counts meanwhile.
        """
        rows = (Stale(guide_key=guide_key, day=day, month=month) for guide_key, day in days)
        self.bulk_create(rows, batch_size=1000)


class Stale(models.Model):
    """One day of one guide, in all its languages, that has to be counted anew.

    With `month`, it is the first day of a month whose sums have to be made anew.
    """

    guide_key = models.CharField(max_length=16)
    day = models.DateField()
    month = models.BooleanField(default=False)

    objects = StaleQuerySet.as_manager()

    class Meta:
        verbose_name = _("day to be counted")
        verbose_name_plural = _("days to be counted")
        indexes = [
            models.Index(fields=["month", "-day", "guide_key"], name="troubleshooter_stale_next")
        ]

    def __str__(self) -> str:
        return f"{self.guide_key} {self.day}"


def midnight(day: date) -> datetime:
    """When a day begins in the site's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def month_of(moment: datetime | date) -> date:
    """The first day of a month: of the one that a day is in, or a moment in that time zone."""
    day = timezone.localdate(moment) if isinstance(moment, datetime) else moment
    return day.replace(day=1)


def month_after(day: date) -> date:
    """The first day of the next month."""
    return month_of(month_of(day) + timedelta(days=31))
