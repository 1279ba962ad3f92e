"""How sessions ended, which fixes ended them, and their paths: each against a count by hand."""

from datetime import date, datetime, timedelta
from types import ModuleType
from zoneinfo import ZoneInfo

from django.utils import timezone

from tests.base import CastTestCase, count, make_fix, walk
from troubleshooter import analytics
from troubleshooter.analytics import (
    AttemptRow,
    Choices,
    Ending,
    Endings,
    Filter,
    FixRow,
)
from troubleshooter.flow import Outcome, Reason
from troubleshooter.models import (
    Edition,
    Fix,
    Guide,
    Placement,
    Session,
    Step,
    Symptom,
    Topic,
    idle_for,
    outline,
)

IDLE = idle_for()
MOMENT = timedelta(microseconds=1)


def quiet_since(session: Session, moment: datetime) -> Session:
    """Move the last sign of life of a session."""
    Session.objects.filter(pk=session.pk).update(last_answer_at=moment)
    return session


def change(session: Session, seq: int, outcome: Outcome) -> Session:
    """Answer an earlier showing anew, as a visitor who was shown the earlier answer does."""
    row = session.rows[seq - 1]
    move = session.record(seq, row.fix_key, outcome, change=True, agreed=True)
    assert move.kind == "recorded", move
    return session


def publish_again(guide: Guide) -> Edition:
    return Edition.objects.publish(Guide.objects.get(pk=guide.pk), by=None)


def revise(key: str, title: str) -> None:
    """The remedy itself changed."""
    fix = Fix.objects.get(key=key)
    fix.title, fix.revision = title, fix.revision + 1
    fix.save()


def make_german_guide() -> Guide:
    """The printer guide in German: the same keys, two of its fixes, in another order."""
    guide = Guide.objects.create(
        key="printer",
        language="de",
        topic=Topic.objects.get(slug="printer"),
        slug="drucker-offline",
        title="Der Drucker ist offline",
        summary="Der Computer sagt, der Drucker sei offline.",
    )
    for position, (key, title) in enumerate(
        (("restart", "Computer neu starten"), ("cable", "Kabel prüfen")), start=1
    ):
        fix = Fix.objects.create(key=key, language="de", title=title, minutes=1)
        Step.objects.create(key=f"{key}1", fix=fix, text="Los.")
        Placement.objects.create(guide=guide, fix=fix, position=position)
    return guide


class NumbersTestCase(CastTestCase):
    """Sessions that went away did so an hour before `now`."""

    now: datetime

    def setUp(self) -> None:
        self.now = timezone.now() + timedelta(hours=1)

    @property
    def numbers(self) -> ModuleType:
        """The questions, now that everything is counted."""
        count(self.now)
        return analytics

    def endings(self) -> Endings:
        count(self.now)
        return analytics.endings("printer")

    def fix(self, key: str, revision: int = 1) -> FixRow:
        """The row of one fix."""
        count(self.now)
        rows = analytics.fixes("printer")
        return next(row for row in rows if (row.key, row.revision) == (key, revision))

    def path(self, session: Session) -> tuple[AttemptRow, ...]:
        count(self.now)
        rows = analytics.walks(analytics.Sessions("printer"), self.now)
        return next(row.path for row in rows if row.public_id == session.public_id)


