"""The nouns, in the order in which they may know each other: content … sessions, counts."""

from .content import Contact, Fix, Guide, Picture, Placement, Risk, Step, Symptom, Topic
from .counts import (
    COUNTS,
    Count,
    FixCount,
    FixTime,
    Look,
    PlaceCount,
    ResolutionTime,
    SessionCount,
    Slice,
    idle_for,
    idle_since,
)
from .deliveries import Delivery, Webhook
from .drafts import copied, rewrite
from .editions import CannotRollBack, CannotSchedule, Edition, EditionQuerySet, NotReady
from .escalations import CannotMove, Cure, Escalation, Message, TooMany
from .findings import Finding, findings
from .handovers import HandOver
from .log import CannotReview, LogLine
from .outline import Outline, outlines
from .reading import Reading, ReadingContact, ReadingFix, ReadingStep, ReadingSymptom, freeze, read
from .scenarios import Scenario
from .searches import MissedSearch
from .sessions import Attempt, Kind, Move, Session
from .stale import Stale, midnight, month_after, month_of
from .transcript import Line, Tried, lines, transcript, tried

__all__ = [
    "COUNTS",
    "Attempt",
    "CannotMove",
    "CannotReview",
    "CannotRollBack",
    "CannotSchedule",
    "Contact",
    "Count",
    "Cure",
    "Delivery",
    "Edition",
    "EditionQuerySet",
    "Escalation",
    "Finding",
    "Fix",
    "FixCount",
    "FixTime",
    "Guide",
    "HandOver",
    "Kind",
    "Line",
    "LogLine",
    "Look",
    "Message",
    "MissedSearch",
    "Move",
    "NotReady",
    "Outline",
    "Picture",
    "PlaceCount",
    "Placement",
    "Reading",
    "ReadingContact",
    "ReadingFix",
    "ReadingStep",
    "ReadingSymptom",
    "ResolutionTime",
    "Risk",
    "Scenario",
    "Session",
    "SessionCount",
    "Slice",
    "Stale",
    "Step",
    "Symptom",
    "TooMany",
    "Topic",
    "Tried",
    "Webhook",
    "copied",
    "findings",
    "freeze",
    "idle_for",
    "idle_since",
    "lines",
    "midnight",
    "month_after",
    "month_of",
    "outlines",
    "read",
    "rewrite",
    "transcript",
    "tried",
]
