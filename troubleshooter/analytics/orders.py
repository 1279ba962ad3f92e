"""The order of a guide's fixes: why each stands where it does, and what the order gains."""

from collections.abc import Mapping
from dataclasses import dataclass

from troubleshooter import learning, proof
from troubleshooter.models import Edition, Learner, Order

from .contents import layout


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One fix in the order that sessions are given now."""

    title: str
    line: learning.Line


@dataclass(frozen=True, slots=True)
class Moved:
    """A fix that stands elsewhere than before the order changed; places count from 1."""

    title: str
    was: int
    now: int


@dataclass(frozen=True, slots=True)
class SymptomOrder:
    """The order of one guide and symptom; `stored` is None before any session has ended."""

    symptom: str
    text: str
    stored: Order | None
    fixes: tuple[str, ...]  # keys, as sessions in the learned arm are given them
    author: tuple[str, ...]
    lines: tuple[OrderLine, ...]
    moved: tuple[Moved, ...]  # when the order changed last, the farthest first


def leading(guide_key: str) -> Edition | None:
    """The live edition that the orders of a guide are made for; None when none is live."""
    return Edition.objects.leading(guide_key).get(guide_key)


def order_of(edition: Edition, guide_key: str, symptom: str) -> SymptomOrder:
    """In which order do sessions with this symptom get the fixes, and why?"""
    reading = edition.reading
    stored = Order.objects.filter(guide_key=guide_key, symptom_key=symptom).first()
    found, author = reading.symptom(symptom), reading.author_order(symptom)
    names = layout(guide_key).names if stored else {}
    return SymptomOrder(
        symptom=symptom,
        text=found.text if found else "",
        stored=stored,
        fixes=tuple(stored.fixes) if stored and set(stored.fixes) == set(author) else author,
        author=author,
        lines=tuple(OrderLine(names[each.fix], each) for each in stored.told()) if stored else (),
        moved=tuple(_moved(stored, names)) if stored else (),
    )


def _moved(stored: Order, names: Mapping[str, str]) -> list[Moved]:
    was = {fix: place for place, fix in enumerate(stored.before, start=1)}
    moved = [
        Moved(names[fix], was[fix], place)
        for place, fix in enumerate(stored.fixes, start=1)
        if was.get(fix, place) != place
    ]
    return sorted(moved, key=lambda each: -abs(each.now - each.was))


def learner(guide_key: str) -> Learner | None:
    return Learner.objects.filter(guide_key=guide_key).first()


def gain(guide_key: str) -> proof.Proof:
    """What has the learned order saved against the author's, in this guide?"""
    return proof.total(_trials(guide_key))


def gain_of_all() -> proof.Proof:
    """The same in all guides together; each session counts the same."""
    return proof.total(_trials())


def _trials(*guide_keys: str) -> list[proof.Trial]:
    learners = Learner.objects.filter(guide_key__in=guide_keys) if guide_keys else Learner.objects
    trials = learners.exclude(trial={}).values_list("trial", flat=True)
    return [proof.Trial.load(trial) for trial in trials]
