"""Why a draft cannot be published yet, and what in it deserves a second look."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from troubleshooter import markup, ordering

from .content import Fix, Guide, Placement, Risk, Step

MOST_STEPS = 20  # in a fix: somebody with a broken thing follows no longer list
LONGEST_STEP = 600  # characters: one instruction, read at arm's length

# Words in a fix, by its language, that often mean that something is gone afterwards.
_LOSING = {
    "en": r"delet(?:e[sd]?|ing)|eras(?:e[sd]?|ing)|reset(?:s|ting)?|wip(?:e[sd]?|ing)\s+out",
    "de": r"(?:ge)?lösch\w*|zurück(?:zu)?setz\w*|zurückgesetzt",
    "es": r"borr[ae]\w*|elimin[ae]\w*|restable[cz]\w*",
    "ar": r"احذف|حذف|امسح|مسح|إعادة\s+ضبط",
}
_LINK = re.compile(r'href="([^"]*)"')
_GUIDE_PAGE = re.compile(r"/g/([^/?#]+)")


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason, as a sentence, and the row and field where it is mended.

    One that does not block is a warning: an editor may know better.
    """

    sentence: str
    row: models.Model
    field: str
    blocks: bool = True


def findings(guide: Guide) -> list[Finding]:
    """All that speaks against publishing `guide`. Read it with `Guide.objects.whole()`."""
    placements = list(guide.placements.all())
    found = list(_of_texts(guide))
    if not placements:
        found.append(Finding(_("The guide has no fix yet."), guide, "placements"))
    for placement in placements:
        found.extend(_of_fix(placement, guide))
    found.extend(_of_symptoms(guide, placements))
    found.extend(_of_rules(placements))
    found.extend(_of_links(guide, [placement.fix for placement in placements]))
    found.extend(_of_scenarios(guide, placements))
    found.extend(_of_translation(guide))
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


def _of_texts(guide: Guide) -> Iterator[Finding]:
    if not guide.title.strip():
        yield Finding(_("The guide has no title."), guide, "title")
    if not guide.summary.strip():
        yield Finding(_("The guide has no summary."), guide, "summary")


def _of_fix(placement: Placement, guide: Guide) -> Iterator[Finding]:
    fix = placement.fix
    name = {"fix": fix.title}
    steps = list(fix.steps.all())
    if not fix.title.strip():
        yield Finding(_("A fix has no title."), fix, "title")
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
    yield from _of_steps(fix, steps)
    if fix.risk != Risk.DATA_LOSING and (word := _losing_word(fix, steps)):
        yield Finding(
            _("“%(fix)s” says “%(word)s”, but is not marked as losing data: is nothing lost?")
            % (name | {"word": word}),
            fix,
            "risk",
            blocks=False,
        )


def _of_steps(fix: Fix, steps: Sequence[Step]) -> Iterator[Finding]:
    name = {"fix": fix.title}
    if len(steps) > MOST_STEPS:
        said = _("The fix “%(fix)s” has %(count)d steps; %(most)d are the most.")
        yield Finding(said % (name | {"count": len(steps), "most": MOST_STEPS}), fix, "steps")
    for number, step in enumerate(steps, start=1):
        place = name | {"number": number}
        if not step.text.strip():
            said = _("Step %(number)d of “%(fix)s” has no text.")
            yield Finding(said % place, step, "text")
        elif len(step.text) > LONGEST_STEP:
            said = ngettext(
                "Step %(number)d of “%(fix)s” is %(over)d character too long: at most %(most)d.",
                "Step %(number)d of “%(fix)s” is %(over)d characters too long: at most %(most)d.",
                len(step.text) - LONGEST_STEP,
            )
            over = {"over": len(step.text) - LONGEST_STEP, "most": LONGEST_STEP}
            yield Finding(said % (place | over), step, "text")
        if step.picture and not step.picture.alt_in(fix.language).strip():
            yield Finding(
                _("A picture in “%(fix)s” has no text alternative.") % name, step.picture, "alt"
            )


def _losing_word(fix: Fix, steps: Sequence[Step]) -> str:
    """The first word of a fix that often means that something is gone; empty without one."""
    words = _LOSING.get(fix.language)
    text = "\n".join([fix.title, *(f"{step.heading}\n{step.text}" for step in steps)])
    found = re.search(rf"\b(?:{words})\b", text, re.IGNORECASE) if words else None
    return " ".join(found[0].split()) if found else ""


