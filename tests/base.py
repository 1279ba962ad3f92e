"""The cast: one guide about a printer, the people around it, and a way to walk it.

Printer guide, in the author's order: `cable` (safe), `restart` (closes the page), `driver`
(two groups of steps), `reset` (loses data). Symptoms: `offline` starts with `restart`;
`unknown` starts with nothing in particular.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from troubleshooter import counting
from troubleshooter.flow import Outcome
from troubleshooter.models import (
    Contact,
    Edition,
    Escalation,
    Fix,
    FollowUp,
    Guide,
    Move,
    Placement,
    Risk,
    Session,
    Step,
    Symptom,
    Topic,
    lines,
)


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is written inside is undone."""
    before = connection.savepoint()
    assert before
    yield
    connection.savepoint_rollback(before)


def make_fix(key: str, title: str, *steps: str, **fields: object) -> Fix:
    """A fix with one step for each sentence; “Heading: sentence” starts a group."""
    fix = Fix.objects.create(key=key, title=title, **fields)
    for position, step in enumerate(steps, start=1):
        heading, _colon, text = step.rpartition(": ")
        Step.objects.create(
            key=f"{key}{position}", fix=fix, position=position, heading=heading, text=text
        )
    return fix


def make_printer_guide() -> Guide:
    """The printer guide as a draft, complete enough to be published."""
    topic, _made = Topic.objects.get_or_create(slug="printer", defaults={"name": "Printer"})
    guide = Guide.objects.create(
        key="printer",
        topic=topic,
        slug="printer-offline",
        title="The printer is offline",
        summary="Your computer says that the printer is offline.",
        about="Printers go offline when they lose **touch** with the computer.",
        closing="Tell support what you tried.",
        prevention="Leave the printer switched on.",
        control_share=100,  # nobody is drawn into the learned order, unless a test wants it
    )
    fixes = [
        make_fix("cable", "Check the cable", "Look at both ends.", "Push them in.", minutes=1),
        make_fix(
            "restart",
            "Restart the computer",
            "Choose Restart.",
            why="A restart clears what got stuck.",
            minutes=4,
            risk=Risk.INCONVENIENT,
            closes_page=True,
        ),
        make_fix(
            "driver",
            "Update the driver",
            "On Windows: Open Settings.",
            "Press Update.",
            "On a Mac: Open System Settings.",
            minutes=10,
            waiting="If the maker's page is down, wait an hour.",
        ),
        make_fix(
            "reset",
            "Reset the printer",
            "Hold the button for ten seconds.",
            minutes=5,
            risk=Risk.DATA_LOSING,
            loses="Every setting stored in the printer.",
        ),
    ]
    for position, fix in enumerate(fixes, start=1):
        Placement.objects.create(guide=guide, fix=fix, position=position)
    offline = Symptom.objects.create(key="offline", guide=guide, position=1, text="It says offline")
    offline.start_with.add(fixes[1])
    Symptom.objects.create(key="unknown", guide=guide, position=2, text="I don't know")
    guide.contacts.add(
        Contact.objects.create(name="Printer Support", url="https://printer.example/help")
    )
    return guide


def make_staff(name: str, role: str) -> User:
    """A member of staff in one role: Editor, Agent or Administrator."""
    user = User.objects.create_user(name, password=f"{name} likes long passwords", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def walk(session: Session, *answers: str) -> Session:
    """Answer the fixes in front of the visitor: "fixed", "not_fixed" or a reason to skip."""
    for answer in answers:
        move = answer_current(session, answer)
        assert move.kind == "recorded", move
    return session


def answer_current(session: Session, answer: str) -> Move:
    current = session.rows[-1]
    if answer in Outcome.values:
        return session.record(current.seq, current.fix_key, Outcome(answer), agreed=True)
    return session.record(current.seq, current.fix_key, Outcome.SKIPPED, answer)


def ask(session: Session, message: str = "Please help me.", **given: Any) -> Escalation:
    """Anna asks for a person and lets us have every line of the transcript."""
    every = [line.text for line in lines(session)]
    said = {"email": "anna@example.org", "send": every} | given
    return Escalation.objects.open(session, message=message, **said)


def ask_later(session: Session, email: str = "anna@example.org") -> FollowUp:
    """Anna lets us ask whether it is still fixed; three days go by, and the mail is written."""
    asked = FollowUp.objects.ask(session, email)
    FollowUp.objects.send(timezone.now() + timedelta(days=3), 100)
    asked.refresh_from_db()
    return asked


def rows() -> dict[str, int]:
    """How many rows every table has, to show that something wrote none."""
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


def count(now: datetime | None = None) -> None:
    """Count everything from the rows, as the worker does; the pages of numbers read nothing else.

    Whatever the tests did to the rows: their times may be moved behind the worker's back.
    """
    counting.rebuild(now or timezone.now())


class CastTestCase(TestCase):
    """Starts with the printer guide published."""

    guide: Guide
    edition: Edition

    @classmethod
    def setUpTestData(cls) -> None:
        cls.guide = make_printer_guide()
        cls.edition = Edition.objects.publish(cls.guide, by=None)

    def start(self, symptom: str = "unknown") -> Session:
        return Session.objects.start(self.edition, symptom)

    @contextmanager
    def assertStatements(self, most: int) -> Iterator[None]:
        """At most so many statements, not counting where transactions begin and end."""
        with CaptureQueriesContext(
            connection,
        ) as captured:
            yield
        statements = [
            query["sql"] or "a statement that is prepared"
            for query in captured.captured_queries
            if not (query["sql"] or "").startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))
        ]
        self.assertLessEqual(len(statements), most, "\n".join(statements))
