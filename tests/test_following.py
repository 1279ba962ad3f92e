"""The visitor's side of a follow-up: the form in a resolved session, the page behind the mail."""

import re
from datetime import timedelta
from html import unescape
from io import StringIO
from typing import Any

from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from tests.base import CastTestCase, ask, ask_later, walk
from troubleshooter import tokens
from troubleshooter.models import Answer, Delivery, Edition, FollowUp, Session

HTMX = {"HX-Request": "true"}
ANNA = "anna@example.org"


@override_settings(EMAIL_HOST="mail.example", DEFAULT_FROM_EMAIL="desk@example.org")
class FollowingTestCase(CastTestCase):
    session: Session

    def setUp(self) -> None:
        cache.clear()
        self.session = walk(self.start(), "fixed")

    def leave(self, session: Session | None = None, headers: Any = None, **given: str) -> Any:
        form = given or {"email": ANNA}
        return self.client.post(f"{(session or self.session).url}still/", form, headers=headers)

    def end(self) -> str:
        return unescape(self.client.get(f"{self.session.url}end/").content.decode())


class FormTests(FollowingTestCase):
    def test_it_says_why_it_asks_and_what_becomes_of_the_address(self) -> None:
        html = self.end()
        self.assertIn("May we ask you once whether it is still fixed?", html)
        self.assertIn("in 2 days we send you one message", html)
        self.assertIn("deleted when it has left; after 30 days in any case", html)

    def test_without_a_mail_server_nothing_is_promised(self) -> None:
        with override_settings(EMAIL_HOST=""):
            self.assertNotIn("ask you once", self.end())
            self.assertEqual(self.client.get(f"{self.session.url}still/").status_code, 303)
            self.assertContains(self.leave(), "cannot send mail", status_code=409)
        self.assertFalse(FollowUp.objects.exists())

    def test_only_a_resolved_session_has_it(self) -> None:
        for session in (self.start(), walk(self.start(), *["not_fixed"] * 4)):
            page = self.client.get(f"{session.url}still/", follow=True)
            self.assertNotContains(page, "ask you once")
            self.assertContains(self.leave(session), "not fixed yet", status_code=409)
        self.assertFalse(FollowUp.objects.exists())

    def test_without_javascript_it_leads_to_a_page_that_says_when(self) -> None:
        response = self.leave()
        self.assertEqual(response.status_code, 303)
        page = self.client.get(response["Location"])
        due = FollowUp.objects.get().due_at
        self.assertContains(page, f"Around {due.day} {due:%B %Y} we send one message to")
        self.assertContains(page, "a…@example.org")
        self.assertNotContains(page, ANNA)
        self.assertIn("we ask you once whether it is still fixed.", self.end())
        self.assertNotIn('name="email"', self.end())

    def test_with_javascript_it_is_answered_by_the_fragment(self) -> None:
        response = self.leave(headers=HTMX)
        self.assertEqual(response["HX-Push-Url"], f"{self.session.url}still/")
        self.assertNotContains(response, "<html")
        self.assertContains(response, "We will ask you once")

    def test_what_is_wrong_stands_at_the_field_and_nothing_typed_is_lost(self) -> None:
        for typed, said in (
            ("anna@", "This is no whole address"),
            ("", "Write your e-mail address first."),
            ("a@example.org, b@example.org", "This is no whole address"),
            ('"anna"@example.org', "This is not one e-mail address."),
            ("a\x00b@example.org", "Null characters are not allowed."),
            ("<script>@example.org", "This is no whole address"),
        ):
            with self.subTest(typed=typed):
                response = self.leave(email=typed)
                self.assertContains(response, said, status_code=422)
                self.assertNotIn("<script>@", response.content.decode())
        self.assertContains(self.leave(email="anna@"), 'value="anna@"', status_code=422)
        self.assertFalse(FollowUp.objects.exists())

    def test_a_robot_falls_into_the_trap_and_a_person_is_told(self) -> None:
        response = self.leave(email=ANNA, website="https://pills.example")
        self.assertContains(response, "This field must stay empty", status_code=422)
        self.assertFalse(FollowUp.objects.exists())

    def test_limits_come_with_a_sentence(self) -> None:
        for _nth in range(3):
            self.assertEqual(self.leave(walk(self.start(), "fixed")).status_code, 303)
        response = self.leave()
        self.assertContains(response, "Leave it again tomorrow.", status_code=429)
        for nth in range(6):
            session = walk(self.start(), "fixed")
            self.assertEqual(self.leave(session, email=f"a{nth}@example.org").status_code, 303)
        response = self.leave(email="eleventh@example.org")
        self.assertContains(response, "Too many addresses", status_code=429)
        self.assertContains(response, "eleventh@example.org", status_code=429)
        self.assertEqual(response["Retry-After"], "3600")

    def test_another_site_cannot_leave_an_address(self) -> None:
        response = self.leave(headers={"Sec-Fetch-Site": "cross-site"})
        self.assertEqual(response.status_code, 403)
        self.assertFalse(FollowUp.objects.exists())

    def test_the_visitor_can_take_it_back(self) -> None:
        self.leave()
        response = self.leave(headers=HTMX, stop="yes")
        self.assertContains(response, "We will not ask you")
        self.assertFalse(FollowUp.objects.exists())
        self.leave()
        response = self.leave(stop="yes")
        self.assertContains(self.client.get(response["Location"]), "We will not ask you")
        self.assertContains(self.client.get(self.leave()["Location"]), "We will ask you once")

    def test_once_it_was_sent_the_session_leads_to_the_question(self) -> None:
        asked = ask_later(self.session)
        self.assertIn("We asked you whether it is still fixed.", self.end())
        page = self.client.get(f"{self.session.url}still/")
        self.assertContains(page, f'href="{asked.url}"')
        self.assertContains(self.leave(email="b@example.org"), "only once", status_code=409)

    def test_it_takes_few_statements(self) -> None:
        with self.assertStatements(2):  # the session, and whether it will be asked about
            self.end()


