from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.generators import GENERATORS
from bpcli.data.generators.patterns import Encoder, Parity, Symmetry

RNG = np.random.default_rng


def rows_and_labels(generator: Parity | Symmetry) -> list[tuple[str, int]]:
    table = generator.table(RNG(0))
    assert table.labels is not None
    rows = ["".join(f"{bit:g}" for bit in row) for row in table.X]
    return list(zip(rows, table.labels.tolist(), strict=True))


@pytest.mark.parametrize("bits", [1, 2, 5, 8])
def test_parity_asks_every_number_whether_its_ones_are_odd(bits: int) -> None:
    expected = [(f"{n:0{bits}b}", n.bit_count() % 2) for n in range(2**bits)]
    assert rows_and_labels(Parity(bits)) == expected


def test_parity_of_two_bits_is_xor() -> None:
    parity, xor = Parity(2).table(RNG(0)), GENERATORS["xor"]().table(RNG(0))
    np.testing.assert_array_equal(parity.X, xor.X)
    np.testing.assert_array_equal(parity.labels, xor.labels)


@pytest.mark.parametrize("bits", [2, 3, 6, 7])
def test_symmetry_finds_the_palindromes(bits: int) -> None:
    words = [f"{n:0{bits}b}" for n in range(2**bits)]
    found = rows_and_labels(Symmetry(bits))
    assert found == [(word, int(word == word[::-1])) for word in words]
    assert sum(label for _, label in found) == 2 ** ((bits + 1) // 2)


def test_the_encoder_gives_back_each_of_its_patterns() -> None:
    table = Encoder(5).table(RNG(0))
    np.testing.assert_array_equal(table.X, np.eye(5))
    np.testing.assert_array_equal(table.Y, np.eye(5))
    assert table.task == "reconstruction"
    assert table.target_names == table.input_names == ("x1", "x2", "x3", "x4", "x5")


@pytest.mark.parametrize("generator", [Parity(5), Symmetry(6), Encoder(7)])
def test_their_size_is_told_before_they_are_made(generator: Parity | Symmetry | Encoder) -> None:
    table = generator.table(RNG(0))
    assert (generator.rows, generator.numbers) == (len(table), np.size(table.X))


@pytest.mark.parametrize("name", ["parity", "symmetry", "encoder"])
def test_patterns_draw_nothing(name: str) -> None:
    rng = RNG(0)
    GENERATORS[name]().table(rng)
    assert rng.bit_generator.state == RNG(0).bit_generator.state
