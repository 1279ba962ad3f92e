"""What stays the same when a source is imported again, and what its changes do to the draft."""

import itertools
from typing import Any
from unittest import TestCase

from troubleshooter.matching import keyed, likeness, merged

Content = dict[str, Any]


def step(text: str, heading: str = "") -> Content:
    return {"key": "", "heading": heading, "text": text, "picture": None}


def fix(title: str, *steps: str, **fields: Any) -> Content:
    made = {"key": "", "revision": 1, "title": title, "why": "", "note": "", "minutes": 2}
    made |= {"risk": "safe", "loses": "", "closes_page": False, "waiting": "", "pin": ""}
    return {**made, "after": [], "steps": [step(each) for each in steps], **fields}


def guide(*fixes: Content, **fields: Any) -> Content:
    texts = {"title": "Dark lamp", "summary": "", "about": "", "prevention": "", "closing": ""}
    return {**texts, "symptoms": [], "fixes": list(fixes), **fields}


class Keys:
    """k1, k2, k3 …"""

    def __init__(self, name: str = "k") -> None:
        self.numbers = (f"{name}{nth}" for nth in itertools.count(1))

    def __call__(self) -> str:
        return next(self.numbers)


BULB = fix("Change the bulb", "Unscrew the old bulb.", "Screw the new bulb in.")
FUSE = fix("Look at the fuse", "Open the box.", "Push the switch up.")
PLUG = fix("Push the plug in", "Push it until it clicks.")


def titles(content: Content) -> list[str]:
    return [each["title"] for each in content["fixes"]]


