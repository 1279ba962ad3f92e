"""Findings: each reason why a draft cannot be published, and where it is mended."""

import hashlib

from django.conf import settings
from django.db.models import Model

from tests.base import CastTestCase, make_fix
from troubleshooter.models import (
    Edition,
    Finding,
    Fix,
    Guide,
    Picture,
    Placement,
    Risk,
    Step,
    Symptom,
    findings,
)


class FindingTests(CastTestCase):
    def found(self, guide: Guide | None = None) -> list[tuple[str, Model, str]]:
        guide = guide or self.guide
        draft = Guide.objects.whole().get(pk=guide.pk)
        return [(each.sentence, each.row, each.field) for each in findings(draft)]

    def placement(self, key: str) -> Placement:
        return Placement.objects.get(guide=self.guide, fix__key=key)

    def test_a_guide_that_is_ready_has_none(self) -> None:
        self.assertEqual(self.found(), [])

    def test_a_guide_without_fixes(self) -> None:
        empty = Guide.objects.create(
            topic=self.guide.topic, slug="empty", title="Empty", summary="Nothing in it."
        )
        self.assertEqual(self.found(empty), [("The guide has no fix yet.", empty, "placements")])

    def test_a_fix_in_another_language(self) -> None:
        fix = make_fix("kabel", "Kabel prüfen", "Ansehen.", language="de")
        placement = Placement.objects.create(guide=self.guide, fix=fix, position=9)
        sentence = "The fix “Kabel prüfen” is written in another language than the guide."
        self.assertEqual(self.found(), [(sentence, placement, "fix")])

    def test_a_fix_without_steps(self) -> None:
        Step.objects.filter(fix__key="cable").delete()
        cable = Fix.objects.get(key="cable")
        self.assertEqual(
            self.found(), [("The fix “Check the cable” has no steps.", cable, "steps")]
        )

    def test_a_fix_that_takes_no_time(self) -> None:
        Fix.objects.filter(key="cable").update(minutes=0)
        cable = Fix.objects.get(key="cable")
        sentence = "The fix “Check the cable” takes no time at all."
        self.assertEqual(self.found(), [(sentence, cable, "minutes")])

    def test_a_fix_that_loses_data_without_saying_what(self) -> None:
        Fix.objects.filter(key="reset").update(loses=" \n")
        reset = Fix.objects.get(key="reset")
        sentence = "The fix “Reset the printer” loses data but does not say what will be lost."
        self.assertEqual(self.found(), [(sentence, reset, "loses")])

    def test_a_picture_without_a_text_alternative(self) -> None:
        picture = Picture.objects.create(
            sha256=hashlib.sha256(b"<svg/>").hexdigest(),
            kind=Picture.Kind.SVG,
            content=b"<svg/>",
            width=1,
            height=1,
            name="Cable",
        )
        Step.objects.filter(key="cable1").update(picture=picture)
        sentence = "A picture in “Check the cable” has no text alternative."
        self.assertEqual(self.found(), [(sentence, picture, "alt")])

    def test_a_symptom_that_starts_with_a_fix_of_another_guide(self) -> None:
        symptom = Symptom.objects.get(key="unknown")
        symptom.start_with.add(make_fix("other", "Open the flap", "Open it."))
        sentence = "“I don't know” starts with “Open the flap”, which is not in this guide."
        self.assertEqual(self.found(), [(sentence, symptom, "start_with")])

    def test_a_symptom_that_starts_with_a_fix_that_loses_data(self) -> None:
        symptom = Symptom.objects.get(key="unknown")
        symptom.start_with.add(Fix.objects.get(key="reset"))
        sentence = "“I don't know” starts with “Reset the printer”, which loses data."
        self.assertEqual(self.found(), [(sentence, symptom, "start_with")])

    def test_a_fix_that_comes_after_one_of_another_guide(self) -> None:
        cable = self.placement("cable")
        cable.after.add(make_fix("other", "Open the flap", "Open it."))
        sentence = "“Check the cable” must come after “Open the flap”, which is not in this guide."
        self.assertEqual(self.found(), [(sentence, cable, "after")])

    def test_a_safe_fix_that_comes_after_one_that_loses_data(self) -> None:
        cable = self.placement("cable")
        cable.after.add(Fix.objects.get(key="reset"))
        sentence = (
            "“Check the cable” must come after “Reset the printer”,"
            " but that one loses data: it comes last."
        )
        self.assertEqual(self.found(), [(sentence, cable, "after")])

    def test_two_fixes_that_must_each_come_before_the_other(self) -> None:
        cable, driver = self.placement("cable"), self.placement("driver")
        cable.after.add(driver.fix)
        driver.after.add(cable.fix)
        self.assertEqual(
            self.found(),
            [
                (
                    "“Check the cable” and “Update the driver” must each come before the other.",
                    cable,
                    "after",
                ),
                (
                    "“Update the driver” and “Check the cable” must each come before the other.",
                    driver,
                    "after",
                ),
            ],
        )

    def test_pins_that_say_the_opposite(self) -> None:
        cable, driver = self.placement("cable"), self.placement("driver")
        Placement.objects.filter(pk=cable.pk).update(pin=Placement.Pin.FIRST)
        cable.after.add(driver.fix)
        sentence = (
            "“Check the cable” must come after “Update the driver”,"
            " but their pins say the opposite."
        )
        self.assertEqual(self.found(), [(sentence, cable, "after")])

    def test_every_reason_is_said_at_once(self) -> None:
        Fix.objects.filter(key="cable").update(minutes=0, risk=Risk.DATA_LOSING)
        Step.objects.filter(fix__key="driver").delete()
        self.assertEqual(
            [field for _said, _row, field in self.found()], ["minutes", "loses", "steps"]
        )

    def test_a_guide_without_a_title_or_a_summary(self) -> None:
        Guide.objects.filter(pk=self.guide.pk).update(title=" ", summary="")
        self.assertEqual(
            self.found(),
            [
                ("The guide has no title.", self.guide, "title"),
                ("The guide has no summary.", self.guide, "summary"),
            ],
        )

    def test_a_fix_without_a_title(self) -> None:
        Fix.objects.filter(key="cable").update(title=" ")
        cable = Fix.objects.get(key="cable")
        self.assertEqual(self.found(), [("A fix has no title.", cable, "title")])

    def test_a_symptom_without_a_text(self) -> None:
        Symptom.objects.filter(key="unknown").update(text="")
        symptom = Symptom.objects.get(key="unknown")
        self.assertEqual(self.found(), [("A symptom has no text.", symptom, "text")])

    def test_a_step_without_a_text(self) -> None:
        Step.objects.filter(key="cable2").update(text=" \n")
        step = Step.objects.get(key="cable2")
        sentence = "Step 2 of “Check the cable” has no text."
        self.assertEqual(self.found(), [(sentence, step, "text")])

    def test_a_step_that_is_too_long(self) -> None:
        step = Step.objects.get(key="cable2")
        for length, over in ((601, "1 character"), (750, "150 characters")):
            Step.objects.filter(key="cable2").update(text="x" * length)
            sentence = f"Step 2 of “Check the cable” is {over} too long: at most 600."
            self.assertEqual(self.found(), [(sentence, step, "text")])
        Step.objects.filter(key="cable2").update(text="x" * 600)
        self.assertEqual(self.found(), [])

    def test_a_fix_with_too_many_steps(self) -> None:
        cable = Fix.objects.get(key="cable")
        for _nth in range(18):
            Step.objects.create(fix=cable, text="Look.", position=9)
        self.assertEqual(self.found(), [])
        Step.objects.create(fix=cable, text="Look.", position=9)
        sentence = "The fix “Check the cable” has 21 steps; 20 are the most."
        self.assertEqual(self.found(), [(sentence, cable, "steps")])


