"""A source becomes an article: the one way in is `read_article`.

The stages: `source` (bytes to text), `cleaning` and `pages` (lines and tags to blocks, junk out),
`junk` (blocks that are no part of it), `sections` (blocks under headings), `judging` (which are
fixes), `stepping` (their steps), and here all of it put together.
"""

import difflib
import re
from typing import Any

from django.utils.translation import gettext as _

from . import doubting, inline, judging, junk, source, words, writing
from .article import Article, ArticleFix, Doubt, Dropped, Passage, Place
from .blocks import Block
from .chosen import Chosen, has_steps
from .outline import outline
from .pages import Page
from .sections import Section, divide
from .source import Source
from .stepping import Steps, steps_of

_SITE = re.compile(r"\s+(?:[|·•»]|—|–|::)\s+[^|·•»]{2,60}$| - [^-|]{2,40}$")


def read_article(data: bytes | str, name: str = "") -> Article:
    """The article in a source, or UnreadableArticle. `name` may tell the kind by its ending."""
    read = source.read(data, name)
    builder, page = outline(read)
    blocks, dropped = junk.without_junk(builder.root.children)
    root = divide(blocks)
    article = Article(language=_language(read, page))
    heading = _take_title(root, read, page)
    article.titles = _titles(read, page, heading)
    chosen = judging.choose(root)
    article.fixes = tuple(_fix(one, article.title) for one in chosen)
    used = _used(chosen)
    _fill(article, root, used)
    article.summary = _summary(article, read, page)
    article.pictures = tuple(writing.pictures_of(blocks))
    article.dropped = tuple(sorted([*builder.dropped, *dropped], key=lambda each: each.place))
    article.doubts = tuple(_doubts(article, read))
    article.why_not = doubting.why_not(article, root, heading)
    article.is_troubleshooting = not article.why_not
    return article


# --- Title ---


def _front_text(read: Source, *names: str) -> str:
    front = {name.lower(): value for name, value in read.front.items()}
    for name in names:
        value: Any = front.get(name)
        if isinstance(value, str) and value.strip():
            return inline.plain(inline.tidy(" ".join(value.split())))
    return ""


def _similar(one: str, other: str) -> float:
    first, second = (re.sub(r"[\W_]+", "", text.casefold())[:200] for text in (one, other))
    if not first or not second:
        return 0.0
    return difflib.SequenceMatcher(None, first, second, autojunk=False).ratio()


def _take_title(root: Section, read: Source, page: Page | None) -> str:
    """Take the heading that is the title out of the tree, and give what it says."""
    known = [
        each for each in (_front_text(read, "title"), _of_site(page.title if page else "")) if each
    ]
    sections = list(root.walk())[1:]
    tops = [each for each in sections if each.level == 10]
    candidate = next(
        (
            each
            for each in sections[:3]
            if any(_similar(each.title, title) > 0.75 for title in known)
        ),
        None,
    )
    if candidate is None and len(tops) == 1 and not tops[0].role and sections.index(tops[0]) < 3:
        candidate = tops[0]
    if candidate is None and len(tops) == 1 and tops[0] is sections[0]:
        candidate = tops[0]
    if candidate is None and sections and _looks_like_title(root, sections, known):
        candidate = sections[0]
    if candidate is None or candidate.bold:
        return ""
    _dissolve(candidate)
    return candidate.title


def _looks_like_title(root: Section, sections: list[Section], known: list[str]) -> bool:
    first = sections[0]
    if first.bold or root.blocks or first.role or first.family:
        return False
    if len(sections) == 1:
        return not known
    if has_steps(first.blocks):
        return False
    if any(each.level < first.level for each in sections):
        return False
    if not known:
        return (
            bool(first.children) and len([e for e in sections if e.level == first.level]) == 1
        ) or _is_topic(first.title)
    return _is_topic(first.title) and len(sections) > 2