class EndingsTests(NumbersTestCase):
    def test_each_session_counts_once_by_how_it_ended(self) -> None:
        walk(self.start(), "fixed")
        walk(self.start("offline"), "not_fixed", "fixed")
        walk(self.start(), "not_fixed", "not_fixed", "not_fixed", "not_fixed")  # all four
        self.start()  # went away on the cable
        walk(self.start(), "not_fixed")  # went away on the restart
        walk(self.start(), "not_fixed", "cant_find")  # went away on the driver
        walk(self.start(), "not_fixed", "not_fixed", "not_fixed")  # stood before the reset
        quiet_since(self.start(), self.now)
        self.assertEqual(
            self.endings(), Endings(confirmed=2, exhausted=1, assumed=3, left=1, under_way=1)
        )
        self.assertEqual(self.endings().total, 8)

    def test_a_guide_nobody_walked_has_no_endings(self) -> None:
        self.assertEqual(self.endings(), Endings())

    def test_a_session_is_under_way_until_it_was_idle_for_half_an_hour(self) -> None:
        session = self.start()
        for moment, endings, ending in (
            (self.now - IDLE + MOMENT, Endings(under_way=1), Ending.UNDER_WAY),
            (self.now - IDLE, Endings(assumed=1), Ending.ASSUMED),
        ):
            quiet_since(session, moment)
            [row] = analytics.walks(self.numbers.Sessions("printer"), self.now)
            self.assertEqual((self.endings(), row.ending), (endings, ending))

    def test_a_closed_session_is_not_under_way(self) -> None:
        quiet_since(walk(self.start(), "fixed"), self.now)
        quiet_since(walk(self.start(), *["not_fixed"] * 4), self.now)
        self.assertEqual(self.endings(), Endings(confirmed=1, exhausted=1))

    def test_a_reopened_session_is_no_longer_confirmed(self) -> None:
        change(walk(self.start(), "fixed"), 1, Outcome.NOT_FIXED)
        self.assertEqual(self.endings(), Endings(assumed=1))

    def test_a_session_that_was_changed_to_fixed_is_confirmed(self) -> None:
        change(walk(self.start(), *["not_fixed"] * 4), 2, Outcome.FIXED)
        self.assertEqual(self.endings(), Endings(confirmed=1))

    def test_a_session_without_attempts_left(self) -> None:
        session = self.start()
        session.attempts.all().delete()
        [row] = analytics.walks(self.numbers.Sessions("printer"), self.now)
        self.assertEqual((self.endings(), row.ending), (Endings(left=1), Ending.LEFT))

    def test_only_the_last_attempt_decides_what_a_visitor_went_away_on(self) -> None:
        session = walk(self.start(), "not_fixed", "not_fixed", "not_fixed")
        change(session, 1, Outcome.FIXED)  # the reset, shown as fourth, stays unanswered
        change(session, 5, Outcome.NOT_FIXED)  # and is shown once more
        self.assertEqual(
            [row.outcome for row in session.rows][3:], [None, "fixed", "not_fixed", None]
        )
        self.assertEqual(self.endings(), Endings(left=1))

    def test_sessions_of_a_withdrawn_edition_left_unless_they_had_closed(self) -> None:
        walk(self.start(), "fixed")
        self.start()
        interrupted = self.start()
        Edition.objects.withdraw(self.guide, "It can give a shock.")
        again = Session.objects.walk(interrupted.public_id)
        assert again
        walk(again, "not_fixed")  # counts, and no further fix is shown
        self.assertEqual(again.rows[-1].outcome, "not_fixed")
        self.assertEqual(self.endings(), Endings(confirmed=1, left=2))

    def test_a_session_that_stands_before_no_fix_left_even_when_the_withdrawal_is_undone(
        self,
    ) -> None:
        session = self.start()
        Edition.objects.withdraw(self.guide, "It can give a shock.")
        again = Session.objects.walk(session.public_id)
        assert again
        walk(again, "not_fixed")
        Edition.objects.update(withdrawn_at=None)
        [row] = analytics.walks(self.numbers.Sessions("printer"), self.now)
        self.assertEqual((self.endings(), row.ending), (Endings(left=1), Ending.LEFT))

    def test_whether_a_fix_loses_data_is_what_the_sessions_own_edition_said(self) -> None:
        self.start()  # in the first edition the cable is harmless
        Fix.objects.filter(key="cable").update(risk="data_losing", loses="Your patience.")
        second = publish_again(self.guide)
        walk(Session.objects.start(second, ""), *["not_fixed"] * 2)  # now it comes third
        self.assertEqual(self.endings(), Endings(assumed=1, left=1))

    def test_every_language_and_edition_of_a_guide_counts(self) -> None:
        walk(self.start(), "fixed")
        revise("cable", "Look at the cable")
        walk(Session.objects.start(publish_again(self.guide), ""), "fixed")
        german = Edition.objects.publish(make_german_guide(), by=None)
        walk(Session.objects.start(german, ""), "not_fixed", "not_fixed")
        self.assertEqual(self.endings(), Endings(confirmed=2, exhausted=1))

    def test_endings_add_up(self) -> None:
        self.assertEqual(
            Endings(1, 2, 3, 4, 5, 6) + Endings(left=10), Endings(1, 2, 3, 4, 15, under_way=6)
        )


