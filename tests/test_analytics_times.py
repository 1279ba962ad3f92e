"""How far sessions got, how long they took and what resolved them day by day, counted by hand.

Times are kept in eighths of an octave, so some of them come back a little different.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from tests.base import count, walk
from tests.test_analytics import NumbersTestCase, change, publish_again, quiet_since, revise
from troubleshooter import analytics
from troubleshooter.analytics import DayRow, Filter, FixTimeRow, PlaceRow, Quartiles
from troubleshooter.flow import Outcome
from troubleshooter.models import Attempt, Edition, Fix, Session, outline

NOON = datetime(2026, 3, 7, 12, tzinfo=UTC)


def pace(session: Session, *seconds: float) -> Session:
    """Let the session have started at NOON, and each answer have taken so many seconds."""
    now = NOON
    for row, spent in zip(session.rows, [*seconds, *[0.0] * len(session.rows)], strict=False):
        answered = now + timedelta(seconds=spent) if row.outcome else None
        Attempt.objects.filter(pk=row.pk).update(shown_at=now, answered_at=answered)
        now = answered or now
    Session.objects.filter(pk=session.pk).update(started_at=NOON)
    return session


class PlacesTests(NumbersTestCase):
    def places(self) -> list[PlaceRow]:
        count(self.now)
        return analytics.places("printer")

    def test_each_place_says_what_came_of_the_fix_there_whichever_it_was(self) -> None:
        walk(self.start(), "fixed")
        walk(self.start("offline"), "not_fixed", "fixed")  # the restart comes first
        walk(self.start(), "not_fixed")  # went away on the restart
        walk(self.start(), "afraid")
        quiet_since(self.start(), self.now)
        self.assertEqual(
            self.places(),
            [
                PlaceRow(1, fixed=1, not_fixed=2, skipped=1, under_way=1, went_on=3),
                PlaceRow(2, fixed=1, away=2),
            ],
        )
        self.assertEqual([row.reached for row in self.places()], [5, 3])

    def test_a_fix_that_is_shown_again_stays_at_its_place_with_its_latest_answer(self) -> None:
        walk(self.start(), "afraid", "not_fixed", "not_fixed", "fixed")  # the cable, in review
        self.assertEqual(
            self.places(),
            [
                PlaceRow(1, fixed=1, went_on=1),
                PlaceRow(2, not_fixed=1, went_on=1),
                PlaceRow(3, not_fixed=1),
            ],
        )

    def test_a_skipped_fix_counts_as_skipped_for_those_who_go_away_in_review_too(self) -> None:
        walk(self.start(), "afraid", "not_fixed", "not_fixed")  # stands on the cable again
        self.assertEqual([row.skipped for row in self.places()], [1, 0, 0])
        self.assertEqual([row.away for row in self.places()], [0, 0, 0])
        [cable] = [row for row in self.numbers.fixes("printer") if row.key == "cable"]
        self.assertEqual((cable.skipped, cable.away), (1, 1))

    def test_a_changed_answer_takes_no_place(self) -> None:
        change(walk(self.start(), "fixed"), 1, Outcome.NOT_FIXED)  # the restart is shown third
        self.assertEqual(self.places(), [PlaceRow(1, not_fixed=1, went_on=1), PlaceRow(2, away=1)])

    def test_a_fix_is_passed_over_when_an_earlier_answer_is_changed_to_fixed(self) -> None:
        change(walk(self.start(), "not_fixed"), 1, Outcome.FIXED)
        self.assertEqual(self.places(), [PlaceRow(1, fixed=1, went_on=1), PlaceRow(2, passed=1)])

    def test_who_stands_before_a_withdrawn_fix_or_one_that_loses_data_went_away_there(self) -> None:
        walk(self.start(), "not_fixed", "not_fixed", "not_fixed")
        self.start()
        Edition.objects.withdraw(self.guide, "It can give a shock.")
        self.assertEqual([row.away for row in self.places()], [1, 0, 0, 1])
        away = {row.key: row.away for row in self.numbers.fixes("printer")}
        self.assertEqual(away, {"cable": 1, "restart": 0, "driver": 0, "reset": 1})

    def test_who_is_under_way_has_not_gone_away(self) -> None:
        quiet_since(self.start(), self.now)
        [cable, *_others] = self.numbers.fixes("printer")
        self.assertEqual(cable.away, 0)

    def test_a_guide_that_nobody_walked_has_no_places(self) -> None:
        self.assertEqual(self.places(), [])


class FixTimesTests(NumbersTestCase):
    def times(self, key: str, revision: int = 1) -> Quartiles | None:
        count(self.now)
        rows = analytics.fix_times("printer")
        return next(row.times for row in rows if (row.key, row.revision) == (key, revision))

    def test_the_quartiles_are_times_of_sessions(self) -> None:
        for seconds in (50, 10, 40, 20, 30.9):
            pace(walk(self.start(), "not_fixed"), seconds)
        self.assertEqual(self.times("cable"), Quartiles(n=5, quick=20, median=31, slow=40))
        self.assertIsNone(self.times("restart"))

    def test_one_session_is_all_three(self) -> None:
        pace(walk(self.start(), "fixed"), 7)
        found = self.times("cable")
        self.assertEqual(found, Quartiles(n=1, quick=7, median=7, slow=7))
        assert found
        self.assertFalse(found.enough)
        self.assertTrue(Quartiles(5, 1, 2, 3).enough)

    def test_nobody_takes_longer_than_four_times_the_minutes_of_their_own_edition(self) -> None:
        pace(walk(self.start(), "not_fixed"), 9999)
        Fix.objects.filter(key="cable").update(minutes=2)
        second = publish_again(self.guide)
        for seconds in (200, 9999):
            pace(walk(Session.objects.start(second, ""), "not_fixed"), seconds)
        self.assertEqual(self.times("cable"), Quartiles(n=3, quick=206, median=245, slow=490))

    def test_only_those_count_who_tried_the_fix_and_each_by_the_answer_that_counts(self) -> None:
        pace(walk(self.start(), "afraid"), 10)
        pace(self.start())
        again = walk(self.start(), "afraid", "not_fixed", "not_fixed", "not_fixed")
        pace(again, 1, 2, 4, 8)  # the cable, in review
        self.assertEqual(self.times("cable"), Quartiles(n=1, quick=8, median=8, slow=8))

    def test_a_changed_answer_tells_no_time(self) -> None:
        session = change(walk(self.start(), "not_fixed"), 1, Outcome.FIXED)
        self.assertEqual(session.rows[2].shown_at, session.rows[2].answered_at)
        self.assertIsNone(self.times("cable"))

    def test_each_revision_has_a_row_of_its_own(self) -> None:
        pace(walk(self.start(), "not_fixed"), 11)
        revise("cable", "Change the cable")
        pace(walk(Session.objects.start(publish_again(self.guide), ""), "fixed"), 22)
        self.assertEqual(
            self.numbers.fix_times("printer")[:2],
            [
                FixTimeRow("cable", 2, "Change the cable", True, True, Quartiles(1, 22, 22, 22)),
                FixTimeRow("cable", 1, "Check the cable", True, False, Quartiles(1, 11, 11, 11)),
            ],
        )

    def test_a_guide_without_editions_has_no_times(self) -> None:
        self.assertEqual(self.numbers.fix_times("toaster"), [])


class ResolutionTests(NumbersTestCase):
    def test_it_is_counted_from_the_start_to_the_answer_that_resolved_the_session(self) -> None:
        pace(walk(self.start(), "not_fixed", "fixed"), 100, 50)
        pace(walk(self.start(), "not_fixed"), 10)
        pace(walk(self.start(), "not_fixed", "fixed"), 10, 20)
        found = self.numbers.resolution("printer")
        self.assertEqual(found.times, Quartiles(2, 31, 31, 146))
        self.assertEqual(
            [(span.least, span.below, span.sessions) for span in found.spans if span.sessions],
            [(0, 60, 1), (120, 300, 1)],
        )

    def test_what_is_answered_after_it_does_not_count(self) -> None:
        session = pace(walk(self.start(), "not_fixed", "fixed"), 10, 20)
        session.record(1, "cable", Outcome.SKIPPED, "afraid", change=True)
        self.assertEqual(self.numbers.resolution("printer").times, Quartiles(1, 31, 31, 31))

    def test_a_span_begins_with_its_first_second_and_ends_before_the_next(self) -> None:
        for seconds in (59.999999, 60, 86399, 86400, 9e6):
            pace(walk(self.start(), "fixed"), seconds)
        spans = self.numbers.resolution("printer").spans
        self.assertEqual([span.sessions for span in spans], [1, 1, 0, 0, 0, 0, 1, 2])
        self.assertEqual((spans[-1].least, spans[-1].below), (86400, None))

    def test_nothing_resolved_has_no_times(self) -> None:
        self.start()
        found = self.numbers.resolution("printer")
        self.assertIsNone(found.times)
        self.assertEqual(sum(span.sessions for span in found.spans), 0)


class DaysTests(NumbersTestCase):
    def resolved(self, moment: datetime, *answers: str) -> None:
        session = walk(self.start(), *answers)
        Session.objects.filter(pk=session.pk).update(started_at=moment)

    def test_a_session_counts_on_the_day_it_started_in_the_sites_time_zone(self) -> None:
        berlin = ZoneInfo("Europe/Berlin")
        with timezone.override(berlin):
            self.resolved(datetime(2026, 3, 7, 23, 59, tzinfo=berlin), "fixed")
            self.resolved(datetime(2026, 3, 7, 0, 0, tzinfo=berlin), "not_fixed", "fixed")
            self.resolved(datetime(2026, 3, 7, 1, 0, tzinfo=berlin), "fixed")
            self.resolved(datetime(2026, 3, 8, 0, 0, tzinfo=berlin), "fixed")
            self.resolved(datetime(2026, 3, 8, 0, 0, tzinfo=berlin), "not_fixed")
            rows = [
                DayRow(date(2026, 3, 8), "cable", "Check the cable", 1),
                DayRow(date(2026, 3, 7), "cable", "Check the cable", 2),
                DayRow(date(2026, 3, 7), "restart", "Restart the computer", 1),
            ]
            self.assertEqual(self.numbers.days("printer"), rows)

    def test_the_newest_days_end_with_the_filter_or_today(self) -> None:
        today, far = date(2026, 3, 7), timedelta(days=59)
        for only, days in (
            (Filter(), (today - far, today)),
            (Filter(to_day=date(2026, 1, 31)), (date(2026, 1, 31) - far, date(2026, 1, 31))),
            (Filter(to_day=date(2027, 1, 31)), (today - far, today)),
            (Filter(from_day=date(2026, 3, 1)), (date(2026, 3, 1), today)),
            (Filter(from_day=date(2020, 3, 1)), (today - far, today)),
            (Filter(from_day=date(2026, 3, 9)), (date(2026, 3, 9), today)),  # none
        ):
            with self.subTest(only=only):
                self.assertEqual(analytics.newest_days(NOON, only), days)
        with timezone.override("Asia/Tokyo"):
            later = NOON + timedelta(hours=6)
            self.assertEqual(analytics.newest_days(later)[1], date(2026, 3, 8))

    def test_days_are_found_over_any_gap(self) -> None:
        for days in (0, 1, 2, 3, 90, 400):
            self.resolved(NOON - timedelta(days=days), "fixed")
        told = [NOON.date() - timedelta(days=days) for days in (0, 1, 2, 3, 90, 400)]
        self.assertEqual([row.day for row in self.numbers.days("printer")], told)
        only = Filter(from_day=told[4], to_day=told[1])
        self.assertEqual([row.day for row in self.numbers.days("printer", only)], told[1:5])

    def test_the_statements_do_not_grow_with_days_or_fixes(self) -> None:
        self.resolved(NOON, "fixed")
        count(self.now)
        outline._kept.clear()
        with self.assertStatements(3):
            analytics.days("printer")
        for days in range(9):
            self.resolved(NOON - timedelta(days=days), "not_fixed", "fixed")
        count(self.now)
        with self.assertStatements(2):
            self.assertEqual(len(analytics.days("printer")), 10)
