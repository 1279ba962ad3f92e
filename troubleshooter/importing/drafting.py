"""Parts of a guide's file from the rows of a draft, and content for drafts from parts.

What a draft names but does not hold, a fix that was taken out for example, is left out.
"""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, TypeVar

from django.db.models import Model
from django.utils.translation import gettext as _

from troubleshooter import models
from troubleshooter.models.reading import FORMAT
from troubleshooter.models.wording import Path, texts

from .parts import (
    ContactPart,
    FixPart,
    GuideFile,
    Part,
    PicturePart,
    ScenarioPart,
    StepPart,
    SymptomPart,
    TopicPart,
    short,
)

TEXTS = ("title", "summary", "about", "closing", "prevention")
_REMEDY = ("key", "title", "why", "minutes", "risk", "loses", "closes_page", "waiting", "note")

P = TypeVar("P", bound=Part)


def _part(kind: type[P], row: Model, **more: object) -> P:
    """A part with what its row has under the same names, and `more`."""
    names = {field.name for field in fields(kind)} & {
        field.name for field in row._meta.concrete_fields
    }
    values = {name: getattr(row, name) for name in names}
    return kind(**{"where": "", **values, **more})


def guide_part(guide: models.Guide) -> GuideFile:
    """A draft as it would stand in a file. Read it with `Guide.objects.whole()`."""
    placements = list(guide.placements.all())
    keys = {placement.fix.key for placement in placements}
    contacts = [_part(ContactPart, contact) for contact in guide.contacts.all()]
    translation = getattr(guide, "translation", None)  # only translations have one
    return _part(
        GuideFile,
        guide,
        original=translation.original.language if translation else "",
        untranslated=_spelled(translation.untranslated(guide)) if translation else (),
        topic=_part(TopicPart, guide.topic),
        symptom=tuple(
            _part(SymptomPart, symptom, start_with=_named(symptom.start_with.all(), keys))
            for symptom in guide.symptoms.all()
        ),
        fix=tuple(
            fix_part(each.fix, pin=each.pin, after=_named(each.after.all(), keys))
            for each in placements
        ),
        # Not by their rows: what stands in a file must not hang on which was made first.
        contact=tuple(sorted(contacts, key=contact_order)),
        scenario=tuple(
            _part(
                ScenarioPart,
                scenario,
                answers=tuple(filter(None, scenario.answers.split(", "))),
                fix=scenario.fix.key if scenario.fix and scenario.fix.key in keys else "",
                symptom=scenario.symptom.key if scenario.symptom else "",
            )
            for scenario in guide.scenarios.all()
        ),
    )


def _spelled(paths: Iterable[Path]) -> tuple[str, ...]:
    """Where texts stand, as a file says it: no key and no address has a blank in it."""
    return tuple(sorted(" ".join(path) for path in paths))


def untranslated(part: GuideFile) -> set[Path]:
    """Where texts stand that the file says are not translated yet; refuses what is nowhere."""
    paths = {tuple(path.split(" ")) for path in part.untranslated}
    if paths and not part.original:
        raise part.wrong(_("untranslated: this is no translation, for it names no original."))
    for path in sorted(paths - texts(content(part)).keys()):
        said = _("untranslated: no text here is at “%(path)s”.")
        raise part.wrong(said, path=short(" ".join(path)))
    return paths


def contact_order(part: ContactPart) -> tuple[int, str, str, str]:
    """As visitors see them, and then by all else that they say."""
    return part.position, part.name, part.url, part.note


def _named(fixes: Iterable[models.Fix], among: set[str]) -> tuple[str, ...]:
    return tuple(sorted({fix.key for fix in fixes} & among))


def fix_part(fix: models.Fix, **place: object) -> FixPart:
    """A fix with its steps and their pictures, in a place or in none."""
    return _part(FixPart, fix, step=tuple(_step_part(step) for step in fix.steps.all()), **place)


def _step_part(step: models.Step) -> StepPart:
    picture = step.picture
    if not picture:
        return _part(StepPart, step, picture=None)
    file = f"pictures/{picture.sha256}.{picture.kind}"
    shown = _part(PicturePart, picture, file=file, alt=picture.alt_in(step.language))
    return _part(StepPart, step, picture=shown)


def content(part: GuideFile) -> dict[str, Any]:
    """What a part would freeze to, as far as drafts are written from it and compared by it."""
    return {
        "format": FORMAT,
        "key": part.key,
        "language": part.language,
        "topic": part.topic.name,
        **{name: getattr(part, name) for name in TEXTS},
        "symptoms": [
            {"key": each.key, "text": each.text, "start_with": list(each.start_with)}
            for each in part.symptom
        ],
        "fixes": [fix_content(fix) for fix in part.fix],
        "contacts": [
            {"name": each.name, "url": each.url, "note": each.note} for each in part.contact
        ],
    }


def fix_content(fix: FixPart) -> dict[str, Any]:
    return {
        **{name: getattr(fix, name) for name in _REMEDY},
        "revision": fix.revision,
        "steps": [
            {"key": step.key, "heading": step.heading, "text": step.text, "picture": _shown(step)}
            for step in fix.step
        ],
        "pin": fix.pin,
        "after": list(fix.after),
    }


def _shown(step: StepPart) -> dict[str, str] | None:
    """A picture by its hash, which is its name in a pack."""
    if not step.picture:
        return None
    return {"sha256": step.picture.sha256, "alt": step.picture.alt}
