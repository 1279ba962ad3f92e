"""The one way out over HTTP: to addresses on the open internet, and to no others.

Whoever can name an address here could otherwise make this server ask its own neighbours. A name
is resolved once, every address it has must be a public one, and the connection goes to an address
that was looked at: a second look could be answered differently. Only the standard library: its
client takes a socket that is connected already, and never looks at proxy variables.
"""

import http.client
import os
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext as _

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
MOST_BYTES = 64 * 1024
MOST_REDIRECTS = 3
PORTS = {"https": 443, "http": 80}
REDIRECTS = (301, 302, 303, 307, 308)

# What `is_global` lets pass all the same: ways into IPv4 by IPv6, relays, shared networks, clouds.
CLOSED = [
    ip_network(network)
    for network in (
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "100.64.0.0/10",
        "168.63.129.16/32",
        "fec0::/10",  # inside a site, in old networks
    )
]

T = TypeVar("T")
Resolver = Callable[[str, int], list[str]]


class OutboundError(Exception):
    """Nothing came of it; the message is a sentence for staff, without what the other side said."""


class Refused(OutboundError):
    """We do not go there."""


class Away(OutboundError):
    """The other side could not be reached, or did not answer in time."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes, as far as the address itself says."""

    scheme: str
    host: str
    port: int
    path: str
    inside: bool  # the operator allows this host, wherever it is


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: at most `most` bytes of the body, and whether that is all of it."""

    url: str
    status: int
    kind: str  # Content-Type
    body: bytes
    whole: bool


def target(url: str) -> Target:
    """Where `url` leads, or Refused; nothing is asked for that."""
    try:
        parts = urlsplit(url)
        name, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except (ValueError, UnicodeError):
        raise Refused(_("This is not a web address.")) from None
    usual = PORTS.get(parts.scheme)
    if not usual or not name or any(letter <= " " or letter == "\x7f" for letter in url):
        raise Refused(_("Only web addresses that begin with https:// are asked."))
    if parts.scheme == "http" and not settings.OUTBOUND_HTTP:
        raise Refused(_("The address must begin with https://: http is not allowed here."))
    if parts.username is not None or parts.password is not None:
        raise Refused(_("The address must not have a user name or a password in it."))
    port = usual if port is None else port
    inside = _allowed(name, port)
    if not inside and port not in PORTS.values():
        raise Refused(_("Only the ports 80 and 443 are asked."))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, name, port, iri_to_uri(path), inside)


def _allowed(name: str, port: int) -> bool:
    """Whether the operator lists this host; without a port it is listed for the usual ones."""
    listed: list[str] = settings.OUTBOUND_HOSTS
    shown = f"[{name}]" if ":" in name else name
    return f"{shown}:{port}" in listed or (shown in listed and port in PORTS.values())


def public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is somebody's on the open internet."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in CLOSED)


def system_resolver(host: str, port: int) -> list[str]:
    """Every address of a host, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def fetch(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    most: int = MOST_BYTES,
    redirects: int = 0,
    resolve: Resolver = system_resolver,
) -> Answer:
    """Ask `url`; raises Refused or Away.

    `redirects` (at most three) are followed by GET alone, each looked at as if it were the first
    address; without them a redirect is an answer like any other. All together takes at most ten
    seconds, and at most `most` bytes of the answer are read.
    """
    end = time.monotonic() + TOTAL_SECONDS
    for hops_left in range(min(redirects, MOST_REDIRECTS), -1, -1):
        answer, location = _ask(method, url, body, headers or {}, most, resolve, end)
        if not redirects or method != "GET" or answer.status not in REDIRECTS or not location:
            return answer
        if not hops_left:
            break
        url = urljoin(url, location)
    raise Refused(_("The address leads on to too many others."))


