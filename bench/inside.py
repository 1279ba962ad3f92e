"""The CPU time of one answer without a server: Django's handler, called in this process.

    python -m bench.inside     (with the settings of the product, or of a floor)

It does not wait for the disk, which is another figure (bench/durable.py): commits are not synced.

Waits for lines on its input; each holds a number, and gets the microseconds of CPU that one of so
many requests took. bench/serving.py starts one for the product and one for bare Django.
"""

import io
import sys
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection

from bench.servers import GUIDE
from bench.visits import Answers, Reads, Visit, Work, read_symptoms
from bench.wire import Response


class Inside:
    """Sends the bytes of requests through the handler, as the server would."""

    def __init__(self) -> None:
        self.application = get_wsgi_application()
        sqlite = connection.vendor == "sqlite"
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF" if sqlite else "SET synchronous_commit = off")

    def ask(self, environ: dict[str, Any]) -> Response:
        head: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *_rest: object) -> None:
            head.extend([status, headers])

        answer = self.application(environ, start)  # type: ignore[arg-type]
        body = b"".join(answer)
        if close := getattr(answer, "close", None):
            close()
        lines = "".join(f"\r\n{name}: {value}" for name, value in head[1]) + "\r\n"
        return Response(int(head[0][:3]), lines.encode("latin-1"), body)


def environ(request: bytes) -> dict[str, Any]:
    """The environment of WSGI for a request as it stands on the wire."""
    head, _blank, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _protocol = first.split(" ")
    path, _mark, query = target.partition("?")
    found: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for line in lines:
        name, _colon, value = line.partition(": ")
        key = name.upper().replace("-", "_")
        plain = key in ("CONTENT_TYPE", "CONTENT_LENGTH")
        found[key if plain else f"HTTP_{key}"] = value
    return found


def walk(inside: Inside, visit: Visit) -> Any:
    """A visit to its end; what it ended with."""
    try:
        request = next(visit)
        while True:
            request = visit.send(inside.ask(environ(request)))
    except StopIteration as end:
        return end.value


def timed(inside: Inside, visits: Iterator[Visit], count: int) -> float:
    """Microseconds of CPU of one request, on average; the visitors' own time is left out."""
    spent, done = 0.0, 0
    while done < count:
        visit = next(visits)
        try:
            request = next(visit)
            while done < count:
                asked = environ(request)
                began = time.process_time()
                response = inside.ask(asked)
                spent += time.process_time() - began
                done += 1
                request = visit.send(response)
        except StopIteration:
            continue
    return spent / count * 1e6


def sessions(inside: Inside, work: Work, count: int) -> list[Any]:
    return [walk(inside, visit) for _nth in range(count) if (visit := work.begin())]


def main() -> None:
    inside = Inside()
    work: Work
    each = 1000  # requests of one visit, at most
    if settings.ROOT_URLCONF == "bench.floors":
        work = Reads("/", "hello")
    else:
        symptom = walk(inside, read_symptoms(GUIDE))[-1]
        work, each = Answers(GUIDE, symptom), 8
    for line in sys.stdin:
        count = int(line)
        states = sessions(inside, work, count // each + 1) or [None]
        print(timed(inside, (work.go(state) for state in states), count), flush=True)


if __name__ == "__main__":
    main()
