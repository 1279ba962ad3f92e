"""The staff's pages of numbers: who sees them, what they say, how they are paged."""

import re
from datetime import datetime, timedelta
from html import unescape

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from tests.base import CastTestCase, count, make_fix, walk
from troubleshooter import analytics
from troubleshooter.dashboards.base import nearest
from troubleshooter.dashboards.guide import PER_PAGE
from troubleshooter.flow import Outcome
from troubleshooter.models import Edition, Fix, Guide, Placement, Session, idle_for, outline

NUMBERS = reverse("numbers")
PRINTER = reverse("numbers_guide", args=["printer"])
GROUPS = reverse("numbers_groups", args=["printer"])
SESSIONS = reverse("numbers_sessions", args=["printer"])
BESIDE = reverse("numbers_beside", args=["printer"])
TABS = (PRINTER, GROUPS, SESSIONS, BESIDE)


class NumbersPageTestCase(CastTestCase):
    """Ada may view sessions; Sam is staff too, but may not; Vera is no staff at all."""

    ada: User
    sam: User
    vera: User

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.ada = User.objects.create_user("ada", password="ada", is_staff=True)
        cls.ada.user_permissions.add(
            Permission.objects.get(
                codename="view_session", content_type__app_label="troubleshooter"
            )
        )
        cls.sam = User.objects.create_user("sam", password="sam", is_staff=True)
        cls.vera = User.objects.create_user("vera", password="vera")
        cls.vera.user_permissions.set(cls.ada.user_permissions.all())

    def setUp(self) -> None:
        self.client.force_login(self.ada)

    def page(self, url: str) -> str:
        """A page, once the worker has counted."""
        count()
        return self.page_as_counted(url)

    def page_as_counted(self, url: str) -> str:
        response = self.client.get(url)
        self.assertEqual(response.status_code, 200)
        return response.content.decode()

    def text(self, url: str) -> str:
        """What a page says, in one line."""
        return in_words(self.page(url))

    def rows(self, url: str, caption: str) -> list[str]:
        """The rows of the table with this caption, cell after cell."""
        table = next(
            table
            for table in re.findall(r"<table.*?</table>", self.page(url), re.DOTALL)
            if caption in table
        )
        return [in_words(row) for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)]


def in_words(html: str) -> str:
    return " ".join(unescape(strip_tags(html.replace("<", " <"))).split())


class AccessTests(NumbersPageTestCase):
    def test_anonymous_visitors_are_asked_to_log_in(self) -> None:
        self.client.logout()
        for url in (NUMBERS, *TABS, reverse("numbers_guide", args=["toaster"])):
            with self.subTest(url=url):
                self.assertRedirects(self.client.get(url), f"{reverse('admin:login')}?next={url}")

    def test_users_who_are_no_staff_are_asked_to_log_in(self) -> None:
        self.client.force_login(self.vera)
        response = self.client.get(NUMBERS)
        url = f"{reverse('admin:login')}?next={NUMBERS}"
        self.assertRedirects(response, url, target_status_code=403)  # as staff, it says

    def test_staff_without_the_permission_are_told_so(self) -> None:
        self.client.force_login(self.sam)
        for url in (NUMBERS, *TABS):
            with self.subTest(url=url):
                response = self.client.get(url)
                self.assertContains(response, "may not see the numbers", status_code=403)
                self.assertNotContains(response, "The printer is offline", status_code=403)

    def test_staff_with_the_permission_see_them_and_no_cache_keeps_them(self) -> None:
        for url in (NUMBERS, *TABS):
            with self.subTest(url=url):
                response = self.client.get(url)
                self.assertContains(response, "The printer is offline")
                self.assertIn("no-store", response.headers["Cache-Control"])

    def test_an_unknown_guide_gets_a_sentence(self) -> None:
        response = self.client.get(reverse("numbers_guide", args=["toaster"]))
        self.assertContains(response, "There is no guide with the key “toaster”.", status_code=404)

    def test_nothing_can_be_posted(self) -> None:
        self.assertEqual(self.client.post(NUMBERS).status_code, 405)

    def test_pages_have_one_heading_and_nothing_inline(self) -> None:
        walk(self.start(), "fixed")
        for url in (NUMBERS, *TABS, f"{BESIDE}?b-platform=ios"):
            with self.subTest(url=url):
                html = self.page(url)
                self.assertEqual(html.count("<h1"), 1)
                self.assertNotRegex(html, r"<style|\sstyle=|<script(?![^>]*\bsrc=)|\son\w+=")


