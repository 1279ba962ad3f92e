"""The parts of a guide's file: what is a field here is a key in the file."""

from dataclasses import dataclass, field
from typing import ClassVar

from troubleshooter import models
from troubleshooter.flow import Status


class GuideFileError(ValueError):
    """The file cannot be taken; the message is a sentence that says what is wrong and where."""


def short(text: str) -> str:
    """The text fit for a sentence on a terminal."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= 60 else f"{line[:59]}…"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A piece of the file; `where` names it in sentences."""

    where: str = field(compare=False)

    def wrong(self, sentence: str, **names: object) -> GuideFileError:
        return GuideFileError(f"{self.where}: {sentence % names}")


@dataclass(frozen=True, kw_only=True)
class KeyedPart(Part):
    longest: ClassVar[int] = 16

    key: str


@dataclass(frozen=True, kw_only=True)
class TopicPart(Part):
    slug: str
    name: str
    position: int = 0


@dataclass(frozen=True, kw_only=True)
class PicturePart(Part):
    """`file` is relative to the folder of the guide's file; its name stands in for `name`."""

    file: str
    alt: str
    name: str = ""

    @property
    def sha256(self) -> str:
        """The checksum of the picture's bytes, by which packs name it."""
        return self.file.rpartition("/")[2].partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class ContactPart(Part):
    name: str
    url: str
    note: str = ""
    position: int = 0


@dataclass(frozen=True, kw_only=True)
class SymptomPart(KeyedPart):
    """`start_with` holds keys of fixes."""

    text: str
    start_with: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StepPart(Part):
    """A heading starts a group of steps. Without a key it gets one of the fix and its number."""

    text: str
    heading: str = ""
    picture: PicturePart | None = None
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class FixPart(KeyedPart):
    """A fix and its placement; `after` holds keys of fixes."""

    longest = 13  # its steps are keyed by it, a hyphen and their number

    title: str
    minutes: int
    risk: models.Risk
    revision: int = 1
    why: str = ""
    loses: str = ""
    closes_page: bool = False
    waiting: str = ""
    note: str = ""
    pin: models.Placement.Pin = models.Placement.Pin.NONE
    after: tuple[str, ...] = ()
    step: tuple[StepPart, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ScenarioPart(Part):
    """Answers of a simulated visitor, and how the session stands after them."""

    answers: tuple[str, ...]
    status: Status
    fix: str = ""
    symptom: str = ""


@dataclass(frozen=True, kw_only=True)
class GuideFile(KeyedPart):
    """The whole file. `original` is the language of the guide that it is a translation of.

    `untranslated` says where texts stand that are still the original's: "step cable cable1 text".
    """

    language: str
    original: str = ""
    untranslated: tuple[str, ...] = ()
    slug: str
    title: str
    summary: str
    topic: TopicPart
    about: str = ""
    closing: str = ""
    prevention: str = ""
    symptom: tuple[SymptomPart, ...] = ()
    fix: tuple[FixPart, ...] = ()
    contact: tuple[ContactPart, ...] = ()
    scenario: tuple[ScenarioPart, ...] = ()
