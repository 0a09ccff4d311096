from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_configs import XOR, errors, load, only_error, parsed, trees

from bpcli.config.crosscheck import cross_check
from bpcli.config.reader import Reader
from bpcli.config.source import Location, Source
from bpcli.config.training_checks import asked_optimizer
from bpcli.data.scaler import FITTED_RULES
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.losses import LOSSES
from bpcli.optimizers import OPTIMIZERS, GradientDescent


@pytest.mark.parametrize("alias", ["lm", "trainlm", "trainbr", "bayesian_regularization"])
def test_what_solves_for_squares_takes_no_other_loss_and_no_batches(alias: str) -> None:
    optimizer = f"training.optimizer={alias}"
    assert load(XOR, optimizer, "loss=mse").spec.training.learning_rate is None
    name = "bayesian" if alias in ("trainbr", "bayesian_regularization") else "levenberg"
    (loss,) = errors(XOR, optimizer)
    assert f"`{name}" in loss
    assert "use mse or squared_error or half_squared_error" in loss
    (batch,) = errors(XOR, optimizer, "loss=mse", "training.batch_size=2")
    assert "needs `batch_size: full`" in batch


def test_layers_are_updated_one_by_one_by_gradient_descent_alone() -> None:
    option = "training.optimizer={name: %s, update: layerwise}"
    optimizer = load(XOR, option % "traingd").spec.training.optimizer
    assert optimizer == GradientDescent(update="layerwise")
    (error,) = errors(XOR, option % "trainrp")
    assert "only `gradient_descent` updates layers one by one" in error
    assert "`rprop` chooses one step" in error


def test_bayesian_regularization_finds_its_own_weight_decay() -> None:
    squares = ("loss=mse", "training.l2=0.1")
    assert load(XOR, *squares, "training.optimizer=lm").spec.training.l2 == 0.1
    (error,) = errors(XOR, *squares, "training.optimizer=trainbr")
    assert "`bayesian_regularization` finds the strength of weight decay itself" in error


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("output", ACTIVATIONS)
def test_a_loss_is_accepted_on_its_own_outputs_only(loss: str, output: str) -> None:
    text = XOR.replace("sigmoid]", f"{output}]").replace("binary_cross_entropy", loss)
    allowed = LOSSES[loss].output_activations
    if allowed is None or output in allowed:
        load(text)
    else:
        assert f"needs {allowed[0]} outputs" in errors(text)[0]


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        (
            "training={optimizer: gdx, learning_rate: {schedule: cosine, start: 1}}",
            "`adaptive_gradient_descent` changes the learning rate itself",
        ),
        ("training.optimizer.nesterov=true", "set `momentum` above 0"),
        ("training.optimizer={momentum: 0, nesterov: true}", "set `momentum` above 0"),
        ("data.split={train: 0.5, val: 0.49}", "add up to 0.99, not 1"),
        (
            "data={generator: diabetes, targets: same_as_inputs, scale: {targets: minmax}}",
            "remove this key",
        ),
        ("training.sampling=random", "set `training.batch_size` to a number"),
        ("training.rows_per_epoch=3", "set `training.batch_size` to a number"),
        ("training.stop.max_fail=6", "set `data.split.val`"),
        ("training.stop.generalization_loss=5", "set `data.split.val`"),
        ("training.stop.plateau={of: val_loss}", "set `data.split.val`, or `of: loss`"),
        ("training.stop.plateau.of=val_score", "`val_score` needs a validation set, but there is"),
        ("training.stop={progress: 0.1, strip: 1}", "a `strip` of at least 2 epochs"),
        ("training={optimizer: rprop, batch_size: 2}", "it compares the signs of successive"),
        (
            "data.split={train: 0.5, test: 0.2}",
            "0.7, not 1 (train 0.5, test 0.2): remove `train`",
        ),
        ("data.split={train: 0.1, val: 0.5, test: 0.5}", "val 0.5, test 0.5): reduce them"),
        ("data.split={val: 0.5, test: 0.5}", "but training needs rows: reduce them"),
        ("data.split={folds: 5, test: 0.2}", "each of the `folds` is the test set once"),
        ("data.split={folds: 5, train: 0.2}", "remove `train`"),
        ("data.split={folds: 5, fold: 6}", "found 6, expected at most 5, as in `folds`"),
        ("data.split={fold: 2}", "`fold` chooses one of the `folds`: set `folds` too"),
        (
            "data.split={test: 0.2, order: time, stratify: true}",
            "`order: time` splits rows by their order, not by class: remove `stratify`",
        ),
        ("data.split={folds: 5, order: time}", "or set `order: blocks` to allow that"),
        ("data={inputs: [1, .inf], targets: [1, 2]}", "found inf, expected a finite number"),
        (
            "data={inputs: [[1], [null]], targets: [1, 2]}",
            "found nothing, expected a finite number",
        ),
        (
            "data={inputs: [1, 2], targets: [1, a]}",
            "found `a`, expected a finite number; write classes as a list of names: [yes, no, …]",
        ),
        ("data.scale={targets: standard}", "scales targets beyond [0, 1]"),
        ("data.inputs=[[1]]", "two sources of data"),
        ("network.layers=[2, auto, 1]", "only the first and last layer allow it"),
        ("network.bias=[true]", "`bias` has 1 entry"),
        ("loss=cross_entropy", "needs softmax outputs"),
        ("network.bias=[]", "`bias` has 0 entries"),
        ("network.parameters=[]", "`parameters` has 0 entries"),
    ],
)
def test_a_contradiction_is_one_error_at_the_value_to_change(assignment: str, message: str) -> None:
    assert message in only_error(assignment)


