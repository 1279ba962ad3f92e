"""The nouns, in the order in which they may know each other: content … sessions, counts."""

from .content import Contact, Fix, Guide, Picture, Placement, Risk, Step, Symptom, Topic
from .counts import MissedSearch
from .deliveries import Delivery, Webhook
from .drafts import copied, rewrite
from .editions import CannotRollBack, CannotSchedule, Edition, EditionQuerySet, NotReady
from .findings import Finding, findings
from .handovers import HandOver
from .log import CannotReview, LogLine
from .reading import Reading, ReadingContact, ReadingFix, ReadingStep, ReadingSymptom, freeze, read
from .scenarios import Scenario
from .sessions import Attempt, Kind, Move, Session
from .transcript import Tried, transcript, tried

__all__ = [
    "Attempt",
    "CannotReview",
    "CannotRollBack",
    "CannotSchedule",
    "Contact",
    "Delivery",
    "Edition",
    "EditionQuerySet",
    "Finding",
    "Fix",
    "Guide",
    "HandOver",
    "Kind",
    "LogLine",
    "MissedSearch",
    "Move",
    "NotReady",
    "Picture",
    "Placement",
    "Reading",
    "ReadingContact",
    "ReadingFix",
    "ReadingStep",
    "ReadingSymptom",
    "Risk",
    "Scenario",
    "Session",
    "Step",
    "Symptom",
    "Topic",
    "Tried",
    "Webhook",
    "copied",
    "findings",
    "freeze",
    "read",
    "rewrite",
    "transcript",
    "tried",
]
