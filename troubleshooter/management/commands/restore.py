"""Put a backup in the place of the database, without bringing back what was erased or had left."""

import json
import socket
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import Error, connection, connections
from django.utils import timezone

from troubleshooter import health, restoring
from troubleshooter.restoring import Known
from troubleshooter.safekeeping import (
    Unusable,
    copy_of,
    migrations_in,
    pour_back,
    private_files,
    remove,
    replace,
    whole,
    whole_dump,
)

from .privacy import clean_file


class Command(BaseCommand):
    help = (
        "Replaces the database by a backup, once the desk is stopped. What was erased since is"
        " erased again, and messages that may have left do not leave again."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, metavar="FILE")
        parser.add_argument("--yes", action="store_true", help="Replaces what is there.")

    def handle(self, *args: Any, source: Path, yes: bool, **options: Any) -> None:
        if not source.is_file():
            raise CommandError(f"{source} is no file.")
        refuse_running_desk()
        try:
            with private_files():
                if connection.vendor == "sqlite":
                    self.restore_file(source, yes)
                else:
                    self.restore_dump(source, yes)
        except Unusable as fault:
            raise CommandError(str(fault)) from None
        except Error as fault:
            raise CommandError(f"The backup could not be restored: {fault}.") from None
        except OSError as fault:  # a disk without room, say
            said = f"{fault.filename or source}: {fault.strerror}"
            raise CommandError(f"The backup could not be restored: {said}.") from None

    def restore_file(self, source: Path, yes: bool) -> None:
        """Everything is done on a copy, which then takes the place of the file in one step."""
        target = Path(settings.DATABASES["default"]["NAME"])
        whole(source)
        if target.exists() and not yes:
            raise CommandError(f"{target} exists. Say --yes to replace it: it is kept beside.")
        known = self.read(there=target.exists())
        connections.close_all()
        fresh = target.with_name(f"{target.name}.restoring")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            copy_of(source, fresh)
            with instead(fresh):
                self.prepare(known)
                clean_file()
            kept = replace(target, fresh)
        finally:
            remove(fresh)
        self.say(f"{target} is restored.")
        if kept:
            names = " and ".join(map(str, kept))
            self.say(f"What was there is at {names}: delete it soon, it holds what was erased.")

    def restore_dump(self, source: Path, yes: bool) -> None:
        """What is known is kept in a file meanwhile: killed half-way, it is run again."""
        note = Path(settings.VAR_DIR) / "restore.json"
        whole_dump(source)
        refuse_newer(health.unknown(migrations_in(source)))
        tables = connection.introspection.table_names()
        if tables and not yes:
            raise CommandError("The database has tables. Say --yes to replace them.")
        known = Known.load(json.loads(note.read_text())) if note.exists() else None
        known = known or self.read(there=bool(tables))
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(known.dump()))
        connections.close_all()
        try:
            pour_back(source)
        except Unusable:  # nothing was replaced, so what is known now is not what will be
            note.unlink()
            raise
        self.prepare(known)
        note.unlink()
        self.say("The database is restored.")

    def read(self, *, there: bool) -> Known:
        if there:
            try:
                return restoring.read()
            except Error as fault:
                self.say(f"The database to be replaced cannot be read ({fault}).")
        self.say(
            "So it is not known what was erased or sent since the backup: erase again what was"
            " asked for since, and look at the messages given up."
        )
        return Known()

    def prepare(self, known: Known) -> None:
        """Bring the restored database up to date, and keep out of it what must not come back."""
        refuse_newer(health.unknown())
        call_command("migrate", interactive=False, verbosity=0)
        done = restoring.apply(known, timezone.now())
        self.say(
            f"Erased again: {done.erased} addresses. Kept from leaving: {done.settled} messages"
            f" and {done.unasked} follow-ups."
        )

    def say(self, line: str) -> None:
        self.stdout.write(line)


def refuse_newer(migrations: Sequence[str]) -> None:
    if migrations:
        raise Unusable(
            f"The backup was made by a newer release ({migrations[-1]}): restore it with that."
        )


def refuse_running_desk() -> None:
    """The desk must not answer meanwhile; this sees the one on this machine."""
    host = "127.0.0.1" if settings.HOST in ("0.0.0.0", "::") else settings.HOST  # noqa: S104
    with suppress(OSError), socket.create_connection((host, settings.PORT), timeout=1):
        raise CommandError(
            f"Something listens on {host}, port {settings.PORT}: stop the desk and its workers"
            " first, on every machine."
        )


@contextmanager
def instead(path: Path) -> Iterator[None]:
    """The database is this file meanwhile."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
