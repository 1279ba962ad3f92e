"""The steps of a fix, and what stands around them: why it helps, notes, pictures.

If a fix has numbered lists, all of their points are its steps; else points that are instructions;
else small headings called “Step N”; else the paragraphs that say what to do.
"""

import re
from dataclasses import dataclass, field, replace

from . import inline, words, writing
from .article import MOST, ArticlePicture, ArticleStep, Passage
from .blocks import Block

_LETTER = re.compile(r"^\W{0,2}([a-h])[.)]\s+", re.IGNORECASE)
_RUN_ON = re.compile(r"(?:(?<=\s)|^)\(?([a-h])\)\s+")
_MOST_PROSE = 3  # steps that are made of prose


@dataclass(slots=True)
class Steps:
    """What became of the blocks of a fix."""

    steps: list[ArticleStep] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    notes: list[Passage] = field(default_factory=list)
    pictures: list[ArticlePicture] = field(default_factory=list)
    kind: str = "prose"

    def take_pictures(self, pictures: list[ArticlePicture]) -> None:
        """Pictures belong to the step above them, before the first to the fix."""
        if self.steps and pictures:
            last = self.steps[-1]
            self.steps[-1] = replace(last, pictures=(*last.pictures, *pictures))
        else:
            self.pictures += pictures


Groups = list[tuple[str, list[Block]]]


def steps_of(groups: Groups) -> Steps:
    """The steps of a fix from its groups of blocks, each with a heading that may be empty."""
    ordered = _chosen_lists(groups, ordered=True)
    if ordered and (taken := _by_lists(groups, ordered, "list")).steps:
        return taken
    lettered = [(heading, _lettered(blocks)) for heading, blocks in groups]
    letters = _chosen_lists(lettered, ordered=True)
    if letters and (taken := _by_lists(lettered, letters, "list")).steps:
        return taken
    numbered = [words.marker(heading)[0] in ("step", "n") for heading, _blocks in groups if heading]
    if sum(numbered) > 1:
        return _by_headings(groups)
    bullets = _chosen_lists(groups, ordered=False)
    if bullets and (taken := _by_lists(groups, bullets, "bullets")).steps:
        return taken
    return _by_prose(groups)


def _chosen_lists(groups: Groups, *, ordered: bool) -> set[int]:
    """The lists whose points are steps, by identity. A list that counts on is what it continues."""
    chosen: list[Block] = []
    before = 0  # the last number of the list before, if that one was chosen
    for heading, blocks in groups:
        lead = heading
        for block in blocks:
            if block.kind == "text":
                lead = inline.plain(block.text) or lead
            elif block.kind == "list" and block.ordered == ordered and block.children:
                counts_on = (
                    ordered and before and block.children[0].number in (before + 1, before + 2)
                )
                if counts_on or _are_steps(block, lead):
                    chosen.append(block)
                    before = max(block.children[-1].number, len(block.children))
    return {id(block) for block in chosen}


def _are_steps(block: Block, lead: str) -> bool:
    """Whether the points of a list are steps, by what they say and by the sentence above."""
    texts = [text for item in block.children if (text := item.words())] or [""]
    orders = sum(map(words.is_order, texts))
    other = lead.rstrip().endswith((":", "：")) and words.lists_other(lead)
    if block.ordered:
        return not (other and orders < len(texts) / 2)
    firsts = [item.children[0].text if item.children else "" for item in block.children]
    plain = sum(
        words.is_plain_order(inline.plain(text)) or bool(words.PATH.search(text)) for text in firsts
    )
    if other and plain < 0.7 * len(texts):
        return False
    if words.leads_to_steps(lead) and orders + sum(map(words.advises, texts)) > 0:
        return True
    if plain < len(texts) and all(map(inline.is_links_only, firsts)):
        return False
    advised = sum(words.is_order(text) or words.advises(text) for text in texts)
    return plain >= 0.5 * len(texts) or advised >= 0.5 * len(texts) + 0.5


# --- Lists ---


def _by_lists(groups: Groups, chosen: set[int], kind: str) -> Steps:
    taken = Steps(kind=kind)
    for heading, blocks in groups:
        heading = heading if heading else ""
        for nth, block in enumerate(blocks):
            if id(block) in chosen:
                _take_list(taken, block, heading)
                heading = ""
            elif block.kind == "text" and _leads_group(blocks, nth, chosen) and taken.steps:
                text = inline.plain(block.text).rstrip(":： ")
                heading = _joined(heading, text)
            else:
                _take_other(taken, block, continues=_continues(blocks, nth, chosen))
        if heading and not any(id(block) in chosen for block in blocks):
            _mention(taken, heading, blocks)
    return taken


def _joined(heading: str, text: str) -> str:
    both = f"{heading}: {text}" if heading else text
    return both if len(both) <= MOST["heading"] else heading or text


def _mention(taken: Steps, heading: str, blocks: list[Block]) -> None:
    """A group without steps of its own: its heading goes with its text."""
    place = blocks[0].place if blocks else None
    if place:
        taken.notes.append(Passage("heading", heading, "", place))


def _leads_group(blocks: list[Block], nth: int, chosen: set[int]) -> bool:
    """Whether a text is a short sentence right above a list of steps."""
    text = inline.plain(blocks[nth].text)
    below = next(
        (
            b
            for b in blocks[nth + 1 :]
            if b.kind != "text" or inline.plain(inline.without_pictures(b.text))
        ),
        None,
    )
    return (
        below is not None
        and id(below) in chosen
        and len(text) <= MOST["heading"]
        and bool(text)
        and _restarts(below)
    )


def _restarts(block: Block) -> bool:
    return not block.ordered or not block.children or block.children[0].number <= 1


