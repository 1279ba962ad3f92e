"""One guide: how its sessions ended, its fixes, its sessions."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from troubleshooter import analytics, exports
from troubleshooter.exports import Table

from .base import may_see_numbers, nearest, no_such_file, no_such_guide, page_of
from .filters import FilterForm
from .tables import (
    ENDING_COLUMNS,
    FIX_COLUMNS,
    SESSION_COLUMNS,
    ending_cells,
    fix_cells,
    in_words,
    session_cells,
)

PER_PAGE = 50


@may_see_numbers
def numbers_guide(request: HttpRequest, guide_key: str) -> HttpResponse:
    """One guide: endings, fixes, and its sessions in pages; the address can filter them."""
    title = analytics.title(guide_key)
    if title is None:
        return no_such_guide(request, guide_key)
    now = timezone.now()
    form = FilterForm(request.GET, choices=analytics.choices(guide_key))
    only = form.filter
    paginator = Paginator(analytics.sessions(guide_key, only), PER_PAGE)
    page = paginator.page(nearest(request.GET.get("page", "1"), paginator.num_pages))
    sessions = [
        {"row": row, "path": [in_words(attempt) for attempt in row.path]}
        for row in analytics.walks(page.object_list, now)
    ]
    return page_of(
        request,
        "numbers_guide.html",
        title,
        guide_key=guide_key,
        form=form,
        ended=analytics.endings(guide_key, now, only),
        fixes=analytics.fixes(guide_key, only),
        page=page,
        sessions=sessions,
        simulated=only.simulated,
    )


@may_see_numbers
def export_guide(request: HttpRequest, guide_key: str, table: str, form: str) -> HttpResponseBase:
    """One table of one guide as a file, filtered as the page is.

    A file cannot say what was left out, so here a filter that cannot be is refused.
    """
    if form not in exports.FORMS or table not in ("endings", "fixes", "sessions"):
        return no_such_file(request)
    if analytics.title(guide_key) is None:
        return no_such_guide(request, guide_key)
    asked = FilterForm(request.GET, choices=analytics.choices(guide_key))
    if not asked.is_valid():
        sentence = " ".join(asked.sentences)
        title = _("This filter cannot be")
        return page_of(request, "_numbers.html", title, status=400, sentence=sentence)
    only, now = asked.filter, timezone.now()
    name = f"{guide_key}-{table}"
    if table == "endings":
        ended = analytics.endings(guide_key, now, only)
        return exports.download(Table(name, ENDING_COLUMNS, ending_cells(ended)), form)
    if table == "fixes":
        fixes = map(fix_cells, analytics.fixes(guide_key, only))
        return exports.download(Table(name, FIX_COLUMNS, fixes), form)
    walks = analytics.all_walks(analytics.sessions(guide_key, only), now)
    rows = (session_cells(walk, form) for walk in walks)
    return exports.download(Table(name, SESSION_COLUMNS, rows), form)
