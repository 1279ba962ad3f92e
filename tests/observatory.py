"""How safe the headers of an answer are, in the points of MDN's HTTP Observatory.

Everybody begins with 100. Faults cost points; what is more than needed brings some, but only to
who has 90 without. 100 is an A+. Source of the rules and points: MDN's HTTP Observatory 1.6,
https://developer.mozilla.org/en-US/observatory/docs/tests_and_scoring. Left out is what needs more
than our answers to judge: certificates, and browsers' lists of preloaded hosts.
"""

from collections.abc import Iterable
from html.parser import HTMLParser
from urllib.parse import urlsplit

from django.http.response import HttpResponseBase

HALF_A_YEAR = 15_552_000  # seconds; what the Observatory takes for six months
BROAD = {"*", "http:", "https:", "ftp:", "http://*", "https://*", "http://*.*", "https://*.*"}
PRIVATE = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}


def points(response: HttpResponseBase, html: str = "") -> dict[str, int]:
    """What each part of an answer over https adds to the 100 or takes away."""
    return {
        "policy": _policy(response),
        "cookies": _cookies(response),
        "sharing": _sharing(response),
        "referrer": _referrer(response),
        "transport": _transport(response),
        "scripts": _scripts(html),
        "types": 0 if response.get("X-Content-Type-Options") == "nosniff" else -5,
        "frames": _frames(response),
        "resource": _among(
            response, "Cross-Origin-Resource-Policy", {"same-origin", "same-site"}, {"cross-origin"}
        ),
        "opener": _among(
            response,
            "Cross-Origin-Opener-Policy",
            {"same-origin"},
            {"same-origin-allow-popups", "noopener-allow-popups", "unsafe-none"},
        ),
        "embedder": _among(
            response,
            "Cross-Origin-Embedder-Policy",
            {"require-corp"},
            {"credentialless", "unsafe-none"},
        ),
    }


def score(points: Iterable[int]) -> int:
    """All points together; a bonus counts only for who has 90 without one."""
    points = list(points)
    without = max(0, 100 + sum(each for each in points if each < 0))
    return without + (sum(each for each in points if each > 0) if without >= 90 else 0)


def redirection(response: HttpResponseBase, host: str) -> int:
    """The points of the answer to plain http: it should lead to https, on the same host first."""
    there = urlsplit(response.get("Location", ""))
    if not 300 <= response.status_code < 400 or there.scheme != "https":
        return -20
    return 0 if there.hostname == host else -5


def directives(response: HttpResponseBase) -> dict[str, set[str]]:
    """The content security policy by directive; of one given twice the first holds."""
    found: dict[str, set[str]] = {}
    for part in response.get("Content-Security-Policy", "").split(";"):
        if words := part.lower().split():
            found.setdefault(words[0], set(words[1:]))
    return found


def _policy(response: HttpResponseBase) -> int:
    policy = directives(response)
    if not policy:
        return -25
    default = policy.get("default-src", {"*"})
    scripts, styles, objects = (
        policy.get(f"{kind}-src", default) for kind in ("script", "style", "object")
    )
    inline = {"'unsafe-inline'", "data:"}
    sources = set().union(*policy.values())
    if scripts & (BROAD | inline) or objects & BROAD:
        return -20
    if any(source.startswith(("http:", "ftp:")) for source in sources):
        return -20
    if "'unsafe-eval'" in scripts | styles:
        return -10
    if styles & (BROAD | inline):
        return 0
    return 10 if default == {"'none'"} else 5


def _cookies(response: HttpResponseBase) -> int:
    # One that is deleted is in no browser afterwards.
    worst, sent = 5, [each for each in response.cookies.values() if each["max-age"] != 0]
    for cookie in sent:
        name = cookie.key.lower()
        kept = any(word in name for word in ("login", "sess", "staff"))  # staff: how ours is called
        if kept and not cookie["httponly"]:
            worst = min(worst, -30)
        if not cookie["secure"]:  # what transport security cannot mend is not looked at
            worst = min(worst, -10 if kept else -5)
        if cookie["samesite"].lower() not in ("lax", "strict"):
            worst = min(worst, -20 if "csrf" in name or cookie["samesite"] else 0)
    return worst if sent else 0


def _sharing(response: HttpResponseBase) -> int:
    everybody = response.get("Access-Control-Allow-Origin")
    return -50 if everybody and response.get("Access-Control-Allow-Credentials") == "true" else 0


def _referrer(response: HttpResponseBase) -> int:
    if not (said := response.get("Referrer-Policy")):
        return 0
    return 5 if said.split(",")[-1].strip().lower() in PRIVATE else -5


def _transport(response: HttpResponseBase) -> int:
    said = response.get("Strict-Transport-Security", "").lower()
    ages = [
        part.partition("=")[2] for part in said.split(";") if part.strip().startswith("max-age")
    ]
    if "," in said or len(ages) != 1 or not ages[0].isdecimal():
        return -20
    return 0 if int(ages[0]) >= HALF_A_YEAR else -10


def _frames(response: HttpResponseBase) -> int:
    if "frame-ancestors" in directives(response):
        return 5
    said = response.get("X-Frame-Options", "").strip().lower()
    return 0 if said in ("deny", "sameorigin") or said.startswith("allow-from") else -20


def _among(response: HttpResponseBase, header: str, best: set[str], allowed: set[str]) -> int:
    if not (said := response.get(header, "").strip()):
        return 0
    return 10 if said in best else 0 if said in allowed else -5


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, bool]] = []  # where each comes from, and whether it is sealed

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and given.get("src"):
            self.found.append((given["src"] or "", bool(given.get("integrity"))))


def _scripts(html: str) -> int:
    reader = _Scripts()
    reader.feed(html)
    worst = 5 if any(sealed for _source, sealed in reader.found) else 0
    for source, sealed in reader.found:
        if source.startswith("https://") and not sealed:
            worst = min(worst, -5)
        elif source.startswith(("http://", "//")):
            worst = min(worst, -20 if sealed else -50)
    return worst
