"""Queries are computed by SQLite, which knows nothing of bpnet."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_models import drawn_models
from hypothesis import given
from hypothesis import strategies as st
from models import MIXED, MIXED_ROWS, NAMES, a_model, as_columns, named_model, rows_of
from pandas import DataFrame
from strangers import is_harmless

from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.scaler import Scaler
from bpcli.errors import ConfigError, GateFailed, RunError
from bpcli.export import sql_child, sql_file
from bpcli.export.child import NotVerified
from bpcli.export.export import FORMATS, export
from bpcli.export.literals import sql_name, sql_string
from bpcli.export.model import Model
from bpcli.export.sql_child import predictions
from bpcli.export.sql_columns import add_inputs, add_values
from bpcli.export.sql_file import sql_text
from bpcli.export.sql_query import Query
from bpcli.export.verify import by_running
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array

COUNT = 200 if os.environ.get("BPNET_FULL") else 24
TANH = ACTIVATIONS["tanh"]()


@pytest.mark.parametrize("model", list(drawn_models(COUNT)))
def test_a_drawn_network_is_computed_as_we_do(model: Model) -> None:
    with np.errstate(over="ignore", invalid="ignore"):  # far from the training rows
        FORMATS["sql"].verify(sql_text(model).encode(), model)


def test_a_query_that_computes_something_else_is_not_written(tmp_path: Path) -> None:
    model = a_model(TANH)
    other = replace(model, params=model.params * (1 + 1e-9))
    with pytest.raises(GateFailed, match=r"The SQL file gives .* where bpnet gives"):
        by_running("SQL", predictions)(sql_text(other).encode(), model)
    with pytest.raises(GateFailed, match=r"failed in a test run and was not written: near \"SEL"):
        predictions(b"SELEC 1", model, [as_columns(model, rows_of(model))])


# Columns.


def inputs_of(columns: tuple[InputColumn, ...], table: dict[str, list[Any]]) -> Array:
    """The table `bpnet_inputs`."""
    database = sqlite3.connect(":memory:")
    sql_child._fill(database, columns, table)
    query = Query()
    query.begin("bpnet_rows", "SELECT *, ROW_NUMBER() OVER () AS bpnet_row FROM inputs")
    add_values(query, columns)
    width = sum(len(column.names) for column in columns)
    add_inputs(query, columns, Scaler.fixed("none", width))
    rows = database.execute(query.text("SELECT * FROM bpnet_inputs ORDER BY bpnet_row")).fetchall()
    database.close()
    return np.array(rows, float)[:, 1:]


def test_columns_of_every_kind_become_the_inputs_of_the_encoder() -> None:
    table = {column.name: [_plain(value) for value in MIXED_ROWS[column.name]] for column in MIXED}
    expected = FeatureEncoder(MIXED).encode(DataFrame(MIXED_ROWS))
    np.testing.assert_allclose(inputs_of(MIXED, table), expected, rtol=1e-12, atol=1e-12)


def _plain(value: Any) -> Any:
    return None if value != value else value


def test_months_and_weekdays_are_those_of_the_calendar() -> None:
    column = InputColumn("d", "date", date_format="%Y-%m-%d", calendar=("month", "weekday"))
    days = np.datetime64("1899-12-25") + np.arange(0, 150_000, 17)
    table = {"d": [str(day) for day in days]}
    expected = FeatureEncoder((column,)).encode(DataFrame(table))
    np.testing.assert_allclose(inputs_of((column,), table), expected, rtol=1e-12, atol=1e-12)


# Rows.


def test_each_row_keeps_its_columns_and_order_and_has_a_note() -> None:
    model = a_model(TANH, output="relu", outputs=2, classes=("a", "b"), columns=MIXED[:4])
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE inputs (v1, key, age, married, job, town)")
    rows = [
        (1, "k1", None, "TRUE", " smith ", "a b"), (2, "k2", 30, 0, "lost", "a b"),
        (3, "k3", 30, "maybe", None, "a b"), (4, "k4", 30, 1, 1, None),
        (5, "k5", 3, 1, "-", "c\"d'e"),
    ]  # fmt: skip
    database.executemany("INSERT INTO inputs VALUES (?, ?, ?, ?, ?, ?)", rows)
    done = database.execute(sql_text(model))
    names = [description[0] for description in done.description]
    assert names == [
        "v1", "key", "age", "married", "job", "town", "bpnet_row", "output(a)", "output(b)",
        "predicted class", "bpnet_note",
    ]  # fmt: skip
    found = done.fetchall()
    database.close()
    assert [row[:6] for row in found] == rows
    assert [row[-1] for row in found] == [
        "filled: age; ", "unknown: job; ", "not computed, no boolean: married; filled: job; ",
        "not computed, missing: town; ", "filled: job; ",
    ]  # fmt: skip
    assert [row[7:10] == (None, None, None) for row in found] == [False, False, True, True, False]
    table = {"age": [None, 30.0, 3.0], "married": [True, False, True],
             "job": ["smith", "lost", None], "town": ["a b", "a b", "c\"d'e"]}  # fmt: skip
    expected = model.predict(DataFrame(table))
    outputs = np.array([found[row][7:9] for row in (0, 1, 4)])
    np.testing.assert_allclose(outputs, expected, rtol=1e-12)


def test_one_output_means_the_second_class_from_a_half() -> None:
    model = a_model(TANH, classes=("no", "yes"), scaled=False)
    for probability, word in ((0.5, "yes"), (np.nextafter(0.5, 0), "no")):
        params = np.zeros_like(model.params)
        params[-1] = probability
        query = sql_text(replace(model, params=params)).encode()
        (found,) = predictions(query, model, [as_columns(model, np.ones((1, 3)))])
        assert found["class"] == [word]


# Names and limits.


@given(st.text(max_size=9))
def test_a_literal_is_its_text(text: str) -> None:
    try:
        literal, name = sql_string(text), sql_name(text)
    except ConfigError:
        assert not is_harmless(text)
        return
    with closing(sqlite3.connect(":memory:")) as database:
        done = database.execute(f"SELECT {literal} AS {name}")
        assert done.description[0][0] == text
        assert done.fetchone() == (text,)


def test_what_is_no_text_has_no_literal() -> None:
    with pytest.raises(RunError, match=r"found 3, expected a name"):
        sql_string(3)


@pytest.mark.parametrize("name", [*NAMES, "'; DROP TABLE inputs; --", "--", "/*", '"; SELECT 1; "'])
def test_a_name_is_quoted_or_refused(name: str) -> None:
    model = named_model(name)
    if not all(c.isprintable() or c in "\n\t" for c in name):
        with pytest.raises(ConfigError, match=r"^SQL has no escape for the control character in"):
            sql_text(model)
        return
    text = sql_text(model)
    assert is_harmless(text)
    by_running("SQL", predictions)(text.encode(), model)


def test_a_large_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    message = r"has 21 parameters, and up to 4 units or inputs in a layer; a query is written for"
    for limit in ("_MOST_UNITS", "_MOST_PARAMETERS"):
        monkeypatch.setattr(sql_file, limit, 3)
        with pytest.raises(ConfigError, match=message):
            sql_text(a_model(TANH))
        monkeypatch.undo()


def test_the_widest_networks_are_within_the_limits_of_sqlite() -> None:
    most = sql_file._MOST_UNITS
    columns = tuple(InputColumn(f"x{i}") for i in range(most))
    model = a_model(TANH, columns=columns, output="softmax", outputs=most)
    by_running("SQL", predictions)(sql_text(model).encode(), model)


@pytest.mark.parametrize("names", [("x", "X"), ("a", "b")])
def test_what_sqlite_cannot_run_is_written_and_said(
    names: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if names == ("a", "b"):
        monkeypatch.setattr(sql_child.sqlite3, "sqlite_version_info", (3, 34, 1))
    model = a_model(TANH, columns=tuple(map(InputColumn, names)))
    found = export(model, "sql", tmp_path / "m.sql")
    assert found.not_verified is not None
    assert re.search("differ only in letter case|older than 3.35", found.not_verified)
    assert found.path.read_text() == sql_text(model)
    with pytest.raises(NotVerified):
        predictions(b"", model, [])


def test_functions_that_sqlite_lacks_are_added() -> None:
    class Bare:
        """An SQLite without mathematical functions."""

        added: tuple[str, ...] = ()

        def execute(self, _: str) -> None:
            raise sqlite3.OperationalError("no such function")

        def create_function(self, name: str, *_: object, **__: object) -> None:
            self.added += (name,)

    bare = Bare()
    sql_child._add_functions(bare)  # type: ignore[arg-type]
    used = {
        name.lower() for name in re.findall("([A-Z]+)\\(", sql_text(a_model(TANH, columns=MIXED)))
    }
    known = {"case", "cast", "coalesce", "lower", "trim", "number", "in", "extract"}
    assert used - known <= {*bare.added}
