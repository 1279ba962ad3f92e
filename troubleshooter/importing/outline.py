"""From a source to the tree of its blocks."""

import re
from typing import Any

from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.common.utils import normalizeReference
from markdown_it.token import Token

from . import cleaning, inline
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
        lines, builder.dropped = cleaning.without_blocks(
            cleaning.lines_of(source.body, source.first), fenced=False
        )
        page.feed("\n".join(line.text for line in lines), lines=[line.number for line in lines])
        page.finish()
        builder.close_all(source.first + source.body.count("\n"))
        _outside_main(builder)
    else:
        page = None
        read_markdown(builder, cleaning.lines_of(source.body, source.first))
    _unwrap(builder)
    builder.root.children = _as_lists(builder.root.children)
    builder.root.children = [block for block in builder.root.children if _has_content(block)]
    return builder, page


def read_markdown(builder: Builder, lines: list[Line]) -> None:
    lines, dropped = cleaning.clean(lines)
    builder.dropped += dropped
    found: dict[str, Any] = {}
    tokens = _parser.parse("\n".join(line.text for line in lines), found)
    reader = _Reader(builder, lines, found.get("references", {}))
    for nth, token in enumerate(tokens):
        reader.take(token, tokens[nth + 1] if nth + 1 < len(tokens) else None)
    reader.finish()
    _list_unread(builder, lines, tokens)


def _list_unread(builder: Builder, lines: list[Line], tokens: list[Token]) -> None:
    """Lines that the parser skipped, as it does with what is nested too deeply."""
    read: set[int] = set()
    for token in tokens:
        if token.map and token.type in _LEAVES:
            read.update(range(*token.map))
    skipped = [
        line
        for nth, line in enumerate(lines)
        if nth not in read and _WORD.search(line.text) and not _REFERENCE.match(line.text)
    ]
    if skipped:
        text = "\n".join(line.text.strip() for line in skipped)
        place = Place(skipped[0].number, skipped[-1].number)
        builder.drop(text, _("nested too deeply to be read"), place)


_LEAVES = {"inline", "fence", "code_block", "html_block", "hr", "heading_open", "table_open"}
_WORD = re.compile(r"\w")
_REFERENCE = re.compile(r"\s{0,3}\[[^\[\]]+\]:")
_REFERRED = re.compile(r"(?<![!\]])\[([^\[\]\n]{1,400})\]\[([^\[\]\n]{0,200})\]")


class _Reader:
    """Tells the builder what the tokens say."""

    def __init__(self, builder: Builder, lines: list[Line], references: dict[str, Any]) -> None:
        self.builder = builder
        self.references = references
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
            builder.leaf("text", self._resolved(following.content), self.place)
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

    def _resolved(self, text: str) -> str:
        """Links by reference with the address they refer to."""
        if not self.references or "][" not in text:
            return text
        return _REFERRED.sub(self._link, text)

    def _link(self, found: re.Match[str]) -> str:
        target = self.references.get(normalizeReference(found[2] or found[1]))
        return f"[{found[1]}]({target['href']})" if target else found[0]

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
        first, last = token.map or (0, 1)
        numbers = [line.number for line in self.lines[first:last]]
        self.page.feed(token.content, lines=numbers or [self.place.first])
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
        above = max((block.level for block in blocks[:at] if block.kind == "heading"), default=0)
        for block in inner.root.children:
            block.level = min(block.level + above, 9) if block.kind == "heading" else block.level
        blocks[at : at + 1] = inner.root.children
        builder.dropped += inner.dropped
    opened: list[Block] = []
    for block in builder.root.children:
        opened += _opened(block) if block.kind == "table" else [block]
    builder.root.children = opened


_STARTS = (
    (re.compile(r"\(?(\d{1,2})\s?\\?[.)）、．]\s*(?=[^\d\s.])"), True),
    (re.compile(r"\*\*\(?(\d{1,2})\s?\\?[.)）]\s?\*\*\s*(?=\S)"), True),
    (re.compile(r"\*\*(?=\(?(\d{1,2})\s?\\?[)）].*\*\*.*\w)"), True),
    (
        re.compile(r"(?:step|schritt|paso|手順)\s(\d{1,2})\s?[:.)：–-]\s*(?=\S)", re.IGNORECASE),
        True,
    ),
    (re.compile(r"([•·▪◦‣])\s*(?=\S)"), False),
)
_BOLD_NUMBER = re.compile(r"^\(?\d{1,2}\s?\\?[)）]\s*")
_PICTURES_FIRST = re.compile(
    r"((?:\[?!\[[^\[\]]{0,500}\]\([^()]{0,2000}\)(?:\]\([^()]{0,2000}\))?\s*)+)(?=\S)"
)


def _as_lists(blocks: list[Block]) -> list[Block]:
    """Paragraphs that begin with a number or a dot, as word processors write lists."""
    out: list[Block] = []
    for block in blocks:
        match, ordered, text = _start(block)
        if not match:
            out.append(block)
            continue
        if before := block.text[: len(block.text) - len(text)].strip():
            out.append(Block("text", block.place, text=before))
        rest = text[match.end() :]
        if match[0] == "**":  # the number and the first words are bold together
            rest = f"**{_BOLD_NUMBER.sub('', rest)}"
        item = Block("item", block.place, number=int(match[1]) if ordered else 0)
        item.children.append(Block("text", block.place, text=inline.tidy(rest)))
        last = out[-1] if out else None
        if not (last and last.kind == "list" and last.ordered == ordered and last.note == "made"):
            out.append(Block("list", block.place, ordered=ordered, note="made"))
        out[-1].children.append(item)
        out[-1].place = out[-1].place.to(block.place)
    return out


def _start(block: Block) -> tuple[re.Match[str] | None, bool, str]:
    """The number or dot that a paragraph begins with, after pictures, and the text from there."""
    if block.kind != "text" or inline.is_bold(block.text):
        return None, False, ""
    pictures = _PICTURES_FIRST.match(block.text)
    for text in (block.text, block.text[pictures.end() :] if pictures else ""):
        for pattern, ordered in _STARTS:
            if match := pattern.match(text):
                return match, ordered, text
    return None, False, ""


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
