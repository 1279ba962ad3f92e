"""Which order a session's fixes come in.

The author's is a symptom's fixes to start with, then the guide's order, under the hard rules:
risk first, then prerequisites, then pins. What was learned (learning.py) obeys the same rules,
and `project` fits it to any edition. Pure: no queries, no clock, no chance.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

PINS = {"first": 0, "": 1, "last": 2}


@dataclass(frozen=True, slots=True)
class Place:
    """A fix's place in a guide: `after` holds the fixes that must come before it.

    `minutes` is what the author thinks trying it takes; `burden` is what else it costs the
    visitor, in minutes (an interruption, a changed setting). `revision` is the fix's own.
    """

    fix: str
    risky: bool = False
    pin: str = ""
    after: tuple[str, ...] = ()
    minutes: float = 2.0
    burden: float = 0.0
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two rules that cannot both hold: `rule` names which, for `fix` against `other`."""

    rule: str
    fix: str
    other: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The hard rules of one guide, made consistent: every order that obeys them is legal.

    `tiers` are to be used up one after the other: safe before data-losing, within each the
    pinned-first, the unpinned, the pinned-last. `needs` holds what must come before a fix; it
    has no circle, and nothing in it belongs to a later tier.
    """

    tiers: dict[str, tuple[bool, int]]
    needs: dict[str, tuple[str, ...]]

    def before(self, fix: str) -> set[str]:
        """Everything that must come before `fix`, directly or not."""
        return _needs(fix, self.needs)

    def obey(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """`wanted` (each fix once), changed only where a rule says so.

        A fix that must wait brings what it waits for forward with it.
        """
        tiers = self.tiers
        sequence = sorted(wanted, key=tiers.__getitem__)
        rank = {fix: nth for nth, fix in enumerate(sequence)}
        order: dict[str, None] = {}

        def emit(fix: str) -> None:
            if fix not in order:
                for needed in sorted(self.needs[fix], key=rank.__getitem__):
                    emit(needed)
                order[fix] = None

        for fix in sequence:
            emit(fix)
        return tuple(order)


def rules(places: Sequence[Place]) -> Rules:
    """The rules of `places`; of those that contradict each other, the weaker gives way.

    A safe fix never waits for a data-losing one, fixes that wait for each other in a circle do
    not wait, and what must come before a pinned fix is pinned with it.
    """
    by_fix = {place.fix: place for place in places}
    needs: dict[str, tuple[str, ...]] = {}
    for place in by_fix.values():
        needs[place.fix] = tuple(
            fix for fix in place.after if fix in by_fix and by_fix[fix].risky <= place.risky
        )
    above = {fix: _needs(fix, needs) for fix in needs}
    needs = {
        fix: tuple(needed for needed in waits if fix not in above[needed] and fix != needed)
        for fix, waits in needs.items()
    }
    tiers = {fix: (place.risky, PINS[place.pin]) for fix, place in by_fix.items()}
    for fix, place in by_fix.items():
        for needed in _needs(fix, needs):
            if by_fix[needed].risky == place.risky:
                tiers[needed] = min(tiers[needed], (place.risky, PINS[place.pin]))
    return Rules(tiers, needs)


def author(places: Sequence[Place], start_with: Collection[str] = ()) -> tuple[str, ...]:
    """The author's order of `places` (given in the guide's order) for one symptom.

    The result is a permutation of the fixes. Data-losing fixes come last; a fix comes after
    its prerequisites, which are pulled forward with it; pins hold where those two allow it.
    """
    return rules(places).obey(_wanted(places, start_with))


def project(
    order: Sequence[str], places: Sequence[Place], start_with: Collection[str] = ()
) -> tuple[str, ...]:
    """A stored `order`, fitted to the places of any edition; projecting it again changes nothing.

    Fixes that the edition lacks are dropped, new ones come at the place the author gave them,
    and the hard rules hold as in the author's order. With junk for an order it is the author's.
    """
    hard = rules(places)
    wanted = [fix for fix in dict.fromkeys(order) if fix in hard.tiers]
    known = set(wanted)
    for nth, fix in enumerate(hard.obey(_wanted(places, start_with))):
        if fix not in known:
            wanted.insert(nth, fix)
    return hard.obey(wanted)


def _wanted(places: Sequence[Place], start_with: Collection[str]) -> list[str]:
    """The fixes as the author would like them, were there no hard rules."""
    fixes = dict.fromkeys(place.fix for place in places)
    return sorted(fixes, key=lambda fix: fix not in start_with)


def contradictions(places: Sequence[Place]) -> Iterator[Contradiction]:
    """Every pair of rules that no order can satisfy; publishing is refused while there is one."""
    by_fix = {place.fix: place for place in places}
    waits = {place.fix: place.after for place in places}
    for place in places:
        for needed in place.after:
            before = by_fix.get(needed)
            if before is None:
                yield Contradiction("absent", place.fix, needed)
            elif before.risky and not place.risky:
                yield Contradiction("risk", place.fix, needed)
            elif place.fix == needed or place.fix in _needs(before.fix, waits):
                yield Contradiction("circle", place.fix, needed)
            elif before.risky == place.risky and PINS[before.pin] > PINS[place.pin]:
                yield Contradiction("pin", place.fix, needed)


def _needs(fix: str, waits: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Everything that must come before `fix`, directly or not (itself, when in a circle)."""
    found: set[str] = set()
    waiting = list(waits[fix])
    while waiting:
        needed = waiting.pop()
        if needed not in found:
            found.add(needed)
            waiting.extend(waits.get(needed, ()))
    return found
