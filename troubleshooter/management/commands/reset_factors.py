"""Let somebody in who lost their phone, and every recovery code with it."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError

from troubleshooter.models import reset_factors


class Command(BaseCommand):
    help = "Takes all second factors from an account and ends its sessions; the password stays."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no account “{username}”.")
        count = reset_factors(user, by=None)
        self.stdout.write(
            f"“{username}” has no second factor any more (there were {count}), and is logged out."
            " The password alone lets them in; then they can add another one."
        )
