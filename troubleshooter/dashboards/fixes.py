"""Every fix across all guides, and one fix in each guide it is in."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter import analytics, exports
from troubleshooter.analytics import Durable, Filter, FixEverywhere, FixInGuide, FixNow, Tally
from troubleshooter.exports import Row, Table
from troubleshooter.languages import language
from troubleshooter.models import Session

from . import cells
from .base import ROWS_PER_PAGE, cannot_be, may_see_numbers, no_such_file, page_in, page_of
from .filters import FixesForm, PeriodForm
from .sorting import Column, Sorting
from .tables import (
    FIXES_COLUMNS,
    GUIDES_OF_FIX_COLUMNS,
    PLATFORM_COLUMNS,
    durable_cells,
    fixes_cells,
    guide_of_fix_cells,
    platform_cells,
)

USUAL_PERIOD = "all"


def _share(tally: Tally) -> float | None:
    return tally.rate.share if tally.rate and tally.rate.enough else None


COLUMNS: dict[str, Column[FixEverywhere]] = {
    "title": Column(
        gettext_lazy("Fix"), lambda row: (row.fix.title.casefold(), row.fix.key), number=False
    ),
    "revision": Column(gettext_lazy("Revision now"), lambda row: row.fix.revision),
    "guides": Column(gettext_lazy("Guides that hold it"), lambda row: row.guides),
    "rate": Column(gettext_lazy("Rate when tried"), lambda row: _share(row.tally)),
    "shown": Column(gettext_lazy("Shown"), lambda row: row.shown),
    "tried": Column(gettext_lazy("Tried"), lambda row: row.tally.tried),
    "skipped": Column(gettext_lazy("Skipped"), lambda row: row.tally.skipped),
}


@may_see_numbers
def numbers_fixes(request: HttpRequest) -> HttpResponse:
    """Every fix that was shown or that a guide holds, in pages."""
    form = FixesForm(request.GET, **_asked(timezone.now()))
    only = form.filter
    rows = _titled(analytics.fixes_everywhere(only), form)
    sorting = Sorting(request.GET.get("sort", ""), COLUMNS, "-shown")
    page = page_in(request, sorting.of(rows))
    query = form.shared_query
    return page_of(
        request,
        "numbers_fixes.html",
        _("Fixes across all guides"),
        form=form,
        heads=sorting.heads(form.query),
        sorting=sorting,
        paging=sorting.query(form.query),
        page=page,
        lines=[
            (
                row,
                cells.link("numbers_fix", row.fix.key, row.fix.title, query),
                cells.fix_everywhere(row),
            )
            for row in page
        ],
        simulated=only.simulated,
    )


@may_see_numbers
def export_fixes(request: HttpRequest, form: str) -> HttpResponseBase:
    """The list of all fixes as a file, filtered as the page is."""
    if form not in exports.FORMS:
        return no_such_file(request)
    asked = FixesForm(request.GET, **_asked(timezone.now()))
    if not asked.is_valid():
        return cannot_be(request, asked.sentences)
    rows = map(fixes_cells, _titled(analytics.fixes_everywhere(asked.filter), asked))
    return exports.download(Table("fixes", FIXES_COLUMNS, rows), form)


@may_see_numbers
def numbers_fix(request: HttpRequest, fix_key: str) -> HttpResponse:
    """One fix: what came of it in each guide and on each platform, in each of its revisions."""
    fix = analytics.fix_now(fix_key)
    if fix is None:
        return no_such_fix(request, fix_key)
    form = PeriodForm(request.GET, **_asked(timezone.now()))
    only = form.filter
    rows = analytics.fix_in_guides(fix, only)
    page = page_in(request, _held(fix, rows, only))
    return page_of(
        request,
        "numbers_fix.html",
        fix.title,
        fix=fix,
        form=form,
        page=page,
        lines=[
            (
                row,
                cells.link("numbers_guide", row.guide_key, row.title, form.guide_query),
                cells.tally(row.tally),
                cells.durable(held),
            )
            for row, held in page
        ],
        paging=form.query,
        apart=_apart(rows),
        credits=[cells.credit(row) for row in analytics.credits(only, fix.key, ROWS_PER_PAGE)],
        platforms=[
            (Session.Platform.in_words(row.platform), row, cells.tally(row.tally))
            for row in analytics.fix_on_platforms(fix, only)
        ],
        pages=[(pk, language(code).name) for pk, code in fix.pages]
        if request.user.has_perm("troubleshooter.change_fix")
        else [],
        simulated=only.simulated,
    )


@may_see_numbers
def export_fix(request: HttpRequest, fix_key: str, table: str, form: str) -> HttpResponseBase:
    """One table of one fix as a file, filtered as the page is."""
    if form not in exports.FORMS or table not in ("guides", "platforms"):
        return no_such_file(request)
    fix = analytics.fix_now(fix_key)
    if fix is None:
        return no_such_fix(request, fix_key)
    asked = PeriodForm(request.GET, **_asked(timezone.now()))
    if not asked.is_valid():
        return cannot_be(request, asked.sentences)
    return exports.download(_table(table, fix, asked), form)


def _table(table: str, fix: FixNow, asked: PeriodForm) -> Table:
    name = f"{fix.key}-{table}"
    if table == "guides":
        rows = analytics.fix_in_guides(fix, asked.filter)
        in_guides: Iterator[Row] = (
            {**guide_of_fix_cells(row), **durable_cells(held)}
            for row, held in _held(fix, rows, asked.filter)
        )
        return Table(name, GUIDES_OF_FIX_COLUMNS, in_guides)
    on_platforms = map(platform_cells, analytics.fix_on_platforms(fix, asked.filter))
    return Table(name, PLATFORM_COLUMNS, on_platforms)


def _held(
    fix: FixNow, rows: Sequence[FixInGuide], only: Filter
) -> list[tuple[FixInGuide, Durable]]:
    """Each row with what visitors said days later."""
    held = analytics.durable_in_guides(fix.key, only)
    return [(row, held.get((row.guide_key, row.revision), Durable())) for row in rows]


def no_such_fix(request: HttpRequest, fix_key: str) -> HttpResponse:
    sentence = _("There is no fix with the key “%(key)s”, and none was ever shown.") % {
        "key": fix_key
    }
    return page_of(request, "_numbers.html", _("No such fix"), status=404, sentence=sentence)


def _asked(now: datetime) -> dict[str, Any]:
    """What the filter of these pages offers."""
    return {
        "topics": analytics.topics(),
        "today": timezone.localdate(now),
        "usual": USUAL_PERIOD,
    }


def _titled(rows: list[FixEverywhere], form: FixesForm) -> list[FixEverywhere]:
    """Those that have every word asked for in their title."""
    words = form.words
    if not words:
        return rows
    return [row for row in rows if all(word in row.fix.title.casefold() for word in words)]


def _apart(rows: list[FixInGuide]) -> str:
    """Where the fix works clearly better than elsewhere; nothing when the data cannot say."""
    found = analytics.apart(rows)
    if not found:
        return ""
    (best, best_rate), (least, least_rate) = found
    return _(
        "Revision %(revision)d works clearly better in “%(best)s” (%(best_share)d %% of %(best_n)d"
        " who tried it) than in “%(least)s” (%(least_share)d %% of %(least_n)d)."
    ) % {
        "revision": best.revision,
        "best": best.title,
        "best_share": round(best_rate.share * 100),
        "best_n": best_rate.n,
        "least": least.title,
        "least_share": round(least_rate.share * 100),
        "least_n": least_rate.n,
    }
