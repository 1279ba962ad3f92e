"""How sessions ended and which fixes ended them: the staff's numbers, added up from counts.

Everything is as of the last count (`counted`), but for sessions one by one and escalations, which
are read from their rows. By which rule a session ended tells `population.py`. Simulated sessions
are left out unless a Filter asks for them.

Beside the population rule: durable is what a fix was when the visitor, asked days later, says that
it holds.

Read-only, and free of presentation: every function answers one question with plain values.
"""

from troubleshooter.population import Ending

from .by_day import DAYS, days, newest_days
from .by_fix import fixes
from .by_group import groups
from .by_guide import choices, endings, guides, title, topics
from .by_place import places
from .by_session import BATCH, Sessions, all_walks, walks
from .counted import Counted, counted
from .durable import Durable, durable, durable_in_guides
from .escalated import (
    CreditRow,
    EscalationRow,
    credits,
    escalations,
    last_fixes,
    together,
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
from .rows import (
    AttemptRow,
    Beside,
    Choices,
    DayRow,
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
    "PERIOD",
    "WEEKS",
    "AttemptRow",
    "Beside",
    "Choices",
    "Counted",
    "CreditRow",
    "DayRow",
    "Durable",
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
    "Sessions",
    "Side",
    "Sides",
    "Span",
    "SymptomOrder",
    "Tally",
    "TrafficRow",
    "all_walks",
    "apart",
    "beside",
    "choices",
    "counted",
    "credits",
    "days",
    "durable",
    "durable_in_guides",
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
    "title",
    "together",
    "topics",
    "traffic",
    "two_editions",
    "two_periods",
    "walks",
    "weeks",
]
