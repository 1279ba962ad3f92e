"""The home page: topics, search without JavaScript, and what is counted when nothing is found."""

import re
from typing import Any
from unittest.mock import patch

from django.db import DatabaseError
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from tests.base import CastTestCase, make_fix, make_staff
from troubleshooter import catalogue
from troubleshooter.models import Edition, Guide, MissedSearch, Placement
from troubleshooter.models.searches import MOST_A_DAY


class HomeTestCase(CastTestCase):
    def setUp(self) -> None:
        catalogue.missed.take()
        self.addCleanup(catalogue.missed.take)

    def ask(self, question: str) -> Any:
        return self.client.get("/", {"q": question})

    def found(self, question: str) -> list[str]:
        """The addresses of what was found, in order."""
        block = re.search('id="found".*?</div>', self.ask(question).content.decode(), re.DOTALL)
        assert block
        return re.findall('class="card" href="([^"]+)"', block[0])

    def publish(self, slug: str, title: str, key: str = "") -> Edition:
        guide = Guide.objects.create(topic=self.guide.topic, slug=slug, title=title, summary="Odd.")
        fix = make_fix(key or slug, f"Mend the {slug}", "Do it.", minutes=1)
        Placement.objects.create(guide=guide, fix=fix, position=1)
        return Edition.objects.publish(guide, by=None)


class SearchTests(HomeTestCase):
    def test_the_box_is_a_plain_form_above_the_topics(self) -> None:
        html = self.client.get("/").content.decode()
        form = html.index('<form method="get" action="/" role="search">')
        self.assertLess(form, html.index('id="topic-printer"'))
        self.assertInHTML('<label for="q">Search for what you see</label>', html)
        self.assertNotIn("noindex", html)

    def test_a_guide_is_found_in_spite_of_typing_mistakes(self) -> None:
        self.assertEqual(self.found("prnter ofline"), ["/g/printer-offline/"])
        self.assertContains(self.ask("prnter"), "One guide found.")

    def test_a_fix_that_was_found_is_linked_and_named(self) -> None:
        self.assertEqual(self.found("driver"), ["/g/printer-offline/#driver"])
        self.assertContains(self.ask("driver"), '<q lang="en">Update the driver</q>', html=True)
        self.assertContains(self.client.get("/g/printer-offline/"), 'id="driver"')

    def test_a_symptom_that_was_found_is_named(self) -> None:
        self.assertEqual(self.found("says"), ["/g/printer-offline/"])
        self.assertContains(self.ask("says"), '<q lang="en">It says offline</q>', html=True)

    def test_the_topics_stay_below_what_was_found(self) -> None:
        for question in ("driver", "dishwasher"):
            self.assertContains(self.ask(question), 'id="topic-printer"')

    def test_when_nothing_is_found_it_says_so_and_names_a_person(self) -> None:
        response = self.ask("dishwasher")
        self.assertContains(response, "We found nothing for “dishwasher”.")
        self.assertContains(response, '<a href="#person">I need a person</a>', html=True)

    def test_search_engines_are_sent_home(self) -> None:
        self.assertContains(self.ask("driver"), '<meta name="robots" content="noindex">', html=True)
        self.assertNotContains(self.ask(" "), "noindex")

    def test_an_empty_question_is_the_plain_home_page(self) -> None:
        for question in ("", "   ", "\u200b", "a\x00b"):
            response = self.ask(question)
            self.assertContains(response, "printer-offline", count=1)

    def test_what_is_asked_is_shown_as_text(self) -> None:
        response = self.ask('"><script>alert(1)</script>')
        self.assertNotContains(response, "<script>alert")
        self.assertContains(response, 'value="&quot;&gt;&lt;script&gt;')

    def test_no_question_breaks_the_page(self) -> None:
        for query in ("q=%00", "q=%ED%A0%80", "q=%FF%FE", "q=" + "x%20" * 5000, "q=a&q=b", "q[]=a"):
            self.assertEqual(self.client.get(f"/?{query}").status_code, 200, query)

    def test_only_live_editions_are_found(self) -> None:
        self.publish("kettle", "The kettle stays cold")
        self.assertEqual(self.found("kettle"), ["/g/kettle/"])
        Edition.objects.unpublish(Guide.objects.get(slug="kettle"))
        self.assertEqual(self.found("kettle"), [])

    def test_what_is_published_is_found_at_once_and_drafts_are_not(self) -> None:
        self.assertEqual(self.found("scanner"), [])
        self.guide.title = "The scanner is asleep"
        self.guide.save()
        self.assertEqual(self.found("scanner"), [])
        Edition.objects.publish(self.guide, by=None)
        self.assertEqual(self.found("scanner asleep"), ["/g/printer-offline/"])

    def test_its_queries_do_not_grow_with_guides(self) -> None:
        for question in ("", "printer", "dishwasher"):
            self.ask(question)
            with self.assertStatements(2):
                self.ask(question)
        for number in range(12):
            self.publish(f"kettle-{number}", f"Kettle {number} stays cold")
        with self.assertStatements(3):  # what was published since is read in one go
            self.ask("kettle")
        with self.assertStatements(2):
            self.ask("kettle")
        self.assertEqual(len(self.found("kettle")), 12)

    def test_without_guides_there_is_nothing_to_search(self) -> None:
        Edition.objects.unpublish(self.guide)
        self.assertNotContains(self.ask("printer"), 'type="search"')


