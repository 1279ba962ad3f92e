"""The one app of this project, and the roles its staff have."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.apps.registry import Apps
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.core.cache import close_caches
from django.core.checks import CheckMessage, Debug, Info, Warning, register
from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, close_old_connections, reset_queries, router
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from troubleshooter import advice

ALL = ("view", "add", "change", "delete")
CONTENT = (
    "topic",
    "guide",
    "placement",
    "symptom",
    "scenario",
    "fix",
    "step",
    "contact",
    "picture",
)
RECORDS = ("edition", "session", "attempt", "missedsearch", "delivery")


def may(actions: tuple[str, ...], *models: str) -> set[str]:
    """The code names of the permissions to do `actions` with `models`."""
    return {f"{action}_{model}" for action in actions for model in models}


READER = may(("view",), *CONTENT, *RECORDS, "escalation", "message")
AGENT = READER | may(("change",), "escalation")
EDITOR = READER | may(ALL, *CONTENT) | {"publish_guide"}
ADMINISTRATOR = (
    EDITOR
    | AGENT
    | may(ALL, "user", "webhook")
    | may(("view",), "group", "auditline")
    | may(("change",), "delivery")  # to try it again; nobody edits one
)
ROLES = {"Editor": EDITOR, "Agent": AGENT, "Administrator": ADMINISTRATOR}


def make_roles(
    app_config: AppConfig,
    using: str = DEFAULT_DB_ALIAS,
    apps: Apps = installed,
    **_signal: Any,
) -> None:
    """Make the roles as groups; give those that exist what they lack, and take nothing away."""
    try:
        Group = apps.get_model("auth", "Group")
        Permission = apps.get_model("auth", "Permission")
    except LookupError:  # the accounts themselves are not migrated yet
        return
    if not router.allow_migrate_model(using, Group):
        return
    # Our signal comes before those that make the permissions of the accounts.
    for config in (app_config, installed.get_app_config("auth")):
        create_permissions(config, verbosity=0, using=using, apps=apps)
    for name, codenames in ROLES.items():
        role, _made = Group.objects.using(using).get_or_create(name=name)
        role.permissions.add(
            *Permission.objects.using(using).filter(
                content_type__app_label__in=("troubleshooter", "auth"), codename__in=codenames
            )
        )


CHECKS = {
    advice.Level.FINE: Debug,
    advice.Level.WORTH_KNOWING: Info,
    advice.Level.RISKY: Warning,
}


@register()
def what_the_settings_tell(**_asked: Any) -> list[CheckMessage]:
    """What `doctor` says of the settings alone."""
    return [
        CHECKS[word.level](word.sentence, hint=word.mend or None, id=f"troubleshooter.{word.code}")
        for look in advice.STATIC
        for word in look()
    ]


def look_once() -> None:
    """Spare each request what Django looks after twice, or for nothing.

    Connections to the database are looked at when a request ends, so not again when the next one
    begins. Statements are only kept to be shown when DEBUG is on. No cache we may use has
    anything to close.
    """
    request_started.disconnect(close_old_connections)
    if not settings.DEBUG:
        request_started.disconnect(reset_queries)
    request_finished.disconnect(close_caches)


class TroubleshooterConfig(AppConfig):
    name = "troubleshooter"
    verbose_name = _("Guides and sessions")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(make_roles, sender=self)
        look_once()
