"""Topics and contacts: what guides are grouped under, and whom they point to."""

from django.contrib import admin
from django.db.models import URLField
from django.utils.translation import gettext_lazy as _

from troubleshooter.models import Contact, Topic

from .base import DeskAdmin


@admin.register(Topic)
class TopicAdmin(DeskAdmin[Topic]):
    list_display = ["name", "slug", "position"]
    list_editable = ["position"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    instead = _("Guides are grouped under this topic: give them another one first.")


@admin.register(Contact)
class ContactAdmin(DeskAdmin[Contact]):
    list_display = ["name", "url", "language", "position"]
    list_filter = ["language"]
    search_fields = ["name", "note"]
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
