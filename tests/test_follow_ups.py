"""Follow-ups: an address is left, one mail goes out days later, an answer becomes a number."""

import re
import threading
from datetime import datetime, timedelta
from unittest import mock

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import TransactionTestCase, override_settings
from django.utils import timezone

from tests.base import CastTestCase, ask, ask_later, make_printer_guide, walk
from troubleshooter.flow import Outcome
from troubleshooter.models import (
    Answer,
    CannotAsk,
    Delivery,
    Edition,
    Fix,
    FollowUp,
    Session,
    TooMany,
)

ANNA = "anna@example.org"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def change(session: Session, fix_key: str, outcome: Outcome) -> None:
    """The visitor changes the answer to a fix they answered before."""
    row = session.showing(fix_key)
    assert row
    assert session.record(row.seq, fix_key, outcome, change=True).kind == "recorded"


class FollowUpTestCase(CastTestCase):
    def resolved(self, *answers: str) -> Session:
        return walk(self.start(), *answers, "fixed")

    def send(self, at: datetime | None = None) -> list[Delivery]:
        """The worker looks at this moment: usually three days from now. The mails so far."""
        FollowUp.objects.send(at or timezone.now() + 3 * DAY, 100)
        return list(Delivery.objects.filter(kind="mail").order_by("pk"))


class AskTests(FollowUpTestCase):
    def test_it_is_about_the_fix_that_fixed_it(self) -> None:
        Fix.objects.filter(key="restart").update(revision=4)
        edition = Edition.objects.publish(self.guide, by=None)
        session = walk(Session.objects.start(edition, "unknown"), "not_fixed", "fixed")
        asked = FollowUp.objects.ask(session, ANNA)
        self.assertEqual((asked.fix_key, asked.fix_revision), ("restart", 4))
        self.assertEqual(asked.due_at - asked.asked_at, 48 * HOUR)

    def test_when_is_a_setting(self) -> None:
        with override_settings(FOLLOW_UP_HOURS=24):
            asked = FollowUp.objects.ask(self.resolved(), ANNA)
        self.assertEqual(asked.due_at - asked.asked_at, DAY)

    def test_left_twice_it_is_one_and_another_address_takes_its_place(self) -> None:
        session = self.resolved()
        FollowUp.objects.ask(session, "ana@example.org")
        FollowUp.objects.ask(session, ANNA)
        FollowUp.objects.ask(session, ANNA)
        self.assertEqual([mail.to for mail in self.send()], [ANNA])

    def test_what_is_not_one_address_is_refused(self) -> None:
        for email in (
            "",
            "anna",
            "a@example.org, b@example.org",
            "Anna <a@example.org>",
            "a\n@b.c",
        ):
            with self.subTest(email=email), self.assertRaises(ValidationError):
                FollowUp.objects.ask(self.resolved(), email)
        self.assertFalse(FollowUp.objects.exists())

    def test_only_what_is_fixed_is_asked_about(self) -> None:
        for session in (self.start(), walk(self.start(), *["not_fixed"] * 4)):
            with self.assertRaisesMessage(CannotAsk, "not fixed yet"):
                FollowUp.objects.ask(session, ANNA)

    def test_once_asked_nobody_is_asked_again(self) -> None:
        session = self.resolved()
        ask_later(session)
        with self.assertRaisesMessage(CannotAsk, "only once"):
            FollowUp.objects.ask(session, "another@example.org")
        self.assertEqual(len(self.send()), 1)

    def test_nobody_is_pestered_from_many_sessions(self) -> None:
        for email in (ANNA, ANNA, ANNA.upper()):
            FollowUp.objects.ask(self.resolved(), email)
        with self.assertRaisesMessage(TooMany, "Leave it again tomorrow."):
            FollowUp.objects.ask(self.resolved(), ANNA)
        FollowUp.objects.ask(self.resolved(), "bert@example.org")
        FollowUp.objects.update(asked_at=timezone.now() - DAY)
        FollowUp.objects.ask(self.resolved(), ANNA)
        self.assertEqual(FollowUp.objects.count(), 5)

    def test_whoever_takes_it_back_is_not_asked(self) -> None:
        session = self.resolved()
        FollowUp.objects.ask(session, ANNA)
        FollowUp.objects.stop(session)
        self.assertEqual(self.send(), [])
        self.assertFalse(FollowUp.objects.exists())

    def test_what_was_asked_cannot_be_taken_back(self) -> None:
        session = self.resolved()
        ask_later(session)
        FollowUp.objects.stop(session)
        self.assertTrue(FollowUp.objects.exists())


