"""What needs attention: each signal as an editor reads it, with its numbers and its owner."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext_lazy

from troubleshooter.models import Edition, Fix, Guide, Session, Signal
from troubleshooter.models.signals import SURGES
from troubleshooter.signals import Kind

OF_FIXES = (Kind.FALLING, Kind.UNFINDABLE)
SENTENCES = {
    Kind.FALLING: gettext_lazy(
        "“%(name)s” fixed %(count)d of %(n)d in the last 7 days,"
        " %(count_before)d of %(n_before)d in the 28 days before."
    ),
    Kind.UNFINDABLE: gettext_lazy(
        "“%(name)s”: %(count)d of %(n)d could not find something or saw it differently in the last"
        " 7 days, %(count_before)d of %(n_before)d in the 28 days before."
    ),
    Kind.UNSEEN: gettext_lazy(
        "%(name)s: %(count)d of %(n)d sessions in the last 7 days, none of the %(n_before)d before."
    ),
    Kind.SURGE: gettext_lazy(
        "%(count)d sessions started on %(day)s; on the same weekday it is usually %(usual)s."
    ),
    Kind.FAILURES: gettext_lazy(
        "%(count)d sessions of %(day)s ended without a cure or asked for a person;"
        " on the same weekday it is usually %(usual)s."
    ),
    Kind.HARM: gettext_lazy(
        "The learned order cost %(minutes)s min per session against the author’s (%(n)d sessions),"
        " so it was stopped. Every session gets the author’s order until you let it learn again."
    ),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A signal, told; `guides` are the guide in its languages, those that are live first."""

    signal: Signal
    title: str
    sentence: str
    owners: str
    guides: list[Guide]
    numbers: str  # the address of the figures it was seen in
    surge: bool


def entries(signals: Iterable[Signal]) -> list[Entry]:
    """These signals, told; two statements, however many they are."""
    signals = list(signals)
    live = Exists(Edition.objects.live().filter(guide=OuterRef("pk")))
    of_key: defaultdict[str, list[Guide]] = defaultdict(list)
    rows = Guide.objects.filter(key__in={each.guide_key for each in signals})
    for guide in rows.select_related("owner").annotate(live=live).order_by("-live", "pk"):
        of_key[guide.key].append(guide)
    fixes = {each.subject for each in signals if each.kind in OF_FIXES}
    titles = dict(Fix.objects.filter(key__in=fixes).order_by("-pk").values_list("key", "title"))
    return [_entry(each, of_key[each.guide_key], titles) for each in signals]


def mine(signals: Any, user: User) -> Any:
    """Those of the guides that this user looks after."""
    return signals.filter(guide_key__in=Guide.objects.filter(owner=user).values("key"))


def _entry(signal: Signal, guides: list[Guide], titles: dict[str, str]) -> Entry:
    kind = Kind(signal.kind)
    if kind in OF_FIXES:
        numbers = reverse("numbers_fix", args=[signal.subject])
    elif kind is Kind.HARM:
        numbers = reverse("numbers_order", args=[signal.guide_key])
    else:
        numbers = reverse("numbers_guide", args=[signal.guide_key])
    owners = {guide.owner.get_username(): None for guide in guides if guide.owner}
    return Entry(
        signal=signal,
        title=guides[0].title if guides else signal.guide_key,
        sentence=str(SENTENCES[kind]) % _names(signal, titles),
        owners=", ".join(owners),
        guides=guides,
        numbers=numbers,
        surge=kind in SURGES,
    )


def _names(signal: Signal, titles: dict[str, str]) -> dict[str, Any]:
    """What the sentence of a signal speaks of."""
    names: dict[str, Any] = dict(signal.evidence)
    if signal.kind in SURGES:
        names["day"] = date_format(date.fromisoformat(names["day"]), "DATE_FORMAT")
        names["usual"] = round(names["usual"])
    elif signal.kind in OF_FIXES:
        names["name"] = titles.get(signal.subject, signal.subject)
    elif signal.kind == Kind.HARM:
        names["minutes"] = number_format(round(names["minutes"], 1), 1)
    else:
        names["name"] = Session.Platform(signal.subject).label
    return names
