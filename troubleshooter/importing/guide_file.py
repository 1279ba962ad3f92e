"""A guide from one file: TOML with drawings beside it, as shipped in guides/.

`parse` is pure and gives a tree of parts, `save` makes the rows. The dataclasses in parts.py are
the format: what is a field there is a key in the file, and any other key is refused.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import Model, TextChoices
from django.utils.translation import gettext as _

from troubleshooter import models

from .drafting import untranslated
from .drawings import open_drawing
from .parts import (
    FixPart,
    GuideFile,
    GuideFileError,
    KeyedPart,
    Part,
    PicturePart,
    ScenarioPart,
    short,
)

__all__ = [
    "GuideFileError",
    "Loaded",
    "among",
    "load",
    "parse",
    "read",
    "save",
    "unique_keys",
]

KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
RESERVED = ("code", "end", "person", "still")  # pages of a session, beside those of its fixes
PICTURE_FILE = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\.svg")  # no way out of the folder
# Of what stands outside of texts. Reading takes time and memory by it, by the square of its dots.
MOST_FRAME = 1024 * 1024  # letters in all
MOST_LINE = 10_000  # letters on a line
MOST_DOTS = 20  # on a line
# A text in quotes, or a comment; one that never ends goes on to the end of the line, or file.
_STRING = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+(?:"""|\\?\Z)|'
    r"'''(?:[^']++|'(?!''))*+(?:'''|\Z)|"
    r'"(?:[^"\\\n]++|\\[^\n])*+(?:"|$|\\)|'
    r"'[^'\n]*+(?:'|$)|#[^\n]*+",
    re.DOTALL | re.MULTILINE,
)

P = TypeVar("P", bound="Part")
M = TypeVar("M", bound=Model)


# --- Reading the text ---


def parse(text: str | bytes, source: str) -> GuideFile:
    """The parts of a guide's file, or GuideFileError. `source` names the file in sentences."""
    guide = read(text, source)
    _check(guide)
    return guide


def read(text: str | bytes, source: str) -> GuideFile:
    """The parts of a guide's file, every value of its kind, and nothing weighed yet."""
    return _build(GuideFile, _toml(text, source), source)


def _toml(text: str | bytes, source: str) -> dict[str, Any]:
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        if not _too_much(text):
            return tomllib.loads(text)
        fault = _("there is more in it than in any guide")
    except UnicodeDecodeError:
        fault = _("it is not text in UTF-8")
    except tomllib.TOMLDecodeError as refused:  # names the line
        fault = str(refused)
    except (RecursionError, ValueError):
        fault = _("something in it is nested too deeply, or a number is too long")
    raise Part(where=source).wrong(_("this cannot be read as TOML: %(fault)s."), fault=fault)


def _too_much(text: str) -> bool:
    """Whether a text is made to be hard to read; no guide comes near."""
    frame = _STRING.sub("", text)
    return len(frame) > MOST_FRAME or any(
        len(line) > MOST_LINE or line.count(".") > MOST_DOTS for line in frame.split("\n")
    )


def _build(kind: type[P], values: Mapping[str, Any], where: str) -> P:
    """A part from a table of the file."""
    here = Part(where=where)
    known = {field.name: field for field in fields(kind) if field.name != "where"}
    for name in values:
        if name not in known:
            sentence = _("“%(name)s” is unknown here. Known are: %(known)s.")
            raise here.wrong(sentence, name=short(name), known=", ".join(known))
    types = get_type_hints(kind)
    taken = {}
    for name, field in known.items():
        if name in values:
            taken[name] = _value(types[name], values[name], name, here)
        elif field.default is MISSING:
            raise here.wrong(_("%(name)s is missing."), name=name)
    return kind(where=where, **taken)


def _value(kind: Any, value: Any, name: str, here: Part) -> Any:
    """`value` if it is of this kind, to the letter: `true` is no number, "2" neither."""
    if get_origin(kind) is UnionType:  # it may be left out, which is not what happened here
        kind = get_args(kind)[0]
    if get_origin(kind) is tuple:
        if type(value) is not list:
            raise here.wrong(_("%(name)s must be a list."), name=name)
        numbered, member = enumerate(value, start=1), get_args(kind)[0]
        return tuple(_value(member, each, f"{name} {nth}", here) for nth, each in numbered)
    if issubclass(kind, Part):
        if type(value) is not dict:
            raise here.wrong(_("%(name)s must be a table."), name=name)
        return _build(kind, value, f"{here.where}, {name}{_called(value)}")
    if issubclass(kind, TextChoices):
        if value not in kind.values:
            choices = ", ".join(filter(None, kind.values))
            raise here.wrong(_("%(name)s must be one of: %(all)s."), name=name, all=choices)
        return kind(value)
    if type(value) is not kind:
        expected = {
            str: _("%(name)s must be a text in quotes."),
            int: _("%(name)s must be a whole number."),
            bool: _("%(name)s must be true or false."),
        }
        raise here.wrong(expected[kind], name=name)
    return value


