"""The forms of the desk: one for the guide, one for each symptom, fix, step and new contact.

A draft may be saved half done: hardly anything is required here, the findings say what is missing.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.validators import URLValidator
from django.db import models
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter.flow import Status
from troubleshooter.models import (
    Contact,
    Fix,
    Guide,
    Picture,
    Placement,
    Scenario,
    Step,
    Symptom,
    Topic,
)
from troubleshooter.pictures import MOST_BYTES

from .base import DayInput
from .pictures import ACCEPTED
from .sheet import Fields, Path

NO_ADDRESS = gettext_lazy(
    "Type what stands between /g/ and / in the address of a guide, in Latin letters, digits and"
    " hyphens without blanks, like “printer-offline”."
)


class Typed(forms.CharField):
    """A text as its column takes it: cleaned by the same gate, no longer than fits."""

    def __init__(self, model: type[models.Model], name: str, **options: Any) -> None:
        self.column = cast("models.Field[str, str]", model._meta.get_field(name))
        rows = options.pop("rows", 0)
        given = {
            "label": capfirst(self.column.verbose_name),
            "help_text": self.column.help_text,
            "max_length": self.column.max_length,
            "required": False,
            "strip": False,
            "widget": forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput(),
        }
        super().__init__(**given | options)

    def to_python(self, value: Any) -> str:
        text: str = self.column.to_python(super().to_python(value))
        return text


class FixesField(forms.MultipleChoiceField):
    """Some of the fixes on the desk; one that was taken out meanwhile is left out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=forms.CheckboxSelectMultiple, **options)

    def clean(self, value: Any) -> list[str]:
        offered = {str(key) for key, _title in cast("Iterable[Any]", self.choices)}
        return [key for key in value or () if key in offered]


class DeskForm(forms.Form):
    """The fields of one row; each is named by the path of its row."""

    use_required_attribute = False

    def __init__(
        self, path: Path, fields: Fields | None = None, data: QueryDict | None = None
    ) -> None:
        super().__init__(data, initial=fields, prefix=".".join(path), label_suffix="")
        self.path = path

    def add_prefix(self, field_name: str) -> str:
        return f"{self.prefix}.{field_name}"

    def offer(
        self, name: str, rows: Mapping[str, str], *, but: str = "", none: str | Promise = ""
    ) -> None:
        """Let a field choose among these rows (what they are called, by key), or none of them."""
        offered = [(key, title) for key, title in rows.items() if key != but]
        if none:
            offered.insert(0, ("", str(none)))
        cast(forms.ChoiceField, self.fields[name]).choices = offered


