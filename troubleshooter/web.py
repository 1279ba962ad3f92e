"""What every page needs from HTTP: limits, headers, and the one place that knows htmx."""

import codecs
import errno
import functools
import logging
import re
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
    HttpResponseRedirect,
)
from django.middleware.common import CommonMiddleware
from django.shortcuts import render
from django.template.loader import get_template, render_to_string
from django.urls import set_urlconf
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page

from troubleshooter import metrics, prepared
from troubleshooter.languages import speaking

logger = logging.getLogger(__name__)

Handler = Callable[[HttpRequest], HttpResponse]

NOTICE = "troubleshooter/notice.html"
MOST_FIELDS = 100  # of one form
HTML = "text/html; charset=utf-8"
SHORT = 100  # bytes of a form that may be kept
SAVED = "helpdesk.saved"  # in the META of a request whose answer is on the disk


Context = dict[str, Any]


class Page(NamedTuple):
    """A page to answer with: `url` is where it lives; None when it has no address of its own.

    Without a `language` it is in the one that the browser prefers.
    """

    template: str
    context: Mapping[str, Any] = {}
    url: str | None = None
    status: int = 200
    language: str = ""


class Prepared(NamedTuple):
    """A page that is kept once it was rendered (see prepared.py), to answer with like any other.

    All that it shows, and that is not filled into `slots`, hangs on `same`. `context` is only
    asked for when there is no such page yet; it has the mark of each slot in its place.
    """

    template: str
    context: Callable[[], Context]
    same: Hashable
    slots: Mapping[str, str | prepared.Pieces] = {}
    url: str | None = None
    status: int = 200
    language: str = ""


def respond(request: HttpRequest, page: Page | Prepared) -> HttpResponse:
    """Answer with `page`.

    A GET gets the whole page, always. A POST that htmx sent gets the fragment for the new state,
    with its address pushed: one round trip. Any other POST is sent to the page's address (303).
    A page without an address is shown where the visitor is.
    """
    posted = request.method == "POST"
    by_htmx = posted and request.META.get("HTTP_HX_REQUEST") == "true"
    if posted and not by_htmx and page.url and page.status == 200:
        return see_other(page.url)
    shell = "fragment.html" if by_htmx else "base.html"
    if isinstance(page, Prepared):
        response = _filled(request, page, shell)
    else:
        response = _rendered(request, page, shell)
    if page.language:
        response.headers["Content-Language"] = page.language
    if by_htmx and page.url:
        response.headers["HX-Push-Url"] = page.url
    return response


def _frame(shell: str, url: str | None) -> Context:
    """What the frame around every page shows."""
    return {
        "shell": shell,
        "site": settings.SITE_URL,
        "address": url,
        "reachable": settings.REACHABLE,
    }


@gzip_page
def _rendered(request: HttpRequest, page: Page, shell: str) -> HttpResponse:
    context = {**_frame(shell, page.url), **page.context}
    with speaking(page.language):
        return render(request, page.template, context, status=page.status)


def _filled(request: HttpRequest, page: Prepared, shell: str) -> HttpResponse:
    def text() -> str:
        with speaking(page.language):
            return render_to_string(page.template, _frame(shell, page.url) | page.context())

    # All that the text hangs on: the page's own, the frame's, and the language.
    language = page.language or translation.get_language()
    same = (page.template, shell, page.same, settings.SITE_URL, settings.REACHABLE, language)
    pieces = prepared.filled(same, text, page.slots)
    if "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", ""):
        response = HttpResponse(prepared.gzip(pieces), HTML, page.status)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = HttpResponse(prepared.plain(pieces), HTML, page.status)
    response.headers["Vary"] = "Accept-Encoding"
    return response


def saying(status: int, title: str, *sentences: str, links: dict[str, str] | None = None) -> Page:
    """A page that only says something; `links` are addresses with their words."""
    context = {"title": title, "sentences": sentences, "links": links or {}}
    return Page(NOTICE, context, status=status)


def see_other(url: str) -> HttpResponse:
    """Send the browser to `url` with a GET (303), whatever it asked with."""
    return HttpResponseRedirect(url, status=303)


