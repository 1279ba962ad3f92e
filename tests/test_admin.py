"""The desk: what each role may do, and the pages that take a guide to its visitors."""

import hashlib
import re
from datetime import date, timedelta
from html import unescape
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.forms import BooleanField, FileField, MultipleChoiceField
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.base import CastTestCase, make_fix, make_staff, walk
from troubleshooter.apps import make_roles
from troubleshooter.models import (
    Edition,
    Fix,
    Guide,
    MissedSearch,
    Picture,
    Placement,
    Session,
    Step,
    Symptom,
    Topic,
)

HOSTILE = '<script>alert("1")</script>{{ 7|add:7 }}'
MOVES = ("publish", "unpublish", "withdraw")
LISTS = ("topic", "contact", "picture", "fix", "guide", "edition", "session")


def admin_url(model: str, page: str, *args: Any) -> str:
    return reverse(f"admin:troubleshooter_{model}_{page}", args=args)


class DeskTestCase(CastTestCase):
    """Erin is an editor and logged in; Arno is an agent, Ada an administrator."""

    erin: User
    arno: User
    ada: User

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.erin = make_staff("erin", "Editor")
        cls.arno = make_staff("arno", "Agent")
        cls.ada = make_staff("ada", "Administrator")

    def setUp(self) -> None:
        self.client.force_login(self.erin)

    def move(self, name: str, guide: Guide | None = None) -> str:
        return admin_url("guide", name, (guide or self.guide).pk)

    def html(self, url: str, **data: str) -> str:
        """The page a GET shows, or where a POST leads when there is something to post."""
        if data:
            response = self.client.post(url, data, follow=True)
        else:
            response = self.client.get(url, follow=True)
        self.assertEqual(response.status_code, 200, url)
        html = response.content.decode()
        self.assertEqual(len(re.findall("<h1[ >]", html)), 1, url)
        return html

    def text(self, url: str, **data: str) -> str:
        """The words of that page."""
        bare = re.sub(r"<[^>]*>", " ", self.html(url, **data))
        return " ".join(unescape(bare).split())

    def form(self, url: str) -> dict[str, Any]:
        """What a browser posts from a change page that nobody touched."""
        response = self.client.get(url)
        if "desk" in response.context:
            return self.desk_form(response)
        context = response.context
        forms = [context["adminform"].form]
        for inline in context["inline_admin_formsets"]:
            forms += [inline.formset.management_form, *inline.formset.forms]
        return {
            bound.html_name: bound.value()
            for form in forms
            for bound in form
            if bound.value() is not None and bound.value() is not False
        }

    def desk_form(self, response: Any) -> dict[str, Any]:
        """What a browser posts from a desk, in the order of its rows."""
        data: dict[str, Any] = {"base": response.context.get("base", ""), "act": "save"}
        for form in response.context["desk"].forms:
            for bound in form:
                value = bound.value()
                if isinstance(bound.field, FileField):
                    continue
                if isinstance(bound.field, BooleanField | MultipleChoiceField):
                    value = value or []  # a box that is not ticked is not sent
                data[bound.html_name] = "" if value is None else value
        return data

    def edit(self, **changed: str) -> None:
        Guide.objects.filter(pk=self.guide.pk).update(**changed)

    def jam(self, **fields: str) -> Guide:
        """A second guide, which shares the restart and has no steps of its own."""
        fields = {"slug": "jam", "title": "The paper jams", "summary": "Paper stays in."} | fields
        guide = Guide.objects.create(topic=self.guide.topic, **fields)
        Placement.objects.create(guide=guide, fix=Fix.objects.get(key="restart"), position=1)
        return guide


