"""All guides in one table: traffic beside quality."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter import analytics, evidence, exports
from troubleshooter.analytics import Ending, Endings, TrafficRow
from troubleshooter.exports import Table

from . import cells, reasons
from .base import cannot_be, may_see_numbers, no_such_file, page_in, page_of
from .filters import PeriodForm
from .looks import first_looks
from .sorting import Column, Sorting
from .tables import TRAFFIC_COLUMNS, traffic_cells

USUAL_PERIOD = "28"


def _share(ending: Ending) -> Column[TrafficRow]:
    def value(row: TrafficRow) -> float | None:
        rate = row.guide.endings.rate(ending)
        return rate.share if rate and rate.enough else None

    return Column(ending.label, value)


COLUMNS: dict[str, Column[TrafficRow]] = {
    "title": Column(
        gettext_lazy("Guide"), lambda row: (row.guide.title.casefold(), row.guide.key), number=False
    ),
    "sessions": Column(gettext_lazy("Sessions"), lambda row: row.guide.endings.total),
    "change": Column(gettext_lazy("Change"), lambda row: row.change),
    "confirmed": _share(Ending.CONFIRMED),
    "escalated": _share(Ending.ESCALATED),
    "exhausted": _share(Ending.EXHAUSTED),
    "assumed": _share(Ending.ASSUMED),
    "left": _share(Ending.LEFT),
    "under_way": Column(Ending.UNDER_WAY.label, lambda row: row.guide.endings.under_way),
}


LINE = (
    '<svg class="numbers-line" viewBox="-3 0 116 24" role="img" aria-label="{0}">'
    '<title>{0}</title><line class="whole" x1="0" y1="21" x2="110" y2="21" />'
    '<polyline points="{1}" /><circle class="part" cx="{2}" cy="{3}" r="2.5" /></svg>'
)


@dataclass(frozen=True)
class Line:
    """Sessions week by week as a line in a box of 110 by 24, its highest point near the top."""

    weeks: tuple[int, ...]

    @property
    def drawing(self) -> SafeString:
        return cells.html(LINE, self.in_words, self.points, *self._at[-1])

    @property
    def points(self) -> str:
        return " ".join(f"{x},{y}" for x, y in self._at)

    @property
    def in_words(self) -> str:
        return _("Sessions in each week, the last one last: %(weeks)s.") % {
            "weeks": ", ".join(map(str, self.weeks))
        }

    @cached_property
    def _at(self) -> list[tuple[int, float]]:
        most = max(*self.weeks, 1)
        return [(10 * nth, round(21 - 18 * many / most, 1)) for nth, many in enumerate(self.weeks)]


@may_see_numbers
def numbers(request: HttpRequest) -> HttpResponse:
    """Every guide with sessions or a live edition: how many came, and how it ended for them."""
    now = timezone.now()
    form = _form(request, now)
    only = form.filter
    rows = analytics.traffic(now, only)
    sorting = Sorting(request.GET.get("sort", ""), COLUMNS, "-sessions")
    page = page_in(request, sorting.of(rows))
    return page_of(
        request,
        "numbers.html",
        _("Numbers"),
        form=form,
        heads=sorting.heads(form.query),
        sorting=sorting,
        paging=sorting.query(form.query),
        page=page,
        lines=[(row, _link(row, form), _cells(row), cells.counts(row.weeks)) for row in page],
        together=_together(rows),
        together_weekly=cells.counts(_weekly(rows)),
        enough=evidence.ENOUGH,
        weeks=analytics.weeks(now, only),
        looks=first_looks([row.guide for row in rows]),
        gain=reasons.gain(analytics.gain_of_all()),
        simulated=only.simulated,
    )


@may_see_numbers
def export_guides(request: HttpRequest, form: str) -> HttpResponseBase:
    """The table of all guides as a file, filtered as the page is."""
    if form not in exports.FORMS:
        return no_such_file(request)
    now = timezone.now()
    asked = _form(request, now)
    if not asked.is_valid():
        return cannot_be(request, asked.sentences)
    rows = (traffic_cells(row) for row in analytics.traffic(now, asked.filter))
    return exports.download(Table("guides", TRAFFIC_COLUMNS, rows), form)


def _form(request: HttpRequest, now: datetime) -> PeriodForm:
    return PeriodForm(
        request.GET,
        topics=analytics.topics(),
        today=timezone.localdate(now),
        usual=USUAL_PERIOD,
    )


def signed(change: int | None) -> str:
    """A change as people write it: +3, −3, 0; empty when there is nothing to compare with."""
    if change is None:
        return ""
    return f"{change:+d}".replace("-", "−") if change else "0"


def _link(row: TrafficRow, form: PeriodForm) -> SafeString:
    return cells.link("numbers_guide", row.guide.key, row.guide.title, form.guide_query)


def _cells(row: TrafficRow) -> SafeString:
    """The traffic of one guide, and how its sessions ended."""
    return _line(row.guide.endings, row.change, row.before, row.weeks)


def _together(rows: Sequence[TrafficRow]) -> SafeString:
    """The same of all guides together."""
    changes = [row.change for row in rows if row.change is not None]
    return _line(
        sum((row.guide.endings for row in rows), Endings()),
        sum(changes) if changes else None,
        sum(row.before or 0 for row in rows),
        _weekly(rows),
    )


def _line(
    ended: Endings, change: int | None, before: int | None, weeks: tuple[int, ...]
) -> SafeString:
    total = cells.counts([ended.total])
    line = cells.html("<td>{}</td>", Line(weeks).drawing)
    return total + cells.change(signed(change), before) + line + cells.endings(ended)


def _weekly(rows: Sequence[TrafficRow]) -> tuple[int, ...]:
    """The sessions of all guides in each week."""
    empty = (0,) * analytics.WEEKS
    return tuple(sum(week) for week in zip(empty, *(row.weeks for row in rows), strict=True))