class GuidesTests(NumbersTestCase):
    def make_guide(self, key: str, title: str, *, publish: bool = True) -> Guide:
        topic = Topic.objects.get(slug="printer")
        guide = Guide.objects.create(key=key, slug=key, topic=topic, title=title, summary="…")
        fix = make_fix(f"{key}-fix", "Try it", "Do it.")
        Placement.objects.create(guide=guide, fix=fix, position=1)
        Symptom.objects.create(guide=guide, position=1, text="It is broken")
        if publish:
            publish_again(guide)
        return guide

    def test_guides_with_sessions_or_a_live_edition_are_listed_busiest_first(self) -> None:
        self.make_guide("draft", "A draft", publish=False)
        self.make_guide("unpublished", "Unpublished")
        Edition.objects.unpublish(Guide.objects.get(key="unpublished"))
        self.make_guide("new", "Nobody came yet")
        walk(self.start(), "fixed")
        self.start()
        old = self.make_guide("old", "An old guide")
        walk(Session.objects.start(old.editions.get(), ""), "not_fixed")
        Edition.objects.unpublish(old)
        self.assertEqual(
            self.numbers.guides(),
            [
                analytics.GuideRow(
                    "printer", "The printer is offline", True, Endings(confirmed=1, assumed=1)
                ),
                analytics.GuideRow("old", "An old guide", False, Endings(exhausted=1)),
                analytics.GuideRow("new", "Nobody came yet", True, Endings()),
            ],
        )

    def test_a_translated_guide_is_one_row_in_the_sites_own_language(self) -> None:
        german = Edition.objects.publish(make_german_guide(), by=None)
        walk(Session.objects.start(german, ""), "fixed")
        self.start()
        Edition.objects.unpublish(self.guide)
        [row] = self.numbers.guides()
        self.assertEqual((row.title, row.live), ("The printer is offline", True))
        self.assertEqual(row.endings, Endings(confirmed=1, assumed=1))

    def test_a_guide_is_called_by_its_title(self) -> None:
        make_german_guide()
        for language in ("de", "es"):  # before and after English in the alphabet
            Guide.objects.exclude(language="en").update(language=language)
            self.assertEqual(analytics.title("printer"), "The printer is offline")
        Guide.objects.filter(language="en").update(key="moved")
        self.assertEqual(analytics.title("printer"), "Der Drucker ist offline")
        self.assertIsNone(analytics.title("toaster"))


