"""Takes a desk with data back and forth through its migrations and prints as JSON what it found.

`tests/test_reversing.py` starts it, in a process and with a database of its own, and judges.
"""

import json
import os
import re
import signal
import sys
from datetime import timedelta
from hashlib import sha256
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session as DjangoSession
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tests import base
from troubleshooter import folding
from troubleshooter.models import (
    AuditLine,
    Beat,
    Cure,
    Delivery,
    Edition,
    Erasure,
    FailedLogin,
    Guide,
    HandOver,
    MissedSearch,
    Notice,
    Picture,
    Scenario,
    Session,
    Signal,
    Source,
    StaffSession,
    Stale,
    StaleBundle,
    Translation,
    Webhook,
)
from troubleshooter.signals import Kind

APP = "troubleshooter"
# The newest migration that the last release had. Whoever releases sets it anew.
RELEASED = "0014_sources"
# Written by Django itself whenever it migrates.
ITS_OWN = {"django_migrations", "django_content_type", "auth_permission", "auth_group_permissions"}
# What a step ends its changes with, more or less, and how it notes that it is done.
CHANGES = re.compile("(CREATE|DROP|ALTER|UPDATE) ")
NOTES = re.compile('(INSERT INTO|DELETE FROM) "django_migrations"')

Rows = dict[str, dict[str, tuple[Any, ...]]]  # table -> column -> its values, row by row


def seed() -> None:
    """The cast, and something in every table there is."""
    guide = base.make_printer_guide()
    erin, now = base.make_staff("erin", "Editor"), timezone.now()
    edition = Edition.objects.publish(guide, by=erin)
    Edition.objects.publish(guide, by=None)
    session = Session.objects.start(edition, "offline", platform="ios")
    base.walk(session, "not_fixed", "no_time", "fixed")
    asked = base.ask(base.walk(Session.objects.start(edition, "unknown"), "not_fixed"))
    asked.reply(erin, "Hello.")
    asked.close(erin, Cure.FIX, "cable")
    base.ask_later(session)
    HandOver.objects.make(base.walk(Session.objects.start(edition, ""), "not_fixed"))
    base.count()
    list(folding.fold(now + timedelta(days=2)))
    _seed_drafts(guide, erin)
    _seed_notes(guide, erin)
    _seed_staff(erin)


def _seed_drafts(guide: Guide, erin: Any) -> None:
    """What editors write besides the guide itself."""
    first, second = guide.placements.all()[:2]
    second.after.add(first.fix)
    Picture.objects.create(sha256="0" * 64, kind="webp", content=b"RIFF", width=1, height=1)
    Scenario.objects.create(
        guide=guide, answers="not fixed, fixed", fix=second.fix, status="resolved"
    )
    Source.objects.create(
        guide=guide, name="printer.md", digest="0" * 64, text="# Hi", at=timezone.now()
    )
    Translation.objects.start(guide, "de", erin)
    Notice.objects.announce(guide, "The maker's page is down.", erin)


def _seed_notes(guide: Guide, erin: Any) -> None:
    """What the desk writes down by itself."""
    now = timezone.now()
    Webhook.objects.create(name="erp", url="https://erp.example.org/", secret="s" * 40)
    Delivery.objects.mail(to="bert@example.org", subject="Hello", text="Hello")
    Stale.objects.mark([(guide.key, now.date())])
    StaleBundle.objects.mark([(now.date(), 1)])
    MissedSearch.objects.add({(now.date(), "en", "toaster"): 3})
    Signal.objects.saw(Kind.FALLING, guide.key, {"before": 1}, now, subject="cable", revision=1)
    LogEntry.objects.create(user=erin, object_repr="x", action_flag=1, change_message="")
    Beat.objects.note(now, Beat.Of.WORKER)
    Erasure.objects.note("carla@example.org", now)


def _seed_staff(erin: Any) -> None:
    """What is kept of accounts."""
    now = timezone.now()
    erin.user_permissions.add(1)
    AuditLine.objects.note(AuditLine.Kind.LOGIN, erin)
    FailedLogin.objects.create(account="a", network="n")
    StaffSession.objects.create(
        session_key="k", expire_date=now, begun_at=now, seen_at=now, account=erin
    )
    DjangoSession.objects.create(session_key="k", session_data="d", expire_date=now)
    Authenticator.objects.create(user=erin, type="totp", data={"secret": "s"})
    address = EmailAddress.objects.create(user=erin, email="erin@example.org")
    EmailConfirmation.objects.create(email_address=address, key="k")


