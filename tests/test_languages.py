"""Which language a page speaks, what it offers, and what a visitor is told of a newer original."""

import re

from django.core.cache import cache
from django.test import RequestFactory, SimpleTestCase

from tests.base import make_staff, walk
from tests.test_translations import TranslationTestCase
from troubleshooter import catalogue
from troubleshooter.languages import wanted
from troubleshooter.models import Change, Edition, Guide, MissedSearch, Session, Translation

ENGLISH, GERMAN = "/g/printer-offline/", "/g/printer-offline-de/"


class WantedTests(SimpleTestCase):
    def test_what_a_browser_asks_for(self) -> None:
        for header, codes in {
            "de-AT,de;q=0.9,en;q=0.8": ["de", "en"],
            "fr, ar;q=0.3, es;q=0.7": ["es", "ar"],
            "DE": ["de"],
            "*": [],
            "": [],
            "tlh": [],
            "de;q=0": [],
            "de;q=rubbish": [],
            "\x00;;;,,,": [],
            "de," * 5000: ["de"],
        }.items():
            request = RequestFactory().get("/", headers={"accept-language": header})
            with self.subTest(header[:40]):
                self.assertEqual(wanted(request), tuple(codes))


class LanguageTestCase(TranslationTestCase):
    def setUp(self) -> None:
        cache.clear()

    def page(self, url: str, asked: str = "") -> str:
        return self.client.get(url, headers={"accept-language": asked}).content.decode()


class GuideTests(LanguageTestCase):
    def test_a_guide_in_one_language_says_nothing_of_others(self) -> None:
        response = self.client.get(ENGLISH, headers={"accept-language": "de"})
        self.assertNotContains(response, "hreflang")
        self.assertNotIn("Accept-Language", response.get("Vary", ""))
        self.assertEqual(response["Content-Language"], "en")

    def test_its_language_is_that_of_the_guide_whoever_asks(self) -> None:
        self.german()
        self.assertIn('<html lang="de" dir="ltr">', self.page(GERMAN, "en"))
        self.assertIn('<html lang="en" dir="ltr">', self.page(ENGLISH, "de"))

    def test_it_links_to_its_other_languages(self) -> None:
        self.german()
        html = self.page(ENGLISH)
        for code, url in (("en", ENGLISH), ("de", GERMAN)):
            link = f'<link rel="alternate" hreflang="{code}" href="http://127.0.0.1:8000{url}">'
            self.assertIn(link, html)
        self.assertIn(f'<a href="{GERMAN}" hreflang="de" lang="de" dir="ltr">Deutsch: Ü The', html)

    def test_a_browser_that_prefers_another_language_is_offered_it(self) -> None:
        self.german()
        html = self.page(ENGLISH, "de-AT,de;q=0.9,en;q=0.5")
        offer = re.search(r'<p class="offer" lang="de" dir="ltr">(.*?)</p>', html)
        assert offer
        self.assertIn("Deutsch", offer[1])
        self.assertIn(f'<a href="{GERMAN}" hreflang="de">Ü The printer is offline</a>', offer[1])

    def test_nothing_is_offered_that_is_not_liked_better(self) -> None:
        self.german()
        for asked in ("", "en", "en,de;q=0.9", "fr", "es,en;q=0.5,de;q=0.1", "*"):
            with self.subTest(asked):
                self.assertNotIn('class="offer"', self.page(ENGLISH, asked))

    def test_a_page_with_an_offer_depends_on_the_browser(self) -> None:
        self.german()
        self.assertIn("Accept-Language", self.client.get(ENGLISH)["Vary"])

    def test_an_arabic_guide_goes_from_right_to_left(self) -> None:
        Guide.objects.filter(pk=self.start_in("ar").guide_id).update(slug="ar")
        guide = Guide.objects.get(language="ar")
        guide.translation.same_on_purpose(guide.translation.untranslated(self.whole(guide)), None)
        Edition.objects.publish(guide, by=None)
        html = self.page("/g/ar/")
        self.assertIn('<html lang="ar" dir="rtl">', html)
        self.assertIn('hreflang="en" lang="en" dir="ltr"', html)
        self.assertIn('hreflang="ar" lang="ar" dir="rtl"', self.page(ENGLISH))

    def test_an_unpublished_language_is_no_language(self) -> None:
        Edition.objects.unpublish(self.german().guide)
        self.assertNotIn("hreflang", self.page(ENGLISH, "de"))

    def test_it_still_takes_one_query_with_translations(self) -> None:
        self.german()
        for url in (ENGLISH, GERMAN):
            self.client.get(url)
            with self.assertStatements(1):
                self.client.get(url)


