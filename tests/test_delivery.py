"""Handing over: the mail a server gets, the message a webhook gets, and what a fault becomes."""

import hashlib
import hmac
import json
import smtplib
import time
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from unittest import TestCase as PlainTestCase
from unittest.mock import patch

from django.core import mail
from django.test import SimpleTestCase, TestCase, override_settings

from troubleshooter import delivery, outbound
from troubleshooter.delivery import NotDelivered, hand_over, hand_over_all, letter
from troubleshooter.models import Delivery, Webhook
from troubleshooter.models.deliveries import MOST_UNHEARD

NOW = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
HEADERS = {"Content-Type", "MIME-Version", "Subject", "From", "To", "Reply-To"}
HEADERS |= {"Message-ID", "Date", "Auto-Submitted"}


def make_mail(to: str = "aki@desk.example", **body: str) -> Delivery:
    """A mail as a row holds it (in memory), past every gate."""
    words = {"subject": "A person is asked for", "text": "Hello", "html": "", "reply_to": ""}
    return Delivery(
        kind=Delivery.Kind.MAIL, public_id="abc-_123", to=to, body=words | body, made_at=NOW
    )


def make_message(webhook: Webhook | None, event: str = "session") -> Delivery:
    return Delivery(
        kind=Delivery.Kind.WEBHOOK,
        public_id="abc-_123",
        webhook=webhook,
        to="tickets.example",
        body={"event": event, "data": {"status": "resolved"}},
        made_at=NOW,
    )


def make_webhook(**fields: Any) -> Webhook:
    return Webhook(**{"url": "https://tickets.example/in?key=1", "secret": "s3cret"} | fields)


def parsed(one: Delivery) -> EmailMessage:
    """A mail as it leaves, read again by somebody else's rules."""
    wire = letter(one).message().as_bytes()
    return message_from_bytes(wire, policy=policy.default)


