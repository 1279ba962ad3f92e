"""The desk of editors and agents: Django's admin, tidied.

Its rooms, in the order in which they may know each other: base, content, pictures, fixes, changes,
differences, publishing, then scheduling, orders, noticing, attention, reviews and changelog, packs,
sheet, rows, desk, acts, guides, records, outbox, escalations, people.
"""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from . import content, escalations, fixes, guides, outbox, people, pictures, records

__all__ = [
    "content",
    "escalations",
    "fixes",
    "guides",
    "outbox",
    "people",
    "pictures",
    "records",
]

admin.site.site_header = admin.site.site_title = _("Helpdesk")
admin.site.index_title = _("What do you want to do?")
