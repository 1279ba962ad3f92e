"""Deliveries under torture: real workers killed again and again, receivers that come and go.

`tests/test_torture.py` runs it small, `bench/deliveries.py` at full size.
"""

import hmac
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from django.conf import settings

SECRET = "only-for-this-torture"
WORKERS = 2  # at any time, so that each could take what the other one has

# The worker as it is, with its times cut short: leases and waits of minutes would take days here.
WORKER = """
import os
from datetime import timedelta
import django
django.setup()
from django.core.management import call_command
from troubleshooter.models import deliveries
deliveries.LEASE = timedelta(seconds=float(os.environ.get("TORTURE_LEASE", "3")))
deliveries.FIRST_WAIT, deliveries.LONGEST_WAIT = timedelta(seconds=0.1), timedelta(seconds=1)
deliveries.MOST_TRIES = 10_000
call_command("worker")
"""

# Writes so many deliveries for each number it reads, and says their ids; for “mail” and an address
# one mail. For “states” and “errors” it says what became of all.
DESK = """
import json, sys
import django
django.setup()
from django.core.management import call_command
from django.db import transaction
from troubleshooter.models import Delivery, Webhook
call_command("migrate", verbosity=0)
url, secret = sys.argv[1:]
Webhook.objects.create(name="torture", url=url, secret=secret, on_session=True)
print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    if line.startswith("mail "):
        made = Delivery.objects.mail(to=line.split()[1], subject="Help", text="Hello")
        print(json.dumps(made.public_id), flush=True)
        continue
    if line.strip() == "errors":
        print(json.dumps(dict(Delivery.objects.values_list("public_id", "error"))), flush=True)
        continue
    if line.strip() == "states":
        rows = Delivery.objects.values_list("public_id", "state", "tries", "body")
        print(json.dumps(list(rows)), flush=True)
        continue
    made = []
    for number in range(int(line)):
        with transaction.atomic():
            if number % 2:
                made += Delivery.objects.announce(Webhook.Event.SESSION, {"number": number})
            else:
                made.append(Delivery.objects.mail(
                    to="aki@desk.example", subject="A person is asked for", text="Hello",
                    html="<p>Hello</p>", reply_to="visitor@home.example"))
    print(json.dumps([each.public_id for each in made]), flush=True)
"""


@dataclass
class Received:
    """What arrived, by id, and how the receivers behaved. Chance decides when they are away."""

    chance: random.Random
    arrived: Counter[str] = field(default_factory=Counter)
    forged: int = 0
    refusals: int = 0  # a “no”, or no answer at all
    unanswered: int = 0  # it was taken, but the answer never came back
    away: bool = False

    def take(self, public_id: str) -> str:
        """What becomes of one that comes in: "no", "silence" (taken, not answered) or "yes"."""
        lot = self.chance.random()
        if self.away or lot < 0.2:
            self.refusals += 1
            return "no"
        self.arrived[public_id] += 1
        if lot < 0.3:
            self.unanswered += 1
            return "silence"
        return "yes"


def message_id(mail: bytes) -> str:
    """The public id in a mail."""
    head = mail.decode().partition("\r\n\r\n")[0]
    lines = [line for line in head.split("\r\n") if line.lower().startswith("message-id:")]
    return lines[0].partition("<")[2].partition("@")[0]


class Mailbox:
    """The handler of a mail server."""

    def __init__(self, received: Received) -> None:
        self.received = received

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.received.take(message_id(envelope.content))
        if answer == "silence":
            server.transport.abort()
        return "250 OK" if answer == "yes" else "451 Come back later"


def hook(received: Received) -> type[BaseHTTPRequestHandler]:
    """The handler of a webhook."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # whoever sent it was killed just then
                return
            head = f"{self.headers['Helpdesk-Id']}.{self.headers['Helpdesk-Timestamp']}."
            right = hmac.new(SECRET.encode(), head.encode() + body, sha256).hexdigest()
            told = json.loads(body)
            if self.headers["Helpdesk-Signature"] != f"v1={right}" or told["version"] != 1:
                received.forged += 1
            answer = received.take(told["id"])
            if answer == "silence":
                return
            with suppress(OSError):
                self.send_response(204 if answer == "yes" else 503)
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@contextmanager
def mail_server(handler: object) -> Iterator[int]:
    """A mail server; its port."""
    with socket.socket() as probe:  # the controller itself must know its port before it begins
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mail = Controller(handler, hostname="127.0.0.1", port=port)
    mail.start()
    try:
        yield port
    finally:
        mail.stop()


@contextmanager
def receivers(received: Received) -> Iterator[tuple[int, int]]:
    """A mail server and a webhook's; their ports."""
    web = ThreadingHTTPServer(("127.0.0.1", 0), hook(received))
    web.daemon_threads = True
    thread = threading.Thread(target=web.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        with mail_server(Mailbox(received)) as port:
            yield port, web.server_port
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


@dataclass
class Report:
    """What came of it, to be judged."""

    made: int
    kills: int
    lost: list[str]
    unknown: list[str]
    forged: int
    repeats: int
    most_repeats: int
    refusals: int
    unanswered: int
    not_recorded: list[str]
    with_body: list[str]
    seconds: float

    @property
    def good(self) -> bool:
        return not (self.lost or self.unknown or self.forged or self.not_recorded or self.with_body)


class Desk:
    """The process that writes deliveries."""

    def __init__(self, env: dict[str, str], url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", DESK, url, SECRET],
            cwd=settings.BASE_DIR,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, line: str) -> Any:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Worker:
    """A worker; what it says goes into a file of its own."""

    def __init__(self, env: dict[str, str]) -> None:
        handle, name = tempfile.mkstemp(dir=env["VAR_DIR"])
        self.log = Path(name)
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER], cwd=settings.BASE_DIR, env=env, stdout=handle
        )
        os.close(handle)

    @property
    def said(self) -> int:
        return self.log.stat().st_size

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def torture(deliveries: int, kills: int, seed: int, patience: float, database: str = "") -> Report:
    """Write so many deliveries, killing a worker so many times meanwhile; what came of it."""
    chance, began = random.Random(seed), time.monotonic()
    received = Received(random.Random(seed + 1))
    with tempfile.TemporaryDirectory() as folder, receivers(received) as (mail, web):
        env = environment(folder, mail, web, database)
        desk = Desk(env, f"http://127.0.0.1:{web}/")
        workers: list[Worker] = []
        try:
            desk.hear()
            workers = [Worker(env) for _worker in range(WORKERS)]
            made: list[str] = []
            for kill in range(kills):
                share = deliveries * (kill + 1) // kills - len(made)
                made += desk.ask(str(share))
                received.away = chance.random() < 0.2
                at_work = first_at_work(workers)
                time.sleep(chance.random() * 0.05)
                at_work.kill()
                workers[workers.index(at_work)] = Worker(env)
            received.away = False
            states = settle(desk, patience)
        finally:
            for worker in workers:
                worker.kill()
            desk.end()
    return judge(made, kills, received, states, time.monotonic() - began)


