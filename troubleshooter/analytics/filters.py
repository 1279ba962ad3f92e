"""Which sessions a page of numbers is about."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q

from troubleshooter.models import Session, midnight


@dataclass(frozen=True, slots=True)
class Filter:
    """Only the sessions that every field lets through; an empty field lets all through.

    `symptom` is its key, `topic` the slug of the guide's topic, `arm` which order was chosen, and
    `edition` the number that each language of a guide has of its own.
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
    arm: str = ""

    @property
    def is_fine(self) -> bool:
        """Whether it asks for something that only fine slices know."""
        return bool(self.symptom or self.platform or self.edition or self.arm)

    def slices(self) -> Q:
        """The filter without its days, as a condition on rows of counts."""
        fields: dict[str, object] = {
            "slice__symptom_key": self.symptom,
            "slice__platform": self.platform,
            "slice__edition": self.edition,
            "slice__language": self.language,
            "slice__arm": self.arm,
            "slice__guide__topic__slug": self.topic,
        }
        found = Q(**{name: value for name, value in fields.items() if value})
        return found if self.simulated else found & Q(slice__simulated=False)

    def where(self, path: str = "") -> Q:
        """The filter as a condition on sessions, or with `path` on what leads to them."""
        fields: dict[str, object] = {
            "symptom_key": self.symptom,
            "platform": self.platform,
            "edition__number": self.edition,
            "language": self.language,
            "arm": self.arm,
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

    def both(self, other: "Filter") -> "Filter | None":
        """Those sessions that both let through; None when no session can be on both sides."""
        plain = {}
        for name in ("symptom", "platform", "edition", "language", "topic", "arm"):
            mine, others = getattr(self, name), getattr(other, name)
            if mine and others and mine != others:
                return None
            plain[name] = mine or others
        first = max(filter(None, (self.from_day, other.from_day)), default=None)
        last = min(filter(None, (self.to_day, other.to_day)), default=None)
        if first and last and first > last:
            return None
        simulated = self.simulated and other.simulated
        return Filter(**plain, from_day=first, to_day=last, simulated=simulated)


REAL = Filter()  # every session that no simulated visitor walked
