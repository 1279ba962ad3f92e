"""What mails say about an escalation. Subjects are ours: nothing that was typed gets there.

Mail is plain text, so that nothing in it can be markup. The receipt holds no word of the visitor:
whoever gives a stranger's address cannot write to them through us. The team's mail holds no name,
address or number: copies that leave the house cannot be taken back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

Letter = dict[str, str]  # subject and text


@dataclass(frozen=True, slots=True)
class Matter:
    """What letters need to know of an escalation."""

    reference: str  # as it is spoken
    language: str  # of the visitor
    page: str  # where the visitor comes back to
    desk: str  # where agents answer


def receipt(matter: Matter) -> Letter:
    """To the visitor: we have it, and this is the way back to it."""
    with translation.override(matter.language):
        return _letter(
            _("We have your message"),
            matter,
            _("Your message has reached us, and a person will read it."),
            _("Your reference number: %(reference)s") % {"reference": matter.reference},
            _("See the answer, or add something, on your own page:"),
            matter.page,
            _("Whoever has this link can read your page, so keep it to yourself."),
            _("Was it not you who wrote to us? Then somebody mistyped an address: do nothing."),
        )


def replied(matter: Matter, text: str) -> Letter:
    """To the visitor: what the agent answered."""
    with translation.override(matter.language):
        back = _("To write back, open your own page:")
        return _letter(_("An answer to your message"), matter, text, back, matter.page)


def asked(matter: Matter, text: str, lines: Sequence[str]) -> Letter:
    """To the team: somebody asks for a person."""
    with translation.override(settings.LANGUAGE_CODE):
        answer = _("Answer at the desk:")
        return _letter(
            _("A person is asked for"), matter, text, "\n".join(lines), answer, matter.desk
        )


def again(matter: Matter, text: str) -> Letter:
    """To the team: the visitor wrote again."""
    with translation.override(settings.LANGUAGE_CODE):
        answer = _("Answer at the desk:")
        return _letter(_("The visitor wrote again"), matter, text, answer, matter.desk)


def _letter(subject: str, matter: Matter, *parts: str) -> Letter:
    return {
        "subject": f"{subject} ({matter.reference})",
        "text": "\n\n".join(part for part in parts if part) + "\n",
    }
