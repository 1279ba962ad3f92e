"""The gate before all that is for staff: without a second factor, where one is needed, no way in.

Pages for visitors are only asked whether they are read or posted to: they know no session.
"""

from collections.abc import Callable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from troubleshooter.web import for_staff

# What somebody without a second factor may open: the way to one, and the way out.
OPEN = frozenset(
    {
        "account_login",
        "account_logout",
        "account_reauthenticate",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_authenticate",
        "mfa_index",
        "admin:logout",
    }
)
# The admin would take any other for a GET, and a page that only reads would ask for a token first.
METHODS = ("GET", "HEAD", "POST")


class SecondFactor:
    """Lead staff without a second factor to where they add one, when settings ask for one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not settings.MFA_REQUIRED or not for_staff(request.path_info):
            return None
        match = request.resolver_match
        if match is not None and match.view_name in OPEN:
            return None
        if not request.user.is_authenticated or is_mfa_enabled(request.user):
            return None
        messages.warning(request, _("Add a second factor first: this help desk needs one."))
        return HttpResponseRedirect(reverse("mfa_index"))