def _called(values: Mapping[str, Any]) -> str:
    """What a reader of the file calls this table, in brackets."""
    for name in ("title", "name", "file", "text"):
        if isinstance(values.get(name), str):
            return f" (“{short(values[name])}”)"
    return ""


def _check(guide: GuideFile) -> None:
    """Names are well-formed, each is given once, and whatever is named is there."""
    for part in (guide, *guide.symptom, *guide.fix):
        if not KEY.fullmatch(part.key) or len(part.key) > part.longest or part.key in RESERVED:
            sentence = _(
                "key must be at most %(most)d small letters, digits and hyphens; no %(no)s."
            )
            raise part.wrong(sentence, most=part.longest, no=", no ".join(RESERVED))
    fixes, symptoms = unique_keys(guide.fix), unique_keys(guide.symptom)
    for symptom in guide.symptom:
        among(fixes, symptom, "start_with", symptom.start_with)
    for scenario in guide.scenario:
        among(fixes, scenario, "fix", [scenario.fix] if scenario.fix else [])
        if scenario.symptom and scenario.symptom not in symptoms:
            key = short(scenario.symptom)
            raise scenario.wrong(_("symptom: no symptom here is “%(key)s”."), key=key)
    for fix in guide.fix:
        among(fixes, fix, "after", fix.after)
        if not 1 <= fix.minutes <= 600:
            raise fix.wrong(_("minutes must be a whole number from 1 to 600."))
    for picture in (step.picture for fix in guide.fix for step in fix.step):
        if picture and not PICTURE_FILE.fullmatch(picture.file):
            raise picture.wrong(_("file must be like pictures/name.svg, beside the guide’s file."))


def unique_keys(parts: Iterable[KeyedPart]) -> set[str]:
    """The keys of these parts, each of them given once."""
    keys: set[str] = set()
    for part in parts:
        if part.key in keys:
            raise part.wrong(_("the key “%(key)s” is taken already."), key=part.key)
        keys.add(part.key)
    return keys


def among(fixes: set[str], part: Part, field: str, keys: Iterable[str]) -> None:
    """Refuse a key that no fix of the guide has."""
    for key in keys:
        if key not in fixes:
            key = short(key)
            raise part.wrong(_("%(field)s: no fix here is “%(key)s”."), field=field, key=key)


# --- Making the rows ---


@dataclass(frozen=True)
class Loaded:
    """What became of a guide's file.

    Not `new`: the guide was there and nothing was touched. `edition` is the one just published.
    `shared` are fixes that were there already and are now placed in this guide as they are.
    """

    guide: models.Guide
    new: bool
    edition: models.Edition | None = None
    shared: tuple[models.Fix, ...] = ()


def load(path: Path, *, publish: bool = True) -> Loaded:
    """Take in the guide's file at `path`, or raise GuideFileError."""
    try:
        text = path.read_bytes()
    except OSError as fault:
        sentence = _("the file cannot be opened: %(fault)s.")
        raise Part(where=path.name).wrong(sentence, fault=fault.strerror) from fault
    return save(parse(text, path.name), path.parent, publish=publish)


def save(parsed: GuideFile, folder: Path, *, publish: bool = True) -> Loaded:
    """Make the rows of a guide and publish it, all in one transaction, or raise GuideFileError.

    An editor's work is never overwritten: a guide with this key and language is left alone, a
    fix, topic, contact or picture that is there already is used as it is. `folder` is where the
    pictures are.
    """
    with transaction.atomic():
        there = models.Guide.objects.filter(key=parsed.key, language=parsed.language).first()
        if there:
            return Loaded(there, new=False)
        original = _original(parsed)
        guide = _save_guide(parsed)
        shared = _save_fixes(parsed, guide, folder)
        _save_symptoms(parsed, guide)
        _save_scenarios(parsed.scenario, guide)
        if original:
            paths = untranslated(parsed)
            models.Translation.objects.of(guide, original, untranslated=paths)
        try:
            edition = models.Edition.objects.publish(guide, by=None) if publish else None
        except models.NotReady as refused:
            raise parsed.wrong("%(findings)s", findings=refused) from refused
        return Loaded(guide, new=True, edition=edition, shared=shared)


