"""What differs between two contents of a guide, field by field and word by word.

Works on the frozen source text, so that what an editor typed is what an editor reads.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from troubleshooter.models import Contact, Fix, Guide, Placement, Risk, Step, Symptom

SAME, ADDED, REMOVED = "same", "added", "removed"
MOST_PARTS = 4000  # in two texts together: comparing takes time by the square of them
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")

Content = Mapping[str, Any]
Texts = dict[str, str]  # the fields of one thing by their labels, as an editor reads them


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that stayed the same, was added, or was removed."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One field, with what was removed from it and added to it."""

    label: str
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that differs, as a sentence; then its fields, and the things inside it."""

    sentence: str
    fields: list[Difference] = field(default_factory=list)
    items: list["Item"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Section:
    heading: str
    items: list[Item]


@dataclass(frozen=True, slots=True)
class Thing:
    """A symptom, a fix, a step or a contact on one side of the comparison."""

    name: str
    texts: Texts
    parts: Mapping[str, "Thing"] = field(default_factory=dict)


def differences(old: Content, new: Content) -> list[Section]:
    """Every difference between two frozen contents; sections without any are left out."""
    about = _fields(_guide(old), _guide(new))
    sections = [
        Section(_("Texts of the guide"), [Item("", about)] if about else []),
        Section(_("Symptoms"), list(_items(_symptoms(old), _symptoms(new)))),
        Section(_("Fixes"), list(_items(_fixes(old), _fixes(new)))),
        Section(_("Contacts"), list(_items(_contacts(old), _contacts(new)))),
    ]
    return [section for section in sections if section.items]


def pieces(old: str, new: str) -> list[Piece]:
    """How `new` came from `old`: by words, by lines when it is long, else as a whole."""
    spans = [(old, new, False)]
    for split in (_WORDS, _LINES):
        olds, news = split.findall(old), split.findall(new)
        if len(olds) + len(news) <= MOST_PARTS:
            spans = list(_spans(olds, news))
            break
    found: list[Piece] = []
    for same, group in groupby(spans, key=itemgetter(2)):
        run = list(group)
        removed = "".join(before for before, _after, _same in run)
        added = "".join(after for _before, after, _same in run)
        if same:
            found.append(Piece(SAME, removed))
        else:
            found += [Piece(REMOVED, _seen(removed)), Piece(ADDED, _seen(added))]
    return [piece for piece in found if piece.text]


def _spans(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str, bool]]:
    """Stretches of both texts that match each other, and whether they are the same.

    A lone blank between two changes counts as changed, so that a rewritten phrase reads as one.
    """
    opcodes = SequenceMatcher(None, before, after).get_opcodes()
    for nth, (kind, i1, i2, j1, j2) in enumerate(opcodes):
        old, new = "".join(before[i1:i2]), "".join(after[j1:j2])
        between = 0 < nth < len(opcodes) - 1
        yield old, new, kind == "equal" and not (between and old.isspace())


def _seen(text: str) -> str:
    """A change of blanks alone, made visible."""
    return text.replace(" ", "␣").replace("\n", "¶\n") if text.isspace() else text


def _fields(old: Texts, new: Texts) -> list[Difference]:
    return [
        Difference(label, pieces(old.get(label, ""), new.get(label, "")))
        for label in {**old, **new}
        if old.get(label, "") != new.get(label, "")
    ]


def _items(old: Mapping[str, Thing], new: Mapping[str, Thing]) -> Iterator[Item]:
    """What became of each thing: what is gone by its old place, then the rest in the new order."""
    for thing in (thing for key, thing in old.items() if key not in new):
        said = _("%(name)s is taken out.") % {"name": thing.name}
        yield Item(said, _fields(_all_texts(thing), {}))
    old_places = {key: place for place, key in enumerate(old, start=1)}
    moved = _moved(old, new)
    for place, (key, thing) in enumerate(new.items(), start=1):
        name = {"name": thing.name}
        if key not in old:
            yield Item(_("%(name)s is new.") % name, _fields({}, _all_texts(thing)))
            continue
        fields = _fields(old[key].texts, thing.texts)
        parts = list(_items(old[key].parts, thing.parts))
        if key in moved:
            said = _("%(name)s moved from place %(old)d to place %(new)d.")
            yield Item(said % (name | {"old": old_places[key], "new": place}), fields, parts)
        elif fields or parts:
            yield Item(_("%(name)s changed.") % name, fields, parts)


def _moved(old: Mapping[str, Thing], new: Mapping[str, Thing]) -> set[str]:
    """The fewest things whose moving explains the new order of those that both sides have."""
    before = [key for key in old if key in new]
    after = [key for key in new if key in old]
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    stayed = {key for block in blocks for key in before[block.a : block.a + block.size]}
    return set(before) - stayed


def _all_texts(thing: Thing) -> Texts:
    """The fields of a thing and of all that is inside it."""
    inside = {
        part.name: "\n".join(filter(None, part.texts.values())) for part in thing.parts.values()
    }
    return thing.texts | inside


def _label(model: type[Model], name: str) -> str:
    return capfirst(str(getattr(model._meta.get_field(name), "verbose_name", name)))


def _quoted(text: str) -> str:
    return _("“%(text)s”") % {"text": text}


def _titles(keys: Sequence[str], content: Content) -> str:
    titles = {fix["key"]: fix["title"] for fix in content["fixes"]}
    return ", ".join(titles.get(key, key) for key in keys)


def _guide(content: Content) -> Texts:
    names = ("topic", "title", "summary", "about", "prevention", "closing")
    return {_label(Guide, name): content[name] for name in names}


def _symptoms(content: Content) -> dict[str, Thing]:
    return {
        symptom["key"]: Thing(
            _quoted(symptom["text"]),
            {
                _label(Symptom, "text"): symptom["text"],
                _label(Symptom, "start_with"): _titles(symptom["start_with"], content),
            },
        )
        for symptom in content["symptoms"]
    }


def _fixes(content: Content) -> dict[str, Thing]:
    return {
        fix["key"]: Thing(_quoted(fix["title"]), _fix_texts(fix, content), _steps(fix))
        for fix in content["fixes"]
    }


def _fix_texts(fix: Content, content: Content) -> Texts:
    texts = {_label(Fix, name): str(fix[name]) for name in ("title", "why", "minutes")}
    texts[_label(Fix, "risk")] = str(Risk(fix["risk"]).label)
    texts[_label(Fix, "loses")] = fix["loses"]
    texts[_label(Fix, "closes_page")] = _("yes") if fix["closes_page"] else ""
    texts |= {_label(Fix, name): str(fix[name]) for name in ("waiting", "note", "revision")}
    texts[_label(Placement, "pin")] = str(Placement.Pin(fix["pin"]).label) if fix["pin"] else ""
    texts[_label(Placement, "after")] = _titles(fix["after"], content)
    return texts


def _steps(fix: Content) -> dict[str, Thing]:
    return {
        step["key"]: Thing(_("Step %(number)d") % {"number": number}, _step_texts(step))
        for number, step in enumerate(fix["steps"], start=1)
    }


def _step_texts(step: Content) -> Texts:
    """A picture is told by its text alternative; another picture with the same, by its address."""
    picture = step["picture"] or {"alt": "", "sha256": ""}
    return {
        _label(Step, "heading"): step["heading"],
        _label(Step, "text"): step["text"],
        _label(Step, "picture"): picture["alt"],
        _("File of the picture"): picture["sha256"][:12],
    }


def _contacts(content: Content) -> dict[str, Thing]:
    """A contact has no key: its name stands for it, counted when two have the same."""
    things: dict[str, Thing] = {}
    for contact in content["contacts"]:
        key = contact["name"]
        while key in things:
            key += "+"
        labels = {_label(Contact, name): contact[name] for name in ("name", "url", "note")}
        things[key] = Thing(_quoted(contact["name"]), labels)
    return things
