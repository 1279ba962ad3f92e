"""Packs in the admin: a zip of chosen guides, and one that is shown before it is saved."""

import base64
import hashlib
import re
from html import unescape
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings

from tests.packing import DRAWING, the_pack, wipe, without_processes
from tests.test_admin import HOSTILE, DeskTestCase, admin_url
from troubleshooter.admin.packs import MOST_UPLOADED
from troubleshooter.importing.packs import members
from troubleshooter.importing.unpacking import packed, unpacked
from troubleshooter.models import Edition, Fix, Guide, LogLine, Picture, Step, Translation

LIST = admin_url("guide", "changelist")
IMPORT = admin_url("guide", "import_pack")
NAME = "printer-offline.toml"


class PackDeskTestCase(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        walls = without_processes()
        walls.start()
        self.addCleanup(walls.stop)

    def edited(self, old: str, new: str) -> bytes:
        files = members(Guide.objects.all())
        self.assertIn(old.encode(), files[NAME])
        return packed({**files, NAME: files[NAME].replace(old.encode(), new.encode())})

    def look(self, data: bytes) -> Any:
        """What the page says of an uploaded pack."""
        return self.client.post(IMPORT, {"pack": SimpleUploadedFile("pack.zip", data)})

    def fields(self, response: Any) -> dict[str, str]:
        """What the form of the second step carries."""
        hidden = re.findall(r'name="(pack|seal)" value="([^"]*)"', response.content.decode())
        return {name: unescape(value) for name, value in hidden}

    def words(self, response: Any) -> str:
        text = unescape(re.sub(r"<[^>]*>", " ", response.content.decode()))
        return " ".join(text.split())


class ExportTests(PackDeskTestCase):
    def export(self, **more: str) -> Any:
        data = {"action": "export_chosen", "_selected_action": str(self.guide.pk)}
        return self.client.post(LIST, data | more)

    def test_the_chosen_guides_come_as_a_zip(self) -> None:
        response = self.export()
        self.assertEqual(response["Content-Type"], "application/zip")
        self.assertEqual(
            response["Content-Disposition"], 'attachment; filename="printer-offline.zip"'
        )
        self.assertEqual(response.content, the_pack())

    def test_the_draft_comes_not_what_is_live(self) -> None:
        Guide.objects.update(title="As written since")
        self.assertIn(b"As written since", unpacked(self.export().content)[NAME])

    def test_who_may_not_write_guides_is_not_offered_it(self) -> None:
        self.client.force_login(self.arno)
        self.assertNotIn("export_chosen", self.html(LIST))
        self.assertNotIn(IMPORT, self.html(LIST))
        self.assertNotEqual(self.export().get("Content-Type"), "application/zip")
        for send in (self.client.get, self.client.post):
            self.assertEqual(send(IMPORT).status_code, 403)

    def test_who_may_write_some_of_it_only_is_not_let_in(self) -> None:
        self.erin.groups.get().permissions.remove(Permission.objects.get(codename="add_picture"))
        self.assertEqual(self.client.get(IMPORT).status_code, 403)

    def test_what_makes_no_pack_is_told(self) -> None:
        Guide.objects.update(slug="")  # no form leaves it empty
        self.assertIn("a pack holds only", self.words(self.client.get(self.export()["Location"])))


class ImportTests(PackDeskTestCase):
    def test_the_list_leads_to_it(self) -> None:
        self.assertIn(f'href="{IMPORT}"', self.html(LIST))
        self.assertIn("At most 5 MiB.", self.text(IMPORT))

    def test_it_shows_what_would_change_and_writes_nothing(self) -> None:
        data = self.edited("Look at both ends.", "Look at the ends.")
        with CaptureQueriesContext(connection) as captured:
            response = self.look(data)
        for query in captured.captured_queries:
            self.assertTrue(query["sql"].startswith("SELECT"), query["sql"])
        words = self.words(response)
        self.assertIn("Changed: “The printer is offline”", words)
        self.assertIn("Look at [crossed out: both ] [added: the ] ends.", words)
        self.assertEqual(len(re.findall("<h1[ >]", response.content.decode())), 1)

    def test_what_was_shown_is_saved_as_a_draft(self) -> None:
        shown = self.look(self.edited("Look at both ends.", "Look at the ends."))
        response = self.client.post(IMPORT, self.fields(shown))
        self.assertEqual((response.status_code, response["Location"]), (303, LIST))
        self.assertIn(
            "1 guide is saved as a draft: “The printer is offline”.",
            self.words(self.client.get(LIST)),
        )
        self.assertEqual(Step.objects.get(key="cable1").text, "Look at the ends.")
        self.assertEqual(Edition.objects.count(), 1)
        line = LogLine.objects.filter(kind="changed").get()
        self.assertEqual(
            (line.by, line.said),
            (self.erin, "Imported from a pack: Fixes: “Check the cable” changed."),
        )
        notes = {entry.object_repr: entry.change_message for entry in LogEntry.objects.all()}
        self.assertEqual(notes["Check the cable"], "Imported with “The printer is offline”.")
        self.assertEqual(len(notes), 2)
        log = self.text(self.move("log"))
        self.assertEqual(log.count("Imported"), 1)

    def test_a_new_guide_is_shown_whole(self) -> None:
        data = the_pack()
        Edition.objects.all().delete()
        wipe()
        shown = self.look(data)
        words = self.words(shown)
        for part in ("New: “The printer is offline”", "Hold the button for ten seconds.", "/g/pri"):
            self.assertIn(part, words)
        self.client.post(IMPORT, self.fields(shown))
        self.assertEqual(the_pack(), data)
        self.assertEqual(LogLine.objects.get().said, "Imported from a pack.")

    def test_a_translation_names_its_original_and_what_is_not_translated_yet(self) -> None:
        made = Translation.objects.start(self.guide, "de", by=None)
        Guide.objects.filter(pk=made.guide_id).update(title="Der Drucker ist offline")
        data = the_pack()
        Edition.objects.all().delete()
        wipe()
        shown = self.look(data)
        words = self.words(shown)
        self.assertIn("This is a translation of “The printer is offline” (English).", words)
        self.assertIn("Deutsch · Printer", words)
        self.assertIn("Not translated yet [added: fix cable title", words)
        self.client.post(IMPORT, self.fields(shown))
        self.assertEqual(the_pack(), data)

    def test_scenarios_the_address_and_names_are_shown_too(self) -> None:
        scenario = '\n[[scenario]]\nanswers = ["fixed"]\nstatus = "resolved"\nfix = "cable"\n'
        files = members(Guide.objects.all())
        text = files[NAME].decode().replace("printer-offline", "printer-asleep") + scenario
        words = self.words(self.look(packed({NAME: text.encode()})))
        self.assertIn("Scenarios [added: fixed → resolved cable ]", words)
        self.assertIn("Slug printer- [crossed out: offline ] [added: asleep ]", words)

    def test_guides_beyond_the_pack_are_named(self) -> None:
        other = Guide.objects.create(topic=self.guide.topic, slug="other", title="The scanner")
        other.placements.create(fix=Fix.objects.get(key="cable"))
        files = members(Guide.objects.filter(pk=self.guide.pk))
        files[NAME] = files[NAME].replace(b"Look at both", b"Look at the")
        words = self.words(self.look(packed(files)))
        self.assertIn(
            "The fix “Check the cable” is here already and changes. These guides offer it, too, and"
            " show the change when they are published themselves: “The scanner”",
            words,
        )

    def test_a_pack_that_changes_nothing_says_so(self) -> None:
        response = self.look(the_pack())
        self.assertIn("word for word: there is nothing to do.", self.words(response))
        self.assertEqual(self.fields(response), {})

    def test_what_changed_here_meanwhile_is_shown_again_before_it_is_saved(self) -> None:
        shown = self.look(self.edited("Look at both ends.", "Look at the ends."))
        Guide.objects.update(summary="Theirs.")
        again = self.client.post(IMPORT, self.fields(shown))
        words = self.words(again)
        self.assertIn("Since you looked at this pack something has changed here", words)
        self.assertIn("Theirs", words)
        self.assertEqual(Step.objects.get(key="cable1").text, "Look at both ends.")
        self.client.post(IMPORT, self.fields(again))
        self.assertEqual(Step.objects.get(key="cable1").text, "Look at the ends.")

    def test_another_pack_under_the_seal_is_shown_and_not_saved(self) -> None:
        shown = self.fields(self.look(self.edited("Look at both ends.", "Look at the ends.")))
        other = base64.b64encode(self.edited("Look at both ends.", "Cut the cable.")).decode()
        response = self.client.post(IMPORT, {**shown, "pack": other})
        self.assertIn("added: Cut the cable", self.words(response))
        self.assertEqual(Step.objects.get(key="cable1").text, "Look at both ends.")

    def test_a_seal_is_for_one_person_and_cannot_be_made_up(self) -> None:
        shown = self.fields(self.look(self.edited("Look at both ends.", "Look at the ends.")))
        for seal in ("", "x", shown["seal"][:-1], shown["seal"] + "x"):
            self.client.post(IMPORT, {**shown, "seal": seal})
        self.client.force_login(self.ada)
        self.client.post(IMPORT, shown)
        self.assertEqual(Step.objects.get(key="cable1").text, "Look at both ends.")

    def test_what_is_no_pack_gets_a_sentence(self) -> None:
        for data, sentence in (
            (b"<html>", "This is no zip."),
            (packed({}), "There is no guide in this pack."),
            (packed({NAME: b"x = 1"}), f"{NAME}: “x” is unknown here."),
        ):
            self.assertIn(sentence, self.words(self.look(data)))
        self.assertIn("The file is empty.", self.words(self.look(b"")))
        self.assertIn("Choose a file.", self.words(self.client.post(IMPORT)))
        for pack in ("%", "é", "AAAA", "\x00"):
            response = self.client.post(IMPORT, {"pack": pack, "seal": "x"})
            self.assertIn("This is no zip.", self.words(response))

    def test_a_drawing_is_for_operators(self) -> None:
        sha256 = hashlib.sha256(DRAWING).hexdigest()
        words = {"sha256": sha256, "kind": "svg", "width": 32, "height": 20, "name": "A"}
        picture = Picture.objects.create(content=DRAWING, alt="B", **words)
        Step.objects.filter(key="cable1").update(picture=picture)
        data = the_pack()
        self.assertIn("there is nothing to do", self.words(self.look(data)))
        Step.objects.update(picture=None)
        picture.delete()
        sentence = f"pictures/{sha256}.svg: a drawing that is not here yet: only “manage.py"
        self.assertIn(sentence, self.words(self.look(data)))

    def test_what_is_written_in_a_pack_runs_nowhere(self) -> None:
        data = self.edited("The printer is offline", HOSTILE.replace('"', '\\"'))
        html = self.look(data).content.decode()
        self.assertNotIn("<script>alert", html)
        self.assertNotIn("{{", html.replace("{{ 7|add:7 }}", ""))
        self.assertIn("&lt;script&gt;alert", html)

    def test_the_limits_of_the_desk_hold(self) -> None:
        self.assertLess(MOST_UPLOADED * 4 / 3 + 100_000, settings.BODY_LIMIT_STAFF)
        data = the_pack() + b"\0" * MOST_UPLOADED
        self.assertIn("This pack has more than 5 MiB", self.words(self.look(data)))
        self.assertEqual(self.look(b"\0" * settings.BODY_LIMIT_STAFF).status_code, 413)
        with override_settings(BODY_LIMIT_STAFF=500):
            self.assertEqual(self.look(the_pack()).status_code, 413)

    def test_more_text_than_a_page_shows_is_for_the_command(self) -> None:
        files = members(Guide.objects.all())
        comment = b"\n# " + b"x" * (4 << 20)
        more = {f"a{nth}.toml": files[NAME] + comment for nth in range(3)}
        words = self.words(self.look(packed(more)))
        self.assertIn(
            "These are more texts than one page shows: use “manage.py import_pack”", words
        )
