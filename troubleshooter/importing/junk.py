"""What is in the text of a source but is no part of its article, block by block."""

import re
from collections.abc import Callable

from django.utils.translation import gettext as _

from . import inline, leftovers, words
from .article import Dropped
from .blocks import Block

_MANY_HEADINGS = 300


def without_junk(blocks: list[Block]) -> tuple[list[Block], list[Dropped]]:
    """The blocks that are the article, and what was left out with the reason."""
    dropped: list[Dropped] = []

    def drop(block: Block, reason: str) -> None:
        text = block.words() or " ".join(picture.address for picture in inline.pictures(block.text))
        dropped.append(Dropped(text, reason, block.place))

    blocks = _without_menu(_without_lines(blocks, drop), drop)
    blocks = _without_contents(_without_sections(blocks, drop), drop)
    blocks = _without_also_read(blocks, drop)
    blocks = _without_footer(blocks, drop)
    return _without_link_lists(blocks, drop), dropped


Drop = Callable[[Block, str], None]


def _without_lines(blocks: list[Block], drop: Drop) -> list[Block]:
    kept = []
    for block in blocks:
        text = inline.plain(block.text) if block.kind in ("text", "heading") else ""
        reason = _line_reason(block, text) if text else ""
        if reason:
            drop(block, reason)
        else:
            kept.append(_without_inner(block, drop))
    return kept


def _without_menu(blocks: list[Block], drop: Drop) -> list[Block]:
    """Links above the first heading: the menu of a site."""
    first = next((nth for nth, block in enumerate(blocks) if block.kind == "heading"), 0)
    kept = []
    for block in blocks[:first]:
        if block.kind in ("list", "text") and _links_in(block) > 2 and _is_links(block):
            drop(block, _("site navigation"))
        else:
            kept.append(block)
    return kept + blocks[first:]


def _links_in(block: Block) -> int:
    return sum(len(inline.links(each.text)) for each in block.walk() if each.kind != "code")


def _without_inner(block: Block, drop: Drop) -> Block:
    """The same for what stands inside of lists and cells, where only leftovers are sought."""
    for child in list(block.children):
        if (
            child.kind == "text"
            and child.text
            and leftovers.LEFTOVER.fullmatch(inline.plain(child.text))
            and len(block.children) > 1
            and block.kind == "item"
        ):
            drop(child, _("left over from a gallery or a button"))
            block.children.remove(child)
        else:
            _without_inner(child, drop)
    return block


def _line_reason(block: Block, text: str) -> str:
    if block.kind == "heading":
        return (
            _("left over from a gallery or a button")
            if text.lower() in ("close", "share", "menu")
            else ""
        )
    if len(text) > 300:
        return ""
    if not re.search(r"\w", text):
        return _("no words") if text else ""
    links = inline.links(block.text)
    if leftovers.LEFTOVER.fullmatch(text):
        return _("left over from a gallery or a button")
    if leftovers.HELPFUL.match(text):
        return _("a question about this page")
    if leftovers.TAGS.match(text):
        return _("tags")
    if leftovers.AUTHOR.search(text) and len(text) < 200:
        return _("about the author")
    if links and leftovers.CRUMBS.match(text) and len(text) < 200:
        return _("site navigation")
    if len(links) > 2 and inline.is_links_only(block.text) and "\n" not in block.text.strip():
        return _("site navigation")
    if leftovers.ALSO.match(text) and links and len(text) < 300:
        return _("“also read”")
    return ""


def _without_sections(blocks: list[Block], drop: Drop) -> list[Block]:
    """Sections whose heading says that they are no part of the article: comments, the author."""
    kept = []
    level = 0  # of the heading whose section goes
    for block in blocks:
        if block.kind == "heading":
            if level and block.level <= level:
                level = 0
            if not level and words.role(inline.plain(block.text)) == "junk":
                level = block.level
        if level:
            drop(block, _("not a part of the article, as its heading says"))
        else:
            kept.append(block)
    return kept


def _same(text: str, title: str) -> bool:
    return bool(text) and (
        text == title
        or (
            len(text) > 12
            and (title.startswith(text) or text.startswith(title))
            and abs(len(text) - len(title)) < 12
        )
    )


def _key(title: str) -> str:
    return re.sub(r"[\W_]+", "", words.marker(title)[1].casefold())


def _without_contents(blocks: list[Block], drop: Drop) -> list[Block]:
    """Tables of contents: lists of links to places in the page, or of what its headings say."""
    titles = {
        _key(inline.plain(b.text))
        for b in blocks
        if b.kind == "heading" or (b.kind == "text" and inline.is_bold(b.text))
    }
    titles = set(list(titles)[:_MANY_HEADINGS]) - {""}
    kept = []
    for block in blocks:
        entries = _entries(block)
        if len(entries) > 1 and _is_contents(entries, titles):
            drop(block, _("table of contents"))
        else:
            kept.append(block)
    return [b for nth, b in enumerate(kept) if not _heads_contents(kept, nth, drop)]


