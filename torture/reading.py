"""What the database says, as JSON, one line for each database: a process of its own.

python -m torture.reading            the database of the settings
python -m torture.reading FILE ...   these SQLite files, opened just as the app opens one
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import django
from django.db import DatabaseError, connection

django.setup()

from troubleshooter.models import Attempt, Edition, Session  # noqa: E402


def read() -> dict[str, Any]:
    """Every session with its rows, and what SQLite says of the file's integrity."""
    try:
        sqlite = connection.vendor == "sqlite"
        return {
            "integrity": pragma("integrity_check") if sqlite else "ok",
            "sessions": list(sessions()),
        }
    except DatabaseError as fault:
        return {"integrity": f"unreadable: {fault}", "sessions": []}


def pragma(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return "; ".join(str(row[0]) for row in cursor.fetchall())


def sessions() -> Iterator[dict[str, Any]]:
    risky = {each.pk: sorted(each.reading.risky) for each in Edition.objects.all()}
    rows: dict[int, list[Any]] = {}
    columns = ("session_id", "seq", "fix_key", "outcome", "reason")
    for session, *row in Attempt.objects.order_by("seq").values_list(*columns):
        rows.setdefault(session, []).append(row)
    for each in Session.objects.order_by("pk"):
        yield {
            "key": each.key,
            "order": each.order,
            "risky": risky[each.edition_id],
            "status": each.status,
            "resolved_by": each.resolved_by,
            "rows": rows.get(each.pk, []),
        }


def main(files: list[str]) -> None:
    if not files:
        print(json.dumps(read()))
    for name in files:
        connection.close()
        connection.settings_dict["NAME"] = name
        print(json.dumps(read()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