class NumbersTests(NumbersPageTestCase):
    CAPTION = "Sessions of each guide that started"

    def test_each_guide_has_a_row_and_a_link_and_the_last_row_sums_them(self) -> None:
        walk(self.start(), "fixed")
        walk(self.start(), *["not_fixed"] * 4)
        self.start()
        gone = walk(self.start(), *["not_fixed"] * 3)  # stands before the reset
        Session.objects.filter(pk=gone.pk).update(last_answer_at=timezone.now() - idle_for())
        other = Guide.objects.create(
            key="scanner",
            slug="scanner",
            topic=self.guide.topic,
            title="Scans are <b>blue",
            summary="…",
        )
        Placement.objects.create(guide=other, fix=Fix.objects.get(key="cable"), position=1)
        walk(Session.objects.start(Edition.objects.publish(other, by=None), ""), "fixed")
        Edition.objects.unpublish(other)
        line = "Sessions in each week, the last one last: " + ", ".join("0" * 11) + ","
        self.assertEqual(
            self.rows(NUMBERS, self.CAPTION),
            [
                "Guide Sessions Change Per week Confirmed Escalated Exhausted Assumed Left"
                " Under way",
                f"The printer is offline Printer 4 0 0 before {line} 4. 1 0 1 0 1 1",
                f"Scans are <b>blue Printer · not live 1 0 0 before {line} 1. 1 0 0 0 0 0",
                f"All guides 5 0 0 before {line} 5. 2 0 1 0 1 1",
            ],
        )
        self.assertContains(self.client.get(f"{NUMBERS}?period=all"), f'href="{PRINTER}"')

    def test_the_population_rule_is_on_both_pages(self) -> None:
        for url in (NUMBERS, PRINTER):
            with self.subTest(url=url):
                text = self.text(url)
                self.assertIn("Each session counts exactly once", text)
                self.assertIn("for 30 minutes nothing more was heard", text)
                for ending in analytics.Ending:
                    self.assertIn(f" {ending.label} ", text)

    def test_every_page_says_when_it_was_counted(self) -> None:
        guide, fix = (
            reverse("numbers_order", args=[self.guide.key]),
            reverse("numbers_fix", args=["cable"]),
        )
        others = (reverse("numbers_fixes"), reverse("numbers_escalations"))
        urls = (NUMBERS, *TABS, *others, guide, fix)
        now = timezone.now()
        for at, sentence in (
            (None, "Nothing has been counted yet"),
            (now, f"Counted at {timezone.localtime(now):%H:%M}."),
            (now - timedelta(minutes=10), "Counted at"),
            (now - timedelta(days=1), "Not everything has been counted since"),
        ):
            if at:
                count(at)
            for url in urls:
                with self.subTest(url=url, at=at):
                    self.assertIn(sentence, in_words(self.page_as_counted(url)))

    def test_a_desk_without_guides_says_so(self) -> None:
        Edition.objects.unpublish(self.guide)
        self.assertIn("Nothing to count yet.", self.text(NUMBERS))