@pytest.mark.parametrize("rule", FITTED_RULES)
def test_counts_are_scaled_by_a_divisor_alone(rule: str) -> None:
    counts = ("network.activations.1=exp", "loss=poisson")
    (error,) = errors(XOR, *counts, f"data.scale.targets={rule}")
    assert f"`{rule}` scales targets beyond [0, ∞), the range this loss needs" in error
    load(XOR, *counts, "data.scale.targets={divide_by: 10}")


def keys_at_fault(*overrides: str, doubtful: Iterable[Location] = ()) -> list[str]:
    return [issue.key for issue in cross_check(parsed(XOR, *overrides), [*doubtful])]


@pytest.mark.parametrize(
    ("overrides", "keys"),
    [
        (["data={file: a.csv, indicator: true}"], ["data.indicator"]),
        (["data={file: a.csv, indicator: true, fill: mean}"], []),
        (["data={file: a.NPY, fill: mean, categories: [x]}"], ["data.fill", "data.categories"]),
        (["data={file: a.csv, weight: w, categories: [x]}"], []),
        (["data={file: a.csv, inputs: [x], targets: [y]}"], []),
        (["data={inputs: [[1]], targets: [a]}"], []),
        (["data={inputs: [[1, true]], targets: [1]}"], ["data.inputs.0.1"]),
        (["data.split.files={val: a.csv}"], ["data.split.files"]),
        (["data={file: a.csv, split: {files: {val: a}, column: s}}"], ["data.split.column"]),
        (["data={file: a.csv, split: {files: {val: a}, val: 0.5}}"], ["data.split.val"]),
        (["data={file: a.csv, split: {index: {train: a}, test: 0.5}}"], []),
        (["training.stop.max_fail=3", "data.split.val=0.2"], []),
        (["training.stop.plateau={}"], []),
        (["training.stop.plateau=5"], []),
        (["training.stop.plateau={of: val_score}", "data.split.val=0.2"], []),
        (["training.stop.max_fail=3", "data={file: a.csv, split: {files: {val: b}}}"], []),
        (["training.stop.max_fail=3", "data={file: a.csv, split: {column: s}}"], []),
        (["training.optimizer={name: traingdm, nesterov: true}"], []),
        (["training.optimizer={name: traingdm, nesterov: true, momentum: 0}"],
         ["training.optimizer.nesterov"]),
        (["training.optimizer=rprop", "training.learning_rate=null"], []),
        (["data.split={train: 0.7, val: 0.1, test: 0.2}"], []),
        (["data.split={folds: 4, fold: 4, val: 0.9}"], []),
        (["data.split={folds: 4, order: blocks, stratify: false}"], []),
        (["data.split={test: 0.4, order: interleaved, stratify: auto}"], []),
        (["data.split={test: 0.4, order: random, stratify: true}"], []),
        (["data={file: a.csv, split: {test: 0.5, order_by: t}}"], ["data.split.order_by"]),
        (["data={file: a.csv, split: {test: 0.5, order_by: t, order: time}}"], []),
        (["data={file: a.npy, split: {test: 0.5, order_by: x1, order: time}}"],
         ["data.split.order_by"]),
        (["data={file: a.csv, split: {column: s, order: time}}"], ["data.split.order"]),
    ],
)  # fmt: skip
def test_which_keys_contradict_others(overrides: list[str], keys: list[str]) -> None:
    assert keys_at_fault(*overrides) == keys


def test_a_check_that_reads_a_doubtful_value_says_nothing() -> None:
    overrides = ("network.layers=[2, auto, 4, 1]", "training.sampling=random")
    assert keys_at_fault(*overrides) == [
        "network.activations", "network.layers.1", "training.sampling",
    ]  # fmt: skip
    assert keys_at_fault(*overrides, doubtful=[("network", "layers", 1)]) == [
        "network.activations", "network.layers.1", "training.sampling",
    ]  # fmt: skip
    assert keys_at_fault(*overrides, doubtful=[("network",)]) == ["training.sampling"]
    assert keys_at_fault(*overrides, doubtful=[("training",)]) == [
        "network.activations", "network.layers.1",
    ]  # fmt: skip


KEYS = {
    "data": ["generator", "file", "inputs", "targets", "split", "scale", "indicator", "fill"],
    "network": ["layers", "activations", "bias", "parameters"],
    "training": ["optimizer", "learning_rate", "batch_size", "sampling", "stop", "l2"],
}
NAMES = st.sampled_from([*LOSSES, *OPTIMIZERS, *ACTIVATIONS, "same_as_inputs", "auto", "standard"])


def sections() -> st.SearchStrategy[dict[str, Any]]:
    """Configs with the known keys, and any values."""
    inner = {
        name: trees | NAMES | st.dictionaries(st.sampled_from(keys), trees | NAMES)
        for name, keys in KEYS.items()
    }
    return st.fixed_dictionaries({}, optional={**inner, "loss": trees | NAMES})


@given(sections())
def test_a_value_of_a_wrong_type_is_left_to_the_models(tree: dict[str, Any]) -> None:
    for issue in cross_check(Source("c.yaml", "", tree=tree)):
        assert issue.message


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("null", "gradient_descent"),
        ("{momentum: 0.5}", "gradient_descent"),
        ("scg", "scaled_conjugate_gradient"),
        ("{name: trainlm}", "levenberg_marquardt"),
        ("adam", "adam"),
    ],
)
def test_the_optimizer_that_is_asked_for(given: str, name: str) -> None:
    read = Reader(parsed(XOR, f"training.optimizer={given}"))
    assert asked_optimizer(read) == (name, OPTIMIZERS[name])


@pytest.mark.parametrize("given", ["7", "adma", "[adam]", "{name: adma}"])
def test_no_optimizer_is_asked_for(given: str) -> None:
    assert asked_optimizer(Reader(parsed(XOR, f"training.optimizer={given}")))[1] is None