def _original(parsed: GuideFile) -> models.Guide | None:
    """The guide that this file is a translation of; it must be there before."""
    if not parsed.original:
        return None
    guides = models.Guide.objects.whole().filter(key=parsed.key).exclude(language=parsed.language)
    original = guides.filter(language=parsed.original).first()
    if original is None:
        said = _("original: the guide “%(key)s” is not there in “%(language)s” yet: load it first.")
        raise parsed.wrong(said, key=parsed.key, language=short(parsed.original))
    return original


def _save_guide(parsed: GuideFile) -> models.Guide:
    """The guide with its topic and contacts."""
    there = models.Topic.objects.filter(slug=parsed.topic.slug).first()
    guide = _made(models.Guide, parsed, topic=there or _made(models.Topic, parsed.topic))
    for part in parsed.contact:
        same = {"language": guide.language, "name": part.name, "url": part.url}
        contact = models.Contact.objects.filter(**same).first()
        guide.contacts.add(contact or _made(models.Contact, part, language=guide.language))
    return guide


def _save_fixes(parsed: GuideFile, guide: models.Guide, folder: Path) -> tuple[models.Fix, ...]:
    """The fixes in their places; returns those that were there already."""
    placed, shared = [], []
    for position, part in enumerate(parsed.fix, start=1):
        fix = models.Fix.objects.filter(key=part.key, language=guide.language).first()
        if fix:
            shared.append(fix)
        else:
            fix = _save_fix(part, guide.language, folder)
        placed.append(_made(models.Placement, part, guide=guide, fix=fix, position=position))
    fixes = {placement.fix.key: placement.fix for placement in placed}
    for part, placement in zip(parsed.fix, placed, strict=True):
        placement.after.set([fixes[key] for key in part.after])
    return tuple(shared)


def _save_fix(part: FixPart, language: str, folder: Path) -> models.Fix:
    fix = _made(models.Fix, part, language=language)
    for position, step in enumerate(part.step, start=1):
        more = {"fix": fix, "language": language, "position": position}
        picture = _save_picture(step.picture, folder, language) if step.picture else None
        key = step.key or f"{part.key}-{position}"
        _made(models.Step, step, key=key, picture=picture, **more)
    return fix


def _save_picture(part: PicturePart, folder: Path, language: str) -> models.Picture:
    """The picture of a drawing; the same bytes are one picture, with words in each language."""
    drawing = open_drawing(part, folder)
    sha256 = hashlib.sha256(drawing.content).hexdigest()
    more = {"kind": "svg", "sha256": sha256, **asdict(drawing)}
    if part.name:
        more["name"] = part.name
    there = models.Picture.objects.filter(sha256=sha256).first()
    picture = there or _made(models.Picture, part, **more)
    if not picture.has_words_in(language):
        picture.describe(" ".join(part.alt.split()), language)
        picture.save()
    return picture


def _save_symptoms(parsed: GuideFile, guide: models.Guide) -> None:
    fixes = {fix.key: fix for fix in guide.fixes.all()}
    for position, part in enumerate(parsed.symptom, start=1):
        symptom = _made(
            models.Symptom, part, guide=guide, language=guide.language, position=position
        )
        symptom.start_with.set([fixes[key] for key in part.start_with])


def _save_scenarios(parts: Iterable[ScenarioPart], guide: models.Guide) -> None:
    fixes = {fix.key: fix for fix in guide.fixes.all()}
    symptoms = {symptom.key: symptom for symptom in guide.symptoms.all()}
    for position, part in enumerate(parts, start=1):
        named = {"fix": fixes.get(part.fix), "symptom": symptoms.get(part.symptom)}
        answers = ", ".join(part.answers)
        _made(models.Scenario, part, guide=guide, position=position, **named | {"answers": answers})


def _made(kind: type[M], part: Part, /, **more: object) -> M:
    """A new row, from what its part has under the same names and `more`.

    It goes through the gates that an editor's form has.
    """
    names = {field.name for field in kind._meta.concrete_fields} & vars(part).keys()
    row = kind(**{name: getattr(part, name) for name in names} | more)
    try:
        row.full_clean()
    except ValidationError as refused:
        said = " ".join(f"{name}: {' '.join(why)}" for name, why in refused.message_dict.items())
        raise part.wrong("%(said)s", said=said.replace(f"{NON_FIELD_ERRORS}: ", "")) from refused
    row.save()
    return row
