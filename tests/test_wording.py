"""What in a guide is wording, and what a change of it means for translations; no database."""

from copy import deepcopy
from typing import Any
from unittest import TestCase

from troubleshooter.models import Change, weighed
from troubleshooter.models.wording import texts

PICTURE = {"sha256": "a" * 64, "kind": "webp", "width": 1, "height": 1, "alt": "A cable."}
STEPS = [
    {"key": "s1", "heading": "", "text": "Look at both ends of the cable.", "picture": PICTURE},
    {"key": "s2", "heading": "Then", "text": "123", "picture": None},
]
FIX: dict[str, Any] = {
    "key": "cable", "revision": 1, "title": "Check the cable", "why": "", "minutes": 1,
    "risk": "safe", "loses": "", "closes_page": False, "waiting": "", "note": "",
    "steps": STEPS, "pin": "", "after": [],
}  # fmt: skip
OLD: dict[str, Any] = {
    "title": "Offline", "summary": "The printer is offline.", "about": "", "closing": "",
    "prevention": "",
    "symptoms": [{"key": "dark", "text": "It stays dark", "start_with": []}],
    "fixes": [FIX, {**FIX, "key": "plug", "title": "Check the plug", "steps": []}],
    "contacts": [{"name": "Support", "url": "https://a.example/", "note": "For all else."}],
}  # fmt: skip


class WeighedTests(TestCase):
    def weigh(self, **changed: Any) -> Change:
        """What it means when the first fix has these fields."""
        new = deepcopy(OLD)
        new["fixes"][0] |= changed
        return weighed(OLD, new)

    def test_a_typo_is_minor(self) -> None:
        new = deepcopy(OLD)
        new["fixes"][0]["steps"][0]["text"] = "Look at both ends of the cabel."
        self.assertEqual(weighed(OLD, new), Change.MINOR)

    def test_nothing_at_all_is_minor(self) -> None:
        self.assertEqual(weighed(OLD, deepcopy(OLD)), Change.MINOR)

    def test_a_sentence_written_anew_is_major(self) -> None:
        new = deepcopy(OLD)
        new["fixes"][0]["steps"][0]["text"] = "Pull everything out and call a friend."
        self.assertEqual(weighed(OLD, new), Change.MAJOR)

    def test_a_text_that_is_new_or_gone_is_major(self) -> None:
        self.assertEqual(self.weigh(why="Cables come loose."), Change.MAJOR)
        self.assertEqual(weighed({**OLD, "about": "Gone."}, OLD), Change.MAJOR)

    def test_what_is_no_wording_is_major(self) -> None:
        for changed in (
            {"risk": "inconvenient"},
            {"risk": "data_losing", "loses": "All of it."},
            {"revision": 2},
            {"minutes": 20},
            {"closes_page": True},
            {"pin": "first"},
            {"after": ["plug"]},
            {"steps": STEPS[:1]},
        ):
            with self.subTest(changed):
                self.assertEqual(self.weigh(**changed), Change.MAJOR)

    def test_another_order_of_fixes_or_steps_is_major(self) -> None:
        self.assertEqual(weighed(OLD, {**OLD, "fixes": OLD["fixes"][::-1]}), Change.MAJOR)
        self.assertEqual(self.weigh(steps=STEPS[::-1]), Change.MAJOR)

    def test_one_word_of_what_will_be_lost_is_major(self) -> None:
        old = deepcopy(OLD)
        old["fixes"][0] |= {"risk": "data_losing", "loses": "All the settings of the printer"}
        new = deepcopy(old)
        new["fixes"][0]["loses"] += "s"
        self.assertEqual(weighed(old, new), Change.MAJOR)


class TextsTests(TestCase):
    def test_every_text_has_its_place_and_what_has_no_letter_is_none(self) -> None:
        found = texts(OLD)
        self.assertEqual(found["step", "cable", "s1", "alt"], "A cable.")
        self.assertEqual(found["contact", "https://a.example/", "note"], "For all else.")
        self.assertEqual(found["step", "cable", "s2", "heading"], "Then")
        self.assertNotIn(("step", "cable", "s2", "text"), found)  # 123
        self.assertNotIn(("guide", "about"), found)  # empty
        self.assertNotIn("Support", found.values())  # a name
