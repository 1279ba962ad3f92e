"""Translations of the printer guide: begun, kept up to date, and published."""

from datetime import timedelta

from django.utils import timezone

from tests.base import CastTestCase, make_fix
from troubleshooter.models import (
    CannotTranslate,
    Change,
    Contact,
    Edition,
    Fix,
    Guide,
    NotReady,
    Picture,
    Placement,
    Scenario,
    Step,
    Symptom,
    Topic,
    Translation,
    findings,
    freeze,
)
from troubleshooter.models.wording import texts


def translate(guide: Guide) -> None:
    """Put a word of another language before every text, as a translator would not."""
    Guide.objects.filter(pk=guide.pk).update(
        **{name: f"Ü {getattr(guide, name)}" for name in ("title", "summary", "about")},
        closing="Ü.",
        prevention="Ü.",
    )
    for symptom in Symptom.objects.filter(guide=guide):
        Symptom.objects.filter(pk=symptom.pk).update(text=f"Ü {symptom.text}")
    for fix in Fix.objects.filter(guides=guide):
        changed = {
            name: f"Ü {getattr(fix, name)}"
            for name in ("title", "why", "loses", "waiting", "note")
            if getattr(fix, name)
        }
        Fix.objects.filter(pk=fix.pk).update(**changed)
        for step in fix.steps.all():
            heading = step.heading and f"Ü {step.heading}"
            Step.objects.filter(pk=step.pk).update(text=f"Ü {step.text}", heading=heading)


class TranslationTestCase(CastTestCase):
    def start_in(self, language: str = "de") -> Translation:
        return Translation.objects.start(self.guide, language, by=None)

    def whole(self, guide: Guide) -> Guide:
        return Guide.objects.whole().get(pk=guide.pk)

    def german(self) -> Translation:
        """A German guide that is translated and live."""
        translation = self.start_in()
        translate(translation.guide)
        Edition.objects.publish(translation.guide, by=None)
        return translation

    def publish_again(self, change: Change, **texts: str) -> Edition:
        """A new edition of the original."""
        Guide.objects.filter(pk=self.guide.pk).update(**texts)
        return Edition.objects.publish(self.guide, by=None, change=change)

    def compared(self) -> Translation:
        return Translation.objects.compared().get()


class StartTests(TranslationTestCase):
    def test_it_is_the_same_guide_with_the_same_keys(self) -> None:
        symptom, fix = Symptom.objects.get(key="offline"), Fix.objects.get(key="restart")
        Scenario.objects.create(
            guide=self.guide, symptom=symptom, answers="fixed", status="resolved", fix=fix
        )
        Placement.objects.filter(fix=fix).update(pin="first")
        Placement.objects.get(fix__key="driver").after.add(fix)
        guide = self.start_in().guide
        self.assertEqual((guide.key, guide.language), ("printer", "de"))
        here, there = freeze(self.whole(self.guide)), freeze(self.whole(guide))
        self.assertEqual({**there, "language": "en"}, here)
        scenario = guide.scenarios.get()
        self.assertEqual((scenario.answers, scenario.status), ("fixed", "resolved"))
        self.assertEqual(scenario.fix, Fix.objects.get(key="restart", language="de"))
        self.assertEqual(scenario.symptom, Symptom.objects.get(key="offline", language="de"))

    def test_its_rows_are_its_own(self) -> None:
        guide = self.start_in().guide
        self.assertEqual(guide.slug, "printer-offline-de")
        Fix.objects.filter(language="de").update(title="Anders")
        self.assertEqual(Fix.objects.get(key="cable", language="en").title, "Check the cable")
        contact = guide.contacts.get()
        self.assertEqual((contact.language, contact.name), ("de", "Printer Support"))
        self.assertNotEqual(contact, self.guide.contacts.get())

    def test_an_address_that_is_taken_gets_a_number(self) -> None:
        topic = Topic.objects.get()
        Guide.objects.create(slug="printer-offline-de", title="Another", topic=topic)
        self.assertEqual(self.start_in().guide.slug, "printer-offline-de-2")

    def test_what_is_translated_already_is_shared(self) -> None:
        cable = make_fix("cable", "Kabel prüfen", language="de")
        Step.objects.create(key="cable1", fix=cable, text="Sieh dir beide Enden an.")
        contact = Contact.objects.create(
            language="de", name="Hilfe", url="https://printer.example/help"
        )
        guide = self.start_in().guide
        placed = guide.placements.select_related("fix").first()
        assert placed
        self.assertEqual(placed.fix, cable)
        self.assertEqual(list(cable.steps.values_list("text", flat=True)), [
            "Sieh dir beide Enden an."
        ])  # fmt: skip
        self.assertEqual(guide.contacts.get(), contact)

    def test_there_is_one_in_each_language(self) -> None:
        self.start_in()
        for language, said in (
            ("de", "in German already"),
            ("en", "in English already"),
            ("tlh", "from the list"),
            ("", "from the list"),
        ):
            with self.assertRaisesMessage(CannotTranslate, said):
                self.start_in(language)
        self.assertEqual(Guide.objects.count(), 2)

    def test_it_knows_the_edition_it_was_made_from(self) -> None:
        self.assertEqual(self.start_in().edition, 1)

    def test_of_a_guide_that_was_never_published_it_knows_none(self) -> None:
        Edition.objects.all().delete()
        self.assertIsNone(self.start_in().edition)


