"""What mails say about an escalation. Subjects are ours: nothing that was typed gets there.

Mail is text, and the same as HTML in which whatever was typed is escaped and no link but ours is
one. The receipt holds no word of the visitor: whoever gives a stranger's address cannot write to
them through us. The team's mail holds no name or number; an answer to it goes to the visitor.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

Letter = dict[str, str]  # subject, text and html


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
    said = [part for part in parts if part]
    paragraphs = [_paragraph(part, link=part in (matter.page, matter.desk)) for part in said]
    return {
        "subject": f"{subject} ({matter.reference})",
        "text": "\n\n".join(said) + "\n",
        "html": format_html(
            '<!doctype html><html lang="{}" dir="{}"><body>{}</body></html>',
            translation.get_language() or settings.LANGUAGE_CODE,
            "rtl" if translation.get_language_bidi() else "ltr",
            format_html_join("", "{}", [(each,) for each in paragraphs]),
        ),
    }


def _paragraph(text: str, *, link: bool) -> SafeString:
    if link:
        return format_html('<p><a href="{}">{}</a></p>', text, text)
    lines = format_html_join(mark_safe("<br>"), "{}", [(line,) for line in text.split("\n")])
    return format_html("<p>{}</p>", lines)
