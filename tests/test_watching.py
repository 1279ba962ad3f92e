"""Signals from the counts: what is seen, kept, dismissed and over; and what a surge suggests."""

from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.test import override_settings
from django.utils import timezone

from tests.base import CastTestCase, make_staff, walk
from tests.test_sessions import clock
from tests.test_worker import once
from troubleshooter import counting, watching
from troubleshooter.management.commands import worker
from troubleshooter.management.commands.worker import Watch
from troubleshooter.models import (
    Edition,
    FixCount,
    Guide,
    LogLine,
    Notice,
    SessionCount,
    Signal,
    Slice,
)
from troubleshooter.models.signals import QUIET
from troubleshooter.signals import Kind

DAY = timedelta(days=1)
EVIDENCE: dict[str, Any] = {"count": 30, "usual": 10.0, "weeks": 8, "day": "2026-11-26"}


class CountsTestCase(CastTestCase):
    """Writes counts as `counting.py` would, without the rows behind them."""

    def setUp(self) -> None:
        self.now = timezone.now()
        self.today = timezone.localdate(self.now)

    def slice(self, guide: Guide | None = None, **told_apart: Any) -> Slice:
        guide = guide or self.guide
        told_apart = {"fine": False, "simulated": False} | told_apart
        made, _new = Slice.objects.get_or_create(guide=guide, language=guide.language, **told_apart)
        return made

    def sessions(self, days_ago: int, platform: str = "ios", **counts: int) -> None:
        """So many sessions of a day, in both kinds of slices."""
        day = self.today - days_ago * DAY
        fine = self.slice(fine=True, platform=platform)
        SessionCount.objects.create(slice=fine, day=day, **counts)
        coarse, _new = SessionCount.objects.get_or_create(slice=self.slice(), day=day)
        for name, count in counts.items():
            setattr(coarse, name, getattr(coarse, name) + count)
        coarse.save()

    def fix(self, days_ago: int, key: str = "restart", **counts: int) -> None:
        FixCount.objects.create(
            **{"slice": self.slice(), "fix_revision": 1} | counts,
            fix_key=key,
            day=self.today - days_ago * DAY,
        )

    def usual(self, sessions: int = 10, weeks: int = 8) -> None:
        for back in range(1, 7 * weeks + 1):
            self.sessions(back, confirmed=sessions)

    def seen(self) -> list[watching.Seen]:
        return list(watching.look("printer", self.today))

    def watch(self, days_later: int = 0) -> list[Signal]:
        return list(watching.watch(self.now + days_later * DAY))


