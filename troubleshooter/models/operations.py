"""What an operator needs to know of the desk itself: signs of life, and what was erased.

A backup brings old rows back. So of an address that was erased a keyed hash stays, and whatever a
restored backup holds of it is erased again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from troubleshooter import tokens


class BeatQuerySet(models.QuerySet["Beat"]):
    def note(self, now: datetime, *of: "Beat.Of") -> None:
        """That went well just now; one statement, whoever says so at the same time."""
        self.bulk_create(
            [Beat(of=each, at=now) for each in of],
            update_conflicts=True,
            unique_fields=["of"],
            update_fields=["at"],
        )

    def times(self) -> dict[str, datetime]:
        """When each was noted last; what never was is not in it."""
        return dict(self.values_list("of", "at"))


class Beat(models.Model):
    """When something that has to happen again and again went well last. One row for each."""

    class Of(models.TextChoices):
        WORKER = "worker", _("the worker")
        FOLD = "fold", _("learning from sessions")
        BACKUP = "backup", _("a backup")
        PURGE = "purge", _("forgetting old sessions")

    of = models.CharField(max_length=8, choices=Of, unique=True)
    at = models.DateTimeField()

    objects = BeatQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign of life")
        verbose_name_plural = _("signs of life")

    def __str__(self) -> str:
        return f"{self.of} {self.at}"


class ErasureQuerySet(models.QuerySet["Erasure"]):
    def note(self, email: str, now: datetime) -> None:
        """All that was kept of this address until now is erased."""
        self.keep({tokens.erasure_digests(email)[0]: now})

    def keep(self, erased: Mapping[str, datetime]) -> None:
        """Know these, too; of what is known already, the later time counts."""
        known = self.known()
        later = {
            digest: at for digest, at in erased.items() if digest not in known or known[digest] < at
        }
        self.bulk_create(
            [Erasure(digest=digest, at=at) for digest, at in later.items()],
            batch_size=500,
            update_conflicts=True,
            unique_fields=["digest"],
            update_fields=["at"],
        )

    def known(self) -> dict[str, datetime]:
        """Until when what is kept of an address was erased, by the digest of the address."""
        return dict(self.values_list("digest", "at"))

    def among(self, emails: Iterable[str]) -> dict[str, datetime]:
        """Which of these addresses were erased, and until when; keys of old secrets count."""
        known = self.known()
        found: dict[str, datetime] = {}
        for email in emails:
            times = [known[each] for each in tokens.erasure_digests(email) if each in known]
            if times:
                found[email] = max(times)
        return found


class Erasure(models.Model):
    """An address of which everything was erased, as a keyed hash: it names nobody."""

    digest = models.CharField(max_length=22, unique=True)
    at = models.DateTimeField()

    objects = ErasureQuerySet.as_manager()

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")

    def __str__(self) -> str:
        return self.digest
