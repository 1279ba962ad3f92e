"""What the settings of this installation tell, each in a sentence, and what mends it.

`manage.py check` says it, and `manage.py doctor`, which looks at the running machine as well. A
value that cannot be right at all is refused before any of this: see helpdesk/settings.py. At the
end stands what a database tells by failing.
"""

import sqlite3
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import NamedTuple

from django.conf import settings
from django.db import Error, connection


class Level(IntEnum):
    """How bad it is. Only what is BROKEN makes `doctor` fail."""

    FINE = 0
    WORTH_KNOWING = 1
    RISKY = 2
    BROKEN = 3


class Word(NamedTuple):
    """One thing that was looked at: a sentence, and what mends it."""

    code: str
    level: Level
    sentence: str
    mend: str = ""


Look = Callable[[], Iterator[Word]]


def address() -> Iterator[Word]:
    """Who can reach the site, and how."""
    if settings.DEBUG:
        yield Word(
            "debug",
            Level.RISKY,
            "DEBUG is on: errors show the insides of the site.",
            "Take DEBUG out, unless you are developing.",
        )
    if not settings.SECURE and not settings.LOCAL:
        yield Word(
            "http",
            Level.RISKY,
            f"SITE_URL is {settings.SITE_URL}: passwords of staff cross the network in the clear.",
            "Put a proxy with a certificate in front (docs/nginx.conf), and SITE_URL on https.",
        )
    if settings.SECURE and settings.HOST in ("0.0.0.0", "::"):  # noqa: S104
        yield Word(
            "open",
            Level.RISKY,
            f"HOST is {settings.HOST}: visitors can go round the proxy and forge their address.",
            "Set HOST to 127.0.0.1, or to an address that only the proxy reaches.",
        )
    if settings.PROXY_COUNT and not settings.SECURE:
        yield Word(
            "proxy",
            Level.RISKY,
            "PROXY_COUNT is set, but SITE_URL is not https: without a proxy that sets"
            " X-Forwarded-For, anybody can forge an address and get round the limits.",
            "Set PROXY_COUNT to 0, or SITE_URL to the https address of the proxy.",
        )


def mail_settings() -> Iterator[Word]:
    """A help desk works without mail, but somebody should know that mails wait."""
    if not settings.EMAIL_HOST:
        yield Word(
            "I001",
            Level.WORTH_KNOWING,
            "Mail is not set up: mails wait in the outbox, and none is lost.",
            "Set EMAIL_HOST and MAIL_FROM; docs/operators.md tells more.",
        )


def journal() -> Iterator[Word]:
    """Which journal SQLite writes, and why."""
    if connection.vendor != "sqlite":
        return
    version = sqlite3.sqlite_version
    if settings.SQLITE_JOURNAL == "WAL":
        yield Word(
            "journal",
            Level.FINE,
            f"SQLite {version} writes ahead (WAL), synchronous=FULL: an answer that was"
            " acknowledged survives a power cut.",
        )
        return
    yield Word(
        "journal",
        Level.WORTH_KNOWING,
        f"SQLite {version} may, very rarely, corrupt a file in WAL mode, so the desk uses the"
        " slower rollback journal (PERSIST, synchronous=FULL). Nothing is at risk.",
        "For more speed take a Python with SQLite 3.51.3 or newer (or 3.50.7, 3.44.6).",
    )


STATIC: tuple[Look, ...] = (address, mail_settings, journal)


# --- A database that fails -----------------------------------------------------------------------

# By these words SQLite says that the bytes of its file are wrong, and that it waited for a lock.
DAMAGED = ("file is not a database", "disk image is malformed", "malformed database schema")
HELD = "database is locked"
RESTORE = "Stop the desk and restore the last backup: manage.py restore."


def unusable(fault: Error) -> Word:
    """What keeps the database from being used, by what the driver says of it."""
    said = str(fault).partition("\n")[0]
    if any(words in said for words in DAMAGED):
        return Word("corrupt", Level.BROKEN, f"The file is damaged: {said}.", RESTORE)
    if isinstance(fault.__cause__, OSError):  # of the file by which writers take turns
        file = fault.__cause__.filename
        return Word("queue", Level.BROKEN, f"{said}.", f"chown {file} to the account of the desk.")
    if HELD in said:
        file = connection.settings_dict["NAME"]
        return Word(
            "held",
            Level.BROKEN,
            f"Another program holds the database, {file}: {said}.",
            f"End what holds it: fuser -v {file} names it. A shell of SQLite, or a copy?",
        )
    return Word(
        "database",
        Level.BROKEN,
        f"The database cannot be used: {said}",
        "Start it, mend DATABASE_URL, or look at the owner of the file.",
    )
