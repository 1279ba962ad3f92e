"""The change log of a guide: who did what and when, the newest first.

It joins two sources: the lines that the verbs write, and what the admin notes when somebody saves
a form, of the guide and of its fixes. What the admin notes of a move is left out: the verb's own
line tells it, and also when no admin was there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.db.models import CharField, F, Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter.models import Edition, Fix, Guide, LogLine

from .differences import Item, differences
from .publishing import PublishingAdmin

A_PAGE = 50
LOG_LIMIT = 1000  # characters of one line
LINE, ENTRY = "line", "entry"
Kind = LogLine.Kind

SENTENCES = {
    Kind.CHANGED: gettext_lazy("%(said)s"),
    Kind.PUBLISHED: gettext_lazy("Published edition %(edition)d."),
    Kind.PLANNED: gettext_lazy("Planned for %(goes_live_at)s: edition %(edition)d."),
    Kind.UNPLANNED: gettext_lazy("Dropped the plan for edition %(edition)d."),
    Kind.WENT_LIVE: gettext_lazy("Edition %(edition)d went live, as planned."),
    Kind.UNPUBLISHED: gettext_lazy("Unpublished: nobody can start it."),
    Kind.ROLLED_BACK: gettext_lazy("Rolled back: edition %(edition)d is live again."),
    Kind.WITHDRAWN: gettext_lazy("Withdrawn: “%(reason)s”"),
    Kind.ORDER_STOPPED: gettext_lazy("The learned order did harm: stopped, the author’s stands."),
    Kind.ORDER_RESUMED: gettext_lazy("Learning may order the fixes again."),
    Kind.REVIEWED: gettext_lazy("Reviewed. The next review is due on %(review_on)s."),
    Kind.SUGGESTED: gettext_lazy("A notice is suggested: “%(reason)s”"),
    Kind.ANNOUNCED: gettext_lazy("Announced a notice: “%(reason)s”"),
    Kind.ENDED: gettext_lazy("Ended the notice: “%(reason)s”"),
    Kind.DISMISSED: gettext_lazy("Dismissed the suggested notice: “%(reason)s”"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One line as an editor reads it; `compare` leads to what an edition changed."""

    at: datetime
    who: str
    sentence: str
    compare: str = ""
    url: str = ""


class ChangeLogAdmin(PublishingAdmin):
    """The log of a guide, in the place of Django's history."""

    def get_urls(self) -> list[URLPattern]:
        return [*self._routes({"log": self.log_view}), *super().get_urls()]

    def log_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        guide = self._draft(pk, allowed=self.has_view_permission(request))
        fixes = {str(fix.pk): fix for fix in _fixes(guide)}
        page = Paginator(_rows(guide, fixes), A_PAGE).get_page(request.GET.get("page"))
        context = {"page": page, "lines": list(_tell(guide, fixes, page.object_list))}
        return self._page(request, guide, "log", _("What changed?"), **context)


def _fixes(guide: Guide) -> QuerySet[Fix]:
    """The fixes placed in the guide now, or in its newest edition."""
    editions = Edition.objects.filter(guide=guide).order_by("-number")
    contents = list(editions.values_list("content__fixes", flat=True)[:1])
    keys = [fix["key"] for fixes in contents for fix in fixes]
    placed = [placement.fix_id for placement in guide.placements.all()]
    return Fix.objects.filter(Q(pk__in=placed) | Q(key__in=keys, language=guide.language))


def _rows(guide: Guide, fixes: Iterable[str]) -> QuerySet[Any, Any]:
    """When, from which source and which row of it, for both sources in one query."""
    kinds = ContentType.objects.get_for_models(Guide, Fix)
    # The admin writes what a form of its own changed as JSON; a sentence tells what has a line.
    saved = Q(content_type=kinds[Guide], object_id=str(guide.pk), change_message__startswith="[")
    of_fixes = Q(content_type=kinds[Fix], object_id__in=list(fixes))
    # The guide's own line tells of those.
    of_fixes &= ~Q(change_message__in=[at_desk(guide), by_pack(guide)])
    entries = LogEntry.objects.filter(saved | of_fixes).order_by()
    lines = LogLine.objects.filter(guide=guide).order_by()
    both = _named(lines, "at", LINE).union(_named(entries, "action_time", ENTRY), all=True)
    return both.order_by("-moment", "-source", "-row")


