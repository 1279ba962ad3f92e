"""Guide packs: there and back again, and everything that is refused on the way."""

import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import warnings
import zipfile
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command
from django.db import connection
from django.test import SimpleTestCase
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as ExampleTestCase

from tests.base import CastTestCase, make_fix
from tests.packing import (
    DRAWING,
    drafts,
    look,
    relisted,
    take,
    the_pack,
    webp,
    wipe,
    without_processes,
)
from tests.test_pictures import plain, saved
from troubleshooter.importing.packs import members, read
from troubleshooter.importing.plans import plan
from troubleshooter.importing.unpacking import PackError, opened, packed, unpacked
from troubleshooter.models import (
    Contact,
    Edition,
    Fix,
    Guide,
    LogLine,
    Picture,
    Placement,
    Scenario,
    Step,
    Symptom,
    Topic,
    Translation,
    freeze,
)

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "15"))
MANY = examples(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
VALUES = ["1", "-1", "1e9", "nan", "true", "''", "'x'", "[", "'a'\na.b = 1", "99999999999999999999"]
VALUES += [
    "[]",
    "[1]",
    "['x']",
    "[{}]",
    "{}",
    "{a = 1}",
    '"\\u0000"',
    "1979-05-27",
    "'" + "x" * 400 + "'",
]
NAME = "printer-offline.toml"


class IdentityTests(ExampleTestCase):
    @MANY
    @given(st.data())
    def test_export_import_export_is_the_identity(self, data: st.DataObject) -> None:
        with without_processes():
            data.draw(drafts())
            first = the_pack()
            self.assertEqual(look(first).changes, [])  # it says what is here
            wipe()
            take(first)
            self.assertEqual(the_pack(), first)
            self.assertEqual(look(first).changes, [])

    @MANY
    @given(st.data())
    def test_a_pack_overrides_whatever_was_written_since(self, data: st.DataObject) -> None:
        with without_processes():
            data.draw(drafts())
            first = the_pack()
            before = _drafts()
            known = list(Translation.objects.order_by("pk").values_list("pk", "edition"))
            Picture.objects.update(alts={"de": "Anders", "ar": "Other"})
            Guide.objects.update(title="Other", about="", closing="Other")
            Fix.objects.update(title="Other", why="Other")
            Placement.objects.all().delete()
            Symptom.objects.all().delete()
            Scenario.objects.all().delete()
            take(first)
            self.assertEqual(the_pack(), first)
            self.assertEqual(_without_dangling(_drafts()), _without_dangling(before))
            after = list(Translation.objects.order_by("pk").values_list("pk", "edition"))
            self.assertEqual(after, known)


def _drafts() -> dict[tuple[str, str], Any]:
    return {(guide.key, guide.language): freeze(guide) for guide in Guide.objects.whole()}


def _without_dangling(contents: dict[tuple[str, str], Any]) -> dict[tuple[str, str], Any]:
    """Without the rules that name a fix which the guide does not have: packs leave them out."""
    for content in contents.values():
        keys = {fix["key"] for fix in content["fixes"]}
        for each, name in [
            *((fix, "after") for fix in content["fixes"]),
            *((symptom, "start_with") for symptom in content["symptoms"]),
        ]:
            each[name] = [key for key in each[name] if key in keys]
    return contents


class AnyBytesTests(CastTestCase):
    """Whatever comes in, it is a plan or a sentence."""

    def weigh(self, data: bytes) -> None:
        try:
            with without_processes():
                look(data)
        except PackError as refused:
            self.assertTrue(str(refused))

    def test_any_bytes_are_refused(self) -> None:
        @examples(max_examples=100, deadline=None, database=None)
        @given(st.binary(), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06"]))
        def weigh(data: bytes, start: bytes) -> None:
            with self.assertRaises(PackError):
                look(start + data)

        weigh()

    def test_a_pack_with_other_bytes_in_it_is_read_or_refused(self) -> None:
        data = the_pack()

        @examples(max_examples=150, deadline=None, database=None)
        @given(
            st.integers(0, len(data) - 1) | st.integers(len(data) - 120, len(data) - 1),
            st.binary(min_size=1, max_size=4),
            st.booleans(),
        )
        def weigh(at: int, other: bytes, cut: bool) -> None:
            self.weigh(data[:at] + other + (b"" if cut else data[at + len(other) :]))

        weigh()

    def test_a_list_and_a_guide_with_any_text_are_read_or_refused(self) -> None:
        files = unpacked(the_pack())

        @examples(max_examples=100, deadline=None, database=None)
        @given(st.binary() | st.text().map(lambda text: text.encode(errors="surrogatepass")))
        def weigh(text: bytes) -> None:
            with self.assertRaises(PackError):
                look(relisted({NAME: text}))
            with self.assertRaises(PackError):
                look(zipped({**files, "pack.json": text}))

        weigh()

    def test_any_change_of_a_good_guide_is_read_or_refused(self) -> None:
        text = unpacked(the_pack())[NAME].decode()
        parts = re.split("( = .*)", text)

        @examples(max_examples=200, deadline=None, database=None)
        @given(st.integers(0, text.count(" = ") - 1), st.sampled_from(VALUES))
        def weigh(at: int, value: str) -> None:
            changed = list(parts)
            changed[2 * at + 1] = f" = {value}"
            self.weigh(relisted({NAME: "".join(changed).encode()}))

        weigh()


def zipped(files: dict[str, bytes], **changed: Any) -> bytes:
    """A zip of these files as they are; `changed` is set on the head of each."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name, content in files.items():
            info = zipfile.ZipInfo(name.rstrip("!"))
            info.compress_type = zipfile.ZIP_DEFLATED
            for field, value in changed.items():
                setattr(info, field, value)
            archive.writestr(info, content)
    return out.getvalue()


class UnpackingTests(SimpleTestCase):
    LIST = json.dumps({"format": 1, "files": {}}).encode()

    def refused(self, data: bytes) -> str:
        with self.assertRaises(PackError) as caught:
            unpacked(data)
        return str(caught.exception)

    def test_what_is_no_zip_or_not_whole_is_refused(self) -> None:
        whole = zipped({"pack.json": self.LIST})
        self.assertEqual(self.refused(b""), "This is no zip.")
        self.assertEqual(self.refused(b"<html>"), "This is no zip.")
        self.assertEqual(self.refused(whole[:-30]), "This zip is not whole: its end is missing.")
        self.assertEqual(self.refused(whole[:40] + whole[60:]), DAMAGED)
        stored = zipped({"pack.json": self.LIST}, compress_type=zipfile.ZIP_STORED)
        self.assertEqual(self.refused(stored.replace(b"format", b"farmot")), DAMAGED)

    def test_a_comment_behind_the_end_is_no_harm(self) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.comment = b"0123456789abcdef"
            archive.writestr("pack.json", self.LIST)
        self.assertEqual(unpacked(out.getvalue()), {})

    def test_a_name_that_leads_elsewhere_is_refused(self) -> None:
        for name, sentence in {
            "/etc/passwd": "/etc/passwd: its name is an absolute path.",
            "C:/a.toml": "C:/a.toml: its name is an absolute path.",
            "\\\\host\\a": "\\\\host\\a: its name is an absolute path.",
            "../a.toml": "../a.toml: its name leads out of the pack.",
            "pictures/../../a.toml": "its name leads out of the pack.",
            "..\\a.toml": "its name leads out of the pack.",
            "inner.zip": "inner.zip: a pack holds no other archive.",
            "pack/pack.json": "pack/pack.json: put the files themselves into the zip",
            "a.txt": "a.txt: a pack holds only pack.json, guides as name.toml,",
            "a.toml/": "a pack holds only",
            "a\u202etxt.toml": "a�txt.toml: a pack holds only",
            "x" * 300: "x" * 79 + "…: a pack holds only",
            f"pictures/{'A' * 64}.webp": "a pack holds only",
            f"pictures/{'a' * 64}.png": "a pack holds only",
        }.items():
            self.assertIn(sentence, self.refused(zipped({name: b"", "pack.json": self.LIST})))

    def test_a_link_or_a_device_is_refused(self) -> None:
        link = zipped({"pack.json": b"/etc/passwd"}, external_attr=0o120777 << 16)
        self.assertEqual(self.refused(link), "pack.json: it is a link; a pack holds only files.")
        pipe = zipped({"pack.json": b""}, external_attr=0o010644 << 16)
        self.assertEqual(self.refused(pipe), "pack.json: it is no plain file.")

    def test_a_name_that_is_there_twice_is_refused(self) -> None:
        data = zipped({"pack.json": self.LIST, "pack.json!": self.LIST})
        self.assertEqual(self.refused(data), "pack.json: it is there twice.")

    def test_an_encrypted_member_is_refused(self) -> None:
        data = bytearray(zipped({"pack.json": self.LIST}))
        data[data.index(b"PK\x01\x02") + 8] |= 1
        self.assertEqual(self.refused(bytes(data)), "pack.json: it is encrypted.")

    def test_another_way_of_packing_is_refused(self) -> None:
        for way in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            data = zipped({"pack.json": self.LIST}, compress_type=way)
            self.assertIn("pack.json: it is packed in an unusual way", self.refused(data))

    def test_bombs_do_not_go_off(self) -> None:
        nothing = b"\0" * (5 << 20)
        large = zipped({"a.toml": nothing + b"\0"})
        self.assertEqual(
            self.refused(large), "a.toml: it is too large: a file in a pack may have at most 5 MiB."
        )
        lying = bytearray(large)
        for head, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):  # it says: ten bytes
            start = lying.index(head) + at
            lying[start : start + 4] = (10).to_bytes(4, "little")
        self.assertEqual(self.refused(bytes(lying)), DAMAGED)
        many = zipped({f"a{nth}.toml": nothing for nth in range(21)})
        self.assertLess(len(many), 200_000)
        self.assertEqual(
            self.refused(many), "This pack is too large: unpacked it has more than 100 MiB."
        )
        crowd = zipped({f"a{nth}.toml": b"" for nth in range(501)})
        self.assertEqual(self.refused(crowd), "This zip holds too much: at most 500 files.")
        self.assertEqual(
            self.refused(b"PK\x03\x04" + b"\0" * (20 << 20)),
            "This pack is too large: a zip may have at most 20 MiB.",
        )

    def test_members_that_lie_over_each_other_are_counted_each(self) -> None:
        """One large member, named by every entry of the directory."""
        one = zipped({"a.toml": b"\0" * (5 << 20)})
        at = one.index(b"PK\x01\x02")
        entry, end = one[at : one.index(b"PK\x05\x06")], bytearray(one[one.index(b"PK\x05\x06") :])
        end[8:12] = (30).to_bytes(2, "little") * 2
        end[12:16] = (30 * len(entry)).to_bytes(4, "little")
        self.assertEqual(
            self.refused(one[:at] + entry * 30 + bytes(end)), "a.toml: it is there twice."
        )

    def test_what_the_list_says_must_be_true(self) -> None:
        files = {"a.toml": b"x = 1\n"}
        good = unzipped(packed(files))
        told = json.loads(good["pack.json"])
        for name, told_wrongly, sentence in (
            ("size", 7, "a.toml: it is not what pack.json says (wrong checksum)."),
            ("sha256", "0" * 64, "a.toml: it is not what pack.json says (wrong checksum)."),
            ("sha256", 1, "pack.json: “files” needs “sha256” and “size” for each name."),
            ("size", True, "pack.json: “files” needs “sha256” and “size” for each name."),
        ):
            wrong = json.loads(good["pack.json"])
            wrong["files"]["a.toml"][name] = told_wrongly
            self.assertIn(sentence, self.listed(files, wrong))
        self.assertEqual(self.listed({}, told), "a.toml: it is missing, but pack.json lists it.")
        self.assertEqual(
            self.listed({**files, "b.toml": b""}, told), "b.toml: pack.json does not list it."
        )
        for wrong, sentence in (
            ({**told, "format": 2}, "This pack has format 2, and this help desk reads format 1."),
            ({**told, "format": True}, "pack.json: it does not say its format."),
            ({"files": {}}, "pack.json: it does not say its format."),
            ([], "pack.json: it does not say its format."),
            ({"format": 1}, "pack.json: it holds “format” and “files”, and nothing else."),
            ({**told, "more": 1}, "pack.json: it holds “format” and “files”, and nothing else."),
            ({"format": 1, "files": {"../a": {}}}, "../a: its name leads out of the pack."),
        ):
            self.assertEqual(self.listed(files, wrong), sentence)

    def listed(self, files: dict[str, bytes], told: Any) -> str:
        return self.refused(zipped({**files, "pack.json": json.dumps(told).encode()}))

    def test_a_list_that_cannot_be_read_is_refused(self) -> None:
        for text, sentence in (
            (b"{", "pack.json: it cannot be read as JSON."),
            (b"[" * 100_000, "pack.json: it cannot be read as JSON."),
            (b"1" * 100_000, "pack.json: it cannot be read as JSON."),
            (b'{"format": 1, "format": 1}', "pack.json: it cannot be read as JSON."),
            (b"\xff", "pack.json: it is not text in UTF-8."),
        ):
            self.assertEqual(self.refused(zipped({"pack.json": text})), sentence)
        self.assertEqual(
            self.refused(zipped({"a.toml": b""})), "pack.json is missing: this is no pack."
        )


DAMAGED = "This zip is damaged: part of it is missing or wrong."


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


class PackTestCase(CastTestCase):
    """The printer guide, with a picture, a scenario, and a second guide that shares a fix."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        content = webp(40)
        cls.picture = Picture.objects.create(
            sha256=hashlib.sha256(content).hexdigest(),
            kind="webp",
            content=content,
            width=8,
            height=6,
            name="Both ends",
            alt="Two ends of a cable",
        )
        Step.objects.filter(key="cable1").update(picture=cls.picture)
        restart = Fix.objects.get(key="restart")
        cls.guide.scenarios.create(
            answers="fixed",
            status="resolved",
            symptom=Symptom.objects.get(key="offline"),
            fix=restart,
        )
        cls.screen = Guide.objects.create(
            key="screen", topic=cls.guide.topic, slug="screen-dark", title="The screen is dark"
        )
        cls.screen.placements.create(fix=restart, position=1)

    picture: Picture
    screen: Guide

    def files(self, *slugs: str) -> dict[str, bytes]:
        chosen = Guide.objects.filter(slug__in=slugs) if slugs else Guide.objects.all()
        return members(chosen)

    def edited(self, *changes: tuple[str, str], of: str = NAME, all_in: bool = False) -> bytes:
        """The pack with this text in the place of that, in one guide or in all."""
        files = self.files()
        for old, new in changes:
            for name in [
                name for name in files if name == of or (all_in and name.endswith("toml"))
            ]:
                if not all_in:
                    self.assertIn(old.encode(), files[name])
                files[name] = files[name].replace(old.encode(), new.encode())
        return packed(files)

    def refused(self, data: bytes) -> str:
        """The sentence; and nothing at all was written."""
        with CaptureQueriesContext(connection) as captured, self.assertRaises(PackError) as caught:
            take(data)
        for query in captured.captured_queries:
            self.assertRegex(query["sql"], "^(SELECT|SAVEPOINT|RELEASE|ROLLBACK)")
        return str(caught.exception)


class FormatTests(PackTestCase):
    def test_it_holds_a_list_a_file_for_each_guide_and_the_pictures(self) -> None:
        files = unzipped(the_pack())
        picture = f"pictures/{self.picture.sha256}.webp"
        self.assertEqual(list(files), ["pack.json", picture, NAME, "screen-dark.toml"])
        self.assertEqual(files[picture], bytes(self.picture.content))
        told = json.loads(files["pack.json"])
        self.assertEqual(told["format"], 1)
        self.assertEqual(
            told["files"][NAME],
            {"sha256": hashlib.sha256(files[NAME]).hexdigest(), "size": len(files[NAME])},
        )

    def test_the_same_drafts_give_the_same_bytes(self) -> None:
        first = the_pack()
        self.assertEqual(the_pack(), first)
        with zipfile.ZipFile(io.BytesIO(first)) as archive:
            self.assertEqual(
                {info.date_time for info in archive.infolist()}, {(1980, 1, 1, 0, 0, 0)}
            )

    def test_a_guide_reads_like_the_files_that_come_with_the_desk(self) -> None:
        text = self.files()[NAME].decode()
        for part in (
            'slug = "printer-offline"\n',
            'about = "Printers go offline when they lose **touch** with the computer."\n',
            '[topic]\nslug = "printer"\nname = "Printer"\n',
            '[[symptom]]\nkey = "offline"\ntext = "It says offline"\nstart_with = ["restart"]\n',
            '[[fix]]\nkey = "restart"\ntitle = "Restart the computer"\nminutes = 4\n'
            'risk = "inconvenient"\nwhy = "A restart clears what got stuck."\ncloses_page = true\n',
            '[[fix.step]]\ntext = "Open Settings."\nheading = "On Windows"\nkey = "driver1"\n',
            f'[fix.step.picture]\nfile = "pictures/{self.picture.sha256}.webp"\n'
            'alt = "Two ends of a cable"\nname = "Both ends"\n',
            '[[contact]]\nname = "Printer Support"\nurl = "https://printer.example/help"\n',
            '[[scenario]]\nanswers = ["fixed"]\nstatus = "resolved"\nfix = "restart"\n'
            'symptom = "offline"\n',
        ):
            self.assertIn(part, text)

    def test_texts_are_written_line_by_line_whatever_is_in_them(self) -> None:
        about = 'First """"line\\.\n\nSecond\tline "'
        Guide.objects.filter(pk=self.guide.pk).update(about=about)
        text = self.files()[NAME].decode()
        self.assertIn('about = """\nFirst ""\\""line\\\\.\n\nSecond\tline "\n"""\n', text)
        [guide] = [each for each in read(self.files()).guides if each.key == "printer"]
        self.assertEqual(guide.about, about)

    def test_owner_and_review_are_this_desks_own_and_stay(self) -> None:
        data = self.edited(("The printer is offline", "The printer sleeps"))
        Guide.objects.update(review_on="2031-01-01")
        take(data)
        guide = Guide.objects.get(key="printer")
        self.assertEqual((guide.title, str(guide.review_on)), ("The printer sleeps", "2031-01-01"))
        self.assertNotIn("2031", self.files()[NAME].decode())

    def test_no_guide_is_no_pack(self) -> None:
        with self.assertRaisesMessage(PackError, "No guide was chosen."):
            members(Guide.objects.none())
        with self.assertRaisesMessage(PackError, "There is no guide in this pack."):
            look(packed({}))

    def test_what_could_not_be_read_again_is_not_written(self) -> None:
        for files, sentence in (
            ({"a.toml": b"x" * (5 << 20) + b"x"}, "a.toml: it is too large: a file in a pack may"),
            ({f"a{nth}.toml": b"" for nth in range(500)}, "This makes more than 500 files"),
            ({f"a{nth}.toml": b"x" * (5 << 20) for nth in range(21)}, "more than 100 MiB: choose"),
            ({f"pictures/{nth:064}.svg": os.urandom(5 << 20) for nth in range(5)}, "than 20 MiB"),
        ):
            with self.assertRaisesMessage(PackError, sentence):
                packed(files)

    def test_writing_costs_no_query_by_the_guide(self) -> None:
        with CaptureQueriesContext(connection) as few:
            self.files(self.guide.slug)
        with CaptureQueriesContext(connection) as more:
            self.files()
        self.assertEqual(len(more), len(few))


class GuideTests(PackTestCase):
    """What a guide in a pack may not say."""

    def test_a_wrong_value_is_refused_with_its_place(self) -> None:
        cable = f"{NAME}, fix 1 (“Check the cable”)"
        for old, new, sentence in (
            ("minutes = 1\n", "minutes = -1\n", f"{cable}: minutes must be a whole number from 0"),
            ("minutes = 1\n", "revision = 0\nminutes = 1\n", f"{cable}: revision must be a whole"),
            ("minutes = 1\n", f"minutes = 1\nrevision = {2**31}\n", f"{cable}: revision must be"),
            ('key = "cable"', 'key = "ca ble"', f"{cable}: key must be 1 to 16 letters"),
            ('key = "cable"', 'key = "person"', f"{cable}: key must be 1 to 16 letters"),
            ('key = "cable1"', 'key = "é"', "step 1 (“Look at both ends.”): key must be 1 to 16"),
            (
                'language = "en"',
                'language = "tlh"',
                f"{NAME}: language: Value 'tlh' is not a valid",
            ),
            ('slug = "printer-offline"', 'slug = ""', f"{NAME}: slug is missing."),
            ('slug = "printer-offline"', 'slug = "a/b"', f"{NAME}: slug: Enter a valid “slug”"),
            ('name = "Printer Support"\n', 'name = ""\n', "contact 1 (“”): name is missing."),
            ('"https://printer.example/help"', '"javascript:1"', "url: Enter a valid URL."),
            ('"A restart clears', '"\\u0000', "why: This text has a character in it that cannot"),
            ('"It says offline"', f'"{"x" * 121}"', "text: Ensure this value has at most 120"),
            ('start_with = ["restart"]', 'start_with = ["x"]', "start_with: no fix here is “x”."),
            (
                'symptom = "offline"',
                'symptom = "x"',
                "scenario 1: symptom: no symptom here is “x”.",
            ),
            (
                'answers = ["fixed"]',
                'answers = ["maybe"]',
                "scenario 1: answers: “maybe” is no answer",
            ),
            (".webp", ".png", "file must be like pictures/….webp, named by the picture’s SHA-256."),
            ("pictures/", "../pictures/", "file must be like pictures/….webp"),
            ("[topic]", "a" + ".a" * 100_000 + " = 1\n[topic]", "there is more in it than in any"),
            ("[topic]", "a = " + "[" * 5_000 + "\n[topic]", "something in it is nested too"),
        ):
            with self.subTest(new=new[:60]):
                self.assertIn(sentence, self.refused(self.edited((old, new))))

    def test_a_text_that_is_no_utf8_is_refused(self) -> None:
        sentence = self.refused(packed({NAME: b"title = '\xff'"}))
        self.assertEqual(sentence, f"{NAME}: this cannot be read as TOML: it is not text in UTF-8.")

    def test_a_crowd_of_parts_is_refused(self) -> None:
        crowd = '\n[[contact]]\nname = "A"\nurl = "https://a.example/"\n' * 2_001
        sentence = self.refused(packed({NAME: self.files()[NAME] + crowd.encode()}))
        self.assertEqual(sentence, f"{NAME}: this is too much for one guide: at most 2,000 parts.")

    def test_a_crowd_of_guides_is_refused(self) -> None:
        text = self.files("screen-dark")["screen-dark.toml"].decode()
        text += '\n[[contact]]\nname = "A"\nurl = "https://a.example/"\n' * 1_900
        files = {f"g{nth}.toml": text.replace("screen", f"g{nth}").encode() for nth in range(11)}
        self.assertEqual(
            self.refused(packed(files)),
            "This is too much for one pack: at most 20,000 parts of guides.",
        )

    def test_what_belongs_to_one_guide_is_not_in_two(self) -> None:
        files = self.files("screen-dark")
        text = files["screen-dark.toml"].decode()
        for other, sentence in (
            (text, "b.toml: the guide “screen” in this language is in a.toml, too."),
            (
                text.replace('"screen"', '"other"'),
                "b.toml: a.toml has the slug “screen-dark”, too.",
            ),
        ):
            self.assertEqual(
                self.refused(packed({"a.toml": text.encode(), "b.toml": other.encode()})), sentence
            )
        seen = '\n[[symptom]]\nkey = "s1"\ntext = "Dark"\n'
        other = text.replace('"screen"', '"other"').replace("screen-dark", "other")
        both = {"a.toml": (text + seen).encode(), "b.toml": (other + seen).encode()}
        self.assertEqual(
            self.refused(packed(both)),
            "b.toml, symptom 1 (“Dark”): the key “s1” is taken already, in a.toml.",
        )

    def test_what_guides_share_says_the_same_in_each(self) -> None:
        same = "in printer-offline.toml this says something else; what guides share is the same"
        for old, new in (
            ('title = "Restart the computer"', 'title = "Restart it"'),
            ('text = "Choose Restart."', 'text = "Press it."'),
            ('name = "Printer"', 'name = "Printers"'),
        ):
            self.assertIn(same, self.refused(self.edited((old, new), of="screen-dark.toml")))

    def test_two_steps_have_two_keys(self) -> None:
        data = self.edited(('key = "cable2"', 'key = "cable1"'))
        self.assertIn("step 2 (“Push them in.”): the key “cable1” is taken", self.refused(data))

    def test_a_step_without_a_key_gets_one_that_stays(self) -> None:
        new = '[[fix.step]]\ntext = "Dust it."\n\n[[fix.step]]\ntext = "Push them in."\n'
        data = self.edited(('[[fix.step]]\ntext = "Push them in."\n', new))
        take(data)
        self.assertEqual(look(data).changes, [])
        keys = [step.key for step in Fix.objects.get(key="cable").steps.all()]
        self.assertEqual(keys, ["cable1", "cable-2", "cable2"])

    def test_pictures_are_all_there_and_shown_and_are_what_their_names_say(self) -> None:
        files = self.files()
        picture = f"pictures/{self.picture.sha256}.webp"
        for changed, sentence in (
            ({picture: None}, "picture (“Both ends”): there is no such file in the pack."),
            ({picture: webp(90)}, f"{picture}: its name must be the SHA-256 of its bytes."),
            ({f"pictures/{'0' * 64}.webp": b""}, f"pictures/{'0' * 64}.webp: no step shows this"),
        ):
            new = {name: data for name, data in {**files, **changed}.items() if data is not None}
            self.assertIn(sentence, self.refused(packed(new)))


class PictureTests(PackTestCase):
    """Pictures that are not here yet."""

    def with_picture(self, content: bytes, kind: str = "webp") -> bytes:
        sha256 = hashlib.sha256(content).hexdigest()
        files = {
            name: text.replace(f"{self.picture.sha256}.webp".encode(), f"{sha256}.{kind}".encode())
            for name, text in self.files().items()
            if name.endswith(".toml")
        }
        return packed({**files, f"pictures/{sha256}.{kind}": content})

    def test_they_come_back_byte_for_byte(self) -> None:
        packs = [(each, self.with_picture(each)) for each in (webp(120), webp(120, "RGBA"))]
        for content, data in packs:
            take(data)
            row = Picture.objects.get(sha256=hashlib.sha256(content).hexdigest())
            self.assertEqual(bytes(row.content), content)
            self.assertEqual((row.width, row.height, row.kind), (8, 6, "webp"))

    def test_one_that_is_not_what_it_says_is_refused(self) -> None:
        good = webp(120)
        for content in (
            b"",
            b"<script>alert(1)</script>",
            saved(plain()),
            saved(plain(), "WEBP", lossless=True),
            saved(plain(), "WEBP", exif=b"Exif\0\0secret"),
            good + b"more",
            _sized(good + b"MORE\0\0\0\0"),
            good[:-2],
            _sized(good[:-2]),
            saved(plain(1_700, 4), "WEBP"),
        ):
            with without_processes():
                sentence = self.refused(self.with_picture(content))
            self.assertRegex(sentence, r"^pictures/[0-9a-f]{64}\.webp: This picture")

    def test_a_drawing_comes_in_by_the_command_alone_and_holds_only_shapes(self) -> None:
        data = self.with_picture(DRAWING, "svg")
        with self.assertRaisesMessage(PackError, "a drawing that is not here yet: only"):
            look(data, new_drawings=False)
        bad = self.with_picture(DRAWING.replace(b"<circle", b'<circle onload="x"'), "svg")
        self.assertIn("the drawing may hold only shapes and words", self.refused(bad))
        take(data)
        self.assertEqual(Picture.objects.get(kind="svg").width, 32)
        look(data, new_drawings=False)  # it is here now


def _sized(data: bytes) -> bytes:
    """With the length that it has by now written at its start."""
    return data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:]


class PlanTests(PackTestCase):
    def setUp(self) -> None:
        walls = without_processes()
        walls.start()
        self.addCleanup(walls.stop)

    def test_looking_writes_nothing(self) -> None:
        data = self.edited(("Check the cable", "Look at the cable"))
        with CaptureQueriesContext(connection) as captured:
            found = look(data)
        self.assertEqual(len(found.changes), 1)
        for query in captured.captured_queries:
            self.assertTrue(query["sql"].startswith("SELECT"))

    def test_looking_costs_no_query_by_the_guide(self) -> None:
        few, more = (relisted(self.files(*slugs)) for slugs in ([self.guide.slug], []))
        with CaptureQueriesContext(connection) as one:
            look(few)
        with CaptureQueriesContext(connection) as two:
            look(more)
        self.assertEqual(len(two), len(one))

    def test_keys_stay_and_what_is_known_by_them(self) -> None:
        ids = {
            model: set(model.objects.values_list("pk", flat=True)) for model in (Fix, Step, Symptom)
        }
        take(
            self.edited(
                ("Check the cable", "Look at the cable"),
                ("Push them in.", "Push both in."),
                ("It says offline", "It says: offline"),
            )
        )
        for model, before in ids.items():
            self.assertEqual(set(model.objects.values_list("pk", flat=True)), before)
        self.assertEqual(Fix.objects.get(key="cable").title, "Look at the cable")

    def test_a_fix_that_is_gone_loses_its_place_and_nothing_else(self) -> None:
        text = self.files()[NAME].decode()
        start = text.index('[[fix]]\nkey = "driver"')
        end = text.index('[[fix]]\nkey = "reset"')
        take(packed({**self.files(), NAME: (text[:start] + text[end:]).encode()}))
        self.assertFalse(Placement.objects.filter(fix__key="driver").exists())
        self.assertEqual(Fix.objects.get(key="driver").steps.count(), 3)

    def test_a_guide_in_another_language_shares_the_keys(self) -> None:
        german = self.edited(('language = "en"', 'language = "de"'), ("printer-offline", "drucker"))
        found = take(
            relisted(
                {name: text for name, text in unzipped(german).items() if "screen" not in name}
            )
        )
        self.assertIsNone(found.changes[0].before)
        self.assertEqual(Guide.objects.filter(key="printer").count(), 2)
        self.assertEqual(Fix.objects.filter(key="restart").count(), 2)
        self.assertEqual(Picture.objects.count(), 1)

    def test_guides_beyond_the_pack_that_a_change_reaches_are_named(self) -> None:
        files = unzipped(self.edited(("Choose Restart.", "Press Restart."), all_in=True))
        del files["screen-dark.toml"]
        [reach] = look(relisted(files)).reaches
        self.assertEqual(
            (reach.after.title, reach.others), ("Restart the computer", ("The screen is dark",))
        )
        # With all of its guides in the pack, each shows it itself.
        both = self.edited(("Choose Restart.", "Press Restart."), all_in=True)
        self.assertEqual(look(both).reaches, [])

    def test_a_fix_that_comes_from_the_library_shows_how_it_changes(self) -> None:
        make_fix("fuse", "Change the fuse", "Pull it.")
        fix = '\n[[fix]]\nkey = "fuse"\ntitle = "Change a fuse"\nminutes = 2\nrisk = "safe"\n'
        files = self.files("screen-dark")
        files["screen-dark.toml"] += fix.encode()
        [reach] = look(packed(files)).reaches
        self.assertEqual((reach.before.title, reach.others), ("Change the fuse", ()))

    def test_two_guides_that_share_a_changed_fix_are_both_saved(self) -> None:
        found = take(self.edited(("Choose Restart.", "Press Restart."), all_in=True))
        self.assertEqual(len(found.changes), 2)
        self.assertEqual(Step.objects.get(key="restart1").text, "Press Restart.")

    def test_a_slug_that_another_guide_has_is_refused(self) -> None:
        data = relisted(self.files("screen-dark"))
        Guide.objects.filter(key="screen").update(slug="free")
        Guide.objects.filter(key="printer").update(slug="screen-dark", title="Mine")
        self.assertEqual(
            self.refused(data),
            "screen-dark.toml: another guide here has the slug “screen-dark”: “Mine”.",
        )

    def test_the_key_of_another_guides_symptom_is_refused(self) -> None:
        seen = '\n[[symptom]]\nkey = "offline"\ntext = "Dark"\n'
        files = self.files("screen-dark")
        files["screen-dark.toml"] += seen.encode()
        self.assertIn(
            "the key “offline” is that of a symptom of “The printer is offline” here.",
            self.refused(packed(files)),
        )

    def test_the_key_of_a_step_of_a_fix_beyond_the_pack_is_refused(self) -> None:
        make_fix("fuse", "Change the fuse", "Pull it.")
        data = self.edited(('key = "cable2"', 'key = "fuse1"'))
        self.assertIn("the key “fuse1” is that of a step of “Change the fuse”", self.refused(data))

    def test_a_step_may_move_to_another_fix_of_the_pack(self) -> None:
        data = self.edited(
            ('[[fix.step]]\ntext = "Push them in."\nkey = "cable2"\n', ""),
            ('text = "Press Update."\nkey = "driver2"', 'text = "Push them in."\nkey = "cable2"'),
        )
        take(data)
        driver = [step.text for step in Fix.objects.get(key="driver").steps.all()]
        self.assertEqual(driver[1], "Push them in.")
        self.assertEqual(Fix.objects.get(key="cable").steps.count(), 1)

    def test_a_picture_that_is_deleted_meanwhile_is_told(self) -> None:
        found = look(self.edited(("Check the cable", "Look at the cable")))
        Step.objects.update(picture=None)
        Picture.objects.all().delete()
        with self.assertRaisesMessage(PackError, "was changed meanwhile"):
            found.save(found.changes[0], None, "")

    def test_a_topic_keeps_its_name_and_that_is_said(self) -> None:
        data = the_pack()
        Topic.objects.update(name="Printers", position=7)
        found = look(data)
        self.assertEqual(found.changes, [])
        self.assertEqual(
            found.notes, ["The topic “Printers” is called “Printer” in the pack, and stays."]
        )

    def test_a_contact_is_found_by_what_it_says_and_never_changed(self) -> None:
        data = the_pack()
        Contact.objects.update(position=5)
        self.assertEqual(look(data).changes, [])  # where it stands is this desk's own
        Contact.objects.update(note="Only by phone.")
        take(data)
        self.assertEqual(Contact.objects.count(), 2)
        self.assertEqual(Guide.objects.get(key="printer").contacts.get().note, "")

    def test_a_revision_never_falls(self) -> None:
        data = self.edited(("Check the cable", "Look at the cable"))
        Fix.objects.filter(key="cable").update(revision=3)
        found = take(data)
        self.assertEqual(Fix.objects.get(key="cable").revision, 4)
        self.assertIn(
            "older in the pack (revision 1) than here (revision 3): it is", found.notes[0]
        )
        self.assertEqual(look(data).changes, [])  # and it does not rise again

    def test_words_of_a_picture_that_other_fixes_show_are_told(self) -> None:
        make_fix("fuse", "Change the fuse", "Pull it.").steps.update(picture=self.picture)
        found = take(self.edited(("Two ends of a cable", "Both ends of it")))
        self.assertEqual(
            found.notes, ["The words for the picture “Both ends” change in “Change the fuse”, too."]
        )
        self.assertEqual(Picture.objects.get().alt, "Both ends of it")

    def test_what_was_changed_meanwhile_is_left_alone(self) -> None:
        found = look(self.edited(("Check the cable", "Look at the cable")))
        Guide.objects.filter(key="printer").update(title="Theirs")
        with self.assertRaisesMessage(PackError, "was changed meanwhile, and is left as it is"):
            found.save(found.changes[0], None, "")
        self.assertEqual(Fix.objects.get(key="cable").title, "Check the cable")

    def test_what_somebody_made_meanwhile_is_left_alone(self) -> None:
        data = the_pack()
        wipe_all()
        found = look(data)
        take(data)
        for change in found.changes:
            with self.assertRaisesMessage(PackError, "was changed meanwhile"):
                found.save(change, None, "")

    def test_a_guide_that_fails_leaves_nothing_and_the_next_is_saved(self) -> None:
        data = the_pack()
        wipe_all()
        found = look(data)
        Guide.objects.create(topic=Topic.objects.create(slug="x", name="X"), slug="printer-offline")
        with self.assertRaisesMessage(PackError, "was changed meanwhile"):
            found.save(found.changes[0], None, "")
        self.assertFalse(
            Fix.objects.exists() or Picture.objects.exists() or Contact.objects.exists()
        )
        found.save(found.changes[1], None, "Imported.")
        self.assertEqual(Fix.objects.get().key, "restart")
        self.assertEqual(LogLine.objects.get().said, "Imported.")

    def test_the_digest_names_what_is_shown(self) -> None:
        data = self.edited(("Check the cable", "Look at the cable"))
        first = look(data).digest
        self.assertEqual(look(data).digest, first)
        Guide.objects.filter(key="printer").update(about="Theirs")
        self.assertNotEqual(look(data).digest, first)


def wipe_all() -> None:
    Edition.objects.all().delete()
    wipe()


class TranslationTests(PackTestCase):
    """The printer guide in German, half translated."""

    GERMAN = "printer-offline-de.toml"

    def setUp(self) -> None:
        walls = without_processes()
        walls.start()
        self.addCleanup(walls.stop)
        self.translation = Translation.objects.start(self.guide, "de", by=None)
        self.german = self.translation.guide
        Guide.objects.filter(pk=self.german.pk).update(title="Der Drucker ist offline")
        self.picture.describe("Zwei Enden eines Kabels", "de")
        self.picture.save()

    def left(self) -> set[tuple[str, ...]]:
        draft = Guide.objects.whole().get(key="printer", language="de")
        return set(draft.translation.untranslated(draft))

    def test_the_file_says_of_which_and_what_is_not_translated_yet(self) -> None:
        text = self.files()[self.GERMAN].decode()
        self.assertIn('language = "de"\noriginal = "en"\nuntranslated = [\n', text)
        self.assertIn('  "step cable cable1 text",\n', text)
        self.assertNotIn('"guide title"', text)
        self.assertIn('alt = "Zwei Enden eines Kabels"\n', text)
        self.assertIn('alt = "Two ends of a cable"\n', self.files()[NAME].decode())

    def test_it_comes_back_whatever_its_file_is_called(self) -> None:
        files, left = self.files(), self.left()
        files["0.toml"] = files.pop(self.GERMAN)
        wipe_all()
        found = take(packed(files))
        self.assertEqual([each.after.language for each in found.changes], ["en", "en", "de"])
        made = Translation.objects.get()
        self.assertEqual((made.guide.language, made.original.language), ("de", "en"))
        self.assertEqual(self.left(), left)
        self.assertEqual(
            (Picture.objects.get().alt_in("en"), Picture.objects.get().alt_in("de")),
            ("Two ends of a cable", "Zwei Enden eines Kabels"),
        )

    def test_what_is_the_same_on_purpose_needs_no_second_yes(self) -> None:
        self.translation.same_on_purpose(self.left(), by=None)
        data = the_pack()
        wipe_all()
        take(data)
        self.assertEqual(self.left(), set())

    def test_the_original_may_be_here_already(self) -> None:
        files = self.files(self.german.slug)
        self.german.delete()
        take(packed(files))
        self.assertEqual(Translation.objects.get().original, self.guide)
        self.assertEqual(Translation.objects.get().edition, 1)

    def test_without_its_original_it_is_refused(self) -> None:
        data = packed(self.files(self.german.slug))
        wipe_all()
        self.assertEqual(
            self.refused(data),
            f"{self.GERMAN}: original: the guide “printer” in “en” is neither in this pack nor"
            " here: export both, or import that one first.",
        )

    def test_an_original_that_went_meanwhile_is_told(self) -> None:
        data = the_pack()
        wipe_all()
        found = look(data)
        [german] = [each for each in found.changes if each.after.language == "de"]
        with self.assertRaisesMessage(PackError, "is neither in this pack nor here"):
            found.save(german, None, "")
        self.assertFalse(Guide.objects.exists())

    def test_one_that_is_here_stays_as_it_is(self) -> None:
        Translation.objects.update(edition=7)
        left = self.left()
        for old in ('original = "en"\n', None):
            files = self.files()
            text = files[self.GERMAN].decode().replace("Der Drucker ist", "Drucker")
            if old:  # a pack from before there were translations
                start, end = text.index('original = "en"'), text.index("slug = ")
                text = text[:start] + text[end:]
            take(packed({**files, self.GERMAN: text.encode()}))
            there = Translation.objects.get()
            self.assertEqual((there.pk, there.edition), (self.translation.pk, 7))
            self.assertEqual(self.left(), left)

    def test_that_it_stays_a_translation_is_told_with_the_name_of_the_language(self) -> None:
        files = self.files()
        text = files[self.GERMAN].decode()
        start, end = text.index('original = "en"'), text.index("slug = ")
        pack = packed({**files, self.GERMAN: (text[:start] + text[end:]).encode()})
        [note] = plan(read(unpacked(pack)), new_drawings=True).notes
        self.assertIn("is a translation from “English” here, and stays one.", note)

    def test_nothing_is_a_translation_of_itself(self) -> None:
        said = "original: in the end this is a translation of itself."
        for name, old, new in (
            (self.GERMAN, 'original = "en"', 'original = "de"'),
            (NAME, 'language = "en"\n', 'language = "en"\noriginal = "de"\n'),
        ):
            self.assertIn(said, self.refused(self.edited((old, new), of=name)))
        files = self.files(self.guide.slug)  # here the German one is made of it
        text = files[NAME].replace(b'language = "en"\n', b'language = "en"\noriginal = "de"\n')
        self.assertIn(said, self.refused(packed({**files, NAME: text})))

    def test_what_is_not_translated_must_be_there(self) -> None:
        for name, old, new, said in (
            (self.GERMAN, '"step cable cable1 text"', '"step x y text"', "no text here is at"),
            (NAME, 'language = "en"', 'language = "en"\nuntranslated = ["a"]', "no original."),
        ):
            self.assertIn(said, self.refused(self.edited((old, new), of=name)))

    def test_words_of_pictures_are_those_of_the_language(self) -> None:
        data = self.edited(("Zwei Enden", "Beide Enden"), of=self.GERMAN)
        self.assertEqual(look(data).notes, [])  # the English fix says the same as before
        take(data)
        row = Picture.objects.get()
        self.assertEqual(
            (row.alt, row.alt_in("de")), (self.picture.alt, "Beide Enden eines Kabels")
        )

    def test_words_that_another_language_borrows_are_told(self) -> None:
        Picture.objects.update(alts={})
        files = self.files(self.guide.slug)
        files[NAME] = files[NAME].replace(b"Two ends of", b"Both ends of")
        self.assertEqual(
            look(packed(files)).notes,
            ["The words for the picture “Both ends” change in “Check the cable”, too."],
        )

    def test_words_that_are_borrowed_stay_when_only_the_lender_changes(self) -> None:
        Picture.objects.update(alts={})
        data = self.edited(("Two ends of", "Both ends of"))
        take(data)
        self.assertEqual(Picture.objects.get().alt_in("de"), "Two ends of a cable")
        self.assertEqual(look(data).changes, [])

    def test_an_empty_text_borrows_those_of_the_main_language(self) -> None:
        data = self.edited(("Zwei Enden eines Kabels", ""), of=self.GERMAN)
        take(data)
        self.assertEqual(Picture.objects.get().alt_in("de"), "Two ends of a cable")
        self.assertEqual(look(data).changes, [])

    def test_a_picture_without_a_name_has_one_in_all_languages(self) -> None:
        data = self.edited(('name = "Both ends"\n', ""), all_in=True)
        take(data)
        self.assertIn(
            Picture.objects.get().name, ("Two ends of a cable", "Zwei Enden eines Kabels")
        )


class FolderTests(PackTestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "pack"

    def run_it(self, command: str, *words: Any) -> str:
        out = StringIO()
        call_command(command, *words, stdout=out)
        return out.getvalue()

    def test_a_folder_is_as_good_as_a_zip(self) -> None:
        file = self.folder.with_suffix(".zip")
        said = self.run_it("export_guides", self.folder)
        self.assertEqual(said, "pack: 2 guides, 1 pictures.\n")
        self.run_it("export_guides", file)
        self.assertEqual(opened(self.folder), opened(file))
        self.assertEqual(file.read_bytes(), the_pack())
        for source in (self.folder, file):
            self.assertIn(
                "The same already: “The screen is dark”.", self.run_it("import_pack", source)
            )

    def test_the_folders_above_it_are_made(self) -> None:
        inner = self.folder / "printers"
        self.run_it("export_guides", inner)
        self.assertTrue((inner / "pack.json").is_file())

    def test_an_export_into_it_leaves_no_old_guide_and_no_foreign_file(self) -> None:
        self.run_it("export_guides", self.folder)
        (self.folder / ".git").mkdir()
        self.run_it("export_guides", "--guide", "screen-dark", self.folder)
        left = sorted(path.name for path in self.folder.rglob("*"))
        self.assertEqual(left, [".git", "pack.json", "screen-dark.toml"])
        (self.folder / "notes.txt").write_text("mine")
        with self.assertRaisesMessage(CommandError, "notes.txt: a pack holds only"):
            self.run_it("export_guides", self.folder)

    def test_a_folder_that_is_no_pack_is_not_touched(self) -> None:
        self.folder.mkdir()
        (self.folder / "mine.toml").write_text("x = 1")
        with self.assertRaisesMessage(CommandError, "pack is no folder of a pack: choose an empty"):
            self.run_it("export_guides", self.folder)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["mine.toml"])

    def test_links_and_other_things_in_it_are_refused(self) -> None:
        self.run_it("export_guides", self.folder)
        link = self.folder / "link.toml"
        link.symlink_to("/etc/passwd")
        with self.assertRaisesMessage(CommandError, "link.toml: it is a link; a pack holds only"):
            self.run_it("import_pack", self.folder)
        link.unlink()
        pictures = self.folder / "pictures"
        shutil.move(pictures, self.folder.parent / "elsewhere")
        pictures.symlink_to(self.folder.parent / "elsewhere")
        with self.assertRaisesMessage(CommandError, "pictures: it is a link"):
            self.run_it("import_pack", self.folder)
        pictures.unlink()
        os.mkfifo(self.folder / "pipe.toml")
        with self.assertRaisesMessage(CommandError, "pipe.toml: it is no plain file."):
            self.run_it("import_pack", self.folder)

    def test_a_file_that_was_edited_wants_a_new_list(self) -> None:
        self.run_it("export_guides", self.folder)
        file = self.folder / "screen-dark.toml"
        file.write_text(file.read_text().replace("screen is dark", "screen stays dark"))
        with self.assertRaisesMessage(CommandError, "If you changed it yourself, in a folder, say"):
            self.run_it("import_pack", self.folder)
        self.assertEqual(self.run_it("seal_pack", self.folder), "pack.json lists 3 files.\n")
        said = self.run_it("import_pack", self.folder)
        self.assertIn("Changed: “The screen stays dark” (English)", said)
        self.assertIn("Title: The screen [-is-]{+stays+} dark", said)

    def test_a_folder_without_a_list_gets_one(self) -> None:
        self.run_it("export_guides", self.folder)
        told = (self.folder / "pack.json").read_bytes()
        (self.folder / "pack.json").write_text("<<<<<<< two branches")
        self.run_it("seal_pack", self.folder)
        (self.folder / "pack.json").unlink()
        self.run_it("seal_pack", self.folder)
        self.assertEqual((self.folder / "pack.json").read_bytes(), told)

    def test_a_wrong_folder_is_not_sealed(self) -> None:
        self.run_it("export_guides", self.folder)
        (self.folder / "screen-dark.toml").write_text("x = 1")
        before = (self.folder / "pack.json").read_bytes()
        with self.assertRaisesMessage(CommandError, "screen-dark.toml: “x” is unknown here."):
            self.run_it("seal_pack", self.folder)
        self.assertEqual((self.folder / "pack.json").read_bytes(), before)

    def test_what_cannot_be_opened_or_written_is_told(self) -> None:
        absent = self.folder / "absent.zip"
        for command, words, sentence in (
            ("import_pack", [absent], "absent.zip cannot be opened: No such file"),
            ("seal_pack", [absent], "absent.zip cannot be opened or written: No such file"),
            ("export_guides", [absent], "absent.zip cannot be written: No such file"),
            ("export_guides", ["--guide", "x", absent], "There is no guide with the slug “x”."),
        ):
            with self.assertRaisesMessage(CommandError, sentence):
                self.run_it(command, *words)


class CommandTests(PackTestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "pack.zip"
        self.file.write_bytes(the_pack())

    def run_it(self, *words: str) -> tuple[str, str]:
        out, err = StringIO(), StringIO()
        try:
            call_command("import_pack", self.file, *words, stdout=out, stderr=err)
        except CommandError as failed:
            err.write(str(failed))
        return out.getvalue(), err.getvalue()

    def test_it_only_shows_unless_it_is_told_to_save(self) -> None:
        self.file.write_bytes(self.edited(("Look at both ends.", "Look at the ends.")))
        for words in ([], ["--dry-run"]):
            out, _err = self.run_it(*words)
            self.assertIn(
                "Changed: “The printer is offline” (English)\n"
                "  Fixes\n    “Check the cable” changed.\n"
                "      Step 1 changed.\n        Instruction: Look at [-both-]{+the+} ends.\n",
                out,
            )
            self.assertTrue(out.endswith("Nothing is saved. Say --yes to do it.\n"))
        self.assertEqual(Step.objects.get(key="cable1").text, "Look at both ends.")

    def test_what_it_saves_is_a_draft_and_stands_in_the_log(self) -> None:
        self.file.write_bytes(self.edited(("Look at both ends.", "Look at the ends.")))
        out, err = self.run_it("--yes")
        self.assertIn("Saved: “The printer is offline”.\n", out)
        self.assertEqual(err, "")
        self.assertEqual(Step.objects.get(key="cable1").text, "Look at the ends.")
        self.assertEqual(Edition.objects.count(), 1)
        line = LogLine.objects.filter(kind="changed").get()
        self.assertEqual(line.said, "Imported from a pack: Fixes: “Check the cable” changed.")

    def test_guides_that_link_to_each_other_are_published_in_the_order_that_works(self) -> None:
        Guide.objects.filter(key="printer").update(
            about="Or is [the screen](/g/screen-dark/) dark?"
        )
        Guide.objects.filter(key="screen").update(summary="Nothing is seen.")
        self.file.write_bytes(the_pack())
        wipe_all()
        out, err = self.run_it("--yes", "--publish")
        self.assertEqual(err, "")
        self.assertLess(out.index("Live: “The screen is dark”"), out.index("Live: “The printer"))
        self.assertEqual(Edition.objects.live().count(), 2)

    def test_a_translation_is_published_after_its_original_and_is_up_to_date(self) -> None:
        Guide.objects.filter(key="screen").update(summary="Nothing is seen.")
        made = Translation.objects.start(self.guide, "de", by=None)
        made.same_on_purpose(made.untranslated(Guide.objects.whole().get(pk=made.guide_id)), None)
        Guide.objects.filter(pk=made.guide_id).update(slug="a")
        self.file.write_bytes(the_pack())
        wipe_all()
        out, err = self.run_it("--yes", "--publish")
        self.assertEqual(err, "")
        self.assertIn("This is a translation of “The printer is offline” (English).", out)
        self.assertEqual(Edition.objects.get(language="de").of_edition, 1)
        self.assertFalse(Translation.objects.behind().exists())

    def test_one_that_was_behind_stays_behind(self) -> None:
        made = Translation.objects.start(self.guide, "de", by=None)
        Translation.objects.update(edition=None)
        self.file.write_bytes(the_pack())
        Guide.objects.filter(pk=made.guide_id).update(title="Drucker")
        self.run_it("--yes", "--publish")
        self.assertIsNone(Translation.objects.get().edition)

    def test_one_that_is_not_ready_stays_a_draft_and_the_command_fails(self) -> None:
        wipe_all()
        out, err = self.run_it("--yes", "--publish")
        self.assertIn("“The screen is dark” stays a draft: The guide has no summary.", err)
        self.assertIn("Not everything was done.", err)
        self.assertIn("Live: “The printer is offline”, edition 1.", out)
        self.assertEqual(Guide.objects.count(), 2)

    def test_a_refusal_is_one_sentence(self) -> None:
        self.file.write_bytes(b"no")
        self.assertEqual(self.run_it(), ("", "This is no zip."))
