"""What is known of a training before it begins."""

from __future__ import annotations

import json
import math

import pytest
from builds import INLINE, built

from bpcli.workflows.check import Check, InitialLoss, class_counts

CONFIG = """\
name: flowers
seed: 3
data:
  generator: blobs
  n_samples: 90
  split: {val: 0.2, test: 0.2}
  scale: {inputs: standard}
network:
  layers: [auto, 3, auto]
  activations: [tansig, softmax]
loss: cross_entropy
training: {optimizer: traingdm, epochs: 5}
"""
NOTHING = "network.init={name: constant, value: 0}"


def of_rows(inputs: list[list[float]], targets: list[float], *overrides: str) -> Check:
    """A linear network for the rows."""
    text = f"""\
name: t
data: {{inputs: {inputs}, targets: {targets}}}
network: {{layers: [{len(inputs[0])}, 1], activations: [identity]}}
loss: mse
"""
    return Check(built(text, *overrides))


def test_layers_splits_and_memory_are_told() -> None:
    check = Check(built(CONFIG))
    found = check.to_json()
    assert [(layer["weights"], layer["n_params"]) for layer in found["layers"]] == [
        ([3, 2], 9),
        ([3, 3], 12),
    ]
    assert found["n_params"] == 21
    assert found["rows"] == {"train": 54, "val": 18, "test": 18}
    assert found["classes"]["train"] == {"0": 18, "1": 18, "2": 18}
    assert found["memory"]["bytes"] == sum(need["bytes"] for need in found["memory"]["needs"])
    assert 0 < found["memory"]["bytes"] < found["memory"]["available"]
    assert found["config"]["data"]["n_samples"] == 90
    json.dumps(found, allow_nan=False)


def test_the_table_that_is_loaded_counts_as_memory() -> None:
    check = Check(built(CONFIG))
    table = check.experiment.table
    assert table.labels is not None
    (loaded,) = [need.bytes for need in check.needs if need.what == "the table"]
    assert loaded == table.X.nbytes + table.labels.nbytes


@pytest.mark.parametrize(
    ("outputs", "loss", "chance", "formula"),
    [
        ("layers=[auto, 3, auto]", "cross_entropy", math.log(3), "ln 3"),
        ("activations=[tansig, sigmoid]", "binary_cross_entropy", 3 * math.log(2), "3 ln 2"),
        ("activations=[tansig, sigmoid]", "mse", None, None),
        ("activations=[tansig, exp]", "poisson", None, None),
    ],
)
def test_chance_level_is_that_of_equal_probabilities(
    outputs: str, loss: str, chance: float | None, formula: str | None
) -> None:
    found = Check(built(CONFIG, f"network.{outputs}", f"loss={loss}", NOTHING)).initial_loss
    assert (found.chance, found.chance_formula) == (pytest.approx(chance), formula)
    if chance is not None:
        assert found.mean == pytest.approx(chance, rel=1e-12)


def test_one_output_of_two_classes_has_a_chance_level_of_ln_2() -> None:
    found = Check(built(INLINE, NOTHING)).initial_loss
    assert (found.mean, found.chance) == pytest.approx((math.log(2), math.log(2)), rel=1e-12)
    assert found.chance_formula == "ln 2"


def test_a_constant_has_the_variance_of_the_targets() -> None:
    found = of_rows([[1], [2], [3], [6]], [1, 2, 3, 6], NOTHING).initial_loss
    assert found == InitialLoss(12.5, 12.5, 3.5, None, None)


def constant_of(ones: int) -> float | None:
    """The loss of a constant for four targets, some of which are 1."""
    targets = str([[int(i < ones)] for i in range(4)])
    return Check(built(INLINE.replace("[[0], [1], [1], [0]]", targets))).initial_loss.constant


@pytest.mark.parametrize("ones", [1, 2, 3])
def test_a_constant_has_the_entropy_of_the_classes(ones: int) -> None:
    p = ones / 4
    entropy = -p * math.log(p) - (1 - p) * math.log(1 - p)
    assert constant_of(ones) == pytest.approx(entropy, rel=1e-12)


@pytest.mark.parametrize("ones", [0, 4])
def test_a_mean_that_no_output_can_give_has_no_loss(ones: int) -> None:
    assert constant_of(ones) is None


def test_l2_and_sums_are_in_the_loss_and_not_in_its_mean() -> None:
    check = Check(built(CONFIG, "training.l2=0.5", "training.reduction=sum"))
    plain = Check(built(CONFIG)).initial_loss
    experiment = check.experiment
    W = [t for name, t in experiment.network.tensors(experiment.initial_params) if name[0] == "W"]
    penalty = 0.25 * sum((w**2).sum() for w in W)
    assert check.initial_loss.mean == pytest.approx(plain.mean, rel=1e-12)
    assert check.initial_loss.loss == pytest.approx(54 * plain.mean + penalty, rel=1e-12)


