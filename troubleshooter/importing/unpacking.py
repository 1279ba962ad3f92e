"""Packs as files: a zip or a folder of a few known members, each with its checksum.

Nothing in a pack is believed: names are compared with the few that can be, bytes are counted while
they are unpacked, and every member must be the one that `pack.json` lists. What the members say
is weighed in packs.py.
"""

import hashlib
import io
import json
import os
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

FORMAT = 1  # of pack.json, of the guides' files and of the names; raised when an old reader fails
MOST_PACKED = 20 * 1024 * 1024  # bytes of a zip
MOST_UNPACKED = 100 * 1024 * 1024  # bytes of all members together
MOST_MEMBER = 5 * 1024 * 1024  # bytes of one
MOST_MEMBERS = 500
LIST = "pack.json"
MEMBER = re.compile(r"pack\.json|[A-Za-z0-9_-]{1,100}\.toml|pictures/[0-9a-f]{64}\.(?:webp|svg)")

_END = b"PK\x05\x06"  # begins the record that ends a zip
_END_SIZE = 22
_END64 = b"PK\x06\x07"
_DIRECTORY = MOST_MEMBERS * 600  # bytes a directory of so many members takes, at most
_PIECE = 64 * 1024
_DATE = (1980, 1, 1, 0, 0, 0)  # the oldest a zip knows: the same members are the same bytes

Members = dict[str, bytes]


class PackError(ValueError):
    """The pack cannot be taken or made; the message is a sentence that says what is wrong."""


# --- Reading ---


def opened(path: Path) -> Members:
    """The members of the pack at `path`, a zip or a folder, or PackError."""
    try:
        if path.is_dir():
            return listed(in_folder(path))
        with path.open("rb") as file:
            return unpacked(file.read(MOST_PACKED + 1))
    except OSError as fault:
        said = _("%(name)s cannot be opened: %(fault)s.")
        raise PackError(said % {"name": path.name, "fault": fault.strerror}) from fault


