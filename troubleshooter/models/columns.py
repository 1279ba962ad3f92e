"""Columns of a model within a statement of plain SQL, and the instances made of what they hold.

For the few statements that every visitor waits for: building such a query and its instances by
the ORM costs more than all the rest of an answer. Names and kinds still come from the models.

The database gives all of them as one text of JSON. A driver turns every value of every row into
one of Python by itself, and SQLite's lets all other threads in for each; a text is one value, and
two texts that are equal need not be looked into twice.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.base import ModelState

M = TypeVar("M", bound=models.Model)


class Columns(Generic[M]):
    """The named fields of `model` in this order, or all of them, of the table `alias`.

    `sql` is an expression: an array of JSON that holds them. `table` stands in FROM.
    """

    def __init__(self, model: type[M], alias: str, *names: str) -> None:
        fields: Sequence[Any] = [model._meta.get_field(name) for name in names]
        fields = fields or model._meta.concrete_fields
        self.model = model
        self.table = f"{model._meta.db_table} {alias}"
        self.names = [field.attname for field in fields]
        self.sql = array(*(_in_json(field, f"{alias}.{field.column}") for field in fields))
        self._conversions = [
            (nth, convert) for nth, field in enumerate(fields) for convert in _conversions(field)
        ]

    def read(self, values: list[Any]) -> M:
        """The instance that this array holds; fields that are not named are deferred.

        The array is used up by it.
        """
        for nth, convert in self._conversions:
            if (value := values[nth]) is not None:
                values[nth] = convert(value)
        return held(self.model, zip(self.names, values, strict=True))


def array(*expressions: str) -> str:
    """An expression: an array of JSON of these."""
    made = "json_build_array" if connection.vendor == "postgresql" else "json_array"
    return f"{made}({', '.join(expressions)})"


def gathered(expression: str) -> str:
    """An expression: an array of JSON of what this one is in each row, in no order."""
    made = "json_agg" if connection.vendor == "postgresql" else "json_group_array"
    return f"{made}({expression})"


def prepared() -> Any:
    """A cursor for statements that the database plans once (see `helpdesk/postgres`)."""
    here: Any = connections[DEFAULT_DB_ALIAS]
    return here.prepared()


class _Held(ModelState):
    """The state of a row that is in the database."""

    adding = False
    db = DEFAULT_DB_ALIAS


def held(model: type[M], values: Iterable[tuple[str, Any]]) -> M:
    """An instance of a row that is in the database, by attribute name.

    It is what `Model.from_db` makes, too, but no field is asked and no listener told.
    """
    row = model.__new__(model)
    row.__dict__.update(values)
    row._state = _Held()
    return row


def _in_json(field: Any, column: str) -> str:
    """What SQLite keeps as text is made what it says: JSON, or a time in UTC."""
    if connection.vendor == "sqlite" and isinstance(field, models.JSONField):
        return f"json({column})"
    if connection.vendor == "sqlite" and isinstance(field, models.DateTimeField):
        return f"{column} || '+00:00'"
    return column


def _conversions(field: Any) -> Iterator[Callable[[Any], Any]]:
    """What makes a value of Python of one of JSON."""
    if isinstance(field, models.DateTimeField):
        yield datetime.fromisoformat
    elif isinstance(field, models.BooleanField):
        yield bool  # SQLite has numbers for it
