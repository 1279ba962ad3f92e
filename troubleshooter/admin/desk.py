"""The desk: a whole guide in forms on one page, made from a sheet and giving frozen content."""

from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.admin.models import ADDITION, CHANGE
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Prefetch
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from troubleshooter.models import (
    Contact,
    Fix,
    Guide,
    LogLine,
    Picture,
    Placement,
    Scenario,
    Symptom,
    Topic,
    copied,
    freeze,
    rewrite,
)
from troubleshooter.models.content import default_language
from troubleshooter.models.reading import FORMAT, freeze_picture, freeze_remedy

from .changelog import at_desk, in_sentences, note
from .changes import remedy
from .rows import (
    ContactForm,
    DeskForm,
    FixForm,
    GuideForm,
    ScenarioForm,
    StepForm,
    SymptomForm,
)
from .sheet import GUIDE, Path, Sheet

WRITTEN = (*("title", "summary", "slug", "about", "prevention", "closing", "owner", "review_on"),)

Content = dict[str, Any]
Form = TypeVar("Form", bound=DeskForm)


class Meanwhile(Exception):
    """Somebody saved the guide after this desk was opened: `content` is what stands there now."""

    def __init__(self, content: Content) -> None:
        super().__init__("The draft was changed meanwhile.")
        self.content = content


@dataclass
class Card:
    """One fix on the desk."""

    key: str
    form: FixForm
    steps: list[StepForm]
    fix: Fix | None  # None while it was never saved
    others: list[Guide]  # that offer it, too

    @property
    def faulty(self) -> bool:
        return any(form.is_bound and not form.is_valid() for form in (self.form, *self.steps))

    @property
    def open(self) -> bool:
        """Unfolded: as the editor left it, or because something in it is to be mended."""
        return bool(self.form["open"].value()) or self.faulty

    @property
    def next_revision(self) -> int:
        return self.fix.revision + 1 if self.fix else 1


