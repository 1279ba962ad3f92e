"""The tabs about one guide: what they say, draw and lead to."""

import json
import re
from datetime import datetime, timedelta
from unittest import TestCase as PlainTestCase

from django.urls import reverse
from django.utils import timezone

from tests.base import count, walk
from tests.test_dashboards import (
    BESIDE,
    GROUPS,
    PRINTER,
    SESSIONS,
    NumbersPageTestCase,
    in_words,
)
from tests.test_exports import read_csv
from troubleshooter.analytics import Quartiles, Span
from troubleshooter.dashboards import wording
from troubleshooter.models import Attempt, Edition, Fix, Guide, Session, idle_for


class WordingTests(PlainTestCase):
    def test_a_time_is_told_in_its_two_largest_units(self) -> None:
        for seconds, words in (
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (250, "4 min 10 s"),
            (3600, "1 h"),
            (3659, "1 h"),
            (7500, "2 h 5 min"),
            (86400, "1 d"),
            (86400 * 3 + 3600 * 4 + 59, "3 d 4 h"),
        ):
            with self.subTest(seconds=seconds):
                self.assertEqual(wording.duration(seconds), words)

    def test_quartiles_are_hidden_while_there_are_too_few(self) -> None:
        self.assertIsNone(wording.quartiles(None))
        self.assertIsNone(wording.quartiles(Quartiles(4, 1, 2, 3)))
        self.assertEqual(
            wording.quartiles(Quartiles(5, 1, 2, 63)),
            {"quick": "1 s", "median": "2 s", "slow": "1 min 3 s"},
        )

    def test_spans_have_an_end_unless_they_are_the_last(self) -> None:
        self.assertEqual(wording.span(Span(0, 60, 1)), "under 1 min")
        self.assertEqual(wording.span(Span(60, 120, 1)), "1 min to 2 min")
        self.assertEqual(wording.span(Span(86400, None, 1)), "1 d or longer")

    def test_a_difference_has_its_sign_unless_it_is_none(self) -> None:
        for share, words in ((0.072, "+7.2"), (-0.0313, "−3.1"), (-0.0004, "0.0"), (1.0, "+100.0")):
            self.assertEqual(wording.points(share), words)


