"""The staff's pages of numbers: who may see them, and how analytics is put into words."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.core.paginator import Paginator
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from troubleshooter import analytics, exports
from troubleshooter.analytics import (
    AttemptRow,
    Choices,
    Ending,
    Endings,
    Filter,
    FixRow,
    GuideRow,
    SessionRow,
)
from troubleshooter.exports import Row, Table
from troubleshooter.flow import Outcome, Reason
from troubleshooter.models import Session

View = Callable[..., HttpResponseBase]

PER_PAGE = 50

ANSWERS = {
    Outcome.FIXED: gettext_lazy("fixed"),
    Outcome.NOT_FIXED: gettext_lazy("still broken"),
    Outcome.SKIPPED: gettext_lazy("skipped"),
    None: gettext_lazy("no answer"),
}


def _may_see_numbers(view: View) -> View:
    """Only for staff who may view sessions; others are asked to log in, or told why not."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.has_perm("troubleshooter.view_session"):
            return view(request, *args, **kwargs)
        sentence = _(
            "Your account may not see the numbers. An administrator can give it the permission"
            " to view sessions."
        )
        return _page(request, "_numbers.html", _("Not allowed"), status=403, sentence=sentence)

    guarded_view: View = require_safe(never_cache(staff_member_required(guarded)))
    return guarded_view


@_may_see_numbers
def numbers(request: HttpRequest) -> HttpResponse:
    """Every guide with sessions or a live edition, and how its sessions ended."""
    guides = analytics.guides(timezone.now(), simulated=_simulated(request))
    together = sum((guide.endings for guide in guides), Endings())
    return _page(request, "numbers.html", _("Numbers"), guides=guides, together=together)


@_may_see_numbers
def numbers_guide(request: HttpRequest, guide_key: str) -> HttpResponse:
    """One guide: endings, fixes, and its sessions in pages; the address can filter them."""
    title = analytics.title(guide_key)
    if title is None:
        return _no_such_guide(request, guide_key)
    now = timezone.now()
    form = FilterForm(request.GET, choices=analytics.choices(guide_key))
    only = form.filter
    paginator = Paginator(analytics.sessions(guide_key, only), PER_PAGE)
    page = paginator.page(_nearest(request.GET.get("page", "1"), paginator.num_pages))
    sessions = [
        {"row": row, "path": [_in_words(attempt) for attempt in row.path]}
        for row in analytics.walks(page.object_list, now)
    ]
    return _page(
        request,
        "numbers_guide.html",
        title,
        guide_key=guide_key,
        form=form,
        ended=analytics.endings(guide_key, now, only),
        fixes=analytics.fixes(guide_key, only),
        page=page,
        sessions=sessions,
        simulated=only.simulated,
    )


@_may_see_numbers
def export_guides(request: HttpRequest, form: str) -> HttpResponseBase:
    """The table of all guides as a file."""
    if form not in exports.FORMS:
        return _no_such_file(request)
    guides = analytics.guides(timezone.now(), simulated=_simulated(request))
    rows = (_guide_cells(guide) for guide in guides)
    return exports.download(Table("guides", GUIDE_COLUMNS, rows), form)


@_may_see_numbers
def export_guide(request: HttpRequest, guide_key: str, table: str, form: str) -> HttpResponseBase:
    """One table of one guide as a file, filtered as the page is.

    A file cannot say what was left out, so here a filter that cannot be is refused.
    """
    if form not in exports.FORMS or table not in ("endings", "fixes", "sessions"):
        return _no_such_file(request)
    if analytics.title(guide_key) is None:
        return _no_such_guide(request, guide_key)
    asked = FilterForm(request.GET, choices=analytics.choices(guide_key))
    if not asked.is_valid():
        sentence = " ".join(asked.sentences)
        title = _("This filter cannot be")
        return _page(request, "_numbers.html", title, status=400, sentence=sentence)
    only, now = asked.filter, timezone.now()
    name = f"{guide_key}-{table}"
    if table == "endings":
        ended = analytics.endings(guide_key, now, only)
        return exports.download(Table(name, ENDING_COLUMNS, _ending_cells(ended)), form)
    if table == "fixes":
        fixes = map(_fix_cells, analytics.fixes(guide_key, only))
        return exports.download(Table(name, FIX_COLUMNS, fixes), form)
    walks = analytics.all_walks(analytics.sessions(guide_key, only), now)
    rows = (_session_cells(walk, form) for walk in walks)
    return exports.download(Table(name, SESSION_COLUMNS, rows), form)