class GuideForm(DeskForm):
    title = Typed(
        Guide,
        "title",
        required=True,
        error_messages={"required": gettext_lazy("A guide needs a title.")},
    )
    summary = Typed(Guide, "summary", rows=2)
    topic = forms.ModelChoiceField(
        Topic.objects.all(),
        label=gettext_lazy("Topic"),
        required=False,
        empty_label=gettext_lazy("choose one"),
    )
    new_topic = Typed(Topic, "name", label=gettext_lazy("or a new topic"))
    slug = forms.SlugField(
        label=gettext_lazy("Address"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("/g/…/; left empty, it is made from the title."),
        error_messages={"invalid": NO_ADDRESS},
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=settings.LANGUAGES,
        help_text=gettext_lazy("Chosen once: what visitors teach us is kept by key and language."),
    )
    owner = forms.ModelChoiceField(
        User.objects.filter(is_staff=True, is_active=True).order_by("username"),
        label=gettext_lazy("Owner"),
        required=False,
        empty_label=gettext_lazy("nobody"),
    )
    review_on = forms.DateField(
        label=gettext_lazy("Next review"),
        required=False,
        widget=DayInput,
        input_formats=["%Y-%m-%d"],
        help_text=Guide._meta.get_field("review_on").help_text,
    )
    about = Typed(Guide, "about", rows=4)
    prevention = Typed(Guide, "prevention", rows=3)
    closing = Typed(Guide, "closing", rows=3)
    contacts = forms.ModelMultipleChoiceField(
        Contact.objects.none(),
        label=gettext_lazy("Contacts"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self,
        guide: Guide,
        contacts: models.QuerySet[Contact],
        fields: Fields,
        data: QueryDict | None,
    ) -> None:
        super().__init__(("guide",), fields, data)
        self.guide = guide
        cast("forms.ModelMultipleChoiceField[Contact]", self.fields["contacts"]).queryset = contacts
        if guide.pk:
            del self.fields["language"]

    def clean(self) -> None:
        found = self.cleaned_data
        if not found.get("topic") and not found.get("new_topic"):
            self.add_error("topic", _("A guide needs a topic: choose one, or name a new one."))
        slug = found.get("slug") or slugify(found.get("title", ""))[:80].strip("-")
        if not slug and "slug" not in self.errors:
            self.add_error("slug", _("This title makes no address: please write one."))
        elif Guide.objects.filter(slug=slug).exclude(pk=self.guide.pk).exists():
            said = _("Another guide has the address “%(slug)s” already.")
            self.add_error("slug", said % {"slug": slug})
        found["slug"] = slug


class SymptomForm(DeskForm):
    text = Typed(Symptom, "text")
    start_with = FixesField(label=gettext_lazy("Fixes to start with"))


class FixForm(DeskForm):
    title = Typed(Fix, "title", help_text=gettext_lazy("What to do: “Restart your iPhone”."))
    why = Typed(Fix, "why", rows=2)
    minutes = forms.IntegerField(
        label=gettext_lazy("Minutes"), min_value=0, max_value=999, initial=2
    )
    risk = forms.ChoiceField(
        label=gettext_lazy("Risk"), choices=Fix._meta.get_field("risk").choices or ()
    )
    loses = Typed(Fix, "loses", rows=2)
    note = Typed(Fix, "note", rows=2)
    closes_page = forms.BooleanField(
        label=gettext_lazy("Closes this page"),
        required=False,
        help_text=Fix._meta.get_field("closes_page").help_text,
    )
    waiting = Typed(Fix, "waiting", rows=2)
    pin = forms.ChoiceField(
        label=gettext_lazy("Place"), choices=Placement.Pin.choices, required=False
    )
    after = FixesField(label=gettext_lazy("Only after these fixes"))
    revised = forms.BooleanField(
        label=gettext_lazy("The remedy itself changed: count its results anew"), required=False
    )
    scope = forms.ChoiceField(
        label=gettext_lazy("Changes to this fix are made"),
        required=False,
        choices=[
            ("", gettext_lazy("everywhere: each of these guides shows them once it is published")),
            ("copy", gettext_lazy("here only: this guide gets a copy of its own")),
        ],
        widget=forms.RadioSelect,
    )
    open = forms.CharField(required=False, max_length=1, widget=forms.HiddenInput)


class StepForm(DeskForm):
    shown: Picture | None = None  # the picture it shows, when there is one

    text = Typed(Step, "text", rows=2)
    heading = Typed(
        Step, "heading", help_text=gettext_lazy("Starts a small group of steps; mostly empty.")
    )
    picture = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)
    alt = Typed(Picture, "alt")
    upload = forms.FileField(
        label=gettext_lazy("Picture"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ",".join(ACCEPTED)}),
    )
    most = MOST_BYTES


class ScenarioForm(DeskForm):
    """What a visitor might say, and what must come of it."""

    symptom = forms.ChoiceField(label=gettext_lazy("Symptom"), required=False)
    answers = Typed(Scenario, "answers", label=gettext_lazy("The visitor says"))
    status = forms.ChoiceField(
        label=gettext_lazy("Then the session"), choices=Scenario.EXPECTED, initial=Status.RESOLVED
    )
    fix = forms.ChoiceField(label=gettext_lazy("Fix"), required=False)

    def clean(self) -> None:
        found = self.cleaned_data
        if found.get("status") == Status.EXHAUSTED and found.get("fix"):
            self.add_error("fix", _("When no fix is left, none can be named here."))


class ContactForm(DeskForm):
    """A support channel that is not in the list yet."""

    name = Typed(Contact, "name")
    url = forms.URLField(
        label=gettext_lazy("Address"),
        required=False,
        max_length=500,
        assume_scheme="https",
        validators=[URLValidator(["https", "http"])],
    )
    note = Typed(Contact, "note")

    def clean(self) -> None:
        found = self.cleaned_data
        for name, said in (
            ("name", _("Who is it? Please name the contact.")),
            ("url", _("Where are they found? Please give an address.")),
        ):
            if not found.get(name) and name not in self.errors:
                self.add_error(name, said)
