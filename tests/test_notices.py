"""Notices: how one comes to stand, what visitors see of it, and what it pauses."""

import re
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.base import CastTestCase, make_staff, walk
from tests.test_sessions import again, clock
from tests.test_views import VisitorTestCase
from troubleshooter.flow import Outcome
from troubleshooter.management.commands import worker
from troubleshooter.models import (
    Attempt,
    CannotAnnounce,
    Edition,
    Guide,
    Kind,
    LogLine,
    Notice,
    Session,
    notice_on,
)
from troubleshooter.models.notices import LONGEST, TEXT_LIMIT, State
from troubleshooter.text import BadText

HOUR = timedelta(hours=1)
TEXT = "The maker's servers are down; see https://status.example/ for more."


class NoticeTestCase(CastTestCase):
    def announce(self, text: str = TEXT, **given: Any) -> Notice:
        return Notice.objects.announce(self.guide, text, by=None, **given)

    def states(self) -> list[str]:
        return list(Notice.objects.order_by("pk").values_list("state", flat=True))

    def log(self) -> list[str]:
        kinds = LogLine.objects.exclude(kind="published").order_by("pk")
        return list(kinds.values_list("kind", flat=True))


class VerbTests(NoticeTestCase):
    def test_what_is_announced_stands_and_is_in_the_log(self) -> None:
        erin = make_staff("erin", "Editor")
        made = Notice.objects.announce(self.guide, f"  {TEXT}\n", by=erin)
        self.assertEqual((made.text, made.state, made.announced_by), (TEXT, "standing", erin))
        self.assertEqual(notice_on(Guide.objects.get(), timezone.now()), made)
        line = LogLine.objects.get(kind="announced")
        self.assertEqual((line.by, line.reason, line.guide), (erin, TEXT, self.guide))

    def test_a_suggestion_is_seen_by_nobody_until_it_is_announced(self) -> None:
        suggested = Notice.objects.suggest(self.guide, "Many people have this problem.")
        assert suggested
        self.assertIsNone(notice_on(Guide.objects.get(), timezone.now()))
        made = self.announce()
        self.assertEqual((made.pk, made.made_at), (suggested.pk, suggested.made_at))
        self.assertEqual(self.states(), ["standing"])
        self.assertEqual(self.log(), ["suggested", "announced"])

    def test_there_is_one_suggestion_at_most_and_none_beside_a_notice(self) -> None:
        self.assertIsNotNone(Notice.objects.suggest(self.guide, "Many people came."))
        self.assertIsNone(Notice.objects.suggest(self.guide, "Many more came."))
        self.announce()
        self.assertIsNone(Notice.objects.suggest(self.guide, "Even more came."))
        self.assertEqual(Notice.objects.count(), 1)

    def test_a_second_notice_replaces_the_first(self) -> None:
        self.announce("First.")
        second = self.announce("Second.")
        self.assertEqual(self.states(), ["ended", "standing"])
        self.assertEqual(notice_on(Guide.objects.get(), timezone.now()), second)

    def test_it_ends_once(self) -> None:
        notice = self.announce()
        stale = Notice.objects.get()
        self.assertTrue(notice.end(by=None))
        self.assertFalse(stale.end(by=None))
        self.assertFalse(stale.dismiss(by=None))
        self.assertEqual((self.states(), self.log()), (["ended"], ["announced", "ended"]))
        self.assertIsNone(notice_on(Guide.objects.get(), timezone.now()))

    def test_a_dismissed_suggestion_never_stands(self) -> None:
        suggested = Notice.objects.suggest(self.guide, "Many people came.")
        assert suggested
        self.assertFalse(suggested.end(by=None))
        self.assertTrue(suggested.dismiss(by=None))
        self.assertEqual((self.states(), self.log()), (["dismissed"], ["suggested", "dismissed"]))
        self.announce()
        self.assertEqual(self.states(), ["dismissed", "standing"])

    def test_what_cannot_be_announced_is_refused_and_nothing_is_written(self) -> None:
        now = timezone.now()
        for text in ("", " \n\u200b", "\x00", "x" * (TEXT_LIMIT + 1)):
            with self.assertRaises(BadText):
                self.announce(text)
        for until, said in ((now - HOUR, "past"), (now + LONGEST + HOUR, "three months")):
            with self.assertRaisesMessage(CannotAnnounce, said):
                self.announce(until=until)
        self.assertEqual((self.states(), self.log()), ([], []))

    def test_its_end_holds_even_before_the_worker_comes(self) -> None:
        now = timezone.now()
        self.announce(until=now + HOUR)
        guide = Guide.objects.get()
        self.assertIsNotNone(notice_on(guide, now + HOUR - timedelta(seconds=1)))
        self.assertIsNone(notice_on(guide, now + HOUR))

    def test_the_worker_ends_what_is_due_and_says_so(self) -> None:
        now = timezone.now()
        self.announce(until=now + HOUR)
        self.assertEqual(list(worker.end_notices(now)), [])
        said = list(worker.end_notices(now + HOUR))
        self.assertEqual(said, ["“The printer is offline”: its notice ended, as planned."])
        self.assertEqual(list(worker.end_notices(now + HOUR)), [])
        self.assertEqual((self.states(), self.log()), (["ended"], ["announced", "ended"]))

    def test_the_database_lets_none_stand_elsewhere_or_twice(self) -> None:
        notice = self.announce()
        other = Guide.objects.create(topic=self.guide.topic, slug="jam", title="Jam")
        for wrong in (
            {"stands_on": other},
            {"stands_on": None},
            {"state": State.ENDED},
            {"announced_at": None},
        ):
            with self.assertRaises(IntegrityError), transaction.atomic():
                Notice.objects.filter(pk=notice.pk).update(**wrong)
        with self.assertRaises(IntegrityError), transaction.atomic():
            Notice.objects.create(
                guide=self.guide,
                stands_on=self.guide,
                state=State.STANDING,
                announced_at=timezone.now(),
            )

    def test_a_translation_has_a_notice_of_its_own(self) -> None:
        self.announce()
        other = Guide.objects.create(
            key="printer", language="de", topic=self.guide.topic, slug="drucker", title="Drucker"
        )
        self.assertIsNone(notice_on(other, timezone.now()))


