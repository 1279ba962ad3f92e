"""Which language a page speaks, and what it says of its other languages.

A guide's page speaks the language of its guide, whatever a browser prefers: there it only offers
another one. Every other page follows the browser, visitors' and staff's alike. No cookie is kept.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header

from .models import Edition

LONGEST = 500  # letters of what a browser says of its languages; Django reads no more
DEPENDING = ("text/html", "application/manifest+json")  # kinds of answers that hold sentences


@dataclass(frozen=True, slots=True)
class Language:
    """A language as its speakers call it, and where its lines begin."""

    code: str
    name: str
    direction: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same guide in another language, with a sentence about it in one of the two."""

    language: Language
    url: str
    title: str
    sentence: str = ""


def language(code: str) -> Language:
    info = get_language_info(code)
    return Language(code, info["name_local"], "rtl" if info["bidi"] else "ltr")


def wanted(request: HttpRequest) -> Sequence[str]:
    """The languages we speak that the browser asks for, the dearest first; “de-AT” means “de”."""
    return _wanted(request.META.get("HTTP_ACCEPT_LANGUAGE", "")[:LONGEST])


@lru_cache(maxsize=1000)
def _wanted(header: str) -> Sequence[str]:
    known = dict(settings.LANGUAGES)
    codes = [code.partition("-")[0] for code, weight in parse_accept_lang_header(header) if weight]
    return tuple(code for code in dict.fromkeys(codes) if code in known)


def chosen(request: HttpRequest) -> str:
    """The language that the address asks for (?lang=de); empty when it asks for none."""
    asked = request.GET.get("lang", "")
    return asked if asked in dict(settings.LANGUAGES) else ""


def speaking(language: str) -> AbstractContextManager[None]:
    """Sentences are in this language meanwhile; in the one they are in when none is named."""
    if not language or language == translation.get_language():
        return nullcontext()
    return translation.override(language)


class Languages:
    """Let sentences be in the language the browser prefers, for the time of one request.

    An answer that names its language itself is in no other; every other one depends on the
    browser, and says so to whoever keeps copies of it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.own = settings.LANGUAGE_CODE

    def __call__(self, request: HttpRequest) -> HttpResponse:
        best = next(iter(wanted(request)), self.own)
        translation.activate(best)
        try:
            response = self.get_response(request)
        finally:
            translation.deactivate()
        if "Content-Language" in response.headers:
            return response
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if kind in DEPENDING:
            patch_vary_headers(response, ["Accept-Language"])
            response["Content-Language"] = best
        return response


# --- A guide in its languages -----------------------------------------------------------------


def beside(asked: Sequence[str], edition: Edition, sisters: Sequence[Edition]) -> dict[str, object]:
    """What the page of a guide says of its other languages, to a browser that asks for these."""
    others = [_elsewhere(each) for each in sisters if each.pk != edition.pk]
    return {
        "here": language(edition.language),
        "others": others,
        "offer": _offer(asked, edition.language, others),
        "newer": _newer(edition, sisters),
    }


def newer(original: tuple[str, str]) -> Elsewhere:
    """The original, by its language and address, that changed so that a translation lacks it."""
    code, slug = original
    name = get_language_info(code)["name_translated"]
    said = _("There is a newer version of this guide in %(language)s.") % {"language": name}
    return Elsewhere(language(code), reverse("guide", args=[slug]), "", said)


def _elsewhere(edition: Edition) -> Elsewhere:
    return Elsewhere(language(edition.language), edition.get_absolute_url(), edition.title)


def _offer(asked: Sequence[str], here: str, others: Collection[Elsewhere]) -> Elsewhere | None:
    """The language that the browser likes better than this one; its sentence is in that."""
    there = {each.language.code: each for each in others}
    code = next((code for code in asked if code == here or code in there), here)
    if code == here:
        return None
    with translation.override(code):
        said = _("This guide is also there in %(language)s.")
        name = there[code].language.name
        return Elsewhere(
            there[code].language, there[code].url, there[code].title, said % {"language": name}
        )


def _newer(edition: Edition, sisters: Sequence[Edition]) -> Elsewhere | None:
    made_of = getattr(edition.guide, "translation", None)  # only translations have one
    of, missed = made_of and made_of.original_id, edition.of_edition or 0
    for original in sisters:
        if original.guide_id == of and original.last_major > missed:
            with translation.override(edition.language):
                return newer((original.language, original.guide.slug))
    return None