class FixesTests(NumbersTestCase):
    def test_it_works(self) -> None:
        walk(self.start(), "not_fixed", "fixed")
        walk(self.start(), "not_fixed", "not_fixed", "cant_find", "fixed")  # the driver, reviewed
        walk(self.start(), "greyed_out")
        walk(self.start("offline"), "fixed")  # the restart comes first
        counts = {
            row.key: (
                row.shown,
                row.fixed,
                row.not_fixed,
                row.skipped,
                row.unanswered,
                row.resolved,
            )
            for row in self.numbers.fixes("printer")
        }
        self.assertEqual(
            counts,
            {
                "cable": (3, 0, 2, 1, 0, 0),
                "restart": (4, 2, 1, 0, 1, 2),
                "driver": (1, 1, 0, 0, 0, 1),
                "reset": (0, 0, 0, 0, 0, 0),
            },
        )

    def test_the_resolving_fixes_sum_to_the_confirmed_sessions(self) -> None:
        walk(self.start(), "fixed")
        walk(self.start(), "not_fixed", "fixed")
        change(walk(self.start(), "not_fixed", "fixed"), 1, Outcome.FIXED)  # the cable, after all
        change(walk(self.start(), "fixed"), 1, Outcome.NOT_FIXED)  # reopened
        self.assertEqual(self.endings().confirmed, 3)
        self.assertEqual((self.fix("cable").resolved, self.fix("restart").resolved), (2, 1))
        # Both fixes of the third session were called “fixed”; the latest word resolved it.
        self.assertEqual((self.fix("cable").fixed, self.fix("restart").fixed), (2, 2))

    def test_the_latest_answer_of_a_session_counts_and_each_fix_once(self) -> None:
        session = walk(self.start(), "cant_find", "not_fixed")
        change(session, 2, Outcome.FIXED)
        change(session, 4, Outcome.NOT_FIXED)
        cable, restart = self.fix("cable"), self.fix("restart")
        self.assertEqual((cable.shown, cable.skipped, cable.not_fixed), (1, 1, 0))
        self.assertEqual((restart.shown, restart.fixed, restart.not_fixed), (1, 0, 1))

    def test_a_skipped_fix_that_is_offered_again_still_counts_as_skipped(self) -> None:
        session = walk(self.start(), "cant_find", "not_fixed", "not_fixed")
        self.assertEqual((session.rows[-1].fix_key, session.rows[-1].outcome), ("cable", None))
        cable = self.fix("cable")
        self.assertEqual((cable.shown, cable.skipped, cable.unanswered), (1, 1, 0))
        walk(session, "fixed")
        cable = self.fix("cable")
        self.assertEqual((cable.skipped, cable.fixed, cable.resolved), (0, 1, 1))

    def test_the_reasons_of_skipping_are_those_that_count(self) -> None:
        walk(self.start(), "afraid")
        walk(self.start(), "cant_find")
        walk(self.start(), "cant_find")
        twice = walk(self.start(), "cant_find", "not_fixed", "not_fixed", "no_time")
        self.assertEqual(twice.rows[3].fix_key, "cable")
        cable = self.fix("cable")
        self.assertEqual(
            cable.reasons, ((Reason.CANT_FIND, 2), (Reason.AFRAID, 1), (Reason.NO_TIME, 1))
        )
        self.assertEqual(cable.skipped, 4)

    def test_the_rate_is_of_those_who_tried(self) -> None:
        for answer in ("fixed", "not_fixed", "not_fixed", "afraid"):
            walk(self.start(), answer)
        self.start()
        found = self.fix("cable").rate
        assert found
        self.assertEqual((found.good, found.n), (1, 3))
        self.assertIsNone(self.fix("reset").rate)

    def test_a_revision_is_a_row_of_its_own_below_the_later_one(self) -> None:
        walk(self.start(), "fixed")
        revise("cable", "Change the cable")
        second = publish_again(self.guide)
        walk(Session.objects.start(second, ""), "not_fixed", "fixed")
        rows = self.numbers.fixes("printer")
        self.assertEqual(
            [(row.key, row.revision, row.title, row.placed, row.current) for row in rows],
            [
                ("cable", 2, "Change the cable", True, True),
                ("cable", 1, "Check the cable", True, False),
                ("restart", 1, "Restart the computer", True, True),
                ("driver", 1, "Update the driver", True, True),
                ("reset", 1, "Reset the printer", True, True),
            ],
        )
        self.assertEqual([row.resolved for row in rows], [0, 1, 1, 0, 0])
        self.assertEqual([row.not_fixed for row in rows], [1, 0, 0, 0, 0])

    def test_a_corrected_title_is_shown_for_the_same_revision(self) -> None:
        walk(self.start(), "fixed")
        Fix.objects.filter(key="cable").update(title="Check both ends of the cable")
        publish_again(self.guide)
        cable = self.fix("cable")
        self.assertEqual((cable.title, cable.fixed), ("Check both ends of the cable", 1))

    def test_the_rows_follow_the_guide_and_fixes_taken_out_come_last(self) -> None:
        walk(self.start(), "not_fixed", "fixed")
        self.guide.placements.filter(fix__key="cable").delete()
        self.guide.placements.filter(fix__key="reset").update(position=0)
        publish_again(self.guide)
        rows = self.numbers.fixes("printer")
        self.assertEqual([row.key for row in rows], ["reset", "restart", "driver", "cable"])
        self.assertEqual([row.placed for row in rows], [True, True, True, False])
        self.assertEqual((rows[3].title, rows[3].not_fixed), ("Check the cable", 1))

    def test_a_fix_taken_out_that_nobody_saw_has_no_row(self) -> None:
        self.guide.placements.filter(fix__key="cable").delete()
        publish_again(self.guide)
        self.assertNotIn("cable", [row.key for row in self.numbers.fixes("printer")])

    def test_an_unpublished_guide_keeps_the_order_of_its_newest_edition(self) -> None:
        Edition.objects.unpublish(self.guide)
        rows = self.numbers.fixes("printer")
        self.assertEqual([row.key for row in rows], ["cable", "restart", "driver", "reset"])
        self.assertTrue(all(row.current for row in rows))

    def test_a_guide_without_editions_has_no_fixes(self) -> None:
        self.assertEqual(self.numbers.fixes("toaster"), [])

    def test_other_guides_with_the_same_fix_do_not_count(self) -> None:
        other = Guide.objects.create(
            key="scanner", slug="scanner", topic=self.guide.topic, title="The scanner", summary="…"
        )
        Placement.objects.create(guide=other, fix=Fix.objects.get(key="cable"), position=1)
        Symptom.objects.create(guide=other, position=1, text="It is broken")
        walk(Session.objects.start(publish_again(other), ""), "fixed")
        cable = self.fix("cable")
        self.assertEqual((cable.shown, cable.fixed, cable.resolved), (0, 0, 0))
        self.assertEqual([row.fixed for row in self.numbers.fixes("scanner")], [1])


