"""How sessions ended and which fixes ended them: the staff's numbers, counted from the rows.

The population rule. Each session counts exactly once, as the first of these that it is:

    confirmed   the visitor said that a fix fixed it (status resolved)
    escalated   a person was asked for, whatever else became of it
    exhausted   every fix was tried, or skipped twice (status exhausted)
    assumed     went away on a shown fix: the last attempt is unanswered
    left        the rest: stood before a data-losing fix (which needs a yes that nobody gave),
                or its edition was withdrawn
    under way   still moving: open, and its last sign of life is younger than IDLE; it is
                counted as assumed or left only after that

Simulated sessions are left out unless they are asked for (`simulated=True`, here or in a Filter).

Read-only, and free of presentation: every function answers one question with plain values, so
that it can later be answered from counts. `now` is always passed in.
"""

from .by_day import DAYS, all_days, days, newest_days
from .by_fix import fixes
from .by_group import groups
from .by_guide import choices, guides, title, topics
from .by_place import places
from .by_session import BATCH, all_walks, sessions, walks
from .escalated import (
    CreditRow,
    EscalationRow,
    all_escalations,
    credits,
    escalations,
    last_fixes,
)
from .everywhere import (
    FixEverywhere,
    FixInGuide,
    FixNow,
    FixOnPlatform,
    apart,
    fix_in_guides,
    fix_now,
    fix_on_platforms,
    fixes_everywhere,
)
from .filters import Filter
from .orders import OrderLine, SymptomOrder, gain, gain_of_all, leading, learner, order_of
from .population import IDLE, endings
from .rows import (
    AttemptRow,
    Beside,
    Choices,
    DayRow,
    Ending,
    Endings,
    FixPair,
    FixRow,
    FixTimeRow,
    GroupRow,
    Groups,
    GuideRow,
    PlaceRow,
    Quartiles,
    Resolution,
    SessionRow,
    Side,
    Span,
    Tally,
)
from .sides import PERIOD, Sides, beside, two_editions, two_periods
from .times import fix_times, resolution
from .traffic import WEEKS, TrafficRow, traffic, weeks

__all__ = [
    "BATCH",
    "DAYS",
    "IDLE",
    "PERIOD",
    "WEEKS",
    "AttemptRow",
    "Beside",
    "Choices",
    "CreditRow",
    "DayRow",
    "Ending",
    "Endings",
    "EscalationRow",
    "Filter",
    "FixEverywhere",
    "FixInGuide",
    "FixNow",
    "FixOnPlatform",
    "FixPair",
    "FixRow",
    "FixTimeRow",
    "GroupRow",
    "Groups",
    "GuideRow",
    "OrderLine",
    "PlaceRow",
    "Quartiles",
    "Resolution",
    "SessionRow",
    "Side",
    "Sides",
    "Span",
    "SymptomOrder",
    "Tally",
    "TrafficRow",
    "all_days",
    "all_escalations",
    "all_walks",
    "apart",
    "beside",
    "choices",
    "credits",
    "days",
    "endings",
    "escalations",
    "fix_in_guides",
    "fix_now",
    "fix_on_platforms",
    "fix_times",
    "fixes",
    "fixes_everywhere",
    "gain",
    "gain_of_all",
    "groups",
    "guides",
    "last_fixes",
    "leading",
    "learner",
    "newest_days",
    "order_of",
    "places",
    "resolution",
    "sessions",
    "title",
    "topics",
    "traffic",
    "two_editions",
    "two_periods",
    "walks",
    "weeks",
]
