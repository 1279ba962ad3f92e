"""What the importer makes of a source: an article in pieces, each with the lines it came from.

Pure: no rows, no queries. Texts are Markdown as our renderer takes it, except where a name says
plain. Nothing is shortened here: what a field of a guide cannot hold is told in `doubts`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext as _


class UnreadableArticle(ValueError):
    """The source cannot be taken; the message is a sentence that says why."""


class Place(NamedTuple):
    """First and last line in the source, counted from 1."""

    first: int
    last: int

    def to(self, other: "Place") -> "Place":
        return Place(min(self.first, other.first), max(self.last, other.last))


NOWHERE = Place(1, 1)

# What the fields of a guide hold, in characters (models/content.py).
MOST = {"title": 120, "summary": 300, "symptom": 120, "heading": 80, "step": 2000, "prose": 50_000}


@dataclass(frozen=True, slots=True)
class Dropped:
    """A piece that was left out, as plain text, and why."""

    text: str
    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class Doubt:
    """A sentence about a piece that an editor should look at."""

    sentence: str
    place: Place


@dataclass(frozen=True, slots=True)
class ArticlePicture:
    """A picture the source shows. It is only listed: nothing is fetched."""

    address: str
    alt: str
    place: Place


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text with its heading (plain, may be empty) and what it seems to be."""

    role: str
    heading: str
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class ArticleStep:
    """One instruction. `heading` (plain) starts a group; `children` are steps inside this one."""

    text: str
    place: Place
    heading: str = ""
    children: tuple["ArticleStep", ...] = ()
    pictures: tuple[ArticlePicture, ...] = ()

    def markdown(self) -> str:
        """The step with its children as a nested list: what the field of a step takes."""
        lines = [self.text] if self.text else []
        for child in self.children:
            first, *rest = child.markdown().split("\n")
            lines += [f"- {first}", *(f"  {line}" if line else "" for line in rest)]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class ArticleFix:
    """One remedy. `sure` is from 0 to 1, `reasons` say what for and what against, in sentences.

    `under` names the headings above it in the source, the outermost first.
    """

    title: str
    place: Place
    under: tuple[str, ...] = ()
    why: str = ""
    steps: tuple[ArticleStep, ...] = ()
    notes: tuple[Passage, ...] = ()
    pictures: tuple[ArticlePicture, ...] = ()
    sure: float = 0.0
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class Article:
    """A whole source.

    `titles` are all the source gives, best first: more than one when they disagree. `passages`
    hold everything that is neither fix nor symptom, by its role: `about`, `cause`,
    `prerequisite`, `contact`, `prevention`, `closing`, `question`, `related`, `note`, `other`.
    """

    titles: tuple[str, ...] = ()
    language: str = ""
    summary: str = ""
    symptoms: tuple[Passage, ...] = ()
    passages: tuple[Passage, ...] = ()
    fixes: tuple[ArticleFix, ...] = ()
    pictures: tuple[ArticlePicture, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    doubts: tuple[Doubt, ...] = field(default=())
    is_troubleshooting: bool = True
    why_not: str = ""

    @property
    def title(self) -> str:
        return self.titles[0] if self.titles else ""

    def of(self, role: str) -> list[Passage]:
        """The passages of a role, in the order of the source."""
        return [passage for passage in self.passages if passage.role == role]

    def too_long(self) -> Iterator[Doubt]:
        """What is longer than the field it is for; saving must not lose it silently."""
        start = Place(1, 1)
        yield from _over(_("the title"), self.title, "title", start)
        yield from _over(_("the summary"), self.summary, "summary", start)
        for symptom in self.symptoms:
            yield from _over(_("a symptom"), symptom.text, "symptom", symptom.place)
        for fix in self.fixes:
            yield from _over(_("the title of a fix"), fix.title, "title", fix.place)
            yield from _over(_("why it helps"), fix.why, "prose", fix.place)
            for step in fix.steps:
                yield from _over(_("the heading of a step"), step.heading, "heading", step.place)
                yield from _over(_("a step"), step.markdown(), "step", step.place)
        for passage in self.passages:
            yield from _over(_("a passage"), passage.text, "prose", passage.place)


def _over(name: str, text: str, field: str, place: Place) -> Iterator[Doubt]:
    if len(text) > MOST[field]:
        sentence = _("Longer than its field holds: %(name)s has %(length)d characters of %(most)d.")
        yield Doubt(sentence % {"name": name, "length": len(text), "most": MOST[field]}, place)
