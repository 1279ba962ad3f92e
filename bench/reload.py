"""Reload the real server under load, again and again, and count the requests that failed.

    .venv/bin/python bench/reload.py [RELOADS] [CLIENTS]

Each client asks for a page, waits for it whole and asks again, with a new connection each time as
nginx does. The figure stands in docs/reliability.md; tests/test_reload.py is the same, small.
"""

import sys

from tests.reloads import reload_under_load


def main() -> None:
    reloads = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    found = reload_under_load(reloads, clients)
    print(
        f"{reloads} reloads, {clients} clients: {found.answered} answered, failed: {found.failed}"
    )
    sys.exit(bool(found.failed))


if __name__ == "__main__":
    main()
