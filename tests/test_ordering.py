"""The author's order: risk, then prerequisites, then pins. No database is needed."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from troubleshooter.ordering import PINS, Contradiction, Place, author, contradictions, project

CABLE, RESTART, DRIVER = Place("cable"), Place("restart"), Place("driver")
RESET = Place("reset", risky=True)


def pinned(place: Place, pin: str) -> Place:
    return replace(place, pin=pin)


def after(place: Place, *fixes: str) -> Place:
    return replace(place, after=fixes)


class AuthorTests(TestCase):
    def test_without_any_rule_the_order_is_the_guides(self) -> None:
        self.assertEqual(author([DRIVER, CABLE, RESTART]), ("driver", "cable", "restart"))

    def test_a_guide_without_fixes_has_an_empty_order(self) -> None:
        self.assertEqual(author([]), ())

    def test_a_symptom_starts_with_its_own_fixes_in_the_guides_order(self) -> None:
        places = [CABLE, RESTART, DRIVER]
        self.assertEqual(author(places, {"driver", "restart"}), ("restart", "driver", "cable"))

    def test_a_symptom_cannot_start_with_a_fix_from_another_guide(self) -> None:
        self.assertEqual(author([CABLE, RESTART], {"toner"}), ("cable", "restart"))

    def test_a_fix_that_loses_data_comes_last(self) -> None:
        self.assertEqual(author([RESET, CABLE, DRIVER]), ("cable", "driver", "reset"))

    def test_no_symptom_and_no_pin_brings_a_fix_that_loses_data_forward(self) -> None:
        places = [CABLE, pinned(RESET, "first"), pinned(DRIVER, "last")]
        self.assertEqual(author(places, {"reset"}), ("cable", "driver", "reset"))

    def test_pins_put_fixes_first_and_last(self) -> None:
        places = [pinned(CABLE, "last"), RESTART, pinned(DRIVER, "first")]
        self.assertEqual(author(places), ("driver", "restart", "cable"))

    def test_a_pin_outweighs_what_a_symptom_starts_with(self) -> None:
        places = [pinned(CABLE, "last"), RESTART, pinned(DRIVER, "first")]
        self.assertEqual(author(places, {"cable", "restart"}), ("driver", "restart", "cable"))

    def test_a_fix_waits_for_what_must_come_before_it(self) -> None:
        places = [after(CABLE, "driver"), RESTART, DRIVER]
        self.assertEqual(author(places), ("driver", "cable", "restart"))

    def test_what_must_come_before_is_pulled_forward_by_the_symptom(self) -> None:
        places = [CABLE, RESTART, after(DRIVER, "restart")]
        self.assertEqual(author(places, {"driver"}), ("restart", "driver", "cable"))

    def test_what_must_come_before_is_pulled_forward_in_the_guides_order(self) -> None:
        places = [CABLE, RESTART, after(DRIVER, "restart", "cable")]
        self.assertEqual(author(places, {"driver"}), ("cable", "restart", "driver"))

    def test_prerequisites_hold_along_a_chain(self) -> None:
        places = [after(CABLE, "restart"), after(RESTART, "driver"), DRIVER]
        self.assertEqual(author(places), ("driver", "restart", "cable"))

    def test_a_prerequisite_outweighs_a_pin(self) -> None:
        places = [after(pinned(CABLE, "first"), "driver"), RESTART, pinned(DRIVER, "last")]
        self.assertEqual(author(places), ("driver", "cable", "restart"))

    def test_a_safe_fix_never_waits_for_one_that_loses_data(self) -> None:
        self.assertEqual(author([after(CABLE, "reset"), RESET]), ("cable", "reset"))

    def test_fixes_that_wait_for_each_other_are_still_all_there(self) -> None:
        places = [after(CABLE, "driver"), after(DRIVER, "cable"), after(RESTART, "restart")]
        self.assertEqual(sorted(author(places)), ["cable", "driver", "restart"])


class ProjectTests(TestCase):
    """A stored order, fitted to an edition that may have changed since."""

    def test_an_order_that_fits_stays_as_it_is(self) -> None:
        order = ("driver", "cable", "restart")
        self.assertEqual(project(order, [CABLE, RESTART, DRIVER]), order)

    def test_fixes_that_the_edition_lacks_are_dropped(self) -> None:
        self.assertEqual(
            project(("toner", "driver", "cable"), [CABLE, DRIVER]), ("driver", "cable")
        )

    def test_a_new_fix_comes_where_its_author_put_it(self) -> None:
        places = [CABLE, Place("paper"), RESTART, DRIVER]
        stored = ("driver", "restart", "cable")
        self.assertEqual(project(stored, places), ("driver", "paper", "restart", "cable"))
        self.assertEqual(project(stored, places, {"paper"})[0], "paper")

    def test_an_order_of_nothing_known_is_the_authors(self) -> None:
        places = [CABLE, after(RESTART, "driver"), DRIVER]
        for junk in ((), ("toner", "toner"), ("",)):
            self.assertEqual(project(junk, places, {"driver"}), author(places, {"driver"}))

    def test_a_fix_named_twice_counts_where_it_is_first(self) -> None:
        self.assertEqual(project(("driver", "cable", "driver"), [CABLE, DRIVER])[0], "driver")

    def test_risk_outweighs_what_was_learned(self) -> None:
        self.assertEqual(project(("reset", "cable"), [CABLE, RESET]), ("cable", "reset"))

    def test_a_prerequisite_outweighs_what_was_learned_and_comes_just_before(self) -> None:
        places = [CABLE, RESTART, after(DRIVER, "restart")]
        self.assertEqual(
            project(("driver", "cable", "restart"), places), ("restart", "driver", "cable")
        )

    def test_a_pin_outweighs_what_was_learned(self) -> None:
        places = [CABLE, pinned(RESTART, "first"), pinned(DRIVER, "last")]
        self.assertEqual(
            project(("driver", "cable", "restart"), places), ("restart", "cable", "driver")
        )


class ContradictionTests(TestCase):
    def assertContradicts(self, places: Sequence[Place], *expected: tuple[str, str, str]) -> None:
        self.assertEqual(list(contradictions(places)), [Contradiction(*each) for each in expected])

    def test_rules_that_agree_contradict_nothing(self) -> None:
        self.assertContradicts(
            [
                pinned(CABLE, "first"),
                after(RESTART, "cable"),
                after(pinned(DRIVER, "last"), "restart", "cable"),
                after(RESET, "driver"),
            ]
        )

    def test_waiting_for_a_fix_that_is_not_in_the_guide(self) -> None:
        self.assertContradicts([after(CABLE, "toner")], ("absent", "cable", "toner"))

    def test_a_safe_fix_waiting_for_one_that_loses_data(self) -> None:
        self.assertContradicts([after(CABLE, "reset"), RESET], ("risk", "cable", "reset"))

    def test_a_fix_waiting_for_itself(self) -> None:
        self.assertContradicts([after(CABLE, "cable")], ("circle", "cable", "cable"))

    def test_two_fixes_waiting_for_each_other(self) -> None:
        self.assertContradicts(
            [after(CABLE, "driver"), after(DRIVER, "cable")],
            ("circle", "cable", "driver"),
            ("circle", "driver", "cable"),
        )

    def test_a_circle_of_three_but_not_the_fix_that_waits_outside_it(self) -> None:
        self.assertContradicts(
            [
                after(CABLE, "restart"),
                after(RESTART, "driver"),
                after(DRIVER, "cable"),
                after(Place("paper"), "cable"),
            ],
            ("circle", "cable", "restart"),
            ("circle", "restart", "driver"),
            ("circle", "driver", "cable"),
        )

    def test_pins_that_say_the_opposite_of_a_prerequisite(self) -> None:
        self.assertContradicts(
            [after(pinned(CABLE, "first"), "driver"), DRIVER], ("pin", "cable", "driver")
        )
        self.assertContradicts(
            [after(CABLE, "driver"), pinned(DRIVER, "last")], ("pin", "cable", "driver")
        )

    def test_pins_of_a_safe_and_a_data_losing_fix_never_meet(self) -> None:
        places = [pinned(CABLE, "last"), after(pinned(RESET, "first"), "cable")]
        self.assertContradicts(places)
        self.assertEqual(author(places), ("cable", "reset"))


FIXES = "abcdef"
RULES = st.tuples(
    st.booleans(), st.sampled_from(list(PINS)), st.sets(st.sampled_from(FIXES), max_size=2)
)
# Any rules at all, also on fixes that are not in the guide.
GUIDES = st.lists(RULES, max_size=len(FIXES)).map(
    lambda rules: [
        Place(fix, risky, pin, tuple(needed))
        for fix, (risky, pin, needed) in zip(FIXES, rules, strict=False)
    ]
)
STARTS = st.sets(st.sampled_from(FIXES))


@st.composite
def sound_guides(draw: st.DrawFn) -> list[Place]:
    """Places whose rules can hold together: there is a sequence that obeys them all."""
    places = draw(GUIDES)
    chance = draw(st.lists(st.integers(0, 9), min_size=len(places), max_size=len(places)))
    rank = {
        place.fix: (place.risky, PINS[place.pin], at, place.fix)
        for place, at in zip(places, chance, strict=True)
    }
    return [
        replace(
            place,
            after=tuple(fix for fix in place.after if fix in rank and rank[fix] < rank[place.fix]),
        )
        for place in places
    ]


def needs(places: Sequence[Place], *fixes: str) -> set[str]:
    """Whatever `fixes` wait for, found by asking until nothing new comes up."""
    found: set[str] = set()
    while True:
        asked = found | set(fixes)
        more = {needed for place in places if place.fix in asked for needed in place.after}
        if more <= found:
            return found
        found |= more


patient = settings(deadline=None)  # the machine may be busy


class PropertyTests(TestCase):
    def assertTiers(self, places: Sequence[Place], order: Sequence[str], *, pins: bool) -> None:
        """Safe fixes come before data-losing ones; with `pins`, each tier has its pins in order."""
        rank = {place.fix: (place.risky, PINS[place.pin] if pins else 0) for place in places}
        self.assertEqual([rank[fix] for fix in order], sorted(rank[fix] for fix in order))

    @patient
    @given(GUIDES, STARTS)
    def test_every_order_is_a_permutation_with_data_loss_last(
        self, places: list[Place], start_with: set[str]
    ) -> None:
        order = author(places, start_with)
        self.assertEqual(sorted(order), sorted(place.fix for place in places))
        self.assertTiers(places, order, pins=False)

    @patient
    @given(sound_guides(), STARTS)
    def test_rules_that_can_hold_together_contradict_nothing_and_do_hold(
        self, places: list[Place], start_with: set[str]
    ) -> None:
        self.assertEqual(list(contradictions(places)), [])
        order = author(places, start_with)
        self.assertTiers(places, order, pins=True)
        for place in places:
            for needed in place.after:
                self.assertLess(order.index(needed), order.index(place.fix))

    @patient
    @given(GUIDES)
    def test_rules_without_a_contradiction_can_hold_together(self, places: list[Place]) -> None:
        wrong = {each.fix for each in contradictions(places)}
        left = [place for place in places if place.fix not in wrong]
        placed = {place.fix for place in left}
        left = [replace(each, after=tuple(placed.intersection(each.after))) for each in left]
        order = author(left)
        self.assertTiers(left, order, pins=True)
        for place in left:
            for needed in place.after:
                self.assertLess(order.index(needed), order.index(place.fix))

    @patient
    @given(GUIDES, STARTS)
    def test_every_prerequisite_holds_that_no_contradiction_speaks_against(
        self, places: list[Place], start_with: set[str]
    ) -> None:
        order = author(places, start_with)
        wrong = {(each.fix, each.other) for each in contradictions(places) if each.rule != "pin"}
        for place in places:
            for needed in place.after:
                if (place.fix, needed) not in wrong:
                    self.assertLess(order.index(needed), order.index(place.fix))

    @patient
    @given(GUIDES, STARTS, st.lists(st.sampled_from([*FIXES, "", "unknown"])))
    def test_any_stored_order_fits_any_edition(
        self, places: list[Place], start_with: set[str], stored: list[str]
    ) -> None:
        order = project(stored, places, start_with)
        self.assertEqual(sorted(order), sorted(place.fix for place in places))
        self.assertTiers(places, order, pins=False)
        wrong = {(each.fix, each.other) for each in contradictions(places) if each.rule != "pin"}
        for place in places:
            for needed in place.after:
                if (place.fix, needed) not in wrong:
                    self.assertLess(order.index(needed), order.index(place.fix))
        self.assertEqual(project(order, places, start_with), order)

    @patient
    @given(sound_guides(), STARTS, st.permutations(FIXES))
    def test_pins_hold_in_a_stored_order_whose_guide_contradicts_nothing(
        self, places: list[Place], start_with: set[str], stored: list[str]
    ) -> None:
        self.assertTiers(places, project(stored, places, start_with), pins=True)

    @patient
    @given(GUIDES, STARTS)
    def test_the_authors_order_is_projected_onto_itself(
        self, places: list[Place], start_with: set[str]
    ) -> None:
        order = author(places, start_with)
        self.assertEqual(project(order, places, start_with), order)

    @patient
    @given(GUIDES)
    def test_each_contradiction_is_one(self, places: list[Place]) -> None:
        by_fix = {place.fix: place for place in places}
        for wrong in contradictions(places):
            place, other = by_fix[wrong.fix], by_fix.get(wrong.other)
            self.assertIn(wrong.other, place.after)
            if wrong.rule == "absent":
                self.assertIsNone(other)
            elif wrong.rule == "risk":
                self.assertTrue(other and other.risky and not place.risky)
            elif wrong.rule == "circle":
                self.assertIn(wrong.fix, needs(places, wrong.other))
            else:
                self.assertTrue(other and PINS[other.pin] > PINS[place.pin])

    @patient
    @given(sound_guides(), STARTS)
    def test_a_symptom_starts_with_its_fixes_and_what_those_wait_for(
        self, places: list[Place], start_with: set[str]
    ) -> None:
        group = {place.fix: (place.risky, place.pin) for place in places}
        early = {
            fix
            for first in start_with & group.keys()
            for fix in needs(places, first) | {first}
            if group[fix] == group[first]
        }
        for one, two in pairwise(author(places, start_with)):
            if group[one] == group[two]:
                self.assertLessEqual(one not in early, two not in early)

    @patient
    @given(GUIDES, STARTS)
    def test_without_prerequisites_nothing_else_moves_a_fix(
        self, places: list[Place], start_with: set[str]
    ) -> None:
        free = {place.fix: replace(place, after=()) for place in places}
        wanted = sorted(
            free, key=lambda fix: (free[fix].risky, PINS[free[fix].pin], fix not in start_with)
        )
        self.assertEqual(list(author(list(free.values()), start_with)), wanted)

    @patient
    @given(GUIDES, st.lists(st.sampled_from(FIXES), unique=True))
    def test_the_same_guide_and_symptom_always_give_the_same_order(
        self, places: list[Place], start_with: list[str]
    ) -> None:
        # The sequence in which a symptom names its fixes, or a fix what it waits for, says nothing.
        turned = [replace(place, after=place.after[::-1]) for place in places]
        self.assertEqual(author(places, start_with), author(turned, start_with[::-1]))
