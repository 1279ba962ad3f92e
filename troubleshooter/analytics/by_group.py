"""How sessions ended that are alike: in their symptom, platform, edition or language."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from troubleshooter.models import Session, SessionCount

from .by_guide import choices, endings_of
from .filters import REAL, Filter
from .rows import Endings, GroupRow, Groups
from .sums import sums

FIELDS = ("slice__symptom_key", "slice__platform", "slice__edition", "slice__language")


class _Kind(NamedTuple):
    """What a session has of each of FIELDS."""

    symptom: str
    platform: str
    edition: int
    language: str


class _Name(NamedTuple):
    """What a group is called, and what of the filter lets only its sessions in."""

    key: str
    title: str
    fields: dict[str, str]


def groups(guide_key: str, only: Filter = REAL) -> Groups:
    """How did the sessions end, told apart by symptom, platform, edition and language?

    The busiest come first, but editions newest first. An edition is one of one language, since
    each language of a guide numbers its own.
    """
    counted = sums(SessionCount, only, *FIELDS, guide_key=guide_key)
    kinds = {_Kind(*key): endings_of(counts) for key, counts in counted.items()}
    texts, platforms = dict(choices(guide_key).symptoms), dict(Session.Platform.choices)

    def symptom(kind: _Kind) -> _Name:
        key = kind.symptom
        return _Name(key, texts.get(key, key), {"symptom": key} if key in texts else {})

    def platform(kind: _Kind) -> _Name:
        key = kind.platform
        return _Name(key, str(platforms.get(key, key)), {"platform": key} if key else {})

    def edition(kind: _Kind) -> _Name:
        fields = {"edition": str(kind.edition), "language": kind.language}
        return _Name(f"{kind.language}-{kind.edition}", str(kind.edition), fields)

    def language(kind: _Kind) -> _Name:
        return _Name(kind.language, kind.language, {"language": kind.language})

    editions = _told_apart(kinds, edition)
    return Groups(
        symptoms=_told_apart(kinds, symptom),
        platforms=_told_apart(kinds, platform),
        editions=tuple(sorted(editions, key=lambda row: -int(row.fields["edition"]))),
        languages=_told_apart(kinds, language),
    )


def _told_apart(
    kinds: Mapping[_Kind, Endings], name: Callable[[_Kind], _Name]
) -> tuple[GroupRow, ...]:
    """The endings of all kinds with the same name together, busiest first."""
    names = {kind: name(kind) for kind in kinds}
    sums: defaultdict[str, Endings] = defaultdict(Endings)
    for kind, endings in kinds.items():
        sums[names[kind].key] += endings
    rows = [
        GroupRow(*known, sums[key]) for key, known in {n.key: n for n in names.values()}.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.endings.total, row.title, row.key)))
