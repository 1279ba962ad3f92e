"""What the rooms of the admin share: Django's own classes, typed, and a little tidier."""

import copy
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import (
    AdminIntegerFieldWidget,
    AdminTextareaWidget,
    AutocompleteMixin,
    RelatedFieldWidgetWrapper,
)
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from troubleshooter.models.content import Keyed

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as ModelAdmin
    from django.contrib.admin import TabularInline as TabularInline
    from django.forms import ModelForm as ModelForm
    from django.forms.models import BaseInlineFormSet
else:  # at run time Django's classes take no type arguments

    class _Typed:
        def __class_getitem__(cls, _types):
            return cls

    class ModelAdmin(_Typed, admin.ModelAdmin):
        pass

    class TabularInline(_Typed, admin.TabularInline):
        pass

    class ModelForm(_Typed, forms.ModelForm):
        pass

    class BaseInlineFormSet(_Typed, forms.BaseInlineFormSet):
        pass


Row = TypeVar("Row", bound=models.Model)
Parent = TypeVar("Parent", bound=models.Model)
KeyedRow = TypeVar("KeyedRow", bound=Keyed)


class NewestPaginator(Paginator):  # type: ignore[type-arg]  # it takes none at run time
    """Pages of the newest rows: to count millions takes seconds, and nobody leafs so far."""

    MOST = 10_000

    @cached_property
    def count(self) -> int:
        return counted(cast("models.QuerySet[Any]", self.object_list), self.MOST)


def counted(rows: models.QuerySet[Any], most: int = NewestPaginator.MOST) -> int:
    """How many rows there are, counted no further than this."""
    return rows.order_by().values("pk")[:most].count()


class DayInput(forms.DateInput):
    """The browser's own calendar; what it sends is a day like 2026-03-07 in every language."""

    input_type = "date"

    def __init__(self, attrs: Any = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class _Tidy:
    """Shorter boxes for prose, and fewer buttons beside a choice: add and change are enough."""

    formfield_overrides: ClassVar[Any] = {
        models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 4})},
    }

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_view_related = field.widget.can_delete_related = False
            field.widget.can_add_related &= not db_field.many_to_many
        return field


class DeskAdmin(_Tidy, ModelAdmin[Row]):
    """The rows of one table; says what to do instead when deleting one is refused."""

    instead: str | Promise = ""
    list_per_page = 50

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        to_delete, counts, lacking, protected = super().get_deleted_objects(objs, request)
        protected = [*protected, *self.kept_by(objs)]
        if protected:  # then nobody may, whatever their role: let the page speak of that alone
            lacking = set()
            if self.instead:
                messages.warning(request, str(self.instead))
        return to_delete, counts, lacking, protected

    def kept_by(self, objs: Any) -> Iterable[str]:
        """What else needs some of these rows, beyond what the database itself knows."""
        return ()

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Row], search_term: str
    ) -> tuple[models.QuerySet[Row], bool]:
        # An autocomplete sends its term unchecked, and PostgreSQL fails on a NUL.
        return super().get_search_results(request, queryset, search_term.replace("\x00", ""))


class RecordAdmin(DeskAdmin[Row]):
    """Rows that are a record: to be looked at, nothing else."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False


class KeyedAdmin(DeskAdmin[KeyedRow]):
    """Guides and fixes: evidence is kept by key and read by language, so both stay as made."""

    def get_readonly_fields(self, request: HttpRequest, obj: KeyedRow | None = None) -> list[Any]:
        return [*self.readonly_fields, *(["language", "key"] if obj else [])]

    def get_fieldsets(self, request: HttpRequest, obj: KeyedRow | None = None) -> list[Any]:
        said = _("Chosen once: what visitors teach us is kept by key and language.")
        fields = ["language", "key"] if obj else ["language"]
        return [*(self.fieldsets or []), (_("Identity"), {"fields": fields, "description": said})]


class Chosen(AutocompleteMixin, forms.Select):
    """An autocomplete that shows the rows it knows without asking the database for each.

    Django's own asks once for every widget, so a guide would cost queries by the fix.
    """

    known: Sequence[models.Model] = ()

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        known = {str(row.pk): row for row in self.known}
        if not known.keys() >= {str(pk) for pk in value if pk}:  # a form that came back, changed
            return super().optgroups(name, value, attr)
        plain = copy.copy(self)
        blank = [] if self.is_required or self.allow_multiple_selected else [("", "")]
        plain.choices = [*blank, *known.items()]
        return forms.Select.optgroups(plain, name, [str(pk) for pk in value], attr)


class RowForm(ModelForm[Any]):
    """A row below a guide or a fix."""

    position = forms.IntegerField(
        label=_("position"),
        required=False,
        min_value=0,
        max_value=9999,
        help_text=_("Left empty, the row goes to the end."),
        widget=AdminIntegerFieldWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.initial["position"] = None
            return
        for name, field in self.fields.items():
            widget = getattr(field.widget, "widget", None)
            if isinstance(widget, Chosen):
                widget.known = [row for row in [getattr(self.instance, name)] if row]


class RowFormSet(BaseInlineFormSet[Any, Any, Any]):
    """The rows below a guide or a fix."""

    def clean(self) -> None:
        super().clean()
        kept = [form for form in self.forms if form not in self.deleted_forms]
        positions = [getattr(form, "cleaned_data", {}).get("position") for form in kept]
        last = max((at for at in positions if at is not None), default=0)
        for form, position in zip(kept, positions, strict=True):
            if position is None:
                last += 1
                form.instance.position = last


class RowInline(_Tidy, TabularInline[Row, Parent]):
    """Rows in the author's order, in a number of queries that does not grow with them."""

    form = RowForm
    formset = RowFormSet
    extra = 0

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["widget"] = Chosen(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
