"""What allauth and Django tell of second factors and logouts, and nobody calls a verb for."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from troubleshooter.models import AuditLine, StaffSession

from .forms import LAST_STEP, STEP

Kind = AuditLine.Kind


@receiver(authenticator_added)
def added(request: HttpRequest, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    """The code that added an app is used up; sessions that were opened without it end."""
    if authenticator.type == Authenticator.Type.TOTP:
        authenticator.data[LAST_STEP] = getattr(request, STEP, 0)
        authenticator.save(update_fields=["data"])
    _note(Kind.FACTOR_ADDED, user, authenticator)
    StaffSession.objects.end(user, user, keep=request.session.session_key)


@receiver(authenticator_removed)
def removed(request: HttpRequest, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    _note(Kind.FACTOR_REMOVED, user, authenticator)
    StaffSession.objects.end(user, user, keep=request.session.session_key)


@receiver(authenticator_reset)
def renewed(user: User, authenticator: Authenticator, **_signal: Any) -> None:
    _note(Kind.CODES_RENEWED, user, authenticator)


@receiver(user_logged_out)
def left(user: User | None, **_signal: Any) -> None:
    if user is not None:
        AuditLine.objects.note(Kind.LOGOUT, user, user)


def _note(kind: AuditLine.Kind, user: User, authenticator: Authenticator) -> None:
    AuditLine.objects.note(kind, user, user, str(authenticator.get_type_display()))