class MatchingTests(TestCase):
    def setUp(self) -> None:
        self.before = keyed(guide(BULB, FUSE), Keys())
        self.bulb, self.fuse = self.before["fixes"]

    def again(self, *fixes: Content, draft: Content | None = None, **fields: Any) -> Any:
        return merged(draft or self.before, self.before, guide(*fixes, **fields), Keys("new"))

    def test_the_same_source_changes_nothing(self) -> None:
        result = self.again(BULB, FUSE)
        self.assertEqual(result.content, self.before)
        self.assertEqual((result.added, result.gone, result.kept_out), ([], [], []))

    def test_a_title_that_changed_a_little_is_the_same_fix(self) -> None:
        result = self.again(fix("Change the light bulb", *texts(BULB)), FUSE)
        self.assertEqual(result.content["fixes"][0]["key"], self.bulb["key"])
        self.assertEqual(titles(result.content)[0], "Change the light bulb")

    def test_a_fix_with_another_title_and_the_same_steps_is_the_same(self) -> None:
        result = self.again(fix("No light at all?", *texts(FUSE)), BULB)
        self.assertEqual(
            [each["key"] for each in result.content["fixes"]],
            [self.fuse["key"], self.bulb["key"]],
        )

    def test_a_title_that_is_alike_with_other_steps_is_another_fix(self) -> None:
        before = keyed(guide(fix("Restart your phone", "Hold the button at its side.")), Keys())
        new = guide(fix("Restart your router", "Pull its plug and wait."))
        result = merged(before, before, new, Keys("new"))
        self.assertEqual(result.added, ["Restart your router"])
        self.assertEqual(result.gone, ["Restart your phone"])

    def test_steps_keep_their_keys_when_others_come_between_or_words_change(self) -> None:
        new = fix("Change the bulb", "Switch it off.", "Unscrew that old bulb.", texts(BULB)[1])
        keys = [each["key"] for each in self.again(new, FUSE).content["fixes"][0]["steps"]]
        first, second = (each["key"] for each in self.bulb["steps"])
        self.assertEqual(keys, ["new1", first, second])

    def test_a_new_fix_comes_where_the_source_has_it_and_one_that_is_gone_goes(self) -> None:
        result = self.again(PLUG, FUSE)
        self.assertEqual(titles(result.content), ["Push the plug in", "Look at the fuse"])
        self.assertEqual(result.added, ["Push the plug in"])
        self.assertEqual(result.gone, ["Change the bulb"])

    def test_what_only_the_editor_changed_stays(self) -> None:
        bulb = {**self.bulb, "minutes": 9, "risk": "inconvenient", "why": "Bulbs burn out."}
        draft = {**self.before, "fixes": [bulb, self.fuse], "title": "My lamp is dark"}
        result = self.again(BULB, FUSE, summary="It does not shine.", draft=draft)
        self.assertEqual(result.content["fixes"], [bulb, self.fuse])
        self.assertEqual(result.content["title"], "My lamp is dark")
        self.assertEqual(result.content["summary"], "It does not shine.")

    def test_what_the_source_changed_is_taken_even_where_the_editor_wrote(self) -> None:
        bulb = {**self.bulb, "why": "Mine.", "note": "Mine, too."}
        draft = {**self.before, "fixes": [bulb, self.fuse]}
        result = self.again({**BULB, "why": "Theirs."}, FUSE, draft=draft)
        self.assertEqual(result.content["fixes"][0]["why"], "Theirs.")
        self.assertEqual(result.content["fixes"][0]["note"], "Mine, too.")

    def test_a_fix_that_an_editor_wrote_stays_behind_the_one_it_follows(self) -> None:
        own = {**PLUG, "key": "own"}
        draft = {**self.before, "fixes": [self.bulb, own, self.fuse]}
        result = self.again(BULB, FUSE, fix("Call somebody", "Dial 1."), draft=draft)
        self.assertEqual(titles(result.content), [*titles(draft), "Call somebody"])

    def test_a_fix_or_step_that_an_editor_took_out_stays_out(self) -> None:
        fuse = {**self.fuse, "steps": self.fuse["steps"][1:]}
        draft = {**self.before, "fixes": [fuse]}
        result = self.again(BULB, FUSE, draft=draft)
        self.assertEqual(result.content["fixes"], [fuse])
        self.assertEqual(result.kept_out, ["Change the bulb"])
        later = merged(result.content, result.imported, guide(BULB, FUSE), Keys("later"))
        self.assertEqual(later.content["fixes"], [fuse])

    def test_the_editors_order_holds_while_the_source_keeps_its_own(self) -> None:
        draft = {**self.before, "fixes": [self.fuse, self.bulb]}
        self.assertEqual(
            titles(self.again(BULB, FUSE, draft=draft).content),
            ["Look at the fuse", "Change the bulb"],
        )
        moved = self.again(FUSE, BULB)
        self.assertEqual(titles(moved.content), ["Look at the fuse", "Change the bulb"])

    def test_a_guide_that_never_had_a_source_keeps_its_keys_and_its_own_fixes(self) -> None:
        draft = keyed(guide(BULB, PLUG), Keys("mine"))
        result = merged(draft, None, guide(FUSE, BULB), Keys("new"))
        keys = {each["title"]: each["key"] for each in result.content["fixes"]}
        self.assertEqual(set(keys), {"Look at the fuse", "Change the bulb", "Push the plug in"})
        self.assertEqual(keys["Change the bulb"], draft["fixes"][0]["key"])

    def test_nothing_names_a_fix_that_is_gone(self) -> None:
        fuse = {**self.fuse, "after": [self.bulb["key"]]}
        symptom = {"key": "s", "text": "Dark", "start_with": [self.bulb["key"]]}
        draft = {**self.before, "fixes": [self.bulb, fuse], "symptoms": [symptom]}
        result = self.again(FUSE, draft=draft)
        self.assertEqual(result.content["fixes"][0]["after"], [])
        self.assertEqual(result.content["symptoms"], [{**symptom, "start_with": []}])

    def test_symptoms_keep_their_keys_and_where_they_start(self) -> None:
        said = {"key": "", "text": "No light at all", "start_with": []}
        before = keyed(guide(BULB, symptoms=[said]), Keys())
        [symptom] = before["symptoms"]
        chosen = {**symptom, "start_with": [before["fixes"][0]["key"]]}
        draft = {**before, "symptoms": [chosen]}
        changed = guide(BULB, symptoms=[{**said, "text": "There is no light at all"}])
        [after] = merged(draft, before, changed, Keys("new")).content["symptoms"]
        self.assertEqual(after, {**chosen, "text": "There is no light at all"})

    def test_a_picture_stays_when_the_source_is_imported_without_fetching(self) -> None:
        shown = {"sha256": "a", "alt": "A lamp"}
        before = keyed(guide(fix("Change the bulb", "Unscrew it.")), Keys())
        before["fixes"][0]["steps"][0]["picture"] = shown
        result = merged(before, before, guide(fix("Change the bulb", "Unscrew it.")), Keys("n"))
        self.assertEqual(result.content["fixes"][0]["steps"][0]["picture"], shown)

    def test_two_of_the_same_name_are_told_apart_by_their_place(self) -> None:
        twice = keyed(guide(fix("Go", "A."), fix("Go", "B.")), Keys())
        result = merged(twice, twice, guide(fix("Go", "A."), fix("Go", "B.")), Keys("n"))
        self.assertEqual(result.content, twice)

    def test_likeness_says_whether_two_articles_are_of_the_same_thing(self) -> None:
        self.assertEqual(likeness(guide(BULB), guide(BULB, title="Another")), 1)
        self.assertLess(likeness(guide(BULB), guide(PLUG, title="My cat is hungry")), 0.3)


def texts(fix: Content) -> list[str]:
    return [step["text"] for step in fix["steps"]]
