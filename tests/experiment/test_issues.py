from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builds import INLINE, MOONS, OF_TABLE, built
from lazy import LazyArray

from bpcli.data import row_blocks
from bpcli.data.preprocessing import Preprocessor, Split
from bpcli.data.scaler import Scaler
from bpcli.data.table import Table, Values
from bpcli.errors import ConfigError
from bpcli.experiment import issues
from bpcli.experiment.issues import of_loss
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Layer, Network


@pytest.mark.parametrize(
    ("overrides", "place", "message"),
    [
        (["network.layers=[3, 3, 1]"], None, "the first layer has 3 units, but the data has 2"),
        (
            ["network.layers=[2, 3, 4]"],
            None,
            "the last layer has 4 units, but the data has 2 classes",
        ),
        (["data.split={val: 0.001}"], None, "0.001 of 40 rows gives no row for `val`"),
        (["training.batch_size=21"], None, "a batch of 21 is more than the 20 training rows"),
        (["training.batch_size=2", "training.rows_per_epoch=30"], None, "30 is too many"),
        (
            ["network.parameters=[{weights: [[1]]}, {weights: [[1, 2, 3]], bias: [1]}]"],
            None,
            "weights are 1 × 1, expected 3 × 2",
        ),
        (
            [
                (
                    "network.parameters=[{weights: [[1,2],[1,2],[1,2]]}, "
                    "{weights: [[1, 2, 3]], bias: [1, 2]}]"
                )
            ],
            None,
            "bias has 2 numbers, expected 1",
        ),
        (
            [
                "network.bias=false",
                (
                    "network.parameters=[{weights: [[1,2],[1,2],[1,2]], bias: [1,2,3]}, "
                    "{weights: [[1, 2, 3]]}]"
                ),
            ],
            None,
            "the layer has no bias",
        ),
        (
            [
                "network.layers=[2, 100000000, 100000000, 1]",
                "network.activations=[tanh, tanh, sigmoid]",
            ],
            None,
            "GiB of memory for 10,000,000,500,000,001 parameters",
        ),
        (
            ["data={generator: classification, n_informative: 50}", "network.layers=[auto, 3, 1]"],
            None,
            "make_classification",
        ),
        (
            ["data.targets=values", "data.split={val: 0.5, stratify: true}"],
            None,
            "targets that are classes",
        ),
        (
            ["data={generator: diabetes}", "network.layers=[10, 3, 1]"],
            "c.yaml:9:7",
            "needs targets between 0 and 1",
        ),
        (
            [
                "data={inputs: [1.0e+300, -1.0e+300], targets: [0, 1], scale: {inputs: standard}}",
                "network.layers=[1, 3, 1]",
            ],
            None,
            "scaling the inputs overflows",
        ),
        (
            ["data={generator: blobs, cluster_std: 1.0e+308}", "network.layers=[2, 3, 3]"],
            None,
            "too large",
        ),
        (
            ["network.activations=[tanh, softmax]", "loss=mse", "network.layers=[2, 3, 1]"],
            None,
            "a softmax of one unit is always 1",
        ),
        (
            ["network.layers=[2, 100000, 1]", "training.optimizer=bfgs"],
            None,
            "3,576 GiB of memory for the state and equations of `bfgs`",
        ),
        (
            ["training.optimizer={name: lbfgs, memory: 1000000000000}"],
            None,
            "use `conjugate_gradient`, which needs only a few vectors",
        ),
        (
            ["network.layers=[2, 1000000000, 1]"],
            None,
            "GiB of memory for activations of 40 rows at a time",
        ),
        (
            ["network.layers=[3, 3, 1]", "training.batch_size=99", "data.split={val: 0.001}"],
            None,
            "3 errors",
        ),
        (
            ["loss=mse", "data.scale={targets: minmax}"],
            None,
            "scaled classes lie beyond the outputs' range",
        ),
        (
            ["training.class_weights={'1': 2, yes: 3}"],
            None,
            "there is no class `yes`; the classes are 0, 1",
        ),
        (
            ["training.class_weights={1: 2, 1.0: 3}"],
            None,
            "class `1` already has a weight, as `1`",
        ),
        (
            ["training.class_weights=balanced", "data.targets=values", "loss=mse"],
            None,
            "`class_weights` needs targets that are classes",
        ),
        (["data.split={folds: 50}"], None, "40 rows are too few for 50 folds"),
        (["data.split={folds: 1000000, fold: 3}"], None, "40 rows are too few for 1000000 folds"),
        (["metrics=[rmse]"], None, "`rmse` is undefined for classification"),
        (
            [
                "data={inputs: [1, 2], targets: [a, a]}",
                "network={layers: [1, 2, 2], activations: [tanh, softmax]}",
                "loss=cross_entropy",
            ],
            None,
            (
                "all rows have the same class, `a`: there is nothing to learn\n    --set "
                "data={inputs: [1, 2], targets: [a, a]}\n          ^^^^\n1 error in"
            ),
        ),
        (
            ["training.epochs=100000000000", "training.record_params=true"],
            None,
            "parameters after each of 100,000,000,000 epochs",
        ),
        (["data.split={val: 0.001}", "training.batch_size=99"], None, "2 errors"),
    ],
)
def test_what_the_data_shows_to_be_wrong(
    overrides: list[str], place: str | None, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        built(MOONS, *overrides)
    assert message in str(caught.value)
    assert str(caught.value).startswith(place or "--set")


def test_distributions_are_checked_for_cross_entropy() -> None:
    text = (
        INLINE.replace("[[0], [1], [1], [0]]", "[[0.5, 0.1], [1, 0], [1, 0], [0, 1]]")
        .replace("3, 1]", "3, 2]")
        .replace("tanh, sigmoid", "tanh, softmax")
    )
    with pytest.raises(ConfigError, match="rows add up to 1"):
        built(text, "loss=cross_entropy")
    assert built(text, "loss=cross_entropy", "data.targets.0=[0.5, 0.5]").table.task == "regression"


COUNTS = """\
name: t
data: {file: t.csv, inputs: [x], targets: [y, z]}
network: {layers: [auto, auto], activations: [exponential]}
loss: poisson
"""


def test_counts_below_0_are_told_by_their_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("x,y,z\n1,0,2.5\n2,3,\n3,1,-4\n4,-1,1\n5,2,7\n")
    with pytest.raises(ConfigError) as caught:
        built(COUNTS)
    message = "this loss needs targets of 0 or more, but the target `z` of row 3 is -4"
    assert f"c.yaml:4:7: {message}\n" in str(caught.value)
    assert built(COUNTS, "data.targets=x", "data.inputs=[y]").table.task == "regression"
    with pytest.raises(ConfigError, match="the scaled target `z` of row 3 is -2\n"):
        built(COUNTS, "data.targets=z", "data.scale.targets={divide_by: 2}")


def test_counts_of_an_autoencoder_are_those_of_its_scaled_inputs() -> None:
    autoencoder = ("data.targets=same_as_inputs", "network.layers=[2, 1, 2]")
    counts = ("network.activations=[tanh, exp]", "loss=poisson")
    assert built(INLINE, *autoencoder, *counts).table.task == "reconstruction"
    with pytest.raises(ConfigError, match="the scaled target `x1` of row 1 is -1\n"):
        built(INLINE, *autoencoder, *counts, "data.scale.inputs=minmax")


DIAMOND = """\
name: t
data: {generator: diamond, n_samples: 1, split: {folds: 2, fold: 1}}
network: {layers: [2, 2, auto], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
"""


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "c.yaml:2:57: 1 row is too few for 2 folds: each fold needs"),
        (
            ["data.split.stratify=false"],
            "c.yaml:2:57: 1 row is too few for 2 folds: each fold needs",
        ),
        (["data.n_samples=2", "data.split.folds=3"], "folds=3: 2 rows are too few for 3 folds"),
        (["data.n_samples=2", "data.split.val=0.9"], "0.05 of 2 rows gives no row for `train`"),
        (["data.n_samples=2", "data.split.val=0.5"], "0.25 of 2 rows gives no row for `val`"),
    ],
)
def test_folds_of_too_few_rows_are_told_at_their_key(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        built(DIAMOND, *overrides)
    assert message in str(caught.value)


def refusal(text: str, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        built(text, *overrides)
    return str(caught.value)


@pytest.mark.parametrize(
    ("weights", "bias", "message"),
    [
        ("[[1, 2]]", "[1]", "weights are 1 × 2, expected 3 × 2: one row per unit"),
        ("[[1, 2], [3], [5, 6]]", "[1, 2, 3]", "weights are 3 × 1 or 2, expected 3 × 2"),
        ("[[1, 2], [3, 4], [5, 6]]", "null", "the layer has a bias: give `bias` with 3 numbers"),
    ],
)
def test_parameters_of_another_shape_are_told_with_the_right_one(
    weights: str, bias: str, message: str
) -> None:
    given = f"[{{weights: {weights}, bias: {bias}}}, {{weights: [[1, 2, 3]], bias: [1]}}]"
    assert message in refusal(MOONS, f"network.parameters={given}")


def test_a_class_without_a_training_row_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = ["1,1,rare", *(f"{n},2,{'ab'[n % 2]}" for n in range(8))]
    Path("t.csv").write_text("\n".join(["x,z,y", *rows]))
    softmax = ("network.layers=[2, 2, 3]", "network.activations=[tanh, softmax]")
    said = set()
    for seed in range(9):
        drawn = "data.split={train: 0.5, test: 0.5, stratify: false}"
        try:
            built(OF_TABLE, drawn, f"seed={seed}", "loss=cross_entropy", *softmax)
            said.add("")
        except ConfigError as error:
            said.add(str(error))
    assert any("class `rare` has no training row" in message for message in said)
    assert "" in said
    by_class = "data.split={train: 0.5, test: 0.5, stratify: true}"
    assert built(OF_TABLE, by_class, "loss=cross_entropy", *softmax).network.outputs == 3


@pytest.mark.parametrize(
    ("override", "is_right"),
    [
        ("training.batch_size=20", True), ("training.batch_size=21", False),
        ("data.split.folds=40", True), ("data.split.folds=41", False),
    ],
)  # fmt: skip
def test_the_largest_that_fits_is_no_issue(override: str, is_right: bool) -> None:
    folds = ("data.split={folds: 2}",) if "folds" in override else ()
    if is_right:
        built(MOONS, *folds, override)
    else:
        assert refusal(MOONS, *folds, override)


def test_auto_takes_no_size_from_targets_that_are_not_there() -> None:
    text = INLINE.replace(", targets: [[0], [1], [1], [0]]", "").replace("3, 1]", "3, auto]")
    with pytest.raises(ConfigError, match="`auto` takes this size from the targets, but there are"):
        built(text, needs_targets=False)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ("training.class_weights=balanced",),
            "`class_weights` needs targets that are classes, but the",
        ),
        (
            ("data.split={val: 0.25, stratify: true}",),
            "needs targets that are classes, but these are l",
        ),
        (
            ("network.activations=[tanh, softmax]", "loss=cross_entropy"),
            "a softmax chooses one of its outputs, but a row may have any number of these labels",
        ),
        (("loss=mse", "data.scale={targets: standard}"), "scaled labels lie beyond the outputs' r"),
        (
            ("metrics=[rmse]",),
            "`rmse` is undefined for multilabel: expected accuracy or exact_match",
        ),
        (("network.layers=[2, 3, 3]",), "the data has 2 target columns: expected 2"),
    ],
)
def test_what_labels_do_not_have_is_refused(overrides: tuple[str, ...], message: str) -> None:
    labels = ("data.targets=[[0, 1], [1, 1], [0, 0], [1, 0]]", "data.task=multilabel")
    with pytest.raises(ConfigError, match=message):
        built(INLINE, *labels, "network.layers=[2, 3, auto]", *overrides)


