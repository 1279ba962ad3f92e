"""Decodes one picture, in a process of its own: `pictures.py` starts it and nothing imports it.

The bytes of a stranger come in by standard input; a picture made anew goes out, after a line with
its width and height. With the word `made` several come in, each after a line with its length: they
must be what `encode` makes, and only the lines with their sizes go out. A refusal is one word
instead, and status 3 (with `made` after the number of the picture). This process holds no secret
and no connection, may write no file, and ends when it takes more memory or time than it was given.
"""

import io
import resource
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
PHOTOS = ("JPEG", "MPO")  # MPO is how Pillow calls a JPEG that holds several
MOST_SIDE = 6_000  # pixels of what comes in
MOST_PIXELS = 25_000_000
SIDE = 1_600  # pixels of what goes out: twice what a wide screen shows beside a step
QUALITY = 82  # of WebP: letters in a screenshot stay sharp
MEMORY = 768 * 1024 * 1024  # of address space; 25 million pixels of WebP take some 600 MiB
SECONDS = 10  # of processor time

ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Refused(Exception):
    """The picture cannot be taken; the message is the word for why."""


def restrict() -> None:
    """Give up what decoding does not need. macOS has no limit of memory; the others hold there."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS


def decode(data: bytes) -> Image.Image:
    """The picture as it is meant to be seen: upright, and no larger than we show it."""
    image = opened(data)
    turn = TURNS.get(image.getexif().get(ORIENTATION, 1))
    image.draft(None, (2 * SIDE, 2 * SIDE))  # a JPEG is scaled down while it is decoded
    if image.mode.startswith("I"):  # 16 bits of grey; converting alone would clip them
        image = image.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")
    clear = image.has_transparency_data
    if image.mode != "RGB" or clear:
        image = image.convert("RGBA" if clear else "RGB")
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return image.transpose(turn) if turn is not None else image


def opened(data: bytes) -> Image.Image:
    """The picture, not yet decoded, if it is of a kind and size that can be taken."""
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise Refused("kind") from None
    if max(image.size) > MOST_SIDE or image.width * image.height > MOST_PIXELS:
        raise Refused("pixels")
    # A photo may hold more pictures of the same scene; in the other kinds several are a film.
    if image.format not in PHOTOS and getattr(image, "is_animated", False):
        raise Refused("moves")
    return image


def encode(image: Image.Image) -> bytes:
    """A line with the size, and the picture as WebP: its pixels, no EXIF, no profile, no text."""
    out = io.BytesIO()
    nothing = {"exif": b"", "icc_profile": b"", "xmp": b""}
    image.save(out, "WEBP", quality=QUALITY, method=4, **nothing)
    return b"%d %d\n" % image.size + out.getvalue()


def answer(data: bytes) -> bytes:
    """A picture made anew, or Refused."""
    try:
        return encode(decode(data))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Refused("pixels") from None
    except MemoryError:
        raise Refused("effort") from None
    except Refused:
        raise
    except Exception:  # a damaged file can fail in any way; each means the same
        raise Refused("damaged") from None


def made(data: bytes) -> bytes:
    """A line with the size of a picture that `encode` made; else Refused.

    The bytes are kept as they are, so the container may hold pixels and nothing else, whole.
    """
    try:
        names = [name for name, _body in chunks(data)]
        if names not in ([b"VP8 "], [b"VP8X", b"ALPH", b"VP8 "]):
            raise Refused("foreign")
        image = opened(data)
        image.load()
    except Refused:
        raise
    except Exception:  # as above
        raise Refused("damaged") from None
    if image.format != "WEBP" or max(image.size) > SIDE:
        raise Refused("foreign")
    return b"%d %d\n" % image.size


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The parts of a WebP, which must fill it to the last byte; else Refused."""
    whole = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    if not whole or int.from_bytes(data[4:8], "little") != len(data) - 8:
        raise Refused("foreign")
    at = 12
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + size + size % 2
        if end > len(data) or (size % 2 and data[end - 1]):
            raise Refused("foreign")
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at = end


def made_all(source: BinaryIO) -> bytes:
    """The lines of `made` for all that comes in."""
    sizes = []
    while line := source.readline():
        try:
            sizes.append(made(source.read(int(line))))
        except Refused as refused:
            raise Refused(f"{len(sizes)} {refused}") from None
    return b"".join(sizes)


def main() -> int:
    restrict()
    source = sys.stdin.buffer
    try:
        several = sys.argv[1:] == ["made"]
        sys.stdout.buffer.write(made_all(source) if several else answer(source.read()))
    except Refused as refused:
        sys.stdout.write(str(refused))
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
