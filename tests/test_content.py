"""Content: keys, languages, and the gate every text passes."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from tests.base import CastTestCase, make_fix
from troubleshooter.models import Contact, Fix, Guide, Step, Symptom

UNSTORABLE = ("a\x00b", "a\ud800b")  # NUL, and half of a surrogate pair


class KeyTests(CastTestCase):
    def test_a_key_is_made_once_and_stays(self) -> None:
        fix = Fix.objects.create(title="Turn it off and on")
        made = fix.key
        fix.title = "Switch it off and on"
        fix.save()
        fix.refresh_from_db()
        self.assertEqual(fix.key, made)
        self.assertRegex(made, "^[2-9b-z]{10}$")

    def test_no_two_keys_are_the_same(self) -> None:
        keys = {Fix(title="One of many").key for _each in range(100)}
        self.assertEqual(len(keys), 100)

    def test_a_translation_shares_the_key(self) -> None:
        german = Guide.objects.create(
            key=self.guide.key,
            language="de",
            topic=self.guide.topic,
            slug="drucker-offline",
            title="Der Drucker ist offline",
        )
        self.assertEqual(Guide.objects.filter(key=german.key).count(), 2)

    def test_a_key_is_there_once_in_each_language(self) -> None:
        for row in (self.guide, Fix.objects.first(), Step.objects.first(), Symptom.objects.first()):
            assert row
            row.pk = None
            row._state.adding = True
            if isinstance(row, Guide):
                row.slug = "another-address"
            with self.assertRaises(IntegrityError), transaction.atomic():
                row.save()

    def test_steps_and_symptoms_take_the_language_of_what_they_belong_to(self) -> None:
        fix = make_fix("kabel", "Kabel prüfen", "Beide Enden ansehen.", language="de")
        guide = Guide.objects.create(
            topic=self.guide.topic, slug="drucker", title="Drucker", language="de"
        )
        symptom = Symptom.objects.create(guide=guide, text="Nichts geht", language="en")
        step = fix.steps.get()
        self.assertEqual((step.language, symptom.language), ("de", "de"))


class GateTests(CastTestCase):
    def test_text_that_cannot_be_stored_is_refused_with_a_sentence_by_the_form(self) -> None:
        for text in UNSTORABLE:
            for row, field in (
                (Guide(title=text), "title"),
                (Guide(about=text), "about"),
                (Step(text=text), "text"),
                (Contact(name=text), "name"),
            ):
                with self.assertRaises(ValidationError) as refused:
                    row.full_clean()
                self.assertEqual(
                    refused.exception.message_dict[field],
                    ["This text has a character in it that cannot be stored."],
                )

    def test_text_that_cannot_be_stored_is_refused_when_it_is_saved_without_a_form(self) -> None:
        for text in UNSTORABLE:
            self.guide.about = text
            with self.assertRaises(ValidationError), transaction.atomic():
                self.guide.save()
            with self.assertRaises(ValidationError), transaction.atomic():
                Fix.objects.create(title=text)
        self.guide.refresh_from_db()
        self.assertIn("**touch**", self.guide.about)

    def test_text_is_stored_clean(self) -> None:
        fix = Fix.objects.create(title=" A  cafe\u0301\n\u202eeno ", why="One \r\nTwo\x07\n\n")
        fix.refresh_from_db()
        self.assertEqual((fix.title, fix.why), ("A café eno", "One\nTwo"))

    def test_a_text_that_is_too_long_is_refused_with_its_length(self) -> None:
        with self.assertRaises(ValidationError) as refused:
            Guide(about="x" * 50_001).full_clean()
        self.assertIn("50001", " ".join(refused.exception.message_dict["about"]))


class DeletionTests(CastTestCase):
    def test_what_others_name_cannot_be_deleted(self) -> None:
        self.start()
        fix = Fix.objects.get(key="cable")
        for row in (self.guide, self.guide.topic, fix, self.edition):
            with self.assertRaises(ProtectedError), transaction.atomic():
                row.delete()


class WholeTests(CastTestCase):
    def test_a_whole_guide_takes_no_more_queries_when_it_grows(self) -> None:
        def read_whole() -> None:
            guide = Guide.objects.whole().get(pk=self.guide.pk)
            for placement in guide.placements.all():
                list(placement.after.all())
                [step.picture for step in placement.fix.steps.all()]
            [list(symptom.start_with.all()) for symptom in guide.symptoms.all()]

        with self.assertStatements(9):
            read_whole()
        for nth in range(5):
            fix = make_fix(f"more{nth}", f"More {nth}", "Do it.", "And this.")
            self.guide.placements.create(fix=fix, position=10 + nth).after.add(fix)
        with self.assertStatements(9):
            read_whole()
