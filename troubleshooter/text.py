"""One gate for every text that comes in: forms, the admin, imported files, JSON."""

import re
import unicodedata

from django.utils.translation import gettext as _

# Controls that reverse or hide text; in a title they can make one thing read as another.
_HIDDEN = re.compile("[\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BLANKS = re.compile(r"\s+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Composing takes time by the square of a pile of accents; no language piles up this many.
_MOST_MARKS = 30


class BadText(ValueError):
    """The text cannot be taken; the message is a sentence for whoever sent it."""


def clean_text(value: str, *, most: int, lines: bool = False) -> str:
    """Return `value` fit to be stored and shown, or raise BadText.

    `most` is the greatest length in characters. With `lines` the text may have several;
    without, every run of white space becomes one blank. Text is composed (Unicode NFC) so that
    the same word is always the same characters; control characters and those that hide or
    reverse text are dropped; NUL and lone surrogates, which no database stores, are refused.
    """
    if _UNSTORABLE.search(value):
        raise BadText(_("This text has a character in it that cannot be stored."))
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    value = _HIDDEN.sub("", _CONTROL.sub("", value))
    if lines:
        value = "\n".join(line.rstrip() for line in value.split("\n")).strip("\n")
    else:
        value = _BLANKS.sub(" ", value).strip()
    if len(value) <= 4 * most:  # composing it leaves a third at least
        value = unicodedata.normalize("NFC", _without_piles(value))
    if len(value) > most:
        raise BadText(
            _("This text is too long: %(length)d characters, at most %(most)d.")
            % {"length": len(value), "most": most}
        )
    return value


def _without_piles(value: str) -> str:
    if value.isascii():
        return value
    kept, pile = [], 0
    for letter in value:
        marks = unicodedata.category(letter).startswith("M")
        pile = pile + len(unicodedata.normalize("NFD", letter)) if marks else 0
        if pile <= _MOST_MARKS:
            kept.append(letter)
    return "".join(kept)
