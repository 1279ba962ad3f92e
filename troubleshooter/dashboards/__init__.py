"""The staff's pages of numbers: who may see them, and how analytics is put into words.

Its rooms, in the order in which they may know each other: base, filters, tables, files, wording,
cells, reasons, drawings, sorting, looks, then a page each.
"""

from .beside import export_beside, numbers_beside
from .escalations import export_escalations, numbers_escalations
from .fixes import export_fix, export_fixes, numbers_fix, numbers_fixes
from .guide import export_guide, numbers_groups, numbers_guide, numbers_sessions
from .order import numbers_order
from .overview import export_guides, numbers

__all__ = [
    "export_beside",
    "export_escalations",
    "export_fix",
    "export_fixes",
    "export_guide",
    "export_guides",
    "numbers",
    "numbers_beside",
    "numbers_escalations",
    "numbers_fix",
    "numbers_fixes",
    "numbers_groups",
    "numbers_guide",
    "numbers_order",
    "numbers_sessions",
]
