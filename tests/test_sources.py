"""Saving what was imported: a draft with its source, and the same draft when it comes again."""

from unittest.mock import patch

from tests.base import CastTestCase, walk
from tests.lookalike import ARTICLE, STEPS
from tests.test_pictures import plain, saved
from troubleshooter import outbound
from troubleshooter.importing.saving import MOST_PICTURES, Understood, understand
from troubleshooter.models import (
    Contact,
    Edition,
    Fix,
    Guide,
    LogLine,
    Picture,
    Placement,
    Session,
    Source,
    Step,
    Taken,
    Topic,
    freeze,
)


class ImportTestCase(CastTestCase):
    """The article about the camera, saved as a draft."""

    def setUp(self) -> None:
        self.topic = Topic.objects.called("Cameras")
        self.taken = self.save(ARTICLE)
        self.camera = self.taken.guide

    def save(self, text: str, name: str = "camera.md", **how: object) -> Taken:
        understood = understand(text, name)
        known = how.pop("guide", None) or understood.known()
        return understood.save(None, guide=known, topic=None if known else self.topic)  # type: ignore[arg-type]

    def content(self) -> dict[str, object]:
        return freeze(Guide.objects.whole().get(pk=self.camera.pk))


class TakeTests(ImportTestCase):
    def test_a_draft_is_saved_with_its_fixes_steps_and_contacts(self) -> None:
        fixes = [placement.fix for placement in self.camera.placements.all()]
        self.assertEqual([fix.steps.count() for fix in fixes], STEPS)
        self.assertTrue(self.taken.new)
        self.assertFalse(Edition.objects.filter(guide=self.camera).exists())
        self.assertEqual(self.camera.contacts.get().url, "https://album.example/help")
        self.assertEqual(
            self.camera.slug, "never-lose-a-shot-camera-and-cloud-album-and-what-to-do-when"
        )
        line = LogLine.objects.get(guide=self.camera)
        self.assertEqual(line.said, "Imported from camera.md.")

    def test_the_source_is_kept_with_what_its_pieces_came_to(self) -> None:
        source = Source.objects.get(guide=self.camera)
        self.assertEqual(source.text, ARTICLE)
        self.assertEqual(source.name, "camera.md")
        keys = [fix["key"] for fix in source.content["fixes"]]
        self.assertEqual(keys, [each.fix.key for each in self.camera.placements.all()])

    def test_a_draft_with_a_title_that_is_taken_gets_an_address_of_its_own(self) -> None:
        other = understand(ARTICLE, "camera.md").save(None, topic=self.topic)
        self.assertTrue(other.guide.slug.startswith(f"{self.camera.slug}-"))

    def test_a_new_guide_needs_a_topic(self) -> None:
        with self.assertRaisesMessage(ValueError, "topic"):
            understand(ARTICLE, "camera.md").save(None)

    def test_a_contact_that_is_there_is_used_as_it_is(self) -> None:
        understand(ARTICLE, "camera.md").save(None, topic=self.topic)
        self.assertEqual(Contact.objects.filter(url="https://album.example/help").count(), 1)


