"""The pages of a session: a fix to try, an answer that is questioned, and the end.

They are prepared pages: what is this visitor's alone has a mark in them (see prepared.py).
"""

from collections.abc import Callable, Hashable, Mapping
from datetime import UTC
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from . import flow, markup, metrics, tokens
from .delivery import mail_is_set_up
from .flow import Outcome, Reason
from .languages import newer, speaking
from .models import Attempt, FollowUp, Kind, Move, ReadingFix, Session, transcript, tried
from .prepared import Pieces, filled, joined, mark
from .web import (
    SAVED,
    Context,
    Page,
    Prepared,
    foreign,
    form,
    from_here,
    respond,
    saying,
    see_other,
)

SessionView = Callable[..., HttpResponse]

# What is this visitor's alone, on every page: the key of the session. No text holds such a mark.
KEY = mark("key")

OUTCOMES, REASONS = frozenset(Outcome.values), frozenset(Reason.values)


# --- Finding the session ----------------------------------------------------------------------


def with_key(view: SessionView) -> SessionView:
    """Give the view the public id that the key in the address opens, or say that there is none."""

    @wraps(view)
    def wrapped(request: HttpRequest, key: str, **kwargs: str) -> HttpResponse:
        public_id = tokens.open_session_key(key)
        if public_id is None:
            raise Http404
        if request.method == "POST" and not from_here(request):
            response = respond(request, foreign())
        else:
            response = view(request, public_id, **kwargs)
        response.headers["X-Robots-Tag"] = "noindex"
        response.headers["Cache-Control"] = "no-store"
        return response

    return wrapped


def in_session(view: SessionView) -> SessionView:
    """Find the session whose key is in the address, or say why there is none."""

    @wraps(view)
    def wrapped(request: HttpRequest, public_id: str, **kwargs: str) -> HttpResponse:
        session = Session.objects.walk(public_id)
        if session is None or session.expired(timezone.now()):
            return respond(request, _ended(session))
        with speaking(session.language):
            return view(request, session, **kwargs)

    return with_key(wrapped)


# --- Its pages --------------------------------------------------------------------------------


@require_safe
@in_session
def session(request: HttpRequest, session: Session) -> HttpResponse:
    """What is next now."""
    return see_other(session.address)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def fix(request: HttpRequest, key: str, fix_key: str) -> HttpResponse:
    """One fix: answer it, change the answer, or be shown to where the session is."""
    view = answer if request.method == "POST" else show
    return view(request, key=key, fix_key=fix_key)


@in_session
def show(request: HttpRequest, session: Session, fix_key: str) -> HttpResponse:
    showing = session.showing(fix_key)
    if showing is None or session.withdrawn:
        return see_other(session.address)
    return respond(request, _fix_page(session, showing, agreed="agree" in request.GET))


@with_key
def answer(request: HttpRequest, public_id: str, fix_key: str) -> HttpResponse:
    """Record what the form says, and show the new state. The session is read as it is moved."""
    said = _said(form(request))
    try:
        session, move = Session.objects.record(public_id, fix_key=fix_key, **said)
    except Session.DoesNotExist:
        return respond(request, _ended(None))
    if move.kind is Kind.EXPIRED:
        return respond(request, _ended(session))
    if move.kind is Kind.RECORDED:
        request.META[SAVED] = True
        metrics.RECORDED.inc()
    with speaking(session.language):
        return respond(request, _answered(session, move, fix_key, said))


@require_safe
@in_session
def end(request: HttpRequest, session: Session) -> HttpResponse:
    """Resolved, out of fixes, or interrupted; an open session has no end yet."""
    if session.status == flow.Status.OPEN and not session.withdrawn:
        return see_other(session.address)
    return respond(request, _end_page(session))


def _said(posted: Mapping[str, str]) -> dict[str, Any]:
    """What the form says. A form that is none of ours answers the showing 0, which nobody saw."""
    seq, reason = posted.get("seq", ""), posted.get("reason", "")
    outcome = posted.get("outcome") or (Outcome.SKIPPED if reason else "")
    known = outcome in OUTCOMES and (not reason or reason in REASONS)
    if not known or not (seq.isascii() and seq.isdecimal() and len(seq) < 5):
        return {"seq": 0, "outcome": Outcome.SKIPPED}
    return {
        "seq": int(seq),
        "outcome": Outcome(outcome),
        "reason": reason if outcome == Outcome.SKIPPED else "",
        "change": "change" in posted,
        "agreed": "agree" in posted,
    }


