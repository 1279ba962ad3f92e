"""Where persons are asked for, how long it takes them, and which fix helped in the end."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from troubleshooter import analytics, evidence, exports
from troubleshooter.analytics import CreditRow, EscalationRow, Filter, Quartiles
from troubleshooter.exports import Row, Table

from . import cells
from .base import ROWS_PER_PAGE, cannot_be, may_see_numbers, no_such_file, page_of
from .filters import PeriodForm

USUAL_PERIOD = "90"
TIME_COLUMNS = (
    *("answer_quick", "answer_median", "answer_slow", "answer_n"),
    *("close_quick", "close_median", "close_slow", "close_n"),
)
GUIDES_COLUMNS = ("key", "title", "escalations", "closed", *TIME_COLUMNS)
LAST_FIX_COLUMNS = ("key", "title", "fix", "fix_title", "escalations", "closed")
CREDIT_COLUMNS = (
    *("key", "title", "fix", "fix_title"),
    *("credited", "content_defects", "not_fixed", "skipped"),
)
TABLES = {"guides": GUIDES_COLUMNS, "last-fixes": LAST_FIX_COLUMNS, "credited": CREDIT_COLUMNS}


@may_see_numbers
def numbers_escalations(request: HttpRequest) -> HttpResponse:
    """All escalations by guide and by last fix, their times, and the fixes that were credited.

    The tables show as many rows as a page holds; their files have all.
    """
    form = _form(request)
    only = form.filter
    guides = analytics.escalations(only)
    together = analytics.together(guides)
    return page_of(
        request,
        "numbers_escalations.html",
        _("Escalations"),
        form=form,
        together=together,
        took=_took(together),
        guides=[
            (_guide_link(row, form), cells.escalations(row), _took(row))
            for row in guides[:ROWS_PER_PAGE]
        ],
        last_fixes=[
            (row, _fix_link(row), cells.escalations(row))
            for row in analytics.last_fixes(only, ROWS_PER_PAGE)
        ],
        credits=[cells.credit(row) for row in analytics.credits(only, most=ROWS_PER_PAGE)],
        most=ROWS_PER_PAGE,
        enough=evidence.ENOUGH,
        simulated=only.simulated,
    )


@may_see_numbers
def export_escalations(request: HttpRequest, table: str, form: str) -> HttpResponseBase:
    """One of these tables as a file, filtered as the page is."""
    if form not in exports.FORMS or table not in TABLES:
        return no_such_file(request)
    asked = _form(request)
    if not asked.is_valid():
        return cannot_be(request, asked.sentences)
    rows = Table(f"escalations-{table}", TABLES[table], _rows(table, asked.filter))
    return exports.download(rows, form)


def _rows(table: str, only: Filter) -> list[Row]:
    if table == "guides":
        return [guide_cells(row) for row in analytics.escalations(only)]
    if table == "last-fixes":
        return [last_fix_cells(row) for row in analytics.last_fixes(only)]
    return [credit_cells(row) for row in analytics.credits(only)]


def guide_cells(row: EscalationRow) -> Row:
    return {
        "key": row.guide_key,
        "title": row.guide,
        "escalations": row.escalations,
        "closed": row.closed,
        **_times("answer", row.to_answer),
        **_times("close", row.to_close),
    }


def last_fix_cells(row: EscalationRow) -> Row:
    return {
        "key": row.guide_key,
        "title": row.guide,
        "fix": row.fix_key,
        "fix_title": row.fix,
        "escalations": row.escalations,
        "closed": row.closed,
    }


def credit_cells(row: CreditRow) -> Row:
    return {
        "key": row.guide_key,
        "title": row.guide,
        "fix": row.fix_key,
        "fix_title": row.fix,
        "credited": row.credited,
        "content_defects": row.defects,
        "not_fixed": row.not_fixed,
        "skipped": row.skipped,
    }


def _times(name: str, times: Quartiles | None) -> Row:
    """Three times in seconds, empty until there are enough, and of how many they are."""
    shown = times if times and times.enough else None
    return {
        **{f"{name}_{part}": getattr(shown, part, None) for part in ("quick", "median", "slow")},
        f"{name}_n": times.n if times else 0,
    }


def _took(row: EscalationRow) -> dict[str, str]:
    return {
        "answer": cells.took(row.to_answer),
        "close": cells.took(row.to_close),
    }


def _guide_link(row: EscalationRow, form: PeriodForm) -> str:
    return cells.link("numbers_guide", row.guide_key, row.guide, form.guide_query)


def _fix_link(row: EscalationRow) -> str:
    if not row.fix_key:
        return _("not known")
    return cells.link("numbers_fix", row.fix_key, row.fix or row.fix_key)


def _form(request: HttpRequest) -> PeriodForm:
    today = timezone.localdate()
    return PeriodForm(request.GET, topics=analytics.topics(), today=today, usual=USUAL_PERIOD)
