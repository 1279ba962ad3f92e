"""The visitor's side of an escalation: the form in a session, and the page behind its link."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponse
from django.test import override_settings
from django.utils import timezone

from tests.base import CastTestCase, ask, make_staff, walk
from troubleshooter import tokens
from troubleshooter.models import Cure, Delivery, Edition, Escalation, Session, lines

HOSTILE = '<script>alert("1")</script>{{ 7|add:7 }}'


class AskingTestCase(CastTestCase):
    def setUp(self) -> None:
        cache.clear()

    def send(self, session: Session, **given: Any) -> Any:
        every = [line.text for line in lines(session)]
        form = {"message": "Please help.", "email": "anna@example.org", "send": every, **given}
        return self.client.post(f"{session.url}person/", form)


class FormTests(AskingTestCase):
    def test_it_shows_what_will_be_sent_and_whom_else_to_ask(self) -> None:
        session = walk(self.start("offline"), "not_fixed")
        html = unescape(self.client.get(f"{session.url}person/").content.decode())
        ticked = re.findall(r'name="send" value="([^"]*)" checked', html)
        self.assertEqual(ticked, [line.text for line in lines(session)])
        self.assertIn("Printer Support", html)
        self.assertIn("180 days after the matter is closed it is deleted", html)

    def test_without_javascript_it_leads_to_the_page_with_the_number(self) -> None:
        response = self.send(self.start())
        escalation = Escalation.objects.get()
        self.assertEqual((response.status_code, response["Location"]), (303, escalation.url))
        page = self.client.get(escalation.url)
        self.assertContains(page, escalation.spoken)
        self.assertContains(page, f"http://127.0.0.1:8000{escalation.url}")
        self.assertContains(page, "We have your message")

    def test_the_session_goes_on_and_can_still_be_resolved(self) -> None:
        session = self.start()
        self.send(session)
        page = self.client.get(Escalation.objects.get().url)
        self.assertContains(page, f'href="{session.url}"')
        self.assertContains(self.client.get(session.url, follow=True), "Did it help?")
        walk(Session.objects.get(), "fixed")
        self.assertEqual(Session.objects.get().status, "resolved")

    def test_faults_stand_at_their_fields_and_nothing_typed_is_lost(self) -> None:
        session = self.start()
        response = self.send(session, message="", email="anna@", name=HOSTILE, send=[])
        html = response.content.decode()
        self.assertEqual(response.status_code, 422)
        self.assertIn("Write what we can help you with.", html)
        self.assertIn("This is no whole address", html)
        self.assertIn('value="anna@"', html)
        self.assertNotIn("<script>alert", html)
        self.assertNotIn("checked", html)
        self.assertEqual(html.count('aria-invalid="true"'), 2)
        self.assertFalse(Escalation.objects.exists())

    def test_bad_characters_get_a_sentence(self) -> None:
        for field in ("message", "name", "phone", "email"):
            response = self.send(self.start(), **{field: "a\x00b"})
            self.assertEqual(response.status_code, 422, field)
        self.assertFalse(Escalation.objects.exists())

    def test_one_of_address_and_number_is_needed(self) -> None:
        response = self.send(self.start(), email="", phone="")
        self.assertContains(response, "Give an e-mail address or a phone number", status_code=422)

    @override_settings(SUPPORT_EMAIL="team@example.org")
    def test_an_address_that_no_mail_could_be_sent_to_is_refused_at_its_field(self) -> None:
        for email in (
            '"anna b"@example.org',
            '"<b>"@example.org',
            "anna@example.org, evil@else.example",
            "Anna <anna@example.org>",
            "anna@example.org\u2028Bcc: evil@else.example",
            "anna@example.org%0aBcc:evil@else.example",
        ):
            with self.subTest(email=email):
                response = self.send(self.start(), email=email)
                self.assertContains(response, 'id="id_email_wrong"', status_code=422)
        self.assertFalse(Delivery.objects.exists())

    def test_sent_twice_it_is_one(self) -> None:
        session = self.start()
        first, second = self.send(session), self.send(session)
        self.assertEqual(first["Location"], second["Location"])
        self.assertEqual(Escalation.objects.count(), 1)

    def test_a_robot_falls_into_the_trap_and_a_person_is_told(self) -> None:
        response = self.send(self.start(), website="https://pills.example")
        self.assertContains(response, "This field must stay empty", status_code=422)
        self.assertFalse(Escalation.objects.exists())

    def test_extra_fields_mean_nothing(self) -> None:
        self.send(self.start(), state="closed", reference="000000000", transcript="x", cure="fix")
        escalation = Escalation.objects.get()
        self.assertEqual((escalation.state, escalation.cure), ("new", ""))
        self.assertNotEqual(escalation.reference, "000000000")

    def test_limits_come_with_a_sentence_and_keep_what_was_typed(self) -> None:
        session = self.start()
        for nth in range(3):
            self.send(session, message=f"Help {nth}.")
        response = self.send(session, message="And again.")
        self.assertContains(response, "You have asked three times", status_code=429)
        self.assertContains(response, "And again.", status_code=429)
        for nth in range(6):
            self.assertEqual(self.send(self.start()).status_code, 303, nth)
        response = self.send(self.start(), message="The eleventh.")
        self.assertContains(response, "Too many messages came from your", status_code=429)
        self.assertContains(response, "The eleventh.", status_code=429)
        self.assertEqual(response["Retry-After"], "3600")

    def test_another_site_cannot_send_it(self) -> None:
        response = self.client.post(
            f"{self.start().url}person/",
            {"message": "x", "email": "a@example.org"},
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        self.assertEqual(response.status_code, 403)
        self.assertFalse(Escalation.objects.exists())

    def test_from_a_withdrawn_or_exhausted_session_too(self) -> None:
        exhausted, stopped = walk(self.start(), *["not_fixed"] * 4), self.start()
        self.assertContains(self.client.get(f"{exhausted.url}end/"), "Write to our team")
        self.send(exhausted)
        Edition.objects.withdraw(self.guide, "It can give a shock.")
        self.assertContains(self.client.get(f"{stopped.url}end/"), "Write to our team")
        self.send(stopped)
        self.assertEqual(Escalation.objects.count(), 2)

    def test_nobody_is_led_on_with_a_guide_that_was_withdrawn(self) -> None:
        session = self.start()
        escalation = ask(session)
        pages = (f"{session.url}person/", escalation.url)
        for page in pages:
            self.assertContains(self.client.get(page), "Go on where you were")
        Edition.objects.withdraw(self.guide, "It can give a shock.")
        for page in pages:
            response = self.client.get(page)
            self.assertNotContains(response, "Go on where you were")
            self.assertNotContains(response, "session stays open")

    def test_whoever_asked_before_finds_the_way_back(self) -> None:
        session, other = self.start(), self.start()
        escalation = ask(session)
        self.assertContains(self.client.get(f"{session.url}person/"), escalation.url)
        self.assertNotContains(self.client.get(f"{other.url}person/"), escalation.spoken)

    def test_it_takes_few_statements(self) -> None:
        session = self.start()
        with self.assertStatements(2):  # the session, and what was asked before
            self.client.get(f"{session.url}person/")


class PageTests(AskingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.session = walk(self.start(), "not_fixed")
        self.escalation = ask(self.session, HOSTILE, name="Anna")
        self.aki = make_staff("aki", "Agent")

    def page(self) -> str:
        return self.client.get(self.escalation.url).content.decode()

    def add(self, text: str, **headers: str) -> HttpResponse:
        response = self.client.post(self.escalation.url, {"text": text}, headers=headers)
        return HttpResponse(response.content, status=response.status_code)

    def test_it_sets_no_cookie_and_is_kept_by_nobody(self) -> None:
        response = self.client.get(self.escalation.url)
        self.assertFalse(response.cookies)
        self.assertEqual(response["X-Robots-Tag"], "noindex")
        self.assertEqual(response["Cache-Control"], "no-store")
        self.assertIn("Disallow: /e/", self.client.get("/robots.txt").content.decode())

    def test_forged_keys_open_nothing(self) -> None:
        other = ask(self.start(), "Mine.")
        swapped = other.reference + self.escalation.key[9:]
        as_session = tokens.session_key(self.escalation.reference.ljust(16, "0"))[:31]
        for key in (swapped, self.escalation.key[:-1] + "!", as_session, "0" * 31):
            self.assertEqual(self.client.get(f"/e/{key}/").status_code, 404, key)
            self.assertEqual(self.client.post(f"/e/{key}/", {"text": "x"}).status_code, 404)
        self.assertEqual(self.client.get(f"/s/{self.escalation.key}/").status_code, 404)
        self.assertEqual(self.client.get(f"/e/{self.escalation.reference}/").status_code, 404)

    def test_another_visitors_link_shows_only_their_own(self) -> None:
        other = ask(self.start(), "Another matter.", name="Berta")
        html = self.client.get(other.url).content.decode()
        self.assertIn("Another matter.", html)
        self.assertNotIn(self.escalation.spoken, html)
        self.assertNotIn("7|add:7", html)

    def test_an_older_secret_still_opens_it(self) -> None:
        url = self.escalation.url
        with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[]):
            self.assertEqual(self.client.get(url).status_code, 404)
        with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            self.assertEqual(self.client.get(url).status_code, 200)

    def test_markup_is_shown_and_never_run(self) -> None:
        self.escalation.reply(self.aki, HOSTILE)
        self.add(HOSTILE + "2")
        html = self.page()
        self.assertNotIn("<script>alert", html)
        self.assertEqual(html.count("&lt;script&gt;alert"), 3)
        self.assertEqual(html.count("{{ 7|add:7 }}"), 3)

    def test_replies_are_there_and_notes_are_not(self) -> None:
        self.escalation.reply(self.aki, "Take the blue cable.")
        self.escalation.note(self.aki, "Third time this week.")
        self.escalation.assign(self.aki, None)
        html = self.page()
        self.assertIn("There is an answer for you", html)
        self.assertIn("Take the blue cable.", html)
        for inner in ("Third time", "Given back", "aki"):
            self.assertNotIn(inner, html)

    def test_times_are_what_they_say_they_are(self) -> None:
        self.escalation.add("More.")
        at = datetime(2026, 3, 7, 12, 30, tzinfo=UTC)
        Escalation.objects.update(opened_at=at)
        self.escalation.messages.update(at=at)
        with timezone.override("Asia/Tokyo"):
            self.assertEqual(self.page().count("7 March 2026, 12:30 (UTC)"), 2)
            person = self.client.get(f"{self.session.url}person/")
        self.assertContains(person, "7 March, 12:30 (UTC)")

    def test_each_state_has_its_words(self) -> None:
        self.escalation.assign(self.aki, self.aki)
        self.assertIn("Somebody is looking into it", self.page())
        self.escalation.close(self.aki, Cure.NOTHING)
        self.assertIn("This is closed", self.page())
        self.assertEqual(self.add("It is back.").status_code, 303)
        self.assertIn("Somebody is looking into it", self.page())
        self.assertIn("It is back.", self.page())

    def test_what_cannot_be_added_gets_a_sentence(self) -> None:
        for text, status in (("", 422), ("  \n ", 422), ("\x00", 422), ("a" * 4001, 422)):
            self.assertEqual(self.add(text).status_code, status)
        for nth in range(20):
            self.add(f"And {nth}.")
        response = self.add("And one more.")
        self.assertContains(response, "Wait a little", status_code=429)
        self.assertContains(response, "And one more.", status_code=429)
        self.assertEqual(self.escalation.messages.count(), 20)

    def test_another_site_cannot_add(self) -> None:
        response = self.add("Hello.", **{"Sec-Fetch-Site": "cross-site"})
        self.assertContains(response, "came from another site", status_code=403)
        self.assertEqual(self.escalation.messages.count(), 0)

    def test_when_it_is_forgotten_the_page_says_so(self) -> None:
        Escalation.objects.update(forgotten_at=timezone.now())
        for response in (
            self.client.get(self.escalation.url),
            self.client.post(self.escalation.url, {"text": "x"}),
        ):
            self.assertContains(response, "This page is gone", status_code=410)

    def test_when_the_session_has_ended_only_its_link_is_missing(self) -> None:
        Session.objects.update(last_answer_at=timezone.now() - timedelta(days=31))
        html = self.page()
        self.assertNotIn("/s/", html)
        self.assertIn("We have your message", html)

    def test_more_messages_take_no_more_statements(self) -> None:
        for nth in range(9):
            self.escalation.add(f"And {nth}.")
        with self.assertStatements(2):
            self.page()

    def test_a_get_writes_nothing(self) -> None:
        before = Delivery.objects.count(), str(Escalation.objects.values())
        self.page()
        self.assertEqual((Delivery.objects.count(), str(Escalation.objects.values())), before)
