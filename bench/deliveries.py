"""Deliveries under torture, at full size: is each one delivered, however often a worker is killed?

    .venv/bin/python bench/deliveries.py [DELIVERIES] [KILLS]

Needs the tests' packages (requirements-dev.txt). Two real workers on SQLite in a temporary folder
(or on an empty database that TORTURE_DATABASE_URL names) hand half of the deliveries to a mail
server and half to a webhook; both refuse one in five, take one in ten without answering, and are
away a fifth of the time. Exits with 1 when one was lost, forged or not recorded.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

from tests.torture import torture  # noqa: E402


def main(deliveries: int, kills: int) -> int:
    database = os.environ.get("TORTURE_DATABASE_URL", "")
    report = torture(deliveries, kills, seed=2026, patience=600, database=database)
    print(f"{report.made} deliveries, {report.kills} kills, {report.seconds:.0f} s")
    print(f"lost {len(report.lost)}, unknown {len(report.unknown)}, forged {report.forged}")
    print(f"not recorded {len(report.not_recorded)}, with a body {len(report.with_body)}")
    print(f"refused {report.refusals}, taken without an answer {report.unanswered}")
    print(f"arrived once more {report.repeats}, one of them {report.most_repeats} times")
    return 0 if report.good else 1


if __name__ == "__main__":
    asked = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*(asked + [1000, 100][len(asked) :])))