class NumbersGuideTests(NumbersPageTestCase):
    ENDED, FIXES, SESSIONS = "All languages and editions", "Each fix in each", "newest first"

    def test_it_shows_how_sessions_ended(self) -> None:
        walk(self.start(), "fixed")
        walk(self.start(), "fixed")
        self.start()
        self.assertEqual(
            self.rows(PRINTER, self.ENDED)[1:],
            [
                "Confirmed 2 67 %",
                "Escalated 0 0 %",
                "Exhausted 0 0 %",
                "Assumed 0 0 %",
                "Left 0 0 %",
                "Under way 1 33 %",
                "All sessions 3",
            ],
        )

    def test_a_fix_shows_its_counts_and_its_rate_once_enough_tried_it(self) -> None:
        for answer in ("fixed", "fixed", "not_fixed", "not_fixed", "not_fixed", "afraid"):
            walk(self.start(), answer)
        session = walk(self.start(), "not_fixed", "fixed")
        session.record(1, "cable", Outcome.FIXED, change=True)  # it was the cable, after all
        self.start()
        self.assertEqual(
            self.rows(PRINTER, self.FIXES),
            [
                "Fix Resolved Rate when tried Durable Shown Fixed Not fixed No answer"
                " Went away Skipped, and why",
                # 3 of 6: Wilson's interval is 0.1876 to 0.8124
                "Check the cable revision 1 3 50 % 19 to 81 %, n = 6 not asked yet 8 3 3 1 0 1"
                " I’m afraid to lose data: 1",
                "Restart the computer revision 1 0 too few yet (n = 1) not asked yet 5 1 0 4 0 0",
                "Update the driver revision 1 0 not tried yet not asked yet 0 0 0 0 0 0",
                "Reset the printer revision 1 0 not tried yet not asked yet 0 0 0 0 0 0",
                "All confirmed sessions 3",
            ],
        )

    def test_old_revisions_and_fixes_taken_out_are_marked(self) -> None:
        walk(self.start(), "not_fixed", "fixed")
        self.guide.placements.filter(fix__key="cable").delete()
        Fix.objects.filter(key="restart").update(revision=2)
        Edition.objects.publish(Guide.objects.get(pk=self.guide.pk), by=None)
        rows = " ".join(self.rows(PRINTER, self.FIXES))
        self.assertIn("Restart the computer revision 2 0", rows)
        self.assertIn("Restart the computer revision 1, replaced by a later one 1", rows)
        self.assertIn("Check the cable revision 1, no longer in the guide 0", rows)

    def test_a_session_shows_its_path_and_never_its_key(self) -> None:
        session = Session.objects.start(self.edition, "offline", platform="ios")
        walk(session, "cant_find", "not_fixed")
        session.record(2, "cable", Outcome.FIXED, change=True)
        session.record(4, "cable", Outcome.NOT_FIXED, change=True)
        walk(session, "not_fixed", "fixed")  # the driver, and the restart, offered again
        Session.objects.update(started_at=timezone.make_aware(datetime(2026, 3, 7, 14, 5)))
        [_head, row] = self.rows(SESSIONS, "One session")
        self.assertEqual(
            row,
            f"7 Mar 2026 14:05 {session.public_id} Confirmed"
            " 1 Restart the computer: skipped (I can’t find it)"
            " 2 Check the cable: still broken"
            " 3 Update the driver: no answer"
            " 4 Check the cable (answer changed): fixed"
            " 5 Check the cable (answer changed): still broken"
            " 6 Update the driver (again): still broken"
            " 7 Restart the computer (again): fixed"
            " It says offline iPhone or iPad 1 English",
        )
        self.assertNotIn(session.key, self.page(SESSIONS))

    def test_texts_of_editors_are_escaped(self) -> None:
        Fix.objects.filter(key="cable").update(title="<script>alert(1)</script>")
        edition = Edition.objects.publish(Guide.objects.get(pk=self.guide.pk), by=None)
        walk(Session.objects.start(edition, ""), "not_fixed")
        self.assertNotIn("<script>alert", self.page(PRINTER))

    def test_a_guide_that_nobody_walked_says_so(self) -> None:
        self.assertIn("Nobody has walked this guide yet.", self.text(SESSIONS))

    def test_a_draft_says_that_it_was_not_published(self) -> None:
        Guide.objects.create(
            key="draft", slug="draft", topic=self.guide.topic, title="A draft", summary="…"
        )
        text = self.text(reverse("numbers_guide", args=["draft"]))
        self.assertIn("This guide has not been published yet.", text)


