"""Blocks: what an article is made of, built from events of Markdown and of HTML alike."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from . import inline
from .article import Dropped, Place, UnreadableArticle

MOST_BLOCKS = 6_000  # headings, paragraphs and points; a real article has some hundreds
DEEPEST = 12  # levels of nesting kept; what is deeper is kept flat
_NUMBERED = re.compile(r"^\s*(?:\*\*)?\(?(\d{1,2})\s?[.)）、．](?:\*\*)?(?:\s+|(?=[^\d\s.,]))")


@dataclass(slots=True, eq=False)
class Block:
    """A heading, text, list, item, quote, code, table, row, cell or rule.

    `text` is Markdown inside a line (of code: the code). `level` is that of a heading, `number`
    that of an item in its list, `note` says what kind of note a quote is. `main` is false for
    what stands outside of the main part of a page.
    """

    kind: str
    place: Place
    text: str = ""
    level: int = 0
    ordered: bool = False
    number: int = 0
    note: str = ""
    main: bool = True
    children: list["Block"] = field(default_factory=list)

    def walk(self) -> Iterator["Block"]:
        yield self
        for child in self.children:
            yield from child.walk()

    def words(self) -> str:
        """Everything in it, as plain text."""
        texts = (
            each.text if each.kind == "code" else inline.plain(each.text) for each in self.walk()
        )
        return " ".join(text for text in texts if text)


class Builder:
    """Takes events and grows a tree of blocks; whatever is left open or crossed is put right."""

    def __init__(self) -> None:
        self.root = Block("root", Place(1, 1))
        self.stack = [self.root]
        self.dropped: list[Dropped] = []
        self.main = True
        self._made = 0
        self._ignored: list[str] = []  # what was opened too deep to be kept

    def open(
        self, kind: str, line: int, *, ordered: bool = False, number: int = 0, note: str = ""
    ) -> None:
        if len(self.stack) > DEEPEST:
            self._ignored.append(kind)
            return
        self._count()
        block = Block(
            kind, Place(line, line), ordered=ordered, number=number, note=note, main=self.main
        )
        self.stack[-1].children.append(block)
        self.stack.append(block)

    def _count(self) -> None:
        self._made += 1
        if self._made > MOST_BLOCKS:
            sentence = _(
                "This is too long for an article: more than %(most)d paragraphs and points."
            )
            raise UnreadableArticle(sentence % {"most": MOST_BLOCKS})

    def close(self, kind: str, line: int) -> None:
        """Close the innermost block of this kind, and what is still open in it."""
        if self._ignored:
            if kind in self._ignored:
                while self._ignored.pop() != kind:
                    pass
                return
            self._ignored.clear()
        if all(block.kind != kind for block in self.stack):
            return
        while True:
            block = self.stack.pop()
            block.place = block.place.to(Place(line, line))
            if block.kind == kind:
                return

    def inside(self, *kinds: str, up_to: str = "") -> bool:
        """Whether one of these is open, looking no further than `up_to`."""
        for block in reversed(self.stack):
            if block.kind in kinds:
                return True
            if block.kind == up_to:
                return False
        return False

    def close_all(self, line: int) -> None:
        self._ignored.clear()
        while len(self.stack) > 1:
            self.close(self.stack[-1].kind, line)

    def leaf(self, kind: str, text: str, place: Place, *, level: int = 0) -> None:
        if kind == "heading" and len(self.stack) > 1:
            kind, text = "text", text if inline.is_bold(text) else f"**{text.strip()}**"
        if kind == "text":
            self._text(text, place)
        elif text.strip() or kind == "rule":
            self._count()
            block = Block(kind, place, text=text, level=level, main=self.main)
            self.stack[-1].children.append(block)
        self.stack[-1].place = self.stack[-1].place.to(place)

    def drop(self, text: str, reason: str, place: Place) -> None:
        text = text.strip()
        if text:
            self.dropped.append(Dropped(text, reason, place))

    def _text(self, text: str, place: Place) -> None:
        """A paragraph; lines of it that are numbered become a list."""
        self._count()
        text = inline.tidy(text)
        if not text:
            return
        lines = text.split("\n")
        starts = [nth for nth, line in enumerate(lines) if _NUMBERED.match(line)]
        numbers = [int(_NUMBERED.match(lines[nth])[1]) for nth in starts]  # type: ignore[index]
        rising = all(a < b <= a + 2 for a, b in itertools.pairwise(numbers))
        parent = self.stack[-1].children
        if len(starts) < 2 or not rising or numbers[0] > 2:
            parent.append(Block("text", place, text=text, main=self.main))
            return
        if starts[0]:
            parent.append(
                Block("text", place, text="\n".join(lines[: starts[0]]).strip(), main=self.main)
            )
        items = Block("list", place, ordered=True, main=self.main)
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            words = "\n".join(lines[start:end]).strip()
            words = _NUMBERED.sub("", words, count=1).strip()
            number = int(_NUMBERED.match(lines[start])[1])  # type: ignore[index]
            item = Block("item", place, number=number)
            item.children.append(Block("text", place, text=words))
            items.children.append(item)
        parent.append(items)
