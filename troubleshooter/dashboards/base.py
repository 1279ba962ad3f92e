"""What every page of numbers shares: who may see it, its frame, and what is not there."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from troubleshooter import analytics
from troubleshooter.analytics import Ending

View = Callable[..., HttpResponseBase]
Row = TypeVar("Row")

ROWS_PER_PAGE = 50


def may_see_numbers(view: View) -> View:
    """Only for staff who may view sessions; others are asked to log in, or told why not."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.has_perm("troubleshooter.view_session"):
            return view(request, *args, **kwargs)
        sentence = _(
            "Your account may not see the numbers. An administrator can give it the permission"
            " to view sessions."
        )
        return page_of(request, "_numbers.html", _("Not allowed"), status=403, sentence=sentence)

    guarded_view: View = require_safe(never_cache(staff_member_required(guarded)))
    return guarded_view


def no_such_guide(request: HttpRequest, guide_key: str) -> HttpResponse:
    sentence = _("There is no guide with the key “%(key)s”.") % {"key": guide_key}
    return page_of(request, "_numbers.html", _("No such guide"), status=404, sentence=sentence)


def no_such_file(request: HttpRequest) -> HttpResponse:
    sentence = _("There is no such file. The links beside the tables lead to those there are.")
    return page_of(request, "_numbers.html", _("No such file"), status=404, sentence=sentence)


def cannot_be(request: HttpRequest, sentences: Sequence[str]) -> HttpResponse:
    """A file cannot say what was left out, so a filter that cannot be is refused there."""
    title, sentence = _("This filter cannot be"), " ".join(sentences)
    return page_of(request, "_numbers.html", title, status=400, sentence=sentence)


def page_of(
    request: HttpRequest, template: str, title: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """A page of the staff desk, with everything the admin's frame needs."""
    shared = {
        **admin.site.each_context(request),
        "is_nav_sidebar_enabled": False,  # the room is for the tables
        "title": title,
        "endings": list(Ending),
        "simulated": simulated(request),
        "idle_minutes": settings.IDLE_MINUTES,
        "counted": analytics.counted(timezone.now()),
    }
    return render(request, f"troubleshooter/{template}", {**shared, **context}, status=status)


def simulated(request: HttpRequest) -> bool:
    """Whether somebody asked to have simulated sessions counted, too: ?simulated=1."""
    return request.GET.get("simulated") == "1"


def page_in(request: HttpRequest, rows: Sequence[Row]) -> Page[Row]:
    """The page of these rows that was asked for."""
    paginator = Paginator(rows, ROWS_PER_PAGE)
    return paginator.page(nearest(request.GET.get("page", "1"), paginator.num_pages))


def nearest(asked: str, last: int) -> int:
    """The number of the page nearest to the one asked for, whatever was asked for."""
    try:
        return min(max(int(asked), 1), last)
    except ValueError:
        return 1
