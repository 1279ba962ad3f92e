"""Fixes that are smaller than a section: rows, points, and lists with a sentence above them."""

import re

from django.utils.translation import gettext as _

from . import inline, words
from .article import MOST
from .blocks import Block
from .chosen import Chosen, block_acts, has_steps
from .sections import Section

# --- Rows of a table, bullets with a bold start ---


def rows(root: Section) -> list[Chosen]:
    chosen: list[Chosen] = []
    for section in root.walk():
        if section.role in ("related", "about", "question", "prerequisite", "closing"):
            continue
        for block in section.blocks:
            if block.kind == "table":
                chosen += row_fixes(block)
    if len(chosen) < 2:
        return []
    outside = [
        s
        for s in root.walk()
        for b in s.blocks
        if b.kind == "list" and b.ordered and s.role not in words.NOT_A_FIX
    ]
    return chosen if len(outside) < 2 else []


def row_fixes(table: Block) -> list[Chosen]:
    """The fixes of a table whose head names causes and solutions."""
    if len(table.children) < 2:
        return []
    heads = [cell.words() for cell in table.children[0].children]
    cure = next(
        (
            nth
            for nth, head in enumerate(heads)
            if nth and len(head) < 60 and words.CURE_HEAD.search(head)
        ),
        None,
    )
    cause = next(
        (
            nth
            for nth, head in enumerate(heads)
            if nth != cure and len(head) < 60 and words.CAUSE_HEAD.search(head)
        ),
        None,
    )
    if cure is None or cause is None:
        return []
    return [
        _row_fix(row, cause, cure, heads)
        for row in table.children[1:]
        if len(row.children) > max(cause, cure) and row.children[cure].words()
    ]


def _row_fix(row: Block, cause: int, cure: int, heads: list[str]) -> Chosen:
    cells = row.children
    title = cells[cause].words() or cells[0].words()
    reason = _("A row of a table of causes and solutions.")
    one = Chosen(title, row.place, [("", cells[cure].children)], [reason], 0.75)
    if len(title) > MOST["title"]:
        one.why = list(cells[cause].children)
    for nth, cell in enumerate(cells):
        if nth not in (cause, cure) and cell.words():
            head = f"**{heads[nth]}**" if nth < len(heads) and heads[nth] else ""
            one.why += [Block("text", cell.place, text=head), *cell.children]
    return one


def bold_bullets(section: Section) -> list[Chosen]:
    """The bullets of a section, if each begins with bold words that say what to do."""
    chosen = []
    for block in section.blocks:
        if block.kind != "list" or len(block.children) < 3:
            continue
        leads = [
            inline.bold_lead(item.children[0].text if item.children else "")
            for item in block.children
        ]
        good = [
            lead
            for lead, rest in leads
            if lead and not words.OTHER_SYSTEM.match(lead) and not inline.PICTURE.search(lead)
        ]
        if len(good) < len(leads) or (
            block.ordered and not all(len(item.words()) > 120 for item in block.children)
        ):
            continue
        if sum(
            rest.strip() != "" or len(item.children) > 1
            for (_l, rest), item in zip(leads, block.children, strict=True)
        ) < 0.8 * len(leads):
            continue
        if not sum(words.is_order(inline.plain(lead)) for lead in good) > len(good) / 2:
            continue
        for (lead, rest), item in zip(leads, block.children, strict=True):
            first = Block("text", item.place, text=rest)
            blocks = [*([first] if rest.strip() else []), *item.children[1:]]
            title = inline.plain(lead).rstrip(":：. ")
            chosen.append(
                Chosen(
                    title,
                    item.place,
                    [("", blocks)],
                    [_("A point that begins with bold words.")],
                    0.6,
                )
            )
    return chosen


# --- No headings at all ---


def leads(root: Section) -> list[Chosen]:
    """Each list of steps with the sentence above it; else the text as a whole."""
    bullets = bold_bullets(root)
    if len(bullets) > 2 and not has_steps(root.blocks):
        return bullets
    usable = [section for section in root.walk() if section.role not in words.NOT_A_FIX]
    blocks = [block for section in usable for block in section.blocks]
    if not any(block_acts(block) for block in blocks):
        return []
    starts = _starts(blocks)
    if not starts:
        title = next(
            (section.title for section in root.walk() if section.title and section in usable), ""
        )
        place = blocks[0].place.to(blocks[-1].place)
        return [
            Chosen(title, place, [("", blocks)], [_("The only text that says what to do.")], 0.5)
        ]
    return [
        _lead(blocks[start:end])
        for start, end in zip(starts, [*starts[1:], len(blocks)], strict=True)
    ]


def _starts(blocks: list[Block]) -> list[int]:
    """Where a fix begins: at the sentence above a list that starts anew."""
    starts: list[int] = []
    for nth, block in enumerate(blocks):
        if (
            block.kind != "list"
            or not block.ordered
            or (starts and block.children and block.children[0].number > 1)
        ):
            continue
        above = nth - 1
        while (
            above >= 0
            and blocks[above].kind == "text"
            and not inline.plain(inline.without_pictures(blocks[above].text))
        ):
            above -= 1
        sentence = above >= 0 and blocks[above].kind == "text"
        if starts and not sentence:
            continue
        starts.append(above if sentence else nth)
    return starts


def _lead(blocks: list[Block]) -> Chosen:
    first = blocks[0]
    place = first.place.to(blocks[-1].place)
    text = inline.plain(first.text) if first.kind == "text" else ""
    sentence = re.split(r"(?<=[.!?。])\s*", text.rstrip(":： "))[-1] if text else ""
    return Chosen(
        sentence, place, [("", blocks)], [_("A list of steps with a sentence above it.")], 0.55
    )
