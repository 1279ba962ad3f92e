"""The order of one guide: as it is, why, what it gains; and what another one would do."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict

from troubleshooter import analytics, folding, forecast, ordering
from troubleshooter.models import Edition
from troubleshooter.models.reading import Reading

from . import reasons
from .base import may_see_numbers, no_such_guide, page_of

PLACE = "place."  # before the key of a fix: where the editor would put it


@may_see_numbers
def numbers_order(request: HttpRequest, guide_key: str) -> HttpResponseBase:
    """The order that sessions are given, symptom by symptom, and the forecast of another."""
    title = analytics.title(guide_key)
    if title is None:
        return no_such_guide(request, guide_key)
    edition = analytics.leading(guide_key)
    shown: dict[str, Any] = {"guide_key": guide_key, "tab": "order", "edition": edition}
    if edition is None:
        return page_of(request, "numbers_order.html", title, **shown)
    return _order_page(request, title, edition, shown)


def _order_page(
    request: HttpRequest, title: str, edition: Edition, shown: dict[str, Any]
) -> HttpResponse:
    reading = edition.reading
    symptoms = [each.key for each in reading.symptoms] or [""]
    symptom = request.GET.get("symptom", "")
    symptom = symptom if symptom in symptoms else symptoms[0]
    guide_key = shown["guide_key"]
    order = analytics.order_of(edition, guide_key, symptom)
    wanted = asked_order(request.GET, order.fixes)
    asked = ordering.project(wanted, reading.places, reading.start_with(symptom))
    learner = analytics.learner(guide_key)
    guide = edition.guide
    return page_of(
        request,
        "numbers_order.html",
        title,
        **shown,
        guide=guide,
        may_publish=request.user.has_perm("troubleshooter.publish_guide"),
        learner=learner,
        symptoms=reading.symptoms,
        order=order,
        lines=[(each, reasons.why(each.line, reading)) for each in order.lines],
        gain=reasons.gain(analytics.gain(guide_key)),
        rows=[(place, reading.by_key[fix]) for place, fix in enumerate(asked, start=1)],
        bent=asked != wanted,
        outlook=outlook(guide_key, reading, order, asked),
    )


def asked_order(data: QueryDict, order: Sequence[str]) -> tuple[str, ...]:
    """The fixes by the places that were asked for; what says nothing stays where it is."""

    def place(at: tuple[int, str]) -> tuple[int, int]:
        now, fix = at
        asked = data.get(PLACE + fix, "")
        return (int(asked) if asked.isdecimal() and len(asked) < 4 else now, now)

    return tuple(fix for _now, fix in sorted(enumerate(order, start=1), key=place))


def outlook(
    guide_key: str, reading: Reading, order: analytics.SymptomOrder, asked: tuple[str, ...]
) -> dict[str, Any] | None:
    """What the logged sessions say of another order; None when it is the same."""
    if asked == order.fixes:
        return None
    question = forecast.Question(
        sessions=[_logged(walk) for walk in folding.recent(guide_key, 2 * forecast.MOST)],
        minutes={place.fix: place.minutes for place in reading.places},
        before=order.fixes,
        after=asked,
        symptom=order.symptom,
    )
    answer = forecast.forecast(question)
    titles = {fix.key: fix.title for fix in reading.fixes}
    if isinstance(answer, forecast.Unknown):
        return {"sentence": reasons.unknown(answer, titles), "unknown": True}
    return {
        "sentence": reasons.forecast(answer, order.fixes, asked, titles),
        "answer": answer,
        "rows": reasons.outlooks(answer),
    }


def _logged(walk: folding.Walked) -> forecast.Logged:
    ended = forecast.Ended.EXHAUSTED if walk.exhausted else forecast.Ended.LEFT
    return forecast.Logged(
        symptom=walk.symptom,
        order=walk.order,
        answers=tuple(forecast.Tried(each.fix, each.cured, each.minutes) for each in walk.answers),
        ended=forecast.Ended.CURED if walk.cured else ended,
        last=walk.shown[-1] if walk.shown else "",
    )
