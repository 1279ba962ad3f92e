"""Prepared pages: rendered once, compressed once, and kept.

What differs between two visitors (the key of a session, the number of an answer) has a slot in
the page and is put in at the end. Compressed pages are put together in the same way: each piece
is a part of a deflate stream that needs nothing before it, and what goes into a slot is stored as
it is, so that no secret is compressed together with other text.
Source: RFC 1951 (blocks, 3.2.4 for stored ones) and RFC 1952 (gzip).

No thread is let in while a page is put together: with others waiting, a change of threads in the
middle of a request costs as much as half of it.
"""

import secrets
import struct
import zlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, cast

LENGTH = 38  # of a mark: as long as the key of a session, whose place it takes in addresses
MOST_JOINED = 500  # in each process; they are short
MOST_KEPT = 16_000_000  # bytes of text in each process; then all of it is made anew

_SALT = secrets.token_hex(14)
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"  # gzip: deflate, no name, no time
_STORED = struct.Struct("<BHH").pack
_END = b"\x03\x00"  # an empty block, the last one
_LONGEST = 0xFFFF  # bytes in a stored block
_UNSHARED = 4096  # bytes of which zlib sums up so many without letting other threads in


class Piece(NamedTuple):
    """A part of a page: its text, and a part of a deflate stream that says it."""

    text: bytes
    deflated: bytes


Pieces = Sequence[Piece]


def mark(slot: str) -> str:
    """What stands in a page where `slot` is to be filled. Nobody can type it."""
    return f"{_SALT}{slot:-<{LENGTH - len(_SALT)}}"


@lru_cache(maxsize=300)  # numbers come again and again, and a key for as long as its session
def stored(text: str) -> Piece:
    """A piece that is not compressed, to fill a slot with."""
    data = text.encode()
    blocks = [data[at : at + _LONGEST] for at in range(0, len(data), _LONGEST)]
    headed = [_STORED(0, len(block), len(block) ^ _LONGEST) + block for block in blocks]
    return Piece(data, b"".join(headed))


def compressed(text: str) -> Piece:
    """A piece that is kept, and so worth the time."""
    data, deflate = text.encode(), zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = deflate.compress(data) + deflate.flush(zlib.Z_FULL_FLUSH)
    return Piece(data, deflated)


def filled(same: Hashable, render: Callable[[], str], slots: Mapping[str, str | Pieces]) -> Pieces:
    """The page that is the `same` for all its visitors, with its slots filled.

    `render` gives its text with the marks of all slots; it is asked once. What fills a slot is
    put in as it is: text must be safe HTML by then.
    """
    page = _kept.get(same)
    if page is None:
        page = _keep(same, _split(render(), slots))
    if not slots:
        return cast(Pieces, page)
    fillings = {
        name: [stored(text)] if isinstance(text, str) else text for name, text in slots.items()
    }
    pieces: list[Piece] = []
    for part in page:
        if isinstance(part, str):
            pieces += fillings[part]
        else:
            pieces.append(part)
    return pieces


def joined(same: Hashable, pieces: Callable[[], Pieces]) -> Pieces:
    """These pieces as one, which is kept for whoever needs the `same` next."""
    made = _joined.get(same)
    if made is None:
        found = pieces()
        made = [Piece(plain(found), b"".join([piece.deflated for piece in found]))]
        if len(_joined) >= MOST_JOINED:
            _joined.clear()
        _joined[same] = made
    return made


def plain(pieces: Pieces) -> bytes:
    return b"".join([piece.text for piece in pieces])


def gzip(pieces: Pieces) -> bytes:
    return _alone(pieces[0]) if len(pieces) == 1 else _gzip(pieces)


@lru_cache(maxsize=200)
def _alone(page: Piece) -> bytes:
    """A page without slots: the same file for everybody."""
    return _gzip([page])


def _gzip(pieces: Pieces) -> bytes:
    text = plain(pieces)
    trailer = struct.pack("<II", _summed(text), len(text) & 0xFFFFFFFF)
    return b"".join([_HEADER, *[piece.deflated for piece in pieces], _END, trailer])


def _summed(text: bytes) -> int:
    """The checksum of `text`: CRC-32."""
    checksum = 0
    for at in range(0, len(text), _UNSHARED):
        checksum = zlib.crc32(text[at : at + _UNSHARED], checksum)
    return checksum


def _split(text: str, slots: Mapping[str, object]) -> tuple[Piece | str, ...]:
    """The text cut at its marks: pieces, and between them the names of slots."""
    parts: list[Piece | str] = []
    pieces = text.split(_SALT)
    parts.append(compressed(pieces[0]))
    for piece in pieces[1:]:
        name = piece[: LENGTH - len(_SALT)].rstrip("-")
        if name not in slots:
            raise KeyError(name)
        parts += [name, compressed(piece[LENGTH - len(_SALT) :])]
    return tuple(part for part in parts if isinstance(part, str) or part.text)


_joined: dict[Hashable, Pieces] = {}
_kept: dict[Hashable, tuple[Piece | str, ...]] = {}
_bytes = 0


def _keep(same: Hashable, page: tuple[Piece | str, ...]) -> tuple[Piece | str, ...]:
    """Two threads at once may both make it, and count it twice: that only clears earlier."""
    global _bytes
    if _bytes > MOST_KEPT:
        _kept.clear()
        _bytes = 0
    _bytes += sum(len(part.text) + len(part.deflated) for part in page if isinstance(part, Piece))
    _kept[same] = page
    return page
