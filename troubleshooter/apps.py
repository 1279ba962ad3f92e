"""The one app of this project."""

from django.apps import AppConfig


class TroubleshooterConfig(AppConfig):
    name = "troubleshooter"
    default_auto_field = "django.db.models.BigAutoField"
