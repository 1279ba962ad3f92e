"""How sessions ended and which fixes ended them: the staff's numbers, counted from the rows.

The population rule. Each session counts exactly once, as the first of these that it is:

    confirmed   the visitor said that a fix fixed it (status resolved)
    exhausted   every fix was tried, or skipped twice (status exhausted)
    assumed     went away on a shown fix: the last attempt is unanswered
    left        the rest: stood before a data-losing fix (which needs a yes that nobody gave),
                or its edition was withdrawn
    under way   still moving: open, and its last sign of life is younger than IDLE; it is
                counted as assumed or left only after that

Simulated sessions are left out unless they are asked for (`simulated=True`).

Read-only, and free of presentation: every function answers one question with plain values, so
that it can later be answered from counts. `now` is always passed in.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from troubleshooter import evidence
from troubleshooter.flow import Outcome, Reason, Status
from troubleshooter.models import Attempt, Edition, Guide, Risk, Session

IDLE = timedelta(minutes=30)  # without a sign of life for this long, a session went away


class Ending(TextChoices):
    """How a session ended, strongest claim first; the last one has not ended."""

    CONFIRMED = "confirmed", _("Confirmed")
    EXHAUSTED = "exhausted", _("Exhausted")
    ASSUMED = "assumed", _("Assumed")
    LEFT = "left", _("Left")
    UNDER_WAY = "under_way", _("Under way")


@dataclass(frozen=True, slots=True)
class Endings:
    """How many sessions ended in each way."""

    confirmed: int = 0
    exhausted: int = 0
    assumed: int = 0
    left: int = 0
    under_way: int = 0

    @property
    def pairs(self) -> list[tuple[Ending, int]]:
        """Each ending with its number of sessions, strongest claim first."""
        return [(ending, getattr(self, ending.value)) for ending in Ending]

    @property
    def total(self) -> int:
        return sum(sessions for _ending, sessions in self.pairs)

    def __add__(self, other: "Endings") -> "Endings":
        return Endings(*(mine + getattr(other, ending) for ending, mine in self.pairs))


@dataclass(frozen=True, slots=True)
class GuideRow:
    """One guide, all its languages and editions together."""

    key: str
    title: str
    live: bool
    endings: Endings


@dataclass(frozen=True, slots=True)
class FixRow:
    """One revision of one fix in one guide. Every count is of sessions, each at most once.

    `fixed`, `not_fixed` and `skipped` go by the latest answered attempt in the session;
    `resolved` are the sessions that this fix ended, so it sums to the confirmed ones.
    """

    key: str
    revision: int
    title: str
    placed: bool  # the fix is in the guide as it is now
    current: bool  # and in this revision
    shown: int
    resolved: int
    fixed: int
    not_fixed: int
    reasons: tuple[tuple[Reason, int], ...]  # why it was skipped

    @property
    def skipped(self) -> int:
        return sum(sessions for _reason, sessions in self.reasons)

    @property
    def unanswered(self) -> int:
        return self.shown - self.fixed - self.not_fixed - self.skipped

    @property
    def rate(self) -> evidence.Rate | None:
        """How often it fixed the trouble when it was tried."""
        return evidence.rate(self.fixed, self.fixed + self.not_fixed)


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt on the path of a session."""

    seq: int
    title: str
    outcome: Outcome | None
    reason: Reason | None
    again: bool  # the fix was shown before and had been skipped or not answered
    changed: bool  # the visitor had answered otherwise before


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session with its path."""

    public_id: str
    started_at: datetime
    symptom: str
    platform: str
    edition: int
    language: str
    ending: Ending
    path: tuple[AttemptRow, ...]


def guides(now: datetime, *, simulated: bool = False) -> list[GuideRow]:
    """How did the sessions of each guide end? Those with sessions or live, busiest first."""
    ended = _endings(_sessions(simulated), now)
    live = set(Edition.objects.live().values_list("guide__key", flat=True))
    rows = [
        GuideRow(key, name, key in live, ended.get(key, Endings()))
        for key, name in _titles(Guide.objects.all()).items()
        if key in live or key in ended
    ]
    return sorted(rows, key=lambda row: (-row.endings.total, row.title, row.key))


def _sessions(simulated: bool) -> QuerySet[Session]:
    counted = Session.objects.all()
    return counted if simulated else counted.exclude(channel=Session.SIMULATED)


def title(guide_key: str) -> str | None:
    """What is this guide called? None when there is no such guide."""
    return _titles(Guide.objects.filter(key=guide_key)).get(guide_key)


def _titles(guides: QuerySet[Guide]) -> dict[str, str]:
    """The titles by guide key, in the site's own language where there is one."""
    rows = list(guides.order_by("language").values_list("key", "language", "title"))
    own = {key: name for key, language, name in rows if language == settings.LANGUAGE_CODE}
    return {key: name for key, _language, name in rows} | own


