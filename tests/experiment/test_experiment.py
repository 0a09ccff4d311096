from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli.config.load import validate
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.data.preprocessing import Preprocessor
from bpcli.errors import ConfigError
from bpcli.experiment import Experiment, build, stream

MOONS = """\
name: t
data:
  generator: moons
  n_samples: 40
  split: {val: 0.25, test: 0.25}
network:
  layers: [2, 3, 1]
  activations: [tanh, sigmoid]
loss: binary_cross_entropy
"""
INLINE = """\
name: t
data: {inputs: [[0, 0], [0, 1], [1, 0], [1, 1]], targets: [[0], [1], [1], [0]]}
network: {layers: [2, 3, 1], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
"""


def built(text: str, *overrides: str, needs_targets: bool = True) -> Experiment:
    source = Source.parse(text, "c.yaml")
    for assignment in overrides:
        override(source, assignment)
    return build(validate(source), needs_targets=needs_targets)


def test_streams_are_independent_and_named() -> None:
    draws = {name: stream(7, name).random() for name in ("data", "split", "init", "batches")}
    assert len(set(draws.values())) == 4
    assert draws["init"] == stream(7, "init").random() != stream(8, "init").random()


def test_another_network_keeps_data_and_split() -> None:
    one, two = built(MOONS), built(MOONS, "network.layers=[2, 9, 1]", "network.init=he_normal")
    np.testing.assert_array_equal(one.table.X, two.table.X)
    np.testing.assert_array_equal(one.splits["test"].index, two.splits["test"].index)


def test_another_network_keeps_the_folds_and_each_fold_has_its_own() -> None:
    folds = "data.split={folds: 4, val: 0.2, fold: %d}"
    one, two = (built(MOONS, folds % 2, f"network.layers=[2, {units}, 1]") for units in (3, 9))
    for name in ("train", "val", "test"):
        np.testing.assert_array_equal(one.splits[name].index, two.splits[name].index)
    assert [len(one.splits[name]) for name in ("train", "val", "test")] == [24, 6, 10]
    tested = [built(MOONS, folds % fold).splits["test"].index for fold in (1, 2, 3, 4)]
    assert sorted(np.concatenate(tested)) == list(range(40))
    np.testing.assert_array_equal(
        built(MOONS, "data.split={folds: 4}").splits["test"].index, tested[0]
    )


def test_auto_takes_sizes_from_the_data() -> None:
    experiment = built(MOONS, "network.layers=[auto, 3, auto]")
    assert (experiment.network.inputs, experiment.network.outputs) == (2, 1)
    experiment = built(
        MOONS,
        "network.layers=[auto, 3, auto]",
        "network.activations=[tanh, softmax]",
        "loss=cross_entropy",
    )
    assert experiment.network.outputs == 2
    experiment = built(
        MOONS, "network.layers=[auto, 3, auto]", "data={generator: diabetes}", "loss=mse"
    )
    assert (experiment.network.inputs, experiment.network.outputs) == (10, 1)


def test_inline_zeros_and_ones_under_a_cross_entropy_are_classes() -> None:
    assert built(INLINE).table.task == "classification"
    assert built(INLINE, "loss=mse").table.task == "regression"


def test_same_as_inputs_makes_an_autoencoder() -> None:
    experiment = built(
        MOONS,
        "data.targets=same_as_inputs",
        "network.layers=[auto, 1, auto]",
        "network.activations=[tanh, identity]",
        "loss=mse",
        "data.scale={inputs: standard}",
    )
    assert experiment.table.task == "reconstruction"
    assert experiment.network.outputs == 2
    np.testing.assert_array_equal(experiment.splits["train"].X, experiment.splits["train"].Y)


def test_explicit_parameters_and_bias_switches() -> None:
    experiment = built(
        INLINE,
        "network.bias=[frozen, false]",
        "network.parameters=[{weights: [[1, 2], [3, 4], [5, 6]], bias: [7, 8, 9]}, "
        "{weights: [[1, 2, 3]]}]",
    )
    tensors = dict(experiment.network.tensors(experiment.initial_params))
    assert tensors["W1"].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert tensors["b1"].tolist() == [7, 8, 9]
    assert set(tensors) == {"W1", "b1", "W2"}
    assert len(experiment.network.frozen) == 3


def test_a_seed_means_the_same_start_in_every_dtype() -> None:
    double, single = built(MOONS), built(MOONS, "network.dtype=float32")
    assert single.initial_params.dtype == np.float32
    np.testing.assert_array_equal(single.initial_params, double.initial_params.astype(np.float32))