class LinkTests(CastTestCase):
    """Links inside the texts of a guide, to guides of this desk."""

    def dead(self, text: str) -> list[Finding]:
        Guide.objects.filter(pk=self.guide.pk).update(about=text)
        return findings(Guide.objects.whole().get(pk=self.guide.pk))

    def jam(self) -> Guide:
        guide = Guide.objects.create(
            topic=self.guide.topic, slug="jam", title="Paper jams", summary="Paper stays in."
        )
        guide.placements.create(fix=Fix.objects.get(key="restart"), position=1)
        return guide

    def test_a_link_to_a_guide_that_is_not_live(self) -> None:
        jam = self.jam()
        for address in ("/g/jam/", "/g/jam", "/g/jam/?from=x#top", f"{settings.SITE_URL}/g/jam/"):
            [finding] = self.dead(f"See [the other guide]({address}).")
            said = "A link leads to /g/jam/, but no guide is live there."
            self.assertEqual((finding.sentence, finding.field), (said, "about"))
            self.assertEqual((finding.row, finding.blocks), (self.guide, True))
        Edition.objects.publish(jam, by=None)
        self.assertEqual(self.dead("See [the other guide](/g/jam/)."), [])
        Edition.objects.withdraw(jam, "It does harm.")
        self.assertEqual(len(self.dead("See [the other guide](/g/jam/).")), 1)

    def test_a_link_to_a_guide_that_is_not_there(self) -> None:
        for slug in ("nowhere", "%00", "x" * 500, "🙂"):
            self.assertEqual(len(self.dead(f"[go](/g/{slug}/)")), 1, slug)

    def test_links_to_this_guide_and_to_other_sites_are_left_alone(self) -> None:
        Edition.objects.unpublish(self.guide)
        for text in (
            "[up](/g/printer-offline/)",
            "[home](/)",
            "[maker](https://maker.example/g/nowhere/)",
            "`[go](/g/nowhere/)` and /g/nowhere/",
        ):
            self.assertEqual(self.dead(text), [], text)

    def test_every_text_is_looked_at(self) -> None:
        link = "[go](/g/nowhere/)"
        prose = ("why", "loses", "waiting", "note")
        Guide.objects.update(about=link, prevention=link, closing=link)
        Fix.objects.filter(key="reset").update(**dict.fromkeys(prose, link))
        Step.objects.filter(fix__key="reset").update(text=link)
        with self.assertNumQueries(10):  # the whole guide, and one for all links together
            found = findings(Guide.objects.whole().get(pk=self.guide.pk))
        self.assertEqual(
            [(type(each.row), each.field) for each in found],
            [(Guide, name) for name in ("about", "prevention", "closing")]
            + [(Fix, name) for name in prose]
            + [(Step, "text")],
        )