class RoleTests(DeskTestCase):
    def test_the_roles_are_made_once_and_what_an_operator_added_stays(self) -> None:
        agent = Group.objects.get(name="Agent")
        ours = Permission.objects.filter(content_type__app_label="troubleshooter")
        agent.permissions.add(ours.get(codename="add_topic"))
        agent.permissions.remove(ours.get(codename="view_session"))
        make_roles(apps.get_app_config("troubleshooter"))
        self.assertEqual(Group.objects.count(), 3)
        self.assertTrue(self.arno.has_perms(["troubleshooter.add_topic"]))
        self.assertTrue(self.arno.has_perm("troubleshooter.view_session"))

    def test_no_role_sees_who_is_logged_in(self) -> None:
        make_roles(apps.get_app_config("troubleshooter"))  # once more, now that all apps are there
        for user in (self.arno, self.erin, self.ada):
            self.assertFalse(user.has_module_perms("sessions"))

    def test_every_role_opens_the_pages_it_should(self) -> None:
        expected = {"erin": 200, "ada": 200, "arno": 403}
        for user in (self.erin, self.ada, self.arno):
            self.client.force_login(user)
            for name in MOVES:
                response = self.client.get(self.move(name))
                self.assertEqual(response.status_code, expected[user.username], name)
            self.assertEqual(self.client.get(self.move("preview")).status_code, 200)
            for model in LISTS:
                response = self.client.get(admin_url(model, "changelist"))
                self.assertEqual(response.status_code, 200, model)
            response = self.client.get(reverse("admin:auth_user_changelist"))
            self.assertEqual(response.status_code, 200 if user == self.ada else 403)

    def test_an_agent_changes_nothing(self) -> None:
        self.client.force_login(self.arno)
        for name in MOVES:
            response = self.client.post(self.move(name), {"reason": "Because."})
            self.assertEqual(response.status_code, 403, name)
        url = admin_url("guide", "changelist")
        self.client.post(url, {"action": "publish_chosen", "_selected_action": self.guide.pk})
        for model, row in (("guide", self.guide), ("fix", Fix.objects.all()[0])):
            response = self.client.post(admin_url(model, "change", row.pk), {"title": "Mine"})
            self.assertEqual(response.status_code, 403)
        self.assertEqual(list(Edition.objects.live()), [self.edition])
        self.assertFalse(LogEntry.objects.exists())
        self.assertNotIn("Publish", self.text(admin_url("guide", "change", self.guide.pk)))

    def test_publishing_takes_both_permissions_and_a_role_to_look(self) -> None:
        for codenames, refused in (
            ([], ("preview", *MOVES)),
            (["view_guide", "change_guide"], MOVES),
            (["view_guide", "publish_guide"], MOVES),
        ):
            user = User.objects.create_user("-".join(["u", *codenames]), is_staff=True)
            user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
            self.client.force_login(user)
            for name in refused:
                self.assertEqual(self.client.get(self.move(name)).status_code, 403, name)

    def test_the_login_page_has_a_heading_and_no_numbers(self) -> None:
        self.client.logout()
        html = self.html(reverse("admin:login"))
        self.assertNotIn(reverse("numbers"), html)

    def test_whoever_is_not_logged_in_is_sent_to_the_login(self) -> None:
        for name in ("preview", *MOVES):
            for method in ("get", "post"):
                response = getattr(Client(), method)(self.move(name))
                login = f"{reverse('admin:login')}?next={self.move(name)}"
                self.assertRedirects(response, login)

    def test_a_post_without_its_token_is_refused(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.erin)
        for name in MOVES:
            response = strict.post(self.move(name), {"reason": "Because."})
            self.assertEqual(response.status_code, 403)
        self.assertTrue(Edition.objects.live().exists())

    def test_an_administrator_cannot_make_or_change_a_superuser(self) -> None:
        root = User.objects.create_superuser("root", password="a long password for root")
        self.client.force_login(self.ada)
        url = reverse("admin:auth_user_change", args=[self.arno.pk])
        agent = Group.objects.get(name="Editor")
        data = self.form(url) | {"is_superuser": "on", "groups": [agent.pk]}
        data |= {"user_permissions": [Permission.objects.get(codename="delete_edition").pk]}
        data |= {"date_joined_0": "2026-01-01", "date_joined_1": "10:00"}
        self.assertRedirects(
            self.client.post(url, data | {"last_login_0": "", "last_login_1": ""}),
            reverse("admin:auth_user_changelist"),
        )
        arno = User.objects.get(pk=self.arno.pk)
        self.assertEqual((arno.is_superuser, arno.groups.get().name), (False, "Editor"))
        self.assertFalse(arno.user_permissions.exists())
        for page in ("change", "delete"):
            url = reverse(f"admin:auth_user_{page}", args=[root.pk])
            self.assertEqual(self.client.post(url, {"post": "yes"}).status_code, 403)
        url = reverse("admin:auth_user_password_change", args=[root.pk])
        self.assertEqual(self.client.get(url).status_code, 403)


