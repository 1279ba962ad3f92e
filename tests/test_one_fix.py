"""One fix across all guides: by hand, against a plain recount, and as its pages say it."""

import csv
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from unittest import TestCase as PlainTestCase

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.base import CastTestCase, count, make_fix, make_staff, walk
from tests.test_dashboards import NumbersPageTestCase
from tests.test_overview import (
    NOON,
    WorldTestCase,
    at,
    live,
    make_german_guide,
    make_guide,
    publish,
)
from troubleshooter import analytics, flow
from troubleshooter.analytics import Filter, FixInGuide, FixNow, Tally
from troubleshooter.analytics.everywhere import Place
from troubleshooter.dashboards.base import ROWS_PER_PAGE
from troubleshooter.flow import Reason
from troubleshooter.models import Edition, Fix, Guide, Placement, Session, Topic, outline

FIXES = reverse("numbers_fixes")
CABLE = reverse("numbers_fix", args=["cable"])

Shown = tuple[Session, str, int, Counter[str]]  # in a session a fix, its revision: what came of it


def told(session: Session) -> list[Shown]:
    """What a session says of each fix it was shown, by reading its rows one after another."""
    found = []
    end = session.next
    for key in dict.fromkeys(row.fix_key for row in session.rows):
        mine = [row for row in session.rows if row.fix_key == key]
        answered = [row for row in mine if row.outcome]
        counts = Counter(shown=1)
        if answered:
            counts[answered[-1].outcome or ""] += 1
            counts[answered[-1].reason] += 1
        if isinstance(end, flow.Resolved) and end.by == key:
            counts["resolved"] += 1
        found.append((session, key, mine[0].fix_revision, counts))
    return found


class RecountTests(WorldTestCase):
    def assertTally(self, tally: Tally, shown: list[Counter[str]]) -> None:
        counts = sum(shown, Counter[str]())
        for name in ("shown", "resolved", "fixed", "not_fixed", "skipped"):
            self.assertEqual(getattr(tally, name), counts[name], name)
        reasons = {why: counts[why] for why in Reason if counts[why]}
        self.assertEqual(dict(tally.reasons), reasons)

    def assertGroups(
        self,
        found: dict[tuple[str, int], Tally],
        shown: list[Shown],
        by: Callable[[Shown], tuple[str, int]],
    ) -> None:
        groups: defaultdict[tuple[str, int], list[Counter[str]]] = defaultdict(list)
        for each in shown:
            groups[by(each)].append(each[3])
        self.assertEqual({group for group, tally in found.items() if tally.shown}, set(groups))
        for group, tally in found.items():
            with self.subTest(group=group):
                self.assertTally(tally, groups[group])

    def test_every_table_agrees_with_a_plain_recount(self) -> None:
        count(NOON)
        chance = random.Random(11)
        everything = [each for session in self.sessions() for each in told(session)]
        now = {"cable": 2, "restart": 1, "driver": 1, "reset": 1, "glass": 1, "toner": 1}
        for _nth in range(30):
            only = self.any_filter(chance)
            passed = [
                each
                for each in everything
                if self.lets_through(only, each[0])
                and self.in_days(each[0], only.from_day, only.to_day)
            ]
            with self.subTest(only=only):
                rows = analytics.fixes_everywhere(only)
                for row in rows:
                    mine = [each for each in passed if each[1] == row.fix.key]
                    current = [each for each in mine if each[2] == now[row.fix.key]]
                    self.assertEqual(row.fix.revision, now[row.fix.key])
                    self.assertTally(row.tally, [each[3] for each in current])
                    self.assertEqual(row.other, len(mine) - len(current))
                self.assertLessEqual({each[1] for each in passed}, {row.fix.key for row in rows})
                for key in now:
                    fix = analytics.fix_now(key)
                    assert fix
                    mine = [each for each in passed if each[1] == key]
                    self.assertGroups(
                        {
                            (row.guide_key, row.revision): row.tally
                            for row in analytics.fix_in_guides(fix, only)
                        },
                        mine,
                        lambda each: (each[0].edition.guide.key, each[2]),
                    )
                    self.assertGroups(
                        {
                            (row.platform, row.revision): row.tally
                            for row in analytics.fix_on_platforms(fix, only)
                        },
                        mine,
                        lambda each: (each[0].platform, each[2]),
                    )

    def test_the_histories_tell_enough(self) -> None:
        """Or the recount would prove little."""
        counts: Counter[object] = Counter()
        for session in self.sessions():
            for _session, key, revision, came in told(session):
                counts.update([*came, (key, revision), (key, session.edition.guide.key)])
        for each in (*Reason, "resolved", "not_fixed", ("cable", 1), ("cable", 2), ("driver", 1)):
            self.assertGreater(counts[each], 5, each)
        for guide in ("printer", "scanner", "copier"):
            self.assertGreater(counts["cable", guide], 20, guide)