def _heads_contents(blocks: list[Block], nth: int, drop: Drop) -> bool:
    block = blocks[nth]
    if block.kind not in ("heading", "text") or words.role(inline.plain(block.text)) != "contents":
        return False
    following = blocks[nth + 1] if nth + 1 < len(blocks) else None
    empty = following is None or following.kind == "heading"
    if empty or block.kind == "heading":
        if empty:
            drop(block, _("table of contents"))
        return empty
    return False


def _entries(block: Block) -> list[str]:
    """The texts of a list, or of a paragraph that is lines of links."""
    if block.kind == "list":
        return [each.text for item in block.children for each in _first_texts(item)]
    if block.kind == "text" and inline.is_links_only(block.text):
        return [f"[{text}]({address})" for text, address in inline.links(block.text)]
    return []


def _first_texts(item: Block) -> list[Block]:
    """The text of an item and of the items of lists in it."""
    texts = [child for child in item.children if child.kind == "text"][:1]
    for child in item.children:
        if child.kind == "list":
            texts += [text for inner in child.children for text in _first_texts(inner)]
    return texts


def _is_contents(entries: list[str], titles: set[str]) -> bool:
    anchors = equal = 0
    for entry in entries[:_MANY_HEADINGS]:
        links = inline.links(entry)
        key = _key(inline.plain(entry))
        anchors += bool(
            links
            and links[0][1].startswith("#")
            and len(links[0][0]) > 0.5 * len(inline.plain(entry))
        )
        equal += key in titles or (len(key) > 12 and any(_same(key, title) for title in titles))
    return anchors > 0.7 * len(entries) or (equal >= 2 and equal > 0.6 * len(entries))


def _is_links(block: Block) -> bool:
    """Whether a block is nothing but links and pictures."""
    if block.kind == "list":
        texts = [each for item in block.children for each in item.walk() if each.text]
        return bool(texts) and all(inline.is_links_only(each.text) for each in texts)
    if block.kind == "text":
        return inline.is_links_only(block.text) or not inline.plain(
            inline.without_pictures(block.text)
        )
    return block.kind == "rule"


def _without_also_read(blocks: list[Block], drop: Drop) -> list[Block]:
    """A line “also read” with the links below it."""
    kept: list[Block] = []
    also = False
    for block in blocks:
        text = inline.plain(block.text) if block.kind == "text" else ""
        if text and leftovers.ALSO.fullmatch(text):
            also = True
        elif also and not _is_links(block):
            also = False
        if also:
            drop(block, _("“also read”"))
        else:
            kept.append(block)
    return kept


def _without_footer(blocks: list[Block], drop: Drop) -> list[Block]:
    """From the copyright line on; and what is left of a site's footer above it."""
    for nth, block in enumerate(blocks):
        if (
            block.kind != "text"
            or not leftovers.FOOTER.search(inline.plain(block.text))
            or len(block.text) > 600
        ):
            continue
        rest = blocks[nth:]
        if sum(len(each.words()) for each in rest) > 1500 or any(
            each.kind == "heading" for each in rest[1:]
        ):
            drop(block, _("site footer"))
            return blocks[:nth] + _without_footer(rest[1:], drop)
        for each in rest:
            drop(each, _("site footer"))
        return blocks[:nth]
    legal = [
        b
        for b in blocks[-3:]
        if b.kind == "text" and leftovers.LEGAL.search(b.text) and len(b.text) < 400
    ]
    for block in legal:
        drop(block, _("site footer"))
    return [block for block in blocks if block not in legal]


def _without_link_lists(blocks: list[Block], drop: Drop) -> list[Block]:
    """Tags and menus at the end: links only, below headings of their own or the last text."""
    kept = list(blocks)
    while kept:
        last = kept[-1]
        under = next((b for b in reversed(kept) if b.kind == "heading"), None)
        named = under is not None and words.role(inline.plain(under.text)) in (
            "related",
            "about",
            "contact",
        )
        if last.kind == "rule":
            kept.pop()
        elif last.kind == "heading" and (len(kept) < len(blocks)) and not named:
            drop(kept.pop(), _("site navigation"))
        elif last.kind == "list" and _is_links(last) and not named and _is_menu(last):
            drop(kept.pop(), _("tags or site navigation"))
        else:
            break
    return [
        block
        for block in kept
        if not (block.kind == "list" and _is_one_link(block) and not _drop_all(block, drop))
    ]


def _is_menu(block: Block) -> bool:
    links = [
        link for item in block.children for each in item.walk() for link in inline.links(each.text)
    ]
    short = all(len(text.split()) <= 5 for text, _address in links)
    return short or len({address for _text, address in links}) == 1


def _is_one_link(block: Block) -> bool:
    """A list of links that all lead to the same address: tags, or an advertisement."""
    if not _is_links(block):
        return False
    links = [
        link for item in block.children for each in item.walk() for link in inline.links(each.text)
    ]
    return len(links) > 2 and len({address for _text, address in links}) == 1


def _drop_all(block: Block, drop: Drop) -> bool:
    drop(block, _("tags or site navigation"))
    return False
