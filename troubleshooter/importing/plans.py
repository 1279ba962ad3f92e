"""What a pack would change here, and its saving: guide by guide, each as a whole or not at all.

A plan holds every guide of the pack as it stands here and as it would stand then, so what is
shown of it is what is saved. Guides, symptoms, fixes and steps are found by their keys.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Prefetch
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from troubleshooter import models
from troubleshooter.models.wording import texts

from . import showing
from .drafting import TEXTS, contact_order, content, fix_part, guide_part, untranslated
from .packs import Pack, originals, remedy, reworded
from .parts import ContactPart, FixPart, GuideFile, GuideFileError, short
from .toml_text import written
from .unpacking import PackError


@dataclass(frozen=True, slots=True)
class Change:
    """One guide as it stands here, if it does, and as the pack makes it.

    `original` is the title of the guide that it is a translation of.
    """

    before: GuideFile | None
    after: GuideFile
    original: str = ""


@dataclass(frozen=True, slots=True)
class Reach:
    """A fix that changes for guides beyond those of its own change: `others` offer it, too."""

    before: FixPart
    after: FixPart
    language: str
    others: tuple[str, ...]


@dataclass(slots=True)
class Plan:
    """What a pack would change here. `same` are guides that are word for word here already."""

    changes: list[Change]
    same: list[GuideFile]
    reaches: list[Reach]
    notes: list[str]
    pictures: Mapping[str, Mapping[str, object]]  # the new ones by checksum: what their rows hold
    words: Mapping[str, showing.Words]  # of all pictures, by checksum
    _saved: dict[tuple[str, str], FixPart] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Names all that the plan shows: two plans that have the same would do the same."""
        told = [text for each in self.changes for text in (_text(each.before), _text(each.after))]
        told += [each.original for each in self.changes]
        told += [written(each) for each in self.same]
        told += [repr((each.before, each.after, each.others)) for each in self.reaches]
        told += [*self.notes, *sorted(self.pictures)]
        return hashlib.sha256("\0".join(told).encode()).hexdigest()

    def save(self, change: Change, by: User | None, said: str) -> models.Guide:
        """Make one change, in one transaction, and note it in the log of the guide.

        Raises PackError when the guide was changed meanwhile: then nothing of it is saved.
        """
        part = change.after
        try:
            with transaction.atomic():
                guide = self._own(change)
                self._save_pictures(part)
                models.rewrite(guide, content(part))
                _save_contacts(guide, part.contact)
                _save_scenarios(guide, part)
                _save_translation(guide, part)
                models.LogLine.objects.note(guide, models.LogLine.Kind.CHANGED, by, said=said)
        except IntegrityError as clash:  # somebody made the same a moment ago
            raise _meanwhile(part) from clash
        for fix in part.fix:
            self._saved[part.language, fix.key] = remedy(fix)
        return guide

    def _own(self, change: Change) -> models.Guide:
        """The row of the guide, with its topic and address, ours until the transaction ends."""
        part = change.after
        named = models.Guide.objects.filter(key=part.key, language=part.language)
        guide = named.select_for_update().first()
        if guide:
            now = guide_part(models.Guide.objects.whole().get(pk=guide.pk))
            if change.before is None or self._bare(now) != self._bare(change.before):
                raise _meanwhile(part)
        elif change.before:
            raise _meanwhile(part)
        else:
            guide = models.Guide(key=part.key, language=part.language)
        guide.topic, _made = models.Topic.objects.get_or_create(
            slug=part.topic.slug,
            defaults={"name": part.topic.name, "position": part.topic.position},
        )
        guide.slug = part.slug
        for name in TEXTS:
            setattr(guide, name, getattr(part, name))
        guide.save()
        return guide

    def _bare(self, part: GuideFile) -> GuideFile:
        """A guide to be compared, without what was changed for a guide before it.

        That are fixes it shares with that one, what of them is not translated yet, and the words
        of pictures.
        """
        fixes = []
        for fix in part.fix:
            saved = self._saved.get((part.language, fix.key), fix)
            fixes.append(replace(saved, pin=fix.pin, after=fix.after))
        bare = replace(part, fix=tuple(fixes), untranslated=())
        return reworded(bare, lambda each: replace(each, alt="", name=""))

    def _save_pictures(self, part: GuideFile) -> None:
        """The pictures of a guide, with their words in every language of the pack."""
        shown = showing.words([part])
        here = models.Picture.objects.filter(sha256__in=shown).defer("content")
        rows = {row.sha256: row for row in here}
        for sha256 in shown:
            row = rows.get(sha256)
            if row is None and sha256 not in self.pictures:  # it was here a moment ago
                raise _meanwhile(part)
            row = row or models.Picture(sha256=sha256, **self.pictures[sha256])
            if self.words[sha256].put_on(row) or row._state.adding:
                row.save()


