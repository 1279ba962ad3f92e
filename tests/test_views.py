"""Visitors' pages, walked as a browser walks them: plain, and as htmx sends them."""

import gzip
import re
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import brotli
import segno
from django.conf import settings
from django.core.cache import cache
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from tests.base import CastTestCase, walk
from troubleshooter.flow import Status
from troubleshooter.handover import GUESSES
from troubleshooter.models import Attempt, Edition, Guide, HandOver, Picture, Session
from troubleshooter.models.handovers import MOST_IN_WINDOW

Form = dict[str, Any]


class VisitorTestCase(CastTestCase):
    def setUp(self) -> None:
        cache.clear()

    def begin(self, symptom: str = "unknown") -> Session:
        response = self.client.post("/g/printer-offline/start/", {"symptom": symptom})
        self.assertEqual(response.status_code, 303)
        return Session.objects.latest("id")

    def form(self, url: str) -> Form:
        """The hidden fields of the form on a fix's page."""
        html = self.client.get(url).content.decode()
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))

    def answer(self, url: str, htmx: bool = False, **fields: str) -> Any:
        """Post the form of the page as a browser does."""
        headers = {"HX-Request": "true"} if htmx else {}
        said = urlencode(self.form(url) | fields)
        kind = "application/x-www-form-urlencoded"
        return self.client.post(url, said, content_type=kind, headers=headers)


class HomeTests(VisitorTestCase):
    def test_it_shows_live_guides_under_their_topics(self) -> None:
        response = self.client.get("/")
        self.assertContains(response, '<h2 id="topic-printer">Printer</h2>', html=True)
        self.assertContains(response, "The printer is offline")
        self.assertContains(response, "Printer Support")

    def test_an_edited_draft_changes_nothing_for_visitors(self) -> None:
        Guide.objects.update(title="Draft title")
        self.assertNotContains(self.client.get("/"), "Draft title")

    def test_without_guides_it_says_so(self) -> None:
        Edition.objects.unpublish(self.guide)
        self.assertContains(self.client.get("/"), "No guide is published yet")

    def test_its_queries_do_not_grow_with_guides(self) -> None:
        with self.assertStatements(2):
            self.client.get("/")


class GuideTests(VisitorTestCase):
    url = "/g/printer-offline/"

    def test_it_works(self) -> None:
        response = self.client.get(self.url)
        for text in ("The printer is offline", "It says offline", "Start", "4 fixes", "#cable"):
            self.assertContains(response, text)

    def test_it_takes_one_query_when_warm(self) -> None:
        self.client.get(self.url)
        with self.assertStatements(1):
            self.client.get(self.url)

    def test_every_fix_can_be_read_and_linked(self) -> None:
        html = self.client.get(self.url).content.decode()
        for key in ("cable", "restart", "driver", "reset"):
            self.assertIn(f'id="{key}"', html)
        self.assertIn("Hold the button for ten seconds.", html)
        self.assertIn("Every setting stored in the printer.", html)

    def test_a_guide_that_never_was_is_not_found(self) -> None:
        self.assertContains(
            self.client.get("/g/no-such-guide/"), "nothing at this address", status_code=404
        )

    def test_how_long_all_fixes_take_leaves_none_out(self) -> None:
        self.assertContains(self.client.get(self.url), "1 to 10 minutes; all of them together")
        self.assertContains(self.client.get(self.url), "together about 20.")

    def test_a_guide_without_a_word_about_a_person_says_how_to_reach_one(self) -> None:
        said = "at every step you can write to our team"
        self.assertNotContains(self.client.get(self.url), said)
        Guide.objects.update(closing="")
        self.guide.contacts.clear()
        Edition.objects.publish(self.guide, by=None)
        self.assertContains(self.client.get(self.url), said)

    def test_an_unpublished_guide_says_so(self) -> None:
        Edition.objects.unpublish(self.guide)
        self.assertContains(self.client.get(self.url), "down for now", status_code=410)

    def test_a_withdrawn_guide_says_why(self) -> None:
        Edition.objects.withdraw(self.guide, "The button can break.")
        self.assertContains(self.client.get(self.url), "The button can break.", status_code=410)


