"""What is kept of one person: shown, and erased to the last byte."""

import json
import os
import subprocess
import sys
import tempfile
from datetime import timedelta
from io import StringIO
from pathlib import Path
from unittest import TestCase as PlainTestCase
from unittest import mock

from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from tests.base import CastTestCase, ask_later, make_staff, walk
from troubleshooter.management.commands import privacy
from troubleshooter.models import Delivery, Escalation, FollowUp

ANNA, BERT = "anna@example.org", "bert@example.org"


@override_settings(SUPPORT_EMAIL="team@example.org")
class PrivacyTests(CastTestCase):
    def setUp(self) -> None:
        self.anna = self.ask(ANNA, "My printer blinks.")
        self.bert = self.ask(BERT, "Mine smokes.")

    def ask(self, email: str, message: str) -> Escalation:
        session = walk(self.start(), "not_fixed")
        return Escalation.objects.open(session, message=message, email=email, name="Somebody")

    def run_it(self, *words: str) -> str:
        out = StringIO()
        call_command("privacy", *words, stdout=out)
        return out.getvalue()

    def test_a_person_gets_everything_that_is_kept_of_them(self) -> None:
        self.anna.reply(make_staff("aki", "Agent"), "Unplug it.")
        [told] = json.loads(self.run_it("export", "--email", "Anna@Example.org"))
        self.assertEqual((told["email"], told["message"]), (ANNA, "My printer blinks."))
        self.assertEqual([each["text"] for each in told["messages"]], ["Unplug it."])
        self.assertNotIn(BERT, json.dumps(told))

    def test_somebody_unknown_gets_an_empty_list(self) -> None:
        self.assertEqual(json.loads(self.run_it("export", "--email", "nobody@example.org")), [])

    def test_erasing_is_asked_for_twice(self) -> None:
        before = Delivery.objects.count()
        said = self.run_it("erase", "--email", ANNA)
        self.assertIn("1 escalations, 0 follow-ups and 2 messages in the outbox.", said)
        self.assertEqual(Delivery.objects.count(), before)
        self.assertEqual(Escalation.objects.get(pk=self.anna.pk).email, ANNA)

    def test_what_is_no_address_is_refused(self) -> None:
        with self.assertRaisesMessage(CommandError, "“anna” is no e-mail address."):
            self.run_it("erase", "--email", "anna", "--yes")

    def test_erasing_leaves_a_number_and_other_people_alone(self) -> None:
        self.anna.add("It still blinks.")
        self.assertEqual(Escalation.objects.erase(ANNA.upper(), timezone.now()), 1)
        gone, kept = Escalation.objects.get(pk=self.anna.pk), Escalation.objects.get(email=BERT)
        self.assertEqual((gone.name, gone.email, gone.message, gone.transcript), ("", "", "", []))
        self.assertFalse(gone.messages.exists())
        self.assertTrue(kept.message)
        left = json.dumps(list(Delivery.objects.values_list("to", "body")))
        for word in (ANNA, "blinks", self.anna.spoken):
            self.assertNotIn(word, left)
        self.assertIn("smokes", left)

    def test_follow_ups_are_told_and_erased_before_and_after_their_mail(self) -> None:
        waiting = FollowUp.objects.ask(walk(self.start(), "fixed"), ANNA)
        [_escalation, told] = json.loads(self.run_it("export", "--email", ANNA.upper()))
        self.assertEqual((told["kind"], told["email"], told["message"]), ("follow-up", ANNA, ""))
        written = ask_later(walk(self.start(), "not_fixed", "fixed"), ANNA)
        FollowUp.objects.ask(walk(self.start(), "fixed"), ANNA)
        bert = FollowUp.objects.ask(walk(self.start(), "fixed"), BERT)
        _escalation, first, second, last = json.loads(self.run_it("export", "--email", ANNA))
        self.assertIn("“Check the cable” fixed it", first["message"])
        self.assertIn(written.url, second["message"])
        self.assertEqual((second["email"], second["fix"]), (ANNA, "Restart the computer"))
        self.assertEqual((last["email"], last["message"]), (ANNA, ""))
        self.assertIn("3 follow-ups and 4 messages", self.run_it("erase", "--email", ANNA))
        with mock.patch.object(privacy, "clean_file"):  # which a transaction of tests cannot do
            self.run_it("erase", "--email", ANNA, "--yes")
        self.assertEqual(json.loads(self.run_it("export", "--email", ANNA)), [])
        left = str([*FollowUp.objects.values(), *Delivery.objects.values()])
        self.assertNotIn(ANNA, left)
        self.assertNotIn(written.key, left)
        bert.refresh_from_db()
        self.assertEqual(bert.email, BERT)
        self.assertTrue(FollowUp.objects.get(pk=waiting.pk).forgotten_at)

    def test_once_it_was_delivered_nobody_can_tell_whose_it_was(self) -> None:
        FollowUp.objects.ask(walk(self.start(), "fixed"), "carla@example.org")
        FollowUp.objects.send(timezone.now() + timedelta(days=3), 1)
        Delivery.objects.get(to="carla@example.org").delivered(timezone.now())
        self.assertEqual(json.loads(self.run_it("export", "--email", "carla@example.org")), [])
        left = str([*FollowUp.objects.values(), *Delivery.objects.values()])
        self.assertNotIn("carla", left)


ASK = """
from datetime import timedelta
from django.utils import timezone
from troubleshooter.flow import Outcome
from troubleshooter.models import Edition, Escalation, FollowUp, Session
edition = Edition.objects.live().first()
session = Session.objects.start(edition, "")
Escalation.objects.open(session, message="Purple xylophone", email="anna.erased@example.org")
for nth in range(2):
    session = Session.objects.start(edition, "")
    session.record(1, session.order[0], Outcome.FIXED)
    FollowUp.objects.ask(session, "anna.erased@example.org")
    if nth == 0:
        FollowUp.objects.send(timezone.now() + timedelta(days=3), 1)
assert FollowUp.objects.filter(delivery__to="anna.erased@example.org").count() == 1
assert FollowUp.objects.filter(email="anna.erased@example.org").count() == 1
"""


class BytesTests(PlainTestCase):
    def test_erased_words_are_not_in_the_file_any_more(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        unset = ("DATABASE_URL", "SITE_URL", "SECRET_KEY")
        env = {name: value for name, value in os.environ.items() if name not in unset}
        env |= {"VAR_DIR": str(folder), "SUPPORT_EMAIL": "team@example.org"}

        def manage(*words: str) -> None:
            subprocess.run(
                [sys.executable, "manage.py", *words],
                cwd=settings.BASE_DIR,
                env=env,
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

        def kept(word: str) -> int:
            files = [path for path in folder.rglob("*.sqlite3*") if path.is_file()]
            return sum(path.read_bytes().count(word.encode()) for path in files)

        manage("run", "--prepare-only")
        manage("shell", "-c", ASK)
        self.assertGreater(kept("Purple xylophone"), 0)
        manage("privacy", "erase", "--email", "anna.erased@example.org", "--yes")
        self.assertEqual((kept("Purple xylophone"), kept("anna.erased")), (0, 0))
        journals = [*folder.rglob("*-journal"), *folder.rglob("*-wal")]
        self.assertEqual([path for path in journals if path.stat().st_size], [])
