"""A fix to be, and the evidence that a piece of an article tells what to do."""

import re
from dataclasses import dataclass, field

from . import words
from .article import Place
from .blocks import Block
from .sections import Section

HOLDS = ("resolution", "methods")  # roles of sections that hold fixes


@dataclass(slots=True)
class Chosen:
    """A fix to be: its title (plain), and groups of blocks, each with a heading (may be empty)."""

    title: str
    place: Place
    groups: list[tuple[str, list[Block]]]
    reasons: list[str] = field(default_factory=list)
    sure: float = 0.5
    sections: list[Section] = field(default_factory=list)  # that are used up by it
    why: list[Block] = field(default_factory=list)


def acts(section: Section) -> bool:
    """Whether a section tells what to do: steps, instructions in bullets, or advice."""
    return any(block_acts(block) for each in section.walk() for block in each.blocks)


def block_acts(block: Block) -> bool:
    if block.kind == "list":
        return block.ordered or any(
            words.is_order(item.words()) or words.advises(item.words()) for item in block.children
        )
    if block.kind == "code":
        return True
    text = block.words()
    return words.advises(text) or any(
        words.is_plain_order(each) for each in re.split(r"(?<=[.!?。])\s*", text)[:12]
    )


def has_steps(blocks: list[Block]) -> bool:
    return any(block.kind == "list" and block.ordered for block in blocks)


def inside(section: Section, *roles: str) -> bool:
    return any(above.role in roles for above in section.above())


def whole(section: Section, reason: str, sure: float, title: str = "") -> Chosen:
    """A section with all below it as one fix."""
    named = section.title if section.family in ("issue", "cause", "check") else section.name
    chosen = Chosen(
        title or named or section.title,
        section.span(),
        [],
        [reason],
        sure,
        list(section.walk()),
    )
    for each in section.walk():
        if each is not section and each.role in (
            "cause",
            "symptom",
            "about",
            "related",
            "prevention",
            "closing",
        ):
            chosen.why += each.blocks
        elif each is section:
            chosen.groups.append(("", each.blocks))
        else:
            heading = "" if each.role in HOLDS else each.title
            chosen.groups.append((heading, each.blocks))
    return chosen
