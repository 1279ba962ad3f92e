"""Asking for a person: the form in a session, and the page that the visitor comes back to.

The view that takes a session is wrapped by `walking.in_session` where the routes are named.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from .models import Escalation, Message, Session, TooMany, lines, transcript
from .web import Page, from_here, respond, within_limit

HOUR = 3600
MOST_IN_HOUR = 10  # escalations from one network
MOST_ADDED = 30  # messages added from one network


class AskForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the visitor writes; `website` is a trap that nobody sees and only robots fill in."""

    website = forms.CharField(required=False)

    class Meta:
        model = Escalation
        fields = ("message", "email", "phone", "name")
        error_messages = {
            "message": {"required": gettext_lazy("Write what we can help you with.")},
            "email": {
                "invalid": gettext_lazy(
                    "This is no whole address. One looks like name@example.org."
                )
            },
        }

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise forms.ValidationError(
                _("This field must stay empty. Empty it, then send your message again.")
            )
        return ""


class AddForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Message
        fields = ("text",)
        error_messages = {"text": {"required": gettext_lazy("Write something first.")}}


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, session: Session) -> HttpResponse:
    """Whom to ask, and a form to write to the team; the session stays open all the while."""
    if request.method != "POST":
        return respond(request, _person_page(session, AskForm()))
    form = AskForm(request.POST)
    ticked = request.POST.getlist("send")
    if not form.is_valid():
        return respond(request, _person_page(session, form, ticked, status=422))
    if not within_limit(request, "escalate", MOST_IN_HOUR, HOUR):
        form.add_error(None, _many_from_here())
        return _later(request, _person_page(session, form, ticked, status=429))
    words = {name: form.cleaned_data[name] for name in AskForm.Meta.fields}
    try:
        escalation = Escalation.objects.open(session, send=ticked, **words)
    except TooMany as refused:
        form.add_error(None, str(refused))
        return _later(request, _person_page(session, form, ticked, status=429))
    return respond(request, _escalation_page(escalation, AddForm()))


def _person_page(
    session: Session, form: AskForm, ticked: list[str] | None = None, status: int = 200
) -> Page:
    """`ticked` are the lines to send; before anything was said, all of them are."""
    context = {
        "session": session,
        "guide": session.reading,
        "contacts": session.reading.contacts,
        "now_url": session.url,
        "person_url": "#ask",
        "form": form,
        "lines": [
            {"text": line.text, "send": ticked is None or line.text in ticked}
            for line in lines(session)
        ],
        "transcript": transcript(session),
        "before": Escalation.objects.filter(session=session, forgotten_at=None),
        "kept_days": settings.ESCALATION_DAYS,
    }
    url = reverse("session_person", args=[session.key])
    return Page("troubleshooter/person.html", context, url, status, session.language)


def by_key(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Find the escalation whose key is in the address. Nothing else opens it."""

    @wraps(view)
    def wrapped(request: HttpRequest, key: str) -> HttpResponse:
        escalation = Escalation.objects.opened_by(key)
        if escalation is None:
            raise Http404
        with translation.override(escalation.session.language):
            if escalation.forgotten_at:
                response = respond(request, _forgotten(escalation))
            elif request.method == "POST" and not from_here(request):
                response = respond(request, _foreign(escalation))
            else:
                response = view(request, escalation)
        response["X-Robots-Tag"] = "noindex"
        response["Cache-Control"] = "no-store"
        return response

    return wrapped


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@by_key
def escalation(request: HttpRequest, escalation: Escalation) -> HttpResponse:
    """Where it stands, what was answered, and a form to add something."""
    if request.method != "POST":
        return respond(request, _escalation_page(escalation, AddForm()))
    form = AddForm(request.POST)
    if not form.is_valid():
        return respond(request, _escalation_page(escalation, form, status=422))
    if not within_limit(request, "add", MOST_ADDED, HOUR):
        form.add_error("text", _many_from_here())
        return _later(request, _escalation_page(escalation, form, status=429))
    try:
        escalation.add(form.cleaned_data["text"])
    except TooMany as refused:
        form.add_error("text", str(refused))
        return _later(request, _escalation_page(escalation, form, status=429))
    return respond(request, _escalation_page(escalation, AddForm()))


def _escalation_page(escalation: Escalation, form: AddForm, status: int = 200) -> Page:
    session = escalation.session
    ended = session.withdrawn or session.expired(timezone.now())
    shown = (Message.Kind.VISITOR, Message.Kind.AGENT)
    context: dict[str, Any] = {
        "escalation": escalation,
        "thread": escalation.messages.filter(kind__in=shown),
        "link": settings.SITE_URL + escalation.url,
        "guide": session.reading,
        "contacts": session.reading.contacts,
        "session_url": "" if ended else session.url,
        "session": session,
        "person_url": "#add",
        "form": form,
        "kept_days": settings.ESCALATION_DAYS,
    }
    return Page("troubleshooter/escalation.html", context, escalation.url, status, session.language)


def _later(request: HttpRequest, page: Page) -> HttpResponse:
    response = respond(request, page)
    response["Retry-After"] = str(HOUR)
    return response


def _many_from_here() -> str:
    return _(
        "Too many messages came from your network in this hour, so this one was not sent. What you"
        " wrote is still here: send it later, or use one of the other ways on this page."
    )


def _forgotten(escalation: Escalation) -> Page:
    context = {
        "title": _("This page is gone"),
        "sentences": [
            _("It was closed long ago, and what you wrote was deleted as we promised."),
        ],
    }
    return Page("troubleshooter/notice.html", context, status=410)


def _foreign(escalation: Escalation) -> Page:
    context = {
        "title": _("This message came from another site"),
        "sentences": [_("We take messages only from our own pages. Nothing was saved.")],
        "links": {escalation.url: _("Open your page and write there")},
    }
    return Page("troubleshooter/notice.html", context, status=403)
