"""What the counts argue for. No database is needed; bench/order.py measures how well it learns."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import isfinite
from random import Random
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.worlds import FAMILIES, make
from tests.test_ordering import GUIDES, STARTS, sound_guides
from troubleshooter import ordering
from troubleshooter.learning import Answer, Held, Learner, Line, Ranking
from troubleshooter.ordering import PINS, Place

CABLE, RESTART, DRIVER = Place("cable"), Place("restart"), Place("driver")
RESET = Place("reset", risky=True)
PLACES = (CABLE, RESTART, DRIVER)


def session(*worked: str, order: Sequence[str] = ("cable", "restart", "driver")) -> list[Answer]:
    """One visitor's answers: each fix of the order failed in two minutes until one worked."""
    answers = []
    for fix in order:
        answers.append(Answer(fix, fix in worked, 2.0))
        if fix in worked:
            break
    return answers


def taught(
    *worked: str, times: int, places: Sequence[Place] = PLACES, symptom: str = "offline"
) -> Learner:
    """A learner after so many sessions that ended with the fixes that `worked`, in turns."""
    learner = Learner()
    order = ordering.author(places)
    for nth in range(times):
        cure = worked[nth % len(worked)]
        learner.fold(places, symptom, (), session(cure, order=order))
    return learner


def walked(learner: Learner, chances: dict[str, float], times: int, rng: Random) -> None:
    """So many sessions with the order of the day (or any, in one of five); one fix cures each."""
    for _nth in range(times):
        order = learner.rank(PLACES, "offline").order if rng.random() < 0.8 else _shuffled(rng)
        cure = rng.choices([*chances], [*chances.values()])[0]
        learner.fold(PLACES, "offline", (), session(cure, order=order))


def _shuffled(rng: Random) -> list[str]:
    return rng.sample([place.fix for place in PLACES], len(PLACES))


def line(ranking: Ranking, fix: str) -> Line:
    return next(line for line in ranking.lines if line.fix == fix)


