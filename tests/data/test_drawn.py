from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.drawn import DrawnRows, normal_rows
from bpcli.data.generators.teacher import Teacher
from bpcli.data.preprocessing import Preprocessor
from bpcli.data.row_blocks import row_blocks
from bpcli.data.scaler import FITTED_RULES, ScaleRule
from bpcli.data.table import Classes, Table
from bpcli.runs.provenance import data_digest

SHAPE = (30_011, 40)
RNG = np.random.default_rng


@pytest.fixture(scope="module")
def drawn() -> DrawnRows:
    rows = normal_rows(RNG(3), SHAPE)
    assert isinstance(rows, DrawnRows)
    return rows


@pytest.fixture(scope="module")
def kept() -> np.ndarray:
    return RNG(3).standard_normal(SHAPE)


def test_few_rows_are_kept() -> None:
    rows = normal_rows(RNG(3), (7, 2))
    np.testing.assert_array_equal(rows, RNG(3).standard_normal((7, 2)))
    assert isinstance(rows, np.ndarray)


@pytest.mark.parametrize(
    "index",
    [
        slice(None),
        slice(6_000, 6_600),
        np.arange(0, SHAPE[0], 7),
        np.array([SHAPE[0] - 1, 0, 20_000, 0]),
        np.array([], np.intp),
    ],
    ids=["all", "some", "every seventh", "any order", "none"],
)
def test_drawn_rows_read_as_the_array_they_stand_for(drawn, kept, index) -> None:
    np.testing.assert_array_equal(drawn[index], kept[index])


def test_drawing_leaves_the_generator_where_the_array_would() -> None:
    one, two = RNG(5), RNG(5)
    normal_rows(one, SHAPE)
    two.standard_normal(SHAPE)
    assert one.bit_generator.state == two.bit_generator.state


def test_blocks_cover_all_rows_in_order() -> None:
    rows = np.concatenate([np.arange(SHAPE[0])[some] for some in row_blocks(SHAPE)])
    np.testing.assert_array_equal(rows, np.arange(SHAPE[0]))


def test_a_table_of_drawn_rows_is_that_of_the_array(drawn, kept) -> None:
    labels = np.arange(SHAPE[0]) % 2
    tables = [Table(X, targets=Classes(labels, ("a", "b"))) for X in (drawn, kept)]
    assert data_digest(tables[0]) == data_digest(tables[1])
    rules: tuple[ScaleRule | float, ...] = ("none", 16.0, *FITTED_RULES)
    for rule in rules:
        for index in (np.arange(SHAPE[0]), np.arange(0, SHAPE[0], 3)):
            one, two = (Preprocessor.fit(table, index, 1, rule, "none") for table in tables)
            splits = one.split("train", tables[0], index), two.split("train", tables[1], index)
            np.testing.assert_array_equal(splits[0].X, splits[1].X)
    same_as_inputs = tables[0].with_inputs_as_targets()
    np.testing.assert_array_equal(same_as_inputs.Y, kept)


def test_blocks_of_a_split_are_its_rows(drawn, kept) -> None:
    table = Table(drawn, targets=Classes(np.zeros(SHAPE[0], np.intp), ("a", "b")))
    index = np.arange(1, SHAPE[0], 2)
    split = Preprocessor.fit(table, index, 1, "none", "none").split("val", table, index)
    X = np.concatenate([X for X, _ in split.blocks()])
    np.testing.assert_array_equal(X, kept[index])


def test_a_large_teacher_answers_as_its_formula_says() -> None:
    table = Teacher(n_samples=SHAPE[0], n_features=SHAPE[1], noise=0).table(RNG(4))
    rng = RNG(4)
    x, A, B = (rng.standard_normal(shape) for shape in (SHAPE, (SHAPE[1], 10), (10, 1)))
    np.testing.assert_array_equal(table.X[:], x)
    np.testing.assert_allclose(table.Y, np.tanh(x @ A / SHAPE[1] ** 0.5) @ B / 10**0.5, atol=1e-12)
