"""The nouns, in the order in which they may know each other: content … sessions, counts."""

from .attempts import Attempt
from .audit import AuditLine
from .bundles import (
    BUNDLED,
    OF,
    Bundle,
    BundleLine,
    StaleBundle,
    counts_in,
    joined,
    lines_by,
    pack,
    split,
    unpack,
)
from .columns import Columns, gathered
from .content import Contact, Fix, Guide, Picture, Placement, Risk, Step, Symptom, Topic
from .counts import (
    COUNTS,
    Count,
    CreditCount,
    DurableCount,
    EscalationCount,
    EscalationTime,
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
from .deliveries import Delivery, TwoSecrets, Webhook
from .drafts import copied, rewrite
from .editions import CannotRollBack, CannotSchedule, Edition, EditionQuerySet, NotReady
from .escalations import CannotMove, Cure, Escalation
from .factors import reset_factors
from .findings import Finding, findings
from .follow_ups import Answer, CannotAsk, FollowUp
from .handovers import HandOver
from .log import CannotReview, LogLine
from .logins import FailedLogin, Locked, StaffSession
from .messages import Message, TooMany
from .notices import CannotAnnounce, Notice, notice_on
from .operations import Beat, Erasure
from .orders import Learner, Order
from .outline import Outline, outlines
from .reading import Reading, ReadingContact, ReadingFix, ReadingStep, ReadingSymptom, freeze, read
from .scenarios import Scenario
from .searches import MissedSearch
from .sessions import Kind, Move, Session
from .signals import Signal
from .sisters import Sisters
from .sources import Incoming, Source, Taken
from .stale import Stale, midnight, month_after, month_of
from .transcript import Line, Tried, lines, transcript, tried
from .translations import CannotTranslate, Translation
from .wording import Change, weighed

__all__ = [
    "BUNDLED",
    "COUNTS",
    "OF",
    "Answer",
    "Attempt",
    "AuditLine",
    "Beat",
    "Bundle",
    "BundleLine",
    "CannotAnnounce",
    "CannotAsk",
    "CannotMove",
    "CannotReview",
    "CannotRollBack",
    "CannotSchedule",
    "CannotTranslate",
    "Change",
    "Columns",
    "Contact",
    "Count",
    "CreditCount",
    "Cure",
    "Delivery",
    "DurableCount",
    "Edition",
    "EditionQuerySet",
    "Erasure",
    "Escalation",
    "EscalationCount",
    "EscalationTime",
    "FailedLogin",
    "Finding",
    "Fix",
    "FixCount",
    "FixTime",
    "FollowUp",
    "Guide",
    "HandOver",
    "Incoming",
    "Kind",
    "Learner",
    "Line",
    "Locked",
    "LogLine",
    "Look",
    "Message",
    "MissedSearch",
    "Move",
    "NotReady",
    "Notice",
    "Order",
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
    "Signal",
    "Sisters",
    "Slice",
    "Source",
    "StaffSession",
    "Stale",
    "StaleBundle",
    "Step",
    "Symptom",
    "Taken",
    "TooMany",
    "Topic",
    "Translation",
    "Tried",
    "TwoSecrets",
    "Webhook",
    "copied",
    "counts_in",
    "findings",
    "freeze",
    "gathered",
    "idle_for",
    "idle_since",
    "joined",
    "lines",
    "lines_by",
    "midnight",
    "month_after",
    "month_of",
    "notice_on",
    "outlines",
    "pack",
    "read",
    "reset_factors",
    "rewrite",
    "split",
    "transcript",
    "tried",
    "unpack",
    "weighed",
]
