"""The nouns, in the order in which they may know each other: content … sessions, counts."""

from .content import Contact, Fix, Guide, Picture, Placement, Risk, Step, Symptom, Topic
from .counts import MissedSearch
from .deliveries import Delivery, TwoSecrets, Webhook
from .drafts import copied, rewrite
from .editions import CannotRollBack, CannotSchedule, Edition, EditionQuerySet, NotReady
from .escalations import CannotMove, Cure, Escalation
from .findings import Finding, findings
from .follow_ups import Answer, CannotAsk, FollowUp
from .handovers import HandOver
from .log import CannotReview, LogLine
from .messages import Message, TooMany
from .reading import Reading, ReadingContact, ReadingFix, ReadingStep, ReadingSymptom, freeze, read
from .scenarios import Scenario
from .sessions import Attempt, Kind, Move, Session
from .transcript import Line, Tried, lines, transcript, tried
from .translations import CannotTranslate, Translation
from .wording import Change, weighed

__all__ = [
    "Answer",
    "Attempt",
    "CannotAsk",
    "CannotMove",
    "CannotReview",
    "CannotRollBack",
    "CannotSchedule",
    "CannotTranslate",
    "Change",
    "Contact",
    "Cure",
    "Delivery",
    "Edition",
    "EditionQuerySet",
    "Escalation",
    "Finding",
    "Fix",
    "FollowUp",
    "Guide",
    "HandOver",
    "Kind",
    "Line",
    "LogLine",
    "Message",
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
    "TooMany",
    "Topic",
    "Translation",
    "Tried",
    "TwoSecrets",
    "Webhook",
    "copied",
    "findings",
    "freeze",
    "lines",
    "read",
    "rewrite",
    "transcript",
    "tried",
    "weighed",
]
