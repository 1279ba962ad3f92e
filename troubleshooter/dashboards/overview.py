"""All guides in one table."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from troubleshooter import analytics, exports
from troubleshooter.analytics import Endings
from troubleshooter.exports import Table

from .base import may_see_numbers, no_such_file, page_of, simulated
from .tables import GUIDE_COLUMNS, guide_cells


@may_see_numbers
def numbers(request: HttpRequest) -> HttpResponse:
    """Every guide with sessions or a live edition, and how its sessions ended."""
    guides = analytics.guides(timezone.now(), simulated=simulated(request))
    together = sum((guide.endings for guide in guides), Endings())
    return page_of(request, "numbers.html", _("Numbers"), guides=guides, together=together)


@may_see_numbers
def export_guides(request: HttpRequest, form: str) -> HttpResponseBase:
    """The table of all guides as a file."""
    if form not in exports.FORMS:
        return no_such_file(request)
    guides = analytics.guides(timezone.now(), simulated=simulated(request))
    rows = (guide_cells(guide) for guide in guides)
    return exports.download(Table("guides", GUIDE_COLUMNS, rows), form)
