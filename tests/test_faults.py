"""Whichever statement fails, nothing is saved by halves, and nobody is told that it was saved.

Each move is made again and again: the first time its first statement fails, then its second, and
so on until none fails any more. Rows are compared whole, in every table.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client, override_settings
from django.urls import reverse

from tests.base import CastTestCase, ask, ask_later, make_staff, undone, walk
from troubleshooter.models import HandOver, StaffSession

Move = tuple[str, Client, str, dict[str, str]]


def everything() -> dict[str, list[Any]]:
    """Every row of every table; of the sessions of staff a look is noted, whatever comes of it."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values_list())
        for model in apps.get_models()
        if model is not StaffSession
    }


class Failing:
    """Fails the statement with this number, and no other."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.failed = ""

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        # Where a transaction begins and ends here stands a savepoint, that of the test around it.
        if not self.failed and not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            self.left -= 1
            if not self.left:
                self.failed = sql
                raise OperationalError("disk I/O error")
        return execute(sql, *rest)


@override_settings(EMAIL_HOST="mail.example", SUPPORT_EMAIL="team@example.org")
class EveryStatementTests(CastTestCase):
    def setUp(self) -> None:
        logging.disable(logging.ERROR)  # every fault is logged, and there are hundreds
        self.addCleanup(logging.disable, logging.NOTSET)

    def moves(self) -> Iterator[Move]:
        """Everything that a visitor can do, and what staff do to guides and escalations."""
        visitor, fresh = Client(), self.start()
        tried = walk(self.start(), "not_fixed")
        resolved = walk(self.start(), "fixed")
        asked, later = ask(tried), ask_later(walk(self.start(), "fixed"), "bert@example.org")
        code = HandOver.objects.make(fresh) or ""
        seq = str(fresh.rows[-1].seq)
        words = {"message": "Help.", "email": "anna@example.org"}
        yield "start", visitor, f"/g/{self.guide.slug}/start/", {"symptom": "offline"}
        for outcome, more in (("fixed", {}), ("not_fixed", {}), ("skipped", {"reason": "no_time"})):
            answer = {"seq": seq, "outcome": outcome} | more
            yield f"answer {outcome}", visitor, f"{fresh.url}cable/", answer
        change = {"seq": str(tried.rows[0].seq), "outcome": "fixed", "change": "yes"}
        yield "change", visitor, f"{tried.url}cable/", change
        yield "ask for a person", visitor, f"{fresh.url}person/", words
        yield "add to it", visitor, asked.url, {"text": "And this."}
        yield "leave an address", visitor, f"{resolved.url}still/", {"email": "anna@example.org"}
        yield "still fixed", visitor, later.url, {"answer": "still"}
        yield "came back", visitor, later.url, {"answer": "back"}
        yield "make a code", visitor, f"{fresh.url}code/", {}
        yield "type a code", visitor, "/go/", {"code": code}
        staff = Client()
        staff.force_login(make_staff("ada", "Administrator"))
        self.guide.title = "The printer is away"
        self.guide.save()
        for page in ("publish", "unpublish", "withdraw"):
            url = reverse(f"admin:troubleshooter_guide_{page}", args=[self.guide.pk])
            yield page, staff, url, {"reason": "It harms printers."}
        url = reverse("admin:troubleshooter_escalation_change", args=[asked.pk])
        yield "reply", staff, url, {"act": "reply", "reply-text": "Try this."}
        yield "close", staff, url, {"act": "close", "cure": "fix", "fix": "cable"}

    def made(self, move: Move, number: int) -> tuple[str, set[str]]:
        """Make the move while that statement fails: which one it was, and what tables changed."""
        name, browser, url, data = move
        cache.clear()
        before, failing = everything(), Failing(number)
        with undone():
            with connection.execute_wrapper(failing):
                response = browser.post(url, data)
            connection.needs_rollback = False  # else nobody could look any more
            after = everything()
        changed = {table for table in after if after[table] != before[table]}
        if failing.failed:
            told = "was saved" if changed and name.startswith(("answer", "change")) else "not saved"
            self.assertContains(response, told, status_code=503, msg_prefix=name)
        else:
            self.assertLess(response.status_code, 400, name)
        return failing.failed, changed

    def test_a_move_is_made_whole_or_not_at_all_and_no_fault_is_called_saved(self) -> None:
        """A page that fails after its move was saved is a fault, too; made again it is a repeat."""
        for move in self.moves():
            _none, whole = self.made(move, 1_000_000)
            self.assertTrue(whole, f"{move[0]} does nothing at all")
            number, saved = 1, False
            while (found := self.made(move, number))[0]:
                failed, changed = found
                self.assertIn(changed, (set(), whole), f"{move[0]}: {failed}")
                self.assertGreaterEqual(bool(changed), saved, f"{move[0]}: {failed}")
                number, saved = number + 1, bool(changed)
            self.assertGreater(number, 2, move[0])
