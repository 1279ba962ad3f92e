"""Guide files: what is taken in, what is refused, and that an editor's work stays."""

import json
import re
import tempfile
from hashlib import sha256
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import SimpleTestCase, TestCase
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from troubleshooter.importing.guide_file import GuideFileError, Loaded, load, parse
from troubleshooter.management.commands.load_guides import shipped
from troubleshooter.models import (
    Contact,
    Edition,
    Fix,
    Guide,
    Picture,
    Placement,
    Risk,
    Step,
    Symptom,
    Topic,
    Translation,
    findings,
)

REAL = settings.BASE_DIR / "guides" / "whatsapp-icloud-backup.toml"

DOOR = """\
key = "door"
language = "en"
slug = "door-squeaks"
title = "The door squeaks"
summary = "The door makes a noise when it moves."

[topic]
slug = "house"
name = "House"

[[symptom]]
key = "door-high"
text = "It squeaks high"
start_with = ["door-oil"]

[[fix]]
key = "door-lift"
title = "Lift the door"
minutes = 2
risk = "safe"

[[fix.step]]
text = "Lift it."

[[fix]]
key = "door-oil"
title = "Oil the hinges"
minutes = 5
risk = "inconvenient"
after = ["door-lift"]

[[fix.step]]
heading = "First"
text = "Find the oil."

[fix.step.picture]
file = "pictures/oil.svg"
alt = "A can of oil."

[[contact]]
name = "The joiner"
url = "https://joiner.example/"
"""

DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 20"><circle cx="9" r="5"/></svg>'

VALUES = ["1", "-1", "1e9", "nan", "true", "1979-05-27", "''", "'x'", "[", "'a'\na.b = 1"]
VALUES += ["[]", "[[]]", "[1]", "['x']", "[{}]", "{}", "{a = 1}"]

MODELS = (Topic, Guide, Fix, Step, Placement, Symptom, Contact, Picture, Edition)


def rows() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in MODELS}


