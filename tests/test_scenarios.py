"""Scenarios: what must come of a visitor's answers, tried before every publication."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import SimpleTestCase
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.base import CastTestCase, make_fix, walk
from tests.test_admin import DeskTestCase, admin_url
from troubleshooter import flow, ordering
from troubleshooter.flow import Outcome, Status
from troubleshooter.models import Edition, Fix, Guide, NotReady, Scenario, Symptom, findings
from troubleshooter.models import scenarios as rules
from troubleshooter.text import BadText

ORDER = ("cable", "restart", "driver", "reset")
RISKY = frozenset({"reset"})
TITLES = {key: key.title() for key in ORDER}
FIXED, NOT_FIXED, SKIPPED = Outcome.FIXED, Outcome.NOT_FIXED, Outcome.SKIPPED


def fault(answers: str, status: Status, fix: str = "") -> str:
    """What is wrong with a scenario on the fixes above; empty when it passes."""
    scenario = Scenario(answers=answers, status=status, fix=Fix(key=fix, title=fix.title()))
    if not fix:
        scenario.fix = None
    found = scenario.fault(ORDER, RISKY, TITLES)
    return found.sentence if found else ""


class AnswersTests(SimpleTestCase):
    def test_case_blanks_and_other_words_for_the_same_are_forgiven(self) -> None:
        for typed in (
            "not fixed, skipped, fixed",
            " NOT  fixed,Skip , FIXED",
            "still_broken,skip,fixed",
        ):
            self.assertEqual(rules.parse(typed), (NOT_FIXED, SKIPPED, FIXED), typed)
        self.assertEqual(rules.parse(" "), ())

    def test_a_word_that_is_no_answer_is_named(self) -> None:
        for typed, word in {
            "fixed, perhaps": "“perhaps”",
            "fixed,,fixed": "“”",
            "fixed,": "“”",
            "fixed; fixed": "“fixed; fixed”",
            "x" * 500: f"“{'x' * 40}”",
        }.items():
            with self.assertRaisesMessage(BadText, f"{word} is no answer"):
                rules.parse(typed)

    def test_too_many_are_refused(self) -> None:
        self.assertEqual(len(rules.parse(", ".join(["skip"] * 60))), 60)
        with self.assertRaisesMessage(BadText, "61 answers; 60 are the most"):
            rules.parse(", ".join(["skip"] * 61))

    def test_the_field_keeps_one_way_of_writing(self) -> None:
        field = Scenario._meta.get_field("answers")
        self.assertEqual(field.to_python(" Still broken,FIXED "), "not fixed, fixed")
        with self.assertRaisesMessage(ValidationError, "“maybe” is no answer"):
            field.to_python("maybe")

    @examples(max_examples=100, deadline=None, database=None)
    @given(st.lists(st.sampled_from(Outcome), max_size=60))
    def test_what_is_written_is_read_again(self, answers: list[Outcome]) -> None:
        self.assertEqual(rules.parse(rules.written(answers)), tuple(answers))
        self.assertLessEqual(len(rules.written(answers)), 800)


class FaultTests(SimpleTestCase):
    def test_those_that_pass(self) -> None:
        for answers, status, fix in (
            ("", Status.OPEN, "cable"),
            ("not fixed, skipped, fixed", Status.RESOLVED, "driver"),
            ("not fixed, skipped, not fixed", Status.OPEN, "restart"),  # again
            ("not fixed, not fixed, not fixed", Status.OPEN, "reset"),
            ("not fixed, not fixed, not fixed, not fixed", Status.EXHAUSTED, ""),
        ):
            self.assertEqual(fault(answers, status, fix), "", answers)

    def test_what_happened_instead_is_told(self) -> None:
        for (answers, status, fix), sentence in {
            ("not fixed", Status.OPEN, "cable"): "after “not fixed” the visitor stands before"
            " “Restart”; expected: the visitor stands before “Cable”.",
            ("", Status.OPEN, "driver"): "at the start the visitor stands before “Cable”;"
            " expected: the visitor stands before “Driver”.",
            ("fixed", Status.RESOLVED, "driver"): "after “fixed” the session is resolved by"
            " “Cable”; expected: the session is resolved by “Driver”.",
            ("not fixed", Status.EXHAUSTED, ""): "after “not fixed” the visitor stands before"
            " “Restart”; expected: no fix is left.",
            ("fixed, skipped", Status.RESOLVED, "cable"): "after “fixed” the session is at its"
            " end, but more answers follow.",
            ("", Status.OPEN, "toner"): "“Toner” is not in this guide any more.",
            ("", Status.RESOLVED, ""): "it does not say which fix.",
        }.items():
            self.assertEqual(fault(answers, status, fix), sentence)

    @examples(max_examples=100, deadline=None, database=None)
    @given(st.data())
    def test_a_scenario_written_from_any_walk_passes_and_any_other_end_does_not(
        self, data: st.DataObject
    ) -> None:
        keys = [f"fix{nth}" for nth in range(data.draw(st.integers(1, 6)))]
        places = [
            ordering.Place(
                key, data.draw(st.booleans()), data.draw(st.sampled_from(sorted(ordering.PINS)))
            )
            for key in keys
        ]
        start_with = data.draw(st.lists(st.sampled_from(keys)))
        order = ordering.author(places, start_with)
        risky = {place.fix for place in places if place.risky}
        rows: list[flow.Row] = []
        following = flow.replay(order, rows, risky)
        while isinstance(following, flow.Try) and data.draw(st.integers(0, 9)):
            outcome = data.draw(st.sampled_from(Outcome))
            rows.append(flow.Row(len(rows) + 1, following.fix, outcome))
            following = flow.replay(order, rows, risky)
        match following:
            case flow.Try(fix=fix) | flow.Resolved(by=fix):
                named: Fix | None = Fix(key=fix, title=fix)
            case _:
                named = None
        said = rules.written([row.outcome for row in rows if row.outcome])
        titles = {key: key for key in keys}
        scenario = Scenario(answers=said, status=flow.status(following), fix=named)
        self.assertIsNone(scenario.fault(order, risky, titles))
        for key in keys:
            for status in (Status.OPEN, Status.RESOLVED):
                other = Scenario(answers=said, status=status, fix=Fix(key=key, title=key))
                same = named and (key, status) == (named.key, scenario.status)
                self.assertEqual(other.fault(order, risky, titles) is None, bool(same))


class FindingTests(CastTestCase):
    def add(self, answers: str = "", fix: str = "", **fields: Any) -> Scenario:
        named = Fix.objects.get(key=fix) if fix else None
        position = self.guide.scenarios.count() + 1
        return self.guide.scenarios.create(answers=answers, fix=named, position=position, **fields)

    def found(self) -> list[tuple[str, Any, str]]:
        draft = Guide.objects.whole().get(pk=self.guide.pk)
        return [(each.sentence, each.row, each.field) for each in findings(draft) if each.blocks]

    def test_the_symptom_decides_where_it_starts(self) -> None:
        offline = Symptom.objects.get(key="offline")
        self.add("not fixed, fixed", "cable", symptom=offline)
        self.add("not fixed, fixed", "restart")
        self.assertEqual(self.found(), [])

    def test_one_that_fails_stops_publishing_and_scheduling(self) -> None:
        self.add("not fixed, fixed", "restart")
        failing = self.add("not fixed", "driver", status=Status.OPEN)
        sentence = (
            "Scenario 2: after “not fixed” the visitor stands before “Restart the computer”;"
            " expected: the visitor stands before “Update the driver”."
        )
        self.assertEqual(self.found(), [(sentence, failing, "status")])
        with self.assertRaisesMessage(NotReady, sentence):
            Edition.objects.publish(self.guide, by=None)

    def test_it_follows_the_draft(self) -> None:
        self.add("fixed", "cable")
        self.guide.placements.filter(fix__key="driver").update(position=0)
        [(sentence, _row, _field)] = self.found()
        self.assertIn("the session is resolved by “Update the driver”", sentence)

    def test_a_fix_that_left_the_guide(self) -> None:
        scenario = self.add("fixed", "cable")
        self.guide.placements.filter(fix__key="cable").delete()
        said = "Scenario 1: “Check the cable” is not in this guide any more."
        self.assertEqual(self.found(), [(said, scenario, "fix")])
        Fix.objects.get(key="cable").delete()
        scenario.refresh_from_db()
        self.assertIsNone(scenario.fix)
        said = "Scenario 1: it does not say which fix."
        self.assertEqual(self.found(), [(said, scenario, "fix")])

    def test_a_symptom_that_is_deleted_takes_its_scenarios_along(self) -> None:
        self.add("fixed", "restart", symptom=Symptom.objects.get(key="offline"))
        self.add("fixed", "cable")
        Symptom.objects.get(key="offline").delete()
        self.assertEqual([each.symptom for each in self.guide.scenarios.all()], [None])

    def test_a_symptom_of_another_guide(self) -> None:
        other = Guide.objects.create(topic=self.guide.topic, slug="jam", title="Jam")
        scenario = self.add("fixed", "cable", symptom=other.symptoms.create(text="Stuck"))
        said = "Scenario 1 starts with a symptom of another guide."
        self.assertEqual(self.found(), [(said, scenario, "symptom")])

    def test_it_says_what_a_real_session_does(self) -> None:
        session = walk(self.start("offline"), "not_fixed", "no_time", "not_fixed")
        self.assertIsInstance(session.next, flow.Try)
        self.add(
            "not fixed, skipped, not fixed",
            session.rows[-1].fix_key,
            status=Status.OPEN,
            symptom=Symptom.objects.get(key="offline"),
        )
        self.assertEqual(self.found(), [])

    def test_a_guide_without_fixes_has_none_left(self) -> None:
        empty = Guide.objects.create(
            topic=self.guide.topic, slug="empty", title="Empty", summary="Empty."
        )
        empty.scenarios.create(status=Status.EXHAUSTED)
        draft = Guide.objects.whole().get(pk=empty.pk)
        self.assertEqual([each.field for each in findings(draft)], ["placements"])

    def test_no_session_is_stored_and_the_queries_stay_the_same(self) -> None:
        self.add("fixed", "cable")
        with self.assertNumQueries(10):
            self.found()
        for _nth in range(5):
            self.add("not fixed, fixed", "restart", symptom=None)
        with self.assertNumQueries(10):
            self.found()
        self.assertFalse(self.edition.sessions.exists())

    def test_the_database_allows_no_fix_where_none_is_left(self) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            self.add("fixed", "cable", status=Status.EXHAUSTED)


class EditTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = admin_url("guide", "change", self.guide.pk)

    def post(self, **row: Any) -> Any:
        """Post the desk with one scenario; the guide has none yet."""
        data = self.form(self.url) | {f"scenario.s1.{name}": value for name, value in row.items()}
        return self.client.post(self.url, data)

    def cable(self) -> int:
        return Fix.objects.get(key="cable").pk

    def test_a_row_is_added_and_kept_in_one_way_of_writing(self) -> None:
        row = {"symptom": "offline", "answers": "Still broken , FIXED"}
        response = self.post(**row, status="resolved", fix="cable")
        self.assertEqual(response.status_code, 303)
        scenario = self.guide.scenarios.get()
        self.assertEqual((scenario.answers, scenario.position), ("not fixed, fixed", 1))
        self.assertEqual(scenario.symptom, Symptom.objects.get(key="offline"))
        self.assertIn('value="not fixed, fixed"', self.html(self.url))

    def test_rows_move_change_and_go(self) -> None:
        first = self.guide.scenarios.create(answers="fixed", fix_id=self.cable(), position=1)
        second = self.guide.scenarios.create(status="open", fix_id=self.cable(), position=2)
        data = self.form(self.url)
        moved = {name: data.pop(name) for name in list(data) if f"scenario.{first.pk}." in name}
        self.client.post(self.url, data | moved | {f"scenario.{first.pk}.fix": "driver"})
        self.assertEqual(list(self.guide.scenarios.all()), [second, first])
        self.assertEqual(self.guide.scenarios.last().fix.key, "driver")  # type: ignore[union-attr]
        data = self.form(self.url)
        kept = {name: value for name, value in data.items() if f"scenario.{first.pk}." not in name}
        self.client.post(self.url, kept)
        self.assertEqual(self.guide.scenarios.get(), second)

    def test_what_cannot_be_is_refused_with_a_sentence(self) -> None:
        for row, sentence in (
            ({"answers": "fixed, maybe"}, "“maybe” is no answer"),
            ({"answers": "fixed\x00"}, "cannot be stored"),
            ({"status": "exhausted"}, "none can be named here"),
            ({"status": "open; drop"}, "not one of the available choices"),
            ({"symptom": "elsewhere"}, "not one of the available choices"),
            ({"fix": "elsewhere"}, "not one of the available choices"),
        ):
            whole: dict[str, Any] = {"answers": "fixed", "status": "resolved", "fix": "cable"}
            self.assertContains(self.post(**whole | row), sentence)
        self.assertFalse(self.guide.scenarios.exists())

    def test_without_its_fix_a_scenario_waits_and_says_so(self) -> None:
        self.post(answers="fixed", status="resolved", fix="")
        self.assertIn("it does not say which fix", self.html(self.url))

    def test_with_a_symptom_go_its_scenarios_and_without_a_fix_they_stay(self) -> None:
        unknown = Symptom.objects.get(key="unknown")
        self.guide.scenarios.create(symptom=unknown, answers="fixed", fix_id=self.cable())
        left = self.client.post(self.url, self.form(self.url) | {"act": "remove:fix.cable"})
        self.assertEqual(left.context["desk"].scenarios[0]["fix"].value(), "")
        gone = self.client.post(self.url, self.form(self.url) | {"act": "remove:symptom.unknown"})
        self.assertEqual(gone.context["desk"].scenarios, [])
        self.client.post(self.url, self.desk_form(gone))
        self.assertFalse(self.guide.scenarios.exists())

    def test_a_scenario_follows_a_fix_into_its_copy(self) -> None:
        self.jam()
        restart = Fix.objects.get(key="restart")
        self.guide.scenarios.create(answers="not fixed, fixed", fix=restart)
        data = self.form(self.url) | {"fix.restart.title": "Restart it"}
        self.client.post(self.url, data | {"fix.restart.scope": "copy"})
        copy = Fix.objects.get(title="Restart it")
        self.assertEqual(self.guide.scenarios.get().fix, copy)
        placement = self.guide.placements.get(fix=copy)
        self.assertEqual(placement.detach(), self.guide.scenarios.get().fix)

    def test_a_finding_leads_to_its_field(self) -> None:
        self.guide.scenarios.create(answers="fixed", fix_id=self.cable())
        bad = self.guide.scenarios.create(answers="not fixed", fix_id=self.cable(), position=2)
        html = self.html(self.move("publish"))
        self.assertIn(f"{self.url}#id_scenario.{bad.pk}.status", html)
        self.assertIn(f'id="id_scenario.{bad.pk}.status"', self.html(self.url))

    def test_the_pages_say_how_many_pass(self) -> None:
        self.edit(title="Changed")
        for name in ("publish", "schedule"):
            self.assertNotIn("scenario", self.text(self.move(name)))
        self.guide.scenarios.create(answers="fixed", fix_id=self.cable())
        self.assertIn("One scenario passes.", self.text(self.move("publish")))
        self.guide.scenarios.create(status="open", fix_id=self.cable())
        for name in ("publish", "schedule"):
            self.assertIn("2 scenarios pass.", self.text(self.move(name)))

    def test_an_agent_looks_at_them_only(self) -> None:
        self.guide.scenarios.create(answers="fixed", fix=make_fix("flap", "Open the flap"))
        self.client.force_login(self.arno)
        said = self.text(self.url)
        self.assertIn("Open the flap", said)
        self.assertEqual(self.post(answers="skipped").status_code, 403)

    def test_the_page_takes_no_more_queries_when_there_are_more(self) -> None:
        counts = []
        for nth in range(2):
            for _more in range(3):
                symptom = self.guide.symptoms.get(key="offline")
                self.guide.scenarios.create(answers="fixed", fix_id=self.cable(), symptom=symptom)
            self.guide.symptoms.create(text=f"Symptom {nth}")
            self.client.get(self.url)
            with CaptureQueriesContext(connection) as captured:
                self.client.get(self.url)
            counts.append(len(captured))
        self.assertEqual(*counts)
