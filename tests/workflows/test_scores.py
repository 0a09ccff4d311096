from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from systems import trained
from tampered import log_of
from textbook import Dense, forward, value_and_grads


def dense_layers(tensors: dict[str, np.ndarray]) -> list[Dense]:
    return [
        Dense(tensors[f"W{number}"], tensors[f"b{number}"], name)
        for number, name in enumerate(("tanh", "tanh", "sigmoid"), start=1)
    ]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_line_has_gradient_norms_and_scored_ones_have_units(
    tmp_path: Path, dtype: str
) -> None:
    lines = log_of(trained(tmp_path, "xor", training__epochs=2000, network__dtype=dtype).run)
    assert len(lines) > 900
    for line in lines:
        assert len(line["grad_norms"]) == 2
        assert np.linalg.norm(line["grad_norms"]) == pytest.approx(line["grad_norm"], rel=1e-6)
        assert ("dead_units" in line) == ("train.accuracy" in line) == ("saturated_units" in line)
    assert sum("dead_units" in line for line in lines) == 51


def test_gradient_norms_are_those_of_the_textbook_with_l2_and_sums(tmp_path: Path) -> None:
    system = trained(
        tmp_path, "moons", training__epochs=1, training__l2=0.3, training__reduction="sum",
        training__learning_rate=1e-5,
    )  # fmt: skip
    split = system.split()
    _, grads = value_and_grads(
        dense_layers(system.initial), split.X, split.Y, "binary_cross_entropy",
        l2=0.3, reduction="sum",
    )  # fmt: skip
    norms = [np.sqrt((W**2).sum() + (b**2).sum()) for W, b in grads]
    np.testing.assert_allclose(system.run.metrics()[0].grad_norms, norms, rtol=1e-12)


def test_units_of_a_line_are_counted_over_evenly_spaced_training_rows(tmp_path: Path) -> None:
    system = trained(
        tmp_path, "moons", data__n_samples=4000, data__split="{train: 0.75, test: 0.25}",
        training__stop="{}", training__epochs=1, network__init="{name: normal, std: 8}",
    )  # fmt: skip
    zs, _ = forward(dense_layers(system.tensors), system.split().X[::3])
    flat = [(np.cosh(z) ** -2.0 < 0.05).mean(axis=0) >= 0.95 for z in zs[:2]]
    (line,) = system.run.metrics()[-1:]
    assert line.saturated_units == [flat[0].sum(), flat[1].sum(), 0]
    assert line.dead_units == [0, 0, 0]
    assert flat[1].sum() > 0