def endings(guide_key: str, now: datetime, *, simulated: bool = False) -> Endings:
    """How did the sessions of this guide end?"""
    of_guide = _sessions(simulated).filter(edition__guide__key=guide_key)
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
    outlines = _outlines({edition: digest for _guide, edition, digest, _fix, _sessions in rows})
    found: Counter[str] = Counter()
    for guide_key, edition, _digest, fix, sessions in rows:
        if fix not in outlines[edition].risky:
            found[guide_key] += sessions
    return found


def fixes(guide_key: str, *, simulated: bool = False) -> list[FixRow]:
    """What came of each fix of this guide?

    In the guide's order, an earlier revision after a later one; fixes that are no longer in the
    guide come last.
    """
    attempts = Attempt.objects.filter(session__edition__guide__key=guide_key)
    if not simulated:
        attempts = attempts.exclude(session__channel=Session.SIMULATED)
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


def _contents(guide_key: str) -> tuple[list["_Outline"], list["_Outline"]]:
    """What the guide holds now (in each live language), and all its editions, newest first."""
    newest_first = Edition.objects.filter(guide__key=guide_key).order_by("-published_at", "-pk")
    editions = list(newest_first.values_list("pk", "digest", "live"))
    outlines = _outlines({pk: digest for pk, digest, _live in editions})
    live = [outlines[pk] for pk, _digest, is_live in editions if is_live]
    old_and_new = [outlines[pk] for pk, _digest, _live in editions]
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


def sessions(guide_key: str, *, simulated: bool = False) -> QuerySet[Session]:
    """Which sessions did this guide have? Newest first, to be cut into pages for `walks`."""
    return (
        _sessions(simulated)
        .filter(edition__guide__key=guide_key)
        .select_related("edition")
        .defer("edition__content", "author_order", "learned_order")
        .prefetch_related(Prefetch("attempts", Attempt.objects.order_by("seq")))
        .order_by("-started_at", "-pk")
    )


def walks(sessions: Iterable[Session], now: datetime) -> list[SessionRow]:
    """What happened in each of these sessions?"""
    page = list(sessions)
    outlines = _outlines({session.edition_id: session.edition.digest for session in page})
    return [_walk(session, outlines[session.edition_id], now) for session in page]


def _walk(session: Session, outline: "_Outline", now: datetime) -> SessionRow:
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
    session: Session, attempts: Sequence[Attempt], outline: "_Outline", now: datetime
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


def _path(attempts: Sequence[Attempt], outline: "_Outline") -> tuple[AttemptRow, ...]:
    path: list[AttemptRow] = []
    before: dict[str, str | None] = {}  # what came of the showing before, of each fix so far
    for attempt in attempts:
        fix = attempt.fix_key
        changed = before.get(fix) in (Outcome.FIXED, Outcome.NOT_FIXED)
        path.append(
            AttemptRow(
                seq=attempt.seq,
                title=outline.titles[fix, attempt.fix_revision],
                outcome=Outcome(attempt.outcome) if attempt.outcome else None,
                reason=Reason(attempt.reason) if attempt.reason else None,
                again=fix in before and not changed,
                changed=changed,
            )
        )
        before[fix] = attempt.outcome
    return tuple(path)


@dataclass(frozen=True, slots=True)
class _Outline:
    """What the numbers need to know of an edition's content."""

    titles: Mapping[tuple[str, int], str]  # (fix, revision), in the guide's order
    risky: frozenset[str]
    symptoms: Mapping[str, str]


_OUTLINES_KEPT = 5000  # some 2 kB each
_kept: dict[str, _Outline] = {}  # by digest: content never changes


def _outlines(digests: Mapping[int, str]) -> dict[int, _Outline]:
    """The outlines of these editions (id: digest), read once in each process, all in one query.

    Not from `Edition.reading`: these pages look at every edition there ever was, and rendering
    them all would take long and push out the readings that visitors are waiting for.
    """
    outlines = {pk: known for pk, digest in digests.items() if (known := _kept.get(digest))}
    if len(_kept) >= _OUTLINES_KEPT:
        _kept.clear()
    missing = Edition.objects.only("content").in_bulk(list(digests.keys() - outlines.keys()))
    for pk, edition in missing.items():
        outlines[pk] = _kept[digests[pk]] = _outline(edition.content)
    return outlines


def _outline(content: dict[str, Any]) -> _Outline:
    return _Outline(
        titles={(fix["key"], fix["revision"]): fix["title"] for fix in content["fixes"]},
        risky=frozenset(fix["key"] for fix in content["fixes"] if fix["risk"] == Risk.DATA_LOSING),
        symptoms={symptom["key"]: symptom["text"] for symptom in content["symptoms"]},
    )
