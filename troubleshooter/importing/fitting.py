"""Pieces become the content of a guide, shaped as a draft is frozen; nothing is cut silently.

Pure. What is longer than its field goes on in a further step, note or text; what has no room at
all is told in a sentence, and stays in the stored source.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from troubleshooter.text import clean_text

from . import inline, words
from .article import MOST, ArticlePicture
from .pieces import FixPieces, Piece, Pieces

MOST_CONTACTS = 10
CONTACT_NAME, CONTACT_NOTE, CONTACT_URL = 80, 300, 500
_SENTENCE = re.compile(r"(?<=[.!?。])\s+")
_BOUNDS = ("\n\n", "\n", ". ", " ")  # where a text is divided, the best first
_URL = URLValidator(["https", "http"])

Content = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """What would be saved. `told` are sentences for the editor.

    `pictures` are those of the source, by the place (from 0) of the fix and of the step that could
    show each; `loose` those that no step has room for.
    """

    content: Content
    contacts: list[Content] = field(default_factory=list)
    pictures: dict[tuple[int, int], ArticlePicture] = field(default_factory=dict)
    loose: list[ArticlePicture] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def draft_of(pieces: Pieces) -> Draft:
    """The draft of these pieces; its keys are empty until it is saved."""
    return _Drafter(pieces).draft


def language_of(said: str) -> str:
    """The language of a guide for what a source says of its own; ours when it says nothing."""
    known = [code for code, _name in settings.LANGUAGES]
    first = said.replace("_", "-").lower().split("-")[0]
    return first if first in known else settings.LANGUAGE_CODE


class _Drafter:
    def __init__(self, pieces: Pieces) -> None:
        self.draft = Draft({})
        self.spilled: list[str] = []  # what goes on in “what is going on”
        title = self._line(pieces.title or _("Untitled"), "title", _("The title"))
        summary = self._line(pieces.summary, "summary", _("The summary"))
        symptoms = [self._symptom(piece) for piece in pieces.of("symptom")]
        fixes = [self._fix(fix, nth) for nth, fix in enumerate(pieces.fixes)]
        about = [*map(_with_heading, pieces.of("about")), *self.spilled]
        contacts = pieces.of("contact")
        closing = sorted([*pieces.of("closing"), *contacts], key=lambda piece: piece.order)
        self.draft.content = {
            "title": title,
            "summary": summary,
            "about": self._prose(about, _("What is going on")),
            "prevention": self._prose(
                map(_with_heading, pieces.of("prevention")), _("So that it stays fixed")
            ),
            "closing": self._prose(map(_with_heading, closing), _("When nothing helped")),
            "symptoms": [
                {"key": "", "text": text, "start_with": []} for text in dict.fromkeys(symptoms)
            ],
            "fixes": fixes,
        }
        self.draft.contacts = list(_contacts(contacts))
        if count := len(self.draft.loose):
            said = ngettext(
                "%(count)d picture has no step to stand in: a step shows one.",
                "%(count)d pictures have no step to stand in: a step shows one.",
                count,
            )
            self.draft.told.append(said % {"count": count})

    def _line(self, text: str, name: str, called: str) -> str:
        """A line as its field takes it; the whole of a longer one goes to the guide's text."""
        text = _clean(text, lines=False)
        if len(text) <= MOST[name]:
            return text
        self.spilled.append(text)
        said = _("%(field)s was shortened to %(most)d characters; the whole stands in the text.")
        self.draft.told.append(said % {"field": called, "most": MOST[name]})
        return shortened(text, MOST[name])

    def _symptom(self, piece: Piece) -> str:
        return self._line(inline.plain(piece.text), "symptom", _("A symptom"))

    def _fix(self, fix: FixPieces, nth: int) -> Content:
        title, why = _clean(fix.title, lines=False), fix.of("why")
        texts = [_with_heading(piece) for piece in why]
        if len(title) > MOST["title"]:
            texts.insert(0, title)
            title = shortened(title, MOST["title"])
        steps = self._steps(fix, nth)
        named = {"fix": title}
        notes = [_with_heading(piece) for piece in fix.of("note")]
        return {
            "key": "",
            "revision": 1,
            "title": title,
            "why": self._prose(texts, _("Why “%(fix)s” helps") % named),
            "minutes": 2,
            "risk": "safe",
            "loses": "",
            "closes_page": False,
            "waiting": "",
            "note": self._prose(notes, _("The notes of “%(fix)s”") % named),
            "steps": [
                {"key": "", "heading": heading, "text": text, "picture": None}
                for heading, text in steps
            ],
            "pin": "",
            "after": [],
        }

    def _steps(self, fix: FixPieces, nth: int) -> list[tuple[str, str]]:
        """The steps, each with its picture; those above the first go to steps that have none."""
        steps: list[tuple[str, str]] = []
        waiting = list(fix.pictures)
        for piece in fix.steps:
            first, *more = piece.pictures or (None,)
            if first:
                self.draft.pictures[nth, len(steps)] = first
            waiting += [picture for picture in more if picture]
            steps += _steps(piece)
        for at in range(len(steps)):
            if waiting and (nth, at) not in self.draft.pictures:
                self.draft.pictures[nth, at] = waiting.pop(0)
        self.draft.loose += waiting
        return steps

    def _prose(self, texts: Any, called: str) -> str:
        text = _clean("\n\n".join(filter(None, texts)), lines=True)
        head, rest = divided(text, MOST["prose"])
        if rest:
            said = _(
                "%(field)s is longer than its field: the last %(count)d characters were left out."
                " They are in the source that is kept with the guide."
            )
            self.draft.told.append(said % {"field": called, "count": len(rest)})
        return head


