"""Pictures from editors: what is taken, what becomes of it, and what is refused with a sentence."""

import io
import struct
import subprocess
import sys
import zlib
from hashlib import sha256
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from django.test import SimpleTestCase
from PIL import Image, PngImagePlugin

from tests.base import CastTestCase
from troubleshooter import decoder, pictures
from troubleshooter.models import Edition, Picture, Step
from troubleshooter.pictures import BadPicture, Encoded, reencode

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><path d="M0 0h9v9z"/></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
RED = (200, 30, 30)
BLUE = (20, 40, 200)


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def plain(width: int = 8, height: int = 6, mode: str = "RGB", colour: Any = RED) -> Image.Image:
    return Image.new(mode, (width, height), colour)


def halves() -> Image.Image:
    """Wider than high: red on the left, blue on the right."""
    image = plain(60, 20)
    image.paste(BLUE, (30, 0, 60, 20))
    return image


def shown(encoded: Encoded) -> Image.Image:
    image = Image.open(io.BytesIO(encoded.content), formats=("WEBP",))
    image.load()
    return image


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is as large as that."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


class PictureCase(SimpleTestCase):
    def near(self, image: Image.Image, at: tuple[int, int], colour: tuple[int, ...]) -> None:
        got = image.getpixel(at)
        assert isinstance(got, tuple)
        for mine, meant in zip(got, colour, strict=True):
            self.assertAlmostEqual(mine, meant, delta=24, msg=f"{got} is not {colour}")

    def refused(self, data: bytes) -> str:
        with self.assertRaises(BadPicture) as refused:
            reencode(data)
        return str(refused.exception)


def decoded_here(command: list[str], **options: Any) -> Any:
    """The same work without a process for each: `DecoderTests` and all others start real ones."""
    try:
        return mock.Mock(returncode=0, stdout=decoder.answer(options["input"]))
    except decoder.Refused as refused:
        return mock.Mock(returncode=3, stdout=str(refused).encode())


class RulesCase(PictureCase):
    def setUp(self) -> None:
        patched = mock.patch.object(subprocess, "run", decoded_here)
        patched.start()
        self.addCleanup(patched.stop)


