"""All guides with how their sessions ended; what one is called and can be filtered by."""

from datetime import datetime

from django.conf import settings
from django.db.models import Case, QuerySet, When

from troubleshooter.models import Edition, Guide, Session

from .contents import outlines
from .filters import Filter
from .population import count_endings
from .rows import Choices, Endings, GuideRow


def guides(now: datetime, *, simulated: bool = False) -> list[GuideRow]:
    """How did the sessions of each guide end? Those with sessions or live, busiest first."""
    everywhere = Session.objects.filter(Filter(simulated=simulated).where())
    ended = count_endings(everywhere, now)
    live = set(Edition.objects.live().values_list("guide__key", flat=True))
    rows = [
        GuideRow(key, name, key in live, ended.get(key, Endings()))
        for key, name in _titles(Guide.objects.all()).items()
        if key in live or key in ended
    ]
    return sorted(rows, key=lambda row: (-row.endings.total, row.title, row.key))


def title(guide_key: str) -> str | None:
    """What is this guide called? None when there is no such guide."""
    return _titles(Guide.objects.filter(key=guide_key)).get(guide_key)


def _titles(guides: QuerySet[Guide]) -> dict[str, str]:
    """The titles by guide key, in the site's own language where there is one."""
    rows = list(guides.order_by("language").values_list("key", "language", "title"))
    own = {key: name for key, language, name in rows if language == settings.LANGUAGE_CODE}
    return {key: name for key, _language, name in rows} | own


def choices(guide_key: str) -> Choices:
    """What can the sessions of this guide be filtered by?"""
    own_last = Case(When(language=settings.LANGUAGE_CODE, then=1), default=0)
    editions = Edition.objects.filter(guide__key=guide_key).order_by(own_last, "number")
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
