"""What visitors and machines may ask, grouped by path: it reads as the site map.

Staff have further routes: `dashboards/routes.py` and `staff/routes.py`.
"""

from django.contrib.sitemaps.views import sitemap
from django.urls import include, path, register_converter
from django.urls.converters import StringConverter
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from . import asking, following, handover, probes, views, walking
from .engines import GuideSitemap


class SessionKey(StringConverter):
    """A session's key: its public id and its signature."""

    regex = "[A-Za-z0-9_-]{38}"


class EscalationKey(StringConverter):
    """An escalation's key: its reference and its signature."""

    regex = "[0-9]{9}[A-Za-z0-9_-]{22}"


class Sha256(StringConverter):
    regex = "[0-9a-f]{64}"


class FixKey(StringConverter):
    """A fix's key; what else a session's address may end with is none."""

    regex = "(?!(?:end|person|still|code)/)[A-Za-z0-9_-]+"


register_converter(SessionKey, "key")
register_converter(FixKey, "fix")
register_converter(EscalationKey, "escalation")
register_converter(Sha256, "sha256")

of_session = [
    path("", walking.session, name="session"),
    path("end/", walking.end, name="session_end"),
    path("person/", walking.in_session(asking.person), name="session_person"),
    path("still/", walking.in_session(following.still), name="session_still"),
    path("qr.svg", walking.in_session(handover.qr), name="session_qr"),
    path("code/", walking.in_session(handover.code), name="session_code"),
]

urlpatterns = [
    # /s/<key>/<fix-key>/, first and by itself: most of what is asked is an answer
    path("s/<key:key>/<fix:fix_key>/", walking.fix, name="session_fix"),
    # /s/<key>/
    path("s/<key:key>/", include(of_session)),
    # /g/<slug>/
    path("g/<slug:slug>/", views.guide, name="guide"),
    path("g/<slug:slug>/start/", views.start, name="start"),
    # /e/<key>/
    path("e/<escalation:key>/", asking.escalation, name="escalation"),
    # /f/<key>/: as long as a session's key, and no other door opens by it
    path("f/<key:key>/", following.follow_up, name="follow_up"),
    # /go/
    path("go/", handover.go, name="go"),
    # /p/<sha256>.<kind>
    path("p/<sha256:sha256>.<slug:kind>", views.picture, name="picture"),
    # /healthz /readyz /metrics, answered by probes.Probes; /status/
    path("healthz", probes.healthz, name="healthz"),
    path("readyz", probes.readyz, name="readyz"),
    path("metrics", probes.prometheus, name="metrics"),
    path("status/", probes.status, name="status"),
    # /robots.txt /sitemap.xml /manifest.webmanifest
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("robots.txt", views.robots_txt, name="robots"),
    path(
        "sitemap.xml",
        gzip_page(require_safe(sitemap)),
        {"sitemaps": {"guides": GuideSitemap}},
        name="sitemap",
    ),
    # /
    path("", views.home, name="home"),
]

handler403 = "troubleshooter.views.forbidden"
handler404 = "troubleshooter.views.not_found"
handler500 = "troubleshooter.views.broken"