class LookTests(CountsTestCase):
    def test_a_fix_that_helps_less_is_seen_with_its_numbers(self) -> None:
        self.fix(20, fixed=41, not_fixed=39)
        self.fix(7, fixed=6, not_fixed=25)
        self.fix(1, fixed=4, not_fixed=25)
        evidence = {"count": 10, "n": 60, "count_before": 41, "n_before": 80}
        self.assertEqual(self.seen(), [watching.Seen(Kind.FALLING, evidence, "restart", 1)])

    def test_revisions_are_held_apart(self) -> None:
        self.fix(20, fixed=41, not_fixed=39)
        self.fix(3, fixed=10, not_fixed=50, fix_revision=2)
        self.assertEqual(self.seen(), [])

    def test_a_day_that_is_not_whole_and_what_is_long_ago_are_left_out(self) -> None:
        self.fix(20, fixed=41, not_fixed=39)
        self.fix(0, not_fixed=60)
        self.fix(36, key="cable", fixed=80)
        self.fix(1, key="cable", not_fixed=60)
        self.assertEqual(self.seen(), [])

    def test_more_who_cannot_find_it_are_seen(self) -> None:
        self.fix(10, fixed=60, not_fixed=80, cant_find=4, looks_different=2, no_time=4)
        self.fix(2, fixed=20, not_fixed=15, cant_find=9, looks_different=6)
        evidence = {"count": 15, "n": 50, "count_before": 6, "n_before": 150}
        self.assertEqual(self.seen(), [watching.Seen(Kind.UNFINDABLE, evidence, "restart", 1)])

    def test_the_more_fixes_are_looked_at_the_surer_each_must_be(self) -> None:
        self.fix(20, fixed=41, not_fixed=39)
        self.fix(3, fixed=12, not_fixed=48)
        self.assertEqual(len(self.seen()), 1)
        for nth in range(8):
            self.fix(3, key=f"other{nth}", fixed=1)
        self.assertEqual(self.seen(), [])

    def test_a_new_platform_is_seen(self) -> None:
        self.usual()
        self.sessions(2, platform="mac", confirmed=2, left=4)
        self.sessions(3, platform="other", confirmed=9)  # a bot, perhaps: nobody can mend that
        evidence = {"count": 6, "n": 85, "count_before": 0, "n_before": 490}
        self.assertEqual(self.seen(), [watching.Seen(Kind.UNSEEN, evidence, "mac")])

    def test_a_surge_is_seen_on_the_day_itself_and_on_the_next(self) -> None:
        self.usual()
        self.sessions(0, under_way=30)
        [found] = self.seen()
        day = self.today.isoformat()
        told = {"count": 30, "usual": 10.0, "weeks": 8, "day": day}
        self.assertEqual(found, watching.Seen(Kind.SURGE, told))
        self.today += DAY
        self.assertEqual([seen.evidence["day"] for seen in self.seen()], [day])
        self.today += DAY
        self.assertEqual(self.seen(), [])

    def test_a_surge_of_failures_is_seen_by_itself(self) -> None:
        self.usual()
        self.sessions(0, confirmed=1, exhausted=8, escalated=4)
        [found] = self.seen()
        self.assertEqual((found.kind, found.evidence["count"]), (Kind.FAILURES, 12))

    def test_days_without_sessions_are_days(self) -> None:
        self.sessions(50, confirmed=1)
        self.sessions(0, confirmed=12)
        [found] = self.seen()
        self.assertEqual((found.kind, found.evidence["count"]), (Kind.SURGE, 12))

    def test_a_guide_of_today_is_no_surge(self) -> None:
        self.sessions(0, confirmed=500)
        self.assertEqual(self.seen(), [])

    def test_simulated_visitors_and_sums_of_months_are_left_out(self) -> None:
        self.usual()
        for slice in (self.slice(simulated=True), self.slice(months=True)):
            SessionCount.objects.create(slice=slice, day=self.today, confirmed=500)
        self.assertEqual(self.seen(), [])

    def test_all_languages_count_together(self) -> None:
        other = Guide.objects.create(
            key="printer", language="de", topic=self.guide.topic, slug="drucker", title="Drucker"
        )
        self.usual()
        self.sessions(0, confirmed=15)
        SessionCount.objects.create(slice=self.slice(other), day=self.today, confirmed=15)
        self.assertEqual([seen.evidence["count"] for seen in self.seen()], [30])


class WatchTests(CountsTestCase):
    def test_what_is_seen_is_new_once_and_keeps_its_latest_numbers(self) -> None:
        self.usual()
        self.sessions(0, under_way=30)
        [made] = self.watch()
        self.assertEqual((made.guide_key, made.kind, made.state), ("printer", "surge", "new"))
        SessionCount.objects.filter(day=self.today).update(under_way=35)
        self.assertEqual(self.watch(), [])
        self.assertEqual(Signal.objects.get().evidence["count"], 35)

    def test_it_takes_three_statements_for_each_guide_with_sessions_lately(self) -> None:
        self.usual()
        self.fix(3, fixed=5)
        for nth in range(3):
            Guide.objects.create(topic=self.guide.topic, slug=f"quiet-{nth}", title="Quiet")
        with self.assertStatements(1 + 3 + 1):
            self.watch()

    def test_what_was_quiet_for_a_week_is_over_and_may_come_again(self) -> None:
        Signal.objects.saw(Kind.SURGE, "printer", EVIDENCE, self.now)
        Signal.objects.calm(self.now + QUIET - timedelta(seconds=1))
        self.assertEqual(Signal.objects.get().state, "new")
        self.watch(days_later=7)
        self.assertEqual(Signal.objects.get().state, "over")
        self.assertIsNotNone(Signal.objects.saw(Kind.SURGE, "printer", EVIDENCE, self.now))

    def test_what_was_dismissed_stays_so_while_it_is_seen(self) -> None:
        erin = make_staff("erin", "Editor")
        made = Signal.objects.saw(Kind.SURGE, "printer", EVIDENCE, self.now)
        assert made
        self.assertTrue(made.dismiss(by=erin))
        self.assertEqual((made.state, made.dismissed_by), ("dismissed", erin))
        self.assertFalse(made.dismiss(by=None))
        later = self.now + DAY
        self.assertIsNone(Signal.objects.saw(Kind.SURGE, "printer", EVIDENCE, later))
        kept = Signal.objects.get()
        self.assertEqual(
            (kept.state, kept.dismissed_by, kept.last_seen), ("dismissed", erin, later)
        )

    def test_each_fix_and_revision_is_a_signal_of_its_own(self) -> None:
        for subject, revision in (("cable", 1), ("cable", 2), ("reset", 1), ("cable", 1)):
            Signal.objects.saw(
                Kind.FALLING, "printer", {}, self.now, subject=subject, revision=revision
            )
        self.assertEqual(Signal.objects.count(), 3)

    def test_a_worker_that_comes_second_makes_no_other(self) -> None:
        Signal.objects.saw(Kind.SURGE, "printer", EVIDENCE, self.now)
        with patch.object(type(Signal.objects.all()), "update", return_value=0):
            self.assertIsNone(Signal.objects.saw(Kind.SURGE, "printer", EVIDENCE, self.now))
        self.assertEqual(Signal.objects.count(), 1)

    def test_the_worker_says_what_it_found_and_looks_once_an_hour(self) -> None:
        self.usual()
        self.sessions(0, under_way=30)
        look = Watch()
        self.assertEqual(list(look(self.now)), ["Needs attention: printer surge."])
        Signal.objects.all().delete()
        self.assertEqual(list(look(self.now + timedelta(minutes=59))), [])
        if timezone.localdate(self.now + timedelta(minutes=61)) == self.today:
            self.assertEqual(len(list(look(self.now + timedelta(minutes=61)))), 1)

    def test_a_look_that_failed_is_made_again(self) -> None:
        look = Watch()
        with patch.object(watching, "watch", side_effect=OSError), self.assertRaises(OSError):
            list(look(self.now))
        self.assertIsNone(look.looked_at)

    def test_it_is_seen_from_the_rows_of_sessions_on(self) -> None:
        with clock(self.now - 50 * DAY):
            walk(self.start(), "fixed")
        for _visitor in range(12):
            walk(self.start(), *["not_fixed"] * 4)
        counting.recount(timezone.now())
        kinds = {(found.kind, found.evidence["count"]) for found in self.watch()}
        self.assertEqual(kinds, {("surge", 12), ("failures", 12)})

    def test_the_worker_has_the_job(self) -> None:
        [job] = [job for job in worker.JOBS if isinstance(job, Watch)]
        with patch.object(job, "looked_at", None):
            once()
            self.assertIsNotNone(job.looked_at)


