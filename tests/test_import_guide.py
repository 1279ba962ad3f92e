"""The command that reads articles: JSON on standard output, sentences about bad files beside it."""

import json
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.management import CommandError, call_command
from django.test import SimpleTestCase

GOOD = "# Lamp is dark\n\n## Fix 1: Change the bulb\n\n1. Switch it off.\n2. Turn the bulb.\n"


class ImportGuideTests(SimpleTestCase):
    """Simple test cases refuse every query: nothing here may touch the database."""

    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, name: str, content: str | bytes = GOOD) -> str:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def test_one_file_is_one_object(self) -> None:
        out = StringIO()
        call_command("import_guide", self.file("lamp.md"), json=True, stdout=out)
        article = json.loads(out.getvalue())
        self.assertEqual(article["title"], "Lamp is dark")
        self.assertEqual([len(fix["steps"]) for fix in article["fixes"]], [2])
        self.assertEqual(article["fixes"][0]["steps"][0]["source"]["lines"]["first"], 5)

    def test_several_files_are_told_apart_by_their_names(self) -> None:
        out = StringIO()
        files = [self.file("one.md"), self.file("a/two.md"), self.file("b/two.md")]
        call_command("import_guide", *files, json=True, dry_run=True, stdout=out)
        self.assertEqual(list(json.loads(out.getvalue())), ["one.md", files[1], files[2]])

    def test_a_bad_file_stops_nothing(self) -> None:
        out, err = StringIO(), StringIO()
        files = [
            self.file("bad.md", b"%PDF-1.7"),
            self.file("good.md"),
            str(self.folder / "none.md"),
        ]
        with self.assertRaisesMessage(CommandError, "2 files were not read."):
            call_command("import_guide", *files, json=True, stdout=out, stderr=err)
        self.assertEqual(list(json.loads(out.getvalue())), ["good.md"])
        self.assertIn("bad.md: This is a file of the kind PDF.", err.getvalue())
        self.assertIn("none.md: the file cannot be opened", err.getvalue())

    def test_without_json_it_says_what_it_can(self) -> None:
        with self.assertRaisesMessage(CommandError, "say --json"):
            call_command("import_guide", self.file("lamp.md"))
