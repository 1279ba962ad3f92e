"""What differs between two editions, as an editor reads it, and the way back to an earlier one."""

import re
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client, SimpleTestCase
from django.test.utils import CaptureQueriesContext

from tests.base import make_fix
from tests.test_admin import HOSTILE, DeskTestCase, admin_url, make_picture
from troubleshooter.admin.differences import ADDED, MOST_PARTS, REMOVED, SAME, Section, differences
from troubleshooter.admin.differences import pieces as compared
from troubleshooter.models import Edition, Fix, Guide, Picture, Risk, Session, Step, freeze


def marked(old: str, new: str) -> str:
    """Both texts in one line: [-removed-] and {+added+}."""
    signs = {SAME: "%s", REMOVED: "[-%s-]", ADDED: "{+%s+}"}
    return "".join(signs[piece.kind] % piece.text for piece in compared(old, new))


class PieceTests(SimpleTestCase):
    def test_a_word_that_changed_stands_between_those_that_did_not(self) -> None:
        self.assertEqual(
            marked("Look at both ends.", "Look at one end."), "Look at [-both ends-]{+one end+}."
        )
        self.assertEqual(marked("Press it.", "Press it twice."), "Press it{+ twice+}.")
        self.assertEqual(marked("", "New."), "{+New.+}")
        self.assertEqual(marked("Old.", ""), "[-Old.-]")

    def test_a_change_of_blanks_alone_can_be_seen(self) -> None:
        self.assertEqual(marked("a b", "a\n\nb"), "a[-␣-]{+¶\n¶\n+}b")

    def test_both_texts_can_be_read_from_it_however_long_they_are(self) -> None:
        words = " ".join(f"w{nth}" for nth in range(500))
        lines = "\n".join(f"{nth} a b c" for nth in range(1500))
        endless = "a\n" * MOST_PARTS
        for old, new in (
            (words, words.replace("w7 ", "x ")),
            (lines, lines.replace("700 a", "700 b")),
            (endless, endless + "b"),
        ):
            found = compared(old, new)
            for kind, text in ((REMOVED, old), (ADDED, new)):
                said = "".join(each.text for each in found if each.kind in (SAME, kind))
                self.assertEqual(said, text)
        self.assertIn("[-700 a b c\n-]{+700 b b c\n+}", marked(lines, lines.replace("0 a", "0 b")))


