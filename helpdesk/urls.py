"""Staff have /admin/, the numbers and /status/; everything else belongs to visitors.

All routes there are. A request of a visitor knows those of `troubleshooter.urls` alone
(`staff.gate.Visitors`), so a process that meets no staff never loads what only staff need.
"""

from django.contrib import admin
from django.urls import include, path

from troubleshooter.urls import handler403, handler404, handler500

__all__ = ["handler403", "handler404", "handler500", "urlpatterns"]

admin.autodiscover()

urlpatterns = [
    path("", include("troubleshooter.urls")),
    path("", include("troubleshooter.dashboards.routes")),
    path("admin/", include("troubleshooter.staff.routes")),
    path("admin/", admin.site.urls),
]
