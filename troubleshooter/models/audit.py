"""The audit log: who did what to accounts, and to what is kept of persons, and when.

No network, no address and no word that was typed is in it: whoever mistakes the field of the name
for that of the password must not find it here.
"""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy


class AuditLineQuerySet(models.QuerySet["AuditLine"]):
    def note(
        self,
        kind: "AuditLine.Kind",
        by: User | AnonymousUser | None,
        about: User | None = None,
        said: str = "",
    ) -> "AuditLine":
        """Write a line; `by` is None for a command, and `about` the account that was changed."""
        member = by if isinstance(by, User) else None
        return self.create(
            kind=kind,
            by=member,
            who=member.get_username() if member else "",
            about=about.get_username() if about else "",
            said=said[: AuditLine.LIMIT],
        )

    def forget(self, before: datetime, most: int) -> int:
        """Delete at most so many lines that are older than `before`; how many they were."""
        old = list(self.filter(at__lt=before).order_by("at").values_list("pk")[:most])
        return self.filter(pk__in=[pk for (pk,) in old]).delete()[0]


class AuditLine(models.Model):
    """One thing that was done. Names are kept as they were: an account may be deleted later."""

    LIMIT = 500

    class Kind(models.TextChoices):
        LOGIN = "login", gettext_lazy("logged in")
        FAILED = "failed", gettext_lazy("failed to log in")
        LOCKED = "locked", gettext_lazy("locked out for a while")
        LOGOUT = "logout", gettext_lazy("logged out")
        PASSWORD = "password", gettext_lazy("password changed")
        FACTOR_ADDED = "factor_added", gettext_lazy("second factor added")
        FACTOR_REMOVED = "factor_removed", gettext_lazy("second factor removed")
        CODES_RENEWED = "codes_renewed", gettext_lazy("new recovery codes")
        SESSIONS_ENDED = "sessions_ended", gettext_lazy("sessions of staff ended")
        ACCOUNT_ADDED = "account_added", gettext_lazy("account added")
        ACCOUNT_DELETED = "account_deleted", gettext_lazy("account deleted")
        RIGHTS_CHANGED = "rights_changed", gettext_lazy("rights changed")
        EXPORTED = "exported", gettext_lazy("personal data exported")
        ERASED = "erased", gettext_lazy("personal data erased")

    at = models.DateTimeField(gettext_lazy("when"), default=timezone.now, db_index=True)
    kind = models.CharField(gettext_lazy("what"), max_length=16, choices=Kind)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    who = models.CharField(gettext_lazy("who"), max_length=150, blank=True)
    about = models.CharField(gettext_lazy("whose account"), max_length=150, blank=True)
    said = models.CharField(gettext_lazy("more"), max_length=LIMIT, blank=True)

    objects = AuditLineQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("line of the audit log")
        verbose_name_plural = gettext_lazy("audit log")
        ordering = ["-at", "-id"]
        default_permissions = ["view"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"