class SendTests(FollowUpTestCase):
    def test_one_mail_goes_out_when_it_is_due_and_the_address_is_gone(self) -> None:
        asked = FollowUp.objects.ask(self.resolved(), ANNA)
        self.assertEqual(self.send(asked.due_at - HOUR), [])
        for _look in range(2):
            self.assertEqual([mail.to for mail in self.send(asked.due_at)], [ANNA])
        asked.refresh_from_db()
        self.assertEqual((asked.email, asked.sent_at), ("", asked.due_at))

    def test_the_database_keeps_no_address_of_one_that_was_sent_or_forgotten(self) -> None:
        asked = ask_later(self.resolved())
        for fields in ({"email": ANNA}, {"answer": "still"}, {"answer": "x"}):
            with self.assertRaises(IntegrityError), transaction.atomic():
                FollowUp.objects.filter(pk=asked.pk).update(**fields)

    def test_what_was_reopened_is_not_asked_about_and_its_address_goes(self) -> None:
        session = self.resolved()
        asked = FollowUp.objects.ask(session, ANNA)
        change(session, "cable", Outcome.NOT_FIXED)
        self.assertEqual(self.send(), [])
        asked.refresh_from_db()
        self.assertEqual((asked.email, asked.sent_at), ("", None))
        self.assertTrue(asked.forgotten_at)
        self.assertIsNone(FollowUp.objects.about(session))

    def test_after_that_it_can_be_asked_for_anew(self) -> None:
        session = self.resolved()
        FollowUp.objects.ask(session, ANNA)
        change(session, "cable", Outcome.NOT_FIXED)
        self.send()
        FollowUp.objects.ask(walk(session, "fixed"), ANNA)
        self.assertEqual(len(self.send()), 1)
        self.assertEqual(FollowUp.objects.get().fix_key, "restart")

    def test_another_fix_is_asked_about_when_it_fixed_it_and_days_after_that(self) -> None:
        session = self.resolved()
        asked = FollowUp.objects.ask(session, ANNA)
        with mock.patch.object(timezone, "now", return_value=asked.asked_at + 40 * HOUR):
            change(session, "cable", Outcome.NOT_FIXED)
            walk(session, "fixed")
        self.assertEqual(self.send(asked.due_at), [])
        self.assertEqual(self.send(asked.asked_at + 87 * HOUR), [])
        [mail] = self.send(asked.asked_at + 89 * HOUR)
        self.assertIn("“Restart the computer” fixed it", mail.body["text"])
        asked.refresh_from_db()
        self.assertEqual(asked.fix_key, "restart")

    def test_so_many_at_once(self) -> None:
        for nth in range(3):
            FollowUp.objects.ask(self.resolved(), f"a{nth}@example.org")
        later = timezone.now() + 3 * DAY
        self.assertEqual([FollowUp.objects.send(later, 2) for _look in range(3)], [2, 1, 0])
        self.assertEqual(Delivery.objects.count(), 3)

    def test_nothing_due_takes_one_statement(self) -> None:
        FollowUp.objects.ask(self.resolved(), ANNA)
        with self.assertStatements(1):
            FollowUp.objects.send(timezone.now(), 100)
        with self.assertStatements(1):
            FollowUp.objects.forget(timezone.now())

    def test_when_the_transaction_fails_nothing_was_sent(self) -> None:
        FollowUp.objects.ask(self.resolved(), ANNA)
        with (
            mock.patch.object(FollowUp, "save", side_effect=RuntimeError),
            self.assertRaises(RuntimeError),
            transaction.atomic(),
        ):
            FollowUp.objects.send(timezone.now() + 3 * DAY, 100)
        self.assertFalse(Delivery.objects.exists())
        self.assertEqual(len(self.send()), 1)


