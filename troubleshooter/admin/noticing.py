"""A guide's page for its notices: announced, ended and turned down there."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter.models import CannotAnnounce, Guide, Notice
from troubleshooter.models.notices import TEXT_LIMIT, State
from troubleshooter.text import BadText, clean_text

from .publishing import PublishingAdmin, running, standing
from .scheduling import MomentInput

A_PAGE = 25


class NoticeForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("What visitors read"),
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text=gettext_lazy(
            "One or two sentences: what is wrong, and what to do meanwhile. At most 500 characters;"
            " an address in it becomes a link."
        ),
        error_messages={
            "required": gettext_lazy(
                "Say what the trouble is, in a sentence that visitors understand."
            )
        },
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Ends by itself"),
        required=False,
        widget=MomentInput("id_until_helptext"),
        error_messages={
            "invalid": gettext_lazy("That is no moment like 2026-03-07 09:30: mend day or time.")
        },
    )
    pauses = forms.BooleanField(
        label=gettext_lazy("Pause fixes that lose data"),
        required=False,
        help_text=gettext_lazy(
            "While the trouble lasts they would delete something for nothing. Visitors may skip"
            " them; all other fixes go on."
        ),
    )

    def clean_text(self) -> str:
        try:
            return clean_text(self.cleaned_data["text"], most=TEXT_LIMIT)
        except BadText as refused:
            raise forms.ValidationError(str(refused)) from refused


class NoticesAdmin(PublishingAdmin):
    """The notices of a guide."""

    def get_urls(self) -> list[URLPattern]:
        return [*self._routes({"notices": self.notices_view}), *super().get_urls()]

    def notices_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What stands, what is suggested, what stood; and the buttons for who may publish."""
        guide = self._draft(pk, allowed=self.has_view_permission(request))
        may = self.has_publish_permission(request)
        form = None
        if request.method == "POST":
            if not may:
                raise PermissionDenied
            if set(request.POST) & {"end", "dismiss"}:
                self._leave(request, guide)
                return self._to_notices(guide)
            form = NoticeForm(request.POST)
            if form.is_valid() and self._announce(request, guide, form):
                return self._to_notices(guide)
        notices = Notice.objects.filter(guide=guide).select_related("announced_by", "over_by")
        now = {each.state: each for each in notices.filter(over_at=None)}
        over = notices.exclude(over_at=None).order_by("-over_at", "-pk")
        context: dict[str, Any] = {
            "standing": now.get(State.STANDING),
            "suggested": now.get(State.SUGGESTED),
            "page": Paginator(over, A_PAGE).get_page(request.GET.get("page")),
            "form": form or NoticeForm(initial=_proposed(now)),
            "may_announce": may,
            "live": getattr(standing(guide), "live", False),
            "running": running(guide),
            "elsewhere": Guide.objects.filter(key=guide.key).exclude(pk=guide.pk),
            "zone": timezone.get_current_timezone_name(),
        }
        return self._page(request, guide, "notices", _("Notices"), **context)

    def _to_notices(self, guide: Guide) -> HttpResponse:
        url = reverse("admin:troubleshooter_guide_notices", args=[guide.pk])
        return HttpResponseRedirect(url)

    def _announce(self, request: HttpRequest, guide: Guide, form: NoticeForm) -> bool:
        """Let it stand; False when it cannot, with the why in the form."""
        given = form.cleaned_data
        try:
            with transaction.atomic():
                Notice.objects.announce(
                    guide,
                    given["text"],
                    by=cast(User, request.user),
                    until=given["until"],
                    pauses=given["pauses"],
                )
                said = _("Announced a notice: “%(text)s”") % {"text": given["text"]}
                self.log_change(request, guide, said)
        except BadText as refused:
            form.add_error("text", str(refused))
            return False
        except CannotAnnounce as refused:
            form.add_error("until", str(refused))
            return False
        messages.success(request, _("The notice stands: visitors read it from now on."))
        return True

    def _leave(self, request: HttpRequest, guide: Guide) -> None:
        """End the standing notice or turn the suggested one down, whichever was pressed."""
        by = cast(User, request.user)
        ending = "end" in request.POST
        state = State.STANDING if ending else State.SUGGESTED
        with transaction.atomic():
            notice = Notice.objects.filter(guide=guide, state=state).first()
            if notice and (notice.end(by) if ending else notice.dismiss(by)):
                said = _("The notice is ended.") if ending else _("The suggestion is dismissed.")
                self.log_change(request, guide, said)
                messages.success(request, said)
            else:
                messages.info(request, _("Somebody else did it before: nothing was changed."))


def _proposed(now: dict[str, Notice]) -> dict[str, Any]:
    """What the form begins with: the suggestion, or what stands, to be changed."""
    notice = now.get(State.SUGGESTED) or now.get(State.STANDING)
    if not notice:
        return {"pauses": True}
    pauses = notice.state == State.SUGGESTED or notice.pauses_since is not None
    return {"text": notice.text, "until": notice.until, "pauses": pauses}
