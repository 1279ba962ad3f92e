"""Pictures from editors: every one is made anew, so that only its pixels are kept.

The decoders of image formats have had holes, so a file is decoded by `decoder.py` in a process of
its own, with limits of memory and time. This one only reads what comes back.
"""

import hashlib
import logging
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)

MOST_BYTES = 5 * 1024 * 1024
PORTION = 50  # pictures that one process looks at, some 30 ms each when they are large
SECONDS = 30  # by the clock, on a machine that is busy
_DECODER = Path(__file__).with_name("decoder.py")
_MADE = re.compile(rb"([1-9]\d{0,3}) ([1-9]\d{0,3})\n(RIFF.{4}WEBP.+)", re.DOTALL)


class BadPicture(ValueError):
    """The picture cannot be taken; the message is a sentence for the editor."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as WebP, fit to be stored and shown."""

    content: bytes
    sha256: str
    width: int
    height: int


def reencode(data: bytes) -> Encoded:
    """Make a picture anew from an editor's file, or raise BadPicture.

    PNG, JPEG, WebP and GIF, one picture in each: what the bytes are counts, never the name. It
    is turned the way it was taken, scaled down, and freed of all that is not a pixel: place and
    time of a photo, and whatever else somebody hid in the file.
    """
    if not data:
        raise BadPicture(_("The file is empty."))
    if len(data) > MOST_BYTES:
        raise BadPicture(
            _("This picture has more than 5 MiB: make it smaller, or save it as JPEG.")
        )
    done = _decoded(data)
    made = _MADE.fullmatch(done.stdout)
    if done.returncode == 0 and made:
        content = made[3]
        digest = hashlib.sha256(content).hexdigest()
        return Encoded(content, digest, int(made[1]), int(made[2]))
    if done.returncode == 3:
        raise BadPicture(_sentence(done.stdout.decode("ascii", "replace")))
    raise _too_much(done)


def kept(pictures: Mapping[str, bytes]) -> dict[str, Encoded]:
    """Pictures by name that `reencode` made, here or elsewhere, with their bytes as they are.

    Who made a picture cannot be seen, so it must be such as we make: WebP with a lossy picture
    and perhaps its transparency, no more pixels than we show, nothing else in the file, and
    whole. All of it is decoded once, behind the same walls; BadPicture names the first that is not.
    """
    found: dict[str, Encoded] = {}
    for names in _portions(pictures):
        parts = (b"%d\n" % len(pictures[name]) + pictures[name] for name in names)
        done = _decoded(b"".join(parts), "made")
        if done.returncode == 3:
            number, _blank, word = done.stdout.decode("ascii", "replace").partition(" ")
            raise BadPicture(f"{names[int(number)]}: {_sentence(word)}")
        sizes = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
        if done.returncode or len(sizes) != len(names):
            raise _too_much(done)
        for name, (width, height) in zip(names, sizes, strict=True):
            data = pictures[name]
            found[name] = Encoded(data, hashlib.sha256(data).hexdigest(), width, height)
    return found


def _portions(pictures: Mapping[str, bytes]) -> Iterator[list[str]]:
    """The names, in portions that one process decodes within its limits."""
    names: list[str] = []
    for name in pictures:
        names.append(name)
        if len(names) == PORTION or sum(len(pictures[each]) for each in names) > MOST_BYTES:
            yield names
            names = []
    if names:
        yield names


def _decoded(data: bytes, *words: str) -> "subprocess.CompletedProcess[bytes]":
    try:
        # -I: nothing of our environment or folder reaches it. The input is what it is for.
        return subprocess.run(  # noqa: S603
            [sys.executable, "-I", str(_DECODER), *words],
            input=data,
            capture_output=True,
            timeout=SECONDS,
            env={},
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BadPicture(_sentence("effort")) from None


def _too_much(done: "subprocess.CompletedProcess[bytes]") -> BadPicture:
    """Ended by its limits, or broken itself: then the operator should know."""
    logger.error("The decoder ended with %d: %s", done.returncode, done.stderr[-500:])
    return BadPicture(_sentence("effort"))


def _sentence(word: str) -> str:
    match word:
        case "kind":
            return _(
                "This is no picture that can be taken: choose a PNG, JPEG, WebP or GIF."
                " Everything else is refused, also SVG and HEIC."
            )
        case "pixels":
            return _(
                "This picture has too many pixels: at most 6,000 a side and 25 million in all."
                " Cut out what matters, or scale it down."
            )
        case "moves":
            return _("This picture moves. Choose one that stands still, a screenshot for example.")
        case "foreign":
            return _("This picture was not made by a help desk: add it in the admin instead.")
        case "damaged":
            return _("This picture is damaged: part of it is missing. Save or take it once more.")
    return _("This picture takes too much work to open. Save it once more, as PNG or JPEG.")
