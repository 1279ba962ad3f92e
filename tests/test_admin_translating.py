"""Editors begin a translation, see what its original changed, and say that it is up to date."""

import json
import re

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.base import make_staff
from tests.test_translations import TranslationTestCase, translate
from troubleshooter.models import Change, Edition, Guide, Translation


class DeskTestCase(TranslationTestCase):
    erin: User

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.erin = make_staff("erin", "Editor")

    def setUp(self) -> None:
        self.staff = Client()
        self.staff.force_login(self.erin)

    def url(self, name: str, guide: Guide | None = None) -> str:
        return reverse(f"admin:troubleshooter_guide_{name}", args=[(guide or self.guide).pk])

    def html(self, url: str) -> str:
        response = self.staff.get(url)
        self.assertEqual(response.status_code, 200)
        return " ".join(response.content.decode().split())


class BeginTests(DeskTestCase):
    def test_the_desk_leads_there(self) -> None:
        self.assertIn(self.url("translate"), self.html(self.url("change")))

    def test_a_press_begins_one_in_a_language_that_is_free(self) -> None:
        html = self.html(self.url("translate"))
        self.assertEqual(re.findall(r'name="language" value="(\w+)"', html), ["de", "es", "ar"])
        response = self.staff.post(self.url("translate"), {"language": "de"})
        german = Guide.objects.get(language="de")
        self.assertRedirects(response, self.url("change", german))
        html = self.html(self.url("translate"))
        self.assertEqual(re.findall(r'name="language" value="(\w+)"', html), ["es", "ar"])

    def test_nonsense_is_refused_with_a_sentence(self) -> None:
        self.start_in("de")
        for language in ("de", "tlh", ""):
            response = self.staff.post(self.url("translate"), {"language": language}, follow=True)
            self.assertRegex(response.content.decode(), "in German already|from the list")
        self.assertEqual(Guide.objects.count(), 2)

    def test_agents_only_look(self) -> None:
        self.staff.force_login(make_staff("aki", "Agent"))
        self.assertEqual(self.staff.get(self.url("translate")).status_code, 403)
        self.assertEqual(self.staff.post(self.url("translate")).status_code, 403)
        german = self.german().guide
        self.assertEqual(self.staff.get(self.url("original", german)).status_code, 200)
        response = self.staff.post(self.url("original", german), {"edition": "1"})
        self.assertEqual(response.status_code, 403)

    def test_both_desks_name_each_other(self) -> None:
        german = self.german().guide
        self.assertIn(self.url("change", german), self.html(self.url("change")))
        html = self.html(self.url("change", german))
        self.assertIn("A translation of “The printer is offline”.", html)
        self.assertIn("Up to date with its edition 1.", html)

    def test_a_desk_says_what_language_its_guide_is_in(self) -> None:
        german = self.german().guide
        self.assertIn("Language: German", self.html(self.url("change", german)))
        self.assertIn("Language: English", self.html(self.url("change")))

    def test_the_desk_saves_a_translation_like_any_guide(self) -> None:
        german = self.start_in().guide
        html = self.staff.get(self.url("change", german)).content.decode()
        self.assertIn("id_fix.cable.title", html)
        self.assertIn("not translated yet", self.html(self.url("publish", german)))