class PagingTests(NumbersPageTestCase):
    ids: list[str]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        now = timezone.now()
        cls.ids = []
        for nth in range(2 * PER_PAGE + 1):
            session = Session.objects.start(cls.edition, "")
            Session.objects.filter(pk=session.pk).update(started_at=now - timedelta(hours=nth))
            cls.ids.append(session.public_id)

    def listed(self, query: str) -> list[str]:
        return re.findall(r"<code>(\S+)</code>", self.page(SESSIONS + query))

    def test_sessions_come_in_pages_newest_first(self) -> None:
        self.assertEqual(self.listed(""), self.ids[:PER_PAGE])
        self.assertEqual(self.listed("?page=2"), self.ids[PER_PAGE : 2 * PER_PAGE])
        self.assertEqual(self.listed("?page=3"), self.ids[2 * PER_PAGE :])

    def test_a_page_that_is_not_there_gets_the_nearest(self) -> None:
        for asked, page in (("-7", 1), ("99999999999999999999", 3), ("two%00", 1)):
            with self.subTest(asked=asked):
                self.assertIn(f"Page {page} of 3", self.text(f"{SESSIONS}?page={asked}"))

    def test_any_number_of_a_page_is_understood(self) -> None:
        for asked, page in (("0", 1), ("2", 2), ("4", 3), ("", 1), ("1.5", 1), ("9" * 5000, 1)):
            with self.subTest(asked=asked[:40]):
                self.assertEqual(nearest(asked, 3), page)

    def test_pages_link_to_each_other(self) -> None:
        for page, linked in (("1", {"2", "3"}), ("2", {"1", "3"}), ("3", {"1", "2"})):
            with self.subTest(page=page):
                html = self.page(f"{SESSIONS}?page={page}")
                self.assertEqual(set(re.findall(r'href="\?page=(\d+)#', html)), linked)


class FilterTests(NumbersPageTestCase):
    """Somebody with a phone came in March, and another visitor now; all of it is counted once."""

    phone: Session
    other: Session

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        phone = Session.objects.start(cls.edition, "offline", platform="ios")
        cls.phone = walk(phone, "fixed")
        Session.objects.filter(pk=phone.pk).update(
            started_at=timezone.make_aware(datetime(2026, 3, 7, 23, 59))
        )
        cls.other = Session.objects.start(cls.edition, "unknown")
        count()

    def page(self, url: str) -> str:
        return self.page_as_counted(url)

    def listed(self, query: str) -> list[str]:
        return re.findall(r"<code>(\S+)</code>", self.page(f"{SESSIONS}?{query}"))

    def test_each_field_narrows_the_sessions_down(self) -> None:
        phone, other = [self.phone.public_id], [self.other.public_id]
        for query, left in (
            ("symptom=offline", phone),
            ("symptom=unknown", other),
            ("platform=ios", phone),
            ("from_day=2026-03-07&to_day=2026-03-07", phone),
            ("from_day=2026-03-08", other),
            ("to_day=2026-03-06", []),
            ("edition=1", other + phone),
            ("language=en&platform=ios&simulated=1", phone),
            ("arm=author", other + phone),
            ("arm=learned", []),
            ("symptom=&platform=&edition=&language=&from_day=&to_day=&simulated=", other + phone),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.listed(query), left)

    def test_it_reaches_every_table_and_the_page_says_so(self) -> None:
        url = f"{PRINTER}?platform=ios&symptom=offline&from_day=2026-03-07&edition=1"
        text = self.text(url)
        self.assertIn(
            "Only some sessions are counted. Symptom: It says offline · Platform: iPhone or iPad"
            " · Edition: 1 · Started from: 7 Mar 2026 ",
            text,
        )
        self.assertIn("All sessions 1", text)
        self.assertIn(
            "Restart the computer revision 1 1 too few yet (n = 1) not asked yet 1 1", text
        )
        self.assertIn("Check the cable revision 1 0 not tried yet not asked yet 0 0 0 0 0 0", text)
        self.assertIn("One session", self.text(url.replace(PRINTER, SESSIONS)))
        self.assertNotIn("Only some sessions", self.text(PRINTER))

    def test_a_filter_that_nothing_passes_says_so(self) -> None:
        self.assertIn("The filter lets no session through.", self.text(f"{SESSIONS}?platform=mac"))

    def test_what_cannot_be_is_left_out_with_a_sentence(self) -> None:
        both = [self.other.public_id, self.phone.public_id]
        for query, sentence in (
            ("symptom=%3Cb%3E", "This guide has no symptom with the key “<b>”, so it is left out."),
            ("platform=toaster", "“toaster” is no platform, so it is left out."),
            ("edition=2", "This guide has no edition “2”, so it is left out."),
            ("arm=toast", "“toast” is none of the orders, so it is left out."),
            ("edition=1.0", "This guide has no edition “1.0”"),
            (f"edition={'9' * 5000}", "This guide has no edition “9999"),
            ("language=de", "no edition in the language “de”, so it is left out."),
            ("from_day=yesterday", "That is no day like 2026-03-07, so it is left out."),
            ("from_day=2026-02-30", "That is no day"),
            ("from_day=0001-01-01", "That is no day"),
            ("to_day=9999-12-31", "That is no day"),
            ("to_day=%00", "That is no day"),
            ("simulated=perhaps", "“perhaps” is neither 1 nor empty"),
            ("from_day=2026-03-09&to_day=2026-03-06", "before the first, so it is left out."),
        ):
            with self.subTest(query=query[:60]):
                self.assertIn(sentence, self.text(f"{PRINTER}?{query}"))
                left = both[:1] if "-09" in query else both
                self.assertEqual(self.listed(query), left)

    def test_one_field_that_cannot_be_does_not_spoil_the_others(self) -> None:
        self.assertEqual(self.listed("edition=7&platform=ios"), [self.phone.public_id])

    def test_the_form_holds_what_was_asked(self) -> None:
        html = self.page(f"{PRINTER}?platform=ios&from_day=2026-03-07")
        self.assertInHTML('<option value="ios" selected>iPhone or iPad</option>', html)
        self.assertRegex(html, r'<input type="date" name="from_day" value="2026-03-07"')
        self.assertIn('<details class="numbers-filter" open>', html)
        self.assertIn('<details class="numbers-filter">', self.page(PRINTER))

    def test_the_links_between_pages_keep_it(self) -> None:
        for _nth in range(PER_PAGE):
            self.start()
        count()
        html = self.page(f"{SESSIONS}?symptom=unknown&edition=1&language=xx&page=1")
        self.assertIn('href="?symptom=unknown&amp;edition=1&amp;page=2#numbers-sessions"', html)


