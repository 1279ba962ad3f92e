"""What a line of the log looks like, and what never stands in one.

A request has an id; every line that is written while it is answered carries it, and the visitor
who sees an error can quote it. Keys of sessions, escalations and follow-ups, and e-mail addresses,
are masked: whoever reads a log must not walk in, nor learn who was here. A formatter does that,
because a traceback can name them, too.
"""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")

_KEY = re.compile(r"(/[sef]/)[A-Za-z0-9_-]+")
_EMAIL = re.compile(r"[^\s@<>()\[\]{}\"',;:=/\\]{1,64}@[^\s@<>()\[\]{}\"',;:=/\\]+")


def masked(line: str) -> str:
    """`line` without what opens a door or names a person."""
    if "/" in line:
        line = _KEY.sub(r"\1…", line)
    return _EMAIL.sub("…@…", line) if "@" in line else line


class Plain(logging.Formatter):
    """For a terminal: one sentence, and the request it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        line = masked(super().format(record))
        named = request_id.get()
        return f"{line} [{named}]" if named else line


class Json(logging.Formatter):
    """For a machine: one object in one line; what was typed into an address cannot end the line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": masked(record.getMessage()),
        }
        if named := request_id.get():
            line["request"] = named
        if record.exc_info:
            line["traceback"] = masked(self.formatException(record.exc_info))
        line |= getattr(record, "answered", {})
        return json.dumps(line)
