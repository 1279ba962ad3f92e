"""From a source to the tree of its blocks."""

import re

from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.token import Token

from . import cleaning
from .article import Place
from .blocks import Block, Builder
from .cleaning import Line
from .pages import Page
from .source import Source

# Only blocks are parsed: the text inside stays Markdown, as the fields of a guide want it.
_parser = MarkdownIt("commonmark", {"maxNesting": 60}).enable("table").disable(["inline"])
_NOTE = re.compile(r"^\\?\[!(\w+)\]\s*")
_REAL_TAG = re.compile(r"<[a-zA-Z/!]")


def outline(source: Source) -> tuple[Builder, Page | None]:
    """The blocks of a source in a builder; of a whole page, what its head says, too."""
    builder = Builder()
    if source.is_html:
        page = Page(builder, whole=True)
        page.feed(source.body, source.first)
        page.finish()
        builder.close_all(source.first + source.body.count("\n"))
        _outside_main(builder)
    else:
        page = None
        read_markdown(builder, cleaning.lines_of(source.body, source.first))
    _unwrap(builder)
    builder.root.children = [block for block in builder.root.children if _has_content(block)]
    return builder, page


def read_markdown(builder: Builder, lines: list[Line]) -> None:
    lines, dropped = cleaning.clean(lines)
    builder.dropped += dropped
    tokens = _parser.parse("\n".join(line.text for line in lines))
    reader = _Reader(builder, lines)
    for nth, token in enumerate(tokens):
        reader.take(token, tokens[nth + 1] if nth + 1 < len(tokens) else None)
    reader.finish()


class _Reader:
    """Tells the builder what the tokens say."""

    def __init__(self, builder: Builder, lines: list[Line]) -> None:
        self.builder = builder
        self.lines = lines
        self.page = Page(builder, whole=False)
        self.place = Place(1, 1)
        self.seen = 0  # lines that were seen in tokens

    def take(self, token: Token, following: Token | None) -> None:
        if token.map and self.lines:
            first, last = token.map[0], max(token.map[1] - 1, token.map[0])
            numbers = [self.lines[min(nth, len(self.lines) - 1)].number for nth in (first, last)]
            self.place = Place(numbers[0], numbers[1])
        kind, builder = token.type, self.builder
        if kind in ("inline", "heading_close", "paragraph_close", "thead_open", "tbody_open"):
            return
        if kind == "heading_open" and following:
            self.page.finish()
            builder.leaf(
                "heading",
                re.sub(r"\s+#+$", "", following.content),
                self.place,
                level=int(token.tag[1]),
            )
        elif kind == "paragraph_open" and following:
            builder.leaf("text", following.content, self.place)
        elif kind in ("fence", "code_block"):
            self._code(token)
        elif kind == "html_block":
            self._html(token)
        elif kind == "hr":
            builder.leaf("rule", "", self.place)
        elif kind.endswith("_open"):
            self._open(token, following)
        elif kind.endswith("_close"):
            builder.close(_KINDS.get(token.type.removesuffix("_close"), ""), self.place.last)

    def _open(self, token: Token, following: Token | None) -> None:
        name, builder = token.type.removesuffix("_open"), self.builder
        kind = _KINDS.get(name)
        if not kind:
            return
        number = int(token.info) if token.info.isascii() and token.info.isdigit() else 0
        builder.open(kind, self.place.first, ordered=name == "ordered_list", number=number)
        if kind == "cell" and following and following.type == "inline":
            builder.leaf("text", following.content, self.place)

    def _code(self, token: Token) -> None:
        if (
            token.type == "code_block"
            and self.builder.inside("list")
            and _REAL_TAG.match(token.content.lstrip())
        ):
            self._html(token)
        else:
            self.builder.leaf("code", token.content.rstrip("\n"), self.place)

    def _html(self, token: Token) -> None:
        numbers = (
            [line.number for line in self.lines[token.map[0] : token.map[1]]] if token.map else []
        )
        self.page.feed(token.content, self.place.first, lines=numbers or None)
        self.page.pause()

    def finish(self) -> None:
        self.page.finish()
        self.builder.close_all(self.place.last)


_KINDS = {
    "bullet_list": "list",
    "ordered_list": "list",
    "list_item": "item",
    "blockquote": "quote",
    "table": "table",
    "tr": "row",
    "th": "cell",
    "td": "cell",
}


def _outside_main(builder: Builder) -> None:
    """What stands outside of the main part of a page goes, if there is one that holds the text."""
    main = [block for block in builder.root.children if block.main]
    rest = [block for block in builder.root.children if not block.main]
    if not rest or sum(len(block.words()) for block in main) < 200:
        return
    for block in rest:
        builder.drop(block.words(), _("outside of the main part of the page"), block.place)
    builder.root.children = main


def _has_content(block: Block) -> bool:
    return (
        block.kind == "rule" or bool(block.text.strip()) or any(map(_has_content, block.children))
    )


def _unwrap(builder: Builder) -> None:
    """A body that is one block of code is read as Markdown; tables that only lay out are opened."""
    blocks = builder.root.children
    code = [block for block in blocks if block.kind == "code"]
    longest = max(code, key=lambda block: len(block.text), default=None)
    total = sum(len(each.text) for block in blocks for each in block.walk())
    if (
        longest
        and len(longest.text) > 600
        and len(longest.text) > 0.6 * total
        and not _is_program(longest.text)
    ):
        at = blocks.index(longest)
        inner = Builder()
        text = "\n".join(line.removeprefix("\t") for line in longest.text.split("\n"))
        read_markdown(
            inner,
            [
                Line(line.rstrip(), longest.place.first + nth)
                for nth, line in enumerate(text.split("\n"))
            ],
        )
        blocks[at : at + 1] = inner.root.children
        builder.dropped += inner.dropped
    opened: list[Block] = []
    for block in builder.root.children:
        opened += _opened(block) if block.kind == "table" else [block]
    builder.root.children = opened


def _is_program(text: str) -> bool:
    """Whether code is really code: hardly a line of it reads like a sentence."""
    lines = [line for line in text.split("\n") if line.strip()]
    return (
        sum(bool(re.search(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}", line)) for line in lines)
        < len(lines) / 4
    )


def _opened(table: Block) -> list[Block]:
    widest = max((len(row.children) for row in table.children), default=0)
    if widest > 1:
        return [table]
    return [block for row in table.children for cell in row.children for block in cell.children]


def note_of(quote: Block) -> tuple[str, str]:
    """What kind of note a quote is ("" if it is only quoted), and the words after its mark."""
    first = quote.children[0] if quote.children else None
    if quote.note:
        return quote.note, first.text if first else ""
    found = _NOTE.match(first.text) if first and first.kind == "text" else None
    if not found or not first:
        return "", first.text if first else ""
    kind = (
        "warning" if found[1].lower() in ("warning", "caution", "danger", "important") else "note"
    )
    return kind, first.text[found.end() :]