@override_settings(DEFAULT_FROM_EMAIL="Help desk <desk@desk.example>")
class LetterTests(SimpleTestCase):
    def test_it_has_what_a_mail_needs_and_no_more(self) -> None:
        got = parsed(make_mail(reply_to="visitor@home.example"))
        self.assertEqual(set(got.keys()) - {"Content-Transfer-Encoding"}, HEADERS)
        self.assertEqual(got["From"], "Help desk <desk@desk.example>")
        self.assertEqual(got["To"], "aki@desk.example")
        self.assertEqual(got["Reply-To"], "visitor@home.example")
        self.assertEqual(got["Date"].datetime, NOW)
        self.assertEqual(got["Auto-Submitted"], "auto-generated")
        self.assertEqual(got.get_content().strip(), "Hello")

    def test_it_is_the_same_at_each_try(self) -> None:
        one = make_mail()
        self.assertEqual(letter(one).message().as_bytes(), letter(one).message().as_bytes())

    def test_its_id_is_the_public_id_at_our_host(self) -> None:
        for site, host in [
            ("https://help.example.org", "help.example.org"),
            ("http://127.0.0.1:8000", "127.0.0.1"),
            ("http://[2001:db8::1]:8000", "[IPv6:2001:db8::1]"),
        ]:
            with override_settings(SITE_URL=site):
                self.assertEqual(parsed(make_mail())["Message-ID"], f"<abc-_123@{host}>")

    def test_html_is_an_alternative_to_the_text(self) -> None:
        got = parsed(make_mail(html="<p>Hello</p>"))
        self.assertEqual(got.get_content_type(), "multipart/alternative")
        kinds = [part.get_content_type() for part in got.iter_parts()]
        self.assertEqual(kinds, ["text/plain", "text/html"])

    def test_a_text_cannot_become_a_header_or_a_part(self) -> None:
        hostile = "Subject: x\r\nBcc: evil@else.example\r\n\r\n--boundary\r\n.\r\nFrom me"
        got = parsed(make_mail(text=hostile, html="<p>Hello</p>"))
        self.assertNotIn("Bcc", got)
        self.assertEqual(len(list(got.iter_parts())), 2)

    def test_a_header_with_a_line_break_or_a_hidden_character_is_never_written(self) -> None:
        for bad in ("\r", "\n", "\x00", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"):
            for row in (
                make_mail(subject=f"Help{bad}Bcc: evil@else.example"),
                make_mail(reply_to=f"visitor@home.example{bad}"),
                make_mail(to=f"aki@desk.example{bad}"),
            ):
                with self.subTest(bad=bad), self.assertRaises(ValueError):
                    letter(row)

    def test_a_mail_has_one_recipient(self) -> None:
        for to in ("a@desk.example, b@else.example", "", "A <a@desk.example>, b@else.example"):
            with self.subTest(to=to), self.assertRaises(ValueError):
                letter(make_mail(to=to))
        self.assertEqual(letter(make_mail()).recipients(), ["aki@desk.example"])

    def test_letters_of_every_script_arrive(self) -> None:
        got = parsed(make_mail(subject="Drucker für Ärzte: الطابعة", text="Grüße 🖨"))
        self.assertEqual(got["Subject"], "Drucker für Ärzte: الطابعة")
        self.assertEqual(got.get_content().strip(), "Grüße 🖨")


@override_settings(DEFAULT_FROM_EMAIL="desk@desk.example")
class SendTests(TestCase):
    def fault(self, one: Delivery) -> NotDelivered:
        with self.assertRaises(NotDelivered) as caught:
            hand_over(one, NOW)
        return caught.exception

    def test_it_leaves(self) -> None:
        hand_over(make_mail(), NOW)
        self.assertEqual([sent.to for sent in mail.outbox], [["aki@desk.example"]])

    def test_what_can_never_be_written_is_given_up_at_once(self) -> None:
        for row in (
            make_mail(subject="Help\nBcc: evil@else.example"),
            make_mail(text="\ud800"),
            Delivery(kind=Delivery.Kind.MAIL, to="aki@desk.example", body={}),
        ):
            self.assertTrue(self.fault(row).hopeless)
        self.assertEqual(mail.outbox, [])

    def test_what_a_mail_server_says_is_kept_and_it_is_tried_again(self) -> None:
        for error, said in [
            (smtplib.SMTPDataError(451, b"Come back later"), "451: Come back later"),
            (smtplib.SMTPAuthenticationError(535, b"No \xff"), "535: No �"),
            (smtplib.SMTPSenderRefused(550, b"Who?", "desk"), "550: Who?"),
            (smtplib.SMTPRecipientsRefused({"aki": (450, b"Busy")}), "450: Busy"),
            (smtplib.SMTPServerDisconnected("Gone"), "Gone"),
            (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
            (TimeoutError("timed out"), "timed out"),
        ]:
            with patch(
                "django.core.mail.backends.locmem.EmailBackend.send_messages", side_effect=error
            ):
                fault = self.fault(make_mail())
            self.assertIn(said, str(fault))
            self.assertFalse(fault.hopeless)


class PostTests(TestCase):
    def setUp(self) -> None:
        self.answer = outbound.Answer("", 204, "", b"", True)
        self.fetch = self.enterContext(patch.object(outbound, "fetch"))
        self.fetch.side_effect = lambda *asked, **how: self.answer

    def fault(self, one: Delivery) -> NotDelivered:
        with self.assertRaises(NotDelivered) as caught:
            hand_over(one, NOW)
        return caught.exception

    def test_it_is_posted_as_signed_json(self) -> None:
        hand_over(make_message(make_webhook()), NOW + timedelta(hours=1))
        [call] = self.fetch.call_args_list
        self.assertEqual(call.args, ("POST", "https://tickets.example/in?key=1"))
        body, headers = call.kwargs["body"], call.kwargs["headers"]
        self.assertEqual(
            json.loads(body),
            {
                "version": 1,
                "id": "abc-_123",
                "event": "session",
                "at": "2026-03-07T12:00:00+00:00",
                "data": {"status": "resolved"},
            },
        )
        stamp = str(int(NOW.timestamp()) + 3600)
        signed = b"abc-_123." + stamp.encode() + b"." + body
        right = hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()
        self.assertEqual(
            headers,
            {
                "Content-Type": "application/json",
                "Helpdesk-Id": "abc-_123",
                "Helpdesk-Timestamp": stamp,
                "Helpdesk-Signature": f"v1={right}",
            },
        )
        self.assertNotIn("redirects", call.kwargs)

    def test_only_a_status_of_success_is_one(self) -> None:
        for status in (200, 201, 204, 299):
            self.answer = outbound.Answer("", status, "", b"", True)
            hand_over(make_message(make_webhook()), NOW)
        for status in (199, 301, 302, 304, 400, 404, 410, 429, 500, 503):
            self.answer = outbound.Answer("", status, "", b"<b>secret</b>", True)
            fault = self.fault(make_message(make_webhook()))
            self.assertEqual(str(fault), f"It answered with status {status}.")
            self.assertFalse(fault.hopeless)

    def test_what_cannot_be_reached_is_tried_again(self) -> None:
        self.fetch.side_effect = outbound.Away("The name of the host is not known.")
        fault = self.fault(make_message(make_webhook()))
        self.assertEqual(str(fault), "The name of the host is not known.")
        self.assertFalse(fault.hopeless)

    def test_what_killed_worker_after_worker_is_not_handed_over_once_more(self) -> None:
        for unheard, asked in ((MOST_UNHEARD, 1), (MOST_UNHEARD + 1, 0)):
            self.fetch.reset_mock()
            one = make_message(make_webhook())
            one.unheard = unheard
            if asked:
                hand_over(one, NOW)
            else:
                self.assertTrue(self.fault(one).hopeless)
            self.assertEqual(self.fetch.call_count, asked)

    def test_a_webhook_deleted_or_switched_off_hears_nothing_but_a_test(self) -> None:
        self.assertTrue(self.fault(make_message(None)).hopeless)
        off = make_webhook(active=False)
        self.assertTrue(self.fault(make_message(off)).hopeless)
        self.fetch.assert_not_called()
        hand_over(make_message(off, Webhook.TEST), NOW)
        self.fetch.assert_called_once()


class SideBySideTests(PlainTestCase):
    def test_one_that_hangs_holds_up_no_other_and_ends_with_the_time(self) -> None:
        def slow(one: Delivery, now: datetime) -> None:
            if one.pk == 1:
                time.sleep(1)

        with patch.object(delivery, "hand_over", slow), patch.object(delivery, "MOST_SECONDS", 0.1):
            results = list(hand_over_all([Delivery(pk=pk) for pk in (1, 2, 3)]))
        self.assertEqual([result.delivery.pk for result in results][2], 1)
        self.assertEqual([result.fault is None for result in results], [True, True, False])

    def test_a_bug_of_ours_is_a_fault_of_one_and_its_words_stay_out_of_the_log(self) -> None:
        def broken(one: Delivery, now: datetime) -> None:
            raise RuntimeError("visitor@home.example")

        with (
            patch.object(delivery, "hand_over", broken),
            self.assertLogs(delivery.logger, "ERROR") as logged,
        ):
            [result] = hand_over_all([Delivery(pk=1, public_id="abc")])
        assert result.fault
        self.assertEqual(str(result.fault), "A fault of ours: RuntimeError.")
        self.assertFalse(result.fault.hopeless)
        self.assertIn("abc", logged.output[0])
        self.assertNotIn("visitor", str(logged.output))