class AgainTests(ImportTestCase):
    def keys(self) -> dict[str, list[str]]:
        return {
            placement.fix.key: [step.key for step in placement.fix.steps.all()]
            for placement in self.camera.placements.all()
        }

    def test_the_same_source_again_changes_nothing(self) -> None:
        before = self.content()
        again = self.save(ARTICLE, "renamed.md")
        self.assertEqual((again.guide, again.new, again.changed), (self.camera, False, False))
        self.assertEqual(self.content(), before)
        self.assertEqual(LogLine.objects.filter(guide=self.camera).count(), 1)

    def test_a_changed_source_of_the_same_name_updates_the_draft_and_keeps_every_key(self) -> None:
        before = self.keys()
        text = ARTICLE.replace("Restart the Camera", "Restart Your Camera").replace(
            "for ten seconds", "for twenty seconds"
        )
        again = self.save(text)
        self.assertEqual((again.guide, again.new, again.changed), (self.camera, False, True))
        self.assertEqual(self.keys(), before)
        self.assertIn("twenty seconds", str(self.content()))
        self.assertEqual(Source.objects.get(guide=self.camera).text, text)

    def test_evidence_survives_because_it_is_kept_by_key(self) -> None:
        edition = Edition.objects.publish(Guide.objects.whole().get(pk=self.camera.pk), by=None)
        session = walk(Session.objects.start(edition, ""), "fixed")
        self.save(ARTICLE.replace("## 1\\. Let the Album Accept", "## 1\\. Let the Album Take"))
        fix = self.camera.placements.all()[0].fix
        self.assertEqual(fix.title, "Let the Album Take the Camera")
        self.assertEqual(session.rows[0].fix_key, fix.key)

    def test_what_an_editor_changed_meanwhile_stays(self) -> None:
        fix = self.camera.placements.all()[7].fix
        Fix.objects.filter(pk=fix.pk).update(risk="data_losing", loses="The pairing.", minutes=7)
        Guide.objects.filter(pk=self.camera.pk).update(title="The camera does not upload")
        self.save(ARTICLE.replace("Choose **Forget** and confirm", "Choose **Forget**"))
        fix.refresh_from_db()
        self.assertEqual((fix.risk, fix.loses, fix.minutes), ("data_losing", "The pairing.", 7))
        self.camera.refresh_from_db()
        self.assertEqual(self.camera.title, "The camera does not upload")
        self.assertTrue(Step.objects.filter(fix=fix, text="Choose **Forget**.").exists())

    def test_a_fix_that_the_source_lost_leaves_the_guide_but_not_the_library(self) -> None:
        start, end = ARTICLE.index("## 7"), ARTICLE.index("## 8")
        again = self.save(ARTICLE[:start] + ARTICLE[end:])
        self.assertEqual(len(self.keys()), 7)
        self.assertIn("Leave Videos Out", again.told[0])
        self.assertTrue(Fix.objects.filter(title="Leave Videos Out").exists())

    def test_a_fix_that_other_guides_share_is_told(self) -> None:
        fix = self.camera.placements.all()[4].fix
        Placement.objects.create(guide=self.guide, fix=fix, position=9)
        again = self.save(ARTICLE.replace("for ten seconds", "for a minute"))
        self.assertIn("Restart the Camera", again.told[0])

    def test_another_article_of_the_same_name_is_another_guide(self) -> None:
        other = "# My cat is hungry\n\n## Fix 1: Feed it\n\n1. Open the tin.\n"
        again = self.save(other, "camera.md")
        self.assertTrue(again.new)

    def test_an_editor_may_choose_the_guide(self) -> None:
        before = [placement.fix.key for placement in self.guide.placements.all()]
        text = "# Offline\n\n## Fix 1: Check the cable\n\n1. Look at both ends.\n2. Wait.\n"
        again = self.save(text, "new.md", guide=self.guide)
        after = [placement.fix.key for placement in self.guide.placements.all()]
        self.assertEqual(again.guide, self.guide)
        self.assertEqual(after, before)
        cable = Fix.objects.get(key="cable")
        self.assertEqual(
            [step.text for step in cable.steps.all()],
            ["Look at both ends.", "Wait.", "Push them in."],
        )

    def test_updating_costs_statements_by_what_changed_not_by_what_is_there(self) -> None:
        understood = understand(ARTICLE.replace("for ten seconds", "for a minute"), "camera.md")
        with self.assertStatements(most=60):
            understood.save(None, guide=understood.known())


class PictureTests(ImportTestCase):
    def understood(self) -> Understood:
        return understand(ARTICLE, "camera.md")

    def fetch(self, *wanted: str, status: int = 200, body: bytes | None = None) -> list[str]:
        understood = self.understood()
        answer = outbound.Answer(
            "", status, "image/png", saved(plain()) if body is None else body, True
        )
        with patch.object(outbound, "fetch", return_value=answer) as fetch:
            refused = understood.fetch(wanted)
        self.asked = [call.args[1] for call in fetch.call_args_list]
        understood.save(None, guide=self.camera)
        return refused

    def test_only_what_was_asked_for_is_fetched_and_stands_in_its_step(self) -> None:
        self.assertEqual(self.fetch("https://pictures.example/queue.jpg"), [])
        self.assertEqual(self.asked, ["https://pictures.example/queue.jpg"])
        picture = Picture.objects.get(name="queue")
        self.assertEqual(picture.alt, "queue-on-camera")
        second = self.camera.placements.all()[1].fix
        self.assertEqual(second.steps.all()[0].picture, picture)

    def test_nothing_is_fetched_that_the_source_does_not_show(self) -> None:
        self.fetch("https://elsewhere.example/secret.png")
        self.assertEqual(self.asked, [])

    def test_what_cannot_be_had_is_told_and_stops_nothing(self) -> None:
        address = "https://pictures.example/queue.jpg"
        self.assertIn("status 404", self.fetch(address, status=404)[0])
        self.assertTrue(self.fetch(address, body=b"no picture")[0].startswith("queue-on-camera: "))
        with patch.object(outbound, "fetch", side_effect=outbound.Refused("We do not go there.")):
            self.assertIn("do not go", self.understood().fetch([address])[0])
        self.assertFalse(Picture.objects.filter(name="queue").exists())

    def test_the_pictures_of_one_press_are_bounded(self) -> None:
        steps = "".join(
            f"{n}. Go {n}.\n\n   ![x](https://p.example/{n}.png)\n" for n in range(1, 13)
        )
        understood = understand(f"# Dark\n\n## Fix 1: Go\n\n{steps}", "a.md")
        wanted = [f"https://p.example/{n}.png" for n in range(1, 13)]
        with patch.object(outbound, "fetch", side_effect=outbound.Away("Away.")) as fetch:
            refused = understood.fetch(wanted)
        self.assertEqual(fetch.call_count, MOST_PICTURES)
        self.assertIn("at a time", refused[-1])
