"""Pictures of a pack: what its guides say of them in each language, and the rows of new ones.

The words are the pack's in every language that it speaks, and stay as they are in any other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from troubleshooter import models
from troubleshooter.models.content import default_language
from troubleshooter.pictures import BadPicture, kept

from . import drawings
from .packs import Pack, reworded, shown
from .parts import GuideFile, GuideFileError, Part, PicturePart
from .unpacking import PackError


@dataclass(frozen=True, slots=True)
class Words:
    """What the guides of a pack say of one picture."""

    name: str
    alts: dict[str, str] = field(default_factory=dict)  # by language

    def put_on(self, row: models.Picture) -> bool:
        """Give the row these words; returns whether that changed it. It is not saved."""
        before = (row.name, row.alt, row.alts)
        main = default_language()
        row.name, row.alt = self.name, self.main(row)
        others = {**row.alts, **self.alts}
        row.alts = {language: alt for language, alt in others.items() if alt and language != main}
        return before != (row.name, row.alt, row.alts)

    def main(self, row: models.Picture | None) -> str:
        """The words in the main language: where there are none, those of another one."""
        if (said := self.alts.get(default_language())) is not None:
            return said
        kept = row.alt if row else ""
        return kept or next((alt for _code, alt in sorted(self.alts.items()) if alt), "")


def words(guides: Iterable[GuideFile]) -> dict[str, Words]:
    """What these guides say of their pictures, by checksum."""
    said: dict[str, Words] = {}
    for guide in guides:
        for each in shown([guide]):
            here = said.setdefault(each.sha256, Words(each.name))
            here.alts[guide.language] = each.alt
    return said


def settled(guides: Sequence[GuideFile]) -> list[GuideFile]:
    """The guides with words for each picture that has some in the main language."""
    said = words(guides)
    rows = {row.sha256: row for row in _rows(said)}

    def with_words(each: PicturePart) -> PicturePart:
        return replace(each, alt=each.alt or said[each.sha256].main(rows.get(each.sha256)))

    main = default_language()
    return [each if each.language == main else reworded(each, with_words) for each in guides]


def notes(guides: Sequence[GuideFile]) -> list[str]:
    """Which other fixes show a picture whose words change."""
    said = words(guides)
    changed: dict[int, tuple[models.Picture, models.Picture]] = {}
    for old, new in zip(_rows(said), _rows(said), strict=True):
        if said[new.sha256].put_on(new):
            changed[new.pk] = (old, new)
    ours = {(guide.language, fix.key) for guide in guides for fix in guide.fix}
    steps = models.Step.objects.filter(picture__in=changed).select_related("fix")
    told = set()
    for step in steps:
        fix, (old, new) = step.fix, changed[step.picture_id or 0]
        before, after = ((row.name, row.alt_in(fix.language)) for row in (old, new))
        if before != after and (fix.language, fix.key) not in ours:
            sentence = _("The words for the picture “%(picture)s” change in “%(fix)s”, too.")
            told.add(sentence % {"picture": old, "fix": fix})
    return sorted(told)


def _rows(said: Mapping[str, Words]) -> list[models.Picture]:
    return list(models.Picture.objects.filter(sha256__in=said).defer("content").order_by("pk"))


def new_pictures(pack: Pack, *, new_drawings: bool) -> dict[str, dict[str, object]]:
    """What the rows of pictures hold that are not here yet, each looked at behind walls."""
    files = {picture.file: picture.sha256 for picture in shown(pack.guides)}
    here = models.Picture.objects.filter(sha256__in=files.values())
    known = set(here.values_list("sha256", flat=True))
    new = {name: pack.pictures[name] for name, sha256 in files.items() if sha256 not in known}
    try:
        made = kept({name: data for name, data in new.items() if name.endswith(".webp")})
    except BadPicture as refused:
        raise PackError(str(refused)) from refused
    rows: dict[str, dict[str, object]] = {}
    for name, data in new.items():
        if name in made:
            kind, width, height = "webp", made[name].width, made[name].height
        else:
            kind, (width, height) = "svg", _size(name, data, allowed=new_drawings)
        rows[files[name]] = {"kind": kind, "content": data, "width": width, "height": height}
    return rows


def _size(name: str, data: bytes, *, allowed: bool) -> tuple[int, int]:
    """Width and height of a new drawing."""
    part = Part(where=name)
    try:
        if not allowed:
            raise part.wrong(
                _("a drawing that is not here yet: only “manage.py import_pack” takes it.")
            )
        return drawings.size(data, part)
    except GuideFileError as refused:
        raise PackError(str(refused)) from refused
