"""The flow: what comes next, and what a posted answer means. No database is needed."""

from collections.abc import Sequence
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from troubleshooter.flow import (
    Exhausted,
    Next,
    Outcome,
    Reason,
    Resolved,
    Row,
    Status,
    Try,
    Verdict,
    answers,
    ended_before,
    replay,
    status,
    weigh,
)

FIXED, NOT_FIXED, SKIPPED = Outcome.FIXED, Outcome.NOT_FIXED, Outcome.SKIPPED
ORDER = ("cable", "restart", "driver", "reset")
RISKY = {"reset"}


def walked(*showings: str) -> list[Row]:
    """Rows from words: "cable not_fixed", "driver skipped afraid"; "reset" is not answered yet."""
    rows = []
    for seq, showing in enumerate(showings, start=1):
        fix, outcome, reason = [*showing.split(), "", ""][:3]
        rows.append(Row(seq, fix, Outcome(outcome) if outcome else None, reason))
    return rows


def following(*showings: str) -> Next:
    return replay(ORDER, walked(*showings), RISKY)


class NextTests(TestCase):
    def test_a_session_begins_with_the_first_fix(self) -> None:
        self.assertEqual(following(), Try("cable"))

    def test_an_unanswered_fix_is_still_the_next_one(self) -> None:
        self.assertEqual(following("cable"), Try("cable"))

    def test_the_next_fix_in_order_follows_one_that_did_not_help(self) -> None:
        self.assertEqual(following("cable not_fixed"), Try("restart"))

    def test_the_next_fix_in_order_follows_a_skipped_one(self) -> None:
        self.assertEqual(following("cable skipped"), Try("restart"))

    def test_a_fix_answered_out_of_turn_is_not_offered_again(self) -> None:
        self.assertEqual(following("restart not_fixed", "cable not_fixed"), Try("driver"))

    def test_a_skipped_fix_is_offered_once_more_when_the_others_are_tried(self) -> None:
        tried = ("cable skipped", "restart not_fixed", "driver not_fixed")
        self.assertEqual(following(*tried), Try("cable", again=True))

    def test_skipped_fixes_come_back_in_the_order_of_the_session(self) -> None:
        tried = ("cable not_fixed", "restart skipped", "driver skipped")
        self.assertEqual(following(*tried), Try("restart", again=True))
        self.assertEqual(following(*tried, "restart not_fixed"), Try("driver", again=True))

    def test_a_fix_skipped_twice_is_not_offered_a_third_time(self) -> None:
        tried = ("cable skipped", "restart not_fixed", "driver not_fixed", "cable skipped")
        self.assertEqual(following(*tried), Try("reset"))

    def test_a_safe_fix_that_was_skipped_comes_back_before_one_that_loses_data(self) -> None:
        tried = ("cable not_fixed", "restart not_fixed", "driver skipped")
        self.assertEqual(following(*tried), Try("driver", again=True))

    def test_a_fix_that_loses_data_waits_for_the_safe_ones_wherever_it_stands(self) -> None:
        self.assertEqual(replay(("reset", "cable"), [], RISKY), Try("cable"))

    def test_a_skipped_fix_that_loses_data_is_offered_once_more_as_well(self) -> None:
        safe = ("cable not_fixed", "restart not_fixed", "driver not_fixed")
        self.assertEqual(following(*safe, "reset skipped"), Try("reset", again=True))
        self.assertEqual(following(*safe, "reset skipped", "reset skipped"), Exhausted())

    def test_the_session_is_exhausted_when_no_fix_helped(self) -> None:
        self.assertEqual(following(*(f"{fix} not_fixed" for fix in ORDER)), Exhausted())

    def test_a_fix_that_fixed_it_resolves_the_session(self) -> None:
        self.assertEqual(following("cable not_fixed", "restart fixed"), Resolved(by="restart"))

    def test_the_latest_fix_that_fixed_it_wins(self) -> None:
        both = ("cable not_fixed", "restart fixed", "cable fixed")
        self.assertEqual(following(*both), Resolved(by="cable"))

    def test_a_fix_said_to_have_fixed_it_twice_is_as_late_as_the_second_time(self) -> None:
        thrice = ("cable fixed", "restart fixed", "cable not_fixed", "cable fixed")
        self.assertEqual(following(*thrice), Resolved(by="cable"))

    def test_taking_the_fixing_answer_back_reopens_the_session(self) -> None:
        self.assertEqual(following("cable fixed", "cable not_fixed"), Try("restart"))

    def test_taking_the_latest_fix_back_leaves_the_one_before(self) -> None:
        rows = ("cable fixed", "restart fixed", "restart not_fixed")
        self.assertEqual(following(*rows), Resolved(by="cable"))

    def test_taking_the_last_answer_back_ends_at_exhausted_again(self) -> None:
        rows = [f"{fix} not_fixed" for fix in ORDER]
        self.assertEqual(following(*rows, "driver fixed", "driver not_fixed"), Exhausted())

    def test_a_showing_that_was_interrupted_counts_for_nothing(self) -> None:
        rows = ("cable not_fixed", "restart", "cable skipped")
        self.assertEqual(following(*rows), Try("restart"))

    def test_the_latest_answer_to_a_fix_counts(self) -> None:
        rows = walked("cable not_fixed", "cable skipped afraid", "cable")
        self.assertEqual(answers(rows), {"cable": rows[1]})

    def test_what_comes_next_gives_the_status(self) -> None:
        self.assertEqual(status(Try("cable")), Status.OPEN)
        self.assertEqual(status(Resolved("cable")), Status.RESOLVED)
        self.assertEqual(status(Exhausted()), Status.EXHAUSTED)


