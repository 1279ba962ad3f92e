"""`manage.py import_guide`: many articles at once, one bad one among them."""

import json
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.management import CommandError, call_command
from django.test import TestCase

from tests.base import rows
from tests.lookalike import ARTICLE
from troubleshooter.models import Edition, Guide, Source, Topic

LAMP = (
    "# My lamp is dark\n\nNo light.\n\n## Fix 1: Change the bulb\n\n1. Unscrew it.\n2. Buy one.\n"
)


class CommandTestCase(TestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, name: str, text: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def run_it(self, *arguments: str, fails: bool = False) -> str:
        """What the command says on both streams."""
        out = StringIO()
        if fails:
            with self.assertRaises(CommandError) as refused:
                call_command("import_guide", *arguments, stdout=out, stderr=out)
            return f"{out.getvalue()}{refused.exception}"
        call_command("import_guide", *arguments, stdout=out, stderr=out)
        return out.getvalue()


class ImportGuideTests(CommandTestCase):
    def test_one_command_makes_a_draft_of_an_article(self) -> None:
        said = self.run_it(self.file("camera.md", ARTICLE), "--topic", "Cameras")
        self.assertIn("8 fixes (steps: 3, 6, 2, 1, 4, 3, 2, 4)", said)
        self.assertIn("left out: an advertisement", said)
        self.assertIn("new: 1", said)
        guide = Guide.objects.get()
        self.assertEqual(guide.topic.name, "Cameras")
        self.assertFalse(Edition.objects.exists())

    def test_a_topic_is_found_by_its_name_or_slug(self) -> None:
        topic = Topic.objects.create(slug="lamps", name="Lamps and light")
        for nth, name in enumerate(("lamps", "LAMPS AND LIGHT")):
            text = f"# My lamp {nth} is dark {nth * 'again '}\n\n## Fix 1: Go {nth}\n\n1. Go.\n"
            self.run_it(self.file(f"{nth}.md", text), "--topic", name)
        self.assertEqual(topic.guides.count(), 2)

    def test_without_a_topic_it_is_imported(self) -> None:
        self.run_it(self.file("lamp.md", LAMP))
        self.assertEqual(Guide.objects.get().topic.slug, "imported")

    def test_one_bad_file_stops_nothing_and_the_exit_code_tells(self) -> None:
        files = [
            self.file("bad.pdf", b"%PDF-1.7"),
            self.file("empty.md", ""),
            self.file("lamp.md", LAMP),
            str(self.folder / "missing.md"),
            self.file("camera.md", ARTICLE),
        ]
        said = self.run_it(*files, fails=True)
        for part in ("[1/5]", "[5/5]", "bad.pdf: This is a file of the kind PDF", "new: 2"):
            self.assertIn(part, said)
        self.assertIn("refused: 3", said)
        self.assertIn("3 files were not read", said)
        self.assertEqual(Guide.objects.count(), 2)

    def test_a_topic_that_cannot_be_is_refused_with_a_sentence(self) -> None:
        lamp = self.file("lamp.md", LAMP)
        for wrong, sentence in (("x" * 70, "at most 60 characters"), ("  ", "cannot be blank")):
            for how in ([], ["--dry-run"]):
                said = self.run_it(lamp, "--topic", wrong, *how, fails=True)
                self.assertIn("--topic: ", said)
                self.assertIn(sentence, said)
                self.assertNotIn("lamp.md", said)
        self.assertFalse(Guide.objects.exists())

    def test_a_dry_run_says_what_would_be_and_saves_nothing(self) -> None:
        lamp = self.file("lamp.md", LAMP)
        before = rows()
        self.assertIn("would be new: 1", self.run_it(lamp, "--dry-run"))
        self.assertEqual(rows(), before)
        self.run_it(lamp)
        before = rows()
        self.assertIn("would be updated: 1", self.run_it(lamp, "--dry-run"))
        self.assertEqual(rows(), before)

    def test_json_touches_no_row_and_needs_no_database(self) -> None:
        lamp = self.file("lamp.md", LAMP)
        with self.assertNumQueries(0):
            said = json.loads(self.run_it(lamp, "--json", "--publish"))
        self.assertEqual(said["fixes"][0]["title"], "Change the bulb")

    def test_importing_again_updates_and_keeps_what_was_done_on_the_review_page(self) -> None:
        lamp = self.file("lamp.md", LAMP)
        self.run_it(lamp)
        source = Source.objects.get()
        source.moves = [["title", "", "No light"]]
        source.save()
        said = self.run_it(self.file("lamp.md", LAMP.replace("Buy one", "Buy a new one")))
        self.assertIn("updated: 1", said)
        guide = Guide.objects.get()
        self.assertEqual(guide.title, "No light")
        self.assertEqual(guide.placements.get().fix.steps.all()[1].text, "Buy a new one.")
        self.assertIn("unchanged: 1", self.run_it(lamp))


class PublishTests(CommandTestCase):
    def test_what_has_nothing_against_it_is_published_and_warnings_are_told(self) -> None:
        text = LAMP.replace("Buy one", "Delete the old one")
        said = self.run_it(self.file("lamp.md", text), "--publish")
        self.assertIn("Published: edition 1 is live.", said)
        self.assertIn("Look at this again: “Change the bulb” says “Delete”", said)
        self.assertTrue(Edition.objects.get().live)

    def test_what_is_not_ready_stays_a_draft_and_the_reason_is_told(self) -> None:
        text = LAMP.replace("Unscrew it.", "Unscrew it. " * 100)
        said = self.run_it(self.file("lamp.md", text), "--publish")
        self.assertIn("Not published:", said)
        self.assertIn("characters too long", said)
        self.assertTrue(Guide.objects.exists())
        self.assertFalse(Edition.objects.exists())

    def test_what_does_not_look_like_an_article_about_trouble_is_not_published(self) -> None:
        text = "# The 10 best lamps of 2025\n\n## 1. Shiny\n\nBuy it.\n\n## 2. Bright\n\nNice.\n"
        said = self.run_it(self.file("lamps.md", text), "--publish")
        self.assertIn("Does not look like an article about trouble", said)
        self.assertIn("Not published:", said)
        self.assertFalse(Edition.objects.exists())
