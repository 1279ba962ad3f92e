"""Editions: the frozen, numbered content of a guide as published, and which one is live.

A planned edition is frozen, too, and waits for its moment: no visitor has seen it yet.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter import markup
from troubleshooter.text import BadText, clean_text

from .content import Guide, Picture
from .findings import Finding, findings
from .log import LogLine
from .reading import Reading, freeze, read
from .wording import Change, weighed


class NotReady(Exception):
    """The draft cannot be published; `findings` are those that block it."""

    def __init__(self, found: Sequence[Finding]) -> None:
        super().__init__(" ".join(finding.sentence for finding in found))
        self.findings = found


class CannotRollBack(ValueError):
    """This edition cannot become live again; the message is a sentence for the editor."""


class CannotSchedule(ValueError):
    """The draft cannot go live at that moment; the message is a sentence for the editor."""


FARTHEST = timedelta(days=366)  # that a plan may reach: what is farther off is forgotten
LONG = ("about", "closing", "prevention")  # of a draft: whoever reads an edition needs none


class EditionQuerySet(models.QuerySet["Edition"]):
    def live(self) -> "EditionQuerySet":
        """The editions that new visitors see: at most one for each guide."""
        return self.filter(live=True)

    def published(self) -> "EditionQuerySet":
        """Those that visitors have seen, live or not."""
        return self.filter(goes_live_at=None)

    def planned(self) -> "EditionQuerySet":
        """Those that wait for their moment: at most one for each guide."""
        return self.filter(goes_live_at__isnull=False)

    def leading(self, *guide_keys: str) -> "dict[str, Edition]":
        """The live edition of each of these guides that their orders are made for, by guide key.

        Of several languages the site's own, or else the first by name; orders are fitted to the
        others when a session starts.
        """
        live = self.live().light().filter(guide__key__in=guide_keys)
        editions = live.select_related("guide").order_by("-language")
        own_last = sorted(editions, key=lambda each: each.language == settings.LANGUAGE_CODE)
        return {each.guide.key: each for each in own_last}

    def light(self) -> "EditionQuerySet":
        """Without the content, which each process reads once and keeps (see `Edition.reading`)."""
        return self.defer("content")

    def with_notice(self) -> "EditionQuerySet":
        """With the guide and the notice that stands on it (`notice_on`), in the same statement."""
        return self.select_related("guide__notice").defer(*(f"guide__{name}" for name in LONG))

    def by_topic(self) -> "EditionQuerySet":
        """In the order of the home page, each with its guide and topic."""
        return self.select_related("guide__topic").order_by(
            "guide__topic__position", "guide__topic__name", "title"
        )

    def naming(self, picture: Picture) -> "EditionQuerySet":
        """Those that show `picture`, or say its address.

        The database looks through the text of every edition. Nothing of it is read into memory,
        but the time grows with them.
        """
        text = Cast("content", models.TextField())
        return self.alias(text=text).filter(text__contains=picture.sha256)

    def publish(self, guide: Guide, by: User | None, change: str = "") -> "Edition":
        """Freeze the draft and make it what new visitors see; running sessions keep theirs.

        `change` is a Change: what it means for translations; empty, it is weighed. Raises
        NotReady when findings block it. Publishing a draft that is already live, word for word,
        changes nothing and gives back the live edition.
        """
        with transaction.atomic():
            draft = self._lock(guide)
            content = self._ready(draft)
            if live := self._live_with(draft, content):
                self.filter(pk=live.pk).update(of_edition=_made_from(draft))
                return live
            self._drop_plan(draft, by)
            self.filter(guide=draft, live=True).update(live=False)
            edition = self._freeze(draft, content, by, change, live=True)
            self._keep_translations_true(edition)
            LogLine.objects.note(draft, LogLine.Kind.PUBLISHED, by, edition=edition.number)
            return edition

    def schedule(self, guide: Guide, at: datetime, by: User | None, change: str = "") -> "Edition":
        """Freeze the draft now, to go live at that moment; replaces an earlier plan.

        `change` is as for `publish`. Raises NotReady when findings block it, CannotSchedule for a
        moment that is past or more than a year away, and for a draft that is live already, word
        for word.
        """
        now = timezone.now()
        if at <= now:
            raise CannotSchedule(_("That moment is past: choose a later one, or publish now."))
        if at > now + FARTHEST:
            raise CannotSchedule(_("That is more than a year away: choose an earlier day."))
        with transaction.atomic():
            draft = self._lock(guide)
            content = self._ready(draft)
            if live := self._live_with(draft, content):
                said = _("Nothing has changed since edition %(number)d, which is live.")
                raise CannotSchedule(said % {"number": live.number})
            self.planned().filter(guide=draft).delete()
            edition = self._freeze(draft, content, by, change, goes_live_at=at)
            LogLine.objects.note(
                draft, LogLine.Kind.PLANNED, by, edition=edition.number, goes_live_at=at
            )
            return edition

    def unschedule(self, guide: Guide, by: User | None = None) -> int:
        """Drop the plan: that edition was never live and goes. Returns how many there were."""
        with transaction.atomic():
            return self._drop_plan(self._lock(guide), by)

    def go_live(self, now: datetime) -> "list[Edition]":
        """Make every planned edition live whose moment has come, each in a transaction of its own.

        Two workers may do this at once: whoever comes second finds nothing left to do.
        """
        gone: list[Edition] = []
        due = self.light().filter(goes_live_at__lte=now).select_related("guide", "published_by")
        for planned in due.order_by("goes_live_at", "pk"):
            with transaction.atomic():
                self._lock(planned.guide)
                waiting = self.filter(pk=planned.pk, goes_live_at__lte=now)
                if not waiting.exists():  # dropped, planned anew, or live by another worker
                    continue
                self.filter(guide=planned.guide_id, live=True).update(live=False)
                waiting.update(live=True, goes_live_at=None, published_at=now)
                self._keep_translations_true(planned)
                LogLine.objects.note(
                    planned.guide,
                    LogLine.Kind.WENT_LIVE,
                    planned.published_by,
                    at=now,
                    edition=planned.number,
                )
                gone.append(planned)
        return gone

    def _lock(self, guide: Guide) -> Guide:
        """The guide as it is now, for one mover at a time until the transaction ends."""
        return Guide.objects.select_for_update().get(pk=guide.pk)

    def _ready(self, guide: Guide) -> dict[str, Any]:
        """The draft as it would be published; NotReady when findings block it."""
        draft = Guide.objects.whole().get(pk=guide.pk)
        if found := [finding for finding in findings(draft) if finding.blocks]:
            raise NotReady(found)
        return freeze(draft)

    def _live_with(self, guide: Guide, content: dict[str, Any]) -> "Edition | None":
        return self.filter(guide=guide, live=True, digest=_digest(content)).first()

    def _freeze(
        self, draft: Guide, content: dict[str, Any], by: User | None, change: str, **state: Any
    ) -> "Edition":
        last = self.filter(guide=draft).order_by("-number").first()
        number = last.number + 1 if last else 1
        if last and last.digest == _digest(content):
            change = Change.MINOR  # whatever was chosen: translations lack nothing
        minor = last and (change or weighed(last.content, content)) == Change.MINOR
        now = timezone.now()
        return self.create(
            guide=draft,
            number=number,
            last_major=last.last_major if last and minor else number,
            of_edition=_made_from(draft),
            content=content,
            digest=_digest(content),
            title=draft.title,
            summary=draft.summary,
            language=draft.language,
            frozen_at=now,
            published_at=now,
            published_by=by,
            **state,
        )

    def _keep_translations_true(self, edition: "Edition") -> None:
        """What said the same as the edition before says the same as this one, if that is equal.

        So nobody is told of a change when a guide is only published again.
        """
        earlier = self.published().light().filter(guide=edition.guide_id)
        before = earlier.filter(number__lt=edition.number).order_by("-number").first()
        if before and before.digest == edition.digest:
            told = edition.guide.translations.filter(edition=before.number)
            told.update(edition=edition.number)

    def agree(self, draft: Guide, number: int) -> None:
        """What is live of a translation says what that edition of its original says, if it says
        what the draft says. Read the draft with `Guide.objects.whole()`."""
        if live := self._live_with(draft, freeze(draft)):
            self.filter(pk=live.pk).update(of_edition=number)

    def _drop_plan(self, guide: Guide, by: User | None) -> int:
        """Delete the planned edition; its number is the last one, so the next takes it."""
        plans = self.planned().filter(guide=guide)
        numbers = list(plans.values_list("number", flat=True))
        for number in numbers:
            LogLine.objects.note(guide, LogLine.Kind.UNPLANNED, by, edition=number)
        plans.delete()
        return len(numbers)

    def roll_back(self, edition: "Edition", by: User | None = None) -> "Edition":
        """Make an earlier edition live again; the draft and running sessions stay as they are.

        Raises CannotRollBack when it was withdrawn, is live already, or never was live.
        """
        with transaction.atomic():
            guide = self._lock(edition.guide)
            earlier = self.light().get(pk=edition.pk)
            number = {"number": earlier.number}
            if earlier.goes_live_at:
                said = _("Edition %(number)d is only planned: there is nothing to go back to.")
                raise CannotRollBack(said % number)
            if earlier.withdrawn_at:
                said = _("Edition %(number)d was withdrawn and stays closed for good.")
                raise CannotRollBack(said % number)
            if earlier.live:
                raise CannotRollBack(_("Edition %(number)d is live already.") % number)
            self._drop_plan(guide, by)
            self.filter(guide=guide, live=True).update(live=False)
            self.filter(pk=edition.pk).update(live=True)
            LogLine.objects.note(guide, LogLine.Kind.ROLLED_BACK, by, edition=earlier.number)
            earlier.live = True
            return earlier

    def unpublish(self, guide: Guide, by: User | None = None) -> int:
        """Start no new sessions; running ones go on. Returns how many editions were live.

        A plan is dropped in any case: whoever unpublishes wants nothing to be live.
        """
        with transaction.atomic():
            guide = self._lock(guide)
            self._drop_plan(guide, by)
            live = self.filter(guide=guide, live=True).update(live=False)
            if live:
                LogLine.objects.note(guide, LogLine.Kind.UNPUBLISHED, by)
            return live

    def withdraw(self, guide: Guide, reason: str, by: User | None = None) -> int:
        """For safety: start no new sessions *and* interrupt the running ones, saying why.

        Every edition so far is withdrawn and a plan is dropped; publish a mended draft to go on.
        `reason` is shown to visitors and must not be empty (BadText). Returns how many editions
        this withdrew.
        """
        reason = clean_text(reason, most=500)
        if not reason:
            raise BadText(_("Say why, in a sentence that visitors understand."))
        with transaction.atomic():
            guide = self._lock(guide)
            self._drop_plan(guide, by)
            withdrawn = self.filter(guide=guide, withdrawn_at=None).update(
                live=False, withdrawn_at=timezone.now(), withdrawn_reason=reason
            )
            if withdrawn:
                LogLine.objects.note(guide, LogLine.Kind.WITHDRAWN, by, reason=reason)
            return withdrawn


class Edition(models.Model):
    """A guide as published, or planned. Its content never changes; only its state does.

    `published_at` means nothing yet while `goes_live_at` is set: until then it is only planned.
    """

    guide = models.ForeignKey(Guide, models.PROTECT, related_name="editions")
    number = models.PositiveIntegerField(gettext_lazy("edition"))
    content = models.JSONField()
    digest = models.CharField(max_length=64)
    title = models.CharField(gettext_lazy("title"), max_length=120)
    summary = models.CharField(max_length=300)
    language = models.CharField(max_length=12)
    live = models.BooleanField(gettext_lazy("live"), default=False)
    frozen_at = models.DateTimeField(default=timezone.now)
    goes_live_at = models.DateTimeField(gettext_lazy("planned for"), null=True)
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

    # The number of the newest edition up to this one that lets translations lack something.
    last_major = models.PositiveIntegerField(default=1)
    # Of a translation: the number of the edition of its original that it says the same as.
    of_edition = models.PositiveIntegerField(null=True)

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
            models.UniqueConstraint(
                fields=["guide"],
                condition=Q(goes_live_at__isnull=False),
                name="troubleshooter_edition_one_plan",
            ),
            models.CheckConstraint(
                condition=Q(goes_live_at=None) | Q(live=False, withdrawn_at=None),
                name="troubleshooter_edition_planned_waits",
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
    def change(self) -> Change:
        """What this edition means for translations, as its editor chose."""
        return Change.MAJOR if self.last_major == self.number else Change.MINOR

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


def _made_from(guide: Guide) -> int | None:
    """The edition of its original that the draft of a translation was brought up to date with."""
    translation = getattr(guide, "translation", None)
    return translation.edition if translation else None


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
