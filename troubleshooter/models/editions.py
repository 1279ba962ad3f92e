"""Editions: the frozen, numbered content of a guide as published, and which one is live."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Max, Q
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter import markup
from troubleshooter.text import BadText, clean_text

from .content import Guide, Picture
from .findings import Finding, findings
from .reading import Reading, freeze, read


class NotReady(Exception):
    """The draft cannot be published; `findings` are those that block it."""

    def __init__(self, found: Sequence[Finding]) -> None:
        super().__init__(" ".join(finding.sentence for finding in found))
        self.findings = found


class CannotRollBack(ValueError):
    """This edition cannot become live again; the message is a sentence for the editor."""


class EditionQuerySet(models.QuerySet["Edition"]):
    def live(self) -> "EditionQuerySet":
        """The editions that new visitors see: at most one for each guide."""
        return self.filter(live=True)

    def light(self) -> "EditionQuerySet":
        """Without the content, which each process reads once and keeps (see `Edition.reading`)."""
        return self.defer("content")

    def by_topic(self) -> "EditionQuerySet":
        """In the order of the home page, each with its guide and topic."""
        return self.select_related("guide__topic").order_by(
            "guide__topic__position", "guide__topic__name", "title"
        )

    def naming(self, picture: Picture) -> "EditionQuerySet":
        """Those that show `picture`, or say its address.

        The database looks through the text of every edition. Nothing of it is read into memory,
        but the time grows with them: up to 0.2 seconds for a thousand editions of 50 kB.
        """
        text = Cast("content", models.TextField())
        return self.alias(text=text).filter(text__contains=picture.sha256)

    def publish(self, guide: Guide, by: User | None) -> "Edition":
        """Freeze the draft and make it what new visitors see; running sessions keep theirs.

        Raises NotReady when findings block it. Publishing a draft that is already live, word for
        word, changes nothing and gives back the live edition.
        """
        with transaction.atomic():
            Guide.objects.select_for_update().get(pk=guide.pk)  # one publisher at a time
            draft = Guide.objects.whole().get(pk=guide.pk)
            if found := [finding for finding in findings(draft) if finding.blocks]:
                raise NotReady(found)
            content = freeze(draft)
            digest = _digest(content)
            of_guide = self.filter(guide=draft)
            live = of_guide.filter(live=True, digest=digest).first()
            if live:
                return live
            of_guide.filter(live=True).update(live=False)
            number = of_guide.aggregate(last=Max("number"))["last"] or 0
            return self.create(
                guide=draft,
                number=number + 1,
                content=content,
                digest=digest,
                title=draft.title,
                summary=draft.summary,
                language=draft.language,
                live=True,
                published_by=by,
            )

    def roll_back(self, edition: "Edition") -> "Edition":
        """Make an earlier edition live again; the draft and running sessions stay as they are.

        Raises CannotRollBack when it was withdrawn or is live already.
        """
        with transaction.atomic():
            Guide.objects.select_for_update().get(pk=edition.guide_id)  # see publish
            earlier = self.light().get(pk=edition.pk)
            number = {"number": earlier.number}
            if earlier.withdrawn_at:
                said = _("Edition %(number)d was withdrawn and stays closed for good.")
                raise CannotRollBack(said % number)
            if earlier.live:
                raise CannotRollBack(_("Edition %(number)d is live already.") % number)
            self.filter(guide=edition.guide_id, live=True).update(live=False)
            self.filter(pk=edition.pk).update(live=True)
            earlier.live = True
            return earlier

    def unpublish(self, guide: Guide) -> int:
        """Start no new sessions; running ones go on. Returns how many editions were live."""
        return self.filter(guide=guide, live=True).update(live=False)

    def withdraw(self, guide: Guide, reason: str) -> int:
        """For safety: start no new sessions *and* interrupt the running ones, saying why.

        Every edition so far is withdrawn; publish a mended draft to go on. `reason` is shown to
        visitors and must not be empty (BadText). Returns how many editions this withdrew.
        """
        reason = clean_text(reason, most=500)
        if not reason:
            raise BadText(_("Say why, in a sentence that visitors understand."))
        return self.filter(guide=guide, withdrawn_at=None).update(
            live=False, withdrawn_at=timezone.now(), withdrawn_reason=reason
        )


class Edition(models.Model):
    """A guide as published. Its content never changes; only `live` and withdrawal do."""

    guide = models.ForeignKey(Guide, models.PROTECT, related_name="editions")
    number = models.PositiveIntegerField(gettext_lazy("edition"))
    content = models.JSONField()
    digest = models.CharField(max_length=64)
    title = models.CharField(gettext_lazy("title"), max_length=120)
    summary = models.CharField(max_length=300)
    language = models.CharField(max_length=12)
    live = models.BooleanField(gettext_lazy("live"), default=False)
    published_at = models.DateTimeField(gettext_lazy("published"), default=timezone.now)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=gettext_lazy("by"),
    )
    withdrawn_at = models.DateTimeField(gettext_lazy("withdrawn"), null=True)
    withdrawn_reason = models.CharField(gettext_lazy("reason"), max_length=500, blank=True)

    objects = EditionQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("edition")
        verbose_name_plural = gettext_lazy("editions")
        ordering = ["guide", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["guide", "number"], name="troubleshooter_edition_guide_number"
            ),
            models.UniqueConstraint(
                fields=["guide"], condition=Q(live=True), name="troubleshooter_edition_one_live"
            ),
            models.CheckConstraint(
                condition=Q(live=False) | Q(withdrawn_at=None),
                name="troubleshooter_edition_live_not_withdrawn",
            ),
        ]

    def __str__(self) -> str:
        return _("%(title)s, edition %(number)d") % {"title": self.title, "number": self.number}

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("An edition is immutable: publish a new one.")
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("guide", args=[self.guide.slug])

    @property
    def reading(self) -> Reading:
        """The content, rendered: once in each process, kept by what it says and who renders it."""
        key = (self.digest, markup.VERSION)
        if key not in _readings:
            if len(_readings) >= READINGS_KEPT:
                _readings.clear()
            _readings[key] = read(self.content)
        return _readings[key]


READINGS_KEPT = 500  # editions a process keeps rendered, some 50 kB each
_readings: dict[tuple[str, int], Reading] = {}


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