class LetterTests(FollowUpTestCase):
    def test_it_asks_and_each_link_only_opens_a_page(self) -> None:
        asked = ask_later(self.resolved())
        body = Delivery.objects.get().body
        self.assertEqual(body["subject"], "Still fixed? The printer is offline")
        page = f"http://127.0.0.1:8000{asked.url}"
        for kind in ("text", "html"):
            found = re.findall(r"http://[^\s\"<]+", body[kind])
            self.assertEqual(found, [f"{page}?answer=still", f"{page}?answer=back"])
        self.assertIn(f"Yes, still fixed:\n{page}?answer=still\n", body["text"])
        self.assertIn("Yes, still fixed</a>", body["html"])
        self.assertNotIn("/s/", str(body))

    def test_what_editors_wrote_is_no_markup(self) -> None:
        Fix.objects.filter(key="cable").update(title="Check <b>the</b> %(cable)s")
        edition = Edition.objects.publish(self.guide, by=None)
        ask_later(walk(Session.objects.start(edition, "unknown"), "fixed"))
        body = Delivery.objects.get().body
        self.assertNotIn("<b>", body["html"])
        self.assertIn("“Check <b>the</b> %(cable)s” fixed it", body["text"])

    def test_a_stranger_gets_no_word_of_the_visitor(self) -> None:
        session = self.start()
        ask(session, "Buy my pills", name="Pills")
        ask_later(walk(session, "fixed"), "stranger@example.org")
        [mail] = Delivery.objects.filter(to="stranger@example.org")
        self.assertNotIn("ills", str(mail.body))

    @override_settings(SUPPORT_EMAIL="team@example.org")
    def test_an_answer_to_the_mail_itself_goes_to_the_team(self) -> None:
        ask_later(self.resolved())
        self.assertEqual(Delivery.objects.get().body["reply_to"], "team@example.org")


class AnswerTests(FollowUpTestCase):
    def test_the_answer_can_be_changed_and_the_same_again_changes_nothing(self) -> None:
        asked = ask_later(self.resolved())
        asked.say(Answer.STILL)
        first = FollowUp.objects.get()
        asked.say(Answer.STILL)
        again = FollowUp.objects.get()
        asked.say(Answer.BACK)
        last = FollowUp.objects.get()
        self.assertEqual((first.answer, first.answered_at), ("still", again.answered_at))
        self.assertEqual(last.answer, "back")
        assert last.answered_at
        assert first.answered_at
        self.assertGreater(last.answered_at, first.answered_at)

    def test_whoever_answers_has_the_mail_so_it_does_not_go_out_again(self) -> None:
        asked = ask_later(self.resolved())  # handed over, and the worker died before noting it
        asked.say(Answer.STILL)
        self.assertFalse(Delivery.objects.exists())

    def test_what_was_delivered_stays_in_the_list_of_deliveries(self) -> None:
        asked = ask_later(self.resolved())
        Delivery.objects.get().delivered(timezone.now())
        asked.say(Answer.STILL)
        self.assertEqual(Delivery.objects.get().to, "a…@example.org")

    def test_an_answer_leaves_the_session_as_it_is(self) -> None:
        session = self.resolved()
        ask_later(session).say(Answer.BACK)
        self.assertEqual(Session.objects.get().status, "resolved")

    def test_going_on_takes_the_fix_back_and_shows_the_next_one(self) -> None:
        asked = ask_later(self.resolved())
        asked.say(Answer.BACK)
        session = asked.go_on()
        assert session
        self.assertEqual(session.rows[-1].fix_key, "restart")
        self.assertEqual((session.status, session.resolved_by), ("open", ""))
        self.assertEqual(FollowUp.objects.get().fix_key, "cable")
        again = asked.go_on()  # sent twice, it is one
        assert again
        self.assertEqual(len(again.rows), len(session.rows))

    def test_going_on_after_a_fix_that_lost_data_needs_no_second_yes(self) -> None:
        asked = ask_later(self.resolved(*["not_fixed"] * 3))
        session = asked.go_on()
        assert session
        self.assertEqual(session.status, "exhausted")

    def test_a_session_that_ended_or_was_withdrawn_is_not_gone_on_with(self) -> None:
        asked = ask_later(self.resolved())
        now = timezone.now()
        self.assertTrue(asked.leads_on(now))
        self.assertFalse(asked.leads_on(now + 31 * DAY))
        Edition.objects.withdraw(self.guide, "It can give a shock.")
        self.assertIsNone(FollowUp.objects.select_related("session").get().go_on())

    def test_a_mail_that_may_have_gone_astray_opens_no_session_with_a_letter_in_it(self) -> None:
        session = self.start()
        escalation = ask(session)
        asked = ask_later(walk(session, "fixed"))
        self.assertFalse(asked.leads_on(timezone.now()))
        self.assertIsNone(asked.go_on())
        type(escalation).objects.erase(ANNA, timezone.now())
        self.assertTrue(asked.leads_on(timezone.now()))


