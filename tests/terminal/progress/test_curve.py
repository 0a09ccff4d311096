from __future__ import annotations

import numpy as np
import pytest

from bpcli.terminal.progress.curve import BEST, VAL, Glyphs, LogScale, Mark, curve, epoch_ticks

BRAILLE, ASCII = Glyphs.of_encoding("utf-8"), Glyphs.of_encoding("ascii")
NONE = np.full(101, np.nan)


def drawn(
    epochs: np.ndarray, train: np.ndarray, val: np.ndarray, size: tuple[int, int], glyphs: Glyphs
) -> list[str]:
    return [
        "".join(piece.text for piece in line).rstrip()
        for line in curve(epochs, train, val, *size, glyphs)
    ]


def test_an_exponential_decay_is_a_straight_line_beside_its_decades() -> None:
    epochs = np.arange(101.0)
    decay = np.array([10.0 ** (-epoch / 25) for epoch in range(101)])  # exact, as numpy's is not
    assert drawn(epochs, decay, NONE, (30, 7), BRAILLE) == [
        "       1 ┤⠙⠲⢤⣀",
        "         │   ⠈⠙⠲⢤⣀",
        "    0.01 ┤       ⠈⠙⠲⠤⣄⡀",
        "         │            ⠉⠓⠦⣄⡀",
        "  0.0001 ┤                ⠉⠓⠦⣄",
        "         └┬──────────────────┬",
        "   epoch  0                100",
    ]


def test_validation_is_told_from_training_without_colour_and_in_ascii() -> None:
    epochs = np.arange(101.0)
    train, val = 10.0 ** (-epochs / 50), 10.0 ** (-np.minimum(epochs, 50) / 50)
    assert drawn(epochs, train, val, (30, 7), ASCII) == [
        "       1 +o*o",
        "         |  **o*o*",
        "     0.1 +       *o*o*o o o o",
        "         |            ******",
        "    0.01 +                 ***",
        "         ++------------------+",
        "   epoch  0                100",
    ]
    pieces = [piece for line in curve(epochs, train, val, 30, 7, ASCII) for piece in line]
    assert {piece.text for piece in pieces if piece.style == VAL} == {"o"}


@pytest.mark.parametrize(("glyphs", "sign"), [(BRAILLE, "◆"), (ASCII, "#")])
def test_the_best_epoch_has_a_mark_where_it_belongs(glyphs: Glyphs, sign: str) -> None:
    epochs = np.arange(101.0)
    val = 10.0 ** (-np.minimum(epochs, 50) / 50)
    lines = curve(epochs, NONE, val, 30, 7, glyphs, Mark(50, 0.01))
    (piece,) = [piece for line in lines for piece in line if piece.style == BEST]
    assert piece.text == sign
    # The scale goes down to the loss of the mark, which a thinned curve may have lost.
    assert "".join(piece.text for piece in lines[4]).index(sign) == 10 + 10
    assert "0.01" in lines[4][0].text


def test_a_best_epoch_before_a_resumed_curve_has_no_mark() -> None:
    epochs = np.arange(50.0, 101.0)
    lines = curve(epochs, epochs, epochs, 30, 7, ASCII, Mark(49, 1e-9))
    assert "#" not in "".join(piece.text for line in lines for piece in line)


@pytest.mark.parametrize(
    ("first", "last", "width", "ticks"),
    [
        (0, 100, 20, [0, 100]),
        (0, 980, 70, [0, 200, 400, 600, 800]),
        (0, 1, 70, [0, 1]),
        (1003, 1050, 70, [1010, 1020, 1030, 1040, 1050]),
        (0, 99, 14, [0, 99]),
        (0, 20_000_000, 70, [0, 5_000_000, 10_000_000, 15_000_000, 20_000_000]),
    ],
)
def test_ticks_of_epochs_are_round(first: int, last: int, width: int, ticks: list[int]) -> None:
    assert epoch_ticks(first, last, width) == ticks


@pytest.mark.parametrize("width", [24, 40, 80, 133])
@pytest.mark.parametrize(("first", "last"), [(0, 7), (0, 999_999), (12_345, 12_349), (5, 5)])
def test_the_numbers_of_the_epoch_axis_stand_apart_below_their_ticks(
    first: int, last: int, width: int
) -> None:
    epochs = np.linspace(first, last, 50)
    *_, axis, numbers = drawn(epochs, epochs + 1, epochs, (width, 7), ASCII)
    name, *labels = numbers.split()
    assert name == "epoch"
    assert len(labels) == axis.count("+") - 1
    assert all(first <= int(label) <= max(last, first + 1) for label in labels)


def test_a_spike_between_two_columns_is_seen() -> None:
    epochs = np.arange(1000.0)
    losses = np.ones(1000)
    losses[500] = 100
    top = drawn(epochs, losses, np.full(1000, np.nan), (30, 8), BRAILLE)[0]
    assert sum(character > "\u2800" for character in top) == 1


@pytest.mark.parametrize("glyphs", [BRAILLE, ASCII])
@pytest.mark.parametrize(
    "losses",
    [
        [0.5], [0.0], [1.0, 1.0, 1.0], [1e-300, 1e300], [np.nan, np.inf], [1.0, 0.0, 2.0],
        [0.7, 0.6999, 0.6998], [1000.0, np.nextafter(1000.0, 0.0)], [5e-324], [1.7e308],
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [(24, 5), (31, 6), (200, 50)])
def test_any_losses_fill_any_size(
    losses: list[float], size: tuple[int, int], glyphs: Glyphs
) -> None:
    values = np.array(losses)
    for val in (values, np.full(len(values), np.nan)):
        lines = curve(np.arange(len(losses)) * 7.0, values, val, *size, glyphs)
        texts = ["".join(piece.text for piece in line) for line in lines]
        assert len(texts) == size[1]
        assert {len(text) for text in texts} == {size[0]}


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [  # on nine rows
        (1e-4, 1.0, [1e-4, 1e-3, 1e-2, 1e-1, 1.0]),
        (1e-6, 1.0, [1e-6, 1e-4, 1e-2, 1.0]),
        (0.01, 1.0, [0.01, 0.03, 0.1, 0.3, 1.0]),
        (0.05, 3.0, [0.1, 0.3, 1.0, 3.0]),
        (0.1, 1.0, [0.1, 0.2, 0.5, 1.0]),
        (0.29, 0.55, [0.3, 0.4, 0.5]),
        (0.61, 0.69, [0.61, 0.69]),
        (1e-300, 1e300, [1e-226, 1e-113, 1.0, 1e113, 1e226]),
    ],
)
def test_ticks_are_round_where_they_can_be(low: float, high: float, ticks: list[float]) -> None:
    assert LogScale(low, high).ticks(9) == ticks


def test_each_cell_of_a_straight_line_is_where_it_belongs() -> None:
    epochs = np.arange(101.0)
    lines = drawn(epochs, 10.0 ** (-epochs / 25), NONE, (30, 7), ASCII)
    for row, line in enumerate(lines[:5]):
        for column, character in enumerate(line[10:].ljust(20)):
            ends = [round(4 * end / 20) for end in (column, column + 1)]
            assert (character == "*") == (ends[0] <= row <= ends[1])


def test_what_an_encoding_lacks_is_not_drawn() -> None:
    assert Glyphs.of_encoding("gbk") == Glyphs.of_encoding("ascii") == Glyphs.of_encoding("none")
    for encoding in ("ascii", "gbk", "cp1252"):
        lines = drawn(np.arange(101.0), NONE + 1, NONE, (40, 8), Glyphs.of_encoding(encoding))
        assert "".join(lines).isascii()
