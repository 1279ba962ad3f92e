"""Editions: what publishing, unpublishing and withdrawing do, and what they never change."""

from unittest.mock import patch

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.base import CastTestCase, make_staff, walk
from troubleshooter import markup
from troubleshooter.flow import Outcome, Status
from troubleshooter.models import Edition, Fix, Guide, Kind, NotReady, Session, freeze
from troubleshooter.models.editions import CannotRollBack
from troubleshooter.text import BadText


class PublishTests(CastTestCase):
    def edit(self, title: str = "The printer does not answer") -> None:
        self.guide.title = title
        self.guide.save()

    def publish(self, by: User | None = None) -> Edition:
        return Edition.objects.publish(self.guide, by=by)

    def test_it_works(self) -> None:
        erin = make_staff("erin", "Editor")
        self.edit()
        second = self.publish(by=erin)
        self.assertEqual((second.number, second.live, second.published_by), (2, True, erin))
        self.assertEqual(second.title, "The printer does not answer")
        self.assertEqual(second.content, freeze(Guide.objects.whole().get(pk=self.guide.pk)))
        self.edition.refresh_from_db()
        self.assertFalse(self.edition.live)

    def test_publishing_what_is_live_word_for_word_changes_nothing(self) -> None:
        self.assertEqual(self.publish(), self.edition)
        self.assertEqual(Edition.objects.count(), 1)

    def test_going_back_to_an_older_text_is_a_new_edition(self) -> None:
        first = self.guide.title
        self.edit()
        self.publish()
        self.edit(first)
        third = self.publish()
        self.assertEqual((third.number, third.digest), (3, self.edition.digest))

    def test_a_shared_fix_changes_only_the_guide_that_is_published(self) -> None:
        other = Guide.objects.create(
            topic=self.guide.topic, slug="jam", title="Paper jams", summary="Paper stays in."
        )
        other.placements.create(fix=Fix.objects.get(key="restart"), position=1)
        theirs = Edition.objects.publish(other, by=None)
        Fix.objects.filter(key="restart").update(title="Restart it twice")
        self.publish()
        theirs = Edition.objects.get(pk=theirs.pk)
        self.assertEqual(theirs.reading.fixes[0].title, "Restart the computer")

    def test_a_draft_with_findings_is_refused_and_the_live_edition_stays(self) -> None:
        Fix.objects.filter(key="cable").update(minutes=0)
        with self.assertRaises(NotReady) as refused:
            self.publish()
        self.assertEqual([each.field for each in refused.exception.findings], ["minutes"])
        self.assertIn("takes no time at all", str(refused.exception))
        self.assertEqual(list(Edition.objects.live()), [self.edition])

    def test_a_warning_does_not_stop_it(self) -> None:
        Fix.objects.filter(key="cable").update(title="Delete the printer")
        self.assertEqual(self.publish().number, 2)

    def test_an_edition_cannot_be_saved_again(self) -> None:
        self.edition.title = "Another title"
        with self.assertRaises(TypeError):
            self.edition.save()
        self.edition.refresh_from_db()
        self.assertEqual(self.edition.title, "The printer is offline")

    def test_the_database_allows_one_live_edition_of_a_guide(self) -> None:
        self.edit()
        self.publish()
        with self.assertRaises(IntegrityError), transaction.atomic():
            Edition.objects.filter(pk=self.edition.pk).update(live=True)

    def test_the_database_allows_no_live_edition_that_is_withdrawn(self) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            Edition.objects.filter(pk=self.edition.pk).update(withdrawn_at=timezone.now())

    def test_an_edition_keeps_the_source_and_old_ones_are_rendered_anew(self) -> None:
        self.assertIn("**touch**", self.edition.content["about"])
        before = self.edition.reading
        self.assertIn("<strong>touch</strong>", before.about)
        self.assertIs(Edition.objects.get().reading, before)
        with patch.object(markup, "VERSION", markup.VERSION + 1):
            self.assertIsNot(self.edition.reading, before)

    def test_a_hostile_text_in_an_old_edition_is_harmless(self) -> None:
        self.guide.about = "<script>alert(1)</script> [go](javascript:alert(1))"
        self.guide.save()
        about = self.publish().reading.about
        self.assertNotIn("<script", about)
        self.assertNotIn("href", about)

    def test_its_places_tell_what_a_fix_costs_a_visitor(self) -> None:
        Fix.objects.filter(key="driver").update(revision=3)
        places = {place.fix: place for place in self.publish().reading.places}
        minutes = {fix: place.minutes for fix, place in places.items()}
        self.assertEqual(minutes, {"cable": 1, "restart": 4, "driver": 10, "reset": 5})
        self.assertEqual([fix for fix, place in places.items() if place.burden], ["restart"])
        self.assertEqual([fix for fix, place in places.items() if place.risky], ["reset"])
        self.assertEqual((places["cable"].revision, places["driver"].revision), (1, 3))


