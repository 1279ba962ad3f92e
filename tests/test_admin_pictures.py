"""Pictures at the desk: added with or without JavaScript, and kept while anything shows them."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests.test_admin import DeskTestCase, admin_url, make_picture
from tests.test_pictures import HTML, SVG, halves, plain, saved
from troubleshooter.models import Edition, Picture, Step

ADD = "/admin/troubleshooter/picture/add/"


def upload(data: bytes | None = None, name: str = "Both halves.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, saved(halves()) if data is None else data)


class AddTests(DeskTestCase):
    def test_only_who_may_add_pictures_is_let_in(self) -> None:
        for user, status in ((self.erin, 200), (self.ada, 200), (self.arno, 403)):
            self.client.force_login(user)
            self.assertEqual(self.client.get(ADD).status_code, status, user.username)

    def add(self, **changed: Any) -> Any:
        fields = {"file": upload(), "name": "Both halves", "alt": "Red beside blue"} | changed
        return self.client.post(ADD, fields)

    def test_a_file_with_its_words_becomes_a_picture(self) -> None:
        self.assertRedirects(self.add(), admin_url("picture", "changelist"))
        picture = Picture.objects.get()
        self.assertEqual((picture.kind, picture.name), ("webp", "Both halves"))
        self.assertEqual((picture.alt, picture.width), ("Red beside blue", 60))
        self.assertEqual(LogEntry.objects.get().object_id, str(picture.pk))
        self.assertIn(f"/p/{picture.sha256}.webp", self.html(admin_url("picture", "changelist")))

    def test_beside_a_step_it_is_added_in_a_window_that_hands_it_over(self) -> None:
        response = self.add(_popup="1")
        self.assertTemplateUsed(response, "admin/popup_response.html")
        self.assertContains(response, f"&quot;value&quot;: &quot;{Picture.objects.get().pk}&quot;")

    def test_the_form_sends_files_and_works_without_its_script(self) -> None:
        html = self.html(ADD)
        self.assertIn('enctype="multipart/form-data"', html)
        self.assertIn('accept="image/png,image/jpeg,image/webp,image/gif"', html)
        self.assertIn("/static/js/pictures.js", html)
        self.assertNotIn("style=", html[html.index("data-picture") :])

    def test_the_words_are_required(self) -> None:
        for name in ("file", "name", "alt"):
            response = self.add(**{name: ""})
            self.assertContains(response, "This field is required.")
        self.assertFalse(Picture.objects.exists())

    def test_what_cannot_be_taken_is_refused_at_its_field(self) -> None:
        for data, said in ((SVG, "also SVG and HEIC"), (HTML, "choose a PNG"), (b"", "empty")):
            response = self.add(file=upload(data, "cat.png"))
            self.assertIn(said, str(response.context["adminform"].form.errors["file"]))
        self.assertFalse(Picture.objects.exists())

    def test_a_picture_that_is_here_already_takes_the_new_words_and_says_just_that(self) -> None:
        self.add()
        self.client.get(ADD)  # where the first one is said to be added
        response = self.client.post(
            ADD, {"file": upload(), "name": "Halves", "alt": "Two halves"}, follow=True
        )
        self.assertContains(response, "This picture was here already")
        self.assertNotContains(response, "was added successfully")
        self.assertEqual(Picture.objects.get().alt, "Two halves")

    def test_more_than_the_desk_accepts_is_refused_before_it_is_read(self) -> None:
        self.assertEqual(self.add(file=upload(b"\x00" * (9 << 20))).status_code, 413)

    def test_changing_a_picture_leaves_its_bytes(self) -> None:
        picture = make_picture("cable1")
        url = admin_url("picture", "change", picture.pk)
        self.assertIn(reverse("picture", args=[picture.sha256, "svg"]), self.html(url))
        data = {"name": "Both ends", "alt": "A cable", "sha256": "0" * 64, "kind": "webp"}
        self.client.post(url, data | {"file": upload()})
        changed = Picture.objects.get()
        self.assertEqual((changed.name, changed.alt), ("Both ends", "A cable"))
        self.assertEqual((changed.sha256, changed.kind), (picture.sha256, picture.kind))
        self.assertEqual(bytes(changed.content), b"<svg/>")


class DeleteTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.picture = Picture.objects.store(saved(halves()), "Both halves", "Red beside blue")

    def delete(self) -> str:
        """What the two ways to delete it say; the same."""
        chosen = {"action": "delete_selected", "_selected_action": str(self.picture.pk)}
        self.text(admin_url("picture", "changelist"), **chosen, post="yes")
        if not Picture.objects.exists():
            return ""
        return self.text(admin_url("picture", "delete", self.picture.pk), post="yes")

    def test_one_that_nobody_names_can_be_deleted(self) -> None:
        self.assertEqual(self.delete(), "")
        other = Picture.objects.store(saved(plain()), "Red", "Red")
        self.text(admin_url("picture", "delete", other.pk), post="yes")
        self.assertFalse(Picture.objects.exists())

    def test_one_that_a_step_names_stays(self) -> None:
        Step.objects.filter(key="cable1").update(picture=self.picture)
        self.assertIn("give the steps another picture", self.delete())
        self.assertTrue(Picture.objects.exists())

    def test_one_that_an_edition_names_stays_also_when_no_step_does(self) -> None:
        Step.objects.filter(key="cable1").update(picture=self.picture)
        Edition.objects.publish(self.guide, by=None)
        Step.objects.update(picture=None)
        said = self.delete()
        self.assertIn("give the steps another picture", said)
        self.assertIn("“Both halves” is shown by The printer is offline, edition 2", said)
        self.assertTrue(Picture.objects.exists())

    def test_an_agent_deletes_none(self) -> None:
        self.client.force_login(self.arno)
        url = admin_url("picture", "delete", self.picture.pk)
        self.assertEqual(self.client.post(url, {"post": "yes"}).status_code, 403)