class SummaryTests(NumbersPageTestCase):
    def setUp(self) -> None:
        super().setUp()
        for answer in ("fixed", "fixed", "not_fixed", "afraid", "fixed"):
            session = walk(self.start(), answer)
            Attempt.objects.filter(session=session, seq=1).update(
                shown_at=session.started_at, answered_at=session.started_at + timedelta(seconds=90)
            )

    def end_all(self) -> None:
        Session.objects.update(last_answer_at=timezone.now() - idle_for())

    def test_a_few_figures_come_first(self) -> None:
        text = self.text(PRINTER)
        self.assertIn("Sessions 5 2 under way Confirmed 3 too few for a share", text)
        self.assertIn("Time until it was fixed – too few yet", text)
        self.end_all()
        text = self.text(PRINTER)
        # 3 of 5: Wilson's interval is 0.2307 to 0.8824
        self.assertIn("Confirmed 60 % of 5 that ended (23 to 88 %)", text)
        self.assertIn("Went away on a fix 2 perhaps fixed: nobody said so Nothing helped 0", text)
        for _nth in range(2):
            walk(self.start(), "fixed")
        self.assertIn(
            "Time until it was fixed 1 min 27 s in the middle; half", text := self.text(PRINTER)
        )
        self.assertIn("Half of the confirmed sessions took at most 1 min 27 s", text)

    def test_every_place_has_its_line_and_its_bar(self) -> None:
        self.assertEqual(
            self.rows(PRINTER, "Sessions at each place"),
            [
                "Place Reached Fixed Not fixed Skipped Went away Under way Passed over Went on",
                "1 5 3 1 1 0 0 0 2 40 %",
                "2 2 0 0 0 0 2 0 0 0 %",
            ],
        )
        html = self.page(PRINTER)
        self.assertIn(
            'aria-label="Bars: 5 sessions were shown a first fix and 2 came to place 2.', html
        )
        self.assertInHTML('<rect class="fixed" x="0.0%" width="60.0%" height="100%" />', html)
        self.assertIn('fill="url(#numbers-not_fixed)"', html)
        self.assertIn('<pattern id="numbers-not_fixed"', html)

    def test_every_pattern_that_a_chart_uses_is_there(self) -> None:
        html = self.page(PRINTER)
        used = set(re.findall(r"url\(#(.*?)\)", html))
        self.assertEqual(used - set(re.findall(r'<pattern id="(.*?)"', html)), set())
        self.assertGreater(len(used), 2)

    def test_the_times_are_hidden_while_too_few_tried_a_fix(self) -> None:
        caption = "Each fix in each of its revisions, by the time"
        self.assertIn("Check the cable revision 1 too few yet 4", self.rows(PRINTER, caption))
        walk(self.start(), "not_fixed", "fixed")
        head, cable, *_others = self.rows(PRINTER, caption)
        self.assertEqual(head, "Fix A quarter Half Three quarters n")
        self.assertEqual(cable, "Check the cable revision 1 1 min 27 s 1 min 27 s 1 min 27 s 5")
        self.assertIn("Update the driver revision 1 not tried yet 0", self.rows(PRINTER, caption))

    def test_the_histogram_has_a_line_for_each_span(self) -> None:
        rows = self.rows(PRINTER, "Confirmed sessions by the time")
        self.assertEqual(rows[:3], ["Time Sessions", "under 1 min 0", "1 min to 2 min 3"])
        self.assertEqual(len(rows), 9)

    def test_each_day_says_which_fix_resolved_how_many(self) -> None:
        walk(self.start(), "not_fixed", "fixed")
        day = timezone.localdate().strftime("%-d %b %Y")
        self.assertEqual(
            self.rows(PRINTER, "Resolved sessions by the day")[1:],
            [f"{day} 4 Check the cable: 3 Restart the computer: 1"],
        )
        self.assertIn("A column of full height is 3 sessions.", self.text(PRINTER))
        self.assertIn(
            'aria-label="Columns for each day, a line for each fix: 4 resolved', self.page(PRINTER)
        )

    def test_days_too_old_for_the_page_are_in_the_file(self) -> None:
        old = timezone.make_aware(datetime(2020, 3, 7, 12))
        Session.objects.filter(status="resolved").update(started_at=old)
        self.assertIn("No session of these days was resolved.", self.text(PRINTER))
        url = reverse("export_guide", args=["printer", "days", "csv"])
        lines = read_csv(bytes(self.client.get(url).getvalue()).decode())
        self.assertEqual(lines[1:], [["2020-03-07", "cable", "Check the cable", "3"]])
        self.assertIn("Check the cable: 3", self.text(f"{PRINTER}?to_day=2020-04-01"))

    def test_a_filter_that_nothing_passes_leaves_a_whole_page(self) -> None:
        for query in ("?platform=mac", "?from_day=9000-01-01"):
            text = self.text(PRINTER + query)
            self.assertIn("No session was shown a fix.", text)
            self.assertIn("No session was resolved.", text)
            self.assertIn("No session of these days was resolved.", text)

    def test_the_tabs_and_the_contents_lead_on_with_the_filter(self) -> None:
        html = self.page(f"{PRINTER}?edition=1&platform=xx")
        for url in (PRINTER, GROUPS, SESSIONS):
            self.assertIn(f'href="{url}?edition=1"', html)
        self.assertIn(f'href="{BESIDE}?a-edition=1&amp;b-edition=1"', html)
        for tab in (PRINTER, GROUPS, SESSIONS, BESIDE):
            self.assertRegex(self.page(tab), f'href="{tab}" aria-current="page"')
        ids = set(re.findall(r'id="(numbers-[^"]+)"', html))
        for anchor in re.findall(r'href="#(.*?)"', html):
            if anchor.startswith("numbers-"):
                self.assertIn(anchor, ids)


class GroupsPageTests(NumbersPageTestCase):
    def test_each_group_leads_to_its_own_summary(self) -> None:
        for platform, answer in (*[("ios", "fixed")] * 3, *[("ios", "not_fixed")] * 2, ("", "x")):
            session = Session.objects.start(self.edition, "offline", platform=platform)
            walk(session, *([answer] if platform else []))
        Session.objects.update(last_answer_at=timezone.now() - idle_for())
        html = self.page(f"{GROUPS}?edition=1")
        tables = [in_words(table) for table in re.findall("<table.*?</table>", html, re.DOTALL)]
        tables = tables[-4:]  # before them is the menu of the admin
        # 3 of 5: Wilson's interval is 0.2307 to 0.8824
        self.assertIn("iPhone or iPad 5 60 % 23 to 88 %, n = 5 3 0 0 2 0 0", tables[1])
        self.assertIn("not known 1 too few yet (n = 1) 0 0 0 1 0 0", tables[1])
        self.assertIn("Edition Sessions Share confirmed", tables[2])
        for query in (
            "symptom=offline&amp;edition=1",
            "platform=ios&amp;edition=1",
            "edition=1&amp;language=en",
        ):
            fields = set(query.split("&amp;"))
            links = [set(link.split("&amp;")) for link in re.findall(r'href="[^"?]*\?(.*?)"', html)]
            self.assertIn(fields, links)

    def test_languages_have_the_names_their_speakers_give_them(self) -> None:
        walk(self.start(), "fixed")
        html = self.page(GROUPS)
        editions, languages = (in_words(table) for table in html.split("<table")[-2:])
        self.assertIn("1 English 1", editions)
        self.assertIn("English 1", languages)
        self.assertIn('<option value="en">English</option>', html)
        for url in (reverse("numbers"), reverse("numbers_fixes")):
            self.assertIn('<option value="de">Deutsch</option>', self.page(url), url)

    def test_no_session_has_no_groups(self) -> None:
        self.assertIn("There is no session to tell apart.", self.text(GROUPS))


