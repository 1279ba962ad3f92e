"""What is wrong with this installation, and what mends it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from troubleshooter.advice import Level
from troubleshooter.diagnosis import desk, examine

MARKS = {
    Level.FINE: "fine",
    Level.WORTH_KNOWING: "know",
    Level.RISKY: "RISK",
    Level.BROKEN: "MEND",
}


class Command(BaseCommand):
    help = (
        "Looks at settings, database, worker, mail, disk, clock and backups, and says of everything"
        " that is wrong what mends it. Ends with 1 when something does not work, else with 0."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--strict", action="store_true", help="Ends with 1 for a risk, too.")

    def handle(self, *args: Any, strict: bool, **options: Any) -> None:
        for line in desk():
            self.stdout.write(line)
        words = sorted(examine(), key=lambda word: -word.level)
        for word in words:
            self.stdout.write(f"{MARKS[word.level]}  {word.sentence}")
            if word.mend:
                self.stdout.write(f"      → {word.mend}")
        worst = max((word.level for word in words), default=Level.FINE)
        if worst < Level.RISKY:
            self.stdout.write("Nothing is wrong.")
        if worst >= (Level.RISKY if strict else Level.BROKEN):
            raise SystemExit(1)
