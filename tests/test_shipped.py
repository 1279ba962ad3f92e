"""What is shipped for operators speaks of things that are there."""

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
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

    def test_a_reload_is_tried_first_so_that_one_that_cannot_be_fails(self) -> None:
        unit = (ROOT / "docs/helpdesk.service").read_text()
        first, then = re.findall(r"^ExecReload=(.+)$", unit, re.MULTILINE)
        self.assertEqual(then, "/bin/kill -HUP $MAINPID")
        words = first.removeprefix("/opt/helpdesk/.venv/bin/python ").split()
        with TemporaryDirectory() as folder:
            for hosts, code in (("127.0.0.1", 0), ("not a host", 1)):
                env = {"PATH": os.environ["PATH"], "VAR_DIR": folder, "ALLOWED_HOSTS": hosts}
                tried = subprocess.run(
                    [sys.executable, *words], cwd=ROOT, env=env, capture_output=True, check=False
                )
                self.assertEqual(tried.returncode, code, tried.stderr)
                self.assertEqual("ALLOWED_HOSTS" in tried.stderr.decode(), bool(code))

    def test_nginx_hides_what_is_for_machines_inside(self) -> None:
        text = (ROOT / "docs/nginx.conf").read_text()
        for path in ("/metrics", "/healthz"):
            self.assertIn(f"location = {path} {{ return 404; }}", text)


class ScriptTests(PlainTestCase):
    """`docs/helpdesk.sh`, with other folders and programs that only tell what they are asked."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(TemporaryDirectory()))
        script = (ROOT / "docs/helpdesk.sh").read_text()
        for path, name in (("/etc/helpdesk.env", "env"), ("/opt/helpdesk", "desk")):
            self.assertIn(path, script)
            script = script.replace(path, str(self.folder / name))
        (self.folder / "script").write_text(script)
        (self.folder / "desk/.venv/bin").mkdir(parents=True)
        (self.folder / "desk/.venv/bin/python").symlink_to(sys.executable)
        (self.folder / "desk/manage.py").write_text(
            "import os, sys\nprint(*(os.environ[name] for name in sys.argv[2:]), sep='\\n')"
        )
        self.program("runuser", '[ "$1 $2 $3" = "-u helpdesk --" ] && shift 3 && exec "$@"')

    def program(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run_as(self, user: int, *words: str) -> "subprocess.CompletedProcess[str]":
        self.program("id", f"echo {user}")
        return subprocess.run(
            ["/bin/sh", self.folder / "script", *words],
            env={"PATH": f"{self.folder}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_a_command_gets_the_settings_of_the_service_word_for_word(self) -> None:
        (self.folder / "env").write_text(
            "# of the desk\n\nSITE_URL=https://help.example.org\n"
            'DATABASE_URL=postgres://desk:a&b$HOME;c@db/help\nMAIL_FROM="Help desk <a@b.example>"'
        )
        done = self.run_as(0, "doctor", "SITE_URL", "DATABASE_URL", "MAIL_FROM", "VAR_DIR")
        self.assertEqual(
            done.stdout.splitlines(),
            [
                "https://help.example.org",
                "postgres://desk:a&b$HOME;c@db/help",
                "Help desk <a@b.example>",
                "/var/lib/helpdesk",
            ],
            done.stderr,
        )

    def test_who_may_not_read_the_settings_is_told_so(self) -> None:
        done = self.run_as(1000, "doctor")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("call it by sudo", done.stderr)
