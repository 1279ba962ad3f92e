"""The pages of allauth in the admin's frame, and “Your account” with the sessions of its owner."""

from collections.abc import Callable
from typing import Any

from allauth.account.views import LoginView
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from troubleshooter.models import AuditLine, StaffSession
from troubleshooter.models.logins import WINDOW, hashed

from .adapter import LOCKED
from .forms import OwnPasswordForm

View = Callable[..., HttpResponseBase]


def framed(view: View, title: Any) -> View:
    """A page of allauth in the frame of the admin; never kept by a browser.

    A form that was refused because too many tries failed is answered by 429.
    """

    @never_cache
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse):
            said = response.context_data or {}
            response.context_data = {
                **admin.site.each_context(request),
                "title": title,
                "is_nav_sidebar_enabled": False,
                **said,
            }
            if _is_locked(said.get("form")):
                response.status_code = 429
                response["Retry-After"] = str(int(WINDOW.total_seconds()))
        return response

    return require_http_methods(["GET", "HEAD", "POST"])(shown)


def _is_locked(form: Any) -> bool:
    return form is not None and any(
        error.code == LOCKED for errors in form.errors.as_data().values() for error in errors
    )


class Login(LoginView):
    """The way in. Who is in, but not staff, is told so and not sent round in circles."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.is_staff:
            raise PermissionDenied
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response


class ChangePassword(PasswordChangeView):
    """A new password ends all other sessions of its owner, and gives this one a new key."""

    form_class = OwnPasswordForm
    template_name = "registration/password_change_form.html"
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response = super().form_valid(form)
            user = member(self.request)
            AuditLine.objects.note(AuditLine.Kind.PASSWORD, user, user)
            StaffSession.objects.end(user, user, keep=self.request.session.session_key)
        messages.success(self.request, _("Your password is changed. Other sessions have ended."))
        return response


def member(request: HttpRequest) -> User:
    """The member of staff who asks; the views of this module let nobody else through."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def account(request: HttpRequest) -> HttpResponse:
    """Password, second factors and open sessions of whoever asks; a POST ends sessions."""
    user = member(request)
    here = request.session.session_key
    if request.method == "POST":
        _end(request, user, request.POST.get("session", ""))
        return HttpResponseRedirect(resolve_url("mfa_index"), status=303)
    factors = Authenticator.objects.filter(user=user).order_by("created_at")
    context = {
        "apps": [row for row in factors if row.type == Authenticator.Type.TOTP],
        "passkeys": [row for row in factors if row.type == Authenticator.Type.WEBAUTHN],
        "codes": [row for row in factors if row.type == Authenticator.Type.RECOVERY_CODES],
        "sessions": StaffSession.objects.of(user)[:100],
        "this": hashed(here),
        "required": settings.MFA_REQUIRED,
        "idle_hours": settings.STAFF_IDLE_HOURS,
        "hours": settings.STAFF_HOURS,
    }
    return TemplateResponse(request, "account/account.html", context)


def _end(request: HttpRequest, user: User, which: str) -> None:
    here = request.session.session_key
    if which == "others":
        count = StaffSession.objects.end(user, user, keep=here)
    elif which == hashed(here):
        messages.error(request, _("This is the session you are in: log out to end it."))
        return
    else:
        count = StaffSession.objects.end_one(user, which, user)
    said = ngettext("One session has ended.", "%(n)d sessions have ended.", count)
    messages.success(request, said % {"n": count} if count else _("No other session was open."))


TITLES = {
    "login": gettext_lazy("Log in"),
    "second": gettext_lazy("Your second factor"),
    "again": gettext_lazy("Is it you?"),
    "account": gettext_lazy("Your account"),
    "app": gettext_lazy("Add an app"),
    "app_off": gettext_lazy("Remove the app"),
    "codes": gettext_lazy("Recovery codes"),
    "codes_new": gettext_lazy("Make new recovery codes"),
    "passkey": gettext_lazy("Add a passkey"),
    "passkey_off": gettext_lazy("Remove a passkey"),
    "password": gettext_lazy("Change password"),
}