class PinnedTests(CastTestCase):
    def test_a_session_keeps_its_edition_whatever_is_published_later(self) -> None:
        session = self.start()
        Fix.objects.filter(key="cable").update(title="Look at the cable", revision=2)
        self.guide.placements.get(fix__key="restart").delete()
        self.guide.symptoms.get(key="offline").delete()
        Edition.objects.publish(self.guide, by=None)
        again = Session.objects.walk(session.public_id)
        assert again
        self.assertEqual(again.edition, self.edition)
        walk(again, "not_fixed", "fixed")
        self.assertEqual(
            [(row.fix_key, row.fix_revision) for row in again.rows], [("cable", 1), ("restart", 1)]
        )
        self.assertEqual(again.reading.fixes[0].title, "Check the cable")


class RollBackTests(CastTestCase):
    def setUp(self) -> None:
        Guide.objects.filter(pk=self.guide.pk).update(title="The second title")
        self.second = Edition.objects.publish(self.guide, by=None)

    def states(self) -> list[tuple[int, bool]]:
        return list(Edition.objects.order_by("number").values_list("number", "live"))

    def test_the_earlier_edition_is_live_again_and_no_new_one_is_made(self) -> None:
        before = Edition.objects.get(pk=self.edition.pk)
        back = Edition.objects.roll_back(self.edition)
        self.assertEqual(self.states(), [(1, True), (2, False)])
        self.assertTrue(back.live)
        self.assertEqual((back.content, back.published_at), (before.content, before.published_at))

    def test_the_draft_and_a_running_session_stay_as_they_are(self) -> None:
        session = Session.objects.start(self.second, "unknown")
        Edition.objects.roll_back(self.edition)
        self.assertEqual(Guide.objects.get().title, "The second title")
        again = Session.objects.walk(session.public_id)
        assert again
        self.assertEqual((again.edition, again.withdrawn), (self.second, False))
        self.assertEqual(again.reading.title, "The second title")

    def test_publishing_the_draft_afterwards_is_a_new_edition(self) -> None:
        Edition.objects.roll_back(self.edition)
        third = Edition.objects.publish(self.guide, by=None)
        self.assertEqual((third.number, third.title), (3, "The second title"))

    def test_it_works_when_nothing_is_live(self) -> None:
        Edition.objects.unpublish(self.guide)
        Edition.objects.roll_back(self.second)
        self.assertEqual(self.states(), [(1, False), (2, True)])

    def test_an_edition_that_is_live_already_is_refused(self) -> None:
        with self.assertRaisesMessage(CannotRollBack, "Edition 2 is live already."):
            Edition.objects.roll_back(self.second)
        self.assertEqual(self.states(), [(1, False), (2, True)])

    def test_what_is_known_of_the_edition_may_be_old(self) -> None:
        Edition.objects.roll_back(self.edition)
        with self.assertRaises(CannotRollBack):
            Edition.objects.roll_back(self.edition)  # says it is not live; the row knows better

    def test_a_withdrawn_edition_is_refused(self) -> None:
        Edition.objects.withdraw(self.guide, "It does harm.")
        with self.assertRaisesMessage(CannotRollBack, "stays closed for good"):
            Edition.objects.roll_back(self.edition)
        self.assertEqual(self.states(), [(1, False), (2, False)])

    def test_other_guides_stay_live(self) -> None:
        other = Guide.objects.create(
            topic=self.guide.topic, slug="jam", title="Paper jams", summary="Paper stays in."
        )
        other.placements.create(fix=Fix.objects.get(key="restart"), position=1)
        theirs = Edition.objects.publish(other, by=None)
        Edition.objects.roll_back(self.edition)
        self.assertEqual(set(Edition.objects.live()), {self.edition, theirs})


