"""What a disk could hold after a power cut, in the models of the torture."""

import random
from unittest import TestCase as PlainTestCase

from torture.disk import HEAD, SECTOR, Disk, Event, Model, events

FILE, JOURNAL, FOLDER = "/data/desk", "/data/desk-journal", "/data"


def wrote(data: bytes, at: int = 0, path: str = FILE) -> Event:
    return Event(0, "w", path, at, data=data)


def synced(path: str = FILE, token: int = 1) -> list[Event]:
    return [Event(0, "b", path, token=token), Event(0, "s", path, token=token)]


class DiskTests(PlainTestCase):
    def after(self, model: Model, *seen: Event, seed: int = 1) -> dict[str, bytes]:
        disk = Disk({FILE: b"old"})
        for event in seen:
            disk.see(event)
        return disk.after(model, random.Random(seed))

    def test_what_was_not_synced_is_not_there_for_certain(self) -> None:
        self.assertEqual(self.after(Model.SYNCED, wrote(b"new")), {FILE: b"old"})
        self.assertEqual(self.after(Model.SYNCED, wrote(b"new"), *synced()), {FILE: b"new"})

    def test_a_sync_is_for_what_was_written_before_it_began(self) -> None:
        began, ended = synced()
        seen = [wrote(b"new"), began, wrote(b"late"), ended]
        self.assertEqual(self.after(Model.SYNCED, *seen), {FILE: b"new"})

    def test_a_sync_that_did_not_come_back_promises_nothing(self) -> None:
        self.assertEqual(self.after(Model.SYNCED, wrote(b"new"), synced()[0]), {FILE: b"old"})

    def test_two_syncs_at_once_each_keep_what_they_began_with(self) -> None:
        one, other = synced(token=1), synced(token=2)
        seen = [wrote(b"a"), one[0], wrote(b"b", 1), other[0], one[1], wrote(b"c", 2), other[1]]
        self.assertEqual(self.after(Model.SYNCED, *seen), {FILE: b"abd"})

    def test_a_sync_of_another_file_does_nothing_for_this_one(self) -> None:
        seen = [wrote(b"page", path=JOURNAL), wrote(b"new"), *synced(JOURNAL)]
        self.assertEqual(self.after(Model.SYNCED, *seen), {FILE: b"old", JOURNAL: b"page"})

    def test_some_sectors_may_be_there_and_others_not(self) -> None:
        new = b"n" * SECTOR * 8
        found = {self.after(Model.SOME, wrote(new), seed=seed)[FILE] for seed in range(40)}
        self.assertIn(b"old", found)
        self.assertIn(new, found)
        self.assertGreater(len(found), 4)

    def test_the_last_write_may_be_torn_between_sectors(self) -> None:
        seen = [wrote(b"a"), wrote(b"n" * SECTOR * 4, at=SECTOR)]
        found = {self.after(Model.TORN, *seen, seed=seed)[FILE] for seed in range(40)}
        self.assertEqual({len(each) for each in found}, {3, *(SECTOR * n for n in range(2, 6))})
        self.assertTrue(all(each.startswith(b"ald") for each in found))

    def test_a_removed_name_comes_back_until_its_folder_is_synced(self) -> None:
        seen = [wrote(b"page", path=JOURNAL), *synced(JOURNAL), Event(0, "u", JOURNAL)]
        self.assertEqual(self.after(Model.SYNCED, *seen), {FILE: b"old"})
        self.assertEqual(self.after(Model.NAMES, *seen), {FILE: b"old", JOURNAL: b"page"})
        self.assertEqual(self.after(Model.NAMES, *seen, *synced(FOLDER, 2)), {FILE: b"old"})

    def test_a_new_name_may_be_missing_until_its_folder_is_synced(self) -> None:
        seen = [wrote(b"page", path=JOURNAL), *synced(JOURNAL)]
        self.assertEqual(self.after(Model.NEW, *seen), {FILE: b"old"})
        self.assertEqual(
            self.after(Model.NEW, *seen, *synced(FOLDER, 2)), {FILE: b"old", JOURNAL: b"page"}
        )

    def test_a_file_can_be_cut_and_lengthened(self) -> None:
        cut, longer = Event(0, "t", FILE, 1), Event(0, "t", FILE, 5)
        self.assertEqual(self.after(Model.SYNCED, cut, *synced()), {FILE: b"o"})
        self.assertEqual(self.after(Model.SYNCED, longer, *synced()), {FILE: b"old\0\0"})


class EventTests(PlainTestCase):
    def test_the_record_is_read_as_it_was_written(self) -> None:
        one = HEAD.pack(1.5, 4096, 0, 4, len(FILE), b"w") + FILE.encode() + b"page"
        other = HEAD.pack(2.5, 0, 7, 0, len(FOLDER), b"s") + FOLDER.encode()
        told = list(events(one + other))
        self.assertEqual(told[0], Event(1.5, "w", FILE, 4096, 0, b"page"))
        self.assertEqual(told[1], Event(2.5, "s", FOLDER, 0, 7))
