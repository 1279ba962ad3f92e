"""Which guides need somebody to look at them: the queue, and the presses that say “done”.

Above the reviews that are due stands what the numbers say (`attention.py`).
"""

from calendar import monthrange
from datetime import date
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from troubleshooter.models import CannotReview, Edition, Guide, LogLine, Signal, Translation

from . import attention
from .base import DayInput
from .publishing import PublishingAdmin
from .translating import name_of

A_PAGE = 25
KEPT = ("mine", "seen", "page", "loose")  # of the address of the queue
MONTHS = 6  # until the next review, unless the editor says otherwise


class ReviewForm(forms.Form):
    again_on = forms.DateField(
        label=gettext_lazy("Next review"),
        widget=DayInput,
        input_formats=["%Y-%m-%d"],
        error_messages={
            "required": gettext_lazy("Say when the next review is due."),
            "invalid": gettext_lazy("That is no day like 2026-03-07."),
        },
    )


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last one of a month that is too short for it."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


class ReviewingAdmin(PublishingAdmin):
    """The queue of guides to look at again."""

    def get_urls(self) -> list[URLPattern]:
        queue = path(
            "needs-review/",
            self.admin_site.admin_view(self.queue_view),
            name="troubleshooter_guide_queue",
        )
        dismiss = path(
            "needs-review/<int:pk>/dismiss/",
            self.admin_site.admin_view(require_POST(self.dismiss_view)),
            name="troubleshooter_guide_dismiss",
        )
        reviewed = self._routes({"reviewed": self.reviewed_view})
        return [queue, dismiss, *reviewed, *super().get_urls()]

    def queue_view(self, request: HttpRequest) -> HttpResponse:
        """What the numbers say; guides whose review is due, the longest overdue first; then those
        that nobody looks after.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        mine = request.GET.get("mine") == "1"
        today = timezone.localdate()
        guides = Guide.objects.select_related("owner").annotate(published_at=_published_at())
        of_me = guides.filter(owner=cast(User, request.user)) if mine else guides
        due = of_me.due(today).order_by("review_on", "title", "pk")
        forgotten = (Q(review_on=None) | Q(owner=None)) & ~Q(pk__in=Guide.objects.due(today))
        loose = of_me.filter(forgotten).order_by("title", "pk")
        signals = Signal.objects.new()
        of_mine = attention.mine(signals, cast(User, request.user)) if mine else signals
        seen = self._cut(request, of_mine, "seen")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Needs review"),
            "mine": mine,
            "attention": seen | {"entries": attention.entries(seen["page"])},
            "due": _overdue(self._cut(request, due, "page"), today),
            "loose": _overdue(self._cut(request, loose, "loose"), today),
            "behind": self._behind(request, mine),
            "next": months_later(today, MONTHS),
            "may_review": self.has_publish_permission(request),
        }
        return TemplateResponse(request, "admin/troubleshooter/guide/queue.html", context)

    def _behind(self, request: HttpRequest, mine: bool) -> Page[Any]:
        """One page of the translations whose original went on since."""
        behind = Translation.objects.behind()
        if mine:
            behind = behind.filter(guide__owner=cast(User, request.user))
        page: Page[Any] = Paginator(behind, A_PAGE).get_page(request.GET.get("behind"))
        for each in page:
            each.language = name_of(each.guide.language)
        return page

    def reviewed_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Somebody has looked at the guide: the next date, and a line in its log."""
        guide = self._draft(pk, allowed=self.has_publish_permission(request))
        if request.method == "POST":
            self._review(request, guide, ReviewForm(request.POST))
        return _to_queue(request)

    def dismiss_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Somebody has looked at a signal."""
        if not self.has_publish_permission(request):
            raise PermissionDenied
        signal = get_object_or_404(Signal, pk=pk)
        if signal.dismiss(by=cast(User, request.user)):
            messages.success(
                request, _("Dismissed. It comes back only if it stops and begins anew.")
            )
        else:
            messages.info(request, _("Somebody else did it before: nothing was changed."))
        return _to_queue(request)

    def _review(self, request: HttpRequest, guide: Guide, form: ReviewForm) -> None:
        if not form.is_valid():
            said = " ".join(map(str, form.errors["again_on"]))
            messages.error(request, f"“{guide.title}”: {said}")
            return
        again_on = form.cleaned_data["again_on"]
        day = date_format(again_on, "DATE_FORMAT")
        try:
            with transaction.atomic():
                LogLine.objects.review(guide, again_on, by=cast(User, request.user))
                said = _("Reviewed. The next review is due on %(day)s.") % {"day": day}
                self.log_change(request, guide, said)
        except CannotReview as refused:
            messages.error(request, f"“{guide.title}”: {refused}")
        else:
            said = _("“%(guide)s” is reviewed; the next review is due on %(day)s.")
            messages.success(request, said % {"guide": guide.title, "day": day})

    def _cut(self, request: HttpRequest, rows: QuerySet[Any], name: str) -> dict[str, Any]:
        """One page of a list, and where its other pages are; the other lists stay as they are."""
        page: Page[Any] = Paginator(rows, A_PAGE).get_page(request.GET.get(name))
        kept = {key: request.GET[key] for key in KEPT if key in request.GET}
        turns = {}
        if page.has_previous():
            turns["newer"] = urlencode(kept | {name: page.previous_page_number()})
        if page.has_next():
            turns["older"] = urlencode(kept | {name: page.next_page_number()})
        return {"page": page, "turns": turns}


def _overdue(part: dict[str, Any], today: date) -> dict[str, Any]:
    """The same page, each guide with the days that its review is late."""
    for guide in part["page"]:
        guide.overdue = (today - guide.review_on).days if guide.review_on else 0
    return part


def _to_queue(request: HttpRequest) -> HttpResponse:
    query = "?mine=1" if request.POST.get("mine") == "1" else ""
    return HttpResponseRedirect(reverse("admin:troubleshooter_guide_queue") + query)


def _published_at() -> Subquery:
    """When visitors last got a new edition of a guide."""
    editions = Edition.objects.published().filter(guide=OuterRef("pk"))
    return Subquery(editions.order_by("-published_at").values("published_at")[:1])
