"""Visitors' pages: find the noun, call its verb, answer with a page.

No page here sets a cookie and no GET writes a row. The secret is in the session's address, so
visitors' forms need no CSRF cookie; `web.from_here` keeps other sites from posting into them.
"""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from . import catalogue, flow, metrics, tokens
from .delivery import mail_is_set_up
from .engines import linked_data, robots
from .flow import Outcome, Reason
from .languages import beside, chosen, language, newer
from .models import (
    Attempt,
    Edition,
    FollowUp,
    Kind,
    Notice,
    Picture,
    Session,
    notice_on,
    transcript,
    tried,
)
from .web import Page, from_here, platform, respond, see_other, within_limit

SessionView = Callable[..., HttpResponse]
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
    page = _guide_page(request, slug)
    response = _fresh(respond(request, page or _not_offered(slug)))
    if page and page.context["others"]:
        patch_vary_headers(response, ["Accept-Language"])  # for what it offers
    return response


@csrf_exempt
@require_POST
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """Start a session and go to its first fix."""
    if not from_here(request):
        return respond(request, _foreign())
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
        return respond(request, _guide_page(request, slug, wrong) or _not_offered(slug))
    again = tokens.open_session_key(request.POST.get("again", ""))
    session = Session.objects.start(
        edition,
        symptom if reading.symptom(symptom) else "",
        platform=platform(request),
        again=Session.objects.filter(public_id=again).first() if again else None,
    )
    metrics.STARTED.inc()
    catalogue.flush_missed()
    return see_other(_address(session))


def _guide_page(request: HttpRequest, slug: str, wrong: str = "") -> Page | None:
    """The page of the guide that is live at this address, if any, with its notice.

    A fix that the notice pauses is named, but not explained.
    """
    sisters = list(Edition.objects.sisters(slug))
    edition = next((each for each in sisters if each.guide.slug == slug), None)
    if edition is None:
        return None
    reading = edition.reading
    url = reverse("guide", args=[slug])
    notice = notice_on(edition.guide, timezone.now())
    paused = reading.risky if _pauses(notice) else frozenset()
    return Page(
        "troubleshooter/guide.html",
        {
            "guide": reading,
            "slug": edition.guide.slug,
            "notice": notice,
            "paused": paused,
            "wrong": wrong,
            "person_url": "#person",
            "linked_data": linked_data(reading, settings.SITE_URL + url, without=paused),
            **beside(request, edition, sisters),
        },
        url=url,
        status=422 if wrong else 200,
        language=reading.language,
    )


def _pauses(notice: Notice | None) -> bool:
    return notice is not None and notice.pauses_since is not None


# --- A session ------------------------------------------------------------------------------


def in_session(view: SessionView) -> SessionView:
    """Find the session whose key is in the address, or say why there is none."""

    @wraps(view)
    def wrapped(request: HttpRequest, key: str, **kwargs: str) -> HttpResponse:
        public_id = tokens.open_session_key(key)
        if public_id is None:
            raise Http404
        if request.method == "POST" and not from_here(request):
            return respond(request, _foreign())
        session = Session.objects.walk(public_id)
        if session is None or session.expired(timezone.now()):
            response = respond(request, _ended(session))
        else:
            with translation.override(session.language):
                response = view(request, session, **kwargs)
        response["X-Robots-Tag"] = "noindex"
        response["Cache-Control"] = "no-store"
        return response

    return wrapped


@require_safe
@in_session
def session(request: HttpRequest, session: Session) -> HttpResponse:
    """What is next now."""
    return see_other(_address(session))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@in_session
def fix(request: HttpRequest, session: Session, fix_key: str) -> HttpResponse:
    """One fix: answer it, change the answer, or be shown to where the session is."""
    showing = session.showing(fix_key)
    if request.method == "POST":
        return respond(request, _answered(request, session, fix_key))
    if showing is None or session.withdrawn:
        return see_other(_address(session))
    return respond(request, _fix_page(session, showing, agreed="agree" in request.GET))