class PlacesTests(CastTestCase):
    def places(self, key: str, only: Filter | None = None) -> dict[str, Place | None]:
        count()
        fix = analytics.fix_now(key)
        assert fix
        rows = analytics.fix_in_guides(fix, only or Filter())
        return {row.guide_key: row.place for row in rows}

    def guides(self, key: str) -> int:
        return next(row.guides for row in analytics.fixes_everywhere() if row.fix.key == key)

    def test_it_is_where_visitors_meet_it_or_where_a_draft_has_it(self) -> None:
        make_guide("scanner", "Scans are blue", "glass", "cable")
        draft = Guide.objects.create(
            key="draft", slug="draft", topic=self.guide.topic, title="A draft", summary="…"
        )
        for position, key in ((7, "restart"), (3, "driver"), (7, "cable")):
            Placement.objects.create(guide=draft, fix=Fix.objects.get(key=key), position=position)
        self.assertEqual(
            self.places("cable"),
            {"printer": Place(1, True), "scanner": Place(2, True), "draft": Place(3, False)},
        )
        self.assertEqual(self.guides("cable"), 3)

    def test_what_is_live_comes_before_what_the_draft_says(self) -> None:
        self.guide.placements.filter(fix__key="cable").update(position=9)
        self.assertEqual(self.places("cable"), {"printer": Place(1, True)})
        self.guide.placements.filter(fix__key="cable").delete()
        self.assertEqual(self.places("cable"), {"printer": Place(1, True)})
        publish(self.guide)
        self.assertEqual(self.places("cable"), {})

    def test_a_guide_that_holds_it_no_longer_stays_with_what_it_counted(self) -> None:
        walk(self.start(), "fixed")
        self.guide.placements.filter(fix__key="cable").delete()
        publish(self.guide)
        self.assertEqual(self.places("cable"), {"printer": None})
        self.assertEqual(self.guides("cable"), 0)

    def test_the_sites_own_language_says_the_place_of_a_translated_guide(self) -> None:
        make_german_guide()  # has the cable second
        self.assertEqual(self.places("cable"), {"printer": Place(1, True)})
        self.assertEqual(self.places("cable", Filter(language="de")), {"printer": Place(2, True)})
        self.assertEqual(self.guides("cable"), 1)

    def test_a_topic_leaves_other_guides_out(self) -> None:
        make_guide("scanner", "Scans are blue", "cable", topic="scanner")
        self.assertEqual(self.places("cable", Filter(topic="scanner")), {"scanner": Place(1, True)})


class FixNowTests(CastTestCase):
    def test_a_fix_is_called_as_in_the_sites_own_language_and_knows_its_pages(self) -> None:
        make_german_guide()
        Fix.objects.filter(key="cable", language="de").update(revision=3)
        pages = {fix.language: fix.pk for fix in Fix.objects.filter(key="cable")}
        fix = FixNow("cable", "Check the cable", 3, ((pages["de"], "de"), (pages["en"], "en")))
        self.assertEqual(analytics.fix_now("cable"), fix)
        self.assertIn(fix, [row.fix for row in analytics.fixes_everywhere()])

    def test_a_deleted_fix_is_what_the_last_edition_called_it(self) -> None:
        walk(self.start(), "not_fixed", "not_fixed", "fixed")
        Fix.objects.filter(key="driver").update(title="Load the driver", revision=2)
        walk(Session.objects.start(publish(self.guide), ""), "not_fixed", "not_fixed", "fixed")
        self.guide.placements.filter(fix__key="driver").delete()
        Fix.objects.get(key="driver").delete()
        count()
        fix = FixNow("driver", "Load the driver", 2)
        self.assertEqual(analytics.fix_now("driver"), fix)
        [row] = [row for row in analytics.fixes_everywhere() if row.fix.key == "driver"]
        self.assertEqual((row.fix, row.tally.fixed, row.other, row.guides), (fix, 1, 1, 1))

    def test_a_deleted_fix_that_is_still_live_and_that_nobody_saw_has_its_name(self) -> None:
        self.guide.placements.filter(fix__key="driver").delete()
        Fix.objects.get(key="driver").delete()
        fix = FixNow("driver", "Update the driver", 1)
        self.assertEqual(analytics.fix_now("driver"), fix)
        self.assertIn(fix, [row.fix for row in analytics.fixes_everywhere()])

    def test_a_fix_that_never_was_is_none(self) -> None:
        self.assertIsNone(analytics.fix_now("toaster"))

    def test_a_fix_that_nobody_placed_or_saw_is_not_listed(self) -> None:
        make_fix("spare", "A spare", "Do it.")
        self.assertNotIn("spare", [row.fix.key for row in analytics.fixes_everywhere()])
        self.assertEqual(analytics.fixes_everywhere()[0].fix.title, "Check the cable")