class TakenTests(RulesCase):
    def test_every_kind_becomes_webp_named_by_its_own_hash(self) -> None:
        for kind in ("PNG", "JPEG", "WEBP", "GIF"):
            encoded = reencode(saved(halves(), kind))
            self.assertEqual((encoded.width, encoded.height), (60, 20), kind)
            self.assertEqual(encoded.sha256, sha256(encoded.content).hexdigest())
            self.near(shown(encoded), (5, 10), RED)
            self.near(shown(encoded), (55, 10), BLUE)

    def test_the_same_bytes_give_the_same_picture(self) -> None:
        self.assertEqual(reencode(saved(halves())), reencode(saved(halves())))

    def test_a_large_picture_is_scaled_down_and_a_small_one_is_left(self) -> None:
        sizes = {(4000, 1000): (1600, 400), (100, 3200): (50, 1600), (1600, 9): (1600, 9)}
        for size, meant in sizes.items():
            for kind in ("PNG", "JPEG"):
                encoded = reencode(saved(plain(*size), kind))
                self.assertEqual((encoded.width, encoded.height), meant)
                self.assertEqual(shown(encoded).size, meant)

    def test_what_is_clear_stays_clear(self) -> None:
        half = plain(20, 20, "RGBA", (*RED, 255))
        half.paste((0, 0, 0, 0), (10, 0, 20, 20))
        palette = plain(20, 20, "P", 0)
        palette.putpalette([*RED, *BLUE])
        palette.paste(1, (10, 0, 20, 20))
        for data in (saved(half), saved(half, "WEBP"), saved(palette, "GIF", transparency=1)):
            image = shown(reencode(data))
            self.assertEqual(image.mode, "RGBA")
            self.near(image, (2, 10), (*RED, 255))
            self.assertEqual(image.getchannel("A").getpixel((17, 10)), 0)

    def test_colours_for_print_and_16_bits_of_grey_come_out_right(self) -> None:
        self.near(shown(reencode(saved(plain(mode="CMYK", colour=0), "JPEG"))), (3, 3), (255,) * 3)
        grey = shown(reencode(saved(plain(mode="I;16", colour=0x8000))))
        self.near(grey, (3, 3), (128, 128, 128))

    def test_it_is_turned_the_way_it_was_taken(self) -> None:
        for orientation, corners in {
            3: (BLUE, RED),
            6: (RED, BLUE),
            8: (BLUE, RED),
        }.items():
            exif = Image.Exif()
            exif[0x0112] = orientation
            for kind in ("JPEG", "PNG", "WEBP"):
                image = shown(reencode(saved(halves(), kind, exif=exif.tobytes())))
                upright = (60, 20) if orientation == 3 else (20, 60)
                self.assertEqual(image.size, upright)
                self.near(image, (2, 2), corners[0])
                self.near(image, (image.width - 3, image.height - 3), corners[1])

    def test_where_and_when_a_photo_was_taken_is_gone(self) -> None:
        exif = Image.Exif()
        exif[0x0132] = "2026:11:23 06:00:00"
        exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
        photo = saved(halves(), "JPEG", exif=exif.tobytes(), comment=b"at home", dpi=(72, 72))
        self.assertIn(b"2026:11:23", photo)
        text = PngImagePlugin.PngInfo()
        text.add_text("Author", "Erin at home")
        profile = b"a profile that names its maker"
        for data in (photo, saved(halves(), pnginfo=text, icc_profile=profile)):
            content = reencode(data).content
            self.assertFalse(shown(Encoded(content, "", 1, 1)).getexif())
            for told in (b"EXIF", b"ICCP", b"XMP ", b"2026", b"home", b"maker"):
                self.assertNotIn(told, content)

    def test_a_photo_that_holds_a_second_one_shows_the_first(self) -> None:
        several = saved(plain(), "MPO", save_all=True, append_images=[plain(colour=BLUE)])
        self.near(shown(reencode(several)), (3, 3), RED)

    def test_what_is_hidden_behind_a_picture_is_gone(self) -> None:
        for kind in ("PNG", "JPEG", "GIF"):
            content = reencode(saved(plain(), kind) + HTML + b"PK\x03\x04").content
            self.assertNotIn(b"script", content)
            self.assertNotIn(b"PK", content)


