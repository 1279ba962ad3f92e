"""The whole flow against a simple model: visitors, forgers and editors at the real pages.

The model says what DESIGN promises in the plainest words and shares no code with flow.py.
HYPOTHESIS_EXAMPLES=1000 HYPOTHESIS_STEPS=50 looks harder than the 300 walks of 30 steps of every
run; where CI is set, Hypothesis itself takes the same walks every time.
"""

import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client, override_settings
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.base import CastTestCase, make_fix
from troubleshooter.models import Edition, Fix, Guide, NotReady, Placement, Risk, Session

GUIDE = "/g/printer-offline/"
FIXES = ["cable", "restart", "driver", "reset", "toner", "flash"]
RISKY = {"reset", "flash"}
REASONS = ["cant_find", "looks_different", "greyed_out", "afraid", "no_time", "other"]
RUBBISH = ["", "0", "-1", "1.0", "٣", "99999", "fixed ", "FIXED", "né\x00", "x" * 5000, "<b>"]

Form = dict[str, str]
Row = tuple[str, str, str]  # fix, outcome ("" while unanswered), reason


# --- The model ------------------------------------------------------------------------------


@dataclass
class Published:
    """The model of an edition."""

    fixes: list[str]
    symptoms: dict[str, set[str]]
    titles: dict[str, str]
    number: int = field(default=1, compare=False)
    withdrawn: bool = field(default=False, compare=False)


@dataclass(eq=False)
class Walk:
    """The model of a session."""

    key: str
    edition: Published
    symptom: str
    rows: list[Row] = field(default_factory=list)

    @property
    def order(self) -> list[str]:
        """Safe fixes before risky ones; among each, first what the symptom starts with."""
        first = self.edition.symptoms.get(self.symptom, set())
        return sorted(self.edition.fixes, key=lambda fix: (fix in RISKY, fix not in first))

    def ahead(self) -> tuple[str, str]:
        """How the session stands, and the fix that is next or that resolved it."""
        said: Form = {}
        skips: list[str] = []
        for fix, outcome, _reason in self.rows:
            if outcome:
                said.pop(fix, None)
                said[fix] = outcome
            if outcome == "skipped":
                skips.append(fix)
        for fix in reversed(said):
            if said[fix] == "fixed":
                return "resolved", fix
        left: list[str] = []
        for kind in (set(FIXES) - RISKY, RISKY):
            fixes = [fix for fix in self.order if fix in kind]
            left += [fix for fix in fixes if fix not in said]
            left += [f for f in fixes if said.get(f) == "skipped" and skips.count(f) == 1]
        return ("open", left[0]) if left else ("exhausted", "")

    def url(self, last: str = "") -> str:
        return f"/s/{self.key}/{last}/" if last else f"/s/{self.key}/"

    @property
    def here(self) -> str:
        """Where the visitor belongs."""
        status, fix = self.ahead()
        return self.url(fix if status == "open" and not self.edition.withdrawn else "end")

    def show(self) -> None:
        """The fix that is next comes to the front, unless nothing may be shown any more."""
        if self.here != self.url("end"):
            self.rows.append((self.ahead()[1], "", ""))

    def latest(self, fix: str, *, answered: bool = False) -> int:
        """The number of the latest (answered) showing of a fix; 0 when there is none."""
        rows = enumerate(self.rows, start=1)
        return max((n for n, row in rows if row[0] == fix and (row[1] or not answered)), default=0)

    def take(self, fix: str, form: Form) -> str:
        """Take a posted form: where the visitor is then, or "" when a sentence says why not."""
        reason = form.get("reason", "")
        outcome = form.get("outcome") or ("skipped" if reason else "")
        if outcome not in ("fixed", "not_fixed", "skipped") or reason not in ["", *REASONS]:
            return ""
        if form["seq"] not in [str(n) for n in range(1, len(self.rows) + 1)]:
            return ""
        showings = self.rows[int(form["seq"]) - 1 :]
        if showings[0][0] != fix:
            return ""
        answer: Row = (fix, outcome, reason if outcome == "skipped" else "")
        since = [row for row in showings if row[0] == fix and row[1]]
        if since and since[-1] == answer:
            return self.here
        if since and "change" not in form:
            return ""
        if fix in RISKY and outcome != "skipped" and "agree" not in form:
            return self.here if self.edition.withdrawn else self.url(fix)
        if self.rows[-1] == (fix, "", "") and not since:
            self.rows.pop()
        self.rows.append(answer)
        self.show()
        return self.here


