"""Every table against a plain recount of ten thousand random sessions.

The recount is slow on purpose: it reads every row, replays every session by the rules of the flow
and looks at one session after another. It shares no query with what it checks.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from math import floor, log2, sqrt
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from tests import histories
from tests.base import CastTestCase, count
from tests.test_analytics import make_german_guide, publish_again, revise
from troubleshooter import analytics, evidence, flow
from troubleshooter.analytics import (
    Ending,
    Endings,
    Filter,
    GroupRow,
    PlaceRow,
    Quartiles,
    Tally,
    by_session,
)
from troubleshooter.flow import Outcome
from troubleshooter.models import (
    Attempt,
    Edition,
    Escalation,
    Fix,
    FollowUp,
    Guide,
    Placement,
    Session,
)

SESSIONS = 10_000
NEW_YORK = ZoneInfo("America/New_York")
Key = tuple[str, int]


@dataclass(frozen=True)
class Told:
    """A session with its rows, and what a patient reader makes of them."""

    session: Session
    edition: Edition
    rows: list[Attempt]
    alone: Ending  # what it would count as, had nobody asked for a person
    asked: bool

    @cached_property
    def ending(self) -> Ending:
        escalated = self.asked and self.alone != Ending.CONFIRMED
        return Ending.ESCALATED if escalated else self.alone

    @cached_property
    def answers(self) -> dict[str, Attempt]:
        return {row.fix_key: row for row in self.rows if row.outcome}

    @cached_property
    def tried(self) -> dict[str, Attempt]:
        return {fix: row for fix, row in self.answers.items() if row.outcome != "skipped"}

    @cached_property
    def shown(self) -> list[str]:
        """The different fixes, in the order in which they were first shown."""
        return list(dict.fromkeys(row.fix_key for row in self.rows))

    @cached_property
    def open_fix(self) -> str | None:
        """What the session stands on: shown last, and not answered."""
        return self.rows[-1].fix_key if self.rows and not self.rows[-1].outcome else None

    @cached_property
    def day(self) -> date:
        return self.session.started_at.astimezone(NEW_YORK).date()

    @cached_property
    def resolving(self) -> Attempt:
        return self.answers[self.session.resolved_by]

    def of_fix(self, key: str) -> dict[str, object]:
        fixes: list[dict[str, object]] = self.edition.content["fixes"]
        return next(fix for fix in fixes if fix["key"] == key)


def ending_of(session: Session, edition: Edition, rows: list[Attempt], now: datetime) -> Ending:
    """The population rule as DESIGN.md tells it but for escalations, replayed from attempts."""
    match flow.replay(session.order, [row.rule for row in rows], edition.reading.risky):
        case flow.Resolved():
            return Ending.CONFIRMED
        case flow.Exhausted():
            return Ending.EXHAUSTED
    if now - session.last_answer_at < timedelta(minutes=30):
        return Ending.UNDER_WAY
    if not rows or rows[-1].outcome or edition.withdrawn_at:
        return Ending.LEFT
    loses_data = edition.reading.by_key[rows[-1].fix_key].loses_data
    return Ending.LEFT if loses_data else Ending.ASSUMED


def lets_through(only: Filter, told: Told) -> bool:
    """The filter as its docstring tells it."""
    session = told.session
    return (
        (not only.symptom or session.symptom_key == only.symptom)
        and (not only.platform or session.platform == only.platform)
        and (only.edition is None or told.edition.number == only.edition)
        and (not only.language or session.language == only.language)
        and (not only.arm or session.arm == only.arm)
        and (only.from_day is None or told.day >= only.from_day)
        and (only.to_day is None or told.day <= only.to_day)
        and (only.simulated or session.channel != "simulated")
    )


def count_endings(told: Iterable[Told]) -> Endings:
    counts = Counter(each.ending for each in told)
    return Endings(**{ending.value: counts[ending] for ending in Ending})


def sums_of(
    told: Iterable[Told], group: Callable[[Told, str, int], Hashable]
) -> defaultdict[Any, Counter[str]]:
    """What came of each fix in these sessions, by the group of (session, fix, revision)."""
    sums: defaultdict[Any, Counter[str]] = defaultdict(Counter)
    for each in told:
        revisions = {row.fix_key: row.fix_revision for row in each.rows}
        for fix in each.shown:
            counts = sums[group(each, fix, revisions[fix])]
            answer = each.answers.get(fix)
            counts["shown"] += 1
            counts[(answer.outcome if answer else None) or "unanswered"] += 1
            counts[answer.reason if answer else ""] += 1
            if each.alone in (Ending.ASSUMED, Ending.LEFT) and each.open_fix == fix:
                counts["away"] += 1
            if each.ending == Ending.CONFIRMED and each.session.resolved_by == fix:
                counts["resolved"] += 1
    return sums


def exactly(values: Iterable[timedelta]) -> list[float]:
    """The quartiles in seconds: each is the first that so many do not exceed."""
    ranked = sorted(values)
    at = [
        next(value for nth, value in enumerate(ranked, start=1) if nth >= share * len(ranked))
        for share in (0.25, 0.5, 0.75)
    ]
    return [value.total_seconds() for value in at]


def coarsely(seconds: float) -> int:
    """The middle of the eighth of an octave that a time is in, cut where a span begins."""
    if seconds < 1:
        return 0
    eighth = floor(8 * log2(seconds))
    low, high = 2 ** (eighth / 8), 2 ** ((eighth + 1) / 8)
    for begins in (60, 120, 300, 600, 1200, 3600, 86400):
        if low < begins <= seconds:
            low = begins
        elif seconds < begins < high:
            high = begins
    return round(sqrt(low * high))


def quartiles(values: Sequence[timedelta]) -> Quartiles | None:
    return Quartiles(len(values), *map(coarsely, exactly(values))) if values else None


class RecountTests(CastTestCase):
    now: datetime
    told: list[Told]  # every session of the printer guide
    elsewhere: list[Told]
    filtered: list[tuple[Filter, list[Told]]]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        if connection.vendor == "postgresql":  # ten thousand sessions may take a while to think of
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cls.now = timezone.now() + timedelta(days=1)
        german = Edition.objects.publish(make_german_guide(), by=None)
        Edition.objects.withdraw(cls.guide, "The steps were wrong.")
        revise("driver", "Load the driver from its maker")
        second = publish_again(cls.guide)
        cls.guide.placements.filter(fix__key="cable").delete()
        Fix.objects.filter(key="restart", language="en").update(minutes=1)
        third = publish_again(cls.guide)
        other = Guide.objects.create(
            key="scanner", slug="scanner", topic=cls.guide.topic, title="The scanner", summary="…"
        )
        for position, key in enumerate(("cable", "driver"), start=1):
            fix = Fix.objects.get(key=key, language="en")
            Placement.objects.create(guide=other, fix=fix, position=position)
        scanner = publish_again(other)
        first = Edition.objects.get(pk=cls.edition.pk)
        histories.write([first, german, second, third, third], SESSIONS, cls.now)
        histories.write([scanner], 300, cls.now, seed=7)
        with timezone.override(NEW_YORK):
            count(cls.now)

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()  # here, since what setUpTestData sets is copied for every test
        everything = cls.read()
        cls.told = [told for told in everything if told.edition.guide.key == "printer"]
        cls.elsewhere = [told for told in everything if told.edition.guide.key == "scanner"]
        cls.filtered = [
            (only, [told for told in cls.told if lets_through(only, told)])
            for only in cls.some_filters()
        ]

    @classmethod
    def read(cls) -> list[Told]:
        editions = {each.pk: each for each in Edition.objects.select_related("guide")}
        rows: defaultdict[int, list[Attempt]] = defaultdict(list)
        for attempt in Attempt.objects.order_by("session_id", "seq"):
            rows[attempt.session_id].append(attempt)
        asked = {row.session_id for row in Escalation.objects.all()}
        told = []
        for session in Session.objects.order_by("pk"):
            edition = editions[session.edition_id]
            ending = ending_of(session, edition, rows[session.pk], cls.now)
            told.append(Told(session, edition, rows[session.pk], ending, asked=session.pk in asked))
        return told

    @classmethod
    def some_filters(cls) -> list[Filter]:
        """No filter, simulated sessions too, and some with about a third of the fields set."""
        chance = random.Random(7)
        filters = [Filter(), Filter(simulated=True), Filter(edition=1), Filter(platform="none")]
        days = sorted({told.day for told in cls.told})
        for _nth in range(6):
            first, last = sorted(chance.sample(days, 2))
            filters.append(
                Filter(
                    symptom=chance.choice(["", "", "offline", "unknown"]),
                    platform=chance.choice(["", "", "ios", "windows"]),
                    edition=chance.choice([None, None, 1, 2, 3]),
                    language=chance.choice(["", "", "en", "de"]),
                    from_day=chance.choice([None, first]),
                    to_day=chance.choice([None, last]),
                    simulated=chance.choice([False, True]),
                    arm=chance.choice(["", "", "author", "learned"]),
                )
            )
        return filters

    def setUp(self) -> None:
        self.enterContext(timezone.override(NEW_YORK))

    def test_the_histories_hold_everything_that_is_counted(self) -> None:
        self.assertEqual(len(self.told), SESSIONS)
        self.assertTrue(any(not told.rows for told in self.told))
        sizes = [len(told) for _only, told in self.filtered]
        self.assertGreater(len(set(sizes)), 7)
        self.assertIn(0, sizes)
        with self.subTest("endings"):
            self.assertGreater(min(Counter(told.ending for told in self.told).values()), 100)
        places = analytics.places("printer")
        for came in ("fixed", "not_fixed", "skipped", "away", "under_way", "passed"):
            with self.subTest(came=came):
                self.assertGreater(sum(getattr(row, came) for row in places), 20)

    def test_the_endings_and_the_guides(self) -> None:
        for only, told in self.filtered:
            with self.subTest(only=only):
                self.assertEqual(analytics.endings("printer", only), count_endings(told), only)
        for simulated in (False, True):
            only = Filter(simulated=simulated)
            found = {row.key: row.endings for row in analytics.guides(only)}
            for key, sessions in (("printer", self.told), ("scanner", self.elsewhere)):
                told = [each for each in sessions if lets_through(only, each)]
                self.assertEqual(found.pop(key), count_endings(told))
            self.assertEqual(found, {})

    def test_the_fixes(self) -> None:
        for only, told in self.filtered:
            with self.subTest(only=only):
                sums = sums_of(told, lambda each, fix, revision: (fix, revision))
                rows = {(row.key, row.revision): row for row in analytics.fixes("printer", only)}
                self.assertEqual({fix for fix, row in rows.items() if row.shown}, sums.keys())
                for key, row in rows.items():
                    self.assertEqual(row.away, sums[key]["away"], key)
                    self.assert_tally(row, sums[key], key)

    def assert_tally(self, row: Tally, counts: Counter[str], key: object) -> None:
        for name in ("shown", "fixed", "not_fixed", "skipped", "unanswered", "resolved"):
            self.assertEqual(getattr(row, name), counts[name], (key, name))
        reasons = {why: counts[why] for why in flow.Reason if counts[why]}
        self.assertEqual(dict(row.reasons), reasons)

    def test_the_overview(self) -> None:
        last = self.now.astimezone(NEW_YORK).date()
        for only, _told in self.filtered:
            with self.subTest(only=only):
                only = replace(only, symptom="", edition=None, arm="")  # the overview asks for none
                day = min(only.to_day or last, last)
                for row in analytics.traffic(self.now, only):
                    sessions = self.told if row.guide.key == "printer" else self.elsewhere
                    told = [each for each in sessions if lets_through(only, each)]
                    self.assertEqual(row.guide.endings, count_endings(told))
                    any_day = replace(only, from_day=None, to_day=day)
                    ago = Counter(
                        (day - each.day).days // 7
                        for each in sessions
                        if lets_through(any_day, each)
                    )
                    self.assertEqual(row.weeks, tuple(ago[week] for week in range(11, -1, -1)))

    def test_one_fix_across_all_guides(self) -> None:
        everywhere = [*self.told, *self.elsewhere]
        for only, _told in self.filtered:
            with self.subTest(only=only):
                told = [each for each in everywhere if lets_through(only, each)]
                of_guide = sums_of(
                    told, lambda each, fix, revision: (each.edition.guide.key, fix, revision)
                )
                on_platform = sums_of(
                    told, lambda each, fix, revision: (each.session.platform, fix, revision)
                )
                together = sums_of(told, lambda each, fix, revision: (fix, revision))
                for row in analytics.fixes_everywhere(only):
                    fix = row.fix
                    counts = together[fix.key, fix.revision]
                    self.assert_tally(row.tally, counts, fix)
                    mine = [sums["shown"] for key, sums in together.items() if key[0] == fix.key]
                    self.assertEqual(row.other, sum(mine) - counts["shown"])
                    for guide in analytics.fix_in_guides(fix, only):
                        key = (guide.guide_key, fix.key, guide.revision)
                        self.assert_tally(guide.tally, of_guide.pop(key, Counter()), key)
                    for platform in analytics.fix_on_platforms(fix, only):
                        key = (platform.platform, fix.key, platform.revision)
                        self.assert_tally(platform.tally, on_platform.pop(key, Counter()), key)
                self.assertEqual((of_guide, on_platform), ({}, {}))  # nothing was left out

    def test_what_is_durable(self) -> None:
        asked = {row.session_id: row for row in FollowUp.objects.all()}
        everywhere = [*self.told, *self.elsewhere]
        for only, _told in self.filtered:
            with self.subTest(only=only):
                sums: defaultdict[tuple[str, str, int], Counter[str]] = defaultdict(Counter)
                for each in everywhere:
                    row = asked.get(each.session.pk)
                    if row and row.sent_at and lets_through(only, each):
                        counts = sums[each.edition.guide.key, row.fix_key, row.fix_revision]
                        counts["asked"] += 1
                        counts[row.answer or "none"] += 1
                found = {
                    ("printer", *key): held
                    for key, held in analytics.durable("printer", only).items()
                }
                printers = {key: sums[key] for key in sums if key[0] == "printer"}
                self.assertEqual(found.keys(), printers.keys())
                for fix in {fix for _guide, fix, _revision in sums}:
                    for (guide, revision), held in analytics.durable_in_guides(fix, only).items():
                        counts = sums.pop((guide, fix, revision))
                        self.assertEqual(held.asked, counts["asked"])
                        self.assertEqual(held.still_fixed, counts["still"])
                        self.assertEqual(held.came_back, counts["back"])
                        self.assertEqual(held.asked, held.answered + counts["none"])
                        if guide == "printer":
                            self.assertEqual(found[guide, fix, revision], held)
                self.assertEqual(sums, {})  # nothing was left out

    def test_the_places(self) -> None:
        for only, told in self.filtered:
            with self.subTest(only=only):
                places: defaultdict[int, Counter[str]] = defaultdict(Counter)
                for each in told:
                    for place, fix in enumerate(each.shown, start=1):
                        came = "passed"
                        if fix in each.answers:
                            came = str(each.answers[fix].outcome)
                        elif each.open_fix == fix and each.alone == Ending.UNDER_WAY:
                            came = "under_way"
                        elif each.open_fix == fix and each.alone in (Ending.ASSUMED, Ending.LEFT):
                            came = "away"
                        places[place][came] += 1
                        places[place]["went_on"] += len(each.shown) > place
                self.assertEqual(
                    analytics.places("printer", only),
                    [PlaceRow(place, **places[place]) for place in sorted(places)],
                )

    def test_the_times_of_fixes(self) -> None:
        for only, told in self.filtered:
            with self.subTest(only=only):
                took: defaultdict[Key, list[timedelta]] = defaultdict(list)
                for each in told:
                    for fix, row in each.tried.items():
                        assert row.answered_at
                        minutes = each.of_fix(fix)["minutes"]
                        assert isinstance(minutes, int)
                        if row.answered_at > row.shown_at:
                            spent = min(
                                row.answered_at - row.shown_at, timedelta(minutes=4 * minutes)
                            )
                            took[fix, row.fix_revision].append(spent)
                found = {
                    (row.key, row.revision): row.times
                    for row in analytics.fix_times("printer", only)
                }
                self.assertEqual(
                    {fix: times for fix, times in found.items() if times},
                    {fix: quartiles(values) for fix, values in took.items()},
                )

    def test_no_quartile_is_farther_off_than_the_width_of_its_bucket(self) -> None:
        compared = 0
        for only, told in self.filtered:
            if found := analytics.resolution("printer", only).times:
                exact = exactly(self.took(told))
                near_by = (found.quick, found.median, found.slow)
                for near, seconds in zip(near_by, exact, strict=True):
                    compared += 1
                    self.assertLessEqual(abs(near - seconds), 0.0906 * seconds + 1, only)
        self.assertGreater(compared, 20)

    def test_the_times_to_resolution(self) -> None:
        for only, told in self.filtered:
            with self.subTest(only=only):
                took = self.took(told)
                found = analytics.resolution("printer", only)
                self.assertEqual(found.times, quartiles(took))
                for span in found.spans:
                    within = [
                        each
                        for each in took
                        if each.total_seconds() >= span.least
                        and (span.below is None or each.total_seconds() < span.below)
                    ]
                    self.assertEqual(span.sessions, len(within), span)

    @staticmethod
    def took(told: Iterable[Told]) -> list[timedelta]:
        confirmed = [each for each in told if each.ending == Ending.CONFIRMED]
        ends = [(each, each.resolving.answered_at) for each in confirmed]
        return [end - each.session.started_at for each, end in ends if end]

    def test_the_days(self) -> None:
        for only, told in self.filtered:
            with self.subTest(only=only):
                days = Counter(
                    (each.day, each.session.resolved_by)
                    for each in told
                    if each.ending == Ending.CONFIRMED
                )
                rows = analytics.days("printer", only)
                self.assertEqual({(row.day, row.key): row.resolved for row in rows}, days)
                self.assertEqual(len(rows), len(days))
                self.assertEqual(
                    [row.day for row in rows], sorted((d for d, _fix in days), reverse=True)
                )
                first, last = analytics.newest_days(self.now, only)
                page = analytics.days("printer", replace(only, from_day=first, to_day=last))
                self.assertEqual(page, [row for row in rows if first <= row.day <= last])

    def test_the_groups(self) -> None:
        names: dict[str, Callable[[Told], str]] = {
            "symptoms": lambda each: each.session.symptom_key,
            "platforms": lambda each: each.session.platform,
            "editions": lambda each: f"{each.edition.language}-{each.edition.number}",
            "languages": lambda each: each.edition.language,
        }
        for only, told in self.filtered:
            with self.subTest(only=only):
                groups = analytics.groups("printer", only)
                for kind, name in names.items():
                    apart: defaultdict[str, list[Told]] = defaultdict(list)
                    for each in told:
                        apart[name(each)].append(each)
                    rows: Sequence[GroupRow] = getattr(groups, kind)
                    self.assertEqual(
                        {row.key: row.endings for row in rows},
                        {key: count_endings(alike) for key, alike in apart.items()},
                    )
                    self.assertEqual(len(rows), len(apart))

    def test_the_sides(self) -> None:
        for (a, of_a), (b, of_b) in pairwise(self.filtered):
            with self.subTest(a=a, b=b):
                found = analytics.beside("printer", (a, b))
                shared = {each.session.pk for each in of_a} & {each.session.pk for each in of_b}
                self.assertEqual(found.shared, len(shared))
                for side, told in ((found.a, of_a), (found.b, of_b)):
                    ended = [each for each in told if each.ending != Ending.UNDER_WAY]
                    self.assertEqual(side.endings, count_endings(told))
                    self.assertEqual(side.times, quartiles(self.took(told)))
                    self.assertEqual(side.tries, sum(len(each.tried) for each in ended))
                rates = [self.rates(told) for told in (of_a, of_b)]
                self.assertEqual(
                    {(pair.key, pair.revision): (pair.a, pair.b) for pair in found.fixes},
                    {
                        fix: (rates[0].get(fix), rates[1].get(fix))
                        for fix in rates[0].keys() | rates[1].keys()
                    },
                )

    @staticmethod
    def rates(told: Iterable[Told]) -> dict[Key, evidence.Rate | None]:
        good, tries = Counter[Key](), Counter[Key]()
        for each in told:
            for fix, row in each.tried.items():
                tries[fix, row.fix_revision] += 1
                good[fix, row.fix_revision] += row.outcome == Outcome.FIXED
        return {fix: evidence.rate(good[fix], n) for fix, n in tries.items()}

    def test_the_sessions(self) -> None:
        for only, told in self.filtered:
            with self.subTest(only=only):
                asked = analytics.Sessions("printer", only)
                pages = [asked[at : at + 700] for at in range(0, len(asked), 700)]
                self.assertEqual(
                    [session.pk for page in pages for session in page],
                    [
                        each.session.pk
                        for each in sorted(
                            told,
                            key=lambda each: (each.session.started_at, each.session.pk),
                            reverse=True,
                        )
                    ],
                )
        everything = analytics.Sessions("printer", Filter(simulated=True))
        newest_first = sorted(
            self.told, key=lambda each: (each.session.started_at, each.session.pk), reverse=True
        )
        for each, row in zip(newest_first, analytics.all_walks(everything, self.now), strict=True):
            self.assertEqual(row.public_id, each.session.public_id)
            self.assertEqual((row.ending, row.edition), (each.ending, each.edition.number))
            self.assertEqual(
                [
                    (step.seq, step.key, step.revision, step.outcome, step.reason)
                    for step in row.path
                ],
                [
                    (each.seq, each.fix_key, each.fix_revision, each.outcome, each.reason or None)
                    for each in each.rows
                ],
            )

    def test_all_walks_are_those_of_the_pages_whatever_the_batch(self) -> None:
        asked = analytics.Sessions("printer", Filter(platform="ios", edition=2))
        told = {row.public_id: row for row in analytics.walks(asked, self.now)}
        for size in (7, len(told), len(told) + 1):
            with self.subTest(size=size), mock.patch.object(by_session, "BATCH", size):
                rows = list(analytics.all_walks(asked, self.now))
                self.assertEqual(len(rows), len(told))
                self.assertEqual({row.public_id: row for row in rows}, told)

    def test_the_sums_hold(self) -> None:
        endings = analytics.endings("printer")
        fixes, places = analytics.fixes("printer"), analytics.places("printer")
        days, spans = analytics.days("printer"), analytics.resolution("printer").spans
        for resolved in (
            sum(row.resolved for row in fixes),
            sum(row.resolved for row in days),
            sum(span.sessions for span in spans),
        ):
            self.assertEqual(resolved, endings.confirmed)
        for row in fixes:
            self.assertEqual(row.shown, row.fixed + row.not_fixed + row.skipped + row.unanswered)
        self.assertEqual(sum(row.shown for row in fixes), sum(row.reached for row in places))
        groups = analytics.groups("printer")
        for rows in (groups.symptoms, groups.platforms, groups.editions, groups.languages):
            self.assertEqual(sum((row.endings for row in rows), Endings()), endings)
