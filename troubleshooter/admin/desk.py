"""The desk: a whole guide in forms on one page, made from a sheet and giving frozen content."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, TypeVar, cast

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.functional import cached_property
from django.utils.text import slugify
from django.utils.translation import gettext as _

from troubleshooter.flow import Reason
from troubleshooter.models import (
    Contact,
    Fix,
    Guide,
    Picture,
    Placement,
    Reading,
    Topic,
    copied,
    freeze,
    rewrite,
)
from troubleshooter.models.content import default_language, new_key
from troubleshooter.models.reading import FORMAT, freeze_picture, freeze_remedy
from troubleshooter.pictures import BadPicture
from troubleshooter.web import Page

from .changes import remedy
from .differences import differences
from .rows import ContactForm, DeskForm, FixForm, GuideForm, StepForm, SymptomForm
from .sheet import DEPTH, GUIDE, Path, Sheet

LIBRARY_SHOWN = 8  # fixes found in the library, at most
PICTURE_NAME = 80  # characters of a file's name that become a picture's
LOG_LIMIT = 1000  # characters of one entry in the log
NOBODY = "x" * 38  # where the key of a session would stand: it opens nothing
SALT = "troubleshooter.admin.desk"

Content = dict[str, Any]
Files = MultiValueDict[str, "UploadedFile[Any]"]
Posted = tuple[QueryDict, list[tuple[str, str]]]
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
        return [self.about, *self.symptoms, *cards, *self.new_contacts]

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
        pictures = {pk: freeze_picture(picture) for pk, picture in self.pictures.items()}
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
                before = freeze(Guide.objects.whole().get(pk=self.guide.pk))
                if before != base:
                    raise Meanwhile(before)
            content = self.frozen()
            for card in self.fixes:
                if card.others and card.form.cleaned_data["scope"] == "copy":
                    content = copied(content, card.key)
            guide = self._save_guide()
            rewrite(guide, content)
            self._log(guide, by, before, freeze(Guide.objects.whole().get(pk=guide.pk)))
            return guide

    def _save_guide(self) -> Guide:
        found = self.about.cleaned_data
        guide = self.guide
        guide.topic = found["topic"] if not found["new_topic"] else _topic(found["new_topic"])
        for name in ("title", "summary", "slug", "about", "prevention", "closing"):
            setattr(guide, name, found[name])
        guide.language = self.language
        guide.save()
        new = [
            Contact.objects.create(language=self.language, **form.cleaned_data)
            for form in self.new_contacts
        ]
        guide.contacts.set([*found["contacts"], *new])
        return guide

    def _log(self, guide: Guide, by: User, before: Content | None, after: Content) -> None:
        """Note the change at the guide, and at each fix whose remedy changed."""
        if before is None:
            _note(by, guide, ADDITION, "")
        elif said := in_sentences(before, after):
            _note(by, guide, CHANGE, said)
        old = {key: freeze_remedy(fix) for key, fix in self.known.items()}
        new = {fix["key"]: remedy(fix) for fix in after["fixes"]}
        changed = [key for key, fix in new.items() if old.get(key) != fix]
        for fix in Fix.objects.filter(language=self.language, key__in=changed):
            said = _("Changed at the desk of “%(guide)s”.") % {"guide": guide.title}
            _note(by, fix, CHANGE if fix.key in old else ADDITION, said)


def opened(guide: Guide) -> tuple[Sheet, Content]:
    """The sheet of a saved guide, and its frozen draft; read it with `Guide.objects.whole()`."""
    content = freeze(guide)
    pictures = {
        step.picture.sha256: step.picture.pk
        for placement in guide.placements.all()
        for step in placement.fix.steps.all()
        if step.picture
    }
    sheet = Sheet.of(content, pictures)
    contacts = [contact.pk for contact in guide.contacts.all()]
    sheet.rows[GUIDE] |= {"slug": guide.slug, "topic": guide.topic_id, "contacts": contacts}
    return sheet, content


def in_sentences(before: Content, after: Content) -> str:
    """What a save changed, for the log: “Fixes: “Restart” changed.”"""
    said = [
        f"{section.heading}: " + " ".join(item.sentence or _("changed.") for item in section.items)
        for section in differences(before, after)
    ]
    text = " ".join(said)
    return text if len(text) <= LOG_LIMIT else f"{text[: LOG_LIMIT - 1]}…"


def _note(by: User, row: Guide | Fix, flag: int, said: str) -> None:
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(row),
        object_id=str(row.pk),
        object_repr=str(row)[:200],
        action_flag=flag,
        change_message=said,
    )


def last_writer(guide: Guide) -> LogEntry | None:
    """The newest entry in the log of a guide or of a fix placed in it."""
    fixes = [str(pk) for pk in guide.placements.values_list("fix", flat=True)]
    of_guide = Q(content_type=ContentType.objects.get_for_model(Guide), object_id=str(guide.pk))
    of_fixes = Q(content_type=ContentType.objects.get_for_model(Fix), object_id__in=fixes)
    entries = LogEntry.objects.filter(of_guide | of_fixes).select_related("user")
    return entries.order_by("-action_time", "-pk").first()


def _topic(name: str) -> Topic:
    """The topic of this name; a new one gets a slug that is free."""
    if found := Topic.objects.filter(name__iexact=name).first():
        return found
    slug = slugify(name)[:40] or new_key()
    if Topic.objects.filter(slug=slug).exists():
        slug = f"{slug}-{new_key()}"
    return Topic.objects.create(name=name, slug=slug)


def _id(value: Any) -> int:
    """A row's id as a form sends it; 0, which no row has, when it is none."""
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 18 else 0