class RankTests(TestCase):
    def test_without_data_the_order_is_the_authors(self) -> None:
        ranking = Learner().rank(PLACES, "offline", {"driver"})
        self.assertEqual(ranking.order, ("driver", "cable", "restart"))
        self.assertEqual(ranking.order, ranking.author)
        self.assertFalse(ranking.learned)
        self.assertEqual(ranking.sessions, 0)

    def test_a_guide_without_fixes_has_an_empty_order(self) -> None:
        ranking = Learner().rank((), "offline")
        self.assertEqual((ranking.order, ranking.lines, ranking.minutes), ((), (), 0.0))

    def test_what_works_most_often_comes_first(self) -> None:
        ranking = taught("driver", times=60).rank(PLACES, "offline")
        self.assertEqual(ranking.order[0], "driver")
        self.assertTrue(ranking.learned)
        self.assertLess(ranking.minutes, ranking.author_minutes)

    def test_of_two_that_work_as_often_the_quicker_comes_first(self) -> None:
        places = (replace(CABLE, minutes=20.0), replace(RESTART, minutes=1.0), DRIVER)
        took = {"cable": 20.0, "restart": 1.0}
        learner = Learner()
        for nth in range(200):
            answers = session(("cable", "restart")[nth % 2])
            learner.fold(
                places, "", (), [each._replace(minutes=took[each.fix]) for each in answers]
            )
        order = learner.rank(places, "").order
        self.assertLess(order.index("restart"), order.index("cable"))

    def test_an_inconvenient_fix_counts_for_more_than_its_minutes(self) -> None:
        learner = Learner()
        walked(learner, {"cable": 0.6, "restart": 0.4}, 300, Random(3))
        self.assertEqual(learner.rank(PLACES, "offline").order[0], "cable")
        ranking = learner.rank((replace(CABLE, burden=10.0), RESTART, DRIVER), "offline")
        self.assertEqual(ranking.order[0], "restart")
        self.assertAlmostEqual(line(ranking, "cable").minutes, 2.0)

    def test_one_session_moves_nothing_and_says_so(self) -> None:
        places = (*PLACES, Place("paper"))
        learner = Learner()
        learner.fold(places, "offline", (), session("driver"))
        learner.fold(places, "offline", (), session("driver"))
        ranking = learner.rank(places, "offline")
        self.assertEqual(ranking.order, ranking.author)
        self.assertIs(line(ranking, "driver").held, Held.DATA)

    def test_a_fix_is_worth_what_it_cures_after_the_others_have_failed(self) -> None:
        # Restart cures whatever the cable cures, and nothing else; the driver cures the rest. By
        # its own rate restart would come second; once the cable has failed it is worth nothing.
        learner, rng = Learner(), Random(1)
        for _nth in range(400):
            order = learner.rank(PLACES, "").order if rng.random() < 0.7 else _shuffled(rng)
            cure = {"cable", "restart"} if rng.random() < 0.6 else {"driver"}
            learner.fold(PLACES, "", (), session(*cure, order=order))
        self.assertEqual(learner.rank(PLACES, "").order[1], "driver")

    def test_symptoms_learn_apart_and_a_new_one_starts_with_what_the_guide_knows(self) -> None:
        learner = taught("driver", times=80)
        for _nth in range(80):
            learner.fold(PLACES, "blurred", (), session("restart"))
        self.assertEqual(learner.rank(PLACES, "offline").order[0], "driver")
        self.assertEqual(learner.rank(PLACES, "blurred").order[0], "restart")
        self.assertNotEqual(learner.rank(PLACES, "never seen").order[0], "cable")

    def test_a_sudden_change_is_followed_within_some_dozens_of_sessions(self) -> None:
        learner, rng = Learner(), Random(5)
        walked(learner, {"cable": 0.6, "restart": 0.3, "driver": 0.1}, 1000, rng)
        self.assertEqual(learner.rank(PLACES, "offline").order[0], "cable")
        walked(learner, {"driver": 1.0}, 60, rng)
        self.assertEqual(learner.rank(PLACES, "offline").order[0], "driver")

    def test_skipped_fixes_and_silence_say_nothing(self) -> None:
        learner = taught("driver", times=60)
        before = learner.rank(PLACES, "offline").lines[0]
        for _nth in range(10):
            learner.fold(PLACES, "offline", (), [])
        after = learner.rank(PLACES, "offline").lines[0]
        self.assertEqual(before.fix, after.fix)
        self.assertAlmostEqual(before.chance, after.chance, places=2)
        self.assertAlmostEqual(before.tried, after.tried, delta=1)

    def test_answers_to_unknown_fixes_and_second_answers_are_ignored(self) -> None:
        learner, other = Learner(), Learner()
        learner.fold(PLACES, "", (), [Answer("cable", False, 2), Answer("driver", True, 2)])
        other.fold(
            PLACES,
            "",
            (),
            [
                Answer("toner", True, 2),
                Answer("cable", False, 2),
                Answer("cable", True, 2),
                Answer("driver", True, 2),
                Answer("restart", True, 2),
            ],
        )
        self.assertEqual(learner, other)

    def test_a_visitor_who_walked_away_counts_for_four_times_the_authors_minutes(self) -> None:
        one, two = Learner(), Learner()
        one.fold(PLACES, "", (), [Answer("cable", False, 8.0)])
        two.fold(PLACES, "", (), [Answer("cable", False, 1e300)])
        self.assertEqual(one, two)