class NewerTests(LanguageTestCase):
    said = "There is a newer version of this guide in English."

    def fix_page(self) -> str:
        edition = Edition.objects.live().get(language="de")
        session = Session.objects.start(edition, "unknown")
        return self.page(f"{session.url}cable/")

    def test_visitors_of_a_translation_are_told_of_a_major_change(self) -> None:
        self.german()
        self.publish_again(Change.MAJOR, title="B")
        for html in (self.page(GERMAN), self.fix_page()):
            told = re.search(r'<p class="box newer">(.*?)</p>', html)
            assert told
            self.assertIn(f'<a href="{ENGLISH}" hreflang="en" lang="en" dir="ltr">', told[1])

    def test_of_a_minor_one_they_are_not(self) -> None:
        self.german()
        self.publish_again(Change.MINOR, title="B")
        for html in (self.page(GERMAN), self.fix_page()):
            self.assertNotIn('class="box newer"', html)

    def test_the_original_is_never_older_than_itself(self) -> None:
        self.german()
        self.publish_again(Change.MAJOR, title="B")
        self.assertNotIn('class="box newer"', self.page(ENGLISH))

    def test_it_goes_when_the_translation_is_up_to_date(self) -> None:
        translation = self.german()
        translation.up_to_date(self.publish_again(Change.MAJOR, title="B"), by=None)
        for html in (self.page(GERMAN), self.fix_page()):
            self.assertNotIn('class="box newer"', html)

    def test_it_goes_while_the_original_is_not_there(self) -> None:
        self.german()
        self.publish_again(Change.MAJOR, title="B")
        Edition.objects.unpublish(self.guide)
        for html in (self.page(GERMAN), self.fix_page()):
            self.assertNotIn('class="box newer"', html)

    def test_reading_a_fix_of_a_translation_takes_one_query(self) -> None:
        self.german()
        self.publish_again(Change.MAJOR, title="B")
        edition = Edition.objects.live().get(language="de")
        url = f"{Session.objects.start(edition, 'unknown').url}cable/"
        with self.assertStatements(1):
            self.assertContains(self.client.get(url), 'class="box newer"')


class HomeTests(LanguageTestCase):
    def cards(self, html: str) -> list[str]:
        return re.findall(r'<a class="card" href="(/g/[^"]+)"', html)

    def test_each_guide_is_listed_once_in_the_language_of_the_visitor(self) -> None:
        self.german()
        self.assertEqual(self.cards(self.page("/", "en")), [ENGLISH])
        self.assertEqual(self.cards(self.page("/", "de")), [GERMAN])
        self.assertEqual(self.cards(self.page("/?lang=de", "en")), [GERMAN])

    def test_what_is_only_in_another_language_comes_below(self) -> None:
        html = self.page("/?lang=es")
        self.assertEqual(self.cards(html), [ENGLISH])
        self.assertIn('id="others"', html)
        self.assertIn('lang="en" dir="auto"', html)

    def test_the_page_itself_is_in_that_language(self) -> None:
        self.assertIn('<html lang="ar" dir="rtl">', self.page("/", "ar"))
        self.assertIn('<html lang="de" dir="ltr">', self.page("/?lang=de", "ar"))
        for junk in ("tlh", "", "de'", "\x00", "x" * 5000):
            self.assertIn('<html lang="en" ', self.page("/?lang=" + junk.replace("\x00", "%00")))

    def test_it_depends_on_the_browser_only_where_the_address_does_not_say(self) -> None:
        self.assertIn("Accept-Language", self.client.get("/")["Vary"])
        response = self.client.get("/?lang=de")
        self.assertNotIn("Accept-Language", response.get("Vary", ""))
        self.assertEqual(response["Content-Language"], "de")

    def test_a_search_finds_each_guide_once_and_keeps_the_language(self) -> None:
        self.german()
        self.assertEqual(self.cards(self.page("/?q=printer&lang=de"))[0], GERMAN)
        self.assertNotIn(ENGLISH, self.cards(self.page("/?q=printer&lang=de")))
        self.assertNotIn(GERMAN, self.cards(self.page("/?q=printer")))
        self.assertIn('name="lang" value="de"', self.page("/?q=printer&lang=de"))

    def test_a_search_in_vain_is_counted_in_its_language(self) -> None:
        catalogue.missed.take()  # what other tests looked for is still in this process
        self.page("/?q=Geschirrspüler&lang=de")
        self.client.post(f"{ENGLISH}start/", {"symptom": "unknown"})
        self.assertEqual(MissedSearch.objects.get().language, "de")

    def test_contacts_are_those_of_the_language(self) -> None:
        translation = self.german()
        translation.guide.contacts.update(name="Druckerhilfe", url="https://printer.example/de")
        Edition.objects.publish(translation.guide, by=None)
        self.assertIn("Druckerhilfe", self.page("/", "de"))
        self.assertNotIn("Druckerhilfe", self.page("/", "en"))

    def test_its_queries_do_not_grow_with_languages(self) -> None:
        self.german()
        with self.assertStatements(2):
            self.client.get("/", headers={"accept-language": "de"})