# --- The desk -------------------------------------------------------------------------------

FIXED, NOT_FIXED = {"outcome": "fixed"}, {"outcome": "not_fixed"}
SKIPS = [{"reason": reason} for reason in REASONS]
ODD_ANSWERS = [{"outcome": "skipped", "reason": "other"}, {"outcome": "fixed", "reason": "afraid"}]
ANSWERS = st.sampled_from([*[FIXED] * 3, *[NOT_FIXED] * 3, *SKIPS, *ODD_ANSWERS])
# Most walks are long: nothing helps, and some fixes are skipped.
IN_A_ROW = st.lists(st.sampled_from([FIXED, *[NOT_FIXED] * 9, *SKIPS]), min_size=1, max_size=6)
AGREE = st.sampled_from([{"agree": "yes"}, {"agree": "yes"}, {}])
AT = st.integers(0, 60)
HTMX = st.booleans()
ODD = st.sampled_from(RUBBISH)

STORED = """
SELECT s.public_id, s.symptom_key, e.number, s.status, s.resolved_by,
       a.seq, a.fix_key, COALESCE(a.outcome, ''), a.reason
FROM troubleshooter_session s
JOIN troubleshooter_edition e ON e.id = s.edition_id
LEFT JOIN troubleshooter_attempt a ON a.session_id = s.id
ORDER BY s.id, a.seq
"""


