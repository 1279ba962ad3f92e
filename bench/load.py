"""Drives visits against a server: in a closed loop, or at a rate whatever the server does.

It runs in a process of its own, so that its CPU time is not the server's. One thread waits for all
sockets at once.
"""

import random
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import Any

from bench.processes import cpu
from bench.visits import Reads, Visit, Work
from bench.wire import Failed, Response, take

PATIENCE = 30.0  # seconds that an answer may take
PAUSE = 5.0  # seconds between two pages of a visitor who reads, on average


@dataclass
class Measured:
    """What was answered in one slice: how many, in which time, for how much of the server's CPU."""

    count: int = 0
    seconds: float = 0.0
    cpu: float = 0.0  # seconds
    times: "array[float]" = field(default_factory=lambda: array("d"))  # seconds, one per answer
    ends: list[Any] = field(default_factory=list)  # what visits ended with
    left: list[Any] = field(default_factory=list)  # what was prepared and not needed


class Line:
    """A connection that is kept, with one request under way at most."""

    def __init__(self, port: int, poll: select.epoll) -> None:
        self.port, self.poll = port, poll
        self.visit: Visit | None = None
        self.ahead: bytes | None = None  # what the visitor sends next
        self.due = 0.0  # when the request that is under way was to be sent
        self.waiting = False
        self._connect()

    def _connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""
        self.poll.register(self.socket, select.EPOLLIN)

    def go_on(
        self, visits: Iterator[Visit], found: Measured, response: Response | None = None
    ) -> bool:
        """Let the visitor read an answer and say what is next; if nothing, the next visit begins.

        False when no visit is left.
        """
        while True:
            try:
                if self.visit and response:
                    self.ahead = self.visit.send(response)
                    return True
                self.ahead, self.visit = None, next(visits, None)
                if self.visit is None:
                    return False
                self.ahead = next(self.visit)
                return True
            except StopIteration as end:
                found.ends.append(end.value)
                self.visit = None

    def send(self, due: float) -> None:
        assert self.ahead is not None
        self.due, self.waiting = due, True
        self.socket.sendall(self.ahead)

    def receive(self) -> Response | None:
        """The answer, once it is whole. A line that is closed between two requests is renewed."""
        data = b""
        with suppress(ConnectionError):  # the same as an end, below
            data = self.socket.recv(262_144)
        if not data:
            if self.waiting:
                raise Failed("The server closed a connection instead of answering.")
            self.close()
            self._connect()
            return None
        self.data += data
        taken = take(self.data)
        if taken is None:
            return None
        response, self.data = taken
        self.waiting = False
        return response

    def close(self) -> None:
        self.poll.unregister(self.socket)
        self.socket.close()


class Lines:
    """Many connections and what has been answered on them."""

    def __init__(self, port: int) -> None:
        self.port, self.poll = port, select.epoll()
        self.by_number: dict[int, Line] = {}

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_error: object) -> None:
        for line in self.by_number.values():
            line.socket.close()
        self.poll.close()

    def open(self) -> Line:
        line = Line(self.port, self.poll)
        self.by_number[line.socket.fileno()] = line
        return line

    def answers(self, seconds: float = PATIENCE) -> Iterator[tuple[Line, Response]]:
        """What comes in next; without a time to look again, something must."""
        came = self.poll.poll(seconds)
        if not came and seconds == PATIENCE:
            raise Failed(f"Nothing was answered for {PATIENCE:.0f} seconds.")
        for number, _event in came:
            line = self.by_number[number]
            response = line.receive()
            if line.socket.fileno() != number:  # it was renewed
                del self.by_number[number]
                self.by_number[line.socket.fileno()] = line
            if response:
                yield line, response


