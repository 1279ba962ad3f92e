"""The guides that come with the desk, all of them together."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import TypeVar

from django.conf import settings
from django.core.management import call_command
from django.test import SimpleTestCase, TestCase

from troubleshooter.importing.guide_file import parse
from troubleshooter.importing.parts import FixPart, GuideFile, PicturePart
from troubleshooter.models import Edition, Fix, Guide, Picture, Risk, Translation, findings
from troubleshooter.models.reading import Reading

T = TypeVar("T")

FOLDER = settings.BASE_DIR / "guides"
PATHS = sorted(FOLDER.glob("*.toml"))
ALL = {path.name: parse(path.read_bytes(), path.name) for path in PATHS}
FILES = {name: guide for name, guide in ALL.items() if not guide.original}
TRANSLATIONS = {name: guide for name, guide in ALL.items() if guide.original}

# What each symptom leads to first. A change here is a change of what visitors are told to try.
FIRST = {
    "po-says": ("pr-ready", "pr-connect", "pr-power"),
    "po-queue": ("pr-ready", "pr-choose", "pr-queue"),
    "po-new": ("pr-connect", "pr-rejoin"),
    "po-gone": ("pr-connect", "pr-power", "pc-restart"),
    "po-other": ("pr-ready", "pr-connect", "pr-choose"),
    "wd-all": ("wifi-restart", "wd-outage"),
    "wd-one": ("wd-toggle", "wd-forget", "phone-restart", "pc-restart"),
    "wd-nonet": ("wifi-restart", "wd-outage"),
    "wd-far": ("wd-place", "wd-toggle"),
    "wd-other": ("wd-toggle", "wifi-restart", "wd-outage"),
    "ch-nothing": ("ch-safe", "ch-plug", "ch-wait", "ch-clean"),
    "ch-loose": ("ch-safe", "ch-plug", "ch-clean", "ch-wireless"),
    "ch-slow": ("ch-safe", "ch-plug", "ch-limit"),
    "ch-hot-wet": ("ch-safe",),
    "ch-other": ("ch-safe", "ch-plug", "ch-wait"),
}
LOSING = {"wa-delete", "pr-again", "wd-netreset", "wd-factory"}
CLOSING = {"ios-restart", "wa-update", "phone-restart", "pc-restart"}
CLOSING |= {"ch-clean", "ch-update", "wd-netreset"}
WAITING = {"icloud-status", "wd-outage", "ch-safe"}
SHARED = {
    "pc-restart": {"printer-offline", "wifi-drops"},
    "wifi-restart": {"printer-offline", "wifi-drops"},
    "phone-restart": {"phone-charging", "wifi-drops"},
}


def fixes() -> Iterator[tuple[GuideFile, FixPart]]:
    for guide in FILES.values():
        for fix in guide.fix:
            yield guide, fix


def pictures(fix: FixPart) -> list[PicturePart]:
    return [step.picture for step in fix.step if step.picture]


def without_place(value: T) -> T:
    """The part as if it stood in no file in particular, to be compared with another."""
    if isinstance(value, tuple):
        return tuple(without_place(each) for each in value)  # type: ignore[return-value]
    if not hasattr(value, "where"):
        return value
    held = {name: without_place(each) for name, each in vars(value).items()}
    return replace(value, **(held | {"where": ""}))  # type: ignore[type-var]


def texts(part: object) -> Iterator[str]:
    """Every sentence-like text of a part of a file, not the ones inside its pictures."""
    for name, value in vars(part).items():
        if isinstance(value, tuple):
            for each in value:
                if hasattr(each, "where"):
                    yield from texts(each)
        elif isinstance(value, str) and name not in {"where", "key", "url", "heading"}:
            yield value


class FileTests(SimpleTestCase):
    """What the files say, before anything is loaded."""

    def test_there_are_four_guides_of_six_to_nine_fixes_and_three_to_five_symptoms(self) -> None:
        self.assertEqual(
            {guide.key for guide in FILES.values()},
            {"phone-charging", "printer-offline", "wa-icloud", "wifi-drops"},
        )
        for name, guide in FILES.items():
            with self.subTest(name):
                self.assertIn(len(guide.fix), range(6, 10))
                self.assertIn(len(guide.symptom), range(3, 6))
                self.assertEqual(name, f"{guide.slug}.toml")
                self.assertTrue(guide.about and guide.closing and guide.prevention)
                self.assertTrue(guide.contact)

    def test_the_last_symptom_is_for_who_does_not_know(self) -> None:
        for name, guide in FILES.items():
            with self.subTest(name):
                self.assertEqual(guide.symptom[-1].text, "I don’t know / something else")
                self.assertEqual(guide.symptom[-1].start_with, ())
                self.assertTrue(all(symptom.start_with for symptom in guide.symptom[:-1]))

    def test_no_key_is_used_for_two_things(self) -> None:
        """A shared fix is the same in every file that holds it, to the letter."""
        guides = [guide.key for guide in FILES.values()]
        symptoms = [symptom.key for guide in FILES.values() for symptom in guide.symptom]
        for keys in (guides, symptoms):
            self.assertEqual([key for key, times in Counter(keys).items() if times > 1], [])
        held: dict[str, list[FixPart]] = defaultdict(list)
        for _guide, fix in fixes():
            held[fix.key].append(replace(without_place(fix), after=(), pin=fix.pin.NONE))
        for key, copies in held.items():
            with self.subTest(key):
                self.assertEqual(copies, [copies[0]] * len(copies))

    def test_the_same_topic_contact_or_picture_is_described_the_same_everywhere(self) -> None:
        said: dict[tuple[str, str], set[object]] = defaultdict(set)
        for guide in FILES.values():
            said["topic", guide.topic.slug].add(guide.topic.name)
            for contact in guide.contact:
                said["contact", contact.url].add((contact.name, contact.note))
        for _guide, fix in fixes():
            for picture in pictures(fix):
                said["picture", picture.file].add(picture.alt)
        self.assertEqual([key for key, ways in said.items() if len(ways) > 1], [])

    def test_minutes_are_believable(self) -> None:
        for _guide, fix in fixes():
            with self.subTest(fix.key):
                self.assertIn(fix.minutes, range(1, 31))
        for name, guide in FILES.items():
            with self.subTest(name):  # quick ones first
                self.assertLessEqual(guide.fix[0].minutes, 3)

    def test_the_risks_are_what_they_should_be(self) -> None:
        for _guide, fix in fixes():
            with self.subTest(fix.key):
                self.assertEqual(fix.risk == Risk.DATA_LOSING, fix.key in LOSING)
                self.assertEqual(bool(fix.loses), fix.key in LOSING)
                self.assertEqual(fix.closes_page, fix.key in CLOSING)
                self.assertEqual(bool(fix.waiting), fix.key in WAITING)
                if fix.closes_page:
                    self.assertNotEqual(fix.risk, Risk.SAFE)
                self.assertTrue(fix.why)

    def test_no_new_text_is_copied_from_another(self) -> None:
        """Each fix is counted once, however many guides share it."""
        parts: dict[str, object] = {}
        for guide in FILES.values():
            parts[guide.key] = replace(guide, fix=(), symptom=guide.symptom[:-1], contact=())
            parts |= {fix.key: fix for fix in guide.fix}
        counted = Counter(text.strip() for part in parts.values() for text in texts(part))
        copied = [text for text, times in counted.items() if times > 1 and " " in text]
        self.assertEqual(copied, [])

    def test_every_drawing_is_used_and_every_used_drawing_is_there(self) -> None:
        used = {picture.file for _guide, fix in fixes() for picture in pictures(fix)}
        there = {f"pictures/{path.name}" for path in FOLDER.glob("pictures/*")}
        self.assertEqual(used, there)

    def test_charging_begins_with_what_could_be_dangerous(self) -> None:
        guide = FILES["phone-not-charging.toml"]
        first = guide.fix[0]
        self.assertEqual((first.key, first.pin), ("ch-safe", "first"))
        said = " ".join(texts(first))
        for sign in ("swollen", "hot", "wet", "burnt", "smokes", "stop here", "emergency services"):
            with self.subTest(sign):
                self.assertIn(sign, said)
        self.assertIn("Safety comes first", guide.about)
        self.assertIn("swollen", guide.closing)

    def test_what_a_bigger_step_loses_is_named(self) -> None:
        named = {fix.key: fix.loses for _guide, fix in fixes() if fix.loses}
        self.assertIn("login for your provider", named["wd-factory"])
        self.assertIn("Wi-Fi network and password saved on this device", named["wd-netreset"])
        self.assertIn("settings for this printer", named["pr-again"])
        for key in LOSING:  # and what is not lost
            self.assertRegex(named[key], r"\bstay|\bis touched")

    def test_links_go_to_the_makers_only(self) -> None:
        hosts = {"support.apple.com", "support.google.com", "support.microsoft.com"}
        hosts |= {"www.apple.com", "faq.whatsapp.com"}
        for path in PATHS:
            with self.subTest(path.name):
                found = set(re.findall(r"https?://([^/\s\")]+)", path.read_text()))
                self.assertTrue(found)
                self.assertLessEqual(found, hosts)


class TranslatedFileTests(SimpleTestCase):
    """The WhatsApp guide says the same in German and in Arabic."""

    def test_the_first_guide_is_there_in_three_languages(self) -> None:
        self.assertEqual(
            {(guide.key, guide.original, guide.language) for guide in TRANSLATIONS.values()},
            {("wa-icloud", "en", "de"), ("wa-icloud", "en", "ar")},
        )

    def test_a_translation_has_the_bones_of_its_original(self) -> None:
        for name, guide in TRANSLATIONS.items():
            with self.subTest(name):
                self.assertEqual(bones(guide), bones(FILES["whatsapp-icloud-backup.toml"]))

    def test_every_text_of_a_translation_is_its_own(self) -> None:
        names = {"WhatsApp", "Apple Support", "whatsapp", "pictures"}
        english = set(texts(FILES["whatsapp-icloud-backup.toml"]))
        english |= {alt for _name, alt in alts(FILES["whatsapp-icloud-backup.toml"])}
        for name, guide in TRANSLATIONS.items():
            own = {*texts(guide), *(alt for _file, alt in alts(guide))}
            same = {text for text in own & english if text not in names and " " in text}
            with self.subTest(name):
                self.assertEqual(same, set())
                self.assertNotEqual(guide.slug, "whatsapp-icloud-backup")

    def test_bold_and_links_are_where_the_original_has_them(self) -> None:
        original = FILES["whatsapp-icloud-backup.toml"]
        for name, guide in TRANSLATIONS.items():
            for fix, there in zip(guide.fix, original.fix, strict=True):
                for step, other in zip(fix.step, there.step, strict=True):
                    with self.subTest(name, step=other.text):
                        self.assertEqual("](" in step.text, "](" in other.text)
                        self.assertEqual("**" in step.text, "**" in other.text)
                        self.assertEqual(step.text.count("**") % 2, 0)

    def test_arabic_is_written_in_arabic(self) -> None:
        guide = TRANSLATIONS["whatsapp-icloud-backup.ar.toml"]
        for text in [*texts(guide), *(alt for _file, alt in alts(guide))]:
            if " " in text and text != "not fixed":
                self.assertRegex(text, "[\u0600-\u06ff]{2}")


def bones(guide: GuideFile) -> object:
    """All of a file that is no wording."""
    return (
        guide.key,
        guide.topic.slug,
        [(symptom.key, symptom.start_with) for symptom in guide.symptom],
        [
            (fix.key, fix.minutes, fix.risk, fix.closes_page, fix.pin, fix.after, bool(fix.note))
            for fix in guide.fix
        ],
        [
            [(bool(step.heading), step.picture and step.picture.file) for step in fix.step]
            for fix in guide.fix
        ],
        [(each.answers, each.status, each.fix, each.symptom) for each in guide.scenario],
        len(guide.contact),
    )


def alts(guide: GuideFile) -> list[tuple[str, str]]:
    return [(picture.file, picture.alt) for fix in guide.fix for picture in pictures(fix)]


class LoadedTests(TestCase):
    """All of them in one database, as on a new desk."""

    readings: dict[str, Reading]

    @classmethod
    def setUpTestData(cls) -> None:
        call_command("load_guides", stdout=StringIO())
        live = Edition.objects.filter(live=True, language="en").select_related("guide")
        cls.readings = {edition.guide.key: edition.reading for edition in live}

    def test_all_are_published_without_a_finding(self) -> None:
        self.assertEqual(set(self.readings), {guide.key for guide in FILES.values()})
        for guide in Guide.objects.whole():
            with self.subTest(guide.key):
                self.assertEqual([each for each in findings(guide) if each.blocks], [])

    def test_a_translation_is_live_and_up_to_date_with_its_original(self) -> None:
        live = Edition.objects.live().filter(guide__key="wa-icloud")
        self.assertEqual(set(live.values_list("language", flat=True)), {"en", "de", "ar"})
        self.assertEqual(
            set(
                Translation.objects.values_list("guide__language", "original__language", "edition")
            ),
            {("de", "en", 1), ("ar", "en", 1)},
        )
        self.assertFalse(Translation.objects.behind().exists())

    def test_a_picture_has_words_in_the_language_of_its_guide(self) -> None:
        for edition in Edition.objects.live().filter(guide__key="wa-icloud"):
            steps = [step for fix in edition.content["fixes"] for step in fix["steps"]]
            shown = {step["picture"]["alt"] for step in steps if step["picture"]}
            start = {"en": "The Settings page", "de": "Die Einstellungen", "ar": "صفحة الإعدادات"}
            with self.subTest(edition.language):
                self.assertTrue(any(alt.startswith(start[edition.language]) for alt in shown))

    def test_a_shared_fix_is_one_fix(self) -> None:
        english = Fix.objects.filter(language="en")
        self.assertEqual(english.count(), len({fix.key for _guide, fix in fixes()}))
        shared = {
            fix.key: {guide.key for guide in fix.guides.all()}
            for fix in english.prefetch_related("guides")
            if len(fix.guides.all()) > 1
        }
        self.assertEqual(shared, SHARED)

    def test_each_symptom_starts_with_what_fits_and_ends_with_what_costs_most(self) -> None:
        met = set()
        for reading in self.readings.values():
            losing = {fix.key for fix in reading.fixes if fix.loses_data}
            for symptom in reading.symptoms:
                order = reading.author_order(symptom.key)
                with self.subTest(symptom.key):
                    self.assertEqual(set(order), {fix.key for fix in reading.fixes})
                    self.assertEqual(set(order[len(order) - len(losing) :]), losing)
                    if symptom.key in FIRST:
                        met.add(symptom.key)
                        first = FIRST[symptom.key]
                        self.assertEqual(order[: len(first)], first)
        self.assertEqual(met, set(FIRST))

    def test_the_router_is_emptied_only_after_everything_else(self) -> None:
        reading = self.readings["wifi-drops"]
        for symptom in reading.symptoms:
            self.assertEqual(reading.author_order(symptom.key)[-1], "wd-factory")

    def test_every_picture_says_what_it_shows(self) -> None:
        self.assertEqual(Picture.objects.count(), len(list(FOLDER.glob("pictures/*.svg"))))
        for picture in Picture.objects.all():
            with self.subTest(picture.name):
                self.assertGreater(len(picture.alt), 40)
                self.assertEqual((picture.kind, picture.width, picture.height), ("svg", 320, 200))
