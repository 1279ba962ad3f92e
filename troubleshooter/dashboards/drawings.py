"""The charts of a guide, row by row: the drawing, and the words beside it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from troubleshooter import charts
from troubleshooter.analytics import DayRow, PlaceRow, Resolution

from . import cells, wording
from .cells import html, html_join

# What may come of a fix at its place, in the order in which the bar of the funnel is cut.
CAME = {
    "fixed": gettext_lazy("Fixed"),
    "not_fixed": gettext_lazy("Not fixed"),
    "skipped": gettext_lazy("Skipped"),
    "away": gettext_lazy("Went away"),
    "under_way": gettext_lazy("Under way"),
    "passed": gettext_lazy("Passed over"),
}
PLAIN = ("fixed", "away")  # drawn without a pattern
STRIP = (
    '<svg class="numbers-strip" aria-hidden="true">'
    '<line class="floor" x1="0" y1="100%" x2="100%" y2="100%" />{}</svg>'
)
PART = '<rect class="{}" x="{}%" width="{}%" height="100%"{} />'
COLUMN = '<rect class="fixed" x="{}%" y="{}%" width="{}%" height="{}%" />'


def strip(parts: Iterable[charts.Part]) -> SafeString:
    """A bar of parts, each in the colour or the pattern of what it counts."""
    drawn = (
        (part.name, part.start, part.length, "" if part.name in PLAIN else _pattern(part.name))
        for part in parts
    )
    return html(STRIP, html_join(PART, drawn))


def lane(columns: Iterable[charts.Column]) -> SafeString:
    """A column for each day; a day without any has none."""
    drawn = ((each.start, each.top, each.width, each.height) for each in columns if each.count)
    return html(STRIP, html_join(COLUMN, drawn))


def _pattern(name: str) -> SafeString:
    return html(' fill="url(#numbers-{})"', name)


def funnel(places: Sequence[PlaceRow]) -> dict[str, Any]:
    """A bar for each place, all on the scale of the first."""
    whole = places[0].reached if places else 0
    return {
        "bars": [
            (row, strip(charts.stacked([(name, getattr(row, name)) for name in CAME], whole)))
            for row in places
        ],
        "legend": [
            (name, label)
            for name, label in CAME.items()
            if any(getattr(row, name) for row in places)
        ],
    }


def histogram(found: Resolution) -> list[dict[str, Any]]:
    """A bar for each span of time, all on the scale of the fullest."""
    fullest = max(span.sessions for span in found.spans)
    return [
        {
            "name": wording.span(span),
            "sessions": span.sessions,
            "strip": strip(charts.stacked([("fixed", span.sessions)], fullest)),
        }
        for span in found.spans
    ]


def lanes(rows: Sequence[DayRow], first: date, last: date) -> dict[str, Any]:
    """A lane for each fix with a column for each day, all on one scale; the busiest fix first."""
    days = [first + timedelta(days=nth) for nth in range((last - first).days + 1)]
    resolved = {(row.key, row.day): row.resolved for row in rows}
    titles = {row.key: row.title for row in rows}
    sums = Counter[str]()
    for row in rows:
        sums[row.key] += row.resolved
    most = max(resolved.values(), default=0)
    return {
        "first": first,
        "last": last,
        "most": most,
        "total": sums.total(),
        "lanes": [
            {
                "title": titles[key],
                "resolved": total,
                "strip": lane(charts.columns([resolved.get((key, day), 0) for day in days], most)),
            }
            for key, total in sums.most_common()
        ],
    }


def by_day(rows: Sequence[DayRow]) -> list[dict[str, Any]]:
    """The same as a table: a line for each day, with the fixes that resolved sessions on it."""
    days: dict[date, list[DayRow]] = {}
    for row in rows:
        days.setdefault(row.day, []).append(row)
    return [
        {
            "day": day.isoformat(),
            "in_words": wording.day(day),
            "resolved": sum(row.resolved for row in of_day),
            "fixes": cells.resolved_by(of_day),
        }
        for day, of_day in days.items()
    ]
