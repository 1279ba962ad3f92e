"""Drawings beside a guide's file: plain SVG that holds shapes and words, nothing else."""

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from django.utils.translation import gettext as _

from .parts import Part, PicturePart

_SVG = "{http://www.w3.org/2000/svg}"
_SHAPES = {"svg", "g", "rect", "circle", "ellipse", "line", "polyline", "path", "text", "tspan"}
_VIEW_BOX = re.compile(r"0 0 ([1-9][0-9]{0,3}) ([1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True)
class Drawing:
    name: str
    content: bytes
    width: int
    height: int


def open_drawing(part: PicturePart, folder: Path) -> Drawing:
    """The drawing that a part names, or GuideFileError."""
    path = (folder / part.file).resolve()
    if not path.is_relative_to(folder.resolve()):  # by a symbolic link
        raise part.wrong(_("the file is outside the folder of the guide."))
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise part.wrong(_("there is no such file beside the guide.")) from fault
    width, height = size(content, part)
    return Drawing(path.stem, content, width, height)


def size(content: bytes, part: Part) -> tuple[int, int]:
    """Width and height of a drawing, once it is seen to be nothing but shapes and words."""
    try:
        text = content.decode()
        if "<!DOCTYPE" in text:
            raise ValueError
        root = ElementTree.fromstring(text)  # noqa: S314 (without a DOCTYPE there are no entities)
    except (ValueError, ElementTree.ParseError):
        raise part.wrong(_("the file is not a plain SVG drawing.")) from None
    for element in root.iter():
        shape = element.tag.removeprefix(_SVG)
        if shape not in _SHAPES or any(_reaches_out(*each) for each in element.items()):
            raise part.wrong(_("the drawing may hold only shapes and words: no script, no link."))
    box = _VIEW_BOX.fullmatch(root.get("viewBox", ""))
    if root.tag != f"{_SVG}svg" or not box:
        raise part.wrong(_("the drawing needs a viewBox like “0 0 320 200”."))
    return int(box[1]), int(box[2])


def _reaches_out(name: str, value: str) -> bool:
    """Whether an attribute could run, load or restyle something."""
    return name.startswith("on") or "href" in name or name == "style" or "url(" in value
