"""One guide in tabs: its summary, its groups of sessions, its sessions one by one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from troubleshooter import analytics, exports
from troubleshooter.analytics import Choices, Durable, Filter
from troubleshooter.exports import Table
from troubleshooter.languages import language

from . import cells, drawings, wording
from .base import (
    View,
    cannot_be,
    may_see_numbers,
    nearest,
    no_such_file,
    no_such_guide,
    page_of,
)
from .files import GUIDE_FILES, Ask
from .filters import FilterForm, fields_of, query_of_sides
from .tables import in_words

PER_PAGE = 50


@dataclass(frozen=True)
class Asked:
    """A guide and the filter that the address asks for."""

    request: HttpRequest
    guide_key: str
    title: str
    choices: Choices
    form: FilterForm
    now: datetime

    @property
    def only(self) -> Filter:
        return self.form.filter

    def page(self, template: str, **context: Any) -> HttpResponse:
        return page_of(
            self.request,
            template,
            self.title,
            guide_key=self.guide_key,
            form=self.form,
            **context | {"simulated": self.only.simulated},
        )


def about_guide(view: Callable[[Asked], HttpResponseBase]) -> View:
    """A page about one guide, filtered by its address, for those who may see the numbers."""

    @may_see_numbers
    @wraps(view)
    def page(request: HttpRequest, guide_key: str) -> HttpResponseBase:
        title = analytics.title(guide_key)
        if title is None:
            return no_such_guide(request, guide_key)
        choices = analytics.choices(guide_key)
        form = FilterForm(request.GET, choices=choices)
        form.is_valid()
        return view(Asked(request, guide_key, title, choices, form, timezone.now()))

    return page


@about_guide
def numbers_guide(asked: Asked) -> HttpResponse:
    """The summary: endings, funnel, fixes, times, and what resolved sessions day by day."""
    key, now, only = asked.guide_key, asked.now, asked.only
    resolution = analytics.resolution(key, only)
    held = analytics.durable(key, only)
    first, last = analytics.newest_days(now, only)
    days = analytics.days(key, replace(only, from_day=first, to_day=last))
    ended = analytics.endings(key, only)
    return asked.page(
        "numbers_guide.html",
        tab="summary",
        ended=ended,
        ways=[(way, sessions, cells.part(sessions, ended.total)) for way, sessions in ended.pairs],
        funnel=drawings.funnel(analytics.places(key, only)),
        fixes=[
            (
                row,
                cells.revision(row),
                cells.fix(row, held.get((row.key, row.revision), Durable()), ended.confirmed),
            )
            for row in analytics.fixes(key, only)
        ],
        fix_times=[
            {
                "row": row,
                "revision": cells.revision(row),
                "words": wording.quartiles(row.times),
            }
            for row in analytics.fix_times(key, only)
        ],
        resolution=resolution,
        took=wording.quartiles(resolution.times),
        histogram=drawings.histogram(resolution),
        lanes=drawings.lanes(days, first, last),
        days=drawings.by_day(days),
        most_days=analytics.DAYS,
        comparisons=comparisons(asked),
    )


def comparisons(asked: Asked) -> list[tuple[str, str]]:
    """What is ready to be set beside each other: what it is called, and its address."""
    ready = [
        (
            _("The last %(days)d whole days and the %(days)d before") % {"days": analytics.PERIOD},
            analytics.two_periods(asked.now, asked.only),
        )
    ]
    if editions := analytics.two_editions(asked.guide_key, asked.only):
        ready.append((_("The live edition and the one before"), editions))
    url = reverse("numbers_beside", args=[asked.guide_key])
    return [(name, f"{url}?{query_of_sides(*sides)}") for name, sides in ready]


@about_guide
def numbers_groups(asked: Asked) -> HttpResponse:
    """How sessions ended by symptom, platform, edition and language."""
    found = analytics.groups(asked.guide_key, asked.only)
    fields = fields_of(asked.only)
    groups = {
        kind: [
            {
                "row": row,
                "language": language(code) if (code := row.fields.get("language")) else None,
                "query": urlencode(fields | row.fields) if row.fields else "",
                "rate": cells.rate(row.endings.confirmed_rate, _("none has ended yet")),
                "counts": cells.counts(sessions for _ending, sessions in row.endings.pairs),
            }
            for row in getattr(found, kind)
        ]
        for kind in ("symptoms", "platforms", "editions", "languages")
    }
    return asked.page("numbers_groups.html", tab="groups", groups=groups)


@about_guide
def numbers_sessions(asked: Asked) -> HttpResponse:
    """The sessions one by one, each with its path, in pages."""
    paginator = Paginator(analytics.Sessions(asked.guide_key, asked.only), PER_PAGE)
    number = nearest(asked.request.GET.get("page", "1"), paginator.num_pages)
    page = paginator.page(number)
    sessions = [
        {
            "row": row,
            "language": language(row.language),
            "path": [in_words(attempt) for attempt in row.path],
        }
        for row in analytics.walks(page.object_list, asked.now)
    ]
    return asked.page("numbers_sessions.html", tab="sessions", page=page, sessions=sessions)


@may_see_numbers
def export_guide(request: HttpRequest, guide_key: str, table: str, form: str) -> HttpResponseBase:
    """One table of one guide as a file, filtered as the page is.

    A file cannot say what was left out, so here a filter that cannot be is refused.
    """
    if form not in exports.FORMS or table not in GUIDE_FILES:
        return no_such_file(request)
    if analytics.title(guide_key) is None:
        return no_such_guide(request, guide_key)
    asked = FilterForm(request.GET, choices=analytics.choices(guide_key))
    if not asked.is_valid():
        return cannot_be(request, asked.sentences)
    file = GUIDE_FILES[table]
    rows = file.rows(Ask(guide_key, asked.filter, timezone.now(), form))
    return exports.download(Table(f"{guide_key}-{table}", file.columns, rows), form)
