"""A backup while the desk runs."""

from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import Error, connection
from django.utils import timezone

from troubleshooter.models import Beat
from troubleshooter.safekeeping import Unusable, back_up


class Command(BaseCommand):
    help = (
        "Writes a backup of the database while the desk runs, and reads it through. The secret key"
        " is not in it: keep that elsewhere."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "target",
            type=Path,
            metavar="FILE|FOLDER",
            help="A file that does not exist yet; in a folder, one is named after the time.",
        )

    def handle(self, *args: Any, target: Path, **options: Any) -> None:
        now = timezone.now()
        if target.is_dir():
            kind = "sqlite3" if connection.vendor == "sqlite" else "dump"
            target = target / f"helpdesk-{now:%Y-%m-%dT%H%M%SZ}.{kind}"
        try:
            back_up(target)
        except Unusable as fault:
            raise CommandError(str(fault)) from None
        except Error as fault:
            raise CommandError(f"The backup could not be made: {fault}.") from None
        with suppress(Error):  # of a database that is older than this release: the backup is good
            Beat.objects.note(now, Beat.Of.BACKUP)
        self.stdout.write(f"{target}: {target.stat().st_size:,} bytes, read through and whole.")