def _is_topic(title: str) -> bool:
    """Whether a heading names a whole problem rather than one thing to do."""
    return bool(
        words.TROUBLE.search(title) or title.endswith("?") or words.LISTICLE.search(title)
    ) and not words.is_plain_order(title)


def _dissolve(section: Section) -> None:
    """The section goes; what it held takes its place."""
    parent = section.parent
    if parent is None:
        return
    at = parent.children.index(section)
    before = parent.children[:at]
    parent.children[at : at + 1] = section.children
    for child in section.children:
        child.parent = parent
    if before:
        before[-1].blocks += section.blocks
    else:
        parent.blocks += section.blocks


def _of_site(title: str) -> str:
    """The title of a page without the name of its site."""
    short = _SITE.sub("", title)
    return short if len(short) > 8 else title


def _titles(read: Source, page: Page | None, heading: str) -> tuple[str, ...]:
    front = _front_text(read, "title", "seo_title", "nav_title", "name")
    given = [heading, front] if read.front_fault or not front else [front, heading]
    if page:
        given.append(_of_site(page.title))
    titles: list[str] = []
    for title in given:
        if title and all(_similar(title, other) < 0.97 for other in titles):
            titles.append(title)
    if not titles and read.name:
        titles.append(
            re.sub(r"[-_]+", " ", re.sub(r"\.\w+$", "", read.name.rsplit("/", 1)[-1])).strip()
        )
    return tuple(titles)


def _language(read: Source, page: Page | None) -> str:
    return _front_text(read, "lang", "language", "locale")[:12] or (page.language if page else "")


# --- Fixes ---


def _fix(chosen: Chosen, title: str) -> ArticleFix:
    steps = steps_of(chosen.groups)
    why = [*steps.why]
    if chosen.why:
        why.append(writing.markdown(chosen.why))
    sure, reasons = _sure(chosen, steps)
    return ArticleFix(
        title=chosen.title or title,
        place=chosen.place,
        under=_under(chosen),
        why="\n\n".join(filter(None, why)),
        steps=tuple(steps.steps),
        notes=tuple(steps.notes),
        pictures=tuple(steps.pictures),
        sure=sure,
        reasons=tuple(reasons),
    )


def _under(chosen: Chosen) -> tuple[str, ...]:
    above = [each.title for each in chosen.sections[0].above()] if chosen.sections else []
    return tuple(title for title in reversed(above) if title)


def _sure(chosen: Chosen, steps: Steps) -> tuple[float, list[str]]:
    """How sure it is that this is a fix, and the sentences that say why."""
    sure, reasons = chosen.sure, list(chosen.reasons)
    said = {
        "list": (0.1, _("It has numbered steps.")),
        "bullets": (0.0, _("Its steps are points without numbers.")),
        "headings": (0.0, _("Its steps are small headings.")),
        "prose": (-0.15, _("Its steps were made of prose.")),
    }
    change, reason = said[steps.kind]
    if not steps.steps:
        change, reason = -0.4, _("No steps were found in it.")
    reasons.append(reason)
    if words.SUPPORT.search(chosen.title) or words.role(chosen.title) in words.NEVER_FIX:
        change -= 0.3
        reasons.append(_("It may be about whom to ask rather than what to try."))
    return round(min(max(sure + change, 0.05), 0.99), 2), reasons


def _used(chosen: list[Chosen]) -> set[int]:
    used = set()
    for one in chosen:
        for blocks in (*(blocks for _heading, blocks in one.groups), one.why):
            used |= {id(block) for block in blocks}
    return used


# --- All the rest ---


def _fill(article: Article, root: Section, used: set[int]) -> None:
    """Symptoms and passages from whatever no fix has used."""
    passages: list[Passage] = []
    symptoms: list[Passage] = []
    for section in root.walk():
        blocks = [block for block in section.blocks if not _is_used(block, used)]
        role = _role_of(section)
        taken = len(section.blocks) - len(blocks)
        if not blocks and (taken or section.children or not section.level):
            continue
        if role == "symptom":
            if section.role != "symptom":  # a bold message among the symptoms
                symptoms.append(Passage("symptom", "", section.title, section.place))
            symptoms += _symptoms(blocks)
        else:
            passages += _passages(section, blocks, role)
    article.symptoms = tuple(symptoms)
    article.passages = tuple(passages)


