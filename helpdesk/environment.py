"""Reads the environment: what a variable may say, and the sentence when it says something else."""

import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parseaddr
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

T = TypeVar("T")

# NAME_FILE=/run/secrets/name works in place of NAME. Read plainly: Env's own readers take a value
# that begins with a dollar sign for the name of another variable, and a secret may begin so.
_environment: Mapping[str, str] = environ.FileAwareMapping(cache=False)


def text(name: str) -> str:
    """The value of an environment variable; empty when it is not set."""
    try:
        return _environment.get(name, "").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {fault}.") from None


def setting(name: str, default: T, cast: Callable[[str], T], expects: str) -> T:
    """The value of an environment variable, or a sentence that says what it should be."""
    value = text(name)
    if not value:
        return default
    try:
        return cast(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}: it must be {expects}.") from None


def flag(value: str) -> bool:
    if value.lower() not in ("1", "true", "yes", "0", "false", "no"):
        raise ValueError
    return value.lower() in ("1", "true", "yes")


def number(low: int, high: int) -> Callable[[str], int]:
    def cast(value: str) -> int:
        if not low <= int(value) <= high:
            raise ValueError
        return int(value)

    return cast


def host(value: str) -> str:
    """An address to listen on."""
    return str(ip_address("127.0.0.1" if value == "localhost" else value))


def host_name(value: str) -> str:
    """The name of a host as a browser sends it; no pattern, so that every name is a decision."""
    if not re.fullmatch(r"(?!-)[a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\]", value.lower()):
        raise ValueError
    return value.lower()


def host_names(value: str) -> list[str]:
    return [host_name(name) for name in words(value)]


def words(value: str) -> list[str]:
    """The parts of a value with commas between them."""
    return [part for part in map(str.strip, value.split(",")) if part]


def bare_address(value: str) -> str:
    """One address, with nothing around it and no quotation marks, which could hide another."""
    try:
        validate_email(value)
    except ValidationError:
        raise ValueError from None
    if '"' in value:
        raise ValueError
    return value


def site_url(value: str) -> SplitResult:
    """An origin as a browser writes it: scheme, host and perhaps a port; nothing after them."""
    parts = urlsplit(value.lower())
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    if not usual or "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError
    name = host_name(bracketed(parts.hostname or ""))
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return parts._replace(netloc=name + port, path="")


def bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def lan_address() -> str:
    """The address of this machine in its network. Connecting a datagram socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            raise ImproperlyConfigured(
                "LAN is on, but this machine is in no network that others could reach it by."
            ) from None
        return str(probe.getsockname()[0])


def strong(name: str, key: str) -> str:
    """`key`, if it can keep a secret."""
    if len(key) < 50 or len(set(key)) < 5 or key.startswith("django-insecure-"):
        raise ImproperlyConfigured(f"{name} is too weak: use at least 50 random characters.")
    return key


def mail_address(value: str) -> str:
    """One address, with or without a name before it: Help desk <desk@example.org>."""
    name, address = parseaddr(value)
    try:
        validate_email(address)
    except ValidationError:
        raise ValueError from None
    if not value.isprintable() or "," in value or value not in (address, f"{name} <{address}>"):
        raise ValueError
    return value


def mail_host(value: str) -> str:
    return host_name(bracketed(value)).strip("[]")


def tls(value: str) -> str:
    if value not in ("starttls", "tls", "none"):
        raise ValueError
    return value


def outbound_hosts(value: str) -> list[str]:
    """Names of hosts, each with or without a port."""
    hosts = []
    for part in words(value):
        parts = urlsplit(f"//{part}")
        port = "" if parts.port is None else f":{parts.port}"
        if parts.netloc != part or "@" in part:
            raise ValueError
        hosts.append(host_name(bracketed(parts.hostname or "")) + port)
    return hosts


def time_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError
    return value


def token(name: str, value: str) -> str:
    """A secret that goes into a header, or nothing. What was given is not shown."""
    fits = re.fullmatch(r"[A-Za-z0-9._~+/=-]{20,200}", value) and len(set(value)) >= 5
    if value and not fits:
        raise ImproperlyConfigured(
            f"{name} is too weak: use at least 20 random letters and figures, without blanks."
        )
    return value


def header(value: str) -> str:
    """The name of a header."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,60}", value):
        raise ValueError
    return value


def log_format(value: str) -> str:
    if value not in ("plain", "json"):
        raise ValueError
    return value


def network_cache(name: str, value: str) -> str:
    """The address of a Redis, or nothing. What was given is not shown: it may hold a password."""
    with suppress(ValueError):  # of a port that is none
        parts = urlsplit(value)
        right = parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0
        if right or not value:
            return value
    raise ImproperlyConfigured(f"{name} must be an address like redis://127.0.0.1:6379/0.")
