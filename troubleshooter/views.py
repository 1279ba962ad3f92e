"""Visitors' pages: find the noun, call its verb, answer with a page.

No page here sets a cookie and no GET writes a row. The secret is in the session's address, so
visitors' forms need no CSRF cookie; `web.from_here` keeps other sites from posting into them.
"""

from collections.abc import Sequence

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from . import catalogue, markup, metrics, tokens
from .engines import linked_data, robots
from .languages import beside, chosen, language, wanted
from .models import Edition, Picture, Session, Sisters, notice_on
from .web import (
    Context,
    Page,
    Prepared,
    foreign,
    from_here,
    platform,
    respond,
    saying,
    see_other,
    within_limit,
)

CONTENT_TYPES = {"webp": "image/webp", "svg": "image/svg+xml"}


# --- Guides ---------------------------------------------------------------------------------


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Every live guide under its topic and, when something is searched for, what was found.

    Guides in the language of the page come first; others only where there is none in it.
    """
    live = Edition.objects.live()
    asked = chosen(request)
    code = asked or translation.get_language()
    editions = list(live.light().by_topic())
    own, others = catalogue.by_language(editions, code)
    named = live.filter(language=code) if own else live
    lists = named.values_list("content__contacts", flat=True)
    contacts = {contact["url"]: contact for contacts in lists for contact in contacts}
    context = {
        "editions": own,
        "others": others,
        "contacts": contacts.values(),
        "asked": asked,
        "languages": [language(each) for each, _name in settings.LANGUAGES],
        "code": code,
        "person_url": "#person",
        **catalogue.find(request.GET.get("q", ""), editions, code),
    }
    page = Page("troubleshooter/home.html", context, reverse("home"), language=asked)
    return _fresh(respond(request, page))


@require_safe
def guide(request: HttpRequest, slug: str) -> HttpResponse:
    """What to expect, the symptoms, Start; below them every fix to read and print."""
    sisters = Sisters(slug, timezone.now())
    page = _guide_page(request, sisters)
    response = _fresh(respond(request, page or _not_offered(slug)))
    if len(sisters) > 1:
        patch_vary_headers(response, ["Accept-Language"])  # for what it offers
    return response


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """Start a session and go to its first fix. Who only asks for the address gets the guide."""
    if request.method != "POST":
        return see_other(reverse("guide", args=[slug]))
    if not from_here(request):
        return respond(request, foreign())
    if not within_limit(request, "start", settings.START_LIMIT):
        response = respond(request, _too_many())
        response["Retry-After"] = "60"
        return response
    edition = Edition.objects.live().with_notice().filter(guide__slug=slug).first()
    if edition is None:
        return respond(request, _not_offered(slug))
    reading = edition.reading
    symptom = request.POST.get("symptom", "")
    if reading.symptoms and reading.symptom(symptom) is None:
        with translation.override(reading.language):
            wrong = _("Choose what you see, then start.")
        sisters = Sisters(slug, timezone.now())
        return respond(request, _guide_page(request, sisters, wrong) or _not_offered(slug))
    again = tokens.open_session_key(request.POST.get("again", ""))
    session = Session.objects.start(
        edition,
        symptom if reading.symptom(symptom) else "",
        platform=platform(request),
        again=Session.objects.filter(public_id=again).first() if again else None,
    )
    metrics.STARTED.inc()
    catalogue.flush_missed()
    return see_other(session.address)


def _guide_page(request: HttpRequest, sisters: Sisters, wrong: str = "") -> Prepared | None:
    """The page of the guide that is live at this address, if any, with its notice."""
    here, asked = sisters.language, wanted(request)
    if here is None:
        return None
    return Prepared(
        "troubleshooter/guide.html",
        lambda: _guide(sisters, asked) | {"wrong": wrong},
        (sisters.same, markup.VERSION, tuple(asked), wrong),
        url=f"/g/{sisters.slug}/",
        status=422 if wrong else 200,
        language=here,
    )


def _guide(sisters: Sisters, asked: Sequence[str]) -> Context:
    """What the page of a guide shows; a fix that its notice pauses is named, but not explained."""
    editions = sisters.editions()
    edition = next(each for each in editions if each.guide.slug == sisters.slug)
    reading, url = edition.reading, reverse("guide", args=[sisters.slug])
    notice = notice_on(edition.guide, sisters.now)
    paused = reading.risky if notice and notice.pauses_since else frozenset()
    return {
        "guide": reading,
        "slug": sisters.slug,
        "address": url,
        "notice": notice,
        "paused": paused,
        "person_url": "#person",
        "linked_data": linked_data(reading, settings.SITE_URL + url, without=paused),
        **beside(asked, edition, editions),
    }


# --- Sentences, for when there is nothing else to show ----------------------------------------


def _not_offered(slug: str) -> Page:
    """The guide was published once but is not now. One that never was is simply not found."""
    edition = (
        Edition.objects.published().light().filter(guide__slug=slug).order_by("-number").first()
    )
    if edition is None:
        raise Http404
    return saying(
        410,
        _("This guide is not available"),
        _("We have taken “%(title)s” down for now.") % {"title": edition.title},
        edition.withdrawn_reason,
    )


def _too_many() -> Page:
    return saying(
        429,
        _("That was a lot of starts"),
        _("Too many sessions were started from your network in the last minute."),
        _("Wait a minute, then press Start again."),
    )


@require_safe
def robots_txt(request: HttpRequest) -> HttpResponse:
    return HttpResponse(robots(), content_type="text/plain; charset=utf-8")


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """How the site looks on a home screen."""
    return render(request, "manifest.webmanifest", content_type="application/manifest+json")


# --- Pictures -------------------------------------------------------------------------------


@require_safe
def picture(request: HttpRequest, sha256: str, kind: str) -> HttpResponse:
    """A picture's bytes, to be kept for ever: the address is made of what it shows."""
    row = get_object_or_404(Picture, sha256=sha256, kind=kind)
    response = HttpResponse(bytes(row.content), content_type=CONTENT_TYPES[kind])
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    # Opened by itself, a picture is a document without rights; SVG may style itself.
    response["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
    )
    return response


def _fresh(response: HttpResponse) -> HttpResponse:
    """Kept by browsers only as long as we agree: a withdrawn guide must be gone at once."""
    response["Cache-Control"] = "no-cache"
    return response


# --- What went wrong, from helpdesk/urls.py ---------------------------------------------------


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return respond(request, Page("404.html", status=404))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return respond(request, Page("403.html", status=403))


def broken(request: HttpRequest) -> HttpResponse:
    return respond(request, Page("500.html", status=500))