class DifferenceTests(DeskTestCase):
    def sections(self) -> list[Section]:
        draft = Guide.objects.whole().get(pk=self.guide.pk)
        return differences(self.edition.content, freeze(draft))

    def told(self) -> dict[str, list[str]]:
        """The sentences of each section."""
        return {each.heading: [item.sentence for item in each.items] for each in self.sections()}

    def fields(self, *, inside: bool = False) -> dict[str, str]:
        """The fields of the one thing that differs, or of the one thing inside it."""
        [section] = self.sections()
        [item] = section.items
        if inside:
            [item] = item.items
        return {
            each.label: marked(
                "".join(piece.text for piece in each.pieces if piece.kind != ADDED),
                "".join(piece.text for piece in each.pieces if piece.kind != REMOVED),
            )
            for each in item.fields
        }

    def test_the_same_has_none(self) -> None:
        self.assertEqual(self.sections(), [])

    def test_the_texts_of_the_guide(self) -> None:
        self.edit(title="The printer is asleep", closing="")
        self.assertEqual(
            self.fields(),
            {
                "Title": "The printer is [-offline-]{+asleep+}",
                "When nothing helped": "[-Tell support what you tried.-]",
            },
        )

    def test_a_fix_that_changed(self) -> None:
        driver = self.guide.placements.get(fix__key="driver")
        driver.after.add(Fix.objects.get(key="cable"))
        driver.pin = "last"
        driver.save()
        Fix.objects.filter(key="driver").update(
            minutes=12, risk=Risk.INCONVENIENT, closes_page=True, revision=2
        )
        self.assertEqual(self.told(), {"Fixes": ["“Update the driver” changed."]})
        fields = self.fields()
        self.assertEqual(fields["Minutes"], "[-10-]{+12+}")
        self.assertEqual(fields["Closes this page"], "{+yes+}")
        self.assertEqual(fields["Revision"], "[-1-]{+2+}")
        self.assertEqual(fields["Pin"], "{+always last+}")
        self.assertEqual(fields["Only after these fixes"], "{+Check the cable+}")
        self.assertIn("Inconvenient", fields["Risk"])

    def test_fixes_that_are_new_or_taken_out(self) -> None:
        self.guide.placements.filter(fix__key="cable").delete()
        flap = make_fix("flap", "Open the flap", "At the back: Open it.")
        self.guide.placements.create(fix=flap, position=9)
        [section] = self.sections()
        removed, added = section.items
        self.assertEqual(added.sentence, "“Open the flap” is new.")
        self.assertEqual(removed.sentence, "“Check the cable” is taken out.")
        step = {each.label: each.pieces for each in added.fields}["Step 1"]
        self.assertEqual(
            [(each.kind, each.text) for each in step], [(ADDED, "At the back\nOpen it.")]
        )
        kinds = {piece.kind for each in removed.fields for piece in each.pieces}
        self.assertEqual(kinds, {REMOVED})

    def test_only_the_fix_that_moved_is_said_to_have_moved(self) -> None:
        self.guide.placements.filter(fix__key="driver").update(position=0)
        said = "“Update the driver” moved from place 3 to place 1."
        self.assertEqual(self.told(), {"Fixes": [said]})

    def test_steps(self) -> None:
        Step.objects.filter(key="cable2").update(position=0, text="Push them in firmly.")
        self.assertEqual(self.told(), {"Fixes": ["“Check the cable” changed."]})
        [[fix]] = [section.items for section in self.sections()]
        self.assertEqual(fix.items[0].sentence, "Step 1 moved from place 2 to place 1.")
        self.assertEqual(self.fields(inside=True), {"Instruction": "Push them in{+ firmly+}."})

    def test_a_step_that_is_new_and_one_that_is_taken_out(self) -> None:
        Step.objects.filter(key="cable1").delete()
        Step.objects.create(
            key="cable9", fix=Fix.objects.get(key="cable"), position=9, text="Wait."
        )
        [[fix]] = [section.items for section in self.sections()]
        self.assertEqual(
            [item.sentence for item in fix.items], ["Step 1 is taken out.", "Step 2 is new."]
        )

    def test_a_picture_is_told_by_its_text_alternative_and_its_file(self) -> None:
        picture = make_picture("cable1")
        fields = self.fields(inside=True)
        self.assertEqual(fields["Picture"], f"{{+{picture.alt}+}}")
        self.assertEqual(fields["File of the picture"], f"{{+{picture.sha256[:12]}+}}")
        self.edition = Edition.objects.publish(self.guide, by=None)
        Picture.objects.update(alt=f"{picture.alt} again")
        self.assertEqual(self.fields(inside=True), {"Picture": f"{picture.alt}{{+ again+}}"})

    def test_symptoms(self) -> None:
        self.guide.symptoms.get(key="offline").start_with.set([Fix.objects.get(key="cable")])
        self.assertEqual(self.told(), {"Symptoms": ["“It says offline” changed."]})
        self.assertEqual(
            self.fields()["Fixes to start with"], "[-Restart-]{+Check+} the [-computer-]{+cable+}"
        )
        self.guide.symptoms.get(key="offline").delete()
        self.guide.symptoms.create(text="It hums", position=9)
        self.assertEqual(
            self.told(), {"Symptoms": ["“It says offline” is taken out.", "“It hums” is new."]}
        )

    def test_contacts_of_one_name_are_kept_apart(self) -> None:
        self.guide.contacts.create(name="Printer Support", url="https://printer.example/fr")
        self.assertEqual(self.told(), {"Contacts": ["“Printer Support” is new."]})
        self.guide.contacts.all().update(note="By telephone")
        self.assertEqual(
            self.told(),
            {"Contacts": ["“Printer Support” changed.", "“Printer Support” is new."]},
        )


