"""The floors as views: hello, and one durable insert.

    python -m bench.floors     (with the settings bench.floor_settings)

makes the tables of all floors; bench/servers.py calls it, and starts the servers.
"""

import django
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

# As wide as an attempt.
INSERT = "insert into floor (session, seq, fix_key, outcome, shown_at) values (%s, %s, %s, %s, %s)"


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


def insert(request: HttpRequest) -> HttpResponse:
    """One row in a transaction of its own, answered once it is durable."""
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [1, 1, "phone-restart", "not_fixed", timezone.now()])
    return HttpResponse("saved")


urlpatterns = [path("", hello), path("insert/", insert)]


def prepare() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    key = "integer" if connection.vendor == "sqlite" else "bigint generated always as identity"
    with connection.cursor() as cursor:
        cursor.execute(
            f"create table floor (id {key} primary key, session bigint not null,"
            " seq integer not null, fix_key varchar(16) not null,"
            " outcome varchar(10) not null, shown_at timestamp with time zone not null)"
        )


if __name__ == "__main__":
    django.setup()
    prepare()