class RealGuideTests(TestCase):
    """The guide that comes with the desk."""

    loaded: Loaded

    @classmethod
    def setUpTestData(cls) -> None:
        cls.loaded = load(REAL)

    def test_it_has_eight_fixes_in_order_with_all_their_steps(self) -> None:
        assert self.loaded.edition
        self.assertEqual(
            {
                fix.key: [len(group.steps) for group in fix.groups]
                for fix in self.loaded.edition.reading.fixes
            },
            {
                "wa-toggle": [3],
                "wa-space": [3, 3],
                "wa-manual": [2],
                "icloud-status": [2],
                "ios-restart": [4],
                "wa-update": [3, 2],
                "wa-videos": [2],
                "wa-delete": [4],
            },
        )

    def test_each_symptom_leads_to_the_fixes_that_fit(self) -> None:
        assert self.loaded.edition
        reading = self.loaded.edition.reading
        self.assertEqual(len(reading.symptoms), 4)
        first = {symptom.key: reading.author_order(symptom.key) for symptom in reading.symptoms}
        self.assertEqual(first["wa-full"][:2], ("wa-space", "wa-videos"))
        self.assertEqual(
            first["wa-stuck"][:4], ("wa-manual", "icloud-status", "ios-restart", "wa-videos")
        )
        self.assertEqual(first["wa-failed"][:3], ("wa-toggle", "wa-space", "icloud-status"))
        self.assertEqual(first["wa-other"], tuple(fix.key for fix in reading.fixes))
        for order in first.values():
            self.assertEqual(order[-1], "wa-delete")
            self.assertEqual(len(order), 8)

    def test_the_special_fixes_say_what_is_special(self) -> None:
        assert self.loaded.edition
        fixes = self.loaded.edition.reading.by_key
        self.assertEqual([key for key, fix in fixes.items() if fix.loses_data], ["wa-delete"])
        self.assertIn("gone for good", fixes["wa-delete"].loses)
        self.assertIn("isn’t green", fixes["icloud-status"].waiting)
        self.assertTrue(fixes["ios-restart"].closes_page)
        self.assertFalse(fixes["wa-toggle"].closes_page)

    def test_no_fact_is_missing(self) -> None:
        assert self.loaded.edition
        content = json.dumps(self.loaded.edition.content, ensure_ascii=False)
        for fact in [
            "Apps Using iCloud** and tap **Show All",
            "Turn it off, then on again",
            "at least twice",
            "Manage Account Storage",
            "delete those you no longer need",
            "upgrade to a plan",
            "don’t swipe it away",
            "isn’t strictly necessary",
            "use other apps",
            "go to sleep",
            "https://www.apple.com/support/systemstatus/",
            "volume up button",
            "**passcode**",
            "**Install Now** and accept the terms",
            "App Store",
            "automatic updates switched on",
            "**Include Videos** back on",
            "Delete Data from iCloud",
            "start a fresh one",
            "**Apple Support** or **WhatsApp Support**",
        ]:
            with self.subTest(fact=fact):
                self.assertIn(fact, content)

    def test_every_drawing_is_there_and_described(self) -> None:
        self.assertEqual(Picture.objects.count(), 10)
        for picture in Picture.objects.all():
            self.assertGreater(len(picture.alt), 40, picture.name)
            self.assertEqual(picture.sha256, sha256(picture.content).hexdigest())
            self.assertEqual((picture.kind, picture.width, picture.height), ("svg", 320, 200))

    def test_it_is_published_without_a_finding(self) -> None:
        self.assertTrue(self.loaded.edition and self.loaded.edition.live)
        warnings = findings(Guide.objects.whole().get())
        # It speaks of large files that the visitor chooses to delete: looked at, and right.
        self.assertEqual([(each.field, each.blocks) for each in warnings], [("risk", False)])
        self.assertEqual(
            list(Contact.objects.values_list("url", flat=True)),
            ["https://support.apple.com/", "https://faq.whatsapp.com/"],
        )

    def test_a_second_load_writes_nothing_and_leaves_an_editors_title(self) -> None:
        Guide.objects.update(title="Edited")
        before = rows()
        out = StringIO()
        with CaptureQueriesContext(connection) as captured:
            call_command("load_guides", str(REAL), stdout=out)
        self.assertEqual(
            out.getvalue(), "whatsapp-icloud-backup.toml: already there, left alone.\n"
        )
        self.assertEqual(rows(), before)
        self.assertEqual(Guide.objects.get().title, "Edited")
        for query in captured.captured_queries:
            self.assertRegex(query["sql"], "^(SELECT|SAVEPOINT|RELEASE)")


