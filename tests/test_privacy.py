"""What is kept of one person: shown, and erased to the last byte."""

import json
import os
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path
from unittest import TestCase as PlainTestCase

from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from tests.base import CastTestCase, make_staff, walk
from troubleshooter.models import Delivery, Escalation

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
        self.assertIn("This would erase 1 escalations and 2 messages in the outbox.", said)
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


ASK = """
from troubleshooter.models import Edition, Escalation, Session
edition = Edition.objects.live().first()
session = Session.objects.start(edition, "")
Escalation.objects.open(session, message="Purple xylophone", email="anna.erased@example.org")
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
