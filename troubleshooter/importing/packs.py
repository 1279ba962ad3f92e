"""Guide packs: drafts as files to keep, review and take to another help desk.

`members` writes drafts, `read` gives them back as parts, weighed. Files are unpacking.py's, and
what a pack would change here is for plans.py. docs/packs.md describes the format.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from troubleshooter import models, tokens

from .drafting import contact_order, guide_part, untranslated
from .guide_file import RESERVED, among, unique_keys
from .guide_file import read as read_file
from .parts import (
    FixPart,
    GuideFile,
    GuideFileError,
    Part,
    PicturePart,
    ScenarioPart,
    StepPart,
    short,
)
from .toml_text import written
from .unpacking import Members, PackError

MOST_PARTS = 2_000  # symptoms, fixes, steps, contacts and scenarios of one guide
MOST_IN_ALL = 20_000  # of all guides: each is looked for here, in one question for all
KEY_LENGTH = 16
KEY = re.compile(r"[A-Za-z0-9_-]{1,16}")
PICTURE = re.compile(r"pictures/[0-9a-f]{64}\.(?:webp|svg)")
_RANGES = {"minutes": (0, 32_767), "position": (0, 32_767), "revision": (1, 2**31 - 1)}

P = TypeVar("P", bound=Part)


@dataclass(frozen=True, slots=True)
class Pack:
    """What a pack says: its guides, and the bytes of its pictures by the names of their files.

    A guide stands before its translations.
    """

    guides: tuple[GuideFile, ...]
    pictures: Mapping[str, bytes]


def members(guides: QuerySet[models.Guide]) -> Members:
    """The files of a pack of these drafts, as they are."""
    files: Members = {}
    pictures: dict[str, str] = {}
    drafts = models.Guide.objects.whole().filter(pk__in=guides.order_by().values("pk"))
    for guide in drafts.order_by("slug"):
        part = guide_part(guide)
        files[f"{part.slug}.toml"] = written(part).encode()
        pictures |= {picture.sha256: picture.file for picture in shown([part])}
    if not files:
        raise PackError(_("No guide was chosen."))
    rows = models.Picture.objects.filter(sha256__in=pictures).values_list("sha256", "content")
    return files | {pictures[sha256]: bytes(content) for sha256, content in rows.iterator()}


def read(files: Mapping[str, bytes]) -> Pack:
    """The pack of these members, its guides well-formed and at one with each other; or PackError.

    Nothing of the database is looked at, and no picture is opened.
    """
    try:
        guides = tuple(
            _cleaned(read_file(text, name))
            for name, text in sorted(files.items())
            if name.endswith(".toml")
        )
        if sum(map(_parts, guides)) > MOST_IN_ALL:
            raise PackError(_("This is too much for one pack: at most 20,000 parts of guides."))
        pictures = {name: content for name, content in files.items() if PICTURE.fullmatch(name)}
        guides = _named(guides)
        _check_together(guides)
        _check_pictures(guides, pictures)
        known = {(each.language, each.key): each for each in guides}
        guides = tuple(sorted(guides, key=lambda guide: len(originals(guide, known))))
    except GuideFileError as refused:
        raise PackError(str(refused)) from refused
    if not guides:
        raise PackError(_("There is no guide in this pack."))
    return Pack(guides, pictures)


def shown(guides: Iterable[GuideFile]) -> list[PicturePart]:
    """The pictures of these guides, wherever they show them."""
    fixes = (fix for guide in guides for fix in guide.fix)
    return [step.picture for fix in fixes for step in fix.step if step.picture]


def reworded(guide: GuideFile, words: Callable[[PicturePart], PicturePart]) -> GuideFile:
    """The guide with other words for its pictures."""
    fixes = []
    for fix in guide.fix:
        steps = (replace(step, picture=step.picture and words(step.picture)) for step in fix.step)
        fixes.append(replace(fix, step=tuple(steps)))
    return replace(guide, fix=tuple(fixes))


def originals(
    guide: GuideFile, known: Mapping[tuple[str, str], GuideFile]
) -> list[tuple[str, str]]:
    """Language and key of what a guide is a translation of, and of what that is one of, and so on.

    The last one may be unknown. Refuses a guide that in the end is a translation of itself.
    """
    line: list[tuple[str, str]] = []
    at: GuideFile | None = guide
    while at and at.original:
        name = (at.original, guide.key)
        if name in line or name == (guide.language, guide.key):
            raise guide.wrong(_("original: in the end this is a translation of itself."))
        line.append(name)
        at = known.get(name)
    return line


# --- One guide ---


def _cleaned(guide: GuideFile) -> GuideFile:
    """The guide with every text as a draft would keep it, and all that it names there."""
    for part in (guide, *guide.symptom, *guide.fix):
        if not KEY.fullmatch(part.key) or (isinstance(part, FixPart) and part.key in RESERVED):
            said = _("key must be 1 to 16 letters, digits, hyphens and underlines; no %(no)s.")
            raise part.wrong(said, no=", no ".join(RESERVED))
    if _parts(guide) > MOST_PARTS:
        raise guide.wrong(_("this is too much for one guide: at most 2,000 parts."))
    _check_names(guide)
    cleaned = replace(
        _fit(guide, models.Guide, "slug", "language"),
        topic=_fit(guide.topic, models.Topic, "slug", "name"),
        symptom=tuple(
            replace(_fit(part, models.Symptom), start_with=_unique(part.start_with))
            for part in guide.symptom
        ),
        fix=tuple(_cleaned_fix(part) for part in guide.fix),
        contact=tuple(
            sorted(
                (_fit(part, models.Contact, "name", "url") for part in guide.contact),
                key=contact_order,
            )
        ),
        scenario=tuple(replace(part, answers=_answers(part)) for part in guide.scenario),
        untranslated=_unique(guide.untranslated),
    )
    untranslated(cleaned)
    return cleaned


def _parts(guide: GuideFile) -> int:
    """How many things a guide is made of."""
    steps = sum(len(fix.step) for fix in guide.fix)
    kinds = (guide.symptom, guide.fix, guide.contact, guide.scenario)
    return steps + sum(map(len, kinds))


def _check_names(guide: GuideFile) -> None:
    fixes, symptoms = unique_keys(guide.fix), unique_keys(guide.symptom)
    for symptom in guide.symptom:
        among(fixes, symptom, "start_with", symptom.start_with)
    for fix in guide.fix:
        among(fixes, fix, "after", fix.after)
    for scenario in guide.scenario:
        among(fixes, scenario, "fix", filter(None, [scenario.fix]))
        if scenario.symptom and scenario.symptom not in symptoms:
            said = _("symptom: no symptom here is “%(key)s”.")
            raise scenario.wrong(said, key=short(scenario.symptom))
    for step in (step for fix in guide.fix for step in fix.step):
        if step.key and not KEY.fullmatch(step.key):
            raise step.wrong(_("key must be 1 to 16 letters, digits, hyphens and underlines."))
        if step.picture and not PICTURE.fullmatch(step.picture.file):
            said = _("file must be like pictures/….webp, named by the picture’s SHA-256.")
            raise step.picture.wrong(said)


def _unique(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(keys)))


def _cleaned_fix(fix: FixPart) -> FixPart:
    """The fix with a key for every step; one without gets what always is the same for it."""
    taken = {step.key for step in fix.step}
    steps = []
    for number, step in enumerate(fix.step, start=1):
        key = step.key or f"{fix.key}-{number}"
        if not step.key and (key in taken or len(key) > KEY_LENGTH):
            seed = f"{fix.key} {number} {step.text}".encode(errors="replace")
            key = tokens.content_key(hashlib.sha256(seed).digest()[:12])
        taken.add(key)
        steps.append(replace(_cleaned_step(step), key=key))
    return replace(_fit(fix, models.Fix), after=_unique(fix.after), step=tuple(steps))


def _cleaned_step(step: StepPart) -> StepPart:
    step = _fit(step, models.Step)
    if not step.picture:
        return step
    return replace(step, picture=_fit(step.picture, models.Picture))


def _answers(scenario: ScenarioPart) -> tuple[str, ...]:
    field = models.Scenario._meta.get_field("answers")
    kept = _kept(scenario, field, ", ".join(scenario.answers))
    return tuple(filter(None, kept.split(", ")))


def _fit(part: P, model: type[Model], *needed: str) -> P:
    """The part with each value as the field of the same name keeps it.

    It may be empty unless it is `needed`: a draft may be saved half done.
    """
    kept = {}
    for name in {field.name for field in fields(part)} & _plain(model).keys():
        kept[name] = _kept(part, _plain(model)[name], getattr(part, name))
        if name in needed and not kept[name]:
            raise part.wrong(_("%(name)s is missing."), name=name)
    return replace(part, **kept)


def _plain(model: type[Model]) -> dict[str, Any]:
    return {field.name: field for field in model._meta.concrete_fields if not field.is_relation}


def _kept(part: Part, field: Any, value: Any) -> Any:
    low, high = _RANGES.get(field.name, (None, None))
    if low is not None and not low <= value <= high:
        said = _("%(name)s must be a whole number from %(low)d to %(high)d.")
        raise part.wrong(said, name=field.name, low=low, high=high)
    try:
        value = field.to_python(value)
        return value if value == "" else field.clean(value, None)
    except ValidationError as refused:
        said = " ".join(refused.messages)
        raise part.wrong("%(name)s: %(said)s", name=field.name, said=said) from refused


# --- All of them together ---


def _named(guides: Iterable[GuideFile]) -> tuple[GuideFile, ...]:
    """With a name for each picture: that of another file, or else of its words."""
    pictures = shown(guides)
    names = {each.sha256: each.name for each in reversed(pictures) if each.name}
    for each in pictures:
        names.setdefault(each.sha256, each.alt[:80].strip() or each.sha256[:12])
    return tuple(
        reworded(guide, lambda each: replace(each, name=each.name or names[each.sha256]))
        for guide in guides
    )


def _check_together(guides: Iterable[GuideFile]) -> None:
    """What several guides share says the same in each, and what is one guide's is not two's."""
    first: dict[tuple[str, ...], tuple[object, GuideFile]] = {}
    for guide in guides:
        for part, name, value, sentence in _claims(guide):
            said, where = first.setdefault(name, (value, guide))
            if said != value:
                raise part.wrong(sentence, name=name[-1], other=where.where)


def _claims(guide: GuideFile) -> Iterator[tuple[Part, tuple[str, ...], object, str]]:
    """What a guide says of things others may speak of, and what is wrong when they differ."""
    file, language = guide.where, guide.language
    once = _("the guide “%(name)s” in this language is in %(other)s, too.")
    yield guide, ("guide", language, guide.key), file, once
    yield guide, ("slug", guide.slug), file, _("%(other)s has the slug “%(name)s”, too.")
    same = _("in %(other)s this says something else; what guides share is the same in each.")
    yield guide.topic, ("topic", guide.topic.slug), guide.topic, same
    taken = _("the key “%(name)s” is taken already, in %(other)s.")
    for symptom in guide.symptom:
        yield symptom, ("symptom", language, symptom.key), file, taken
    for fix in guide.fix:
        yield fix, ("fix", language, fix.key), remedy(fix), same
        for number, step in enumerate(fix.step):
            yield step, ("step", language, step.key), (fix.key, number), taken
            if step.picture:
                name, alt = step.picture.name, step.picture.alt
                yield step.picture, ("picture", step.picture.sha256), name, same
                yield step.picture, ("picture", language, step.picture.sha256), alt, same


def remedy(fix: FixPart) -> FixPart:
    """A fix without its place in a guide."""
    return replace(fix, pin=models.Placement.Pin.NONE, after=())


def _check_pictures(guides: Iterable[GuideFile], files: Mapping[str, bytes]) -> None:
    """Each picture that is shown is there, and the other way round; its name is its checksum."""
    named = set()
    for picture in shown(guides):
        named.add(picture.file)
        if picture.file not in files:
            raise picture.wrong(_("there is no such file in the pack."))
    for name, content in files.items():
        if name not in named:
            raise PackError(f"{name}: " + _("no step shows this picture."))
        if hashlib.sha256(content).hexdigest() != name.rpartition("/")[2].partition(".")[0]:
            raise PackError(f"{name}: " + _("its name must be the SHA-256 of its bytes."))
