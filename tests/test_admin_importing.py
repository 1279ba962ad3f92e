"""The review page of an import: each press by hand, as a browser without JavaScript sends it."""

import re
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests.base import rows
from tests.lookalike import ARTICLE, STEPS
from tests.test_admin import HOSTILE, DeskTestCase
from tests.test_moves import LAMP
from tests.test_pictures import plain, saved
from troubleshooter import outbound
from troubleshooter.admin.importing import SourceForm
from troubleshooter.admin.review import FIXES_SHOWN, LINES_SHOWN, PIECES_SHOWN, Review
from troubleshooter.importing.moves import MOST_MOVES
from troubleshooter.importing.source import MOST_CHARACTERS, MOST_LINES
from troubleshooter.models import Edition, Fix, Guide, LogLine, Picture, Source, Topic

URL = reverse("admin:troubleshooter_guide_import")


def long_article() -> str:
    fixes = (f"## Fix {n}: Do {n}\n\n1. Go {n}.\n2. Stay.\n\n" for n in range(1, 60))
    return f"# It is dark\n\n{''.join(fixes)}"


class ImportingTestCase(DeskTestCase):
    """Erin has pasted an article; `press` is what a press on a button sends."""

    page: Any

    def paste(self, text: str, **more: Any) -> str:
        return self.send({"pasted": text, **more})

    def upload(self, name: str, data: bytes) -> str:
        return self.send({"file": SimpleUploadedFile(name, data)})

    def send(self, data: dict[str, Any]) -> str:
        self.page = self.client.post(URL, data)
        self.assertEqual(self.page.status_code, 200)
        return self.html_of_page()

    def html_of_page(self) -> str:
        html: str = self.page.content.decode()
        self.assertEqual(len(re.findall("<h1[ >]", html)), 1)
        return html

    @property
    def review(self) -> Review:
        found: Review = self.page.context["review"]
        return found

    def fields(self) -> dict[str, Any]:
        """What the form holds."""
        form = self.page.context["form"]
        data = {"state": self.page.context["state"], "title": self.review.pieces.title}
        data["summary"] = self.review.pieces.summary
        data |= {f"fix.{card.fix.id}": card.fix.title for card in self.review.cards}
        return data | {bound.html_name: bound.value() or "" for bound in form}

    def press(self, act: str, **typed: Any) -> str:
        return self.send({**self.fields(), "act": act, **typed})

    def save(self, **typed: Any) -> Any:
        """Press the last button; a draft opens."""
        topic = {"new_topic": "Lamps"} if "into" not in typed else {}
        return self.client.post(URL, {**self.fields(), "act": "save", **topic, **typed})

    def named(self, text: str) -> str:
        """The id of a fix by its title, or of a piece by its words."""
        pieces = self.review.pieces
        fixes = [*pieces.fixes, *pieces.dropped]
        named = [each.id for each in fixes if getattr(each, "title", "") == text]
        shown = (*pieces.walk(), *pieces.dropped)
        return [*named, *(p.id for p in shown if text in getattr(p, "text", ""))][0]

    def outline(self) -> dict[str, int]:
        return {fix.title: len(fix.steps) for fix in self.review.pieces.fixes}


