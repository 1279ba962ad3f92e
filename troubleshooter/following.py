"""Still fixed? The form that a resolved session ends with, and the page that the mail leads to.

The view that takes a session is wrapped by `walking.in_session` where the routes are named.
"""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from .delivery import mail_is_set_up
from .flow import Status
from .models import Answer, CannotAsk, FollowUp, Session, TooMany
from .web import Page, from_here, respond, see_other, within_limit

HOUR = 3600
MOST_IN_HOUR = 10  # addresses left from one network


class LeaveForm(forms.Form):
    """An address to be asked at; `website` is a trap that nobody sees and only robots fill in."""

    email = forms.EmailField(
        max_length=254,
        error_messages={
            "required": gettext_lazy("Write your e-mail address first."),
            "invalid": gettext_lazy("This is no whole address. One looks like name@example.org."),
        },
    )
    website = forms.CharField(required=False)

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise forms.ValidationError(
                _("This field must stay empty. Empty it, then press the button again.")
            )
        return ""


# --- In a resolved session --------------------------------------------------------------------


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def still(request: HttpRequest, session: Session) -> HttpResponse:
    """Leave an address to be asked at once, put another in its place, or take it back."""
    if request.method == "POST":
        return _left(request, session)
    if session.status != Status.RESOLVED or not mail_is_set_up():
        return see_other(session.url)
    return respond(request, _still_page(session, stopped="stopped" in request.GET))


def _left(request: HttpRequest, session: Session) -> HttpResponse:
    if "stop" in request.POST:
        FollowUp.objects.stop(session)
        return respond(request, _still_page(session, stopped=True))
    form = LeaveForm(request.POST)
    if not form.is_valid():
        return respond(request, _still_page(session, form, status=422))
    if not within_limit(request, "follow-up", MOST_IN_HOUR, HOUR):
        form.add_error("email", _many_from_here())
        return _later(request, _still_page(session, form, status=429))
    try:
        if not mail_is_set_up():
            raise CannotAsk(_("We cannot send mail at the moment, so we cannot ask."))
        FollowUp.objects.ask(session, form.cleaned_data["email"])
    except ValidationError as refused:
        form.add_error(None, refused)
        return respond(request, _still_page(session, form, status=422))
    except TooMany as refused:
        form.add_error("email", str(refused))
        return _later(request, _still_page(session, form, status=429))
    except CannotAsk as refused:
        return respond(request, _cannot(session, str(refused)))
    return respond(request, _still_page(session))


def _still_page(
    session: Session, form: LeaveForm | None = None, *, stopped: bool = False, status: int = 200
) -> Page:
    context = {
        "session": session,
        "guide": session.reading,
        "form": form,
        "follow_up": FollowUp.objects.about(session),
        "stopped": stopped,
        "now_url": session.url,
        "person_url": reverse("session_person", args=[session.key]),
        **FollowUp.terms(),
    }
    url = reverse("session_still", args=[session.key]) + ("?stopped=yes" if stopped else "")
    return Page("troubleshooter/still.html", context, url, status, session.language)


def _later(request: HttpRequest, page: Page) -> HttpResponse:
    response = respond(request, page)
    response["Retry-After"] = str(HOUR)
    return response


def _many_from_here() -> str:
    return _(
        "Too many addresses were left from your network in this hour, so this one was not saved."
        " Try it again later."
    )


def _cannot(session: Session, sentence: str) -> Page:
    context = {
        "title": _("Your address was not saved"),
        "sentences": [sentence],
        "links": {session.url: _("Go to where you are")},
    }
    return Page("troubleshooter/notice.html", context, status=409, language=session.language)


# --- Behind the link of the mail --------------------------------------------------------------


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def follow_up(request: HttpRequest, key: str) -> HttpResponse:
    """Say whether it is still fixed. Only a button answers: mail scanners follow every link."""
    found = FollowUp.objects.opened_by(key)
    if found is None:
        raise Http404
    with translation.override(found.session.language):
        if found.ended(timezone.now()):
            response = respond(request, _ended(found))
        elif request.method != "POST":
            response = respond(request, _question_page(found, request.GET.get("answer", "")))
        elif not from_here(request):
            response = respond(request, _foreign(found))
        else:
            response = _said(request, found)
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "no-store"
    return response


def _said(request: HttpRequest, found: FollowUp) -> HttpResponse:
    if "go" in request.POST:
        session = found.go_on()
        return see_other(session.url) if session else respond(request, _question_page(found))
    answer = request.POST.get("answer", "")
    if answer not in Answer.values:
        return respond(request, _question_page(found, status=422))
    found.say(Answer(answer))
    return respond(request, _question_page(found))


def _question_page(found: FollowUp, named: str = "", status: int = 200) -> Page:
    """`named` is the answer that the link in the mail named: its button comes first."""
    session, reading = found.session, found.session.reading
    leads_on = found.leads_on(timezone.now())
    answers = [Answer.BACK, Answer.STILL] if named == Answer.BACK else list(Answer)
    context: dict[str, Any] = {
        "follow_up": found,
        "guide": reading,
        "slug": session.edition.guide.slug,
        "answers": answers,
        "held": found.answer == Answer.STILL,
        "leads_on": leads_on,
        "again": session.status == Status.RESOLVED and session.resolved_by == found.fix_key,
        "contacts": reading.contacts,
        "person_url": reverse("session_person", args=[session.key]) if leads_on else "",
        "session_url": session.url if leads_on else "",
    }
    return Page("troubleshooter/follow_up.html", context, found.url, status, session.language)


def _ended(found: FollowUp) -> Page:
    guide = reverse("guide", args=[found.session.edition.guide.slug])
    context = {
        "title": _("This link has ended"),
        "sentences": [
            _("We asked some time ago, and your answer is not needed any more."),
            _("If something is broken again, start the guide again."),
        ],
        "links": {guide: _("Start this guide again")},
    }
    language = found.session.language
    return Page("troubleshooter/notice.html", context, status=410, language=language)


def _foreign(found: FollowUp) -> Page:
    context = {
        "title": _("This answer came from another site"),
        "sentences": [_("We take answers only from our own pages. Nothing was saved.")],
        "links": {found.url: _("Open the page and answer there")},
    }
    language = found.session.language
    return Page("troubleshooter/notice.html", context, status=403, language=language)