def message_of_targets(output: str, loss: str, Y: LazyArray) -> str:
    """The issue of the targets of every second row of a table."""
    network = Network((Layer(1, 1, ACTIVATIONS[output]()),), LOSSES[loss]())
    table = Table(np.zeros((len(Y), 1)), targets=Values(Y, ("y",)))
    prep = Preprocessor(Scaler.fixed("none", 1), Scaler.fixed("none", 1), (), 1)
    split = Split("val", np.arange(1, len(Y), 2), table, prep)
    (issue,) = of_loss(network, {"val": split})
    return issue.message


@pytest.mark.parametrize(("output", "loss", "value", "message"), [
    ("exponential", "poisson", -3, "the target `y` of row 32 is -3"),
    ("sigmoid", "binary_cross_entropy", 5, "but there are targets between 0 and 5"),
])  # fmt: skip
def test_targets_are_checked_in_blocks_until_one_is_wrong(
    output: str, loss: str, value: float, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_blocks, "_NUMBERS_PER_BLOCK", 10)
    numbers = np.zeros((100, 1))
    numbers[[31, 35, 91]] = [[value], [value], [7 * value]]
    Y = LazyArray(numbers)
    assert message in message_of_targets(output, loss, Y)
    assert [len(rows) for rows in Y.reads] == [10, 10]


def test_no_more_rows_are_read_once_each_class_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_blocks, "_NUMBERS_PER_BLOCK", 10)
    labels = LazyArray(np.arange(100) // 16 % 3)
    assert issues._present(labels, np.arange(0, 100, 2), 3).all()
    assert [len(rows) for rows in labels.reads] == [10, 10]
    assert issues._present(labels, np.arange(0, 100, 2), 4).tolist() == [True, True, True, False]
