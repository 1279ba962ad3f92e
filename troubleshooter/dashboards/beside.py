"""Two sets of sessions of one guide beside each other, each side with a filter of its own."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from troubleshooter import analytics, evidence, exports
from troubleshooter.analytics import Beside, Choices, Ending, FixPair, Side
from troubleshooter.evidence import Difference, Rate
from troubleshooter.exports import Row, Table

from . import cells, wording
from .base import cannot_be, may_see_numbers, no_such_file, no_such_guide, page_of
from .files import rate_cells
from .filters import SideForm
from .guide import Asked, about_guide, comparisons

SHARES = (Ending.CONFIRMED, Ending.ESCALATED, Ending.EXHAUSTED, Ending.ASSUMED, Ending.LEFT)
BESIDE_COLUMNS = (
    *("a_rate", "a_low", "a_high", "a_n", "b_rate", "b_low", "b_high", "b_n"),
    *("difference", "difference_low", "difference_high"),
)
MEASURE_COLUMNS = ("measure", "a", "b", *BESIDE_COLUMNS)
PAIR_COLUMNS = ("key", "revision", "title", *BESIDE_COLUMNS)


def side_forms(request: HttpRequest, choices: Choices) -> list[SideForm]:
    forms = [SideForm(request.GET, choices=choices, prefix=side) for side in ("a", "b")]
    for form in forms:
        form.is_valid()
    return forms


def difference(found: Beside, a: Rate | None, b: Rate | None) -> Difference | None:
    """B above A, where it can be said: enough on either side, and no session on both."""
    if found.shared or not (a and b and a.enough and b.enough):
        return None
    return evidence.difference(a, b)


@about_guide
def numbers_beside(asked: Asked) -> HttpResponse:
    """Two sides in one table, with their differences and whether they can be told apart."""
    a, b = side_forms(asked.request, asked.choices)
    sides = (a.filter, b.filter)
    differ = sides[0] != sides[1]
    return page_of(
        asked.request,
        "numbers_beside.html",
        asked.title,
        tab="beside",
        guide_key=asked.guide_key,
        form=asked.form,
        sides=[("A", a), ("B", b)],
        query=urlencode(a.fields_set | b.fields_set),
        comparisons=comparisons(asked),
        differ=differ,
        **(_tables(analytics.beside(asked.guide_key, sides)) if differ else {}),
    )


def _tables(found: Beside) -> dict[str, Any]:
    """What the page says of two sides that differ."""
    return {
        "found": found,
        "verdict": verdict(found),
        "shares": [
            _line(
                found,
                ending.label,
                found.a.endings.rate(ending),
                found.b.endings.rate(ending),
                _("none has ended yet"),
            )
            for ending in SHARES
        ],
        "plain": [
            (_("Median time to resolution"), _median(found.a), _median(found.b)),
            (_("Fixes tried, on average"), _mean(found.a), _mean(found.b)),
        ],
        "pairs": [
            {"revision": pair.revision, **_line(found, pair.title, pair.a, pair.b)}
            for pair in found.fixes
        ],
    }


def _line(
    found: Beside, label: Any, a: Rate | None, b: Rate | None, none: str = ""
) -> dict[str, Any]:
    return {
        "label": label,
        "a": cells.rate(a, none),
        "b": cells.rate(b, none),
        "apart": wording.apart(difference(found, a, b)),
    }


def _median(side: Side) -> str:
    words = wording.quartiles(side.times)
    return words["median"] if words else _("too few yet")


def _mean(side: Side) -> str:
    return "–" if side.mean_tries is None else wording.one_place(side.mean_tries)


def verdict(found: Beside) -> str:
    """Whether the shares of confirmed sessions can be told apart, in a sentence."""
    if found.shared:
        return _(
            "Sessions that are on both sides: %(shared)d. The sides must not share any for a"
            " difference to be worked out."
        ) % {"shared": found.shared}
    a, b = found.a.endings.confirmed_rate, found.b.endings.confirmed_rate
    apart = difference(found, a, b)
    if apart is None:
        return _(
            "There are too few sessions to compare: on each side at least %(enough)d must have"
            " ended."
        ) % {"enough": evidence.ENOUGH}
    words = wording.apart(apart)
    if not apart.told_apart:
        return (
            _(
                "The two sides cannot be told apart: the share of confirmed sessions on side B may"
                " be anything from %(low)s to %(high)s points from that on side A."
            )
            % words
        )
    if apart.share > 0:
        return (
            _("More sessions are confirmed on side B: by %(share)s points (%(low)s to %(high)s).")
            % words
        )
    return (
        _("Fewer sessions are confirmed on side B: by %(share)s points (%(low)s to %(high)s).")
        % words
    )


def beside_cells(found: Beside, a: Rate | None, b: Rate | None) -> Row:
    apart = difference(found, a, b)
    return {
        **rate_cells(a, "a_"),
        **rate_cells(b, "b_"),
        "difference": round(apart.share, 4) if apart else None,
        "difference_low": round(apart.low, 4) if apart else None,
        "difference_high": round(apart.high, 4) if apart else None,
    }


def _sentences(a: SideForm, b: SideForm) -> list[str]:
    return [
        _("Side %(side)s, %(sentence)s") % {"side": side, "sentence": sentence}
        for side, form in (("A", a), ("B", b))
        for sentence in form.sentences
    ]


def measure_rows(found: Beside) -> Iterable[Row]:
    """A row for each measure; those that are no shares have none of the columns of shares."""
    empty: Row = dict.fromkeys(BESIDE_COLUMNS)
    yield {"measure": "sessions", "a": found.a.endings.total, "b": found.b.endings.total, **empty}
    for ending in Ending:
        rates = [
            side.endings.rate(ending) if ending in SHARES else None for side in (found.a, found.b)
        ]
        yield {
            "measure": ending.value,
            "a": dict(found.a.endings.pairs)[ending],
            "b": dict(found.b.endings.pairs)[ending],
            **beside_cells(found, *rates),
        }
    medians = [
        side.times.median if side.times and side.times.enough else None
        for side in (found.a, found.b)
    ]
    yield {"measure": "median_seconds", "a": medians[0], "b": medians[1], **empty}
    means = [
        None if side.mean_tries is None else round(side.mean_tries, 4)
        for side in (found.a, found.b)
    ]
    yield {"measure": "fixes_tried", "a": means[0], "b": means[1], **empty}


def pair_cells(found: Beside, pair: FixPair) -> Row:
    return {
        "key": pair.key,
        "revision": pair.revision,
        "title": pair.title,
        **beside_cells(found, pair.a, pair.b),
    }


@may_see_numbers
def export_beside(request: HttpRequest, guide_key: str, table: str, form: str) -> HttpResponseBase:
    """One table of the two sides as a file, each side filtered as on the page."""
    if form not in exports.FORMS or table not in ("endings", "fixes"):
        return no_such_file(request)
    if analytics.title(guide_key) is None:
        return no_such_guide(request, guide_key)
    a, b = side_forms(request, analytics.choices(guide_key))
    if not (a.is_valid() and b.is_valid()):
        return cannot_be(request, _sentences(a, b))
    found = analytics.beside(guide_key, (a.filter, b.filter))
    name = f"{guide_key}-beside-{table}"
    if table == "endings":
        return exports.download(Table(name, MEASURE_COLUMNS, measure_rows(found)), form)
    pairs = (pair_cells(found, pair) for pair in found.fixes)
    return exports.download(Table(name, PAIR_COLUMNS, pairs), form)