def only_reads(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    assert sql.lstrip().startswith("SELECT"), f"A GET wrote: {sql}"
    return execute(sql, *rest)


class Desk(RuleBasedStateMachine):
    """Each rule does one thing at the desk and compares what comes back with the model."""

    walks = Bundle("walks")
    client = Client()  # one for all: it keeps nothing, for no page sets a cookie

    def __init__(self) -> None:
        super().__init__()
        cache.clear()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.guide = Guide.objects.get(key="printer")
        self.fixes = {fix.key: fix for fix in Fix.objects.all()}
        titles = {key: fix.title for key, fix in self.fixes.items()}
        self.draft = Published(FIXES[:4], {"offline": {"restart"}, "unknown": set()}, titles)
        self.editions = [self.frozen()]
        self.live: Published | None = self.editions[0]
        self.sessions: list[Walk] = []
        self.last: tuple[Walk, str, Form] | None = None
        self.edited = False

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def frozen(self) -> Published:
        fixes, symptoms = list(self.draft.fixes), dict(self.draft.symptoms)
        return Published(fixes, symptoms, {fix: self.draft.titles[fix] for fix in fixes})

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        expected = []
        for walk in self.sessions:
            status, fix = walk.ahead()
            session = (walk.key[:16], walk.symptom, walk.edition.number, status)
            by = fix if status == "resolved" else ""
            expected += [(*session, by, n, *row) for n, row in enumerate(walk.rows, start=1)]
        with connection.cursor() as cursor:
            cursor.execute(STORED)
            assert cursor.fetchall() == expected

    # --- How pages answer -------------------------------------------------------------------

    def checked(self, response: Any) -> Any:
        """What is true of every answer to a visitor."""
        assert response.status_code < 500
        assert not response.cookies
        return response

    def get(self, url: str, *, htmx: bool) -> Any:
        """Only a POST by htmx gets a fragment, and only a POST writes."""
        with connection.execute_wrapper(only_reads):
            response = self.checked(self.client.get(url, headers={"HX-Request": str(htmx).lower()}))
        assert response.status_code == 303 or response.content.startswith(b"<!doctype html>")
        return response

    def post(self, walk: Walk, fix: str, form: Form, *, htmx: bool) -> Form:
        """Post an answer; with or without htmx the visitor must end up where the model says.

        Returns what is hidden in the form of the page that asks which answer holds.
        """
        self.last = (walk, fix, form)
        url = walk.take(fix, form)
        headers = {"HX-Request": "true"} if htmx else {}
        response = self.checked(self.client.post(walk.url(fix), form, headers=headers))
        pushed, sent_to = response.get("HX-Push-Url"), response.get("Location")
        expected = (200, url, None) if htmx else (303, None, url)
        assert (response.status_code, pushed, sent_to) == (expected if url else (409, None, None))
        text = response.content.decode()
        if htmx:
            assert text.startswith("<title>")
        if htmx and url:
            self.read(walk, url, text)
        return {} if url else dict(re.findall('type="hidden" name="(.*?)" value="(.*?)"', text))

    def read(self, walk: Walk, url: str, text: str) -> None:
        """A page of a session says what the model says, in the words of its edition."""
        status, by = walk.ahead()
        if url == walk.url("end"):
            words = "It harms printers." if walk.edition.withdrawn else walk.edition.titles.get(by)
            assert words is None or words in text
            return
        fix = url.split("/")[-2]
        assert f">{walk.edition.titles[fix]}</h1>" in text
        assert re.findall('name="seq" value="(.*?)"', text) == [str(walk.latest(fix))]
        current = status == "open" and walk.latest(fix) == len(walk.rows)
        changing = not current and walk.latest(fix, answered=True) > 0
        assert ('name="change"' in text) == changing
        assert ('value="fixed"' in text) == (fix not in RISKY)  # not before an explicit yes

    # --- Visitors ---------------------------------------------------------------------------

    @initialize(
        target=walks, symptom=st.sampled_from(["offline", "unknown"]), far=st.booleans(), htmx=HTMX
    )
    def arrive(self, symptom: str, far: bool, htmx: bool) -> Any:
        """Somebody begins; half of them are soon at the fix that loses data."""
        walk = self.start(symptom, None)
        self.answer(walk, [NOT_FIXED] * 3 if far else [], {}, htmx)
        return walk

    @rule(
        target=walks,
        symptom=st.sampled_from(["offline", "unknown"]) | ODD,
        before=st.none() | walks,
    )
    def start(self, symptom: str, before: Walk | None) -> Any:
        form = {"symptom": symptom, "again": before.key if before else symptom}
        response = self.checked(self.client.post(f"{GUIDE}start/", form))
        if self.live is None or (self.live.symptoms and symptom not in self.live.symptoms):
            assert response.status_code == (422 if self.live else 410)
            return multiple()
        walk = Walk("", self.live, symptom if symptom in self.live.symptoms else "")
        walk.show()
        _, _, walk.key, fix, _ = response["Location"].split("/")
        assert (response.status_code, fix) == (303, walk.rows[0][0])
        assert Session.objects.get(public_id=walk.key[:16]).order == walk.order
        self.sessions.append(walk)
        return walk

    @rule(walk=walks, answers=IN_A_ROW, agree=AGREE, htmx=HTMX)
    def answer(self, walk: Walk, answers: list[Form], agree: Form, htmx: bool) -> None:
        """What is in front of the visitor is answered; at the end, the last fix once more."""
        for answer in answers:
            form = {"seq": str(len(walk.rows)), **answer, **agree}
            self.post(walk, walk.rows[-1][0], form, htmx=htmx)
            if walk.here == walk.url("end"):
                break

    @precondition(lambda self: self.last)
    @rule(htmx=HTMX)
    def post_the_same_again(self, htmx: bool) -> None:
        assert self.last
        walk, fix, form = self.last
        self.post(walk, fix, form, htmx=htmx)

    @rule(walk=walks, at=AT, answer=ANSWERS, htmx=HTMX, insist=st.booleans())
    def post_a_stale_form(
        self, walk: Walk, at: int, answer: Form, htmx: bool, insist: bool
    ) -> None:
        """From any showing there ever was; asked which answer holds, some take the new one."""
        seq = at % len(walk.rows)
        fix = walk.rows[seq][0]
        form = {"seq": str(seq + 1), **answer, "agree": "yes"}
        asked = self.post(walk, fix, form, htmx=htmx)
        if asked:
            reason = "" if answer.get("outcome") == "fixed" else answer.get("reason", "")
            said = {"outcome": answer.get("outcome", "skipped"), "reason": reason}
            seq = walk.latest(fix, answered=True)
            assert asked.items() >= {"seq": str(seq), "change": "yes", **said}.items()
            if insist:
                self.post(walk, fix, asked, htmx=htmx)

    @rule(walk=walks, at=AT, answer=ANSWERS, htmx=HTMX)
    def answer_what_was_interrupted(self, walk: Walk, at: int, answer: Form, htmx: bool) -> None:
        unanswered = [n for n, row in enumerate(walk.rows[:-1], start=1) if not row[1]]
        if unanswered:
            seq = unanswered[at % len(unanswered)]
            form = {"seq": str(seq), **answer, "agree": "yes"}
            self.post(walk, walk.rows[seq - 1][0], form, htmx=htmx)

    @rule(walk=walks, at=AT, answer=ANSWERS, agree=AGREE, htmx=HTMX)
    def go_back_and_change(
        self, walk: Walk, at: int, answer: Form, agree: Form, htmx: bool
    ) -> None:
        fix = walk.rows[at % len(walk.rows)][0]
        self.look(walk, fix, htmx=False)
        form = {"seq": str(walk.latest(fix)), **answer, **agree, "change": "yes"}
        self.post(walk, fix, form, htmx=htmx)

    @rule(
        walk=walks,
        fix=st.sampled_from(["cable", "reset", "flash", "nothing", "x" * 300]),
        seq=st.integers(1, 9).map(str) | ODD,
        answer=ANSWERS | st.fixed_dictionaries({"outcome": ODD, "reason": ODD}),
        change=st.sampled_from([{}, {"change": "yes"}]),
        htmx=HTMX,
    )
    def forge(self, walk: Walk, fix: str, seq: str, answer: Form, change: Form, htmx: bool) -> None:
        self.post(walk, fix, {"seq": seq, **answer, **change}, htmx=htmx)

    @rule(walk=walks, other=walks, abroad=st.booleans())
    def break_in(self, walk: Walk, other: Walk, abroad: bool) -> None:
        """From another site, or with a mixed-up key, nothing opens."""
        form = {"seq": str(len(walk.rows)), "outcome": "fixed", "agree": "yes"}
        key = walk.key if abroad else walk.key[:16] + other.key[:15:-1]
        response = self.checked(
            self.client.post(
                f"/s/{key}/{walk.rows[-1][0]}/",
                form,
                headers={"Sec-Fetch-Site": "cross-site" if abroad else "same-origin"},
            )
        )
        assert response.status_code == (403 if abroad else 404)

    @rule(walk=walks, page=st.sampled_from(["", "end", "person", "nothing", *FIXES]), htmx=HTMX)
    def look(self, walk: Walk, page: str, htmx: bool) -> None:
        """Back, reload, a bookmark: any page of a session."""
        response = self.get(walk.url(page), htmx=htmx)
        ended = page == "end" and walk.here == walk.url("end")
        shown = walk.latest(page) and not walk.edition.withdrawn
        if ended or shown:
            self.read(walk, walk.url(page), response.content.decode())
        if ended or shown or page == "person":
            assert response.status_code == 200
        else:
            assert (response.status_code, response["Location"]) == (303, walk.here)

    @rule(htmx=HTMX)
    def look_around(self, htmx: bool) -> None:
        assert self.get(GUIDE, htmx=htmx).status_code == (200 if self.live else 410)
        assert self.get("/", htmx=htmx).status_code == 200

    # --- Editors ----------------------------------------------------------------------------

    @rule(fix=st.sampled_from(FIXES), rename=st.booleans())
    def edit_a_fix(self, fix: str, rename: bool) -> None:
        """A new title, or its place in the guide taken or given."""
        self.edited = True
        placements = Placement.objects.filter(guide=self.guide, fix__key=fix)
        if rename:
            self.draft.titles[fix] += "!"
            Fix.objects.filter(key=fix).update(title=self.draft.titles[fix])
        elif fix in self.draft.fixes:
            self.draft.fixes.remove(fix)
            placements.delete()
        else:
            self.draft.fixes.append(fix)
            Placement.objects.create(guide=self.guide, fix=self.fixes[fix], position=99)

    @rule(wish=st.permutations(FIXES), symptoms=st.integers(0, 5))
    def edit_the_guide(self, wish: list[str], symptoms: int) -> None:
        """Another order; now and then the symptoms go."""
        self.edited = True
        self.draft.fixes = [fix for fix in wish if fix in self.draft.fixes]
        for position, fix in enumerate(self.draft.fixes, start=1):
            Placement.objects.filter(guide=self.guide, fix__key=fix).update(position=position)
        if not symptoms:
            self.draft.symptoms = {}
            self.guide.symptoms.all().delete()

    @precondition(lambda self: self.edited)
    @rule()
    def publish(self) -> None:
        self.edited = False
        draft = self.frozen()
        started_with = set[str]().union(*draft.symptoms.values())
        ready = draft.fixes and started_with <= set(draft.fixes)
        try:
            edition = Edition.objects.publish(self.guide, by=None)
        except NotReady:
            assert not ready
            return
        assert ready
        if draft != self.live:
            draft.number = len(self.editions) + 1
            self.editions.append(draft)
            self.live = draft
        assert edition.number == self.live.number

    @rule(safety=st.booleans())
    def take_down(self, safety: bool) -> None:
        self.edited, self.live = True, None
        if not safety:
            Edition.objects.unpublish(self.guide)
            return
        Edition.objects.withdraw(self.guide, "It harms printers.")
        for edition in self.editions:
            edition.withdrawn = True


@override_settings(START_LIMIT=1_000_000)
class MachineTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        make_fix("toner", "Change the toner", "Open the lid.")
        make_fix("flash", "Flash it", "Hold on.", risk=Risk.DATA_LOSING, loses="The settings.")

    def test_a_stopped_guide_shows_nothing_even_when_the_yes_is_missing(self) -> None:
        # Chance comes here too seldom.
        desk = Desk()
        self.addCleanup(desk.teardown)
        for htmx in (False, True):
            walk = desk.arrive("unknown", far=True, htmx=htmx)
            desk.take_down(safety=True)
            desk.answer(walk, [NOT_FIXED], {}, htmx)
            desk.edit_a_fix("toner", rename=False)
            desk.publish()
        desk.the_database_says_what_the_model_says()

    def test_the_desk_and_the_model_agree_whatever_anybody_does(self) -> None:
        logging.disable(logging.WARNING)  # every refusal is logged, and there are thousands
        self.addCleanup(logging.disable, logging.NOTSET)
        run_state_machine_as_test(
            Desk,
            settings=settings(
                max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "300")),
                stateful_step_count=int(os.environ.get("HYPOTHESIS_STEPS", "30")),
                deadline=None,
                report_multiple_bugs=False,
                phases=set(Phase) - {Phase.explain},  # it would take minutes
                suppress_health_check=list(HealthCheck),
            ),
        )