class Desk:
    """Everything one page shows of a guide. With `data` it weighs what was posted."""

    def __init__(self, guide: Guide, sheet: Sheet, data: QueryDict | None = None) -> None:
        self.refused: list[tuple[str, str]] = []  # pictures that could not be taken
        self.guide = guide
        self.sheet = sheet
        self.data = data
        typed = sheet.rows[GUIDE].get("language")
        self.language: str = guide.language if guide.pk else typed or default_language()
        self.contacts = Contact.objects.filter(language=self.language)
        self.about = GuideForm(guide, self.contacts, sheet.rows[GUIDE], data)
        self.symptoms = [self._row(SymptomForm, path) for path in sheet.paths("symptom")]
        for symptom in self.symptoms:
            symptom.offer("start_with", self.titles)
        self.new_contacts = [self._row(ContactForm, path) for path in sheet.paths("contact")]
        self.fixes = [self._card(path) for path in sheet.paths("fix")]
        self.scenarios = [self._row(ScenarioForm, path) for path in sheet.paths("scenario")]
        seen = {form.path[1]: form["text"].value() or "…" for form in self.symptoms}
        for scenario in self.scenarios:
            scenario.offer("symptom", seen, none=_("no symptom"))
            scenario.offer("fix", self.titles, none=_("no fix"))

    def _row(self, kind: type[Form], path: Path) -> Form:
        return kind(path, self.sheet.rows[path], self.data)

    def _card(self, path: Path) -> Card:
        key = path[1]
        form = self._row(FixForm, path)
        form.offer("after", self.titles, but=key)
        steps = [self._row(StepForm, step) for step in self.sheet.paths("step", key)]
        for step in steps:
            step.shown = self.pictures.get(str(step["picture"].value() or ""))
        fix = self.known.get(key)
        placements = fix.placements.all() if fix else ()
        others = [each.guide for each in placements if each.guide_id != self.guide.pk]
        return Card(key, form, steps, fix, others)

    def focus(self, path: Path, name: str = "") -> None:
        """Let typing go on in a field of this row, the first one unless it is named."""
        for form in self.forms:
            if form.path == path:
                field = form.fields[name or next(iter(form.fields))]
                field.widget.attrs["autofocus"] = True

    @cached_property
    def titles(self) -> dict[str, str]:
        """What each fix on the desk is called, by key."""
        return {
            path[1]: self.sheet.rows[path].get("title") or _("a fix without a title")
            for path in self.sheet.paths("fix")
        }

    @cached_property
    def known(self) -> dict[str, Fix]:
        """The fixes on the desk that were saved before, by key, as they stand in the library."""
        placements = Placement.objects.select_related("guide").order_by("guide__title")
        keys = [path[1] for path in self.sheet.paths("fix")]
        fixes = Fix.objects.filter(language=self.language, key__in=keys).prefetch_related(
            Prefetch("steps__picture", Picture.objects.defer("content")),
            Prefetch("placements", placements),
        )
        return {fix.key: fix for fix in fixes}

    @cached_property
    def pictures(self) -> dict[str, Picture]:
        """The pictures on the desk by their id, as the form sends it."""
        fields = [self.sheet.rows[path] for path in self.sheet.paths("step")]
        shown = [str(each.get("picture") or "") for each in fields]
        rows = Picture.objects.defer("content").in_bulk(sorted({_id(each) for each in shown} - {0}))
        return {str(pk): picture for pk, picture in rows.items()}

    @property
    def forms(self) -> list[DeskForm]:
        """Every form of the page, in its order."""
        cards = [form for card in self.fixes for form in (card.form, *card.steps)]
        return [self.about, *self.symptoms, *cards, *self.scenarios, *self.new_contacts]

    @cached_property
    def valid(self) -> bool:
        return not self.refused and all(form.is_valid() for form in self.forms)

    @property
    def faults(self) -> list[tuple[str, str]]:
        """What is wrong with what was posted: the field's id, and a sentence naming it."""
        return self.refused + [
            (form[name].id_for_label or form[name].auto_id, f"{form[name].label}: {sentence}")
            for form in self.forms
            for name, sentences in form.errors.items()
            for sentence in sentences
        ]

    def frozen(self) -> Content:
        """What this desk would freeze to, whatever was typed into it."""
        rows = dict(self.sheet.rows)
        if self.data is not None and self.valid:
            rows |= {form.path: {**rows[form.path], **form.cleaned_data} for form in self.forms}
        for path in self.sheet.paths("fix"):  # a revision only rises, whatever a form says
            known = self.known.get(path[1])
            rows[path] = {**rows[path], "revision": known.revision if known else 1}
        pictures = {
            pk: freeze_picture(picture, self.language) for pk, picture in self.pictures.items()
        }
        return Sheet(rows).frozen(self._beside(), pictures)

    def _beside(self) -> Content:
        """What stands on no row of the sheet."""
        fields = self.sheet.rows[GUIDE]
        topic = Topic.objects.filter(pk=_id(fields.get("topic"))).first()
        chosen = self.contacts.filter(pk__in=map(_id, fields.get("contacts", ())))
        new = [self.sheet.rows[path] for path in self.sheet.paths("contact")]
        return {
            "format": FORMAT,
            "key": self.guide.key,
            "language": self.language,
            "topic": fields.get("new_topic") or (topic.name if topic else ""),
            "contacts": [
                *({"name": row.name, "url": row.url, "note": row.note} for row in chosen),
                *({name: row.get(name, "") for name in ("name", "url", "note")} for row in new),
            ],
        }

    def save(self, by: User, base: Content | None) -> Guide:
        """Write everything in one transaction and note who changed what; the desk must be valid.

        `base` is the frozen draft that this desk was opened with. Raises Meanwhile when the
        draft is another one by now.
        """
        with transaction.atomic():
            before: Content | None = None
            if self.guide.pk:
                Guide.objects.select_for_update().get(pk=self.guide.pk)
                before = state(Guide.objects.whole().get(pk=self.guide.pk))
                if before != base:
                    raise Meanwhile(before)
            content = self.frozen()
            for card in self.fixes:
                if card.others and card.form.cleaned_data["scope"] == "copy":
                    content = copied(content, card.key)
            guide = self._save_guide()
            rewrite(guide, content)
            self._save_scenarios(guide)
            self._log(guide, by, before, state(Guide.objects.whole().get(pk=guide.pk)))
            return guide

    def _save_guide(self) -> Guide:
        found = self.about.cleaned_data
        guide = self.guide
        guide.topic = found["topic"]
        if found["new_topic"]:
            guide.topic = Topic.objects.called(found["new_topic"])
        for name in WRITTEN:
            setattr(guide, name, found[name])
        guide.language = self.language
        guide.save()
        new = [
            Contact.objects.create(language=self.language, **form.cleaned_data)
            for form in self.new_contacts
        ]
        guide.contacts.set([*found["contacts"], *new])
        return guide

    def _save_scenarios(self, guide: Guide) -> None:
        """Write the scenarios; symptoms and fixes have their rows by now, in the desk's order."""
        seen = Symptom.objects.filter(guide=guide)
        symptoms = {form.path[1]: row for form, row in zip(self.symptoms, seen, strict=True)}
        placed = Placement.objects.filter(guide=guide).select_related("fix")
        fixes = {card.key: place.fix for card, place in zip(self.fixes, placed, strict=True)}
        old = {str(scenario.pk): scenario for scenario in Scenario.objects.filter(guide=guide)}
        for position, form in enumerate(self.scenarios, start=1):
            found = form.cleaned_data
            row = old.pop(form.path[1], None) or Scenario(guide=guide)
            row.position, row.answers, row.status = position, found["answers"], found["status"]
            row.symptom = symptoms.get(found["symptom"])
            row.fix = fixes.get(found["fix"])
            row.save()
        Scenario.objects.filter(pk__in=[scenario.pk for scenario in old.values()]).delete()

    def _log(self, guide: Guide, by: User, before: Content | None, after: Content) -> None:
        """Note the change at the guide, and at each fix whose remedy changed."""
        if before != after:
            said = in_sentences(before, after) if before else _("Written.")
            LogLine.objects.note(guide, LogLine.Kind.CHANGED, by, said=said)
            note(by, guide, CHANGE if before else ADDITION, said)
        old = {key: freeze_remedy(fix) for key, fix in self.known.items()}
        new = {fix["key"]: remedy(fix) for fix in after["fixes"]}
        changed = [key for key, fix in new.items() if old.get(key) != fix]
        for fix in Fix.objects.filter(language=self.language, key__in=changed):
            note(by, fix, CHANGE if fix.key in old else ADDITION, at_desk(guide))


