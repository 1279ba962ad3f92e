"""Staff have /admin/, the numbers and /status/; everything else belongs to visitors."""

from django.contrib import admin
from django.urls import include, path

from troubleshooter.urls import urlpatterns as of_visitors

urlpatterns = [
    *of_visitors,  # not included: each level that a route lies deeper costs every request
    path("admin/", include("troubleshooter.staff.routes")),
    path("admin/", admin.site.urls),
]

handler403 = "troubleshooter.views.forbidden"
handler404 = "troubleshooter.views.not_found"
handler500 = "troubleshooter.views.broken"