class BesideTestCase(NumbersPageTestCase):
    def sessions(self, platform: str, *, fixed: int, broken: int) -> None:
        for answer in (*["fixed"] * fixed, *["not_fixed"] * broken):
            walk(Session.objects.start(self.edition, "", platform=platform), answer)
        Session.objects.update(last_answer_at=timezone.now() - idle_for())


class BesidePageTests(BesideTestCase):
    def test_two_equal_sides_are_asked_what_they_differ_in(self) -> None:
        for query in ("", "?a-platform=ios&b-platform=ios", "?a-platform=toaster"):
            text = self.text(BESIDE + query)
            self.assertIn("Both sides are the same so far", text)
            self.assertNotIn("All in all", text)
        self.assertIn("“toaster” is no platform, so it is left out.", text)

    def test_sides_that_can_be_told_apart_are(self) -> None:
        self.sessions("ios", fixed=3, broken=7)
        self.sessions("mac", fixed=9, broken=1)
        # Newcombe's second example: 0.1705 to 0.8090
        for query, sentence in (
            (
                "a-platform=ios&b-platform=mac",
                "More sessions are confirmed on side B: by +60.0 points (+17.1 to +80.9).",
            ),
            (
                "a-platform=mac&b-platform=ios",
                "Fewer sessions are confirmed on side B: by −60.0 points (−80.9 to −17.1).",
            ),
        ):
            self.assertIn(sentence, self.text(f"{BESIDE}?{query}"))
        rows = self.rows(f"{BESIDE}?a-platform=ios&b-platform=mac", "Shares of the sessions")
        self.assertEqual(
            rows,
            [
                "Of the sessions Side A Side B B above A, in points",
                "All sessions 10 10",
                "Under way 0 0",
                "Confirmed 30 % 11 to 60 %, n = 10 90 % 60 to 98 %, n = 10 +60.0 +17.1 to +80.9",
                "Escalated 0 % 0 to 28 %, n = 10 0 % 0 to 28 %, n = 10 0.0 −27.8 to +27.8",
                "Exhausted 0 % 0 to 28 %, n = 10 0 % 0 to 28 %, n = 10 0.0 −27.8 to +27.8",
                "Assumed 70 % 40 to 89 %, n = 10 10 % 2 to 40 %, n = 10 −60.0 −80.9 to −17.1",
                "Left 0 % 0 to 28 %, n = 10 0 % 0 to 28 %, n = 10 0.0 −27.8 to +27.8",
                "Median time to resolution too few yet 0 s",
                "Fixes tried, on average 1.0 1.0",
            ],
        )
        [_head, cable] = self.rows(f"{BESIDE}?a-platform=ios&b-platform=mac", "Each fix that")
        self.assertTrue(cable.startswith("Check the cable revision 1 30 % 11 to 60 %, n = 10 90 %"))
        self.assertTrue(cable.endswith("+60.0 +17.1 to +80.9"))

    def test_sides_that_cannot_be_told_apart_say_so(self) -> None:
        self.sessions("ios", fixed=5, broken=5)
        self.sessions("mac", fixed=6, broken=4)
        text = self.text(f"{BESIDE}?a-platform=ios&b-platform=mac")
        self.assertIn("The two sides cannot be told apart: the share", text)
        self.assertRegex(text, r"from −\d+\.\d to \+\d+\.\d points")

    def test_too_few_sessions_are_not_compared(self) -> None:
        self.sessions("ios", fixed=2, broken=2)
        self.sessions("mac", fixed=9, broken=1)
        text = self.text(f"{BESIDE}?a-platform=ios&b-platform=mac")
        self.assertIn("There are too few sessions to compare: on each side at least 5", text)
        self.assertIn("too few yet (n = 4)", text)

    def test_sides_that_share_sessions_are_not_compared(self) -> None:
        self.sessions("ios", fixed=5, broken=5)
        text = self.text(f"{BESIDE}?a-platform=ios")
        self.assertIn("Sessions that are on both sides: 10.", text)
        self.assertNotRegex(text, r"[+−]\d+\.\d")

    def test_both_sides_count_simulated_sessions_or_neither_does(self) -> None:
        self.sessions("ios", fixed=1, broken=0)
        Session.objects.update(channel=Session.SIMULATED)
        row = "All sessions 1 0"
        self.assertNotIn(row, self.text(f"{BESIDE}?a-platform=ios&b-platform=mac"))
        text = self.text(f"{BESIDE}?a-platform=ios&b-platform=mac&simulated=1")
        self.assertIn(row, text)
        self.assertIn("Side A Platform: iPhone or iPad Side B Platform: Mac", text)

    def test_the_form_holds_both_sides(self) -> None:
        html = self.page(f"{BESIDE}?a-platform=ios&b-from_day=2026-03-07")
        self.assertRegex(html, r'<select name="a-platform"[^>]*id="filter-a-platform"')
        self.assertRegex(html, r'name="b-from_day" value="2026-03-07"[^>]*id="filter-b-from_day"')
        self.assertEqual(html.count('name="simulated"'), 1)
        ids = re.findall(r' id="(.*?)"', html)
        self.assertEqual(len(ids), len(set(ids)))

    def test_ready_comparisons_keep_the_rest_of_the_filter(self) -> None:
        Fix.objects.filter(key="cable").update(title="Look at the cable")
        Edition.objects.publish(Guide.objects.get(pk=self.guide.pk), by=None)
        html = self.page(f"{PRINTER}?platform=ios&edition=1&simulated=1")
        links = re.findall(r'<li><a href="(/numbers/printer/beside/.*?)"', html)
        today = timezone.localdate()
        queries = [set(link.partition("?")[2].split("&amp;")) for link in links]
        yesterday = today - timedelta(days=1)
        periods = next(query for query in queries if f"b-to_day={yesterday}" in query)
        self.assertLessEqual(
            {f"b-from_day={today - timedelta(days=28)}", f"a-to_day={today - timedelta(days=29)}"},
            periods,
        )
        self.assertLessEqual({"a-platform=ios", "b-edition=1", "simulated=1"}, periods)
        editions = next(query for query in queries if "b-edition=2" in query)
        self.assertEqual(
            editions,
            {
                *("a-platform=ios", "b-platform=ios", "a-edition=1", "b-edition=2"),
                *("a-language=en", "b-language=en", "simulated=1"),
            },
        )


