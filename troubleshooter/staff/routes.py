"""The routes below /admin/ that are not the admin's own: the way in, and “Your account”.

Of allauth's pages these are all there are. They stand before the admin's, and so /admin/login/
and /admin/password_change/ are ours.
"""

from allauth.account import views as account_views
from allauth.mfa.base import views as factor_views
from allauth.mfa.recovery_codes import views as code_views
from allauth.mfa.totp import views as app_views
from allauth.mfa.webauthn import views as passkey_views
from django.contrib.auth.decorators import login_required
from django.urls import path
from django.views.decorators.http import require_POST
from django.views.generic import RedirectView

from . import heard, views
from .views import TITLES, View, framed

__all__ = ["heard", "urlpatterns"]  # whoever is heard must be imported


def _inside(view: View, title: str) -> View:
    return login_required(framed(view, TITLES[title]))


urlpatterns = [
    # /admin/login/
    path("login/", framed(views.Login.as_view(), TITLES["login"]), name="account_login"),
    path(
        "login/second/",
        framed(factor_views.authenticate, TITLES["second"]),
        name="mfa_authenticate",
    ),
    path("login/cancel/", require_POST(account_views.logout), name="account_logout"),
    # /admin/password_change/
    path(
        "password_change/",
        _inside(views.ChangePassword.as_view(), "password"),
        name="staff_password",
    ),
    # /admin/account/
    path("account/", _inside(views.account, "account"), name="mfa_index"),
    path(
        "account/again/",
        _inside(account_views.reauthenticate, "again"),
        name="account_reauthenticate",
    ),
    path(
        "account/again/code/",
        _inside(factor_views.reauthenticate, "again"),
        name="mfa_reauthenticate",
    ),
    path(
        "account/again/passkey/",
        _inside(passkey_views.reauthenticate_webauthn, "again"),
        name="mfa_reauthenticate_webauthn",
    ),
    path("account/app/", _inside(app_views.activate_totp, "app"), name="mfa_activate_totp"),
    path(
        "account/app/remove/",
        _inside(app_views.deactivate_totp, "app_off"),
        name="mfa_deactivate_totp",
    ),
    path(
        "account/codes/",
        _inside(code_views.view_recovery_codes, "codes"),
        name="mfa_view_recovery_codes",
    ),
    path(
        "account/codes/new/",
        _inside(code_views.generate_recovery_codes, "codes_new"),
        name="mfa_generate_recovery_codes",
    ),
    # allauth goes to a list of passkeys when one was removed: ours is part of the account.
    path(
        "account/passkeys/",
        login_required(RedirectView.as_view(pattern_name="mfa_index")),
        name="mfa_list_webauthn",
    ),
    path(
        "account/passkeys/add/",
        _inside(passkey_views.add_webauthn, "passkey"),
        name="mfa_add_webauthn",
    ),
    path(
        "account/passkeys/<int:pk>/remove/",
        _inside(passkey_views.remove_webauthn, "passkey_off"),
        name="mfa_remove_webauthn",
    ),
]