def closed(
    port: int, visits: Iterator[Visit], clients: int, seconds: float, pids: Iterable[int] = ()
) -> Measured:
    """So many clients, each of which sends its next request when it has its answer.

    Ends when the time is over or no visit is left, and then waits for what is under way: all that
    was sent is counted, with the CPU time of the processes `pids` for all of it.
    """
    found, pids = Measured(), tuple(pids)
    with Lines(port) as lines:
        crew = [line for _nth in range(clients) if (line := lines.open()).go_on(visits, found)]
        before, began = cpu(pids), time.perf_counter()
        end = began + seconds
        for line in crew:
            line.send(time.perf_counter())
        under_way = len(crew)
        while under_way:
            for line, response in lines.answers():
                now = time.perf_counter()
                found.times.append(now - line.due)
                if line.go_on(visits, found, response) and now < end:
                    line.send(now)
                    continue
                under_way -= 1
                if seconds != inf:  # no visit is left: fewer clients would be another load
                    end = min(end, now)
        found.seconds, found.cpu = time.perf_counter() - began, cpu(pids) - before
    found.count = len(found.times)
    return found


def visit_all(
    begin: Callable[[], Visit | None], port: int, count: int = 1, clients: int = 1
) -> list[Any]:
    """So many visits, each to its end; what they ended with."""
    visits = (visit for _nth in range(count) if (visit := begin()) is not None)
    return closed(port, visits, clients, inf).ends


def measure(
    work: Work, port: int, states: list[Any], clients: int, seconds: float, pids: list[int]
) -> Measured:
    """One slice of `work`, from these states; without any it is work that needs none."""
    left = deque(states or [None] * clients)
    visits = (work.go(left.popleft()) for _nth in range(len(left)))
    found = closed(port, visits, clients, seconds, pids)
    found.ends, found.left = [], list(left)
    return found


class Open:
    """Requests at a rate, whatever the server does, beside readers who open a page now and then.

    The time of an answer begins when its request was due: whoever has to wait for a busy server
    is counted with the waiting.
    """

    def __init__(self, lines: Lines, visits: Iterator[Visit], readers: list[Reads]) -> None:
        self.lines, self.visits = lines, visits
        self.answers, self.pages = Measured(), Measured()
        self.idle: deque[Line] = deque()
        self.chance = random.Random(7)
        self.next_page: dict[Line, float] = {}  # when a reader asks for the next one
        for reader in readers:
            line = lines.open()
            line.go_on(iter([reader.go()]), self.pages)
            self.next_page[line] = time.perf_counter() + self.chance.expovariate(1 / PAUSE)

    def run(self, rate: float, seconds: float) -> None:
        began, wanted, sent = time.perf_counter(), int(rate * seconds), 0
        while self.answers.count < wanted:
            now = time.perf_counter()
            while sent < wanted and (due := began + sent / rate) <= now and self._answer(due):
                sent += 1
            for line, due in self.next_page.items():
                if due <= now and not line.waiting:
                    line.send(due)
            for line, response in self.lines.answers(0.005):
                self._heard(line, response)
            if now > began + seconds + PATIENCE:
                raise Failed("The answers did not come in time.")
        self.answers.seconds = self.pages.seconds = time.perf_counter() - began

    def _answer(self, due: float) -> bool:
        """Send an answer that is due. When every session waits for the server, it stays due."""
        if self.idle:
            self.idle.popleft().send(due)
            return True
        if (visit := next(self.visits, None)) is None:
            return False
        line = self.lines.open()
        line.go_on(iter([visit]), self.answers)
        line.send(due)
        return True

    def _heard(self, line: Line, response: Response) -> None:
        now = time.perf_counter()
        reads = line in self.next_page
        found = self.pages if reads else self.answers
        found.times.append(now - line.due)
        found.count += 1
        if reads:
            line.go_on(iter(()), found, response)
            self.next_page[line] = now + self.chance.expovariate(1 / PAUSE)
        elif line.go_on(self.visits, found, response):
            self.idle.append(line)


def open_load(
    work: Work, port: int, states: list[Any], rate: float, seconds: float, readers: list[Reads]
) -> tuple[Measured, Measured]:
    """An open load: what was answered of the work, and of what the readers read."""
    with Lines(port) as lines:
        load = Open(lines, (work.go(state) for state in states), readers)
        load.run(rate, seconds)
    return load.answers, load.pages
