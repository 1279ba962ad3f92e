"""How sessions ended and which fixes ended them: the staff's numbers, counted from the rows.

The population rule. Each session counts exactly once, as the first of these that it is:

    confirmed   the visitor said that a fix fixed it (status resolved)
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

from .by_fix import fixes
from .by_guide import choices, guides, title
from .by_session import BATCH, all_walks, sessions, walks
from .filters import Filter
from .population import IDLE, endings
from .rows import AttemptRow, Choices, Ending, Endings, FixRow, GuideRow, SessionRow

__all__ = [
    "BATCH",
    "IDLE",
    "AttemptRow",
    "Choices",
    "Ending",
    "Endings",
    "Filter",
    "FixRow",
    "GuideRow",
    "SessionRow",
    "all_walks",
    "choices",
    "endings",
    "fixes",
    "guides",
    "sessions",
    "title",
    "walks",
]
