"""Times, shares and differences in words."""

from datetime import date
from functools import lru_cache

from django.utils.formats import date_format, number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from troubleshooter.analytics import Quartiles, Span
from troubleshooter.evidence import Difference

MINUTE, HOUR, DAY = 60, 3600, 86400


def duration(seconds: int) -> str:
    """A time in its two largest units: “41 s”, “4 min 10 s”, “2 h 5 min”, “3 d 4 h”."""
    if seconds >= DAY:
        big, small = seconds // DAY, seconds % DAY // HOUR
        words = _("%(big)d d %(small)d h") if small else _("%(big)d d")
    elif seconds >= HOUR:
        big, small = seconds // HOUR, seconds % HOUR // MINUTE
        words = _("%(big)d h %(small)d min") if small else _("%(big)d h")
    elif seconds >= MINUTE:
        big, small = divmod(seconds, MINUTE)
        words = _("%(big)d min %(small)d s") if small else _("%(big)d min")
    else:
        big, small, words = 0, seconds, _("%(small)d s")
    return words % {"big": big, "small": small}


def quartiles(times: Quartiles | None) -> dict[str, str] | None:
    """The quartiles in words; None while there are too few to be shown."""
    if times is None or not times.enough:
        return None
    return {name: duration(getattr(times, name)) for name in ("quick", "median", "slow")}


def span(between: Span) -> str:
    """From when to when: “under 1 min”, “1 to 2 min”, “1 d or longer”."""
    words = {"least": duration(between.least), "below": duration(between.below or 0)}
    if not between.least:
        return _("under %(below)s") % words
    if between.below is None:
        return _("%(least)s or longer") % words
    return _("%(least)s to %(below)s") % words


def day(of: date) -> str:
    """A day as one says it: “7 Mar 2026”."""
    return _day(of, get_language())


@lru_cache(maxsize=1000)
def _day(of: date, _language: str | None) -> str:
    """Kept, since a table has a line for each of sixty days."""
    return str(date_format(of, "j M Y"))


def one_place(number: float) -> str:
    """With one place behind the point; Django's own way would cut the others off."""
    return number_format(round(number, 1), 1)


def points(share: float) -> str:
    """A difference of shares in percentage points, with its sign: “+7.2”."""
    return signed(100 * share)


def signed(number: float) -> str:
    """With one place behind the point, and its sign: “+7.2”."""
    rounded = round(number, 1)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    return sign + one_place(abs(rounded))


def apart(found: Difference | None) -> dict[str, str] | None:
    """A difference with both ends of its interval, in points."""
    if found is None:
        return None
    return {name: points(getattr(found, name)) for name in ("share", "low", "high")}
