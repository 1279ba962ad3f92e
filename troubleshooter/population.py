"""How a session ended: the population rule. Pure; whoever counts sessions counts them by it.

Each session counts exactly once, as the first of these that it is:

    confirmed   the visitor said that a fix fixed it (status resolved)
    escalated   a person was asked for, whatever else became of it
    exhausted   every fix was tried, or skipped twice (status exhausted)
    assumed     went away on a shown fix: the last attempt is unanswered
    left        the rest: stood before a data-losing fix (which needs a yes that nobody gave),
                or its edition was withdrawn
    under way   still moving: open, and its last sign of life is not yet IDLE_MINUTES ago; it is
                counted as assumed or left only after that
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Ending(TextChoices):
    """How a session ended, strongest claim first; the last one has not ended."""

    CONFIRMED = "confirmed", _("Confirmed")
    ESCALATED = "escalated", _("Escalated")
    EXHAUSTED = "exhausted", _("Exhausted")
    ASSUMED = "assumed", _("Assumed")
    LEFT = "left", _("Left")
    UNDER_WAY = "under_way", _("Under way")


def ending(
    *, resolved: bool, escalated: bool, exhausted: bool, idle: bool, assumed: bool
) -> Ending:
    """The ending of a session of which this is so.

    `idle`: without a sign of life for long. `assumed`: it stands on a fix that may well have
    helped, so one that loses no data, on an edition that was not withdrawn.
    """
    if resolved:
        return Ending.CONFIRMED
    if escalated:
        return Ending.ESCALATED
    if exhausted:
        return Ending.EXHAUSTED
    if not idle:
        return Ending.UNDER_WAY
    return Ending.ASSUMED if assumed else Ending.LEFT
