"""The content of a guide as it is frozen into an edition, and as it is read from one.

`freeze` turns a draft into plain JSON of *source* text; `read` turns that JSON into objects with
rendered HTML. Old editions are rendered by today's renderer, so a mended sanitizer reaches them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import cached_property
from django.utils.safestring import SafeString

from troubleshooter import markup, ordering

from .content import Fix, Guide, Picture, Placement, Risk, Step

FORMAT = 1  # of the JSON below; raised when its shape changes

# Minutes that an inconvenient fix counts for beside its own, when the counts decide the order.
BURDEN = 1.0


def freeze(guide: Guide) -> dict[str, Any]:
    """The draft as one JSON object. Read it with `Guide.objects.whole()`."""
    return {
        "format": FORMAT,
        "key": guide.key,
        "language": guide.language,
        "topic": guide.topic.name,
        "title": guide.title,
        "summary": guide.summary,
        "about": guide.about,
        "closing": guide.closing,
        "prevention": guide.prevention,
        "symptoms": [
            {
                "key": symptom.key,
                "text": symptom.text,
                "start_with": sorted(fix.key for fix in symptom.start_with.all()),
            }
            for symptom in guide.symptoms.all()
        ],
        "fixes": [_freeze_fix(placement) for placement in guide.placements.all()],
        "contacts": [
            {"name": contact.name, "url": contact.url, "note": contact.note}
            for contact in guide.contacts.all()
        ],
    }


def _freeze_fix(placement: Placement) -> dict[str, Any]:
    return {
        **freeze_remedy(placement.fix),
        "pin": placement.pin,
        "after": sorted(fix.key for fix in placement.after.all()),
    }


def freeze_remedy(fix: Fix) -> dict[str, Any]:
    """A fix without its place in a guide. Read it with its steps and their pictures."""
    return {
        "key": fix.key,
        "revision": fix.revision,
        "title": fix.title,
        "why": fix.why,
        "minutes": fix.minutes,
        "risk": fix.risk,
        "loses": fix.loses,
        "closes_page": fix.closes_page,
        "waiting": fix.waiting,
        "note": fix.note,
        "steps": [_freeze_step(step) for step in fix.steps.all()],
    }


def _freeze_step(step: Step) -> dict[str, Any]:
    return {
        "key": step.key,
        "heading": step.heading,
        "text": step.text,
        "picture": freeze_picture(step.picture, step.language) if step.picture else None,
    }


def freeze_picture(picture: Picture, language: str) -> dict[str, Any]:
    """A picture by its hash, with the words that stand for it in this language."""
    return {
        "sha256": picture.sha256,
        "kind": picture.kind,
        "width": picture.width,
        "height": picture.height,
        "alt": picture.alt_in(language),
    }


@dataclass(frozen=True)
class ReadingPicture:
    """A picture's address is made of its hash, so it can be kept for ever."""

    sha256: str
    kind: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class ReadingStep:
    key: str
    html: SafeString
    picture: ReadingPicture | None


@dataclass(frozen=True)
class ReadingGroup:
    """Steps under one small heading (empty when the fix has no headings)."""

    heading: str
    steps: tuple[ReadingStep, ...]


@dataclass(frozen=True)
class ReadingFix:
    key: str
    revision: int
    title: str
    minutes: int
    risk: Risk
    closes_page: bool
    why: SafeString
    loses: SafeString
    waiting: SafeString
    note: SafeString
    groups: tuple[ReadingGroup, ...]

    @property
    def loses_data(self) -> bool:
        return self.risk is Risk.DATA_LOSING


@dataclass(frozen=True)
class ReadingSymptom:
    key: str
    text: str
    start_with: tuple[str, ...]


@dataclass(frozen=True)
class ReadingContact:
    name: str
    url: str
    note: str


@dataclass(frozen=True)
class Reading:
    """A guide as a visitor reads it: every text either plain or safe HTML."""

    key: str
    language: str
    topic: str
    title: str
    summary: str
    about: SafeString
    closing: SafeString
    prevention: SafeString
    symptoms: tuple[ReadingSymptom, ...]
    fixes: tuple[ReadingFix, ...]
    contacts: tuple[ReadingContact, ...]
    places: tuple[ordering.Place, ...]

    @cached_property
    def by_key(self) -> dict[str, ReadingFix]:
        return {fix.key: fix for fix in self.fixes}

    @cached_property
    def risky(self) -> frozenset[str]:
        """The keys of the fixes that lose data."""
        return frozenset(fix.key for fix in self.fixes if fix.loses_data)

    @cached_property
    def minutes(self) -> int:
        """How long all the fixes take together."""
        return sum(fix.minutes for fix in self.fixes)

    @property
    def shortest(self) -> int:
        return min((fix.minutes for fix in self.fixes), default=0)

    @property
    def longest(self) -> int:
        return max((fix.minutes for fix in self.fixes), default=0)

    def symptom(self, key: str) -> ReadingSymptom | None:
        return next((symptom for symptom in self.symptoms if symptom.key == key), None)

    def author_order(self, symptom_key: str) -> tuple[str, ...]:
        """The keys of all fixes, in the author's order for this symptom."""
        return ordering.author(self.places, self.start_with(symptom_key))

    def start_with(self, symptom_key: str) -> tuple[str, ...]:
        """The fixes that this symptom starts with."""
        symptom = self.symptom(symptom_key)
        return symptom.start_with if symptom else ()


def read(content: dict[str, Any]) -> Reading:
    """Read frozen content: parse it and render its Markdown."""
    return Reading(
        key=content["key"],
        language=content["language"],
        topic=content["topic"],
        title=content["title"],
        summary=content["summary"],
        about=markup.render(content["about"]),
        closing=markup.render(content["closing"]),
        prevention=markup.render(content["prevention"]),
        symptoms=tuple(
            ReadingSymptom(key=each["key"], text=each["text"], start_with=tuple(each["start_with"]))
            for each in content["symptoms"]
        ),
        fixes=tuple(_read_fix(fix) for fix in content["fixes"]),
        contacts=tuple(ReadingContact(**contact) for contact in content["contacts"]),
        places=tuple(
            ordering.Place(
                fix=fix["key"],
                risky=fix["risk"] == Risk.DATA_LOSING,
                pin=fix["pin"],
                after=tuple(fix["after"]),
                minutes=float(fix["minutes"]),
                burden=BURDEN if fix["risk"] == Risk.INCONVENIENT else 0.0,
                revision=fix["revision"],
            )
            for fix in content["fixes"]
        ),
    )


def _read_fix(fix: dict[str, Any]) -> ReadingFix:
    return ReadingFix(
        key=fix["key"],
        revision=fix["revision"],
        title=fix["title"],
        minutes=fix["minutes"],
        risk=Risk(fix["risk"]),
        closes_page=fix["closes_page"],
        why=markup.render(fix["why"]),
        loses=markup.render(fix["loses"]),
        waiting=markup.render(fix["waiting"]),
        note=markup.render(fix["note"]),
        groups=_read_groups(fix["steps"]),
    )


def _read_groups(steps: Sequence[dict[str, Any]]) -> tuple[ReadingGroup, ...]:
    """A step with a heading starts a group; steps before the first heading have none."""
    groups: list[tuple[str, list[ReadingStep]]] = []
    for step in steps:
        if step["heading"] or not groups:
            groups.append((step["heading"], []))
        picture = ReadingPicture(**step["picture"]) if step["picture"] else None
        groups[-1][1].append(ReadingStep(step["key"], markup.render(step["text"]), picture))
    return tuple(ReadingGroup(heading, tuple(members)) for heading, members in groups)
