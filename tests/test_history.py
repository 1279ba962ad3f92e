"""The checker of the torture finds what is wrong, and only that."""

from dataclasses import replace
from unittest import TestCase as PlainTestCase

from hypothesis import given
from hypothesis import strategies as st

from torture.history import Answer, Fault, History, Kind, Stored, check
from troubleshooter import flow
from troubleshooter.flow import Outcome, Reason, Row, Verdict

ORDER = ("cable", "restart", "driver", "reset")
RISKY = ("reset",)
KEY = "annas"

Moves = list[tuple[tuple[Outcome, str], int | None]]
# What a visitor does next: an outcome with a reason, and with a number an earlier answer changed.
SAID = st.one_of(
    st.sampled_from([(Outcome.FIXED, ""), (Outcome.NOT_FIXED, "")]),
    st.tuples(st.just(Outcome.SKIPPED), st.sampled_from(Reason.values)),
)
MOVES = st.lists(st.tuples(SAID, st.none() | st.integers(0, 30)), min_size=1, max_size=12)


def walked(moves: Moves) -> tuple[History, Stored]:
    """What Anna was told, all of it acknowledged, and what a desk without faults has stored."""
    history, rows = History(starts={KEY: 0.0}), [Row(1, ORDER[0])]
    for (outcome, reason), changed in moves:
        ended = not isinstance(flow.replay(ORDER, rows, RISKY), flow.Try)
        if changed is None and ended:
            continue
        if changed is not None and not history.answers:
            continue
        earlier = history.answers[changed % len(history.answers)] if changed is not None else None
        seq, fix = (earlier.seq, earlier.fix) if earlier else (rows[-1].seq, rows[-1].fix)
        verdict = flow.weigh(rows, seq, fix, outcome, reason, change=bool(earlier))
        if verdict is Verdict.ANSWER:
            rows[-1] = Row(seq, fix, outcome, reason)
        elif verdict is Verdict.ADD:
            rows.append(Row(len(rows) + 1, fix, outcome, reason))
        else:
            continue
        following = flow.replay(ORDER, rows, RISKY)
        if isinstance(following, flow.Try):
            rows.append(Row(len(rows) + 1, following.fix))
        at = float(len(history.answers) + 1)
        history.answers.append(Answer(KEY, seq, fix, outcome, reason, bool(earlier), at))
    return history, stored(rows)


def stored(rows: list[Row]) -> Stored:
    following = flow.replay(ORDER, rows, RISKY)
    by = following.by if isinstance(following, flow.Resolved) else ""
    return Stored(KEY, ORDER, RISKY, flow.status(following), by, rows)


def kinds(faults: list[Fault]) -> set[Kind]:
    return {fault.kind for fault in faults}


def plainly() -> tuple[History, Stored]:
    """Three answers: not fixed, skipped, fixed."""
    said = ((Outcome.NOT_FIXED, ""), (Outcome.SKIPPED, "no_time"), (Outcome.FIXED, ""))
    return walked([(each, None) for each in said])


