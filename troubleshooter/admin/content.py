"""Topics, contacts, pictures and fixes: what guides are made of."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet, URLField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from troubleshooter.models import Contact, Fix, Picture, Step, Topic

from .base import DeskAdmin, KeyedAdmin, ModelForm, RowInline


@admin.register(Topic)
class TopicAdmin(DeskAdmin[Topic]):
    list_display = ["name", "slug", "position"]
    list_editable = ["position"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    instead = _("Guides are grouped under this topic: give them another one first.")


@admin.register(Contact)
class ContactAdmin(DeskAdmin[Contact]):
    list_display = ["name", "url", "language", "position"]
    list_filter = ["language"]
    search_fields = ["name", "note"]
    formfield_overrides = {URLField: {"assume_scheme": "https"}}


@admin.register(Picture)
class PictureAdmin(DeskAdmin[Picture]):
    """Only the name and the words change: an edition may name the bytes, so they stay."""

    list_display = ["thumbnail", "name", "alt", "size"]
    list_display_links = ["thumbnail", "name"]
    search_fields = ["name", "alt"]
    fields = ["thumbnail", "name", "alt", "kind", "size", "sha256"]
    readonly_fields = ["thumbnail", "kind", "size", "sha256"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Picture]:
        return super().get_queryset(request).defer("content")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Picture | None = None) -> bool:
        return False

    @admin.display(description=_("picture"))
    def thumbnail(self, picture: Picture) -> SafeString:
        return format_html(
            '<img class="desk-thumbnail" src="{}" alt="" width="{}" height="{}">',
            reverse("picture", args=[picture.sha256, picture.kind]),
            picture.width,
            picture.height,
        )

    @admin.display(description=_("size"))
    def size(self, picture: Picture) -> str:
        return f"{picture.width} × {picture.height}"


class FixForm(ModelForm[Fix]):
    def clean_revision(self) -> Any:
        revision = self.cleaned_data["revision"]
        if self.instance.pk and revision < self.initial["revision"]:
            raise forms.ValidationError(
                gettext("A revision only rises: this fix is at %(revision)d already.")
                % {"revision": self.initial["revision"]}
            )
        return revision


class StepInline(RowInline[Step, Fix]):
    model = Step
    fields = ["position", "heading", "text", "picture"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Step]:
        return super().get_queryset(request).select_related("picture").defer("picture__content")


@admin.register(Fix)
class FixAdmin(KeyedAdmin[Fix]):
    form = FixForm
    list_display = ["title", "minutes", "risk", "guide_count", "revision"]
    list_filter = ["risk", "language", "guides__topic"]
    search_fields = ["title"]
    ordering = ["title"]  # counting the guides drops the order of the model
    inlines = [StepInline]
    readonly_fields = ["placed_in"]
    fieldsets = [
        (None, {"fields": ["title", "why", ("minutes", "risk"), "loses"]}),
        (_("When the visitor has to leave or wait"), {"fields": ["closes_page", "waiting"]}),
        (_("Below the steps"), {"fields": ["note"]}),
        (_("Use"), {"fields": ["revision", "placed_in"]}),
    ]
    instead = _("Guides offer this fix: take it out of them first.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fix]:
        return (
            super().get_queryset(request).annotate(guide_total=Count("placements", distinct=True))
        )

    @admin.display(description=_("guides"), ordering="guide_total")
    def guide_count(self, fix: Fix) -> int:
        return getattr(fix, "guide_total", 0)  # annotated above

    @admin.display(description=_("placed in"))
    def placed_in(self, fix: Fix) -> str:
        """The guides that offer this fix. Each shows a change when it is published itself."""
        rows = [
            (reverse("admin:troubleshooter_guide_change", args=[pk]), title)
            for pk, title in fix.guides.values_list("pk", "title")
        ]
        return format_html_join(", ", '<a href="{}">{}</a>', rows) or gettext("no guide yet")
