"""How often the signals are wrong on quiet guides, and how soon they find what is planted.

    .venv/bin/python bench/signals.py [YEARS]

Simulates YEARS (100) guide-years for each kind of traffic, always the same ones, and prints the
false alarms for a guide and year; then the days until a planted change is found, as median and
90th percentile, and how many were not found within four weeks. The figures stand in
docs/numbers.md.
"""

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.traffic import Change, year
from troubleshooter.signals import Kind

TRAFFIC = (3, 30, 200)  # sessions a day
PLANTED = (
    ("a fix falls from 35 % to 15 %", Kind.FALLING, Change(28, success=0.15)),
    ("a fix falls from 35 % to none", Kind.FALLING, Change(28, success=0.0)),
    ("cannot find it, from 6 % to 30 %", Kind.UNFINDABLE, Change(28, cannot_find=0.3)),
    ("a new platform with 5 %", Kind.UNSEEN, Change(28, platform=0.05)),
    ("three times the sessions", Kind.SURGE, Change(28, times=3)),
)
PATIENCE = 28  # days


def main(years: int) -> None:
    print(f"False alarms for a guide and year ({years} years each):")
    for mean in TRAFFIC:
        for burst in (1.0, 1.5, 3.0):
            kinds = Counter(
                kind for seed in range(years) for _day, kind, _what in year(seed, mean, burst)
            )
            each = ", ".join(f"{kind} {kinds[kind] / years:.3f}" for kind in Kind)
            print(
                f"  {mean:3} sessions a day, variance {burst} x mean:"
                f" {kinds.total() / years:.3f} ({each})"
            )
    print("Days until it is found (median, 90th percentile; not within four weeks):")
    for said, kind, change in PLANTED:
        for mean in TRAFFIC:
            print(f"  {said}, {mean} sessions a day: {delays(kind, change, mean, years // 3)}")


def delays(kind: Kind, change: Change, mean: int, times: int) -> str:
    took = []
    for seed in range(times):
        found = year(seed, mean, change=change, days=change.day + PATIENCE)
        hits = [day - change.day + 1 for day, what, _which in found if what == kind]
        took.append(min((hit for hit in hits if hit > 0), default=PATIENCE + 1))
    took.sort()
    middle, late = (str(took[int(len(took) * share)]) for share in (0.5, 0.9))
    missed = sum(days > PATIENCE for days in took)
    never = str(PATIENCE + 1)
    return f"{middle}, {late}; {missed} of {times}".replace(never, "–")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
