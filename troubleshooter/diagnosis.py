"""What is wrong with the running machine, each in a sentence, and what mends it.

It asks the database, the worker, the disk, the mail server and the clock. What the settings alone
tell stands in advice.py; `manage.py doctor` says both.
"""

import os
import shutil
import smtplib
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core import mail
from django.core.cache import caches
from django.db import Error, connection
from django.db.models import Max
from django.utils import timezone
from redis.exceptions import RedisError

from troubleshooter import health
from troubleshooter.advice import RESTORE, STATIC, Level, Look, Word, unusable
from troubleshooter.delivery import mail_is_set_up
from troubleshooter.models import Beat, Session

FULL = 100 * 2**20  # bytes that are left on a disk that is as good as full
SCARCE = 2**30
OLD_BACKUP = timedelta(days=2)
FAST_CLOCK = timedelta(minutes=5)  # a row may be ahead of our clock by that, not more
BESIDE = ("", ".queue", "-journal", "-wal", "-shm")  # the file of SQLite, and what stands there


def desk() -> list[str]:
    """Which one this is about: without the environment of its service it may be another one."""
    told = connection.settings_dict
    # Never the password; a service of PostgreSQL has all this in a file of its own.
    name = told["NAME"] or told["OPTIONS"].get("service")
    where = f"{told['HOST'] or 'this machine'}, port {told['PORT'] or 5432}"
    return [
        f"Site:     {settings.SITE_URL}/",
        f"VAR_DIR:  {settings.VAR_DIR}",
        f"Database: {name}" if connection.vendor == "sqlite" else f"Database: {name} on {where}",
    ]


def _file() -> Path | None:
    """The file that SQLite keeps everything in, if it does."""
    name = str(connection.settings_dict["NAME"])
    in_memory = name == ":memory:" or "mode=memory" in name  # as in tests
    return None if connection.vendor != "sqlite" or in_memory else Path(name)


def database() -> Iterator[Word]:
    """Whether it is there, answers, is up to date, and keeps what it acknowledged."""
    file = _file()
    if file and not file.exists():
        yield Word(
            "missing",
            Level.BROKEN,
            f"There is no database: {file} does not exist.",
            "manage.py run makes it. If the desk has one, ask with the environment of its service.",
        )
        return
    if newer := health.unknown():
        yield Word(
            "newer",
            Level.BROKEN,
            f"The database belongs to a newer release ({newer[-1]}).",
            "Run that release, or restore a backup of this one.",
        )
    if pending := health.pending():
        yield Word(
            "migrations",
            Level.BROKEN,
            f"The database is older than this release: {len(pending)} migrations wait.",
            "manage.py migrate, or start with manage.py run.",
        )
    yield from _sqlite() if connection.vendor == "sqlite" else _postgres()


