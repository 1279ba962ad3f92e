"""The agents' desk: the queue of those who asked for a person, and one escalation at a time."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter import tokens
from troubleshooter.languages import language
from troubleshooter.models import CannotMove, Cure, Escalation, Fix, Message
from troubleshooter.models.escalations import EscalationQuerySet
from troubleshooter.text import BadText, clean_text

from .base import DeskAdmin, ModelForm, NewestPaginator, counted

A_PAGE = 25
MOST_WORDS = 8
State = Escalation.State

TABS = {
    "new": gettext_lazy("New"),
    "mine": gettext_lazy("Mine"),
    "waiting": gettext_lazy("Waiting for the visitor"),
    "others": gettext_lazy("Others’"),
    "closed": gettext_lazy("Closed"),
}


def in_tab(tab: str, user: User) -> Q:
    """What stands under a tab. Each open escalation stands under one at least.

    `closed_at` says no more than the state does, but it leads to the index of the queue.
    """
    mine, queue = Q(assigned_to=user), Q(closed_at=None)
    match tab:
        case "mine":
            return queue & mine & Q(state__in=(State.OPEN, State.NEW))
        case "waiting":
            return queue & Q(state=State.WAITING)
        case "others":
            return queue & Q(state=State.OPEN, assigned_to__isnull=False) & ~mine
        case "closed":
            return Q(state=State.CLOSED)
    # What nobody has taken, also when it came back to a desk that nobody sits at.
    return queue & Q(assigned_to=None, state__in=(State.NEW, State.OPEN))


def found(asked: str) -> Q:
    """What has this reference, or every one of these words somewhere."""
    if reference := tokens.typed_reference(asked.strip()):
        return Q(reference=reference)
    every = Q()
    for word in asked.split()[:MOST_WORDS]:
        said = Message.objects.filter(escalation=OuterRef("pk"), text__icontains=word)
        every &= (
            Q(name__icontains=word)
            | Q(email__icontains=word)
            | Q(phone__icontains=word)
            | Q(message__icontains=word)
            | Q(Exists(said))
        )
    return every


class WriteForm(ModelForm[Message]):
    """A reply or a note; two of them stand on one page, so their fields are told apart."""

    class Meta:
        model = Message
        fields = ("text",)
        widgets = {"text": forms.Textarea(attrs={"rows": 5})}
        error_messages = {"text": {"required": gettext_lazy("Write something first.")}}


class CloseForm(forms.Form):
    """What fixed it: a fix of the guide as the visitor had it, a new one, or nothing."""

    cure = forms.ChoiceField(
        label=gettext_lazy("What fixed it?"),
        choices=Cure.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Say what fixed it, or that nothing did.")},
    )
    fix = forms.ChoiceField(label=gettext_lazy("Which fix"), required=False)

    def __init__(self, data: Any, escalation: Escalation, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        fixes = [(fix.key, fix.title) for fix in escalation.session.reading.fixes]
        cast(forms.ChoiceField, self.fields["fix"]).choices = [("", "—"), *fixes]

    def clean(self) -> None:
        if self.cleaned_data.get("cure") == Cure.FIX and not self.cleaned_data.get("fix"):
            self.add_error("fix", _("Choose which fix of the guide it was."))


class AssignForm(forms.Form):
    to = forms.ModelChoiceField(
        User.objects.none(),
        label=gettext_lazy("Give it to"),
        required=False,
        empty_label=gettext_lazy("all"),
    )

    def __init__(self, data: Any, escalation: Escalation) -> None:
        super().__init__(data, initial={"to": escalation.assigned_to_id})
        staff = User.objects.with_perm(
            "troubleshooter.change_escalation", backend="django.contrib.auth.backends.ModelBackend"
        )
        field = cast("forms.ModelChoiceField[User]", self.fields["to"])
        field.queryset = staff.filter(is_staff=True).order_by("username")


@admin.register(Escalation)
class EscalationAdmin(DeskAdmin[Escalation]):
    """Nothing is added or deleted here: visitors write, agents answer, time forgets."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Escalation | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The queue: whoever has waited longest comes first, of the closed ones the latest."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        user = cast(User, request.user)
        tab = request.GET.get("tab", "new")
        tab = tab if tab in TABS else "new"
        asked, wrong = _asked(request)
        shown = found(asked) if asked else in_tab(tab, user)
        order = "-moved_at" if asked or tab == "closed" else "moved_at"
        rows = Escalation.objects.desk().filter(shown).order_by(order, "pk")
        page = NewestPaginator(rows, A_PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Who asks for a person"),
            "tabs": _tabs(Escalation.objects.desk(), user),
            "tab": "" if asked else tab,
            "most": NewestPaginator.MOST,
            "asked": asked,
            "wrong": wrong,
            "page": page,
            "kept": urlencode({"q": asked} if asked else {"tab": tab}),
        }
        return TemplateResponse(request, "admin/troubleshooter/escalation/queue.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """One escalation: what was written, what was tried, and everything to do about it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        pk = int(object_id) if object_id.isdecimal() and len(object_id) < 18 else 0
        escalation = Escalation.objects.desk().defer(None).filter(pk=pk).first()
        if escalation is None:
            raise Http404
        if request.method != "POST":
            return self._page(request, escalation)
        if not self.has_change_permission(request, escalation):
            raise PermissionDenied
        act = ACTS.get(request.POST.get("act", ""))
        if act is None:
            messages.error(request, _("That button is not known here. Press it again."))
            return self._done(request, escalation)
        try:
            return act(self, request, escalation)
        except CannotMove as refused:
            messages.error(request, str(refused))
            return self._page(request, escalation)

    def reply(self, request: HttpRequest, escalation: Escalation) -> HttpResponse:
        form = WriteForm(request.POST, prefix="reply")
        if not form.is_valid():
            return self._page(request, escalation, reply=form)
        escalation.reply(cast(User, request.user), form.cleaned_data["text"])
        if escalation.email:
            said = _("Your reply is on the visitor’s page and on its way to %(email)s.")
        else:
            said = _("Your reply is on the visitor’s page. They gave no address: please call them.")
        messages.success(request, said % {"email": escalation.email})
        return self._done(request, escalation)

    def note(self, request: HttpRequest, escalation: Escalation) -> HttpResponse:
        form = WriteForm(request.POST, prefix="note")
        if not form.is_valid():
            return self._page(request, escalation, note=form)
        escalation.note(cast(User, request.user), form.cleaned_data["text"])
        return self._done(request, escalation)

    def take(self, request: HttpRequest, escalation: Escalation) -> HttpResponse:
        escalation.assign(cast(User, request.user), cast(User, request.user))
        return self._done(request, escalation)

    def assign(self, request: HttpRequest, escalation: Escalation) -> HttpResponse:
        form = AssignForm(request.POST, escalation)
        if not form.is_valid():
            return self._page(request, escalation, assign=form)
        escalation.assign(cast(User, request.user), form.cleaned_data["to"])
        return self._done(request, escalation)

    def close(self, request: HttpRequest, escalation: Escalation) -> HttpResponse:
        form = CloseForm(request.POST, escalation)
        if not form.is_valid():
            return self._page(request, escalation, close=form)
        cure = Cure(form.cleaned_data["cure"])
        fix = escalation.close(cast(User, request.user), cure, form.cleaned_data["fix"])
        messages.success(request, _closing(cure, fix))
        if _typed(request.POST, sent="close"):
            return self._done(request, escalation)
        if fix is None:
            return HttpResponseRedirect(reverse("admin:troubleshooter_escalation_changelist"))
        return HttpResponseRedirect(_address(fix))

    def reopen(self, request: HttpRequest, escalation: Escalation) -> HttpResponse:
        escalation.reopen(cast(User, request.user))
        return self._done(request, escalation)

    def _done(self, request: HttpRequest, escalation: Escalation) -> HttpResponse:
        """Draw the page anew; whatever is typed on it and was not sent stays on it.

        Not by way of the session: a visitor's matters are nowhere but in their escalation.
        """
        sent = request.POST.get("act", "")
        if _typed(request.POST, sent):
            return self._page(request, escalation, sent)
        return HttpResponseRedirect(
            reverse("admin:troubleshooter_escalation_change", args=[escalation.pk])
        )

    def _page(
        self, request: HttpRequest, escalation: Escalation, sent: str = "", **said: forms.BaseForm
    ) -> HttpResponse:
        """With what was typed, but for what was `sent`; `said` are forms that have to be mended."""
        typed = _typed(request.POST, sent)
        forms_of = {
            "reply": WriteForm(prefix="reply", initial=typed.get("reply")),
            "note": WriteForm(prefix="note", initial=typed.get("note")),
            "assign": AssignForm(None, escalation),
            "close": CloseForm(None, escalation, typed.get("close")),
        }
        session = escalation.session
        cured_by, draft = _cured_by(escalation)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Escalation %(reference)s") % {"reference": escalation.spoken},
            "escalation": escalation,
            "thread": escalation.messages.select_related("author"),
            "guide": session.edition,
            "language": language(session.language),
            "cured_by": cured_by,
            "draft": draft,
            "resolved": session.reading.by_key.get(session.resolved_by),
            "may_work": self.has_change_permission(request, escalation),
            "is_mine": escalation.assigned_to_id == request.user.pk,
            **forms_of,
            **said,
        }
        return TemplateResponse(request, "admin/troubleshooter/escalation/one.html", context)


