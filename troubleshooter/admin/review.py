"""What the review page of an import shows: the source line by line, and what became of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from troubleshooter.importing.article import ArticlePicture, Doubt, Place
from troubleshooter.importing.pieces import FixPieces, Piece
from troubleshooter.importing.saving import Moves, Understood, is_remote

FIXES_SHOWN = 25  # on a page
DROPPED_SHOWN = 40
PIECES_SHOWN = 60  # of one fix, or of one part of the guide
LINES_SHOWN = 2_000  # of the source
LINE_SHOWN = 1_000  # characters of one line of the source
TEXT_SHOWN = 1_200  # characters of one piece
LEFT_SHOWN = 300  # characters of one that was left out


@dataclass
class State:
    """What the form carries from press to press; `guide` is the one that is updated, or 0."""

    text: str
    name: str
    moves: Moves = ()
    guide: int = 0

    def packed(self, moves: Moves) -> dict[str, Any]:
        listed = [list(move) for move in moves]
        return {"text": self.text, "name": self.name, "moves": listed, "guide": self.guide}


@dataclass
class Row:
    """One piece on the page: its text cut to what fits, and what can be done with it."""

    piece: Piece
    verbs: list[tuple[str, str]] = field(default_factory=list)  # act, and what its button says
    number: int = 0

    @property
    def id(self) -> str:
        return self.piece.id

    @property
    def text(self) -> str:
        return self.piece.text[:TEXT_SHOWN]

    @property
    def more(self) -> int:
        """How many characters are not shown."""
        return max(len(self.piece.text) - TEXT_SHOWN, 0)

    @property
    def words(self) -> str:
        """What names it to somebody who hears the page."""
        return (self.piece.heading or self.piece.words)[:60]

    @property
    def lines(self) -> str:
        return lines_of(self.piece.place)

    @property
    def first(self) -> int:
        return self.piece.place.first


@dataclass
class Card:
    """One fix on the page."""

    fix: FixPieces
    number: int
    rows: list[Row]
    hidden: int  # pieces that are not shown
    pictures: list[ArticlePicture]

    @property
    def percent(self) -> int:
        return round(self.fix.sure * 100)

    @property
    def doubtful(self) -> bool:
        return self.fix.sure < 0.5

    @property
    def lines(self) -> str:
        return lines_of(self.fix.place)


@dataclass
class Part:
    """One text of the guide and the pieces it is made of."""

    title: str
    rows: list[Row]
    hidden: int


@dataclass
class Left:
    """Something that was dropped."""

    id: str
    text: str
    more: int
    reason: str
    place: Place
    fix: bool

    @property
    def lines(self) -> str:
        return lines_of(self.place)

    @property
    def words(self) -> str:
        return self.text[:60]


@dataclass
class Line:
    """A line of the source; `mark` says what it and those below became, `kind` how it is drawn."""

    number: int
    text: str
    mark: str
    kind: str


class Review:
    """Everything the page shows. `shown` says which page of the long lists."""

    def __init__(self, understood: Understood, shown: dict[str, str]) -> None:
        self.understood = understood
        self.pieces = understood.pieces
        self.draft = understood.draft
        self.fixes: Page[FixPieces] = Paginator(self.pieces.fixes, FIXES_SHOWN).get_page(
            shown["fixes"]
        )
        self.dropped: Page[Any] = Paginator(self.pieces.dropped, DROPPED_SHOWN).get_page(
            shown["dropped"]
        )

    @property
    def other_titles(self) -> list[str]:
        return [title for title in self.pieces.titles if title != self.pieces.title]

    @property
    def doubts(self) -> list[Doubt]:
        """What is doubtful, but for fixes: those say it themselves."""
        return list(self.understood.article.doubts)[:PIECES_SHOWN]

    @cached_property
    def cards(self) -> list[Card]:
        first = self.fixes.start_index()
        return [self._card(fix, nth) for nth, fix in enumerate(self.fixes, start=first)]

    def _card(self, fix: FixPieces, number: int) -> Card:
        steps = fix.steps
        rows = []
        for piece in fix.pieces[:PIECES_SHOWN]:
            at = steps.index(piece) + 1 if piece.use == "step" else 0
            rows.append(Row(piece, list(_verbs(piece, at, len(steps))), at))
        pictures = [
            picture
            for (nth, _step), picture in sorted(self.draft.pictures.items())
            if nth == number - 1
        ]
        return Card(fix, number, rows, len(fix.pieces) - len(rows), pictures)

    @cached_property
    def parts(self) -> list[Part]:
        """The texts of the guide, those that are empty left out."""
        titles = {
            "symptom": _("Symptoms"),
            "about": _("What is going on"),
            "prevention": _("So that it stays fixed"),
            "closing": _("When nothing helped"),
            "contact": _("Whom to ask"),
        }
        parts = []
        for use, title in titles.items():
            pieces = self.pieces.of(use)
            rows = [Row(piece, list(_verbs(piece, 0, 0))) for piece in pieces[:PIECES_SHOWN]]
            if rows:
                parts.append(Part(title, rows, len(pieces) - len(rows)))
        return parts

    @cached_property
    def left(self) -> list[Left]:
        """The page of what was dropped."""
        shown = []
        for each in self.dropped:
            is_fix = isinstance(each, FixPieces)
            text = each.title if is_fix else f"{each.heading}\n{each.text}".strip()
            cut = text[:LEFT_SHOWN]
            more = len(text) - len(cut)
            shown.append(Left(each.id, cut, more, each.reason, each.place, is_fix))
        return shown

    @property
    def pictures(self) -> bool:
        """Whether any could be fetched."""
        return any(is_remote(picture) for picture in self.draft.pictures.values())

    @cached_property
    def lines(self) -> list[Line]:
        source = self.understood.text.split("\n", LINES_SHOWN)
        marks = self._marks(min(len(source), LINES_SHOWN))
        lines, said = [], ""
        for nth, text in enumerate(source[:LINES_SHOWN], start=1):
            mark, kind = marks[nth] if text.strip() else ("", marks[nth][1])
            lines.append(Line(nth, _cut(text), "" if mark == said else mark, kind))
            said = mark if text.strip() else said
        return lines

    @property
    def lines_hidden(self) -> int:
        return max(self.understood.text.count("\n") + 1 - LINES_SHOWN, 0)

    def _marks(self, count: int) -> list[tuple[str, str]]:
        """For each line what it became: the smallest piece around it says so.

        Of pieces that are as small the last one does: where a whole article stands on one line,
        what was kept of it.
        """
        spans = [(each.place, _("dropped"), "dropped") for each in self.pieces.dropped]
        spans += [(piece.place, *_mark(piece)) for piece in self.pieces.guide]
        for number, fix in enumerate(self.pieces.fixes, start=1):
            named = _("Fix %(number)d") % {"number": number}
            spans.append((Place(fix.place.first, fix.place.first), named, "fix"))
            spans += [(piece.place, named, "fix") for piece in fix.pieces if piece.use != "why"]
            spans += [(piece.place, named, "fix") for piece in fix.pieces if piece.use == "why"]
        marks = [("", "")] * (count + 1)
        spans.sort(key=lambda span: span[0].first - span[0].last)
        for place, mark, kind in spans:
            last = min(place.last, count)
            if last >= place.first:
                marks[place.first : last + 1] = [(mark, kind)] * (last - place.first + 1)
        return marks


def _mark(piece: Piece) -> tuple[str, str]:
    return (_("symptom") if piece.use == "symptom" else _("guide")), "guide"


def _cut(text: str) -> str:
    return text if len(text) <= LINE_SHOWN else f"{text[:LINE_SHOWN]}…"


def lines_of(place: Place) -> str:
    if place.first == place.last:
        return _("line %(first)d") % {"first": place.first}
    return _("lines %(first)d–%(last)d") % {"first": place.first, "last": place.last}


def _verbs(piece: Piece, number: int, steps: int) -> Iterator[tuple[str, str]]:
    """What can be done with a piece beside dropping it: the act, and what its button says."""
    if not piece.home or steps != 1 or piece.use != "step":
        yield f"promote:{piece.id}", _("Make it a fix")
    if number > 1:
        yield f"split:{piece.id}", _("Split the fix here")
    uses = {
        "step": _("A step"),
        "why": _("Why it helps"),
        "note": _("A note"),
        "symptom": _("A symptom"),
        "about": _("What is going on"),
        "prevention": _("So that it stays fixed"),
        "closing": _("When nothing helped"),
        "contact": _("Whom to ask"),
    }
    for use, label in uses.items():
        if use != piece.use:
            yield f"use:{piece.id}:{use}", label


def said_of(verb: str) -> str:
    """What the page says when a move was made."""
    return {
        "split": _("The fix is split in two."),
        "promote": _("It is a fix of its own now."),
        "merge": _("The two fixes are one now."),
        "demote": _("The fix is steps of the one before it now."),
        "junk": _("Marked as junk: it stands below, under what is left out."),
        "back": _("Brought back."),
        "use": _("Moved."),
        "title": _("The guide has that title now."),
    }.get(verb, _("Done."))