class UntranslatedTests(TranslationTestCase):
    def test_a_copy_cannot_be_published(self) -> None:
        with self.assertRaises(NotReady) as refused:
            Edition.objects.publish(self.start_in().guide, by=None)
        said = str(refused.exception)
        self.assertIn("Texts of the guide that are not translated yet: 5.", said)
        self.assertIn("Texts of “Update the driver” that are not translated yet: 7.", said)
        self.assertIn("The symptom “It says offline” is not translated yet.", said)

    def test_what_is_left_leads_to_its_field(self) -> None:
        guide = self.start_in().guide
        translate(guide)
        step = Step.objects.get(key="driver2", language="de")
        Step.objects.filter(pk=step.pk).update(text="Press Update.")
        found = findings(self.whole(guide))
        self.assertEqual([(each.row, each.field) for each in found], [(step, "text")])
        self.assertTrue(found[0].blocks)

    def test_what_is_translated_can_be_published(self) -> None:
        edition = Edition.objects.live().get(guide=self.german().guide)
        self.assertEqual((edition.language, edition.of_edition), ("de", 1))

    def test_what_is_the_same_in_both_languages_can_be_said(self) -> None:
        translation = self.start_in()
        translate(translation.guide)
        Guide.objects.filter(pk=translation.guide_id).update(title=self.guide.title)
        self.assertEqual(
            translation.untranslated(self.whole(translation.guide)),
            {("guide", "title"): "The printer is offline"},
        )
        translation.same_on_purpose([("guide", "title")], by=None)
        Edition.objects.publish(translation.guide, by=None)
        said = translation.guide.log_lines.filter(kind="changed").first()
        assert said
        self.assertIn("the same in both languages: 1", said.said)

    def test_a_later_change_of_the_original_does_not_hide_a_copy(self) -> None:
        guide = self.start_in().guide
        Guide.objects.filter(pk=self.guide.pk).update(title="Changed meanwhile")
        self.assertIn(("guide", "title"), guide.translation.untranslated(self.whole(guide)))

    def test_a_shared_fix_that_is_still_a_copy_stops_both_guides(self) -> None:
        self.start_in()
        other = Guide.objects.create(
            key="other", slug="other", title="Other", summary="Other.", topic=self.guide.topic
        )
        Placement.objects.create(guide=other, fix=Fix.objects.get(key="cable", language="en"))
        second = Translation.objects.start(other, "de", by=None)
        left = second.untranslated(self.whole(second.guide))
        self.assertIn(("fix", "cable", "title"), left)
        Fix.objects.filter(key="cable", language="de").update(title="Kabel prüfen")
        left = second.untranslated(self.whole(second.guide))
        self.assertNotIn(("fix", "cable", "title"), left)


