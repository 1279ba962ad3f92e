"""An article as plain data for `--json`.

Texts are plain words, easy to compare and to search. What belongs to the source stands under
`source`: its lines, and the Markdown a field of a guide would get.
"""

from typing import Any

from . import inline
from .article import (
    Article,
    ArticleFix,
    ArticlePicture,
    ArticleStep,
    Doubt,
    Dropped,
    Passage,
    Place,
)

Data = dict[str, Any]


def as_data(article: Article) -> Data:
    roles = ("about", "cause", "note", "question", "tips", "related", "other", "contents", "junk")
    return {
        "title": article.title,
        "other_titles": list(article.titles[1:]),
        "language": article.language,
        "is_troubleshooting": article.is_troubleshooting,
        "why_not": article.why_not,
        "summary": article.summary,
        "symptoms": [_passage(each) for each in article.symptoms],
        "prerequisites": [_passage(each) for each in article.of("prerequisite")],
        "fixes": [_fix(each) for each in article.fixes],
        "escalation": [_passage(each) for each in article.of("contact")],
        "prevention": [_passage(each) for each in article.of("prevention")],
        "closing": [_passage(each) for each in article.of("closing")],
        "passages": [
            _passage(each) | {"role": each.role} for each in article.passages if each.role in roles
        ],
        "pictures": [_picture(each) for each in article.pictures],
        "dropped": [_dropped(each) for each in article.dropped],
        "report": [_doubt(each) for each in article.doubts],
    }


def _source(place: Place, markdown: str = "") -> Data:
    lines = {"first": place.first, "last": place.last}
    return {"lines": lines, "markdown": markdown} if markdown else {"lines": lines}


def _plain(text: str) -> str:
    """Markdown as plain words, paragraph by paragraph."""
    parts = (inline.plain(part) for part in text.split("\n\n"))
    return "\n".join(part for part in parts if part)


def _passage(passage: Passage) -> Data:
    data: Data = {"title": passage.heading} if passage.heading else {}
    return data | {"text": _plain(passage.text), "source": _source(passage.place, passage.text)}


def _fix(fix: ArticleFix) -> Data:
    return {
        "title": fix.title,
        "under": list(fix.under),
        "why": _plain(fix.why),
        "steps": [_step(step) for step in fix.steps],
        "notes": [_passage(note) | {"kind": note.role} for note in fix.notes],
        "pictures": [_picture(each) for each in fix.pictures],
        "sure": fix.sure,
        "reasons": list(fix.reasons),
        "source": _source(fix.place, fix.why),
    }


def _step(step: ArticleStep) -> Data:
    data: Data = {"heading": step.heading} if step.heading else {}
    data |= {"text": _plain(step.text), "source": _source(step.place, step.text)}
    if step.children:
        data["children"] = [_step(child) for child in step.children]
    if step.pictures:
        data["pictures"] = [_picture(each) for each in step.pictures]
    return data


def _picture(picture: ArticlePicture) -> Data:
    return {"alt": picture.alt, "source": {"address": picture.address, **_source(picture.place)}}


def _dropped(dropped: Dropped) -> Data:
    return {"text": dropped.text, "reason": dropped.reason, **_source(dropped.place)}


def _doubt(doubt: Doubt) -> Data:
    return {"sentence": doubt.sentence, **_source(doubt.place)}