class QueryTests(NumbersPageTestCase):
    def statements(self, url: str) -> int:
        """How many statements a process takes that has not read any edition yet."""
        count()
        outline._kept.clear()
        with CaptureQueriesContext(connection) as captured:
            self.page_as_counted(url)
        return len(captured)

    def grow(self) -> None:
        """More of everything: sessions, attempts, fixes, editions, guides."""
        for nth in range(4):
            guide = Guide.objects.create(
                key=f"g{nth}", slug=f"g{nth}", topic=self.guide.topic, title=f"{nth}", summary="…"
            )
            for extra in (guide, self.guide):
                fix = make_fix(f"{extra.key}{nth}", f"Extra {nth}", "Do it.")
                Placement.objects.create(guide=extra, fix=fix, position=nth)
                edition = Edition.objects.publish(extra, by=None)
                self.idle_sessions(edition)

    def idle_sessions(self, edition: Edition) -> None:
        for answers in ((), ("not_fixed",), ("fixed",), ("cant_find", "not_fixed")):
            if len(answers) <= len(edition.reading.fixes):
                walk(Session.objects.start(edition, ""), *answers)
        Session.objects.update(last_answer_at=timezone.now() - 2 * idle_for())

    def test_no_page_takes_more_statements_when_everything_grows(self) -> None:
        self.idle_sessions(self.edition)
        urls = (NUMBERS, *TABS, f"{BESIDE}?a-edition=1&b-symptom=unknown")
        before = [self.statements(url) for url in urls]
        self.grow()
        self.assertEqual([self.statements(url) for url in urls], before)
        self.assertEqual(Edition.objects.count(), 9)

    def test_a_warm_process_reads_no_content(self) -> None:
        self.idle_sessions(self.edition)
        for url in (NUMBERS, *TABS):
            with self.subTest(url=url):
                self.page(url)
                with CaptureQueriesContext(connection) as captured:
                    self.page_as_counted(url)
                for query in captured.captured_queries:
                    self.assertNotIn('"content"', query["sql"])