def _text(part: GuideFile | None) -> str:
    return written(part) if part else ""


def _meanwhile(part: GuideFile) -> PackError:
    said = _("“%(guide)s” was changed meanwhile, and is left as it is: look at the pack again.")
    return PackError(said % {"guide": part.title})


def _save_contacts(guide: models.Guide, parts: Sequence[ContactPart]) -> None:
    here = list(models.Contact.objects.filter(language=guide.language).order_by("pk"))
    taken: list[models.Contact] = []
    for part in parts:
        row = _matching(part, here, taken)
        if row is None or row.position != part.position:
            told = {name: getattr(part, name) for name in ("name", "url", "note", "position")}
            row = models.Contact.objects.create(language=guide.language, **told)
        taken.append(row)
    guide.contacts.set(taken)


def _matching(
    part: ContactPart, here: Iterable[models.Contact], taken: Sequence[models.Contact]
) -> models.Contact | None:
    """A contact that says the same, in the same place if there is one, and is not taken yet."""
    said = (part.name, part.url, part.note)
    rows = [row for row in here if (row.name, row.url, row.note) == said and row not in taken]
    return min(rows, key=lambda row: (row.position != part.position, row.pk), default=None)


def _save_scenarios(guide: models.Guide, part: GuideFile) -> None:
    now = guide_part(models.Guide.objects.whole().get(pk=guide.pk))
    if now.scenario == part.scenario:
        return
    guide.scenarios.all().delete()
    symptoms = {symptom.key: symptom for symptom in guide.symptoms.all()}
    fixes = {fix.key: fix for fix in guide.fixes.all()}
    for position, each in enumerate(part.scenario, start=1):
        models.Scenario.objects.create(
            guide=guide,
            position=position,
            symptom=symptoms.get(each.symptom),
            answers=", ".join(each.answers),
            status=each.status,
            fix=fixes.get(each.fix),
        )


def _save_translation(guide: models.Guide, part: GuideFile) -> None:
    """What the guide is a translation of, and which texts are not translated yet."""
    if not part.original:
        return
    draft = models.Guide.objects.whole().get(pk=guide.pk)
    if translation := getattr(draft, "translation", None):
        translation.mark(draft, untranslated(part))
        return
    named = models.Guide.objects.whole().filter(key=part.key, language=part.original)
    original = named.first()
    if original is None:  # it could not be saved, or was here a moment ago
        raise PackError(str(_without_original(part)))
    models.Translation.objects.of(draft, original, untranslated=untranslated(part))


# --- Making a plan ---


def plan(pack: Pack, *, new_drawings: bool) -> Plan:
    """What `pack` would change here; nothing is written. Raises PackError when it cannot be.

    Drawings (SVG) that are not here yet are for operators alone: only with `new_drawings`.
    """
    drafts = _drafts(pack.guides)
    _check_slugs(pack.guides)
    _check_symptoms(pack.guides)
    _check_steps(pack.guides)
    notes: list[str] = []
    fixes = _fixes(pack.guides)
    settled = _settled(_translating(pack.guides, drafts, notes), fixes, notes)
    pairs = [(drafts.get((each.language, each.key)), each) for each in settled]
    changes = [
        Change(before, after, original)
        for (before, after), original in zip(pairs, _originals(settled, drafts), strict=True)
        if before != after
    ]
    notes += showing.notes(settled)
    return Plan(
        changes=changes,
        same=[after for before, after in pairs if before == after],
        reaches=list(_reaches(pairs, fixes)),
        notes=notes,
        pictures=showing.new_pictures(pack, new_drawings=new_drawings),
        words=showing.words(settled),
    )