class RefusedTests(RulesCase):
    def test_what_is_no_picture(self) -> None:
        tiff = saved(plain(), "TIFF")
        for data in (
            SVG,
            HTML,
            b"GIF89a=1;" + HTML,
            tiff,
            saved(plain(), "BMP"),
            b"%PDF-1.7",
            b"\x00",
        ):
            self.assertRegex(self.refused(data), "choose a PNG|is damaged", data[:20])
        self.assertIn("also SVG and HEIC", self.refused(SVG))
        self.assertIn("choose a PNG", self.refused(HTML))

    def test_an_empty_file(self) -> None:
        self.assertEqual(self.refused(b""), "The file is empty.")

    def test_more_than_5_mebibytes_are_refused_before_anything_reads_them(self) -> None:
        with mock.patch.object(subprocess, "run") as run:
            self.assertIn("more than 5 MiB", self.refused(b"\x00" * (5 * 1024 * 1024 + 1)))
        run.assert_not_called()

    def test_too_many_pixels(self) -> None:
        for width, height in ((6001, 2), (2, 6001), (5001, 5000), (20_000, 20_000), (60_000,) * 2):
            self.assertIn("too many pixels", self.refused(claiming(width, height)))

    def test_a_text_that_unpacks_to_fifty_megabytes(self) -> None:
        bomb = chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(b"\x00" * 50_000_000))
        image = saved(plain())
        head = len(b"\x89PNG\r\n\x1a\n") + 25
        self.assertIn("is damaged", self.refused(image[:head] + bomb + image[head:]))

    def test_what_is_cut_off_or_damaged(self) -> None:
        noise = Image.effect_noise((80, 80), 90).convert("RGB")
        for kind in ("PNG", "JPEG", "WEBP", "GIF"):
            whole = saved(noise, kind)
            self.assertRegex(self.refused(whole[: len(whole) // 2]), "is damaged")
        self.assertIn("is damaged", self.refused(claiming(30, 30)))

    def test_what_moves(self) -> None:
        frames = [plain(colour=BLUE), plain(colour=(0, 0, 0))]
        for kind in ("GIF", "PNG", "WEBP"):
            film = saved(plain(), kind, save_all=True, append_images=frames, duration=100)
            self.assertIn("This picture moves.", self.refused(film))


class DecoderTests(PictureCase):
    """What the process that decodes may do, and what is believed of what it says."""

    def ran(self, code: int, out: bytes = b"", err: bytes = b"") -> Any:
        done = mock.Mock(returncode=code, stdout=out, stderr=err)
        return mock.patch.object(subprocess, "run", return_value=done)

    def run_in_decoder(self, code: str) -> Any:
        """What comes of a statement in a process with the decoder's limits."""
        path = pictures._DECODER
        start = f"import runpy; runpy.run_path({str(path)!r})['restrict'](); "
        return subprocess.run(
            [sys.executable, "-I", "-c", start + code], capture_output=True, timeout=60
        )

    def test_it_takes_a_picture_and_refuses_what_is_none(self) -> None:
        self.near(shown(reencode(saved(halves()))), (5, 10), RED)
        for data, said in (
            (SVG, "also SVG and HEIC"),
            (claiming(60_000, 60_000), "too many pixels"),
            (claiming(5_001, 5_000), "too many pixels"),
            (claiming(30, 30), "is damaged"),
        ):
            self.assertIn(said, self.refused(data))

    def test_the_largest_picture_that_is_allowed_fits_into_its_limits(self) -> None:
        large = plain(5000, 5000, "RGBA", (*RED, 128))  # WebP takes the most of all kinds
        self.assertEqual(reencode(saved(large, "WEBP", method=0, quality=1)).width, 1600)

    def test_it_gets_no_secret_and_nothing_of_ours_to_import(self) -> None:
        with self.ran(3, b"kind") as run, self.assertRaises(BadPicture):
            reencode(b"x")
        self.assertEqual(run.call_args.kwargs["env"], {})
        self.assertIn("-I", run.call_args.args[0])

    def test_it_may_take_only_so_much_memory_and_write_no_file(self) -> None:
        self.assertIn(b"MemoryError", self.run_in_decoder("bytearray(800 << 20)").stderr)
        self.assertEqual(self.run_in_decoder("bytearray(100 << 20)").returncode, 0)
        folder = self.enterContext(TemporaryDirectory())
        write = f"open({folder + '/written'!r}, 'wb', buffering=0).write(b'x')"
        self.assertIn(b"File too large", self.run_in_decoder(write).stderr)

    def test_it_may_take_only_so_much_time(self) -> None:
        asked = "import resource; print(resource.getrlimit(resource.RLIMIT_CPU))"
        self.assertEqual(self.run_in_decoder(asked).stdout.split(), [b"(10,", b"10)"])

    def test_one_that_ends_by_its_limits_is_a_sentence_and_a_line_in_the_log(self) -> None:
        logged = self.assertLogs("troubleshooter.pictures", "ERROR")
        with self.ran(-9, b"", b"Killed"), logged as log:
            self.assertIn("takes too much work", self.refused(b"x"))
        self.assertIn("ended with -9", log.output[0])

    def test_one_that_takes_too_long_is_a_sentence(self) -> None:
        late = subprocess.TimeoutExpired("decoder", 30)
        with mock.patch.object(subprocess, "run", side_effect=late):
            self.assertIn("takes too much work", self.refused(b"x"))

    def test_what_it_says_is_believed_only_when_it_is_webp(self) -> None:
        for out in (
            b"",
            HTML,
            b"9 9\n" + HTML,
            b"0 9\nRIFF1234WEBPVP8 ",
            b"99999 9\nRIFF1234WEBPV",
        ):
            with self.ran(0, out), self.assertLogs("troubleshooter.pictures", "ERROR"):
                self.refused(b"x")
        with self.ran(0, b"7 9\nRIFF1234WEBPVP8 "):
            self.assertEqual(reencode(b"x").width, 7)

    def test_every_word_it_can_say_has_a_sentence_of_its_own(self) -> None:
        words = ("kind", "pixels", "moves", "damaged", "effort")
        self.assertEqual(len({pictures._sentence(word) for word in words}), len(words))
        full = mock.patch.object(decoder, "decode", side_effect=MemoryError)
        with full, self.assertRaisesMessage(decoder.Refused, "effort"):
            decoder.answer(b"")


class StoreTests(CastTestCase):
    def setUp(self) -> None:
        self.data = saved(halves())

    def test_a_picture_is_a_row_of_webp(self) -> None:
        stored = Picture.objects.store(self.data, "Both halves", "Red beside blue")
        picture = Picture.objects.get()
        self.assertEqual(picture, stored)
        self.assertEqual((picture.kind, picture.width, picture.height), ("webp", 60, 20))
        self.assertEqual((picture.name, picture.alt), ("Both halves", "Red beside blue"))
        self.assertEqual(sha256(bytes(picture.content)).hexdigest(), picture.sha256)

    def test_the_same_bytes_are_the_same_row_and_an_empty_word_takes_nothing_away(self) -> None:
        first = Picture.objects.store(self.data, "Both halves", "Red beside blue")
        for alt, meant in (("", "Red beside blue"), ("Red, then blue", "Red, then blue")):
            self.assertEqual(Picture.objects.store(reencode(self.data), "", alt), first)
            picture = Picture.objects.get()
            self.assertEqual((picture.name, picture.alt), ("Both halves", meant))

    def test_one_without_a_name_gets_one_and_may_wait_for_its_words(self) -> None:
        picture = Picture.objects.store(self.data, "", "")
        self.assertEqual((picture.name, picture.alt), ("picture", ""))

    def test_words_that_cannot_be_are_refused_and_nothing_is_kept(self) -> None:
        for name, alt in (("x" * 81, "x"), ("x", "x" * 301), ("x", "a\x00b"), ("a\x00b", "x")):
            with self.assertRaises(BadPicture):
                Picture.objects.store(self.data, name, alt)
        self.assertFalse(Picture.objects.exists())

    def test_the_bytes_of_a_row_never_change(self) -> None:
        picture = Picture.objects.store(self.data, "Both halves", "Red beside blue")
        kept = (picture.sha256, bytes(picture.content), 60)
        picture.sha256, picture.content, picture.width = "0" * 64, b"other", 1
        picture.alt = "Red and blue"
        picture.save()
        again = Picture.objects.get()
        self.assertEqual((again.sha256, bytes(again.content), again.width), kept)
        self.assertEqual(again.alt, "Red and blue")

    def test_it_is_served_for_ever_and_without_rights(self) -> None:
        picture = Picture.objects.store(self.data, "Both halves", "Red beside blue")
        response = self.client.get(f"/p/{picture.sha256}.webp")
        self.assertEqual(response.content, bytes(picture.content))
        self.assertEqual(response["Content-Type"], "image/webp")
        self.assertEqual(response["X-Content-Type-Options"], "nosniff")
        self.assertIn("immutable", response["Cache-Control"])
        self.assertIn("sandbox", response["Content-Security-Policy"])
        self.assertEqual(self.client.get(f"/p/{picture.sha256}.svg").status_code, 404)

    def test_the_editions_that_name_it_are_found_in_one_question(self) -> None:
        picture = Picture.objects.store(self.data, "Both halves", "Red beside blue")
        other = Picture.objects.store(saved(plain()), "Red", "Red")
        Step.objects.filter(key="cable1").update(picture=picture)
        edition = Edition.objects.publish(self.guide, by=None)
        Step.objects.update(picture=None)
        with self.assertNumQueries(1):
            self.assertEqual(list(Edition.objects.light().naming(picture)), [edition])
        self.assertFalse(Edition.objects.naming(other).exists())
