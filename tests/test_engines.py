"""What search engines and home screens read."""

import json
import re
from typing import Any

from django.conf import settings
from django.test import override_settings

from tests.base import CastTestCase
from troubleshooter.models import Edition, Step


class LinkedDataTests(CastTestCase):
    def graph(self) -> list[dict[str, Any]]:
        html = self.client.get("/g/printer-offline/").content.decode()
        found = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.S)
        assert found
        graph: list[dict[str, Any]] = json.loads(found[1])["@graph"]
        return graph

    def test_each_fix_is_a_how_to_with_its_steps(self) -> None:
        graph = self.graph()
        self.assertEqual({node["@type"] for node in graph}, {"HowTo"})
        self.assertEqual(
            [node["name"] for node in graph],
            ["Check the cable", "Restart the computer", "Update the driver", "Reset the printer"],
        )
        driver = graph[2]
        self.assertEqual(driver["totalTime"], "PT10M")
        self.assertEqual(driver["url"], f"{settings.SITE_URL}/g/printer-offline/#driver")
        self.assertEqual(
            [(step["position"], step["text"]) for step in driver["step"]],
            [(1, "Open Settings."), (2, "Press Update."), (3, "Open System Settings.")],
        )

    def test_markup_becomes_words_and_cannot_end_the_script(self) -> None:
        Step.objects.filter(key="cable1").update(text="**Look** at `</script><b>` & “it”")
        Edition.objects.publish(self.guide, by=None)
        self.assertEqual(self.graph()[0]["step"][0]["text"], "Look at </script><b> & “it”")


class CardTests(CastTestCase):
    def test_public_pages_name_their_one_address(self) -> None:
        for url in ("/", "/g/printer-offline/"):
            response = self.client.get(url, {"utm_source": "x"})
            self.assertContains(
                response, f'<link rel="canonical" href="{settings.SITE_URL}{url}">', html=True
            )

    def test_session_pages_have_no_card(self) -> None:
        response = self.client.get(f"{self.start().url}cable/")
        self.assertNotContains(response, "canonical")
        self.assertNotContains(response, "og:")


class SitemapTests(CastTestCase):
    @override_settings(ALLOWED_HOSTS=["elsewhere.example"])
    def test_it_lists_live_guides_under_our_own_address(self) -> None:
        response = self.client.get("/sitemap.xml", headers={"Host": "elsewhere.example"})
        self.assertContains(response, f"<loc>{settings.SITE_URL}/g/printer-offline/</loc>")
        self.assertNotContains(response, "elsewhere")

    def test_the_sitemap_can_be_compressed(self) -> None:
        self.assertIn("Accept-Encoding", self.client.get("/sitemap.xml")["Vary"])

    def test_a_guide_that_is_not_live_is_not_listed(self) -> None:
        Edition.objects.unpublish(self.guide)
        self.assertNotContains(self.client.get("/sitemap.xml"), "printer-offline")

    def test_its_queries_do_not_grow_with_guides(self) -> None:
        with self.assertStatements(2):
            self.client.get("/sitemap.xml")

    def test_robots_keep_out_of_sessions(self) -> None:
        response = self.client.get("/robots.txt")
        self.assertContains(response, "Disallow: /s/")
        self.assertContains(response, f"Sitemap: {settings.SITE_URL}/sitemap.xml")


class ManifestTests(CastTestCase):
    def test_it_names_icons_that_are_there(self) -> None:
        response = self.client.get("/manifest.webmanifest")
        self.assertEqual(response["Content-Type"], "application/manifest+json")
        for icon in json.loads(response.content)["icons"]:
            name = icon["src"].removeprefix(settings.STATIC_URL)
            self.assertTrue((settings.BASE_DIR / "static" / name).exists(), name)
