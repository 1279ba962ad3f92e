"""Tables as files: whole, harmless in a spreadsheet, and sent while they are read."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from unittest import TestCase as PlainTestCase

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.base import count, walk
from tests.test_dashboards import GROUPS, NUMBERS, PRINTER, SESSIONS, NumbersPageTestCase
from troubleshooter import analytics, exports
from troubleshooter.dashboards.files import GUIDE_FILES
from troubleshooter.exports import ROWS_AT_ONCE, Row, Table, as_csv, as_json, harmless
from troubleshooter.models import Attempt, Edition, Fix, Guide, Session


def read_csv(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text, newline=""), strict=True))


class HarmlessTests(PlainTestCase):
    def test_what_a_spreadsheet_would_run_gets_an_apostrophe(self) -> None:
        for text in (
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\rx",
            "\nx",
            "  =1",
            "\t \u00a0=1",
            "\u3000@x",
            "\ufeff=1",
            "\u200b+1",
            "\x00=1",
            "＝1",
            "＋1",
            "－1",
            "＠x",
            " ＝1",
            "﹣1",
            "\u22121",
            "-",
        ):
            with self.subTest(text=text):
                self.assertEqual(harmless(text), f"'{text}")

    def test_everything_else_stays_as_it_is(self) -> None:
        for text in ("", " ", "1 Check = fixed", "a-b", "  plain", "'=1", "–", "é", "١", "…"):
            with self.subTest(text=text):
                self.assertEqual(harmless(text), text)


class WritingTests(PlainTestCase):
    def table(self, *rows: Row) -> Table:
        return Table("some", ("name", "count"), iter(rows))

    def test_every_cell_is_quoted_and_numbers_stay_numbers(self) -> None:
        text = "".join(
            as_csv(
                self.table(
                    {"name": 'say "hi",\r\nor =not', "count": -3},
                    {"name": "=1", "count": 0.25},
                    {"name": None, "count": True},
                    {"name": [{"a": "ü"}], "count": False},
                )
            )
        )
        self.assertTrue(text.startswith('"name","count"\r\n"say ""hi"",\r\nor =not","-3"\r\n'))
        self.assertEqual(read_csv(text)[2:], [["'=1", "0.25"], ["", "yes"], ['[{"a": "ü"}]', "no"]])

    def test_json_is_one_array_of_objects_in_the_order_of_the_columns(self) -> None:
        text = "".join(as_json(self.table({"count": 1, "name": "=ü"}, {"name": None, "count": 2})))
        self.assertEqual(json.loads(text), [{"name": "=ü", "count": 1}, {"name": None, "count": 2}])
        self.assertLess(text.index("name"), text.index("count"))

    def test_a_table_without_rows_is_whole_too(self) -> None:
        self.assertEqual("".join(as_csv(self.table())), '"name","count"\r\n')
        self.assertEqual(json.loads("".join(as_json(self.table()))), [])

    def test_any_number_of_rows_makes_a_whole_file(self) -> None:
        for many in (1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 2 * ROWS_AT_ONCE):
            rows: list[Row] = [{"name": str(nth), "count": nth} for nth in range(many)]
            with self.subTest(many=many):
                self.assertEqual(json.loads("".join(as_json(self.table(*rows)))), rows)
                self.assertEqual(len(read_csv("".join(as_csv(self.table(*rows))))), many + 1)

    def test_rows_are_read_only_as_far_as_they_are_sent(self) -> None:
        for write in (as_csv, as_json):
            read: list[int] = []

            def rows(read: list[int] = read) -> Iterator[Row]:
                for nth in range(10 * ROWS_AT_ONCE):
                    read.append(nth)
                    yield {"name": "x", "count": nth}

            parts = write(Table("some", ("name", "count"), rows()))
            next(parts), next(parts)
            with self.subTest(write=write.__name__):
                self.assertLessEqual(len(read), 2 * ROWS_AT_ONCE)


TABLES = {  # and how many rows they have in these tests
    "guides": 1,
    "endings": 6,
    "places": 2,
    "fixes": 4,
    "times": 4,
    "resolution": 8,
    "days": 1,
    "symptoms": 2,
    "platforms": 2,
    "editions": 1,
    "languages": 1,
    "sessions": 2,
}


class FilesTests(NumbersPageTestCase):
    """Two sessions that tell everything: one resolved by the cable, one still on it."""

    def setUp(self) -> None:
        super().setUp()
        self.told = Session.objects.start(self.edition, "offline", platform="ios")
        walk(self.told, "cant_find", "fixed")
        self.shown = self.start()

    def get(self, table: str, form: str, query: str = "") -> str:
        if table == "guides":
            url = reverse("export_guides", args=[form])
        else:
            url = reverse("export_guide", args=["printer", table, form])
        count()
        response = self.client.get(url + query)
        self.assertEqual(response.status_code, 200)
        self.assertTrue(response.streaming)
        return bytes(response.getvalue()).decode()

    def test_every_table_has_both_forms_with_the_same_rows(self) -> None:
        for table, rows in TABLES.items():
            with self.subTest(table=table):
                head, *lines = read_csv(self.get(table, "csv"))
                objects = json.loads(self.get(table, "json"))
                self.assertEqual((len(lines), len(objects)), (rows, rows))
                for line, each in zip(lines, objects, strict=True):
                    self.assertEqual(list(each), head)
                    self.assertEqual(line[0], harmless(str(each[head[0]])))

    def test_the_guides_say_what_the_page_says(self) -> None:
        [guide] = json.loads(self.get("guides", "json"))
        self.assertEqual(
            guide,
            {
                "key": "printer",
                "title": "The printer is offline",
                "live": True,
                "sessions": 2,
                "confirmed": 1,
                "escalated": 0,
                "exhausted": 0,
                "assumed": 0,
                "left": 0,
                "under_way": 1,
                "topic": "Printer",
                "before": 0,
                "change": 0,
                "ended": 1,
                "confirmed_share": None,
                "confirmed_low": None,
                "confirmed_high": None,
                "escalated_share": None,
                "exhausted_share": None,
                "assumed_share": None,
                "left_share": None,
                **{f"week_{nth}": 0 for nth in range(1, 12)},
                "week_12": 2,
            },
        )

    def test_the_endings_come_with_their_share(self) -> None:
        self.assertEqual(
            read_csv(self.get("endings", "csv")),
            [
                ["ending", "sessions", "share"],
                ["confirmed", "1", "0.5"],
                ["escalated", "0", "0.0"],
                ["exhausted", "0", "0.0"],
                ["assumed", "0", "0.0"],
                ["left", "0", "0.0"],
                ["under_way", "1", "0.5"],
            ],
        )

    def test_the_share_of_nothing_is_empty(self) -> None:
        self.assertEqual(
            json.loads(self.get("endings", "json", "?edition=1&platform=mac"))[0]["share"], None
        )

    def test_a_fix_has_a_column_for_each_reason_and_a_rate_once_enough_tried_it(self) -> None:
        for answer in ("fixed", "fixed", "not_fixed", "not_fixed", "not_fixed"):
            walk(self.start(), answer)
        head, cable, restart, *_rest = read_csv(self.get("fixes", "csv"))
        row = dict(zip(head, cable, strict=True))
        # With the one of setUp, 3 of 6: Wilson's interval is 0.1876 to 0.8124
        self.assertEqual(
            [row[name] for name in ("rate", "low", "high", "n")], ["0.5", "0.1876", "0.8124", "6"]
        )
        self.assertEqual((row["revision"], row["placed"], row["current"]), ("1", "yes", "yes"))
        row = dict(zip(head, restart, strict=True))
        self.assertEqual((row["skipped"], row["skipped_cant_find"], row["n"]), ("1", "1", "0"))
        self.assertEqual((row["rate"], row["low"], row["high"]), ("", "", ""))

    def test_the_tables_of_places_times_days_and_groups_say_what_the_page_says(self) -> None:
        for _nth in range(3):
            walk(self.start(), "fixed")
        moment = datetime(2026, 3, 7, 12, tzinfo=UTC)
        later = moment + timedelta(seconds=70)
        Session.objects.update(started_at=moment, last_answer_at=later)
        Attempt.objects.update(shown_at=moment)
        Attempt.objects.exclude(outcome=None).update(answered_at=later)
        walk(self.start(), "not_fixed")
        for table, line in (
            # The restart was shown first to one, who skipped it; the cable to the others.
            ("places", ["1", "6", "3", "1", "1", "1", "0", "0", "2", "0.3333"]),
            ("times", ["cable", "1", "Check the cable", "yes", "yes", "73", "73", "73", "5"]),
            ("resolution", ["60", "120", "4"]),
            ("days", ["2026-03-07", "cable", "Check the cable", "4"]),
            # 4 of 5 that ended: Wilson's interval is 0.3755 to 0.9638
            (
                "languages",
                ["en", "en", "6", "4", *"00101", "0.8", "0.3755", "0.9638", "5"],
            ),
            ("symptoms", ["offline", "It says offline", "1", "1", *"00000", "", "", "", "1"]),
            ("platforms", ["ios", "iPhone or iPad", "1", "1", *"00000", "", "", "", "1"]),
            (
                "editions",
                ["en-1", "1", "6", "4", *"00101", "0.8", "0.3755", "0.9638", "5"],
            ),
        ):
            with self.subTest(table=table):
                self.assertIn(line, read_csv(self.get(table, "csv")))
        self.assertIn(["86400", "", "0"], read_csv(self.get("resolution", "csv")))
        self.assertIn(
            ["restart", "1", "Restart the computer", "yes", "yes", "", "", "", "0"],
            read_csv(self.get("times", "csv")),
        )

    def test_a_session_has_its_path_in_words_and_in_objects(self) -> None:
        Fix.objects.filter(key="cable").update(title="=cmd|'/C calc'!A1")
        edition = Edition.objects.publish(Guide.objects.get(pk=self.guide.pk), by=None)
        Session.objects.all().delete()
        session = walk(Session.objects.start(edition, "offline", platform="ios"), "cant_find")
        Session.objects.filter(pk=session.pk).update(started_at="2026-03-07T14:05:06.789Z")
        [_head, line] = read_csv(self.get("sessions", "csv"))
        self.assertEqual(
            line,
            [
                harmless(session.public_id),
                "2026-03-07T14:05:06+00:00",
                "under_way",
                "It says offline",
                "iPhone or iPad",
                "2",
                "en",
                "author",
                "1 Restart the computer: skipped (I can’t find it)"
                " → 2 =cmd|'/C calc'!A1: no answer",
            ],
        )
        [each] = json.loads(self.get("sessions", "json"))
        self.assertEqual(
            each["path"],
            [
                {
                    "seq": 1,
                    "key": "restart",
                    "revision": 1,
                    "title": "Restart the computer",
                    "outcome": "skipped",
                    "reason": "cant_find",
                    "again": False,
                    "changed": False,
                },
                {
                    "seq": 2,
                    "key": "cable",
                    "revision": 1,
                    "title": "=cmd|'/C calc'!A1",
                    "outcome": None,
                    "reason": None,
                    "again": False,
                    "changed": False,
                },
            ],
        )
        [_head, cable, *_rest] = read_csv(self.get("fixes", "csv"))
        self.assertEqual(cable[2], "'=cmd|'/C calc'!A1")

    def test_no_file_holds_the_key_of_a_session(self) -> None:
        for form in exports.FORMS:
            self.assertNotIn(self.told.key, self.get("sessions", form))

    def test_files_are_filtered_as_the_page_is(self) -> None:
        [row] = json.loads(self.get("sessions", "json", "?platform=ios"))
        self.assertEqual(row["session"], self.told.public_id)
        self.assertEqual(json.loads(self.get("endings", "json", "?platform=ios"))[0]["share"], 1)
        fixes = json.loads(self.get("fixes", "json", "?platform=ios"))
        self.assertEqual({fix["key"]: fix["shown"] for fix in fixes}["cable"], 1)
        Session.objects.filter(pk=self.shown.pk).update(channel=Session.SIMULATED)
        for table in ("guides", "sessions"):
            self.assertNotEqual(
                self.get(table, "json"), self.get(table, "json", "?simulated=1"), table
            )

    def test_words_are_in_the_language_of_whoever_asked(self) -> None:
        count()
        url = reverse("export_guide", args=["printer", "sessions", "csv"])
        for code, said in (("de", "keine Antwort"), ("en", "no answer")):
            response = self.client.get(url, headers={"Accept-Language": code})
            self.assertIn(said, bytes(response.getvalue()).decode())

    def test_a_filter_that_cannot_be_is_refused_with_a_sentence(self) -> None:
        url = reverse("export_guide", args=["printer", "sessions", "csv"])
        response = self.client.get(f"{url}?edition=9&platform=toaster")
        self.assertContains(response, "This guide has no edition “9”", status_code=400)
        self.assertContains(response, "“toaster” is no platform", status_code=400)

    def test_they_are_downloads_that_nobody_keeps_or_takes_for_a_page(self) -> None:
        for url, name, kind in (
            (f"{NUMBERS}guides.csv", "guides.csv", "text/csv; charset=utf-8"),
            (f"{PRINTER}fixes.json", "printer-fixes.json", "application/json"),
        ):
            with self.subTest(url=url):
                response = self.client.get(url)
                self.assertEqual(response["Content-Type"], kind)
                self.assertEqual(response["Content-Disposition"], f'attachment; filename="{name}"')
                self.assertEqual(response["X-Content-Type-Options"], "nosniff")
                self.assertIn("no-store", response["Cache-Control"])

    def test_only_those_who_see_the_pages_get_the_files(self) -> None:
        urls = (f"{NUMBERS}guides.json", f"{PRINTER}sessions.csv", f"{PRINTER}toast.exe")
        for url in urls:
            self.client.force_login(self.sam)
            self.assertContains(self.client.get(url), "may not see", status_code=403)
            for other in (self.vera, None):
                self.client.logout()
                if other:
                    self.client.force_login(other)
                there = f"{reverse('admin:login')}?next={url}"
                status = 403 if other else 200  # who is logged in is told to do so as staff
                self.assertRedirects(self.client.get(url), there, target_status_code=status)
            self.client.force_login(self.ada)
            self.assertEqual(self.client.post(url).status_code, 405)

    def test_a_file_that_is_not_there_gets_a_sentence(self) -> None:
        for url in (f"{NUMBERS}guides.xls", f"{PRINTER}toast.csv", f"{PRINTER}fixes.xml"):
            response = self.client.get(url)
            self.assertContains(response, "There is no such file.", status_code=404)
        response = self.client.get(f"{NUMBERS}toaster/fixes.csv")
        self.assertContains(response, "no guide with the key “toaster”", status_code=404)

    def test_sessions_take_a_few_statements_for_each_batch(self) -> None:
        def get() -> str:
            return bytes(self.client.get(f"{PRINTER}sessions.csv").getvalue()).decode()

        count()
        with CaptureQueriesContext(connection) as few:
            get()
        for _nth in range(20):
            self.start()
        count()
        with CaptureQueriesContext(connection) as many:
            self.assertEqual(len(read_csv(get())), 23)
        self.assertEqual(len(many), len(few))
        self.assertGreater(analytics.BATCH, 22)

    def test_the_links_beside_the_tables_lead_to_the_files_with_the_filter(self) -> None:
        query = "?platform=ios&edition=1&language=xx"
        html = "".join(self.page(tab + query) for tab in (PRINTER, GROUPS, SESSIONS))
        for table in GUIDE_FILES:
            for form in exports.FORMS:
                url = reverse("export_guide", args=["printer", table, form])
                self.assertIn(f'href="{url}?platform=ios&amp;edition=1"', html)
        self.assertIn('href="/numbers/guides.csv"', self.page(NUMBERS))
        self.assertIn(
            'href="/numbers/guides.json?simulated=1"', self.page(f"{NUMBERS}?simulated=1")
        )