class ApartTests(PlainTestCase):
    """Pure: the rows are made up."""

    def row(self, guide: str, fixed: int, tried: int, revision: int = 1) -> FixInGuide:
        tally = Tally(shown=tried, fixed=fixed, not_fixed=tried - fixed)
        return FixInGuide(guide, guide.title(), None, revision, tally)

    def apart(self, *rows: FixInGuide) -> tuple[str, str, int] | None:
        found = analytics.apart(rows)
        return found and (found[0][0].guide_key, found[1][0].guide_key, found[0][0].revision)

    def test_guides_whose_intervals_do_not_touch_are_told_apart(self) -> None:
        rows = self.row("a", 5, 40), self.row("b", 15, 40), self.row("c", 30, 40)
        self.assertEqual(self.apart(*rows), ("c", "a", 1))

    def test_nothing_is_said_when_the_data_cannot_say(self) -> None:
        for rows in (
            (),
            (self.row("a", 30, 40),),
            (self.row("a", 20, 40), self.row("b", 28, 40)),
            (self.row("a", 4, 4), self.row("b", 0, 40)),
            (self.row("a", 39, 40, 1), self.row("b", 1, 40, 2)),
        ):
            with self.subTest(rows=rows):
                self.assertIsNone(self.apart(*rows))

    def test_only_the_newest_revision_that_can_be_compared_is_looked_at(self) -> None:
        old = self.row("a", 39, 40), self.row("b", 1, 40)
        new = self.row("a", 20, 40, 2), self.row("b", 20, 40, 2)
        self.assertEqual(self.apart(*old, self.row("b", 30, 40, 2)), ("a", "b", 1))
        self.assertIsNone(self.apart(*old, *new))


class PagesTestCase(NumbersPageTestCase):
    def setUp(self) -> None:
        super().setUp()
        make_guide("scanner", "Scans are <b>blue", "restart", "cable", topic="scanner")

    def scan(self, *answers: str) -> Session:
        return walk(Session.objects.start(live("scanner"), "", platform="mac"), *answers)

    def file(self, *args: str, query: str = "") -> list[dict[str, str]]:
        name = "export_fixes" if len(args) == 1 else "export_fix"
        count()
        response = self.client.get(reverse(name, args=args) + query)
        self.assertEqual(response.status_code, 200)
        text = bytes(getattr(response, "getvalue")()).decode()  # noqa: B009
        return list(csv.DictReader(StringIO(text))) if args[-1] == "csv" else json.loads(text)


