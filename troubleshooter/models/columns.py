"""Columns of a model within a statement of plain SQL, and the instances made of what they hold.

For the few statements that every visitor waits for: building such a query and its instances by
the ORM costs more than all the rest of an answer. Names and kinds still come from the models.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.base import ModelState

M = TypeVar("M", bound=models.Model)


class Columns(Generic[M]):
    """The named fields of `model`, or all of them, as the columns of the table `alias`."""

    def __init__(self, model: type[M], alias: str, *names: str) -> None:
        fields = [each for each in model._meta.concrete_fields if not names or each.name in names]
        self.model = model
        self.names = [field.attname for field in fields]
        self.sql = ", ".join(f"{alias}.{field.column}" for field in fields)
        self.size = len(fields)
        self._conversions = [
            (field.attname, convert) for field in fields for convert in _conversions(field)
        ]

    def read(self, values: Sequence[Any]) -> M:
        """The instance that these columns hold; fields that are not named are deferred."""
        row = held(self.model, dict(zip(self.names, values, strict=True)))
        for name, convert in self._conversions:
            if (value := row.__dict__[name]) is not None:
                row.__dict__[name] = convert(value)
        return row


def prepared() -> Any:
    """A cursor for statements that the database plans once (see `helpdesk/postgres`)."""
    here: Any = connections[DEFAULT_DB_ALIAS]
    return here.prepared()


def held(model: type[M], values: dict[str, Any]) -> M:
    """An instance of a row that is in the database, by attribute name.

    It is what `Model.from_db` makes, too, but no field is asked and no listener told.
    """
    row = model.__new__(model)
    row._state = ModelState()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    row.__dict__.update(values)
    return row


def _conversions(field: Any) -> Iterator[Callable[[Any], Any]]:
    """What makes a value of Python of one that the driver gives."""
    if connection.vendor == "sqlite" and isinstance(field, models.DateTimeField):
        yield _in_utc
        return
    column = field.cached_col
    for convert in (
        *connection.ops.get_db_converters(column),
        *column.get_db_converters(connection),
    ):
        yield partial(_convert, convert, column)


def _convert(convert: Callable[..., Any], column: Any, value: Any) -> Any:
    return convert(value, column, connection)


def _in_utc(moment: datetime) -> datetime:
    """A time as SQLite keeps it: in UTC, without saying so."""
    return moment.replace(tzinfo=UTC)
