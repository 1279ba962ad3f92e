"""How an editor says in which order sessions get the fixes."""

from django.test import Client
from django.utils import timezone

from tests.base import CastTestCase, make_staff
from troubleshooter.models import Guide, Learner, LogLine


class OrderingTests(CastTestCase):
    def setUp(self) -> None:
        self.client = Client()
        self.client.force_login(make_staff("erin", "Editor"))
        Guide.objects.update(control_share=10)
        self.url = f"/admin/troubleshooter/guide/{self.guide.pk}/order/"

    def post(self, **data: str) -> str:
        page = self.client.post(self.url, data, follow=True)
        self.assertEqual(page.status_code, 200)
        return page.content.decode()

    def fresh(self) -> Guide:
        return Guide.objects.get(pk=self.guide.pk)

    def test_the_desk_leads_to_it_and_it_to_the_reasons(self) -> None:
        desk = self.client.get(f"/admin/troubleshooter/guide/{self.guide.pk}/change/")
        self.assertContains(desk, self.url)
        self.assertContains(self.client.get(self.url), "/numbers/printer/order/")

    def test_the_share_of_the_authors_order_is_set_and_noted(self) -> None:
        text = self.post(control_share="25")
        self.assertIn("25 % of the sessions get the author’s order.", text)
        self.assertEqual((self.fresh().control_share, self.fresh().control), (25, 0.25))
        line = LogLine.objects.get(kind=LogLine.Kind.CHANGED)
        self.assertEqual(line.said, "25 % of the sessions get the author’s order.")

    def test_a_guide_is_kept_in_the_authors_order(self) -> None:
        self.assertIn("100 % of the sessions get", self.post(control_share="10", locked="on"))
        self.assertEqual((self.fresh().locked, self.fresh().control), (True, 1.0))

    def test_a_share_that_cannot_be_is_refused_with_a_sentence(self) -> None:
        for wrong, sentence in (
            ("101", "More than 100 per cent cannot be."),
            ("-1", "Less than 0 per cent cannot be."),
            ("ten", "That is no whole number from 0 to 100."),
            ("", "Say how many per cent get your order."),
        ):
            self.assertIn(sentence, self.post(control_share=wrong))
        self.assertEqual(self.fresh().control_share, 10)

    def test_saving_what_is_so_already_notes_nothing(self) -> None:
        self.assertIn("Nothing was changed.", self.post(control_share="10"))
        self.assertFalse(LogLine.objects.filter(kind=LogLine.Kind.CHANGED).exists())

    def test_a_stopped_order_is_told_and_may_learn_again(self) -> None:
        learner = Learner.objects.create(guide_key="printer")
        learner.stop(timezone.now())
        self.assertContains(self.client.get(self.url), "Stopped on")
        self.assertIn("Learning may order the fixes again.", self.post(resume="1"))
        learner.refresh_from_db()
        self.assertIsNone(learner.stopped_at)
        log = self.client.get(f"/admin/troubleshooter/guide/{self.guide.pk}/log/")
        self.assertContains(log, "The learned order did harm")
        self.assertContains(log, "Learning may order the fixes again.")

    def test_visitors_are_told_how_often_a_fix_worked_where_an_editor_wants_it(self) -> None:
        session = self.start()
        Guide.objects.filter(pk=self.guide.pk).update(success={"cable 1": [19, 30]})
        self.assertNotContains(self.client.get(f"{session.url}cable/"), "people who tried it")
        self.post(control_share="10", shows_success="on")
        page = self.client.get(f"{session.url}cable/")
        self.assertContains(page, "Worked for 6 in 10 people who tried it.")

    def test_only_those_who_may_publish_may_change_it(self) -> None:
        self.client.force_login(make_staff("aki", "Agent"))
        self.assertEqual(self.client.get(self.url).status_code, 403)
        self.assertEqual(self.client.post(self.url, {"control_share": "0"}).status_code, 403)
        self.assertEqual(self.fresh().control_share, 10)
