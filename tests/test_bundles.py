"""Bundles say of all guides together what their counts say."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from unittest import mock

from django.utils import timezone

from tests import histories
from tests.base import CastTestCase, count, make_fix, walk
from tests.test_analytics import make_german_guide
from troubleshooter import counting
from troubleshooter.analytics import Filter, bundled
from troubleshooter.analytics.bundled import GUIDE, PLATFORM
from troubleshooter.analytics.sums import by_period, histograms, sums
from troubleshooter.counting import bundles
from troubleshooter.models import (
    BUNDLED,
    Bundle,
    Count,
    Cure,
    Edition,
    Escalation,
    EscalationTime,
    FixCount,
    Guide,
    Look,
    Placement,
    Session,
    SessionCount,
    StaleBundle,
    Topic,
    counts_in,
    joined,
    pack,
    split,
    unpack,
)
from troubleshooter.spans import EVER

DAY, HOUR = timedelta(1), timedelta(hours=1)


def all_bundles() -> dict[tuple[int, date], list[tuple[str, str, bool, bytes]]]:
    found: dict[tuple[int, date], list[tuple[str, str, bool, bytes]]] = {}
    rows = Bundle.objects.order_by("table", "platform", "simulated")
    for length, day, table, platform, simulated, lines in rows.values_list(
        "length", "day", "table", "platform", "simulated", "lines"
    ):
        of_block = found.setdefault((length, day), [])
        of_block.append((table, platform, simulated, bytes(lines)))
    return found


class PackTests(CastTestCase):
    def test_what_was_packed_is_unpacked_whole_or_of_one_fix(self) -> None:
        lines = [[1, "en", key, 1, joined([n] * 11)] for n, key in enumerate(("b", "ab", ' "b":'))]
        text = pack(FixCount, lines)
        self.assertCountEqual(unpack(text), lines)
        for line in lines:
            self.assertEqual(unpack(text, str(line[2])), [line])
        self.assertEqual(unpack(text, "c"), [])

    def test_counts_are_added_up_as_one_number(self) -> None:
        most = 2**31 - 1  # that any count can be
        self.assertEqual(split(joined([1, most]) + joined([2, most]), 2), [(3, 2 * most)])
        histogram = joined([1, 2], bucket=0) + joined([3, 4], bucket=2) + joined([5, 0], bucket=2)
        self.assertEqual(split(histogram, 2), [(1, 2), (0, 0), (8, 4)])
        self.assertEqual(split(0, 2), [(0, 0)])
        for counts in ((0, 0), (0, 5), (5, most)):
            self.assertEqual(counts_in(joined(counts), 2), counts)


class QuietDaysTests(CastTestCase):
    """Two sessions, and a hundred days between them on which nobody came."""

    now: datetime

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.now = timezone.now()
        for began in (cls.now - 100 * DAY, cls.now):
            session = walk(Session.objects.start(cls.edition, "offline"), "fixed")
            Session.objects.filter(pk=session.pk).update(started_at=began)
        count(cls.now)

    def test_nothing_is_bundled_of_days_without_sessions(self) -> None:
        right = all_bundles()
        Look.objects.update(rules="")  # so that everything is counted anew
        counting.look(self.now)
        while not StaleBundle.objects.exists():
            counting.work()
        moments = Session.objects.values_list("started_at", flat=True)
        self.assertEqual(
            set(StaleBundle.objects.values_list("day", "length")),
            {(timezone.localdate(moment), 1) for moment in moments},
        )
        while counting.work():
            pass
        self.assertEqual(all_bundles(), right)

    def test_a_rebuild_takes_away_what_should_not_be_bundled(self) -> None:
        right = all_bundles()
        for row in Bundle.objects.filter(day=timezone.localdate(self.now), length=1):
            row.pk, row.day = None, row.day - 3 * DAY
            row.save()
        counting.rebuild(self.now)
        self.assertEqual(all_bundles(), right)

    def test_a_day_that_lost_its_last_session_is_bundled_no_more(self) -> None:
        Session.objects.order_by("started_at")[0].delete()
        counting.recount(self.now)
        today = timezone.localdate(self.now)
        self.assertEqual(set(all_bundles()), {(1, today)})


class ManyTestCase(CastTestCase):
    """Three guides of two desks, and random sessions on them."""

    now: datetime
    editions: list[Edition]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.now = timezone.now()
        german = Edition.objects.publish(make_german_guide(), by=None)
        topic = Topic.objects.create(slug="scanners", name="Scanners")
        other = Guide.objects.create(
            key="scanner", slug="scanner", topic=topic, title="It does not scan", summary="…"
        )
        shared = cls.guide.placements.all()[0].fix
        for position, fix in enumerate((shared, make_fix("lid", "Close the lid", "Do it.")), 1):
            Placement.objects.create(guide=other, fix=fix, position=position)
        scanner = Edition.objects.publish(other, by=None)
        cls.editions = [cls.edition, german, scanner]

    @classmethod
    def walk_and_count(cls, sessions: int, days: int) -> None:
        histories.write(cls.editions, sessions, cls.now, days=days)
        Session.objects.filter(pk__in=Session.objects.all()[:40]).update(channel="simulated")
        for nth, escalation in enumerate(Escalation.objects.order_by("pk")[:80]):
            answered, closed = (escalation.opened_at + nth * hours * HOUR for hours in (1, 5))
            Escalation.objects.filter(pk=escalation.pk).update(
                answered_at=answered, closed_at=closed, state="closed", cure=Cure.NOTHING
            )
        count(cls.now)


class SumTests(ManyTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.walk_and_count(1500, days=400)

    def filters(self) -> Iterator[Filter]:
        """Random filters, with days or without."""
        chance, today = random.Random(1927), timezone.localdate(self.now)
        for _nth in range(25):
            first = today - chance.randrange(420) * DAY
            last = first + chance.randrange(200) * DAY
            yield Filter(
                language=chance.choice(["", "", "de"]),
                platform=chance.choice(["", "", "ios"]),
                topic=chance.choice(["", "", "scanners"]),
                simulated=chance.random() < 0.3,
                from_day=chance.choice([None, first]),
                to_day=chance.choice([None, last]),
            )

    def test_they_say_what_counts_say(self) -> None:
        plain_ones = [model for model in BUNDLED if "bucket" not in model.BY]
        asked = [(model, by) for model in plain_ones for by in ((), (GUIDE,), model.BY)]
        asked += [(FixCount, (PLATFORM, "fix_revision")), (SessionCount, (PLATFORM, GUIDE))]
        for only in self.filters():
            for model, by in asked:
                with self.subTest(only=only, model=model, by=by):
                    with self.assertStatements(4):
                        bundled = sums(model, only, *by)
                    plain = sums(model, only, *by, pk__gt=0)
                    plain = {group: counts for group, counts in plain.items() if counts}
                    self.assertEqual(bundled, plain)

    def test_one_that_is_made_anew_is_seen_at_once(self) -> None:
        asked: list[tuple[type[Count], tuple[str, ...]]]
        asked = [(SessionCount, (GUIDE,)), (FixCount, FixCount.BY), (FixCount, (PLATFORM,))]
        for _nth in range(2):
            for model, by in asked:
                self.assertEqual(sums(model, Filter(), *by), sums(model, Filter(), *by, pk__gt=0))
            session = walk(self.start(), "fixed")
            Session.objects.filter(pk=session.pk).mark_stale()
            Session.objects.order_by("started_at")[:1].get().delete()
            counting.recount(self.now)

    def test_so_much_is_kept_of_them_and_no_more(self) -> None:
        most = 5000
        with (
            mock.patch.dict(bundled._kept, clear=True),
            mock.patch.object(bundled, "MOST_KEPT", most),
        ):
            for only in self.filters():
                first = sums(FixCount, only, *FixCount.BY)
                self.assertEqual(sums(FixCount, only, *FixCount.BY), first)
                sizes = [size for size, _of in bundled._kept.values()]
                self.assertLessEqual(sum(sizes), most)

    def test_they_say_in_which_bucket_times_are(self) -> None:
        for only in self.filters():
            for by in ((), (GUIDE,)):
                found = histograms(EscalationTime, only, *by)
                plain = sums(EscalationTime, only, *by, "bucket", pk__gt=0)
                self.assertEqual(
                    {
                        (*group, bucket): counts
                        for group, number in found.items()
                        for bucket, counts in enumerate(split(number, 2))
                        if any(counts)
                    },
                    {key: (n["answered"], n["closed"]) for key, n in plain.items() if n},
                )
                Look.objects.update(bundled_until=None)
                self.assertEqual(histograms(EscalationTime, only, *by), found)
                Look.objects.update(bundled_until=timezone.localdate(self.now))

    def test_they_say_it_of_one_fix(self) -> None:
        for only in self.filters():
            bundled = sums(FixCount, only, GUIDE, "fix_revision", fix_key="cable")
            plain = sums(FixCount, only, GUIDE, "fix_revision", fix_key="cable", pk__gt=0)
            self.assertEqual(bundled, plain)

    def test_they_say_it_of_many_periods_by_one_look(self) -> None:
        today = timezone.localdate(self.now)
        weeks = [
            Filter(from_day=today - (7 * nth + 6) * DAY, to_day=today - 7 * nth * DAY)
            for nth in range(60)
        ]
        self.assertEqual(
            by_period(SessionCount, weeks, GUIDE),
            [sums(SessionCount, week, GUIDE, pk__gt=0) for week in weeks],
        )

    def test_what_is_told_apart_by_more_is_read_from_counts(self) -> None:
        Bundle.objects.all().delete()
        only = Filter(symptom="offline")
        self.assertTrue(sums(SessionCount, only, GUIDE))
        self.assertTrue(sums(SessionCount, Filter(arm="learned"), GUIDE))
        self.assertFalse(sums(SessionCount, replace(only, symptom=""), GUIDE))


class MakingTests(ManyTestCase):
    """Hardly a day without a session for two months, and before that one every other week."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        histories.write(cls.editions, 30, cls.now, days=600, seed=1)
        cls.walk_and_count(200, days=60)

    def test_an_old_day_that_changes_is_made_anew_with_all_around_it(self) -> None:
        before = all_bundles()
        first = Session.objects.order_by("started_at")[:1].get()
        first.delete()
        counting.recount(self.now)
        after = all_bundles()
        changed = {block for block in before | after if before.get(block) != after.get(block)}
        day = timezone.localdate(first.started_at)
        self.assertTrue(changed)
        for length, begins in changed - {(EVER, timezone.localdate(self.now))}:
            self.assertLess((day - begins).days, length)
        self.assertLessEqual({256, EVER}, {length for length, _begins in changed})

    def test_today_is_not_in_what_is_made_of_days_that_are_over(self) -> None:
        before = all_bundles()
        session = walk(self.start(), "fixed")
        Session.objects.filter(pk=session.pk).mark_stale()
        counting.recount(self.now)
        after = all_bundles()
        changed = {block for block in before | after if before.get(block) != after.get(block)}
        self.assertEqual(changed, {(1, timezone.localdate(self.now))})

    def test_what_is_over_when_a_day_has_passed_is_bundled(self) -> None:
        for days in (1, 2, 3, 30):
            later = self.now + days * DAY
            counting.recount(later)
            one_by_one = all_bundles()
            self.assertEqual(Look.objects.current().bundled_until, timezone.localdate(later))
            counting.rebuild(later)
            self.assertEqual(all_bundles(), one_by_one)

    def test_the_first_time_every_day_is_bundled_also_what_is_counted_for_good(self) -> None:
        made = all_bundles()
        Bundle.objects.all().delete()
        Look.objects.update(bundled_until=None, sealed_before=timezone.localdate(self.now))
        self.assertTrue(sums(SessionCount, Filter(), GUIDE))
        counting.recount(self.now)
        self.assertEqual(all_bundles(), made)

    def test_of_two_workers_at_once_only_one_writes(self) -> None:
        def come() -> None:
            session = walk(self.start(), "fixed")
            Session.objects.filter(pk=session.pk).mark_stale()

        come()
        while not StaleBundle.objects.exists():
            counting.work()
        of_day = bundles._of_day

        def slowly(day: date) -> bundles.Made:
            made = of_day(day)
            with mock.patch.object(bundles, "_of_day", of_day):
                come()
                counting.recount(self.now)
            return made

        with mock.patch.object(bundles, "_of_day", slowly):
            counting.work()
        self.assertFalse(StaleBundle.objects.exists())
        right = all_bundles()
        counting.rebuild(self.now)
        self.assertEqual(all_bundles(), right)