def with_pictures(data: QueryDict, files: Files) -> Posted:
    """What was posted, with each file stored and named by its step; and what was refused, why."""
    data = data.copy()
    refused = []
    for name in files:
        file = cast("UploadedFile[Any]", files[name])
        step, _dot, field = name.rpartition(".")
        if field != "upload" or not step.startswith("step.") or f"{step}.text" not in data:
            continue
        title = PurePath(file.name or "").stem[:PICTURE_NAME]
        try:
            picture = Picture.objects.store(file.read(), title, "")  # its words come next
        except BadPicture as why:
            refused.append((f"id_{name}", str(why)))
            continue
        data[f"{step}.picture"], data[f"{step}.alt"] = str(picture.pk), picture.alt
    return data, refused


def signed(content: Content) -> str:
    """The draft a desk was opened with, as its form carries it."""
    return signing.dumps(content, salt=SALT, compress=True)


def unsigned(text: str) -> Content | None:
    """The draft that `signed` packed; None when there was none, or it is not ours."""
    try:
        content: Content = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        return None
    return content


def move(sheet: Sheet, act: str, path: Path) -> Path:
    """Do what a button asks for on the sheet; returns the row to go on with."""
    if path == GUIDE:
        return path
    match act:
        case "add" if path[0] in DEPTH and len(path) + 1 == DEPTH[path[0]]:
            path = (*path, new_key())
            sheet.add(path, {"minutes": 2, "open": "1"} if path[0] == "fix" else {})
            if path[0] == "fix":
                sheet.add(("step", path[1], new_key()), {})
        case "place" if path[-1].isdecimal():
            fix = _in_library().filter(pk=int(path[-1])).first()
            if fix:
                path = ("fix", fix.key)
                shown = (step.picture for step in fix.steps.all() if step.picture)
                ids = {picture.sha256: picture.pk for picture in shown}
                sheet.put_fix({**freeze_remedy(fix), "pin": "", "after": [], "open": "1"}, ids)
        case "up":
            sheet.shift(path, -1)
        case "down":
            sheet.shift(path, 1)
        case "remove":
            sheet.remove(path)
        case "unpicture" if path in sheet.rows:
            sheet.rows[path] |= {"picture": "", "alt": ""}
    return path


def library(desk: Desk, asked: str) -> list[Fix]:
    """Fixes to place in this guide: those whose words were asked for, not on the desk yet."""
    words = asked.replace("\x00", "").split()[:8]
    if not words:
        return []
    found = _in_library().filter(language=desk.language).exclude(key__in=desk.titles)
    for word in words:
        found = found.filter(
            Q(title__icontains=word) | Q(why__icontains=word) | Q(steps__text__icontains=word)
        )
    return list(found.distinct().order_by("title")[:LIBRARY_SHOWN])


def _in_library() -> QuerySet[Fix]:
    return Fix.objects.prefetch_related(
        Prefetch("steps__picture", Picture.objects.defer("content")), "guides"
    )


def sketch(guide: Reading, at: str) -> Page:
    """The page a visitor would see of a guide that is still being written.

    `at` is the fix that is worked on, as “reset”, or “reset.loses” for what stands before its
    steps; anything else shows the guide itself.
    """
    shared = {"slug": "sketch", "preview": True, "still": True, "person_url": "#person"}
    at, _dot, part = at.partition(".")
    if at not in guide.by_key:
        return Page(
            "troubleshooter/guide.html", {"guide": guide, **shared}, language=guide.language
        )
    context = {
        **shared,
        "fix": guide.by_key[at],
        "showing": {"place": guide.author_order("").index(at) + 1, "seq": 1},
        "total": len(guide.fixes),
        "current": True,
        "guarded": part == "loses" and guide.by_key[at].loses_data,
        "link": "https://…",
        "reachable": False,
        "session": {"key": NOBODY},
        "reasons": Reason.choices,
    }
    return Page("troubleshooter/fix.html", context, language=guide.language)
