"""What lies on the desk: every field of a guide with its symptoms, fixes and steps, as typed.

Pure: a sheet is made from frozen content or from a posted form, changed by moves, and gives
frozen content back. A row is found by its path, and so is a field of the form: the title of the
fix `cable` is `fix.cable.title`, the text of its step `s1` is `step.cable.s1.text`. Rows stand in
the order in which the form names them, so a row that was dragged needs no number.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from troubleshooter.models import Risk

Path = tuple[str, ...]
Fields = dict[str, Any]

GUIDE: Path = ("guide",)
DEPTH = {"guide": 1, "symptom": 2, "fix": 2, "contact": 2, "scenario": 2, "step": 3}
SEVERAL = ("start_with", "after", "contacts")  # fields that hold a list
_KEY = re.compile(r"[A-Za-z0-9_-]{1,16}")
_TEXTS = ("title", "summary", "about", "closing", "prevention")
_REMEDY = ("title", "why", "loses", "waiting", "note")


@dataclass
class Sheet:
    """The fields of every row by its path; rows of a kind in the order they are shown."""

    rows: dict[Path, Fields] = field(default_factory=dict)

    @classmethod
    def posted(cls, data: QueryDict) -> "Sheet":
        """What a form sent; names that no row has are left out."""
        sheet = cls({GUIDE: {}})
        for name in data:
            *path, last = name.split(".")
            if not path or DEPTH.get(path[0]) != len(path):
                continue
            if all(_KEY.fullmatch(part) for part in path[1:]):
                value = data.getlist(name) if last in SEVERAL else data[name]
                sheet.rows.setdefault(tuple(path), {})[last] = value
        fixes = {path[1] for path in sheet.paths("fix")}
        sheet.rows = {
            path: fields
            for path, fields in sheet.rows.items()
            if path[0] != "step" or path[1] in fixes
        }
        return sheet

    @classmethod
    def of(cls, content: Mapping[str, Any], pictures: Mapping[str, int]) -> "Sheet":
        """The fields of frozen content; `pictures` gives the id of each by its hash."""
        sheet = cls({GUIDE: {name: content[name] for name in _TEXTS}})
        for symptom in content["symptoms"]:
            sheet.rows["symptom", symptom["key"]] = _without(symptom, "key")
        for fix in content["fixes"]:
            sheet.put_fix(fix, pictures)
        return sheet

    def put_fix(self, fix: Mapping[str, Any], pictures: Mapping[str, int]) -> None:
        """Put a frozen fix with its steps below the others."""
        self.rows["fix", fix["key"]] = _without(fix, "key", "steps")
        for step in fix["steps"]:
            shown = step["picture"]
            self.rows["step", fix["key"], step["key"]] = {
                "heading": step["heading"],
                "text": step["text"],
                "picture": pictures.get(shown["sha256"], "") if shown else "",
                "alt": shown["alt"] if shown else "",
            }

    def paths(self, *start: str) -> list[Path]:
        """The rows whose path starts so, in their order: ("fix",) or ("step", "cable")."""
        return [path for path in self.rows if path[: len(start)] == start]

    def add(self, path: Path, fields: Fields) -> None:
        self.rows[path] = fields

    def remove(self, path: Path) -> None:
        """Take a row out; with a fix go its steps and what named it, with a symptom its scenarios.

        A scenario that named the fix stays, without one: a test must not go because it would fail.
        """
        self.rows.pop(path, None)
        for scenario in self.paths("scenario"):
            fields = self.rows[scenario]
            if path[0] == "symptom" and fields.get("symptom") == path[1]:
                del self.rows[scenario]
            elif path[0] == "fix" and fields.get("fix") == path[1]:
                fields["fix"] = ""
        if path[0] != "fix":
            return
        for step in self.paths("step", path[1]):
            del self.rows[step]
        for fields in self.rows.values():
            for name in ("start_with", "after"):
                if path[1] in fields.get(name, ()):
                    fields[name] = [key for key in fields[name] if key != path[1]]

    def shift(self, path: Path, by: int) -> None:
        """Move a row up (-1) or down (1) among those of its kind; at the end it stays."""
        rows = self.paths(*path[:-1])
        if path not in rows:
            return
        there = rows.index(path) + by
        if 0 <= there < len(rows):
            rows.remove(path)
            rows.insert(there, path)
        moved = {each: self.rows.pop(each) for each in rows}
        self.rows.update(moved)

    def frozen(
        self, about: Mapping[str, Any], pictures: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Any]:
        """The content this sheet would freeze to, whatever was typed into it.

        `about` holds what stands on no row (format, key, language, topic, contacts); `pictures`
        is each frozen picture by its id.
        """
        return {
            **about,
            **{name: _text(self.rows[GUIDE].get(name)) for name in _TEXTS},
            "symptoms": [
                {
                    "key": path[1],
                    "text": _text(self.rows[path].get("text")),
                    "start_with": sorted(self.rows[path].get("start_with", ())),
                }
                for path in self.paths("symptom")
            ],
            "fixes": [self._frozen_fix(path, pictures) for path in self.paths("fix")],
        }

    def _frozen_fix(self, path: Path, pictures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        fields = self.rows[path]
        risk = fields.get("risk")
        return {
            "key": path[1],
            "revision": _number(fields.get("revision"), 1) + bool(fields.get("revised")),
            **{name: _text(fields.get(name)) for name in _REMEDY},
            "minutes": _number(fields.get("minutes"), 0),
            "risk": str(risk) if risk in Risk.values else Risk.SAFE.value,
            "closes_page": bool(fields.get("closes_page")),
            "pin": _text(fields.get("pin")),
            "after": sorted(fields.get("after", ())),
            "steps": [self._frozen_step(step, pictures) for step in self.paths("step", path[1])],
        }

    def _frozen_step(self, path: Path, pictures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        fields = self.rows[path]
        shown = pictures.get(str(fields.get("picture") or ""))
        return {
            "key": path[2],
            "heading": _text(fields.get("heading")),
            "text": _text(fields.get("text")),
            "picture": {**shown, "alt": _text(fields.get("alt"))} if shown else None,
        }


def _without(fields: Mapping[str, Any], *names: str) -> Fields:
    return {name: value for name, value in fields.items() if name not in names}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _number(value: Any, otherwise: int) -> int:
    try:
        return min(max(int(value), 0), 9999)
    except (TypeError, ValueError):
        return otherwise