def _of_symptoms(guide: Guide, placements: Sequence[Placement]) -> Iterator[Finding]:
    placed = {placement.fix for placement in placements}
    for symptom in guide.symptoms.all():
        if not symptom.text.strip():
            yield Finding(_("A symptom has no text."), symptom, "text")
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


def _of_links(guide: Guide, fixes: Sequence[Fix]) -> Iterator[Finding]:
    """Links to guides that visitors cannot open; a link to this very guide will work."""
    links = list(_links(guide, fixes))
    slugs = {slug for _row, _field, slug in links} - {guide.slug}
    if not slugs:
        return
    live = Guide.objects.filter(slug__in=slugs, editions__live=True)
    dead = slugs - set(live.values_list("slug", flat=True))
    for row, field, slug in links:
        if slug in dead:
            said = _("A link leads to /g/%(slug)s/, but no guide is live there.")
            yield Finding(said % {"slug": slug}, row, field)


def _links(guide: Guide, fixes: Sequence[Fix]) -> Iterator[tuple[models.Model, str, str]]:
    """Where each text links to a guide: the row, its field, and the slug of that guide."""
    prose: list[tuple[models.Model, str]] = [
        (guide, field) for field in ("about", "prevention", "closing")
    ]
    for fix in fixes:
        prose += [(fix, field) for field in ("why", "loses", "waiting", "note")]
        prose += [(step, "text") for step in fix.steps.all()]
    for row, field in prose:
        for address in _LINK.findall(markup.render(getattr(row, field))):
            page = _GUIDE_PAGE.match(unescape(address).removeprefix(settings.SITE_URL))
            if page:
                yield row, field, page[1]


def _of_scenarios(guide: Guide, placements: Sequence[Placement]) -> Iterator[Finding]:
    """Run every scenario on the draft, as it would be published."""
    placed = places(placements)
    risky = {place.fix for place in placed if place.risky}
    titles = {placement.fix.key: placement.fix.title for placement in placements}
    starts = {
        symptom.pk: [fix.key for fix in symptom.start_with.all()]
        for symptom in guide.symptoms.all()
    }
    for number, scenario in enumerate(guide.scenarios.all(), start=1):
        if scenario.symptom_id and scenario.symptom_id not in starts:
            said = _("Scenario %(number)d starts with a symptom of another guide.")
            yield Finding(said % {"number": number}, scenario, "symptom")
            continue
        start_with = starts[scenario.symptom_id] if scenario.symptom_id else []
        if fault := scenario.fault(ordering.author(placed, start_with), risky, titles):
            said = _("Scenario %(number)d: %(fault)s")
            sentence = said % {"number": number, "fault": fault.sentence}
            yield Finding(sentence, scenario, fault.field)


def _of_translation(guide: Guide) -> Iterator[Finding]:
    """What of a translation is still its original's; one finding for each row on the desk."""
    translation = getattr(guide, "translation", None)  # only translations have one
    if translation is None:
        return
    left: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for path in translation.untranslated(guide):
        kind = "fix" if path[0] == "step" else path[0]
        left.setdefault((kind, "" if kind == "guide" else path[1]), []).append(path)
    rows = _rows(guide)
    for (kind, key), paths in left.items():
        row: models.Model = guide
        field = paths[0][-1]
        said = _("Texts of the guide that are not translated yet: %(count)d.")
        name = ""
        if kind == "fix":
            said = _("Texts of “%(name)s” that are not translated yet: %(count)d.")
            row, name = rows[paths[0][:-1]], str(rows["fix", key])
        elif kind == "symptom":
            said = _("The symptom “%(name)s” is not translated yet.")
            row, name = rows["symptom", key], str(rows["symptom", key])
        elif kind == "contact":
            said = _("What the contact “%(name)s” helps with is not translated yet.")
            name = next(each.name for each in guide.contacts.all() if each.url == key)
            field = "contacts"
        yield Finding(said % {"name": name, "count": len(paths)}, row, field)


def _rows(guide: Guide) -> dict[tuple[str, ...], models.Model]:
    """The rows of a guide that texts stand on, by where `wording` says that they stand."""
    rows: dict[tuple[str, ...], models.Model] = {}
    for symptom in guide.symptoms.all():
        rows["symptom", symptom.key] = symptom
    for placement in guide.placements.all():
        fix = placement.fix
        rows["fix", fix.key] = fix
        rows |= {("step", fix.key, step.key): step for step in fix.steps.all()}
    return rows
