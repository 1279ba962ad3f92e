"""Power cuts: what the real server asked of its disk is recorded, and cut off at any moment."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from torture.disk import Disk, Event, Model, events
from torture.finding import Finding, Size, until
from torture.history import History, check
from torture.installation import Installation, Mode, Read, preloaded, prepared
from torture.visitors import Crowd

TOGETHER = 60  # crashes that one process reads
MEMORY = Path("/dev/shm")


@dataclass(slots=True)
class Recorded:
    """What visitors were told, and what the server asked of its disk meanwhile."""

    history: History
    before: dict[str, bytes]  # the files as they were
    events: list[Event]


def power_cut(mode: Mode, size: Size) -> Finding:
    """Visitors walk while everything is recorded; then the power is cut at so many moments.

    Every answer that was acknowledged before the cut must be there when the desk starts again, in
    a file that SQLite finds whole.
    """
    finding = Finding("power cut", mode)
    with TemporaryDirectory(prefix="torture-data-") as data, prepared(mode, at=Path(data)) as desk:
        told = _record(desk, size)
        finding.acknowledged = told.history.acknowledged
        lost: Counter[Model] = Counter()
        crashes = _crashes(told, size)
        while batch := list(islice(crashes, TOGETHER)):
            for (moment, model, _files), read in zip(batch, _reread(desk, batch), strict=True):
                finding.strikes += 1
                faults = check(told.history.as_of(moment), read.sessions)
                lost[model] += bool(faults)
                finding.faults += faults
                if read.integrity != "ok":
                    finding.wrong.append(f"{model}: {read.integrity[:100]}")
    finding.notes.append(f"{len(told.events):,} calls to the disk recorded")
    finding.notes += [f"{model}: {lost[model]:,} cuts lost something" for model in Model]
    return finding


def _record(desk: Installation, size: Size) -> Recorded:
    record = desk.folder / "record"
    folder = desk.file.parent
    before = {str(each): each.read_bytes() for each in folder.iterdir()}
    desk.more = {
        "LD_PRELOAD": str(preloaded(desk.folder, "recorder")),
        "TORTURE_FOLDER": str(folder),
        "TORTURE_RECORD": str(record),
    }
    desk.start()
    desk.wait()
    with Crowd(desk.port, size.clients, size.seed) as crowd:
        until(lambda: crowd.acknowledged >= size.answers, "no answers come")
    desk.stop()
    return Recorded(crowd.history, before, list(events(record.read_bytes())))


Crash = tuple[float, Model, dict[str, bytes]]


def _crashes(told: Recorded, size: Size) -> Iterator[Crash]:
    """At so many moments since the first session began: what the disk could hold, by model."""
    chance = random.Random(size.seed)
    began = min(at for at in told.history.starts.values() if at is not None)
    choice = [number for number, event in enumerate(told.events) if event.at > began]
    moments = set(chance.sample(choice, min(size.kills, len(choice))))
    disk = Disk(told.before)
    for number, event in enumerate(told.events):
        disk.see(event)
        if number in moments:
            for model in Model:
                yield event.at, model, disk.after(model, chance)


def _reread(desk: Installation, crashes: Sequence[Crash]) -> list[Read]:
    """What a desk finds that starts after each of these, recovery included."""
    memory = MEMORY if MEMORY.is_dir() else None
    with TemporaryDirectory(prefix="torture-", dir=memory) as name:
        copies = []
        for number, (_moment, _model, files) in enumerate(crashes):
            folder = Path(name) / str(number)
            folder.mkdir()
            for path, content in files.items():
                if not path.endswith("-shm"):  # shared memory, which SQLite makes anew
                    (folder / Path(path).name).write_bytes(content)
            copies.append(folder / desk.file.name)
        return list(desk.read(*copies))