class SuggestionTests(CountsTestCase):
    def saw(self, kind: Kind = Kind.SURGE) -> Signal:
        made = Signal.objects.saw(kind, "printer", EVIDENCE, self.now)
        assert made
        return made

    def states(self) -> list[str]:
        return list(Notice.objects.order_by("pk").values_list("state", flat=True))

    def test_a_surge_suggests_a_notice_on_live_guides(self) -> None:
        Guide.objects.create(
            key="printer", language="de", topic=self.guide.topic, slug="drucker", title="Drucker"
        )
        self.saw()
        notice = Notice.objects.get()  # the German draft is not live
        self.assertEqual((notice.guide, notice.state), (self.guide, "suggested"))
        self.assertIn("More people than usual", notice.text)
        self.assertTrue(LogLine.objects.filter(kind="suggested", by=None).exists())

    def test_other_signals_suggest_nothing(self) -> None:
        for kind in (Kind.FALLING, Kind.UNFINDABLE, Kind.UNSEEN):
            self.saw(kind)
        self.assertEqual(self.states(), [])

    def test_a_second_surge_suggests_no_second_notice(self) -> None:
        self.saw()
        self.saw(Kind.FAILURES)
        self.assertEqual(self.states(), ["suggested"])

    def test_it_goes_with_the_last_surge_that_is_dismissed(self) -> None:
        surge, failures = self.saw(), self.saw(Kind.FAILURES)
        surge.dismiss(by=None)
        self.assertEqual(self.states(), ["suggested"])
        failures.dismiss(by=None)
        self.assertEqual(self.states(), ["dismissed"])

    def test_a_notice_that_stands_is_not_taken_down_by_that(self) -> None:
        surge = self.saw()
        Notice.objects.announce(self.guide, "The maker's servers are down.", by=None)
        surge.dismiss(by=None)
        self.assertEqual(self.states(), ["standing"])

    def test_it_goes_when_the_surge_is_over(self) -> None:
        self.saw()
        Signal.objects.calm(self.now + QUIET)
        self.assertEqual(self.states(), ["dismissed"])

    def test_an_unpublished_guide_gets_no_suggestion(self) -> None:
        Edition.objects.unpublish(self.guide)
        self.saw()
        self.assertEqual(self.states(), [])


class ZoneTests(CountsTestCase):
    @override_settings(TIME_ZONE="Pacific/Auckland")
    def test_today_is_that_of_the_site(self) -> None:
        with timezone.override("Pacific/Auckland"):
            now = datetime(2026, 3, 1, 23, tzinfo=timezone.get_fixed_timezone(0))
            with patch.object(watching, "look", return_value=iter(())) as looked:
                SessionCount.objects.create(slice=self.slice(), day=date(2026, 3, 2), confirmed=1)
                list(watching.watch(now))
        looked.assert_called_once_with("printer", date(2026, 3, 2))
