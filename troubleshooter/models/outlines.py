"""What numbers need to know of an edition's content, read once in each process."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .content import Risk
from .editions import Edition


@dataclass(frozen=True, slots=True)
class Outline:
    """The names of what is in an edition, and which of its fixes lose data or take long."""

    titles: Mapping[tuple[str, int], str]  # (fix, revision), in the guide's order
    minutes: Mapping[str, int]  # that its author gives each fix
    risky: frozenset[str]
    symptoms: Mapping[str, str]


MOST_KEPT = 5000  # some 2 kB each
_kept: dict[str, Outline] = {}  # by digest: content never changes


def outlines(digests: Mapping[int, str]) -> dict[int, Outline]:
    """The outlines of these editions (id: digest), read once in each process, all in one query.

    Not from `Edition.reading`: numbers look at every edition there ever was, and rendering
    them all would take long and push out the readings that visitors are waiting for.
    """
    found = {pk: known for pk, digest in digests.items() if (known := _kept.get(digest))}
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    missing = Edition.objects.only("content").in_bulk(list(digests.keys() - found.keys()))
    for pk, edition in missing.items():
        found[pk] = _kept[digests[pk]] = outline(edition.content)
    return found


def outline(content: dict[str, Any]) -> Outline:
    return Outline(
        titles={(fix["key"], fix["revision"]): fix["title"] for fix in content["fixes"]},
        minutes={fix["key"]: fix["minutes"] for fix in content["fixes"]},
        risky=frozenset(fix["key"] for fix in content["fixes"] if fix["risk"] == Risk.DATA_LOSING),
        symptoms={symptom["key"]: symptom["text"] for symptom in content["symptoms"]},
    )
