"""Scales that slow or break training: what is warned of, what is not, and whether advice helps."""

from __future__ import annotations

import re

import numpy as np
import pytest
import yaml
from builds import built

from bpcli.experiment import Experiment


def of_columns(
    inputs: list[np.ndarray],
    targets: np.ndarray | None = None,
    *overrides: str,
    output: str = "identity",
) -> Experiment:
    """A network of two layers for inputs of these columns."""
    X = np.column_stack(inputs)
    Y = np.sin(np.arange(len(X))) if targets is None else targets
    text = f"""\
name: t
data: {{inputs: {X.tolist()}, targets: {Y.tolist()}}}
network: {{layers: [auto, 3, auto], activations: [tanh, {output}]}}
loss: mse
"""
    return built(text, *overrides)


def normal(mean: float, sd: float, rows: int = 60) -> np.ndarray:
    numbers: np.ndarray = mean + sd * np.random.default_rng(1).normal(size=rows)
    return numbers


@pytest.mark.parametrize(
    ("column", "fact"),
    [
        (normal(0, 1e6), "`x1` has a mean of "),
        (normal(1e6, 1), "`x1` has a mean of 1e+06 and a range of "),
        (normal(37, 0.3), "`x1` has a mean of 37 and a range of "),
        (normal(0, 1e-4), "`x1` has a mean of "),
        (np.linspace(0, 1e150, 60), "`x1` has a mean of "),
    ],
    ids=["wide", "offset", "temperature", "narrow", "huge"],
)
def test_one_input_of_an_unsuited_scale_is_warned_of_until_it_is_scaled(
    column: np.ndarray, fact: str
) -> None:
    (warning,) = of_columns([column]).scales.warnings
    assert warning.startswith(fact)
    assert warning.endswith(
        ", which slows or breaks training: set `data.scale: {inputs: standard}`"
    )
    for rule in ("standard", "minmax", "robust"):
        assert not [*of_columns([column], None, f"data.scale.inputs={rule}").scales.warnings]


@pytest.mark.parametrize(
    "columns",
    [
        [normal(0, 1)],
        [normal(5.8, 0.8), normal(3, 0.4)],
        [np.arange(60) % 2],
        [np.linspace(0, 50, 60)],
        [normal(0, 1), np.linspace(0, 20, 60)],
        [normal(0, 1), np.full(60, 7e8)],  # a constant one is another warning
        [(np.arange(60) == 3).astype(float), normal(0, 1)],
    ],
)
def test_usual_inputs_are_no_reason_for_a_warning(columns: list[np.ndarray]) -> None:
    scales = of_columns(columns).scales
    assert [*scales.warnings] == []
    assert scales.advice is None


def test_ranges_of_very_different_size_are_compared() -> None:
    (warning,) = of_columns([np.linspace(0, 40, 60), np.linspace(0, 0.1, 60)]).scales.warnings
    assert warning.startswith("the range of `x1` is 400 times that of `x2`")


TARGETS = normal(2e5, 5e4)


def test_large_targets_of_unbounded_outputs_are_warned_of() -> None:
    (warning,) = of_columns([normal(0, 1)], TARGETS).scales.warnings
    assert re.fullmatch(
        r"`y` has a mean of \S+ and a range of \S+, which slows or breaks training: set "
        r"`data.scale: \{targets: standard\}`",
        warning,
    )


@pytest.mark.parametrize(
    "override",
    [
        "data.scale.targets=standard",
        "data.scale.targets={divide_by: 100000}",
        "training.optimizer=levenberg_marquardt",
        "network={layers: [1, 1], activations: [identity]}",
    ],
)
def test_the_size_of_targets_matters_only_where_the_steps_depend_on_it(override: str) -> None:
    assert not [*of_columns([normal(0, 1)], TARGETS, override).scales.warnings]


def test_classes_have_no_scale() -> None:
    labels = np.array(["a", "b"])[np.arange(60) % 2]
    assert not [*of_columns([normal(0, 1)], labels, output="sigmoid").scales.warnings]


def test_the_advice_names_inputs_and_targets_in_one_setting() -> None:
    advice = of_columns([normal(190, 35)], normal(150, 77)).scales.advice
    assert advice is not None
    assert re.fullmatch(
        r"`x1` has a mean of \S+ and a range of \S+, and `y` has a mean of \S+ and a range of \S+: "
        r"set `data.scale: \{inputs: standard, targets: standard\}`",
        advice,
    )


