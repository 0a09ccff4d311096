from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from bpcli.terminal.progress.history import History, Speed


def epoch(number: int, seconds: float = 0.0, val_loss: float | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        number=number, seconds=seconds, loss=2.0 * number, mean_loss=1.0 * number, val_loss=val_loss
    )


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_points_are_bounded_and_even_and_have_both_ends(step: int) -> None:
    history = History(has_validation=False)
    for count in range(6_789):
        history.add(epoch(count * step))
        assert count % 97 or history.arrays[0][-1] == count * step
    epochs, train, val = history.arrays
    assert 400 < len(epochs) <= 1001
    assert epochs[0] == 0
    gaps = np.diff(epochs[:-1])
    assert gaps.max() <= 4 * gaps.min()
    np.testing.assert_array_equal(train, 2 * epochs)
    assert np.isnan(val).all()


def test_beside_validation_stands_the_mean_loss() -> None:
    history = History(has_validation=True)
    history.add(epoch(3, val_loss=7.0))
    assert [array.tolist() for array in history.arrays] == [[3.0], [3.0], [7.0]]


def test_speed_is_that_of_the_latest_seconds() -> None:
    speed = Speed()
    assert speed.epochs_per_second is None
    for second in range(10):
        speed.update(epoch(second, second))
    assert speed.epochs_per_second == pytest.approx(1)
    for second in range(10, 20):
        speed.update(epoch(10 + 100 * (second - 10), second))
    assert speed.epochs_per_second == pytest.approx(100)
