"""Runs an exported query with the SQLite of Python, on tables in memory."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Sequence

from bpcli.data.columns import InputColumn
from bpcli.errors import GateFailed
from bpcli.export.child import NotVerified
from bpcli.export.literals import sql_name
from bpcli.export.model import Model
from bpcli.export.sql_file import TABLE
from bpcli.export.verify import Columns, with_days

_OLDEST = (3, 35, 0)
"""The first version with MATERIALIZED."""

_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "atanh": math.atanh, "cos": math.cos, "exp": math.exp, "floor": math.floor, "ln": math.log,
    "sin": math.sin, "sqrt": math.sqrt, "tanh": math.tanh,
}  # fmt: skip
"""Functions that are missing in an SQLite that was built without them."""

_TYPES = {"number": "REAL", "date": "REAL", "boolean": "INTEGER", "category": "TEXT"}


def predictions(content: bytes, model: Model, tables: Sequence[Columns]) -> list[Columns]:
    """The outputs and words of the query for each table.

    Raises `NotVerified` if SQLite cannot have such a table, and `GateFailed` if the query fails.
    """
    if sqlite3.sqlite_version_info < _OLDEST:
        raise NotVerified(f"the SQLite of Python is {sqlite3.sqlite_version}, older than 3.35")
    names = [column.name for column in model.encoder.inputs]
    if len({name.lower() for name in names}) < len(names):
        raise NotVerified("SQLite cannot have columns whose names differ only in letter case")
    return [_predicted(content.decode(), model, table) for table in tables]


def _predicted(query: str, model: Model, table: Columns) -> Columns:
    database = sqlite3.connect(":memory:")
    try:
        _add_functions(database)
        _fill(database, model.encoder.inputs, table)
        rows = database.execute(query).fetchall()
    except sqlite3.Error as error:
        raise GateFailed(
            f"The SQL file failed in a test run and was not written: {error}"
        ) from None
    finally:
        database.close()
    first = len(model.encoder.inputs) + 1  # after the columns of the table and the row
    predictions = [list(column) for column in zip(*rows, strict=True)][first:]
    return dict(zip([*model.output_names, *model.answers], predictions, strict=False))


def _add_functions(database: sqlite3.Connection) -> None:
    for name, function in _FUNCTIONS.items():
        try:
            database.execute(f"SELECT {name}(0.5)")
        except sqlite3.OperationalError:
            database.create_function(name, 1, function, deterministic=True)


def _fill(database: sqlite3.Connection, columns: Sequence[InputColumn], table: Columns) -> None:
    """Create the table with these rows; dates are numbers of days."""
    types = ", ".join(f"{sql_name(column.name)} {_TYPES[column.kind]}" for column in columns)
    database.execute(f"CREATE TABLE {TABLE} ({types})")
    values = [with_days(column, table[column.name]) for column in columns]
    places = ", ".join("?" * len(columns))
    database.executemany(f"INSERT INTO {TABLE} VALUES ({places})", zip(*values, strict=True))