class StartTests(VisitorTestCase):
    url = "/g/printer-offline/start/"

    def test_it_goes_to_the_first_fix(self) -> None:
        session = self.begin("offline")
        self.assertEqual(session.rows[0].fix_key, "restart")
        self.assertContains(self.client.get(f"/s/{session.key}/restart/"), "Restart the computer")

    def test_it_asks_for_a_symptom(self) -> None:
        for symptom in ("", "nonsense", "\x00", "x" * 500):
            response = self.client.post(self.url, {"symptom": symptom})
            self.assertContains(response, "Choose what you see", status_code=422)
        self.assertFalse(Session.objects.exists())

    def test_it_notes_a_coarse_platform_only(self) -> None:
        agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605"
        self.client.post(self.url, {"symptom": "unknown"}, headers={"User-Agent": agent})
        self.assertEqual(Session.objects.get().platform, "ios")

    def test_a_get_starts_nothing_and_leads_to_the_guide(self) -> None:
        """A phone that loads the page of a refused start anew asks so."""
        response = self.client.get(self.url)
        self.assertRedirects(response, "/g/printer-offline/", status_code=303)
        self.assertFalse(Session.objects.exists())

    def test_another_site_cannot_start_one(self) -> None:
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            response = self.client.post(self.url, {"symptom": "unknown"}, headers=headers)
            self.assertContains(response, "another site", status_code=403)
        self.assertFalse(Session.objects.exists())

    @override_settings(START_LIMIT=2)
    def test_too_many_starts_are_told_to_wait(self) -> None:
        self.begin()
        self.begin()
        response = self.client.post(self.url, {"symptom": "unknown"})
        self.assertContains(response, "Wait a minute", status_code=429)
        self.assertEqual(response["Retry-After"], "60")
        self.assertEqual(Session.objects.count(), 2)

    def test_start_again_inherits_the_arm(self) -> None:
        Guide.objects.update(control_share=10)
        first = self.begin()
        Session.objects.update(arm=Session.Arm.LEARNED, arm_probability=0.8)
        Guide.objects.update(control_share=20)
        self.client.post(self.url, {"symptom": "unknown", "again": first.key})
        second = Session.objects.latest("id")
        self.assertNotEqual(second.pk, first.pk)
        self.assertEqual((second.arm, second.arm_probability), (Session.Arm.LEARNED, 0.8))

    def test_start_again_with_a_rubbish_key_is_a_plain_start(self) -> None:
        self.client.post(self.url, {"symptom": "unknown", "again": "rubbish"})
        self.assertEqual(Session.objects.get().status, "open")

    def test_a_guide_taken_down_meanwhile_says_so(self) -> None:
        Edition.objects.unpublish(self.guide)
        response = self.client.post(self.url, {"symptom": "unknown"})
        self.assertContains(response, "down for now", status_code=410)


