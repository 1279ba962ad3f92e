"""The nouns, in the order in which they may know each other: content, editions, sessions."""

from .content import Contact, Fix, Guide, Picture, Placement, Risk, Step, Symptom, Topic
from .editions import Edition, NotReady
from .findings import Finding, findings
from .reading import Reading, ReadingContact, ReadingFix, ReadingStep, ReadingSymptom, freeze, read
from .sessions import Attempt, Kind, Move, Session
from .transcript import Tried, transcript, tried

__all__ = [
    "Attempt",
    "Contact",
    "Edition",
    "Finding",
    "Fix",
    "Guide",
    "Kind",
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
    "Session",
    "Step",
    "Symptom",
    "Topic",
    "Tried",
    "findings",
    "freeze",
    "read",
    "transcript",
    "tried",
]
