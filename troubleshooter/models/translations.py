"""Translations: the same guide in another language, and what they know of their original.

A translation is a guide of its own with the keys of its original, so that evidence adds up. Here
stands what it was made from, how far it was brought up to date, and which of its texts are still
the original's.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from .content import Contact, Fix, Guide
from .drafts import TEXTS, rewrite
from .editions import Edition
from .log import LogLine
from .reading import freeze, freeze_remedy
from .scenarios import Scenario
from .wording import Change, Path, texts


class CannotTranslate(ValueError):
    """That translation cannot be begun; the message is a sentence for the editor."""


class TranslationQuerySet(models.QuerySet["Translation"]):
    def start(self, original: Guide, language: str, by: User | None) -> "Translation":
        """Copy the draft of `original` into this language, to be translated text by text.

        Keys, places, rules, pictures and scenarios come along. A fix that is there in that
        language already is shared as it is. Raises CannotTranslate.
        """
        if language not in dict(settings.LANGUAGES):
            raise CannotTranslate(_("Choose a language from the list."))
        with transaction.atomic():
            Guide.objects.select_for_update().get(pk=original.pk)  # nobody begins it twice
            if Guide.objects.filter(key=original.key, language=language).exists():
                said = _("This guide is there in %(language)s already.")
                name = get_language_info(language)["name_translated"]
                raise CannotTranslate(said % {"language": name})
            source = Guide.objects.whole().get(pk=original.pk)
            guide = _copied(source, language)
            said = _("Begun as a translation of “%(title)s”.") % {"title": source.title}
            LogLine.objects.note(guide, LogLine.Kind.CHANGED, by, said=said)
            return self.of(guide, source)

    def of(
        self, guide: Guide, original: Guide, *, untranslated: Collection[Path] | None = None
    ) -> "Translation":
        """Note that `guide` is a translation of `original`, as that is published now.

        Where it is known which texts are `untranslated`, what else is equal is meant to be.
        """
        newest = original.editions.published().order_by("-live", "-number").first()
        here = texts(freeze(Guide.objects.whole().get(pk=guide.pk)))
        if untranslated is None:
            there = texts(freeze(original))
            untranslated = [path for path, text in here.items() if there.get(path) == text]
        return self.create(
            guide=guide,
            original=original,
            edition=newest.number if newest else None,
            copied=_copies(here, untranslated),
        )

    def catch_up(self, guide: Guide) -> None:
        """A translation that was made beside its original, before that was ever published, says
        the same as what is live of it now."""
        for translation in self.filter(guide=guide, edition=None):
            if live := Edition.objects.live().filter(guide=translation.original_id).first():
                translation.edition = live.number
                translation.save(update_fields=["edition"])

    def compared(self) -> "TranslationQuerySet":
        """With `now`, the number of the edition of the original that is live, and `missed`, that
        of the newest major change up to there. Both are empty while none is live."""
        live = Edition.objects.live().filter(guide=OuterRef("original"))
        return self.annotate(
            now=Subquery(live.values("number")[:1]), missed=Subquery(live.values("last_major")[:1])
        ).select_related("guide", "original")

    def behind(self) -> "TranslationQuerySet":
        """Those whose original went on since, `compared`; the longest known guides first."""
        return self.compared().filter(Q(("now__gt", Coalesce(F("edition"), 0)))).order_by("pk")


class Translation(models.Model):
    """What a translated guide knows of its original.

    `edition` is the number of the original's edition that it says the same as; empty while the
    original was never published. `copied` holds the texts that were copied, each behind where it
    stands: a text that still equals its copy is not translated yet.
    """

    guide = models.OneToOneField(Guide, models.CASCADE, related_name="translation")
    original = models.ForeignKey(Guide, models.CASCADE, related_name="translations")
    edition = models.PositiveIntegerField(null=True)
    copied = models.JSONField(default=list)

    objects = TranslationQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("translation")
        verbose_name_plural = gettext_lazy("translations")

    def __str__(self) -> str:
        return f"{self.guide} ← {self.original}"

    def untranslated(self, draft: Guide) -> dict[Path, str]:
        """The texts of the draft that are still those that were copied, by where they stand.

        Read the draft with `Guide.objects.whole()`.
        """
        copied = {tuple(path): text for *path, text in self.copied}
        found = texts(freeze(draft)).items() if copied else ()
        return {path: text for path, text in found if copied.get(path) == text}

    def mark(self, draft: Guide, untranslated: Collection[Path]) -> None:
        """Of the draft, just these texts count as not translated yet, as long as they stay.

        Read the draft with `Guide.objects.whole()`.
        """
        if set(self.untranslated(draft)) != set(untranslated):
            self.copied = _copies(texts(freeze(draft)), untranslated)
            self.save(update_fields=["copied"])

    def same_on_purpose(self, paths: Collection[Path], by: User | None) -> None:
        """These texts are the same in both languages: they count as translated from now on."""
        with transaction.atomic():
            Guide.objects.select_for_update().get(pk=self.guide_id)
            self.refresh_from_db(fields=["copied"])
            kept = [each for each in self.copied if tuple(each[:-1]) not in paths]
            if taken := len(self.copied) - len(kept):
                self.copied = kept
                self.save(update_fields=["copied"])
                said = _("Texts that are the same in both languages: %(count)d.")
                LogLine.objects.note(
                    self.guide, LogLine.Kind.CHANGED, by, said=said % {"count": taken}
                )

    def up_to_date(self, edition: Edition, by: User | None) -> None:
        """Somebody has looked: the translation says what this edition of its original says.

        Visitors are told so at once where what is live says just what the draft says.
        """
        with transaction.atomic():
            Guide.objects.select_for_update().get(pk=self.guide_id)
            self.edition = edition.number
            self.save(update_fields=["edition"])
            draft = Guide.objects.whole().get(pk=self.guide_id)
            Edition.objects.agree(draft, edition.number)
            said = _("Up to date with edition %(number)d of the original.")
            LogLine.objects.note(
                self.guide, LogLine.Kind.CHANGED, by, said=said % {"number": edition.number}
            )

    @property
    def change(self) -> Change | None:
        """What the original changed since; None while nothing did. Read it `compared`."""
        now, known = getattr(self, "now", None), self.edition or 0
        if now is None or now <= known:
            return None
        return Change.MAJOR if getattr(self, "missed", 0) > known else Change.MINOR


def _copies(here: Mapping[Path, str], untranslated: Collection[Path]) -> list[list[str]]:
    """These texts as `copied` holds them."""
    return [[*path, text] for path, text in here.items() if path in untranslated]


def _copied(source: Guide, language: str) -> Guide:
    """A guide in this language that says what the draft of `source` says, with its keys."""
    guide = Guide.objects.create(
        key=source.key,
        language=language,
        topic=source.topic,
        slug=_free_slug(f"{source.slug}-{language}"),
        owner=source.owner,
        **{name: getattr(source, name) for name in TEXTS},
    )
    guide.contacts.set([_contact(each, language) for each in source.contacts.all()])
    content = freeze(source)
    keys = [fix["key"] for fix in content["fixes"]]
    there = Fix.objects.filter(language=language, key__in=keys)
    shared = {fix.key: freeze_remedy(fix) for fix in there.prefetch_related("steps__picture")}
    fixes = [{**fix, **shared.get(fix["key"], {})} for fix in content["fixes"]]
    rewrite(guide, {**content, "fixes": fixes})
    _copy_scenarios(source.scenarios.all(), guide)
    return guide


def _free_slug(wanted: str) -> str:
    """The address that is wanted, or the first free one made of it."""
    longest = Guide._meta.get_field("slug").max_length or 50
    stem, slug, nth = wanted[: longest - 4], wanted[:longest], 1
    while Guide.objects.filter(slug=slug).exists():
        nth += 1
        slug = f"{stem}-{nth}"
    return slug


def _contact(contact: Contact, language: str) -> Contact:
    """The same channel in that language; the one that is there, if any."""
    there = Contact.objects.filter(language=language, url=contact.url).first()
    copied = {name: getattr(contact, name) for name in ("name", "url", "note", "position")}
    return there or Contact.objects.create(language=language, **copied)


def _copy_scenarios(scenarios: Iterable[Scenario], guide: Guide) -> None:
    fixes: dict[Any, Fix] = {fix.key: fix for fix in guide.fixes.all()}
    symptoms: dict[Any, Any] = {symptom.key: symptom for symptom in guide.symptoms.all()}
    for each in scenarios:
        Scenario.objects.create(
            guide=guide,
            position=each.position,
            answers=each.answers,
            status=each.status,
            symptom=symptoms.get(each.symptom.key) if each.symptom else None,
            fix=fixes.get(each.fix.key) if each.fix else None,
        )
