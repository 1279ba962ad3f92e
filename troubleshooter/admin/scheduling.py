"""A guide's page for going live later: the plan is made, replaced and dropped there."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter.models import CannotSchedule, Edition, Guide, NotReady, findings

from .changes import ChangeForm, changes
from .publishing import PublishingAdmin, mending_links, plan_of, running, standing


class MomentInput(forms.DateTimeInput):
    """The browser's own clock and calendar; what it sends is a moment like 2026-03-07T09:30."""

    input_type = "datetime-local"

    def __init__(self, described_by: str) -> None:
        super().__init__({"aria-describedby": described_by}, format="%Y-%m-%dT%H:%M")


class ScheduleForm(forms.Form):
    at = forms.DateTimeField(
        label=gettext_lazy("Goes live"),
        widget=MomentInput("id_at_helptext"),
        error_messages={
            "invalid": gettext_lazy("That is no moment like 2026-03-07 09:30: mend day or time.")
        },
    )


class SchedulingAdmin(PublishingAdmin):
    """Going live later, as it was looked at now."""

    def get_urls(self) -> list[URLPattern]:
        return [*self._routes({"schedule": self.schedule_view}), *super().get_urls()]

    def schedule_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        draft = self._draft(pk, allowed=self.has_publish_permission(request))
        if request.method == "POST" and "drop" in request.POST:
            self._drop(request, draft)
            return self._back(draft)
        found = findings(draft)
        tomorrow = timezone.localtime() + timedelta(days=1)
        first = tomorrow.replace(hour=9, minute=0, second=0, microsecond=0)
        form = ScheduleForm(request.POST or None, initial={"at": first})
        if form.is_valid() and self._schedule(request, draft, form):
            return self._back(draft)
        edition = standing(draft)
        context: dict[str, Any] = {
            "links": mending_links(draft, [each for each in found if each.blocks]),
            "warnings": mending_links(draft, [each for each in found if not each.blocks]),
            "edition": edition,
            "changes": changes(edition, draft) if edition else None,
            "running": running(draft),
            "form": form,
            "change_form": ChangeForm.about(edition, draft, request.POST or None),
            "zone": timezone.get_current_timezone_name(),
        }
        return self._page(request, draft, "schedule", _("Publish this guide later?"), **context)

    def _schedule(self, request: HttpRequest, guide: Guide, form: ScheduleForm) -> bool:
        """Plan it for the moment that was posted; False when that could not be, with the why."""
        at = form.cleaned_data["at"]
        when = date_format(timezone.localtime(at), "DATETIME_FORMAT")
        try:
            with transaction.atomic():
                change = ChangeForm.said(request.POST)
                edition = Edition.objects.schedule(guide, at, cast(User, request.user), change)
                said = _("Planned for %(when)s: edition %(number)d.")
                said %= {"number": edition.number, "when": when}
                self.log_change(request, guide, said)
        except CannotSchedule as refused:
            form.add_error("at", str(refused))
            return False
        except NotReady:  # the page says why
            return False
        messages.success(request, said)
        return True

    def _drop(self, request: HttpRequest, guide: Guide) -> None:
        plan = plan_of(guide)
        with transaction.atomic():
            if plan and Edition.objects.unschedule(guide, by=cast(User, request.user)):
                said = _("The plan for edition %(number)d is dropped.") % {"number": plan.number}
                self.log_change(request, guide, said)
                messages.success(request, said)
            else:
                messages.info(request, _("Nothing is planned for this guide."))
