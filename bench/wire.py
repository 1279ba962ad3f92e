"""HTTP/1.1 as far as the benchmark's visitors need it. Standard library only.

Requests are what a browser sends, byte for byte ready before the clock runs; an answer is cut out
of the bytes that came so far.
"""

import re
import zlib
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode

# What browsers send with every request, and what makes a difference to the server.
BROWSER = (
    "Host: 127.0.0.1\r\n"
    "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/605.1.15\r\n"
    "Accept: text/html\r\n"
    "Accept-Language: en\r\n"
    "Accept-Encoding: gzip\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Connection: keep-alive\r\n"
)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n", re.IGNORECASE)


class Failed(Exception):
    """What went wrong, as a sentence: the run ends with it."""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer: its status, its head as it came, and its body, compressed if it came so."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, of several the first; empty when there is none."""
        found = re.search(
            rb"\r\n" + name.encode() + rb":[ \t]*([^\r]*)\r\n", self.head, re.IGNORECASE
        )
        return found[1].decode("latin-1") if found else ""

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies it sets, by name."""
        jar = SimpleCookie()
        for value in re.findall(rb"\r\nset-cookie:[ \t]*([^\r]*)", self.head, re.IGNORECASE):
            jar.load(value.decode("latin-1"))
        return {name: morsel.value for name, morsel in jar.items()}

    @property
    def text(self) -> str:
        """The body as it is read."""
        gzipped = self.header("Content-Encoding") == "gzip"
        return (zlib.decompress(self.body, 31) if gzipped else self.body).decode()


def take(data: bytes) -> tuple[Response, bytes] | None:
    """The first answer in `data` and what stands after it; None while it is not whole.

    Bodies without a length and without chunks are not understood: our servers send none.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, status = data[: end + 2], int(data[9:12])
    start = end + 4
    if found := _LENGTH.search(head):
        stop = start + int(found[1])
        return None if len(data) < stop else (Response(status, head, data[start:stop]), data[stop:])
    if _CHUNKED.search(head):
        chunks = _chunks(data, start)
        return chunks and (Response(status, head, chunks[0]), data[chunks[1] :])
    if status in (204, 304):
        return Response(status, head, b""), data[start:]
    raise Failed("An answer came without its length.")


def _chunks(data: bytes, at: int) -> tuple[bytes, int] | None:
    """The body sent in chunks from `at` on, and where it ends; None while it is not whole."""
    parts: list[bytes] = []
    while (line := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:line].partition(b";")[0], 16)
        at = line + 2 + size + 2
        if len(data) < at:
            return None
        if not size:
            return b"".join(parts), at
        parts.append(data[line + 2 : at - 2])
    return None


def get(path: str, cookies: dict[str, str] | None = None) -> bytes:
    return f"GET {path} HTTP/1.1\r\n{BROWSER}{_cookie(cookies)}\r\n".encode()


def post(
    path: str,
    fields: dict[str, str],
    cookies: dict[str, str] | None = None,
    *,
    htmx: bool = False,
) -> bytes:
    """A form as it is posted by a browser, or by htmx."""
    body = urlencode(fields)
    return (
        f"POST {path} HTTP/1.1\r\n{BROWSER}{_cookie(cookies)}"
        + ("HX-Request: true\r\n" if htmx else "")
        + "Content-Type: application/x-www-form-urlencoded\r\n"
        + f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _cookie(cookies: dict[str, str] | None) -> str:
    pairs = "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())
    return f"Cookie: {pairs}\r\n" if pairs else ""
