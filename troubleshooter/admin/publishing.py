"""A guide's own pages: preview, compare, publish and what undoes it; each change asks first."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter.flow import Status
from troubleshooter.models import (
    CannotRollBack,
    Edition,
    Finding,
    Fix,
    Guide,
    NotReady,
    Picture,
    Placement,
    Scenario,
    Session,
    Step,
    Symptom,
    findings,
    freeze,
    read,
)
from troubleshooter.models.sessions import LIFETIME
from troubleshooter.text import BadText, clean_text
from troubleshooter.web import Page, respond

from .base import KeyedAdmin
from .changes import ChangeForm, changes
from .differences import differences

REASON_LIMIT = 500
WRITES = ("guide", "placement", "symptom", "scenario", "fix", "step")  # what a save may touch
DRAFT = "draft"  # stands for the draft where a number stands for an edition


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=REASON_LIMIT,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text=gettext_lazy("Visitors read this. At most 500 characters."),
    )

    def clean_reason(self) -> str:
        try:
            reason = clean_text(self.cleaned_data["reason"], most=REASON_LIMIT)
        except BadText as refused:
            raise forms.ValidationError(str(refused)) from refused
        if not reason:
            raise forms.ValidationError(_("Say why, in a sentence that visitors understand."))
        return reason


class CompareForm(forms.Form):
    """Which two contents to compare: editions by number, or the draft."""

    def __init__(self, data: QueryDict, editions: Sequence[Edition]) -> None:
        numbers = [(str(each.number), _edition_name(each)) for each in editions]
        first = next((each for each in editions if each.live), editions[0])
        given = {"from": str(first.number), "to": DRAFT}
        super().__init__(given | {name: data[name] for name in given if name in data})
        choices = [(DRAFT, _("the draft")), *numbers]
        self.fields["from"] = forms.ChoiceField(label=_("From"), choices=choices)
        self.fields["to"] = forms.ChoiceField(label=_("To"), choices=choices)


class EarlierForm(forms.Form):
    """Which edition becomes live again."""

    number = forms.IntegerField(min_value=1, max_value=2**31 - 1)


def _edition_name(edition: Edition) -> str:
    name = {"number": edition.number}
    if edition.goes_live_at:
        when = date_format(timezone.localtime(edition.goes_live_at), "DATETIME_FORMAT")
        return _("edition %(number)d (planned for %(when)s)") % {**name, "when": when}
    if edition.live:
        return _("edition %(number)d (live)") % name
    if edition.withdrawn_at:
        return _("edition %(number)d (withdrawn)") % name
    return _("edition %(number)d") % name


def standing(guide: Guide) -> Edition | None:
    """The live edition, or else the newest one; None when the guide was never published."""
    editions = Edition.objects.published().filter(guide=guide).select_related("published_by")
    return editions.order_by("-live", "-number").first()


def plan_of(guide: Guide) -> Edition | None:
    """The edition that waits for its moment."""
    planned = Edition.objects.planned().light().filter(guide=guide)
    return planned.select_related("published_by").first()


def mending_links(guide: Guide, found: Iterable[Finding]) -> list[tuple[str, str]]:
    """Each finding as a link to its field on the guide's desk. Read the guide whole."""
    desk = reverse("admin:troubleshooter_guide_change", args=[guide.pk])
    return [(f"{desk}#{_anchor(guide, each)}", each.sentence) for each in found]


def _anchor(guide: Guide, finding: Finding) -> str:
    """The id of the field where a finding is mended."""
    row, name = finding.row, finding.field
    if isinstance(row, Picture):
        steps = (step for each in guide.placements.all() for step in each.fix.steps.all())
        row = next(step for step in steps if step.picture == row)
    match row:
        case Placement():
            return f"id_fix.{row.fix.key}.{'title' if name == 'fix' else name}"
        case Fix():
            return f"card-{row.key}" if name == "steps" else f"id_fix.{row.key}.{name}"
        case Step():
            return f"id_step.{row.fix.key}.{row.key}.{name}"
        case Symptom():
            return f"id_symptom.{row.key}.{name}"
        case Scenario():
            return f"id_scenario.{row.pk}.{name}"
    return "fixes" if name == "placements" else f"id_guide.{name}"


def _with_links(said: str, guide: Guide, found: Iterable[Finding]) -> SafeString:
    """A sentence about a guide, with its findings behind it. Read the guide whole."""
    links = format_html_join(" ", '<a href="{}">{}</a>', mending_links(guide, found))
    return format_html(said, guide.title, links)