class ParseTests(SimpleTestCase):
    def refused(self, old: str, new: str) -> str:
        self.assertIn(old, DOOR)
        with self.assertRaises(GuideFileError) as caught:
            parse(DOOR.replace(old, new), "door.toml")
        return str(caught.exception)

    def test_it_works(self) -> None:
        guide = parse(b"\xef\xbb\xbf" + DOOR.encode(), "door.toml")
        self.assertEqual([fix.key for fix in guide.fix], ["door-lift", "door-oil"])
        oil = guide.fix[1]
        self.assertEqual((oil.minutes, oil.risk, oil.after), (5, Risk.INCONVENIENT, ("door-lift",)))
        self.assertEqual(oil.step[0].heading, "First")
        self.assertEqual(oil.step[0].picture and oil.step[0].picture.alt, "A can of oil.")

    def test_a_wrong_value_is_refused_with_its_place(self) -> None:
        oil = "door.toml, fix 2 (“Oil the hinges”): "
        for old, new, sentence in [
            ("minutes = 5", 'minutes = "5"', oil + "minutes must be a whole number."),
            ("minutes = 5", "minutes = true", oil + "minutes must be a whole number."),
            ("minutes = 5", "minutes = 0", oil + "minutes must be a whole number from 1 to 600."),
            ("minutes = 5", "", oil + "minutes is missing."),
            ("minutes = 5", "minutes = 5\nwhy = 1", oil + "why must be a text in quotes."),
            (
                "minutes = 5",
                'minutes = 5\ncloses_page = "no"',
                oil + "closes_page must be true or false.",
            ),
            (
                '"inconvenient"',
                '"bad"',
                oil + "risk must be one of: safe, inconvenient, data_losing.",
            ),
            ('["door-lift"]', '"door-lift"', oil + "after must be a list."),
            ('["door-lift"]', "[2]", oil + "after 1 must be a text in quotes."),
            ('["door-lift"]', '["door-lfit"]', oil + "after: no fix here is “door-lfit”."),
            (
                '["door-oil"]',
                '["oil"]',
                "door.toml, symptom 1 (“It squeaks high”): start_with: no fix here is “oil”.",
            ),
            ("[topic]", "[[topic]]", "door.toml: topic must be a table."),
        ]:
            with self.subTest(new=new):
                self.assertEqual(self.refused(old, new), sentence)

    def test_a_mistyped_key_is_not_lost(self) -> None:
        self.assertEqual(
            self.refused('heading = "First"', 'haeding = "First"'),
            "door.toml, fix 2 (“Oil the hinges”), step 1 (“Find the oil.”): “haeding” is unknown"
            " here. Known are: text, heading, picture, key.",
        )
        self.assertIn("“where” is unknown", self.refused('key = "door"', 'where = "x"'))

    def test_a_key_is_short_and_plain_and_given_once(self) -> None:
        for key in ("Door", "do or", "-door", "", "end", "person", "door-lift-14ch"):
            with self.subTest(key=key):
                self.assertIn(
                    "fix 1 (“Lift the door”): key must be",
                    self.refused('key = "door-lift"', f'key = "{key}"'),
                )
        self.assertEqual(
            self.refused('key = "door-oil"', 'key = "door-lift"'),
            "door.toml, fix 2 (“Oil the hinges”): the key “door-lift” is taken already.",
        )

    def test_a_picture_comes_from_the_folder_of_the_guide(self) -> None:
        for file in (
            "../oil.svg",
            "/oil.svg",
            "a/../../oil.svg",
            "a\\\\oil.svg",
            "oil.png",
            ".svg",
        ):
            with self.subTest(file=file):
                self.assertIn(
                    "): file must be like pictures/name.svg",
                    self.refused('"pictures/oil.svg"', f'"{file}"'),
                )

    def test_what_is_no_toml_is_refused_with_its_line(self) -> None:
        cases: list[tuple[str | bytes, str]] = [
            (DOOR.replace("minutes = 5", "minutes ="), "Invalid value (at line 28, column 10)"),
            (DOOR + 'name = "Two"\n', "Cannot overwrite a value (at line 43, column 13)"),
            (b"title = '\xff'", "it is not text in UTF-8"),
            ("a = " + "[" * 5_000, "something in it is nested too deeply"),
            ("a = " + "1" * 5_000, "something in it is nested too deeply, or a number is too long"),
            ("a" + ".a" * 100_000 + " = 1", "there is more in it than in any guide"),
            ("a = " + "1" * 100_000, "there is more in it than in any guide"),
            ("[a]\n" * 300_000, "there is more in it than in any guide"),
        ]
        for text, fault in cases:
            with self.subTest(fault=fault):
                with self.assertRaises(GuideFileError) as caught:
                    parse(text, "door.toml")
                self.assertIn(
                    f"door.toml: this cannot be read as TOML: {fault}", str(caught.exception)
                )

    def test_dots_and_brackets_in_a_text_are_no_matter(self) -> None:
        for quote in ('"', "'", '"""', "'''"):
            text = f"{quote}{'.[' * 9_000}{quote} # {'.[' * 9_000}"
            guide = parse(
                DOOR.replace('"The door makes a noise when it moves."', text), "door.toml"
            )
            self.assertEqual(len(guide.summary), 18_000)

    @examples(max_examples=50, deadline=None, database=None)
    @given(st.text() | st.binary())
    def test_any_text_is_read_or_refused(self, text: str | bytes) -> None:
        with self.assertRaises(GuideFileError):  # none of it names a topic
            parse(text, "door.toml")

    @examples(max_examples=100, deadline=None, database=None)
    @given(at=st.integers(0, DOOR.count(" = ") - 1), value=st.sampled_from(VALUES))
    def test_any_change_of_a_good_file_is_read_or_refused(self, at: int, value: str) -> None:
        parts = re.split("( = .*)", DOOR)
        parts[2 * at + 1] = f" = {value}"
        try:
            parse("".join(parts), "door.toml")
        except GuideFileError as refused:
            self.assertIn("door.toml", str(refused))


