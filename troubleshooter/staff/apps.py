"""The app that lets staff in, as this project has it."""

from allauth.account import checks  # noqa: F401 (they register themselves)
from allauth.account.apps import AccountConfig


class Account(AccountConfig):
    """That of allauth; its middleware is in STAFF_MIDDLEWARE, so visitors do not pass it."""

    def ready(self) -> None:
        """Not allauth's own, which insists on finding the middleware in MIDDLEWARE."""