class EditTests(TestCase):
    """New fixes, new revisions, and fixes that come and go."""

    def test_a_new_revision_keeps_the_mean_but_is_soon_overruled(self) -> None:
        learner = taught("driver", times=300)
        edited = (CABLE, RESTART, replace(DRIVER, revision=2))
        before = line(learner.rank(PLACES, "offline"), "driver")
        after = line(learner.rank(edited, "offline"), "driver")
        self.assertGreater(before.tried, 200)
        self.assertAlmostEqual(after.tried, 10)
        self.assertGreater(after.chance, before.chance / 2)
        # Ten failures in vain: the edited fix was made worse. The former would still be trusted.
        for _nth in range(20):
            learner.fold(edited, "offline", (), session(order=("driver",)))
        again = line(learner.rank(edited, "offline"), "driver")
        self.assertLess(again.chance, after.chance / 2)
        self.assertGreater(line(learner.rank(PLACES, "offline"), "driver").chance, again.chance)

    def test_sessions_on_an_older_edition_count_for_its_revision(self) -> None:
        learner = taught("driver", times=50)
        edited = (CABLE, RESTART, replace(DRIVER, revision=2))
        learner.fold(edited, "offline", (), session("driver"))
        tried = line(learner.rank(edited, "offline"), "driver").tried
        learner.fold(PLACES, "offline", (), session("driver"))
        self.assertLess(line(learner.rank(edited, "offline"), "driver").tried, tried)

    def test_a_new_fix_starts_from_the_authors_place(self) -> None:
        learner = taught("driver", times=60)
        places = (*PLACES, Place("paper"))
        ranking = learner.rank(places, "offline")
        self.assertEqual(ranking.order[0], "driver")
        self.assertEqual(line(ranking, "paper").tried, 0)
        self.assertGreater(line(ranking, "paper").chance, 0)

    def test_a_fix_that_left_and_came_back_keeps_its_evidence(self) -> None:
        learner = taught("driver", times=60)
        for _nth in range(5):
            learner.fold((CABLE, RESTART), "offline", (), session(order=("cable", "restart")))
        self.assertEqual(learner.rank(PLACES, "offline").order[0], "driver")


class ExplainTests(TestCase):
    """What held a fix from its place: an editor gets one sentence made of a line."""

    def test_a_line_says_what_an_editor_wants_to_know(self) -> None:
        ranking = taught("driver", times=60).rank(PLACES, "offline")
        first = ranking.lines[0]
        self.assertEqual((first.fix, first.place, first.author_place), ("driver", 1, 3))
        self.assertIs(first.held, Held.NOTHING)
        self.assertGreater(first.chance, 0.8)
        self.assertAlmostEqual(first.minutes, 2.0)
        self.assertAlmostEqual(first.tried, 60, delta=1)

    def test_a_data_losing_fix_is_held_by_its_risk(self) -> None:
        places = (*PLACES, RESET)
        ranking = taught("reset", times=100, places=places).rank(places, "offline")
        self.assertEqual(ranking.order[-1], "reset")
        self.assertIs(line(ranking, "reset").held, Held.RISK)

    def test_a_fix_is_held_by_what_must_come_before_it(self) -> None:
        places = (CABLE, RESTART, replace(DRIVER, after=("restart",)))
        ranking = taught("driver", times=100, places=places).rank(places, "offline")
        self.assertEqual(ranking.order, ("restart", "driver", "cable"))
        self.assertEqual(line(ranking, "driver")[-2:], (Held.AFTER, "restart"))

    def test_a_fix_is_held_by_pins(self) -> None:
        places = (CABLE, RESTART, replace(DRIVER, pin="last"))
        ranking = taught("driver", times=100, places=places).rank(places, "offline")
        self.assertEqual(ranking.order[-1], "driver")
        self.assertIs(line(ranking, "driver").held, Held.PIN)
        places = (replace(CABLE, pin="first"), RESTART, DRIVER)
        ranking = taught("driver", times=100, places=places).rank(places, "offline")
        self.assertEqual(ranking.order, ("cable", "driver", "restart"))
        self.assertIs(line(ranking, "cable").held, Held.PIN)
        self.assertIs(line(ranking, "driver").held, Held.PIN)