def form(request: HttpRequest) -> Mapping[str, str]:
    """What a form of ours says that holds no file and no choice of several: name by name.

    Django's own reader takes whatever may be posted, and a good part of the time of an answer.
    It reads what no browser sends for a form of ours.
    """
    if request.content_type != "application/x-www-form-urlencoded":
        return request.POST
    body = request.body
    return _short(body) if len(body) <= SHORT else _fields(body)


@functools.lru_cache(maxsize=300)
def _short(body: bytes) -> Mapping[str, str]:
    """An answer with nothing in it but choices: others have said the same before."""
    return _fields(body)


def _fields(body: bytes) -> Mapping[str, str]:
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:  # of too many fields, or of what is no text
        fields = []
    return MappingProxyType(dict(fields))


def from_here(request: HttpRequest) -> bool:
    """Whether a POST was sent by a page of this site, as far as the browser says.

    Visitors' forms carry no CSRF cookie: the secret is in the address. This keeps other sites
    from posting into ours all the same. Browsers too old to say are let through.
    """
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.META.get("HTTP_ORIGIN")
    return origin is None or origin.partition("://")[2] == request.get_host()


def foreign() -> Page:
    """What a POST is answered that was not sent from here."""
    return saying(
        403,
        _("This answer came from another site"),
        _("For your safety we take answers only from our own pages. Nothing was saved."),
        _("Open the guide here and answer again."),
    )


def network(request: HttpRequest) -> str:
    """The network a request comes from: an IPv4 address, or the first half of an IPv6 one.

    X-Forwarded-For is believed only as far as PROXY_COUNT says that our own proxies wrote it.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    if settings.PROXY_COUNT:
        hops = request.headers.get("X-Forwarded-For", "").split(",")
        if len(hops) >= settings.PROXY_COUNT:
            address = hops[-settings.PROXY_COUNT].strip()
    try:
        parsed = ip_address(address)
    except ValueError:  # a name, or a port behind it: not ours to mend, but still one network
        return address
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else parsed.exploded[:19]
    return address


def within_limit(request: HttpRequest, purpose: str, most: int, seconds: int = 60) -> bool:
    """Count this request against `most` in `seconds` for its network; False when it is too much.

    Only a keyed hash of the network is kept, in memory, for the time of the window.
    """
    who = salted_hmac("troubleshooter.limit", network(request), algorithm="sha256").hexdigest()
    name = f"limit:{purpose}:{who[:24]}"
    if cache.add(name, 1, seconds):
        return True
    try:
        return cache.incr(name) <= most
    except ValueError:  # it ran out between the two calls
        return True


_PLATFORMS = (
    ("ios", re.compile("iPhone|iPad|iPod")),
    ("android", re.compile("Android")),
    ("windows", re.compile("Windows")),
    ("mac", re.compile("Macintosh|Mac OS X")),
    ("chromeos", re.compile("CrOS")),
    ("linux", re.compile("Linux|X11")),
)


def platform(request: HttpRequest) -> str:
    """The coarse platform; the user agent itself is never kept."""
    agent = request.headers.get("User-Agent", "")
    return next((name for name, pattern in _PLATFORMS if pattern.search(agent)), "other")


_BROWSERS = (
    ("Edge", re.compile("Edg")),
    ("Opera", re.compile("OPR/")),
    ("Firefox", re.compile("Firefox|FxiOS")),
    ("Chrome", re.compile("Chrome|CriOS|Chromium")),
    ("Safari", re.compile("Safari")),
)


def browser(request: HttpRequest) -> str:
    """The family of the browser, for staff alone: they must know their own sessions apart."""
    agent = request.headers.get("User-Agent", "")
    return next((name for name, pattern in _BROWSERS if pattern.search(agent)), "")


STAFF = ("/admin/", "/numbers/", "/fix-numbers/", "/escalation-numbers/", "/status/")
# Of these, the ones that somebody can post to who has not logged in, or that take a password.
DOORS = ("/admin/login/", "/admin/account/", "/admin/password_change/")


def for_staff(path: str) -> bool:
    """Whether a page is for staff alone, or the way in for them."""
    return path.startswith(STAFF)


class BodyLimit:
    """Refuse a body by its declared length, before anything reads or stores a byte of it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        staff = path.startswith("/admin/") and not path.startswith(DOORS)
        most = settings.BODY_LIMIT_STAFF if staff else settings.BODY_LIMIT
        declared = request.META.get("CONTENT_LENGTH") or "0"
        if not declared.isdecimal():
            return HttpResponse(_("The request is malformed."), status=400)
        if len(declared) > 18 or int(declared) > most:  # int() itself refuses thousands of digits
            return respond(request, _too_large(request, staff=staff))
        return self.get_response(request)