class EndedBeforeTests(TestCase):
    def test_only_an_end_before_the_latest_answer_counts(self) -> None:
        for showings, before in [
            (("cable fixed",), False),
            (("cable not_fixed", "restart fixed"), False),
            (("cable fixed", "cable not_fixed", "restart fixed"), True),
            (("cable fixed", "cable not_fixed", "restart"), True),
            ((*(f"{fix} not_fixed" for fix in ORDER),), False),
            ((*(f"{fix} not_fixed" for fix in ORDER), "cable fixed"), True),
        ]:
            self.assertIs(ended_before(ORDER, walked(*showings), RISKY), before, showings)


class WeighTests(TestCase):
    """`weigh` in sentences: here a form is posted for a showing of a fix."""

    def assertWeighs(
        self, verdict: Verdict, rows: Sequence[Row], posted: str, *, change: bool = False
    ) -> None:
        """`posted` reads: seq fix outcome reason."""
        seq, fix, outcome, reason = [*posted.split(), ""][:4]
        self.assertIs(weigh(rows, int(seq), fix, Outcome(outcome), reason, change=change), verdict)

    def test_the_fix_in_front_of_the_visitor_is_answered(self) -> None:
        rows = walked("cable not_fixed", "restart")
        self.assertWeighs(Verdict.ANSWER, rows, "2 restart fixed")

    def test_asking_for_a_change_of_what_has_no_answer_yet_just_answers_it(self) -> None:
        rows = walked("cable not_fixed", "restart")
        self.assertWeighs(Verdict.ANSWER, rows, "2 restart fixed", change=True)

    def test_a_showing_that_never_was_is_strange(self) -> None:
        rows = walked("cable not_fixed", "restart")
        self.assertWeighs(Verdict.STRANGE, rows, "3 driver fixed")
        self.assertWeighs(Verdict.STRANGE, rows, "0 cable fixed", change=True)

    def test_the_showing_of_another_fix_is_strange(self) -> None:
        rows = walked("cable not_fixed", "restart")
        self.assertWeighs(Verdict.STRANGE, rows, "2 cable fixed")

    def test_the_same_answer_again_is_a_repeat(self) -> None:
        rows = walked("cable not_fixed", "restart")
        self.assertWeighs(Verdict.REPEAT, rows, "1 cable not_fixed")
        self.assertWeighs(Verdict.REPEAT, rows, "1 cable not_fixed", change=True)

    def test_another_answer_to_a_stale_form_is_asked_about(self) -> None:
        rows = walked("cable not_fixed", "restart")
        self.assertWeighs(Verdict.ASK, rows, "1 cable fixed")

    def test_another_reason_to_skip_is_another_answer(self) -> None:
        rows = walked("cable skipped afraid", "restart")
        self.assertWeighs(Verdict.ASK, rows, "1 cable skipped no_time")
        self.assertWeighs(Verdict.REPEAT, rows, "1 cable skipped afraid")

    def test_a_change_that_the_visitor_asked_for_is_added(self) -> None:
        rows = walked("cable not_fixed", "restart")
        self.assertWeighs(Verdict.ADD, rows, "1 cable fixed", change=True)

    def test_an_old_form_is_weighed_against_the_answer_that_counts_now(self) -> None:
        rows = walked("cable not_fixed", "restart", "cable fixed")
        self.assertWeighs(Verdict.REPEAT, rows, "1 cable fixed")
        self.assertWeighs(Verdict.ASK, rows, "1 cable not_fixed")

    def test_the_second_showing_of_a_skipped_fix_takes_the_same_answer_again(self) -> None:
        rows = walked("cable skipped afraid", "reset not_fixed", "cable")
        self.assertWeighs(Verdict.ANSWER, rows, "3 cable skipped afraid")

    def test_the_first_showing_of_a_skipped_fix_stays_answered_during_its_second(self) -> None:
        rows = walked("cable skipped afraid", "reset not_fixed", "cable")
        self.assertWeighs(Verdict.REPEAT, rows, "1 cable skipped afraid")
        self.assertWeighs(Verdict.ASK, rows, "1 cable fixed")

    def test_a_double_click_at_the_second_showing_is_a_repeat(self) -> None:
        rows = walked("cable skipped afraid", "reset not_fixed", "cable skipped afraid")
        self.assertWeighs(Verdict.REPEAT, rows, "3 cable skipped afraid")

    def test_an_interrupted_showing_answered_late_gets_a_row_of_its_own(self) -> None:
        rows = walked("cable not_fixed", "restart", "cable fixed")
        self.assertWeighs(Verdict.ADD, rows, "2 restart not_fixed")

    def test_an_interrupted_showing_answered_late_is_no_answer_to_the_fix_in_front(self) -> None:
        rows = walked("cable", "restart")
        self.assertWeighs(Verdict.ADD, rows, "1 cable not_fixed")

    def test_an_interrupted_showing_answered_twice_is_a_repeat(self) -> None:
        rows = walked("cable not_fixed", "restart", "cable fixed", "restart not_fixed")
        self.assertWeighs(Verdict.REPEAT, rows, "2 restart not_fixed")
        self.assertWeighs(Verdict.ASK, rows, "2 restart fixed")

    def test_a_fix_shown_anew_after_an_interruption_is_answered_by_either_form(self) -> None:
        rows = walked("cable not_fixed", "restart", "cable skipped", "restart")
        self.assertWeighs(Verdict.ANSWER, rows, "2 restart fixed")
        self.assertWeighs(Verdict.ANSWER, rows, "4 restart fixed")


