"""The agents' desk: the queue, one escalation, and who may do what."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.base import CastTestCase, ask, make_staff, walk
from troubleshooter.admin import escalations
from troubleshooter.admin.escalations import TABS, in_tab
from troubleshooter.models import Cure, Delivery, Escalation, Fix, Message
from troubleshooter.templatetags.desk import escalations_new

QUEUE = reverse("admin:troubleshooter_escalation_changelist")
HOSTILE = '<script>alert("1")</script>{{ 7|add:7 }}'


class DeskTestCase(CastTestCase):
    """Aki and Bo are agents, Erin is an editor, Ada an administrator."""

    aki: User
    bo: User
    erin: User
    ada: User

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.aki, cls.bo = make_staff("aki", "Agent"), make_staff("bo", "Agent")
        cls.erin, cls.ada = make_staff("erin", "Editor"), make_staff("ada", "Administrator")

    def setUp(self) -> None:
        self.client.force_login(self.aki)

    def numbers(self, query: str = "") -> list[str]:
        page = self.client.get(QUEUE + query).context["page"]
        return [escalation.spoken for escalation in page]

    def one(self, escalation: Escalation) -> str:
        return reverse("admin:troubleshooter_escalation_change", args=[escalation.pk])

    def act(self, escalation: Escalation, act: str, **given: Any) -> Any:
        return self.client.post(self.one(escalation), {"act": act, **given})


class QueueTests(DeskTestCase):
    def test_each_stands_under_its_tab(self) -> None:
        new, mine, bos, waiting, closed, back = (ask(self.start(), f"Help {n}.") for n in range(6))
        mine.assign(self.aki, self.aki)
        bos.assign(self.bo, self.bo)
        waiting.reply(self.aki, "Take the blue cable.")
        closed.close(self.aki, Cure.NOTHING)
        back.assign(self.bo, self.bo)
        back.assign(self.bo, None)
        told = {
            "new": [new, back],
            "mine": [mine],
            "others": [bos],
            "waiting": [waiting],
            "closed": [closed],
        }
        self.assertEqual(set(told), set(TABS))
        tabs = self.client.get(QUEUE).context["tabs"]
        for tab, _label, count in tabs:
            with self.subTest(tab=tab):
                self.assertEqual(self.numbers(f"?tab={tab}"), [each.spoken for each in told[tab]])
                self.assertEqual(count, len(told[tab]))

    def test_the_front_page_tells_how_many_are_new(self) -> None:
        _new, mine, *closed = (ask(self.start(), f"Help {n}.") for n in range(4))
        mine.assign(self.aki, self.aki)
        for each in closed:
            each.close(self.aki, Cure.NOTHING)
        self.assertEqual(escalations_new(), 1)

    def test_none_is_under_no_tab(self) -> None:
        ask(self.start())
        for state in Escalation.State:
            for agent in (None, self.aki, self.bo):
                closed = state == Escalation.State.CLOSED
                Escalation.objects.update(
                    state=state,
                    assigned_to=agent,
                    closed_at=timezone.now() if closed else None,
                    cure=Cure.NOTHING if closed else "",
                )
                with self.subTest(state=state, agent=agent):
                    found = [
                        tab
                        for tab in TABS
                        if Escalation.objects.filter(in_tab(tab, self.aki)).exists()
                    ]
                    bos_new_one = state == Escalation.State.NEW and agent == self.bo
                    self.assertEqual(len(found), 0 if bos_new_one else 1)  # no verb makes that

    def test_whoever_waits_longest_comes_first(self) -> None:
        late, early = ask(self.start()), ask(self.start(), "Before.")
        Escalation.objects.filter(pk=early.pk).update(moved_at=timezone.now() - timedelta(hours=3))
        self.assertEqual(self.numbers(), [early.spoken, late.spoken])

    def test_search_finds_by_number_address_name_and_words(self) -> None:
        anna = ask(self.start(), "The tray is stuck.", name="Anna", phone="020 7946 0018")
        berta = ask(self.start(), "It smokes.", email="berta@example.org")
        berta.note(self.bo, "Third time this week.")
        berta.close(self.aki, Cure.NOTHING)
        for asked, found in (
            (anna.reference, [anna]),
            (anna.spoken, [anna]),
            (anna.spoken.replace(" ", "-"), [anna]),
            ("BERTA@", [berta]),
            ("anna", [anna]),
            ("stuck tray", [anna]),
            ("stuck smokes", []),
            ("third week", [berta]),
            ("7946", [anna]),
            ("%", []),
            ("' OR 1=1 --", []),
        ):
            with self.subTest(asked=asked):
                response = self.client.get(QUEUE, {"q": asked})
                page = response.context["page"]
                self.assertEqual(list(page), found)
        response = self.client.get(QUEUE, {"q": "\x00"})
        self.assertContains(response, "cannot be stored")
        self.assertEqual(self.client.get(QUEUE, {"q": "a" * 201}).status_code, 200)

    def test_strange_addresses_show_the_nearest_page(self) -> None:
        ask(self.start())
        for query in ("?tab=toast", "?page=99", "?page=-1", "?page=x", "?tab=closed&page=2"):
            self.assertEqual(self.client.get(QUEUE + query).status_code, 200, query)

    def test_more_of_everything_takes_no_more_statements(self) -> None:
        def statements(query: str) -> int:
            with CaptureQueriesContext(connection) as captured:
                self.client.get(QUEUE + query)
            return len(captured)

        ask(self.start())
        self.client.get(QUEUE)
        before = statements(""), statements("?q=help")
        for nth in range(escalations.A_PAGE + 5):
            each = ask(self.start(), f"Help {nth}.")
            each.add("More.")
        self.assertEqual((statements(""), statements("?q=help")), before)
        self.assertEqual(len(self.numbers()), escalations.A_PAGE)
        self.assertEqual(len(self.numbers("?page=2")), 6)

    def test_the_front_page_says_how_many_are_new(self) -> None:
        ask(self.start()), ask(self.start(), "Two.")
        ask(self.start(), "Three.").assign(self.aki, self.aki)
        self.assertContains(self.client.get("/admin/"), "Escalations: 2 are new")

    def test_what_is_forgotten_is_not_there(self) -> None:
        escalation = ask(self.start())
        Escalation.objects.update(forgotten_at=timezone.now())
        self.assertEqual(self.numbers(), [])
        self.assertEqual(self.client.get(self.one(escalation)).status_code, 404)


class OneTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        session = walk(self.start("offline"), "not_fixed", "cant_find")
        self.escalation = ask(session, HOSTILE, name=HOSTILE[:80])

    def stored(self) -> Escalation:
        return Escalation.objects.get(pk=self.escalation.pk)

    def test_it_shows_what_was_written_beside_what_was_tried(self) -> None:
        html = self.client.get(self.one(self.escalation)).content.decode()
        self.assertIn("Restart the computer: Still broken", html)
        self.assertIn("anna@example.org", html)
        self.assertIn('<span lang="en" dir="ltr">English</span>', html)
        self.assertNotIn("<script>alert", html)
        self.assertEqual(len(re.findall("<h1[ >]", html)), 1)

    def test_it_shows_no_line_that_the_visitor_kept(self) -> None:
        session = walk(self.start("offline"), "not_fixed")
        other = ask(session, "Help.", send=[])
        html = self.client.get(self.one(other)).content.decode()
        self.assertIn("They sent none.", html)
        self.assertNotIn("Still broken", html)
        self.assertNotIn("It says offline", html)
        self.assertNotIn(session.public_id, html)

    def test_a_reply_goes_out(self) -> None:
        response = self.act(self.escalation, "reply", **{"reply-text": "Take the blue cable."})
        self.assertContains(self.client.get(response["Location"]), "on its way to anna@")
        self.assertIn("blue cable", Delivery.objects.order_by("-pk")[0].body["text"])
        self.assertEqual(self.stored().state, "waiting")

    def test_without_an_address_it_says_to_call(self) -> None:
        other = ask(self.start(), email="", phone="020 7946 0018")
        self.assertContains(self.client.get(self.one(other)), "call 020 7946 0018")
        self.act(other, "reply", **{"reply-text": "We will call."})
        self.assertContains(self.client.get(self.one(other)), "please call them")

    def test_a_note_is_written_and_nothing_leaves(self) -> None:
        before = Delivery.objects.count()
        self.act(self.escalation, "note", **{"note-text": "Third time."})
        self.assertEqual(self.escalation.messages.get().kind, Message.Kind.NOTE)
        self.assertEqual(Delivery.objects.count(), before)

    def test_it_is_taken_given_and_given_back(self) -> None:
        self.act(self.escalation, "take")
        self.assertEqual(self.stored().assigned_to, self.aki)
        self.act(self.escalation, "assign", to=self.bo.pk)
        self.assertEqual(self.stored().assigned_to, self.bo)
        self.act(self.escalation, "assign", to="")
        self.assertIsNone(self.stored().assigned_to)

    def test_it_is_given_only_to_those_who_answer(self) -> None:
        for to in (self.erin.pk, 0, "x"):
            with self.subTest(to=to):
                response = self.act(self.escalation, "assign", to=to)
                self.assertContains(response, "not one of the available choices")
        self.assertContains(self.act(self.escalation, "assign", to="\x00"), "Null characters")
        self.assertIsNone(self.stored().assigned_to)

    def test_closing_credits_a_fix_of_the_guide(self) -> None:
        response = self.act(self.escalation, "close", cure="fix", fix="cable")
        self.assertRedirects(response, QUEUE, fetch_redirect_response=False)
        self.assertContains(self.client.get(QUEUE), "Closed. The numbers know what fixed it.")
        self.assertEqual((self.stored().cure, self.stored().fix_key), ("fix", "cable"))
        self.assertContains(self.client.get(self.one(self.escalation)), "“Check the cable”")

    def test_closing_when_nobody_knows_credits_no_fix(self) -> None:
        response = self.act(self.escalation, "close", cure="nothing", fix="cable")
        self.assertRedirects(response, QUEUE, fetch_redirect_response=False)
        self.assertContains(self.client.get(QUEUE), "Closed. The numbers credit no fix.")
        self.assertEqual((self.stored().cure, self.stored().fix_key), ("nothing", ""))

    def test_closing_with_a_new_fix_opens_its_draft(self) -> None:
        self.act(self.escalation, "reply", **{"reply-text": "Clean it\n\nWipe the contacts."})
        response = self.act(self.escalation, "close", cure="new")
        fix = Fix.objects.get(title="Clean it")
        self.assertRedirects(response, reverse("admin:troubleshooter_fix_change", args=[fix.pk]))
        self.assertEqual(fix.steps.get().text, "Wipe the contacts.")

    def test_what_cannot_be_gets_a_sentence_and_changes_nothing(self) -> None:
        for act, given, said in (
            ("reply", {"reply-text": " "}, "Write something first."),
            ("reply", {"reply-text": "a\x00"}, "Null characters are not allowed"),
            ("note", {"note-text": ""}, "Write something first."),
            ("close", {}, "Say what fixed it"),
            ("close", {"cure": "toast"}, "not one of the available choices"),
            ("close", {"cure": "fix"}, "Choose which fix"),
            ("close", {"cure": "fix", "fix": "toner"}, "not one of the available choices"),
            ("close", {"cure": "new"}, "Write a reply first"),
            ("reopen", {}, "It is open already."),
        ):
            with self.subTest(act=act, given=given):
                self.assertContains(self.act(self.escalation, act, **given), said)
        self.assertEqual(self.act(self.escalation, "toast").status_code, 302)
        self.assertEqual((self.stored().state, self.escalation.messages.count()), ("new", 0))

    def test_a_closed_one_offers_only_to_open_it_and_notes(self) -> None:
        self.escalation.close(self.aki, Cure.NOTHING)
        html = self.client.get(self.one(self.escalation)).content.decode()
        self.assertEqual(
            re.findall('name="act" value="([a-z]*)"', html), ["keep", "note", "reopen"]
        )
        self.act(self.escalation, "reopen")
        self.assertEqual(self.stored().state, "open")

    def test_it_says_when_the_visitor_resolved_it_meanwhile(self) -> None:
        walk(self.escalation.session, "fixed")
        response = self.client.get(self.one(self.escalation))
        self.assertContains(response, "The visitor says that “Update the driver” fixed it.")

    def test_more_messages_take_no_more_statements(self) -> None:
        def statements() -> int:
            with CaptureQueriesContext(connection) as captured:
                self.client.get(self.one(self.escalation))
            return len(captured)

        self.escalation.note(self.aki, "One.")
        self.client.get(self.one(self.escalation))
        before = statements()
        for nth in range(9):
            self.escalation.note(self.bo, f"And {nth}.")
        self.assertEqual(statements(), before)

    def test_an_address_that_is_none_is_not_found(self) -> None:
        for pk in ("0", "x", "9" * 30, "٣"):
            url = f"/admin/troubleshooter/escalation/{pk}/change/"
            self.assertEqual(self.client.get(url).status_code, 404, pk)


class TypedTests(DeskTestCase):
    """What an agent typed stays on the page, whatever is pressed, until it is sent."""

    REPLY, NOTE = "Take <b>the</b> blue cable.", "Third time & counting."

    def setUp(self) -> None:
        super().setUp()
        self.escalation = ask(self.start())

    def press(self, act: str, **given: Any) -> Any:
        typed = {"reply-text": self.REPLY, "note-text": self.NOTE, "to": ""}
        return self.act(self.escalation, act, **typed | given)

    def kept(self, response: Any) -> dict[str, str]:
        """What is in the fields of the page, by the name of each."""
        found = re.findall(r'<textarea name="([a-z-]+)"[^>]*>\n([^<]*)<', response.content.decode())
        return {name: unescape(text) for name, text in found}

    def test_it_stays_when_something_else_is_done(self) -> None:
        both = {"reply-text": self.REPLY, "note-text": self.NOTE}
        for act, given in (
            ("keep", {}),
            ("take", {}),
            ("assign", {"to": self.bo.pk}),
            ("close", {"cure": "nothing"}),
            ("reopen", {}),
            ("toast", {}),
        ):
            with self.subTest(act=act):
                self.assertEqual(self.kept(self.press(act, **given)), both)
        said = [message.text for message in self.escalation.messages.all()]
        self.assertEqual(len(said), 4)  # taken, given, closed, opened: all of it was done
        self.assertFalse({self.REPLY, self.NOTE} & {*said})

    def test_of_two_texts_the_one_that_was_sent_goes(self) -> None:
        self.assertEqual(self.kept(self.press("reply")), {"reply-text": "", "note-text": self.NOTE})
        self.assertEqual(self.kept(self.press("note")), {"reply-text": self.REPLY, "note-text": ""})

    def test_it_stays_when_something_else_is_refused(self) -> None:
        both = {"reply-text": self.REPLY, "note-text": self.NOTE}
        for act, given, changed in (
            ("reply", {"reply-text": " "}, {"reply-text": " "}),
            ("note", {"note-text": ""}, {"note-text": ""}),
            ("assign", {"to": self.erin.pk}, {}),
            ("close", {"cure": "fix"}, {}),
            ("close", {"cure": "new"}, {}),
            ("reopen", {}, {}),
        ):
            with self.subTest(act=act, given=given):
                response = self.press(act, **given)
                self.assertEqual(response.status_code, 200)
                self.assertEqual(self.kept(response), both | changed)

    def test_a_colleague_closes_it_meanwhile_and_the_reply_can_be_sent_later(self) -> None:
        self.escalation.close(self.bo, Cure.NOTHING)
        both = {"reply-text": self.REPLY, "note-text": self.NOTE}
        for act in ("reply", "take", "assign", "close"):
            with self.subTest(act=act):
                response = self.press(act, cure="nothing")
                self.assertContains(response, "It is closed. Open it again first.")
                self.assertContains(response, "Open it again to send it.")
                self.assertNotContains(response, "Send the reply")
                self.assertEqual(self.kept(response), both)
        self.assertEqual(self.kept(self.press("reopen")), both)
        self.assertEqual(self.press("reply").status_code, 200)
        self.assertTrue(self.escalation.messages.filter(text=self.REPLY).exists())

    def test_what_fixed_it_stays_chosen(self) -> None:
        chosen = {"cure": "fix", "fix": "cable"}
        response = self.act(self.escalation, "reply", **{"reply-text": self.REPLY}, **chosen)
        html = response.content.decode()
        self.assertRegex(html, r'<option value="cable" selected>')
        self.assertEqual(re.findall(r'name="cure" value="([a-z]+)"[^>]* checked', html), ["fix"])

    def test_closing_with_a_new_fix_leads_to_its_draft_when_something_stays(self) -> None:
        self.press("reply", **{"reply-text": "Clean it"})
        response = self.press("close", cure="new")
        fix = Fix.objects.get(title="Clean it")
        draft = reverse("admin:troubleshooter_fix_change", args=[fix.pk])
        self.assertContains(response, f'<a href="{draft}">Clean it</a>')
        self.assertContains(response, "The draft “Clean it” is made of your reply")
        self.assertEqual(self.kept(response)["reply-text"], self.REPLY)

    def test_when_nothing_stays_the_page_is_asked_for_anew(self) -> None:
        for act, given in (("take", {"reply-text": " ", "note-text": ""}), ("keep", {})):
            with self.subTest(act=act):
                response = self.act(self.escalation, act, **given)
                self.assertRedirects(response, self.one(self.escalation))

    def test_every_field_and_button_is_in_one_form(self) -> None:
        self.assertEqual(self.page_forms(), 1)
        self.escalation.close(self.aki, Cure.NOTHING)
        self.assertEqual(self.page_forms(), 1)

    def page_forms(self) -> int:
        """How many forms of the page hold a button that does something to the escalation."""
        html = self.client.get(self.one(self.escalation)).content.decode()
        return sum('name="act"' in form for form in html.split("<form")[1:])


class RoleTests(DeskTestCase):
    def test_who_may_look_and_who_may_work(self) -> None:
        escalation = ask(self.start())
        visitor = User.objects.create_user("visitor")
        unknown = User.objects.create_user("new", is_staff=True)
        for user, look, work in (
            (self.aki, 200, 302),
            (self.ada, 200, 302),
            (self.erin, 200, 403),
            (unknown, 403, 403),
            (visitor, 302, 302),
            (None, 302, 302),
        ):
            with self.subTest(user=user):
                client = Client()
                if user:
                    client.force_login(user)
                before = escalation.messages.count()
                self.assertEqual(client.get(QUEUE).status_code, look)
                response = client.get(self.one(escalation))
                self.assertEqual(response.status_code, look)
                offered = re.findall('name="act" value', response.content.decode())
                works = user in (self.aki, self.ada)
                self.assertEqual(bool(offered), works)
                note = {"act": "note", "note-text": f"By {user}."}
                self.assertEqual(client.post(self.one(escalation), note).status_code, work)
                self.assertEqual(escalation.messages.count(), before + works)

    def test_nobody_adds_or_deletes_one(self) -> None:
        escalation = ask(self.start())
        root = User.objects.create_superuser("root")
        for user in (self.aki, self.ada, root):
            self.client.force_login(user)
            for page in ("add", f"{escalation.pk}/delete"):
                url = f"/admin/troubleshooter/escalation/{page}/"
                self.assertEqual(self.client.post(url, {"post": "yes"}).status_code, 403, url)
            delete = {"action": "delete_selected", "_selected_action": [escalation.pk]}
            self.client.post(QUEUE, {**delete, "post": "yes"})
        self.assertTrue(Escalation.objects.exists())

    def test_forms_need_their_token(self) -> None:
        escalation = ask(self.start())
        client = Client(enforce_csrf_checks=True)
        client.force_login(self.aki)
        self.assertEqual(client.post(self.one(escalation), {"act": "take"}).status_code, 403)
