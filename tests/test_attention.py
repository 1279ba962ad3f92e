"""“Needs attention” in the queue: what it says, to whom, and what “Dismiss” does."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.test_admin import HOSTILE, DeskTestCase, admin_url
from troubleshooter.admin import reviews
from troubleshooter.admin.attention import SENTENCES
from troubleshooter.models import Fix, Guide, Notice, Signal
from troubleshooter.signals import Kind

FELL = {"count": 12, "n": 60, "count_before": 41, "n_before": 80}
CAME = {"count": 30, "usual": 9.625, "weeks": 8, "day": "2026-11-26"}
DAY = timedelta(days=1)


class AttentionTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = reverse("admin:troubleshooter_guide_queue")

    def saw(
        self, kind: Kind, evidence: dict[str, Any], subject: str = "", key: str = "printer"
    ) -> Signal:
        made = Signal.objects.saw(kind, key, evidence, timezone.now(), subject=subject, revision=1)
        assert made
        return made

    def test_each_signal_is_told_in_one_sentence_with_its_numbers(self) -> None:
        Guide.objects.update(owner=self.erin)
        for kind, evidence, subject, sentence in (
            (
                Kind.FALLING,
                FELL,
                "restart",
                "“Restart the computer” fixed 12 of 60 in the last 7 days, 41 of 80 in the 28 days"
                " before.",
            ),
            (
                Kind.UNFINDABLE,
                FELL,
                "cable",
                "“Check the cable”: 12 of 60 could not find something or saw it differently in the"
                " last 7 days, 41 of 80 in the 28 days before.",
            ),
            (
                Kind.UNSEEN,
                FELL | {"count_before": 0},
                "mac",
                "Mac: 12 of 60 sessions in the last 7 days, none of the 80 before.",
            ),
            (
                Kind.SURGE,
                CAME,
                "",
                "30 sessions started on Nov. 26, 2026; on the same weekday it is usually 10.",
            ),
            (
                Kind.FAILURES,
                CAME,
                "",
                "30 sessions of Nov. 26, 2026 ended without a cure or asked for a person; on the"
                " same weekday it is usually 10.",
            ),
            (
                Kind.HARM,
                {"minutes": 1.26, "n": 450},
                "",
                "The learned order cost 1.3 min per session against the author’s (450 sessions), so"
                " it was stopped. Every session gets the author’s order until you let it learn"
                " again.",
            ),
        ):
            self.saw(kind, evidence, subject)
            said = self.text(self.url)
            self.assertIn(f"The printer is offline : {kind.label} {sentence}", said)
        self.assertEqual(said.count("Owner: erin. Seen since"), len(Kind))
        self.assertEqual(set(SENTENCES), set(Kind))

    def test_links_lead_to_the_numbers_the_desk_and_the_notices(self) -> None:
        self.saw(Kind.FALLING, FELL, "restart")
        html = self.html(self.url)
        for url in (self.move("change"), reverse("numbers_fix", args=["restart"])):
            self.assertIn(f'href="{url}"', html)
            self.assertEqual(self.client.get(url).status_code, 200)
        self.assertNotIn("Announce a notice", html)
        self.saw(Kind.SURGE, CAME)
        html = self.html(self.url)
        for url in (self.move("notices"), reverse("numbers_guide", args=["printer"])):
            self.assertIn(f'href="{url}"', html)
            self.assertEqual(self.client.get(url).status_code, 200)

    def test_without_signals_nothing_is_said(self) -> None:
        for url in (self.url, reverse("admin:index")):
            self.assertNotIn("Needs attention", self.text(url))

    def test_the_front_page_says_how_many(self) -> None:
        index = reverse("admin:index")
        self.saw(Kind.FALLING, FELL, "restart")
        self.assertIn("Needs attention: one thing in the numbers", self.text(index))
        self.saw(Kind.SURGE, CAME)
        self.assertIn("Needs attention: 2 things in the numbers", self.text(index))
        nobody = User.objects.create_user("nobody", is_staff=True)
        self.client.force_login(nobody)
        self.assertNotIn("Needs attention", self.text(index))

    def test_dismiss_is_one_press_and_says_who(self) -> None:
        signal = self.saw(Kind.SURGE, CAME)
        url = admin_url("guide", "dismiss", signal.pk)
        self.assertIn("Dismissed.", self.text(url, mine="0"))
        signal.refresh_from_db()
        self.assertEqual((signal.state, signal.dismissed_by), ("dismissed", self.erin))
        self.assertEqual(Notice.objects.get().state, "dismissed")
        self.assertNotIn("30 sessions", self.text(self.url))
        self.assertIn("Somebody else did it before", self.text(url, mine="0"))
        self.assertRedirects(self.client.post(url, {"mine": "1"}), f"{self.url}?mine=1")

    def test_only_mine(self) -> None:
        self.jam(key="jam")
        Guide.objects.filter(key="jam").update(owner=self.erin)
        self.saw(Kind.FALLING, FELL, "restart", key="printer")
        self.saw(Kind.FALLING, FELL, "restart", key="jam")
        shown = self.client.get(f"{self.url}?mine=1").context["attention"]["entries"]
        self.assertEqual([entry.title for entry in shown], ["The paper jams"])
        self.assertEqual(len(self.client.get(self.url).context["attention"]["entries"]), 2)

    def test_the_language_that_is_live_is_named_and_every_owner(self) -> None:
        Guide.objects.update(owner=self.erin)
        Guide.objects.create(
            key="printer",
            language="de",
            topic=self.guide.topic,
            slug="drucker",
            title="Drucker",
            owner=self.arno,
        )
        self.saw(Kind.SURGE, CAME)
        said = self.text(self.url)
        self.assertIn("The printer is offline : many more", said)
        self.assertIn("Owner: erin, arno.", said)
        self.assertIn("Announce a notice (German)", said)

    def test_a_guide_or_a_fix_that_is_gone_is_named_by_its_key(self) -> None:
        self.saw(Kind.FALLING, FELL, "gone", key="nowhere")
        said = self.text(self.url)
        self.assertIn("nowhere: a fix helps less than before “gone” fixed 12 of 60", said)
        self.assertIn("No owner.", said)

    def test_who_may(self) -> None:
        signal = self.saw(Kind.FALLING, FELL, "restart")
        url = admin_url("guide", "dismiss", signal.pk)
        self.assertEqual(self.client.get(url).status_code, 405)
        self.assertEqual(self.client.post(admin_url("guide", "dismiss", 999)).status_code, 404)
        self.client.force_login(self.arno)  # looks, and that is all
        said = self.text(self.url)
        self.assertIn("fixed 12 of 60", said)
        self.assertNotIn('value="Dismiss"', self.html(self.url))
        self.assertEqual(self.client.post(url).status_code, 403)
        self.client.logout()
        self.assertEqual(self.client.post(url).status_code, 302)
        signal.refresh_from_db()
        self.assertEqual(signal.state, "new")

    def test_it_is_paged_by_itself(self) -> None:
        for nth in range(reviews.A_PAGE + 1):
            self.saw(Kind.FALLING, FELL, f"fix{nth}")
        context = self.client.get(f"{self.url}?seen=2&page=1").context
        self.assertEqual(len(context["attention"]["entries"]), 1)
        self.assertIn('href="?seen=1&amp;page=1"', self.html(f"{self.url}?seen=2&page=1"))
        for rubbish in ("0", "x", "%00", "99999999999999999999"):
            self.assertEqual(self.client.get(f"{self.url}?seen={rubbish}").status_code, 200)

    def test_the_queries_stay_the_same(self) -> None:
        counts = []
        for nth in range(2):
            for each in range(4):
                guide = self.jam(slug=f"jam-{nth}-{each}", key=f"jam{nth}{each}")
                Guide.objects.filter(pk=guide.pk).update(owner=self.erin)
                for kind, subject in ((Kind.FALLING, "restart"), (Kind.UNSEEN, "mac")):
                    self.saw(kind, FELL, subject, key=guide.key)
            self.client.get(self.url)
            with CaptureQueriesContext(connection) as captured:
                self.client.get(self.url)
            counts.append(len(captured))
        self.assertEqual(*counts)

    def test_hostile_text_is_harmless(self) -> None:
        Guide.objects.update(title=HOSTILE[:100])
        Fix.objects.update(title=HOSTILE[:100])
        self.saw(Kind.FALLING, FELL, "restart")
        self.saw(Kind.SURGE, CAME)
        self.assertNotIn("<script>alert", self.html(self.url))
