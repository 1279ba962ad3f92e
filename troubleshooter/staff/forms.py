"""The forms of allauth with our limits: short fields, a count of failures, codes that work once."""

from typing import Any

from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import ReauthenticateForm as AllauthReauthenticateForm
from allauth.core import context
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import transaction
from django.utils.translation import gettext_lazy

from .adapter import begin, failed

LONGEST = 4096  # characters of a password: hashing more is work for nothing
STEP = "totp_step"  # on a request: the step of time whose code was used to add an app
LAST_STEP = "last_step"  # beside the secret: the step of the newest code that was used


class _Short:
    """No field takes more than 4,096 characters, and no field says its label twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # type: ignore[attr-defined]
            if isinstance(field, forms.CharField) and not isinstance(field, forms.JSONField):
                field.validators.append(MaxLengthValidator(LONGEST))
                field.widget.attrs.pop("placeholder", None)


class LoginForm(_Short, AllauthLoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
        self.fields["login"].widget.attrs["autocapitalize"] = "none"


class PasswordAgainForm(_Short, AllauthReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""


class OwnPasswordForm(_Short, PasswordChangeForm):
    pass


class _Passkey(_Short):
    """What a browser says of a passkey; a sentence when it is nothing a browser would say."""

    def full_clean(self) -> None:
        try:
            super().full_clean()  # type: ignore[misc]
        except (AttributeError, LookupError, TypeError, ValueError):
            wrong = get_adapter().validation_error("incorrect_code")
            self.add_error(None, wrong)  # type: ignore[attr-defined]


class PasskeyForm(_Passkey, AddWebAuthnForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=50, required=False)


class PasskeySecondForm(_Passkey, AuthenticateWebAuthnForm):
    pass


class PasskeyAgainForm(_Passkey, ReauthenticateWebAuthnForm):
    pass


class _Code(_Short):
    """A code counts as a try to log in, and works once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].max_length = 64  # type: ignore[attr-defined]
        self.fields["code"].label = gettext_lazy("Code")  # type: ignore[attr-defined]

    def clean_code(self) -> str:
        user = self.user  # type: ignore[attr-defined]
        tried = begin(context.request, user.get_username())
        try:
            code = str(super().clean_code())  # type: ignore[misc]
            spend(self.authenticator, code)  # type: ignore[attr-defined]
        except ValidationError:
            failed(tried, user)
            raise
        tried.succeeded()
        return code


class CodeForm(_Code, AuthenticateForm):
    pass


class CodeAgainForm(_Code, ReauthenticateForm):
    pass


class AppForm(_Short, ActivateTOTPForm):
    """The first code of an app; whichever it was, it opens nothing afterwards."""

    def clean_code(self) -> str:
        code = str(super().clean_code())
        setattr(context.request, STEP, step_of(self.secret, code))
        return code


def step_of(secret: str, code: str) -> int:
    """The newest step of time, of those that are let through now, to which this code belongs."""
    matching = (
        step
        for step in yield_hotp_counters_from_time()
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step)))
    )
    return max(matching, default=0)


def spend(used: Authenticator, code: str) -> None:
    """Use up the code of an app, and all before it, in every process and for ever."""
    if used.type != Authenticator.Type.TOTP:
        return
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=used.pk)
        step = step_of(decrypt(row.data["secret"]), code)
        if step <= row.data.get(LAST_STEP, 0):
            raise get_adapter().validation_error("incorrect_code")
        row.data[LAST_STEP] = step
        row.save(update_fields=["data"])
    used.data = row.data