class StateTests(TestCase):
    def test_a_state_of_another_version_or_a_broken_one_is_empty(self) -> None:
        state = taught("driver", times=5).dump()
        self.assertEqual(Learner.load({}), Learner())
        self.assertEqual(Learner.load({**state, "version": 0}), Learner())
        broken: list[tuple[str, object]] = [
            ("sessions", None),
            ("lead", float("nan")),
            ("whole", {"cable": {"1": [1, 2]}}),
            ("whole", {"cable": {"1": [1, -2, 0, 0, 0, 0, 0]}}),
            ("whole", {"cable": {"one": [1, 2, 0, 0, 0, 0, 0]}}),
            ("whole", []),
            ("symptoms", {"offline": {"cable": 3}}),
        ]
        for key, junk in broken:
            self.assertEqual(Learner.load({**state, key: junk}), Learner(), (key, junk))

    def test_many_sessions_later_nothing_has_grown(self) -> None:
        short, long = taught("driver", times=10), taught("driver", times=3000)
        self.assertLess(len(json.dumps(long.dump())), 1.5 * len(json.dumps(short.dump())))


MINUTES = st.one_of(
    st.sampled_from([0.0, 1e-300, 1e300, float("inf"), float("nan"), -5.0]), st.floats(0, 90)
)
ANSWERS = st.lists(
    st.builds(Answer, st.sampled_from("abcdefgh"), st.booleans(), MINUTES), max_size=9
)
HISTORIES = st.lists(st.tuples(st.sampled_from(["s", "t"]), STARTS, ANSWERS), max_size=25)


@st.composite
def whole_guides(draw: st.DrawFn) -> list[Place]:
    """Any rules at all, with any minutes, burdens and revisions."""
    return [
        replace(
            place,
            minutes=draw(st.floats(0, 1e6)),
            burden=draw(st.sampled_from([0.0, 1.0])),
            revision=draw(st.integers(1, 3)),
        )
        for place in draw(GUIDES)
    ]


def history(
    places: Sequence[Place], sessions: Sequence[tuple[str, set[str], list[Answer]]]
) -> Learner:
    learner = Learner()
    for symptom, start_with, answers in sessions:
        learner.fold(places, symptom, start_with, answers)
    return learner


patient = settings(deadline=None)  # the machine may be busy


