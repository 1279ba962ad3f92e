"""What another order would have done: on small desks whose truth can be reckoned by hand."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite
from random import Random
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as some

from troubleshooter.forecast import (
    FEW,
    HORIZON,
    KNOWN,
    RARE,
    Ended,
    Forecast,
    Logged,
    Question,
    Tried,
    Unknown,
    Why,
    forecast,
)

AUTHOR = ("cable", "restart", "driver")
QUICK = ("driver", "cable", "restart")
MINUTES = {"cable": 5.0, "restart": 4.0, "driver": 1.0}
BREAKS = {"cable": 0.2, "restart": 0.2, "driver": 0.5}  # the rest nothing cures

Giving = Callable[[Random], tuple[str, ...]]


def walked(order: Sequence[str], broken: str, patience: float = 1e9) -> Logged:
    """A visitor whose trouble one fix cures, surely, in exactly its minutes."""
    answers: list[Tried] = []
    gone = 0.0
    for fix in order:
        gone += MINUTES[fix]
        if gone > patience:
            return Logged("", tuple(order), tuple(answers), Ended.LEFT, fix)
        answers.append(Tried(fix, fix == broken, MINUTES[fix]))
        if fix == broken:
            return Logged("", tuple(order), tuple(answers), Ended.CURED, fix)
    return Logged("", tuple(order), tuple(answers), Ended.EXHAUSTED, order[-1])


def desk(count: int, giving: Giving = lambda rng: AUTHOR, seed: int = 1) -> list[Logged]:
    """Sessions of visitors who each have one thing broken and never go away."""
    rng = Random(seed)
    found = []
    for _session in range(count):
        broken = rng.choices([*BREAKS, ""], [*BREAKS.values(), 0.1])[0]
        found.append(walked(giving(rng), broken))
    return found


def any_order(rng: Random) -> tuple[str, ...]:
    return tuple(rng.sample(AUTHOR, 3))


def ask(
    sessions: Sequence[Logged],
    after: tuple[str, ...] = QUICK,
    before: tuple[str, ...] = AUTHOR,
    symptom: str = "",
) -> Forecast | Unknown:
    return forecast(Question(sessions, MINUTES, before, after, symptom))


def mean(order: Sequence[str]) -> float:
    """The true mean minutes: each cured when its fix was reached, nobody else before HORIZON."""
    gone, found = 0.0, HORIZON * 0.1
    for fix in order:
        gone += MINUTES[fix]
        found += gone * BREAKS[fix]
    return found


def said(answer: Forecast | Unknown) -> Forecast:
    """An answer that is one."""
    assert isinstance(answer, Forecast), answer
    return answer


class ForecastTests(TestCase):
    sessions: list[Logged]
    answer: Forecast

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.sessions = desk(500, any_order)
        cls.answer = said(ask(cls.sessions))

    def test_it_foresees_what_can_be_reckoned_by_hand(self) -> None:
        answer = self.answer
        self.assertEqual(answer.n, 500)
        self.assertAlmostEqual(answer.before.mean, mean(AUTHOR), delta=0.6)
        self.assertAlmostEqual(answer.after.mean, mean(QUICK), delta=0.6)
        true = mean(AUTHOR) - mean(QUICK)
        self.assertGreater(true, 3)
        self.assertTrue(answer.mean.low < true < answer.mean.high, answer.mean)
        self.assertGreater(answer.mean.low, 0)

    def test_half_are_cured_sooner(self) -> None:
        # By the author's order half are cured once the driver was tried, after 10 minutes;
        # with the driver first after one minute, or six.
        answer = self.answer
        assert answer.median is not None
        assert answer.before.median is not None
        self.assertAlmostEqual(answer.before.median, 10, delta=1)
        self.assertTrue(0 < answer.median.low < answer.median.high <= HORIZON)

    def test_nobody_is_cured_more_often_when_nobody_goes_away(self) -> None:
        answer = self.answer
        self.assertTrue(answer.resolved.low <= 0.01 and answer.resolved.high >= -0.01)
        self.assertAlmostEqual(answer.before.resolved, 0.9, delta=0.04)

    def test_the_impatient_are_cured_when_their_fix_comes_sooner(self) -> None:
        rng = Random(4)
        sessions = [
            walked(
                any_order(rng),
                rng.choices([*BREAKS, ""], [*BREAKS.values(), 0.1])[0],
                rng.expovariate(1 / 10),
            )
            for _session in range(800)
        ]
        answer = said(ask(sessions))
        self.assertGreater(answer.resolved.low, 0)

    def test_the_way_back_is_as_much_worse(self) -> None:
        there, back = self.answer, said(ask(self.sessions, AUTHOR, QUICK))
        self.assertAlmostEqual(there.mean.value, -back.mean.value, delta=0.5)

    def test_the_same_order_changes_nothing(self) -> None:
        answer = said(ask(desk(300), AUTHOR))
        for gain in (answer.mean, answer.resolved):
            self.assertEqual((gain.value, gain.low, gain.high), (0, 0, 0))

    def test_the_same_question_gets_the_same_answer(self) -> None:
        self.assertEqual(ask(list(self.sessions)), self.answer)

    def test_more_sessions_say_more(self) -> None:
        few, many = said(ask(self.sessions[:120])).mean, self.answer.mean
        self.assertLess(many.high - many.low, few.high - few.low)

    def test_another_symptom_has_another_answer(self) -> None:
        # With the symptom “slow” it is always the cable.
        rng = Random(9)
        slow = [replace(walked(any_order(rng), "cable"), symptom="slow") for _each in range(200)]
        mixed = [*self.sessions, *slow]
        self.assertGreater(said(ask(mixed)).mean.low, 0)
        self.assertLess(said(ask(mixed, symptom="slow")).mean.high, 0)

    def test_the_latest_sessions_count_when_there_are_very_many(self) -> None:
        answer = said(ask(desk(2500, any_order)))
        self.assertEqual(answer.n, 2000)


class UnknownTests(TestCase):
    def why(self, answer: Forecast | Unknown) -> Why:
        assert isinstance(answer, Unknown), answer
        return answer.why

    def test_few_sessions_cannot_say(self) -> None:
        answer = ask(desk(FEW - 1, any_order))
        self.assertIs(self.why(answer), Why.FEW)
        self.assertEqual(answer.n, FEW - 1)
        self.assertIs(self.why(ask([])), Why.FEW)

    def test_sessions_of_another_symptom_are_not_enough(self) -> None:
        self.assertIs(self.why(ask(desk(500, any_order), symptom="slow")), Why.FEW)

    def test_orders_of_other_fixes_cannot_be_compared(self) -> None:
        for before, after in (
            (AUTHOR, AUTHOR[:2]),
            (AUTHOR, ("cable", "restart", "reset")),
            (AUTHOR, (*AUTHOR, "cable")),
            ((), ()),
        ):
            self.assertIs(self.why(ask(desk(200), after, before)), Why.UNLIKE)

    def test_a_fix_that_hardly_anybody_tried_is_named(self) -> None:
        sessions = [walked(AUTHOR, "cable") for _session in range(300)]
        sessions += [walked(AUTHOR, "") for _session in range(RARE - 1)]
        answer = ask(sessions)
        assert isinstance(answer, Unknown)
        self.assertEqual((answer.why, answer.fix, answer.tried), (Why.RARE, "restart", RARE - 1))

    def test_a_fix_that_keeps_its_place_need_not_have_been_tried(self) -> None:
        sessions = [walked(AUTHOR[:2], rng) for rng in ("cable", "restart") for _n in range(100)]
        answer = ask(sessions, ("restart", "cable", "driver"))
        self.assertFalse(isinstance(answer, Unknown) and answer.why is Why.RARE)

    def test_what_one_order_never_shows_is_not_made_up(self) -> None:
        # Everything is cured by the first fix, or by one of the others that only failures reach.
        # What those would do for the others is not in the sessions.
        sessions = [walked(AUTHOR, "cable") for _session in range(960)]
        sessions += [walked(AUTHOR, "driver") for _session in range(30)]
        sessions += [walked(AUTHOR, "restart") for _session in range(10)]
        answer = ask(sessions)
        assert isinstance(answer, Unknown)
        self.assertIs(answer.why, Why.IMPUTED)
        self.assertTrue(0 <= answer.known < KNOWN)

    def test_a_change_on_the_way_is_noticed(self) -> None:
        rng = Random(2)
        early = [walked(AUTHOR, "cable") for _session in range(200)]
        late = [walked(AUTHOR, "driver") for _session in range(200)]
        other = [walked(any_order(rng), "restart") for _session in range(100)]
        self.assertIs(self.why(ask([*early, *late, *other])), Why.MISFIT)


numbers = some.floats() | some.sampled_from([0.0, 1.0, -3.0, 1e300])
names = some.sampled_from(["cable", "restart", "driver", "", "ghost"])
logs = some.builds(
    Logged,
    some.sampled_from(["", "slow"]),
    some.lists(names, max_size=5).map(tuple),
    some.lists(some.builds(Tried, names, some.booleans(), numbers), max_size=6).map(tuple),
    some.sampled_from(Ended),
    names,
)


class JunkTests(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(
        some.lists(logs, min_size=1, max_size=12),
        some.integers(0, 40),
        some.dictionaries(names, numbers),
        some.permutations(AUTHOR),
    )
    def test_any_sessions_get_numbers_or_a_reason(
        self, sessions: list[Logged], times: int, minutes: dict[str, float], after: list[str]
    ) -> None:
        answer = forecast(Question(sessions * times, minutes, AUTHOR, tuple(after)))
        if isinstance(answer, Unknown):
            self.assertIsInstance(answer.why, Why)
            return
        for gain in (answer.mean, answer.resolved, answer.median):
            if gain is not None:
                self.assertTrue(isfinite(gain.value) and gain.low <= gain.value <= gain.high)
        for outlook in (answer.before, answer.after):
            self.assertTrue(0 <= outlook.mean <= HORIZON)
            self.assertTrue(0 <= outlook.resolved <= 1 + 1e-9)
            self.assertTrue(outlook.median is None or 0 <= outlook.median <= HORIZON)
        self.assertTrue(0 <= answer.known <= 1)
