"""The desk: a whole guide seen and edited on one page."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse

from tests.base import make_fix
from tests.test_admin import DeskTestCase, admin_url, make_picture
from tests.test_admin_pictures import upload
from tests.test_pictures import SVG
from troubleshooter.models import (
    Contact,
    Edition,
    Fix,
    Guide,
    Picture,
    Step,
    Symptom,
    Topic,
    freeze,
)

Data = dict[str, Any]


class DeskPageTestCase(DeskTestCase):
    url: str

    def setUp(self) -> None:
        super().setUp()
        self.url = admin_url("guide", "change", self.guide.pk)

    def typed(self, url: str = "") -> Data:
        """What a browser posts from the desk when nobody has typed anything."""
        return self.form_of(self.client.get(url or self.url))

    def form_of(self, response: Any) -> Data:
        return self.desk_form(response) | {"guide": self.guide.pk}

    def save(self, data: Data, url: str = "", **changed: Any) -> Any:
        return self.client.post(url or self.url, data | {"act": "save"} | changed, follow=True)

    def complaints(self, data: Data, url: str = "", **changed: Any) -> list[str]:
        """What a save that is refused says."""
        before = self.draft()
        response = self.save(data, url, **changed)
        self.assertEqual(self.draft(), before)
        return [sentence for _anchor, sentence in response.context["desk"].faults]

    def act(self, act: str, data: Data | None = None) -> Any:
        """Press a button that saves nothing."""
        before = self.draft()
        response = self.client.post(self.url, (data or self.typed()) | {"act": act})
        self.assertEqual(response.status_code, 200)
        self.assertEqual(self.draft(), before)
        return response

    def draft(self) -> Data:
        return freeze(Guide.objects.whole().get(pk=self.guide.pk))

    def titles(self, response: Any) -> list[str]:
        return [card.form["title"].value() for card in response.context["desk"].fixes]


class SaveTests(DeskPageTestCase):
    def test_saving_what_nobody_touched_changes_and_logs_nothing(self) -> None:
        make_picture("driver1")
        before = self.draft()
        self.save(self.typed())
        self.assertEqual(self.draft(), before)
        self.assertFalse(LogEntry.objects.exists())

    def test_every_part_of_a_guide_is_saved(self) -> None:
        data = self.typed()
        data |= {
            "guide.title": "The printer sleeps",
            "guide.slug": "printer-sleeps",
            "guide.contacts": [],
            "symptom.offline.text": "It says it is offline",
            "symptom.offline.start_with": ["cable", "driver"],
            "fix.cable.minutes": "3",
            "fix.cable.closes_page": "on",
            "fix.driver.pin": "last",
            "fix.driver.after": ["cable"],
            "step.cable.cable2.text": "Push both in.",
            "step.cable.cable2.heading": "Then",
        }
        del data["fix.restart.closes_page"]  # a box that is not ticked is not sent
        response = self.save(data)
        self.assertContains(response, "Saved. Visitors see it when you publish.")
        draft = self.draft()
        fixes = {fix["key"]: fix for fix in draft["fixes"]}
        self.assertEqual((draft["title"], draft["contacts"]), ("The printer sleeps", []))
        self.assertEqual(Guide.objects.get().slug, "printer-sleeps")
        self.assertEqual(draft["symptoms"][0]["text"], "It says it is offline")
        self.assertEqual(draft["symptoms"][0]["start_with"], ["cable", "driver"])
        self.assertEqual((fixes["cable"]["minutes"], fixes["cable"]["closes_page"]), (3, True))
        self.assertFalse(fixes["restart"]["closes_page"])
        self.assertEqual((fixes["driver"]["pin"], fixes["driver"]["after"]), ("last", ["cable"]))
        self.assertEqual(fixes["cable"]["steps"][1]["text"], "Push both in.")
        self.assertEqual(fixes["cable"]["steps"][1]["heading"], "Then")

    def test_rows_are_saved_in_the_order_in_which_they_stand(self) -> None:
        data = self.typed()
        fixes = [name for name in data if name.startswith(("fix.", "step."))]
        turned = {name: data.pop(name) for name in sorted(fixes, reverse=True)}
        self.save(data | turned)
        draft = self.draft()
        self.assertEqual(
            [fix["key"] for fix in draft["fixes"]], ["restart", "reset", "driver", "cable"]
        )
        self.assertEqual([step["key"] for step in draft["fixes"][3]["steps"]], ["cable2", "cable1"])

    def test_a_row_that_is_not_sent_is_taken_out(self) -> None:
        data = self.typed()
        self.save({name: value for name, value in data.items() if ".cable" not in name})
        self.assertEqual(
            [fix["key"] for fix in self.draft()["fixes"]], ["restart", "driver", "reset"]
        )
        self.assertTrue(Fix.objects.filter(key="cable").exists())

    def test_a_draft_may_be_saved_half_done(self) -> None:
        data = self.typed() | {
            "guide.summary": "",
            "fix.new1.title": "",
            "fix.new1.minutes": "0",
            "fix.new1.risk": "safe",
            "step.new1.first.text": "",
        }
        response = self.save(data)
        self.assertContains(response, "4 things are missing before it can be published")
        self.assertEqual(self.draft()["fixes"][4]["key"], "new1")

    def test_what_cannot_be_saved_is_said_with_its_field_and_nothing_is_lost(self) -> None:
        data = self.typed() | {
            "guide.title": "",
            "guide.slug": "no good",
            "fix.cable.minutes": "many",
            "fix.cable.risk": "huge",
            "symptom.offline.text": "x" * 121,
            "step.driver.driver2.text": "nul \x00 byte",
        }
        said = self.complaints(data)
        self.assertEqual([each.partition(":")[0] for each in said].count("Title"), 1)
        self.assertIn("Title: A guide needs a title.", said)
        self.assertTrue(any("what stands between /g/ and /" in each for each in said))
        for field in ("Address", "Minutes", "Risk", "What the visitor sees", "Instruction"):
            self.assertTrue(any(each.startswith(f"{field}: ") for each in said), field)
        page = self.save(data)
        self.assertContains(page, "Nothing was saved: please mend this first")
        self.assertContains(page, "x" * 121)

    def test_a_new_row_has_a_name_before_anything_is_typed(self) -> None:
        response = self.act("add:symptom")
        self.assertContains(response, "Take out: New symptom")
        self.assertNotContains(response, ": None")

    def test_what_was_done_is_said_once_also_to_who_has_no_buttons(self) -> None:
        for reader in (self.erin, self.arno):
            self.client.force_login(self.erin)
            self.client.post(self.url, self.typed() | {"act": "save"})
            self.client.force_login(reader)
            page = self.client.get(self.url)
            self.assertContains(page, "Saved. Visitors see it when you publish.", count=1)

    def test_another_guides_address_is_refused(self) -> None:
        self.jam()
        [said] = self.complaints(self.typed(), **{"guide.slug": "jam"})
        self.assertIn("Another guide has the address “jam” already.", said)

    def test_a_revision_rises_by_one_when_the_remedy_changed_and_never_falls(self) -> None:
        Fix.objects.filter(key="cable").update(revision=3)
        self.save(self.typed(), **{"fix.cable.revised": "on", "fix.driver.revision": "9"})
        self.assertEqual(Fix.objects.get(key="cable").revision, 4)
        self.assertEqual(Fix.objects.get(key="driver").revision, 1)

    def test_who_changed_what_is_noted_at_the_guide_and_at_the_fix(self) -> None:
        self.save(self.typed(), **{"step.cable.cable1.text": "Look closely."})
        said = {str(entry.object_repr): entry.change_message for entry in LogEntry.objects.all()}
        self.assertEqual(set(said), {"The printer is offline", "Check the cable"})
        self.assertIn("“Check the cable” changed.", said["The printer is offline"])
        self.assertIn("desk of “The printer is offline”", said["Check the cable"])

    def test_save_and_publish_leads_to_the_question(self) -> None:
        data = self.typed() | {"guide.title": "Changed", "act": "publish"}
        response = self.client.post(self.url, data)
        self.assertEqual((response.status_code, response["Location"]), (303, self.move("publish")))
        self.assertEqual(Guide.objects.get().title, "Changed")
        self.assertEqual(Edition.objects.count(), 1)

    def test_saving_comes_back_to_the_fix_that_was_worked_on(self) -> None:
        response = self.client.post(self.url, self.typed() | {"act": "save", "at": "reset.loses"})
        self.assertEqual(response["Location"], f"{self.url}#card-reset")
        response = self.client.post(self.url, self.typed() | {"act": "save", "at": "<evil>"})
        self.assertEqual(response["Location"], self.url)


class NewGuideTests(DeskPageTestCase):
    def test_a_guide_is_written_from_nothing(self) -> None:
        url = admin_url("guide", "add")
        data = {
            "guide.title": "Kein Papier",
            "guide.summary": "Leer.",
            "guide.language": "de",
            "guide.new_topic": "Küche",
            "symptom.s1.text": "Es piept",
            "fix.f1.title": "Papier nachlegen",
            "fix.f1.minutes": "2",
            "fix.f1.risk": "safe",
            "step.f1.s1.text": "Fach öffnen.",
            "contact.c1.name": "Hausmeister",
            "contact.c1.url": "haus.example",
        }
        self.save(data, url)
        guide = Guide.objects.get(slug="kein-papier")
        self.assertEqual((guide.language, len(guide.key)), ("de", 10))
        self.assertEqual(guide.topic.name, "Küche")
        self.assertEqual(guide.contacts.get().url, "https://haus.example")
        [fix] = freeze(guide)["fixes"]
        self.assertEqual((fix["key"], fix["steps"][0]["text"]), ("f1", "Fach öffnen."))
        self.assertEqual(Fix.objects.get(key="f1").language, "de")

    def test_a_topic_that_is_there_is_taken(self) -> None:
        data = {"guide.title": "Jam", "guide.language": "en", "guide.new_topic": "printer"}
        self.save(data, admin_url("guide", "add"))
        self.assertEqual(Guide.objects.get(slug="jam").topic, self.guide.topic)
        self.assertEqual(Topic.objects.count(), 1)

    def test_without_a_title_or_a_topic_it_says_so(self) -> None:
        said = self.complaints({"guide.language": "en"}, admin_url("guide", "add"))
        self.assertTrue(any("needs a title" in each for each in said))
        self.assertTrue(any("needs a topic" in each for each in said))
        self.assertEqual(Guide.objects.count(), 1)

    def test_half_a_contact_is_refused(self) -> None:
        said = self.complaints(self.typed(), **{"contact.c1.name": "Who", "contact.c1.url": ""})
        self.assertEqual(said, ["Address: Where are they found? Please give an address."])
        self.assertEqual(Contact.objects.count(), 1)

    def test_it_starts_with_a_symptom_and_a_fix_with_a_step(self) -> None:
        response = self.client.get(admin_url("guide", "add"))
        desk = response.context["desk"]
        self.assertEqual((len(desk.symptoms), len(desk.fixes), len(desk.fixes[0].steps)), (1, 1, 1))


class RowTests(DeskPageTestCase):
    def test_rows_are_added_with_keys_of_their_own(self) -> None:
        for act, prefix in (("add:symptom", "symptom."), ("add:fix", "fix."), ("add:contact", "c")):
            before, after = self.typed(), self.form_of(self.act(act))
            self.assertTrue([name for name in after if name not in before], prefix)
        page = self.act("add:step.cable")
        self.assertEqual(len(page.context["desk"].fixes[0].steps), 3)
        self.assertContains(page, "autofocus", count=1)

    def test_what_was_typed_stays_when_a_row_is_added(self) -> None:
        page = self.act("add:fix", self.typed() | {"fix.cable.title": "Half a ti"})
        self.assertEqual(self.titles(page)[0], "Half a ti")
        self.assertEqual(len(self.titles(page)), 5)
        self.assertNotContains(page, "errorlist")

    def test_rows_move_and_leave_without_javascript(self) -> None:
        down = self.act("down:fix.cable")
        self.assertEqual(self.titles(down)[:2], ["Restart the computer", "Check the cable"])
        out = self.act("remove:fix.restart")
        self.assertNotIn("Restart the computer", self.titles(out))
        self.assertNotIn("restart", self.form_of(out).get("symptom.offline.start_with", []))

    def test_a_picture_is_taken_out_of_its_step(self) -> None:
        make_picture("driver1")
        out = self.form_of(self.act("unpicture:step.driver.driver1"))
        self.assertEqual(out.get("step.driver.driver1.picture", ""), "")
        self.save(out)
        self.assertIsNone(Step.objects.get(key="driver1").picture)

    def test_strange_buttons_do_nothing(self) -> None:
        titles = self.titles(self.client.get(self.url))
        for act in (
            "",
            "add:",
            "wand",
            "add:guide",
            "add:step",
            "up:",
            "remove:guide",
            "place:x",
            "wand:",
        ):
            self.assertEqual(self.titles(self.act(act)), titles, act)
        self.assertEqual(self.titles(self.act("place:99999")), titles)
        self.assertEqual(self.titles(self.act("unpicture:step.no.no")), titles)


class PictureTests(DeskPageTestCase):
    FIELD = "step.driver.driver1.upload"

    def test_a_picture_is_added_to_its_step_and_asks_for_its_words(self) -> None:
        page = self.act("upload:step.driver.driver1", self.typed() | {self.FIELD: upload()})
        picture = Picture.objects.get()
        self.assertEqual((picture.name, picture.alt), ("Both halves", ""))
        data = self.form_of(page)
        self.assertEqual(data["step.driver.driver1.picture"], str(picture.pk))
        self.assertContains(page, f"/p/{picture.sha256}.webp")
        self.assertRegex(page.content.decode(), r'<input[^>]*driver1\.alt"[^>]*autofocus')
        self.assertContains(self.save(data), "A picture in “Update the driver” has no text")
        self.save(self.typed(), **{"step.driver.driver1.alt": "Red beside blue"})
        frozen = self.draft()["fixes"][2]["steps"][0]["picture"]
        self.assertEqual((frozen["sha256"], frozen["alt"]), (picture.sha256, "Red beside blue"))

    def test_another_picture_does_not_take_over_the_words_of_the_first(self) -> None:
        make_picture("driver1")
        page = self.act("upload:step.driver.driver1", self.typed() | {self.FIELD: upload()})
        self.assertEqual(self.form_of(page)["step.driver.driver1.alt"], "")

    def test_saving_takes_a_chosen_file_along(self) -> None:
        self.save(self.typed() | {self.FIELD: upload()})
        self.assertEqual(Step.objects.get(key="driver1").picture, Picture.objects.get())

    def test_a_file_that_cannot_be_taken_is_said_at_its_step(self) -> None:
        data = self.typed() | {"guide.title": "Changed"}
        for act in ("upload:step.driver.driver1", "save"):
            page = self.act(act, data | {self.FIELD: upload(SVG)})
            self.assertContains(page, "This is no picture that can be taken")
            self.assertContains(page, f'href="#id_{self.FIELD}"')
            self.assertContains(page, 'value="Changed"')
        self.assertFalse(Picture.objects.exists())

    def test_a_file_that_belongs_to_no_step_is_left_alone(self) -> None:
        for name in ("upload", "step.no.no.upload", "guide.upload", "step.driver.driver1.text"):
            self.act("up:fix.cable", self.typed() | {name: upload()})
        self.assertFalse(Picture.objects.exists())

    def test_it_takes_the_permission_to_add_pictures(self) -> None:
        self.erin.groups.clear()
        of_content = Permission.objects.filter(content_type__app_label="troubleshooter")
        self.erin.user_permissions.set(of_content.exclude(codename="add_picture"))
        data = self.typed() | {"act": "up:fix.cable"}
        self.assertEqual(self.client.post(self.url, data).status_code, 200)
        self.assertEqual(self.client.post(self.url, data | {self.FIELD: upload()}).status_code, 403)


class LibraryTests(DeskPageTestCase):
    def test_fixes_are_found_by_their_words_and_say_where_they_are(self) -> None:
        fix = make_fix("flap", "Open the flap", "Look for paper.")
        make_fix("klappe", "Open die Klappe", "Paper, los.", language="de")
        self.jam().placements.create(fix=fix, position=2)
        page = self.act("search", self.typed() | {"library": "open PAPER"})
        self.assertEqual(page.context["library"], [fix])
        placed = self.act("search", self.typed() | {"library": "cable"})
        self.assertEqual(placed.context["library"], [])
        self.assertContains(page, "“The paper jams”")
        nothing = self.act("search", self.typed() | {"library": "dish\x00washer cable"})
        self.assertContains(nothing, "No other fix has these words.")

    def test_a_fix_that_is_placed_comes_with_everything(self) -> None:
        fix = make_fix("flap", "Open the flap", "Look for paper.", minutes=7, revision=4)
        page = self.act(f"place:{fix.pk}")
        self.save(self.form_of(page))
        [*_others, placed] = self.draft()["fixes"]
        self.assertEqual((placed["key"], placed["minutes"], placed["revision"]), ("flap", 7, 4))
        self.assertEqual(fix.steps.get().key, "flap1")


class SharedTests(DeskPageTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.other = self.jam()

    def test_a_shared_fix_names_the_other_guides(self) -> None:
        page = self.client.get(self.url)
        self.assertContains(page, "Another guide offers this fix, too:")
        self.assertContains(page, admin_url("guide", "change", self.other.pk))

    def test_a_change_reaches_every_guide(self) -> None:
        self.save(self.typed(), **{"fix.restart.title": "Restart it"})
        self.assertEqual(self.other.placements.get().fix.title, "Restart it")

    def test_or_this_guide_gets_a_copy(self) -> None:
        data = self.typed() | {"fix.restart.title": "Restart it", "fix.restart.scope": "copy"}
        self.save(data)
        self.assertEqual(self.other.placements.get().fix.title, "Restart the computer")
        copy = self.guide.placements.get(position=2).fix
        self.assertEqual((copy.title, copy.revision), ("Restart it", 1))
        self.assertEqual(Symptom.objects.get(key="offline").start_with.get(), copy)

    def test_a_fix_that_is_nowhere_else_needs_no_copy(self) -> None:
        self.save(self.typed(), **{"fix.cable.title": "Check it", "fix.cable.scope": "copy"})
        self.assertEqual(self.guide.placements.get(position=1).fix.key, "cable")


class MeanwhileTests(DeskPageTestCase):
    def test_the_second_of_two_editors_is_told_with_the_difference(self) -> None:
        mine = self.typed() | {"guide.title": "Mine", "fix.cable.title": "My cable"}
        self.client.force_login(self.ada)
        self.save(self.typed(), **{"guide.title": "Theirs", "fix.driver.title": "Their driver"})
        self.client.force_login(self.erin)
        page = self.save(mine)
        self.assertEqual(self.draft()["title"], "Theirs")
        self.assertContains(page, "ada saved this guide")
        self.assertContains(page, "Their driver")
        self.assertContains(page, 'value="My cable"')
        again = self.form_of(page)
        self.save(again)
        self.assertEqual(self.draft()["title"], "Mine")

    def test_a_shared_fix_that_was_changed_elsewhere_counts_too(self) -> None:
        jam = self.jam()
        mine = self.typed() | {"guide.title": "Mine"}
        Fix.objects.filter(key="restart").update(title="Restart it at once")
        page = self.save(mine)
        self.assertContains(page, "while you were working on it")
        self.assertContains(page, "at once")
        self.assertEqual(jam.placements.get().fix.title, "Restart it at once")

    def test_a_forged_or_missing_base_never_overwrites(self) -> None:
        for base in ("", "forged", "a:b:c"):
            page = self.save(self.typed() | {"guide.title": "Mine", "base": base})
            self.assertContains(page, "Nothing of yours is lost")
            self.assertEqual(self.draft()["title"], "The printer is offline")


class SketchTests(DeskPageTestCase):
    def sketch(self, **changed: str) -> Any:
        url = reverse("admin:troubleshooter_guide_sketch")
        return self.client.post(url, self.typed() | changed)

    def test_it_shows_what_was_typed_as_a_visitor_would_see_it(self) -> None:
        page = self.sketch(**{"guide.title": "Half a ti", "fix.cable.minutes": "no number"})
        self.assertContains(page, "<h1>Half a ti</h1>")
        self.assertNotContains(page, "<script")
        self.assertEqual(self.draft()["title"], "The printer is offline")

    def test_it_shows_the_fix_that_is_worked_on(self) -> None:
        page = self.sketch(at="driver", **{"step.driver.driver1.text": "Open **it** now."})
        self.assertContains(page, "Open <strong>it</strong> now.")
        self.assertContains(page, "Fix 3 of 4")

    def test_what_will_be_lost_is_shown_before_the_steps(self) -> None:
        page = self.sketch(at="reset.loses")
        self.assertContains(page, "Every setting stored in the printer.")
        self.assertNotContains(page, "Hold the button")
        self.assertContains(self.sketch(at="reset"), "Hold the button")

    def test_hostile_text_is_harmless(self) -> None:
        page = self.sketch(**{"guide.about": "<script>alert(1)</script>[x](javascript:1)"})
        self.assertNotContains(page, "<script")
        self.assertNotContains(page, 'href="javascript')

    def test_it_only_answers_posts_of_staff(self) -> None:
        url = reverse("admin:troubleshooter_guide_sketch")
        self.assertEqual(self.client.get(url).status_code, 405)
        self.client.logout()
        self.assertEqual(self.client.post(url).status_code, 302)


class AccessTests(DeskPageTestCase):
    def test_an_agent_looks_and_changes_nothing(self) -> None:
        data = self.typed()
        self.client.force_login(self.arno)
        page = self.client.get(self.url)
        self.assertContains(page, '<fieldset class="desk-all" disabled>')
        self.assertNotContains(page, "Save and publish")
        for act in ("save", "add:fix"):
            response = self.client.post(self.url, data | {"act": act})
            self.assertEqual(response.status_code, 403)
        self.assertEqual(self.client.get(admin_url("guide", "add")).status_code, 403)

    def test_a_guide_that_is_not_there_is_not_found(self) -> None:
        for pk in ("999999", "9" * 40, "none"):
            url = f"/admin/troubleshooter/guide/{pk}/change/"
            self.assertEqual(self.client.get(url).status_code, 404)

    def test_texts_of_others_are_escaped(self) -> None:
        Fix.objects.filter(key="cable").update(title="<b>x</b>")
        Symptom.objects.update(text="<i>y</i>")
        page = self.client.get(self.url)
        self.assertNotContains(page, "<b>x</b>")
        self.assertNotContains(page, "<i>y</i>")
