"""Load guides from their files. What is already there is left alone."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from troubleshooter.importing import guide_file


class Command(BaseCommand):
    help = "Load guides from their files and publish them; what is already there is left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "files", nargs="*", type=Path, metavar="FILE", help="default: every file in guides/"
        )
        parser.add_argument("--draft", action="store_true", help="load, but do not publish")

    def handle(self, *args: Any, files: list[Path], draft: bool, **options: Any) -> None:
        refused = 0
        for path in files or shipped():
            try:
                loaded = guide_file.load(path, publish=not draft)
            except guide_file.GuideFileError as error:
                self.stderr.write(str(error))
                refused += 1
            else:
                self.stdout.write(f"{path.name}: {_told(loaded)}")
        if refused:
            raise CommandError(
                ngettext(
                    "%(count)d file was not loaded.", "%(count)d files were not loaded.", refused
                )
                % {"count": refused}
            )


def shipped() -> list[Path]:
    """The files in guides/, each original before its translations (“name.de.toml”)."""
    paths = (settings.BASE_DIR / "guides").glob("*.toml")
    return sorted(paths, key=lambda path: (path.name.count("."), path.name))


def _told(loaded: guide_file.Loaded) -> str:
    """What became of the file, in one line."""
    if not loaded.new:
        return _("already there, left alone.")
    told = _("loaded and published.") if loaded.edition else _("loaded as a draft.")
    if loaded.shared:
        titles = ", ".join(f"“{fix.title}”" for fix in loaded.shared)
        told += " " + _("Shared as they are: %(titles)s.") % {"titles": titles}
    return told
