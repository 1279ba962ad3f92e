"""What is only looked at: editions, sessions, searches that found nothing."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from troubleshooter.languages import language
from troubleshooter.models import Attempt, Edition, MissedSearch, Session

from .base import NewestPaginator, RecordAdmin, Row, TabularInline


class LanguageFilter(admin.SimpleListFilter):
    """Django's own would show codes, and read every row to know which there are."""

    title = _("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(code, language(code).name) for code, _name in settings.LANGUAGES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(language=self.value()) if self.value() else queryset


class SpokenAdmin(RecordAdmin[Row]):
    """Rows in a language, which is told as those call it who speak it."""

    @admin.display(description=_("language"), ordering="language")
    def spoken(self, row: Any) -> str:
        return language(row.language).name


@admin.register(Edition)
class EditionAdmin(SpokenAdmin[Edition]):
    list_display = [
        "title",
        "number",
        "live",
        "goes_live_at",
        "published_at",
        "published_by",
        "withdrawn_at",
    ]
    list_filter = ["live", LanguageFilter, "guide__topic"]
    list_select_related = ["published_by"]
    search_fields = ["title", "withdrawn_reason"]
    date_hierarchy = "published_at"
    view_on_site = False  # the address shows the live edition, whichever that is
    fields = [
        "guide",
        "number",
        "live",
        "title",
        "summary",
        "spoken",
        "goes_live_at",
        "published_at",
        "published_by",
        "withdrawn_at",
        "withdrawn_reason",
    ]
    readonly_fields = ["spoken"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Edition]:
        return super().get_queryset(request).defer("content")


class AttemptInline(TabularInline[Attempt, Session]):
    model = Attempt
    extra = 0
    can_delete = False
    fields = ["seq", "fix", "fix_revision", "shown_at", "answered_at", "outcome", "reason"]
    readonly_fields = ["fix"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attempt]:
        whole = super().get_queryset(request).select_related("session__edition")
        return whole.defer("session__edition__content")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("fix"))
    def fix(self, attempt: Attempt) -> str:
        return attempt.session.reading.by_key[attempt.fix_key].title


@admin.register(Session)
class SessionAdmin(SpokenAdmin[Session]):
    """Without the key to the session: staff look at it, nobody walks in."""

    list_display = ["public_id", "edition", "status", "platform", "started_at", "last_answer_at"]
    list_filter = ["status", "arm", "platform", "edition__guide"]
    list_select_related = ["edition"]
    search_fields = ["public_id__startswith"]
    show_full_result_count = False
    paginator = NewestPaginator
    ordering = ["-pk"]  # the newest first, by the one index that has them all
    sortable_by = ()
    view_on_site = False
    inlines = [AttemptInline]
    fields = [
        "public_id",
        "edition",
        "symptom",
        "status",
        "resolver",
        "arm",
        "platform",
        "spoken",
        "channel",
        "started_at",
        "last_answer_at",
    ]
    readonly_fields = ["symptom", "resolver", "spoken"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Session], search_term: str
    ) -> tuple[QuerySet[Session], bool]:
        """Those whose id begins so: SQLite finds them by the index only between two ids."""
        begins = search_term.strip()
        if not begins:  # all of them, in the order of another index
            return queryset, False
        found = queryset.filter(public_id__startswith=begins)
        if connection.vendor == "sqlite":
            found = found.filter(public_id__gte=begins, public_id__lt=f"{begins}\x7f")
        return found, False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        return super().get_queryset(request).select_related("edition").defer("edition__content")

    @admin.display(description=_("symptom"))
    def symptom(self, session: Session) -> str:
        chosen = session.reading.symptom(session.symptom_key)
        return chosen.text if chosen else ""

    @admin.display(description=_("resolved by"))
    def resolver(self, session: Session) -> str:
        return session.reading.by_key[session.resolved_by].title if session.resolved_by else ""


@admin.register(MissedSearch)
class MissedSearchAdmin(SpokenAdmin[MissedSearch]):
    """What visitors look for and no guide answers: the next guides to write."""

    list_display = ["text", "count", "day", "spoken"]
    list_filter = [LanguageFilter]
    fields = ["day", "spoken", "text", "count"]
    readonly_fields = ["spoken"]
    search_fields = ["text"]
    date_hierarchy = "day"
    show_full_result_count = False