class BesideFilesTests(BesideTestCase):
    def file(self, table: str, form: str, query: str) -> str:
        url = reverse("export_beside", args=["printer", table, form])
        count()
        response = self.client.get(f"{url}?{query}")
        self.assertEqual(response.status_code, 200)
        return bytes(response.getvalue()).decode()

    def test_the_files_say_what_the_page_says(self) -> None:
        self.sessions("ios", fixed=3, broken=7)
        self.sessions("mac", fixed=9, broken=1)
        query = "a-platform=ios&b-platform=mac"
        rows = {row["measure"]: row for row in json.loads(self.file("endings", "json", query))}
        self.assertEqual(
            rows["confirmed"],
            {
                **{"measure": "confirmed", "a": 3, "b": 9},
                **{"a_rate": 0.3, "a_low": 0.1078, "a_high": 0.6032, "a_n": 10},
                **{"b_rate": 0.9, "b_low": 0.5958, "b_high": 0.9821, "b_n": 10},
                **{"difference": 0.6, "difference_low": 0.1705, "difference_high": 0.809},
            },
        )
        self.assertEqual((rows["fixes_tried"]["a"], rows["median_seconds"]["a"]), (1.0, None))
        self.assertEqual((rows["sessions"]["a"], len(rows)), (10, 9))
        head, cable = read_csv(self.file("fixes", "csv", query))
        row = dict(zip(head, cable, strict=True))
        self.assertEqual((row["key"], row["a_n"], row["difference"]), ("cable", "10", "0.6"))
        html = self.page(f"{BESIDE}?{query}")
        for table in ("endings", "fixes"):
            url = reverse("export_beside", args=["printer", table, "csv"])
            self.assertIn(f'href="{url}?a-platform=ios&amp;b-platform=mac"', html)

    def test_what_cannot_be_is_refused(self) -> None:
        url = reverse("export_beside", args=["printer", "endings", "csv"])
        response = self.client.get(f"{url}?a-platform=ios&b-platform=toaster")
        self.assertContains(response, "Side B, Platform: “toaster” is no platform", status_code=400)
        for table, form in (("sessions", "csv"), ("fixes", "xls")):
            response = self.client.get(reverse("export_beside", args=["printer", table, form]))
            self.assertContains(response, "There is no such file.", status_code=404)
        response = self.client.get(reverse("export_beside", args=["toaster", "fixes", "csv"]))
        self.assertContains(response, "no guide with the key “toaster”", status_code=404)
