"""A whole draft written at once: from the shape that editions freeze, back into its rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models, transaction

from .content import Fix, Guide, Picture, Placement, Step, Symptom, new_key

Content = Mapping[str, Any]

TEXTS = ("title", "summary", "about", "closing", "prevention")
REMEDY = (
    *("title", "why", "minutes", "risk", "loses", "closes_page", "waiting", "note", "revision"),
)


def rewrite(guide: Guide, content: Content) -> None:
    """Make the draft of `guide` say what `content`, shaped as `freeze` shapes it, says.

    Its texts, symptoms, fixes and steps are found by key, so keys and what is known by them stay;
    what is new gets a row. A fix that is gone loses its place in the guide, never its row: other
    guides and its evidence need it. Topic, address and contacts are left as they are.
    """
    with transaction.atomic():
        Guide.objects.select_for_update().get(pk=guide.pk)  # one writer at a time
        draft = Guide.objects.whole().get(pk=guide.pk)
        _write(draft, {name: content[name] for name in TEXTS})
        named = _named(content, draft.language)
        _write_fixes(content["fixes"], named, draft.language)
        _write_placements(draft, content["fixes"], named)
        _write_symptoms(draft, content["symptoms"], named)


def copied(content: Content, key: str) -> dict[str, Any]:
    """`content` with a copy in place of the fix `key`: new keys, revision 1, and no evidence.

    The rules and symptoms that name the fix name the copy instead.
    """
    copy = new_key()

    def renamed(keys: Sequence[str]) -> list[str]:
        return sorted(copy if each == key else each for each in keys)

    fixes = [{**fix, "after": renamed(fix["after"])} for fix in content["fixes"]]
    for fix in fixes:
        if fix["key"] == key:
            steps = [{**step, "key": new_key()} for step in fix["steps"]]
            fix.update(key=copy, revision=1, steps=steps)
    symptoms = [
        {**symptom, "start_with": renamed(symptom["start_with"])} for symptom in content["symptoms"]
    ]
    return {**content, "fixes": fixes, "symptoms": symptoms}


def _write(row: models.Model, values: Mapping[str, Any]) -> None:
    """Save what differs, and nothing when nothing does."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if row._state.adding:
        row.save()
    elif changed:
        row.save(update_fields=changed)


def _named(content: Content, language: str) -> dict[str, Fix]:
    """Every fix that is there already and that the content names, by key."""
    keys = {fix["key"] for fix in content["fixes"]}
    keys |= {key for fix in content["fixes"] for key in fix["after"]}
    keys |= {key for symptom in content["symptoms"] for key in symptom["start_with"]}
    fixes = Fix.objects.filter(language=language, key__in=keys).prefetch_related("steps")
    return {fix.key: fix for fix in fixes}


def _write_fixes(frozen: Sequence[Content], named: dict[str, Fix], language: str) -> None:
    pictures = _pictures(frozen, language)
    free = _free_step_keys(frozen, named, language)
    for each in frozen:
        fix = named.setdefault(each["key"], Fix(key=each["key"], language=language))
        old = {} if fix._state.adding else {step.key: step for step in fix.steps.all()}
        _write(fix, {name: each[name] for name in REMEDY})
        for position, step in enumerate(each["steps"], start=1):
            row = old.pop(step["key"], None) or Step(
                fix=fix, key=step["key"] if step["key"] in free else new_key()
            )
            values = {name: step[name] for name in ("heading", "text")}
            shown = pictures.get(step["picture"]["sha256"]) if step["picture"] else None
            _write(row, {"position": position, "picture_id": shown, **values})
        if old:
            Step.objects.filter(pk__in=[step.pk for step in old.values()]).delete()


def _pictures(frozen: Sequence[Content], language: str) -> dict[str, int]:
    """The ids of the pictures by their hash; new words for a picture are kept with it."""
    shown = [step["picture"] for fix in frozen for step in fix["steps"] if step["picture"]]
    alt = {picture["sha256"]: picture["alt"] for picture in shown}
    rows = list(Picture.objects.filter(sha256__in=alt).defer("content"))
    for row in rows:
        if row.has_words_in(language) and row.alt_in(language) == alt[row.sha256]:
            continue
        before = (row.alt, row.alts)
        row.describe(alt[row.sha256], language)
        if before != (row.alt, row.alts):
            row.save()
    return {row.sha256: row.pk for row in rows}


def _free_step_keys(frozen: Sequence[Content], named: Mapping[str, Fix], language: str) -> set[str]:
    """The keys of new steps that no other step has: a key is never taken from its step."""
    keys = {step["key"] for fix in frozen for step in fix["steps"]}
    taken = Step.objects.filter(language=language, key__in=keys).values_list("key", flat=True)
    return keys - set(taken)


def _write_placements(draft: Guide, frozen: Sequence[Content], named: Mapping[str, Fix]) -> None:
    old = {placement.fix_id: placement for placement in draft.placements.all()}
    for position, each in enumerate(frozen, start=1):
        fix = named[each["key"]]
        placement = old.pop(fix.pk, None) or Placement(guide=draft, fix=fix)
        new = placement._state.adding
        _write(placement, {"position": position, "pin": each["pin"]})
        after = {named[key].pk for key in each["after"] if key in named}
        if new or after != {other.pk for other in placement.after.all()}:
            placement.after.set(after)
    if old:
        Placement.objects.filter(pk__in=[placement.pk for placement in old.values()]).delete()


def _write_symptoms(draft: Guide, frozen: Sequence[Content], named: Mapping[str, Fix]) -> None:
    old = {symptom.key: symptom for symptom in draft.symptoms.all()}
    fresh = {each["key"] for each in frozen} - old.keys()
    taken = Symptom.objects.filter(language=draft.language, key__in=fresh)
    strange = set(taken.values_list("key", flat=True))
    for position, each in enumerate(frozen, start=1):
        key = new_key() if each["key"] in strange else each["key"]
        symptom = old.pop(key, None) or Symptom(guide=draft, key=key)
        new = symptom._state.adding
        _write(symptom, {"position": position, "text": each["text"]})
        start_with = {named[key].pk for key in each["start_with"] if key in named}
        if new or start_with != {fix.pk for fix in symptom.start_with.all()}:
            symptom.start_with.set(start_with)
    if old:
        Symptom.objects.filter(pk__in=[symptom.pk for symptom in old.values()]).delete()
