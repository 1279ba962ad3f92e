"""Sessions: how they start, how answers are recorded, and what races cannot break."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.db import IntegrityError, connection, connections, transaction
from django.test import TransactionTestCase, override_settings
from django.utils import timezone

from tests.base import CastTestCase, answer_current, make_printer_guide, walk
from troubleshooter import flow, tokens
from troubleshooter.flow import Outcome, Reason, Status
from troubleshooter.models import Attempt, Edition, Fix, Kind, Move, Session, transcript, tried
from troubleshooter.models.sessions import AUTHOR, LIFETIME, MOST_ATTEMPTS

FIXED, NOT_FIXED, SKIPPED = Outcome.FIXED, Outcome.NOT_FIXED, Outcome.SKIPPED


def stored(session: Session) -> list[str]:
    """The attempts as the database has them: "1 cable not_fixed", "2 restart"."""
    return [
        " ".join(filter(None, [str(row.seq), row.fix_key, row.outcome or "", row.reason]))
        for row in Attempt.objects.filter(session=session).order_by("seq")
    ]


def state(session: Session) -> tuple[str, str]:
    """Status and resolving fix as the database has them."""
    return Session.objects.values_list("status", "resolved_by").get(pk=session.pk)


def again(session: Session) -> Session:
    """The same session, read anew: another tab, or the next request."""
    read = Session.objects.walk(session.public_id)
    assert read
    return read


def clock(now: datetime) -> Any:
    return patch("django.utils.timezone.now", return_value=now)


class StartTests(CastTestCase):
    def test_it_works(self) -> None:
        session = again(self.start())
        (first,) = session.rows
        self.assertEqual((session.status, session.resolved_by), (Status.OPEN, ""))
        self.assertEqual((first.seq, first.fix_key, first.place), (1, "cable", 1))
        self.assertEqual((first.outcome, first.reason, first.answered_at), (None, "", None))
        self.assertEqual({first.shown_at, session.started_at}, {session.last_answer_at})
        self.assertEqual(session.next, flow.Try("cable"))

    def test_both_orders_and_how_the_arm_was_chosen_are_recorded(self) -> None:
        session = again(self.start())
        order = ["cable", "restart", "driver", "reset"]
        self.assertEqual((session.author_order, session.learned_order), (order, order))
        self.assertEqual((session.arm, session.arm_probability), ("author", 1.0))
        self.assertEqual(session.policy, AUTHOR)

    def test_a_symptom_brings_its_fixes_to_the_front(self) -> None:
        session = again(self.start("offline"))
        self.assertEqual(session.symptom_key, "offline")
        self.assertEqual(session.order, ["restart", "cable", "driver", "reset"])
        self.assertEqual(stored(session), ["1 restart"])

    def test_platform_language_and_channel_are_recorded(self) -> None:
        session = again(Session.objects.start(self.edition, "unknown", platform="ios"))
        self.assertEqual((session.platform, session.language), ("ios", "en"))
        self.assertEqual(session.channel, "web")
        widget = Session.objects.start(self.edition, "unknown", channel="widget")
        self.assertEqual(again(widget).channel, "widget")

    def test_an_attempt_records_the_revision_and_the_place_of_its_fix(self) -> None:
        Fix.objects.filter(key="restart").update(revision=3)
        edition = Edition.objects.publish(self.guide, by=None)
        session = again(walk(Session.objects.start(edition, "unknown"), "not_fixed"))
        rows = [(row.fix_key, row.fix_revision, row.place) for row in session.rows]
        self.assertEqual(rows, [("cable", 1, 1), ("restart", 3, 2)])

    def test_starting_again_inherits_the_arm(self) -> None:
        self.edition.guide.control_share = 10
        first = self.start()
        first.arm, first.arm_probability = Session.Arm.LEARNED, 0.8
        self.edition.guide.control_share = 20
        fresh = again(Session.objects.start(self.edition, "offline", again=first))
        self.assertEqual((fresh.arm, fresh.arm_probability), ("learned", 0.8))
        self.assertNotEqual(fresh.public_id, first.public_id)

    def test_the_learned_arm_walks_the_learned_order(self) -> None:
        session = self.start()
        learned = {"arm": Session.Arm.LEARNED, "learned_order": ["cable", "driver", "restart"]}
        Session.objects.filter(pk=session.pk).update(**learned)
        walk(session, "not_fixed")
        self.assertEqual(stored(session)[-1], "2 driver")

    def test_an_unknown_session_is_not_found(self) -> None:
        self.assertIsNone(Session.objects.walk("A" * tokens.PUBLIC_ID_LENGTH))

    def test_a_new_edition_leaves_running_sessions_as_they_are(self) -> None:
        session = walk(self.start(), "not_fixed")
        self.guide.placements.get(fix__key="restart").delete()
        self.guide.symptoms.all().delete()
        edition = Edition.objects.publish(self.guide, by=None)
        running = walk(again(session), "not_fixed")
        self.assertEqual(running.edition, self.edition)
        self.assertEqual(stored(running)[-1], "3 driver")
        self.assertEqual(Session.objects.start(edition, "").order, ["cable", "driver", "reset"])

    def test_nothing_in_the_rows_says_who_the_visitor_is(self) -> None:
        columns = {field.column for field in (*Session._meta.fields, *Attempt._meta.fields)}
        # Before adding a name here: could it, alone or with the others, point at a person?
        self.assertEqual(
            columns - {"id", "session_id"},
            {"public_id", "edition_id", "symptom_key", "author_order", "learned_order"}
            | {"arm", "arm_probability", "policy", "platform", "language", "channel"}
            | {"started_at", "last_answer_at", "status", "resolved_by"}
            | {"folded_at", "seq", "fix_key", "fix_revision", "place", "shown_at", "answered_at"}
            | {"outcome", "reason"},
        )


class RecordTests(CastTestCase):
    def test_it_works(self) -> None:
        session = walk(self.start(), "not_fixed", "fixed")
        self.assertEqual((session.status, session.resolved_by), (Status.RESOLVED, "restart"))
        self.assertEqual(state(session), (Status.RESOLVED, "restart"))
        self.assertEqual(stored(session), ["1 cable not_fixed", "2 restart fixed"])

    def test_a_skipped_fix_comes_back_once_and_the_session_ends_exhausted(self) -> None:
        answers = ("afraid", "not_fixed", "not_fixed", "no_time", "not_fixed")
        session = walk(self.start(), *answers)
        self.assertEqual(
            stored(session),
            [
                "1 cable skipped afraid",
                "2 restart not_fixed",
                "3 driver not_fixed",
                "4 cable skipped no_time",
                "5 reset not_fixed",
            ],
        )
        self.assertEqual(state(session), (Status.EXHAUSTED, ""))

    def test_the_same_answer_again_writes_nothing(self) -> None:
        session = walk(self.start(), "not_fixed")
        before = stored(session)
        self.assertEqual(again(session).record(1, "cable", NOT_FIXED).kind, Kind.REPEATED)
        self.assertEqual(stored(session), before)

    def test_another_answer_to_an_old_form_is_asked_about(self) -> None:
        session = walk(self.start(), "not_fixed")
        before = stored(session)
        move = again(session).record(1, "cable", FIXED)
        self.assertEqual((move.kind, move.earlier), (Kind.ASK, session.rows[0]))
        self.assertEqual(stored(session), before)

    def test_the_answer_asked_about_is_the_one_that_counts(self) -> None:
        session = walk(self.start(), "not_fixed")
        session.record(1, "cable", SKIPPED, Reason.AFRAID, change=True)
        move = session.record(1, "cable", NOT_FIXED)
        self.assertEqual(move, Move(Kind.ASK, earlier=Attempt.objects.get(seq=3)))

    def test_a_showing_that_never_was_writes_nothing(self) -> None:
        session = self.start()
        for seq, fix in ((2, "restart"), (1, "restart"), (0, "cable"), (1, "nothing")):
            self.assertEqual(session.record(seq, fix, FIXED, change=True).kind, Kind.STRANGE)
        self.assertEqual(stored(session), ["1 cable"])

    def test_a_fix_that_loses_data_needs_an_explicit_yes(self) -> None:
        session = walk(self.start(), "not_fixed", "not_fixed", "not_fixed")
        for outcome in (FIXED, NOT_FIXED):
            self.assertEqual(session.record(4, "reset", outcome).kind, Kind.UNAGREED)
        self.assertEqual(stored(session)[-1], "4 reset")
        self.assertEqual(session.record(4, "reset", FIXED, agreed=True).kind, Kind.RECORDED)
        self.assertEqual(state(session), (Status.RESOLVED, "reset"))

    def test_leaving_out_a_fix_that_loses_data_needs_no_yes(self) -> None:
        session = walk(self.start(), "not_fixed", "not_fixed", "not_fixed")
        move = session.record(4, "reset", SKIPPED, Reason.AFRAID)
        self.assertEqual(move.kind, Kind.RECORDED)
        self.assertEqual(stored(session)[3:], ["4 reset skipped afraid", "5 reset"])

    def test_a_session_holds_only_so_many_attempts(self) -> None:
        session = self.start()
        now = session.started_at
        walk(session, "not_fixed")
        Attempt.objects.bulk_create(
            Attempt(
                session=session, seq=seq, fix_key="cable", fix_revision=1, place=1, shown_at=now
            )
            for seq in range(3, MOST_ATTEMPTS + 1)
        )
        full = again(session)
        self.assertEqual(full.record(2, "restart", FIXED).kind, Kind.FULL)
        self.assertEqual(full.record(1, "cable", NOT_FIXED).kind, Kind.REPEATED)
        Attempt.objects.filter(session=session, seq=MOST_ATTEMPTS).delete()
        self.assertEqual(again(session).record(2, "restart", FIXED).kind, Kind.RECORDED)

    def test_a_link_ends_thirty_days_after_the_last_answer(self) -> None:
        session = walk(self.start(), "not_fixed")
        with clock(session.last_answer_at + LIFETIME + timedelta(seconds=1)):
            self.assertEqual(session.record(2, "restart", FIXED).kind, Kind.EXPIRED)
        self.assertEqual(stored(session)[-1], "2 restart")
        with clock(session.last_answer_at + LIFETIME):
            self.assertEqual(session.record(2, "restart", NOT_FIXED).kind, Kind.RECORDED)
        self.assertEqual(LIFETIME, timedelta(days=30))

    def test_an_answer_takes_four_statements_with_the_reading(self) -> None:
        public_id = self.start().public_id
        with self.assertStatements(4):
            Session.objects.record(public_id, 1, "cable", NOT_FIXED)

    def test_a_change_takes_four_statements_with_the_reading(self) -> None:
        public_id = walk(self.start(), "not_fixed", "fixed").public_id
        with self.assertStatements(4):
            session = Session.objects.walk(public_id)
            assert session
            session.record(2, "restart", NOT_FIXED, change=True)


class ChangeTests(CastTestCase):
    def test_a_changed_answer_adds_a_row_and_leaves_the_others_alone(self) -> None:
        session = walk(self.start(), "not_fixed", "afraid", "fixed")
        before = list(session.attempts.order_by("seq").values())
        move = again(session).record(3, "driver", NOT_FIXED, change=True)
        self.assertEqual(move.kind, Kind.RECORDED)
        after = list(session.attempts.order_by("seq").values())
        self.assertEqual(after[:3], before)
        self.assertEqual(stored(session)[3:], ["4 driver not_fixed", "5 restart"])
        self.assertEqual(state(session), (Status.OPEN, ""))

    def test_a_change_that_fixes_it_resolves_the_session_by_that_fix(self) -> None:
        session = walk(self.start(), "not_fixed", "fixed")
        session.record(1, "cable", FIXED, change=True)
        self.assertEqual(state(session), (Status.RESOLVED, "cable"))
        session.record(1, "cable", NOT_FIXED, change=True)
        self.assertEqual(state(session), (Status.RESOLVED, "restart"))

    def test_a_change_shows_the_fix_it_interrupted_anew(self) -> None:
        session = walk(self.start(), "not_fixed")
        session.record(1, "cable", SKIPPED, Reason.OTHER, change=True)
        self.assertEqual(
            stored(session),
            ["1 cable not_fixed", "2 restart", "3 cable skipped other", "4 restart"],
        )
        self.assertEqual(session.record(2, "restart", FIXED).kind, Kind.RECORDED)
        self.assertEqual(stored(session)[3], "4 restart fixed")

    def test_an_interrupted_showing_answered_late_keeps_when_it_was_shown(self) -> None:
        session = walk(self.start(), "not_fixed")
        session.record(1, "cable", FIXED, change=True)
        session.record(2, "restart", NOT_FIXED)
        rows = again(session).rows
        self.assertEqual(stored(session)[-1], "4 restart not_fixed")
        self.assertEqual(rows[3].shown_at, rows[1].shown_at)
        self.assertIsNone(rows[1].outcome)

    def test_a_fix_that_loses_data_needs_the_yes_for_a_change_too(self) -> None:
        session = walk(self.start(), *["not_fixed"] * 4)
        self.assertEqual(session.record(4, "reset", FIXED, change=True).kind, Kind.UNAGREED)
        move = session.record(4, "reset", FIXED, change=True, agreed=True)
        self.assertEqual(move.kind, Kind.RECORDED)


class WithdrawnTests(CastTestCase):
    def test_an_answer_still_counts_but_nothing_further_is_shown(self) -> None:
        session = self.start()
        Edition.objects.withdraw(self.guide, "It harms printers.")
        walk(again(session), "not_fixed")
        self.assertEqual(stored(session), ["1 cable not_fixed"])
        self.assertEqual(state(session), (Status.OPEN, ""))

    def test_a_change_counts_too(self) -> None:
        session = walk(self.start(), "not_fixed")
        Edition.objects.withdraw(self.guide, "It harms printers.")
        again(session).record(1, "cable", FIXED, change=True)
        again(session).record(1, "cable", NOT_FIXED, change=True)
        self.assertEqual(stored(session)[2:], ["3 cable fixed", "4 cable not_fixed"])

    def test_a_mended_edition_does_not_bring_interrupted_sessions_back(self) -> None:
        session = self.start()
        Edition.objects.withdraw(self.guide, "It harms printers.")
        Edition.objects.publish(self.guide, by=None)
        walk(again(session), "not_fixed")
        self.assertEqual(stored(session), ["1 cable not_fixed"])

    def test_unpublishing_interrupts_nothing(self) -> None:
        session = self.start()
        Edition.objects.unpublish(self.guide)
        walk(again(session), "not_fixed")
        self.assertEqual(stored(session)[-1], "2 restart")


class RaceTests(CastTestCase):
    """Two tabs read the session before either writes."""

    def race(self, *moves: Callable[[Session], Move]) -> tuple[Session, list[Kind]]:
        session = walk(self.start(), "not_fixed")
        tabs = [again(session) for _move in moves]
        return session, [move(tab).kind for move, tab in zip(moves, tabs, strict=True)]

    def answer(self, session: Session) -> Move:
        return session.record(2, "restart", NOT_FIXED)

    def answer_otherwise(self, session: Session) -> Move:
        return session.record(2, "restart", FIXED)

    def change(self, session: Session) -> Move:
        return session.record(1, "cable", SKIPPED, Reason.AFRAID, change=True)

    def change_otherwise(self, session: Session) -> Move:
        return session.record(1, "cable", FIXED, change=True)

    def test_two_tabs_give_one_answer_and_it_is_there_once(self) -> None:
        session, kinds = self.race(self.answer, self.answer)
        self.assertEqual(kinds, [Kind.RECORDED, Kind.REPEATED])
        self.assertEqual(stored(session)[1:], ["2 restart not_fixed", "3 driver"])

    def test_two_tabs_answer_at_once_and_the_second_is_asked(self) -> None:
        here = self.start()
        there = again(here)
        here.record(1, "cable", NOT_FIXED)
        move = there.record(1, "cable", FIXED)
        self.assertEqual(move.kind, Kind.ASK)
        self.assertEqual(move.earlier.outcome if move.earlier else "", NOT_FIXED)
        self.assertEqual(stored(here), ["1 cable not_fixed", "2 restart"])

    def test_an_answer_and_then_a_change_both_count(self) -> None:
        session, kinds = self.race(self.answer, self.change)
        self.assertEqual(kinds, [Kind.RECORDED, Kind.RECORDED])
        self.assertEqual(
            stored(session)[1:],
            ["2 restart not_fixed", "3 driver", "4 cable skipped afraid", "5 driver"],
        )

    def test_a_change_and_then_an_answer_both_count(self) -> None:
        session, kinds = self.race(self.change, self.answer)
        self.assertEqual(kinds, [Kind.RECORDED, Kind.RECORDED])
        self.assertEqual(
            stored(session)[1:],
            ["2 restart", "3 cable skipped afraid", "4 restart not_fixed", "5 driver"],
        )

    def test_a_change_that_resolves_and_then_an_answer_both_count(self) -> None:
        session, kinds = self.race(self.change_otherwise, self.answer)
        self.assertEqual(kinds, [Kind.RECORDED, Kind.RECORDED])
        self.assertEqual(stored(session)[2:], ["3 cable fixed", "4 restart not_fixed"])
        self.assertEqual(state(session), (Status.RESOLVED, "cable"))

    def test_a_change_and_then_an_answer_that_both_resolve_count_in_their_sequence(self) -> None:
        session, kinds = self.race(self.change_otherwise, self.answer_otherwise)
        self.assertEqual(kinds, [Kind.RECORDED, Kind.RECORDED])
        self.assertEqual(stored(session)[1:], ["2 restart", "3 cable fixed", "4 restart fixed"])
        self.assertEqual(state(session), (Status.RESOLVED, "restart"))

    def test_two_tabs_make_one_change_and_it_is_there_once(self) -> None:
        session, kinds = self.race(self.change, self.change)
        self.assertEqual(kinds, [Kind.RECORDED, Kind.REPEATED])
        self.assertEqual(stored(session)[2:], ["3 cable skipped afraid", "4 restart"])

    def test_of_two_changes_the_later_one_counts(self) -> None:
        session, kinds = self.race(self.change, self.change_otherwise)
        self.assertEqual(kinds, [Kind.RECORDED, Kind.RECORDED])
        self.assertEqual(state(session), (Status.RESOLVED, "cable"))
        self.assertEqual(stored(session)[-1], "5 cable fixed")

    def test_a_tab_that_missed_the_withdrawal_and_an_answer_shows_nothing_further(self) -> None:
        here = self.start()
        there = again(here)
        walk(here, "not_fixed")
        Edition.objects.withdraw(self.guide, "It harms printers.")
        there.record(1, "cable", FIXED, change=True)
        there.record(3, "cable", NOT_FIXED, change=True)
        self.assertEqual(stored(here)[2:], ["3 cable fixed", "4 cable not_fixed"])

    def test_an_answered_attempt_is_never_answered_over(self) -> None:
        session = self.start()
        Attempt.objects.filter(session=session).update(
            outcome=SKIPPED, reason=Reason.OTHER, answered_at=timezone.now()
        )
        self.assertEqual(session.record(1, "cable", FIXED).kind, Kind.ASK)
        self.assertEqual(stored(session), ["1 cable skipped other"])
        self.assertEqual(state(session), (Status.OPEN, ""))

    def test_an_answer_the_database_refuses_is_a_fault_and_nothing_is_saved(self) -> None:
        session = self.start()
        # On PostgreSQL an answer is one statement, and here it stands in the test's transaction.
        with self.assertRaises(IntegrityError), transaction.atomic():
            session.record(1, "cable", SKIPPED, "bored")
        self.assertEqual(stored(session), ["1 cable"])

    def test_a_session_that_was_purged_meanwhile_is_gone(self) -> None:
        session = self.start()
        Session.objects.filter(pk=session.pk).delete()
        with self.assertRaises(Session.DoesNotExist):
            session.record(1, "cable", FIXED)


class ConstraintTests(CastTestCase):
    def assertRefused(self, **values: object) -> None:
        session = walk(self.start(), "not_fixed")
        model = Session if values.keys() & {"status", "arm_probability"} else Attempt
        rows = model._default_manager.filter(
            **{"pk": session.pk} if model is Session else {"session": session, "seq": 2}
        )
        with self.assertRaises(IntegrityError), transaction.atomic():
            rows.update(**values)

    def test_the_database_itself_refuses_rows_that_cannot_be_true(self) -> None:
        now = timezone.now()
        self.assertRefused(outcome=FIXED, answered_at=now - timedelta(days=1))
        self.assertRefused(outcome="perhaps", answered_at=now + timedelta(days=1))
        self.assertRefused(outcome=FIXED, reason=Reason.OTHER, answered_at=now + timedelta(days=1))
        self.assertRefused(seq=1)
        self.assertRefused(status=Status.RESOLVED)
        self.assertRefused(status=Status.OPEN, resolved_by="cable")
        self.assertRefused(arm_probability=0)
        self.assertRefused(arm_probability=1.5)

    def test_the_database_itself_refuses_half_an_answer(self) -> None:
        self.assertRefused(outcome=FIXED)
        self.assertRefused(answered_at=timezone.now() + timedelta(days=1))
        self.assertRefused(reason=Reason.OTHER)


class ClockTests(CastTestCase):
    def test_a_clock_set_back_does_not_turn_the_order_around(self) -> None:
        session = walk(self.start(), "not_fixed")
        started, last = session.started_at, session.last_answer_at
        with clock(started - timedelta(hours=5)):
            walk(again(session), "not_fixed")
            again(session).record(1, "cable", SKIPPED, Reason.OTHER, change=True)
        rows = again(session).rows
        shown = [row.shown_at for row in rows]
        answered = [row.answered_at for row in rows if row.answered_at]
        self.assertEqual(shown, sorted(shown))
        self.assertEqual(answered, sorted(set(answered)))
        self.assertTrue(all((row.minutes or 0) >= 0 for row in rows))
        self.assertGreater(again(session).last_answer_at, last)

    def test_an_answer_in_the_very_moment_of_the_showing_still_comes_after_it(self) -> None:
        session = self.start()
        with clock(session.started_at):
            walk(session, "not_fixed")
        first, second = again(session).rows
        self.assertEqual(first.answered_at, second.shown_at)
        self.assertEqual(second.shown_at, session.started_at + timedelta(microseconds=1))


class TriedTests(CastTestCase):
    def test_every_fix_that_was_shown_stands_there_once_with_the_answer_that_counts(self) -> None:
        session = walk(self.start(), "afraid", "not_fixed")
        session.record(1, "cable", NOT_FIXED, change=True)
        lines = [(each.fix.key, each.attempt and each.attempt.outcome) for each in tried(session)]
        self.assertEqual(lines, [("cable", NOT_FIXED), ("restart", NOT_FIXED), ("driver", None)])

    def test_the_transcript_says_it_all_in_plain_text(self) -> None:
        start = datetime(2026, 3, 1, 9, 30, tzinfo=timezone.get_default_timezone())
        with clock(start):
            session = Session.objects.start(self.edition, "offline", platform="windows")
        with clock(start + timedelta(minutes=4)):
            answer_current(session, "not_fixed")
            answer_current(session, "cant_find")
        self.assertEqual(
            transcript(session).splitlines(),
            [
                "The printer is offline",
                "Symptom: It says offline",
                "Device: Windows",
                "Started: 2026-03-01 09:30 UTC",
                "",
                "1. Restart the computer: Still broken, after 4 min",
                "2. Check the cable: Skipped (I can’t find it)",
                "3. Update the driver: not answered yet",
                "",
                f"Reference: {session.public_id}",
            ],
        )
        self.assertNotIn(session.key, transcript(session))

    def test_a_transcript_without_symptom_and_device_leaves_their_lines_out(self) -> None:
        session = Session.objects.start(self.edition, "")
        self.assertEqual(transcript(session).splitlines()[1][:8], "Started:")


class KeyTests(CastTestCase):
    def test_a_key_opens_its_own_session(self) -> None:
        session = self.start()
        self.assertEqual(tokens.open_session_key(session.key), session.public_id)
        self.assertEqual(session.url, f"/s/{session.key}/")

    def test_a_key_with_one_bit_turned_opens_nothing(self) -> None:
        key = self.start().key
        for at, letter in enumerate(key):
            for bit in range(7):
                forged = key[:at] + chr(ord(letter) ^ 1 << bit) + key[at + 1 :]
                self.assertIsNone(tokens.open_session_key(forged), forged)

    def test_the_signature_of_another_session_opens_nothing(self) -> None:
        one, two = self.start(), self.start()
        forged = one.public_id + two.key[tokens.PUBLIC_ID_LENGTH :]
        self.assertIsNone(tokens.open_session_key(forged))

    def test_what_the_database_knows_opens_nothing(self) -> None:
        session = self.start()
        named = session.public_id
        for forged in ("", named, named * 2, named + "é" * 22, session.key + "A", session.key[:-1]):
            self.assertIsNone(tokens.open_session_key(forged), forged)

    def test_a_key_outlives_a_change_of_the_secret_only_as_long_as_the_old_one_is_kept(
        self,
    ) -> None:
        with override_settings(SECRET_KEY="the older secret"):
            key = self.start().key
        self.assertIsNone(tokens.open_session_key(key))
        with override_settings(SECRET_KEY_FALLBACKS=["the older secret"]):
            self.assertIsNotNone(tokens.open_session_key(key))


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer at a time")
class ConcurrencyTests(TransactionTestCase):
    """Two visitors' tabs that really write at the same time, each on its own connection."""

    ROUNDS = 60

    def setUp(self) -> None:
        self.edition = Edition.objects.publish(make_printer_guide(), by=None)

    def at_once(self, *moves: Callable[[Session], Move]) -> tuple[Session, list[Kind]]:
        session = walk(Session.objects.start(self.edition, "unknown"), "not_fixed")
        ready = threading.Barrier(len(moves))

        def post(move: Callable[[Session], Move]) -> Kind:
            try:
                tab = again(session)
                ready.wait()
                return move(tab).kind
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(moves)) as threads:
            return session, sorted(threads.map(post, moves))

    def assertSound(self, session: Session) -> None:
        """Whoever was first: no number is missing or doubled, and the status is what rows say."""
        session = again(session)
        self.assertEqual([row.seq for row in session.rows], list(range(1, len(session.rows) + 1)))
        self.assertEqual(session.status, flow.status(session.next))
        if isinstance(session.next, flow.Try):
            last = session.rows[-1]
            self.assertEqual((last.fix_key, last.outcome), (session.next.fix, None))

    def test_one_answer_posted_twice_at_once_is_there_once(self) -> None:
        for _round in range(self.ROUNDS):
            session, kinds = self.at_once(*[lambda tab: tab.record(2, "restart", NOT_FIXED)] * 2)
            self.assertEqual(kinds, [Kind.RECORDED, Kind.REPEATED])
            self.assertEqual(stored(session)[1:], ["2 restart not_fixed", "3 driver"])

    def test_of_two_answers_at_once_one_is_recorded_and_one_is_asked(self) -> None:
        for _round in range(self.ROUNDS):
            session, kinds = self.at_once(
                lambda tab: tab.record(2, "restart", NOT_FIXED),
                lambda tab: tab.record(2, "restart", FIXED),
            )
            self.assertEqual(kinds, [Kind.ASK, Kind.RECORDED])
            self.assertSound(session)

    def test_answers_and_changes_at_once_all_count(self) -> None:
        for _round in range(self.ROUNDS):
            session, kinds = self.at_once(
                lambda tab: tab.record(2, "restart", NOT_FIXED),
                lambda tab: tab.record(1, "cable", SKIPPED, Reason.OTHER, change=True),
                lambda tab: tab.record(1, "cable", SKIPPED, Reason.OTHER, change=True),
            )
            self.assertEqual(kinds, [Kind.RECORDED, Kind.RECORDED, Kind.REPEATED])
            self.assertSound(session)
            said = [line.partition(" ")[2] for line in stored(session)]
            self.assertEqual(said.count("restart not_fixed"), 1)
            self.assertEqual(said.count("cable skipped other"), 1)


class StaleReadingTests(CastTestCase):
    def test_a_change_made_beside_the_resolving_answer_does_not_reopen_the_session(self) -> None:
        walk(self.start(), "not_fixed")
        here, there = (again(Session.objects.get()) for _reading in range(2))
        here.record(2, "restart", FIXED)
        there.record(1, "cable", SKIPPED, Reason.OTHER, change=True)
        session = Session.objects.get()
        self.assertEqual((session.status, session.resolved_by), (Status.RESOLVED, "restart"))
        self.assertEqual([row.seq for row in session.rows], [1, 2, 3])