class OriginalTests(DeskTestCase):
    def test_what_changed_stands_beside_it(self) -> None:
        german = self.german().guide
        self.publish_again(Change.MAJOR, title="The printer sleeps")
        self.assertIn("The original changed since (major).", self.html(self.url("change", german)))
        self.assertIn("The original changed since (major).", self.html(self.url("change")))
        self.assertIn("Needs review: one guide", self.html(reverse("admin:index")))
        html = self.html(self.url("original", german))
        self.assertIn("From edition 1 to edition 2", html)
        self.assertRegex(html, r'<dd lang="en" dir="auto">The printer .*?<del>.*?offline')

    def test_a_minor_change_is_called_so(self) -> None:
        german = self.german().guide
        self.publish_again(Change.MINOR, title="B")
        self.assertIn("The original changed since (minor).", self.html(self.url("change", german)))
        self.assertIn("visitors are not told", self.html(self.url("original", german)))

    def test_a_press_says_that_it_is_up_to_date(self) -> None:
        german = self.german().guide
        self.publish_again(Change.MAJOR, title="B")
        html = self.html(self.url("original", german))
        self.assertIn("This translation is up to date with edition 2", html)
        self.staff.post(self.url("original", german), {"edition": "2"})
        self.assertEqual(Translation.objects.get().edition, 2)
        self.assertNotIn("changed since", self.html(self.url("change", german)))

    def test_an_edition_that_is_none_changes_nothing(self) -> None:
        german = self.german().guide
        for number in ("", "0", "7", "-1", "²", "9" * 30, "one"):
            response = self.staff.post(
                self.url("original", german), {"edition": number}, follow=True
            )
            self.assertContains(response, "has no such edition")
        self.assertEqual(Translation.objects.get().edition, 1)

    def test_a_guide_that_is_no_translation_says_so(self) -> None:
        response = self.staff.get(self.url("original"), follow=True)
        self.assertContains(response, "no translation of another one")

    def test_texts_may_be_the_same_on_purpose(self) -> None:
        translation = self.start_in()
        translate(translation.guide)
        Guide.objects.filter(pk=translation.guide_id).update(title=self.guide.title)
        html = self.html(self.url("original", translation.guide))
        self.assertIn("The printer is offline", html)
        same = [json.dumps(["guide", "title"]), "rubbish"]
        self.staff.post(self.url("original", translation.guide), {"same": same})
        translation.refresh_from_db()
        self.assertEqual(translation.untranslated(self.whole(translation.guide)), {})
        self.staff.post(self.url("publish", translation.guide))
        self.assertTrue(Edition.objects.live().filter(language="de").exists())

    def test_one_begun_before_the_original_was_published_has_nothing_to_compare(self) -> None:
        Edition.objects.all().delete()
        german = self.start_in().guide
        self.assertIn("not live now", self.html(self.url("original", german)))
        Edition.objects.publish(self.guide, by=None)
        self.assertIn("nothing to compare with", self.html(self.url("original", german)))


class PublishTests(DeskTestCase):
    def chosen(self) -> str:
        """Which answer stands ready on the page."""
        html = self.html(self.url("publish"))
        found = re.search(r'name="change" value="(\w+)"[^>]* checked', html)
        return found[1] if found else ""

    def test_a_guide_without_translations_is_not_asked_about(self) -> None:
        Guide.objects.filter(pk=self.guide.pk).update(title="B")
        self.assertEqual(self.chosen(), "")

    def test_the_likely_answer_stands_ready(self) -> None:
        self.start_in()
        Guide.objects.filter(pk=self.guide.pk).update(closing="Tell support what you tried!")
        self.assertEqual(self.chosen(), "minor")
        self.guide.placements.filter(fix__key="cable").update(position=9)
        self.assertEqual(self.chosen(), "major")

    def test_the_editor_decides(self) -> None:
        self.start_in()
        Guide.objects.filter(pk=self.guide.pk).update(title="Something else")
        self.staff.post(self.url("publish"), {"change": "minor"})
        self.assertEqual(Edition.objects.live().get().change, Change.MINOR)

    def test_nonsense_is_weighed(self) -> None:
        Guide.objects.filter(pk=self.guide.pk).update(title="Something else")
        self.staff.post(self.url("publish"), {"change": "enormous"})
        self.assertEqual(Edition.objects.live().get().change, Change.MAJOR)

    def test_a_plan_is_asked_about_too(self) -> None:
        self.start_in()
        Guide.objects.filter(pk=self.guide.pk).update(title="Something else")
        self.assertIn('name="change"', self.html(self.url("schedule")))
        self.staff.post(self.url("schedule"), {"at": "2027-03-07T09:30", "change": "minor"})
        self.assertEqual(Edition.objects.planned().get().change, Change.MINOR)


class QueueTests(DeskTestCase):
    queue = "/admin/troubleshooter/guide/needs-review/"

    def test_translations_behind_their_original_stand_in_the_queue(self) -> None:
        german = self.german().guide
        self.assertNotIn("behind their original", self.html(self.queue))
        self.publish_again(Change.MAJOR, title="B")
        html = self.html(self.queue)
        self.assertIn("behind their original", html)
        self.assertIn(self.url("original", german), html)
        self.assertNotIn("behind their original", self.html(self.queue + "?mine=1"))
        Guide.objects.filter(pk=german.pk).update(owner=self.erin)
        self.assertIn("behind their original", self.html(self.queue + "?mine=1"))

    def test_there_are_pages_of_it(self) -> None:
        for nth in range(30):
            guide = Guide.objects.create(
                key="printer", language=f"x{nth}", slug=f"x{nth}", title="X", topic=self.guide.topic
            )
            Translation.objects.create(guide=guide, original=self.guide, edition=None)
        self.assertEqual(Translation.objects.behind().count(), 30)