def _no_such_guide(request: HttpRequest, guide_key: str) -> HttpResponse:
    sentence = _("There is no guide with the key “%(key)s”.") % {"key": guide_key}
    return _page(request, "_numbers.html", _("No such guide"), status=404, sentence=sentence)


def _no_such_file(request: HttpRequest) -> HttpResponse:
    sentence = _("There is no such file. The links beside the tables lead to those there are.")
    return _page(request, "_numbers.html", _("No such file"), status=404, sentence=sentence)


def _page(
    request: HttpRequest, template: str, title: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """A page of the staff desk, with everything the admin's frame needs."""
    shared = {
        **admin.site.each_context(request),
        "title": title,
        "endings": list(Ending),
        "simulated": _simulated(request),
        "idle_minutes": int(analytics.IDLE.total_seconds() // 60),
    }
    return render(request, f"troubleshooter/{template}", {**shared, **context}, status=status)


def _simulated(request: HttpRequest) -> bool:
    """Whether somebody asked to have simulated sessions counted, too: ?simulated=1."""
    return request.GET.get("simulated") == "1"


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


def _nearest(asked: str, last: int) -> int:
    """The number of the page nearest to the one asked for, whatever was asked for."""
    try:
        return min(max(int(asked), 1), last)
    except ValueError:
        return 1


def _in_words(attempt: AttemptRow) -> str:
    """One attempt on a path: “2 Restart the computer (again): fixed”."""
    words = {"fix": attempt.title, "answer": ANSWERS[attempt.outcome], "seq": attempt.seq}
    if attempt.reason:
        words["answer"] = f"{words['answer']} ({attempt.reason.label})"
    if attempt.changed:
        return _("%(seq)d %(fix)s (answer changed): %(answer)s") % words
    if attempt.again:
        return _("%(seq)d %(fix)s (again): %(answer)s") % words
    return _("%(seq)d %(fix)s: %(answer)s") % words


GUIDE_COLUMNS = ("key", "title", "live", "sessions", *Ending.values)
ENDING_COLUMNS = ("ending", "sessions", "share")
FIX_COLUMNS = (
    *("key", "revision", "title", "placed", "current", "resolved", "rate", "low", "high", "n"),
    *("shown", "fixed", "not_fixed", "unanswered", "skipped"),
    *(f"skipped_{reason}" for reason in Reason.values),
)
SESSION_COLUMNS = (
    *("session", "started_at", "ending", "symptom", "platform", "edition", "language", "path"),
)


def _guide_cells(guide: GuideRow) -> Row:
    counts = {ending.value: sessions for ending, sessions in guide.endings.pairs}
    return {
        "key": guide.key,
        "title": guide.title,
        "live": guide.live,
        "sessions": guide.endings.total,
        **counts,
    }


def _ending_cells(ended: Endings) -> list[Row]:
    return [
        {
            "ending": ending.value,
            "sessions": sessions,
            "share": round(sessions / ended.total, 4) if ended.total else None,
        }
        for ending, sessions in ended.pairs
    ]


def _fix_cells(fix: FixRow) -> Row:
    rate = fix.rate if fix.rate and fix.rate.enough else None
    reasons = dict(fix.reasons)
    return {
        "key": fix.key,
        "revision": fix.revision,
        "title": fix.title,
        "placed": fix.placed,
        "current": fix.current,
        "resolved": fix.resolved,
        "rate": round(rate.share, 4) if rate else None,
        "low": round(rate.low, 4) if rate else None,
        "high": round(rate.high, 4) if rate else None,
        "n": fix.fixed + fix.not_fixed,
        "shown": fix.shown,
        "fixed": fix.fixed,
        "not_fixed": fix.not_fixed,
        "unanswered": fix.unanswered,
        "skipped": fix.skipped,
        **{f"skipped_{reason.value}": reasons.get(reason, 0) for reason in Reason},
    }


def _session_cells(row: SessionRow, form: str) -> Row:
    """One session; its path is in words for a spreadsheet, and in objects for a program."""
    return {
        "session": row.public_id,
        "started_at": timezone.localtime(row.started_at).isoformat(timespec="seconds"),
        "ending": row.ending.value,
        "symptom": row.symptom,
        "platform": row.platform,
        "edition": row.edition,
        "language": row.language,
        "path": " → ".join(map(_in_words, row.path))
        if form == "csv"
        else [asdict(attempt) for attempt in row.path],
    }
