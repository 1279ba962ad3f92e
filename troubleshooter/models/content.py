"""What editors write: guides, the fixes placed in them, and what belongs to those.

These tables are the workshop. Visitors never see them; they see editions.
"""

import secrets
from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, URLValidator
from django.db import models, transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from troubleshooter import evidence, tokens
from troubleshooter.pictures import BadPicture, Encoded, reencode

from .fields import LineField, ProseField

_Row = TypeVar("_Row", bound=models.Model)


def new_key() -> str:
    """A fresh key for a guide, symptom, fix or step."""
    return tokens.content_key(secrets.token_bytes(12))


def default_language() -> str:
    """The language a new guide is written in until an editor says otherwise."""
    return settings.LANGUAGE_CODE


class Keyed(models.Model):
    """A thing that evidence is keyed by: translations of it share the key."""

    key = models.CharField(max_length=16, default=new_key, editable=False)
    language = models.CharField(
        _("language"), max_length=12, default=default_language, choices=settings.LANGUAGES
    )

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(
                fields=["key", "language"], name="%(app_label)s_%(class)s_key_language"
            )
        ]


class TopicQuerySet(models.QuerySet["Topic"]):
    def called(self, name: str) -> "Topic":
        """The topic of this name or slug; else a new one, under a slug that is free."""
        found = self.filter(models.Q(name__iexact=name) | models.Q(slug=name)).first()
        if found:
            return found
        slug = slugify(name)[:40] or new_key()
        if self.filter(slug=slug).exists():
            slug = f"{slug}-{new_key()}"
        topic = Topic(name=name, slug=slug)
        topic.full_clean()
        topic.save()
        return topic