class ReadingTests(ImportingTestCase):
    def test_the_list_of_guides_leads_to_the_import(self) -> None:
        self.assertIn(URL, self.html(reverse("admin:troubleshooter_guide_changelist")))
        self.assertIn("An article you already have", self.html(URL))

    def test_a_pasted_text_is_shown_beside_what_becomes_of_it(self) -> None:
        html = self.paste(LAMP)
        self.assertEqual(self.outline(), {"Change the bulb": 3, "Look at the fuse": 2})
        self.assertIn("% sure.", html)
        for reason in self.review.pieces.fixes[0].reasons:
            self.assertIn(reason, html)
        self.assertIn('id="L7"', html)
        self.assertIn("The source gives other titles, too", html)
        self.assertIn("An advertisement", html)
        self.assertIn("Buy our lamp", html)

    def test_of_an_article_on_one_line_what_is_kept_is_what_the_line_became(self) -> None:
        fixes = "".join(f"<h2>Fix {n}: Do {n}</h2><ol><li>Press {n}.</li></ol>" for n in (1, 2))
        self.send(
            {"file": SimpleUploadedFile("a.html", f"<h1>Dark</h1>{fixes}<p>Share</p>".encode())}
        )
        [line] = self.review.lines
        self.assertTrue(self.review.left)
        self.assertEqual((line.mark, line.kind), ("Fix 2", "fix"))

    def test_an_uploaded_file_of_any_encoding_is_read(self) -> None:
        text = "# Lampe geht nicht\n\n## Lösung 1: Hören\n\n1. Hör zu.\n"
        self.upload("lampe.md", text.encode("utf-16"))
        self.assertEqual(self.outline(), {"Hören": 1})
        self.assertEqual(self.review.understood.name, "lampe.md")

    def test_what_cannot_be_read_is_refused_with_a_sentence_at_its_field(self) -> None:
        self.assertIn("There is no text in it.", self.upload("empty.md", b""))
        self.assertIn("of the kind PDF", self.upload("a.md", b"%PDF-1.4"))
        self.assertIn("too long for an article", self.paste("a " * 600_000))
        self.assertIn("This is JSON", self.paste('{"a": 1}'))
        for empty in ({}, {"pasted": "  \n"}):
            self.assertIn("Choose a file, or paste", self.send(empty))

    def test_nul_and_what_no_database_stores_does_no_harm(self) -> None:
        text = b"# It is dark\x00\n\n## Fix 1: G\x00o on\x0b\n\n1. G\x00o.\n"
        self.upload("dark\x00.md", text + b"\xed\xa0\x80")
        self.assertEqual(self.save().status_code, 303)

    def test_a_file_of_just_the_size_that_the_form_names_is_read(self) -> None:
        picture = b"\n\n![A lamp](data:image/png;base64," + b"A" * settings.FILE_LIMIT
        article = (LAMP.encode() + picture)[: settings.FILE_LIMIT - 1] + b")"
        self.upload("lamp.md", article)
        self.assertEqual(self.outline(), {"Change the bulb": 3, "Look at the fuse": 2})
        self.assertIn("more than 8 MiB", self.upload("lamp.md", article + b"\n"))

    def test_the_form_says_how_long_an_article_may_be(self) -> None:
        said = SourceForm().fields["file"].help_text
        self.assertIn(f"{MOST_CHARACTERS:,} characters and {MOST_LINES:,} lines", said)
        self.assertIn(f"{settings.FILE_LIMIT >> 20} MiB", said)

    def test_more_than_the_settings_allow_is_refused_before_it_is_read(self) -> None:
        response = self.client.post(URL, {"file": SimpleUploadedFile("a.md", b"a" * 8_500_000)})
        self.assertEqual(response.status_code, 413)

    def test_an_article_that_is_not_about_trouble_is_flagged_and_goes_on(self) -> None:
        html = self.paste("# The 10 best lamps\n\n## 1. Shiny\n\nBuy it.\n\n## 2. New\n\nNice.\n")
        self.assertIn("This does not look like an article about trouble.", html)
        self.assertEqual(self.save().status_code, 303)

    def test_nothing_is_written_before_the_last_press(self) -> None:
        before = rows()
        self.paste(LAMP)
        self.press(f"junk:{self.named('Look at the fuse')}")
        self.press("keep", title="Another")
        self.assertEqual(rows(), before)

    def test_only_who_may_write_guides_comes_here(self) -> None:
        self.paste(LAMP)
        fields = self.fields()
        self.client.force_login(self.arno)
        self.assertEqual(self.client.get(URL).status_code, 403)
        for data in ({"pasted": LAMP}, {**fields, "act": "save", "new_topic": "L"}):
            self.assertEqual(self.client.post(URL, data).status_code, 403)
        self.client.logout()
        self.assertIn("/admin/login/", self.client.get(URL)["Location"])
        self.assertFalse(Source.objects.exists())

    def test_looking_costs_the_same_however_long_the_article_is(self) -> None:
        for text in (LAMP, long_article()):
            with self.assertStatements(most=8):
                self.paste(text)


