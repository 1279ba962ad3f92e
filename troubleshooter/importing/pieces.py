"""An article in pieces that an editor can move: what the review page shows, and what is saved.

Pure. A piece is named by what it says, not by where it stands, so that the moves an editor made
find their pieces again when the same source is imported with some other lines changed.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from . import inline
from .article import Article, ArticleFix, ArticlePicture, ArticleStep, Passage, Place

IN_FIX = ("why", "step", "note")  # what a piece of a fix can be, in the order it is shown
IN_GUIDE = ("about", "symptom", "prevention", "closing", "contact")  # and a piece of the guide

# What becomes of a passage by its role; those that are not named go by where they stand.
_USES = {
    "about": "about",
    "cause": "about",
    "prerequisite": "about",
    "note": "about",
    "symptom": "symptom",
    "prevention": "prevention",
    "tips": "prevention",
    "closing": "closing",
    "contact": "contact",
}


@dataclass(slots=True)
class Piece:
    """A text (Markdown) and what it is used as. `inner` are the points inside of a step.

    `order` is its place among all pieces; `home` the fix it is in, or was in before it was dropped.
    """

    id: str
    use: str
    text: str
    place: Place
    order: float = 0
    heading: str = ""
    lead: str = ""
    inner: tuple[str, ...] = ()
    pictures: tuple[ArticlePicture, ...] = ()
    reason: str = ""
    home: str = ""

    @property
    def words(self) -> str:
        """Its first words, plain."""
        return inline.plain(self.lead or self.text.split("\n\n")[0])


@dataclass(slots=True)
class FixPieces:
    """A fix to be; `reason` says why it was dropped, if it was."""

    id: str
    title: str
    place: Place
    order: float = 0
    sure: float = 1.0
    reasons: tuple[str, ...] = ()
    pieces: list[Piece] = field(default_factory=list)
    pictures: tuple[ArticlePicture, ...] = ()
    reason: str = ""

    def of(self, use: str) -> list[Piece]:
        return [piece for piece in self.pieces if piece.use == use]

    @property
    def steps(self) -> list[Piece]:
        return self.of("step")

    def sort(self) -> None:
        """Why it helps, then steps, then notes, each as the source has them."""
        self.pieces.sort(key=lambda piece: (IN_FIX.index(piece.use), piece.order))

    def take(self, piece: Piece) -> None:
        piece.home, piece.reason = self.id, ""
        self.pieces.append(piece)
        self.sort()


@dataclass(slots=True)
class Pieces:
    """A whole source, sorted into a guide and what is left out of it."""

    titles: tuple[str, ...]
    title: str
    summary: str
    language: str
    fixes: list[FixPieces] = field(default_factory=list)
    guide: list[Piece] = field(default_factory=list)
    dropped: list[Piece | FixPieces] = field(default_factory=list)
    why_not: str = ""

    def of(self, use: str) -> list[Piece]:
        return [piece for piece in self.guide if piece.use == use]

    def walk(self) -> Iterator[Piece]:
        """Every piece that is used."""
        yield from self.guide
        for fix in self.fixes:
            yield from fix.pieces

    def free(self, name: str) -> str:
        """An id like `name` that nothing here has."""
        taken = {each.id for each in (*self.fixes, *self.guide, *self.dropped)}
        for each in (*self.fixes, *self.dropped):
            taken |= {piece.id for piece in getattr(each, "pieces", ())}
        while name in taken:
            name += name[-1]
        return name

    def sort(self) -> None:
        self.fixes.sort(key=lambda fix: fix.order)
        self.guide.sort(key=lambda piece: (IN_GUIDE.index(piece.use), piece.order))
        self.dropped.sort(key=lambda each: each.order)


def pieces_of(article: Article) -> Pieces:
    """The article as the importer understands it, before any move."""
    return _Sorter(article).pieces


class _Sorter:
    def __init__(self, article: Article) -> None:
        self.taken: dict[str, int] = {}
        self.count = 0
        self.lines: list[tuple[int, int]] = []  # first line of each piece of a fix, and its order
        self.pieces = Pieces(
            article.titles,
            article.title,
            article.summary,
            article.language,
            why_not=article.why_not,
        )
        for fix in article.fixes:
            self._take_fix(fix)
        for symptom in article.symptoms:
            self._place(self._piece("symptom", symptom.text, symptom.place))
        for passage in article.passages:
            self._take_passage(passage, article)
        for dropped in article.dropped:
            piece = self._piece("", dropped.text, dropped.place)
            piece.reason = dropped.reason
            piece.order = self._order(piece.place)
            self.pieces.dropped.append(piece)
        self.pieces.sort()

    def _name(self, kind: str, text: str) -> str:
        """An id made of what is said; the second of two that say the same is numbered."""
        name = kind + hashlib.blake2b(text.encode(), digest_size=5).hexdigest()
        self.taken[name] = count = self.taken.get(name, 0) + 1
        return name if count == 1 else f"{name}-{count}"

    def _piece(self, use: str, text: str, place: Place, heading: str = "") -> Piece:
        self.count += 1
        name = self._name(use[:1] or "d", f"{heading}\n{text}")
        return Piece(name, use, text, place, self.count, heading)

    def _take_fix(self, fix: ArticleFix) -> None:
        self.count += 1
        taken = FixPieces(
            self._name("f", fix.title),
            fix.title,
            fix.place,
            self.count,
            fix.sure,
            fix.reasons,
            pictures=fix.pictures,
        )
        self.lines.append((fix.place.first, self.count))
        if fix.why:
            self._into(taken, self._piece("why", fix.why, _above_steps(fix)))
        for step in fix.steps:
            self._into(taken, self._step(step))
        for note in fix.notes:
            self._into(taken, self._note(note))
        taken.sort()
        self.pieces.fixes.append(taken)

    def _into(self, fix: FixPieces, piece: Piece) -> None:
        piece.home = fix.id
        fix.pieces.append(piece)
        self.lines.append((piece.place.first, self.count))

    def _step(self, step: ArticleStep) -> Piece:
        piece = self._piece("step", step.markdown(), step.place, step.heading)
        piece.lead = step.text
        piece.inner = tuple(child.markdown() for child in step.children)
        piece.pictures = (*step.pictures, *_inner_pictures(step))
        return piece

    def _note(self, note: Passage) -> Piece:
        text = note.text
        if note.role == "warning":
            warning = _("Warning")
            text = f"**{warning}:** {text}"
        return self._piece("note", text, note.place, note.heading)

    def _take_passage(self, passage: Passage, article: Article) -> None:
        piece = self._piece(
            self._use(passage, article), passage.text, passage.place, passage.heading
        )
        if not passage.text:
            piece.reason = _("A heading with nothing below it.")
        elif passage.role == "related":
            piece.reason = _("Leads to other articles.")
        self._place(piece)

    def _place(self, piece: Piece) -> None:
        piece.order = self._order(piece.place)
        (self.pieces.dropped if piece.reason else self.pieces.guide).append(piece)

    def _use(self, passage: Passage, article: Article) -> str:
        if passage.role in _USES:
            return _USES[passage.role]
        fixes = [fix.place.first for fix in article.fixes]
        return "closing" if fixes and passage.place.first > max(fixes) else "about"

    def _order(self, place: Place) -> float:
        """A place among the pieces of fixes: before the first that stands further down."""
        later = [order for first, order in self.lines if first > place.first]
        last = self.lines[-1][1] if self.lines else 0
        return (min(later) if later else last + 1) - 0.5 + place.first / 1_000_000


def _above_steps(fix: ArticleFix) -> Place:
    """Where most of why a fix helps stands: the importer knows only that it is in the fix."""
    first = min((step.place.first for step in fix.steps), default=fix.place.last + 1)
    return Place(fix.place.first, max(first - 1, fix.place.first))


def _inner_pictures(step: ArticleStep) -> tuple[ArticlePicture, ...]:
    found: list[ArticlePicture] = []
    for child in step.children:
        found += [*child.pictures, *_inner_pictures(child)]
    return tuple(found)