FIXES = st.lists(st.sampled_from("abcdef"), min_size=1, unique=True)
RISKS = st.sets(st.sampled_from("abcdef"))
ANSWERS = st.sampled_from(
    [(FIXED, ""), (NOT_FIXED, ""), *((SKIPPED, reason) for reason in Reason.values)]
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[str], set[str], list[Row]]:
    """An order, its data-losing fixes, and rows in any sequence, also one no visit would make."""
    order, risky = draw(FIXES), draw(RISKS)
    said = draw(st.lists(st.tuples(st.sampled_from(order), st.none() | ANSWERS), max_size=15))
    rows = [Row(seq, fix, *(answer or ())) for seq, (fix, answer) in enumerate(said, start=1)]
    return order, risky, rows


patient = settings(deadline=None)  # the machine may be busy


class PropertyTests(TestCase):
    @patient
    @given(histories())
    def test_no_data_is_risked_while_a_safe_fix_is_left(
        self, history: tuple[list[str], set[str], list[Row]]
    ) -> None:
        order, risky, rows = history
        offered = replay(order, rows, risky)
        if isinstance(offered, Try) and offered.fix in risky:
            for fix in set(order) - risky:
                said = [row.outcome for row in rows if row.fix == fix and row.outcome]
                self.assertTrue(said)
                self.assertTrue(said[-1] is NOT_FIXED or said.count(SKIPPED) >= 2)

    @patient
    @given(histories())
    def test_a_session_is_resolved_by_a_fix_whose_last_answer_says_so_and_only_then(
        self, history: tuple[list[str], set[str], list[Row]]
    ) -> None:
        order, risky, rows = history
        fixed = [fix for fix, row in answers(rows).items() if row.outcome is FIXED]
        offered = replay(order, rows, risky)
        self.assertEqual(isinstance(offered, Resolved), bool(fixed))
        if isinstance(offered, Resolved):
            self.assertIn(offered.by, fixed)

    @patient
    @given(histories())
    def test_what_was_never_answered_makes_no_difference(
        self, history: tuple[list[str], set[str], list[Row]]
    ) -> None:
        order, risky, rows = history
        answered = [row for row in rows if row.outcome]
        self.assertEqual(replay(order, rows, risky), replay(order, answered, risky))

    @patient
    @given(FIXES, RISKS, st.lists(ANSWERS, min_size=12, max_size=12))
    def test_following_the_offers_ends_after_each_fix_was_offered_at_most_twice(
        self, order: list[str], risky: set[str], said: list[tuple[Outcome, str]]
    ) -> None:
        rows: list[Row] = []
        while isinstance(offered := replay(order, rows, risky), Try):
            self.assertLess(len(rows), 2 * len(order))
            self.assertEqual(offered.again, any(row.fix == offered.fix for row in rows))
            rows.append(Row(len(rows) + 1, offered.fix, *said[len(rows)]))
        if isinstance(offered, Exhausted):
            self.assertEqual({row.fix for row in rows}, set(order))
        else:
            self.assertIs(rows[-1].outcome, FIXED)

    @patient
    @given(histories(), st.integers(0, 14), ANSWERS, st.booleans())
    def test_an_answer_that_was_taken_is_a_repeat_when_it_is_posted_again(
        self,
        history: tuple[list[str], set[str], list[Row]],
        at: int,
        answer: tuple[Outcome, str],
        change: bool,
    ) -> None:
        order, risky, rows = history
        if not rows:
            return
        row = rows[at % len(rows)]
        verdict = weigh(rows, row.seq, row.fix, *answer, change=change)
        if verdict is Verdict.ANSWER:
            rows[-1] = Row(rows[-1].seq, row.fix, *answer)
        elif verdict is Verdict.ADD:
            rows.append(Row(len(rows) + 1, row.fix, *answer))
        else:
            self.assertIn(verdict, (Verdict.REPEAT, Verdict.ASK))
            self.assertFalse(change and verdict is Verdict.ASK)
            return
        if isinstance(offered := replay(order, rows, risky), Try):
            rows.append(Row(len(rows) + 1, offered.fix))
        self.assertIs(weigh(rows, row.seq, row.fix, *answer, change=change), Verdict.REPEAT)