def _continues(blocks: list[Block], nth: int, chosen: set[int]) -> bool:
    """Whether the next list goes on counting, so that what is between belongs to the step above."""
    below = next((block for block in blocks[nth + 1 :] if id(block) in chosen), None)
    return below is not None and not _restarts(below)


def _take_list(taken: Steps, block: Block, heading: str) -> None:
    for item in block.children:
        step = _step(item)
        if step:
            taken.steps.append(replace(step, heading=heading))
            heading = ""


def _step(item: Block) -> ArticleStep | None:
    """An item as a step: its text, with the points of lists in it as children."""
    texts: list[Block] = []
    children: list[ArticleStep] = []
    for block in item.children:
        if block.kind == "list" and not children:
            children = [step for each in block.children if (step := _step(each))]
        elif block.kind == "list":
            children += [step for each in block.children if (step := _step(each))]
        elif children:
            more = writing.markdown([block])
            if more:
                children[-1] = replace(children[-1], text=f"{children[-1].text}\n\n{more}".strip())
        else:
            texts.append(block)
    pictures = writing.pictures_of([block for block in item.children if block.kind != "list"])
    text = writing.markdown(texts)
    if not text and pictures:
        text = next((picture.alt for picture in pictures if picture.alt), "")
    if not text and not children and not pictures:
        return None
    return ArticleStep(text, item.place, "", tuple(children), tuple(pictures))


def _take_other(taken: Steps, block: Block, *, continues: bool) -> None:
    """What is not a step: a picture, a note, why it helps, or a part of the step above."""
    if pictures := writing.pictures_of([block]):
        taken.take_pictures(pictures)
    if note := writing.note(block):
        taken.notes.append(note)
        return
    text = writing.markdown([block])
    if not text:
        return
    if not taken.steps:
        taken.why.append(text)
    elif continues or (block.kind == "text" and _LETTER.match(text)):
        last = taken.steps[-1]
        taken.steps[-1] = replace(last, text=f"{last.text}\n\n{text}")
    else:
        taken.notes.append(Passage("after", "", text, block.place))


def _lettered(blocks: list[Block]) -> list[Block]:
    """Paragraphs that begin with a), b), c) as a list; so, too, where they run on in one line."""
    out: list[Block] = []
    for block in blocks:
        parts = _letters(block.text) if block.kind == "text" else []
        if not parts:
            out.append(block)
            continue
        if not out or out[-1].kind != "list" or not out[-1].ordered:
            out.append(Block("list", block.place, ordered=True))
        items = out[-1].children
        for part in parts:
            item = Block("item", block.place, number=len(items) + 1)
            item.children.append(Block("text", block.place, text=part))
            items.append(item)
    return (
        [
            b
            for b in out
            if not (b.kind == "list" and b.ordered and b not in blocks and len(b.children) < 2)
        ]
        if len(out)
        else out
    )


def _letters(text: str) -> list[str]:
    found = list(_RUN_ON.finditer(text))
    if (
        len(found) > 1
        and [each[1].lower() for each in found] == list("abcdefgh")[: len(found)]
        and not found[0].start()
    ):
        ends = [*(each.start() for each in found[1:]), len(text)]
        return [text[each.end() : end].strip() for each, end in zip(found, ends, strict=True)]
    single = _LETTER.match(text)
    return [text[single.end() :]] if single else []


# --- Headings and prose ---


def _by_headings(groups: Groups) -> Steps:
    """Small headings “Step 1”, “Step 2” are the steps, with the text below them."""
    taken = Steps(kind="headings")
    for heading, blocks in groups:
        family, name = words.marker(heading)
        if family not in ("step", "n") or not blocks:
            for block in blocks:
                _take_other(taken, block, continues=False)
            continue
        text = writing.markdown([b for b in blocks if not writing.note(b)])
        bold = f"**{name}**" if name != heading else ""
        place = blocks[0].place.to(blocks[-1].place)
        step = ArticleStep(
            "\n\n".join(filter(None, (bold, text))),
            place,
            "",
            (),
            tuple(writing.pictures_of(blocks)),
        )
        taken.steps.append(step)
        taken.notes += [note for block in blocks if (note := writing.note(block))]
    return taken


def _by_prose(groups: Groups) -> Steps:
    """Paragraphs that say what to do are the steps; what is above them tells why."""
    taken = Steps()
    for heading, blocks in groups:
        for block in blocks:
            text = writing.markdown([block])
            taken_here = bool(text) and not writing.note(block) and _tells(block)
            if taken_here and len(taken.steps) < _MOST_PROSE:
                taken.steps.append(
                    ArticleStep(text, block.place, heading, (), tuple(writing.pictures_of([block])))
                )
                heading = ""
            elif taken_here or (block.kind == "code" and taken.steps):
                last = taken.steps[-1]
                text = f"**{heading}**\n\n{text}" if heading else text
                heading = ""
                taken.steps[-1] = replace(
                    last, text=f"{last.text}\n\n{text}", place=last.place.to(block.place)
                )
            else:
                if heading and text:
                    taken.why.append(f"**{heading}**")
                    heading = ""
                _take_other(taken, block, continues=False)
    if (
        not taken.steps and taken.why
    ):  # nothing reads like an instruction: the last text is the step
        blocks = [block for _h, blocks in groups for block in blocks]
        taken.steps.append(ArticleStep(taken.why.pop(), blocks[-1].place))
    return taken


def _tells(block: Block) -> bool:
    """Whether a paragraph says what to do."""
    if block.kind == "list":
        return False
    if block.kind != "text":
        return False
    text = inline.plain(block.text)
    sentences = re.split(r"(?<=[.!?。:：])\s*", text)
    orders = any(words.is_plain_order(each) for each in sentences if len(each) > 3)
    return orders or bool(words.PATH.search(block.text)) or words.advises(text)
