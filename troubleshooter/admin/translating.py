"""A guide's translations: begun here, compared with their original, and declared up to date."""

import json
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from troubleshooter.models import CannotTranslate, Edition, Guide, Translation

from .differences import differences
from .publishing import PublishingAdmin


@dataclass(frozen=True, slots=True)
class Sister:
    """The same guide in another language; `live` is the number of its live edition."""

    guide: Guide
    language: str
    live: int | None
    translation: Translation | None


def sisters(guide: Guide) -> list[Sister]:
    """The same guide in other languages, and how far each is behind what it was made from."""
    same = list(Guide.objects.filter(key=guide.key).exclude(pk=guide.pk).order_by("language"))
    if not same:
        return []
    live = dict(Edition.objects.live().filter(guide__in=same).values_list("guide", "number"))
    made_of = {
        each.guide_id: each for each in Translation.objects.compared().filter(guide__in=same)
    }
    return [
        Sister(each, name_of(each.language), live.get(each.pk), made_of.get(each.pk))
        for each in same
    ]


def made_of(guide: Guide) -> Translation | None:
    """What a translation knows of its original, compared; read the guide whole."""
    if getattr(guide, "translation", None) is None:  # only translations have one
        return None
    return Translation.objects.compared().get(guide=guide)


def name_of(language: str) -> str:
    """A language as the reader calls it."""
    return str(get_language_info(language)["name_translated"])


class TranslatingAdmin(PublishingAdmin):
    """The pages between a guide and its translations."""

    def get_urls(self) -> list[URLPattern]:
        views = {"translate": self.translate_view, "original": self.original_view}
        return [*self._routes(views), *super().get_urls()]

    def translate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Which languages the guide is there in, and a press for each other one."""
        may = self.has_add_permission(request) and self.has_change_permission(request)
        draft = self._draft(pk, allowed=may)
        if request.method == "POST":
            language = request.POST.get("language", "")
            try:
                begun = Translation.objects.start(draft, language, by=cast(User, request.user))
            except CannotTranslate as refused:
                messages.error(request, str(refused))
                return HttpResponseRedirect(request.path)
            said = _("Begun: every text still has to be translated into %(language)s.")
            messages.success(request, said % {"language": name_of(language)})
            return self._back(begun.guide)
        there = sisters(draft)
        taken = {draft.language, *(each.guide.language for each in there)}
        free = [(code, name_of(code)) for code, _n in settings.LANGUAGES if code not in taken]
        context = {"sisters": there, "free": free, "language": name_of(draft.language)}
        return self._page(request, draft, "translate", _("Translate this guide"), **context)

    def original_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the original changed since, and what of this translation is still its original's."""
        viewing = request.method != "POST"
        may = self.has_view_permission if viewing else self.has_change_permission
        draft = self._draft(pk, allowed=may(request))
        translation = made_of(draft)
        if translation is None:
            messages.info(request, _("This guide is no translation of another one."))
            return self._back(draft)
        editions = Edition.objects.published().filter(guide=translation.original)
        if not viewing:
            self._agree(request, translation, editions.light())
            return HttpResponseRedirect(
                reverse("admin:troubleshooter_guide_original", args=[draft.pk])
            )
        live = editions.live().first()
        known = editions.filter(number=translation.edition or 0).first()
        context: dict[str, Any] = {
            "translation": translation,
            "language": name_of(translation.original.language),
            "live": live,
            "known": known,
            "sections": differences(known.content, live.content) if known and live else [],
            "left": [
                (json.dumps(path), text) for path, text in translation.untranslated(draft).items()
            ],
            "may_change": self.has_change_permission(request),
        }
        return self._page(request, draft, "original", _("What the original says now"), **context)

    def _agree(self, request: HttpRequest, translation: Translation, editions: Any) -> None:
        """Take what was posted: texts that are meant to be the same, or an edition's number."""
        by = cast(User, request.user)
        if "same" in request.POST:
            chosen = set(request.POST.getlist("same"))
            draft = Guide.objects.whole().get(pk=translation.guide_id)
            left = translation.untranslated(draft)
            translation.same_on_purpose([path for path in left if json.dumps(path) in chosen], by)
            messages.success(request, _("These texts count as translated now."))
            return
        number = request.POST.get("edition", "")
        known = number.isascii() and number.isdecimal() and len(number) < 10
        edition = editions.filter(number=int(number)).first() if known else None
        if edition is None:
            messages.error(request, _("The original has no such edition: nothing was changed."))
            return
        translation.up_to_date(edition, by)
        said = _("This translation is up to date with edition %(number)d of its original.")
        messages.success(request, said % {"number": edition.number})