# --- What is there ----------------------------------------------------------------------------


def snapshot() -> Rows:
    """Every row of every table of ours."""
    found: Rows = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table in ITS_OWN:
                continue
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            columns = [each[0] for each in cursor.description]
            rows = [[plain(value) for value in row] for row in cursor.fetchall()]
            found[table] = dict(zip(columns, zip(*rows, strict=True), strict=False)) if rows else {}
    return found


def plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def digest(columns: dict[str, tuple[Any, ...]], names: list[str]) -> str:
    """A hash of all rows, of these columns alone."""
    rows = sorted(repr(row) for row in zip(*(columns[name] for name in names), strict=True))
    return sha256("\n".join(rows).encode()).hexdigest()


def differing(before: Rows, after: Rows) -> list[str]:
    """The tables that both have and whose rows are not equal, in the columns that both have."""
    wrong = []
    for table in sorted(before.keys() & after.keys()):
        names = sorted(before[table].keys() & after[table].keys())
        same = digest(before[table], names) == digest(after[table], names)
        if not same or bool(before[table]) != bool(after[table]):
            wrong.append(table)
    return wrong


def common(rows: Rows, oldest: Rows) -> Rows:
    """What of these rows was in the oldest form of the database, too."""
    return {
        table: {name: values for name, values in columns.items() if name in oldest[table]}
        for table, columns in rows.items()
        if table in oldest
    }


# --- Back and forth ---------------------------------------------------------------------------


def migrations() -> list[str]:
    """Ours, from the first to the newest."""
    graph = MigrationExecutor(connection).loader.graph
    return [name for app, name in graph.forwards_plan(*graph.leaf_nodes(APP)) if app == APP]


def migrate(*target: str) -> None:
    call_command("migrate", *target, verbosity=0, interactive=False)


def one_release_back(before: Rows) -> dict[str, Any]:
    """To what the last release had, and what came with this one leaves; then forth again."""
    for target in ((APP, RELEASED), ("mfa", "zero"), ("account", "zero")):
        migrate(*target)
    back = snapshot()
    migrate()
    forth = common(snapshot(), back)
    return {"back": differing(before, back), "forth": differing(back, forth), "left": sorted(back)}


def step_by_step(before: Rows) -> dict[str, Any]:
    """Back by one migration after the other, and forth again in the same way.

    Each step is killed before it may succeed: when it is done but not noted yet and, on the way
    forth, amid its changes, too. Says what differs then, and how often it was killed.
    """
    names, found, kills = migrations(), dict[str, list[str]](), 0
    oldest = before
    for way, targets in (("back", names[-2::-1]), ("forth", names[1:])):
        for name in targets:
            for last in (NOTES,) if way == "back" else (CHANGES, NOTES):
                kills += killed_before(last, APP, name)
            migrate(APP, name)
            now = snapshot()
            oldest = now if way == "back" else oldest
            found[f"{way} to {name}"] = differing(before, common(now, oldest))
    return {"differing": found, "kills": kills}


def unwritable() -> list[str]:
    """The tables of today into which the code of the last release cannot write, and why."""
    state = MigrationExecutor(connection).loader.project_state((APP, RELEASED))
    wrong = []
    for model in state.apps.get_app_config(APP).get_models():
        row = model._base_manager.first()
        if row is None:
            continue
        try:
            with transaction.atomic():
                model._base_manager.filter(pk=row.pk)._raw_delete(connection.alias)
                row.save(force_insert=True)
                connection.check_constraints()
                transaction.set_rollback(True)
        except Exception as fault:  # whatever it is, it is told
            wrong.append(f"{model._meta.db_table}: {fault}")
    return wrong


def killed_before(statement: re.Pattern[str], *target: str) -> bool:
    """Whether one that migrated was killed, by SIGKILL, before the first such statement."""
    connection.close()
    if child := os.fork():
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])

    def watch(execute: Any, sql: str, *asked: Any) -> Any:
        if statement.match(sql):
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, *asked)

    with connection.execute_wrapper(watch):
        migrate(*target)
    os._exit(0)


def main() -> None:
    migrate()
    seed()
    before = snapshot()
    report = {
        "empty": sorted(table for table, columns in before.items() if not columns),
        "unwritable": unwritable(),
        "release": one_release_back(before),
        "steps": step_by_step(snapshot()),
    }
    json.dump(report, sys.stdout)
