"""Pictures from editors: every one is made anew, so that only its pixels are kept.

The decoders of image formats have had holes, so a file is decoded by `decoder.py` in a process of
its own, with limits of memory and time. This one only reads what comes back.
"""

import hashlib
import logging
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)

MOST_BYTES = 5 * 1024 * 1024
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
    try:
        # -I: nothing of our environment or folder reaches it. The input is what it is for.
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-I", str(_DECODER)],
            input=data,
            capture_output=True,
            timeout=SECONDS,
            env={},
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BadPicture(_sentence("effort")) from None
    made = _MADE.fullmatch(done.stdout)
    if done.returncode == 0 and made:
        content = made[3]
        digest = hashlib.sha256(content).hexdigest()
        return Encoded(content, digest, int(made[1]), int(made[2]))
    if done.returncode == 3:
        raise BadPicture(_sentence(done.stdout.decode("ascii", "replace")))
    # Ended by its limits, or broken itself: then the operator should know.
    logger.error("The decoder ended with %d: %s", done.returncode, done.stderr[-500:])
    raise BadPicture(_sentence("effort"))


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
        case "damaged":
            return _("This picture is damaged: part of it is missing. Save or take it once more.")
    return _("This picture takes too much work to open. Save it once more, as PNG or JPEG.")