def _ask(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return str(cursor.fetchone()[0])


def _sqlite() -> Iterator[Word]:
    mode, wanted = _ask("PRAGMA journal_mode").upper(), settings.SQLITE_JOURNAL
    if mode not in (wanted, "MEMORY"):
        yield Word(
            "journal_differs",
            Level.BROKEN,
            f"The file is in journal mode {mode}, not {wanted}: another program changed it.",
            "Stop every process that uses the file, then start the desk again.",
        )
    if int(_ask("PRAGMA synchronous")) < 2:
        yield Word(
            "synchronous",
            Level.BROKEN,
            "synchronous is not FULL: a power cut would lose acknowledged answers.",
            "Take the option out that changes it.",
        )
    if (found := _ask("PRAGMA quick_check")) != "ok":
        yield Word(
            "corrupt",
            Level.BROKEN,
            f"The file is damaged: {found[:200]}",
            RESTORE,
        )


def _postgres() -> Iterator[Word]:
    for name, why in [
        ("fsync", "a power cut can destroy the database"),
        ("full_page_writes", "a power cut can destroy the database"),
        ("synchronous_commit", "a crash would lose acknowledged answers"),
    ]:
        if (value := _ask(f"SHOW {name}")) == "off":
            yield Word(
                name,
                Level.BROKEN,
                f"PostgreSQL has {name} = {value}: {why}.",
                f"Set {name} = on in postgresql.conf, and for this role and database.",
            )


def worker() -> Iterator[Word]:
    """Whether one works, and whether what it could not do waits for somebody."""
    now = timezone.now()
    if not health.heard_of_worker(now):
        at = Beat.objects.times().get(Beat.Of.WORKER)
        heard = f"heard of since {at:%Y-%m-%d %H:%M} UTC" if at else "ever heard of"
        yield Word(
            "worker",
            Level.BROKEN,
            f"No worker was {heard}: nothing is sent, counted or planned.",
            "manage.py run starts one, or start helpdesk-worker.service;"
            " manage.py worker --once says what fails.",
        )
    if dead := health.queue()["dead"]:
        yield Word(
            "dead",
            Level.RISKY,
            f"{dead} messages were given up.",
            "Deliveries in the admin say why; mend that, then choose “Try again” there.",
        )


def mail_server() -> Iterator[Word]:
    """Whether it takes our login."""
    if not mail_is_set_up():
        return
    try:
        with mail.get_connection():
            pass
    except (OSError, smtplib.SMTPException) as fault:
        yield Word(
            "mail_server",
            Level.BROKEN,
            f"The mail server {settings.EMAIL_HOST}:{settings.EMAIL_PORT} does not take us:"
            f" {_told(fault).rstrip('.')}.",
            "Check EMAIL_HOST, EMAIL_PORT, EMAIL_TLS, EMAIL_USER and EMAIL_PASSWORD.",
        )


def _told(fault: OSError) -> str:
    """The fault in its own words. Not in those of a mail server, which may repeat what it got."""
    if isinstance(fault, smtplib.SMTPResponseException):
        return f"{type(fault).__name__} {fault.smtp_code}"
    return fault.strerror or str(fault) or type(fault).__name__


def redis() -> Iterator[Word]:
    """Whether the shared cache answers, where there is to be one."""
    if not settings.CACHE_URL:
        return
    try:
        caches["shared"].get("doctor")
    except (RedisError, OSError) as fault:
        yield Word(
            "redis",
            Level.RISKY,
            f"CACHE_URL is set, but Redis is away ({type(fault).__name__}): each process counts"
            " its limits by itself.",
            "Start Redis, or take CACHE_URL out.",
        )


def files() -> Iterator[Word]:
    """Whether others on this machine can read what is secret."""
    folder = Path(settings.VAR_DIR)
    secret = [folder / "secret_key", *folder.glob("*.sqlite3*")]
    if file := _file():
        secret += [Path(f"{file}{end}") for end in BESIDE]
    for path in sorted(set(secret)):
        if not path.is_file():
            continue
        mode = path.stat().st_mode
        if mode & stat.S_IRWXO and folder.stat().st_mode & stat.S_IXOTH:
            yield Word(
                "mode",
                Level.RISKY,
                f"Every account of this machine can read {path} ({stat.filemode(mode)}).",
                f"chmod o-rwx {path}",
            )
        if not os.access(path, os.R_OK | os.W_OK):
            yield Word(
                "owner",
                Level.BROKEN,
                f"This account may not read and write {path}.",
                f"chown it to the account of the desk (chown -R … {folder}).",
            )


def disk() -> Iterator[Word]:
    """Whether there is room for another day."""
    folder = Path(settings.VAR_DIR)
    if not folder.is_dir():
        yield Word(
            "var", Level.BROKEN, f"VAR_DIR {folder} is not there.", "manage.py run makes it."
        )
        return
    free = shutil.disk_usage(folder).free
    if free < SCARCE:
        yield Word(
            "disk",
            Level.BROKEN if free < FULL else Level.RISKY,
            f"{free // 2**20} MB are left on the disk of {folder}: when it is full, nothing can"
            " be saved.",
            "Make room: old backups and logs first.",
        )


def clock() -> Iterator[Word]:
    """Whether time ran backwards, or another machine's clock is ahead."""
    now = timezone.now()
    times = [*Beat.objects.times().values()]
    if newest := Session.objects.aggregate(at=Max("last_answer_at"))["at"]:
        times.append(newest)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            times.append(cursor.fetchone()[0])
    ahead = max(times, default=datetime.min.replace(tzinfo=UTC)) - now
    if ahead > FAST_CLOCK:
        yield Word(
            "clock",
            Level.RISKY,
            f"The database knows of a moment {ahead.total_seconds() / 60:.0f} minutes from now:"
            " a clock was set back, or those of two machines differ.",
            "Let every machine take the time from the network (timedatectl set-ntp true).",
        )


def static_files() -> Iterator[Word]:
    """Whether they were collected."""
    if not settings.DEBUG and not (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        yield Word(
            "static",
            Level.BROKEN,
            "The static files are not collected: pages fail.",
            "manage.py collectstatic, or start with manage.py run.",
        )


def backups() -> Iterator[Word]:
    """Whether there is one that is young enough."""
    at = Beat.objects.times().get(Beat.Of.BACKUP)
    if at is None or timezone.now() - at > OLD_BACKUP:
        told = f"The last backup is of {at:%Y-%m-%d %H:%M} UTC" if at else "There is no backup yet"
        yield Word(
            "backup",
            Level.RISKY,
            f"{told} (those not made by manage.py backup are not known here).",
            "Let cron or a timer run manage.py backup FOLDER every day; try a restore once.",
        )


LIVE: tuple[Look, ...] = (
    database,
    worker,
    mail_server,
    redis,
    files,
    disk,
    clock,
    static_files,
    backups,
)


# What only asks the database: nothing can be told while another program holds it, and where there
# is none, SQLite would make one, to be asked.
ASKING = {database, worker, clock, backups}
# After one of these it is known why the database fails.
EXPLAINED = {"database", "migrations", "newer", "corrupt", "held"}


def examine(looks: tuple[Look, ...] = STATIC + LIVE) -> Iterator[Word]:
    """All that is to be said. What fails hides no other trouble; a database is said once."""
    said: set[str] = set()
    for look in looks:
        if look in ASKING and said & {"held", "missing"}:  # each would wait as long again
            continue
        try:
            for word in look():
                said.add(word.code)
                yield word
        except Error as fault:
            word = unusable(fault)
            known = {word.code} if word.code != "database" else EXPLAINED
            if not said & known:
                said.add(word.code)
                yield word
        except OSError as fault:
            yield Word(
                "unreadable",
                Level.BROKEN,
                f"{fault.filename or look.__name__} cannot be looked at: {_told(fault)}.",
                "chown -R it to the account of the desk, or ask as that account.",
            )