class MissedTests(HomeTestCase):
    def rows(self) -> dict[str, int]:
        return dict(MissedSearch.objects.values_list("text", "count"))

    def test_a_search_without_a_hit_is_stored_by_the_next_post(self) -> None:
        for question in ("Dishwasher", "dishwasher ", "dishwasher", "toaster", "printer"):
            self.ask(question)
        self.assertEqual(self.rows(), {})
        catalogue.flush_missed()
        self.assertEqual(self.rows(), {"dishwasher": 2, "toaster": 1})
        row = MissedSearch.objects.get(text="toaster")
        self.assertEqual((row.day, row.language), (timezone.localdate(), "en"))

    def test_counts_add_up(self) -> None:
        for _day in range(2):
            self.ask("toaster")
            self.ask("toaster")
            self.ask("blender")
            catalogue.flush_missed()
        self.assertEqual(self.rows(), {"toaster": 4, "blender": 2})

    def test_storing_nothing_costs_nothing(self) -> None:
        with self.assertStatements(0):
            catalogue.flush_missed()

    def test_storing_costs_the_same_for_many_texts(self) -> None:
        for number in range(40):
            self.ask(f"toaster {number:02}")
        with self.assertStatements(4):
            catalogue.flush_missed()
        self.assertEqual(len(self.rows()), 40)

    def test_a_search_writes_no_row(self) -> None:
        with self.assertStatements(3):
            self.ask("toaster")
        self.assertFalse(MissedSearch.objects.exists())

    def test_a_day_has_room_for_so_many_texts(self) -> None:
        day = timezone.localdate()
        MissedSearch.objects.bulk_create(
            MissedSearch(day=day, language="en", text=f"x{n}", count=1)
            for n in range(MOST_A_DAY - 1)
        )
        for question in ("toaster", "toaster", "blender", "x1"):
            self.ask(question)
        catalogue.flush_missed()
        rows = self.rows()
        self.assertEqual(len(rows), MOST_A_DAY)
        self.assertEqual((rows["toaster"], rows["x1"], rows.get("blender")), (2, 2, None))

    def test_a_database_that_fails_stops_nobody_and_loses_no_count(self) -> None:
        self.ask("toaster")
        with patch.object(QuerySet, "bulk_create", side_effect=DatabaseError):
            catalogue.flush_missed()
        self.assertEqual(self.rows(), {})
        catalogue.flush_missed()
        self.assertEqual(self.rows(), {"toaster": 1})

    def test_staff_see_the_most_frequent_first_and_change_nothing(self) -> None:
        for question in ("blender", "toaster", "toaster"):
            self.ask(question)
        catalogue.flush_missed()
        staff = Client()
        staff.force_login(make_staff("ann", "Agent"))
        html = staff.get("/admin/troubleshooter/missedsearch/").content.decode()
        self.assertLess(html.index("toaster"), html.index("blender"))
        self.assertEqual(staff.get("/admin/troubleshooter/missedsearch/add/").status_code, 403)
        row = MissedSearch.objects.get(text="toaster")
        url = f"/admin/troubleshooter/missedsearch/{row.pk}/"
        self.assertEqual(staff.get(f"{url}change/").status_code, 200)
        self.assertEqual(staff.post(f"{url}delete/", {"post": "yes"}).status_code, 403)
