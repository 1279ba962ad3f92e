"""The queue of guides to look at again, and what “Reviewed” does."""

import re
from datetime import date, timedelta

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client, SimpleTestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from tests.base import CastTestCase
from tests.test_admin import HOSTILE, DeskTestCase, admin_url
from troubleshooter.admin import reviews
from troubleshooter.admin.reviews import months_later
from troubleshooter.models import CannotReview, Edition, Guide, LogLine

DAY = timedelta(days=1)


class MonthsTests(SimpleTestCase):
    def test_half_a_year_later(self) -> None:
        for day, later in {
            date(2026, 1, 15): date(2026, 7, 15),
            date(2026, 7, 1): date(2027, 1, 1),
            date(2026, 8, 31): date(2027, 2, 28),
            date(2027, 8, 31): date(2028, 2, 29),
            date(2026, 12, 31): date(2027, 6, 30),
        }.items():
            self.assertEqual(months_later(day, 6), later)


class ReviewTests(CastTestCase):
    def test_it_writes_the_date_and_a_line(self) -> None:
        again_on = timezone.localdate() + 30 * DAY
        LogLine.objects.review(self.guide, again_on, by=None)
        self.assertEqual(Guide.objects.get().review_on, again_on)
        line = LogLine.objects.get(kind="reviewed")
        self.assertEqual((line.guide, line.review_on), (self.guide, again_on))

    def test_a_day_that_cannot_be_is_refused_and_nothing_is_written(self) -> None:
        today = timezone.localdate()
        for day, said in (
            (today, "later day than today"),
            (date.min, "later day than today"),
            (today + 6 * 365 * DAY, "more than five years away"),
            (date.max, "more than five years away"),
        ):
            with self.assertRaisesMessage(CannotReview, said):
                LogLine.objects.review(self.guide, day, by=None)
        self.assertIsNone(Guide.objects.get().review_on)
        self.assertFalse(LogLine.objects.filter(kind="reviewed").exists())

    def test_an_owner_who_goes_leaves_the_guide_without_one(self) -> None:
        erin = User.objects.create_user("erin", is_staff=True)
        Guide.objects.update(owner=erin)
        erin.delete()
        self.assertIsNone(Guide.objects.get().owner)


class QueueTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = reverse("admin:troubleshooter_guide_queue")
        self.today = timezone.localdate()

    def add(self, title: str, overdue: int | None, owner: User | None = None) -> Guide:
        review_on = None if overdue is None else self.today - overdue * DAY
        return Guide.objects.create(
            topic=self.guide.topic, slug=title, title=title, review_on=review_on, owner=owner
        )

    def lists(self, query: str = "") -> tuple[list[str], list[str]]:
        context = self.client.get(self.url + query).context
        due, loose = context["due"]["page"], context["loose"]["page"]
        return [guide.title for guide in due], [guide.title for guide in loose]

    def test_the_longest_overdue_comes_first_and_what_is_not_due_is_left_out(self) -> None:
        Guide.objects.update(owner=self.erin, review_on=self.today + DAY)
        self.add("due-today", 0, self.erin)
        self.add("due-long-ago", 300, self.arno)
        self.add("nobody", 5)
        self.assertEqual(self.lists(), (["due-long-ago", "nobody", "due-today"], []))

    def test_guides_without_an_owner_or_a_date_are_not_forgotten(self) -> None:
        self.add("no-date", None, self.erin)
        self.add("no-owner", -30)
        self.add("due", 3)  # it has no owner either, and stands above already
        due, loose = self.lists()
        self.assertEqual((due, loose), (["due"], ["The printer is offline", "no-date", "no-owner"]))

    def test_only_mine(self) -> None:
        self.add("mine", 1, self.erin)
        self.add("theirs", 2, self.arno)
        self.add("my-dateless", None, self.erin)
        self.assertEqual(self.lists("?mine=1"), (["mine"], ["my-dateless"]))

    def test_it_says_who_when_and_how_long_ago(self) -> None:
        Guide.objects.update(owner=self.erin, review_on=self.today - DAY)
        self.add("today", 0, self.erin)
        self.add("old", 40)
        said = self.text(self.url)
        for sentence in (
            "Owner: erin. Due",
            "one day overdue.",
            "40 days overdue.",
            "Due today.",
            "No owner.",
            "Last published",
            "Never published.",
        ):
            self.assertIn(sentence, said)
        Guide.objects.update(review_on=self.today + DAY)
        self.assertIn("No review is due.", self.text(self.url))

    def test_the_front_page_says_how_many(self) -> None:
        index = reverse("admin:index")
        self.assertIn("Needs review: 0 guides", self.text(index))
        self.add("due", 0)
        self.assertIn("Needs review: one guide", self.text(index))
        self.assertIn(f'href="{self.url}"', self.html(index))
        nobody = User.objects.create_user("nobody", is_staff=True)
        self.client.force_login(nobody)
        self.assertNotIn("Needs review", self.text(index))

    def test_reviewed_is_one_press(self) -> None:
        guide = self.add("due", 3)
        html = self.html(self.url)
        [offered] = set(re.findall('name="again_on" value="([^"]+)"', html))
        self.assertEqual(offered, months_later(self.today, 6).isoformat())
        url = admin_url("guide", "reviewed", guide.pk)
        said = self.text(url, again_on=offered)
        day = date_format(date.fromisoformat(offered), "DATE_FORMAT")
        self.assertIn(f"“due” is reviewed; the next review is due on {day}.", said)
        guide.refresh_from_db()
        self.assertEqual(guide.review_on, date.fromisoformat(offered))
        line = LogLine.objects.get(kind="reviewed")
        self.assertEqual((line.by, line.review_on), (self.erin, guide.review_on))
        self.assertNotIn("due", self.lists()[0])

    def test_one_comes_back_to_the_same_list(self) -> None:
        guide = self.add("due", 3)
        url = admin_url("guide", "reviewed", guide.pk)
        data = {"again_on": (self.today + DAY).isoformat(), "mine": "1"}
        self.assertRedirects(self.client.post(url, data), f"{self.url}?mine=1")
        self.assertRedirects(self.client.get(url), self.url)

    def test_what_cannot_be_is_told_and_nothing_changes(self) -> None:
        guide = self.add("due", 3)
        url = admin_url("guide", "reviewed", guide.pk)
        for typed, sentence in {
            "": "Say when",
            "soon": "no day like",
            "\x00": "no day like",
            "2020-01-01": "later day than today",
            "0001-01-01": "later day than today",
            "9999-12-31": "five years",
            "10000-01-01": "no day like",
        }.items():
            self.assertIn(sentence, self.text(url, again_on=typed), typed)
        guide.refresh_from_db()
        self.assertEqual(guide.review_on, self.today - 3 * DAY)
        self.assertFalse(LogLine.objects.filter(kind="reviewed").exists())
        self.assertEqual(self.client.post(admin_url("guide", "reviewed", 999)).status_code, 404)

    def test_who_may(self) -> None:
        Guide.objects.update(review_on=self.today)
        url = admin_url("guide", "reviewed", self.guide.pk)
        data = {"again_on": (self.today + DAY).isoformat()}
        self.client.force_login(self.arno)  # looks, and that is all
        self.assertNotIn("Next review", self.text(self.url))
        self.assertEqual(self.client.post(url, data).status_code, 403)
        nobody = User.objects.create_user("nobody", is_staff=True)
        self.client.force_login(nobody)
        self.assertEqual(self.client.get(self.url).status_code, 403)
        self.assertEqual(Client().get(self.url).status_code, 302)
        self.assertEqual(Guide.objects.get().review_on, self.today)

    def test_both_lists_are_paged_and_turn_by_themselves(self) -> None:
        for nth in range(reviews.A_PAGE + 1):
            self.add(f"due-{nth:02}", 99 - nth, self.erin)
            self.add(f"loose-{nth:02}", None)
        due, loose = self.lists("?page=2&loose=1")
        self.assertEqual(due, [f"due-{reviews.A_PAGE:02}"])
        self.assertEqual(len(loose), reviews.A_PAGE)
        html = self.html(self.url + "?page=2")
        self.assertIn('href="?page=1"', html)
        self.assertIn('href="?page=2&amp;loose=2"', html)
        for rubbish in ("?page=0", "?page=x&loose=-1", "?loose=99999999999999999999", "?page=%00"):
            self.assertEqual(self.client.get(self.url + rubbish).status_code, 200)

    def test_the_queries_stay_the_same(self) -> None:
        counts = []
        for nth in range(2):
            for each in range(4):
                Edition.objects.publish(self.jam(slug=f"jam-{nth}-{each}"), by=None)
                self.add(f"due-{nth}-{each}", each, self.erin)
            self.client.get(self.url)
            with CaptureQueriesContext(connection) as captured:
                self.client.get(self.url)
            counts.append(len(captured))
        self.assertEqual(*counts)

    def test_hostile_text_is_harmless(self) -> None:
        Guide.objects.update(title=HOSTILE, review_on=self.today)
        self.assertNotIn("<script>alert", self.html(self.url))
        url = admin_url("guide", "reviewed", self.guide.pk)
        for day in ("x", (self.today + DAY).isoformat()):
            self.assertNotIn("<script>alert", self.html(url, again_on=day))

    def test_the_page_of_the_guide_keeps_owner_and_date(self) -> None:
        url = admin_url("guide", "change", self.guide.pk)
        data = self.form(url) | {"guide.owner": self.arno.pk}
        data |= {"guide.review_on": "2027-03-07"}
        self.assertEqual(self.client.post(url, data).status_code, 303)
        guide = Guide.objects.get()
        self.assertEqual((guide.owner, guide.review_on), (self.arno, date(2027, 3, 7)))
        self.assertIn('type="date" name="guide.review_on" value="2027-03-07"', self.html(url))
        visitor = User.objects.create_user("visitor")
        response = self.client.post(url, self.form(url) | {"guide.owner": visitor.pk})
        self.assertContains(response, "not one of the available choices")

    def test_the_permission_names_what_it_allows(self) -> None:
        name = Permission.objects.get(codename="publish_guide").name
        for move in ("publish", "schedule", "roll back", "withdraw", "review"):
            self.assertIn(move, name)