class MoveTests(ImportingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.paste(LAMP)

    def test_split(self) -> None:
        self.assertIn("split in two", self.press(f"split:{self.named('new one')}"))
        self.assertEqual(
            self.outline(), {"Change the bulb": 1, "Screw a new one in": 2, "Look at the fuse": 2}
        )

    def test_merge_and_undo(self) -> None:
        self.press(f"merge:{self.named('Look at the fuse')}")
        self.assertEqual(self.outline(), {"Change the bulb": 5})
        self.assertIn("undone", self.press("undo"))
        self.assertEqual(self.outline(), {"Change the bulb": 3, "Look at the fuse": 2})

    def test_promote(self) -> None:
        self.press(f"promote:{self.named('Use better')}")
        self.assertEqual(self.outline()["Prevention"], 1)

    def test_demote(self) -> None:
        self.press(f"demote:{self.named('Look at the fuse')}")
        self.assertEqual(self.outline(), {"Change the bulb": 5})
        self.assertIn("Look at the fuse", self.html_of_page())

    def test_junk_and_back(self) -> None:
        self.assertIn("Marked as junk", self.press(f"junk:{self.named('Look at the fuse')}"))
        self.assertEqual(self.outline(), {"Change the bulb": 3})
        self.assertIn("You marked it as junk.", self.html_of_page())
        self.press(f"back:{self.named('Look at the fuse')}")
        self.press(f"back:{self.named('Buy our lamp')}")
        self.assertIn("Nothing was left out.", self.html_of_page())

    def test_a_piece_becomes_something_else(self) -> None:
        self.press(f"use:{self.named('Keep the old')}:step")
        self.assertEqual(self.outline()["Change the bulb"], 4)

    def test_titles_that_were_typed_are_kept_by_every_press(self) -> None:
        bulb = self.named("Change the bulb")
        typed = {f"fix.{bulb}": "Take another bulb", "title": "Dark"}
        self.press(f"junk:{self.named('Switch it on')}", **typed)
        self.assertEqual(self.outline()["Take another bulb"], 2)
        self.assertEqual(self.review.pieces.title, "Dark")

    def test_the_other_title_is_taken_by_a_press(self) -> None:
        self.press("title::My lamp stays dark")
        self.assertEqual(self.review.pieces.title, "My lamp stays dark")
        self.assertEqual(self.review.other_titles, ["Ten nice lamps"])

    def test_what_cannot_be_done_is_said_and_changes_nothing(self) -> None:
        before = self.outline()
        first = self.named("Change the bulb")
        for act in ("split:nonsense", f"merge:{first}", f"demote:{first}", "fly:x", "use:x:y"):
            self.assertIn("nothing was changed", self.press(act))
            self.assertEqual(self.outline(), before)

    def test_a_text_that_cannot_be_is_refused_with_a_sentence(self) -> None:
        self.assertIn("too long", self.press("save", title="x" * 6_000, new_topic="Lamps"))
        self.assertIn("cannot be stored", self.press("save", summary="a\x00", new_topic="Lamps"))
        self.assertFalse(Source.objects.exists())

    def test_moves_have_an_end(self) -> None:
        with patch("troubleshooter.admin.importing.MOST_MOVES", 1):
            self.press(f"junk:{self.named('Switch it on')}")
            self.assertIn("too many moves", self.press(f"junk:{self.named('Unscrew')}"))
        self.assertGreater(MOST_MOVES, 100)

    def test_a_state_that_is_not_ours_is_refused(self) -> None:
        for state in ("", "nonsense", f"{self.fields()['state']}x"):
            self.page = self.client.post(URL, {"state": state, "act": "save"})
            self.assertContains(self.page, "choose the source again")

    def test_htmx_gets_the_same_page(self) -> None:
        data = {**self.fields(), "act": f"junk:{self.named('Unscrew')}"}
        page = self.client.post(URL, data, headers={"HX-Request": "true"})
        self.assertContains(page, 'id="review"')


class SaveTests(ImportingTestCase):
    def test_a_draft_is_saved_and_the_desk_opens(self) -> None:
        self.upload("camera.md", ARTICLE.encode())
        self.press(f"junk:{self.named('Leave Videos Out')}")
        response = self.save(new_topic="Cameras", title="The camera does not upload")
        guide = Guide.objects.get(title="The camera does not upload")
        self.assertRedirects(
            response,
            reverse("admin:troubleshooter_guide_change", args=[guide.pk]),
            status_code=303,
            fetch_redirect_response=False,
        )
        desk = self.client.get(response["Location"]).content.decode()
        self.assertIn("Imported as a draft.", desk)
        fixes = [each.fix.steps.count() for each in guide.placements.all()]
        self.assertEqual(fixes, [*STEPS[:6], STEPS[7]])
        self.assertEqual(LogLine.objects.get(guide=guide).by, self.erin)
        self.assertEqual(Source.objects.get(guide=guide).by, self.erin)
        self.assertFalse(Edition.objects.filter(guide=guide).exists())

    def test_a_topic_is_needed_for_a_new_guide(self) -> None:
        self.paste(LAMP)
        self.page = self.save(new_topic="")
        self.assertContains(self.page, "Choose a topic, or name a new one.")
        self.assertFalse(Source.objects.exists())
        topic = Topic.objects.get(slug="printer")
        self.assertEqual(self.save(new_topic="", topic=topic.pk).status_code, 303)
        self.assertEqual(Source.objects.get().guide.topic, topic)

    def test_the_language_is_what_the_source_says_unless_the_editor_says_otherwise(self) -> None:
        text = "---\nlang: de-AT\ntitle: Lampe bleibt dunkel\n---\n## Lösung 1: Birne\n\n1. Los.\n"
        self.paste(text)
        self.save()
        self.assertEqual(Source.objects.get().guide.language, "de")
        self.paste(text.replace("Los", "Weiter"))
        self.save(language="es", into="new", new_topic="Lamps")
        self.assertEqual(Source.objects.latest("at").guide.language, "es")

    def test_importing_again_offers_the_update_and_makes_the_moves_again(self) -> None:
        self.upload("camera.md", ARTICLE.encode())
        self.press(f"junk:{self.named('Leave Videos Out')}")
        self.save()
        guide = Source.objects.get().guide
        keys = [each.fix.key for each in guide.placements.all()]
        html = self.upload("camera.md", ARTICLE.replace("ten seconds", "a minute").encode())
        self.assertIn("This source was imported before.", html)
        self.assertNotIn("Leave Videos Out", self.outline())
        self.assertEqual(self.fields()["into"], str(guide.pk))
        response = self.save(into=str(guide.pk))
        desk = self.client.get(response["Location"]).content.decode()
        self.assertIn("The draft is updated from its source.", desk)
        self.assertEqual([each.fix.key for each in guide.placements.all()], keys)
        self.assertEqual(Source.objects.count(), 1)
        steps = [step.text for step in Fix.objects.get(key=keys[4]).steps.all()]
        self.assertIn("a minute", " ".join(steps))

    def test_the_editor_may_make_a_new_guide_of_it_all_the_same(self) -> None:
        self.upload("camera.md", ARTICLE.encode())
        self.save()
        self.upload("camera.md", ARTICLE.encode())
        self.save(into="new", new_topic="Cameras")
        self.assertEqual(Source.objects.count(), 2)

    def test_the_editor_may_choose_any_guide_to_update(self) -> None:
        self.paste("# Offline\n\n## Fix 1: Check the cable\n\n1. Look at both ends.\n2. Wait.\n")
        self.assertContains(self.save(other="no-such-guide"), "No guide is there.")
        said = "Address of another guide to update: Type what stands between /g/ and /"
        self.assertContains(self.save(other="The printer is offline"), said)
        response = self.save(other="printer-offline", new_topic="")
        self.assertEqual(response.status_code, 303)
        self.assertEqual(Source.objects.get().guide, self.guide)
        self.assertEqual(Fix.objects.get(key="cable").steps.count(), 3)

    def test_an_update_of_a_guide_that_is_gone_is_a_sentence(self) -> None:
        self.upload("camera.md", ARTICLE.encode())
        self.save()
        self.upload("camera.md", ARTICLE.encode())
        fields = self.fields()
        Source.objects.get().guide.delete()
        page = self.client.post(URL, {**fields, "act": "save"})
        self.assertContains(page, "Select a valid choice")


class PictureTests(ImportingTestCase):
    ADDRESS = "https://pictures.example/queue.jpg"

    def test_nothing_is_fetched_unless_the_editor_asks(self) -> None:
        with patch.object(outbound, "fetch") as fetch:
            html = self.paste(ARTICLE)
            self.press("keep")
            self.save()
        self.assertIn(self.ADDRESS, html)
        self.assertNotIn("<img", html)
        fetch.assert_not_called()

    def test_what_was_ticked_is_fetched_when_the_draft_is_saved_and_stays_ticked(self) -> None:
        self.paste(ARTICLE)
        self.assertRegex(self.press("keep", picture=self.ADDRESS), f'"{self.ADDRESS}" checked')
        answer = outbound.Answer("", 200, "image/png", saved(plain()), True)
        with patch.object(outbound, "fetch", return_value=answer):
            self.save(picture=self.ADDRESS)
        self.assertEqual(Picture.objects.get(name="queue").alt, "queue-on-camera")

    def test_what_was_not_had_is_said_on_the_desk(self) -> None:
        self.paste(ARTICLE)
        with patch.object(outbound, "fetch", side_effect=outbound.Away("It is away.")):
            response = self.save(picture=self.ADDRESS)
        self.assertContains(self.client.get(response["Location"]), "It is away.")

    def test_only_who_may_add_pictures_fetches_them(self) -> None:
        self.erin.groups.clear()
        every = Permission.objects.filter(content_type__app_label="troubleshooter")
        self.erin.user_permissions.set(every.exclude(codename="add_picture"))
        self.paste(ARTICLE)
        with patch.object(outbound, "fetch") as fetch:
            self.assertEqual(self.save(picture=self.ADDRESS).status_code, 403)
        fetch.assert_not_called()


class HostileTests(ImportingTestCase):
    def test_markup_is_shown_as_text_wherever_it_stands(self) -> None:
        text = (
            f"---\ntitle: '{HOSTILE}'\n---\n# {HOSTILE} is broken\n\n## Symptoms\n\n- {HOSTILE}\n\n"
            f"## Fix 1: {HOSTILE} Go\n\n`{HOSTILE}`\n\n1. `{HOSTILE}` Go.\n\n"
            f"   ![{HOSTILE}](javascript:alert(1))\n\n> **Note:** `{HOSTILE}`\n\n"
            "<!-- ads begin --><script>alert(2)</script><img src=x onerror=alert(3)>"
            "<!-- ads end -->\n"
        )
        html = self.send({"file": SimpleUploadedFile(f"{HOSTILE}.md", text.encode())})
        html += self.press("keep", title=HOSTILE, summary=HOSTILE, new_topic=HOSTILE)
        html += self.press(f"junk:{self.review.pieces.fixes[0].id}")
        html += self.press(f"back:{self.review.pieces.dropped[0].id}")
        self.assertEqual(re.findall(r"<script>|<img|<iframe|<[^>]*\son\w+=", html), [])
        self.assertIn("&lt;script&gt;", html)

    def test_long_articles_are_shown_in_parts(self) -> None:
        html = self.paste(long_article())
        self.assertEqual(len(self.review.cards), FIXES_SHOWN)
        self.assertIn("Page 1 of 3", html)
        self.press("fixes:3")
        self.assertEqual(self.review.cards[0].number, 2 * FIXES_SHOWN + 1)
        self.press(f"junk:{self.review.cards[0].fix.id}", fixes_page="3")
        self.assertEqual(self.review.fixes.number, 3)
        for page in ("0", "99", "x"):
            self.press(f"fixes:{page}")

    def test_what_is_not_shown_is_kept(self) -> None:
        steps = "\n".join(f"{n}. Turn it {n} times." for n in range(1, PIECES_SHOWN + 11))
        rest = "\n\nText.\n" * (LINES_SHOWN // 2)
        html = self.paste(f"# Dark\n\n## Fix 1: Go\n\n{steps}{rest}")
        self.assertIn("which are kept but not shown here", html)
        self.assertIn("more lines, which are not shown here", html)
        self.save()
        fix = Source.objects.get().guide.placements.get().fix
        self.assertEqual(fix.steps.count(), PIECES_SHOWN + 10)