def _answered(session: Session, move: Move, fix_key: str, said: dict[str, Any]) -> Page | Prepared:
    """The page for the state after an answer."""
    match move.kind:
        case Kind.RECORDED | Kind.REPEATED:
            return _now_page(session)
        case Kind.ASK if move.earlier:
            return _ask_page(session, move.earlier, said["outcome"], said["reason"])
        case Kind.UNAGREED | Kind.PAUSED:
            showing = None if session.withdrawn else session.showing(fix_key)
            refused = move.kind is Kind.PAUSED
            return _fix_page(session, showing, refused=refused) if showing else _now_page(session)
        case Kind.FULL:
            return _full(session)
        case _:
            return _strange(session)


def _now_page(session: Session) -> Prepared:
    return _end_page(session) if session.over else _fix_page(session, session.rows[-1])


def _fix_page(
    session: Session, showing: Attempt, *, agreed: bool = False, refused: bool = False
) -> Prepared:
    """One fix: to try now, to try again after a skip, or answered before and open to change.

    `refused` says that an answer was not taken.
    """
    fix = session.reading.by_key[showing.fix_key]
    shown = _shown(session, showing, agreed) | {"refused": refused}
    earlier, previous = _earlier(session, showing), _previous(session, showing)
    return _page(
        session,
        "fix",
        lambda: {
            **shown,
            "fix": fix,
            "earlier": earlier,
            "showing": {"seq": mark("seq"), "place": mark("place")},
            "previous": f"/s/{KEY}/{mark('back')}/" if previous else "",
            "newer": newer(session.newer) if session.newer else None,
        },
        (
            *shown.values(),
            earlier and (earlier.outcome, earlier.reason),
            fix.key,
            bool(previous),
            session.newer,
        ),
        {
            "seq": str(showing.seq),
            "place": str(showing.place),
            "back": previous,
            "tried": _tried(session, fix.key),
        },
        url=f"{session.url}{fix.key}/",
        status=409 if refused else 200,
    )


def _shown(session: Session, showing: Attempt, agreed: bool) -> Context:
    """How a fix is shown.

    While the notice pauses it, it can only be skipped, unless it was shown before that: then the
    visitor may have done it already.
    """
    fix, notice = session.reading.by_key[showing.fix_key], session.notice
    paused = fix.loses_data and bool(notice and notice.pauses_since)
    return {
        "current": showing is session.rows[-1] and not session.over,
        "guarded": fix.loses_data and not agreed and not paused,
        "agreed": agreed or paused,  # who did it before the pause had said yes
        "paused": paused,
        "held": session.paused(showing),
        "total": len(session.order),
        "worked": session.edition.guide.worked(fix.key, fix.revision),
    }


def _earlier(session: Session, showing: Attempt) -> Attempt | None:
    """The last answer for this fix."""
    answered = (row for row in reversed(session.rows) if row.outcome)
    return next((row for row in answered if row.fix_key == showing.fix_key), None)


def _previous(session: Session, showing: Attempt) -> str:
    """The fix before this one: how the visitor came here. Empty at the first one."""
    if showing is session.rows[-1]:
        others = (row.fix_key for row in reversed(session.rows) if row.fix_key != showing.fix_key)
        return next(others, "")
    path = list(dict.fromkeys(row.fix_key for row in session.rows))
    at = path.index(showing.fix_key)
    return path[at - 1] if at else ""


def _end_page(session: Session) -> Prepared:
    reading, url = session.reading, f"{session.url}end/"
    slots: dict[str, str | Pieces] = {
        "tried": _tried(session),
        "passed": escape(transcript(session)),
        "symptom": session.symptom_key,
    }
    shown: Context = {
        "contacts": reading.contacts,
        "transcript": mark_safe(mark("passed")),  # noqa: S308 (a mark; it is filled with text)
    }
    if session.withdrawn:
        reason = session.edition.withdrawn_reason
        return _page(session, "withdrawn", lambda: {**shown, "reason": reason}, reason, slots, url)
    if session.status != flow.Status.RESOLVED:
        return _page(session, "exhausted", lambda: shown, None, slots, url)
    by, follow_up = reading.by_key[session.resolved_by], None
    if may_ask := mail_is_set_up():  # else nothing is promised that would not come
        shown |= FollowUp.terms()
        follow_up = FollowUp.objects.about(session)
    shown |= {"by": by, "by_url": f"/s/{KEY}/{by.key}/", "may_ask": may_ask}
    asked = follow_up and (follow_up.due_at.astimezone(UTC).date(), bool(follow_up.sent_at))
    same = (by.key, may_ask, *FollowUp.terms().values(), asked)
    return _page(session, "resolved", lambda: {**shown, "follow_up": follow_up}, same, slots, url)