class ScenarioParseTests(SimpleTestCase):
    def refused(self, scenario: str) -> str:
        with self.assertRaises(GuideFileError) as caught:
            parse(DOOR + "\n[[scenario]]\n" + scenario, "door.toml")
        return str(caught.exception)

    def test_a_wrong_value_is_refused_with_its_place(self) -> None:
        for scenario, sentence in {
            'status = "open"': "answers is missing.",
            "answers = []": "status is missing.",
            'answers = "fixed"\nstatus = "open"': "answers must be a list.",
            "answers = [1]": "answers 1 must be a text in quotes.",
            'answers = []\nstatus = "fixed"': "status must be one of: open, resolved, exhausted.",
            'answers = []\nstatus = "open"\nfix = "x"': "fix: no fix here is “x”.",
            'answers = []\nstatus = "open"\nsymptom = "x"': "symptom: no symptom here is “x”.",
        }.items():
            self.assertEqual(self.refused(scenario), f"door.toml, scenario 1: {sentence}")


class FolderTestCase(TestCase):
    """Has a folder with the drawing that DOOR names."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "pictures").mkdir()
        self.drawing = self.folder / "pictures" / "oil.svg"
        self.drawing.write_text(DRAWING)

    def write(self, text: str, name: str = "door.toml") -> Path:
        path = self.folder / name
        path.write_text(text)
        return path


class OriginalTests(TestCase):
    """A file may say that it is a translation of a guide that is there."""

    def test_the_original_has_to_be_there_first(self) -> None:
        german = REAL.with_name("whatsapp-icloud-backup.de.toml")
        with self.assertRaisesMessage(GuideFileError, "is not there in “en” yet: load it first"):
            load(german)
        self.assertFalse(Guide.objects.exists())
        load(REAL)
        translation = Translation.objects.get(guide=load(german).guide)
        self.assertEqual((translation.original.language, translation.edition), ("en", 1))
        self.assertEqual(translation.copied, [])

    def test_shipped_originals_come_before_their_translations(self) -> None:
        names = [path.name for path in shipped()]
        self.assertLess(names.index(REAL.name), names.index("whatsapp-icloud-backup.ar.toml"))


class ScenarioTests(FolderTestCase):
    def load(self, answers: str, status: str, more: str = "") -> Loaded:
        row = f'answers = [{answers}]\nstatus = "{status}"\n{more}'
        return load(self.write(f"{DOOR}\n[[scenario]]\n{row}"))

    def test_they_are_kept_with_what_they_name(self) -> None:
        more = 'fix = "door-oil"\nsymptom = "door-high"'
        loaded = self.load('"Still broken", "FIXED"', "resolved", more)
        scenario = loaded.guide.scenarios.get()
        self.assertEqual((scenario.answers, scenario.position), ("not fixed, fixed", 1))
        self.assertEqual(
            (scenario.symptom, scenario.fix),
            (loaded.guide.symptoms.get(), Fix.objects.get(key="door-oil")),
        )

    def test_one_that_fails_or_cannot_be_is_refused_and_nothing_is_left(self) -> None:
        for answers, status, more, sentence in (
            ('"fixed"', "resolved", 'fix = "door-oil"', "Scenario 1: after “fixed” the session is"),
            (
                '"maybe"',
                "resolved",
                'fix = "door-oil"',
                "scenario 1: answers: “maybe” is no answer",
            ),
            ("", "open", "", "scenario 1: fix: Say which fix."),
            ("", "exhausted", 'fix = "door-oil"', "scenario 1: fix: When no fix is left"),
        ):
            with self.assertRaises(GuideFileError) as caught:
                self.load(answers, status, more)
            self.assertIn(sentence, str(caught.exception))
            self.assertEqual(set(rows().values()), {0})

    def test_every_guide_that_comes_with_the_desk_has_some_that_pass(self) -> None:
        for path in shipped():
            loaded = load(path)
            self.assertGreaterEqual(loaded.guide.scenarios.count(), 2, path.name)


class SaveTests(FolderTestCase):
    def refused(self, text: str = DOOR) -> str:
        """The sentence; and nothing at all is left behind."""
        path = self.write(text)
        with self.assertRaises(GuideFileError) as caught:
            load(path)
        self.assertEqual(set(rows().values()), {0})
        return str(caught.exception)

    def test_it_works(self) -> None:
        loaded = load(self.write(DOOR))
        self.assertTrue(loaded.new and loaded.edition and loaded.edition.live)
        oil = loaded.guide.placements.get(fix__key="door-oil")
        self.assertEqual(oil.position, 2)
        self.assertEqual([fix.key for fix in oil.after.all()], ["door-lift"])
        step = Step.objects.get(key="door-oil-1")
        self.assertEqual((step.heading, step.text), ("First", "Find the oil."))
        assert step.picture
        self.assertEqual((step.picture.width, step.picture.height), (32, 20))

    def test_a_bad_last_symptom_leaves_nothing_behind(self) -> None:
        last = '[[symptom]]\nkey = "door-low"\ntext = "' + "low" * 50 + '"\n'
        self.assertIn(
            "): text: Ensure this value has at most 120 characters", self.refused(DOOR + last)
        )

    def test_a_text_that_no_database_stores_is_refused(self) -> None:
        sentence = self.refused(DOOR.replace("Lift it.", "Lift \\u0000 it."))
        self.assertIn("text: This text has a character in it that cannot be stored.", sentence)

    def test_a_guide_that_cannot_be_published_is_refused(self) -> None:
        sentence = self.refused(DOOR.replace('"inconvenient"', '"data_losing"'))
        self.assertIn("“Oil the hinges” loses data but does not say", sentence)
        self.assertIn("“It squeaks high” starts with “Oil the hinges”, which loses", sentence)

    def test_a_missing_picture_is_refused(self) -> None:
        self.drawing.unlink()
        self.assertIn(
            "step 1 (“Find the oil.”), picture (“pictures/oil.svg”): there is no such file",
            self.refused(),
        )

    def test_a_picture_that_is_a_link_out_of_the_folder_is_refused(self) -> None:
        inner = self.folder / "inner"
        inner.mkdir()
        (inner / "oil.svg").symlink_to(self.drawing)
        path = inner / "door.toml"
        path.write_text(DOOR.replace("pictures/oil.svg", "oil.svg"))
        with self.assertRaisesMessage(GuideFileError, "outside the folder of the guide"):
            load(path)

    def test_a_drawing_holds_only_shapes_and_words(self) -> None:
        circle = '<circle cx="9" r="5"/>'
        for old, new, sentence in [
            (circle, "<script>1</script>", "no script, no link"),
            (circle, '<circle onload="x"/>', "no script, no link"),
            (circle, '<a href="https://x.example/"/>', "no script, no link"),
            (circle, '<text href="https://x.example/"/>', "no script, no link"),
            (circle, '<rect fill="url(https://x.example/)"/>', "no script, no link"),
            (circle, '<rect style="fill:red"/>', "no script, no link"),
            (circle, "<style>*{}</style>", "no script, no link"),
            ("<svg", "<!DOCTYPE svg><svg", "not a plain SVG drawing"),
            ("</svg>", "", "not a plain SVG drawing"),
            ("0 0 32 20", "0 0 32 -20", "needs a viewBox"),
            (' xmlns="http://www.w3.org/2000/svg"', "", "needs a viewBox"),
        ]:
            with self.subTest(new=new):
                self.drawing.write_text(DRAWING.replace(old, new))
                self.assertIn(sentence, self.refused())

    def test_what_is_there_already_is_shared_and_not_touched(self) -> None:
        first = load(self.write(DOOR)).guide
        Fix.objects.filter(key="door-lift").update(title="Lift it gently")
        before = rows()
        other = DOOR.replace('key = "door"', 'key = "gate"').replace("door-squeaks", "gate")
        loaded = load(self.write(other.replace("door-high", "gate-high")))
        self.assertEqual([fix.title for fix in loaded.shared], ["Lift it gently", "Oil the hinges"])
        self.assertEqual(set(loaded.guide.fixes.all()), set(first.fixes.all()))
        more = {"Guide": 1, "Placement": 2, "Symptom": 1, "Edition": 1}
        after = {name: count + more.get(name, 0) for name, count in before.items()}
        self.assertEqual(rows(), after)

    def test_the_same_guide_in_another_language_shares_the_keys_only(self) -> None:
        load(self.write(DOOR))
        german = DOOR.replace('"en"', '"de"').replace("door-squeaks", "tuer")
        loaded = load(self.write(german))
        self.assertEqual(loaded.shared, ())
        self.assertEqual(Fix.objects.filter(key="door-oil").count(), 2)
        self.assertEqual(Step.objects.filter(key="door-oil-1", language="de").count(), 1)
        self.assertEqual(Picture.objects.count(), 1)

    def test_a_slug_that_is_taken_is_refused(self) -> None:
        load(self.write(DOOR))
        path = self.write(DOOR.replace('key = "door"', 'key = "gate"'))
        with self.assertRaisesMessage(GuideFileError, "door.toml: slug: Guide with this Slug"):
            load(path)


class CommandTests(FolderTestCase):
    def test_a_bad_file_is_told_and_the_others_are_loaded(self) -> None:
        bad = self.write(DOOR.replace("minutes = 2", "minutes = 2.5"), "bad.toml")
        absent = self.folder / "absent.toml"
        out, err = StringIO(), StringIO()
        with self.assertRaisesMessage(CommandError, "2 files were not loaded."):
            call_command("load_guides", bad, absent, self.write(DOOR), stdout=out, stderr=err)
        self.assertEqual(out.getvalue(), "door.toml: loaded and published.\n")
        self.assertEqual(
            err.getvalue(),
            "bad.toml, fix 1 (“Lift the door”): minutes must be a whole number.\n"
            "absent.toml: the file cannot be opened: No such file or directory.\n",
        )
        self.assertEqual(Guide.objects.count(), 1)

    def test_a_draft_is_not_published(self) -> None:
        out = StringIO()
        call_command("load_guides", "--draft", self.write(DOOR), stdout=out)
        self.assertEqual(out.getvalue(), "door.toml: loaded as a draft.\n")
        self.assertEqual((Guide.objects.count(), Edition.objects.count()), (1, 0))

    def test_it_says_which_fixes_are_shared(self) -> None:
        load(self.write(DOOR))
        out = StringIO()
        other = DOOR.replace('"door"', '"gate"').replace("door-squeaks", "gate")
        path = self.write(other.replace("door-high", "gate-high"), "gate.toml")
        call_command("load_guides", path, stdout=out)
        self.assertIn("Shared as they are: “Lift the door”, “Oil the hinges”.", out.getvalue())
