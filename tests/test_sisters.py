"""Sisters: what is live of a guide, read not more than once a second."""

from unittest import mock

from django.utils import timezone

from tests.base import CastTestCase
from troubleshooter.models import Edition, Notice, Sisters, sisters


class SistersTests(CastTestCase):
    def found(self) -> Sisters:
        return Sisters(self.guide.slug, timezone.now())

    def setUp(self) -> None:
        sisters._known.clear()

    def test_it_knows_what_is_live_and_its_notice(self) -> None:
        notice = Notice.objects.announce(self.guide, "The server is down.", by=None)
        [edition] = self.found().editions()
        self.assertEqual((edition.pk, edition.guide.notice), (self.edition.pk, notice))

    def test_what_is_taken_down_has_no_language(self) -> None:
        self.assertEqual(self.found().language, "en")
        Edition.objects.unpublish(self.guide)
        self.assertIsNone(self.found().language)

    def test_a_notice_makes_it_another(self) -> None:
        before = self.found().same
        self.assertEqual(self.found().same, before)
        Notice.objects.announce(self.guide, "The server is down.", by=None)
        self.assertNotEqual(self.found().same, before)

    @mock.patch.object(sisters, "FRESH", 60.0)
    def test_within_a_second_nothing_is_read_again(self) -> None:
        before = self.found()
        Edition.objects.unpublish(self.guide)
        with self.assertNumQueries(0):
            self.assertEqual(self.found().same, before.same)

    def test_after_it_it_is(self) -> None:
        self.found()
        with self.assertNumQueries(1):
            self.found()

    @mock.patch.object(sisters, "FRESH", 60.0)
    def test_that_nothing_is_there_is_read_each_time(self) -> None:
        for _visitor in range(2):
            with self.assertNumQueries(1):
                self.assertEqual(len(Sisters("nothing", timezone.now())), 0)
