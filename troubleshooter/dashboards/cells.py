"""The cells of the tables of numbers, as HTML.

A page has hundreds of them, and templates take many times as long for each. So a template has the
heads of a table, and here are the figures of its rows, and links. Texts are escaped.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.urls import reverse
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from troubleshooter.analytics import (
    CreditRow,
    DayRow,
    Durable,
    Ending,
    Endings,
    EscalationRow,
    FixEverywhere,
    FixRow,
    FixTimeRow,
    Quartiles,
    Tally,
)
from troubleshooter.evidence import Rate

from . import wording

NUMBER = '<td class="number">{}</td>'
STRONG = '<td class="number"><strong>{}</strong></td>'
REASONS = '<td class="numbers-reasons">{} {}</td>'
RATE = '<td class="numbers-rate">{}</td>'
TALLY = f"{STRONG}{RATE}{NUMBER}{NUMBER}{NUMBER}{NUMBER}{REASONS}"
FIX = (
    f'<td class="number"><strong>{{}}</strong> {{}}</td>{RATE}{RATE}'
    f'{NUMBER}{NUMBER}{NUMBER}{NUMBER}<td class="number">{{}} {{}}</td>{REASONS}'
)
SHARE = (
    '<strong>{}</strong> <svg class="numbers-range" viewBox="-4 0 108 8" aria-hidden="true">'
    '<line class="whole" x1="0" y1="4" x2="100" y2="4" />'
    '<line class="range" x1="{}" y1="4" x2="{}" y2="4" />'
    '<circle class="part" cx="{}" cy="4" r="3" />'
    "</svg> <small>{}</small>"
)
BAR = (
    '<svg class="numbers-bar" viewBox="0 0 {0} 1" preserveAspectRatio="none"'
    ' aria-hidden="true"><rect class="whole" width="{0}" height="1" />'
    '<rect class="part" width="{1}" height="1" /></svg>'
)


def html(template: str, *values: object) -> SafeString:
    """`template` with these values. Texts are escaped; numbers, of which most are, need not be."""
    return mark_safe(template.format(*map(_escaped, values)))  # noqa: S308 (escaped just here)


def html_join(template: str, rows: Iterable[Sequence[object]]) -> SafeString:
    """The same once for each row of values."""
    return mark_safe("".join(html(template, *row) for row in rows))  # noqa: S308 (likewise)


def _escaped(value: Any) -> Any:
    return value if isinstance(value, int | float) else conditional_escape(value)


@lru_cache(maxsize=4000)
def _address(route: str, key: str) -> str:
    return reverse(route, args=[key])


def link(route: str, key: str, text: str, query: str = "") -> SafeString:
    """A link to the page of this guide or fix, perhaps with a filter."""
    address = _address(route, key)
    return html('<a href="{}">{}</a>', f"{address}?{query}" if query else address, text)


def counts(numbers: Iterable[int]) -> SafeString:
    """A cell for each of these counts."""
    cells = [f'<td class="number">{number:d}</td>' for number in numbers]
    return mark_safe("".join(cells))  # noqa: S308 (numbers alone)


def rate(found: Rate | None, none: str = "") -> str:
    """A share with its interval, in words and as a drawing; `none` says why there is no rate."""
    if found is None:
        return none or _("not tried yet")
    if not found.enough:
        return _too_few(found.n)
    whole = _in_percent(found)
    said = _("%(low)s to %(high)s %%, n = %(n)s") % {**whole, "n": found.n}
    share = _("%(share)s %%") % whole
    return html(SHARE, share, whole["low"], whole["high"], whole["share"], said)


def tally(found: Tally) -> SafeString:
    """What came of a fix: a cell for each head of `_numbers_tally_heads.html`."""
    return html(
        TALLY,
        found.resolved,
        rate(found.rate),
        found.shown,
        found.fixed,
        found.not_fixed,
        found.unanswered,
        found.skipped,
        _reasons(found),
    )


def fix_everywhere(row: FixEverywhere) -> SafeString:
    """How many guides hold a fix, and what came of it in all of them."""
    found = row.tally
    return html(
        f"{NUMBER}{RATE}{NUMBER}{NUMBER}{NUMBER}",
        row.guides,
        rate(found.rate),
        found.shown,
        found.tried,
        found.skipped,
    )


def credit(row: CreditRow) -> SafeString:
    """A fix that agents say fixed it: a whole row."""
    return html(
        f'<th scope="row">{{}}</th><td>{{}}</td>{STRONG}{STRONG}{NUMBER}{NUMBER}',
        link("numbers_fix", row.fix_key, row.fix),
        link("numbers_guide", row.guide_key, row.guide),
        row.credited,
        row.defects,
        row.not_fixed,
        row.skipped,
    )


def escalations(row: EscalationRow) -> SafeString:
    """How many persons were asked for, and how many of these were closed."""
    return html(STRONG + NUMBER, row.escalations, row.closed)


def fix(row: FixRow, held: Durable, confirmed: int) -> SafeString:
    """What came of a fix of one guide, of whose sessions so many are confirmed."""
    return html(
        FIX,
        row.resolved,
        bar(row.resolved, confirmed),
        rate(row.rate),
        durable(held),
        row.shown,
        row.fixed,
        row.not_fixed,
        row.unanswered,
        row.away,
        bar(row.away, row.shown),
        row.skipped,
        _reasons(row),
    )


def revision(row: FixRow | FixTimeRow) -> SafeString:
    """Which revision of a fix it is, and whether the guide still has it."""
    said = [_("revision %(number)s") % {"number": row.revision}]
    if not row.placed:
        said.append(_("no longer in the guide"))
    elif not row.current:
        said.append(_("replaced by a later one"))
    return html("<small>{}</small>", ", ".join(said))


def durable(held: Durable) -> str:
    """Whether what a fix fixed was still fixed days later."""
    if not held.asked:
        return _("not asked yet")
    said = _("asked %(asked)s, still fixed %(still)s, came back %(back)s") % {
        "asked": held.asked,
        "still": held.still_fixed,
        "back": held.came_back,
    }
    return html("{} <small>{}</small>", rate(held.rate, _("no answer yet")), said)


def endings(ended: Endings) -> SafeString:
    """A cell for each way to end, with its share of what ended when that is enough."""
    cells = ((sessions, _share(ending, its)) for ending, sessions, its in ended.rates)
    return html_join('<td class="number">{} {}</td>', cells) + counts([ended.under_way])


def change(since: str, before: int | None) -> SafeString:
    """How many more there are than before, already with its sign; empty when nothing is known."""
    if not since:
        return html(NUMBER, "–")
    said = _("%(before)s before") % {"before": before}
    return html('<td class="number">{} <small>{}</small></td>', since, said)


def took(times: Quartiles | None) -> str:
    """A time with its quartiles, and of how many it is."""
    if times is None:
        return "–"
    words = wording.quartiles(times)
    if words is None:
        return _too_few(times.n)
    said = _("%(quick)s to %(slow)s, n = %(n)s") % {**words, "n": times.n}
    return html("<strong>{}</strong> <small>{}</small>", words["median"], said)


def part(sessions: int, whole: int) -> SafeString:
    """So many of all sessions, as a share and as a bar."""
    share = _("%(share)s %%") % {"share": round(100 * sessions / whole) if whole else 0}
    return html("{} {}", share, bar(sessions, whole))


def bar(of_whole: int, whole: int) -> str:
    """A part of a whole as a bar; of nothing there is none."""
    return html(BAR, whole, of_whole) if whole else ""


def resolved_by(rows: Iterable[DayRow]) -> SafeString:
    """The fixes that resolved sessions of one day, each with how many."""
    return html_join("<span>{}: {}</span>", ((row.title, row.resolved) for row in rows))


def _too_few(many: int) -> str:
    return _("too few yet (n = %(n)s)") % {"n": many}


def _in_percent(found: Rate) -> dict[str, int]:
    """The share and both ends of its interval as whole percentages."""
    return {name: round(100 * getattr(found, name)) for name in ("share", "low", "high")}


def _share(ending: Ending, found: Rate | None) -> str:
    if not found or not found.enough:
        return ""
    whole = _in_percent(found)
    if ending is Ending.CONFIRMED:
        said = _("%(share)s %% (%(low)s to %(high)s %%, n = %(n)s)") % {**whole, "n": found.n}
    else:
        said = _("%(share)s %%") % whole
    return html("<small>{}</small>", said)


def _reasons(found: Tally) -> SafeString:
    """Why it was skipped, and how often each."""
    return html_join("<small>{}: {}</small>", ((r.label, n) for r, n in found.reasons))
