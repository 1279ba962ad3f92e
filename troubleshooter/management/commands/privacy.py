"""What is kept of one person, and its end: access and erasure, by e-mail address.

Walking a guide leaves nothing of a person; only escalations, follow-ups and the mail about them do.
"""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone

from troubleshooter.models import AuditLine, Delivery, Erasure, Escalation, FollowUp


class Command(BaseCommand):
    help = "Exports (JSON) or erases all that is kept of a person, by e-mail address."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["export", "erase"])
        parser.add_argument("--email", required=True, help="The person's address.")
        parser.add_argument(
            "--yes", action="store_true", help="Erases; without it, it says what it would erase."
        )

    def handle(self, *args: Any, what: str, email: str, yes: bool, **options: Any) -> None:
        if "@" not in email:
            raise CommandError(f"“{email}” is no e-mail address.")
        if what == "export":
            told = [told_of(escalation) for escalation in Escalation.objects.of(email)]
            told += [told_of_follow_up(each) for each in FollowUp.objects.of(email)]
            AuditLine.objects.note(AuditLine.Kind.EXPORTED, None, said=str(len(told)))
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
            return
        escalations, follow_ups = Escalation.objects.of(email), FollowUp.objects.of(email)
        mails = Delivery.objects.about(email, [each.spoken for each in escalations])
        counts = (
            f"{len(escalations)} escalations, {len(follow_ups)} follow-ups"
            f" and {mails.count()} messages in the outbox"
        )
        if not yes:
            self.stdout.write(f"This would erase {counts}. Say --yes to do it.")
            return
        with transaction.atomic():
            # Follow-ups first: once the mail is written, only the outbox knows whose they are.
            FollowUp.objects.erase(email, timezone.now())
            Escalation.objects.erase(email, timezone.now())
            Erasure.objects.note(email, timezone.now())
            AuditLine.objects.note(AuditLine.Kind.ERASED, None, said=counts)
        clean_file()
        self.stdout.write(
            f"Erased: {counts}. Mail and webhooks sent before are with those who got them,"
            " and backups keep what they hold until they are restored: then it is erased again."
        )


def told_of(escalation: Escalation) -> dict[str, Any]:
    """One escalation as the person it is about may have it."""
    return {
        "kind": "escalation",
        "reference": escalation.reference,
        "opened": escalation.opened_at.isoformat(),
        "state": escalation.state,
        "name": escalation.name,
        "email": escalation.email,
        "phone": escalation.phone,
        "message": escalation.message,
        "transcript": [line.text for line in escalation.lines],
        "messages": [
            {"from": message.kind, "at": message.at.isoformat(), "text": message.text}
            for message in escalation.messages.all()
        ],
    }


def told_of_follow_up(follow_up: FollowUp) -> dict[str, Any]:
    """One follow-up, likewise; once its mail was delivered, nothing says any more whose it was."""
    mail = follow_up.delivery
    return {
        "kind": "follow-up",
        "email": mail.to if mail else follow_up.email,
        "asked": follow_up.asked_at.isoformat(),
        "due": follow_up.due_at.isoformat(),
        "fix": follow_up.fix_title,
        "message": mail.body.get("text", "") if mail else "",
        "answer": follow_up.answer,
    }


def clean_file() -> None:
    """Take what was deleted out of the files, too: SQLite keeps the bytes of deleted rows.

    PostgreSQL gives their room to new rows in its own time (autovacuum).
    """
    if connection.vendor != "sqlite":
        return
    ahead = settings.SQLITE_JOURNAL == "WAL"
    with connection.cursor() as cursor:
        if not ahead:  # this commit cuts the journal, others leave in it what was there before
            cursor.execute("PRAGMA journal_mode = TRUNCATE")
        cursor.execute("VACUUM")
        after = "wal_checkpoint(TRUNCATE)" if ahead else f"journal_mode = {settings.SQLITE_JOURNAL}"
        cursor.execute(f"PRAGMA {after}")