def opened(guide: Guide) -> tuple[Sheet, Content]:
    """The sheet of a saved guide, and its frozen draft; read it with `Guide.objects.whole()`."""
    content = state(guide)
    pictures = {
        step.picture.sha256: step.picture.pk
        for placement in guide.placements.all()
        for step in placement.fix.steps.all()
        if step.picture
    }
    sheet = Sheet.of(content, pictures)
    contacts = [contact.pk for contact in guide.contacts.all()]
    sheet.rows[GUIDE] |= {
        "slug": guide.slug,
        "topic": guide.topic_id,
        "contacts": contacts,
        "owner": guide.owner_id,
        "review_on": guide.review_on,
    }
    for scenario in guide.scenarios.all():
        sheet.add(("scenario", str(scenario.pk)), _of_scenario(scenario))
    return sheet, content


def state(guide: Guide) -> Content:
    """All that a save may change: the frozen draft, and beside it what visitors never see."""
    return {
        **freeze(guide),
        "slug": guide.slug,
        "owner": guide.owner_id,
        "review_on": guide.review_on and guide.review_on.isoformat(),
        "scenarios": [_of_scenario(scenario) for scenario in guide.scenarios.all()],
    }


def _of_scenario(scenario: Scenario) -> Content:
    return {
        "symptom": scenario.symptom.key if scenario.symptom else "",
        "answers": scenario.answers,
        "status": scenario.status,
        "fix": scenario.fix.key if scenario.fix else "",
    }


def _id(value: Any) -> int:
    """A row's id as a form sends it; 0, which no row has, when it is none."""
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 18 else 0
