"""Going live later: the plan, the moment, and what drops it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client, TransactionTestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.base import CastTestCase, make_printer_guide, make_staff
from tests.test_admin import DeskTestCase, admin_url
from troubleshooter import analytics
from troubleshooter.models import (
    CannotRollBack,
    CannotSchedule,
    Edition,
    Fix,
    Guide,
    LogLine,
    NotReady,
    Session,
)

HOUR = timedelta(hours=1)


def edit(guide: Guide, title: str = "The printer is asleep") -> None:
    Guide.objects.filter(pk=guide.pk).update(title=title)


class PlannedTestCase(CastTestCase):
    """Edition 2, with another title, is planned for an hour from now."""

    def setUp(self) -> None:
        edit(self.guide)
        self.at = timezone.now() + HOUR
        self.planned = Edition.objects.schedule(self.guide, self.at, by=None)

    def states(self) -> list[tuple[int, bool, bool]]:
        """Each edition: its number, whether it is live, whether it is planned."""
        rows = Edition.objects.order_by("number")
        return [(each.number, each.live, each.goes_live_at is not None) for each in rows]

    def lines(self) -> list[tuple[str, int | None]]:
        rows = LogLine.objects.order_by("pk")
        return [(line.kind, line.edition) for line in rows]


class ScheduleTests(PlannedTestCase):
    def test_the_draft_is_frozen_now_and_visitors_see_nothing_yet(self) -> None:
        edit(self.guide, "Written later")
        planned = Edition.objects.planned().get()
        self.assertEqual((planned.title, planned.goes_live_at), ("The printer is asleep", self.at))
        self.assertEqual(self.states(), [(1, True, False), (2, False, True)])
        self.assertContains(self.client.get("/g/printer-offline/"), "The printer is offline")

    def test_at_its_moment_it_is_live_and_not_before(self) -> None:
        self.assertEqual(Edition.objects.go_live(self.at - timedelta(seconds=1)), [])
        self.assertEqual(self.states(), [(1, True, False), (2, False, True)])
        [gone] = Edition.objects.go_live(self.at)
        self.assertEqual(gone, self.planned)
        self.assertEqual(self.states(), [(1, False, False), (2, True, False)])
        live = Edition.objects.live().get()
        self.assertEqual(live.published_at, self.at)
        self.assertLess(live.frozen_at, self.at)
        self.assertContains(self.client.get("/g/printer-offline/"), "The printer is asleep")

    def test_a_worker_that_was_away_makes_it_live_late(self) -> None:
        late = self.at + timedelta(days=3)
        Edition.objects.go_live(late)
        self.assertEqual(Edition.objects.live().get().published_at, late)

    def test_a_second_worker_finds_nothing_left_to_do(self) -> None:
        Edition.objects.go_live(self.at)
        self.assertEqual(Edition.objects.go_live(self.at), [])
        self.assertEqual([kind for kind, _n in self.lines()].count("went_live"), 1)

    def test_a_plan_that_was_dropped_while_the_worker_looked_stays_dropped(self) -> None:
        lock = Edition.objects.all()._lock

        def drop_first(_edits: object, guide: Guide) -> Guide:
            Edition.objects.planned().delete()
            return lock(guide)

        with patch("troubleshooter.models.editions.EditionQuerySet._lock", drop_first):
            self.assertEqual(Edition.objects.go_live(self.at), [])
        self.assertEqual(self.states(), [(1, True, False)])

    def test_every_guide_that_is_due_goes_live(self) -> None:
        other = Guide.objects.create(
            topic=self.guide.topic, slug="jam", title="Paper jams", summary="Paper stays in."
        )
        other.placements.create(fix=Fix.objects.get(key="restart"), position=1)
        theirs = Edition.objects.schedule(other, self.at - HOUR / 2, by=None)
        self.assertEqual(Edition.objects.go_live(self.at), [theirs, self.planned])
        self.assertEqual(set(Edition.objects.live()), {theirs, self.planned})

    def test_a_running_session_keeps_its_edition(self) -> None:
        session = self.start()
        Edition.objects.go_live(self.at)
        self.assertEqual(Session.objects.get().edition, self.edition)
        self.assertEqual(session.reading.title, "The printer is offline")

    def test_scheduling_again_replaces_the_plan(self) -> None:
        edit(self.guide, "Third title")
        later = self.at + HOUR
        again = Edition.objects.schedule(self.guide, later, by=None)
        self.assertEqual((again.number, again.title), (2, "Third title"))
        self.assertEqual(Edition.objects.go_live(self.at), [])
        self.assertEqual(Edition.objects.go_live(later), [again])

    def test_a_draft_with_findings_is_refused_and_the_earlier_plan_stays(self) -> None:
        Fix.objects.filter(key="cable").update(minutes=0)
        with self.assertRaises(NotReady):
            Edition.objects.schedule(self.guide, self.at + HOUR, by=None)
        self.assertEqual(Edition.objects.planned().get(), self.planned)

    def test_a_moment_that_cannot_be_is_refused_with_a_sentence(self) -> None:
        now = timezone.now()
        for moment, said in (
            (now, "past"),
            (now - HOUR, "past"),
            (datetime.min.replace(tzinfo=UTC), "past"),
            (now + timedelta(days=367), "more than a year away"),
            (datetime.max.replace(tzinfo=UTC), "more than a year away"),
        ):
            with self.assertRaisesMessage(CannotSchedule, said):
                Edition.objects.schedule(self.guide, moment, by=None)
        self.assertEqual(Edition.objects.planned().get(), self.planned)

    def test_what_is_live_word_for_word_cannot_be_planned(self) -> None:
        edit(self.guide, "The printer is offline")
        with self.assertRaisesMessage(CannotSchedule, "Nothing has changed since edition 1"):
            Edition.objects.schedule(self.guide, self.at, by=None)

    def test_the_database_allows_one_plan_for_a_guide_that_is_neither_live_nor_withdrawn(
        self,
    ) -> None:
        wrong: list[Callable[[], Any]] = [
            lambda: Edition.objects.create(
                guide=self.guide, number=3, content={}, goes_live_at=NOW
            ),
            lambda: Edition.objects.filter(number=1).update(goes_live_at=self.at),
            lambda: Edition.objects.planned().update(withdrawn_at=self.at),
        ]
        for each in wrong:
            with self.assertRaises(IntegrityError), transaction.atomic():
                each()
        Edition.objects.unpublish(self.guide)
        Edition.objects.schedule(self.guide, self.at, by=None)
        with self.assertRaises(IntegrityError), transaction.atomic():
            Edition.objects.planned().update(live=True)


NOW = datetime(2026, 1, 1, tzinfo=UTC)


class DropTests(PlannedTestCase):
    """Every other move drops the plan; its number goes to the next edition."""

    def test_dropping_it(self) -> None:
        self.assertEqual(Edition.objects.unschedule(self.guide), 1)
        self.assertEqual(Edition.objects.unschedule(self.guide), 0)
        self.assertEqual(self.states(), [(1, True, False)])
        self.assertEqual(Edition.objects.go_live(self.at), [])
        self.assertEqual(self.lines()[-1], ("unplanned", 2))

    def test_publishing(self) -> None:
        second = Edition.objects.publish(self.guide, by=None)
        self.assertEqual(second.number, 2)
        self.assertEqual(self.states(), [(1, False, False), (2, True, False)])
        self.assertEqual(self.lines()[-2:], [("unplanned", 2), ("published", 2)])

    def test_publishing_what_is_live_already_moves_nothing_and_keeps_it(self) -> None:
        edit(self.guide, "The printer is offline")
        Edition.objects.publish(self.guide, by=None)
        self.assertEqual(Edition.objects.planned().get(), self.planned)

    def test_unpublishing(self) -> None:
        Edition.objects.unpublish(self.guide)
        self.assertEqual(self.states(), [(1, False, False)])

    def test_unpublishing_a_guide_that_was_never_live(self) -> None:
        Edition.objects.filter(live=True).update(live=False)
        self.assertEqual(Edition.objects.unpublish(self.guide), 0)
        self.assertFalse(Edition.objects.planned().exists())

    def test_withdrawing(self) -> None:
        self.assertEqual(Edition.objects.withdraw(self.guide, "It does harm."), 1)
        self.assertEqual(self.states(), [(1, False, False)])

    def test_rolling_back(self) -> None:
        second = Edition.objects.publish(self.guide, by=None)
        edit(self.guide, "Third title")
        Edition.objects.schedule(self.guide, self.at, by=None)
        Edition.objects.roll_back(self.edition)
        self.assertEqual(self.states(), [(1, True, False), (second.number, False, False)])

    def test_a_planned_edition_is_nothing_to_go_back_to(self) -> None:
        with self.assertRaisesMessage(CannotRollBack, "Edition 2 is only planned"):
            Edition.objects.roll_back(self.planned)
        self.assertEqual(Edition.objects.planned().get(), self.planned)

    def test_the_plan_of_another_guide_stays(self) -> None:
        other = Guide.objects.create(
            topic=self.guide.topic, slug="jam", title="Paper jams", summary="Paper stays in."
        )
        other.placements.create(fix=Fix.objects.get(key="restart"), position=1)
        theirs = Edition.objects.schedule(other, self.at, by=None)
        Edition.objects.withdraw(self.guide, "It does harm.")
        self.assertEqual(Edition.objects.planned().get(), theirs)


class UnseenTests(PlannedTestCase):
    """Wherever editions are read, one that is only planned was never seen."""

    def test_a_guide_that_is_only_planned_is_not_found(self) -> None:
        Edition.objects.filter(number=1).delete()
        self.assertEqual(self.client.get("/g/printer-offline/").status_code, 404)

    def test_a_withdrawn_guide_says_why_whatever_is_planned(self) -> None:
        Edition.objects.withdraw(self.guide, "It does harm.")
        edit(self.guide, "Mended")
        Edition.objects.schedule(self.guide, self.at, by=None)
        self.assertContains(self.client.get("/g/printer-offline/"), "It does harm.", None, 410)
        staff = Client()
        staff.force_login(make_staff("erin", "Editor"))
        listed = staff.get(admin_url("guide", "changelist"), {"state": "withdrawn"})
        self.assertContains(listed, "Mended")

    def test_the_numbers_do_not_know_it(self) -> None:
        Fix.objects.filter(key="cable").update(title="Look at the cable", revision=2)
        Edition.objects.schedule(self.guide, self.at, by=None)
        Edition.objects.filter(live=True).update(live=False)
        self.assertEqual(analytics.choices("printer").editions, (1,))
        titles = [row.title for row in analytics.fixes("printer")]
        self.assertEqual(titles[0], "Check the cable")


class TogetherTests(TransactionTestCase):
    """Two workers that look at the same moment, each on a connection of its own."""

    ROUNDS = 5

    def test_two_workers_at_once_do_it_once(self) -> None:
        guide = make_printer_guide()
        for round_ in range(self.ROUNDS):
            edit(guide, f"Title {round_}")
            at = timezone.now() + HOUR
            planned = Edition.objects.schedule(guide, at, by=None)
            ready = threading.Barrier(2)

            def look(at: datetime = at, ready: threading.Barrier = ready) -> list[Edition]:
                try:
                    ready.wait()
                    return Edition.objects.go_live(at)
                finally:
                    connections.close_all()

            if connection.vendor == "sqlite":  # the tests' database in memory takes no two writers
                gone = [*Edition.objects.go_live(at), *Edition.objects.go_live(at)]
            else:
                with ThreadPoolExecutor(2) as threads:
                    both = [threads.submit(look), threads.submit(look)]
                    gone = [edition for each in both for edition in each.result()]
            self.assertEqual(gone, [planned])
            self.assertEqual(Edition.objects.live().get(), planned)
            self.assertEqual(LogLine.objects.filter(kind="went_live").count(), round_ + 1)


@override_settings(TIME_ZONE="Europe/Berlin")
class PageTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = self.move("schedule")
        edit(self.guide)
        tomorrow = timezone.localtime() + timedelta(days=1)
        self.at = tomorrow.replace(hour=9, minute=30, second=0, microsecond=0)
        self.typed = self.at.strftime("%Y-%m-%dT%H:%M")

    def plan(self) -> Edition:
        return Edition.objects.schedule(self.guide, self.at, by=self.erin)

    def test_asking_plans_nothing(self) -> None:
        said = self.text(self.url)
        for sentence in ("Publish this guide later?", "Changed since edition 1", "Europe/Berlin"):
            self.assertIn(sentence, said)
        self.assertFalse(Edition.objects.planned().exists())

    def test_it_plans_in_the_time_zone_of_the_site(self) -> None:
        said = self.text(self.url, at=self.typed)
        planned = Edition.objects.planned().get()
        self.assertEqual((planned.goes_live_at, planned.published_by), (self.at, self.erin))
        self.assertIn("edition 2 goes live, planned by erin", said)
        self.assertIn("Planned for", LogEntry.objects.get().change_message)

    def test_what_cannot_be_is_told_and_nothing_is_planned(self) -> None:
        for typed, sentence in {
            "": "This field is required.",
            "soon": "That is no moment like 2026-03-07 09:30",
            "2026-13-01T10:00": "That is no moment",
            "0001-01-01T00:00": "That moment is past",
            "2020-01-01T10:00": "That moment is past",
            "9999-12-31T23:59": "more than a year away",
            "\x00": "no moment",
        }.items():
            self.assertIn(sentence, self.text(self.url, at=typed), typed)
        self.assertFalse(Edition.objects.planned().exists())
        self.assertFalse(LogEntry.objects.exists())

    def test_a_draft_with_findings_is_told_why_and_its_plan_can_still_be_dropped(self) -> None:
        self.plan()
        Fix.objects.filter(key="cable").update(minutes=0)
        for data in ({}, {"at": self.typed}):
            said = self.text(self.url, **data)
            self.assertIn("takes no time at all", said)
        self.assertIn("is dropped", self.text(self.url, drop="1"))
        self.assertFalse(Edition.objects.planned().exists())

    def test_nothing_to_change_and_nothing_to_drop_are_told(self) -> None:
        edit(self.guide, "The printer is offline")
        self.assertIn("Nothing has changed since edition 1", self.text(self.url))
        self.assertIn("Nothing has changed", self.text(self.url, at=self.typed))
        self.assertIn("Nothing is planned for this guide.", self.text(self.url, drop="1"))

    def test_every_page_that_drops_the_plan_says_so_before(self) -> None:
        self.plan()
        for name in ("publish", "unpublish", "withdraw", "rollback"):
            said = self.text(self.move(name))
            self.assertIn("Edition 2 is planned for", said, name)
            self.assertIn("this drops that plan", said, name)
        Edition.objects.unschedule(self.guide)
        self.assertNotIn("drops that plan", self.text(self.move("publish")))
        self.plan()
        self.assertIn("edition 2 is dropped", self.text(self.move("publish"), post="yes"))

    def test_lists_name_it_and_nobody_is_offered_to_go_back_to_it(self) -> None:
        self.plan()
        self.assertIn("edition 2 (planned for", self.text(self.move("compare")))
        self.assertNotIn("Go back to edition 2", self.html(self.move("rollback")))
        self.assertIn("only planned", self.text(self.move("rollback"), number="2"))
        self.assertIn("Edition 1 is live", self.text(admin_url("guide", "change", self.guide.pk)))

    def test_what_others_changed_since_the_freezing_is_told_after_it_went_live(self) -> None:
        self.plan()
        url = admin_url("fix", "change", Fix.objects.get(key="cable").pk)
        self.client.post(url, self.form(url) | {"minutes": "3"})
        Edition.objects.go_live(self.at)
        self.assertIn("Last changed by erin", self.text(self.move("publish")))

    def test_who_may(self) -> None:
        self.plan()
        for user, status in ((self.arno, 403), (self.ada, 200)):
            self.client.force_login(user)
            self.assertEqual(self.client.get(self.url).status_code, status)
        self.client.force_login(self.arno)
        for data in ({"drop": "1"}, {"at": self.typed}):
            self.assertEqual(self.client.post(self.url, data).status_code, 403)
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.erin)
        self.assertEqual(strict.post(self.url, {"drop": "1"}).status_code, 403)
        self.assertTrue(Edition.objects.planned().exists())

    def test_the_page_takes_no_more_queries_when_the_guide_grows(self) -> None:
        self.plan()
        counts = []
        for nth in range(2):
            self.client.get(self.url)
            with CaptureQueriesContext(connection) as captured:
                self.client.get(self.url)
            counts.append(len(captured))
            self.guide.symptoms.create(text=f"Symptom {nth}")
            for key in ("cable", "driver"):
                self.guide.scenarios.create(answers="fixed", fix=Fix.objects.get(key=key))
        self.assertLessEqual(counts[1] - counts[0], 1)  # the fixes of all scenarios at once