# Warnings.


def test_a_sound_config_has_no_warnings() -> None:
    assert Check(built(CONFIG)).warnings == []


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("network.layers=[2, 30, 3]", "54 training rows are fewer than the 183 parameters, which "),
        (
            "network.init={name: normal, std: 100}",
            (
                "many units are dead or saturated before training: 0 dead and 3 saturated of 3 in "
                "layer 1: scale the inputs"
            ),
        ),
    ],
)
def test_likely_mistakes_are_warned_of(option: str, expected: str) -> None:
    assert any(warning.startswith(expected) for warning in Check(built(CONFIG, option)).warnings)


def test_a_loss_far_above_chance_level_is_warned_of() -> None:
    large = ("network.init={name: normal, std: 20}", "network.activations=[identity, softmax]")
    expected = "and that of chance level is 1.099: scale the data, or use smaller initial weights"
    assert any(warning.endswith(expected) for warning in Check(built(CONFIG, *large)).warnings)


def test_a_single_row_is_not_called_constant() -> None:
    assert of_rows([[1, 2]], [3]).warnings == []


@pytest.mark.parametrize(
    ("options", "is_warned"),
    [
        ((), True),
        (("data.split={val: 0.4}",), True),
        (("data.split={}",), False),  # all rows there are
        (("training.l2=1",), False),
        (("loss=mse", "network.activations=[tanh, identity]", "data.targets=values",
          "network.layers=[2, 30, 1]", "training={optimizer: trainbr, epochs: 5}"), False),
    ],
)  # fmt: skip
def test_few_rows_are_warned_of_where_others_are_to_be_predicted(
    options: tuple[str, ...], is_warned: bool
) -> None:
    warnings = Check(built(CONFIG, "network.layers=[2, 30, 3]", *options)).warnings
    assert any("fewer than the" in warning for warning in warnings) == is_warned


def test_parameters_of_the_config_are_meant() -> None:
    weights = "[{weights: [[99, 0], [0, 99]], bias: [0, 0]}, {weights: [[1, 1]], bias: [0]}]"
    given = ("network.layers=[2, 2, 1]", f"network.parameters={weights}")
    activations = "network.activations=[tanh, identity]"
    config = built(CONFIG, *given, activations, "loss=mse", "data.targets=values")
    assert not any("dead or saturated" in warning for warning in Check(config).warnings)


def test_constant_columns_and_unequal_ranges_are_warned_of() -> None:
    rows = [[k, 1000.0 * k, 5] for k in range(1, 9)]
    constant, unequal, *_ = of_rows(rows, [1.0] * 8).warnings
    assert constant == "`x3` is constant over the training rows: leave out such inputs"
    assert unequal == (
        "the range of `x2` is 1,000 times that of `x1`, which slows or breaks training: set "
        "`data.scale: {inputs: standard}`"
    )
    scaled = of_rows(rows, [1.0] * 8, "data.scale.inputs=standard").warnings
    assert not [warning for warning in scaled if "the range" in warning]


def test_of_many_constant_columns_five_are_named() -> None:
    rows = [[k, *[0.0] * 7] for k in range(20)]
    (warning,) = of_rows(rows, [1.0] * 20, NOTHING).warnings
    assert warning == (
        "`x2`, `x3`, `x4`, `x5`, `x6` and 2 more are constant over the training rows: leave out "
        "such inputs"
    )


def test_a_loss_of_more_than_three_times_that_of_a_constant_is_warned_of() -> None:
    rows, targets = [[float(k)] for k in range(10)], [float(k) for k in range(10)]
    (warning,) = of_rows(rows, targets, NOTHING).warnings
    assert warning == (
        "the initial mean loss is 28.5, and that of a constant prediction is 8.25: scale the data, "
        "or use smaller initial weights"
    )
    assert of_rows(rows, targets, "network.init={name: constant, value: 0.1}").warnings == []


def test_as_many_rows_as_parameters_are_enough() -> None:
    assert of_rows([[1, 2], [2, 1], [3, 3]], [1, 1, 1], "network.bias=true", NOTHING).warnings == []


def test_only_classes_and_labels_are_counted() -> None:
    check = of_rows([[1], [2]], [1, 2])
    assert class_counts(check.experiment.splits["train"]) == {}
    labels = ("data.task=multilabel", "network.layers=[1, auto]")
    check = of_rows([[1], [2], [3]], [[1, 0], [0, 1], [1, 1]], *labels)
    assert class_counts(check.experiment.splits["train"]) == {"y1": 2, "y2": 2}