Known = Mapping[tuple[str, str], GuideFile]  # by language and key


def _drafts(guides: Iterable[GuideFile]) -> dict[tuple[str, str], GuideFile]:
    """The drafts here that these guides have to do with: in any language, for translations."""
    rows = models.Guide.objects.whole().filter(key__in=[each.key for each in guides])
    return {(row.language, row.key): guide_part(row) for row in rows}


def _translating(
    guides: Iterable[GuideFile], drafts: Known, notes: list[str]
) -> Iterator[GuideFile]:
    """The guides, each a translation of what it is one of here, if it is."""
    for guide in guides:
        there = drafts.get((guide.language, guide.key))
        if there and there.original not in ("", guide.original):
            said = _("“%(guide)s” is a translation from “%(language)s” here, and stays one.")
            name = get_language_info(there.original)["name_local"]
            _note(notes, said % {"guide": there.title, "language": name})
            guide = replace(guide, original=there.original, untranslated=_still(there, guide))
        yield guide


def _still(there: GuideFile, guide: GuideFile) -> tuple[str, ...]:
    """What of the draft here is not translated yet, and says the same in the pack."""
    old, new = texts(content(there)), texts(content(guide))
    left = untranslated(there)
    return tuple(sorted(" ".join(path) for path in left if old[path] == new.get(path)))


def _originals(guides: Sequence[GuideFile], drafts: Known) -> list[str]:
    """The title of each one's original, empty for what is no translation."""
    known = {**drafts, **{(each.language, each.key): each for each in guides}}
    titles = []
    try:
        for guide in guides:
            line = originals(guide, known)
            if line and line[0] not in known:
                raise _without_original(guide)
            titles.append(known[line[0]].title if line else "")
    except GuideFileError as refused:
        raise PackError(str(refused)) from refused
    return titles


def _without_original(guide: GuideFile) -> GuideFileError:
    said = _(
        "original: the guide “%(key)s” in “%(language)s” is neither in this pack nor here:"
        " export both, or import that one first."
    )
    return guide.wrong(said, key=guide.key, language=short(guide.original))


def _check_slugs(guides: Sequence[GuideFile]) -> None:
    """An address belongs to the guide that has it."""
    owners = models.Guide.objects.filter(slug__in=[each.slug for each in guides])
    by_slug = {owner.slug: owner for owner in owners}
    for guide in guides:
        owner = by_slug.get(guide.slug)
        if owner and (owner.key, owner.language) != (guide.key, guide.language):
            said = _("another guide here has the slug “%(slug)s”: “%(title)s”.")
            raise PackError(str(guide.wrong(said, slug=guide.slug, title=owner.title)))


def _check_symptoms(guides: Sequence[GuideFile]) -> None:
    """The key of a symptom belongs to its guide: evidence hangs on it."""
    keys = [symptom.key for guide in guides for symptom in guide.symptom]
    rows = models.Symptom.objects.filter(key__in=keys).select_related("guide")
    owners = {(row.language, row.key): row.guide for row in rows}
    for guide in guides:
        for symptom in guide.symptom:
            owner = owners.get((guide.language, symptom.key))
            if owner and owner.key != guide.key:
                said = _("the key “%(key)s” is that of a symptom of “%(title)s” here.")
                raise PackError(str(symptom.wrong(said, key=symptom.key, title=owner.title)))


def _check_steps(guides: Sequence[GuideFile]) -> None:
    """The key of a step belongs to its fix; within a pack it may move to another one."""
    fixes = [(guide.language, fix) for guide in guides for fix in guide.fix]
    ours = {(language, fix.key) for language, fix in fixes}
    keys = {step.key for _language, fix in fixes for step in fix.step}
    rows = models.Step.objects.filter(key__in=keys).select_related("fix")
    owners = {(row.language, row.key): row.fix for row in rows}
    for language, fix in fixes:
        for step in fix.step:
            owner = owners.get((language, step.key))
            if owner and (language, owner.key) not in ours:
                said = _("the key “%(key)s” is that of a step of “%(title)s” here.")
                raise PackError(str(step.wrong(said, key=step.key, title=owner.title)))


