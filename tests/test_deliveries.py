"""The outbox: leases, tries and waits, and what is forgotten when."""

import threading
from datetime import timedelta
from typing import Any
from unittest import TestCase as PlainTestCase
from unittest import skipUnless
from unittest.mock import patch

from django.core.exceptions import ValidationError
from django.db import connection, connections, transaction
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from tests.base import CastTestCase, walk
from troubleshooter.flow import Outcome
from troubleshooter.models import Delivery, Session, TwoSecrets, Webhook, deliveries
from troubleshooter.models.deliveries import LEASE, MOST_TRIES, MOST_UNHEARD, wait
from troubleshooter.text import BadText

HOUR = timedelta(hours=1)


def make_mail(to: str = "aki@desk.example", **body: str) -> Delivery:
    words = {"subject": "A person is asked for", "text": "Hello"}
    return Delivery.objects.mail(to=to, **(words | body))


def make_webhook(**fields: object) -> Webhook:
    return Webhook.objects.create(
        **{"name": "Tickets", "url": "https://tickets.example/in?key=1", "on_session": True}
        | fields
    )


class WaitTests(PlainTestCase):
    def test_it_doubles_from_half_a_minute_to_two_hours(self) -> None:
        seconds = [wait(tries, 0.5).total_seconds() for tries in (1, 2, 3, 8, 9, 70, 10**9)]
        self.assertEqual(seconds, [30, 60, 120, 3840, 7200, 7200, 7200])

    def test_chance_moves_it_by_a_fifth(self) -> None:
        self.assertEqual(wait(1, 0.0).total_seconds(), 24)
        self.assertAlmostEqual(wait(1, 1.0).total_seconds(), 36)

    def test_all_tries_together_outlast_four_days(self) -> None:
        waits = [wait(tries, 0.0) for tries in range(1, MOST_TRIES)]
        self.assertGreater(sum(waits, timedelta()), timedelta(days=4))


class MailTests(TestCase):
    def test_an_address_must_be_exactly_one(self) -> None:
        for address in (
            "",
            "aki",
            "aki@desk.example, evil@else.example",
            "aki@desk.example;evil@else.example",
            "aki@desk.example evil@else.example",
            "Aki <aki@desk.example>",
            "<aki@desk.example>",
            '"a@b.example,c"@desk.example',
            "aki@desk.example\nBcc: evil@else.example",
            "aki@desk.example\r\n",
            "aki@desk.example\u2028",
            "aki\u0085@desk.example",
            "aki@desk\u3000.example",
            "aki\x00@desk.example",
            "a" * 400 + "@desk.example",
        ):
            with self.subTest(address=address):
                with self.assertRaises(BadText):
                    make_mail(to=address)
                if address:
                    with self.assertRaises(BadText):
                        make_mail(reply_to=address)
        self.assertFalse(Delivery.objects.exists())

    def test_a_subject_becomes_one_short_line(self) -> None:
        made = make_mail(subject="Help\r\nBcc: evil@else.example\u2028\u0085\u202e" + "x" * 300)
        self.assertEqual(made.body["subject"], ("Help Bcc: evil@else.example " + "x" * 300)[:200])
        self.assertTrue(made.body["subject"].isprintable())

    def test_a_character_that_cannot_be_stored_is_refused(self) -> None:
        for part in ("subject", "text", "html"):
            for bad in ("\x00", "\ud800"):
                with self.subTest(part=part, bad=bad), self.assertRaises(BadText):
                    make_mail(**{part: f"Hello{bad}"})