class ListTests(PagesTestCase):
    CAPTION = "each as its revision of now did"

    def titles(self, query: str = "") -> list[str]:
        html = self.page(f"{FIXES}?{query}")
        return re.findall(r'<th scope="row">\s*<a href="[^"]*">([^<]*)</a>', html)

    def test_each_fix_has_a_row_with_its_revision_of_now(self) -> None:
        for answer in ("fixed", "fixed", "not_fixed", "not_fixed", "not_fixed", "afraid"):
            walk(self.start(), answer)
        self.scan("not_fixed", "fixed")
        Fix.objects.filter(key="restart").update(revision=2)
        rows = self.rows(FIXES, self.CAPTION)
        self.assertEqual(
            rows[:2],
            [
                "Fix Revision now Guides that hold it Rate when tried Shown Tried Skipped",
                # 3 of 6: Wilson's interval is 0.1876 to 0.8124
                "Check the cable 1 2 50 % 19 to 81 %, n = 6 7 6 1",
            ],
        )
        self.assertIn("Restart the computer 2 others in 5 sessions 2 not tried yet 0 0 0", rows)

    def test_it_is_searched_by_words_of_the_title(self) -> None:
        for query, found in (
            ("q=THE+check", ["Check the cable"]),
            ("q=comp", ["Restart the computer"]),
            ("q=check+computer", []),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.titles(query), found)
        self.assertIn("The filter lets no fix through.", self.text(f"{FIXES}?q=toast"))
        self.assertIn("No title has more than 120", self.text(f"{FIXES}?q={'a' * 121}"))
        self.assertIn("Null characters are not allowed.", self.text(f"{FIXES}?q=%00"))

    def test_every_column_sorts(self) -> None:
        walk(self.start(), "not_fixed")
        first = {
            **{
                "title": "Check the cable",
                "-title": "Update the driver",
                "-guides": "Check the cable",
            },
            **{"-shown": "Check the cable", "-tried": "Check the cable", "": "Check the cable"},
        }
        for sort, title in first.items():
            with self.subTest(sort=sort):
                self.assertEqual(self.titles(f"sort={sort}")[0], title)
        for sort in ("guides", "rate", "-rate", "revision", "skipped", "toast"):
            self.assertEqual(len(self.titles(f"sort={sort}")), 4, sort)

    def test_it_comes_in_pages_that_keep_the_filter(self) -> None:
        make_guide("big", "A big guide", *(f"f{nth}" for nth in range(ROWS_PER_PAGE)))
        self.assertEqual(len(self.titles()), ROWS_PER_PAGE)
        self.assertEqual(len(self.titles("page=2")), 4)
        html = self.page(f"{FIXES}?q=try&platform=ios&page=0")
        self.assertNotIn("page=2", html)
        self.assertIn('href="/fix-numbers/f0/?platform=ios"', html)
        html = self.page(f"{FIXES}?platform=ios")
        self.assertIn('href="?platform=ios&amp;sort=-shown&amp;page=2"', html)

    def test_the_file_has_the_same_rows(self) -> None:
        walk(self.start(), "afraid")
        [row] = self.file("csv", query="?q=cable")
        told = {"key": "cable", "revision": "1", "guides": "2", "other_revisions": "0"}
        told |= {"shown": "1", "skipped": "1", "skipped_afraid": "1", "n": "0", "rate": ""}
        self.assertEqual({name: row[name] for name in told}, told)
        self.assertEqual(len(self.file("json")), 4)

    def test_a_desk_without_fixes_says_so(self) -> None:
        Placement.objects.all().delete()
        Edition.objects.update(live=False)
        self.assertIn("No guide holds a fix yet.", self.text(FIXES))


