"""Blocks written back as Markdown, the way our renderer takes it."""

from . import inline, words
from .article import ArticlePicture, Passage
from .blocks import Block
from .outline import note_of


def pictures_of(blocks: list[Block]) -> list[ArticlePicture]:
    """Every picture in these blocks."""
    return [
        ArticlePicture(picture.address, picture.alt, each.place)
        for block in blocks
        for each in block.walk()
        if each.kind != "code" and "![" in each.text
        for picture in inline.pictures(each.text)
    ]


def line(text: str) -> str:
    """Text of a block without pictures; lines of it stay lines."""
    lines = [each.strip() for each in inline.without_pictures(text).split("\n")]
    return "\n".join(each for each in lines if each)


def markdown(blocks: list[Block]) -> str:
    """These blocks as Markdown, without pictures."""
    return "\n\n".join(text for text in (_block(block) for block in blocks) if text)


def _block(block: Block) -> str:
    if block.kind in ("text", "heading"):
        return line(block.text)
    if block.kind == "code":
        return code(block.text)
    if block.kind == "list":
        return "\n".join(
            _item(item, nth if block.ordered else 0)
            for nth, item in enumerate(block.children, start=1)
        )
    if block.kind == "quote":
        return quoted(block)
    if block.kind == "table":
        return "\n\n".join(text for row in block.children if (text := _row(row)))
    return markdown(block.children)


def code(text: str) -> str:
    """Code between fences that do not occur in it; one short line as a span."""
    if "\n" not in text and "`" not in text and len(text) < 200:
        return f"`{text.strip()}`"
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def _item(item: Block, number: int) -> str:
    mark = f"{number}. " if number else "- "
    first, *rest = (markdown(item.children) or " ").replace("\n\n", "\n").split("\n")
    indent = " " * len(mark)
    return "\n".join([f"{mark}{first}", *(f"{indent}{each}" for each in rest)])


def quoted(block: Block) -> str:
    _kind, first = note_of(block)
    body = (
        [Block("text", block.place, text=first), *block.children[1:]] if first else block.children
    )
    return "\n".join(f"> {each}".rstrip() for each in markdown(body).split("\n"))


def _row(row: Block) -> str:
    """A row of a table as one line: the first cell bold, for there are no tables in a guide."""
    cells = [markdown(cell.children).replace("\n\n", "\n") for cell in row.children]
    cells = [cell for cell in cells if cell]
    if not cells:
        return ""
    first = (
        cells[0] if "**" in cells[0] or "\n" in cells[0] or "`" in cells[0] else f"**{cells[0]}**"
    )
    return f"{first}: {' – '.join(cells[1:])}" if len(cells) > 1 else cells[0]


def note(block: Block) -> Passage | None:
    """A note or warning that a block is, or nothing."""
    if block.kind == "quote":
        kind, first = note_of(block)
        found = words.NOTE_START.match(first)
        if not kind and not found:
            return None
        if found:
            first = first[found.end() :]
            kind = "warning" if words.WARNING_START.match(found[0]) else kind or "note"
        body = (
            [Block("text", block.place, text=first), *block.children[1:]] if block.children else []
        )
        return Passage(kind, "", markdown(body), block.place)
    if block.kind == "text" and (found := words.NOTE_START.match(block.text)):
        kind = "warning" if words.WARNING_START.match(found[0]) else "note"
        return Passage(kind, "", line(_rebold(block.text, found.end())), block.place)
    return None


def _rebold(text: str, start: int) -> str:
    """The text from `start`, with a bold mark whose partner was cut off made whole."""
    rest = text[start:].lstrip("*_ ") if text[:start].count("**") % 2 else text[start:]
    return rest if rest.count("**") % 2 == 0 else f"**{rest}"