@pytest.mark.parametrize(
    ("overrides", "place", "message"),
    [
        (["network.layers=[3, 3, 1]"], None, "the first layer has 3 units, but the data has 2"),
        (
            ["network.layers=[2, 3, 4]"],
            None,
            "the last layer has 4 units, but the data has 2 classes",
        ),
        (["data.split={val: 0.001}"], None, "0.001 of 40 rows leaves none in `val`"),
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
        (["data.targets=values", "data.split={val: 0.5, stratify: true}"], None, "only classes"),
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
            "3,576 GiB of memory for what `bfgs` remembers or solves",
        ),
        (
            ["training.optimizer={name: lbfgs, memory: 1000000000000}"],
            None,
            "take `conjugate_gradient`, which needs a few vectors only",
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
            ["training.class_weights=balanced", "data.targets=values", "loss=mse"],
            None,
            "only classes can have `class_weights`",
        ),
        (["data.split={folds: 50}"], None, "40 rows are too few for 50 folds"),
        (["data.split={folds: 1000000, fold: 3}"], None, "40 rows are too few for 1000000 folds"),
        (["metrics=[rmse]"], None, "`rmse` means nothing for classification"),
        (
            [
                "data={inputs: [1, 2], targets: [a, a]}",
                "network={layers: [1, 2, 2], activations: [tanh, softmax]}",
                "loss=cross_entropy",
            ],
            None,
            (
                "all rows are of one class, `a`: there is nothing to learn\n"
                "    --set data={inputs: [1, 2], targets: [a, a]}\n          ^^^^\n1 error in"
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


def test_a_split_whose_file_is_lost_is_at_fault_itself(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n1,2\n3,4\n")
    data = "{file: t.csv, split: {files: {test: u.csv}}}"
    text = INLINE.replace(INLINE.split("data: ")[1].split("\n")[0], data)
    with pytest.raises(ConfigError, match=r"there is no file .*u\.csv\n.*split: \{files"):
        built(text.replace("t.csv", str(tmp_path / "t.csv")))


def test_targets_are_needed_to_train_but_not_to_predict() -> None:
    text = INLINE.replace(", targets: [[0], [1], [1], [0]]", "")
    with pytest.raises(ConfigError, match=r"c.yaml:2:1: there are no `targets`"):
        built(text)
    assert not built(text, needs_targets=False).table.has_targets


def test_distributions_are_checked_for_cross_entropy() -> None:
    text = (
        INLINE.replace("[[0], [1], [1], [0]]", "[[0.5, 0.1], [1, 0], [1, 0], [0, 1]]")
        .replace("3, 1]", "3, 2]")
        .replace("tanh, sigmoid", "tanh, softmax")
    )
    with pytest.raises(ConfigError, match="rows add up to 1"):
        built(text, "loss=cross_entropy")
    assert built(text, "loss=cross_entropy", "data.targets.0=[0.5, 0.5]").table.task == "regression"


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


def test_l2_and_reduction_reach_the_objective_and_l2_not_validation() -> None:
    experiment = built(MOONS, "training.l2=0.7", "training.reduction=sum")
    objective, validation = experiment.objective(), experiment.validation()
    assert (objective.l2, objective.reduction, objective.training_rows) == (0.7, "sum", 20)
    assert validation is not None
    assert validation.l2 == 0
    assert len(validation.data) == 10


WEIGHTED = """\
name: t
data: {inputs: [[0, 1], [1, 0], [2, 1], [3, 5]], targets: [a, b, b, a]}
network: {layers: [2, 3, 1], activations: [tanh, sigmoid], init: {name: uniform, bias: 0.3}}
loss: mse
"""
REPEATED = WEIGHTED.replace("[0, 1], ", "[0, 1], " * 3).replace("[3, 5]", "[3, 5], [3, 5], [3, 5]")
REPEATED = REPEATED.replace("[a, b, b, a]", "[a, a, a, b, b, a, a, a]")


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_weight_of_three_is_three_rows(reduction: str) -> None:
    weights = "training.class_weights={a: 3}"
    once = built(WEIGHTED, weights, f"training.reduction={reduction}")
    thrice = built(REPEATED, f"training.reduction={reduction}")
    params = once.initial_params
    rows = {"mean": 1, "sum": 4 / 8}[reduction]  # a sum counts rows, whatever they weigh
    one, two = once.objective().value_and_grad(params), thrice.objective().value_and_grad(params)
    assert one.value == pytest.approx(rows * two.value, rel=1e-12)
    np.testing.assert_allclose(one.grad, rows * two.grad, rtol=1e-12)
    H, other = (each.objective().gauss_newton(params).hessian for each in (once, thrice))
    np.testing.assert_allclose(H, rows * other, rtol=1e-9)
    assert once.class_weights == {"a": 3, "b": 1}
    assert thrice.class_weights is None


@pytest.mark.parametrize("optimizer", ["gradient_descent", "levenberg_marquardt", "trainbr"])
def test_only_the_ratios_of_weights_matter(optimizer: str) -> None:
    ends = []
    for weights in ("{a: 3, b: 1}", "{a: 24, b: 8}"):  # powers of two: equal to the bit
        experiment = built(
            WEIGHTED,
            f"training.class_weights={weights}",
            f"training.optimizer={optimizer}",
        )
        training = experiment.training(experiment.objective())
        ends.append(training.advance(training.start, 5).params)
    np.testing.assert_array_equal(*ends)
    assert (ends[0] != experiment.initial_params).any()


def test_validation_is_weighted_as_training_is() -> None:
    experiment = built(MOONS, "training.class_weights={'1': 3}")
    validation, split = experiment.validation(), experiment.splits["val"]
    assert validation is not None
    assert split.labels is not None
    weight = np.where(split.labels == 1, 3.0, 1.0)
    params = experiment.initial_params
    Z = validation.outputs(params)
    losses = experiment.network.loss.per_sample(Z, 1 / (1 + np.exp(-Z)), split.Y.T)
    expected = np.average(losses, weights=weight)
    assert validation.mean_loss(params) == pytest.approx(expected, rel=1e-12)


def test_batches_may_be_as_large_as_the_training_split() -> None:
    batches = built(MOONS, "training.batch_size=20", "training.rows_per_epoch=20").batches
    assert (batches.size, batches.rows_per_epoch) == (20, 20)


def test_stratify_can_be_turned_off() -> None:
    def ones_in_test(stratify: str) -> set[int]:
        experiments = [
            built(MOONS, f"data.split.stratify={stratify}", f"seed={seed}") for seed in range(20)
        ]
        return {int(experiment.splits["test"].labels.sum()) for experiment in experiments}

    assert ones_in_test("auto") == ones_in_test("true") == {5}
    assert len(ones_in_test("false")) > 1


def test_matrices_of_parameters_must_fit_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    wide, squares = "network.layers=[2, 10000, 1]", "training.optimizer=levenberg_marquardt"
    monkeypatch.setattr("bpcli.experiment.memory.available_memory", lambda: 2**33)
    with pytest.raises(
        ConfigError, match="72 GiB of memory for what `levenberg_marquardt` remembers or solves"
    ):
        built(MOONS, wide, "loss=mse", squares)
    assert built(MOONS, wide, "loss=mse").network.n_params == 40_001
    assert built(MOONS, "loss=mse", squares).network.n_params == 13


def test_workers_share_matrices_of_parameters_where_rows_are_few() -> None:
    wide = ("network.layers=[2, 500, 1]", "loss=mse")
    assert built(MOONS, *wide).tasks == 1
    assert built(MOONS, *wide, "training.optimizer=levenberg_marquardt").tasks == 32
    assert built(MOONS, "loss=mse", "training.optimizer=levenberg_marquardt").tasks == 1


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

    monkeypatch.setattr("bpcli.experiment.experiment.require", asked)
    monkeypatch.setattr(Preprocessor, "fit", fitted)
    built(MOONS, "training.numerics=portable")
    assert happened == ["portable", "made", "portable"]


DIAMOND = """\
name: t
data: {generator: diamond, n_samples: 1, split: {folds: 2, fold: 1}}
network: {layers: [2, 2, auto], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
"""


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "c.yaml:2:57: 1 row is too few for 2 folds\n    "),
        (["data.split.stratify=false"], "c.yaml:2:57: 1 row is too few for 2 folds\n    "),
        (["data.n_samples=2", "data.split.folds=3"], "folds=3: 2 rows are too few for 3 folds"),
        (["data.n_samples=2", "data.split.val=0.9"], "0.05 of 2 rows leaves none in `train`"),
        (["data.n_samples=2", "data.split.val=0.5"], "0.25 of 2 rows leaves none in `val`"),
    ],
)
def test_folds_of_too_few_rows_are_told_at_their_key(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        built(DIAMOND, *overrides)
    assert message in str(caught.value)


TABLE = "x,z,y,split\n1,2,a,train\n2,3,b,train\n3,1,b,test\n4,1,b,test\n"
OF_TABLE = """\
name: t
data: {file: t.csv, inputs: [x, z], targets: y, split: {folds: 2, fold: 1}}
network: {layers: [2, 2, auto], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
"""


def test_classes_with_fewer_rows_than_folds_are_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(TABLE)
    (note,) = built(OF_TABLE).notes
    few = "classes with fewer rows than the 2 folds: `a` (1); some folds test or train on none"
    assert note.startswith(few)
    (note,) = built(OF_TABLE, "data.split.folds=4").notes
    assert "than the 4 folds: `a` (1), `b` (3);" in note
    assert not built(OF_TABLE, "data.split={train: 0.75, test: 0.25}").notes
    Path("t.csv").write_text(TABLE.replace("b", "a", 1))
    assert not built(OF_TABLE).notes


@pytest.mark.parametrize("answers", [("a", "b"), ("0", "1"), ("0.5", "2")])
@pytest.mark.parametrize("targets", ["y", "same_as_inputs"])
def test_splits_that_take_all_rows_leave_none_to_train_on(
    tmp_path: Path, monkeypatch, answers: tuple[str, str], targets: str
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = answers
    Path("t.csv").write_text(f"x,z,y,split\n1,2,{first},test\n2,3,{second},val\n")
    overrides = [f"data.targets={targets}", "data.split={column: split}"]
    if targets == "same_as_inputs" or first == "0.5":
        overrides += ["loss=mse", "network.activations=[tanh, identity]"]
    with pytest.raises(ConfigError, match="the splits take all rows: none are left to train on"):
        built(OF_TABLE, *overrides)
