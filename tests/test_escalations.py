"""Escalations: what the verbs do, what leaves the house, and what never does."""

import json
import re
from datetime import timedelta
from io import StringIO
from unittest import mock

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.db.models import ProtectedError
from django.test import SimpleTestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from tests.base import CastTestCase, ask, make_staff, walk
from troubleshooter import tokens
from troubleshooter.models import (
    CannotMove,
    Cure,
    Delivery,
    Escalation,
    Fix,
    Message,
    TooMany,
    Webhook,
    escalations,
    lines,
)

TEAM = override_settings(SUPPORT_EMAIL="team@example.org")
HOUR = timedelta(hours=1)


def mails() -> list[Delivery]:
    return list(Delivery.objects.filter(kind="mail").order_by("pk"))


class ReferenceTests(SimpleTestCase):
    def test_it_is_nine_figures_whatever_chance_says(self) -> None:
        for random in (bytes(9), b"\xff" * 9, b"123456789"):
            reference = tokens.reference(random)
            self.assertRegex(reference, r"\A[0-9]{9}\Z")

    def test_it_is_found_as_people_type_it(self) -> None:
        for typed in ("482913607", "482 913 607", "482-913-607", "٤٨٢٩١٣٦٠٧", "４８２９１３６０７"):
            self.assertEqual(tokens.typed_reference(typed), "482913607", typed)

    def test_what_only_looks_like_one_is_none(self) -> None:
        for typed in ("48291360", "4829136070", "482 913 6O7", "48²913607", "l82913607", "", "½"):
            self.assertEqual(tokens.typed_reference(typed), "", typed)

    def test_its_key_opens_it_and_no_other_does(self) -> None:
        key = tokens.escalation_key("482913607")
        self.assertEqual(tokens.open_escalation_key(key), "482913607")
        same_bytes = "482913607" + tokens.session_key("482913607")[9:]
        others = (key[:-1], key[:-1] + "!", "482913608" + key[9:], key.upper(), key + "a")
        for forged in (*others, same_bytes, "482913607", "", "４" + key[1:]):
            self.assertIsNone(tokens.open_escalation_key(forged), forged)


class OpenTests(CastTestCase):
    def test_it_holds_what_was_tried_and_the_session_stays_open(self) -> None:
        session = walk(self.start("offline"), "not_fixed", "cant_find")
        escalation = ask(session, name="Anna", phone="+44 20 7946 0018")
        escalation.refresh_from_db()
        self.assertEqual(
            [line.text for line in escalation.lines],
            [
                "The printer is offline",
                "Symptom: It says offline",
                f"Started: {session.started_at:%Y-%m-%d %H:%M} UTC",
                "Restart the computer: Still broken",
                "Check the cable: Skipped (I can’t find it)",
                "Update the driver: not answered yet",
            ],
        )
        self.assertEqual((escalation.state, escalation.name), ("new", "Anna"))
        walk(session, "fixed")
        self.assertEqual(session.status, "resolved")

    def test_lines_that_were_left_out_are_nowhere_in_the_row(self) -> None:
        session = walk(self.start("offline"), "not_fixed")
        every = [line.text for line in lines(session)]
        kept = [text for text in every if "Restart" not in text and "Symptom" not in text]
        ask(session, send=kept)
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM troubleshooter_escalation")
            row = str(cursor.fetchall())
            cursor.execute("SELECT * FROM troubleshooter_delivery")
            row += str(cursor.fetchall())
        self.assertIn("Check the cable", row)
        for left_out in ("Restart", "restart", "Symptom", "offline\\", "It says offline"):
            self.assertNotIn(left_out, row)

    def test_nothing_can_be_put_into_the_transcript(self) -> None:
        escalation = ask(self.start(), send=["Reset the printer: Still broken", "<b>"])
        self.assertEqual(escalation.lines, [])

    def test_sent_twice_it_is_one(self) -> None:
        session = self.start()
        first = ask(session)
        self.assertEqual(ask(session), first)
        self.assertEqual(Delivery.objects.count(), 1)  # the receipt
        self.assertNotEqual(ask(session, "Something else."), first)

    def test_a_way_to_answer_is_needed(self) -> None:
        session = self.start()
        with self.assertRaisesMessage(ValidationError, "an e-mail address or a phone number"):
            ask(session, email="")
        ask(session, email="", phone="020 7946 0018")

    def test_bad_words_are_refused_and_nothing_is_saved(self) -> None:
        session = self.start()
        for given in (
            {"email": "a@example.org, b@example.org"},
            {"email": "a@example.org\nBcc: all@example.org"},
            {"email": "anna"},
            {"phone": "call me"},
            {"phone": "12"},
            {"name": "A\x00"},
            {"name": "A" * 81},
            {"message": ""},
            {"message": "a" * 4001},
            {"message": "\x00"},
        ):
            with self.subTest(given=given), self.assertRaises(ValidationError):
                ask(session, **{"message": "Help.", **given})
        self.assertFalse(Escalation.objects.exists())
        self.assertFalse(Delivery.objects.exists())

    def test_three_in_an_hour_are_enough_for_a_session(self) -> None:
        session = self.start()
        for nth in range(3):
            ask(session, f"Help {nth}.")
        with self.assertRaisesMessage(TooMany, "three times"):
            ask(session, "Help again.")
        self.assertEqual(Escalation.objects.count(), 3)
        ask(self.start())
        Escalation.objects.update(opened_at=timezone.now() - HOUR)
        ask(session, "An hour later.")

    def test_two_never_have_the_same_number(self) -> None:
        taken = ask(self.start()).reference
        with mock.patch.object(tokens, "reference", side_effect=[taken, taken, "000000001"]):
            self.assertEqual(ask(self.start()).spoken, "000 000 001")

    def test_a_session_with_one_stays(self) -> None:
        session = self.start()
        ask(session)
        with self.assertRaises(ProtectedError):
            session.delete()


