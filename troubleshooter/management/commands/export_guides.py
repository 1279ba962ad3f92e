"""Write guides as a pack: a zip, or a folder that can be kept in git."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from troubleshooter.importing.packs import members
from troubleshooter.importing.unpacking import PackError, write
from troubleshooter.models import Guide


class Command(BaseCommand):
    help = "Writes the drafts of guides as a pack; the same drafts give the same bytes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", type=Path, metavar="FILE.zip|FOLDER")
        parser.add_argument(
            "--guide",
            action="append",
            default=[],
            metavar="SLUG",
            help="only this guide; may be given several times (default: every guide)",
        )

    def handle(self, *args: Any, target: Path, guide: list[str], **options: Any) -> None:
        chosen = Guide.objects.filter(slug__in=guide) if guide else Guide.objects.all()
        unknown = set(guide) - set(chosen.values_list("slug", flat=True))
        if unknown:
            said = _("There is no guide with the slug %(slugs)s.")
            raise CommandError(said % {"slugs": ", ".join(f"“{slug}”" for slug in sorted(unknown))})
        try:
            files = members(chosen)
            write(files, target)
        except PackError as refused:
            raise CommandError(str(refused)) from refused
        guides = sum(name.endswith(".toml") for name in files)
        said = _("%(name)s: %(guides)d guides, %(pictures)d pictures.")
        pictures = len(files) - guides
        self.stdout.write(said % {"name": target.name, "guides": guides, "pictures": pictures})