class WebhookTests(TestCase):
    def test_an_address_nothing_may_be_sent_to_is_refused_at_once(self) -> None:
        for url in ("http://tickets.example/", "https://a:b@tickets.example/", "ftp://x.example/"):
            with self.subTest(url=url), self.assertRaises(ValidationError) as caught:
                Webhook(name="Tickets", url=url).full_clean()
            self.assertEqual(list(caught.exception.message_dict), ["url"])

    def test_only_those_that_want_an_event_hear_of_it(self) -> None:
        wanting = make_webhook()
        make_webhook(on_session=False)
        make_webhook(active=False)
        [made] = Delivery.objects.announce(Webhook.Event.SESSION, {"status": "resolved"})
        self.assertEqual(made.webhook, wanting)
        self.assertEqual(made.body, {"event": "session", "data": {"status": "resolved"}})
        self.assertEqual(made.to, "tickets.example")  # the rest may be a secret

    def test_what_is_rolled_back_was_never_told(self) -> None:
        make_webhook()
        with transaction.atomic():
            Delivery.objects.announce(Webhook.Event.SESSION, {})
            transaction.set_rollback(True)
        self.assertFalse(Delivery.objects.exists())

    def test_a_new_secret_signs_beside_the_old_one_until_that_is_retired(self) -> None:
        webhook = make_webhook()
        old, new = webhook.secret, webhook.renew()
        webhook.refresh_from_db()
        self.assertEqual(webhook.secrets, [new, old])
        self.assertNotEqual(old, new)
        self.assertGreaterEqual(len(new), 43)
        webhook.retire()
        webhook.refresh_from_db()
        self.assertEqual((webhook.secrets, webhook.old_secret), ([new], ""))

    def test_the_second_of_two_who_renew_at_once_is_refused(self) -> None:
        first = make_webhook()
        second = Webhook.objects.get()
        old, new = first.secret, first.renew()
        with self.assertRaises(TwoSecrets):
            second.renew()
        self.assertEqual(Webhook.objects.get().secrets, [new, old])


class LeaseTests(TestCase):
    def setUp(self) -> None:
        self.now = timezone.now()

    def lease(self, after: timedelta = timedelta(0), most: int = 10) -> list[Delivery]:
        return Delivery.objects.lease(self.now + after, most)

    def test_what_is_leased_is_nobody_elses_until_the_lease_runs_out(self) -> None:
        made = make_mail()
        Delivery.objects.update(next_try_at=self.now)
        self.assertEqual(self.lease(), [made])
        self.assertEqual(self.lease(LEASE - timedelta(seconds=1)), [])
        [again] = self.lease(LEASE)
        self.assertEqual((again, again.tries), (made, 2))

    def test_no_more_are_taken_than_asked_for_and_new_ones_come_first(self) -> None:
        old, new = make_mail(), make_mail()
        Delivery.objects.update(next_try_at=self.now)
        Delivery.objects.filter(pk=old.pk).update(tries=3, next_try_at=self.now - HOUR)
        self.assertEqual(self.lease(most=1), [new])
        self.assertEqual(self.lease(most=1), [old])

    def test_what_is_not_due_done_or_given_up_is_left(self) -> None:
        later, done, dead = make_mail(), make_mail(), make_mail()
        Delivery.objects.update(next_try_at=self.now)
        Delivery.objects.filter(pk=later.pk).update(next_try_at=self.now + HOUR)
        done.delivered(self.now)
        dead.failed(self.now, "No.", 0.5, hopeless=True)
        self.assertEqual(self.lease(), [])
        self.assertEqual(self.lease(HOUR), [later])

    def test_its_statements_do_not_grow_with_rows(self) -> None:
        webhook = make_webhook()
        for _number in range(9):
            Delivery.objects.test(webhook)
        with self.assertNumQueries(5):  # is there one, and within a transaction: read, lease
            leased = self.lease(HOUR)
            self.assertEqual({row.webhook for row in leased}, {webhook})
        with self.assertNumQueries(1):  # a quiet desk never takes the write lock
            self.lease(HOUR)

    def test_a_delivered_one_forgets_what_it_said_and_most_of_the_address(self) -> None:
        make_mail(reply_to="visitor@home.example")
        [leased] = self.lease(HOUR)
        leased.delivered(self.now + HOUR)
        leased.refresh_from_db()
        self.assertEqual((leased.state, leased.body, leased.error), ("done", {}, ""))
        self.assertEqual(leased.to, "a…@desk.example")
        self.assertEqual((leased.ended_at, leased.leased_until), (self.now + HOUR, None))

    def test_a_failed_one_waits_longer_each_time_and_is_given_up_in_the_end(self) -> None:
        make_mail()
        at = self.now + HOUR
        self.enterContext(patch.object(deliveries, "MOST_TRIES", 4))
        for tries in range(1, 5):
            [leased] = Delivery.objects.lease(at, 1)
            leased.failed(at, "The mail server is away.\x00\n", 0.5)
            leased.refresh_from_db()
            self.assertEqual(leased.next_try_at, at + wait(tries, 0.5))
            at = leased.next_try_at
        self.assertEqual((leased.state, leased.ended_at is not None), ("dead", True))
        self.assertEqual(leased.error, "The mail server is away.  ")
        self.assertEqual(leased.body["text"], "Hello")  # it can still be tried again

    def test_whoever_lost_the_lease_can_say_that_it_arrived_but_not_that_it_failed(self) -> None:
        make_mail()
        [slow] = self.lease(HOUR)
        [quick] = self.lease(HOUR + LEASE)
        slow.failed(self.now + HOUR + LEASE, "Too slow.", 0.5)
        quick.refresh_from_db()
        self.assertEqual((quick.error, quick.leased_until), ("", self.now + HOUR + 2 * LEASE))
        slow.delivered(self.now + HOUR + LEASE)
        quick.failed(self.now + HOUR + LEASE, "Away.", 0.5)
        quick.refresh_from_db()
        self.assertEqual((quick.state, quick.error), ("done", ""))