class PropertyTests(TestCase):
    @patient
    @given(whole_guides(), STARTS, HISTORIES)
    def test_every_order_is_a_permutation_that_obeys_the_rules(
        self,
        places: list[Place],
        start_with: set[str],
        sessions: list[tuple[str, set[str], list[Answer]]],
    ) -> None:
        ranking = history(places, sessions).rank(places, "s", start_with)
        order = ranking.order
        self.assertEqual(sorted(order), sorted(place.fix for place in places))
        self.assertEqual(ranking.author, ordering.author(places, start_with))
        self.assertEqual([line.fix for line in ranking.lines], list(order))
        by_fix = {place.fix: place for place in places}
        wrong = {(w.fix, w.other) for w in ordering.contradictions(places) if w.rule != "pin"}
        for one, two in pairwise(order):
            self.assertLessEqual(by_fix[one].risky, by_fix[two].risky)
        for place in places:
            for needed in place.after:
                if (place.fix, needed) not in wrong:
                    self.assertLess(order.index(needed), order.index(place.fix))
        # An order that obeys the rules fits its own edition as it is.
        self.assertEqual(ordering.project(order, places, start_with), order)

    @patient
    @given(sound_guides(), HISTORIES)
    def test_rules_that_can_hold_together_all_hold(
        self, places: list[Place], sessions: list[tuple[str, set[str], list[Answer]]]
    ) -> None:
        order = history(places, sessions).rank(places, "s").order
        tier = {place.fix: (place.risky, PINS[place.pin]) for place in places}
        self.assertEqual([tier[fix] for fix in order], sorted(tier[fix] for fix in order))
        for place in places:
            for needed in place.after:
                self.assertLess(order.index(needed), order.index(place.fix))

    @patient
    @given(whole_guides(), HISTORIES)
    def test_numbers_stay_finite_and_the_state_survives_json(
        self, places: list[Place], sessions: list[tuple[str, set[str], list[Answer]]]
    ) -> None:
        learner = history(places, sessions)
        ranking = learner.rank(places, "s")
        self.assertTrue(isfinite(ranking.minutes) and isfinite(ranking.author_minutes))
        for line in ranking.lines:
            self.assertTrue(0 < line.chance < 1)
            self.assertTrue(isfinite(line.minutes) and line.minutes > 0)
            self.assertTrue(0 <= line.tried <= len(sessions))
        again = Learner.load(json.loads(json.dumps(learner.dump(), allow_nan=False)))
        self.assertEqual(again, learner)
        self.assertEqual(again.rank(places, "s"), ranking)
        self.assertEqual(ranking.sessions, len(sessions))

    @patient
    @given(whole_guides(), STARTS)
    def test_without_data_every_order_is_the_authors(
        self, places: list[Place], start_with: set[str]
    ) -> None:
        ranking = Learner().rank(places, "s", start_with)
        self.assertEqual(ranking.order, ordering.author(places, start_with))
        self.assertEqual(ranking.minutes, ranking.author_minutes)

    @patient
    @given(GUIDES, HISTORIES, st.integers(0, 9))
    def test_the_same_sessions_always_give_the_same_order(
        self,
        places: list[Place],
        sessions: list[tuple[str, set[str], list[Answer]]],
        stop: int,
    ) -> None:
        # … also when the state was stored and read back in between.
        learner = history(places, sessions[:stop])
        learner = Learner.load(learner.dump())
        for symptom, start_with, answers in sessions[stop:]:
            learner.fold(places, symptom, start_with, answers)
        self.assertEqual(learner, history(places, sessions))
        self.assertEqual(learner.rank(places, "t"), history(places, sessions).rank(places, "t"))


class WorldTests(TestCase):
    """The benchmark's yardstick is right, and in its worlds the learner beats the author."""

    def test_no_legal_order_costs_less_than_the_optimum(self) -> None:
        rng = Random(4)
        for family in FAMILIES.keys() - {"random15"}:
            world = make(family, rng)
            for symptom in world.symptoms:
                self.assertAlmostEqual(symptom.cost(symptom.optimum()), symptom.least())
                self.assertEqual(
                    ordering.project(symptom.optimum(), symptom.places), symptom.optimum()
                )
                for _each in range(20):
                    order = ordering.project(rng.sample(symptom.fixes, 5), symptom.places)
                    self.assertGreaterEqual(symptom.cost(order), symptom.least() - 1e-9)

    def test_the_exact_cost_is_what_careful_visitors_need(self) -> None:
        rng = Random(2)
        world = make("pure5", rng)
        symptom = world.symptoms[0]
        order = symptom.author()
        walks = [world.walk(symptom, order, rng) for _each in range(20_000)]
        never = sum(not walk.cured for walk in walks) / len(walks) * sum(symptom.minutes)
        mean = sum(walk.minutes for walk in walks) / len(walks) - never
        self.assertAlmostEqual(mean, symptom.cost(order), delta=0.03 * mean)

    def test_after_some_hundred_sessions_most_of_the_saving_is_there(self) -> None:
        rng, author, least, learned = Random(6), 0.0, 0.0, 0.0
        for _guide in range(4):
            world, learner = make("phone", rng), Learner()
            for _session in range(400):
                symptom = world.draw(rng)
                order = learner.rank(symptom.places, symptom.key).order
                answers = world.walk(symptom, order, rng).answers
                learner.fold(symptom.places, symptom.key, (), answers)
            author, least = author + world.author(), least + world.least()
            learned += world.cost(
                {each.key: learner.rank(each.places, each.key).order for each in world.symptoms}
            )
        self.assertGreater((author - learned) / (author - least), 0.6)
