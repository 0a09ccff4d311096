from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from bpcli.data.generators import GENERATORS, Generator
from bpcli.data.generators.base import class_table

EVERY = {name: kind() for name, kind in GENERATORS.items()}
DRAWN_AGAIN = {"teacher"}
"""Its large inputs are not kept, and so do not count."""


@pytest.mark.parametrize("name", [name for name, one in EVERY.items() if one.rows])
def test_the_size_of_a_table_is_known_before_it_is_made(name: str) -> None:
    table = EVERY[name].table(np.random.default_rng(0))
    assert len(table) == EVERY[name].rows
    if name not in DRAWN_AGAIN:
        targets = len(table) if table.Y is None else table.Y.size
        held = table.X.shape[0] * table.X.shape[1] + targets
        assert held / 2 <= EVERY[name].numbers <= 2 * held


@pytest.mark.parametrize("name", [name for name, one in EVERY.items() if not one.rows])
def test_only_a_small_table_has_no_size_to_ask_for(name: str) -> None:
    table = EVERY[name].table(np.random.default_rng(0))
    assert EVERY[name].numbers == 0
    assert table.X.shape[0] * table.X.shape[1] < 2**17


def test_the_size_goes_by_the_options_of_these_names() -> None:
    @dataclass(frozen=True)
    class Options(Generator):
        n_samples: int = 10
        n_features: int = 3
        n_targets: int = 4

    assert (Options().rows, Options().numbers) == (10, 70)
    assert (Generator().rows, Generator().numbers) == (0, 0)


def test_classes_are_named_by_their_numbers_and_so_are_inputs() -> None:
    table = class_table(np.ones((3, 2)), [2, 0, 2], 4)
    assert table.labels is not None
    assert table.labels.tolist() == [2, 0, 2]
    assert table.class_names == ("0", "1", "2", "3"), "also one without a row"
    assert table.input_names == ("x1", "x2")
    assert table.Y is None