@TEAM
class LetterTests(CastTestCase):
    HOSTILE = "<b>Anna</b> %(reference)s {{ 7 }}\u2028Bcc: all@example.org"

    def test_the_team_and_the_visitor_get_a_mail(self) -> None:
        escalation = ask(self.start())
        to_team, to_visitor = mails()
        self.assertEqual((to_team.to, to_visitor.to), ("team@example.org", "anna@example.org"))
        desk = reverse("admin:troubleshooter_escalation_change", args=[escalation.pk])
        self.assertIn(desk, to_team.body["text"])
        self.assertIn(escalation.url, to_visitor.body["text"])
        self.assertIn(escalation.spoken, to_visitor.body["subject"])
        self.assertEqual(to_visitor.body["reply_to"], "team@example.org")
        self.assertEqual(to_team.body["reply_to"], "anna@example.org")

    def test_subjects_hold_nothing_that_was_typed_and_texts_are_no_markup(self) -> None:
        escalation = ask(self.start(), self.HOSTILE, name=self.HOSTILE)
        escalation.reply(make_staff("aki", "Agent"), self.HOSTILE)
        escalation.add(self.HOSTILE)
        for mail in mails():
            with self.subTest(subject=mail.body["subject"]):
                self.assertRegex(mail.body["subject"], r"\A[A-Za-z ]+ \(\d{3} \d{3} \d{3}\)\Z")
                self.assertNotIn("<b>", mail.body["html"])
                links = re.findall(r'href="([^"]+)"', mail.body["html"])
                self.assertEqual(len(links), 1)
                self.assertRegex(links[0], r"^http://[^/]+/(e|admin/troubleshooter/escalation)/")
        self.assertIn("<b>Anna</b> %(reference)s {{ 7 }}", mails()[0].body["text"])

    def test_a_stranger_gets_no_word_of_the_visitor(self) -> None:
        ask(self.start(), "Buy my pills", name="Pills", email="stranger@example.org")
        [receipt] = Delivery.objects.filter(to="stranger@example.org")
        self.assertNotIn("ills", str(receipt.body))

    def test_nobody_is_pestered_with_receipts(self) -> None:
        for _nth in range(5):
            ask(self.start())
        self.assertEqual(Delivery.objects.filter(to="anna@example.org").count(), 3)

    def test_copies_that_leave_the_house_hold_no_address_but_to_answer_to(self) -> None:
        Webhook.objects.create(name="Tickets", url="https://tickets.example/hook")
        escalation = ask(self.start(), name="Anna", phone="020 7946 0018")
        told = Delivery.objects.exclude(to="anna@example.org")
        self.assertEqual({each.kind for each in told}, {"mail", "webhook"})
        for delivery in told:
            said = json.dumps({**delivery.body, "reply_to": ""})
            for personal in ("anna@", "Anna", "7946"):
                self.assertNotIn(personal, said)
        [hook] = told.filter(kind="webhook")
        self.assertEqual(hook.body["data"]["reference"], escalation.reference)
        self.assertEqual(hook.body["data"]["guide"], "printer")
        self.assertNotIn("Please help me", str(hook.body))

    def test_when_it_rains_escalations_their_mails_wait(self) -> None:
        with mock.patch.object(escalations, "MOST_MAILED", 1):
            ask(self.start())
            ask(self.start(), "Another.", email="berta@example.org")
        soon = timezone.now() + HOUR / 2
        self.assertEqual(Delivery.objects.filter(next_try_at__lt=soon).count(), 2)
        self.assertEqual(Delivery.objects.filter(next_try_at__gt=soon).count(), 2)
        self.assertEqual(Escalation.objects.count(), 2)

    def test_without_an_address_nobody_is_mailed(self) -> None:
        with override_settings(SUPPORT_EMAIL=""):
            escalation = ask(self.start(), email="", phone="020 7946 0018")
            escalation.reply(make_staff("aki", "Agent"), "We will call.")
            escalation.add("Thank you.")
        self.assertEqual(mails(), [])