def _ask(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    most: int,
    resolve: Resolver,
    end: float,
) -> tuple[Answer, str]:
    """One request to one address, and where its answer leads on to."""
    there = target(url)
    addresses = _addresses(there, resolve, end)
    try:
        with _connected(there, addresses, end) as sock, _ending(sock, end):
            client = _client(there, sock)
            sent = {"Connection": "close", "User-Agent": "Helpdesk", **headers}
            client.request(method, there.path, body=body or None, headers=sent)
            with closing(client.getresponse()) as response:
                read = response.read(most + 1)
                if len(read) <= most and response.length:
                    raise http.client.IncompleteRead(read, response.length)
                kind = response.getheader("Content-Type", "")
                location = response.getheader("Location", "")
    except (OSError, http.client.HTTPException, ValueError) as fault:
        if time.monotonic() >= end:
            raise _late() from fault
        raise Away(_fault(fault)) from fault
    if time.monotonic() >= end:  # what was read may have been cut off
        raise _late()
    return Answer(url, response.status, kind, read[:most], len(read) <= most), location


def _client(there: Target, sock: socket.socket) -> http.client.HTTPConnection:
    """A client on a socket that is connected already; its Host is the name, not the address."""
    if there.scheme == "https":
        client: http.client.HTTPConnection = http.client.HTTPSConnection(there.host, there.port)
    else:
        client = http.client.HTTPConnection(there.host, there.port)
    client.sock = sock
    return client


def _addresses(there: Target, resolve: Resolver, end: float) -> list[str]:
    """The addresses of the host, each of them looked at; Refused when one is not public."""
    left = end - time.monotonic()
    try:
        found = _in_time(lambda: resolve(there.host, there.port), left)
    except (OSError, UnicodeError, queue.Empty):
        raise Away(_("The name of the host is not known.")) from None
    try:
        judged = [ip_address(address) for address in found]
    except ValueError:
        raise Refused(_("The name of the host has an address that is none.")) from None
    if not judged:
        raise Away(_("The name of the host is not known."))
    if not there.inside and not all(map(public, judged)):
        raise Refused(_("The host is not on the open internet, and the operator does not list it."))
    return found


def _in_time(call: Callable[[], T], seconds: float) -> T:
    """What `call` returns; queue.Empty when it takes longer (the system's resolver may)."""
    done: queue.SimpleQueue[tuple[T | None, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put((call(), None))
        except Exception as fault:
            done.put((None, fault))

    threading.Thread(target=run, name="resolve", daemon=True).start()
    result, fault = done.get(timeout=max(seconds, 0.0))
    if fault:
        raise fault
    return result  # type: ignore[return-value]  # it is a T whenever there is no fault


@contextmanager
def _connected(there: Target, addresses: list[str], end: float) -> Iterator[socket.socket]:
    """A connection to the first address that takes one, with TLS where the scheme asks for it."""
    sock = _dial(addresses, there.port, end)
    try:
        if there.scheme == "https":
            with _ending(sock, end):
                sock.settimeout(max(end - time.monotonic(), 0.01))
                sock = _tls().wrap_socket(sock, server_hostname=there.host)
        sock.settimeout(max(end - time.monotonic(), 0.01))
        yield sock
    finally:
        sock.close()


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _dial(addresses: list[str], port: int, end: float) -> socket.socket:
    fault: OSError = TimeoutError()
    for address in addresses:
        seconds = min(CONNECT_SECONDS, end - time.monotonic())
        if seconds <= 0:
            break
        try:
            return socket.create_connection((address, port), timeout=seconds)
        except OSError as failed:
            fault = failed
    raise fault


@contextmanager
def _ending(sock: socket.socket, end: float) -> Iterator[None]:
    """Whatever comes over this connection, drop by drop even, ends when the time is over."""
    twin = socket.socket(fileno=os.dup(sock.fileno()))  # the same connection, without its TLS

    def cut() -> None:
        with suppress(OSError):
            twin.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(end - time.monotonic(), 0.0), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        twin.close()


def _late() -> Away:
    seconds = {"seconds": round(TOTAL_SECONDS)}
    return Away(_("There was no whole answer within %(seconds)d seconds.") % seconds)


def _fault(fault: Exception) -> str:
    """A sentence of ours; what the other side said is not repeated."""
    match fault:
        case ssl.SSLCertVerificationError():
            return _("Its certificate is not valid for this name.")
        case ssl.SSLError():
            return _("No secure connection could be made (TLS).")
        case ConnectionRefusedError():
            return _("Nothing listens there: the connection was refused.")
        case TimeoutError():
            return _("It could not be reached in time.")
        case OSError() if fault.strerror:
            return _("The connection failed: %(why)s.") % {"why": fault.strerror}
    return _("What it answered is not HTTP, or the connection was cut.")