class FixPageTests(PagesTestCase):
    GUIDES, PLATFORMS = (
        "Each of its revisions in each guide",
        "Each of its revisions on each platform",
    )

    def test_it_shows_what_came_of_it_in_each_guide_and_revision(self) -> None:
        for answer in ("fixed", "fixed", "not_fixed", "not_fixed", "not_fixed", "afraid"):
            walk(self.start(), answer)
        self.start()
        self.scan("not_fixed", "fixed")
        Fix.objects.filter(key="cable").update(revision=2)
        publish(Guide.objects.get(key="scanner"))
        self.scan("not_fixed", "not_fixed")
        self.assertEqual(
            self.rows(CABLE, self.GUIDES),
            [
                "Guide Revision Its place now Resolved Rate when tried Shown Fixed Not fixed"
                " No answer Skipped, and why Durable",
                "The printer is offline 2 1 0 not tried yet 0 0 0 0 0 not asked yet",
                # 2 of 5: Wilson's interval is 0.1176 to 0.7693
                "The printer is offline 1 1 2 40 % 12 to 77 %, n = 5 7 2 3 1 1"
                " I’m afraid to lose data: 1 not asked yet",
                "Scans are <b>blue 2 2 0 too few yet (n = 1) 1 0 1 0 0 not asked yet",
                "Scans are <b>blue 1 2 1 too few yet (n = 1) 1 1 0 0 0 not asked yet",
            ],
        )
        self.assertEqual(
            self.rows(CABLE, self.PLATFORMS)[1:],
            [
                "Mac 2 0 too few yet (n = 1) 1 0 1 0 0",
                "not known 1 2 40 % 12 to 77 %, n = 5 7 2 3 1 1 I’m afraid to lose data: 1",
                "Mac 1 1 too few yet (n = 1) 1 1 0 0 0",
            ],
        )

    def test_it_says_where_it_works_clearly_better(self) -> None:
        self.assertNotIn("clearly better", self.text(CABLE))
        for _nth in range(8):
            walk(self.start(), "fixed")
            self.scan("not_fixed", "not_fixed")
        self.assertIn(
            "Revision 1 works clearly better in “The printer is offline” (100 % of 8 who tried it)"
            " than in “Scans are <b>blue” (0 % of 8).",
            self.text(CABLE),
        )

    def test_a_fix_of_a_draft_or_of_the_past_says_so(self) -> None:
        Edition.objects.unpublish(Guide.objects.get(key="scanner"))
        self.assertIn("2 in its draft only", self.text(CABLE))
        walk(self.start(), "not_fixed", "not_fixed", "fixed")
        self.guide.placements.filter(fix__key="driver").delete()
        Fix.objects.get(key="driver").delete()
        publish(self.guide)
        text = self.text(reverse("numbers_fix", args=["driver"]))
        self.assertIn("This fix was deleted; revision 1 was the last one shown.", text)
        self.assertIn("no longer in the guide", text)

    def test_the_filter_reaches_both_tables_and_the_links(self) -> None:
        walk(self.start(), "fixed")
        at(self.scan("not_fixed", "fixed"), timezone.now() - timedelta(days=40))
        url = f"{CABLE}?topic=scanner&platform=mac&period=90"
        self.assertEqual(len(self.rows(url, self.GUIDES)), 2)
        self.assertTrue(self.rows(url, self.PLATFORMS)[1].startswith("Mac 1 1"))
        self.assertRegex(self.page(url), r'href="/numbers/scanner/\?platform=mac&amp;from_day=2')
        text = self.text(f"{CABLE}?period=28&platform=mac")
        self.assertIn("The filter lets no session through.", text)
        self.assertIn("Nobody has seen this fix yet.", self.text("/fix-numbers/reset/"))

    def test_who_may_change_it_is_led_to_its_page_in_the_admin(self) -> None:
        pk = Fix.objects.get(key="cable").pk
        url = reverse("admin:troubleshooter_fix_change", args=[pk])
        self.assertNotIn(url, self.page(CABLE))
        self.client.force_login(make_staff("erin", "Editor"))
        self.assertIn(f'href="{url}"', self.page(CABLE))
        self.assertIn(f'href="{CABLE}"', self.page(url))
        add = self.text(reverse("admin:troubleshooter_fix_add"))
        self.assertNotIn("Its numbers", add)

    def test_guides_come_in_pages(self) -> None:
        for nth in range(ROWS_PER_PAGE):
            make_guide(f"g{nth}", f"Guide {nth:02}", "cable")
        self.assertEqual(len(self.rows(CABLE, self.GUIDES)), ROWS_PER_PAGE + 1)
        self.assertEqual(len(self.rows(f"{CABLE}?page=2", self.GUIDES)), 3)
        self.assertEqual(len(self.file("cable", "guides", "csv")), ROWS_PER_PAGE + 2)

    def test_the_files_have_the_same_rows(self) -> None:
        self.scan("not_fixed", "fixed")
        scanner, printer = self.file("cable", "guides", "csv")
        told = {"key": "scanner", "place": "2", "live": "yes", "resolved": "1", "revision": "1"}
        self.assertEqual({name: scanner[name] for name in told}, told)
        self.assertEqual((printer["place"], printer["shown"]), ("1", "0"))
        [mac] = self.file("cable", "platforms", "json")
        self.assertEqual((mac["platform"], mac["fixed"], mac["n"]), ("Mac", 1, 1))

    def test_no_guide_is_in_the_way_whatever_its_key(self) -> None:
        for key in ("fixes", "fix-numbers"):
            make_guide(key, f"The guide {key}", "cable")
            self.assertIn(f"The guide {key}", self.text(reverse("numbers_guide", args=[key])))
        make_guide("odd", "Odd", "fixes", "numbers")
        self.assertIn("Try fixes", self.text(reverse("numbers_fix", args=["fixes"])))


