"""The filter of a page of numbers, as its address says it."""

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter.analytics import Choices, Filter
from troubleshooter.languages import language
from troubleshooter.models import Session

Offered = dict[str, dict[str, Any]]  # by field: its values, and what each is called

EVERY = ("", gettext_lazy("all"))
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


class SessionsForm(forms.Form):
    """Which sessions to count, as the address says; what cannot be is left out with a sentence."""

    platform = forms.ChoiceField(
        label=gettext_lazy("Platform"),
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy("“%(value)s” is no platform, so it is left out.")
        },
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy("“%(value)s” is no language here, so it is left out.")
        },
    )
    arm = forms.ChoiceField(
        label=gettext_lazy("Order of the fixes"),
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy("“%(value)s” is none of the orders, so it is left out.")
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

    def __init__(self, asked: Any, *, offered: Offered, prefix: str | None = None) -> None:
        super().__init__(asked, label_suffix="", auto_id="filter-%s", prefix=prefix)
        self.offered: Offered = {
            "platform": dict([EVERY, *Session.Platform.choices]),
            "arm": dict([EVERY, *Session.Arm.choices]),
            "simulated": {"": _("left out"), "1": _("counted, too")},
            **offered,
        }
        for name, choices in self.offered.items():
            cast(forms.ChoiceField, self.fields[name]).choices = list(choices.items())

    def clean(self) -> None:
        first, last = self.cleaned_data.get("from_day"), self.cleaned_data.get("to_day")
        if first and last and first > last:
            self.add_error("to_day", _("The last day is before the first, so it is left out."))

    @cached_property
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
        return urlencode(self.fields_set)

    @property
    def query_of_both(self) -> str:
        """The same filter for both sides of a comparison, for one of them to be changed."""
        return query_of_sides(self.filter, self.filter)

    @property
    def fields_set(self) -> dict[str, str]:
        """The fields of the address that narrow the sessions down, or let more of them in."""
        return {self.add_prefix(name): self._raw(name) for name in self._set}

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
        return str(self.offered[name][self._raw(name)] if name in self.offered else value)

    def _raw(self, name: str) -> str:
        """A value as the address has it."""
        raw: str = self.data[self.add_prefix(name)]
        return raw


class FilterForm(SessionsForm):
    """The filter of one guide: its symptoms, editions and languages, too."""

    field_order = ("symptom", "platform", "edition", "language")

    symptom = forms.ChoiceField(
        label=gettext_lazy("Symptom"),
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy(
                "This guide has no symptom with the key “%(value)s”, so it is left out."
            )
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

    def __init__(self, asked: Any, *, choices: Choices, prefix: str | None = None) -> None:
        offered: Offered = {
            "symptom": dict([EVERY, *choices.symptoms]),
            "edition": dict([EVERY, *((str(number), number) for number in choices.editions)]),
            "language": dict([EVERY, *((code, language(code).name) for code in choices.languages)]),
        }
        super().__init__(asked, offered=offered, prefix=prefix)


PERIODS = {"7": 7, "28": 28, "90": 90, "all": None}  # days, today among them


class PeriodForm(SessionsForm):
    """The filter of pages about all guides: a topic, and a period that ends today.

    Without a period in the address it is the page's `usual` one; days say it better than a period.
    """

    field_order: tuple[str, ...] = ("period", "from_day", "to_day", "topic", "platform", "language")

    period = forms.ChoiceField(
        label=gettext_lazy("Period"),
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy(
                "“%(value)s” is none of the periods 7, 28, 90 and all, so it is left out."
            )
        },
    )
    topic = forms.ChoiceField(
        label=gettext_lazy("Topic"),
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy("“%(value)s” is no topic, so it is left out.")
        },
    )

    def __init__(self, asked: Any, *, topics: dict[str, str], today: date, usual: str) -> None:
        days = _("the last %(days)d days")
        periods = {
            name: days % {"days": length} if length else _("from the beginning")
            for name, length in PERIODS.items()
        }
        self.today, self.usual = today, usual
        offered: Offered = {
            "period": {"": _("as usual: %(period)s") % {"period": periods[usual]}, **periods},
            "topic": dict([EVERY, *topics.items()]),
            "language": dict(
                [EVERY, *((code, language(code).name) for code, _name in settings.LANGUAGES)]
            ),
        }
        super().__init__(asked, offered=offered)

    def clean(self) -> None:
        super().clean()
        if self.cleaned_data.get("period") and self._days:
            self.add_error("period", _("The days say it already, so it is left out."))

    @cached_property
    def filter(self) -> Filter:
        """What was asked for, with the period as its first day."""
        self.is_valid()
        names = self.cleaned_data.keys() & {field.name for field in fields(Filter)}
        said = {name: self.cleaned_data[name] for name in names}
        only = Filter(**said | {"simulated": "simulated" in self._set})
        length = PERIODS[self.cleaned_data.get("period") or self.usual]
        if length and not self._days:
            return replace(only, from_day=self.today - timedelta(days=length - 1))
        return only

    @cached_property
    def guide_query(self) -> str:
        """The filter as the address of one guide's page has it: with days, without a topic."""
        only = self.filter
        said = {
            "platform": only.platform,
            "language": only.language,
            "arm": only.arm,
            "from_day": only.from_day,
            "to_day": only.to_day,
            "simulated": "1" if only.simulated else "",
        }
        return urlencode({name: value for name, value in said.items() if value})

    @property
    def days_in_words(self) -> str:
        """When the sessions started: “27 Oct 2026 to 23 Nov 2026”."""
        only = self.filter
        words = {
            "first": only.from_day and date_format(only.from_day, "j M Y"),
            "last": date_format(only.to_day or self.today, "j M Y"),
        }
        if only.from_day:
            return _("from %(first)s to %(last)s") % words
        return _("until %(last)s") % words

    @property
    def _days(self) -> bool:
        return bool(self.cleaned_data.get("from_day") or self.cleaned_data.get("to_day"))


class FixesForm(PeriodForm):
    """The filter of the list of all fixes: words of the title, too."""

    field_order = ("q", *PeriodForm.field_order)

    q = forms.CharField(
        label=gettext_lazy("Words of the title"),
        required=False,
        max_length=120,
        error_messages={
            "max_length": gettext_lazy("No title has more than 120 characters; it is left out.")
        },
    )

    @property
    def words(self) -> list[str]:
        """What the titles must have, each word somewhere."""
        return list(self.cleaned_data.get("q", "").casefold().split())

    @property
    def shared_query(self) -> str:
        """The filter without the words, which other pages do not know."""
        return urlencode({name: self.data[name] for name in self._set if name != "q"})


class SideForm(FilterForm):
    """One of two filters in the same address; both or neither count simulated sessions."""

    def add_prefix(self, field_name: str) -> str:
        return field_name if field_name == "simulated" else super().add_prefix(field_name)


def fields_of(only: Filter) -> dict[str, str]:
    """A filter as the fields of an address, without those that let every session through."""
    fields: dict[str, object] = {
        "symptom": only.symptom,
        "platform": only.platform,
        "edition": only.edition,
        "language": only.language,
        "arm": only.arm,
        "from_day": only.from_day,
        "to_day": only.to_day,
        "simulated": "1" if only.simulated else "",
    }
    return {name: str(value) for name, value in fields.items() if value}


def query_of_sides(a: Filter, b: Filter) -> str:
    """Two filters as a part of an address."""
    return urlencode(
        {
            name if name == "simulated" else f"{side}-{name}": value
            for side, only in (("a", a), ("b", b))
            for name, value in fields_of(only).items()
        }
    )