def first_at_work(workers: list[Worker]) -> Worker:
    """The first that says what became of a delivery from now on: the rest of it is under way."""
    before, end = [worker.said for worker in workers], time.monotonic() + 60
    while time.monotonic() < end:
        for worker, size in zip(workers, before, strict=True):
            if worker.said > size:
                return worker
        time.sleep(0.001)
    raise AssertionError("The workers do nothing.")


def environment(folder: str, mail: int, web: int, database: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        "VAR_DIR": folder,
        **({"DATABASE_URL": database} if database else {}),
        "PYTHONUNBUFFERED": "1",
        "WORKER_SECONDS": "1",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(mail),
        "MAIL_FROM": "Help desk <desk@desk.example>",
        "OUTBOUND_HTTP": "1",
        "OUTBOUND_HOSTS": f"127.0.0.1:{web}",
    }


def settle(desk: Desk, patience: float) -> list[list[Any]]:
    """The states once nothing waits any more, or once patience has run out."""
    end = time.monotonic() + patience
    while True:
        states: list[list[Any]] = desk.ask("states")
        if all(row[1] != "waiting" for row in states) or time.monotonic() > end:
            return states
        time.sleep(0.2)


class Poison:
    """The handler of a mail server at which the worker dies: when it begins with a mail to
    `poison`, or when it has handed over the first mail to `taken`.
    """

    def __init__(self) -> None:
        self.worker: Worker | None = None
        self.kills = 0
        self.arrived: list[str] = []  # the ids, in order

    def kill(self) -> None:
        assert self.worker
        self.kills += 1
        self.worker.process.send_signal(signal.SIGKILL)

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        if address.startswith("poison@"):
            self.kill()
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.arrived.append(message_id(envelope.content))
        if envelope.rcpt_tos == ["taken@desk.example"] and len(self.arrived) == 1:
            self.kill()
        return "250 OK"


@dataclass
class Aftermath:
    """What one mail that kills did to the others."""

    made: list[str]
    kills: int
    arrived: list[str]
    states: dict[str, str]
    errors: dict[str, str]


def poisoned(addresses: list[str], patience: float) -> Aftermath:
    """Mail to these addresses, and a new worker for each that dies, until nothing waits."""
    handler = Poison()
    with tempfile.TemporaryDirectory() as folder, mail_server(handler) as port:
        env = environment(folder, port, 1, "") | {"TORTURE_LEASE": "1"}
        desk = Desk(env, "http://127.0.0.1:1/")
        try:
            desk.hear()
            made = [desk.ask(f"mail {address}") for address in addresses]
            handler.worker = Worker(env)
            end = time.monotonic() + patience
            while time.monotonic() < end:
                if handler.worker.process.poll() is not None:  # as whoever stands beside it does
                    handler.worker = Worker(env)
                states = {row[0]: row[1] for row in desk.ask("states")}
                if "waiting" not in states.values():
                    break
                time.sleep(0.1)
            errors = desk.ask("errors")
        finally:
            if handler.worker:
                handler.worker.kill()
            desk.end()
    return Aftermath(made, handler.kills, handler.arrived, states, errors)


def judge(
    made: list[str], kills: int, received: Received, states: list[list[Any]], seconds: float
) -> Report:
    arrived = received.arrived
    return Report(
        made=len(made),
        kills=kills,
        lost=[each for each in made if not arrived[each]],
        unknown=[each for each in arrived if each not in set(made)],
        forged=received.forged,
        repeats=arrived.total() - len(arrived),
        most_repeats=max(arrived.values(), default=0),
        refusals=received.refusals,
        unanswered=received.unanswered,
        not_recorded=[row[0] for row in states if row[1] != "done"]
        + [each for each in made if each not in {row[0] for row in states}],
        with_body=[row[0] for row in states if row[1] == "done" and row[3]],
        seconds=seconds,
    )