class WalkTests(NoticeTestCase):
    def test_whatever_is_done_one_stands_at_most_and_each_move_is_logged_once(self) -> None:
        @examples(max_examples=40, deadline=None, database=None)
        @given(st.lists(st.sampled_from(["suggest", "announce", "end", "dismiss", "come late"])))
        def check(moves: list[str]) -> None:
            with transaction.atomic():
                self.check(moves)
                transaction.set_rollback(True)

        check()

    def check(self, moves: list[str]) -> None:
        suggested = standing = 0
        told: list[str] = []
        for move in moves:
            rows = list(Notice.objects.order_by("pk"))
            if move == "suggest":
                made = Notice.objects.suggest(self.guide, "Many came.")
                self.assertEqual(made is not None, not suggested and not standing)
                if made:
                    suggested, told = 1, [*told, "suggested"]
            elif move == "announce":
                self.announce()
                suggested, standing, told = 0, 1, [*told, "announced"]
            elif move == "end":
                self.assertEqual(sum(each.end(by=None) for each in rows), standing)
                standing, told = 0, told + ["ended"] * standing
            elif move == "dismiss":
                self.assertEqual(sum(each.dismiss(by=None) for each in rows), suggested)
                suggested, told = 0, told + ["dismissed"] * suggested
            else:  # the worker, when no end has come
                self.assertEqual(Notice.objects.end_due(timezone.now()), [])
            states = self.states()
            self.assertEqual(states.count("standing"), standing)
            self.assertEqual(states.count("suggested"), suggested)
            self.assertEqual(
                notice_on(Guide.objects.get(), timezone.now()) is not None, bool(standing)
            )
        self.assertEqual(self.log(), told)