class UnpublishTests(CastTestCase):
    def test_nothing_is_live_and_running_sessions_go_on(self) -> None:
        session = self.start()
        self.assertEqual(Edition.objects.unpublish(self.guide), 1)
        self.assertFalse(Edition.objects.live().exists())
        session = walk(session, "not_fixed", "fixed")
        self.assertEqual(session.status, Status.RESOLVED)

    def test_unpublishing_twice_is_a_quiet_success(self) -> None:
        Edition.objects.unpublish(self.guide)
        self.assertEqual(Edition.objects.unpublish(self.guide), 0)

    def test_publishing_again_is_a_new_edition(self) -> None:
        Edition.objects.unpublish(self.guide)
        self.assertEqual(Edition.objects.publish(self.guide, by=None).number, 2)


class WithdrawTests(CastTestCase):
    def withdraw(self, reason: str = "Step 2 can break the  cable.") -> int:
        return Edition.objects.withdraw(self.guide, reason)

    def test_it_works(self) -> None:
        self.assertEqual(self.withdraw(), 1)
        self.edition.refresh_from_db()
        self.assertFalse(self.edition.live)
        self.assertIsNotNone(self.edition.withdrawn_at)
        self.assertEqual(self.edition.withdrawn_reason, "Step 2 can break the cable.")

    def test_every_edition_so_far_is_withdrawn_and_no_other_guide(self) -> None:
        other = Guide.objects.create(
            topic=self.guide.topic, slug="jam", title="Paper jams", summary="Paper stays in."
        )
        other.placements.create(fix=Fix.objects.get(key="restart"), position=1)
        theirs = Edition.objects.publish(other, by=None)
        self.guide.title = "Another"
        self.guide.save()
        Edition.objects.publish(self.guide, by=None)
        self.assertEqual(self.withdraw(), 2)
        self.assertEqual(list(Edition.objects.live()), [theirs])

    def test_a_running_session_is_interrupted_and_its_answer_still_counts(self) -> None:
        session = self.start()
        self.withdraw()
        again = Session.objects.walk(session.public_id)
        assert again
        self.assertTrue(again.withdrawn)
        move = again.record(1, "cable", Outcome.NOT_FIXED)
        self.assertEqual((move.kind, len(again.rows)), (Kind.RECORDED, 1))

    def test_an_older_reason_stays(self) -> None:
        self.withdraw()
        self.assertEqual(self.withdraw("Another reason."), 0)
        self.edition.refresh_from_db()
        self.assertEqual(self.edition.withdrawn_reason, "Step 2 can break the cable.")

    def test_a_reason_must_be_given(self) -> None:
        for nothing in ("", "  ", "\u200b"):
            with self.assertRaisesMessage(BadText, "Say why"):
                self.withdraw(nothing)
        self.assertIsNone(Edition.objects.get().withdrawn_at)

    def test_a_reason_that_is_too_long_is_refused(self) -> None:
        with self.assertRaises(BadText):
            self.withdraw("x" * 501)
        self.assertEqual(list(Edition.objects.live()), [self.edition])

    def test_a_mended_draft_can_be_published(self) -> None:
        self.withdraw()
        self.guide.title = "Mended"
        self.guide.save()
        mended = Edition.objects.publish(self.guide, by=None)
        self.assertEqual((mended.number, mended.live, mended.withdrawn_at), (2, True, None))
