"""The filter of a page of numbers, as its address says it."""

from datetime import date
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter.analytics import Choices, Filter
from troubleshooter.models import Session

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9998, 12, 31)  # what every database can compare


class DayField(forms.DateField):
    """A day as the address and the browser's calendar write it: 2026-03-07."""

    def __init__(self, label: Any) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        sentence = gettext_lazy("That is no day like 2026-03-07, so it is left out.")
        super().__init__(
            label=label,
            required=False,
            widget=widget,
            input_formats=["%Y-%m-%d"],
            error_messages={"invalid": sentence},
            validators=[
                MinValueValidator(FIRST_DAY, sentence),
                MaxValueValidator(LAST_DAY, sentence),
            ],
        )


class FilterForm(forms.Form):
    """Which sessions to count, as the address says; what cannot be is left out with a sentence."""

    symptom = forms.ChoiceField(
        label=gettext_lazy("Symptom"),
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy(
                "This guide has no symptom with the key “%(value)s”, so it is left out."
            )
        },
    )
    platform = forms.ChoiceField(
        label=gettext_lazy("Platform"),
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy("“%(value)s” is no platform, so it is left out.")
        },
    )
    edition = forms.TypedChoiceField(
        label=gettext_lazy("Edition"),
        required=False,
        coerce=int,
        empty_value=None,
        error_messages={
            "invalid_choice": gettext_lazy(
                "This guide has no edition “%(value)s”, so it is left out."
            )
        },
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy(
                "This guide has no edition in the language “%(value)s”, so it is left out."
            )
        },
    )
    from_day = DayField(gettext_lazy("Started from"))
    to_day = DayField(gettext_lazy("Started until"))
    simulated = forms.ChoiceField(
        label=gettext_lazy("Sessions of simulated visitors"),
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy("“%(value)s” is neither 1 nor empty, so it is left out.")
        },
    )

    def __init__(self, asked: Any, *, choices: Choices) -> None:
        super().__init__(asked, label_suffix="", auto_id="filter-%s")
        every = ("", _("all"))
        self.offered: dict[str, dict[str, Any]] = {
            "symptom": dict([every, *choices.symptoms]),
            "platform": dict([every, *Session.Platform.choices]),
            "edition": dict([every, *((str(number), number) for number in choices.editions)]),
            "language": dict([every, *((language, language) for language in choices.languages)]),
            "simulated": {"": _("left out"), "1": _("counted, too")},
        }
        for name, offered in self.offered.items():
            cast(forms.ChoiceField, self.fields[name]).choices = list(offered.items())

    def clean(self) -> None:
        first, last = self.cleaned_data.get("from_day"), self.cleaned_data.get("to_day")
        if first and last and first > last:
            self.add_error("to_day", _("The last day is before the first, so it is left out."))

    @property
    def filter(self) -> Filter:
        """What was asked for, as far as it can be."""
        self.is_valid()
        return Filter(**self.cleaned_data | {"simulated": "simulated" in self._set})

    @property
    def sentences(self) -> list[str]:
        """What is wrong, each with the name of its field."""
        return [
            f"{self[name].label}: {sentence}"
            for name, found in self.errors.items()
            for sentence in found
        ]

    @property
    def query(self) -> str:
        """The filter as a part of an address, without what was left out."""
        return urlencode({name: self.data[name] for name in self._set})

    @property
    def in_words(self) -> list[str]:
        """What narrows the sessions down, part by part: “Platform: Windows”."""
        parts = [name for name in self._set if name != "simulated"]
        return [f"{self[name].label}: {self._said(name)}" for name in parts]

    @property
    def _set(self) -> list[str]:
        return [name for name, value in self.cleaned_data.items() if value]

    def _said(self, name: str) -> str:
        value = self.cleaned_data[name]
        if isinstance(value, date):
            return date_format(value, "j M Y")
        return str(self.offered[name][self.data[name]])
