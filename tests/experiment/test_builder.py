from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builds import INLINE, MOONS, built

from bpcli.config.load import validate
from bpcli.config.source import Source
from bpcli.data.preprocessing import Preprocessor
from bpcli.errors import ConfigError
from bpcli.experiment import build


def test_targets_are_needed_to_train_but_not_to_predict() -> None:
    text = INLINE.replace(", targets: [[0], [1], [1], [0]]", "")
    with pytest.raises(ConfigError, match=r"c.yaml:2:1: there are no targets, but training needs"):
        built(text)
    assert not built(text, needs_targets=False).table.has_targets


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_handful_of_rows_is_enough(rows: int) -> None:
    inputs = [[float(row)] for row in range(rows)]
    text = (
        f"name: t\ndata: {{inputs: {inputs}, targets: {inputs}, "
        "scale: {inputs: standard, targets: minmax}}\n"
        "network: {layers: [1, 1], activations: [identity]}\nloss: mse\n"
    )
    experiment = built(text)
    assert np.isfinite(experiment.splits["train"].X).all()
    assert len(experiment.splits["train"]) == rows


def test_numerics_are_asked_for_before_the_data_are_made_and_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Scikit-learn comes with the data, and brings a BLAS of its own."""
    happened: list[str] = []
    make = Preprocessor.fit

    def fitted(*arguments: Any) -> Preprocessor:
        happened.append("made")
        return make(*arguments)

    def asked(numerics: str, **_: bool) -> None:
        happened.append(numerics)

    monkeypatch.setattr("bpcli.experiment.builder.require", asked)
    monkeypatch.setattr(Preprocessor, "fit", fitted)
    built(MOONS, "training.numerics=portable")
    assert happened == ["portable", "made", "portable"]


def test_scales_are_fitted_on_training_rows_or_given() -> None:
    fitted = built(MOONS, "data.scale={inputs: standard}")
    train, whole = fitted.splits["train"].X, fitted.table.X
    assert train.mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
    assert train.std(axis=0) == pytest.approx([1, 1])
    given = built(MOONS, "data.scale={inputs: {divide_by: 4}}").splits["train"]
    np.testing.assert_allclose(given.X, whole[given.index] / 4)


def test_a_config_whose_name_is_no_file_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def asked(_: str, can_restart: bool = False) -> None:
        seen.append(can_restart)

    monkeypatch.setattr("bpcli.experiment.builder.require", asked)
    (tmp_path / "c.yaml").write_text(INLINE)
    for name in (str(tmp_path / "c.yaml"), str(tmp_path), "c" * 5000):
        build(validate(Source.parse(INLINE, name)))
    assert seen[::2] == [True, False, False]