class AccessTests(PagesTestCase):
    URLS = (
        FIXES,
        CABLE,
        *(reverse("export_fixes", args=[form]) for form in ("csv", "json", "xls")),
        *(reverse("export_fix", args=["cable", table, "csv"]) for table in ("guides", "toast")),
        reverse("numbers_fix", args=["toaster"]),
    )

    def test_only_staff_who_may_view_sessions_see_them(self) -> None:
        for url in self.URLS:
            with self.subTest(url=url):
                self.client.force_login(self.sam)
                self.assertContains(self.client.get(url), "may not see", status_code=403)
                for other in (self.vera, None):
                    self.client.logout()
                    if other:
                        self.client.force_login(other)
                    login = f"{reverse('admin:login')}?next={url}"
                    status = 403 if other else 200  # who is logged in is told to do so as staff
                    self.assertRedirects(self.client.get(url), login, target_status_code=status)
                self.client.force_login(self.ada)
                self.assertEqual(self.client.post(url).status_code, 405)
                self.assertIn("no-store", self.client.get(url).headers["Cache-Control"])

    def test_what_is_not_there_gets_a_sentence(self) -> None:
        response = self.client.get(reverse("numbers_fix", args=["toaster"]))
        self.assertContains(response, "no fix with the key “toaster”", status_code=404)
        response = self.client.get(reverse("export_fix", args=["toaster", "guides", "csv"]))
        self.assertContains(response, "no fix with the key “toaster”", status_code=404)
        for url in (self.URLS[4], self.URLS[6]):
            self.assertContains(self.client.get(url), "There is no such file.", status_code=404)

    def test_junk_in_any_parameter_gets_a_sentence(self) -> None:
        for name in ("period", "from_day", "to_day", "topic", "language", "platform", "simulated"):
            for junk in ("%00", "toast", "9" * 3000):
                for url in (FIXES, CABLE):
                    with self.subTest(url=url, name=name, junk=junk[:20]):
                        self.assertIn("so it is left out.", self.text(f"{url}?{name}={junk}"))
        for url in (FIXES, CABLE):
            self.text(f"{url}?page=%00&sort=%00")
        for url in (self.URLS[2], self.URLS[5]):
            response = self.client.get(f"{url}?period=toast")
            self.assertContains(response, "so it is left out.", status_code=400)

    def test_pages_have_one_heading_and_nothing_inline(self) -> None:
        walk(self.start(), "fixed")
        for url in (FIXES, CABLE):
            html = self.page(url)
            self.assertEqual(html.count("<h1"), 1)
            self.assertNotRegex(html, r"<style|\sstyle=|<script(?![^>]*\bsrc=)|\son\w+=")
            self.assertNotIn("<b>blue", html)

    def test_more_of_everything_takes_no_more_statements(self) -> None:
        urls = (FIXES, CABLE, self.URLS[2], self.URLS[5])

        def statements() -> list[int]:
            counts = []
            count()
            for url in urls:
                outline._kept.clear()
                with CaptureQueriesContext(connection) as captured:
                    self.assertEqual(self.client.get(url).status_code, 200)
                counts.append(len(captured))
            return counts

        self.scan("not_fixed", "fixed")
        walk(self.start(), "not_fixed", "not_fixed", "fixed")
        Placement.objects.filter(fix__key="driver").delete()
        Fix.objects.get(key="driver").delete()  # its name is read from an old edition
        publish(self.guide)
        before = statements()
        for nth in range(4):
            guide = make_guide(f"g{nth}", f"Guide {nth}", f"x{nth}", "cable", topic=f"t{nth}")
            walk(Session.objects.start(live(guide.key), ""), "not_fixed", "fixed")
            Fix.objects.filter(key="cable").update(revision=nth + 2)
            publish(self.guide)
            walk(Session.objects.start(live("printer"), "", platform="ios"), "fixed")
        self.assertEqual(statements(), before)
        self.assertEqual(Topic.objects.count(), 6)
