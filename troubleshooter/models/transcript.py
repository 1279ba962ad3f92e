"""What was tried in a session, in words: for the visitor, and for whoever helps next."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from troubleshooter.flow import Outcome, Reason

from .attempts import Attempt
from .reading import ReadingFix
from .sessions import Session


class Tried(NamedTuple):
    """One line of what was tried: the fix and the answer that counts (None: not answered)."""

    fix: ReadingFix
    attempt: Attempt | None

    def __str__(self) -> str:
        outcome, reason, minutes = None, "", 0
        if self.attempt and self.attempt.outcome:
            outcome, reason = self.attempt.outcome, self.attempt.reason
            minutes = round(self.attempt.minutes or 0)
        return _said(get_language(), outcome, reason, minutes) % {"fix": self.fix.title}


@lru_cache(maxsize=1000)
def _said(language: str | None, outcome: str | None, reason: str, minutes: int) -> str:
    """What came of some fix, in this language, which is the current one."""
    if outcome is None:
        return _("%(fix)s: not answered yet")
    said = str(Outcome(outcome).label)
    if reason:
        said = f"{said} ({Reason(reason).label})"
    line = {"fix": "%(fix)s", "said": said.replace("%", "%%"), "minutes": minutes}
    if not minutes:
        return _("%(fix)s: %(said)s") % line
    return _("%(fix)s: %(said)s, after %(minutes)d min") % line


def tried(session: Session) -> list[Tried]:
    """Every fix that was shown, in order, with the answer that counts."""
    counted: dict[str, Attempt | None] = {}
    for row in session.rows:  # as flow.answers counts them: the latest answer of each fix
        if row.outcome is not None:
            counted[row.fix_key] = row
        else:
            counted.setdefault(row.fix_key, None)
    fixes = session.reading.by_key
    return [Tried(fixes[fix], attempt) for fix, attempt in counted.items()]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript; `fix` is the key of the fix it tells of, or empty."""

    text: str
    fix: str = ""


def lines(session: Session) -> list[Line]:
    """The session line by line, so that each can be left out; without the key to it."""
    found = [Line(session.reading.title)]
    if symptom := session.reading.symptom(session.symptom_key):
        found.append(Line(_("Symptom: %(symptom)s") % {"symptom": symptom.text}))
    if session.platform:
        platform = {"platform": Session.Platform.in_words(session.platform)}
        found.append(Line(_("Device: %(platform)s") % platform))
    started = f"{session.started_at:%Y-%m-%d %H:%M}"
    found.append(Line(_("Started: %(when)s UTC") % {"when": started}))
    return found + [Line(str(line), line.fix.key) for line in tried(session)]


def transcript(session: Session) -> str:
    """The session in plain text, one line for each fix; without the key to it."""
    all_lines = lines(session)
    about = [line.text for line in all_lines if not line.fix]
    fixes = [line.text for line in all_lines if line.fix]
    numbered = [f"{nth}. {text}" for nth, text in enumerate(fixes, start=1)]
    reference = _("Reference: %(id)s") % {"id": session.public_id}
    return "\n".join([*about, "", *numbered, "", reference])