# Targets that the outputs do not reach.


def told(targets: np.ndarray, output: str, *overrides: str) -> list[str]:
    return of_columns([normal(0, 1)], targets, *overrides, output=output).scales.out_of_range


UP_TO_300 = np.linspace(0, 300, 60)
AROUND_0 = np.linspace(-2, 2, 60)


@pytest.mark.parametrize(
    ("targets", "output", "overrides", "expected"),
    [
        (
            UP_TO_300, "sigmoid", [],
            ("the targets range from 0 to 300, but `sigmoid` outputs are between 0 and 1: set "
            "`data.scale: {targets: {divide_by: 300}}`, or use `identity` for the output layer"),
        ),
        (
            AROUND_0, "tanh", [],
            ("the targets range from -2 to 2, but `tanh` outputs are between -1 and 1: set "
            "`data.scale: {targets: minmax}`, or use `identity` for the output layer"),
        ),
        (
            AROUND_0, "softsign", ["data.scale.targets={divide_by: 0.5}"],
            ("the scaled targets range from -4 to 4, but `softsign` outputs are between -1 and "
            "1: set `data.scale: {targets: minmax}`, or use `identity` for the output layer"),
        ),
        (
            AROUND_0, "sigmoid", [],
            ("the targets range from -2 to 2, but `sigmoid` outputs are between 0 and 1: use "
            "`identity` for the output layer"),
        ),
        (
            AROUND_0, "relu", [],
            ("the targets range from -2 to 2, but `relu` outputs are never below 0: use "
            "`identity` for the output layer"),
        ),
        (
            np.stack([UP_TO_300, UP_TO_300], axis=1), "softmax", [],
            ("the targets range from 0 to 300, but `softmax` outputs are between 0 and 1: use "
            "`identity` for the output layer"),
        ),
        (
            np.linspace(0, 1, 60), "sigmoid", ["data.scale.targets=minmax"],
            ("the scaled targets range from -1 to 1, but `sigmoid` outputs are between 0 and 1: "
            "set `data.scale: {targets: none}`, or use `identity` for the output layer"),
        ),
    ],
)  # fmt: skip
def test_targets_beyond_the_outputs_are_warned_of(
    targets: np.ndarray, output: str, overrides: list[str], expected: str
) -> None:
    assert told(targets, output, *overrides) == [expected]


@pytest.mark.parametrize(
    ("targets", "output"),
    [(UP_TO_300, "sigmoid"), (AROUND_0, "tanh"), (UP_TO_300 - 7, "tanh"), (UP_TO_300, "softsign")],
)
def test_the_scale_that_is_offered_leads_into_the_outputs(targets: np.ndarray, output: str) -> None:
    (warning,) = told(targets, output)
    (setting,) = re.findall(r"`data\.scale: (\{.*?\})`", warning)
    assert "targets" in yaml.safe_load(setting)
    assert told(targets, output, f"data.scale={setting}") == []


@pytest.mark.parametrize(
    ("targets", "output"),
    [
        (np.arange(60) % 2, "sigmoid"),
        (1.0 - 2 * (np.arange(60) % 2), "tanh"),
        (UP_TO_300, "relu"),
        (UP_TO_300, "softplus"),
        (UP_TO_300, "exponential"),
        (AROUND_0 / 2, "elu"),
        (AROUND_0, "leaky_relu"),
        (AROUND_0, "identity"),
    ],
)
def test_targets_that_are_outputs_or_limits_of_them_are_fine(
    targets: np.ndarray, output: str
) -> None:
    assert told(targets, output) == []


def test_targets_that_were_scaled_to_the_bounds_are_fine_in_single_precision() -> None:
    options = ("data.scale.targets=minmax", "network.dtype=float32")
    assert told(np.linspace(0.1, 17.3, 60), "tanh", *options) == []


def test_an_autoencoder_is_told_the_scale_of_its_inputs() -> None:
    text = """\
name: t
data: {generator: blobs, n_samples: 60, targets: same_as_inputs}
network: {layers: [2, 1, 2], activations: [tanh, tanh]}
loss: mse
"""
    (warning,) = built(text).scales.out_of_range
    assert "set `data.scale: {inputs: minmax}`" in warning
    assert built(text, "data.scale.inputs=minmax").scales.out_of_range == []
