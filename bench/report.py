"""From slices to a table: medians and ratios of rounds, bars, and how it is printed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median

from bench.load import Measured
from bench.processes import TICK

FIRST, LAST = "<!-- The table of make bench. -->", "<!-- End of the table. -->"


def percentile(times: Sequence[float], share: float) -> float:
    """The least of these below or at which this share of them lies (nearest rank)."""
    ranked = sorted(times)
    return ranked[max(ceil(share * len(ranked)), 1) - 1]


def per_cpu(found: Measured) -> float:
    """Requests per second of the server's CPU. Less than one tick of the clock counts as one."""
    return found.count / max(found.cpu, TICK)


def ratio(some: Sequence[float], others: Sequence[float]) -> float:
    """The median of the rounds' ratios: what stands side by side was measured side by side."""
    return median(one / other for one, other in zip(some, others, strict=True))


@dataclass(frozen=True)
class Row:
    """One kind of request on one kind of database, over all rounds."""

    what: str
    database: str
    slices: list[Measured]
    beside: list[float] = field(default_factory=list)  # CPU seconds of PostgreSQL, by slice

    @property
    def rates(self) -> list[float]:
        """Requests per CPU second, by round."""
        return [per_cpu(each) for each in self.slices]

    def wait(self, share: float) -> float:
        """Milliseconds below which this share of the answers came: the rounds' median."""
        return 1000 * median(percentile(each.times, share) for each in self.slices)

    @property
    def tail(self) -> float:
        """How often the median goes into the 99th percentile: the rounds' median."""
        return median(
            percentile(each.times, 0.99) / percentile(each.times, 0.5) for each in self.slices
        )

    def cells(self, bare: "Row") -> list[str]:
        ratios = [one / other for one, other in zip(self.rates, bare.rates, strict=True)]
        per_second = median(each.count / each.seconds for each in self.slices)
        beside = [
            1e6 * spent / each.count for spent, each in zip(self.beside, self.slices, strict=False)
        ]
        return [
            f"{self.what}{', ' if self.database else ''}{self.database}",
            f"{per_second:,.0f}",
            f"{median(self.rates):,.0f}",
            f"{ratio(self.rates, bare.rates):.3f}",
            f"{min(ratios):.3f} - {max(ratios):.3f}",
            f"{1e6 / median(self.rates):,.0f}",
            f"{median(beside):,.0f}" if beside else "",
            f"{self.wait(0.5):.1f}",
            f"{self.wait(0.99):.1f}",
        ]


HEAD = [
    "one worker",
    "req/s",
    "req/CPU-s",
    "x bare",
    "least - most",
    "CPU us",
    "db CPU us",
    "p50 ms",
    "p99 ms",
]


@dataclass(frozen=True)
class Bar:
    """A promise with its figure: kept or missed. `most` turns it round."""

    what: str
    figure: float
    limit: float
    most: bool = False
    better: float | None = None  # the figure that would be better still
    unit: str = ""

    @property
    def met(self) -> bool:
        return self.figure <= self.limit if self.most else self.figure >= self.limit

    @property
    def cells(self) -> list[str]:
        stretch = "" if self.better is None else f" (better: {self.better:g})"
        limit = f"{'at most' if self.most else 'at least'} {self.limit:g}{self.unit}{stretch}"
        return ["met" if self.met else "MISSED", self.what, f"{self.figure:.3g}{self.unit}", limit]


@dataclass
class Report:
    """All that one run found."""

    about: list[str]  # machine, versions, date, command
    rows: list[Row] = field(default_factory=list)
    others: list[list[str]] = field(default_factory=list)  # other figures: what, figure
    bars: list[Bar] = field(default_factory=list)

    def row(self, what: str, database: str) -> Row:
        return next(row for row in self.rows if (row.what, row.database) == (what, database))

    @property
    def missed(self) -> int:
        return sum(not bar.met for bar in self.bars)

    def tables(self) -> list[list[list[str]]]:
        rows = [HEAD, *(row.cells(self.rows[0]) for row in self.rows)]
        others = [["other figures", ""], *self.others]
        bars = [["", "bar", "figure", "asked"], *(bar.cells for bar in self.bars)]
        return [rows, others, bars]

    def plain(self) -> str:
        return "\n\n".join(["\n".join(self.about), *map(aligned, self.tables())])

    def markdown(self) -> str:
        about = "\n".join(f"- {line}" for line in self.about)
        return "\n\n".join([about, *map(piped, self.tables())])


def aligned(table: list[list[str]]) -> str:
    """A table as plain text: words to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    figures = [
        all(re.fullmatch(r"[\d.,]*( - [\d.,]+)?", row[at]) for row in table[1:])
        for at in range(len(widths))
    ]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, figures, strict=True)
        ).rstrip()
        for row in table
    )


def piped(table: list[list[str]]) -> str:
    """A table as Markdown."""
    head, *rows = (f"| {' | '.join(row)} |" for row in table)
    return "\n".join([head, "|---" * len(table[0]) + "|", *rows])


def put_into(book: str, table: str) -> str:
    """A page with this table in place of the one between its two marks."""
    before, found, rest = book.partition(FIRST)
    _old, closed, after = rest.partition(LAST)
    if not (found and closed):
        raise ValueError("The page has no place for the table.")
    return f"{before}{FIRST}\n\n{table}\n\n{LAST}{after}"
