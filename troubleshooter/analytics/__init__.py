"""How sessions ended and which fixes ended them: the staff's numbers, counted from the rows.

The population rule. Each session counts exactly once, as the first of these that it is:

    confirmed   the visitor said that a fix fixed it (status resolved)
    exhausted   every fix was tried, or skipped twice (status exhausted)
    assumed     went away on a shown fix: the last attempt is unanswered
    left        the rest: stood before a data-losing fix (which needs a yes that nobody gave),
                or its edition was withdrawn
    under way   still moving: open, and its last sign of life is younger than IDLE; it is
                counted as assumed or left only after that

Simulated sessions are left out unless they are asked for (`simulated=True`, here or in a Filter).

Read-only, and free of presentation: every function answers one question with plain values, so
that it can later be answered from counts. `now` is always passed in.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Case, Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, When

from troubleshooter.flow import Outcome, Reason, Status
from troubleshooter.models import Attempt, Edition, Guide, Session

from .contents import Outline, outlines
from .filters import Filter
from .rows import AttemptRow, Choices, Ending, Endings, FixRow, GuideRow, SessionRow

__all__ = [
    "BATCH",
    "IDLE",
    "AttemptRow",
    "Choices",
    "Ending",
    "Endings",
    "Filter",
    "FixRow",
    "GuideRow",
    "SessionRow",
    "all_walks",
    "choices",
    "endings",
    "fixes",
    "guides",
    "sessions",
    "title",
    "walks",
]

IDLE = timedelta(minutes=30)  # without a sign of life for this long, a session went away
BATCH = 500  # sessions read at once when all are asked for
REAL = Filter()


def guides(now: datetime, *, simulated: bool = False) -> list[GuideRow]:
    """How did the sessions of each guide end? Those with sessions or live, busiest first."""
    everywhere = Session.objects.filter(Filter(simulated=simulated).where())
    ended = _endings(everywhere, now)
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


def endings(guide_key: str, now: datetime, only: Filter = REAL) -> Endings:
    """How did the sessions of this guide end?"""
    of_guide = Session.objects.filter(only.where(), edition__guide__key=guide_key)
    return _endings(of_guide, now).get(guide_key, Endings())


def _endings(sessions: QuerySet[Session], now: datetime) -> dict[str, Endings]:
    """The endings of these sessions by guide key."""
    idle = Q(status=Status.OPEN, last_answer_at__lte=now - IDLE)
    counted = list(  # first: what moves meanwhile is only missed below, so none is negative
        sessions.order_by()
        .values_list("edition__guide__key")
        .annotate(
            total=Count("pk"),
            confirmed=Count("pk", filter=Q(status=Status.RESOLVED)),
            exhausted=Count("pk", filter=Q(status=Status.EXHAUSTED)),
            idle=Count("pk", filter=idle),
        )
    )
    assumed = _assumed(sessions.filter(idle))
    return {
        key: Endings(
            confirmed=confirmed,
            exhausted=exhausted,
            assumed=assumed[key],
            left=gone - assumed[key],
            under_way=total - confirmed - exhausted - gone,
        )
        for key, total, confirmed, exhausted, gone in counted
    }


def _assumed(idle: QuerySet[Session]) -> Counter[str]:
    """How many of these idle sessions went away on a shown fix, by guide key."""
    later = Attempt.objects.filter(session=OuterRef("session"), seq__gt=OuterRef("seq"))
    standing = (
        Attempt.objects.filter(
            ~Exists(later), outcome=None, session__in=idle, session__edition__withdrawn_at=None
        )
        .order_by()
        .values_list(
            "session__edition__guide__key",
            "session__edition_id",
            "session__edition__digest",
            "fix_key",
        )
        .annotate(sessions=Count("pk"))
    )
    rows = list(standing)
    known = outlines({edition: digest for _guide, edition, digest, _fix, _sessions in rows})
    found: Counter[str] = Counter()
    for guide_key, edition, _digest, fix, sessions in rows:
        if fix not in known[edition].risky:
            found[guide_key] += sessions
    return found


def fixes(guide_key: str, only: Filter = REAL) -> list[FixRow]:
    """What came of each fix of this guide?

    In the guide's order, an earlier revision after a later one; fixes that are no longer in the
    guide come last.
    """
    of_guide = Q(session__edition__guide__key=guide_key)
    attempts = Attempt.objects.filter(of_guide, only.where("session__"))
    answers = _answers(attempts)  # first: whatever was answered then has been shown by now
    shown, resolved = _shown(attempts)
    live, newest_first = _contents(guide_key)
    titles = {fix: name for old in reversed(newest_first) for fix, name in old.titles.items()}
    current = {fix for outline in live for fix in outline.titles}
    placed = {key for key, _revision in current}
    keys = [key for outline in [*live, *newest_first] for key, _revision in outline.titles]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    return [
        FixRow(
            key=key,
            revision=revision,
            title=titles[key, revision],
            placed=key in placed,
            current=(key, revision) in current,
            shown=shown[key, revision],
            resolved=resolved[key, revision],
            fixed=answers[key, revision, Outcome.FIXED, ""],
            not_fixed=answers[key, revision, Outcome.NOT_FIXED, ""],
            reasons=tuple(
                (reason, sessions)
                for reason in Reason
                if (sessions := answers[key, revision, Outcome.SKIPPED, reason])
            ),
        )
        for key, revision in sorted({*current, *shown}, key=lambda fix: (places[fix[0]], -fix[1]))
    ]


def _contents(guide_key: str) -> tuple[list[Outline], list[Outline]]:
    """What the guide holds now (in each live language), and all its editions, newest first."""
    newest_first = Edition.objects.filter(guide__key=guide_key).order_by("-published_at", "-pk")
    editions = list(newest_first.values_list("pk", "digest", "live"))
    known = outlines({pk: digest for pk, digest, _live in editions})
    live = [known[pk] for pk, _digest, is_live in editions if is_live]
    old_and_new = [known[pk] for pk, _digest, _live in editions]
    return live or old_and_new[:1], old_and_new


def _shown(
    attempts: QuerySet[Attempt],
) -> tuple[Counter[tuple[str, int]], Counter[tuple[str, int]]]:
    """In how many sessions each (fix, revision) was shown, and how many it resolved.

    A session is pinned to one edition, so it knows each fix in one revision only.
    """
    by_it = Q(session__resolved_by=F("fix_key"))  # empty unless the session is resolved
    rows = (
        attempts.order_by()
        .values_list("fix_key", "fix_revision")
        .annotate(
            shown=Count("session", distinct=True),
            resolved=Count("session", distinct=True, filter=by_it),
        )
    )
    counted = list(rows)
    return (
        Counter({(key, revision): shown for key, revision, shown, _resolved in counted}),
        Counter({(key, revision): resolved for key, revision, _shown, resolved in counted}),
    )


def _answers(attempts: QuerySet[Attempt]) -> Counter[tuple[str, int, str, str]]:
    """In how many sessions each (fix, revision, outcome, reason) is the answer that counts."""
    later = Attempt.objects.filter(
        session=OuterRef("session"), fix_key=OuterRef("fix_key"), seq__gt=OuterRef("seq")
    ).exclude(outcome=None)
    rows = (
        attempts.filter(~Exists(later))
        .exclude(outcome=None)
        .order_by()
        .values_list("fix_key", "fix_revision", "outcome", "reason")
        .annotate(sessions=Count("pk"))
    )
    return Counter({(fix, rev, str(outcome), why): n for fix, rev, outcome, why, n in rows})


def sessions(guide_key: str, only: Filter = REAL) -> QuerySet[Session]:
    """Which sessions did this guide have? Newest first, to be cut into pages for `walks`."""
    return (
        Session.objects.filter(only.where(), edition__guide__key=guide_key)
        .select_related("edition")
        .defer("edition__content", "author_order", "learned_order")
        .prefetch_related(Prefetch("attempts", Attempt.objects.order_by("seq")))
        .order_by("-started_at", "-pk")
    )


def walks(sessions: Iterable[Session], now: datetime) -> list[SessionRow]:
    """What happened in each of these sessions?"""
    page = list(sessions)
    known = outlines({session.edition_id: session.edition.digest for session in page})
    return [_walk(session, known[session.edition_id], now) for session in page]


def all_walks(sessions: QuerySet[Session], now: datetime) -> Iterator[SessionRow]:
    """What happened in each of these sessions, latest row first, however many there are?

    They are read a batch at a time, each from where the last one ended, so that neither memory
    nor an open query grows with them. A session that starts meanwhile is not among them.
    """
    rest = sessions.order_by("-pk")
    batch = list(rest[:BATCH])
    while batch:
        yield from walks(batch, now)
        batch = list(rest.filter(pk__lt=batch[-1].pk)[:BATCH])


def _walk(session: Session, outline: Outline, now: datetime) -> SessionRow:
    attempts = list(session.attempts.all())
    return SessionRow(
        public_id=session.public_id,
        started_at=session.started_at,
        symptom=outline.symptoms.get(session.symptom_key, ""),
        platform=session.get_platform_display(),
        edition=session.edition.number,
        language=session.language,
        ending=_ending(session, attempts, outline, now),
        path=_path(attempts, outline),
    )


def _ending(
    session: Session, attempts: Sequence[Attempt], outline: Outline, now: datetime
) -> Ending:
    """The population rule for one session; `_endings` is the same rule in SQL."""
    if session.status == Status.RESOLVED:
        return Ending.CONFIRMED
    if session.status == Status.EXHAUSTED:
        return Ending.EXHAUSTED
    if now - session.last_answer_at < IDLE:
        return Ending.UNDER_WAY
    standing = {attempt.fix_key for attempt in attempts[-1:] if attempt.outcome is None}
    return Ending.ASSUMED if standing - outline.risky and not session.withdrawn else Ending.LEFT


def _path(attempts: Sequence[Attempt], outline: Outline) -> tuple[AttemptRow, ...]:
    path: list[AttemptRow] = []
    before: dict[str, str | None] = {}  # what came of the showing before, of each fix so far
    for attempt in attempts:
        fix = attempt.fix_key
        changed = before.get(fix) in (Outcome.FIXED, Outcome.NOT_FIXED)
        path.append(
            AttemptRow(
                seq=attempt.seq,
                key=fix,
                revision=attempt.fix_revision,
                title=outline.titles[fix, attempt.fix_revision],
                outcome=Outcome(attempt.outcome) if attempt.outcome else None,
                reason=Reason(attempt.reason) if attempt.reason else None,
                again=fix in before and not changed,
                changed=changed,
            )
        )
        before[fix] = attempt.outcome
    return tuple(path)
