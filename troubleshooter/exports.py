"""Tables as files, for a spreadsheet or a program: CSV and JSON, sent row by row."""

import csv
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from itertools import islice

from django.http import StreamingHttpResponse
from django.utils import translation

Cell = str | int | float | bool | None | list[dict[str, object]]
Row = Mapping[str, Cell]

ROWS_AT_ONCE = 500  # written to the wire together

# What spreadsheets take for the beginning of a formula, also behind what cannot be seen. The
# minus sign of typographers is no compatible form of the hyphen, so it is named.
_UNSEEN = re.compile("[\\s\x00-\x20\u200b-\u200f\u2060\ufeff]*")
_FORMULA = tuple("=+-@\u2212")
_BREAKS = ("\t", "\r", "\n")


@dataclass(frozen=True)
class Table:
    """A table to be sent: the rows may be read while they are sent."""

    name: str
    columns: tuple[str, ...]
    rows: Iterable[Row]


def as_csv(table: Table) -> Iterator[str]:
    """A header and a line for each row, every cell in quotes.

    A text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    yield _lines([table.columns])
    rows = iter(table.rows)
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        yield _lines([_plain(row[column]) for column in table.columns] for row in batch)


def _lines(rows: Iterable[Iterable[str]]) -> str:
    page = StringIO(newline="")
    csv.writer(page, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return page.getvalue()


def _plain(cell: Cell) -> str:
    """A cell as a text that no spreadsheet runs."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, list):
        return _plain(json.dumps(cell, ensure_ascii=False))
    return harmless(cell) if isinstance(cell, str) else str(cell)


def harmless(text: str) -> str:
    """`text`, with an apostrophe in front when a spreadsheet might take it for a formula."""
    seen = _UNSEEN.sub("", text, count=1)
    first = unicodedata.normalize("NFKC", seen[:1])  # full-width forms are formulas, too
    return f"'{text}" if first.startswith(_FORMULA) or text.startswith(_BREAKS) else text


def as_json(table: Table) -> Iterator[str]:
    """One array with an object for each row."""
    rows = iter(table.rows)
    before = "[\n"
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        objects = ({column: row[column] for column in table.columns} for row in batch)
        yield before + ",\n".join(json.dumps(each, ensure_ascii=False) for each in objects)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _speaking(language: str | None, pieces: Iterator[str]) -> Iterator[str]:
    """The pieces, each made in this language: by then the request speaks none any more."""
    while True:
        with translation.override(language):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


FORMS = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "json": ("application/json", as_json),
}


def download(table: Table, form: str) -> StreamingHttpResponse:
    """The table as a file in one of FORMS, sent while it is read, in the language of now."""
    kind, write = FORMS[form]
    return StreamingHttpResponse(
        _speaking(translation.get_language(), write(table)),
        content_type=kind,
        headers={
            "Content-Disposition": f'attachment; filename="{table.name}.{form}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