class OtherPageTests(LanguageTestCase):
    def test_pages_of_no_guide_follow_the_browser(self) -> None:
        for url in ("/go/", "/no/such/page", "/admin/login/"):
            response = self.client.get(url, headers={"accept-language": "ar"}, follow=True)
            with self.subTest(url):
                self.assertContains(response, 'lang="ar"', status_code=response.status_code)
                self.assertContains(response, 'dir="rtl"', status_code=response.status_code)
                self.assertIn("Accept-Language", response["Vary"])

    def test_one_visitor_leaves_no_language_behind_for_the_next(self) -> None:
        self.page("/", "ar")
        self.assertIn('<html lang="en"', self.page("/"))

    def test_the_sitemap_names_every_language(self) -> None:
        self.german()
        xml = self.page("/sitemap.xml")
        for code, url in (("en", ENGLISH), ("de", GERMAN)):
            link = f'hreflang="{code}" href="http://127.0.0.1:8000{url}"'
            self.assertEqual(xml.count(link), 2)

    def test_a_session_speaks_the_language_of_its_guide(self) -> None:
        translation: Translation = self.german()
        edition = Edition.objects.live().get(guide=translation.guide)
        session = Session.objects.start(edition, "unknown")
        self.assertIn('<html lang="de"', self.page(f"{session.url}cable/", "ar"))


class StaffTests(LanguageTestCase):
    """Staff pages follow the browser of whoever reads them; drawings and fields do not."""

    def setUp(self) -> None:
        super().setUp()
        for answers in (["fixed"], ["not_fixed", "fixed"], ["no_time", "fixed"]) * 4:
            walk(self.start(), *answers)
        self.client.force_login(make_staff("erin", "Editor"))

    def test_a_comma_in_numbers_breaks_no_drawing(self) -> None:
        tabs = [f"/numbers/printer/{tab}" for tab in ("", "groups/", "sessions/", "beside/")]
        numbers = r'\s(?:x|y|x1|x2|y1|y2|d|width|height|points|transform|max)="([^"]*)"'
        for url in ("/numbers/", *tabs, "/fix-numbers/", "/fix-numbers/cable/"):
            german, english = (self.page(url, code) for code in ("de", "en"))
            with self.subTest(url):
                self.assertIn('lang="de"', german)
                self.assertEqual(re.findall(numbers, german), re.findall(numbers, english))

    def test_files_are_the_same_whoever_asks(self) -> None:
        for url in ("/numbers/guides.csv", "/numbers/guides.json", "/fix-numbers/fixes.csv"):
            files = [
                self.client.get(url, headers={"accept-language": code}).getvalue()
                for code in ("de", "en")
            ]
            self.assertEqual(files[0], files[1], url)

    def test_the_desk_opens_in_each_language(self) -> None:
        url = f"/admin/troubleshooter/guide/{self.guide.pk}/change/"
        for code in ("de", "es", "ar"):
            html = self.page(url, code)
            self.assertIn(f'lang="{code}"', html)
            self.assertIn('value="10"', html)  # minutes