class QuestionTests(FollowingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.asked = ask_later(self.session)

    def say(self, headers: Any = None, **given: str) -> Any:
        return self.client.post(self.asked.url, given, headers=headers)

    def buttons(self, html: str) -> list[str]:
        return re.findall(r'name="answer" value="(\w+)"', html)

    def test_the_link_opens_a_page_and_answers_nothing(self) -> None:
        before = str(FollowUp.objects.values())
        for answer in ("still", "back", "", "x"):
            for send in (self.client.get, self.client.head):
                self.assertEqual(send(f"{self.asked.url}?answer={answer}").status_code, 200)
        self.assertEqual(str(FollowUp.objects.values()), before)

    def test_both_buttons_are_there_and_the_one_of_the_link_comes_first(self) -> None:
        for query, order in (
            ("", ["still", "back"]),
            ("?answer=still", ["still", "back"]),
            ("?answer=back", ["back", "still"]),
        ):
            html = self.client.get(self.asked.url + query).content.decode()
            self.assertEqual(self.buttons(html), order)
            self.assertIn(f'class="button main" name="answer" value="{order[0]}"', html)
            self.assertIn("“Check the cable” fixed it", html)

    def test_a_button_answers_and_the_answer_can_be_changed(self) -> None:
        response = self.say(answer="still")
        self.assertEqual((response.status_code, response["Location"]), (303, self.asked.url))
        page = self.client.get(self.asked.url)
        self.assertContains(page, "Good: it lasts")
        self.assertEqual(self.buttons(page.content.decode()), ["back"])
        self.assertContains(self.say(HTMX, answer="back"), "sorry that it came back")
        self.assertEqual(FollowUp.objects.get().answer, "back")

    def test_what_is_no_answer_changes_nothing(self) -> None:
        for given in ({}, {"answer": "maybe"}, {"answer": "back\x00"}):
            self.assertEqual(self.say(**given).status_code, 422)
        self.assertEqual(FollowUp.objects.get().answer, "")

    def test_when_it_came_back_the_session_goes_on(self) -> None:
        self.say(answer="back")
        page = self.client.get(self.asked.url)
        self.assertContains(page, "See what is left to try")
        self.assertContains(page, f"{self.session.url}person/")
        response = self.say(go="yes")
        self.assertEqual(response["Location"], self.session.url)
        self.assertContains(self.client.get(self.session.url, follow=True), "Restart the computer")
        page = self.client.get(self.asked.url)
        self.assertContains(page, "Go on where you were")
        self.assertNotContains(page, "See what is left")

    def test_when_the_session_has_ended_it_leads_to_the_guide(self) -> None:
        self.say(answer="back")
        Session.objects.update(last_answer_at=timezone.now() - timedelta(days=31))
        page = self.client.get(self.asked.url)
        self.assertContains(page, "/g/printer-offline/")
        self.assertContains(page, "Printer Support")
        self.assertNotContains(page, "/s/")
        self.assertEqual(self.say(go="yes").status_code, 303)
        self.assertEqual(Session.objects.get().status, "resolved")

    def test_who_got_it_by_mistake_is_not_led_to_what_was_written_to_the_team(self) -> None:
        ask(self.session, "My name is in there.")
        self.say(answer="back")
        self.assertNotContains(self.client.get(self.asked.url), "/s/")
        self.assertEqual(self.say(go="yes")["Location"], self.asked.url)

    def test_forged_keys_open_nothing_and_no_key_opens_another_door(self) -> None:
        other = ask_later(walk(self.start(), "fixed"), "bert@example.org")
        key = self.asked.key
        swapped = other.session.public_id + key[16:]
        unsent = tokens.follow_up_key(walk(self.start(), "fixed").public_id)
        for wrong in (swapped, key[:-1] + "!", self.session.key, unsent, "0" * 38):
            self.assertEqual(self.client.get(f"/f/{wrong}/").status_code, 404, wrong)
            self.assertEqual(self.client.post(f"/f/{wrong}/", {"answer": "back"}).status_code, 404)
        self.assertEqual(self.client.get(f"/s/{key}/").status_code, 404)
        self.assertFalse(FollowUp.objects.exclude(answer="").exists())

    def test_an_older_secret_still_opens_it(self) -> None:
        url = self.asked.url
        with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[]):
            self.assertEqual(self.client.get(url).status_code, 404)
        with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            self.assertEqual(self.client.get(url).status_code, 200)

    def test_a_dead_link_says_so(self) -> None:
        FollowUp.objects.update(asked_at=timezone.now() - timedelta(days=31))
        for response in (self.client.get(self.asked.url), self.say(answer="still")):
            self.assertContains(response, "This link has ended", status_code=410)
            self.assertContains(response, "/g/printer-offline/", status_code=410)
        self.assertEqual(FollowUp.objects.get().answer, "")

    def test_another_site_cannot_answer(self) -> None:
        response = self.say({"Sec-Fetch-Site": "cross-site"}, answer="back")
        self.assertContains(response, "came from another site", status_code=403)
        self.assertEqual(FollowUp.objects.get().answer, "")

    def test_it_sets_no_cookie_is_kept_by_nobody_and_stays_out_of_logs_and_engines(self) -> None:
        response = self.client.get(self.asked.url)
        self.assertFalse(response.cookies)
        self.assertEqual(response["X-Robots-Tag"], "noindex")
        self.assertEqual(response["Cache-Control"], "no-store")
        self.assertContains(self.client.get("/robots.txt"), "Disallow: /f/")

    def test_it_speaks_the_visitors_language_whatever_the_edition_became(self) -> None:
        Session.objects.update(language="ar")
        page = self.client.get(self.asked.url)
        self.assertContains(page, '<html lang="ar" dir="rtl">')
        Edition.objects.withdraw(self.guide, "It can give a shock.")
        self.say(answer="back")
        self.assertNotContains(self.client.get(self.asked.url), "See what is left")

    def test_it_takes_few_statements(self) -> None:
        url = self.asked.url
        with self.assertStatements(2):  # the follow-up, and whether somebody wrote to the team
            self.client.get(url)


