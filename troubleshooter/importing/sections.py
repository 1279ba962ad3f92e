"""Sections: the blocks of an article under their headings, bold lines included."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import inline, words
from .article import Place
from .blocks import Block

_LONGEST_BOLD = 90  # characters of a bold line that may be a heading
_ROLE_LEVEL, _MARKED_LEVEL, _BOLD_LEVEL = 70, 75, 80  # below all real headings (10 to 60)


@dataclass(slots=True, eq=False)
class Section:
    """A heading with its own blocks and the sections below it.

    `title` is plain, `name` is the title without its number, `family` what it is numbered in,
    `role` what it is for. `level` is ten times that of a heading, more for bold lines.
    """

    title: str
    level: int
    place: Place
    name: str = ""
    family: str = ""
    role: str = ""
    blocks: list[Block] = field(default_factory=list)
    children: list["Section"] = field(default_factory=list)
    parent: "Section | None" = None

    @property
    def bold(self) -> bool:
        return self.level >= _ROLE_LEVEL

    def walk(self) -> Iterator["Section"]:
        yield self
        for child in self.children:
            yield from child.walk()

    def above(self) -> Iterator["Section"]:
        section = self.parent
        while section:
            yield section
            section = section.parent

    def span(self) -> Place:
        """From its heading to the end of all that is below it."""
        place = self.place
        for section in self.walk():
            place = place.to(section.place)
            for block in section.blocks:
                place = place.to(block.place)
        return place

    def texts(self) -> str:
        return " ".join(block.words() for section in self.walk() for block in section.blocks)


_LABELS = ("symptom", "cause", "resolution")
_PLAIN_LABEL = re.compile(r"^([^\W\d][\w ]{2,24}?)\s*[:：]\s+(?=\S)")


def _unlabelled(blocks: list[Block]) -> list[Block]:
    """Texts and points that begin with “Cause:” or “Solution:” become small sections."""
    out: list[Block] = []
    numbered = [block for block in blocks if block.kind == "text" and _numbered_lead(block)[0]]
    plain = sum(bool(_label(block.text, bold=False)[0]) for block in blocks if block.kind == "text")
    for block in blocks:
        if block.kind == "list" and len(block.children) > 1:
            labels = [
                _label(item.children[0].text if item.children else "", bold=True)
                for item in block.children
            ]
            if all(label for label, _rest in labels) and any(
                words.role(label) == "resolution" for label, _rest in labels
            ):
                for (label, rest), item in zip(labels, block.children, strict=True):
                    out += [
                        _heading(label, item),
                        Block("text", item.place, text=rest),
                        *item.children[1:],
                    ]
                continue
        label, rest = _label(block.text, bold=plain < 2) if block.kind == "text" else ("", "")
        if len(numbered) > 1 and block in numbered:
            label, rest = _numbered_lead(block)
        out += [_heading(label, block), Block("text", block.place, text=rest)] if label else [block]
    return [block for block in out if block.kind != "text" or block.text.strip()]


def _numbered_lead(block: Block) -> tuple[str, str]:
    """The bold words “Solution 2” that a text begins with, and the rest."""
    lead, rest = inline.bold_lead(block.text)
    lead = inline.plain(lead).rstrip(":： ")
    family = words.marker(lead)[0]
    if not rest.strip() or family not in (
        "fix",
        "method",
        "solution",
        "way",
        "workaround",
        "resolution",
    ):
        return "", block.text
    return lead, rest


def _heading(label: str, block: Block) -> Block:
    return Block("text", Place(block.place.first, block.place.first), text=f"**{label}**")


def _label(text: str, *, bold: bool) -> tuple[str, str]:
    """The label a text begins with and the rest, if it says what the text is for."""
    label, rest = inline.bold_lead(text)
    if not label and not bold and (found := _PLAIN_LABEL.match(text)):
        label, rest = found[1], text[found.end() :]
    label = inline.plain(label).rstrip(":： ")
    if not label or not rest.strip() or words.role(label) not in _LABELS:
        return "", text
    return (label, rest) if re.search(r"[:：]", text[: len(text) - len(rest)]) else ("", text)


def divide(blocks: list[Block]) -> Section:
    """The tree of sections of these blocks; its root has no title."""
    blocks = _unlabelled(blocks)
    root = Section("", 0, blocks[0].place if blocks else Place(1, 1))
    levels = _heading_levels(blocks)
    here = root
    for nth, block in enumerate(blocks):
        level = levels.get(nth)
        if level is None:
            here.blocks.append(block)
            continue
        title = _title_of(block)
        if _completes(here, title, level):
            here.title, here.name = f"{here.title} {title}", title
            here.place = here.place.to(block.place)
            continue
        here = _under(here, _section(title, level, block))
    return root


def _section(title: str, level: int, block: Block) -> Section:
    family, name = words.marker(title)
    if block.kind == "list" and block.ordered and not family:
        family = "n"
    return Section(title, level, block.place, name or title, family, words.role(name or title))


def _under(here: Section, new: Section) -> Section:
    """Put a new section where its level says; it is the one that is open now."""
    while here.level >= new.level and here.parent:
        here = here.parent
    new.parent = here
    here.children.append(new)
    return new


def _completes(here: Section, title: str, level: int) -> bool:
    """Whether a bold line is the title of a heading that is only “Solution 4”."""
    bare = here.family and here.name == here.title and not here.blocks and not here.children
    return bool(
        bare and level >= _ROLE_LEVEL and not words.marker(title)[0] and not words.role(title)
    )


def _title_of(block: Block) -> str:
    if block.kind == "list":
        return inline.plain(block.children[0].children[0].text).rstrip(":： ")
    return inline.plain(block.text).rstrip(":：" if block.kind == "text" else "").strip()


def _heading_levels(blocks: list[Block]) -> dict[int, int]:
    """The level of each block that is a heading, by its number."""
    levels = {nth: 10 * block.level for nth, block in enumerate(blocks) if block.kind == "heading"}
    families: dict[str, int] = {}
    for nth, level in levels.items():
        family = words.marker(inline.plain(blocks[nth].text))[0]
        if family:
            families.setdefault(family, level)
    plain: dict[int, str] = {}
    role = ""  # of the bold line or heading above
    for nth, block in enumerate(blocks):
        if nth in levels or not _can_head(blocks, nth):
            role = "" if nth in levels else role
            continue
        title = _title_of(block)
        family = words.marker(title)[0]
        if block.kind == "list" or inline.is_bold(block.text):
            levels[nth] = families.get(family, _bold_level(title, family, role))
            role = words.role(title) or role
        elif family in ("fix", "method", "solution", "way", "option", "workaround", "resolution"):
            plain[nth] = family
    for nth, family in plain.items():
        if list(plain.values()).count(family) > 1 or family in families:
            levels[nth] = families.get(family, _MARKED_LEVEL)
    return levels


def _bold_level(title: str, family: str, above: str) -> int:
    """The level of a bold line below one with the role `above`: a remedy is no part of a cause."""
    if family:
        return _ROLE_LEVEL if above in ("cause", "symptom", "about") else _MARKED_LEVEL
    return _ROLE_LEVEL if words.role(title) else _BOLD_LEVEL


def _can_head(blocks: list[Block], nth: int) -> bool:
    """Whether a block that is no heading could be one: a short line above some content."""
    block = blocks[nth]
    if nth + 1 >= len(blocks):
        return False
    if block.kind == "list":
        return _is_heading_item(block, blocks[nth + 1])
    if block.kind != "text" or "\n" in block.text.strip() or inline.pictures(block.text):
        return False
    title = inline.plain(block.text)
    if (
        not 2 <= len(title) <= _LONGEST_BOLD
        or words.NOTE_START.match(block.text)
        or title.endswith((",", ";"))
    ):
        return False
    if inline.is_bold(block.text):
        sentence = re.search(r"[.!。]$", title) and not words.marker(title)[0] and len(title) > 50
        return not sentence and not re.match(
            r"^(?:note|tip|hint|important)\b", title, re.IGNORECASE
        )
    return bool(words.marker(title)[0]) and not title.endswith((".", "。"))


def _is_heading_item(block: Block, following: Block) -> bool:
    """A list of one bold item above a text: a heading that happens to be numbered."""
    if len(block.children) != 1 or (
        following.kind == "list" and following.ordered == block.ordered
    ):
        return False
    item = block.children[0]
    if len(item.children) != 1 or item.children[0].kind != "text":
        return False
    text = item.children[0].text
    return inline.is_bold(text) and len(inline.plain(text)) <= _LONGEST_BOLD