class ComparePageTests(DeskTestCase):
    def compare(self, **chosen: str) -> str:
        return self.move("compare") + "".join(
            f"{'&' if nth else '?'}{name.strip('_')}={value}"
            for nth, (name, value) in enumerate(chosen.items())
        )

    def second(self, title: str = "The printer is asleep") -> Edition:
        self.edit(title=title)
        return Edition.objects.publish(self.guide, by=self.erin)

    def test_it_compares_what_is_live_with_the_draft(self) -> None:
        self.assertIn("The two are the same, word for word.", self.text(self.compare()))
        self.edit(title="The printer is asleep")
        html = self.html(self.compare())
        self.assertRegex(html, r"<del><span [^>]*>\[crossed out: </span>offline<")
        self.assertRegex(html, r"<ins><span [^>]*>\[added: </span>asleep<")
        said = self.text(self.compare())
        self.assertIn("Title The printer is [crossed out: offline ] [added: asleep ]", said)

    def test_it_compares_two_editions_either_way(self) -> None:
        self.second()
        self.edit(title="Neither")
        forth, back = self.compare(from_="1", to="2"), self.compare(from_="2", to="1")
        self.assertIn("[crossed out: offline ] [added: asleep ]", self.text(forth))
        self.assertIn("[crossed out: asleep ] [added: offline ]", self.text(back))
        self.assertIn("The two are the same", self.text(self.compare(from_="2", to="2")))
        self.assertIn("[crossed out: Neither ]", self.text(self.compare(from_="draft", to="1")))

    def test_a_missing_end_is_the_live_edition_or_the_draft(self) -> None:
        self.second()
        self.edit(title="The printer sulks")
        for url in (self.compare(from_="2"), self.compare(to="draft")):
            self.assertIn("[crossed out: is asleep ] [added: sulks ]", self.text(url))

    def test_an_edition_that_is_not_there_gets_a_sentence(self) -> None:
        theirs = self.jam()
        Edition.objects.publish(theirs, by=None)
        theirs.title = "Twice"
        theirs.save()
        Edition.objects.publish(theirs, by=None)
        for wrong in ("2", "0", "-1", "x", "", "9" * 40, "%00", "1.0", "１"):
            said = self.text(self.compare(from_=wrong, to="draft"))
            self.assertIn("There is no such edition of this guide", said, wrong)

    def test_a_guide_that_was_never_published_gets_a_sentence(self) -> None:
        said = self.text(self.move("compare", self.jam()))
        self.assertIn("This guide was never published", said)

    def test_hostile_text_is_shown_as_text(self) -> None:
        self.edit(title=HOSTILE, about=f"{HOSTILE} **bold** [go](javascript:alert(1))")
        Fix.objects.update(title=HOSTILE, why=HOSTILE)
        Step.objects.update(text=HOSTILE, heading=HOSTILE)
        self.guide.contacts.update(name=HOSTILE)
        html = self.html(self.compare())
        self.assertNotIn("<script>alert", html)
        self.assertNotIn('href="javascript', html)
        self.assertIn("[go](javascript:alert(1))", html)
        self.assertIn("&lt;script&gt;alert", html)

    def test_it_takes_the_permission_to_look_and_no_more(self) -> None:
        self.client.force_login(self.arno)
        self.assertIn("What differs?", self.text(self.compare()))
        self.client.force_login(User.objects.create_user("nobody", is_staff=True))
        self.assertEqual(self.client.get(self.compare()).status_code, 403)
        self.assertEqual(Client().get(self.compare()).status_code, 302)

    def test_it_takes_no_more_queries_when_the_guide_grows(self) -> None:
        self.second()
        pages = [self.compare(from_="1", to="2"), self.compare(), self.move("rollback")]
        before = [self.queries(url) for url in pages]
        for nth in range(4):
            fix = make_fix(f"more{nth}", f"More {nth}", "Do it.", "And again.")
            self.guide.placements.create(fix=fix, position=9 + nth)
            self.guide.symptoms.create(text=f"Symptom {nth}").start_with.add(fix)
            self.guide.contacts.create(name=f"Contact {nth}", url="https://maker.example/")
            self.second(f"Title {nth}")
        pages[0] = self.compare(from_="1", to="6")
        self.assertEqual([self.queries(url) for url in pages], before)

    def queries(self, url: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            self.client.get(url)
        return len(captured)

    def test_the_pages_of_the_guide_lead_to_it(self) -> None:
        self.edit(title="The printer is asleep")
        for url in (admin_url("guide", "change", self.guide.pk), self.move("publish")):
            links = re.findall(r'<a href="([^"]*)">See the differences</a>', self.html(url))
            [link] = [each.replace("&amp;", "&") for each in links]
            self.assertIn("[added: asleep ]", self.text(link))


class RollBackPageTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.edit(title="The second title")
        self.second = Edition.objects.publish(self.guide, by=self.erin)

    def live(self) -> list[int]:
        return list(Edition.objects.live().values_list("number", flat=True))

    def test_it_asks_first_and_lists_the_editions(self) -> None:
        Session.objects.start(self.second, "unknown")
        said = self.text(self.move("rollback"))
        for sentence in (
            "Go back to an earlier edition?",
            "Edition 2 The second title",
            "by erin It is live.",
            "Edition 1 The printer is offline",
            "One visitor is in the middle of it and keeps the edition they started with.",
        ):
            self.assertIn(sentence, said)
        html = self.html(self.move("rollback"))
        self.assertIn('value="Go back to edition 1"', html)
        self.assertNotIn('value="Go back to edition 2"', html)
        self.assertEqual(self.live(), [2])

    def test_it_rolls_back_and_says_that_the_draft_differs(self) -> None:
        said = self.text(self.move("rollback"), number="1")
        self.assertIn("Rolled back: edition 1 is live again.", said)
        self.assertIn("The draft differs from what is live.", said)
        self.assertEqual(self.live(), [1])
        entry = LogEntry.objects.get()
        self.assertEqual((entry.user, entry.object_id), (self.erin, str(self.guide.pk)))
        self.assertEqual(entry.change_message, "Rolled back: edition 1 is live again.")
        self.assertContains(self.client.get("/g/printer-offline/"), "The printer is offline")

    def test_what_cannot_be_is_refused_with_a_sentence(self) -> None:
        for number in ("", "x", "0", "99", "9" * 40, "\x00"):
            said = self.text(self.move("rollback"), number=number)
            self.assertIn("no such edition: nothing was changed", said)
        self.assertIn("Edition 2 is live already.", self.text(self.move("rollback"), number="2"))
        self.assertEqual(self.live(), [2])
        Edition.objects.withdraw(self.guide, "It does <harm>.")
        said = self.text(self.move("rollback"), number="1")
        self.assertIn("Edition 1 was withdrawn and stays closed for good.", said)
        self.assertEqual(self.live(), [])
        self.assertFalse(LogEntry.objects.exists())
        html = self.html(self.move("rollback"))
        self.assertIn("It does &lt;harm&gt;.", html)
        self.assertNotIn('value="Go back', html)

    def test_the_edition_of_another_guide_is_out_of_reach(self) -> None:
        jam = self.jam()
        Edition.objects.publish(jam, by=None)
        said = self.text(self.move("rollback", jam), number="2")
        self.assertIn("no such edition", said)

    def test_a_guide_that_was_never_published_gets_a_sentence(self) -> None:
        self.assertIn("was never published", self.text(self.move("rollback", self.jam())))

    def test_it_takes_the_permission_to_publish(self) -> None:
        looker = User.objects.create_user("looker", is_staff=True)
        names = ["view_guide", "change_guide"]
        looker.user_permissions.set(Permission.objects.filter(codename__in=names))
        for user in (self.arno, looker):
            self.client.force_login(user)
            for data in (None, {"number": "1"}):
                ask: Any = self.client.post if data else self.client.get
                self.assertEqual(ask(self.move("rollback"), data).status_code, 403)
            self.assertNotIn("Roll back", self.text(admin_url("guide", "change", self.guide.pk)))
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.erin)
        self.assertEqual(strict.post(self.move("rollback"), {"number": "1"}).status_code, 403)
        self.assertEqual(self.live(), [2])


