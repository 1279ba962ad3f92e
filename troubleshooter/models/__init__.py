"""The nouns, in the order in which they may know each other: content … sessions, counts."""

from .attempts import Attempt
from .content import Contact, Fix, Guide, Picture, Placement, Risk, Step, Symptom, Topic
from .counts import MissedSearch
from .deliveries import Delivery, Webhook
from .drafts import copied, rewrite
from .editions import CannotRollBack, CannotSchedule, Edition, EditionQuerySet, NotReady
from .escalations import CannotMove, Cure, Escalation, Message, TooMany
from .findings import Finding, findings
from .handovers import HandOver
from .log import CannotReview, LogLine
from .orders import Learner, Order
from .reading import Reading, ReadingContact, ReadingFix, ReadingStep, ReadingSymptom, freeze, read
from .scenarios import Scenario
from .sessions import Kind, Move, Session
from .transcript import Line, Tried, lines, transcript, tried

__all__ = [
    "Attempt",
    "CannotMove",
    "CannotReview",
    "CannotRollBack",
    "CannotSchedule",
    "Contact",
    "Cure",
    "Delivery",
    "Edition",
    "EditionQuerySet",
    "Escalation",
    "Finding",
    "Fix",
    "Guide",
    "HandOver",
    "Kind",
    "Learner",
    "Line",
    "LogLine",
    "Message",
    "MissedSearch",
    "Move",
    "NotReady",
    "Order",
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
    "TooMany",
    "Topic",
    "Tried",
    "Webhook",
    "copied",
    "findings",
    "freeze",
    "lines",
    "read",
    "rewrite",
    "transcript",
    "tried",
]
