"""One command from a fresh checkout to a running help desk."""

import os
import socket
import sys
from argparse import ArgumentParser
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.contrib.staticfiles.finders import get_finders
from django.core.management import BaseCommand, CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils.crypto import get_random_string

from troubleshooter import tokens
from troubleshooter.advice import unusable
from troubleshooter.models import Guide


class Command(BaseCommand):
    help = (
        "Prepares everything (folder, database, first guides, static files, first account)"
        " and then becomes the server."
    )
    requires_system_checks = ()  # `make check` runs them; a start should be quick

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--prepare-only", action="store_true", help="Prepares everything, serves nothing."
        )

    def handle(self, *args: Any, prepare_only: bool, **options: Any) -> None:
        os.umask(0o027)
        if not prepare_only:
            refuse_busy_port(settings.HOST, settings.PORT)
        self.prepare()
        if not prepare_only:
            refuse_busy_port(settings.HOST, settings.PORT)  # two starts may have raced
            self.say_where()
            serve()

    def prepare(self) -> None:
        make_var_dir(settings.VAR_DIR)
        try:
            self.prepare_database()
        except DatabaseError as fault:
            word = unusable(fault)
            raise CommandError(f"{word.sentence.rstrip('.')}. {word.mend}") from fault
        try:
            self.prepare_static_files()
        except OSError as fault:
            raise CommandError(f"The static files cannot be collected: {fault}.") from fault
        if password := make_first_account():
            self.say(f"Editor account: {FIRST_ACCOUNT} / {password}")
            self.say("This password is shown only now, and kept nowhere.")

    def prepare_database(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.say("Bringing the database up to date …")
            call_command("migrate", interactive=False, verbosity=0)
        # Changes nothing, but fails on a database that can only be read, or where the file by which
        # SQLite's writers take turns is another account's: better now than later.
        with transaction.atomic():
            User.objects.filter(pk=0).update(is_active=False)
        if not Guide.objects.exists():
            call_command("load_guides", stdout=self.stdout)

    def prepare_static_files(self) -> None:
        if not settings.DEBUG and static_state() != _read(stamp_file()):
            self.say("Collecting the static files …")
            collect_static()

    def say_where(self) -> None:
        self.say(f"Site:    {settings.SITE_URL}/")
        self.say(f"Admin:   {settings.SITE_URL}/admin/")
        self.say(f"Numbers: {settings.SITE_URL}/numbers/")
        if settings.LAN:
            self.say(f"Other devices in this network: http://{settings.LAN}:{settings.PORT}/")
        self.say(f"Listening on {settings.HOST}, port {settings.PORT}. Ctrl+C stops it.")

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


# --- Folder and port ----------------------------------------------------------------------------


def make_var_dir(folder: Path) -> None:
    """Make the folder for everything that is not code; others on the machine stay out of it."""
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as fault:
        raise CommandError(f"VAR_DIR cannot be made at {folder}: {fault.strerror}.") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CommandError(f"VAR_DIR is {folder}, and this account may not write there.")


def refuse_busy_port(host: str, port: int) -> None:
    """Say so now if something listens there: the server would share the port with another one
    of its kind without a word, and fail with a traceback on any other."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            raise CommandError(
                f"The server cannot listen on {host}, port {port}: {fault.strerror}."
                " Stop what runs there, or set PORT to another number."
            ) from None


# --- Static files -------------------------------------------------------------------------------


def stamp_file() -> Path:
    folder: Path = settings.VAR_DIR
    return folder / "static.stamp"


def static_state() -> str:
    """A digest of everything that the collected files depend on, and of those files themselves.

    Whatever was added, changed or deleted on either side since the last collection shows.
    """
    sources = [
        Path(storage.path(name))
        for finder in get_finders()
        for name, storage in finder.list(StaticFilesConfig.ignore_patterns)
    ]
    collected = [path for path in Path(settings.STATIC_ROOT).rglob("*") if path.is_file()]
    lines = [version("Django"), version("whitenoise")]
    for path in sorted([*sources, *collected, settings.BASE_DIR / "helpdesk" / "settings.py"]):
        stat = path.stat()
        lines.append(f"{path} {stat.st_size} {stat.st_mtime_ns}")
    return sha256("\n".join(lines).encode()).hexdigest()


def collect_static() -> None:
    """Collect from nothing, so that a file deleted at its source goes here too."""
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp_file().write_text(static_state())


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


# --- The first account --------------------------------------------------------------------------

FIRST_ACCOUNT = "editor"


def make_first_account() -> str:
    """Make an editor's account and return its password; empty if there was any account."""
    if User.objects.exists():
        return ""
    password = get_random_string(20, tokens.LETTERS)
    with transaction.atomic():
        editor, made = User.objects.get_or_create(
            username=FIRST_ACCOUNT, defaults={"password": make_password(password), "is_staff": True}
        )
        if not made:  # another process was quicker
            return ""
        # On a new help desk one person writes the guides and answers those whom they do not help.
        editor.groups.add(*Group.objects.filter(name__in=("Editor", "Agent")))
    return password


# --- The server ---------------------------------------------------------------------------------


def serve() -> None:
    """Become the server, which starts the worker: one process less, and signals reach it."""
    connections.close_all()
    os.chdir(settings.BASE_DIR)
    command = [sys.executable, "-m", "helpdesk.serve"]
    os.execv(sys.executable, command)  # noqa: S606 (our own interpreter, no shell)