class ChangeTests(TranslationTestCase):
    def test_an_edition_keeps_what_its_editor_chose(self) -> None:
        self.assertEqual(self.publish_again(Change.MINOR, title="A").change, Change.MINOR)
        self.assertEqual(self.publish_again(Change.MAJOR, title="B").change, Change.MAJOR)
        Guide.objects.filter(pk=self.guide.pk).update(closing="Tell support what you tried!")
        self.assertEqual(Edition.objects.publish(self.guide, by=None).change, Change.MINOR)
        Fix.objects.filter(key="cable").update(minutes=7)
        self.assertEqual(Edition.objects.publish(self.guide, by=None).change, Change.MAJOR)

    def test_the_first_edition_is_major(self) -> None:
        self.assertEqual(self.edition.change, Change.MAJOR)

    def test_a_translation_knows_what_changed_since(self) -> None:
        self.start_in()
        self.assertIsNone(self.compared().change)
        self.publish_again(Change.MINOR, title="A")
        self.assertEqual(self.compared().change, Change.MINOR)
        self.publish_again(Change.MAJOR, title="B")
        self.publish_again(Change.MINOR, title="C")
        self.assertEqual(self.compared().change, Change.MAJOR)
        self.assertEqual(list(Translation.objects.behind()), [self.compared()])

    def test_going_back_to_what_it_says_makes_it_up_to_date(self) -> None:
        self.start_in()
        self.publish_again(Change.MAJOR, title="B")
        Edition.objects.roll_back(self.edition)
        self.assertIsNone(self.compared().change)
        self.assertFalse(Translation.objects.behind().exists())

    def test_an_original_that_is_not_live_asks_for_nothing(self) -> None:
        self.start_in()
        self.publish_again(Change.MAJOR, title="B")
        Edition.objects.unpublish(self.guide)
        self.assertIsNone(self.compared().change)

    def test_publishing_the_same_again_asks_for_nothing(self) -> None:
        self.german()
        Edition.objects.unpublish(self.guide)
        again = Edition.objects.publish(self.guide, by=None, change=Change.MAJOR)
        self.assertEqual((again.number, again.last_major), (2, 1))
        self.assertIsNone(self.compared().change)
        self.publish_again(Change.MINOR, title="B")
        self.assertEqual(self.compared().change, Change.MINOR)

    def test_publishing_the_same_again_hides_no_earlier_change(self) -> None:
        self.german()
        self.publish_again(Change.MAJOR, title="B")
        Edition.objects.unpublish(self.guide)
        Edition.objects.publish(self.guide, by=None)
        self.assertEqual(self.compared().change, Change.MAJOR)

    def test_planning_the_same_again_asks_for_nothing(self) -> None:
        self.german()
        Edition.objects.unpublish(self.guide)
        soon = timezone.now() + timedelta(hours=1)
        Edition.objects.schedule(self.guide, soon, by=None)
        self.assertEqual(self.compared().edition, 1)
        Edition.objects.go_live(soon)
        translation = self.compared()
        self.assertEqual((translation.edition, translation.change), (2, None))

    def test_a_plan_asks_for_nothing_before_its_time(self) -> None:
        self.start_in()
        Guide.objects.filter(pk=self.guide.pk).update(title="Later")
        self.edition.refresh_from_db()
        tomorrow = self.edition.published_at.replace(year=self.edition.published_at.year + 1)
        planned = Edition.objects.schedule(self.guide, tomorrow, None, Change.MINOR)
        self.assertEqual(planned.change, Change.MINOR)
        self.assertIsNone(self.compared().change)


class UpToDateTests(TranslationTestCase):
    def test_saying_so_is_enough_when_nothing_has_to_change(self) -> None:
        translation = self.german()
        second = self.publish_again(Change.MAJOR, title="B")
        translation.up_to_date(second, by=None)
        self.assertIsNone(self.compared().change)
        self.assertEqual(Edition.objects.live().get(language="de").of_edition, 2)

    def test_what_is_live_lacks_it_until_the_draft_is_published(self) -> None:
        translation = self.german()
        second = self.publish_again(Change.MAJOR, title="B")
        Guide.objects.filter(pk=translation.guide_id).update(title="Ü B")
        translation.up_to_date(second, by=None)
        self.assertEqual(Edition.objects.live().get(language="de").of_edition, 1)
        Edition.objects.publish(translation.guide, by=None)
        self.assertEqual(Edition.objects.live().get(language="de").of_edition, 2)

    def test_it_is_in_the_change_log(self) -> None:
        translation = self.german()
        translation.up_to_date(self.edition, by=None)
        line = translation.guide.log_lines.first()
        assert line
        self.assertEqual(line.said, "Up to date with edition 1 of the original.")


class PictureTests(TranslationTestCase):
    def test_a_picture_has_words_in_each_language(self) -> None:
        picture = Picture.objects.create(
            sha256="a" * 64, kind="svg", content=b"", width=1, height=1, name="A", alt="A cable."
        )
        Step.objects.filter(key="cable1").update(picture=picture)
        guide = self.start_in().guide
        here = ("step", "cable", "cable1", "alt")
        self.assertIn(here, guide.translation.untranslated(self.whole(guide)))
        picture.refresh_from_db()
        picture.describe("Ein Kabel.", "de")
        picture.save()
        self.assertNotIn(here, guide.translation.untranslated(self.whole(guide)))
        self.assertEqual(texts(freeze(self.whole(guide)))[here], "Ein Kabel.")
        self.assertEqual(texts(freeze(self.whole(self.guide)))[here], "A cable.")
