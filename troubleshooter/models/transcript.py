"""What was tried in a session, in words: for the visitor, and for whoever helps next."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from troubleshooter import flow

from .reading import ReadingFix
from .sessions import Attempt, Session


@dataclass(frozen=True, slots=True)
class Tried:
    """One line of what was tried: the fix and the answer that counts (None: not answered)."""

    fix: ReadingFix
    attempt: Attempt | None

    def __str__(self) -> str:
        if self.attempt is None:
            return _("%(fix)s: not answered yet") % {"fix": self.fix.title}
        said = self.attempt.get_outcome_display()
        if self.attempt.reason:
            said = f"{said} ({self.attempt.get_reason_display()})"
        line = {"fix": self.fix.title, "said": said, "minutes": round(self.attempt.minutes or 0)}
        if not line["minutes"]:
            return _("%(fix)s: %(said)s") % line
        return _("%(fix)s: %(said)s, after %(minutes)d min") % line


def tried(session: Session) -> list[Tried]:
    """Every fix that was shown, in order, with the answer that counts."""
    counted = flow.answers([row.rule for row in session.rows])
    by_seq = {row.seq: row for row in session.rows}
    fixes = session.reading.by_key
    return [
        Tried(fixes[fix], by_seq[counted[fix].seq] if fix in counted else None)
        for fix in dict.fromkeys(row.fix_key for row in session.rows)
    ]


def transcript(session: Session) -> str:
    """The session in plain text, one line for each fix; without the key to it."""
    lines = [session.reading.title]
    if symptom := session.reading.symptom(session.symptom_key):
        lines.append(_("Symptom: %(symptom)s") % {"symptom": symptom.text})
    if session.platform:
        lines.append(_("Device: %(platform)s") % {"platform": session.get_platform_display()})
    started = f"{session.started_at:%Y-%m-%d %H:%M}"
    lines += [_("Started: %(when)s UTC") % {"when": started}, ""]
    lines += [f"{nth}. {line}" for nth, line in enumerate(tried(session), start=1)]
    lines += ["", _("Reference: %(id)s") % {"id": session.public_id}]
    return "\n".join(lines)
