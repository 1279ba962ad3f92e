"""What mails say. Subjects are ours: nothing that a visitor typed gets there.

Mail is text, and the same as HTML in which whatever was typed is escaped and no link but ours is
one. Neither the receipt nor the question whether it is still fixed holds a word of the visitor:
whoever gives a stranger's address cannot write to them through us. The team's mail holds no name
or number; an answer to it goes to the visitor.
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


@dataclass(frozen=True, slots=True)
class Question:
    """What the letter needs to know that asks whether it is still fixed."""

    language: str  # of the visitor
    guide: str  # its title
    fix: str  # the title of the one that helped
    yes: str  # where each answer can be given: the address itself answers nothing
    no: str


@dataclass(frozen=True, slots=True)
class Link:
    """A paragraph that is a link; without words it shows its address."""

    url: str
    words: str = ""


def receipt(matter: Matter) -> Letter:
    """To the visitor: we have it, and this is the way back to it."""
    with translation.override(matter.language):
        return _letter(
            _about(matter, _("We have your message")),
            _("Your message has reached us, and a person will read it."),
            _("Your reference number: %(reference)s") % {"reference": matter.reference},
            _("See the answer, or add something, on your own page:"),
            Link(matter.page),
            _("Whoever has this link can read your page, so keep it to yourself."),
            _("Was it not you who wrote to us? Then somebody mistyped an address: do nothing."),
        )


def replied(matter: Matter, text: str) -> Letter:
    """To the visitor: what the agent answered."""
    with translation.override(matter.language):
        back = _("To write back, open your own page:")
        subject = _about(matter, _("An answer to your message"))
        return _letter(subject, text, back, Link(matter.page))


def asked(matter: Matter, text: str, lines: Sequence[str]) -> Letter:
    """To the team: somebody asks for a person."""
    with translation.override(settings.LANGUAGE_CODE):
        answer = _("Answer at the desk:")
        subject = _about(matter, _("A person is asked for"))
        return _letter(subject, text, "\n".join(lines), answer, Link(matter.desk))


def again(matter: Matter, text: str) -> Letter:
    """To the team: the visitor wrote again."""
    with translation.override(settings.LANGUAGE_CODE):
        answer = _("Answer at the desk:")
        subject = _about(matter, _("The visitor wrote again"))
        return _letter(subject, text, answer, Link(matter.desk))


def still_fixed(question: Question) -> Letter:
    """To a visitor who let us ask, days later: is it still fixed?"""
    with translation.override(question.language):
        said = _("You told us that “%(fix)s” fixed it, and let us ask once whether it still is.")
        return _letter(
            _("Still fixed? %(guide)s") % {"guide": question.guide},
            said % {"fix": question.fix},
            Link(question.yes, _("Yes, still fixed")),
            Link(question.no, _("No, it came back")),
            _("Each link opens a page. Your answer counts when you press the button there."),
            _("If it came back, the same page leads on to what you can try next."),
            _("This is the only message: we do not keep your address."),
            _("Was it not you who told us? Then somebody mistyped an address: do nothing."),
        )


def _about(matter: Matter, subject: str) -> str:
    return f"{subject} ({matter.reference})"


def _letter(subject: str, *parts: str | Link) -> Letter:
    said = [part for part in parts if part]
    return {
        "subject": subject,
        "text": "\n\n".join(map(_plain, said)) + "\n",
        "html": format_html(
            '<!doctype html><html lang="{}" dir="{}"><body>{}</body></html>',
            translation.get_language() or settings.LANGUAGE_CODE,
            "rtl" if translation.get_language_bidi() else "ltr",
            format_html_join("", "{}", [(_paragraph(part),) for part in said]),
        ),
    }


def _plain(part: str | Link) -> str:
    if isinstance(part, Link):
        return f"{part.words}:\n{part.url}" if part.words else part.url
    return part


def _paragraph(part: str | Link) -> SafeString:
    if isinstance(part, Link):
        return format_html('<p><a href="{}">{}</a></p>', part.url, part.words or part.url)
    lines = format_html_join(mark_safe("<br>"), "{}", [(line,) for line in part.split("\n")])
    return format_html("<p>{}</p>", lines)