@require_safe
@in_session
def end(request: HttpRequest, session: Session) -> HttpResponse:
    """Resolved, out of fixes, or interrupted; an open session has no end yet."""
    if session.status == flow.Status.OPEN and not session.withdrawn:
        return see_other(_address(session))
    return respond(request, _end_page(session))


def _answered(request: HttpRequest, session: Session, fix_key: str) -> Page:
    """Record what the form says; the page for the new state."""
    seq = request.POST.get("seq", "")
    reason = request.POST.get("reason", "")
    outcome = request.POST.get("outcome") or (Outcome.SKIPPED if reason else "")
    known = outcome in Outcome.values and (not reason or reason in Reason.values)
    if not known or not (seq.isascii() and seq.isdecimal() and len(seq) < 5):
        return _strange(session)
    reason = reason if outcome == Outcome.SKIPPED else ""
    move = session.record(
        int(seq),
        fix_key,
        Outcome(outcome),
        reason,
        change="change" in request.POST,
        agreed="agree" in request.POST,
    )
    if move.kind is Kind.RECORDED:
        metrics.RECORDED.inc()
    match move.kind:
        case Kind.RECORDED | Kind.REPEATED:
            return _now_page(session)
        case Kind.ASK if move.earlier:
            return _ask_page(session, move.earlier, Outcome(outcome), reason)
        case Kind.UNAGREED | Kind.PAUSED:
            showing = None if session.withdrawn else session.showing(fix_key)
            refused = move.kind is Kind.PAUSED
            return _fix_page(session, showing, refused=refused) if showing else _now_page(session)
        case Kind.FULL:
            return _full(session)
        case _:
            return _strange(session)


def _now_page(session: Session) -> Page:
    following = session.next
    if session.withdrawn or not isinstance(following, flow.Try):
        return _end_page(session)
    return _fix_page(session, session.rows[-1])


def _fix_page(
    session: Session, showing: Attempt, *, agreed: bool = False, refused: bool = False
) -> Page:
    """One fix: to try now, to try again after a skip, or answered before and open to change.

    While the notice pauses it, it can only be skipped, unless it was shown before that: then the
    visitor may have done it already. `refused` says that an answer was not taken.
    """
    fix = session.reading.by_key[showing.fix_key]
    paused = fix.loses_data and _pauses(session.notice)
    current = showing is session.rows[-1] and isinstance(session.next, flow.Try)
    before = session.rows[: session.rows.index(showing)] if current else session.rows
    earlier = next(
        (row for row in reversed(before) if row.fix_key == fix.key and row.outcome), None
    )
    context = _context(session) | {
        "fix": fix,
        "showing": showing,
        "earlier": earlier,
        "current": current,
        "guarded": fix.loses_data and not agreed and not paused,
        "agreed": agreed or paused,  # who did it before the pause had said yes
        "paused": paused,
        "held": session.paused(showing),
        "refused": refused,
        "previous": _previous(session, showing),
        "total": len(session.order),
        "worked": session.edition.guide.worked(fix.key, fix.revision),
        "newer": newer(session.newer) if session.newer else None,
    }
    status = 409 if refused else 200
    return _page(session, "fix", context, url=_url(session, fix.key), status=status)


def _previous(session: Session, showing: Attempt) -> str:
    """The address one fix back: how the visitor came here. Empty at the first fix."""
    path = list(dict.fromkeys(row.fix_key for row in session.rows))
    at = path.index(showing.fix_key)
    if showing is session.rows[-1]:
        earlier = [row.fix_key for row in session.rows[:-1] if row.fix_key != showing.fix_key]
        return _url(session, earlier[-1]) if earlier else ""
    return _url(session, path[at - 1]) if at else ""


def _end_page(session: Session) -> Page:
    reading = session.reading
    context = _context(session) | _to_pass_on(session)
    url = _url(session, "end")
    if session.withdrawn:
        return _page(session, "withdrawn", context, url=url)
    if session.status == flow.Status.RESOLVED:
        context["by"] = reading.by_key[session.resolved_by]
        context["by_url"] = _url(session, session.resolved_by)
        if mail_is_set_up():  # else nothing is promised that would not come
            context |= {"may_ask": True, **FollowUp.terms()}
            context["follow_up"] = FollowUp.objects.about(session)
        return _page(session, "resolved", context, url=url)
    return _page(session, "exhausted", context, url=url)