class ForgetTests(FollowUpTestCase):
    def test_after_its_days_every_trace_of_the_address_is_gone(self) -> None:
        kept = self.resolved()
        for nth in range(3):
            FollowUp.objects.ask(self.resolved(), f"anna{nth}@example.org")
        _waiting, given_up, delivered = self.send()
        given_up.failed(timezone.now(), "No such user", 0.5, hopeless=True)
        delivered.delivered(timezone.now())
        FollowUp.objects.ask(self.resolved(), "anna3@example.org")  # never sent
        FollowUp.objects.update(asked_at=timezone.now() - HOUR)
        FollowUp.objects.ask(kept, "young@example.org")
        later = timezone.now() + 30 * DAY - HOUR / 2
        self.assertEqual(FollowUp.objects.forget(later - HOUR), 0)
        self.assertEqual(FollowUp.objects.forget(later), 4)
        self.assertEqual(Delivery.objects.get(), delivered)
        left = str([*FollowUp.objects.values(), *Delivery.objects.values()])
        self.assertNotIn("anna", left)
        self.assertIn("young@example.org", left)
        self.assertEqual(FollowUp.objects.forget(later), 0)

    def test_the_answer_stays_as_a_number(self) -> None:
        ask_later(self.resolved()).say(Answer.BACK)
        FollowUp.objects.forget(timezone.now() + 30 * DAY)
        asked = FollowUp.objects.get()
        self.assertEqual((asked.answer, asked.fix_key), ("back", "cable"))
        self.assertTrue(asked.ended(timezone.now()))

    def test_a_link_ends_even_when_no_worker_runs(self) -> None:
        asked = ask_later(self.resolved())
        self.assertFalse(asked.ended(asked.asked_at + 30 * DAY))
        self.assertTrue(asked.ended(asked.asked_at + 30 * DAY + HOUR))

    def test_one_person_is_erased_and_others_are_left_alone(self) -> None:
        waiting = FollowUp.objects.ask(self.resolved(), ANNA)
        FollowUp.objects.ask(self.resolved(), "bert@example.org")
        self.assertEqual(FollowUp.objects.erase(ANNA.upper(), timezone.now()), 1)
        self.assertEqual([mail.to for mail in self.send()], ["bert@example.org"])
        waiting.refresh_from_db()
        self.assertEqual(waiting.email, "")

    def test_a_mail_under_way_is_found_by_the_outbox_alone(self) -> None:
        ask_later(self.resolved())
        self.assertEqual(FollowUp.objects.of(ANNA).count(), 1)
        self.assertEqual(FollowUp.objects.erase(ANNA, timezone.now()), 1)
        self.assertFalse(Delivery.objects.exists())

    def test_it_goes_with_its_session_and_stays_without_its_delivery(self) -> None:
        session = self.resolved()
        ask_later(session)
        Delivery.objects.all().delete()
        self.assertTrue(FollowUp.objects.exists())
        session.delete()
        self.assertFalse(FollowUp.objects.exists())


class ManyWorkersTests(TransactionTestCase):
    def test_two_workers_who_look_at_once_write_one_mail(self) -> None:
        if connection.vendor == "sqlite":
            self.skipTest("In the tests SQLite is in memory, and has one writer at any rate.")
        edition = Edition.objects.publish(make_printer_guide(), by=None)
        for nth in range(20):
            session = walk(Session.objects.start(edition, "unknown"), "fixed")
            FollowUp.objects.ask(session, f"anna{nth}@example.org")
        ready, later = threading.Barrier(4), timezone.now() + 3 * DAY

        def work() -> None:
            ready.wait()
            while FollowUp.objects.filter(sent_at=None).exists():
                FollowUp.objects.send(later, 5)
            connection.close()

        workers = [threading.Thread(target=work) for _worker in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(Delivery.objects.count(), 20)
        self.assertEqual(Delivery.objects.values("to").distinct().count(), 20)