class DeskVerbTests(CastTestCase):
    aki: User
    bo: User

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.aki, cls.bo = make_staff("aki", "Agent"), make_staff("bo", "Agent")

    def setUp(self) -> None:
        self.escalation = ask(walk(self.start(), "not_fixed", "cant_find"))

    def stored(self) -> Escalation:
        return Escalation.objects.get(pk=self.escalation.pk)

    def test_a_reply_is_mailed_and_waits_for_the_visitor(self) -> None:
        self.escalation.reply(self.aki, "Take the blue cable.")
        stored = self.stored()
        self.assertEqual((stored.state, stored.assigned_to), ("waiting", self.aki))
        self.assertIn("Take the blue cable.", mails()[-1].body["text"])
        first = stored.answered_at
        self.escalation.reply(self.bo, "Or the red one.")
        self.assertEqual((self.stored().answered_at, self.stored().assigned_to), (first, self.aki))

    def test_a_reply_sent_twice_is_mailed_once(self) -> None:
        for _nth in range(2):
            self.escalation.reply(self.aki, "Take the blue cable.")
        self.assertEqual(self.escalation.messages.count(), 1)
        self.assertEqual(len(mails()), 2)  # the receipt and the reply

    def test_a_note_stays_in_the_house(self) -> None:
        before = len(mails())
        self.escalation.note(self.aki, "Third time this week.")
        self.assertEqual(len(mails()), before)
        self.assertIsNone(self.stored().answered_at)
        self.assertEqual(self.stored().state, "new")

    def test_what_the_visitor_adds_brings_it_back_to_the_agent(self) -> None:
        self.aki.email = "aki@example.org"
        self.aki.save()
        self.escalation.reply(self.aki, "Take the blue cable.")
        self.escalation.add("There is none.")
        self.assertEqual(self.stored().state, "open")
        self.assertEqual(mails()[-1].to, "aki@example.org")

    @TEAM
    def test_an_agent_without_an_address_that_works_leaves_it_to_the_team(self) -> None:
        for address in ("", '"aki a"@example.org', "aki"):
            User.objects.filter(pk=self.aki.pk).update(email=address)
            escalation = ask(self.start())
            escalation.assign(self.aki, User.objects.get(pk=self.aki.pk))
            Delivery.objects.all().delete()
            escalation.add("It got worse.")
            self.assertEqual([mail.to for mail in mails()], ["team@example.org"])

    def test_what_is_added_before_anybody_took_it_leaves_it_new(self) -> None:
        self.escalation.add("It smokes.")
        self.assertEqual(self.stored().state, "new")

    def test_a_visitor_who_writes_on_and_on_is_asked_to_wait(self) -> None:
        for nth in range(20):
            self.escalation.add(f"And {nth}.")
        with self.assertRaisesMessage(TooMany, "Wait a little"):
            self.escalation.add("And one more.")

    def test_it_is_given_to_somebody_and_back(self) -> None:
        self.escalation.assign(self.bo, self.aki)
        self.assertEqual((self.stored().state, self.stored().assigned_to), ("open", self.aki))
        self.escalation.assign(self.aki, None)
        self.assertIsNone(self.stored().assigned_to)
        events = self.escalation.messages.filter(kind=Message.Kind.EVENT)
        self.assertEqual(
            list(events.values_list("text", "author__username")),
            [("Given to aki.", "bo"), ("Given back to all.", "aki")],
        )

    def test_closing_names_a_fix_of_the_guide(self) -> None:
        self.assertIsNone(self.escalation.close(self.aki, Cure.FIX, "cable"))
        stored = self.stored()
        self.assertEqual((stored.state, stored.cure, stored.fix_key), ("closed", "fix", "cable"))
        self.assertIsNotNone(stored.closed_at)

    def test_a_fix_of_another_guide_cannot_be_it(self) -> None:
        for key in ("", "toner", "__class__"):
            with self.assertRaises(CannotMove):
                self.escalation.close(self.aki, Cure.FIX, key)
        self.assertEqual(self.stored().state, "new")

    def test_a_new_fix_is_a_draft_made_of_the_last_reply(self) -> None:
        self.escalation.reply(self.aki, "No.")
        self.escalation.reply(self.aki, "Clean the contacts\n\nOpen the lid.\nWipe them dry.")
        fix = self.escalation.close(self.aki, Cure.NEW)
        assert fix
        self.assertEqual(fix.title, "Clean the contacts")
        self.assertEqual(
            [step.text for step in fix.steps.all()], ["Open the lid.", "Wipe them dry."]
        )
        self.assertFalse(fix.placements.exists())
        self.assertEqual(self.stored().fix_key, fix.key)

    def test_without_a_reply_there_is_nothing_to_make_a_fix_of(self) -> None:
        fixes = Fix.objects.count()
        with self.assertRaisesMessage(CannotMove, "Write a reply first"):
            self.escalation.close(self.aki, Cure.NEW)
        self.assertEqual((Fix.objects.count(), self.stored().state), (fixes, "new"))

    def test_of_two_who_close_it_the_first_is_right(self) -> None:
        other = self.stored()
        self.escalation.close(self.aki, Cure.FIX, "cable")
        for act in (
            lambda: other.close(self.bo, Cure.NOTHING),
            lambda: other.reply(self.bo, "Hello."),
            lambda: other.assign(self.bo, self.bo),
        ):
            with self.assertRaisesMessage(CannotMove, "It is closed"):
                act()
        self.assertEqual(self.stored().fix_key, "cable")

    def test_opened_again_nothing_fixed_it(self) -> None:
        with self.assertRaisesMessage(CannotMove, "open already"):
            self.escalation.reopen(self.aki)
        for again in (lambda: self.escalation.reopen(self.aki), lambda: self.escalation.add("No.")):
            self.escalation.close(self.aki, Cure.FIX, "cable")
            again()
            stored = self.stored()
            self.assertEqual(
                (stored.state, stored.cure, stored.fix_key, stored.closed_at),
                ("open", "", "", None),
            )

    def test_an_agent_who_goes_leaves_what_they_wrote(self) -> None:
        self.escalation.reply(self.aki, "Take the blue cable.")
        self.aki.delete()
        self.assertIsNone(self.stored().assigned_to)
        self.assertEqual(self.escalation.messages.get().text, "Take the blue cable.")


