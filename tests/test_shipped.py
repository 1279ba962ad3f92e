"""What is shipped for operators speaks of things that are there."""

import re
from pathlib import Path
from unittest import TestCase as PlainTestCase

from django.conf import settings

ROOT: Path = settings.BASE_DIR
UNITS = ("docs/helpdesk.service", "docs/helpdesk-worker.service")


class ShippedTests(PlainTestCase):
    def told(self) -> set[str]:
        guide = (ROOT / "docs/operators.md").read_text()
        return set(re.findall(r"^\| `([A-Z_]+)` \|", guide, re.MULTILINE))

    def test_every_setting_they_name_is_one(self) -> None:
        compose = (ROOT / "compose.yaml").read_text()
        named = set(re.findall(r"^    ([A-Z_]+): ", compose.split("services:")[0], re.MULTILINE))
        image = (ROOT / "Dockerfile").read_text()
        named |= set(re.findall(r"^ +([A-Z_]+)=", image, re.MULTILINE))
        for unit in UNITS:
            named |= set(re.findall(r"^Environment=([A-Z_]+)=", (ROOT / unit).read_text(), re.M))
        names = {name.removesuffix("_FILE") for name in named if not name.startswith("PYTHON")}
        self.assertLessEqual({"VAR_DIR", "SECRET_KEY", "DATABASE_URL", "CACHE_URL"}, names)
        self.assertEqual(names - self.told(), set())

    def test_the_image_copies_what_is_there_and_all_that_runs(self) -> None:
        image = (ROOT / "Dockerfile").read_text()
        copied = [
            word
            for line in re.findall(r"^COPY (?!--from)(.+) \S+$", image, re.MULTILINE)
            for word in line.split()
        ]
        self.assertEqual([name for name in copied if not (ROOT / name).exists()], [])
        read = {"helpdesk", "troubleshooter"}
        for path in (path for room in tuple(read) for path in (ROOT / room).rglob("*.py")):
            read |= set(re.findall(r'BASE_DIR / "(\w+)"', path.read_text()))
        self.assertLessEqual({"templates", "static", "locale", "guides"}, read)
        self.assertEqual(read - set(copied), set())
        kept = (ROOT / ".dockerignore").read_text()
        for name in copied:
            self.assertRegex(kept, rf"(?m)^!({re.escape(name)}|requirements\*\.txt)$")

    def test_commands_they_start_exist(self) -> None:
        for path in (*UNITS, "Dockerfile", "compose.yaml"):
            text = (ROOT / path).read_text().replace(", ", " ")
            for command in re.findall(r"manage\.py (\w+)", text):
                module = ROOT / f"troubleshooter/management/commands/{command}.py"
                self.assertTrue(module.exists(), command)
            for module in re.findall(r"-m (helpdesk\.\w+)", text):
                self.assertTrue((ROOT / f"{module.replace('.', '/')}.py").exists(), module)

    def test_nginx_hides_what_is_for_machines_inside(self) -> None:
        text = (ROOT / "docs/nginx.conf").read_text()
        for path in ("/metrics", "/healthz"):
            self.assertIn(f"location = {path} {{ return 404; }}", text)
