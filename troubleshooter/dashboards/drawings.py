"""What the charts of a guide show, row by row, with the words beside the drawing."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext_lazy

from troubleshooter import charts
from troubleshooter.analytics import DayRow, PlaceRow, Resolution

from . import wording

# What may come of a fix at its place, in the order in which the bar of the funnel is cut.
CAME = {
    "fixed": gettext_lazy("Fixed"),
    "not_fixed": gettext_lazy("Not fixed"),
    "skipped": gettext_lazy("Skipped"),
    "away": gettext_lazy("Went away"),
    "under_way": gettext_lazy("Under way"),
    "passed": gettext_lazy("Passed over"),
}


def funnel(places: Sequence[PlaceRow]) -> dict[str, Any]:
    """A bar for each place, all on the scale of the first."""
    whole = places[0].reached if places else 0
    bars = [
        (row, charts.stacked([(name, getattr(row, name)) for name in CAME], whole))
        for row in places
    ]
    drawn = {part.name for _row, parts in bars for part in parts}
    return {
        "bars": bars,
        "legend": [(name, label) for name, label in CAME.items() if name in drawn],
    }


def histogram(found: Resolution) -> list[dict[str, Any]]:
    """A bar for each span of time, all on the scale of the fullest."""
    fullest = max(span.sessions for span in found.spans)
    return [
        {
            "name": wording.span(span),
            "sessions": span.sessions,
            "parts": charts.stacked([("fixed", span.sessions)], fullest),
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
                "columns": [
                    column
                    for column in charts.columns(
                        [resolved.get((key, day), 0) for day in days], most
                    )
                    if column.count
                ],
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
        {"day": day, "resolved": sum(row.resolved for row in of_day), "fixes": of_day}
        for day, of_day in days.items()
    ]