def _is_used(block: Block, used: set[int]) -> bool:
    return id(block) in used or (
        block.kind in ("table", "list") and any(id(each) in used for each in block.walk())
    )


def _role_of(section: Section) -> str:
    for each in (section, *section.above()):
        if each.role in words.NOT_A_FIX:
            return each.role
    return "about" if not section.level else "other"


def _symptoms(blocks: list[Block]) -> list[Passage]:
    """One symptom for each point; quoted messages; else the text."""
    found = []
    for block in blocks:
        if block.kind == "list":
            found += [
                Passage("symptom", "", inline.plain(writing.markdown(item.children)), item.place)
                for item in block.children
            ]
        elif block.kind == "quote" or block.kind == "code":
            found.append(Passage("symptom", "", block.words(), block.place))
        elif block.kind == "text" and len(inline.plain(block.text)) > 3:
            found.append(Passage("symptom", "", inline.plain(block.text), block.place))
    return [passage for passage in found if passage.text]


def _passages(section: Section, blocks: list[Block], role: str) -> list[Passage]:
    """The text of a section by its role; sentences that name whom to ask are told apart."""
    passages, rest = [], []
    for block in blocks:
        note = writing.note(block)
        if note:
            passages.append(Passage("note", "", note.text, note.place))
        elif (
            role in ("about", "other", "closing")
            and block.kind == "text"
            and words.SUPPORT.search(inline.plain(block.text))
        ):
            passages.append(Passage("contact", "", writing.markdown([block]), block.place))
        else:
            rest.append(block)
    text = writing.markdown(rest)
    if text or section.title:
        place = rest[0].place.to(rest[-1].place) if rest else section.place
        passages.insert(
            0,
            Passage(
                role, section.title, text, place if not section.level else section.place.to(place)
            ),
        )
    return [passage for passage in passages if passage.text or passage.heading]


def _summary(article: Article, read: Source, page: Page | None) -> str:
    """One sentence or two: what the head says, if that is more than the title, else the start."""
    for given in (
        _front_text(read, "description", "summary", "excerpt"),
        page.description if page else "",
    ):
        if given and _says_more(given, article):
            return given
    for passage in article.passages:
        if passage.role in ("about", "other") and passage.text:
            start = inline.plain(passage.text.split("\n\n")[0])
            sentences = re.split(r"(?<=[.!?。])\s+", start)
            summary = sentences[0]
            for sentence in sentences[1:]:
                if len(summary) + len(sentence) >= 300:
                    break
                summary += f" {sentence}"
            return summary
    return ""


def _says_more(given: str, article: Article) -> bool:
    """Whether a description is of this article, and more than its title again."""
    if any(title.casefold() in given.casefold() for title in article.titles):
        return False
    titles = set(re.findall(r"\w{4,}", " ".join(article.titles).casefold()))
    said = set(re.findall(r"\w{4,}", given.casefold()))
    return bool(titles & said) or not given.isascii()


def _doubts(article: Article, read: Source) -> list[Doubt]:
    doubts = []
    if read.front_fault:
        doubts.append(Doubt(read.front_fault, Place(1, max(read.first - 1, 1))))
    if len(article.titles) > 1:
        others = ", ".join(f"“{title}”" for title in article.titles[1:])
        doubts.append(
            Doubt(
                _("The source gives other titles, too: %(titles)s.") % {"titles": others},
                Place(1, read.first),
            )
        )
    for fix in article.fixes:
        if fix.sure < 0.5:
            doubts.append(
                Doubt(_("Not sure that “%(title)s” is a fix.") % {"title": fix.title}, fix.place)
            )
    return [*doubts, *article.too_long()]


__all__ = ["Dropped", "read_article"]
