"""A SELECT with a WITH clause, whose tables have a row for each row of the user's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

ROW = "bpnet_row"
"""The column with the number of a row."""


@dataclass
class Query:
    """The tables of a WITH clause, each computed from the one before.

    They are MATERIALIZED: a database that inserts the expressions of one table into the next one
    would compute a layer again for every unit of the layers above.
    """

    tables: list[str] = field(default_factory=list)
    last: str = ""
    """The name of the last table."""

    def add(
        self,
        name: str,
        columns: Mapping[str, str],
        *,
        kept: Sequence[str] = (),
        where: Sequence[str] = (),
    ) -> None:
        """Add a table with the expressions of its columns, and some columns of the last table."""
        parts = [ROW, *kept, *(f"{text} AS {column}" for column, text in columns.items())]
        listed = ",\n    ".join(parts)
        condition = "\n  WHERE " + "\n    AND ".join(where) if where else ""
        self.begin(name, f"SELECT\n    {listed}\n  FROM {self.last}{condition}")

    def begin(self, name: str, select: str) -> None:
        """Add a table by its SELECT."""
        self.tables.append(f"{name} AS MATERIALIZED (\n  {select}\n)")
        self.last = name

    def text(self, select: str) -> str:
        """The whole query."""
        return "WITH " + ",\n".join(self.tables) + f"\n{select};\n"


def case(*branches: tuple[str, str], other: str = "NULL") -> str:
    """CASE WHEN … THEN … ELSE … END."""
    whens = "".join(f" WHEN {condition} THEN {value}" for condition, value in branches)
    return f"CASE{whens} ELSE {other} END" if branches else other


def as_double(text: str) -> str:
    """A value in double precision; PostgreSQL computes with decimal numbers otherwise."""
    return f"CAST({text} AS DOUBLE PRECISION)"