class WarningPageTests(DeskTestCase):
    def test_a_warning_is_shown_with_its_link_and_does_not_stop_publishing(self) -> None:
        Step.objects.filter(key="cable1").update(text="Delete it.")
        html = self.html(self.move("publish"))
        self.assertIn("Look at this again", html)
        link = f"{admin_url('guide', 'change', self.guide.pk)}#id_fix.cable.risk"
        self.assertIn(f'<a href="{link}">“Check the cable” says “Delete”', html)
        self.assertIn('value="Publish"', html)
        self.text(self.move("publish"), post="yes")
        self.assertEqual(Edition.objects.live().get().number, 2)

    def test_it_is_shown_beside_what_must_be_mended(self) -> None:
        Step.objects.filter(key="cable1").update(text="Delete it.")
        Step.objects.filter(key="cable2").update(text=" ")
        said = self.text(self.move("publish"), post="yes")
        self.assertLess(said.index("Step 2 of “Check the cable”"), said.index("Look at this again"))
        self.assertEqual(Edition.objects.count(), 1)

    def test_a_finding_in_a_step_leads_to_its_field(self) -> None:
        Step.objects.filter(key="cable2").update(text="x" * 700)
        desk = admin_url("guide", "change", self.guide.pk)
        self.assertIn(f"{desk}#id_step.cable.cable2.text", self.html(self.move("publish")))
        self.assertIn('id="id_step.cable.cable2.text"', self.html(desk))

    def test_no_warning_is_no_heading(self) -> None:
        self.edit(title="Changed")
        self.assertNotIn("Look at this again", self.html(self.move("publish")))
