"""What visitors do, request by request, and what every answer must say.

A visit is a generator: it yields the bytes of a request, is sent the answer, and ends by itself.
An answer that is not what it must be raises `Failed` with a sentence. Kinds of work are told
apart by class, so that they can be handed to the process that drives them.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Protocol

from bench.wire import Failed, Response, get, post

Visit = Generator[bytes, Response, Any]

_SEQ = re.compile(r'name="seq"\s+value="(\d+)"')
_SYMPTOM = re.compile(r'name="symptom"\s+value="([^"]+)"')
_STYLES = re.compile(r'<link rel="stylesheet" href="([^"]+)"')
_SCRIPTS = re.compile(r'<script src="([^"]+)"')
_STEP = re.compile(r'name="fix_wizard-current_step"\s+value="(\d+)"')
_TOKEN = re.compile(r'name="csrfmiddlewaretoken"\s+value="([^"]+)"')


class Work(Protocol):
    """Work that is measured: `begin` comes before the clock runs, and `go` is what is timed."""

    def begin(self) -> Visit | None:
        """A visit that ends with what `go` goes on from; None when there is nothing to prepare."""

    def go(self, state: Any) -> Visit:
        """The visit whose requests are counted and timed."""


def expect(response: Response, what: str, status: int = 200) -> None:
    if response.status != status:
        raise Failed(f"{what} was answered with {response.status}, not with {status}.")


@dataclass
class Reads:
    """The same page again and again; its text must contain these words."""

    path: str
    words: str
    _known: bytes = b""

    def begin(self) -> None:
        return None

    def go(self, state: Any = None) -> Visit:
        while True:
            response = yield get(self.path)
            if response.body == self._known and response.status == 200:
                continue
            expect(response, f"GET {self.path}")
            if self.words not in response.text:
                raise Failed(f"{self.path} does not say “{self.words}”.")
            self._known = response.body


@dataclass(frozen=True)
class Standing:
    """Where a session stands: the address of the fix to answer and the number of its showing."""

    path: str
    seq: str


@dataclass(frozen=True)
class Answers:
    """A visitor whom nothing helps: “Still broken”, sent by htmx, to each fix, to the end."""

    slug: str
    symptom: str

    def begin(self) -> Visit:
        return started(self.slug, self.symptom)

    def go(self, state: Any) -> Visit:
        standing: Standing | None = state
        while standing:
            standing = yield from answered(standing)


def started(slug: str, symptom: str) -> Visit:
    """Start a session and read its first fix; ends with where it stands."""
    path = f"/g/{slug}/start/"
    response = yield post(path, {"symptom": symptom})
    expect(response, f"POST {path}", 303)
    fix = response.header("Location")
    response = yield get(fix)
    expect(response, f"GET {fix}")
    if (standing := stands(fix, response)) is None:
        raise Failed(f"{fix} has no form to answer by.")
    return standing


def answered(standing: Standing) -> Visit:
    """One answer; ends with where the session stands then, or None at its end."""
    response = yield post(standing.path, still_broken(standing), htmx=True)
    expect(response, f"POST {standing.path}")
    path = response.header("HX-Push-Url")
    following = stands(path, response)
    if following is None and not path.endswith("/end/"):
        raise Failed(f"After {standing.path} came {path}, which has no form to answer by.")
    if following and int(following.seq) <= int(standing.seq):
        raise Failed(f"{standing.path} was answered, but the session did not go on.")
    return following


def still_broken(standing: Standing) -> dict[str, str]:
    return {"seq": standing.seq, "outcome": "not_fixed"}


def stands(path: str, response: Response) -> Standing | None:
    text = response.text
    found = _SEQ.search(text)
    return Standing(path, found[1]) if found and 'value="not_fixed"' in text else None


def whole(slug: str, symptom: str) -> Visit:
    """A whole visit: the guide, then a session from its start to its end."""
    response = yield get(f"/g/{slug}/")
    expect(response, "GET of the guide")
    standing = yield from started(slug, symptom)
    while standing:
        standing = yield from answered(standing)


def weights(slug: str, symptom: str) -> Visit:
    """A first visit of a guide, and an answer; ends with the bytes of each, as they are sent."""
    page = yield get(f"/g/{slug}/")
    expect(page, "GET of the guide")
    sizes = {"html": len(page.body)}
    for kind, pattern in (("css", _STYLES), ("js", _SCRIPTS)):
        sizes[kind] = 0
        for path in pattern.findall(page.text):
            response = yield get(path)
            expect(response, f"GET {path}")
            sizes[kind] += len(response.body)
    standing = yield from started(slug, symptom)
    response = yield post(standing.path, still_broken(standing), htmx=True)
    expect(response, f"POST {standing.path}")
    return sizes | {"answer": len(response.body)}


def read_symptoms(slug: str) -> Visit:
    """Ends with the keys of the symptoms that a guide lets choose."""
    page = yield get(f"/g/{slug}/")
    expect(page, "GET of the guide")
    return _SYMPTOM.findall(page.text)


@dataclass(frozen=True)
class WizardStep:
    """Where a visitor of the wizard stands: the step's number, the form's token, the cookies."""

    step: str
    token: str
    cookies: dict[str, str]


@dataclass(frozen=True)
class WizardSteps:
    """The same visitor in the wizard. The last step, which leads to its end, is left out: there
    the wizard looks at all forms once more, and that would be no equal step."""

    steps: int

    def begin(self) -> Visit:
        response = yield get("/")
        expect(response, "GET / of the wizard")
        return self._step(response, response.cookies)

    def go(self, state: Any) -> Visit:
        step: WizardStep = state
        while int(step.step) < self.steps - 1:
            fields = {
                "csrfmiddlewaretoken": step.token,
                "fix_wizard-current_step": step.step,
                f"{step.step}-outcome": "not_fixed",
            }
            response = yield post("/", fields, step.cookies)
            expect(response, "POST / of the wizard")
            following = self._step(response, step.cookies | response.cookies)
            if int(following.step) != int(step.step) + 1:
                raise Failed(f"The wizard did not go on from step {step.step}.")
            step = following

    def _step(self, response: Response, cookies: dict[str, str]) -> WizardStep:
        text = response.text
        step, token = _STEP.search(text), _TOKEN.search(text)
        if not (step and token):
            raise Failed("A page of the wizard has no form.")
        return WizardStep(step[1], token[1], cookies)
