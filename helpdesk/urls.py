"""Staff have /admin/, the numbers and /status/; everything else belongs to visitors."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("troubleshooter.urls")),
    path("admin/", include("troubleshooter.staff.routes")),
    path("admin/", admin.site.urls),
]

handler403 = "troubleshooter.views.forbidden"
handler404 = "troubleshooter.views.not_found"
handler500 = "troubleshooter.views.broken"
