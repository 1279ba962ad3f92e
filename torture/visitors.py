"""Visitors over real HTTP: they walk sessions, and send each answer until it is acknowledged."""

import http.client
import random
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode, urlsplit

from torture.history import Answer, History, joined
from troubleshooter.flow import Outcome, Reason

GUIDES = ("wifi-drops", "whatsapp-icloud-backup", "phone-not-charging", "printer-offline")
TIMEOUT = 30.0  # seconds that a visitor waits for an answer
PATIENCE = 60.0  # seconds that they go on trying when everything is over
LOOKS = 10  # at a page that does not know what was acknowledged, before they go on from there
TOLD = re.compile("was (not )?saved")
SEQ = re.compile(r'name="seq"\s+value="(\d+)"')
SYMPTOM = re.compile(r'name="symptom"\s+value="([^"]+)"')


class Gone(Exception):
    """The visitor gives up: time is over, or they got an answer that leads nowhere."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    path: str  # where the visitor is now, when the answer says so
    text: str
    headers: http.client.HTTPMessage


@dataclass(slots=True)
class Where:
    """What a visitor has in front of them; `seq` is None at the end of a session."""

    fix: str
    seq: int | None


def exchange(
    port: int, method: str, path: str, form: dict[str, str] | None = None, htmx: bool = False
) -> Reply:
    """One request on a connection of its own, as nginx makes it. Raises what sockets raise."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    headers = {"HX-Request": "true"} if htmx else {}
    body = None
    if form is not None:
        body, headers["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
    try:
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    told = response.headers.get("Location") or response.headers.get("HX-Push-Url") or path
    return Reply(response.status, urlsplit(told).path, text, response.headers)


@dataclass(slots=True)
class Heard:
    """What came back, besides pages: for the table and for whoever looks for the cause."""

    statuses: Counter[int] = field(default_factory=Counter)
    silences: Counter[str] = field(default_factory=Counter)  # no whole answer: refused, cut, late
    unsaid: int = 0  # a 503 that does not say what was saved, or not when to come back
    stale: int = 0  # a page that knew less than was acknowledged before
    strange: list[str] = field(default_factory=list)


class Visitor(threading.Thread):
    """One who walks session after session. Every other one has htmx."""

    def __init__(self, port: int, number: int, seed: int, over: threading.Event) -> None:
        super().__init__(name=f"visitor {number}", daemon=True)
        self.port, self.over, self.htmx = port, over, number % 2 == 1
        self.guide = GUIDES[number % len(GUIDES)]
        self.chance = random.Random(f"{seed} {number}")
        self.history, self.heard = History(), Heard()
        self.acknowledged_at: list[float] = []
        self._deadline: float | None = None

    def run(self) -> None:
        while not self.over.is_set():
            try:
                self._walk()
            except Gone as why:
                if not self.over.is_set():
                    self.heard.strange.append(str(why))

    def _walk(self) -> None:
        key, where = self.begin()
        given: list[Answer] = []
        while not self.over.is_set():
            changes = given and self.chance.random() < (0.3 if where.seq is None else 0.07)
            if changes:
                answer = self._changed(self.chance.choice(given), given)
            elif where.seq is None:
                return
            else:
                answer = Answer(key, where.seq, where.fix, *self._say())
            where = self._give(answer)
            given.append(answer)

    def _say(self) -> tuple[str, str]:
        lot = self.chance.random()
        if lot < 0.12:
            return Outcome.FIXED, ""
        return (
            (Outcome.SKIPPED, self.chance.choice(Reason.values))
            if lot < 0.4
            else (Outcome.NOT_FIXED, "")
        )

    def _changed(self, earlier: Answer, given: list[Answer]) -> Answer:
        """Another answer for the fix of an earlier one than the one that counts now."""
        latest = next(each for each in reversed(given) if each.fix == earlier.fix)
        said = self._say()
        while said == latest.said:
            said = self._say()
        return Answer(earlier.session, earlier.seq, earlier.fix, *said, change=True)

    # --- What a visitor sends -----------------------------------------------------------------

    def begin(self) -> tuple[str, Where]:
        """Start a session. What was sent and not heard of is never sent again: it is another."""
        page = self._get(f"/g/{self.guide}/")
        form = {"symptom": self.chance.choice(SYMPTOM.findall(page.text) or [""])}
        while True:
            reply = self._send("POST", f"/g/{self.guide}/start/", form)
            if reply and reply.status == 303:
                key = reply.path.split("/")[2]
                self.history.starts[key] = time.monotonic()
                return key, self._look(reply.path)
            if reply is None or reply.status >= 500:
                self.history.unknown_starts += 1
            else:
                raise Gone(f"start: {reply.status}")
            self._wait()

    def _give(self, answer: Answer) -> Where:
        """Send it until it is acknowledged; now and then once more, as a double click does."""
        self.history.answers.append(answer)
        at = len(self.history.answers) - 1
        reply = self._acknowledged(answer)
        self.acknowledged_at.append(time.monotonic())
        self.history.answers[at] = replace(answer, acknowledged_at=self.acknowledged_at[-1])
        if self.chance.random() < 0.05:
            reply = self._acknowledged(answer)
        where = _where(reply) if self.htmx else self._look(reply.path)
        for _look in range(LOOKS):
            if answer.change or where.seq is None or where.seq > answer.seq:
                break
            self.heard.stale += 1
            self._wait()
            where = self._look(f"/s/{answer.session}/")
        return where

    def _acknowledged(self, answer: Answer) -> Reply:
        form = {"seq": str(answer.seq), "outcome": answer.outcome, "agree": "yes"}
        form |= {"reason": answer.reason} if answer.reason else {}
        form |= {"change": "yes"} if answer.change else {}
        path = f"/s/{answer.session}/{answer.fix}/"
        while True:
            reply = self._send("POST", path, form)
            if reply and reply.status == (200 if self.htmx else 303):
                return reply
            if reply and reply.status < 500:
                raise Gone(f"{answer}: {reply.status}")
            self._wait()

    def _look(self, path: str) -> Where:
        return _where(self._get(path))

    def _get(self, path: str) -> Reply:
        """The page that this address leads to."""
        while True:
            reply = self._send("GET", path)
            if reply and reply.status == 200:
                return reply
            if reply and reply.status == 303:
                path = reply.path
                continue
            if reply and reply.status < 500:
                raise Gone(f"{path}: {reply.status}")
            self._wait()

    def _send(self, method: str, path: str, form: dict[str, str] | None = None) -> Reply | None:
        """What came back; None when nothing did, so that nobody knows what became of it."""
        try:
            reply = exchange(self.port, method, path, form, self.htmx and method == "POST")
        except (OSError, http.client.HTTPException) as fault:
            self.heard.silences[type(fault).__name__] += 1
            return None
        self.heard.statuses[reply.status] += 1
        if reply.status == 503 and method == "POST":
            told = TOLD.search(reply.text) and reply.headers.get("Retry-After")
            self.heard.unsaid += not told
        return reply

    def _wait(self) -> None:
        """Before trying again. When all is over the server is well, and patience ends."""
        if self.over.is_set():
            self._deadline = self._deadline or time.monotonic() + PATIENCE
            if time.monotonic() > self._deadline:
                raise Gone("no answer, though everything is over")
        time.sleep(self.chance.uniform(0.02, 0.15))


def _where(reply: Reply) -> Where:
    seq = SEQ.search(reply.text)
    last = reply.path.rstrip("/").rpartition("/")[2]
    return Where(last, int(seq[1]) if seq and last != "end" else None)


class Crowd:
    """Several visitors at once."""

    def __init__(self, port: int, clients: int, seed: int) -> None:
        self.over = threading.Event()
        self.visitors = [Visitor(port, number, seed, self.over) for number in range(clients)]

    def __enter__(self) -> "Crowd":
        for visitor in self.visitors:
            visitor.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.over.set()
        for visitor in self.visitors:
            visitor.join()

    @property
    def history(self) -> History:
        return joined(visitor.history for visitor in self.visitors)

    @property
    def acknowledged(self) -> int:
        return sum(len(visitor.acknowledged_at) for visitor in self.visitors)

    def first_after(self, moment: float) -> float | None:
        """Seconds until the first answer was acknowledged after that."""
        ats = (at for visitor in self.visitors for at in reversed(visitor.acknowledged_at[-99:]))
        return min((at - moment for at in ats if at > moment), default=None)

    @property
    def heard(self) -> Heard:
        whole = Heard()
        for heard in (visitor.heard for visitor in self.visitors):
            whole.statuses += heard.statuses
            whole.silences += heard.silences
            whole.unsaid += heard.unsaid
            whole.stale += heard.stale
            whole.strange += heard.strange
        return whole
