from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bpcli
from bpcli.api.tables import with_arrays

rng = np.random.default_rng(1)
FRAME = pd.DataFrame({"a": rng.normal(size=30), "b": rng.integers(0, 9, 30)}, index=range(5, 35))
FRAME["flag"] = FRAME.b > 4


def config(**data: Any) -> dict[str, Any]:
    return {
        "data": data | {"scale": {"inputs": "standard"}},
        "network": {"layers": ["auto", 3, "auto"], "activations": ["tanh", "sigmoid"]},
        "loss": "binary_cross_entropy",
        "training": {"optimizer": "lbfgs", "epochs": 30, "l2": 1},
    }


def test_frames_and_series_are_the_same_as_their_arrays() -> None:
    species = pd.Series(np.where(FRAME.a > 0, "up", "down"), index=FRAME.index)
    weight = pd.Series(np.linspace(1, 2, 30))
    mine = bpcli.train(config(inputs=FRAME, targets=species, weight=weight))
    arrays = {
        "inputs": FRAME.to_numpy(float), "targets": species.to_numpy(), "weight": weight.to_numpy(),
    }  # fmt: skip
    theirs = bpcli.train(config(**arrays, input_names=["a", "b", "flag"]))
    assert mine.input_names == ("a", "b", "flag")
    for one, other in zip(mine.parameters, theirs.parameters, strict=True):
        np.testing.assert_array_equal(one["W"], other["W"])
    assert mine.predict(FRAME[["flag", "b", "a"]]).tolist() == theirs.predict(FRAME).tolist()


def test_targets_keep_their_names() -> None:
    targets = FRAME[["a", "b"]].rename(columns={"a": "up", "b": "count"})
    tree = with_arrays(config(inputs=FRAME[["flag"]], targets=targets))
    assert tree["data"]["target_names"] == ["up", "count"]
    assert tree["data"]["targets"].shape == (30, 2)


def test_other_configs_stay_as_they_are() -> None:
    assert with_arrays({"data": {"generator": "xor"}}) == {"data": {"generator": "xor"}}
    assert with_arrays({"loss": "mse"}) == {"loss": "mse"}


@pytest.mark.parametrize("dtype", ["string", "category", "datetime64[ns]", "Int64"])
def test_columns_that_need_an_encoding_are_refused(dtype: str) -> None:
    frame = FRAME.assign(b=pd.Series(["1", "2"] * 15, index=FRAME.index))
    frame["b"] = frame.b.astype(int).astype(dtype) if dtype != "string" else frame.b.astype(dtype)
    with pytest.raises(bpcli.ConfigError, match=r"column `b` has type .*, expected numbers: save"):
        bpcli.load_config(config(inputs=frame, targets=FRAME.a))


def test_targets_beside_arrays_are_no_column_name() -> None:
    with pytest.raises(bpcli.ConfigError, match="found `b`, expected an array or `same_as_inputs`"):
        bpcli.load_config(config(inputs=FRAME, targets="b"))
    assert bpcli.load_config(config(inputs=FRAME, targets="same_as_inputs"))


def test_an_array_beside_a_list_of_inputs_is_refused() -> None:
    with pytest.raises(bpcli.ConfigError, match=r"`data\.targets` is an array, but `data\.inputs`"):
        bpcli.load_config(config(inputs=[[0.5], [1.5]], targets=np.zeros(2)))
