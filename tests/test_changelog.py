"""The change log of a guide: who did what, when, whoever called the verb."""

import importlib
from datetime import timedelta
from types import SimpleNamespace

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.base import make_fix
from tests.test_admin import HOSTILE, DeskTestCase, admin_url
from troubleshooter.admin import changelog
from troubleshooter.models import Edition, Fix, Guide, LogLine

migration = importlib.import_module("troubleshooter.migrations.0004_scheduling_reviews_scenarios")

EDITOR = SimpleNamespace(connection=connection)  # all that these migrations want of a real one


class LogTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = self.move("log")

    def told(self, query: str = "") -> list[tuple[str, str]]:
        """Who and what, the newest first."""
        lines = self.client.get(self.url + query).context["lines"]
        return [(line.who, line.sentence) for line in lines]

    def save(self, model: str, pk: int, **changed: str) -> None:
        url = admin_url(model, "change", pk)
        self.assertIn(self.client.post(url, self.form(url) | changed).status_code, (302, 303))

    def test_what_a_command_published_is_there(self) -> None:
        self.assertEqual(self.told(), [("a command", "Published edition 1.")])

    def test_every_move_is_told_once(self) -> None:
        later = timezone.now() + timedelta(hours=1)
        typed = timezone.localtime(later).strftime("%Y-%m-%dT%H:%M")
        self.edit(title="Second")
        self.html(self.move("publish"), post="yes")
        self.edit(title="Third")
        self.html(self.move("schedule"), at=typed)
        self.html(self.move("schedule"), drop="1")
        self.html(self.move("schedule"), at=typed)
        Edition.objects.go_live(later)
        self.html(self.move("rollback"), number="1")
        again_on = timezone.localdate() + timedelta(days=9)
        self.html(self.move("reviewed"), again_on=again_on.isoformat())
        self.html(self.move("unpublish"), post="yes")
        self.html(self.move("withdraw"), reason="It breaks cables.")
        LogLine.objects.filter(kind="went_live").update(at=timezone.now())
        said = [sentence for _who, sentence in self.told()]
        for start in (
            "Withdrawn: “It breaks cables.”",
            "Unpublished: nobody can start it.",
            "Reviewed. The next review is due on",
            "Rolled back: edition 1 is live again.",
            "Edition 3 went live, as planned.",
            "Dropped the plan for edition 3.",
            "Published edition 2.",
            "Published edition 1.",
        ):
            self.assertEqual(sum(line.startswith(start) for line in said), 1, start)
        self.assertEqual(sum(": edition 3." in line for line in said), 2)  # planned twice
        self.assertEqual(len(said), 10)
        self.assertEqual({who for who, _said in self.told()}, {"erin", "a command"})

    def test_what_a_form_changed_is_told_of_the_guide_and_of_its_fixes(self) -> None:
        self.save("guide", self.guide.pk, **{"guide.title": "Another title"})
        self.save("fix", Fix.objects.get(key="cable").pk, minutes="3")
        other = make_fix("other", "Elsewhere", "Do it.")
        self.save("fix", other.pk, minutes="4")
        self.assertEqual(
            self.told()[:2],
            [
                ("erin", "In the fix “Check the cable”: Changed Minutes."),
                ("erin", "Texts of the guide: Title changed."),
            ],
        )
        self.assertEqual(len(self.told()), 3)

    def test_line_ends_of_the_browser_are_no_change(self) -> None:
        Guide.objects.update(about="One line.\nAnother.")
        url = admin_url("guide", "change", self.guide.pk)
        data = self.form(url) | {"guide.title": "Another title"}
        self.client.post(url, data | {"guide.about": "One line.\r\nAnother."})
        self.assertEqual(self.told()[0], ("erin", "Texts of the guide: Title changed."))

    def test_a_fix_that_left_the_draft_is_told_while_the_newest_edition_has_it(self) -> None:
        self.save("fix", Fix.objects.get(key="cable").pk, minutes="3")
        self.guide.placements.filter(fix__key="cable").delete()
        self.assertIn("In the fix “Check the cable”: Changed Minutes.", self.told()[0])
        Edition.objects.publish(self.guide, by=None)
        self.assertEqual(len(self.told()), 2)

    def test_an_edition_can_be_compared_with_the_one_before(self) -> None:
        self.edit(title="Second")
        Edition.objects.publish(self.guide, by=self.erin)
        html = self.html(self.url)
        compare = f"{self.move('compare')}?from=1&amp;to=2"
        self.assertEqual(html.count("What it changed"), 1)
        self.assertIn(f'href="{compare}"', html)
        self.assertIn("Second", self.html(compare.replace("&amp;", "&")))

    def test_another_guide_is_not_told(self) -> None:
        jam = self.jam()
        LogLine.objects.note(jam, LogLine.Kind.PUBLISHED, None, edition=1)
        self.save("guide", jam.pk, **{"guide.title": "Still jammed"})
        self.assertEqual(len(self.told()), 1)

    def test_it_is_paged_and_takes_the_same_queries_on_every_page(self) -> None:
        counts = []
        for _warm in range(2):
            with CaptureQueriesContext(connection) as captured:
                self.client.get(self.url)
        counts.append(len(captured))
        moment = timezone.now() + timedelta(days=1)
        for nth in range(changelog.A_PAGE + 5):
            at = moment + timedelta(seconds=nth)
            LogLine.objects.note(
                self.guide, LogLine.Kind.PUBLISHED, self.erin, edition=nth + 2, at=at
            )
        for fix in Fix.objects.all():
            LogEntry.objects.log_actions(
                self.erin.pk, [fix], 2, [{"changed": {"fields": ["Title"]}}], single_object=True
            )
        for page in ("", "?page=2"):
            with CaptureQueriesContext(connection) as captured:
                self.client.get(self.url + page)
            counts.append(len(captured))
        self.assertEqual(self.told()[0], ("erin", f"Published edition {changelog.A_PAGE + 6}."))
        self.assertEqual((len(self.told()), len(self.told("?page=2"))), (changelog.A_PAGE, 10))
        self.assertEqual(len(self.told("?page=99")), 10)
        self.assertLessEqual(max(counts) - counts[0], 1)  # without entries none are looked up
        for rubbish in ("?page=x", "?page=-1", "?page=%00"):
            self.assertEqual(len(self.told(rubbish)) > 0, True)

    def test_hostile_text_is_harmless(self) -> None:
        Edition.objects.withdraw(self.guide, HOSTILE)
        Fix.objects.update(title=HOSTILE)
        self.save("fix", Fix.objects.get(key="cable").pk, minutes="3")
        self.assertNotIn("<script>alert", self.html(self.url))

    def test_a_person_who_left_is_not_missed(self) -> None:
        Edition.objects.withdraw(self.guide, "It does harm.", by=self.ada)
        self.ada.delete()
        self.assertIn("Withdrawn: “It does harm.”", self.text(self.url))

    def test_it_stands_where_the_history_stood(self) -> None:
        html = self.html(admin_url("guide", "change", self.guide.pk))
        self.assertIn(f'href="{self.url}"', html)
        self.assertNotIn("historylink", html)

    def test_who_may(self) -> None:
        self.client.force_login(self.arno)
        self.assertEqual(self.client.get(self.url).status_code, 200)
        self.client.force_login(User.objects.create_user("nobody", is_staff=True))
        self.assertEqual(self.client.get(self.url).status_code, 403)
        self.assertEqual(Client().get(self.url).status_code, 302)
        self.client.force_login(self.erin)
        self.assertEqual(self.client.get(admin_url("guide", "log", 999_999)).status_code, 404)

    def test_a_move_that_fails_leaves_no_line(self) -> None:
        before = self.told()
        self.html(self.move("rollback"), number="1")
        self.html(self.move("withdraw"), reason=" ")
        self.html(self.move("publish"), post="yes")
        self.assertEqual(self.told(), before)


class MigrationTests(DeskTestCase):
    """A desk that had editions before it had a log."""

    def test_editions_that_were_there_get_their_lines(self) -> None:
        self.edit(title="Second")
        Edition.objects.publish(self.guide, by=self.erin)
        Edition.objects.withdraw(self.guide, "It does harm.")
        LogLine.objects.all().delete()
        Edition.objects.update(frozen_at=timezone.now() + timedelta(days=9))
        migration.tell_of_editions(apps, EDITOR)
        lines = LogLine.objects.order_by("at", "pk").values_list("kind", "edition", "by")
        self.assertEqual(
            list(lines),
            [("published", 1, None), ("published", 2, self.erin.pk), ("withdrawn", None, None)],
        )
        for edition in Edition.objects.all():
            self.assertEqual(edition.frozen_at, edition.published_at)

    def test_the_permission_that_was_there_gets_its_new_name(self) -> None:
        Permission.objects.filter(codename="publish_guide").update(name="Old")
        migration.name_permission(apps, EDITOR)
        name = Permission.objects.get(codename="publish_guide").name
        self.assertEqual(name, Guide._meta.permissions[0][1])