class PauseTests(NoticeTestCase):
    def before_reset(self) -> Session:
        return again(walk(self.start(), "not_fixed", "not_fixed", "not_fixed"))

    def answer(self, session: Session, outcome: str, reason: str = "", seq: int = 4) -> Kind:
        session = again(session)
        return session.record(seq, "reset", Outcome(outcome), reason, agreed=True).kind

    def test_a_data_losing_fix_shown_since_takes_no_answer_but_a_skip(self) -> None:
        self.announce()
        session = self.before_reset()
        for outcome in ("fixed", "not_fixed"):
            self.assertEqual(self.answer(session, outcome), Kind.PAUSED)
        self.assertIsNone(Attempt.objects.get(seq=4).outcome)
        self.assertEqual(self.answer(session, "skipped", "afraid"), Kind.RECORDED)

    def test_it_is_offered_once_more_and_then_the_session_ends(self) -> None:
        self.announce()
        session = walk(self.before_reset(), "other", "other")
        self.assertEqual(session.status, "exhausted")

    def test_one_that_was_shown_before_still_takes_its_answer(self) -> None:
        session = self.before_reset()
        self.announce()
        self.assertEqual(self.answer(session, "fixed"), Kind.RECORDED)

    def test_other_fixes_go_on(self) -> None:
        self.announce()
        session = walk(self.start(), "not_fixed", "fixed")
        self.assertEqual(session.resolved_by, "restart")

    def test_a_notice_may_pause_nothing(self) -> None:
        self.announce(pauses=False)
        self.assertEqual(self.answer(self.before_reset(), "fixed"), Kind.RECORDED)

    def test_after_its_end_answers_count_again(self) -> None:
        notice = self.announce()
        session = self.before_reset()
        notice.end(by=None)
        self.assertEqual(self.answer(session, "not_fixed"), Kind.RECORDED)

    def test_other_words_do_not_end_the_pause(self) -> None:
        self.announce("First.")
        session = self.before_reset()
        self.announce("Second.")
        self.assertEqual(self.answer(session, "fixed"), Kind.PAUSED)

    def test_a_pause_that_was_over_does_not_come_back(self) -> None:
        now = timezone.now()
        self.announce("First.", until=now + HOUR)
        with clock(now + 2 * HOUR):
            session = self.before_reset()
        with clock(now + 3 * HOUR):
            self.announce("Second.")
            self.assertEqual(self.answer(session, "fixed"), Kind.RECORDED)

    def test_without_the_yes_the_pause_is_still_what_is_told(self) -> None:
        self.announce()
        session = self.before_reset()
        self.assertEqual(session.record(4, "reset", Outcome.FIXED).kind, Kind.PAUSED)