class WarningTests(CastTestCase):
    """Words that often mean that something is lost: an editor may know better."""

    def warnings(self) -> list[tuple[str, Model, str]]:
        found = findings(Guide.objects.whole().get(pk=self.guide.pk))
        self.assertEqual([each for each in found if each.blocks], [])
        return [(each.sentence, each.row, each.field) for each in found]

    def said(self, text: str, language: str = "en") -> list[str]:
        """The words found in a step, by the language of the guide and its fixes."""
        Guide.objects.update(language=language)
        Fix.objects.update(language=language)
        Step.objects.filter(key="cable1").update(text=text)
        return [sentence.split("“")[2].split("”")[0] for sentence, *_rest in self.warnings()]

    def test_a_fix_whose_title_says_it(self) -> None:
        Fix.objects.filter(key="cable").update(title="Reset the cable")
        cable = Fix.objects.get(key="cable")
        sentence = (
            "“Reset the cable” says “Reset”, but is not marked as losing data: is nothing lost?"
        )
        self.assertEqual(self.warnings(), [(sentence, cable, "risk")])

    def test_a_step_that_says_it(self) -> None:
        for text, word in {
            "Tap **Delete** now.": "Delete",
            "This erases it.": "erases",
            "That will wipe\nout the disk.": "wipe out",
            "Delete, erase and reset it.": "Delete",
        }.items():
            self.assertEqual(self.said(text), [word])

    def test_words_that_only_look_like_it(self) -> None:
        for text in ("Swipe it away.", "Wipe the back dry.", "The deleterious presets stay."):
            self.assertEqual(self.said(text), [])

    def test_a_fix_that_is_marked_as_losing_data(self) -> None:
        Step.objects.filter(fix__key="reset").update(text="Erase everything.")
        self.assertEqual(self.warnings(), [])

    def test_every_language_has_its_own_words(self) -> None:
        for language, text, word in (
            ("de", "Den Verlauf löschen.", "löschen"),
            ("de", "Delete steht auf der Taste.", None),
            ("es", "Toca Eliminar.", "Eliminar"),
            ("ar", "اضغط على حذف الآن.", "حذف"),
        ):
            # The title of the fix that loses data says "reset"; it is marked, so nothing is said.
            self.assertEqual(self.said(text, language), [word] if word else [])
