"""The list of guides, and the desk of each: seen, changed and saved on one page."""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from troubleshooter.models import Edition, Guide, Notice, findings, freeze, notice_on, read
from troubleshooter.web import respond, see_other

from .acts import Posted, library, move, signed, sketch, unsigned, with_pictures
from .changelog import ChangeLogAdmin, last_writer
from .desk import Desk, Meanwhile, opened
from .differences import differences
from .importing import ImportingAdmin
from .noticing import NoticesAdmin
from .orders import OrderingAdmin
from .packs import PacksAdmin
from .publishing import mending_links, plan_of, standing
from .reviews import ReviewingAdmin
from .scheduling import SchedulingAdmin
from .sheet import GUIDE, Sheet
from .translating import TranslatingAdmin, made_of, name_of, sisters


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [
            ("live", _("live")),
            ("unpublished", _("not published")),
            ("withdrawn", _("withdrawn")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Guide]:
        match self.value():
            case "live":
                return queryset.filter(live_number__isnull=False)
            case "unpublished":
                return queryset.filter(live_number=None, withdrawn_at=None)
            case "withdrawn":
                return queryset.filter(live_number=None, withdrawn_at__isnull=False)
        return queryset


@admin.register(Guide)
class GuideAdmin(
    ImportingAdmin,
    SchedulingAdmin,
    OrderingAdmin,
    NoticesAdmin,
    ReviewingAdmin,
    TranslatingAdmin,
    ChangeLogAdmin,
    PacksAdmin,
):
    list_display = ["title", "topic", "language", "state"]
    list_filter = [StateFilter, "topic", "language"]
    list_select_related = ["topic"]
    search_fields = ["title", "slug", "summary"]
    instead = gettext_lazy(
        "Editions and sessions of this guide are kept, so it cannot be deleted."
        " Unpublish it instead: then nobody can start it."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Guide]:
        editions = Edition.objects.published().filter(guide=OuterRef("pk")).order_by("-number")
        return (
            super()
            .get_queryset(request)
            .annotate(
                live_number=Subquery(editions.live().values("number")[:1]),
                withdrawn_at=Subquery(editions.values("withdrawn_at")[:1]),
            )
        )

    @admin.display(description=gettext_lazy("state"))
    def state(self, guide: Guide) -> str:
        if number := getattr(guide, "live_number", None):
            return _("live, edition %(number)d") % {"number": number}
        return _("withdrawn") if getattr(guide, "withdrawn_at", None) else _("not published")

    def get_urls(self) -> list[URLPattern]:
        sketch = self.admin_site.admin_view(require_POST(self.sketch_view))
        return [
            path("sketch/", sketch, name="troubleshooter_guide_sketch"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        if not self.may_write(request):
            raise PermissionDenied
        return self._desk_view(request, Guide())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        pk = int(object_id) if object_id.isdecimal() and len(object_id) < 18 else 0
        return self._desk_view(request, self._draft(pk, allowed=self.has_view_permission(request)))

    def sketch_view(self, request: HttpRequest) -> HttpResponse:
        """What was typed so far, as a visitor would see it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        pk = request.POST.get("guide", "")
        guide = Guide.objects.filter(pk=int(pk)).first() if pk.isdecimal() else None
        desk = Desk(guide or Guide(), Sheet.posted(request.POST))
        return respond(request, sketch(read(desk.frozen()), request.POST.get("at", "")))

    def _desk_view(self, request: HttpRequest, guide: Guide) -> HttpResponse:
        if request.method == "POST":
            if not self.may_write(request):
                raise PermissionDenied
            data, refused = self._with_pictures(request)
            sheet = Sheet.posted(data)
            act, _colon, target = data.get("act", "save").partition(":")
            if act in ("save", "publish"):
                desk = Desk(guide, sheet, data)
                desk.refused = refused
                return self._save(request, desk, leads_to=act)
            row = move(sheet, act, tuple(target.split(".")))
            desk = Desk(guide, sheet)
            desk.refused = refused
            if act in ("add", "upload"):
                desk.focus(row, "alt" if act == "upload" and not refused else "")
            return self._desk(request, desk, base=request.POST.get("base", ""))
        if not guide.pk:
            sheet = Sheet({GUIDE: {}})
            for kind in ("symptom", "fix"):
                move(sheet, "add", (kind,))
            return self._desk(request, Desk(guide, sheet))
        sheet, content = opened(guide)
        return self._desk(request, Desk(guide, sheet), base=signed(content))

    def _with_pictures(self, request: HttpRequest) -> Posted:
        if request.FILES and not request.user.has_perm("troubleshooter.add_picture"):
            raise PermissionDenied
        return with_pictures(request.POST, request.FILES)

    def _save(self, request: HttpRequest, desk: Desk, *, leads_to: str) -> HttpResponse:
        base = request.POST.get("base", "")
        if not desk.valid:
            return self._desk(request, desk, base=base)
        before = unsigned(base)
        try:
            guide = desk.save(cast(User, request.user), before)
        except Meanwhile as found:
            theirs = {
                "entry": last_writer(desk.guide),
                "sections": differences(before, found.content) if before else [],
                "mine": differences(found.content, desk.frozen()),
            }
            return self._desk(request, desk, base=signed(found.content), theirs=theirs)
        if leads_to == "publish":
            return see_other(reverse("admin:troubleshooter_guide_publish", args=[guide.pk]))
        messages.success(request, _("Saved. Visitors see it when you publish."))
        at = request.POST.get("at", "").partition(".")[0]
        anchor = f"#card-{at}" if at in desk.titles else ""
        return see_other(reverse("admin:troubleshooter_guide_change", args=[guide.pk]) + anchor)

    def _desk(self, request: HttpRequest, desk: Desk, **context: Any) -> HttpResponse:
        guide = desk.guide
        asked = request.POST.get("library", "").strip()
        context |= {
            **self.admin_site.each_context(request),
            "is_nav_sidebar_enabled": False,  # the room is for the guide
            "desk": desk,
            "opts": self.opts,
            "original": guide if guide.pk else None,
            "title": guide.title if guide.pk else _("A new guide"),
            "may_write": self.may_write(request),
            "may_publish": self.has_publish_permission(request),
            "may_delete": self.has_delete_permission(request),
            "unsaved": request.method == "POST",
            "at": request.POST.get("at", ""),
            "asked": asked,
            "library": library(desk, asked),
        }
        if guide.pk:
            edition = standing(guide)
            draft = (
                Guide.objects.whole().select_related("notice").get(pk=guide.pk)
            )  # as saved, whatever the form says
            found = findings(draft)
            context |= {
                "edition": edition,
                "notice": notice_on(draft, timezone.now()),
                "suggestion": Notice.objects.suggested().filter(guide=guide).first(),
                "differs": edition is not None and edition.content != freeze(draft),
                "plan": plan_of(guide),
                "scenarios": len(draft.scenarios.all()),
                "language": name_of(guide.language),
                "sisters": sisters(guide),
                "translation": made_of(draft),
                "blocking": mending_links(draft, [each for each in found if each.blocks]),
                "warnings": mending_links(draft, [each for each in found if not each.blocks]),
            }
        return TemplateResponse(request, "admin/troubleshooter/guide/desk.html", context)