def at_desk(guide: Guide) -> str:
    """What the history of a fix says of a change at the desk of a guide."""
    return _("Changed at the desk of “%(guide)s”.") % {"guide": guide.title}


def by_pack(guide: Guide) -> str:
    """What it says of a change that came with a guide in a pack."""
    return _("Imported with “%(guide)s”.") % {"guide": guide.title}


def _named(rows: QuerySet[Any], at: str, source: str) -> QuerySet[Any, Any]:
    origin = Value(source, output_field=CharField())
    named: QuerySet[Any, Any] = rows.annotate(moment=F(at), source=origin, row=F("pk"))
    return named.values_list("moment", "source", "row")


def _tell(
    guide: Guide, fixes: dict[str, Fix], rows: Iterable[tuple[datetime, str, int]]
) -> Iterable[Told]:
    rows = list(rows)
    lines = LogLine.objects.select_related("by").in_bulk(
        [row for _at, source, row in rows if source == LINE]
    )
    entries = LogEntry.objects.select_related("user").in_bulk(
        [row for _at, source, row in rows if source == ENTRY]
    )
    fix_kind = ContentType.objects.get_for_model(Fix)
    for _moment, source, row in rows:
        if source == LINE:
            yield _tell_line(guide, lines[row])
        else:
            entry = entries[row]
            of_fix = entry.content_type_id == fix_kind.pk
            yield _tell_entry(entry, fixes.get(str(entry.object_id)) if of_fix else None)


def _tell_line(guide: Guide, line: LogLine) -> Told:
    names: dict[str, Any] = {"edition": line.edition, "reason": line.reason, "said": line.said}
    if line.goes_live_at:
        when = timezone.localtime(line.goes_live_at)
        names["goes_live_at"] = date_format(when, "DATETIME_FORMAT")
    if line.review_on:
        names["review_on"] = date_format(line.review_on, "DATE_FORMAT")
    compare = ""
    if line.kind in (Kind.PUBLISHED, Kind.WENT_LIVE) and line.edition and line.edition > 1:
        pair = urlencode({"from": line.edition - 1, "to": line.edition})
        compare = f"{reverse('admin:troubleshooter_guide_compare', args=[guide.pk])}?{pair}"
    who = line.by.get_username() if line.by else _("a command")
    return Told(line.at, who, str(SENTENCES[Kind(line.kind)]) % names, compare)


def _tell_entry(entry: LogEntry, fix: Fix | None) -> Told:
    said, who = entry.get_change_message(), entry.user.get_username()
    if fix is None:
        return Told(entry.action_time, who, said)
    sentence = _("In the fix “%(fix)s”: %(said)s") % {"fix": fix.title, "said": said}
    url = reverse("admin:troubleshooter_fix_change", args=[fix.pk])
    return Told(entry.action_time, who, sentence, url=url)


def in_sentences(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What a save changed, for the log: “Fixes: “Restart” changed.”"""
    beside = {
        "slug": _("The address changed."),
        "owner": _("The owner changed."),
        "review_on": _("The day of the next review changed."),
        "scenarios": _("The scenarios changed."),
    }
    said = [
        f"{section.heading}: "
        + " ".join(item.sentence or _fields_of(item) for item in section.items)
        for section in differences(before, after)
    ]
    said += [sentence for name, sentence in beside.items() if before[name] != after[name]]
    text = " ".join(said)
    return text if len(text) <= LOG_LIMIT else f"{text[: LOG_LIMIT - 1]}…"


def _fields_of(item: Item) -> str:
    return _("%(fields)s changed.") % {"fields": ", ".join(each.label for each in item.fields)}


def note(by: User, row: Guide | Fix, flag: int, said: str) -> None:
    """Write a line into Django’s own history of a guide or a fix."""
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(row),
        object_id=str(row.pk),
        object_repr=str(row)[:200],
        action_flag=flag,
        change_message=said,
    )


def last_writer(guide: Guide) -> LogEntry | None:
    """The newest entry in the log of a guide or of a fix placed in it."""
    fixes = [str(pk) for pk in guide.placements.values_list("fix", flat=True)]
    of_guide = Q(content_type=ContentType.objects.get_for_model(Guide), object_id=str(guide.pk))
    of_fixes = Q(content_type=ContentType.objects.get_for_model(Fix), object_id__in=fixes)
    entries = LogEntry.objects.filter(of_guide | of_fixes).select_related("user")
    return entries.order_by("-action_time", "-pk").first()
