"""Findings: each reason why a draft cannot be published, and where it is mended."""

import hashlib

from django.db.models import Model

from tests.base import CastTestCase, make_fix
from troubleshooter.models import (
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
        empty = Guide.objects.create(topic=self.guide.topic, slug="empty", title="Empty")
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
