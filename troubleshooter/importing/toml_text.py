"""The text of a guide's file from its parts: for people to read, edit and compare.

Only what differs from a default is written, in the order of the fields in parts.py, one line of a
text on one line of the file: a change of one sentence is a difference of one line.
"""

import re
from collections.abc import Iterator
from dataclasses import MISSING, fields

from .parts import GuideFile, Part

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_WIDE = 88  # characters of a list that stands on one line


def written(guide: GuideFile) -> str:
    """The file of a guide; `guide_file.read` gives the same parts back."""
    return "\n".join(_lines(guide, ())) + "\n"


def _lines(part: Part, path: tuple[str, ...]) -> Iterator[str]:
    """The keys of a part, then its tables: in TOML a table takes every key below it."""
    tables: list[tuple[str, Part, bool]] = []
    for field in fields(part):
        value = getattr(part, field.name)
        if field.name == "where" or (field.default is not MISSING and value == field.default):
            continue
        if isinstance(value, Part):
            tables.append((field.name, value, False))
        elif isinstance(value, tuple) and value and isinstance(value[0], Part):
            tables += [(field.name, each, True) for each in value]
        else:
            yield f"{field.name} = {_value(value)}"
    for name, inner, several in tables:
        deeper = (*path, name)
        yield ""
        yield f"[[{'.'.join(deeper)}]]" if several else f"[{'.'.join(deeper)}]"
        yield from _lines(inner, deeper)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        items = [_line(str(each)) for each in value]
        line = f"[{', '.join(items)}]"
        return (
            line if len(line) <= _WIDE else "[\n" + "".join(f"  {each},\n" for each in items) + "]"
        )
    text = str(value)  # of a choice, too, as the database keeps it
    return _prose(text) if "\n" in text else _line(text)


def _line(text: str) -> str:
    return '"' + _escaped(text).replace("\n", "\\n").replace("\t", "\\t").replace('"', '\\"') + '"'


def _prose(text: str) -> str:
    """A text of several lines; the gate for texts takes the last line's end away again."""
    return '"""\n' + _escaped(text).replace('"""', '""\\"') + '\n"""'


def _escaped(text: str) -> str:
    """Without backslashes and controls; line ends and tabs stay."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04X}", text.replace("\\", "\\\\"))