class FixTests(VisitorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.session = self.start()
        self.url = self.session.url

    def fix_url(self, fix: str) -> str:
        return f"{self.url}{fix}/"

    def rows(self) -> list[tuple[int, str, str | None]]:
        return list(Attempt.objects.order_by("seq").values_list("seq", "fix_key", "outcome"))

    def test_the_session_leads_to_what_is_next(self) -> None:
        self.assertRedirects(self.client.get(self.url), self.fix_url("cable"), 303)

    def test_a_plain_answer_is_redirected_to_the_next_fix(self) -> None:
        response = self.answer(self.fix_url("cable"), outcome="not_fixed")
        self.assertRedirects(response, self.fix_url("restart"), 303)

    def test_an_htmx_answer_gets_the_fragment_and_the_address(self) -> None:
        response = self.answer(self.fix_url("cable"), htmx=True, outcome="not_fixed")
        self.assertEqual(response["HX-Push-Url"], self.fix_url("restart"))
        self.assertContains(response, "<title>Restart the computer")
        self.assertNotContains(response, "<html")

    def test_a_get_by_htmx_is_a_whole_page(self) -> None:
        headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
        self.assertContains(self.client.get(self.fix_url("cable"), headers=headers), "<html")

    def test_a_skip_needs_only_its_reason(self) -> None:
        self.answer(self.fix_url("cable"), reason="cant_find")
        row = Attempt.objects.get(seq=1)
        self.assertEqual((row.outcome, row.reason), ("skipped", "cant_find"))

    def test_an_answer_takes_four_statements(self) -> None:
        form = self.form(self.fix_url("cable")) | {"outcome": "not_fixed"}
        with self.assertStatements(4):
            self.client.post(self.fix_url("cable"), form, headers={"HX-Request": "true"})

    def test_reading_a_fix_takes_one_query(self) -> None:
        with self.assertStatements(1):
            self.client.get(self.fix_url("cable"))

    def test_a_fix_not_reached_yet_leads_to_where_the_session_is(self) -> None:
        for key in ("driver", "nonsense"):
            self.assertRedirects(self.client.get(self.fix_url(key)), self.fix_url("cable"), 303)

    def test_rubbish_is_told_and_saves_nothing(self) -> None:
        cases: list[Form] = [
            {},
            {"seq": "1"},
            {"seq": "1", "outcome": "great"},
            {"seq": "one", "outcome": "fixed"},
            {"seq": "²", "outcome": "fixed"},
            {"seq": "99999999999999999999", "outcome": "fixed"},
            {"seq": "2", "outcome": "fixed"},
            {"seq": "1", "reason": "bored"},
        ]
        for form in cases:
            response = self.client.post(self.fix_url("cable"), form)
            self.assertContains(response, "does not fit where you are", status_code=409)
        self.assertEqual(self.rows(), [(1, "cable", None)])

    def test_a_double_click_counts_once(self) -> None:
        form = self.form(self.fix_url("cable")) | {"outcome": "not_fixed"}
        for _click in range(2):
            response = self.client.post(self.fix_url("cable"), form)
            self.assertRedirects(response, self.fix_url("restart"), 303)
        self.assertEqual(self.rows(), [(1, "cable", "not_fixed"), (2, "restart", None)])

    def test_a_contradiction_is_shown_and_asked(self) -> None:
        form = self.form(self.fix_url("cable"))
        self.client.post(self.fix_url("cable"), form | {"outcome": "not_fixed"})
        response = self.client.post(self.fix_url("cable"), form | {"outcome": "fixed"})
        self.assertContains(response, "Which answer holds?", status_code=409)
        self.assertContains(response, "Still broken", status_code=409)
        self.assertContains(response, "It’s fixed", status_code=409)
        asked = dict(re.findall(r'name="(\w+)" value="([^"]*)"', response.content.decode()))
        response = self.client.post(self.fix_url("cable"), asked)
        self.assertRedirects(response, self.fix_url("end"), 303)

    def test_an_earlier_fix_shows_its_answer_and_can_be_changed(self) -> None:
        self.answer(self.fix_url("cable"), outcome="not_fixed")
        self.assertContains(self.client.get(self.fix_url("cable")), "Change your answer")
        response = self.answer(self.fix_url("cable"), outcome="fixed")
        self.assertRedirects(response, self.fix_url("end"), 303)
        self.session.refresh_from_db()
        self.assertEqual(self.session.resolved_by, "cable")

    def test_an_answer_from_another_site_is_refused(self) -> None:
        headers = {"Sec-Fetch-Site": "cross-site"}
        response = self.client.post(
            self.fix_url("cable"), {"seq": "1", "outcome": "fixed"}, headers=headers
        )
        self.assertEqual(response.status_code, 403)
        self.assertEqual(self.rows(), [(1, "cable", None)])

    def test_a_fix_that_closes_the_page_gives_the_link_first(self) -> None:
        walk(self.session, "not_fixed")
        html = self.client.get(self.fix_url("restart")).content.decode()
        link = html.index("First keep this link")
        self.assertLess(link, html.index("Choose Restart."))
        self.assertIn(f'value="{settings.SITE_URL}{self.url}"', html)

    def test_a_fix_that_means_waiting_offers_to_look_again(self) -> None:
        walk(self.session, "not_fixed", "not_fixed")
        self.assertContains(self.client.get(self.fix_url("driver")), "look again later")

    def test_a_data_losing_fix_hides_its_steps_until_agreed(self) -> None:
        walk(self.session, "not_fixed", "not_fixed", "not_fixed")
        url = self.fix_url("reset")
        self.assertNotContains(self.client.get(url), "Hold the button")
        self.assertContains(self.client.get(url), "Every setting stored in the printer.")
        self.assertContains(self.client.get(url, {"agree": "yes"}), "Hold the button")

    def test_a_data_losing_fix_takes_no_answer_without_the_yes(self) -> None:
        walk(self.session, "not_fixed", "not_fixed", "not_fixed")
        response = self.client.post(self.fix_url("reset"), {"seq": "4", "outcome": "fixed"})
        self.assertRedirects(response, self.fix_url("reset"), 303)
        self.assertIsNone(Attempt.objects.get(seq=4).outcome)
        self.client.post(self.fix_url("reset"), {"seq": "4", "outcome": "fixed", "agree": "yes"})
        self.assertEqual(Attempt.objects.get(seq=4).outcome, "fixed")

    def test_a_skipped_fix_comes_once_more(self) -> None:
        walk(self.session, "no_time", "not_fixed", "not_fixed")
        self.assertRedirects(self.client.get(self.url), self.fix_url("cable"), 303)
        again = self.client.get(self.fix_url("cable"))
        self.assertContains(again, "You skipped this one before")
        self.assertNotContains(again, "another chance")

    def test_who_skips_is_told_of_another_chance(self) -> None:
        self.assertContains(self.client.get(self.fix_url("cable")), "another chance")


class EndTests(VisitorTestCase):
    def test_an_open_session_has_no_end_yet(self) -> None:
        session = self.start()
        url = session.url
        self.assertRedirects(self.client.get(f"{url}end/"), f"{url}cable/", 303)

    def test_resolved_says_thanks_and_how_it_stays_fixed(self) -> None:
        session = walk(self.start(), "not_fixed", "fixed")
        response = self.client.get(f"{session.url}end/")
        self.assertContains(response, "“Restart the computer” fixed it")
        self.assertContains(response, "Leave the printer switched on.")
        self.assertContains(response, "Start again")

    def test_exhausted_is_no_dead_end(self) -> None:
        session = walk(self.start(), *["not_fixed"] * 4)
        response = self.client.get(f"{session.url}end/")
        for text in ("Printer Support", "Tell support", "1. Check the cable: Still broken"):
            self.assertContains(response, text)

    def test_a_person_can_be_asked_for_on_the_way(self) -> None:
        session = walk(self.start(), "not_fixed")
        url = session.url
        self.assertContains(self.client.get(f"{url}restart/"), f'href="{url}person/"')
        self.assertContains(self.client.get(f"{url}person/"), "Printer Support")
        session.refresh_from_db()
        self.assertEqual(session.status, Status.OPEN)

    def test_a_withdrawn_guide_interrupts_and_keeps_the_answer(self) -> None:
        session = self.start()
        Edition.objects.withdraw(self.guide, "The button can break.")
        url = session.url
        self.assertRedirects(self.client.get(f"{url}cable/"), f"{url}end/", 303)
        response = self.client.post(f"{url}cable/", {"seq": "1", "outcome": "not_fixed"})
        self.assertRedirects(response, f"{url}end/", 303)
        page = self.client.get(f"{url}end/")
        self.assertContains(page, "The button can break.")
        self.assertContains(page, "Check the cable: Still broken")
        self.assertNotContains(page, "Choose Restart.")
        self.assertEqual(Attempt.objects.count(), 1)


class LinkTests(VisitorTestCase):
    def test_a_forged_key_is_not_found(self) -> None:
        session = self.start()
        forged = session.key[:-1] + ("A" if session.key[-1] != "A" else "B")
        for path in ("", "cable/", "end/", "person/"):
            response = self.client.get(f"/s/{forged}/{path}")
            self.assertEqual(response.status_code, 404)

    def test_an_old_link_has_ended(self) -> None:
        session = self.start()
        Session.objects.update(last_answer_at=timezone.now() - timedelta(days=31))
        url = session.url
        for response in (
            self.client.get(url),
            self.client.get(f"{url}cable/"),
            self.client.post(f"{url}cable/", {"seq": "1", "outcome": "fixed"}),
        ):
            self.assertContains(response, "This link has ended", status_code=410)
        self.assertIsNone(Attempt.objects.get().outcome)

    def test_a_purged_session_has_ended(self) -> None:
        session = self.start()
        url = session.url
        Session.objects.all().delete()
        self.assertContains(self.client.get(url), "This link has ended", status_code=410)

    def test_session_pages_are_kept_by_nobody(self) -> None:
        url = self.start().url
        for path in ("", "cable/", "end/", "person/"):
            response = self.client.get(f"{url}{path}")
            self.assertEqual(response["Cache-Control"], "no-store")
            self.assertEqual(response["X-Robots-Tag"], "noindex")


@override_settings(SITE_URL="https://help.example.org", REACHABLE=True)
class ElsewhereTests(VisitorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.session = self.start()

    def code(self) -> str:
        """What the page says after “Show a code”."""
        html = self.client.post(f"{self.session.url}code/").content.decode()
        found = re.search(r"<span>(\w{4})</span> <span>(\w{4})</span>", html)
        assert found, html
        return " ".join(found.groups())

    def type_code(self, code: str, **headers: str) -> Any:
        return self.client.post("/go/", {"code": code}, headers=headers)

    def test_a_fix_offers_to_go_on_elsewhere(self) -> None:
        response = self.client.get(f"{self.session.url}cable/")
        self.assertContains(response, "Go on on another device")
        self.assertContains(response, f'src="{self.session.url}qr.svg" alt="QR code of your link"')
        self.assertContains(response, f'action="{self.session.url}code/"')
        self.assertContains(self.client.get("/"), 'href="/go/"')

    @override_settings(REACHABLE=False)
    def test_what_no_other_device_could_open_is_not_offered(self) -> None:
        self.assertNotContains(self.client.get(f"{self.session.url}cable/"), "another device</h2>")
        self.assertNotContains(self.client.get("/"), "/go/")

    def test_the_qr_code_is_that_of_the_link(self) -> None:
        response = self.client.get(f"{self.session.url}qr.svg")
        self.assertEqual(response["Content-Type"], "image/svg+xml")
        self.assertEqual(response["Cache-Control"], "no-store")
        self.assertEqual(response["X-Robots-Tag"], "noindex")
        self.assertEqual(response["Content-Security-Policy"], "default-src 'none'; sandbox")
        drawn = BytesIO()
        link = segno.make_qr(f"https://help.example.org{self.session.url}")
        link.save(drawn, kind="svg", dark="#000", light="#fff", omitsize=True)
        self.assertEqual(response.content, drawn.getvalue())

    def test_the_qr_code_brings_no_style_or_script_and_a_white_margin(self) -> None:
        svg = self.client.get(f"{self.session.url}qr.svg").content.decode()
        self.assertFalse(re.search("style|<script|href", svg))
        found = re.search(r'viewBox="0 0 (\d+) \1"', svg)
        assert found
        self.assertIn(f'<path fill="#fff" d="M0 0h{found[1]}v{found[1]}h-{found[1]}z"/>', svg)
        self.assertIn('d="M4 4.5h7', svg)  # the first module stands four modules in

    def test_a_forged_key_gets_no_qr_code_and_no_code(self) -> None:
        forged = self.session.url[:-2] + ("A/" if self.session.url[-2] != "A" else "B/")
        self.assertEqual(self.client.get(f"{forged}qr.svg").status_code, 404)
        self.assertEqual(self.client.post(f"{forged}code/").status_code, 404)
        self.assertFalse(HandOver.objects.exists())

    def test_a_code_leads_to_where_the_session_is(self) -> None:
        code = self.code()
        walk(self.session, "not_fixed")
        response = self.type_code(code.upper())
        self.assertEqual((response.status_code, response["Location"]), (303, self.session.url))
        self.assertEqual(response["Cache-Control"], "no-store")
        page = self.client.get(response["Location"], follow=True)
        self.assertContains(page, "Restart the computer")

    def test_its_page_says_where_to_type_it_and_for_how_long(self) -> None:
        response = self.client.post(f"{self.session.url}code/")
        self.assertContains(response, "<strong>https://help.example.org/go/</strong>")
        self.assertContains(response, "works once, within the next ten minutes")
        self.assertEqual(response["Cache-Control"], "no-store")

    def test_only_a_post_makes_a_code(self) -> None:
        response = self.client.get(f"{self.session.url}code/")
        self.assertEqual((response.status_code, response["Location"]), (303, self.session.url))
        self.assertFalse(HandOver.objects.exists())

    def test_a_wrong_or_used_code_is_told_and_can_be_mended(self) -> None:
        used = self.code()
        self.type_code(used)
        for code in ("", "bcdf ghjk", used, "\x00", "<b>", "9" * 500):
            response = self.type_code(code)
            self.assertContains(response, "does not open anything", status_code=422)
            self.assertContains(response, 'aria-invalid="true"', status_code=422)
        self.assertContains(self.type_code('"><i>'), "&quot;&gt;&lt;i&gt;", status_code=422)

    def test_who_guesses_is_told_to_wait(self) -> None:
        code = self.code()
        for _guess in range(GUESSES):
            self.assertEqual(self.type_code("bcdf ghjk").status_code, 422)
        response = self.type_code(code)
        self.assertContains(response, "Wait a minute", status_code=429)
        self.assertEqual(response["Retry-After"], "60")
        self.assertIsNone(HandOver.objects.get().used_at)
        cache.clear()  # a minute later
        self.assertEqual(self.type_code(code).status_code, 303)

    def test_too_many_codes_are_refused_with_the_way_back(self) -> None:
        for _time in range(MOST_IN_WINDOW):
            self.code()
        response = self.client.post(f"{self.session.url}code/")
        self.assertContains(response, "That was a lot of codes", status_code=429)
        self.assertContains(response, f'href="{self.session.url}"', status_code=429)

    def test_another_site_can_neither_make_nor_type_one(self) -> None:
        evil = {"Sec-Fetch-Site": "cross-site"}
        response = self.client.post(f"{self.session.url}code/", headers=evil)
        self.assertEqual(response.status_code, 403)
        self.assertFalse(HandOver.objects.exists())
        response = self.type_code(self.code(), **evil)
        self.assertContains(response, "came from another site", status_code=403)
        self.assertIsNone(HandOver.objects.get().used_at)

    def test_the_page_to_type_it_on_is_not_found_by_search_engines(self) -> None:
        response = self.client.get("/go/")
        self.assertContains(response, '<label for="code">')
        self.assertEqual(response["X-Robots-Tag"], "noindex")

    def test_an_answer_still_weighs_at_most_4_kilobytes(self) -> None:
        response = self.answer(f"{self.session.url}cable/", htmx=True, outcome="not_fixed")
        self.assertContains(response, "Go on on another device")
        self.assertLess(len(gzip.compress(response.content, 6)), 4_000)


class PictureTests(VisitorTestCase):
    def test_it_is_served_for_ever_and_without_rights(self) -> None:
        Picture.objects.create(
            sha256="a" * 64, kind="svg", content=b"<svg/>", width=1, height=1, name="x", alt="x"
        )
        response = self.client.get(f"/p/{'a' * 64}.svg")
        self.assertEqual((response.content, response["Content-Type"]), (b"<svg/>", "image/svg+xml"))
        self.assertIn("immutable", response["Cache-Control"])
        self.assertIn("sandbox", response["Content-Security-Policy"])

    def test_the_wrong_ending_is_not_found(self) -> None:
        self.assertEqual(self.client.get(f"/p/{'a' * 64}.html").status_code, 404)


class WireTests(VisitorTestCase):
    """What goes over the wire, compressed as the server compresses it."""

    def page(self, response: Any) -> int:
        return len(gzip.compress(response.content, 6))

    def test_a_first_page_weighs_at_most_30_kilobytes(self) -> None:
        page = self.page(self.client.get("/g/printer-offline/"))
        files = ["css/site.css", "js/htmx-4.0.1.min.js", "js/site.js"]
        static = sum(
            len(brotli.compress((settings.BASE_DIR / "static" / name).read_bytes()))
            for name in files
        )
        self.assertLess(page + static, 30_000)

    def test_an_answer_weighs_at_most_4_kilobytes(self) -> None:
        session = walk(self.start(), "not_fixed")
        url = reverse("session_fix", args=[session.key, "restart"])
        response = self.answer(url, htmx=True, outcome="not_fixed")
        self.assertLess(self.page(response), 4_000)
