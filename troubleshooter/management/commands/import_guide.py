"""Read articles that are there already, Markdown or HTML, as guides."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from troubleshooter.importing.article import UnreadableArticle
from troubleshooter.importing.as_json import Data, as_data
from troubleshooter.importing.reading import read_article
from troubleshooter.importing.source import MOST_BYTES


class Command(BaseCommand):
    help = "Read articles (Markdown or HTML) and print what is understood of them as JSON."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="articles to read")
        parser.add_argument(
            "--json", action="store_true", help="print what is understood; save nothing"
        )
        parser.add_argument("--dry-run", action="store_true", help="save nothing")

    def handle(self, *args: Any, files: list[Path], **options: Any) -> None:
        if not options["json"]:
            raise CommandError(
                _("So far articles are only read: say --json to see what is understood.")
            )
        read: dict[str, Data] = {}
        for path in files:
            try:
                read[_name(path, files)] = as_data(read_article(_bytes(path), path.name))
            except UnreadableArticle as refused:
                self.stderr.write(f"{path.name}: {refused}")
        shown: Any = next(iter(read.values()), {}) if len(files) == 1 else read
        self.stdout.write(json.dumps(shown, ensure_ascii=False, indent=1))
        if refused_count := len(files) - len(read):
            sentence = ngettext(
                "%(count)d file was not read.", "%(count)d files were not read.", refused_count
            )
            raise CommandError(sentence % {"count": refused_count})


def _name(path: Path, files: list[Path]) -> str:
    """The name of a file; with its folders where two files are called the same."""
    same = sum(other.name == path.name for other in files)
    return path.name if same == 1 else str(path)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as fault:
        sentence = _("the file cannot be opened: %(fault)s.")
        raise UnreadableArticle(sentence % {"fault": fault.strerror}) from fault
