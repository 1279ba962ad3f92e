"""All numbers once more, from the rows alone."""

from typing import Any

from django.core.management import BaseCommand
from django.utils import timezone

from troubleshooter import counting


class Command(BaseCommand):
    help = (
        "Makes all counts anew from the sessions, a day of a guide at a time. The worker counts by"
        " itself: this is for when rows were changed behind its back, by SQL or from a backup."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        days = counting.rebuild(timezone.now())
        self.stdout.write(f"Counted: {days} days of guides.")