def running(guide: Guide) -> int:
    """How many sessions are open now on editions that are not withdrawn."""
    return Session.objects.filter(
        edition__guide=guide,
        edition__withdrawn_at=None,
        status=Status.OPEN,
        last_answer_at__gte=timezone.now() - LIFETIME,
    ).count()


class PublishingAdmin(KeyedAdmin[Guide]):
    """The pages that take a guide to its visitors, and away from them."""

    actions = ["publish_chosen"]

    def has_publish_permission(self, request: HttpRequest) -> bool:
        """Named as Django's admin wants it, so that the action on the list asks for it, too."""
        may = request.user.has_perm("troubleshooter.publish_guide")
        return may and self.has_change_permission(request)

    def may_write(self, request: HttpRequest) -> bool:
        """Whether this editor may write guides: all that one save touches."""
        return request.user.has_perms(
            [f"troubleshooter.{action}_{model}" for action in ("add", "change") for model in WRITES]
        )

    def get_urls(self) -> list[URLPattern]:
        views = {
            "preview": self.preview_view,
            "publish": self.publish_view,
            "unpublish": self.unpublish_view,
            "withdraw": self.withdraw_view,
            "compare": self.compare_view,
            "rollback": self.roll_back_view,
        }
        return [*self._routes(views), *super().get_urls()]

    def _routes(self, views: dict[str, Callable[..., HttpResponse]]) -> list[URLPattern]:
        """A route for each page of a guide, by its name."""
        return [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(view),
                name=f"troubleshooter_guide_{name}",
            )
            for name, view in views.items()
        ]

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The draft as visitors would see it; also while it has findings."""
        draft = self._draft(pk, allowed=self.has_view_permission(request))
        context = {
            "guide": read(freeze(draft)),
            "slug": draft.slug,
            "preview": True,
            "person_url": "#person",
        }
        return respond(request, Page("troubleshooter/guide.html", context, language=draft.language))

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        draft = self._draft(pk, allowed=self.has_publish_permission(request))
        found = findings(draft)
        blocking = [finding for finding in found if finding.blocks]
        warnings = mending_links(draft, [each for each in found if not each.blocks])
        if request.method == "POST" and not blocking:
            try:
                self._publish(request, draft, ChangeForm.said(request.POST))
                return self._back(draft)
            except NotReady as refused:  # somebody edited it a moment ago
                blocking = list(refused.findings)
        if blocking:
            links = mending_links(draft, blocking)
            title = _("Not ready to be published")
            return self._page(request, draft, "findings", title, links=links, warnings=warnings)
        edition = standing(draft)
        context = {
            "warnings": warnings,
            "edition": edition,
            "changes": changes(edition, draft) if edition else None,
            "running": running(draft),
            "form": ChangeForm.about(edition, draft),
        }
        return self._page(request, draft, "publish", _("Publish this guide?"), **context)

    def unpublish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        draft = self._draft(pk, allowed=self.has_publish_permission(request))
        if request.method == "POST":
            with transaction.atomic():
                if Edition.objects.unpublish(draft, by=cast(User, request.user)):
                    self.log_change(request, draft, _("Unpublished."))
                    done = _("“%(guide)s” is unpublished: nobody can start it now.")
                    messages.success(request, done % {"guide": draft.title})
                else:
                    messages.info(request, _("The guide is not live: there is nothing to do."))
            return self._back(draft)
        context = {"edition": standing(draft), "running": running(draft)}
        return self._page(request, draft, "unpublish", _("Unpublish this guide?"), **context)

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        draft = self._draft(pk, allowed=self.has_publish_permission(request))
        form = WithdrawForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            with transaction.atomic():
                if Edition.objects.withdraw(draft, reason, by=cast(User, request.user)):
                    said = _("Withdrawn: %(reason)s") % {"reason": reason}
                    self.log_change(request, draft, said)
                    done = _("“%(guide)s” is withdrawn: its sessions are interrupted.")
                    messages.success(request, done % {"guide": draft.title})
                else:
                    messages.info(request, _("No edition is left to withdraw."))
            return self._back(draft)
        context = {"edition": standing(draft), "running": running(draft), "form": form}
        return self._page(request, draft, "withdraw", _("Withdraw this guide?"), **context)

    def compare_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Two editions, or an edition and the draft: what differs, word by word."""
        draft = self._draft(pk, allowed=self.has_view_permission(request))
        editions = list(Edition.objects.light().filter(guide=draft).order_by("-number"))
        context: dict[str, Any] = {"editions": editions}
        if editions:
            form = CompareForm(request.GET, editions)
            context["form"] = form
            if form.is_valid():
                chosen = [form.cleaned_data[name] for name in ("from", "to")]
                old, new = self._contents(draft, chosen)
                context["sections"] = differences(old, new)
        return self._page(request, draft, "compare", _("What differs?"), **context)

    def roll_back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        draft = self._draft(pk, allowed=self.has_publish_permission(request))
        if request.method == "POST":
            self._roll_back(request, draft)
            return self._back(draft)
        editions = Edition.objects.published().light().filter(guide=draft)
        editions = editions.select_related("published_by")
        context = {"editions": editions.order_by("-number"), "running": running(draft)}
        title = _("Go back to an earlier edition?")
        return self._page(request, draft, "rollback", title, **context)

    @admin.action(description=gettext_lazy("Publish the chosen guides"), permissions=["publish"])
    def publish_chosen(self, request: HttpRequest, queryset: QuerySet[Guide]) -> None:
        """Publish each guide that is ready; say of the others why they are not."""
        for guide in Guide.objects.whole().filter(pk__in=queryset.values("pk")):
            try:
                self._publish(request, guide)
            except NotReady as refused:
                said = _("“{}” is not ready to be published. {}")
                messages.error(request, _with_links(said, guide, refused.findings))
                continue
            if warnings := [each for each in findings(guide) if not each.blocks]:
                said = _("“{}” is published; look at this again: {}")
                messages.warning(request, _with_links(said, guide, warnings))

    def _draft(self, pk: int, *, allowed: bool) -> Guide:
        if not allowed:
            raise PermissionDenied
        return get_object_or_404(Guide.objects.whole(), pk=pk)

    def _publish(self, request: HttpRequest, guide: Guide, change: str = "") -> None:
        """Publish, note it in the history and say so; NotReady passes."""
        plan = plan_of(guide)
        with transaction.atomic():
            live = Edition.objects.live().light().filter(guide=guide).first()
            edition = Edition.objects.publish(guide, cast(User, request.user), change)
            new = edition != live
            if new:
                said = _("Published edition %(number)d.") % {"number": edition.number}
                self.log_change(request, guide, said)
        said = (
            _("“{}” is published: edition {} is live. {}")
            if new
            else _("Nothing has changed in “{}”: edition {} stays live. {}")
        )
        link = format_html('<a href="{}">{}</a>', edition.get_absolute_url(), _("See the page"))
        messages.success(request, format_html(said, edition.title, edition.number, link))
        if plan and new:
            dropped = _("The plan for edition %(number)d is dropped.")
            messages.info(request, dropped % {"number": plan.number})

    def _roll_back(self, request: HttpRequest, guide: Guide) -> None:
        """Roll back to the edition whose number was posted, or say why not."""
        form = EarlierForm(request.POST)
        number: int = form.cleaned_data["number"] if form.is_valid() else 0
        of_guide = Edition.objects.light().select_related("guide").filter(guide=guide)
        edition = of_guide.filter(number=number).first()
        if not edition:
            messages.error(request, _("This guide has no such edition: nothing was changed."))
            return
        name = {"number": edition.number}
        try:
            with transaction.atomic():
                Edition.objects.roll_back(edition, by=cast(User, request.user))
                said = _("Rolled back: edition %(number)d is live again.") % name
                self.log_change(request, guide, said)
        except CannotRollBack as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, said)

    def _contents(self, draft: Guide, chosen: Sequence[str]) -> list[dict[str, Any]]:
        """The frozen content of each: an edition by its number, or the draft."""
        numbers = [int(each) for each in chosen if each != DRAFT]
        editions = Edition.objects.filter(guide=draft, number__in=numbers)
        contents = {str(each.number): each.content for each in editions}
        contents[DRAFT] = freeze(draft)
        return [contents[each] for each in chosen]

    def _back(self, guide: Guide) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:troubleshooter_guide_change", args=[guide.pk]))

    def _page(
        self, request: HttpRequest, draft: Guide, name: str, title: str, **context: Any
    ) -> HttpResponse:
        context |= {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": draft,
            "title": title,
            "subtitle": draft.title,
            "plan": plan_of(draft),
        }
        return TemplateResponse(request, f"admin/troubleshooter/guide/{name}.html", context)
