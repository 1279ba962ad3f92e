"""What a real mail server may answer at each step, and what becomes of the mail then."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from unittest.mock import patch

from django.test import SimpleTestCase, override_settings
from django.utils import timezone

from tests.base import CastTestCase, ask, make_staff
from troubleshooter.delivery import NotDelivered, hand_over
from troubleshooter.management.commands import worker
from troubleshooter.models import Delivery

HELLO = {"": "220 mail.example", "EHLO": "250-mail.example\r\n250 AUTH PLAIN"}
USUAL = HELLO | {"AUTH": "235 OK", "DATA": "354 Go on", ".": "250 OK", "QUIT": "221 Bye"}


class MailServer(socketserver.ThreadingTCPServer):
    """Answers each command as it is told to; keeps what it took."""

    daemon_threads = True

    def __init__(self, answers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.answers = USUAL | answers
        self.taken: list[bytes] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """One that hung up is no fault of the test."""


class _Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.answer("")
        while line := self.rfile.readline():
            command = line.split()[0].decode().upper().removesuffix(":")
            self.answer(command)
            if command == "DATA" and self.server.answers["DATA"].startswith("354"):
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.taken.append(text)
                self.answer(".")

    def answer(self, command: str) -> None:
        answer = self.server.answers.get(command, "250 OK")
        if answer == "hang up":
            raise ConnectionAbortedError
        self.wfile.write(answer.encode() + b"\r\n")


# What a mail server says, and at which command; the first line of a talk has none.
FOR_GOOD = [
    ({"RCPT": "550 5.1.1 Nobody here by that name"}, "550: 5.1.1 Nobody here by that name"),
    ({"RCPT": "550 No such user"}, "550: No such user"),
    ({"RCPT": "551 Not here"}, "551: Not here"),
    ({"RCPT": "552-5.2.2 The mailbox\r\n552 5.2.2 is full"}, "552: 5.2.2 The mailbox"),
    ({"RCPT": "553 5.1.3 Not a name"}, "553: 5.1.3 Not a name"),
    ({"RCPT": "556 5.1.10 That host takes no mail"}, "556: 5.1.10 That host takes no mail"),
    ({"MAIL": "552 5.3.4 Too large"}, "552: 5.3.4 Too large"),
    ({"DATA": "554 5.5.1 No valid recipients"}, "554: 5.5.1 No valid recipients"),
    ({".": "550 5.7.1 Looks like spam"}, "550: 5.7.1 Looks like spam"),
    ({".": "552 5.3.4 Too large"}, "552: 5.3.4 Too large"),
    ({".": "554 5.6.0 Not well formed"}, "554: 5.6.0 Not well formed"),
]
MAY_PASS = [
    ({"": "421 Too busy"}, "421: Too busy"),
    ({"": "554 No mail service here"}, "554: No mail service here"),
    ({"": "hang up"}, "closed"),
    ({"EHLO": "550 Who?", "HELO": "550 Who?"}, "550: Who?"),
    ({"AUTH": "535 5.7.8 Wrong password"}, "535: 5.7.8 Wrong password"),
    ({"AUTH": "550 5.7.1 This account is closed"}, "550: 5.7.1 This account is closed"),
    ({"EHLO": "250 mail.example"}, "AUTH"),
    ({"MAIL": "530 5.7.0 Log in first"}, "530: 5.7.0 Log in first"),
    ({"MAIL": "550 5.1.8 No such sender"}, "550: 5.1.8 No such sender"),
    ({"MAIL": "553 5.7.1 That sender is not yours"}, "553: 5.7.1 That sender is not yours"),
    ({"MAIL": "452 4.3.1 Disk full"}, "452: 4.3.1 Disk full"),
    ({"RCPT": "421 Closing"}, "421: Closing"),
    ({"RCPT": "450 4.2.1 Come back later"}, "450: 4.2.1 Come back later"),
    ({"RCPT": "452 4.2.2 Full"}, "452: 4.2.2 Full"),
    ({"RCPT": "503 5.5.1 Log in first"}, "503: 5.5.1 Log in first"),
    ({"RCPT": "530 5.7.0 Log in first"}, "530: 5.7.0 Log in first"),
    ({"RCPT": "550 5.1.7 Bad sender"}, "550: 5.1.7 Bad sender"),
    ({"RCPT": "554 5.7.1 Relay access denied"}, "554: 5.7.1 Relay access denied"),
    ({"RCPT": "hang up"}, "closed"),
    ({"DATA": "451 Not now"}, "451: Not now"),
    ({"DATA": "hang up"}, "closed"),
    ({".": "451 4.3.0 Not now"}, "451: 4.3.0 Not now"),
    ({".": "500 5.5.2 What?"}, "500: 5.5.2 What?"),
    ({".": "hang up"}, "closed"),
]


class MailServerMixin(SimpleTestCase):
    @contextmanager
    def mail_server(self, answers: dict[str, str]) -> Iterator[MailServer]:
        with MailServer(answers) as server:
            thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
            thread.start()
            with override_settings(
                EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
                EMAIL_HOST="127.0.0.1",
                EMAIL_PORT=server.server_address[1],
                EMAIL_HOST_USER="desk",
                EMAIL_HOST_PASSWORD="sesame",
                EMAIL_USE_TLS=False,
                EMAIL_USE_SSL=False,
                DEFAULT_FROM_EMAIL="desk@desk.example",
                SUPPORT_EMAIL="team@example.org",
            ):
                yield server
            server.shutdown()


class AnswerTests(MailServerMixin):
    def fault(self, answers: dict[str, str]) -> NotDelivered:
        body = {"subject": "Help", "text": "Hello", "html": "", "reply_to": ""}
        one = Delivery(kind="mail", public_id="abc", to="aki@desk.example", body=body)
        with self.mail_server(answers), self.assertRaises(NotDelivered) as caught:
            hand_over(one, timezone.now())
        return caught.exception

    def test_a_no_to_this_recipient_or_this_message_is_final(self) -> None:
        for answers, said in FOR_GOOD:
            with self.subTest(answers=answers):
                fault = self.fault(answers)
                self.assertIn(said, str(fault))
                self.assertTrue(fault.hopeless)

    def test_whatever_the_operator_or_time_can_mend_is_tried_again(self) -> None:
        for answers, said in MAY_PASS:
            with self.subTest(answers=answers):
                fault = self.fault(answers)
                self.assertIn(said, str(fault))
                self.assertFalse(fault.hopeless)


class WorkerTests(MailServerMixin, CastTestCase):
    """The same with rows: what the worker makes of it."""

    def mail(self, to: str = "aki@desk.example") -> Delivery:
        return Delivery.objects.mail(to=to, subject="Help", text="Hello")

    def deliver(self, at: datetime) -> None:
        with patch.object(timezone, "now", return_value=at):
            list(worker.deliver(at))

    def test_one_refused_for_good_is_given_up_at_once_and_can_be_tried_again_by_hand(self) -> None:
        made = self.mail()
        with self.mail_server({"RCPT": "550 5.1.1 No such user"}):
            self.deliver(timezone.now())
        made.refresh_from_db()
        self.assertEqual((made.state, made.tries), ("dead", 1))
        self.assertEqual(made.error, "The mail server said 550: 5.1.1 No such user")
        Delivery.objects.dead().retry(timezone.now())
        with self.mail_server({}) as server:
            self.deliver(timezone.now())
        made.refresh_from_db()
        self.assertEqual((made.state, len(server.taken)), ("done", 1))

    def test_mail_that_is_away_for_three_days_loses_nothing(self) -> None:
        began = at = timezone.now()
        made = [self.mail() for _each in range(3)]
        faults = [answers for answers, _said in MAY_PASS]
        looks = 0
        while at < began + timedelta(days=3):
            with self.mail_server(faults[looks % len(faults)]):
                self.deliver(at)
            self.assertEqual(Delivery.objects.filter(state="waiting").count(), 3)
            waiting = Delivery.objects.order_by("-next_try_at").values_list(
                "next_try_at", flat=True
            )
            at, looks = waiting[0], looks + 1
        self.assertGreater(looks, 30)
        with self.mail_server({}) as server:
            self.deliver(at)
        self.assertEqual(Delivery.objects.filter(state="done").count(), 3)
        ids = {message_from_bytes(text)["Message-ID"] for text in server.taken}
        self.assertEqual(ids, {f"<{each.public_id}@127.0.0.1>" for each in made})

    def test_a_visitor_is_answered_while_mail_is_away(self) -> None:
        session = self.start()
        form = {"message": "Please help.", "email": "anna@example.org"}
        with self.mail_server({"": "hang up"}):
            page = self.client.post(f"{session.url}person/", form, follow=True)
            self.deliver(timezone.now())
        self.assertContains(page, "We have your message")
        self.assertEqual(Delivery.objects.filter(state="waiting", tries=1).count(), 2)


class AttachmentTests(MailServerMixin, CastTestCase):
    def test_nothing_is_ever_attached_whatever_is_typed(self) -> None:
        """Look-alikes: parts of MIME, an attachment of old, the end of a mail, a second mail."""
        typed = "\n".join(
            (
                "--===============1==",
                'Content-Type: application/x-sh; name="run.sh"',
                'Content-Disposition: attachment; filename="run.sh"',
                "Content-Transfer-Encoding: base64",
                "",
                "cm0gLXJmIC8=",
                "--===============1==--",
                "begin 644 run.sh",
                "`",
                "end",
                "From evil@else.example Thu Mar  7 12:00:00 2026",
                ".",
                "MAIL FROM:<evil@else.example>",
                "=ybegin line=128 size=1 name=run.sh",
                "data:text/html;base64,PHNjcmlwdD4=",
            )
        )
        with self.mail_server({}) as server:
            escalation = ask(self.start(), typed, name="Anna")
            escalation.reply(make_staff("aki", "Agent"), typed)
            escalation.add(typed + " again")
            list(worker.deliver(timezone.now()))
        self.assertEqual(len(server.taken), 4)
        for wire in server.taken:
            mail = message_from_bytes(wire, _class=EmailMessage, policy=policy.default)
            self.assertEqual(list(mail.iter_attachments()), [])
            self.assertEqual(
                [part.get_content_type() for part in mail.walk()],
                ["multipart/alternative", "text/plain", "text/html"],
            )
            for part in mail.iter_parts():
                self.assertIsNone(part.get_filename())
                self.assertIsNone(part.get_content_disposition())
            self.assertEqual(mail.defects, [])
