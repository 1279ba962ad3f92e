"""A guide's page for its notices, as editors use it."""

from datetime import timedelta
from html import unescape

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.test_admin import HOSTILE, DeskTestCase
from troubleshooter.admin import noticing
from troubleshooter.models import Guide, LogLine, Notice

TEXT = "The maker's servers are down."
DAY = timedelta(days=1)


class NoticingTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = self.move("notices")

    def states(self) -> list[str]:
        return list(Notice.objects.order_by("pk").values_list("state", flat=True))

    def test_an_editor_announces_and_ends_one(self) -> None:
        self.assertIn("No notice stands on this guide.", self.text(self.url))
        said = self.text(self.url, text=TEXT, pauses="on")
        self.assertIn("The notice stands: visitors read it from now on.", said)
        notice = Notice.objects.get()
        self.assertEqual((notice.text, notice.announced_by), (TEXT, self.erin))
        self.assertIsNotNone(notice.pauses_since)
        self.assertIn(f"Stands now: “{TEXT}”", said)
        self.assertIn("by erin. It pauses fixes that lose data.", said)
        said = self.text(self.url, end="End this notice")
        self.assertIn("The notice is ended.", said)
        self.assertIn("Earlier ones", said)
        self.assertEqual(self.states(), ["ended"])
        self.assertEqual(Notice.objects.get().over_by, self.erin)

    def test_the_form_begins_with_pausing_and_can_do_without(self) -> None:
        self.assertIn('id="id_pauses" checked>', self.html(self.url))
        self.assertIn("It pauses no fix.", self.text(self.url, text=TEXT))
        self.assertIn(
            'id="id_pauses">', self.html(self.url)
        )  # what stands can be put in other words

    def test_it_may_end_by_itself(self) -> None:
        tomorrow = timezone.localtime() + DAY
        said = self.text(self.url, text=TEXT, until=tomorrow.strftime("%Y-%m-%dT%H:%M"))
        self.assertIn("by itself.", said)
        until = Notice.objects.get().until
        assert until
        self.assertEqual(until, tomorrow.replace(second=0, microsecond=0))

    def test_a_suggestion_is_laid_before_the_editor(self) -> None:
        Notice.objects.suggest(self.guide, "Many people have this problem.")
        desk = self.text(self.move("change"))
        self.assertIn("A notice is suggested.", desk)
        html = self.html(self.url)
        self.assertIn(">\nMany people have this problem.</textarea>", html)
        self.text(self.url, text=TEXT, pauses="on")
        self.assertEqual(self.states(), ["standing"])
        self.assertIn(f"A notice stands: “{TEXT}”", self.text(self.move("change")))

    def test_a_suggestion_is_dismissed(self) -> None:
        Notice.objects.suggest(self.guide, "Many people have this problem.")
        said = self.text(self.url, dismiss="Dismiss the suggestion")
        self.assertIn("The suggestion is dismissed.", said)
        self.assertIn("Suggested, and dismissed", said)
        self.assertEqual(self.states(), ["dismissed"])

    def test_what_somebody_did_before_is_told(self) -> None:
        for button in ("end", "dismiss"):
            said = self.text(self.url, **{button: "x"})
            self.assertIn("Somebody else did it before: nothing was changed.", said)

    def test_bad_input_gets_a_sentence_and_keeps_what_was_typed(self) -> None:
        past = (timezone.localtime() - DAY).strftime("%Y-%m-%dT%H:%M")
        far = (timezone.localtime() + 400 * DAY).strftime("%Y-%m-%dT%H:%M")
        for given, sentence in (
            ({"text": ""}, "Say what the trouble is"),
            ({"text": " \u200b "}, "Say what the trouble is"),
            ({"text": "x" * 501}, "too long: 501 characters, at most 500"),
            ({"text": "a\x00b"}, "Null characters are not allowed"),
            ({"text": TEXT, "until": past}, "That end is past"),
            ({"text": TEXT, "until": far}, "more than three months away"),
            ({"text": TEXT, "until": "soon"}, "no moment like"),
            ({"text": TEXT, "until": "9999-12-31T23:59"}, "more than three months away"),
        ):
            said = self.text(self.url, pauses="on", **given)
            self.assertIn(sentence, said, given)
        self.assertIn(TEXT, unescape(self.html(self.url, text=TEXT, until="soon")))
        self.assertFalse(Notice.objects.exists())

    def test_who_may(self) -> None:
        Notice.objects.announce(self.guide, TEXT, by=None)
        self.client.force_login(self.arno)  # an agent looks, and that is all
        said = self.text(self.url)
        self.assertIn(TEXT, said)
        self.assertNotIn("Announce it in other words", said)
        for given in ({"text": "Other words."}, {"end": "x"}, {"dismiss": "x"}):
            self.assertEqual(self.client.post(self.url, given).status_code, 403)
        self.client.logout()
        self.assertEqual(self.client.get(self.url).status_code, 302)
        self.assertEqual(self.states(), ["standing"])
        self.client.force_login(self.ada)
        self.assertEqual(self.client.get(self.move("notices")).status_code, 200)

    def test_a_guide_that_is_not_there_is_not_found(self) -> None:
        self.assertEqual(
            self.client.get(self.url.replace(str(self.guide.pk), "999")).status_code, 404
        )

    def test_the_change_log_tells_each_move_once(self) -> None:
        self.text(self.url, text=TEXT, pauses="on")
        self.text(self.url, end="x")
        said = self.text(self.move("log"))
        for sentence in (f"Announced a notice: “{TEXT}”", f"Ended the notice: “{TEXT}”"):
            self.assertEqual(said.count(sentence), 1, said)
        self.assertEqual(
            set(LogLine.objects.exclude(edition=1).values_list("by", flat=True)), {self.erin.pk}
        )

    def test_other_languages_are_one_click_away(self) -> None:
        other = Guide.objects.create(
            key="printer", language="de", topic=self.guide.topic, slug="drucker", title="Drucker"
        )
        html = self.html(self.url)
        self.assertIn(f'href="{self.move("notices", other)}" lang="de">Drucker', html)
        self.assertIn("The guide is not live", self.text(self.move("notices", other)))

    def test_earlier_ones_are_paged_and_the_queries_stay_the_same(self) -> None:
        counts = []
        for _more in range(2):
            for nth in range(noticing.A_PAGE):
                Notice.objects.announce(self.guide, f"Trouble {nth}.", by=self.erin)
            self.client.get(self.url)
            with CaptureQueriesContext(connection) as captured:
                response = self.client.get(self.url)
            counts.append(len(captured))
            self.assertLessEqual(len(response.context["page"].object_list), noticing.A_PAGE)
        self.assertEqual(*counts)
        self.assertIn("Page 2 of 2", self.text(self.url + "?page=2"))
        for rubbish in ("0", "x", "%00", "99999999999999999999"):
            self.assertEqual(self.client.get(f"{self.url}?page={rubbish}").status_code, 200)

    def test_hostile_text_is_harmless(self) -> None:
        self.html(self.url, text=HOSTILE)
        for url in (self.url, self.move("change"), self.move("log")):
            self.assertNotIn("<script>alert", self.html(url))
