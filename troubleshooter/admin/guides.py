"""Guides, with their placements and symptoms on one page."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter.models import Edition, Guide, Placement, Symptom, freeze

from .base import RowInline
from .publishing import PublishingAdmin, standing


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


class PlacementInline(RowInline[Placement, Guide]):
    model = Placement
    fields = ["position", "fix", "pin", "after"]
    verbose_name = gettext_lazy("fix")
    verbose_name_plural = gettext_lazy("fixes, in the order they are tried")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Placement]:
        return super().get_queryset(request).select_related("fix").prefetch_related("after")


class SymptomInline(RowInline[Symptom, Guide]):
    model = Symptom
    fields = ["position", "text", "start_with"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Symptom]:
        return super().get_queryset(request).prefetch_related("start_with")


@admin.register(Guide)
class GuideAdmin(PublishingAdmin):
    list_display = ["title", "topic", "language", "state"]
    list_filter = [StateFilter, "topic", "language"]
    list_select_related = ["topic"]
    search_fields = ["title", "slug", "summary"]
    prepopulated_fields = {"slug": ["title"]}
    autocomplete_fields = ["contacts"]
    inlines = [PlacementInline, SymptomInline]
    fieldsets = [
        (None, {"fields": ["title", "slug", "topic", "summary", "about"]}),
        (gettext_lazy("At the end"), {"fields": ["prevention", "closing", "contacts"]}),
    ]
    instead = gettext_lazy(
        "Editions and sessions of this guide are kept, so it cannot be deleted."
        " Unpublish it instead: then nobody can start it."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Guide]:
        editions = Edition.objects.filter(guide=OuterRef("pk")).order_by("-number")
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

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Guide | None = None,
    ) -> HttpResponse:
        if obj:
            edition = standing(obj)
            draft = Guide.objects.whole().get(pk=obj.pk)  # as saved, whatever the form says
            context |= {
                "edition": edition,
                "differs": edition is not None and edition.content != freeze(draft),
                "may_publish": self.has_publish_permission(request),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)