class UnheardTests(TestCase):
    """Workers that die with deliveries in their hands."""

    def setUp(self) -> None:
        self.at = timezone.now() + HOUR

    def die(self) -> list[Delivery]:
        """Take what is due; a lease later nothing was heard of it."""
        leased = Delivery.objects.lease(self.at, 8)
        self.at += LEASE
        return leased

    def test_those_that_were_lost_together_are_tried_alone(self) -> None:
        lost = [make_mail() for _each in range(3)]
        self.assertEqual(self.die(), lost)
        for each in lost:
            self.assertEqual(Delivery.objects.lease(self.at, 8), [each])
        self.assertEqual(Delivery.objects.lease(self.at, 8), [])

    def test_whatever_is_new_goes_before_them_and_never_with_them(self) -> None:
        [lost] = [make_mail()]
        self.die()
        new = [make_mail() for _each in range(3)]
        self.assertEqual(Delivery.objects.lease(self.at, 8), new)
        self.assertEqual(Delivery.objects.lease(self.at, 8), [lost])

    def test_taken_too_often_without_a_word_it_is_poisonous(self) -> None:
        make_mail()
        for nth in range(MOST_UNHEARD + 1):
            [leased] = self.die()
            self.assertIs(leased.poisonous, nth == MOST_UNHEARD)

    def test_a_word_of_it_clears_it_even_a_bad_one(self) -> None:
        made = make_mail()
        for _nth in range(MOST_UNHEARD - 1):
            self.die()
        [leased] = Delivery.objects.lease(self.at, 8)
        leased.failed(self.at, "Away.", 0.5)
        made.refresh_from_db()
        self.assertEqual((made.unheard, made.state, made.tries), (0, "waiting", MOST_UNHEARD))

    def test_tried_again_by_hand_it_has_all_its_chances(self) -> None:
        make_mail()
        for _nth in range(MOST_UNHEARD + 1):
            [leased] = self.die()
        leased.failed(self.at, "Poison.", 0.5, hopeless=True)
        Delivery.objects.dead().retry(self.at)
        [leased] = self.die()
        self.assertEqual((leased.unheard, leased.poisonous), (1, False))


