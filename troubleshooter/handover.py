"""Going on on another device: the link as a QR code, or a code to type at /go/.

The views that take a session are wrapped by `walking.in_session` where the routes are named.
"""

from io import BytesIO

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from .models import HandOver, Session
from .web import Page, from_here, respond, see_other, within_limit

GUESSES = 10  # codes that one network may type in a minute


@require_safe
def qr(request: HttpRequest, session: Session) -> HttpResponse:
    """The session's link as a QR code. White around it in both themes: scanners need the margin."""
    svg = BytesIO()
    drawn = segno.make_qr(settings.SITE_URL + session.url)
    drawn.save(svg, kind="svg", dark="#000", light="#fff", omitsize=True)
    response = HttpResponse(svg.getvalue(), content_type="image/svg+xml")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest, session: Session) -> HttpResponse:
    """Make a code and show it, this once. Who only asks for the address goes on where they were."""
    if request.method != "POST":
        return see_other(session.url)
    made = HandOver.objects.make(session)
    if made is None:
        return respond(request, _too_many(session))
    half = len(made) // 2
    context = {
        "session": session,
        "guide": session.reading,
        "halves": (made[:half], made[half:]),
        "go": settings.SITE_URL + reverse("go"),
        "person_url": reverse("session_person", args=[session.key]),
    }
    # No address: asking for it again could not show the same code.
    return respond(request, Page("troubleshooter/code.html", context, language=session.language))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def go(request: HttpRequest) -> HttpResponse:
    """Type a code, go on with its session."""
    response = _typed(request) if request.method == "POST" else respond(request, _go_page())
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "no-store"
    return response


def _typed(request: HttpRequest) -> HttpResponse:
    typed = request.POST.get("code", "")
    if not from_here(request):
        wrong = _("This code came from another site. Type it here.")
        return respond(request, _go_page(403, wrong))
    if not within_limit(request, "go", GUESSES):
        wrong = _("Too many codes were typed in your network. Wait a minute, then try again.")
        response = respond(request, _go_page(429, wrong, typed))
        response["Retry-After"] = "60"
        return response
    session = HandOver.objects.open(typed)
    if session is None:
        wrong = _(
            "This code does not open anything. Each works once, for ten minutes:"
            " compare it, or show a new one on the other device."
        )
        return respond(request, _go_page(422, wrong, typed))
    return see_other(session.url)


def _go_page(status: int = 200, wrong: str = "", typed: str = "") -> Page:
    context = {"wrong": wrong, "typed": typed}
    return Page("troubleshooter/go.html", context, reverse("go"), status)


def _too_many(session: Session) -> Page:
    context = {
        "title": _("That was a lot of codes"),
        "sentences": [
            _("This session has had as many codes as it can have in one hour."),
            _("Your link opens it on another device just as well."),
        ],
        "links": {session.url: _("Go on where you were")},
    }
    return Page("troubleshooter/notice.html", context, status=429, language=session.language)