class PageTests(DeskTestCase):
    def test_every_page_of_the_desk_opens_and_leads_to_the_numbers(self) -> None:
        session = walk(self.start("offline"), "not_fixed", "cant_find", "fixed")
        make_picture("cable1")
        rows = {
            "topic": self.guide.topic,
            "contact": self.guide.contacts.get(),
            "picture": Picture.objects.get(),
            "fix": Fix.objects.get(key="cable"),
            "guide": self.guide,
            "edition": self.edition,
            "session": session,
        }
        pages = [reverse("admin:index")]
        pages += [admin_url(model, "changelist") for model in rows]
        pages += [admin_url(model, "change", row.pk) for model, row in rows.items()]
        pages += [
            admin_url(model, "add") for model in ("topic", "contact", "picture", "fix", "guide")
        ]
        pages += [self.move(name) for name in MOVES]
        for url in pages:
            self.assertIn(f'href="{reverse("numbers")}"', self.html(url))

    def test_records_can_only_be_looked_at(self) -> None:
        self.client.force_login(User.objects.create_superuser("root"))
        for model, row in {"edition": self.edition, "session": self.start()}.items():
            self.assertEqual(self.client.get(admin_url(model, "add")).status_code, 403)
            url = admin_url(model, "delete", row.pk)
            self.assertEqual(self.client.post(url, {"post": "yes"}).status_code, 403)
            url = admin_url(model, "change", row.pk)
            self.assertEqual(self.client.post(url, {"title": "Mine"}).status_code, 403)

    def test_records_tell_their_language_by_its_own_name(self) -> None:
        missed = MissedSearch.objects.create(day=date(2026, 3, 7), language="ar", text="toaster")
        Edition.objects.update(language="es")
        session = self.start()
        self.assertIn(">العربيّة<", self.html(admin_url("missedsearch", "changelist")))
        self.assertIn(">العربيّة<", self.html(admin_url("missedsearch", "change", missed.pk)))
        self.assertIn(">español<", self.html(admin_url("edition", "change", self.edition.pk)))
        self.assertIn(">English<", self.html(admin_url("session", "change", session.pk)))

    def test_records_are_filtered_by_a_language_with_its_own_name(self) -> None:
        for language in ("de", "en"):
            MissedSearch.objects.create(day=date(2026, 3, 7), language=language, text=language * 5)
        for model, mine, other in (
            ("missedsearch", "dedededede", "enenenenen"),
            ("edition", "0 editions", self.edition.title),
        ):
            with self.subTest(model=model):
                html = self.html(admin_url(model, "changelist"))
                self.assertRegex(html, r'<a href="\?language=de"[^>]*>\s*Deutsch\s*</a>')
                self.assertIn(other, html)
                html = self.html(f"{admin_url(model, 'changelist')}?language=de")
                self.assertIn(mine, html)
                self.assertNotIn(other, html)

    def test_a_session_shows_its_path_and_never_its_key(self) -> None:
        session = walk(self.start("offline"), "not_fixed", "cant_find", "fixed")
        html = self.html(admin_url("session", "change", session.pk))
        for said in ("It says offline", "Update the driver", "I can’t find it", "Still broken"):
            self.assertIn(said, unescape(html))
        listed = self.html(admin_url("session", "changelist") + f"?q={session.public_id}")
        self.assertIn(session.public_id, listed)
        for page in (html, listed):
            self.assertNotIn(session.key, page)
            self.assertNotIn("View on site", page)

    def test_a_contact_without_a_scheme_gets_https(self) -> None:
        data = {"language": "en", "name": "Maker", "url": "maker.example/help", "position": "1"}
        self.client.post(admin_url("contact", "add"), data)
        self.assertTrue(self.guide.contacts.model.objects.filter(url="https://maker.example/help"))

    def test_the_list_of_guides_says_how_each_stands(self) -> None:
        url = admin_url("guide", "changelist")
        self.jam()
        listed = self.text(url)
        self.assertIn("The printer is offline Printer English live, edition 1", listed)
        self.assertIn("The paper jams Printer English not published", listed)
        Edition.objects.withdraw(self.guide, "It does harm.")
        self.assertIn("The printer is offline Printer English withdrawn", self.text(url))
        for state, titles in {
            "live": [],
            "withdrawn": ["The printer is offline"],
            "unpublished": ["The paper jams"],
        }.items():
            shown = self.client.get(url, {"state": state}).context["cl"].result_list
            self.assertEqual([guide.title for guide in shown], titles)

    def test_lists_and_change_pages_take_no_more_queries_when_they_grow(self) -> None:
        make_picture("driver1")
        session = walk(self.start(), "not_fixed")
        pages = [
            admin_url("guide", "changelist"),
            admin_url("guide", "change", self.guide.pk),
            admin_url("fix", "changelist"),
            admin_url("fix", "change", Fix.objects.get(key="driver").pk),
            admin_url("session", "changelist"),
            admin_url("session", "change", session.pk),
            admin_url("edition", "changelist"),
            self.move("publish"),
        ]
        seen = [(self.erin, url) for url in pages] + [(self.arno, url) for url in pages[1:4:2]]
        for _warm in range(2):  # content types are looked up once in each process
            before = [self.queries(user, url) for user, url in seen]
        self.grow()
        walk(session, "not_fixed", "not_fixed")
        self.assertEqual([self.queries(user, url) for user, url in seen], before)
        self.assertLess(max(before), 40)

    def queries(self, user: User, url: str) -> int:
        self.client.force_login(user)
        with CaptureQueriesContext(connection) as captured:
            self.client.get(url)
        return len(captured)

    def grow(self) -> None:
        restart = Fix.objects.get(key="restart")
        driver = Fix.objects.get(key="driver")
        for nth in range(3):
            fix = make_fix(f"more{nth}", f"More {nth}", "Do it.")
            self.guide.placements.create(fix=fix, position=9 + nth).after.add(restart, driver)
            self.guide.symptoms.create(text=f"Symptom {nth}").start_with.add(fix, restart)
            self.guide.contacts.create(name=f"Contact {nth}", url="https://maker.example/")
            Step.objects.create(fix=driver, text="More", position=9, picture=Picture.objects.get())
            Edition.objects.publish(self.jam(slug=f"jam-{nth}"), by=self.erin)
            self.start()

    def test_a_session_is_found_by_the_beginning_of_its_id_without_reading_all(self) -> None:
        begun = self.start().public_id[:3]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":  # which would rather read a table that is small
                cursor.execute("set local enable_seqscan = off")
        self.assertRegex(self.plan(f"?q={begun}"), r"INDEX .*public_id>|Index Cond.*public_id")
        self.assertNotIn("public_id", self.plan("?q="))

    def plan(self, query: str) -> str:
        """How the database goes about counting what the list of sessions shows."""
        self.client.force_login(self.erin)
        with CaptureQueriesContext(connection) as captured:
            self.client.get(admin_url("session", "changelist") + query)
        [counting] = [each["sql"] for each in captured if "COUNT(*)" in each["sql"]]
        explain = "explain query plan" if connection.vendor == "sqlite" else "explain"
        with connection.cursor() as cursor:
            cursor.execute(f"{explain} {counting}")
            return str(cursor.fetchall())

    def test_a_search_with_a_character_that_no_database_takes_is_no_error(self) -> None:
        self.html(admin_url("guide", "changelist") + "?q=%00&title=%00")
        response = self.client.get(
            reverse("admin:autocomplete"),
            {
                "term": "cab\x00le",
                "app_label": "troubleshooter",
                "model_name": "placement",
                "field_name": "fix",
            },
        )
        self.assertEqual([each["text"] for each in response.json()["results"]], ["Check the cable"])