class PageTests(VisitorTestCase, NoticeTestCase):
    def setUp(self) -> None:
        cache.clear()

    def text(self, url: str) -> str:
        html = self.client.get(url).content.decode()
        return " ".join(re.sub(r"<[^>]*>", " ", html).split())

    def test_without_a_notice_no_page_speaks_of_one(self) -> None:
        session = self.start()
        for url in ("/g/printer-offline/", f"{session.url}cable/"):
            self.assertNotContains(self.client.get(url), "Known trouble")

    def test_the_guide_and_each_fix_tell_it_with_its_link(self) -> None:
        session = self.start()
        self.announce()
        for url in ("/g/printer-offline/", f"{session.url}cable/"):
            response = self.client.get(url)
            self.assertContains(response, "Known trouble")
            self.assertRegex(
                response.content.decode(), r"Announced \d+ \w+ 20\d\d, \d\d:\d\d \(UTC\)"
            )
            self.assertContains(response, "The maker&#x27;s servers are down")
            self.assertContains(response, 'href="https://status.example/"')

    def test_the_end_without_a_cure_tells_it_too(self) -> None:
        session = walk(self.start(), *["not_fixed"] * 4)
        self.announce()
        self.assertContains(self.client.get(f"{session.url}end/"), "Known trouble")

    def test_its_text_is_no_markup(self) -> None:
        self.announce("<script>alert(1)</script> javascript:alert(1)")
        html = self.client.get("/g/printer-offline/").content.decode()
        self.assertIn("&lt;script&gt;alert(1)", html)
        self.assertNotIn("<script>alert", html)
        self.assertNotIn('href="javascript', html)

    def test_it_costs_no_statement(self) -> None:
        session = self.start()
        self.announce()
        self.client.get("/g/printer-offline/")
        with self.assertStatements(1):
            self.assertContains(self.client.get("/g/printer-offline/"), "Known trouble")
        url = f"{session.url}cable/"
        with self.assertStatements(1):
            self.assertContains(self.client.get(url), "Known trouble")
        form = self.form(url) | {"outcome": "not_fixed"}
        with self.assertStatements(4):
            response = self.client.post(url, form, headers={"HX-Request": "true"})
        self.assertContains(response, "Known trouble")

    def test_a_paused_fix_says_why_and_is_not_explained(self) -> None:
        self.announce()
        session = walk(self.start(), *["not_fixed"] * 3)
        for query in ("", "?agree=yes"):
            said = self.text(f"{session.url}reset/{query}")
            self.assertIn("This fix is paused", said)
            self.assertIn("Skip it for now", said)
            for hidden in ("Hold the button", "I understand what will be lost", "It’s fixed"):
                self.assertNotIn(hidden, said)
        said = self.text("/g/printer-offline/")
        self.assertIn("we do not offer it while the trouble above lasts", said)
        html = self.client.get("/g/printer-offline/").content.decode()
        self.assertNotIn("Hold the button", html)  # nor in what search engines read
        self.assertIn("Choose Restart.", html)

    def test_a_notice_that_pauses_nothing_leaves_it_as_it_is(self) -> None:
        self.announce(pauses=False)
        session = walk(self.start(), *["not_fixed"] * 3)
        self.assertContains(self.client.get(f"{session.url}reset/?agree=yes"), "Hold the button")
        self.assertContains(self.client.get("/g/printer-offline/"), "Hold the button")

    def test_a_refused_answer_is_told_on_the_page_of_the_fix(self) -> None:
        self.announce()
        session = walk(self.start(), *["not_fixed"] * 3)
        url = f"{session.url}reset/"
        for headers in ({}, {"HX-Request": "true"}):
            form = {"seq": "4", "outcome": "fixed", "agree": "yes"}
            response = self.client.post(url, form, headers=headers)
            self.assertContains(response, "paused, so your answer was not saved", status_code=409)
            self.assertContains(response, "Known trouble", status_code=409)
        self.assertIsNone(Attempt.objects.get(seq=4).outcome)
        self.assertRedirects(self.answer(url, reason="other"), url, 303)
        self.assertIn("It is still paused: skip it once more", self.text(url))
        self.assertRedirects(self.answer(url, reason="other"), f"{session.url}end/", 303)

    def test_who_was_shown_it_before_can_say_what_came_of_it(self) -> None:
        session = walk(self.start(), *["not_fixed"] * 3)
        self.announce()
        url = f"{session.url}reset/"
        said = self.text(url)
        self.assertIn("If you did it already: did it help?", said)
        self.assertNotIn("Hold the button", said)
        self.assertRedirects(self.answer(url, outcome="fixed"), f"{session.url}end/", 303)

    def test_on_a_withdrawn_guide_a_paused_answer_leads_to_the_end(self) -> None:
        self.announce()
        session = walk(self.start(), *["not_fixed"] * 3)
        Edition.objects.withdraw(self.guide, "The button can break.")
        form = {"seq": "4", "outcome": "fixed", "agree": "yes"}
        response = self.client.post(f"{session.url}reset/", form)
        self.assertRedirects(response, f"{session.url}end/", 303)
