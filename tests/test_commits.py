"""Commits: what several threads have waiting is committed by one of them."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from unittest import mock, skipUnless

from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections
from django.test import TransactionTestCase

from helpdesk.sqlite.base import DatabaseWrapper
from troubleshooter.models import Topic
from troubleshooter.models.commits import _group, together


def names() -> list[str]:
    return sorted(Topic.objects.values_list("name", flat=True))


def add(name: str) -> str:
    Topic.objects.create(name=name, slug=name)
    return name


@skipUnless(connection.vendor == "sqlite", "PostgreSQL shares commits by itself")
class TogetherTests(TransactionTestCase):
    def together(self, *works: Callable[[], str]) -> list[Future[str]]:
        """The first work is under way until all the others wait behind it."""
        begun, go_on = threading.Event(), threading.Event()

        def first() -> str:
            if not begun.is_set():  # when it is done again, nobody waits any more
                begun.set()
                go_on.wait(5)
            return works[0]()

        def post(work: Callable[[], str]) -> str:
            try:
                return together(work)
            finally:
                here = connections[DEFAULT_DB_ALIAS]
                assert isinstance(here, DatabaseWrapper)
                here._close()  # close() leaves it open when the database is in memory

        with ThreadPoolExecutor(len(works)) as threads:
            found = [threads.submit(post, first)]
            begun.wait(5)
            found += [threads.submit(post, work) for work in works[1:]]
            while len(_group._waiting) < len(works) - 1:
                pass
            go_on.set()
        return found

    def test_those_who_wait_are_committed_by_one_of_them(self) -> None:
        commits = []
        commit = DatabaseWrapper.commit

        def counted(self: DatabaseWrapper) -> None:
            commits.append(1)
            commit(self)

        with mock.patch.object(DatabaseWrapper, "commit", counted):
            found = self.together(*(lambda name=name: add(name) for name in "abcd"))
        self.assertEqual([each.result() for each in found], list("abcd"))
        self.assertEqual((names(), len(commits)), (list("abcd"), 2))

    def test_one_that_fails_fails_alone(self) -> None:
        def fail() -> str:
            add("half")
            raise ValueError("no")

        found = self.together(lambda: add("a"), fail, lambda: add("b"))
        self.assertEqual([each.result() for each in (found[0], found[2])], ["a", "b"])
        with self.assertRaisesMessage(ValueError, "no"):
            found[1].result()
        self.assertEqual(names(), ["a", "b"])

    def test_a_commit_that_fails_fails_all_who_wait_for_it(self) -> None:
        def fail(self: object) -> None:
            raise OperationalError("disk full")

        with mock.patch.object(DatabaseWrapper, "_commit", fail):
            found = self.together(lambda: add("a"), lambda: add("b"), lambda: add("c"))
        for each in found:
            with self.assertRaisesMessage(OperationalError, "disk full"):
                each.result()
        self.assertEqual(names(), [])
        self.assertEqual(together(lambda: add("later")), "later")

    def test_when_no_transaction_can_begin_all_who_wait_are_told(self) -> None:
        def locked(self: object) -> None:
            raise OperationalError("database is locked")

        begin = "_start_transaction_under_autocommit"
        with (
            mock.patch.object(DatabaseWrapper, begin, locked),
            self.assertRaisesMessage(OperationalError, "locked"),
        ):
            together(lambda: add("a"))
        self.assertEqual(together(lambda: add("later")), "later")

    def test_who_waits_behind_one_that_cannot_begin_gives_up_and_the_first_goes_on(self) -> None:
        """So a lock that is held for long does not take all threads from those who only read."""
        stuck, go_on = threading.Event(), threading.Event()
        begin = DatabaseWrapper._start_transaction_under_autocommit

        def waiting(self: DatabaseWrapper) -> None:
            stuck.set()
            go_on.wait(5)
            begin(self)

        def post(name: str) -> str:
            try:
                return together(lambda: add(name))
            finally:
                here = connections[DEFAULT_DB_ALIAS]
                assert isinstance(here, DatabaseWrapper)
                here._close()

        with (
            mock.patch.object(DatabaseWrapper, "_start_transaction_under_autocommit", waiting),
            mock.patch("troubleshooter.models.commits.PATIENCE", 0.02),
            ThreadPoolExecutor(3) as threads,
        ):
            first = threads.submit(post, "first")
            stuck.wait(5)
            for late in ("behind", "when it is known"):
                with self.assertRaisesMessage(OperationalError, "locked"):
                    threads.submit(post, late).result(5)
            go_on.set()
            self.assertEqual(first.result(5), "first")
        self.assertEqual(names(), ["first"])
        self.assertEqual(together(lambda: add("later")), "later")
