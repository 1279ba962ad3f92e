"""Write pack.json anew for a folder whose files somebody edited."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from troubleshooter.importing.packs import read
from troubleshooter.importing.unpacking import LIST, PackError, in_folder, seal


class Command(BaseCommand):
    help = "Writes pack.json anew for a folder whose files you edited; wrong ones are refused."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            files = {name: text for name, text in in_folder(folder).items() if name != LIST}
            read(files)
            seal(files, folder)
        except PackError as refused:
            raise CommandError(str(refused)) from refused
        except OSError as fault:
            said = _("%(name)s cannot be opened or written: %(fault)s.")
            raise CommandError(said % {"name": folder.name, "fault": fault.strerror}) from fault
        self.stdout.write(_("pack.json lists %(count)d files.") % {"count": len(files)})
