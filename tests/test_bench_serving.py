"""The benchmark of the server: how it reads answers and processes, and its arithmetic."""

import contextlib
import gzip
import io
import os
import subprocess
import sys
from array import array
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from unittest import TestCase, mock

from bench.load import Measured, measure, open_load, visit_all
from bench.processes import TICK, memory, parse_stat, tree
from bench.report import FIRST, LAST, Bar, Report, Row, aligned, percentile, put_into, ratio
from bench.serving import parse
from bench.visits import Answers, Reads, Standing, Visit, WizardSteps, stands, started
from bench.wire import Failed, Response, get, post, take

FIX = (
    '<form><input type="hidden" name="seq" value="3">'
    '<button name="outcome" value="not_fixed">Still broken</button></form>'
)


def answer(text: str, status: int = 200, *headers: str) -> Response:
    return Response(
        status, "".join(f"\r\n{line}" for line in (*headers, "")).encode(), text.encode()
    )


class WireTests(TestCase):
    """Answers are cut out of what came so far."""

    def test_an_answer_with_its_length_is_taken_once_it_is_whole(self) -> None:
        data = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"
        for length in range(len(data)):
            self.assertIsNone(take(data[:length]), length)
        taken = take(data + b"HTTP")
        assert taken
        response, rest = taken
        self.assertEqual((response.status, response.text, rest), (200, "hello", b"HTTP"))
        self.assertEqual((response.header("x-a"), response.header("X-B")), ("b", ""))

    def test_chunks_are_put_together(self) -> None:
        head = b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n"
        data = head + b"3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
        for length in range(len(data)):
            self.assertIsNone(take(data[:length]), length)
        self.assertEqual(take(data), (Response(500, head[:-2], b"hello"), b""))

    def test_an_answer_whose_end_nobody_could_know_ends_the_run(self) -> None:
        with self.assertRaisesRegex(Failed, "without its length"):
            take(b"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nhello")

    def test_a_compressed_text_is_read(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
        self.assertEqual(Response(200, head, gzip.compress("größer".encode())).text, "größer")

    def test_cookies_are_collected(self) -> None:
        response = answer("", 200, "Set-Cookie: a=1; Path=/; HttpOnly", "set-cookie: b=2")
        self.assertEqual(response.cookies, {"a": "1", "b": "2"})

    def test_requests_are_those_of_a_browser(self) -> None:
        self.assertIn(b"Cookie: a=1; b=2\r\n", get("/", {"a": "1", "b": "2"}))
        self.assertTrue(get("/").endswith(b"keep-alive\r\n\r\n"))
        form = post("/x/", {"seq": "1", "outcome": "not_fixed"}, htmx=True)
        head, _blank, body = form.partition(b"\r\n\r\n")
        self.assertEqual(body, b"seq=1&outcome=not_fixed")
        self.assertIn(b"HX-Request: true\r\n", head)
        self.assertIn(f"Content-Length: {len(body)}".encode(), head)


class VisitTests(TestCase):
    """Visitors look at every answer."""

    def test_a_visitor_answers_fix_after_fix_to_the_end(self) -> None:
        visit = Answers("g", "s").go(Standing("/s/k/one/", "2"))
        self.assertIn(b"seq=2&outcome=not_fixed", next(visit))
        again = visit.send(answer(FIX, 200, "HX-Push-Url: /s/k/two/"))
        self.assertIn(b"POST /s/k/two/", again)
        self.assertIn(b"seq=3", again)
        with self.assertRaises(StopIteration):
            visit.send(answer("<h1>Sorry</h1>", 200, "HX-Push-Url: /s/k/end/"))

    def test_what_is_not_as_it_must_be_ends_the_run(self) -> None:
        two, old = "HX-Push-Url: /s/k/two/", FIX.replace('"3"', '"2"')
        for response, sentence in (
            (answer("", 503), "answered with 503"),
            (answer("", 200, two), "has no form"),
            (answer(old, 200, two), "did not go on"),
        ):
            visit = Answers("g", "s").go(Standing("/s/k/one/", "2"))
            next(visit)
            with self.assertRaisesRegex(Failed, sentence):
                visit.send(response)

    def test_a_session_is_started_as_a_form_is_posted(self) -> None:
        visit = started("g", "s")
        self.assertIn(b"POST /g/g/start/", next(visit))
        self.assertIn(b"GET /s/k/one/", visit.send(answer("", 303, "Location: /s/k/one/")))
        with self.assertRaises(StopIteration) as end:
            visit.send(answer(FIX))
        self.assertEqual(end.exception.value, Standing("/s/k/one/", "3"))

    def test_a_page_must_say_what_it_says(self) -> None:
        visit = Reads("/", "hello").go()
        next(visit)
        visit.send(answer("hello"))
        with self.assertRaisesRegex(Failed, "does not say"):
            visit.send(answer("goodbye"))

    def test_a_fix_that_cannot_be_answered_is_no_place_to_stand(self) -> None:
        self.assertIsNone(stands("/s/k/one/", answer(FIX.replace("not_fixed", "other"))))

    def test_the_wizard_is_left_before_its_last_step(self) -> None:
        page = (
            '<input name="csrfmiddlewaretoken" value="t">'
            '<input name="fix_wizard-current_step" value="{}">'
        )
        work = WizardSteps(3)
        begin = work.begin()
        next(begin)
        with self.assertRaises(StopIteration) as end:
            begin.send(answer(page.format(0), 200, "Set-Cookie: sessionid=x"))
        visit = work.go(end.exception.value)
        self.assertIn(b"Cookie: sessionid=x\r\n", next(visit))
        self.assertIn(
            b"fix_wizard-current_step=1&1-outcome=not_fixed", visit.send(answer(page.format(1)))
        )
        with self.assertRaises(StopIteration):
            visit.send(answer(page.format(2)))


class Plain(BaseHTTPRequestHandler):
    """Says hello on a kept connection; what is posted is answered as the next fix."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one segment for each answer
    status = 200

    def do_GET(self) -> None:
        self.answer(b"hello")

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        seq = int(form.partition("seq=")[2].partition("&")[0])
        self.answer(FIX.replace('"3"', f'"{seq + 1}"').encode() if seq < 4 else b"over")

    def answer(self, body: bytes) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("HX-Push-Url", "/s/k/end/" if body == b"over" else "/s/k/two/")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *given: object) -> None:
        pass


class LoadTests(TestCase):
    """Visitors against a small server of the standard library."""

    def setUp(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Plain)
        self.server.daemon_threads = True
        thread = Thread(target=self.server.serve_forever, args=(0.01,))
        thread.start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)
        self.port = self.server.server_port

    def test_a_closed_loop_counts_all_that_was_answered(self) -> None:
        found = measure(Reads("/", "hello"), self.port, [], 3, 0.05, [os.getpid()])
        self.assertGreater(found.count, 3)
        self.assertEqual(len(found.times), found.count)

    def test_answers_end_when_nothing_is_prepared_any_more(self) -> None:
        states = [Standing("/s/k/one/", "1")] * 5
        found = measure(Answers("g", "s"), self.port, states, 1, 60, [])
        self.assertEqual((found.count, found.left), (5 * 4, []))

    def test_an_open_load_sends_at_its_rate_beside_readers(self) -> None:
        states = [Standing("/s/k/one/", "1")] * 6
        readers = [Reads("/", "hello")] * 2
        found, _pages = open_load(Answers("g", "s"), self.port, states, 100, 0.1, readers)
        self.assertEqual(found.count, 10)
        self.assertGreaterEqual(found.seconds, 0.09)

    def test_an_answer_that_no_session_is_free_for_stays_due(self) -> None:
        states = [Standing("/s/k/one/", "1")]  # four answers
        found, _pages = open_load(Answers("g", "s"), self.port, states, 1000, 0.004, [])
        self.assertEqual(found.count, 4)

    def test_visits_tell_what_they_ended_with(self) -> None:
        def greeted() -> Visit:
            response = yield get("/")
            return response.text

        self.assertEqual(visit_all(greeted, self.port, 4, 2), ["hello"] * 4)

    def test_an_error_ends_the_run_with_a_sentence(self) -> None:
        with mock.patch.object(Plain, "status", 502), self.assertRaisesRegex(Failed, "with 502"):
            measure(Reads("/", "hello"), self.port, [], 3, 60, [])


class ProcessTests(TestCase):
    """What Linux tells of processes."""

    def test_the_name_of_a_program_may_hold_anything(self) -> None:
        rest = " ".join(["S", "7", *["0"] * 9, "130", "20", *["0"] * 30])
        stat = parse_stat(f"9 (a) b (c) {rest}")
        self.assertEqual((stat.parent, stat.cpu), (7, 150 * TICK))

    def test_a_process_and_what_it_started_are_found(self) -> None:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        try:
            self.assertIn(child.pid, tree(os.getpid()))
            self.assertNotIn(os.getpid(), tree(child.pid))
            self.assertGreater(memory(os.getpid()), 10)
        finally:
            child.communicate(b"\n")


def measured(count: int, cpu: float, *milliseconds: float) -> Measured:
    times = array("d", [each / 1000 for each in milliseconds or (1.0,)])
    return Measured(count=count, seconds=2.0, cpu=cpu, times=times)


class ReportTests(TestCase):
    """The arithmetic, and how it is shown."""

    def test_a_percentile_is_one_of_the_times(self) -> None:
        times = list(range(1, 101))
        self.assertEqual([percentile(times, each) for each in (0.5, 0.99, 1)], [50, 99, 100])
        self.assertEqual((percentile([7], 0.01), percentile([3, 1, 2], 0.5)), (7, 2))

    def test_a_ratio_is_the_median_of_the_rounds(self) -> None:
        self.assertEqual(ratio([1, 9, 4], [2, 3, 4]), 1)  # 1/2, 3, 1: not 4/3 of the medians

    def test_a_row_tells_cost_and_waiting(self) -> None:
        bare = Row("bare", "", [measured(1000, 1.0)])
        row = Row("answer", "SQLite", [measured(100, 0.5, 1, 2, 3, 50)], [0.01])
        self.assertEqual(
            row.cells(bare),
            [
                "answer, SQLite",
                "50",
                "200",
                "0.200",
                "0.200 - 0.200",
                "5,000",
                "100",
                "2.0",
                "50.0",
            ],
        )
        self.assertEqual(row.tail, 25)

    def test_a_slice_too_short_for_the_clock_divides_by_no_zero(self) -> None:
        self.assertEqual(Row("", "", [measured(3, 0.0)]).rates, [3 / TICK])

    def test_bars_are_counted_both_ways(self) -> None:
        bars = [Bar("a", 0.1, 0.12), Bar("b", 0.12, 0.12), Bar("c", 9, 8, most=True)]
        self.assertEqual([each.met for each in bars], [False, True, False])
        self.assertEqual(Report([], bars=bars).missed, 2)

    def test_a_table_fits_and_stands_in_line(self) -> None:
        shown = aligned([["what", "n"], ["one", "1"], ["eleven", "1,100"]])
        self.assertEqual(shown, "what        n\none         1\neleven  1,100")

    def test_the_table_of_the_page_is_replaced(self) -> None:
        report = Report(["today"], [Row("bare", "", [measured(1, 1.0)])], [["cold", "1 s"]])
        page = f"before\n{FIRST}\nlast week\n{LAST}\nafter\n"
        new = put_into(page, report.markdown())
        self.assertNotIn("last week", new)
        self.assertIn("| cold | 1 s |", new)
        self.assertEqual(put_into(new, report.markdown()), new)
        with self.assertRaisesRegex(ValueError, "no place"):
            put_into("before", "table")

    def test_it_says_what_it_cannot_do(self) -> None:
        for wrong in ("--databases=oracle", "--rounds=0", "--clients=0", "--seconds=-1"):
            with contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit):
                parse([wrong])
            self.assertRegex(said.getvalue(), "no database oracle|needs a round")