def make_picture(step_key: str) -> Picture:
    content = b"<svg/>"
    picture = Picture.objects.create(
        sha256=hashlib.sha256(content).hexdigest(),
        kind=Picture.Kind.SVG,
        content=content,
        width=40,
        height=30,
        name="Cable",
        alt="A cable with two ends",
    )
    Step.objects.filter(key=step_key).update(picture=picture)
    return picture


class EditTests(DeskTestCase):
    def post(self, url: str, **changed: Any) -> list[str]:
        """Post the form of a change page with some values changed; the complaints it gets."""
        response = self.client.post(url, self.form(url) | changed)
        if response.status_code == 302:
            return []
        context = response.context
        forms = [inline.formset for inline in context["inline_admin_formsets"]]
        return [str(error) for error in context["errors"]] + [
            error for formset in forms for error in formset.non_form_errors()
        ]

    def test_language_and_key_stay(self) -> None:
        fix = Fix.objects.get(key="cable")
        url = admin_url("fix", "change", fix.pk)
        self.assertEqual(self.post(url, language="de", key="mine", title="Changed"), [])
        fix.refresh_from_db()
        self.assertEqual((fix.title, fix.language, fix.key), ("Changed", "en", "cable"))

    def test_a_new_step_is_in_the_language_of_its_fix(self) -> None:
        fix = make_fix("kabel", "Kabel prüfen", "Ansehen.", language="de")
        row = {"steps-TOTAL_FORMS": "2", "steps-1-text": "Fest?", "steps-1-position": ""}
        self.assertEqual(self.post(admin_url("fix", "change", fix.pk), **row), [])
        step = fix.steps.get(text="Fest?")
        self.assertEqual((step.language, step.position), ("de", 2))

    def test_deleting_what_others_need_is_refused_with_what_to_do_instead(self) -> None:
        self.start()
        for model, row, instead in (
            ("guide", self.guide, "Unpublish it instead"),
            ("fix", Fix.objects.get(key="cable"), "take it out of them first"),
            ("topic", self.guide.topic, "give them another one first"),
        ):
            said = self.text(admin_url(model, "delete", row.pk), post="yes")
            self.assertIn(instead, said)
            self.assertNotIn("permission", said)
            chosen = {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes"}
            self.assertIn(instead, self.text(admin_url(model, "changelist"), **chosen))
            row.refresh_from_db()

    def test_what_nobody_needs_can_be_deleted(self) -> None:
        topic = Topic.objects.create(slug="phone", name="Phone")
        self.text(admin_url("topic", "delete", topic.pk), post="yes")
        self.assertFalse(Topic.objects.filter(pk=topic.pk).exists())


class PublishTests(DeskTestCase):
    def test_asking_publishes_nothing(self) -> None:
        self.edit(title="Changed")
        self.assertIn("Publish this guide?", self.text(self.move("publish")))
        self.client.head(self.move("publish"))
        self.assertEqual(Edition.objects.count(), 1)

    def test_it_publishes_and_leads_to_the_page(self) -> None:
        self.edit(title="Changed")
        html = self.html(self.move("publish"), post="yes")
        self.assertIn('“Changed” is published: edition 2 is live. <a href="/g/printer', html)
        live = Edition.objects.live().get()
        self.assertEqual((live.number, live.published_by), (2, self.erin))
        entry = LogEntry.objects.get()
        self.assertEqual((entry.user, entry.object_id), (self.erin, str(self.guide.pk)))
        self.assertEqual(entry.change_message, "Published edition 2.")

    def test_the_first_publication_says_so(self) -> None:
        self.assertIn("its first publication", self.text(self.move("publish", self.jam())))

    def test_nothing_to_publish_says_so(self) -> None:
        html = self.html(self.move("publish"))
        self.assertIn("Nothing has changed since edition 1, which is live.", html)
        self.assertNotIn('value="Publish"', html)
        said = self.text(self.move("publish"), post="yes")
        self.assertIn("edition 1 stays live", said)
        self.assertFalse(LogEntry.objects.exists())

    def test_it_lists_what_changed_and_where_else_that_is_used(self) -> None:
        self.jam()
        url = admin_url("fix", "change", Fix.objects.get(key="restart").pk)
        self.client.post(url, self.form(url) | {"title": "Restart it twice", "renewed": "on"})
        self.guide.placements.filter(fix__key="cable").delete()
        flap = make_fix("flap", "Open the flap", "Open it.")
        self.guide.placements.create(fix=flap, position=1)
        self.guide.placements.filter(fix__key="driver").update(pin="first")
        self.guide.symptoms.filter(key="unknown").delete()
        self.guide.contacts.clear()
        self.edit(summary="Short.", closing="Call us.")
        said = self.text(self.move("publish"))
        for sentence in (
            "Changed since edition 1",
            "Summary, when nothing helped",
            "The symptoms",
            "The order of the fixes, or the rules for it",
            "The contacts",
            "“Restart it twice” is a new remedy: revision 2. Last changed by erin (",
            "One other guide offers it, too",
            "“Open the flap” is new in this guide.",
            "“Check the cable” is taken out of this guide.",
        ):
            self.assertIn(sentence, said)
        self.assertNotIn("Update the driver", said)

    def test_it_names_nobody_who_changed_a_fix_before_the_live_edition(self) -> None:
        fix = Fix.objects.get(key="cable")
        url = admin_url("fix", "change", fix.pk)
        self.client.post(url, self.form(url) | {"minutes": "3"})
        LogEntry.objects.update(action_time=timezone.now() - timedelta(days=1))
        said = self.text(self.move("publish"))
        self.assertIn("“Check the cable” changed.", said)
        self.assertNotIn("Last changed", said)

    def test_it_says_how_many_visitors_keep_their_edition(self) -> None:
        self.start()
        self.edit(title="Changed")
        self.assertIn("One visitor is in the middle of it", self.text(self.move("publish")))

    def test_findings_lead_to_where_they_are_mended(self) -> None:
        reset = Fix.objects.get(key="reset")
        Step.objects.filter(fix__key="cable").delete()
        Fix.objects.filter(key="reset").update(loses="")
        make_picture("driver1")
        Picture.objects.update(alt="")
        self.guide.placements.get(fix__key="driver").after.add(reset)
        Symptom.objects.get(key="unknown").start_with.add(reset)
        desk = admin_url("guide", "change", self.guide.pk)
        anchors = {
            "card-cable",
            "id_fix.reset.loses",
            "id_step.driver.driver1.alt",
            "id_fix.driver.after",
            "id_symptom.unknown.start_with",
        }
        for data in ({}, {"post": "yes"}):
            html = self.html(self.move("publish"), **data)
            self.assertIn("Not ready to be published", html)
            links = {f"{desk}#{anchor}" for anchor in anchors}
            self.assertLessEqual(links, set(re.findall('href="([^"]+)"', html)))
        html = self.html(desk)
        for anchor in anchors:
            self.assertEqual(html.count(f'id="{anchor}"'), 1, anchor)
        self.assertEqual(Edition.objects.count(), 1)

    def test_a_guide_without_fixes_is_told_where_they_go(self) -> None:
        empty = Guide.objects.create(topic=self.guide.topic, slug="empty", title="Empty")
        desk = admin_url("guide", "change", empty.pk)
        self.assertIn(f"{desk}#fixes", self.html(self.move("publish", empty)))
        self.assertIn('id="fixes"', self.html(desk))

    def test_several_are_published_at_once_and_the_rest_is_told_why_not(self) -> None:
        self.edit(title="Changed")
        jam = self.jam()
        empty = Guide.objects.create(topic=self.guide.topic, slug="empty", title="Empty & sad")
        Step.objects.filter(key="cable1").update(text="Delete it.")
        chosen = [str(guide.pk) for guide in (self.guide, jam, empty)]
        response = self.client.post(
            admin_url("guide", "changelist"),
            {"action": "publish_chosen", "_selected_action": chosen},
            follow=True,
        )
        html = response.content.decode()
        self.assertIn("“Empty &amp; sad” is not ready to be published. <a href=", html)
        self.assertIn("The guide has no fix yet.", html)
        self.assertIn("“Changed” is published; look at this again: <a href=", html)
        self.assertNotIn("“The paper jams” is published; look", html)
        self.assertEqual(
            {each.guide_id for each in Edition.objects.live()}, {self.guide.pk, jam.pk}
        )
        self.assertEqual(LogEntry.objects.count(), 2)

    def test_the_change_page_says_when_the_draft_differs(self) -> None:
        url = admin_url("guide", "change", self.guide.pk)
        self.assertIn("Edition 1 is live", self.text(url))
        self.assertNotIn("The draft differs from what is live.", self.text(url))
        Step.objects.filter(key="cable1").update(text="Look at one end.")
        self.assertIn("The draft differs from what is live.", self.text(url))

    def test_a_guide_that_is_not_there_is_not_found(self) -> None:
        for name in ("preview", *MOVES):
            for pk in (0, 10**30):
                self.assertEqual(self.client.get(admin_url("guide", name, pk)).status_code, 404)


class UnpublishTests(DeskTestCase):
    def test_it_asks_first(self) -> None:
        self.start()
        self.assertIn("One visitor is in the middle of it", self.text(self.move("unpublish")))
        self.assertTrue(Edition.objects.live().exists())

    def test_it_unpublishes(self) -> None:
        said = self.text(self.move("unpublish"), post="yes")
        self.assertIn("“The printer is offline” is unpublished", said)
        self.assertIn("Not published. The last edition was 1.", said)
        self.assertFalse(Edition.objects.live().exists())
        self.assertEqual(LogEntry.objects.get().change_message, "Unpublished.")

    def test_doing_it_twice_is_no_error(self) -> None:
        Edition.objects.unpublish(self.guide)
        self.assertIn("there is nothing to do", self.text(self.move("unpublish")))
        self.assertIn("there is nothing to do", self.text(self.move("unpublish"), post="yes"))
        self.assertFalse(LogEntry.objects.exists())


class WithdrawTests(DeskTestCase):
    def test_it_says_how_many_sessions_it_interrupts(self) -> None:
        self.start()
        self.start()
        walk(self.start(), "fixed")
        forgotten = self.start()
        long_ago = timezone.now() - timedelta(days=31)
        Session.objects.filter(pk=forgotten.pk).update(last_answer_at=long_ago)
        self.assertIn("2 sessions are running now", self.text(self.move("withdraw")))
        self.assertTrue(Edition.objects.live().exists())

    def test_it_does_not_count_sessions_that_were_interrupted_before(self) -> None:
        self.start()
        Edition.objects.withdraw(self.guide, "It does harm.")
        Edition.objects.publish(self.guide, by=None)
        self.assertIn("No session is running now.", self.text(self.move("withdraw")))

    def test_it_withdraws_with_its_reason(self) -> None:
        said = self.text(self.move("withdraw"), reason=" Step 2 breaks  <cables>. ")
        self.assertIn("Edition 1 was withdrawn", said)
        self.assertIn("“Step 2 breaks <cables>.”", said)
        self.edition.refresh_from_db()
        self.assertEqual(self.edition.withdrawn_reason, "Step 2 breaks <cables>.")
        entry = LogEntry.objects.get()
        self.assertEqual(entry.change_message, "Withdrawn: Step 2 breaks <cables>.")

    def test_a_reason_is_needed_and_has_to_be_fit_to_show(self) -> None:
        for reason, complaint in {
            "  ": "This field is required.",
            "\u200b": "Say why, in a sentence that visitors understand.",
            "x" * 501: "at most 500 characters",
            "a\x00b": "Null characters are not allowed.",
        }.items():
            self.assertIn(complaint, self.text(self.move("withdraw"), reason=reason))
        self.assertEqual(list(Edition.objects.live()), [self.edition])

    def test_doing_it_twice_keeps_the_first_reason(self) -> None:
        self.text(self.move("withdraw"), reason="The first.")
        self.assertIn("No edition is left to withdraw.", self.text(self.move("withdraw")))
        self.text(self.move("withdraw"), reason="The second.")
        self.edition.refresh_from_db()
        self.assertEqual(self.edition.withdrawn_reason, "The first.")
        self.assertEqual(LogEntry.objects.count(), 1)

    def test_publishing_afterwards_warns(self) -> None:
        Edition.objects.withdraw(self.guide, "Step 2 breaks cables.")
        said = self.text(self.move("publish"))
        self.assertIn("“Step 2 breaks cables.” Publish it again only when that is mended.", said)
        self.assertIn("Nothing has changed since edition 1.", said)
        self.html(self.move("publish"), post="yes")
        self.assertEqual(Edition.objects.live().get().number, 2)


class PreviewTests(DeskTestCase):
    def test_it_shows_the_draft_and_publishes_nothing(self) -> None:
        self.edit(title="Not yet public")
        response = self.client.get(self.move("preview"))
        self.assertContains(response, "Not yet public")
        self.assertContains(response, "Hold the button for ten seconds.")
        self.assertContains(response, "This is the draft")
        self.assertIn("no-store", response["Cache-Control"])
        self.assertEqual(response["X-Frame-Options"], "DENY")
        self.assertIn("default-src 'none'", response["Content-Security-Policy"])
        self.assertEqual(Edition.objects.count(), 1)
        self.assertNotContains(self.client.get("/g/printer-offline/"), "Not yet public")

    def test_it_works_while_there_are_findings(self) -> None:
        cable, driver = self.guide.placements.all()[:3:2]
        cable.after.add(driver.fix)
        driver.after.add(cable.fix, make_fix("other", "Elsewhere"))
        self.assertContains(self.client.get(self.move("preview")), "Check the cable")
        empty = Guide.objects.create(topic=self.guide.topic, slug="empty", title="Empty")
        self.assertContains(self.client.get(self.move("preview", empty)), "Empty")

    def test_it_is_in_the_language_of_the_guide(self) -> None:
        german = self.jam(slug="stau", language="de")
        self.assertContains(self.client.get(self.move("preview", german)), '<html lang="de"')

    def test_hostile_text_is_harmless_everywhere(self) -> None:
        texts = dict.fromkeys(("title", "summary", "about", "closing", "prevention"), HOSTILE)
        self.edit(**texts)
        Fix.objects.update(title=HOSTILE, why=HOSTILE, loses=HOSTILE, waiting=HOSTILE, note=HOSTILE)
        Step.objects.update(text=HOSTILE, heading=HOSTILE)
        Symptom.objects.update(text=HOSTILE)
        Topic.objects.update(name=HOSTILE)
        self.guide.contacts.update(name=HOSTILE, note=HOSTILE)
        pages = [self.move(name) for name in ("preview", *MOVES)]
        pages += [admin_url(model, "changelist") for model in LISTS]
        pages += [admin_url("guide", page, self.guide.pk) for page in ("change", "delete")]
        pages += [admin_url("fix", "change", Fix.objects.all()[0].pk)]
        for url in pages:
            html = self.html(url)
            self.assertNotIn("<script>alert", html, url)
            self.assertNotIn("}14", html.replace("{{", "}"), url)
        self.assertIn("&lt;script&gt;alert", self.html(self.move("publish"), post="yes"))
        self.assertNotIn("<script>alert", self.html(self.move("unpublish"), post="yes"))

    def test_the_admin_hands_nobody_the_key_to_a_session(self) -> None:
        session = self.start()
        kind = ContentType.objects.get_for_model(Session)
        response = self.client.get(f"/admin/r/{kind.pk}/{session.pk}/")
        self.assertEqual(response.status_code, 404)
