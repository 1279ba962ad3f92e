"""Which sessions a page of numbers is about."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone

from troubleshooter.models import Session


@dataclass(frozen=True, slots=True)
class Filter:
    """Only the sessions that every field lets through; an empty field lets all through.

    `symptom` is its key, `topic` the slug of the guide's topic, and `edition` the number that each
    language of a guide has of its own.
    Both days belong to it; they are days of the site's time zone, and tell when a session
    started. Simulated sessions are left out unless they are asked for.
    """

    symptom: str = ""
    platform: str = ""
    edition: int | None = None
    language: str = ""
    from_day: date | None = None
    to_day: date | None = None
    simulated: bool = False
    topic: str = ""

    def where(self, path: str = "") -> Q:
        """The filter as a condition on sessions, or with `path` on what leads to them."""
        fields: dict[str, object] = {
            "symptom_key": self.symptom,
            "platform": self.platform,
            "edition__number": self.edition,
            "language": self.language,
            "edition__guide__topic__slug": self.topic,
            "started_at__gte": self.from_day and midnight(self.from_day),
            "started_at__lt": self.to_day and midnight(self.to_day + timedelta(days=1)),
        }
        found = Q(**{path + name: value for name, value in fields.items() if value})
        return found if self.simulated else found & ~Q(**{f"{path}channel": Session.SIMULATED})

    def guides(self, path: str = "") -> Q:
        """The guides that can have such sessions, or with `path` what leads to them."""
        fields = {"topic__slug": self.topic, "language": self.language}
        return Q(**{path + name: value for name, value in fields.items() if value})


REAL = Filter()  # every session that no simulated visitor walked


def midnight(day: date) -> datetime:
    """When a day begins in the site's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
