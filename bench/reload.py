"""Reload the real server under load, again and again, and count the requests that failed.

    .venv/bin/python bench/reload.py [RELOADS] [CLIENTS]

Each client asks for a page, waits for it whole and asks again, with a new connection each time as
nginx does. The figure stands in docs/reliability.md; tests/test_reload.py is the same, small.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

from tests.reloads import reload_under_load  # noqa: E402


def main(reloads: int, clients: int) -> int:
    found = reload_under_load(reloads, clients)
    print(f"{reloads} reloads, {clients} clients, {found.answered} requests answered")
    print(f"failed {len(found.failed)}", *found.failed[:10], sep="\n")
    return bool(found.failed)


if __name__ == "__main__":
    given = [int(number) for number in sys.argv[1:]]
    sys.exit(main(*given, *(10, 8)[len(given) :]))