def _ask_page(session: Session, earlier: Attempt, outcome: Outcome, reason: str) -> Page:
    """Two answers for one fix: show both and ask which one holds."""
    context = _context(session) | {
        "fix": session.reading.by_key[earlier.fix_key],
        "earlier": earlier,
        "outcome": outcome,
        "outcome_label": outcome.label,
        "reason": reason,
        "reason_label": Reason(reason).label if reason else "",
        "action": _url(session, earlier.fix_key),
    }
    return _page(session, "ask", context, status=409)


def _context(session: Session) -> dict[str, object]:
    """What every page of a session shows around its own matter."""
    return {
        "session": session,
        "guide": session.reading,
        "notice": session.notice,
        "slug": session.edition.guide.slug,
        "tried": [
            {"fix": line.fix, "attempt": line.attempt, "url": _url(session, line.fix.key)}
            for line in tried(session)
            if line.attempt
        ],
        "reasons": Reason.choices,
        "link": settings.SITE_URL + session.url,
        "now_url": session.url,
        "person_url": _url(session, "person"),
    }


def _to_pass_on(session: Session) -> dict[str, object]:
    """Whom to ask, and what to tell them."""
    return {"contacts": session.reading.contacts, "transcript": transcript(session)}


def _page(
    session: Session,
    name: str,
    context: dict[str, object],
    url: str | None = None,
    status: int = 200,
) -> Page:
    return Page(f"troubleshooter/{name}.html", context, url, status, session.language)


def _url(session: Session, last: str) -> str:
    return f"{session.url}{last}/"


def _address(session: Session) -> str:
    """Where the session is now."""
    if session.withdrawn or not isinstance(session.next, flow.Try):
        return _url(session, "end")
    return _url(session, session.rows[-1].fix_key)


# --- Sentences, for when there is nothing else to show ----------------------------------------


def _notice(status: int, title: str, *sentences: str, links: dict[str, str] | None = None) -> Page:
    """A page that only says something; `links` are addresses with their words."""
    context = {"title": title, "sentences": sentences, "links": links or {}}
    return Page("troubleshooter/notice.html", context, status=status)


def _not_offered(slug: str) -> Page:
    """The guide was published once but is not now. One that never was is simply not found."""
    edition = (
        Edition.objects.published().light().filter(guide__slug=slug).order_by("-number").first()
    )
    if edition is None:
        raise Http404
    return _notice(
        410,
        _("This guide is not available"),
        _("We have taken “%(title)s” down for now.") % {"title": edition.title},
        edition.withdrawn_reason,
    )


def _ended(session: Session | None) -> Page:
    links = {}
    if session is not None:
        links[reverse("guide", args=[session.edition.guide.slug])] = _("Start this guide again")
    return _notice(
        410,
        _("This link has ended"),
        _("A link works for 30 days after the last answer."),
        _("Start again: what you tried before is quickly skipped."),
        links=links,
    )


def _foreign() -> Page:
    return _notice(
        403,
        _("This answer came from another site"),
        _("For your safety we take answers only from our own pages. Nothing was saved."),
        _("Open the guide here and answer again."),
    )


def _too_many() -> Page:
    return _notice(
        429,
        _("That was a lot of starts"),
        _("Too many sessions were started from your network in the last minute."),
        _("Wait a minute, then press Start again."),
    )


def _strange(session: Session) -> Page:
    return _notice(
        409,
        _("That answer does not fit where you are"),
        _("The page was out of date, so nothing was saved. Everything you told us before is."),
        links={session.url: _("Go to where you are")},
    )


def _full(session: Session) -> Page:
    return _notice(
        409,
        _("This session has come to its end"),
        _("It has had more answers than one session can hold. The last one was not saved."),
        links={
            _url(session, "person"): _("I need a person"),
            reverse("guide", args=[session.edition.guide.slug]): _("Start this guide again"),
        },
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
