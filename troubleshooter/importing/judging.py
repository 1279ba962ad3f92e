"""Which sections of an article are its fixes.

In order of trust: an issue with its own resolution; a family of numbers (“Fix 1”, “2.”); a section
called “Resolution”; rows of a table of causes and solutions; the lowest headings that tell what to
do; and without headings, each list with the sentence above it.
"""

from collections.abc import Callable

from django.utils.translation import gettext as _

from . import words
from .chosen import HOLDS, Chosen, acts, has_steps, inside, whole
from .sections import Section
from .smaller import bold_bullets, leads, row_fixes, rows

_VARIANTS = {"option", "step", "way", "part", "check", "tip"}


def choose(root: Section) -> list[Chosen]:
    """The fixes of an article, in the order of the source."""
    ways: tuple[Callable[[Section], list[Chosen]], ...] = (
        _issues,
        _family,
        _resolutions,
        rows,
        _leaves,
        leads,
    )
    for way in ways:
        if chosen := way(root):
            return chosen
    return []


# --- Several issues on one page ---


def _issues(root: Section) -> list[Chosen]:
    issues = [section for section in root.walk() if section.level and _is_issue(section)]
    issues = [
        section for section in issues if not any(above in issues for above in section.above())
    ]
    if len(issues) < 2:
        return []
    chosen = [
        whole(section, _("An issue with a resolution of its own."), 0.85) for section in issues
    ]
    beside = {id(section.parent): section.level for section in issues}
    for section in root.walk():
        if (
            (
                beside.get(id(section.parent)) == section.level
                and section not in issues
                and not section.role
            )
            and not any(
                child.role == "cause" or child.role == "symptom" for child in section.children
            )
            and acts(section)
        ):
            chosen.append(whole(section, _("Stands among issues and tells what to do."), 0.5))
    return sorted(chosen, key=lambda each: each.place)


def _is_issue(section: Section) -> bool:
    """Whether right below a heading is a section that resolves it."""
    if section.role in words.NOT_A_FIX | set(HOLDS) and section.role != "cause":
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
        if section.family and not inside(
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
    chosen = whole(section, _numbered_reason(section), 0.9)
    beside = section.parent.children if section.parent else []
    at = next((nth for nth, each in enumerate(beside) if each is section), len(beside))
    for other in beside[at + 1 :]:
        variant = other.family in _VARIANTS or words.OTHER_SYSTEM.match(other.name)
        if other in members or not variant or other.role in words.NOT_A_FIX:
            break
        more = whole(other, "", 0)
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
    worth = said.get(family, 2 if family.strip(".") == "n" else 0)
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
        if each.role in (*HOLDS, "prerequisite", "about", "prevention", "tips")
    ]
    if (chapters and len(chapters) >= len(members) / 2) or any(
        each.role in HOLDS and each.children for each in members
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
    if section.family.strip(".") == "n":
        return _("Its heading is numbered like the others.")
    return _("Its heading says that it is one of several to try.")


# --- A section that holds the fixes ---


def _resolutions(root: Section) -> list[Chosen]:
    holders = [
        section
        for section in root.walk()
        if section.role == "resolution"
        and not inside(section, "cause", "symptom", "question", *HOLDS)
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
            row for block in section.blocks if block.kind == "table" for row in row_fixes(block)
        ]
        bullets = bold_bullets(section)
        if len(rows) > 1 or len(bullets) > 1:
            return rows if len(rows) > 1 else bullets
        return [
            whole(
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
        if child.role in HOLDS and grand and not _are_variants(grand):
            chosen += _held(child)
        else:
            chosen.append(whole(child, reason, 0.85))
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
                whole(section, _("Its heading stands above what to do."), 0.7, section.name)
            )
        elif _belongs(section, doing, found):
            chosen.append(
                whole(
                    section,
                    _("Stands among fixes, but hardly says what to do."),
                    0.35,
                    section.name,
                )
            )
    if len(chosen) <= 2:
        bullets = [
            bullet for section in doing for each in section.walk() for bullet in bold_bullets(each)
        ]
        if len(bullets) > 2 and not stepped:
            return bullets
    return chosen


def _belongs(section: Section, doing: list[Section], found: list[Section]) -> bool:
    """Whether a section that hardly says what to do is a fix like most of those around it."""
    most = len(doing) > 0.6 * len(found)
    named = len(doing) > 2 or bool(words.TROUBLE.search(section.title))
    return most and named and bool(section.texts().strip())


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
