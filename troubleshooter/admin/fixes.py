"""The library of fixes: finding one, seeing where it is used, changing it there or everywhere."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from troubleshooter import search
from troubleshooter.models import Fix, Guide, Placement, Step

from .base import KeyedAdmin, ModelForm, RowInline

MOST_GUIDES = 3  # that the list names of one fix
COPY = "_copy"  # the button that saves a copy for one guide


class UseFilter(admin.SimpleListFilter):
    title = _("use")
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [("none", gettext("in no guide")), ("several", gettext("in several guides"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Fix]:
        match self.value():
            case "none":
                return queryset.filter(guide_total=0)
            case "several":
                return queryset.filter(guide_total__gt=1)
        return queryset


class FixForm(ModelForm[Fix]):
    """A fix; `renewed` raises its revision, and `copy_into` goes with the button for a copy."""

    renewed = forms.BooleanField(
        required=False,
        help_text=_("The results so far stay with the remedy as it was. A typo is no new remedy."),
    )
    copy_into = forms.ModelChoiceField(
        Guide.objects.none(), label=_("For the guide"), required=False, empty_label=_("Choose…")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said = _("The remedy itself changed: count its results anew (revision %(revision)d)")
        self.fields["renewed"].label = said % {"revision": self.instance.revision + 1}
        if self.instance.pk:
            guides = Guide.objects.filter(placements__fix=self.instance)
            self.fields["copy_into"].queryset = guides  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if COPY in self.data and not self.errors and not self.cleaned_data["copy_into"]:
            self.add_error("copy_into", gettext("Choose the guide that the copy is for."))
        if self.cleaned_data.get("renewed"):
            self.instance.revision += 1
        return cleaned

    @cached_property
    def changed_data(self) -> list[str]:
        """For the history: which guide a copy is for is no change of the fix."""
        return [name for name in super().changed_data if name != "copy_into"]

    @property
    def copying(self) -> Guide | None:
        """The guide to save a copy for, when that button was pressed."""
        guide: Guide | None = self.cleaned_data["copy_into"] if COPY in self.data else None
        return guide


class StepInline(RowInline[Step, Fix]):
    model = Step
    fields = ["position", "heading", "text", "picture"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Step]:
        return super().get_queryset(request).select_related("picture").defer("picture__content")


def _count(rows: QuerySet[Any]) -> Any:
    """How many of `rows` belong to a fix; counted apart, so that no two counts multiply."""
    of_fix = rows.filter(fix=OuterRef("pk")).order_by().values("fix")
    counted = Subquery(of_fix.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
    return Coalesce(counted, 0)


@admin.register(Fix)
class FixAdmin(KeyedAdmin[Fix]):
    form = FixForm
    list_display = ["title", "minutes", "risk", "step_count", "placed_in", "revision", "language"]
    list_filter = ["guides__topic", "risk", UseFilter, "language"]
    search_fields = ["title", "why", "steps__text"]
    inlines = [StepInline]
    fieldsets = [
        (None, {"fields": ["title", "why", ("minutes", "risk"), "loses"]}),
        (_("When the visitor has to leave or wait"), {"fields": ["closes_page", "waiting"]}),
        (_("Below the steps"), {"fields": ["note"]}),
    ]
    readonly_fields = ["placed_in", "its_numbers"]
    instead = _("Guides offer this fix: take it out of them first.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fix]:
        guides = Guide.objects.only("title").order_by("title")
        return (
            super()
            .get_queryset(request)
            .annotate(
                guide_total=_count(Placement.objects.all()), step_total=_count(Step.objects.all())
            )
            .prefetch_related(Prefetch("guides", guides))
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Fix], search_term: str
    ) -> tuple[QuerySet[Fix], bool]:
        """What holds every word; when nothing does, what may have been meant."""
        found, twice = super().get_search_results(request, queryset, search_term)
        if not search_term.strip() or found.exists():
            return found, twice
        return queryset.filter(pk__in=_meant(queryset, search_term)), False

    def get_fieldsets(self, request: HttpRequest, obj: Fix | None = None) -> list[Any]:
        sets = super().get_fieldsets(request, obj)
        if obj:
            changing = self.has_change_permission(request, obj)
            use = ["renewed" if changing else "revision", "placed_in", "its_numbers"]
            sets.insert(-1, (_("Use"), {"fields": use}))
        return sets

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if COPY in request.POST and not self._may_copy(request):
            raise PermissionDenied
        return super().changeform_view(request, *args, **kwargs)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if fix := context["original"]:
            context["guides"] = guides = list(fix.guides.all())
            context["may_copy"] = len(guides) > 1 and self._may_copy(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Fix, form: Any, change: bool) -> None:
        if not form.copying:
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if not form.copying:
            super().save_related(request, form, formsets, change)
            return
        [rows] = formsets
        steps = [
            each.instance
            for each in rows.forms
            if each not in rows.deleted_forms and (each.instance.pk or each.has_changed())
        ]
        placement = Placement.objects.get(guide=form.copying, fix=form.instance)
        copy = placement.detach(form.instance, steps)
        said = gettext("“%(fix)s” is a fix of its own now.") % {"fix": copy.title}
        self.log_change(request, form.copying, said)
        form.instance.pk = copy.pk  # from here on, the page and the history speak of the copy

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        if not form.copying:
            return super().construct_change_message(request, form, formsets, add)
        return gettext("Copied for “%(guide)s”.") % {"guide": form.copying}

    def response_change(self, request: HttpRequest, obj: Fix) -> HttpResponse:
        if COPY not in request.POST:
            return super().response_change(request, obj)
        [guide] = obj.__class__.objects.get(pk=obj.pk).guides.all()
        said = gettext("Only “{}” has this fix now. The other guides keep the one you copied.")
        messages.success(request, format_html(said, guide))
        return HttpResponseRedirect(reverse("admin:troubleshooter_fix_change", args=[obj.pk]))

    def _may_copy(self, request: HttpRequest) -> bool:
        may_place = request.user.has_perm("troubleshooter.change_guide")
        return (
            may_place and self.has_add_permission(request) and self.has_change_permission(request)
        )

    @admin.display(description=_("steps"), ordering="step_total")
    def step_count(self, fix: Fix) -> int:
        return getattr(fix, "step_total", 0)  # annotated above

    @admin.display(description=_("guides"), ordering="guide_total")
    def placed_in(self, fix: Fix) -> str:
        """The guides that offer this fix. Each shows a change when it is published itself."""
        guides = list(fix.guides.all())
        named = guides if len(guides) <= MOST_GUIDES + 1 else guides[:MOST_GUIDES]
        rows = [
            (reverse("admin:troubleshooter_guide_change", args=[guide.pk]), guide.title)
            for guide in named
        ]
        links = format_html_join(", ", '<a href="{}">{}</a>', rows)
        if len(guides) > len(named):
            more = gettext("and %(n)d more") % {"n": len(guides) - len(named)}
            return format_html("{} {}", links, more)
        return links or gettext("no guide yet")

    @admin.display(description=_("its numbers"))
    def its_numbers(self, fix: Fix) -> str:
        """What came of it, across all guides."""
        words = gettext("Its numbers in every guide")
        return format_html('<a href="{}">{}</a>', reverse("numbers_fix", args=[fix.key]), words)


def _meant(fixes: QuerySet[Fix], asked: str) -> list[int]:
    """The fixes that `asked` may mean, mistyped: by title, reason and steps."""
    texts = fixes.model.objects.filter(pk__in=fixes.order_by().values("pk"))
    steps: dict[int, list[search.Field]] = {}
    for fix, text in Step.objects.filter(fix__in=texts).order_by().values_list("fix_id", "text"):
        steps.setdefault(fix, []).append(search.Field(search.Part.SUMMARY, text))
    documents = [
        search.Document(
            str(pk),
            (
                search.Field(search.Part.TITLE, title),
                search.Field(search.Part.FIX, why),
                *steps.get(pk, ()),
            ),
        )
        for pk, title, why in texts.order_by("pk").values_list("pk", "title", "why")
    ]
    return [int(hit.key) for hit in search.Index(documents).find(asked)]