Fixes = dict[tuple[str, str], models.Fix]


def _fixes(guides: Sequence[GuideFile]) -> Fixes:
    """The fixes of these guides that are here already, and where they are offered."""
    placements = models.Placement.objects.select_related("guide").order_by("guide__title")
    rows = models.Fix.objects.filter(
        key__in={fix.key for guide in guides for fix in guide.fix},
        language__in={guide.language for guide in guides},
    ).prefetch_related(
        Prefetch("steps__picture", models.Picture.objects.defer("content")),
        Prefetch("placements", placements),
    )
    return {(row.language, row.key): row for row in rows}


def _settled(guides: Iterable[GuideFile], fixes: Fixes, notes: list[str]) -> list[GuideFile]:
    """The guides as they would stand here: what is this help desk's own stays as it is."""
    guides = showing.settled(list(guides))
    rows = models.Topic.objects.filter(slug__in=[guide.topic.slug for guide in guides])
    topics = {row.slug: row for row in rows}
    contacts: dict[str, list[models.Contact]] = {guide.language: [] for guide in guides}
    for contact in models.Contact.objects.filter(language__in=contacts).order_by("pk"):
        contacts[contact.language].append(contact)
    settled = []
    for guide in guides:
        topic = guide.topic
        if there := topics.get(topic.slug):
            if there.name != topic.name:
                said = _("The topic “%(here)s” is called “%(there)s” in the pack, and stays.")
                _note(notes, said % {"here": there.name, "there": topic.name})
            topic = replace(topic, name=there.name, position=there.position)
        revised = (_revised(fix, fixes.get((guide.language, fix.key)), notes) for fix in guide.fix)
        placed = _placed(guide.contact, contacts[guide.language])
        settled.append(replace(guide, topic=topic, fix=tuple(revised), contact=placed))
    return settled


def _note(notes: list[str], said: str) -> None:
    if said not in notes:
        notes.append(said)


def _revised(fix: FixPart, there: models.Fix | None, notes: list[str]) -> FixPart:
    """The fix with a revision that never falls: then old results would count for another remedy."""
    if there is None or fix.revision >= there.revision:
        return fix
    kept_at = replace(fix, revision=there.revision)
    if remedy(kept_at) == remedy(fix_part(there)):
        return kept_at
    said = _(
        "“%(fix)s” is older in the pack (revision %(old)d) than here (revision %(here)d): it is"
        " saved as revision %(new)d, so that no results of another remedy count for it."
    )
    names = {"fix": fix.title, "old": fix.revision, "here": there.revision}
    _note(notes, said % {**names, "new": there.revision + 1})
    return replace(fix, revision=there.revision + 1)


def _placed(
    parts: Sequence[ContactPart], here: Sequence[models.Contact]
) -> tuple[ContactPart, ...]:
    """Contacts that are here already stand where they stand here."""
    taken: list[models.Contact] = []
    placed = []
    for part in parts:
        row = _matching(part, here, taken)
        if row:
            taken.append(row)
            part = replace(part, position=row.position)
        placed.append(part)
    return tuple(sorted(placed, key=contact_order))


def _reaches(pairs: Sequence[tuple[GuideFile | None, GuideFile]], fixes: Fixes) -> Iterator[Reach]:
    """Fixes whose change no guide of the pack shows, or not alone."""
    ours = {(after.language, after.key) for _before, after in pairs}
    told = {(before.language, fix.key) for before, _after in pairs if before for fix in before.fix}
    done = set()
    for _before, guide in pairs:
        for fix in guide.fix:
            name = (guide.language, fix.key)
            there = fixes.get(name)
            if there is None or name in done:
                continue
            done.add(name)
            old, new = remedy(fix_part(there)), remedy(fix)
            offered = [each.guide for each in there.placements.all()]
            others = [each.title for each in offered if (each.language, each.key) not in ours]
            if old != new and (others or name not in told):
                yield Reach(old, new, guide.language, tuple(others))
