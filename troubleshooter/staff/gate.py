"""The gate before all that is for staff: who they are, and no way in without a second factor.

Pages for visitors do not pass it: they know no login, no cookie and no message, and do not pay
for them.
"""

import gc
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse, set_urlconf
from django.utils.module_loading import import_string
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


Handler = Callable[[HttpRequest], HttpResponse]


class Visitors:
    """Give a request that is not for staff the routes of visitors alone.

    What only staff need is half of all code. It is loaded when the first request for staff finds
    its route, and so never by a process that only visitors ask. Here, before anything can refuse a
    request: what is refused finds its page by the routes, too.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.routes = settings.VISITORS_URLCONF

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not for_staff(f"{request.path_info}/"):  # /admin is led on to /admin/
            request.urlconf = self.routes
            set_urlconf(self.routes)
        return self.get_response(request)


class Staff:
    """Let what is in STAFF_MIDDLEWARE stand before the pages of staff, and before no others.

    Within, each of them works as Django would have it in MIDDLEWARE, with the hooks that it has.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.staff: Any = get_response
        self.within: list[Any] = []
        for path in reversed(settings.STAFF_MIDDLEWARE):
            middleware = import_string(path)(self.staff)
            self.within.insert(0, middleware)
            self.staff = convert_exception_to_response(middleware)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        if for_staff(request.path_info):
            answered: HttpResponse = self.staff(request)
            _settle()
            return answered
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not for_staff(request.path_info):
            return None
        answers = (hook(request, view, args, kwargs) for hook in self._hooks("view"))
        return next(filter(None, answers), None)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not for_staff(request.path_info):
            return None
        hooks = reversed([*self._hooks("exception")])
        return next(filter(None, (hook(request, error) for hook in hooks)), None)

    def _hooks(self, kind: str) -> Iterator[Callable[..., Any]]:
        """The hooks of this kind, the outermost first."""
        for middleware in self.within:
            if hook := getattr(middleware, f"process_{kind}", None):
                yield hook


@cache
def _settle() -> None:
    """By now all that pages of staff need is loaded, and it stays for good.

    So Python need not look through it again and again for what nobody uses any more: tables of
    numbers are made of so many objects that it does so several times for a page.
    """
    gc.collect()
    gc.freeze()


class SecondFactor:
    """Lead staff without a second factor to where they add one, when settings ask for one."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not settings.MFA_REQUIRED:
            return None
        match = request.resolver_match
        if match is not None and match.view_name in OPEN:
            return None
        if not request.user.is_authenticated or is_mfa_enabled(request.user):
            return None
        messages.warning(request, _("Add a second factor first: this help desk needs one."))
        return HttpResponseRedirect(reverse("mfa_index"))
