"""All guides with how their sessions ended; what one is called and can be filtered by."""

from collections.abc import Mapping

from django.conf import settings
from django.db.models import Case, QuerySet, When

from troubleshooter.models import Edition, Guide, SessionCount, Topic, outlines
from troubleshooter.population import Ending

from .filters import REAL, Filter
from .rows import Choices, Endings, GuideRow, Sums
from .sums import sums


def endings(guide_key: str, only: Filter = REAL) -> Endings:
    """How did the sessions of this guide end?"""
    return endings_of(sums(SessionCount, only, guide_key=guide_key).get((), {}))


def endings_of(counts: Mapping[str, int]) -> Endings:
    """The sums of `SessionCount` as endings."""
    return Endings(**{ending: counts.get(ending, 0) for ending in Ending.values})


def guides(only: Filter = REAL) -> list[GuideRow]:
    """How did the sessions of each guide end? Those with sessions or live, busiest first."""
    return guide_rows(sums(SessionCount, only, "slice__guide__key"), only)


def guide_rows(counted: Sums, only: Filter) -> list[GuideRow]:
    """The same of what was counted of each guide."""
    ended = {key: endings_of(counts) for (key,), counts in counted.items()}
    live = Edition.objects.live().filter(only.guides("guide__"))
    offered = set(live.values_list("guide__key", flat=True))
    rows = [
        GuideRow(key, name, key in offered, ended.get(key, Endings()))
        for key, name in titles().items()
        if key in offered or key in ended
    ]
    return sorted(rows, key=lambda row: (-row.endings.total, row.title, row.key))


def title(guide_key: str) -> str | None:
    """What is this guide called? None when there is no such guide."""
    return _said(Guide.objects.filter(key=guide_key), "title").get(guide_key)


def titles() -> dict[str, str]:
    """What is each guide called? By its key."""
    return _said(Guide.objects.all(), "title")


def topics_of_guides() -> dict[str, str]:
    """What is the topic of each guide called? By the key of the guide."""
    return _said(Guide.objects.all(), "topic__name")


def topics() -> dict[str, str]:
    """What is each topic called? By its slug, in the order of the home page."""
    return dict(Topic.objects.values_list("slug", "name"))


def _said(guides: QuerySet[Guide], field: str) -> dict[str, str]:
    """A text of each guide by its key, in the site's own language where there is one."""
    rows = list(guides.order_by("language").values_list("key", "language", field))
    own = {key: name for key, language, name in rows if language == settings.LANGUAGE_CODE}
    return {key: name for key, _language, name in rows} | own


def choices(guide_key: str) -> Choices:
    """What can the sessions of this guide be filtered by?"""
    own_last = Case(When(language=settings.LANGUAGE_CODE, then=1), default=0)
    editions = Edition.objects.published().filter(guide__key=guide_key).order_by(own_last, "number")
    rows = list(editions.values_list("pk", "digest", "number", "language"))
    known = outlines({pk: digest for pk, digest, _number, _language in rows})
    # A later text of a symptom replaces an earlier one: the site's own language, newest edition.
    symptoms = {
        key: text
        for pk, _digest, _number, _language in rows
        for key, text in known[pk].symptoms.items()
    }
    return Choices(
        symptoms=tuple(symptoms.items()),
        editions=tuple(sorted({number for _pk, _digest, number, _language in rows})),
        languages=tuple(sorted({language for _pk, _digest, _number, language in rows})),
    )
