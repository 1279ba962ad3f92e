"""Drafts of every kind, and packs that are wrong in every way."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any
from unittest import mock

from django.conf import settings
from hypothesis import strategies as st
from PIL import Image

from troubleshooter import decoder
from troubleshooter.flow import Status
from troubleshooter.importing.guide_file import RESERVED
from troubleshooter.importing.packs import members, read
from troubleshooter.importing.plans import Plan, plan
from troubleshooter.importing.unpacking import packed, unpacked
from troubleshooter.models import (
    Contact,
    Fix,
    Guide,
    LogLine,
    Picture,
    Placement,
    Risk,
    Scenario,
    Step,
    Symptom,
    Topic,
    Translation,
    freeze,
)
from troubleshooter.models.wording import texts
from troubleshooter.text import clean_text

DRAWING = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 20"><circle cx="9" r="5"/></svg>'
)


def webp(colour: int, mode: str = "RGB") -> bytes:
    """A picture as the desk makes it."""
    image = Image.new(mode, (8, 6), (colour, 30, 30, 90)[: len(mode)])
    out = io.BytesIO()
    image.save(out, "PNG")
    return decoder.answer(out.getvalue()).partition(b"\n")[2]


def made_here(command: Sequence[str], **options: Any) -> Any:
    """The decoder without a process for each."""
    source = io.BytesIO(options["input"])
    try:
        several = command[-1] == "made"
        said = decoder.made_all(source) if several else decoder.answer(source.read())
        return mock.Mock(returncode=0, stdout=said)
    except decoder.Refused as refused:
        return mock.Mock(returncode=3, stdout=str(refused).encode())


def without_processes() -> Any:
    return mock.patch("troubleshooter.pictures.subprocess.run", made_here)


def the_pack() -> bytes:
    """A pack of everything."""
    return packed(members(Guide.objects.all()))


def look(data: bytes, *, new_drawings: bool = True) -> Plan:
    return plan(read(unpacked(data)), new_drawings=new_drawings)


def take(data: bytes) -> Plan:
    """Take in all that a pack changes."""
    found = look(data)
    for change in found.changes:
        found.save(change, None, "Imported.")
    return found


def relisted(files: dict[str, bytes]) -> bytes:
    """A zip of these members, with a fitting list."""
    return packed({name: content for name, content in files.items() if name != "pack.json"})


def wipe() -> None:
    for model in (LogLine, Scenario, Symptom, Placement, Guide, Step, Fix, Contact, Topic, Picture):
        model._default_manager.all().delete()


# --- Drafts ---


def _clean(text: str, most: int, lines: bool) -> str:
    """As a form would keep it."""
    for _again in range(3):
        text = clean_text(text.replace("\x00", ""), most=10**6, lines=lines)[:most]
    return text


LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00") | st.sampled_from(
    list("\"'\\#=[]{}\n\t .äß\u200f\u0301*`<>")
)


def line(most: int, least: int = 0) -> st.SearchStrategy[str]:
    texts = st.text(LETTERS, max_size=min(most, 30)).map(lambda text: _clean(text, most, False))
    return texts.filter(lambda text: len(text) >= least)


PROSE = st.text(LETTERS, max_size=60).map(lambda text: _clean(text, 2000, True))
KEYS = st.from_regex(r"[A-Za-z0-9_-]{1,16}", fullmatch=True).filter(lambda key: key not in RESERVED)
SLUGS = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)
LANGUAGES = st.sampled_from([code for code, _name in settings.LANGUAGES])
OTHERS = LANGUAGES.filter(lambda code: code != settings.LANGUAGE_CODE)
PLACES = st.integers(0, 3)
WEBPS = [webp(40), webp(200), webp(90, "RGBA")]


@st.composite
def drafts(draw: Any) -> None:
    """Rows of several guides that share fixes, contacts, topics and pictures; as drawn, saved.

    Some are translated, and some translations are translated again.
    """
    topics = [
        Topic.objects.create(slug=slug, name=draw(line(60, 1)), position=draw(PLACES))
        for slug in draw(st.lists(SLUGS, min_size=1, max_size=2, unique=True))
    ]
    shown = [
        _picture(draw, content) for content in draw(st.sets(st.sampled_from([*WEBPS, DRAWING])))
    ]
    languages = draw(st.lists(LANGUAGES, min_size=1, max_size=3, unique=True))
    names = draw(st.lists(KEYS, min_size=1, max_size=3, unique=True))
    fixes = {
        language: [_fix(draw, key, language, shown) for key in names] for language in languages
    }
    contacts = {
        language: [_contact(draw, language) for _nth in range(draw(st.integers(0, 3)))]
        for language in languages
    }
    slugs = draw(st.lists(SLUGS, min_size=1, max_size=3, unique=True))
    for nth, slug in enumerate(slugs):
        original: Guide | None = None
        spoken = draw(st.lists(st.sampled_from(languages), min_size=1, unique=True))
        for language in spoken:
            address = slug if original is None else f"{nth}-{slug}-{language}"
            topic = draw(st.sampled_from(topics))
            guide = _guide(draw, f"k{nth}", address, topic, fixes[language], contacts[language])
            if original:
                _translation(draw, guide, original)
            original = draw(st.sampled_from([each for each in [original, guide] if each]))


def _picture(draw: Any, content: bytes) -> Picture:
    return Picture.objects.create(
        sha256=hashlib.sha256(content).hexdigest(),
        kind="svg" if content == DRAWING else "webp",
        content=content,
        width=32 if content == DRAWING else 8,
        height=20 if content == DRAWING else 6,
        name=draw(line(80, 1)),
        alt=(alt := draw(line(300))),
        alts=draw(st.dictionaries(OTHERS, line(300, 1))) if alt else {},
    )


def _fix(draw: Any, key: str, language: str, shown: list[Picture]) -> Fix:
    fix = Fix.objects.create(
        key=key,
        language=language,
        title=draw(line(120)),
        minutes=draw(st.integers(0, 999)),
        risk=draw(st.sampled_from(Risk.values)),
        closes_page=draw(st.booleans()),
        revision=draw(st.integers(1, 9)),
        **{name: draw(PROSE) for name in ("why", "loses", "waiting", "note")},
    )
    for position in range(draw(st.integers(0, 3))):
        Step.objects.create(
            key=f"{hashlib.sha256(key.encode()).hexdigest()[:10]}-{position}",
            fix=fix,
            position=position,
            heading=draw(line(80)),
            text=draw(PROSE),
            picture=draw(st.sampled_from([None, *shown])),
        )
    return fix


def _contact(draw: Any, language: str) -> Contact:
    return Contact.objects.create(
        language=language,
        name=draw(st.sampled_from(["Support", "Hilfe"]) | line(80, 1)),
        url=draw(st.sampled_from(["https://a.example/", "http://b.example/?q=%22#x"])),
        note=draw(line(300)),
        position=draw(PLACES),
    )


def _guide(
    draw: Any, key: str, slug: str, topic: Topic, fixes: list[Fix], contacts: list[Contact]
) -> Guide:
    guide = Guide.objects.create(
        key=key,
        language=fixes[0].language,
        slug=slug,
        topic=topic,
        title=draw(line(120)),
        summary=draw(line(300)),
        **{name: draw(PROSE) for name in ("about", "closing", "prevention")},
    )
    some = st.sets(st.sampled_from(fixes))
    for position, fix in enumerate(draw(st.permutations(fixes))[: draw(st.integers(0, 3))]):
        placed = Placement.objects.create(
            guide=guide, fix=fix, position=position, pin=draw(st.sampled_from(Placement.Pin.values))
        )
        placed.after.set(draw(some))
    symptoms = [
        Symptom.objects.create(key=f"{key}-{nth}", guide=guide, position=nth, text=draw(line(120)))
        for nth in range(draw(st.integers(0, 3)))
    ]
    for symptom in symptoms:
        symptom.start_with.set(draw(some))
    guide.contacts.set(draw(st.sets(st.sampled_from(contacts))) if contacts else [])
    for position in range(draw(st.integers(0, 2))):
        status = draw(st.sampled_from(Status.values))
        Scenario.objects.create(
            guide=guide,
            position=position,
            symptom=draw(st.sampled_from([None, *symptoms])),
            answers=", ".join(
                draw(st.lists(st.sampled_from(["fixed", "not fixed", "skipped"]), max_size=4))
            ),
            status=status,
            fix=None if status == Status.EXHAUSTED else draw(st.sampled_from([None, *fixes])),
        )
    return guide


def _translation(draw: Any, guide: Guide, original: Guide) -> None:
    """With some texts that still are what was copied, and some that are not any more."""
    here = texts(freeze(Guide.objects.whole().get(pk=guide.pk)))
    left = draw(st.sets(st.sampled_from(sorted(here)))) if here else set()
    copied = [[*path, here[path] + draw(st.sampled_from(["", "."]))] for path in sorted(left)]
    edition = draw(st.sampled_from([None, 1, 2]))
    Translation.objects.create(guide=guide, original=original, edition=edition, copied=copied)
