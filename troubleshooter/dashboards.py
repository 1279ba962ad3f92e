"""The staff's pages of numbers: who may see them, and how analytics is put into words."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from troubleshooter import analytics
from troubleshooter.analytics import AttemptRow, Ending, Endings
from troubleshooter.flow import Outcome

View = Callable[..., HttpResponse]

PER_PAGE = 50

ANSWERS = {
    Outcome.FIXED: gettext_lazy("fixed"),
    Outcome.NOT_FIXED: gettext_lazy("still broken"),
    Outcome.SKIPPED: gettext_lazy("skipped"),
    None: gettext_lazy("no answer"),
}


def _may_see_numbers(view: View) -> View:
    """Only for staff who may view sessions; others are asked to log in, or told why not."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.has_perm("troubleshooter.view_session"):
            return view(request, *args, **kwargs)
        sentence = _(
            "Your account may not see the numbers. An administrator can give it the permission"
            " to view sessions."
        )
        return _page(request, "_numbers.html", _("Not allowed"), status=403, sentence=sentence)

    guarded_view: View = require_safe(never_cache(staff_member_required(guarded)))
    return guarded_view


@_may_see_numbers
def numbers(request: HttpRequest) -> HttpResponse:
    """Every guide with sessions or a live edition, and how its sessions ended."""
    guides = analytics.guides(timezone.now(), simulated=_simulated(request))
    together = sum((guide.endings for guide in guides), Endings())
    return _page(request, "numbers.html", _("Numbers"), guides=guides, together=together)


@_may_see_numbers
def numbers_guide(request: HttpRequest, guide_key: str) -> HttpResponse:
    """One guide in all its languages and editions: endings, fixes, and its sessions in pages."""
    title = analytics.title(guide_key)
    if title is None:
        sentence = _("There is no guide with the key “%(key)s”.") % {"key": guide_key}
        return _page(request, "_numbers.html", _("No such guide"), status=404, sentence=sentence)
    now = timezone.now()
    simulated = _simulated(request)
    paginator = Paginator(analytics.sessions(guide_key, simulated=simulated), PER_PAGE)
    page = paginator.page(_nearest(request.GET.get("page", "1"), paginator.num_pages))
    sessions = [
        {"row": row, "path": [_in_words(attempt) for attempt in row.path]}
        for row in analytics.walks(page.object_list, now)
    ]
    return _page(
        request,
        "numbers_guide.html",
        title,
        ended=analytics.endings(guide_key, now, simulated=simulated),
        fixes=analytics.fixes(guide_key, simulated=simulated),
        page=page,
        sessions=sessions,
    )


def _page(
    request: HttpRequest, template: str, title: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """A page of the staff desk, with everything the admin's frame needs."""
    shared = {
        **admin.site.each_context(request),
        "title": title,
        "endings": list(Ending),
        "simulated": _simulated(request),
        "idle_minutes": int(analytics.IDLE.total_seconds() // 60),
    }
    return render(request, f"troubleshooter/{template}", {**shared, **context}, status=status)


def _simulated(request: HttpRequest) -> bool:
    """Whether somebody asked to have simulated sessions counted, too: ?simulated=1."""
    return request.GET.get("simulated") == "1"


def _nearest(asked: str, last: int) -> int:
    """The number of the page nearest to the one asked for, whatever was asked for."""
    try:
        return min(max(int(asked), 1), last)
    except ValueError:
        return 1


def _in_words(attempt: AttemptRow) -> str:
    """One attempt on a path: “2 Restart the computer (again): fixed”."""
    words = {"fix": attempt.title, "answer": ANSWERS[attempt.outcome], "seq": attempt.seq}
    if attempt.reason:
        words["answer"] = f"{words['answer']} ({attempt.reason.label})"
    if attempt.changed:
        return _("%(seq)d %(fix)s (answer changed): %(answer)s") % words
    if attempt.again:
        return _("%(seq)d %(fix)s (again): %(answer)s") % words
    return _("%(seq)d %(fix)s: %(answer)s") % words