class WalksTests(NumbersTestCase):
    def test_a_session_is_told_with_what_its_own_edition_said(self) -> None:
        session = Session.objects.start(self.edition, "offline", platform="windows")
        walk(session, "afraid", "fixed")
        revise("cable", "Change the cable")
        publish_again(self.guide)
        [row] = analytics.walks(self.numbers.Sessions("printer"), self.now)
        self.assertEqual(
            row,
            analytics.SessionRow(
                public_id=session.public_id,
                started_at=session.started_at,
                symptom="It says offline",
                platform="Windows",
                edition=1,
                language="en",
                arm="author",
                ending=Ending.CONFIRMED,
                path=(
                    AttemptRow(
                        1,
                        "restart",
                        1,
                        "Restart the computer",
                        Outcome.SKIPPED,
                        Reason.AFRAID,
                        again=False,
                        changed=False,
                    ),
                    AttemptRow(
                        2,
                        "cable",
                        1,
                        "Check the cable",
                        Outcome.FIXED,
                        None,
                        again=False,
                        changed=False,
                    ),
                ),
            ),
        )

    def test_sessions_come_newest_first(self) -> None:
        first, second, third = self.start(), self.start(), self.start()
        Session.objects.filter(pk=second.pk).update(started_at=self.now)
        self.assertEqual(
            [row.public_id for row in analytics.walks(self.numbers.Sessions("printer"), self.now)],
            [second.public_id, third.public_id, first.public_id],
        )

    def test_a_session_without_a_symptom_says_none(self) -> None:
        self.start("")
        [row] = analytics.walks(self.numbers.Sessions("printer"), self.now)
        self.assertEqual(row.symptom, "")

    def test_a_skipped_fix_that_came_back_is_marked_as_shown_again(self) -> None:
        path = self.path(walk(self.start(), "cant_find", "not_fixed", "not_fixed", "not_fixed"))
        self.assertEqual(
            [(row.seq, row.title) for row in path if row.again], [(4, "Check the cable")]
        )
        self.assertFalse(any(row.changed for row in path))

    def test_a_changed_answer_is_marked_and_so_is_the_fix_that_it_interrupted(self) -> None:
        session = walk(self.start(), "not_fixed")  # the restart is in front
        change(session, 1, Outcome.FIXED)
        change(session, 3, Outcome.NOT_FIXED)
        path = self.path(session)
        self.assertEqual(
            [(row.title, row.outcome, row.again, row.changed) for row in path],
            [
                ("Check the cable", Outcome.NOT_FIXED, False, False),
                ("Restart the computer", None, False, False),
                ("Check the cable", Outcome.FIXED, False, True),
                ("Check the cable", Outcome.NOT_FIXED, False, True),
                ("Restart the computer", None, True, False),
            ],
        )

    def test_a_page_of_sessions_takes_as_many_statements_as_one(self) -> None:
        self.start()
        second = publish_again(self.guide)
        count(self.now)
        with self.assertStatements(5):
            analytics.walks(analytics.Sessions("printer")[:50], self.now)
        for _nth in range(5):
            walk(Session.objects.start(second, ""), "not_fixed")
        count(self.now)
        outline._kept.clear()
        with self.assertStatements(5):
            page = analytics.walks(analytics.Sessions("printer")[:50], self.now)
            self.assertEqual(len(page), 6)


class FilterTests(NumbersTestCase):
    def test_both_days_are_inside_and_are_days_of_the_sites_time_zone(self) -> None:
        berlin = ZoneInfo("Europe/Berlin")
        for moment, inside in (
            (datetime(2026, 3, 6, 23, 59, 59, 999999, berlin), False),
            (datetime(2026, 3, 7, 0, 0, tzinfo=berlin), True),
            (datetime(2026, 3, 8, 23, 59, 59, 999999, berlin), True),
            (datetime(2026, 3, 9, 0, 0, tzinfo=berlin), False),
        ):
            with self.subTest(moment=moment), timezone.override(berlin):
                session = self.start()
                Session.objects.filter(pk=session.pk).update(started_at=moment)
                only = Filter(from_day=date(2026, 3, 7), to_day=date(2026, 3, 8))
                found = self.numbers.Sessions("printer", only)
                self.assertEqual(session in found, inside)
                found = self.numbers.endings("printer", only)
                self.assertEqual(found.total, int(inside))
                session.delete()

    def test_a_guide_offers_its_symptoms_editions_and_languages(self) -> None:
        Symptom.objects.filter(key="offline").update(text="Offline, it says")
        publish_again(self.guide)
        german = make_german_guide()
        Symptom.objects.create(key="offline", language="de", guide=german, position=1, text="Aus")
        Edition.objects.publish(german, by=None)
        self.assertEqual(
            analytics.choices("printer"),
            Choices(
                symptoms=(("offline", "Offline, it says"), ("unknown", "I don't know")),
                editions=(1, 2),
                languages=("de", "en"),
            ),
        )
        self.assertEqual(analytics.choices("toaster"), Choices((), (), ()))
