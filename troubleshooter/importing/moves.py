"""What an editor can do with the pieces of an article, one press each.

Pure. A move is a verb, the id of a piece or fix, and sometimes a word. The same moves on the same
pieces give the same draft, so the review page keeps nothing but the source and the list of them.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from . import inline
from .article import MOST
from .pieces import IN_FIX, IN_GUIDE, FixPieces, Piece, Pieces

MOST_MOVES = 1_000

_ITEM = re.compile(r"(?:[-*+]|\d{1,3}[.)]) +(.*)")
_COMMENT = re.compile(r"<!--.{0,5000}?-->", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?。])\s+")


class Move(NamedTuple):
    """`verb` is one of VERBS, `target` an id, `word` a use or a title."""

    verb: str
    target: str
    word: str = ""


def moved(pieces: Pieces, moves: Iterable[Sequence[str]]) -> Pieces:
    """Make these moves, in their order. One whose piece is not there any more is passed over."""
    for verb, target, word in moves:
        if act := VERBS.get(verb):
            act(pieces, target, word)
            pieces.sort()
    return pieces


def can(pieces: Pieces, move: Move) -> bool:
    """Make this move, and say whether anything came of it."""
    act = VERBS.get(move.verb)
    done = act is not None and act(pieces, move.target, move.word)
    pieces.sort()
    return done


def with_move(moves: Sequence[Move], move: Move) -> list[Move]:
    """The list with this move at its end; renaming again what was just renamed is one move."""
    kept = list(moves)
    if kept and move.verb in ("rename", "title", "summary") and kept[-1][:2] == move[:2]:
        kept.pop()
    return [*kept, move]


# --- Finding ---


def _fix(pieces: Pieces, target: str) -> FixPieces | None:
    return next((fix for fix in pieces.fixes if fix.id == target), None)


def _home(pieces: Pieces, target: str) -> tuple[FixPieces | None, Piece | None]:
    """A piece that is used, and the fix it is in, if it is in one."""
    for fix in pieces.fixes:
        for piece in fix.pieces:
            if piece.id == target:
                return fix, piece
    return None, next((piece for piece in pieces.guide if piece.id == target), None)


def _before(pieces: Pieces, fix: FixPieces) -> FixPieces | None:
    at = pieces.fixes.index(fix)
    return pieces.fixes[at - 1] if at else None


def _take_out(pieces: Pieces, target: str) -> Piece | None:
    """A piece out of wherever it is, dropped ones included."""
    fix, piece = _home(pieces, target)
    if piece:
        (fix.pieces if fix else pieces.guide).remove(piece)
        return piece
    for each in pieces.dropped:
        if isinstance(each, Piece) and each.id == target:
            pieces.dropped.remove(each)
            return each
    return None


def short(text: str) -> str:
    """The first sentence as a title: plain, and no longer than a title may be."""
    sentence = _SENTENCE.split(inline.plain(text), 1)[0].rstrip(".:;： ")
    if len(sentence) <= MOST["title"]:
        return sentence
    return sentence[: MOST["title"] - 1].rsplit(" ", 1)[0] + "…"


# --- Fixes ---


def _split(pieces: Pieces, target: str, _word: str) -> bool:
    """The fix ends before this step; from the step on it is another one."""
    fix, step = _home(pieces, target)
    if not fix or not step or step.use != "step" or step is fix.steps[0]:
        return False
    new = _new_fix(pieces, step, step.heading or short(step.lead or step.text))
    step.heading = "" if step.heading == new.title else step.heading
    gone = [piece for piece in fix.pieces if piece.use != "why" and piece.order >= step.order]
    fix.pieces = [piece for piece in fix.pieces if piece not in gone]
    for piece in gone:
        new.take(piece)
    pieces.fixes.append(new)
    return True


def _new_fix(pieces: Pieces, piece: Piece, title: str) -> FixPieces:
    reasons = (_("You made it a fix."),)
    return FixPieces(pieces.free(f"{piece.id}f"), title, piece.place, piece.order, 1.0, reasons)


def _promote(pieces: Pieces, target: str, _word: str) -> bool:
    """A step, with what its heading groups, or any other piece becomes a fix of its own."""
    fix, piece = _home(pieces, target)
    if fix and piece and piece.use == "step":
        group = _group(fix, piece)
        if len(group) == len(fix.steps):
            return False  # nothing would be left of the fix
    elif piece := _take_out(pieces, target):
        _revive(piece)
        fix, group = None, [piece]
    else:
        return False
    new = _new_fix(pieces, piece, piece.heading or short(piece.lead or piece.text))
    piece.heading = ""
    parts = _parts(piece) if len(group) == 1 else []
    for each in group:
        if fix:
            fix.pieces.remove(each)
        if not parts:
            each.use = "step"
            new.take(each)
    for part in parts:
        new.take(part)
    pieces.fixes.append(new)
    return True


def _group(fix: FixPieces, step: Piece) -> list[Piece]:
    """The steps that the heading of this one groups; without a heading, the step alone."""
    steps = fix.steps
    at = steps.index(step)
    if not step.heading:
        return [step]
    end = next((n for n in range(at + 1, len(steps)) if steps[n].heading), len(steps))
    return steps[at:end]


def _parts(piece: Piece) -> list[Piece]:
    """The points inside of a piece as steps; nothing when it has none, and stays one step."""
    if piece.inner:
        return [_part(piece, "step", text, nth) for nth, text in enumerate(piece.inner, start=1)]
    if piece.use == "step":
        return []
    texts: list[str] = []
    why: list[str] = []
    for line in piece.text.split("\n"):
        if item := _ITEM.fullmatch(line):
            texts.append(item[1])
        elif texts and line.strip():
            texts[-1] += f"\n{line[2:] if line[:2] == '  ' else line}"
        elif line.strip():
            why.append(line)
    if not texts:
        return []
    steps = [_part(piece, "step", text, nth) for nth, text in enumerate(texts, start=1)]
    return [_part(piece, "why", "\n".join(why), 0), *steps] if why else steps


def _part(piece: Piece, use: str, text: str, nth: int) -> Piece:
    pictures = piece.pictures if nth == 1 else ()
    order = piece.order + nth / 10_000
    return Piece(f"{piece.id}p{nth}", use, text, piece.place, order, pictures=pictures)


def _merge(pieces: Pieces, target: str, _word: str) -> bool:
    """The fix and the one before it are one, called as that one; the other title is dropped."""
    fix = _fix(pieces, target)
    before = _before(pieces, fix) if fix else None
    if not fix or not before:
        return False
    pieces.fixes.remove(fix)
    before.pictures = (*before.pictures, *fix.pictures)
    for piece in fix.pieces:
        before.take(piece)
    name = pieces.free(f"{fix.id}t")
    title = Piece(name, "note", fix.title, fix.place, fix.order, home=before.id)
    title.reason = _("The title of a fix that you merged with the one before.")
    pieces.dropped.append(title)
    return True


def _demote(pieces: Pieces, target: str, _word: str) -> bool:
    """All of the fix becomes steps of the one before, under its title."""
    fix = _fix(pieces, target)
    before = _before(pieces, fix) if fix else None
    if not fix or not before:
        return False
    pieces.fixes.remove(fix)
    before.pictures = (*before.pictures, *fix.pictures)
    for piece in fix.pieces:
        piece.use = "step"
    fix.pieces.sort(key=lambda piece: piece.order)
    if not fix.pieces or fix.pieces[0].heading:
        name = pieces.free(f"{fix.id}t")
        title = Piece(name, "step", f"**{fix.title}**", fix.place, fix.order)
        fix.pieces.insert(0, title)
    else:
        fix.pieces[0].heading = fix.title
    for piece in fix.pieces:
        before.take(piece)
    return True


def _rename(pieces: Pieces, target: str, word: str) -> bool:
    fix = _fix(pieces, target)
    if not fix or not word.strip():
        return False
    fix.title = word.strip()
    return True


# --- Pieces ---


def _junk(pieces: Pieces, target: str, _word: str) -> bool:
    reason = _("You marked it as junk.")
    if fix := _fix(pieces, target):
        pieces.fixes.remove(fix)
        fix.reason = reason
        pieces.dropped.append(fix)
        return True
    if not _home(pieces, target)[1] or not (piece := _take_out(pieces, target)):
        return False
    piece.reason = reason
    pieces.dropped.append(piece)
    return True


def _back(pieces: Pieces, target: str, _word: str) -> bool:
    """What was dropped goes where it came from, or to the piece above it."""
    dropped = next((each for each in pieces.dropped if each.id == target), None)
    if not dropped:
        return False
    pieces.dropped.remove(dropped)
    if isinstance(dropped, FixPieces):
        dropped.reason = ""
        pieces.fixes.append(dropped)
        return True
    _revive(dropped)
    above = _used_above(pieces, dropped)
    fix = _fix(pieces, dropped.home or (above.home if above else ""))
    if dropped.use in IN_GUIDE:
        pieces.guide.append(dropped)
    elif fix:
        dropped.use = dropped.use or "note"
        fix.take(dropped)
    else:
        dropped.use, dropped.home = (above.use if above else "about"), ""
        pieces.guide.append(dropped)
    return True


def _used_above(pieces: Pieces, piece: Piece) -> Piece | None:
    """The piece that is used and stands nearest above this one."""
    above = [each for each in pieces.walk() if each.order <= piece.order]
    return max(above, key=lambda each: each.order, default=None)


def _revive(piece: Piece) -> None:
    """What the importer dropped has its markup still; only its words are wanted."""
    if not piece.use:
        lines = _COMMENT.sub("", piece.text).split("\n")
        words = "\n".join(line for line in map(inline.tidy, lines) if line)
        piece.text = words or piece.text
    piece.reason = ""


def _use(pieces: Pieces, target: str, word: str) -> bool:
    """The piece is something else: in its fix, in the nearest one above it, or in the guide."""
    if word not in (*IN_FIX, *IN_GUIDE):
        return False
    fix = _home(pieces, target)[0]
    piece = _take_out(pieces, target)
    if not piece:
        return False
    if word in IN_FIX:
        fix = fix or _fix(pieces, piece.home) or _above(pieces, piece)
    if word in IN_FIX and not fix:
        return _returned(pieces, piece)
    _revive(piece)
    piece.use = word
    if word in IN_FIX and fix:
        fix.take(piece)
    else:
        piece.home = ""
        pieces.guide.append(piece)
    return True


def _returned(pieces: Pieces, piece: Piece) -> bool:
    """There is no fix it could be in: it stays what it was."""
    (pieces.dropped if piece.reason else pieces.guide).append(piece)
    return False


def _above(pieces: Pieces, piece: Piece) -> FixPieces | None:
    """The last fix that begins before the piece; else the first."""
    above = [fix for fix in pieces.fixes if fix.order <= piece.order]
    return above[-1] if above else next(iter(pieces.fixes), None)


def _title(pieces: Pieces, _target: str, word: str) -> bool:
    pieces.title = word.strip() or pieces.title
    return True


def _summary(pieces: Pieces, _target: str, word: str) -> bool:
    pieces.summary = word.strip()
    return True


VERBS: dict[str, Callable[[Pieces, str, str], bool]] = {
    "split": _split,
    "promote": _promote,
    "merge": _merge,
    "demote": _demote,
    "rename": _rename,
    "junk": _junk,
    "back": _back,
    "use": _use,
    "title": _title,
    "summary": _summary,
}