class PlantedTests(PlainTestCase):
    def assertFound(self, kind: Kind, history: History, *sessions: Stored) -> None:
        self.assertIn(kind, kinds(check(history, sessions)))

    def test_a_lost_answer_is_found(self) -> None:
        history, session = plainly()
        rows = [*session.rows[:-1], Row(3, session.rows[-1].fix)]
        self.assertFound(Kind.LOST, history, stored(rows))

    def test_a_lost_session_is_found(self) -> None:
        history, _session = plainly()
        self.assertEqual(len(check(history, [])), 4)  # itself and its answers
        self.assertFound(Kind.LOST, history)

    def test_a_changed_answer_is_found(self) -> None:
        history, session = plainly()
        rows = [session.rows[0]._replace(outcome=Outcome.SKIPPED, reason="other")]
        self.assertFound(Kind.CHANGED, history, stored([*rows, *session.rows[1:]]))

    def test_a_changed_reason_is_found(self) -> None:
        history, session = plainly()
        rows = [session.rows[0], session.rows[1]._replace(reason="afraid"), session.rows[2]]
        self.assertFound(Kind.CHANGED, history, stored(rows))

    def test_a_doubled_answer_is_found(self) -> None:
        history, session = plainly()
        twice = session.rows[-1]._replace(seq=4)
        self.assertFound(Kind.DOUBLED, history, stored([*session.rows, twice]))

    def test_an_answer_that_nobody_gave_is_found(self) -> None:
        history, session = plainly()
        rows = [*session.rows, Row(4, "reset", Outcome.NOT_FIXED)]
        self.assertFound(Kind.INVENTED, history, stored(rows))

    def test_so_is_a_session_that_nobody_started(self) -> None:
        history, session = plainly()
        stray = Stored("stray", ORDER, RISKY, flow.Status.OPEN, "", [Row(1, ORDER[0])])
        self.assertFound(Kind.INVENTED, history, session, stray)
        history.unknown_starts = 1
        self.assertEqual(check(history, [session, stray]), [])

    def test_a_gap_is_found(self) -> None:
        history, session = plainly()
        rows = [*session.rows[:2], session.rows[2]._replace(seq=4)]
        self.assertFound(Kind.GAP, history, stored(rows))

    def test_two_changes_in_the_wrong_order_are_found(self) -> None:
        moves = [((Outcome.NOT_FIXED, ""), None), ((Outcome.SKIPPED, "other"), 0)]
        history, session = walked([*moves, ((Outcome.SKIPPED, "afraid"), 0)])
        added = [row for row in session.rows if row.outcome is Outcome.SKIPPED]
        swapped = {added[0].seq: added[1].reason, added[1].seq: added[0].reason}
        rows = [row._replace(reason=swapped.get(row.seq, row.reason)) for row in session.rows]
        self.assertEqual(check(history, [session]), [])
        self.assertFound(Kind.DISORDERED, history, stored(rows))

    def test_a_status_that_the_rows_do_not_tell_is_found(self) -> None:
        history, session = plainly()
        self.assertFound(Kind.UNSOUND, history, replace(session, status="open", resolved_by=""))

    def test_a_showing_that_is_missing_is_found(self) -> None:
        history, session = walked([((Outcome.NOT_FIXED, ""), None)])
        self.assertFound(Kind.UNSOUND, history, replace(session, rows=session.rows[:1]))

    def test_what_was_not_acknowledged_may_be_there_or_not(self) -> None:
        history, session = plainly()
        asked = history.as_of(2.0)
        self.assertEqual(asked.acknowledged, 2)
        self.assertEqual(check(asked, [session]), [])
        rows = [*session.rows[:2], Row(3, session.rows[2].fix)]
        self.assertEqual(check(asked, [stored(rows)]), [])


class AnyHistoryTests(PlainTestCase):
    @given(MOVES)
    def test_a_desk_without_faults_has_none(self, moves: Moves) -> None:
        history, session = walked(moves)
        self.assertEqual(check(history, [session]), [])

    @given(MOVES, st.data())
    def test_an_answer_that_is_taken_away_is_missed(
        self, moves: Moves, data: st.DataObject
    ) -> None:
        """As if it had never been given, with everything after it."""
        history, _session = walked(moves)
        kept = data.draw(st.integers(0, max(len(history.answers) - 1, 0)))
        before, session = walked(moves[:0])
        for number in range(len(moves) + 1):
            before, session = walked(moves[:number])
            if len(before.answers) == kept:
                break
        found = check(history, [session])
        self.assertEqual(bool(history.answers), Kind.LOST in kinds(found))
        self.assertEqual(check(history.as_of(float(kept)), [session]), [])

    @given(MOVES, st.data())
    def test_an_answer_that_is_another_one_is_noticed(
        self, moves: Moves, data: st.DataObject
    ) -> None:
        history, session = walked(moves)
        answered = [row for row in session.rows if row.outcome]
        if not answered:
            return
        row = data.draw(st.sampled_from(answered))
        other = data.draw(SAID.filter(lambda said: said != (row.outcome, row.reason)))
        rows = [
            row._replace(outcome=other[0], reason=other[1]) if each is row else each
            for each in session.rows
        ]
        self.assertNotEqual(check(history, [stored(rows)]), [])
