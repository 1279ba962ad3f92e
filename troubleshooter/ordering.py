"""Which order a session's fixes come in.

Today the author's: a symptom's fixes to start with, then the guide's order, under the hard
rules: risk first, then prerequisites, then pins. Pure: no queries, no clock, no chance.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

PINS = {"first": 0, "": 1, "last": 2}


@dataclass(frozen=True, slots=True)
class Place:
    """A fix's place in a guide: `after` holds the fixes that must come before it."""

    fix: str
    risky: bool = False
    pin: str = ""
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two rules that cannot both hold: `rule` names which, for `fix` against `other`."""

    rule: str
    fix: str
    other: str


def author(places: Sequence[Place], start_with: Collection[str] = ()) -> tuple[str, ...]:
    """The author's order of `places` (given in the guide's order) for one symptom.

    The result is a permutation of the fixes. Data-losing fixes come last; a fix comes after
    its prerequisites, which are pulled forward with it; pins hold where those two allow it.
    """
    wanted = sorted(
        enumerate(places),
        key=lambda at: (at[1].risky, PINS[at[1].pin], at[1].fix not in start_with, at[0]),
    )
    by_fix = {place.fix: place for place in places}
    rank = {place.fix: nth for nth, (_at, place) in enumerate(wanted)}
    order: dict[str, None] = {}
    entered: set[str] = set()

    def emit(place: Place) -> None:
        if place.fix in entered:
            return
        entered.add(place.fix)
        needed = [by_fix[fix] for fix in place.after if fix in by_fix]
        for before in sorted(needed, key=lambda needed: rank[needed.fix]):
            if before.risky <= place.risky:
                emit(before)
        order[place.fix] = None

    for _at, place in wanted:
        emit(place)
    return tuple(order)


def contradictions(places: Sequence[Place]) -> Iterator[Contradiction]:
    """Every pair of rules that no order can satisfy; publishing is refused while there is one."""
    by_fix = {place.fix: place for place in places}
    for place in places:
        for needed in place.after:
            before = by_fix.get(needed)
            if before is None:
                yield Contradiction("absent", place.fix, needed)
            elif before.risky and not place.risky:
                yield Contradiction("risk", place.fix, needed)
            elif place.fix in _needs(before.fix, by_fix):
                yield Contradiction("circle", place.fix, needed)
            elif before.risky == place.risky and PINS[before.pin] > PINS[place.pin]:
                yield Contradiction("pin", place.fix, needed)


def _needs(fix: str, by_fix: dict[str, Place]) -> set[str]:
    """Everything that must come before `fix`, directly or not (itself, when in a circle)."""
    found: set[str] = set()
    waiting = list(by_fix[fix].after)
    while waiting:
        needed = waiting.pop()
        if needed not in found:
            found.add(needed)
            waiting.extend(by_fix[needed].after if needed in by_fix else ())
    return found
