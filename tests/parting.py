"""Divides a desk with data into partitions, lives on, drops a month, and prints what it found.

`tests/test_partitions.py` starts it, in a process and with a PostgreSQL database of its own.
"""

import json
import shutil
import sys
from datetime import date, timedelta
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from tests import base
from tests.test_counting import all_counts
from troubleshooter.models import (
    Attempt,
    Edition,
    Escalation,
    FixCount,
    FollowUp,
    HandOver,
    Session,
    Slice,
)

TRILLION = 10**12
LONG_AGO = timedelta(days=100)
OF_NOBODY = """
    UPDATE troubleshooter_escalation SET session_id = 5000;
    SET CONSTRAINTS ALL IMMEDIATE;
"""
SHOWN_TWICE = """
    INSERT INTO troubleshooter_attempt
        (session_id, seq, fix_key, fix_revision, place, shown_at, reason)
    SELECT session_id, seq, fix_key, fix_revision, place, shown_at, reason
    FROM troubleshooter_attempt
"""


# Stands where Citus does and refuses what Citus refuses: a unique key without the distribution
# column, and references that would cross servers. It moves nothing.
CITUS = """
CREATE TABLE spread (what regclass PRIMARY KEY, key text, beside regclass);
CREATE FUNCTION create_reference_table(what regclass) RETURNS void LANGUAGE sql AS
$$ INSERT INTO spread VALUES (what, NULL, NULL) $$;
CREATE FUNCTION create_distributed_table(what regclass, key text, colocate_with text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    INSERT INTO spread VALUES (what, key, coalesce(colocate_with::regclass, what));
    FOR found IN SELECT pg_get_indexdef(indexrelid) AS said FROM pg_index
        WHERE indrelid = what AND indisunique AND NOT EXISTS (SELECT FROM pg_attribute
            WHERE attrelid = what AND attname = key AND attnum = ANY (indkey)) LOOP
        RAISE EXCEPTION 'unique without %: %', key, found.said;
    END LOOP;
END $$;
CREATE VIEW crossing AS
    SELECT conrelid::regclass::text AS owner, pg_get_constraintdef(pg_constraint.oid) AS said
    FROM pg_constraint
    JOIN spread AS there ON there.what = confrelid
    LEFT JOIN spread AS here ON here.what = conrelid
    WHERE contype = 'f' AND there.key IS NOT NULL
        AND (here.beside IS DISTINCT FROM there.beside OR NOT EXISTS (
            SELECT FROM unnest(conkey, confkey) AS pair (ours, theirs)
            JOIN pg_attribute AS a ON a.attrelid = conrelid AND a.attnum = ours
            JOIN pg_attribute AS b ON b.attrelid = confrelid AND b.attnum = theirs
            WHERE a.attname = here.key AND b.attname = there.key))
    UNION
    SELECT conrelid::regclass::text, pg_get_constraintdef(pg_constraint.oid)
    FROM pg_constraint
    JOIN spread AS here ON here.what = conrelid
    WHERE contype = 'f' AND here.key IS NOT NULL AND confrelid NOT IN (SELECT what FROM spread);
"""


