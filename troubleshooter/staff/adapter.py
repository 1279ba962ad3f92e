"""What allauth asks us: who may in, where limits stand, how secrets are kept, what is logged."""

import base64
import time
from datetime import datetime
from hashlib import sha256
from typing import Any

import segno
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from troubleshooter.models import AuditLine, FailedLogin, Locked
from troubleshooter.models.logins import BEGUN, BROWSER
from troubleshooter.web import browser, network

LOCKED = "locked"  # the code of the error that tells how long


def begin(request: HttpRequest, name: str) -> FailedLogin:
    """A try to log in with this name begins; a sentence with the time when it is one too many."""
    now = timezone.now()
    try:
        return FailedLogin.objects.begin(name, network(request), now)
    except Locked as locked:
        raise ValidationError(_wait(locked.until, now), code=LOCKED) from None


def _wait(until: datetime, now: datetime) -> str:
    minutes = max(1, -int((now - until).total_seconds() // 60))
    said = ngettext(
        "Too many tries failed. Wait a minute, then try again, at %(time)s.",
        "Too many tries failed. Wait %(minutes)d minutes, then try again, at %(time)s.",
        minutes,
    )
    at = time_format(timezone.localtime(until), "H:i")
    return said % {"minutes": minutes, "time": at}


def failed(tried: FailedLogin, user: User | None) -> None:
    """Log that a try failed; and that nobody more is let through, when it was the last one.

    What was typed as a name is not logged: it may be a password.
    """
    AuditLine.objects.note(AuditLine.Kind.FAILED, None, user)
    if FailedLogin.objects.was_last(tried, timezone.now()):
        AuditLine.objects.note(AuditLine.Kind.LOCKED, None, user)


class AccountAdapter(DefaultAccountAdapter):
    """Staff log in with a name and a password, and nobody signs up."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": gettext_lazy(
            "This name and this password do not belong together."
            " Capital and small letters are different."
        ),
        "too_many_login_attempts": gettext_lazy(
            "Too many codes were wrong. Wait fifteen minutes, then try again."
        ),
        "rate_limited": gettext_lazy(
            "Too many codes were wrong. Wait fifteen minutes, then try again."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        return False  # our pages are pages

    def get_client_ip(self, request: HttpRequest) -> str:
        return network(request)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The member of staff with this name and password; everybody else looks the same."""
        name = str(credentials.get("username", ""))
        tried = begin(request, name)
        user = authenticate(request, username=name, password=credentials.get("password"))
        if isinstance(user, User) and user.is_staff:
            tried.succeeded()
            return user
        failed(tried, User.objects.filter(username=name).first())
        return None

    def is_reauthentication_required(self, *, app: str, **asked: Any) -> bool:
        """Who logged in a moment ago need not do it again to add a second factor."""
        begun = float(context.request.session.get(BEGUN, 0))
        fresh = time.time() - begun < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
        return not fresh and bool(super().is_reauthentication_required(app=app, **asked))

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)  # gives the session a new key
        request.session[BEGUN], request.session[BROWSER] = time.time(), browser(request)
        FailedLogin.objects.pardon(user.get_username(), network(request))
        AuditLine.objects.note(AuditLine.Kind.LOGIN, user, user)

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *more: Any,
        **named: Any,
    ) -> None:
        """Say what became of second factors; that somebody is logged in, the page shows."""
        if not (message_template or "").startswith("account/"):
            super().add_message(request, level, message_template, *more, **named)


class FactorAdapter(DefaultMFAAdapter):
    """Second factors: their secrets are encrypted with a key made of SECRET_KEY."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("This code is not right. Each code works only once."),
    }

    def build_totp_svg(self, url: str) -> str:
        # White around it in both themes: scanners need the margin.
        drawn = segno.make_qr(url)
        return str(drawn.svg_inline(dark="#000", light="#fff", omitsize=True, title=_("QR code")))

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret; of one that no key opens another one, which no code ever matches."""
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return str(generate_totp_secret())

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        name = user.get_username()
        return {"id": str(user.pk).encode(), "display_name": name, "name": name}

    def _get_user_identifier(self, user: User) -> str:
        return user.get_username()

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return _("Passkey %(number)d") % {"number": count + 1}


def _cipher() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [sha256(b"troubleshooter.factors" + key.encode()).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
