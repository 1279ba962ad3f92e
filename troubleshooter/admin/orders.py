"""A guide's page for how its sessions get their order: learned, or always the author's."""

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter.models import Guide, Learner, LogLine

from .publishing import PublishingAdmin


class OrderForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Guide
        fields = ("locked", "control_share", "shows_success")
        error_messages = {
            "control_share": {
                "required": gettext_lazy("Say how many per cent get your order."),
                "invalid": gettext_lazy("That is no whole number from 0 to 100."),
                "max_value": gettext_lazy("More than 100 per cent cannot be."),
                "min_value": gettext_lazy("Less than 0 per cent cannot be."),
            }
        }


class OrderingAdmin(PublishingAdmin):
    """Whether and how far the learned order is used; it takes effect with the next session."""

    def get_urls(self) -> list[URLPattern]:
        return [*self._routes({"order": self.order_view}), *super().get_urls()]

    def order_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        draft = self._draft(pk, allowed=self.has_publish_permission(request))
        if request.method == "POST" and "resume" in request.POST:
            Learner.objects.resume(draft, by=cast(User, request.user))
            messages.success(request, _("Learning may order the fixes again."))
            return self._back(draft)
        form = OrderForm(request.POST if request.method == "POST" else None, instance=draft)
        if form.is_valid():
            self._save_order(request, form)
            return self._back(draft)
        learner = Learner.objects.filter(guide_key=draft.key).first()
        context: dict[str, Any] = {"form": form, "learner": learner}
        return self._page(request, draft, "order", _("How are the fixes ordered?"), **context)

    def _save_order(self, request: HttpRequest, form: OrderForm) -> None:
        if not form.has_changed():
            messages.info(request, _("Nothing was changed."))
            return
        with transaction.atomic():
            guide: Guide = form.save(commit=False)
            guide.save(update_fields=form.changed_data)
            said = " ".join(_told(guide, form.changed_data))
            by = cast(User, request.user)
            LogLine.objects.note(guide, LogLine.Kind.CHANGED, by, said=said)
        messages.success(request, said)


def _told(guide: Guide, changed: list[str]) -> Iterator[str]:
    """What was changed, in sentences."""
    if "locked" in changed or "control_share" in changed:
        share = {"share": 100 if guide.locked else guide.control_share}
        yield _("%(share)d %% of the sessions get the author’s order.") % share
    if "shows_success" in changed and guide.shows_success:
        yield _("Visitors are told how often a fix worked.")
    elif "shows_success" in changed:
        yield _("Visitors are not told how often a fix worked.")
