"""What a disk could hold after a power cut, worked out from what was asked of it. Pure.

A write is on the disk for certain only once its file was synced after it. Until then any part of
it may be there; until its folder was synced, a name that was removed may still be there, and one
that is new may not be there yet.
"""

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

HEAD = struct.Struct("=dqQIHcx")  # as in recorder.c
SECTOR = 512


class Model(StrEnum):
    """What becomes of the writes that no sync has followed yet."""

    SYNCED = "only what was synced"
    SOME = "some of the rest, too"  # any sectors of it, in no order
    TORN = "all, the last one torn"
    NAMES = "removed names come back"  # and only what was synced
    NEW = "new names are not there yet"  # and only what was synced


@dataclass(frozen=True, slots=True)
class Event:
    """One call that came back: kind as in recorder.c, at seconds of the monotonic clock."""

    at: float
    kind: str
    path: str
    offset: int = 0
    token: int = 0
    data: bytes = b""


def events(record: bytes) -> Iterator[Event]:
    """The events of a record of recorder.c."""
    at = 0
    while at < len(record):
        when, offset, token, length, path, kind = HEAD.unpack_from(record, at)
        at += HEAD.size
        name = record[at : at + path].decode()
        at += path
        yield Event(when, kind.decode(), name, offset, token, record[at : at + length])
        at += length


@dataclass(slots=True)
class _File:
    """A file: the bytes that are safe, and what was asked for since, oldest first."""

    safe: bytearray = field(default_factory=bytearray)
    since: list[Event] = field(default_factory=list)
    settled: int = 0  # how many events are safe

    @property
    def asked(self) -> int:
        return self.settled + len(self.since)

    def settle(self, asked: int) -> None:
        """Make the first so many events safe."""
        number = max(asked - self.settled, 0)
        for event in self.since[:number]:
            _apply(self.safe, event)
        del self.since[:number]
        self.settled += number

    def after(self, model: Model, chance: random.Random) -> bytes:
        """What the disk could hold of it after a power cut."""
        held = bytearray(self.safe)
        if model in (Model.SYNCED, Model.NAMES, Model.NEW):
            return bytes(held)
        for event in self.since[:-1] if model is Model.TORN else self.since:
            if model is Model.TORN:
                _apply(held, event)
            elif chance.random() < 0.5:
                _apply_some(held, event, chance)
        if model is Model.TORN and self.since:
            last = self.since[-1]
            kept = chance.randint(0, len(last.data) // SECTOR) * SECTOR
            _apply(held, Event(last.at, last.kind, last.path, last.offset, 0, last.data[:kept]))
        return bytes(held)


def _apply(held: bytearray, event: Event) -> None:
    if event.kind == "t":
        size = event.offset
        held[size:] = bytes(max(size - len(held), 0))
    elif event.data:
        if len(held) < event.offset:
            held.extend(bytes(event.offset - len(held)))
        held[event.offset : event.offset + len(event.data)] = event.data


def _apply_some(held: bytearray, event: Event, chance: random.Random) -> None:
    """The whole of it, or only some of its sectors."""
    if event.kind == "t" or chance.random() < 0.5:
        _apply(held, event)
        return
    for start in range(0, len(event.data), SECTOR):
        if chance.random() < 0.5:
            part = event.data[start : start + SECTOR]
            _apply(held, Event(event.at, "w", event.path, event.offset + start, 0, part))


class Disk:
    """The files of one folder as the events go by."""

    def __init__(self, files: dict[str, bytes]) -> None:
        """`files`: what is there, and safe, before the first event."""
        self._files = {path: _File(bytearray(content)) for path, content in files.items()}
        self._removed: dict[str, _File] = {}  # since their folder was synced
        self._new: set[str] = set()  # since then, too
        self._syncs: dict[int, tuple[_File, int]] = {}  # of what, and what was asked for by then

    def see(self, event: Event) -> None:
        match event.kind:
            case "w" | "t":
                if event.path not in self._files:
                    self._files[event.path] = _File()
                    self._new.add(event.path)
                self._files[event.path].since.append(event)
            case "b" if event.path in self._files:
                file = self._files[event.path]
                self._syncs[event.token] = file, file.asked
            case "s" if event.token in self._syncs:
                file, asked = self._syncs.pop(event.token)
                file.settle(asked)
            case "s":  # a folder
                inside = event.path.rstrip("/") + "/"
                for path in [each for each in self._removed if each.startswith(inside)]:
                    del self._removed[path]
                self._new = {path for path in self._new if not path.startswith(inside)}
            case "u" if event.path in self._files:
                self._removed[event.path] = self._files.pop(event.path)
                self._new.discard(event.path)

    def after(self, model: Model, chance: random.Random) -> dict[str, bytes]:
        """The files after a power cut at this moment."""
        files = self._files | (self._removed if model is Model.NAMES else {})
        if model is Model.NEW:
            files = {path: file for path, file in files.items() if path not in self._new}
        return {path: file.after(model, chance) for path, file in files.items()}
