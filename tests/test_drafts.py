"""A whole draft written at once, and what stays as it was."""

import copy
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.base import CastTestCase, make_fix
from tests.test_admin import make_picture
from troubleshooter.models import Fix, Guide, Picture, Step, copied, freeze, rewrite


class DraftTestCase(CastTestCase):
    def content(self) -> dict[str, Any]:
        """The draft as it stands, to be changed and written back."""
        return copy.deepcopy(freeze(Guide.objects.whole().get(pk=self.guide.pk)))

    def write(self, content: dict[str, Any]) -> None:
        rewrite(self.guide, content)

    def fix(self, content: dict[str, Any], key: str) -> dict[str, Any]:
        found: dict[str, Any] = next(each for each in content["fixes"] if each["key"] == key)
        return found


class RewriteTests(DraftTestCase):
    def test_writing_back_what_is_there_changes_nothing(self) -> None:
        make_picture("driver1")
        content = self.content()
        with CaptureQueriesContext(connection) as captured:
            self.write(content)
        verbs = {query["sql"].split()[0] for query in captured.captured_queries}
        self.assertLessEqual(verbs, {"SELECT", "SAVEPOINT", "RELEASE"})
        self.assertEqual(self.content(), content)

    def test_everything_that_changed_is_written_and_nothing_else(self) -> None:
        ids = set(Step.objects.values_list("pk", flat=True))
        content = self.content()
        content["title"] = "The printer sleeps"
        content["symptoms"].reverse()
        content["symptoms"][0]["start_with"] = ["cable"]
        content["fixes"].reverse()
        driver = self.fix(content, "driver")
        driver |= {"minutes": 12, "pin": "last", "after": ["cable"]}
        driver["steps"].reverse()
        driver["steps"][0]["heading"] = "On any Mac"
        self.write(content)
        self.assertEqual(self.content(), content)
        self.assertEqual(set(Step.objects.values_list("pk", flat=True)), ids)

    def test_what_is_new_gets_a_row_with_its_key(self) -> None:
        content = self.content()
        flap = {**self.fix(content, "cable"), "key": "flap", "title": "Open the flap"}
        flap["steps"] = [{"key": "flap1", "heading": "", "text": "Open it.", "picture": None}]
        content["fixes"].insert(0, flap)
        content["symptoms"].append({"key": "jam", "text": "It jams", "start_with": ["flap"]})
        self.write(content)
        self.assertEqual(self.content(), content)

    def test_a_fix_that_is_gone_loses_its_place_and_stays_in_the_library(self) -> None:
        content = self.content()
        content["fixes"] = [fix for fix in content["fixes"] if fix["key"] != "cable"]
        content["symptoms"].pop()
        self.write(content)
        self.assertEqual(self.content(), content)
        self.assertEqual(Fix.objects.get(key="cable").steps.count(), 2)

    def test_a_step_that_is_gone_is_gone(self) -> None:
        content = self.content()
        del self.fix(content, "cable")["steps"][0]
        self.write(content)
        self.assertFalse(Step.objects.filter(key="cable1").exists())

    def test_a_key_is_never_taken_from_another_row(self) -> None:
        other = make_fix("flap", "Open the flap", "Open it.")
        content = self.content()
        self.fix(content, "cable")["steps"].append(
            {"key": "flap1", "heading": "", "text": "Mine now.", "picture": None}
        )
        self.write(content)
        self.assertEqual(other.steps.get().key, "flap1")
        mine = Step.objects.get(text="Mine now.")
        self.assertEqual((mine.fix.key, len(mine.key)), ("cable", 10))

    def test_a_symptom_of_another_guide_keeps_its_key(self) -> None:
        other = Guide.objects.create(topic=self.guide.topic, slug="jam", title="It jams")
        other.symptoms.create(key="jammed", text="Paper sticks out")
        content = self.content()
        content["symptoms"].append({"key": "jammed", "text": "Mine", "start_with": []})
        self.write(content)
        self.assertEqual(other.symptoms.get().text, "Paper sticks out")
        self.assertEqual(self.guide.symptoms.filter(text="Mine").count(), 1)

    def test_new_words_for_a_picture_are_kept_with_it(self) -> None:
        make_picture("driver1")
        content = self.content()
        self.fix(content, "driver")["steps"][0]["picture"]["alt"] = "Two ends of a cable"
        self.write(content)
        self.assertEqual(Picture.objects.get().alt, "Two ends of a cable")
        self.assertEqual(self.content(), content)

    def test_writing_does_not_cost_by_what_stays(self) -> None:
        content = self.content()
        content["title"] = "Changed"
        with CaptureQueriesContext(connection) as few:
            self.write(content)
        for nth in range(5):
            fix = make_fix(f"more{nth}", f"More {nth}", "One.", "Two.")
            self.guide.placements.create(fix=fix, position=9 + nth)
        content = self.content()
        self.write(content)  # now the positions are 1, 2, 3 …
        content["title"] = "Changed again"
        with CaptureQueriesContext(connection) as more:
            self.write(content)
        self.assertEqual(len(more), len(few))


class CopyTests(DraftTestCase):
    def test_a_copy_takes_the_place_and_the_original_stays_as_it_was(self) -> None:
        Fix.objects.filter(key="restart").update(revision=3)
        content = self.content()
        self.fix(content, "restart")["title"] = "Restart this computer"
        self.fix(content, "driver")["after"] = ["restart"]
        made = copied(content, "restart")
        self.write(made)
        self.assertEqual(Fix.objects.get(key="restart").title, "Restart the computer")
        [copy] = Fix.objects.filter(title="Restart this computer")
        self.assertEqual((copy.revision, copy.steps.get().text), (1, "Choose Restart."))
        draft = self.content()
        self.assertEqual([fix["key"] for fix in draft["fixes"]][1], copy.key)
        self.assertEqual(self.fix(draft, "driver")["after"], [copy.key])
        self.assertEqual(draft["symptoms"][0]["start_with"], [copy.key])

    def test_the_content_it_was_made_from_stays_as_it_is(self) -> None:
        content = self.content()
        before = copy.deepcopy(content)
        copied(content, "restart")
        self.assertEqual(content, before)
