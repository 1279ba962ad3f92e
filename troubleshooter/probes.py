"""What operators and their machines ask: does it live, is it ready, how is it doing."""

import sqlite3
import sys
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from typing import NamedTuple

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import resolve
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from . import health, metrics
from .models import Beat, Look, Stale

SLOWEST = 10  # routes shown


class Probes:
    """Answer machines at once: they ask by whatever name or port, over plain http, without end.

    So neither the names of hosts nor https are asked for, and no session is read.
    """

    PATHS = frozenset(("/healthz", "/readyz", "/metrics"))

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in self.PATHS:
            return self.get_response(request)
        match = request.resolver_match = resolve(request.path_info)
        try:
            response: HttpResponseBase = match.func(request)
        except Http404:
            response = HttpResponse(status=404, content_type="text/plain")
        # Who asks every few seconds is told, not the log as well.
        response._has_been_logged = True  # type: ignore[attr-defined]
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process lives; nothing else is asked, so that a database away restarts nobody."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether all works; if not, the names of what fails and nothing more."""
    failing = health.failing(timezone.now())
    said = {"ready": not failing, "failing": failing}
    return JsonResponse(said, status=503 if failing else 200)


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """All that is counted, for who has the token; without one in the settings there is no page."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        refused = HttpResponse(status=401)
        refused.headers["WWW-Authenticate"] = "Bearer"
        return refused
    return HttpResponse(metrics.text(health.Gauges()), content_type=CONTENT_TYPE_PLAIN_0_0_4)


# --- The page of the desk's state ---------------------------------------------------------------


class Sign(NamedTuple):
    """One thing that happens again and again, and when it did last."""

    name: str
    at: datetime | None
    worrying: bool
    mend: str = ""


@require_safe
@never_cache
@staff_member_required
def status(request: HttpRequest) -> HttpResponse:
    """How the desk is doing, for staff."""
    now = timezone.now()
    context = {
        **admin.site.each_context(request),
        "title": _("State of the desk"),
        "signs": signs(now),
        "queue": health.queue(),
        "stale": Stale.objects.values("guide_key", "day").distinct().count(),
        "pending": health.pending(),
        "slowest": metrics.slowest(SLOWEST),
        "versions": versions(),
    }
    return render(request, "troubleshooter/status.html", context)


def signs(now: datetime) -> list[Sign]:
    beats = Beat.objects.times()
    worker = beats.get(Beat.Of.WORKER)
    return [
        Sign(
            _("The worker was heard of"),
            worker,
            worker is None or now - worker > health.silent_after(),
            _("Nothing is sent, counted or planned while no worker runs: start one."),
        ),
        Sign(_("The numbers were counted"), Look.objects.current().counted_at, False),
        Sign(_("Sessions were learned from"), beats.get(Beat.Of.FOLD), False),
        Sign(
            _("The last backup was made"),
            beats.get(Beat.Of.BACKUP),
            Beat.Of.BACKUP not in beats,
            _("manage.py backup makes one; those made otherwise are not known here."),
        ),
    ]


def versions() -> dict[str, str]:
    """What this process runs on; no addresses, no paths."""
    found = {"Python": sys.version.split()[0], "Django": version("Django")}
    found["granian"] = version("granian")
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA journal_mode")
            found["SQLite"] = sqlite3.sqlite_version
            found[_("Journal mode")] = str(cursor.fetchone()[0])
        else:
            cursor.execute("SHOW server_version")
            found["PostgreSQL"] = str(cursor.fetchone()[0])
    return found
