"""Tables that are sorted by a column, as the address says: ?sort=title, or ?sort=-title."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext as _

Row = TypeVar("Row")


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column: what a row has there, or None when that is not known. Numbers fall at first."""

    label: str | Promise
    value: Callable[[Row], Any]
    number: bool = True


@dataclass(frozen=True)
class Head:
    """The head of a column, with the address that sorts by it."""

    label: str | Promise
    query: str
    number: bool
    sorted: str  # as `aria-sort` says it; empty when the table is sorted by another


class Sorting(Generic[Row]):
    """The order asked for; one that cannot be is the `usual` one, with a sentence."""

    def __init__(self, asked: str, columns: Mapping[str, Column[Row]], usual: str) -> None:
        known = asked.removeprefix("-") in columns
        self.columns = columns
        self.sort = asked if known else usual
        self.name = self.sort.removeprefix("-")
        self.falling = self.sort != self.name
        self.sentence = ""
        if asked and not known:
            said = _("There is no column “%(name)s” to sort by, so the order is the usual one.")
            self.sentence = said % {"name": asked}

    def of(self, rows: Iterable[Row]) -> list[Row]:
        """The rows in this order; those that have nothing in the column are last either way."""
        value = self.columns[self.name].value
        known: list[Row] = []
        unknown: list[Row] = []
        for row in rows:
            (unknown if value(row) is None else known).append(row)
        return [*sorted(known, key=value, reverse=self.falling), *unknown]

    def heads(self, query: str) -> list[Head]:
        """The heads of all columns; their addresses keep the filter that `query` says."""
        return [self._head(name, column, query) for name, column in self.columns.items()]

    def query(self, query: str) -> str:
        """`query` with this order."""
        return _joined(query, self.sort)

    def _head(self, name: str, column: Column[Row], query: str) -> Head:
        here = name == self.name
        falls = not self.falling if here else column.number
        direction = "descending" if self.falling else "ascending"
        return Head(
            label=column.label,
            query=_joined(query, f"-{name}" if falls else name),
            number=column.number,
            sorted=direction if here else "",
        )


def _joined(query: str, sort: str) -> str:
    return "&".join(filter(None, [query, urlencode({"sort": sort})]))
