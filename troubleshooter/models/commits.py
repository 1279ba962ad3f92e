"""Commits: many answers, one commit.

SQLite lets one writer in at a time, and what a commit costs is the disk. So whoever gets its turn
commits what everybody in this process has waiting, and all of them are told together whether that
is on the disk. PostgreSQL does this by itself.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction

T = TypeVar("T")

# Seconds that a thread waits behind another which cannot begin: pages need the threads, too.
PATIENCE = 3.0


def together(work: Callable[[], T]) -> T:
    """Do `work`, in one transaction with what others have waiting where that is cheaper.

    It must read before it writes, and be fit to be done again: when something in a transaction
    fails, all of it is undone, and each is done alone. It may run in another thread, so it must
    not ask which language or request is the current one. Raises what `work` or the commit raises.
    Where the database shares commits by itself, `work` runs as it is and sees to its own
    transaction.
    """
    here = connections[DEFAULT_DB_ALIAS]
    if here.in_atomic_block:  # the transaction is somebody else's
        with transaction.atomic():
            return work()
    if here.vendor != "sqlite":
        return work()
    return cast(T, _group.do(work))


class _Job:
    """Something that waits to be done and committed."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.turn = threading.Lock()  # free when it is done, or its own thread is to lead
        self.turn.acquire()
        self.leads = False
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None

    def alone(self) -> None:
        try:
            with transaction.atomic():
                self.result = self.work()
        except Exception as error:
            self.error = error


class _Group:
    """What waits in this process. One thread leads: it does everything, once, and hands over."""

    def __init__(self) -> None:
        self._moving = threading.Lock()
        self._waiting: list[_Job] = []
        self._led = False
        self._begins_since: float | None = None  # on the monotonic clock

    def do(self, work: Callable[[], Any]) -> Any:
        job = _Job(work)
        with self._moving:
            since = self._begins_since
            if since is not None and time.monotonic() - since > PATIENCE:
                raise _refused()
            self._waiting.append(job)
            job.leads, self._led = not self._led, True
        if not job.leads:
            self._follow(job)
        if not job.done:
            self._lead()
        if job.error:
            raise job.error
        return job.result

    def _follow(self, job: _Job) -> None:
        """Wait until it is done, or its own thread is to lead; give up when nothing begins."""
        if job.turn.acquire(timeout=PATIENCE):
            return
        with self._moving:
            if job in self._waiting and not job.leads:
                self._waiting.remove(job)
                raise _refused()
        job.turn.acquire()  # it is under way

    def _lead(self) -> None:
        jobs: list[_Job] = []
        try:
            self._commit(jobs)
        except BaseException as error:
            jobs = jobs or self._take()
            for job in jobs:  # nothing is on the disk, so nobody may hear that it is
                job.error = _again(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._hand_over(jobs)

    def _commit(self, jobs: list[_Job]) -> None:
        """Do what waits, and commit it; each alone when one of them fails."""
        failed = False
        self._begins_since = time.monotonic()
        with transaction.atomic():
            jobs += self._take()  # only now, so that all who came while we waited are among them
            try:
                for job in jobs:
                    job.result = job.work()
            except Exception:
                failed = True
                transaction.set_rollback(True)
        if failed:
            for job in jobs:
                job.alone()

    def _take(self) -> list[_Job]:
        with self._moving:
            taken, self._waiting = self._waiting, []
            self._begins_since = None
        return taken

    def _hand_over(self, jobs: list[_Job]) -> None:
        with self._moving:
            following = self._waiting[0] if self._waiting else None
            self._led = following is not None
            if following:
                following.leads = True
        for job in jobs:
            job.done = True
            job.turn.release()
        if following:
            following.turn.release()


def _refused() -> OperationalError:
    return OperationalError("database is locked: whoever is first has waited for too long")


def _again(error: BaseException) -> BaseException:
    """The same error for another thread: one exception cannot be raised in two."""
    again = type(error)(*error.args)
    again.__cause__ = error
    return again


_group = _Group()
