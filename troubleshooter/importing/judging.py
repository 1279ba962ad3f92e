"""Which sections of an article are its fixes.

In order of trust: an issue with its own resolution; a family of numbers (“Fix 1”, “2.”); a section
called “Resolution”; rows of a table of causes and solutions; the lowest headings that tell what to
do; and without headings, each list with the sentence above it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from . import inline, words
from .article import Place
from .blocks import Block
from .sections import Section

_HOLDS = ("resolution", "methods")
_VARIANTS = {"option", "step", "way", "part", "check", "tip"}


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


def choose(root: Section) -> list[Chosen]:
    """The fixes of an article, in the order of the source."""
    ways: tuple[Callable[[Section], list[Chosen]], ...] = (
        _issues,
        _family,
        _resolutions,
        _rows,
        _leaves,
        _leads,
    )
    for way in ways:
        if chosen := way(root):
            return chosen
    return []


# --- Evidence ---


def acts(section: Section) -> bool:
    """Whether a section tells what to do: steps, instructions in bullets, or advice."""
    return any(_acts(block) for each in section.walk() for block in each.blocks)


def _acts(block: Block) -> bool:
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


def _inside(section: Section, *roles: str) -> bool:
    return any(above.role in roles for above in section.above())


def _whole(section: Section, reason: str, sure: float, title: str = "") -> Chosen:
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
            heading = "" if each.role in _HOLDS else each.title
            chosen.groups.append((heading, each.blocks))
    return chosen


# --- Several issues on one page ---


def _issues(root: Section) -> list[Chosen]:
    issues = [section for section in root.walk() if section.level and _is_issue(section)]
    issues = [
        section for section in issues if not any(above in issues for above in section.above())
    ]
    if len(issues) < 2:
        return []
    chosen = [
        _whole(section, _("An issue with a resolution of its own."), 0.85) for section in issues
    ]
    beside = {id(section.parent): section.level for section in issues}
    for section in root.walk():
        if (
            beside.get(id(section.parent)) == section.level
            and section not in issues
            and not section.role
        ):
            if not any(
                child.role == "cause" or child.role == "symptom" for child in section.children
            ) and acts(section):
                chosen.append(_whole(section, _("Stands among issues and tells what to do."), 0.5))
    return sorted(chosen, key=lambda each: each.place)


def _is_issue(section: Section) -> bool:
    """Whether right below a heading is a section that resolves it."""
    if section.role in words.NOT_A_FIX | set(_HOLDS) and section.role != "cause":
        return False
    below = [
        child
        for child in section.children
        if child.role == "resolution"
        or child.family in ("resolution", "solution", "workaround", "fix")
    ]
    return any(acts(child) or child.texts() for child in below)


# --- A family of numbers ---


def _family(root: Section) -> list[Chosen]:
    families: dict[tuple[str, int], list[Section]] = {}
    for section in root.walk():
        if section.family and not _inside(
            section, "cause", "symptom", "related", "question", "about", "prerequisite"
        ):
            families.setdefault((section.family, _rank(section)), []).append(section)
    best: list[Section] = []
    for members in sorted(families.values(), key=_worth, reverse=True):
        members = [each for each in members if each.role not in words.NEVER_FIX]
        if _is_family(members, root):
            best = members
            break
    return [_with_variants(section, best) for section in best]


def _with_variants(section: Section, members: list[Section]) -> Chosen:
    """A member of a family, with the options beside it that belong to it."""
    chosen = _whole(section, _numbered_reason(section), 0.9)
    beside = section.parent.children if section.parent else []
    at = next((nth for nth, each in enumerate(beside) if each is section), len(beside))
    for other in beside[at + 1 :]:
        variant = other.family in _VARIANTS or words.OTHER_SYSTEM.match(other.name)
        if other in members or not variant or other.role in words.NOT_A_FIX:
            break
        more = _whole(other, "", 0)
        chosen.groups += [(heading or other.title, blocks) for heading, blocks in more.groups]
        chosen.place = chosen.place.to(more.place)
    return chosen


def _rank(section: Section) -> int:
    return 70 if section.bold else section.level


def _worth(members: list[Section]) -> tuple[int, int, int]:
    """Families that say what they are go first, then the outer ones, then the bigger ones."""
    family = members[0].family
    said = {
        "fix": 3,
        "method": 3,
        "solution": 3,
        "resolution": 3,
        "workaround": 3,
        "way": 2,
        "option": 1,
        "n": 2,
        "step": 1,
    }
    worth = said.get(family, 2 if family.endswith("n") else 0)
    if family == "cause":
        worth = -1
    nested = sum(
        any(
            above.family in said and above.family != "part" and acts(above)
            for above in each.above()
        )
        for each in members
    )
    if nested > len(members) / 2:
        worth -= 4
    return worth, len(members) > 1, -_rank(members[0])


def _is_family(members: list[Section], root: Section) -> bool:
    """Whether members of a family of numbers are fixes, not chapters and not a few of many."""
    if not members:
        return False
    if len(members) == 1:
        known = members[0].family in ("fix", "method", "solution", "resolution", "workaround")
        return known and acts(members[0]) and not _acting_beside(members, root)
    doing = [each for each in members if acts(each)]
    if len(doing) < 0.5 * len(members) and not any(
        each.family in ("fix", "method", "solution") for each in members
    ):
        return False
    chapters = [
        each
        for each in members
        if each.role in (*_HOLDS, "prerequisite", "about", "prevention", "tips")
    ]
    if (
        chapters
        and len(chapters) >= len(members) / 2
        or any(each.role in _HOLDS and each.children for each in members)
    ):
        return False
    if members[0].family == "n" and sum(_holds_dotted(each) for each in members) > 1:
        return False
    return len(_acting_beside(members, root)) <= len(members)


def _holds_dotted(section: Section) -> bool:
    return any(child.family.startswith(".") for child in section.children)


def _acting_beside(members: list[Section], root: Section) -> list[Section]:
    """Sections at the side of a family that have steps, too."""
    parents = {id(each.parent) for each in members}
    return [
        section
        for section in root.walk()
        if id(section.parent) in parents
        and section not in members
        and section.level == members[0].level
        and not section.role
        and any(has_steps(each.blocks) for each in section.walk())
    ]


def _numbered_reason(section: Section) -> str:
    if section.family.endswith("n"):
        return _("Its heading is numbered like the others.")
    return _("Its heading says that it is one of several to try.")


# --- A section that holds the fixes ---


def _resolutions(root: Section) -> list[Chosen]:
    holders = [
        section
        for section in root.walk()
        if section.role == "resolution"
        and not _inside(section, "cause", "symptom", "question", *_HOLDS)
    ]
    holders = [section for section in holders if section.texts().strip()]
    if not holders:
        return []
    level = holders[0].level
    more = [
        section
        for section in root.walk()
        if section.role == "methods"
        and section.level == level
        and section.parent is holders[0].parent
        and acts(section)
    ]
    chosen: list[Chosen] = []
    for section in sorted([*holders, *more], key=lambda each: each.place):
        chosen += _held(section)
    return chosen


def _held(section: Section) -> list[Chosen]:
    """The fixes that a section called “Resolution” or the like holds: its children, or itself."""
    reason = _("Stands under “%(title)s”.") % {"title": section.title}
    children = [
        child
        for child in section.children
        if child.role not in words.NOT_A_FIX and child.texts().strip()
    ]
    if not children or _are_variants(children):
        rows = [
            row for block in section.blocks if block.kind == "table" for row in _row_fixes(block)
        ]
        bullets = _bold_bullets(section)
        if len(rows) > 1 or len(bullets) > 1:
            return rows if len(rows) > 1 else bullets
        return [
            _whole(
                section,
                _("Its heading says that it resolves the problem."),
                0.9,
                section.title if not section.family else "",
            )
        ]
    chosen = []
    if has_steps(section.blocks):
        chosen.append(
            Chosen(section.title, section.place, [("", section.blocks)], [reason], 0.7, [section])
        )
    for child in children:
        grand = [each for each in child.children if each.role not in words.NOT_A_FIX]
        if child.role in _HOLDS and grand and not _are_variants(grand):
            chosen += _held(child)
        else:
            chosen.append(_whole(child, reason, 0.85))
    return chosen


def _are_variants(sections: list[Section]) -> bool:
    """Whether sections are one remedy for several systems, or the phases of one."""
    if any(section.role == "resolution" for section in sections):
        return False
    variants = [
        words.OTHER_SYSTEM.match(section.name) or section.family in _VARIANTS
        for section in sections
    ]
    return sum(map(bool, variants)) > len(sections) / 2


# --- Rows of a table, bullets with a bold start ---

_CAUSE_HEAD = re.compile(
    r"\b(?:causes?|problems?|issues?|symptoms?|errors?|reason|message|condition|situation|fault|code|if|trouble|ursache|problem|fehler\w*|störung|symptom|causa|problema|síntoma|error|mensaje)\b|المشكلة|السبب|الخطأ|原因|問題|症状|エラー",
    re.IGNORECASE,
)
_CURE_HEAD = re.compile(
    r"\b(?:solutions?|fix(?:es)?|resolutions?|remed(?:y|ies)|(?:corrective |recommended |suggested |required )?actions?|what to do|workarounds?|cure|how to (?:fix|resolve).*|try this|steps|then|troubleshooting|lösung(?:en)?|abhilfe|behebung|maßnahmen?|soluci[oó]n(?:es)?|acci[oó]n(?:es)?|remedio)\b|الحل|الإجراء|解決|対処|対策|対応",
    re.IGNORECASE,
)


def _rows(root: Section) -> list[Chosen]:
    chosen: list[Chosen] = []
    for section in root.walk():
        if section.role in ("related", "about", "question", "prerequisite", "closing"):
            continue
        for block in section.blocks:
            if block.kind == "table":
                chosen += _row_fixes(block)
    if len(chosen) < 2:
        return []
    outside = [
        s
        for s in root.walk()
        for b in s.blocks
        if b.kind == "list" and b.ordered and s.role not in words.NOT_A_FIX
    ]
    return chosen if len(outside) < 2 else []


def _row_fixes(table: Block) -> list[Chosen]:
    """The fixes of a table whose head names causes and solutions."""
    if len(table.children) < 2:
        return []
    heads = [cell.words() for cell in table.children[0].children]
    cure = next(
        (
            nth
            for nth, head in enumerate(heads)
            if nth and len(head) < 60 and _CURE_HEAD.search(head)
        ),
        None,
    )
    cause = next(
        (
            nth
            for nth, head in enumerate(heads)
            if nth != cure and len(head) < 60 and _CAUSE_HEAD.search(head)
        ),
        None,
    )
    if cure is None or cause is None:
        return []
    chosen = []
    for row in table.children[1:]:
        if len(row.children) <= max(cure, cause) or not row.children[cure].words():
            continue
        title = row.children[cause].words() or row.children[0].words()
        one = Chosen(
            title,
            row.place,
            [("", row.children[cure].children)],
            [_("A row of a table of causes and solutions.")],
            0.75,
        )
        one.why = [
            block
            for nth, cell in enumerate(row.children)
            if nth not in (cause, cure)
            for block in cell.children
        ]
        if len(title) > 120:
            one.why = [*row.children[cause].children, *one.why]
        chosen.append(one)
    return chosen


def _bold_bullets(section: Section) -> list[Chosen]:
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


# --- The lowest headings that tell what to do ---


def _leaves(root: Section) -> list[Chosen]:
    found: list[Section] = []
    for child in _troubled(root) or root.children:
        found += _leaves_of(child)
    doing = [section for section in found if acts(section)]
    if not doing:
        return []
    stepped = [each for each in doing if any(has_steps(s.blocks) for s in each.walk())]
    if has_steps(root.blocks) and not stepped:
        return []
    chosen = []
    for section in found:
        if section in doing:
            chosen.append(
                _whole(section, _("Its heading stands above what to do."), 0.7, section.name)
            )
        elif len(doing) > 0.6 * len(found) and section.texts().strip() and len(doing) > 2:
            chosen.append(
                _whole(
                    section,
                    _("Stands among fixes, but hardly says what to do."),
                    0.35,
                    section.name,
                )
            )
    if len(chosen) <= 2:
        bullets = [
            bullet for section in doing for each in section.walk() for bullet in _bold_bullets(each)
        ]
        if len(bullets) > 2 and not stepped:
            return bullets
    return chosen


def _troubled(root: Section) -> list[Section]:
    """The one section called “Troubleshooting” on a page about other things as well."""
    named = [
        s
        for s in root.walk()
        if s.role == "methods" and len([c for c in s.children if acts(c)]) > 1
    ]
    return named if len(named) == 1 and named[0] in root.children else []


def _leaves_of(section: Section) -> list[Section]:
    """The sections at and below this one that may be fixes."""
    if section.role in words.NOT_A_FIX:
        return []
    children = [child for child in section.children if child.role not in words.NOT_A_FIX]
    if children and section.role == "methods":
        pass
    elif not children or _are_variants(children) or all(child.bold for child in children):
        return [section]
    leaves = [leaf for child in children for leaf in _leaves_of(child)]
    if not any(acts(leaf) for leaf in leaves):
        return [section]
    if has_steps(section.blocks) and section.level:
        alone = Section(
            section.title,
            section.level,
            section.place,
            section.name,
            section.family,
            section.role,
            section.blocks,
        )
        return [alone, *leaves]
    return leaves


# --- No headings at all ---


def _leads(root: Section) -> list[Chosen]:
    """Each list of steps with the sentence above it; else the text as a whole."""
    bullets = _bold_bullets(root)
    if len(bullets) > 2 and not has_steps(root.blocks):
        return bullets
    usable = [section for section in root.walk() if section.role not in words.NOT_A_FIX]
    blocks = [block for section in usable for block in section.blocks]
    if not any(_acts(block) for block in blocks):
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