def _too_large(request: HttpRequest, *, staff: bool) -> Page:
    less = _("Go back, write less, and send it again.")
    if staff:
        less = _("A file may have at most %(most)d MiB: go back and choose a smaller one.")
        less %= {"most": settings.FILE_LIMIT // (1024 * 1024)}
    return saying(
        413,
        _("This is more than the page accepts"),
        _("Nothing of it was read or saved."),
        less,
        links=_way_back(request),
    )


def _way_back(request: HttpRequest) -> dict[str, str]:
    """A link to the page of ours that a request comes from, if the browser names one."""
    came_from = request.headers.get("Referer", "")
    ours = {request.get_host()}
    if not came_from or not url_has_allowed_host_and_scheme(came_from, ours, settings.SECURE):
        return {}
    return {came_from: _("Go back")}


class Headers:
    """The security headers that Django does not set. Nothing inline, nothing foreign, no frames."""

    POLICY = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; "
        "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    )

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.policy = self.POLICY + ("; upgrade-insecure-requests" if settings.SECURE else "")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        headers = response.headers
        headers.setdefault("Content-Security-Policy", self.policy)  # a picture has its own
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Cross-Origin-Embedder-Policy"] = "require-corp"
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        return response


class Common(CommonMiddleware):
    """Django's own, which looks at each host once: with our settings only that can be refused."""

    MOST = 100  # hosts to remember; a desk that answers to all could be told any number of them

    def __init__(self, get_response: Handler) -> None:
        super().__init__(get_response)
        self.let_in: set[str] = set()

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        host = request.META.get("HTTP_HOST", "")
        if host in self.let_in:
            return None
        led_on = super().process_request(request)  # raises DisallowedHost
        if host and led_on is None and len(self.let_in) < self.MOST:
            self.let_in.add(host)
        return led_on


# What a machine says that has no descriptors, memory or disk left, or a disk that fails.
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EIO})


class Unavailable:
    """When the database cannot take or give anything, say so, and whether the answer is saved.

    Likewise when the machine cannot, which a page meets that was never rendered before.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        _rehearse()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        scarce = isinstance(error, OSError) and error.errno in EXHAUSTED
        if scarce or isinstance(error, MemoryError):
            logger.error("The machine has no more to give: %s", error)
        elif isinstance(error, OperationalError | InterfaceError):
            logger.error("The database is unavailable: %s", error)
            metrics.DATABASE_ERRORS.inc()
        else:
            return None
        response = respond(request, _unavailable(saved=SAVED in request.META))
        response["Retry-After"] = "30"
        return response


@functools.cache
def _rehearse() -> None:
    """Load all that these pages are made of, once: later there may be nothing to load it with."""
    get_template("500.html")
    codecs.lookup("unicode_escape")  # in which Django logs what is refused
    set_urlconf(settings.VISITORS_URLCONF)
    with suppress(ValueError):  # of static files that are not collected: then no page is whole
        for method in ("GET", "POST"):
            request = HttpRequest()
            request.method, request.META["HTTP_HX_REQUEST"] = method, "true"
            respond(request, _unavailable(saved=False))
    set_urlconf(None)


def _unavailable(*, saved: bool) -> Page:
    title = _("We cannot save anything at the moment")
    sentences = [
        _("Your answer was not saved; everything you told us before is."),
        _("Wait a minute, then go back and answer again."),
    ]
    if saved:
        title = _("We cannot show what comes next at the moment")
        sentences = [_("Your answer was saved."), _("Wait a minute, then load this page again.")]
    context = {"broken": True, "title": title, "sentences": sentences}
    return Page(NOTICE, context, status=503)