class WorkerTests(FollowingTestCase):
    def once(self) -> str:
        said = StringIO()
        call_command("worker", once=True, stdout=said)
        return said.getvalue()

    def due(self) -> None:
        """Three days go by."""
        ago = timezone.now() - timedelta(days=3)
        FollowUp.objects.update(asked_at=ago, due_at=ago + timedelta(days=2))
        self.session.attempts.update(shown_at=ago, answered_at=ago)

    def test_it_asks_once_in_the_look_in_which_it_is_due(self) -> None:
        self.leave()
        self.assertEqual(self.once(), "")
        self.due()
        said = self.once()
        self.assertIn("Follow-ups that were due are done: 1.", said)
        self.assertNotIn("anna", said)
        self.assertEqual([sent.to for sent in mail.outbox], [[ANNA]])
        self.assertEqual(self.once(), "")
        self.assertEqual((Delivery.objects.get().state, len(mail.outbox)), ("done", 1))
        self.assertNotIn(ANNA, str([*FollowUp.objects.values(), *Delivery.objects.values()]))

    def test_without_a_mail_server_it_waits_and_at_last_is_forgotten(self) -> None:
        self.leave()
        self.due()
        with override_settings(EMAIL_HOST=""):
            self.assertEqual(self.once(), "")
            FollowUp.objects.update(asked_at=timezone.now() - timedelta(days=30))
            self.assertEqual(self.once(), "Follow-ups of long ago are forgotten: 1.\n")
        self.assertEqual((self.once(), FollowUp.objects.get().email), ("", ""))

    def test_an_answer_is_kept_without_the_address(self) -> None:
        self.leave()
        self.due()
        self.once()
        [link, _other] = re.findall(r"http://127.0.0.1:8000(/f/\S+)", str(mail.outbox[0].body))
        self.client.post(link, {"answer": "still"})
        self.assertEqual(FollowUp.objects.get().answer, Answer.STILL)