class Topic(models.Model):
    """What guides are grouped under: WhatsApp, Printer."""

    slug = models.SlugField(_("slug"), unique=True)
    name = LineField(_("name"), max_length=60)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = TopicQuerySet.as_manager()

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A support channel a guide points to when no fix worked."""

    language = models.CharField(
        _("language"), max_length=12, default=default_language, choices=settings.LANGUAGES
    )
    name = LineField(_("name"), max_length=80)
    url = models.URLField(
        _("address"), max_length=500, validators=[URLValidator(["https", "http"])]
    )
    note = LineField(_("what they help with"), max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class PictureQuerySet(models.QuerySet["Picture"]):
    def store(self, data: bytes | Encoded, name: str, alt: str, language: str = "") -> "Picture":
        """The picture of an editor's file, made anew (or of what `reencode` made of it already).

        The same bytes are one row: then it takes the words that are given, in `language` if one
        is named, and keeps its own where they are empty. Raises BadPicture, with a sentence, for
        the file and for the words.
        """
        encoded = data if isinstance(data, Encoded) else reencode(data)
        with transaction.atomic():
            picture, _made = self.defer("content").get_or_create(
                sha256=encoded.sha256,
                defaults={
                    "kind": Picture.Kind.WEBP,
                    "content": encoded.content,
                    "width": encoded.width,
                    "height": encoded.height,
                },
            )
            picture.name = name or picture.name or str(Picture._meta.verbose_name)
            picture.describe(alt or picture.alt_in(language), language)
            try:
                picture.clean_fields(exclude=[] if picture.alt else ["alt"])
            except ValidationError as refused:
                raise BadPicture(" ".join(refused.messages)) from refused
            picture.save()
        return picture


class Picture(models.Model):
    """An image, stored as a row so that web processes share nothing but the database.

    The bytes never change: they are served for ever at an address made of their hash.
    """

    class Kind(models.TextChoices):
        WEBP = "webp", "WebP"
        SVG = "svg", "SVG"

    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=4, choices=Kind, editable=False)
    content = models.BinaryField(editable=False)
    width = models.PositiveSmallIntegerField(_("width"), editable=False)
    height = models.PositiveSmallIntegerField(_("height"), editable=False)
    name = LineField(_("name"), max_length=80)
    alt = LineField(
        _("text alternative"),
        max_length=300,
        help_text=_("What somebody who cannot see the picture needs to know from it."),
    )
    # The same in other languages than the main one: a translation shows the same bytes.
    alts = models.JSONField(default=dict, editable=False)

    objects = PictureQuerySet.as_manager()

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            kwargs["update_fields"] = ["name", "alt", "alts"]  # only the words ever change
        super().save(*args, **kwargs)

    def alt_in(self, language: str) -> str:
        """Its words in this language; those of the main language where it has none."""
        return str(self.alts.get(language) or self.alt)

    def has_words_in(self, language: str) -> bool:
        return bool(self.alt if language == default_language() else self.alts.get(language))

    def describe(self, alt: str, language: str) -> None:
        """Give it words in this language; the main language is meant where none is named."""
        if language in ("", default_language()) or not self.alt:
            self.alt = alt
        if language not in ("", default_language()):
            self.alts = {**self.alts, language: alt}


class Risk(models.TextChoices):
    """What trying a fix can cost the visitor. Data-losing fixes come last, by rule."""

    SAFE = "safe", _("Safe: nothing can be lost")
    INCONVENIENT = "inconvenient", _("Inconvenient: interrupts, or changes a setting")
    DATA_LOSING = "data_losing", _("Loses data: something is deleted for good")


class Fix(Keyed):
    """One remedy to try; it works or it doesn't. Written once, placed in many guides."""

    title = LineField(_("title"), max_length=120)
    why = ProseField(
        _("why it helps"), blank=True, help_text=_("One or two sentences, in Markdown.")
    )
    minutes = models.PositiveSmallIntegerField(_("minutes"), default=2)
    risk = models.CharField(_("risk"), max_length=12, choices=Risk, default=Risk.SAFE)
    loses = ProseField(
        _("what will be lost"),
        blank=True,
        help_text=_("Only for a fix that loses data: said before the visitor agrees to it."),
    )
    closes_page = models.BooleanField(
        _("closes this page"),
        default=False,
        help_text=_("A restart, for example: the visitor is given the link back first."),
    )
    waiting = ProseField(
        _("when it means waiting"),
        blank=True,
        help_text=_("What to do while something outside has to recover; offers to look again."),
    )
    note = ProseField(_("good to know"), blank=True, help_text=_("Shown below the steps."))
    revision = models.PositiveIntegerField(
        _("revision"),
        default=1,
        help_text=_("Raise it only when the remedy itself changed; a typo does not count."),
    )

    class Meta(Keyed.Meta):
        verbose_name = _("fix")
        verbose_name_plural = _("fixes")
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class Step(Keyed):
    """One instruction inside a fix. A heading starts a small group of steps."""

    fix = models.ForeignKey(Fix, models.CASCADE, related_name="steps", verbose_name=_("fix"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    heading = LineField(_("heading above"), max_length=80, blank=True)
    text = ProseField(_("instruction"), max_length=2000)
    picture = models.ForeignKey(
        Picture, models.PROTECT, null=True, blank=True, verbose_name=_("picture")
    )

    class Meta(Keyed.Meta):
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.text[:60]

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.language = self.fix.language
        super().save(*args, **kwargs)


class GuideQuerySet(models.QuerySet["Guide"]):
    def whole(self) -> "GuideQuerySet":
        """With everything a draft is made of, in a number of queries that does not grow."""
        return self.select_related("topic", "translation__original").prefetch_related(
            "placements__fix__steps",
            models.Prefetch("placements__fix__steps__picture", Picture.objects.defer("content")),
            "placements__after",
            "symptoms__start_with",
            "contacts",
            "scenarios__fix",
            "scenarios__symptom",
        )

    def tell(self, guide_key: str, success: dict[str, list[int]]) -> int:
        """What visitors are told from now on of how often fixes worked, in each language.

        Returns in how many of them that is news.
        """
        told = self.filter(key=guide_key, shows_success=True)
        new = [guide.pk for guide in told.only("success") if guide.success != success]
        return self.filter(pk__in=new).update(success=success)

    def due(self, today: date) -> "GuideQuerySet":
        """Those whose review is due by this day."""
        return self.filter(review_on__lte=today)


class Guide(Keyed):
    """One thing that is broken and the fixes for it."""

    topic = models.ForeignKey(Topic, models.PROTECT, related_name="guides", verbose_name=_("topic"))
    slug = models.SlugField(
        _("slug"), max_length=80, unique=True, help_text=_("The address: /g/…/")
    )
    title = LineField(_("title"), max_length=120)
    summary = LineField(
        _("summary"), max_length=300, help_text=_("One sentence, for lists and search engines.")
    )
    about = ProseField(_("what is going on"), blank=True)
    closing = ProseField(
        _("when nothing helped"), blank=True, help_text=_("Shown above the contacts.")
    )
    prevention = ProseField(_("so that it stays fixed"), blank=True)
    fixes = models.ManyToManyField(Fix, through="Placement", related_name="guides")
    contacts = models.ManyToManyField(
        Contact, blank=True, related_name="guides", verbose_name=_("contacts")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"is_staff": True, "is_active": True},
        verbose_name=_("owner"),
        help_text=_("Who looks after this guide."),
    )
    review_on = models.DateField(
        _("review on"),
        null=True,
        blank=True,
        help_text=_("From that day on the guide stands under “Needs review”."),
    )
    # How its fixes are ordered. These take effect at once: they are no part of an edition.
    locked = models.BooleanField(
        _("always in my order"),
        default=False,
        help_text=_("Every session gets the author’s order; learning goes on unseen."),
    )
    control_share = models.PositiveSmallIntegerField(
        _("share in the author’s order"),
        default=10,
        validators=[MaxValueValidator(100)],
        help_text=_(
            "Per cent of the sessions that get the author’s order, so that the gain can be"
            " measured; 0 measures nothing, 100 never uses what was learned."
        ),
    )
    shows_success = models.BooleanField(
        _("tell visitors how often a fix worked"),
        default=False,
        help_text=_("“Worked for 6 in 10 people who tried it”, from 30 people on."),
    )
    # What they are told: [fixed, tried] by fix and revision. It stands here, where every page of a
    # session has it already, and not with the counts, which would have to be asked for.
    success = models.JSONField(default=dict, editable=False)

    objects = GuideQuerySet.as_manager()

    class Meta(Keyed.Meta):
        verbose_name = _("guide")
        verbose_name_plural = _("guides")
        ordering = ["topic__position", "title"]
        permissions = [
            (
                "publish_guide",
                "Can publish, schedule, roll back, unpublish, withdraw and review guides",
            )
        ]
        constraints = [
            *Keyed.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(control_share__lte=100),
                name="troubleshooter_guide_control_share",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def control(self) -> float:
        """The probability with which a session gets the author's order."""
        return 1.0 if self.locked else self.control_share / 100

    def worked(self, fix_key: str, revision: int) -> int | None:
        """For how many in ten who tried a fix it worked, as visitors are told; None: nothing."""
        if not self.shows_success:
            return None
        return evidence.in_ten(*self.success.get(f"{fix_key} {revision}", (0, 0)))


class Placement(models.Model):
    """A fix's place in one guide."""

    class Pin(models.TextChoices):
        NONE = "", _("free")
        FIRST = "first", _("always first")
        LAST = "last", _("always last")

    guide = models.ForeignKey(Guide, models.CASCADE, related_name="placements")
    fix = models.ForeignKey(Fix, models.PROTECT, related_name="placements", verbose_name=_("fix"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    pin = models.CharField(_("pin"), max_length=5, choices=Pin, default=Pin.NONE, blank=True)
    after = models.ManyToManyField(
        Fix, blank=True, related_name="+", verbose_name=_("only after these fixes")
    )

    class Meta:
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["guide", "fix"], name="troubleshooter_placement_guide_fix"
            )
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.fix}"

    def detach(self, fix: Fix | None = None, steps: Iterable[Step] | None = None) -> Fix:
        """Give this guide a fix of its own in this place; the old one stays as it is elsewhere.

        The copy is made of `fix` and `steps` as they stand, changed and not saved perhaps; without
        them, of the old ones. It begins without evidence: it and its steps get keys of their own,
        at revision 1. The place, and what the guide says of the old fix, now speak of the copy.
        """
        with transaction.atomic():
            Guide.objects.select_for_update().get(pk=self.guide_id)  # nobody publishes a half
            self.refresh_from_db(fields=["fix"])
            old = self.fix
            copy = _copied(fix or old, key=new_key(), revision=1)
            for step in old.steps.all() if steps is None else steps:
                _copied(step, key=new_key(), fix=copy)
            after = Placement.after.through.objects.filter(placement__guide=self.guide_id, fix=old)
            after.update(fix=copy)
            starts = Symptom.start_with.through.objects.filter(
                symptom__guide=self.guide_id, fix=old
            )
            starts.update(fix=copy)
            self.guide.scenarios.filter(fix=old).update(fix=copy)
            self.fix = copy
            self.save(update_fields=["fix"])
        return copy


def _copied(row: _Row, **changed: Any) -> _Row:
    """A new row like `row`, but for its number and what is `changed`."""
    kept = [field for field in row._meta.concrete_fields if field.name not in ("id", *changed)]
    values = {field.attname: getattr(row, field.attname) for field in kept}
    return type(row)._default_manager.create(**values, **changed)


class Symptom(Keyed):
    """What a visitor says they see: a choice at the start of a guide."""

    guide = models.ForeignKey(Guide, models.CASCADE, related_name="symptoms")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    text = LineField(_("what the visitor sees"), max_length=120)
    start_with = models.ManyToManyField(
        Fix,
        blank=True,
        related_name="+",
        verbose_name=_("fixes to start with"),
        help_text=_("Tried first, in the guide's order."),
    )

    class Meta(Keyed.Meta):
        verbose_name = _("symptom")
        verbose_name_plural = _("symptoms")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.text

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.language = self.guide.language
        super().save(*args, **kwargs)