def _steps(piece: Piece) -> Iterator[tuple[str, str]]:
    """The step a piece is, as heading and text; what does not fit goes on in further steps."""
    heading, text = _clean(piece.heading, lines=False), _clean(piece.text, lines=True)
    if len(heading) > MOST["heading"]:
        text = f"**{heading}**\n\n{text}"
        heading = shortened(heading, MOST["heading"])
    while text:
        head, text = divided(text, MOST["step"])
        yield heading, head
        heading = ""


def _with_heading(piece: Piece) -> str:
    """A piece below its heading, unless that only says what the field is called anyhow."""
    if not piece.heading or (piece.text and words.role(piece.heading) == piece.use):
        return piece.text
    heading = f"**{piece.heading}**"
    return f"{heading}\n\n{piece.text}" if piece.text else heading


def _contacts(pieces: list[Piece]) -> Iterator[Content]:
    """Whom the links in these pieces lead to."""
    seen: set[str] = set()
    for piece in pieces:
        for said, address in inline.links(piece.text):
            name = _clean(said, lines=False)
            if address in seen or not name or len(seen) >= MOST_CONTACTS or not _is_url(address):
                continue
            seen.add(address)
            note = "" if name == address else _clean(piece.words, lines=False)
            yield {
                "name": shortened(name, CONTACT_NAME),
                "url": address,
                "note": shortened(note, CONTACT_NOTE),
            }


def _is_url(address: str) -> bool:
    try:
        _URL(address)
    except ValidationError:
        return False
    return len(address) <= CONTACT_URL


def _clean(text: str, *, lines: bool) -> str:
    """Through the common gate; composing may lengthen a text a little, so nothing is refused."""
    return clean_text(text, most=4 * len(text) + 1, lines=lines)


def shortened(text: str, most: int) -> str:
    """The text up to the end of a sentence that fits, else of a word, with “…”."""
    if len(text) <= most:
        return text
    kept = ""
    for sentence in _SENTENCE.split(text[:most])[:-1]:
        kept = f"{kept} {sentence}".strip()
    if len(kept) > most // 3:
        return kept
    cut = text[: most - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[most // 2 :] else cut).rstrip() + "…"


def divided(text: str, most: int) -> tuple[str, str]:
    """The text up to `most` characters, divided where it hurts least, and the rest."""
    if len(text) <= most:
        return text, ""
    for bound in _BOUNDS:
        at = text.rfind(bound, most // 3, most - len(bound) + 1)
        if at >= 0:
            at += len(bound)
            return text[:at].rstrip(), text[at:].lstrip("\n")
    return text[:most], text[most:]
