"""Logins of staff: the sessions they open, and the tries that failed.

A session of staff is a cookie and a row; of the key in the cookie only a hash is stored, so the
database alone opens nothing. Django loads and saves the rows by `SessionStore` below.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy

from .audit import AuditLine

WINDOW = timedelta(minutes=15)
MOST_OF_ACCOUNT = 5  # failures for one name from one network
MOST_OF_NETWORK = 20  # failures from one network, whatever the names
SEEN_EVERY = timedelta(minutes=1)  # a look at a page is noted no more often
BEGUN, BROWSER = "begun", "browser"  # what a session carries from its login


# --- Sessions of staff --------------------------------------------------------------------------


class StaffSessionQuerySet(models.QuerySet["StaffSession"]):
    def alive(self, now: datetime) -> "StaffSessionQuerySet":
        """Those that have neither been idle too long nor lasted too long."""
        return self.filter(
            expire_date__gt=now,
            seen_at__gt=now - timedelta(hours=settings.STAFF_IDLE_HOURS),
            begun_at__gt=now - timedelta(hours=settings.STAFF_HOURS),
        )

    def of(self, account: User) -> "StaffSessionQuerySet":
        """The sessions that are open for an account, the one used last first."""
        return self.alive(timezone.now()).filter(account=account).order_by("-seen_at")

    def end(self, account: User, by: User | None, keep: str | None = None) -> int:
        """End every session of an account but the one with the key `keep`; how many they were.

        `keep` is the key in the cookie, which only the request of that session knows.
        """
        return self._end(self.filter(account=account).exclude(pk=hashed(keep)), account, by)

    def end_one(self, account: User, pk: str, by: User | None) -> int:
        """End this one session of the account; 0 when it has no such session (any more)."""
        if not pk.isalnum():  # PostgreSQL fails on a NUL
            return 0
        return self._end(self.filter(account=account, pk=pk), account, by)

    def _end(self, rows: "StaffSessionQuerySet", account: User, by: User | None) -> int:
        with transaction.atomic():
            count = rows.delete()[0]
            if count:
                kind = AuditLine.Kind.SESSIONS_ENDED
                AuditLine.objects.note(kind, by, account, str(count))
        return count

    def forget(self, now: datetime) -> int:
        """Delete those that ended by themselves."""
        alive = self.alive(now).values("pk")
        return self.exclude(pk__in=alive).delete()[0]


class StaffSession(AbstractBaseSession):
    """One session of staff: whose, since when, last seen when, and in which kind of browser.

    `session_key` is the hash of the key. Until somebody has logged in, it is nobody's.
    """

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="staff_sessions"
    )
    begun_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    browser = models.CharField(max_length=20, blank=True)

    objects = StaffSessionQuerySet.as_manager()  # type: ignore[misc, assignment]

    class Meta:
        verbose_name = gettext_lazy("session of staff")
        verbose_name_plural = gettext_lazy("sessions of staff")
        default_permissions: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return f"{self.begun_at:%Y-%m-%d %H:%M}"

    @classmethod
    def get_session_store_class(cls) -> "type[SessionStore]":
        return SessionStore


def hashed(key: str | None) -> str:
    """What is stored of the key in a cookie."""
    return sha256((key or "").encode()).hexdigest()[:40]  # as long as Django's column


class SessionStore(DatabaseStore):
    """Django's store over these rows. A session that was idle or lasted too long is none."""

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        return StaffSession

    def _get_session_from_db(self) -> StaffSession | None:
        now = timezone.now()
        row = StaffSession.objects.alive(now).filter(pk=hashed(self.session_key)).first()
        if row is None:
            self._session_key = None
        elif row.seen_at < now - SEEN_EVERY:
            StaffSession.objects.filter(pk=row.pk).update(seen_at=now)
        return row

    def exists(self, session_key: str) -> bool:
        return StaffSession.objects.filter(pk=hashed(session_key)).exists()

    def create_model_instance(self, data: Mapping[str, Any]) -> StaffSession:
        begun = float(data.get(BEGUN) or time.time())
        return StaffSession(
            session_key=hashed(self._get_or_create_session_key()),  # type: ignore[attr-defined]
            session_data=self.encode({**data, BEGUN: begun}),
            expire_date=self.get_expiry_date(),
            account_id=data.get(SESSION_KEY),
            begun_at=datetime.fromtimestamp(begun, UTC),
            seen_at=timezone.now(),
            browser=str(data.get(BROWSER, "")),
        )

    def delete(self, session_key: str | None = None) -> None:
        StaffSession.objects.filter(pk=hashed(session_key or self.session_key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        StaffSession.objects.forget(timezone.now())


# --- Tries that failed --------------------------------------------------------------------------


class Locked(Exception):
    """Too many tries failed; `until` is when the next one is looked at."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class FailedLoginQuerySet(models.QuerySet["FailedLogin"]):
    def begin(self, name: str, network: str, now: datetime) -> "FailedLogin":
        """A try begins, and counts as failed until `succeeded`; raises Locked when it is too much.

        Written before it is counted, so that many at once cannot slip through; a try that was
        locked out is not counted, so nobody is locked out for ever.
        """
        this = self.create(account=_masked(name.strip().casefold()), network=_masked(network))
        for rows, most in self._counted(this, now):
            others = list(
                rows.exclude(pk=this.pk).order_by("-at").values_list("at", flat=True)[:most]
            )
            if len(others) >= most:
                this.delete()
                raise Locked(others[-1] + WINDOW)
        return this

    def was_last(self, this: "FailedLogin", now: datetime) -> bool:
        """Whether after this failure nothing more is let through for a while."""
        return any(rows.count() >= most for rows, most in self._counted(this, now))

    def _counted(
        self, this: "FailedLogin", now: datetime
    ) -> list[tuple["FailedLoginQuerySet", int]]:
        recent = self.filter(network=this.network, at__gt=now - WINDOW)
        return [(recent.filter(account=this.account), MOST_OF_ACCOUNT), (recent, MOST_OF_NETWORK)]

    def pardon(self, name: str, network: str) -> None:
        """Somebody is in: their failures before were slips."""
        masked = {"account": _masked(name.strip().casefold()), "network": _masked(network)}
        self.filter(**masked).delete()

    def forget(self, now: datetime) -> int:
        """Delete what is not counted any more."""
        return self.filter(at__lte=now - WINDOW).delete()[0]


def _masked(text: str) -> str:
    return salted_hmac("troubleshooter.failed_login", text, algorithm="sha256").hexdigest()[:32]


class FailedLogin(models.Model):
    """One try, for fifteen minutes: keyed hashes of the name that was typed and of the network.

    Rows, not memory: several processes must count together.
    """

    account = models.CharField(max_length=32)
    network = models.CharField(max_length=32)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = FailedLoginQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("failed login")
        verbose_name_plural = gettext_lazy("failed logins")
        default_permissions: ClassVar[list[str]] = []
        indexes = [models.Index(fields=["network", "at"], name="troubleshooter_failed")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"

    def succeeded(self) -> None:
        """It was none."""
        self.delete()
