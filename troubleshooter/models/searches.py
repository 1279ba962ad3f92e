"""Searches that found nothing, counted for editors to see what is missing."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from django.db import models, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

MOST_A_DAY = 1000  # different texts; a script that makes them up must not fill the disk


class MissedSearchQuerySet(models.QuerySet["MissedSearch"]):
    def add(self, counts: Mapping[tuple[date, str, str], int]) -> None:
        """Add to what is known; the keys are day, language and text. All of it or nothing."""
        by_day: defaultdict[tuple[date, str], dict[str, int]] = defaultdict(dict)
        for (day, language, text), count in sorted(counts.items()):
            by_day[day, language][text] = count
        with transaction.atomic():
            for (day, language), texts in by_day.items():
                self._make(day, language, texts)
                alike: defaultdict[int, list[str]] = defaultdict(list)
                for text, count in texts.items():
                    alike[count].append(text)
                for count, same in alike.items():
                    of_day = self.filter(day=day, language=language, text__in=same)
                    of_day.update(count=F("count") + count)

    def _make(self, day: date, language: str, texts: Mapping[str, int]) -> None:
        """A row for each text, most asked first, as far as the day has room."""
        room = MOST_A_DAY - self.filter(day=day).count()
        known = set(
            self.filter(day=day, language=language, text__in=texts).values_list("text", flat=True)
        )
        new = sorted((text for text in texts if text not in known), key=lambda text: -texts[text])
        rows = [MissedSearch(day=day, language=language, text=text) for text in new]
        self.bulk_create(rows[: max(room, 0)], ignore_conflicts=True)


class MissedSearch(models.Model):
    """How often a text was searched for on one day without a hit. It says nothing of who asked."""

    day = models.DateField(_("day"))
    language = models.CharField(_("language"), max_length=12)
    text = models.CharField(_("searched for"), max_length=60)
    count = models.PositiveIntegerField(_("times"), default=0)

    objects = MissedSearchQuerySet.as_manager()

    class Meta:
        verbose_name = _("search without a hit")
        verbose_name_plural = _("searches without a hit")
        ordering = ["-count", "-day", "text"]
        indexes = [
            models.Index(fields=["-count", "-day", "text"], name="troubleshooter_missed_most")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "language", "text"], name="troubleshooter_missedsearch_once"
            )
        ]

    def __str__(self) -> str:
        return self.text