def unpacked(data: bytes) -> Members:
    """The members of a pack's zip, or PackError."""
    if len(data) > MOST_PACKED:
        raise PackError(_("This pack is too large: a zip may have at most 20 MiB."))
    if not data.startswith((b"PK\x03\x04", _END)):
        raise PackError(_("This is no zip."))
    try:
        _look_at_end(data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = dict(_unpacked(archive))
    except PackError:
        raise
    except Exception:  # a damaged zip can fail in any way; each means the same
        raise PackError(_("This zip is damaged: part of it is missing or wrong.")) from None
    return listed(members)


def _look_at_end(data: bytes) -> None:
    """Refuse a directory that is too long before anything reads it."""
    at = len(data) - _END_SIZE
    if data[at : at + 4] != _END or data[-2:] != b"\0\0":  # a comment follows
        at = data.rfind(_END, max(0, at - 0xFFFF))
    if at < 0 or at + _END_SIZE > len(data):
        raise PackError(_("This zip is not whole: its end is missing."))
    members = int.from_bytes(data[at + 10 : at + 12], "little")
    size = int.from_bytes(data[at + 12 : at + 16], "little")
    if members > MOST_MEMBERS or size > _DIRECTORY or data[at - 20 : at - 16] == _END64:
        raise PackError(_("This zip holds too much: at most 500 files."))


def _unpacked(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """Each member, its bytes counted as they come: what the zip says of its sizes is no proof."""
    seen: set[str] = set()
    left = MOST_UNPACKED
    for info in archive.infolist():
        name = info.orig_filename
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind == stat.S_IFLNK:
            raise _refused(name, _("it is a link; a pack holds only files."))
        if name == "pictures/" and not info.file_size:
            continue
        _check_name(name)
        if kind not in (0, stat.S_IFREG):
            raise _refused(name, _("it is no plain file."))
        if name in seen:
            raise _refused(name, _("it is there twice."))
        seen.add(name)
        if info.flag_bits & 0x41:
            raise _refused(name, _("it is encrypted."))
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refused(name, _("it is packed in an unusual way: only “deflate” is taken."))
        content = _content(archive, info, min(left, MOST_MEMBER))
        left -= len(content)
        yield name, content


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    pieces, size = [], 0
    with archive.open(info) as member:
        while piece := member.read(_PIECE):
            size += len(piece)
            if size > most:
                raise _too_large(info.orig_filename, most)
            pieces.append(piece)
    return b"".join(pieces)


def _too_large(name: str, most: int) -> PackError:
    if most < MOST_MEMBER:
        return PackError(_("This pack is too large: unpacked it has more than 100 MiB."))
    return _refused(name, _("it is too large: a file in a pack may have at most 5 MiB."))


def _check_name(name: str) -> None:
    """Refuse a name that no member of a pack has."""
    if MEMBER.fullmatch(name):
        return
    if name.startswith(("/", "\\")) or re.match("[A-Za-z]:", name):
        raise _refused(name, _("its name is an absolute path."))
    if ".." in re.split(r"[/\\]", name):
        raise _refused(name, _("its name leads out of the pack."))
    if name.lower().endswith((".zip", ".jar", ".gz", ".7z")):
        raise _refused(name, _("a pack holds no other archive."))
    if name.endswith(f"/{LIST}"):
        raise _refused(
            name, _("put the files themselves into the zip, not the folder around them.")
        )
    said = _("a pack holds only pack.json, guides as name.toml, and pictures by their checksum.")
    raise _refused(name, said)


def _refused(name: str, why: str) -> PackError:
    return PackError(f"{_short(name)}: {why}")


def _short(name: str) -> str:
    """A name fit for a sentence: it may hold anything."""
    line = "".join(letter if letter.isprintable() else "�" for letter in name)
    return line if len(line) <= 80 else f"{line[:79]}…"


def in_folder(folder: Path) -> Members:
    """The files of a folder that is laid out like a pack, or PackError. No link is followed.

    What is hidden (.git) is no part of it.
    """
    members: Members = {}
    left = MOST_UNPACKED
    for name in sorted(_names(folder, "")):
        if len(members) == MOST_MEMBERS:
            raise PackError(_("This folder holds too much: at most 500 files."))
        most = min(left, MOST_MEMBER)
        with (folder / name).open("rb") as file:
            members[name] = file.read(most + 1)
        if len(members[name]) > most:
            raise _too_large(name, most)
        left -= len(members[name])
    return members


def _names(folder: Path, start: str) -> Iterator[str]:
    with os.scandir(folder / start) as entries:
        for entry in entries:
            name = f"{start}{entry.name}"
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                raise _refused(name, _("it is a link; a pack holds only files."))
            if entry.is_dir() and name == "pictures":
                yield from _names(folder, "pictures/")
                continue
            _check_name(name)
            if not entry.is_file():
                raise _refused(name, _("it is no plain file."))
            yield name


def listed(members: Members) -> Members:
    """The members without pack.json, each the very one that it lists, or PackError."""
    if LIST not in members:
        raise PackError(_("pack.json is missing: this is no pack."))
    members = dict(members)
    files = _files(members.pop(LIST))
    for name, (digest, size) in files.items():
        if name not in members:
            raise _refused(name, _("it is missing, but pack.json lists it."))
        content = members[name]
        if len(content) != size or hashlib.sha256(content).hexdigest() != digest:
            said = _(
                "it is not what pack.json says (wrong checksum). If you changed it yourself, in a"
                " folder, say “manage.py seal_pack” and try again."
            )
            raise _refused(name, said)
    for name in members.keys() - files.keys():
        raise _refused(name, _("pack.json does not list it."))
    return members


def _files(text: bytes) -> dict[str, tuple[str, int]]:
    """Checksum and size of each member as pack.json gives them."""
    try:
        found = json.loads(text.decode(), object_pairs_hook=_object)
    except UnicodeDecodeError:
        raise _refused(LIST, _("it is not text in UTF-8.")) from None
    except (ValueError, RecursionError):
        raise _refused(LIST, _("it cannot be read as JSON.")) from None
    if not isinstance(found, dict) or type(found.get("format")) is not int:
        raise _refused(LIST, _("it does not say its format."))
    if found["format"] != FORMAT:
        said = _("This pack has format %(its)d, and this help desk reads format %(ours)d.")
        raise PackError(said % {"its": found["format"], "ours": FORMAT})
    files = found.get("files")
    if found.keys() != {"format", "files"} or not isinstance(files, dict):
        raise _refused(LIST, _("it holds “format” and “files”, and nothing else."))
    return {name: _file(name, told) for name, told in files.items()}


def _file(name: str, told: Any) -> tuple[str, int]:
    _check_name(name)
    if isinstance(told, dict) and told.keys() == {"sha256", "size"}:
        digest, size = told["sha256"], told["size"]
        if isinstance(digest, str) and type(size) is int:
            return digest, size
    raise _refused(LIST, _("“files” needs “sha256” and “size” for each name."))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


# --- Writing ---


def with_list(members: Mapping[str, bytes]) -> Members:
    """The members of a pack with their pack.json."""
    files = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name, content in sorted(members.items())
    }
    text = json.dumps({"format": FORMAT, "files": files}, indent=2) + "\n"
    whole = {**members, LIST: text.encode()}
    if len(whole) > MOST_MEMBERS:
        raise PackError(_("This makes more than 500 files: choose fewer guides for one pack."))
    for name, content in whole.items():
        _check_name(name)
        if len(content) > MOST_MEMBER:
            raise _too_large(name, MOST_MEMBER)
    if sum(map(len, whole.values())) > MOST_UNPACKED:
        raise PackError(_("This makes more than 100 MiB: choose fewer guides for one pack."))
    return whole


def packed(members: Mapping[str, bytes]) -> bytes:
    """The zip of a pack: the same members give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in sorted(with_list(members).items()):
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system = 3  # Unix, wherever it was made
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            # Pictures are as small as they get.
            text = not name.startswith("pictures/")
            info.compress_type = zipfile.ZIP_DEFLATED if text else zipfile.ZIP_STORED
            archive.writestr(info, content, compresslevel=9)
    if out.tell() > MOST_PACKED:
        raise PackError(_("This makes more than 20 MiB: choose fewer guides for one zip."))
    return out.getvalue()


def write(members: Mapping[str, bytes], path: Path) -> None:
    """Write a pack: a zip when the name ends so, else a folder. What a folder held before goes.

    A folder that holds anything but a pack is refused, so that nothing else is ever deleted.
    """
    try:
        if path.suffix.lower() == ".zip":
            _put(path, packed(members))
        else:
            _write_folder(with_list(members), path)
    except OSError as fault:
        said = _("%(name)s cannot be written: %(fault)s.")
        raise PackError(said % {"name": path.name, "fault": fault.strerror}) from fault


def seal(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the list of a folder whose files these are."""
    _put(folder / LIST, with_list(files)[LIST])


def _write_folder(members: Members, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    old = set(_names(folder, ""))
    if old and LIST not in old:
        said = _("%(name)s is no folder of a pack: choose an empty one, or a new name.")
        raise PackError(said % {"name": folder.name})
    (folder / "pictures").mkdir(exist_ok=True)
    for name in sorted(members, key=lambda name: (name == LIST, name)):  # the list comes last
        _put(folder / name, members[name])
    for name in old - members.keys():
        (folder / name).unlink()
    with suppress(OSError):  # there are some
        (folder / "pictures").rmdir()


def _put(path: Path, content: bytes) -> None:
    """Write a file as a whole, or leave the old one."""
    if path.is_file() and path.read_bytes() == content:
        return
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)
