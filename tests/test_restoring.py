"""A restored backup brings back neither what was erased nor what had left."""

from datetime import timedelta

from django.test import override_settings
from django.utils import timezone

from tests.base import CastTestCase, ask, walk
from troubleshooter import restoring, tokens
from troubleshooter.models import Delivery, Erasure, Escalation, FollowUp
from troubleshooter.restoring import Known

ANNA, BERT = "anna@example.org", "bert@example.org"
HOUR = timedelta(hours=1)


class ErasureTests(CastTestCase):
    def setUp(self) -> None:
        self.anna = ask(walk(self.start(), "not_fixed"), email=ANNA)
        self.bert = ask(walk(self.start(), "not_fixed"), email=BERT)
        FollowUp.objects.ask(walk(self.start(), "fixed"), ANNA)
        self.now = timezone.now()

    def erased(self, email: str = ANNA) -> dict[str, object]:
        """What the replaced database knows after the address was erased there."""
        return {"erased": {tokens.erasure_digests(email)[0]: self.now + HOUR}}

    def test_what_was_erased_since_is_erased_again(self) -> None:
        known = Known(told=True, **self.erased(ANNA.upper()))  # type: ignore[arg-type]
        done = restoring.apply(known, self.now + 2 * HOUR)
        self.assertEqual(done.erased, 1)
        left = str([*Escalation.objects.values(), *FollowUp.objects.values()])
        left += str(list(Delivery.objects.values()))
        self.assertNotIn("anna", left)
        self.assertIn(BERT, left)
        self.assertEqual(list(Erasure.objects.values_list("at", flat=True)), [self.now + HOUR])
        self.assertEqual(restoring.apply(known, self.now + 3 * HOUR).erased, 0)

    def test_what_the_same_person_wrote_after_the_erasure_stays(self) -> None:
        Erasure.objects.note(BERT, self.now - HOUR)
        restoring.apply(Known(told=True), self.now)
        self.bert.refresh_from_db()
        self.assertEqual(self.bert.email, BERT)

    def test_a_secret_that_was_changed_still_tells(self) -> None:
        known = Known(told=True, **self.erased())  # type: ignore[arg-type]
        old = "an-older-secret-" * 4
        with override_settings(SECRET_KEY=old):
            digests = tokens.erasure_digests(BERT)
        known.erased = {digests[0]: self.now + HOUR}
        with override_settings(SECRET_KEY_FALLBACKS=[old]):
            self.assertEqual(restoring.apply(known, self.now + 2 * HOUR).erased, 1)

    def test_what_is_remembered_names_nobody(self) -> None:
        Erasure.objects.note(ANNA, self.now)
        self.assertNotIn("anna", str(list(Erasure.objects.values())))

    def test_the_later_erasure_counts(self) -> None:
        Erasure.objects.note(ANNA, self.now)
        [digest] = Erasure.objects.known()
        Erasure.objects.keep({digest: self.now - HOUR})
        self.assertEqual(Erasure.objects.known(), {digest: self.now})
        Erasure.objects.note(ANNA, self.now + HOUR)
        self.assertEqual(Erasure.objects.known(), {digest: self.now + HOUR})


class LeavingTests(CastTestCase):
    """The rows are those of the backup; `known` is what the replaced database says."""

    def setUp(self) -> None:
        self.mails = [
            Delivery.objects.mail(to=ANNA, subject=str(nth), text="Hello") for nth in range(3)
        ]
        self.now = timezone.now()

    def states(self) -> list[str]:
        return list(Delivery.objects.order_by("pk").values_list("state", flat=True))

    def test_what_left_since_does_not_leave_again(self) -> None:
        left, waits, _unknown = (mail.public_id for mail in self.mails)
        done = restoring.apply(Known(told=True, sent={left}, waiting={waits}), self.now)
        self.assertEqual((self.states(), done.settled), (["done", "waiting", "dead"], 2))
        first, second, third = Delivery.objects.order_by("pk")
        self.assertEqual((first.body, first.to), ({}, "a…@example.org"))
        self.assertEqual(second.body["subject"], "1")
        self.assertIn("whether it left is not known", third.error)
        self.assertEqual([row.pk for row in Delivery.objects.lease(self.now, 9)], [second.pk])

    def test_where_nothing_is_known_somebody_decides(self) -> None:
        restoring.apply(Known(), self.now)
        self.assertEqual(self.states(), ["dead"] * 3)
        Delivery.objects.dead().retry(self.now)
        self.assertEqual(len(Delivery.objects.lease(self.now, 9)), 3)

    def test_nobody_is_asked_twice(self) -> None:
        asked, unasked = walk(self.start(), "fixed"), walk(self.start(), "fixed")
        for session in (asked, unasked):
            FollowUp.objects.ask(session, ANNA)
        done = restoring.apply(Known(told=True, unasked={unasked.public_id}), self.now)
        self.assertEqual(done.unasked, 1)
        FollowUp.objects.send(self.now + timedelta(days=9), 9)
        sent = FollowUp.objects.filter(sent_at__isnull=False).values_list("session", flat=True)
        self.assertEqual(list(sent), [unasked.pk])

    def test_where_nothing_is_known_who_was_due_is_not_asked(self) -> None:
        due, later = walk(self.start(), "fixed"), walk(self.start(), "fixed")
        for session in (due, later):
            FollowUp.objects.ask(session, ANNA)
        FollowUp.objects.filter(session=due).update(due_at=self.now - HOUR)
        restoring.apply(Known(), self.now)
        kept = FollowUp.objects.exclude(email="").values_list("session", flat=True)
        self.assertEqual(list(kept), [later.pk])

    def test_what_is_known_outlives_a_file(self) -> None:
        Erasure.objects.note(BERT, self.now)
        FollowUp.objects.ask(walk(self.start(), "fixed"), ANNA)
        self.mails[0].delivered(self.now)
        known = restoring.read()
        self.assertEqual((len(known.erased), len(known.sent), len(known.unasked)), (1, 1, 1))
        self.assertEqual(Known.load(known.dump()), known)
