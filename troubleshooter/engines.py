"""What search engines read: each fix as a schema.org HowTo, the sitemap, robots.txt."""

import json
from collections.abc import Collection
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from troubleshooter import markup
from troubleshooter.models import Edition, EditionQuerySet, Reading, ReadingFix

# What would end the script element or start a comment in it, as JSON may write it, too.
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}

ROBOTS = """\
User-agent: *
Disallow: /s/
Disallow: /e/
Disallow: /f/
Disallow: /admin/
Disallow: /numbers/
Disallow: /fix-numbers/
Disallow: /escalation-numbers/
Sitemap: {sitemap}
"""


def linked_data(reading: Reading, url: str, without: Collection[str] = ()) -> SafeString:
    """The guide's fixes as JSON-LD, for a script element of type application/ld+json.

    Those in `without` are left out: the page does not explain them either.

    A guide is no HowTo: that would mean to do all its fixes. Each fix is one, with its steps.
    Source: https://schema.org/HowTo
    """
    graph = {
        "@context": "https://schema.org",
        "@graph": [
            _how_to(fix, reading.language, url) for fix in reading.fixes if fix.key not in without
        ],
    }
    text = json.dumps(graph, ensure_ascii=False).translate(_ESCAPES)
    return mark_safe(text)  # noqa: S308 (escaped in the line above)


def _how_to(fix: ReadingFix, language: str, url: str) -> dict[str, object]:
    steps = [step for group in fix.groups for step in group.steps]
    return {
        "@type": "HowTo",
        "name": fix.title,
        "description": markup.plain(fix.why),
        "inLanguage": language,
        "url": f"{url}#{fix.key}",
        "totalTime": f"PT{fix.minutes}M",
        "step": [
            {"@type": "HowToStep", "position": position, "text": markup.plain(step.html)}
            for position, step in enumerate(steps, start=1)
        ],
    }


def robots() -> str:
    return ROBOTS.format(sitemap=settings.SITE_URL + reverse("sitemap"))


class GuideSitemap(Sitemap):  # type: ignore[type-arg]  # at run time it takes none
    """Every live guide, each with its other languages.

    Addresses come from SITE_URL, never from what a request claims.
    """

    limit = 5000
    protocol = urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: object = None) -> str:
        return urlsplit(settings.SITE_URL).netloc

    def items(self) -> EditionQuerySet:
        return Edition.objects.live().light().select_related("guide").order_by("guide__key", "pk")

    def get_urls(self, page: Any = 1, site: Any = None, protocol: str | None = None) -> Any:
        """Each entry names the same guide in every language it is live in, itself included.

        Languages of one guide follow each other, so they are known without another query; only
        at the border between two pages of 5,000 one may be missed.
        Source: https://developers.google.com/search/docs/specialty/international/localized-versions
        """
        urls = super().get_urls(page, site, protocol)
        for _key, group in groupby(urls, key=lambda url: url["item"].guide.key):
            same = list(group)
            named = [
                {"lang_code": url["item"].language, "location": url["location"]} for url in same
            ]
            for url in same:
                url["alternates"] = named if len(named) > 1 else []
        return urls

    def location(self, edition: Edition) -> str:
        return edition.get_absolute_url()

    def lastmod(self, edition: Edition) -> datetime:
        return edition.published_at