def sql(said: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(said)
        return cursor.fetchall() if cursor.description else []


def apply(name: str) -> None:
    """Run a file of docs/ as the guide for operators says."""
    with transaction.atomic():
        sql((settings.BASE_DIR / "docs" / name).read_text())


def refused(said: str) -> str:
    """What the database says to what it must not take; "" when it takes it."""
    try:
        with transaction.atomic():
            sql(said)
    except DatabaseError as fault:
        return str(fault).splitlines()[0]
    return ""


def months() -> list[date]:
    """This month and the three after it."""
    first = timezone.now().date().replace(day=1)
    found = [first]
    for _month in range(3):
        found.append((found[-1] + timedelta(days=31)).replace(day=1))
    return found


def start() -> Session:
    return Session.objects.start(Edition.objects.live().get(), "unknown")


def lives() -> list[Session]:
    """Visitors walk, ask for a person, let us ask later, go on elsewhere, and are deleted."""
    walked = [base.walk(start(), "not_fixed", "no_time", "fixed") for _nth in range(3)]
    base.ask(base.walk(start(), "not_fixed"))
    FollowUp.objects.ask(walked[0], f"anna{walked[0].pk}@example.org")
    HandOver.objects.make(base.walk(start(), "not_fixed"))
    start().delete()
    again = Session.objects.walk(walked[0].public_id)
    assert again
    assert again.status == "resolved"
    return walked


def touched(rows: models.QuerySet[Any]) -> list[str]:
    """The tables that a query would read, as the planner tells."""
    found = set()

    def look(node: Any) -> None:
        if isinstance(node, dict):
            found.add(node.get("Relation Name"))
            for each in node.values():
                look(each)
        elif isinstance(node, list):
            for each in node:
                look(each)

    look(json.loads(rows.explain(format="json")))
    return sorted(each for each in found if each and each.startswith("troubleshooter_"))


def grow_old(part: str) -> None:
    """The sessions in a partition and all of theirs happened long ago."""
    old = f"interval '{LONG_AGO.days} days'"
    for column in ("started_at", "last_answer_at"):
        sql(f"UPDATE {part} SET {column} = {column} - {old}")
    attempts = part.replace("session", "attempt")
    sql(f"UPDATE {attempts} SET shown_at = shown_at - {old}, answered_at = answered_at - {old}")
    for table, column in (("escalation", "opened_at"), ("escalation", "moved_at")):
        sql(f"UPDATE troubleshooter_{table} SET {column} = {column} - {old}")


def dropped(month: date) -> dict[str, Any]:
    """Drop this month's partitions, once its days are sealed; what is left of it."""
    part = f"troubleshooter_session_{month:%Y%m}"
    grow_old(part)
    base.count()
    before = all_counts()
    call_command("purge", seal=timezone.now().date() - timedelta(days=60), stdout=StringIO())
    gone = Session.objects.count()
    sql(f"CALL helpdesk_drop_month('{month}')")
    referred = set(Escalation.objects.values_list("session", flat=True))
    referred |= set(FollowUp.objects.values_list("session", flat=True))
    kept = set(Session.objects.values_list("pk", flat=True))
    base.count()
    return {
        "gone": gone - len(kept),
        "left": sql("SELECT to_regclass(%r)::text" % part)[0][0],  # noqa: UP031
        "lost": sorted(referred - kept),
        "attempts": Attempt.objects.exclude(session__in=kept).count(),
        "same counts": all_counts() == before,
    }


def everything() -> list[list[Any]]:
    attempts = Attempt.objects.order_by("pk").values_list()
    return [[*Session.objects.order_by("pk").values_list()], [*attempts]]


FORBIDDEN = """
    SELECT setconfig[1] FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
    WHERE datname = current_database()
"""


def divided() -> dict[str, Any]:
    """What the file does to a desk that lived without it."""
    lives()
    old = everything()
    apply("partitions.sql")
    return {
        "same rows": old == everything(),
        "rows": [len(each) for each in old],
        "forbidden": sql(FORBIDDEN),
    }


def held(session: Session) -> dict[str, Any]:
    """What is read for one session, and what is still refused."""
    return {
        "attempts": touched(Attempt.objects.filter(session=session)),
        "session": touched(Session.objects.filter(pk=session.pk)),
        "key": len(touched(Session.objects.filter(public_id=session.public_id))),
        "shown twice": refused(SHOWN_TWICE),
        "of nobody": refused(OF_NOBODY),
        "same id": refused(
            "UPDATE troubleshooter_session SET public_id = 'same'"
            f" WHERE id >= {session.pk // TRILLION * TRILLION}"
        ),
    }


def restored(month: date, later: date) -> dict[str, Any]:
    """What a backup of partitions brings back, after life went on and yet another month began."""
    dump, said = settings.VAR_DIR / "desk.dump", StringIO()
    call_command("backup", dump, stdout=said)
    kept = everything()
    lives()
    sql(f"CALL helpdesk_begin_month('{later}')")
    lives()
    lived = everything()
    broken = settings.VAR_DIR / "broken.dump"
    broken.write_bytes(dump.read_bytes()[:-1000])
    try:
        call_command("restore", broken, yes=True, stdout=said)
    except CommandError as fault:
        refusal = str(fault)
    kept_on = everything() == lived and not (settings.VAR_DIR / "restore.json").exists()
    call_command("restore", dump, yes=True, stdout=said)
    parts = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'troubleshooter_session'::regclass"
    return {
        "broken": [refusal, kept_on],
        "same rows": everything() == kept,
        "parts": sql(parts)[0][0],
        "numbers": sorted({walked.pk // TRILLION for walked in lives()}),
        "month": f"{month:%Y%m}",
        "planned": len(touched(Session.objects.filter(pk=start().pk))),
    }


def partitions() -> None:
    call_command("migrate", verbosity=0)
    Edition.objects.publish(base.make_printer_guide(), by=None)
    report: dict[str, Any] = {"divided": divided()}
    waiting = start()  # no month began yet: numbers go on as they were
    this, second, third, fourth = months()
    report["months"] = []
    for month in (this, this, second):
        sql(f"CALL helpdesk_begin_month('{month}')")
        numbers = {walked.pk // TRILLION for walked in lives()}
        report["months"].append([f"{month:%Y%m}", *sorted(numbers)])
    report["restored"] = restored(second, third) if shutil.which("pg_dump") else None
    base.walk(waiting, "not_fixed", "fixed")
    report |= {"waiting": waiting.pk, "held": held(start())}
    report["early"] = refused(f"CALL helpdesk_drop_month('{this}')")
    report["dropped"] = dropped(this)
    report["of nobody"] = refused(OF_NOBODY)
    sql(f"CALL helpdesk_begin_month('{third}')")
    base.walk(start(), "fixed")
    report["in use"] = refused(f"CALL helpdesk_drop_month('{third}')")
    sql(f"CALL helpdesk_begin_month('{fourth}')")
    report["dropped whole"] = dropped(third)
    for target in ("0010_notices", "0017_counts_of_persons"):
        call_command("migrate", "troubleshooter", target, verbosity=0)
    report["after migrating"] = len(lives())
    json.dump(report, sys.stdout)


def citus() -> None:
    call_command("migrate", verbosity=0)
    Edition.objects.publish(base.make_printer_guide(), by=None)
    sql(CITUS)
    spreads = "SELECT create_distributed_table('troubleshooter_session', 'id')"
    report: dict[str, Any] = {"as it is": refused(spreads)}
    apply("citus.sql")
    report["spread"] = sql("SELECT what::text, key, beside::text FROM spread ORDER BY key, what")
    report["crossing"] = sql("SELECT * FROM crossing")
    report |= {"walked": len(lives()), "shown twice": refused(SHOWN_TWICE)}
    base.count()
    shown = FixCount.objects.filter(slice__in=Slice.objects.coarse(), day__isnull=False)
    report["counted"] = [
        shown.aggregate(models.Sum("shown"))["shown__sum"],
        Attempt.objects.values("session", "fix_key").distinct().count(),
    ]
    json.dump(report, sys.stdout)