ACTS: dict[str, Callable[[EscalationAdmin, HttpRequest, Escalation], HttpResponse]] = {
    "keep": EscalationAdmin._done,
    "reply": EscalationAdmin.reply,
    "note": EscalationAdmin.note,
    "take": EscalationAdmin.take,
    "assign": EscalationAdmin.assign,
    "close": EscalationAdmin.close,
    "reopen": EscalationAdmin.reopen,
}


def _typed(asked: QueryDict, sent: str) -> dict[str, dict[str, str]]:
    """What every press brings along: what is typed or chosen in forms that were not sent."""
    brought = {
        "reply": {"text": asked.get("reply-text", "")},
        "note": {"text": asked.get("note-text", "")},
        "close": {"cure": asked.get("cure", ""), "fix": asked.get("fix", "")},
    }
    return {
        form: fields
        for form, fields in brought.items()
        if form != sent and any(value.strip() for value in fields.values())
    }


def _closing(cure: Cure, fix: Fix | None) -> str:
    """What is said of an escalation that was closed, with the draft that was made of it."""
    if cure is Cure.NOTHING:
        return _("Closed. The numbers credit no fix.")
    if fix is None:
        return _("Closed. The numbers know what fixed it.")
    said = _(
        "Closed. The draft “%(fix)s” is made of your reply and is in no guide yet: take names and"
        " greetings out, then place it in a guide."
    )
    return said % {"fix": fix.title}


def _address(fix: Fix) -> str:
    return reverse("admin:troubleshooter_fix_change", args=[fix.pk])


def _asked(request: HttpRequest) -> tuple[str, str]:
    """What is searched for, and a sentence when it cannot be."""
    try:
        return clean_text(request.GET.get("q", ""), most=200), ""
    except BadText as refused:
        return "", str(refused)


def _tabs(rows: EscalationQuerySet, user: User) -> list[tuple[str, Any, int]]:
    """Each tab with its name and how many stand under it, each counted by the index of states."""
    return [(tab, label, counted(rows.filter(in_tab(tab, user)))) for tab, label in TABS.items()]


def _cured_by(escalation: Escalation) -> tuple[str, str]:
    """The title of the fix that fixed it, and where its draft is, if it was a new one."""
    if escalation.cure == Cure.FIX:
        return escalation.session.reading.by_key[escalation.fix_key].title, ""
    if escalation.cure == Cure.NEW:
        new = Fix.objects.filter(key=escalation.fix_key, language=escalation.session.language)
        if fix := new.only("title").first():
            return fix.title, _address(fix)
    return "", ""