def _ask_page(session: Session, earlier: Attempt, outcome: Outcome, reason: str) -> Prepared:
    """Two answers for one fix: show both and ask which one holds."""
    return _page(
        session,
        "ask",
        lambda: {
            "fix": session.reading.by_key[earlier.fix_key],
            "earlier": earlier,
            "seq": mark("seq"),
            "outcome": outcome,
            "outcome_label": outcome.label,
            "reason": reason,
            "reason_label": Reason(reason).label if reason else "",
            "action": f"/s/{KEY}/{earlier.fix_key}/",
        },
        (earlier.fix_key, earlier.outcome, earlier.reason, outcome, reason),
        {"seq": str(earlier.seq)},
        status=409,
    )


def _page(
    session: Session,
    name: str,
    context: Callable[[], Context],
    same: Hashable,
    slots: dict[str, str | Pieces],
    url: str | None = None,
    status: int = 200,
) -> Prepared:
    """A page of this session; `same` is what it hangs on beside the edition and its guide."""
    edition, notice = session.edition, session.notice
    standing = notice and (notice.text, notice.announced_at)
    return Prepared(
        f"troubleshooter/{name}.html",
        lambda: _around(session) | context(),
        (edition.digest, markup.VERSION, edition.guide.slug, standing, same),
        {"key": session.key, **slots},
        url,
        status,
        session.language,
    )


def _around(session: Session) -> Context:
    """What every page of a session shows around its own matter."""
    url = f"/s/{KEY}/"
    return {
        "session": {"key": KEY, "symptom_key": mark("symptom")},
        "guide": session.reading,
        "notice": session.notice,
        "slug": session.edition.guide.slug,
        "tried": mark_safe(mark("tried")),  # noqa: S308 (a mark; it is filled with safe HTML)
        "reasons": Reason.choices,
        "link": settings.SITE_URL + url,
        "now_url": url,
        "person_url": f"{url}person/",
    }


def _tried(session: Session, here: str = "") -> Pieces:
    """What was tried so far, as a list of links; `here` is the fix that the page is about."""
    digest = session.edition.digest
    answered = [(fix, attempt) for fix, attempt in tried(session) if attempt]
    if not answered:
        return ()

    def pieces() -> Pieces:
        lines = [piece for each in answered for piece in _line(digest, *each, here)]
        template = "troubleshooter/_tried.html"
        context = {"lines": mark_safe(mark("lines"))}  # noqa: S308 (a mark)
        same = (template, session.language)
        return filled(same, lambda: render_to_string(template, context), {"lines": lines})

    said = [(fix.key, attempt.outcome, attempt.reason) for fix, attempt in answered]
    return joined((digest, session.language, here, *said), pieces)


def _line(digest: str, fix: ReadingFix, attempt: Attempt, where: str) -> Pieces:
    """One line; its link leads from one page of the session to another, so no key is in it."""
    template, here = "troubleshooter/_tried_line.html", fix.key == where

    def text() -> str:
        context = {"fix": fix, "attempt": attempt, "here": here, "url": f"../{fix.key}/"}
        return render_to_string(template, context)

    return filled((template, digest, fix.key, attempt.outcome, attempt.reason, here), text, {})


# --- Sentences, for when there is nothing else to show ------------------------------------------


def _ended(session: Session | None) -> Page:
    links = {}
    if session is not None:
        links[reverse("guide", args=[session.edition.guide.slug])] = _("Start this guide again")
    return saying(
        410,
        _("This link has ended"),
        _("A link works for 30 days after the last answer."),
        _("Start again: what you tried before is quickly skipped."),
        links=links,
    )


def _strange(session: Session) -> Page:
    return saying(
        409,
        _("That answer does not fit where you are"),
        _("The page was out of date, so nothing was saved. Everything you told us before is."),
        links={session.url: _("Go to where you are")},
    )


def _full(session: Session) -> Page:
    return saying(
        409,
        _("This session has come to its end"),
        _("It has had more answers than one session can hold. The last one was not saved."),
        links={
            f"{session.url}person/": _("I need a person"),
            reverse("guide", args=[session.edition.guide.slug]): _("Start this guide again"),
        },
    )
