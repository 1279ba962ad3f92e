"""Scenarios: what must come of a simulated visitor's answers, before a guide is published.

They run on the draft, by the rules that real sessions follow; no session is stored.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter import flow
from troubleshooter.flow import Outcome, Status
from troubleshooter.text import BadText

from .content import Fix, Guide, Symptom
from .fields import LineField

MOST_ANSWERS = 60
# What may be typed for each outcome; the first word for one is how it is kept.
WORDS = {
    "fixed": Outcome.FIXED,
    "not fixed": Outcome.NOT_FIXED,
    "skipped": Outcome.SKIPPED,
    "still broken": Outcome.NOT_FIXED,
    "skip": Outcome.SKIPPED,
}
_KEPT = {outcome: word for word, outcome in reversed(WORDS.items())}


class AnswersField(LineField):
    """Answers as words with commas between them, kept in one way of writing."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        if not isinstance(value, str):
            return value
        try:
            return written(parse(value))
        except BadText as refused:
            raise ValidationError(str(refused)) from refused


def parse(text: str) -> tuple[Outcome, ...]:
    """The answers that this text names, forgiving about case and blanks; or BadText."""
    if not text.strip():
        return ()
    answers = []
    for typed in text.split(","):
        word = " ".join(re.sub("[_-]", " ", typed).lower().split())
        if word not in WORDS:
            said = _("“%(word)s” is no answer: write “fixed”, “not fixed” or “skipped”.")
            raise BadText(said % {"word": typed.strip()[:40]})
        answers.append(WORDS[word])
    if len(answers) > MOST_ANSWERS:
        said = _("These are %(count)d answers; %(most)d are the most.")
        raise BadText(said % {"count": len(answers), "most": MOST_ANSWERS})
    return tuple(answers)


def written(answers: Sequence[Outcome]) -> str:
    """Answers as they are kept; `parse` reads them."""
    return ", ".join(_KEPT[answer] for answer in answers)


@dataclass(frozen=True, slots=True)
class Walked:
    """Where a simulated visitor stands after as many answers as there was a fix for."""

    following: flow.Next
    taken: int


def walk(order: Sequence[str], risky: Collection[str], answers: Sequence[Outcome]) -> Walked:
    """Let a visitor give these answers to the fixes that come to the front."""
    rows: list[flow.Row] = []
    following = flow.replay(order, rows, risky)
    for answer in answers:
        if not isinstance(following, flow.Try):
            break
        rows.append(flow.Row(len(rows) + 1, following.fix, answer))
        following = flow.replay(order, rows, risky)
    return Walked(following, len(rows))


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a scenario does not pass, as a sentence, and the field that says otherwise."""

    sentence: str
    field: str


class Scenario(models.Model):
    """Answers of a simulated visitor, and how the session must stand after them."""

    EXPECTED = [
        (Status.OPEN, gettext_lazy("stands before the fix")),
        (Status.RESOLVED, gettext_lazy("is resolved by the fix")),
        (Status.EXHAUSTED, gettext_lazy("has no fix left")),
    ]

    guide = models.ForeignKey(Guide, models.CASCADE, related_name="scenarios")
    position = models.PositiveSmallIntegerField(gettext_lazy("position"), default=0)
    symptom = models.ForeignKey(
        Symptom,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="scenarios",
        verbose_name=gettext_lazy("symptom"),
        help_text=gettext_lazy("Empty: the visitor starts without one."),
    )
    answers = AnswersField(
        gettext_lazy("answers"),
        max_length=800,
        blank=True,
        help_text=gettext_lazy(
            "What the visitor says, in order: “fixed”, “not fixed” or “skipped”, with commas."
        ),
    )
    status = models.CharField(
        gettext_lazy("then the session"), max_length=10, choices=EXPECTED, default=Status.RESOLVED
    )
    # Emptied, not deleted, with the fix: a test must not disappear because it would fail.
    fix = models.ForeignKey(
        Fix,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=gettext_lazy("fix"),
    )

    class Meta:
        verbose_name = gettext_lazy("scenario")
        verbose_name_plural = gettext_lazy("scenarios")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status=Status.EXHAUSTED) | Q(fix=None),
                name="troubleshooter_scenario_no_fix_left",
            )
        ]

    def __str__(self) -> str:
        return self.answers or _("no answers")

    def clean(self) -> None:
        if self.status == Status.EXHAUSTED and self.fix_id:
            raise ValidationError({"fix": _("When no fix is left, none can be named here.")})
        if self.status != Status.EXHAUSTED and not self.fix_id:
            raise ValidationError({"fix": _("Say which fix.")})

    def fault(
        self, order: Sequence[str], risky: Collection[str], titles: Mapping[str, str]
    ) -> Fault | None:
        """Why it does not pass for fixes in this order; None when it does.

        `titles` are those of the fixes in the guide, by key.
        """
        if self.status != Status.EXHAUSTED and self.fix is None:
            return Fault(_("it does not say which fix."), "fix")
        if self.fix and self.fix.key not in titles:
            said = _("“%(fix)s” is not in this guide any more.")
            return Fault(said % {"fix": self.fix.title}, "fix")
        answers = parse(self.answers)
        walked = walk(order, risky, answers)
        name = {"answers": written(answers[: walked.taken])}
        if walked.taken < len(answers):
            said = _("after “%(answers)s” the session is at its end, but more answers follow.")
            return Fault(said % name, "answers")
        happened = _told(walked.following, titles)
        expected = _told(self._expected(), titles)
        if happened == expected:
            return None
        said = _("after “%(answers)s” %(happened)s; expected: %(expected)s.")
        if not answers:
            said = _("at the start %(happened)s; expected: %(expected)s.")
        return Fault(said % {**name, "happened": happened, "expected": expected}, "status")

    def _expected(self) -> flow.Next:
        if self.fix is None:
            return flow.Exhausted()
        resolved = self.status == Status.RESOLVED
        return flow.Resolved(self.fix.key) if resolved else flow.Try(self.fix.key)


def _told(following: flow.Next, titles: Mapping[str, str]) -> str:
    match following:
        case flow.Try(fix=fix):
            return _("the visitor stands before “%(fix)s”") % {"fix": titles[fix]}
        case flow.Resolved(by=fix):
            return _("the session is resolved by “%(fix)s”") % {"fix": titles[fix]}
        case flow.Exhausted():
            return _("no fix is left")