class RetryTests(TestCase):
    def test_dead_and_waiting_ones_are_tried_again_now_with_all_their_tries(self) -> None:
        now = timezone.now()
        done, dead, waiting, leased = (make_mail() for _each in range(4))
        done.delivered(now)
        dead.failed(now, "No.", 0.5, hopeless=True)
        waiting.failed(now, "Away.", 0.5)
        Delivery.objects.filter(pk__in=[dead.pk, waiting.pk]).update(tries=60)
        Delivery.objects.filter(pk=leased.pk).update(leased_until=now + LEASE)
        self.assertEqual(Delivery.objects.all().retry(now), 2)
        again = Delivery.objects.lease(now, 10)
        self.assertEqual({(row.pk, row.tries) for row in again}, {(dead.pk, 1), (waiting.pk, 1)})

    def test_what_ended_long_ago_is_forgotten_and_what_waits_never(self) -> None:
        now = timezone.now()
        done, dead, waiting = (make_mail() for _each in range(3))
        done.delivered(now - 2 * HOUR)
        dead.failed(now - 2 * HOUR, "No.", 0.5, hopeless=True)
        Delivery.objects.filter(pk=waiting.pk).update(made_at=now - 10_000 * HOUR)
        self.assertEqual(Delivery.objects.purge(now - 3 * HOUR, 10), 0)
        self.assertEqual(Delivery.objects.purge(now - HOUR, 1), 1)
        self.assertEqual(Delivery.objects.purge(now - HOUR, 10), 1)
        self.assertEqual(Delivery.objects.get(), waiting)


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer; the torture test covers it")
class ManyWorkersTests(TransactionTestCase):
    def test_no_two_hold_the_same_one_at_once(self) -> None:
        for _number in range(60):
            make_mail()
        now, ready = timezone.now() + HOUR, threading.Barrier(4)
        held: list[int] = []

        def work() -> None:
            ready.wait()
            while leased := Delivery.objects.lease(now, 4):
                held.extend(row.pk for row in leased)
            connections.close_all()

        workers = [threading.Thread(target=work) for _worker in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(sorted(held), sorted(Delivery.objects.values_list("pk", flat=True)))

    def test_a_row_another_one_is_just_taking_is_skipped(self) -> None:
        first, second = make_mail(), make_mail()
        now = timezone.now() + HOUR
        got: list[Delivery] = []

        def other() -> None:
            got.extend(Delivery.objects.lease(now, 10))
            connections.close_all()

        with transaction.atomic():
            Delivery.objects.select_for_update().get(pk=first.pk)
            worker = threading.Thread(target=other)
            worker.start()
            worker.join(10)
        self.assertEqual(got, [second])


class SessionEndTests(CastTestCase):
    """What a webhook is told when a session ends."""

    def setUp(self) -> None:
        self.webhook = make_webhook()

    def told(self) -> list[dict[str, Any]]:
        return [row.body["data"] for row in Delivery.objects.order_by("pk")]

    def test_a_resolved_session_is_told_with_its_path(self) -> None:
        session = walk(self.start("offline"), "no_time", "fixed")
        [data] = self.told()
        self.assertLess(data.pop("seconds"), 60)
        self.assertEqual(
            data,
            {
                "session": session.public_id,
                "guide": "printer",
                "language": "en",
                "edition": 1,
                "symptom": "offline",
                "status": "resolved",
                "resolved_by": "cable",
                "again": False,
                "path": [
                    {"fix": "restart", "outcome": "skipped", "reason": "no_time"},
                    {"fix": "cable", "outcome": "fixed", "reason": None},
                ],
            },
        )

    def test_an_exhausted_session_is_told(self) -> None:
        walk(self.start(), *["not_fixed"] * 3)
        self.assertEqual(self.told(), [])
        session = walk(self.start(), *["not_fixed"] * 4)
        [data] = self.told()
        self.assertEqual((data["session"], data["status"]), (session.public_id, "exhausted"))
        self.assertEqual((data["symptom"], data["resolved_by"]), ("unknown", None))

    def test_the_key_to_the_session_is_never_told(self) -> None:
        session = walk(self.start(), "fixed")
        self.assertNotIn(session.key, str(self.told()))

    def test_a_session_that_ends_again_is_told_again(self) -> None:
        session = walk(self.start(), "fixed")
        session.record(1, "cable", Outcome.NOT_FIXED, change=True)
        self.assertEqual(len(self.told()), 1)
        walk(session, "fixed")
        told = [(data["resolved_by"], data["again"]) for data in self.told()]
        self.assertEqual(told, [("cable", False), ("restart", True)])

    def test_an_answer_that_changes_nothing_about_the_end_is_not_told(self) -> None:
        session = walk(self.start(), "not_fixed", "fixed")
        session.record(2, "restart", Outcome.FIXED)
        session.record(1, "cable", Outcome.SKIPPED, "no_time", change=True)
        self.assertEqual(len(self.told()), 1)

    def test_a_simulated_session_is_not_told(self) -> None:
        walk(Session.objects.start(self.edition, "", channel=Session.SIMULATED), "fixed")
        self.assertEqual(self.told(), [])

    def test_the_answer_and_its_message_are_saved_together_or_not_at_all(self) -> None:
        session = self.start()
        with transaction.atomic():
            walk(session, "fixed")
            transaction.set_rollback(True)
        self.assertEqual(self.told(), [])
        self.assertEqual(Session.objects.get().status, "open")

    def test_an_end_takes_four_statements_with_the_reading_and_six_when_it_is_told(self) -> None:
        for most, active in ((6, True), (4, False)):
            Webhook.objects.update(active=active)
            public_id = self.start().public_id
            with self.assertStatements(most):
                Session.objects.record(public_id, 1, "cable", Outcome.FIXED)


class WaitingMailTests(TestCase):
    def test_mail_that_waits_is_counted_and_webhooks_are_not(self) -> None:
        make_mail()
        make_mail().delivered(timezone.now())
        Delivery.objects.test(make_webhook())
        self.assertEqual(Delivery.objects.waiting_mail().count(), 1)
