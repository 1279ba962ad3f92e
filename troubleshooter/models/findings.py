"""Why a draft cannot be published yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext as _

from troubleshooter import ordering

from .content import Guide, Placement, Risk


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason, as a sentence, and the row and field where it is mended."""

    sentence: str
    row: models.Model
    field: str


def findings(guide: Guide) -> list[Finding]:
    """Every reason why `guide` cannot be published. Read it with `Guide.objects.whole()`."""
    placements = list(guide.placements.all())
    found: list[Finding] = []
    if not placements:
        found.append(Finding(_("The guide has no fix yet."), guide, "placements"))
    for placement in placements:
        found.extend(_of_fix(placement, guide))
    found.extend(_of_symptoms(guide, placements))
    found.extend(_of_rules(placements))
    return found


def places(placements: Sequence[Placement]) -> list[ordering.Place]:
    """Placements as the rules of ordering see them."""
    return [
        ordering.Place(
            fix=placement.fix.key,
            risky=placement.fix.risk == Risk.DATA_LOSING,
            pin=placement.pin,
            after=tuple(fix.key for fix in placement.after.all()),
        )
        for placement in placements
    ]


def _of_fix(placement: Placement, guide: Guide) -> Iterator[Finding]:
    fix = placement.fix
    name = {"fix": fix.title}
    steps = list(fix.steps.all())
    if fix.language != guide.language:
        yield Finding(
            _("The fix “%(fix)s” is written in another language than the guide.") % name,
            placement,  # mended by placing a fix in the right language: a fix keeps its own
            "fix",
        )
    if not steps:
        yield Finding(_("The fix “%(fix)s” has no steps.") % name, fix, "steps")
    if fix.minutes == 0:
        yield Finding(_("The fix “%(fix)s” takes no time at all.") % name, fix, "minutes")
    if fix.risk == Risk.DATA_LOSING and not fix.loses.strip():
        yield Finding(
            _("The fix “%(fix)s” loses data but does not say what will be lost.") % name,
            fix,
            "loses",
        )
    for step in steps:
        if step.picture and not step.picture.alt.strip():
            yield Finding(
                _("A picture in “%(fix)s” has no text alternative.") % name, step.picture, "alt"
            )


def _of_symptoms(guide: Guide, placements: Sequence[Placement]) -> Iterator[Finding]:
    placed = {placement.fix for placement in placements}
    for symptom in guide.symptoms.all():
        for fix in symptom.start_with.all():
            names = {"symptom": symptom.text, "fix": fix.title}
            if fix not in placed:
                yield Finding(
                    _("“%(symptom)s” starts with “%(fix)s”, which is not in this guide.") % names,
                    symptom,
                    "start_with",
                )
            elif fix.risk == Risk.DATA_LOSING:
                yield Finding(
                    _("“%(symptom)s” starts with “%(fix)s”, which loses data.") % names,
                    symptom,
                    "start_with",
                )


def _of_rules(placements: Sequence[Placement]) -> Iterator[Finding]:
    sentences = {
        "absent": _("“%(fix)s” must come after “%(other)s”, which is not in this guide."),
        "risk": _("“%(fix)s” must come after “%(other)s”, but that one loses data: it comes last."),
        "circle": _("“%(fix)s” and “%(other)s” must each come before the other."),
        "pin": _("“%(fix)s” must come after “%(other)s”, but their pins say the opposite."),
    }
    by_key = {placement.fix.key: placement for placement in placements}
    titles = {fix.key: fix.title for p in placements for fix in (p.fix, *p.after.all())}
    for wrong in ordering.contradictions(places(placements)):
        names = {"fix": titles[wrong.fix], "other": titles[wrong.other]}
        yield Finding(sentences[wrong.rule] % names, by_key[wrong.fix], "after")
