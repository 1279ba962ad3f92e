"""What in the content of a guide is wording, and how much of it a change touches. Pure.

A translator writes the wording anew; everything else of a translation is its original's.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from .drafts import TEXTS, Content

_REMEDY_TEXTS = ("title", "why", "loses", "waiting", "note")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"\w+")
ALIKE = 0.75  # of their words two texts share when the wording changed only slightly

Path = tuple[str, ...]  # where a text stands: ("step", "cable", "cable1", "text")


class Change(models.TextChoices):
    """What a new edition means for the translations of its guide."""

    MINOR = "minor", _("minor: translations stay true as they are")
    MAJOR = "major", _("major: translations now lack something that matters")


def weighed(old: Content, new: Content) -> Change:
    """What the change between two frozen contents most likely means for translations.

    Major when fixes, steps, their order, rules, risk or losses changed; minor when only wording
    did, and each text kept most of its words. An editor knows better: “not” is one word.
    """
    before, after = texts(old), texts(new)
    if _bones(old) != _bones(new) or before.keys() != after.keys():
        return Change.MAJOR
    slight = all(_alike(before[path], after[path]) for path in after)
    return Change.MINOR if slight else Change.MAJOR


def texts(content: Content) -> dict[Path, str]:
    """Every text of a frozen content that a translator writes anew, by where it stands.

    Names of contacts and of topics are names; what has no letter in it needs no translator.
    """
    return {path: text for path, text in _texts(content) if _LETTER.search(text)}


def _texts(content: Content) -> Iterator[tuple[Path, str]]:
    yield from ((("guide", name), content[name]) for name in TEXTS)
    yield from ((("symptom", each["key"], "text"), each["text"]) for each in content["symptoms"])
    for fix in content["fixes"]:
        yield from ((("fix", fix["key"], name), fix[name]) for name in _REMEDY_TEXTS)
        for step in fix["steps"]:
            here = ("step", fix["key"], step["key"])
            yield from (((*here, name), step[name]) for name in ("heading", "text"))
            if step["picture"]:
                yield (*here, "alt"), step["picture"]["alt"]
    yield from ((("contact", each["url"], "note"), each["note"]) for each in content["contacts"])


def _bones(content: Content) -> list[Any]:
    """All of a content that is not wording; what will be lost counts to the letter."""
    names = ("key", "revision", "risk", "loses", "closes_page", "pin", "after", "minutes")
    return [
        [(each["key"], each["start_with"]) for each in content["symptoms"]],
        [
            [*(fix[name] for name in names), [step["key"] for step in fix["steps"]]]
            for fix in content["fixes"]
        ],
        [each["url"] for each in content["contacts"]],
    ]


def _alike(old: str, new: str) -> bool:
    """Whether two texts share most of their words: the Dice coefficient of what they count.

    Source: Dice, Measures of the amount of ecologic association between species (1945)
    """
    before, after = (Counter(_WORD.findall(text.lower())) for text in (old, new))
    return 2 * (before & after).total() >= ALIKE * (before.total() + after.total())