class ForgetTests(CastTestCase):
    def test_the_command_does_it_and_says_so(self) -> None:
        escalation = ask(self.start())
        escalation.close(make_staff("aki", "Agent"), Cure.NOTHING)
        told = ((0, "", "anna@example.org"), (181, "closed long ago are forgotten: 1.", ""))
        for days, said, address in told:
            Escalation.objects.update(closed_at=timezone.now() - timedelta(days=days))
            out = StringIO()
            call_command("worker", "--once", stdout=out)
            self.assertIn(said, out.getvalue())
            self.assertEqual(Escalation.objects.get().email, address)

    def test_long_after_closing_only_numbers_are_left(self) -> None:
        aki = make_staff("aki", "Agent")
        old, young, open_one = (ask(self.start(), name=f"Anna {n}") for n in "abc")
        for escalation in (old, young):
            escalation.reply(aki, "Take the blue cable.")
            escalation.close(aki, Cure.FIX, "cable")
        now = timezone.now()
        Escalation.objects.filter(pk=old.pk).update(closed_at=now - timedelta(days=180))
        Escalation.objects.filter(pk=open_one.pk).update(opened_at=now - timedelta(days=900))
        self.assertEqual(Escalation.objects.forget(now), 1)
        self.assertEqual(Escalation.objects.forget(now), 0)
        gone = Escalation.objects.get(pk=old.pk)
        self.assertEqual((gone.name, gone.email, gone.message, gone.transcript), ("", "", "", []))
        self.assertEqual((gone.cure, gone.fix_key, gone.messages.count()), ("fix", "cable", 0))
        for kept in (young, open_one):
            self.assertTrue(Escalation.objects.get(pk=kept.pk).name)
        with self.assertRaisesMessage(CannotMove, "is gone"):
            gone.add("Hello?")
