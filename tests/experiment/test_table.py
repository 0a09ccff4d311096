from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builds import INLINE, MOONS, OF_TABLE, built

from bpcli.errors import ConfigError
from bpcli.experiment.table import class_weights


def test_inline_zeros_and_ones_under_a_cross_entropy_are_classes() -> None:
    assert built(INLINE).table.task == "classification"
    assert built(INLINE, "loss=mse").table.task == "regression"
    counts = ("loss=poisson", "network.activations=[tanh, exponential]")
    assert built(INLINE, *counts).table.task == "regression"
    assert built(INLINE, *counts, "data.targets=[0, 1, 2, 5]").table.task == "regression"


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


def test_a_split_whose_file_is_lost_is_at_fault_itself(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n1,2\n3,4\n")
    data = "{file: t.csv, split: {files: {test: u.csv}}}"
    text = INLINE.replace(INLINE.split("data: ")[1].split("\n")[0], data)
    with pytest.raises(ConfigError, match=r"there is no file .*u\.csv\n.*split: \{files"):
        built(text.replace("t.csv", str(tmp_path / "t.csv")))


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
    with pytest.raises(
        ConfigError, match="the splits take all rows: no rows are left for training"
    ):
        built(OF_TABLE, *overrides)


@pytest.mark.parametrize(
    ("targets", "task"),
    [
        ("[[0], [1], [1], [0]]", "classification"),
        ("[[0], [1], [1], [0.5]]", "regression"),
        ("[[0], [0.25], [1], [0]]", "regression"),
    ],
)
def test_only_zeros_and_ones_are_taken_for_classes(targets: str, task: str) -> None:
    assert built(INLINE.replace("[[0], [1], [1], [0]]", targets)).table.task == task


def test_one_hot_rows_under_a_cross_entropy_are_classes() -> None:
    softmax = ("network.layers=[2, 3, 2]", "network.activations=[tanh, softmax]")
    one_hot = "data.targets=[[1, 0], [0, 1], [0, 1], [1, 0]]"
    experiment = built(INLINE, "loss=cross_entropy", one_hot, *softmax)
    assert experiment.table.labels.tolist() == [0, 1, 1, 0]


SOFTMAX = ("network.layers=[2, 3, auto]", "network.activations=[tanh, softmax]")
BINARY = ("network.layers=[2, 3, auto]",)


@pytest.mark.parametrize(
    ("targets", "overrides", "names"),
    [
        ("[1, 2, 3, 1]", ("loss=cross_entropy", *SOFTMAX), ("1", "2", "3")),
        ("[0, 1, 2, 1]", ("loss=cross_entropy", *SOFTMAX), ("0", "1", "2")),
        ("[[9], [3], [5], [3]]", ("loss=cross_entropy", *SOFTMAX), ("3", "5", "9")),
        ("[1, 2, 3, 1]", ("loss=mse", *SOFTMAX), ("1", "2", "3")),
        ("[0, 1, 1, 0]", ("loss=mse", *SOFTMAX), ("0", "1")),
        ("[1, 2, 2, 1]", BINARY, ("1", "2")),
        ("[-1, 1, 1, -1]", BINARY, ("-1", "1")),
    ],
)
def test_inline_whole_numbers_are_classes_where_the_network_takes_nothing_else(
    targets: str, overrides: tuple[str, ...], names: tuple[str, ...]
) -> None:
    experiment = built(INLINE, f"data.targets={targets}", *overrides)
    assert experiment.table.class_names == names
    note = f"the targets {', '.join(names)} are read as classes, because the loss or the output "
    note += "layer is for classes"
    told = () if names == ("0", "1") and "loss=mse" not in overrides else (note,)
    assert experiment.table.notes == told


@pytest.mark.parametrize("targets", ["[true, false, true, true]", "[yes, no, yes, yes]"])
def test_inline_booleans_and_words_are_classes(targets: str) -> None:
    assert built(INLINE, f"data.targets={targets}").table.task == "classification"


def test_a_single_row_of_a_1_stays_a_probability() -> None:
    assert built(INLINE, "data.inputs=[[0, 1]]", "data.targets=[1]").table.task == "regression"


@pytest.mark.parametrize(
    ("targets", "overrides", "what"),
    [
        ("[1.5, 2, 3, 1]", ("loss=cross_entropy", *SOFTMAX), "1 to 3, but the softmax"),
        ("[0.5, 0.2, 1, 1]", ("loss=mse", *SOFTMAX), "0.2 to 1, but the softmax"),
        ("[1.5, 2, 3, 1]", BINARY, "1 to 3, but the loss"),
    ],
)
def test_inline_fractions_that_are_no_classes_are_refused(
    targets: str, overrides: tuple[str, ...], what: str
) -> None:
    expected = f"`y` has numbers from {what} is for classes: if they are classes, write them in quo"
    with pytest.raises(ConfigError, match=expected):
        built(INLINE, f"data.targets={targets}", *overrides)


def test_what_a_generator_makes_may_be_read_as_values_or_as_classes() -> None:
    values = built(MOONS, "data.targets=values", "loss=mse").table
    assert (values.task, values.labels) == ("regression", None)
    assert set(values.Y.ravel().tolist()) == {0, 1}
    assert built(MOONS, "data.targets=classes", "loss=mse").table.task == "classification"


def test_numbers_of_a_file_that_a_cross_entropy_cannot_mean_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("x,z,y\n" + "".join(f"{n},1,{n * 1.5}\n" for n in range(30)))
    overrides = ("data.split={test: 0.2}", "network.layers=[2, 2, 1]")
    with pytest.raises(ConfigError, match=r"`y` has numbers from 0 to 43\.5, but the loss is for"):
        built(OF_TABLE, *overrides)
    assert built(OF_TABLE, *overrides, "loss=mse").table.task == "regression"


WEIGHTED = """\
name: t
data: {inputs: [[0, 1], [1, 0], [2, 1], [3, 5]], targets: [a, b, b, a]}
network: {layers: [2, 3, 1], activations: [tanh, sigmoid]}
loss: mse
"""


def test_rows_are_weighted_by_the_classes_of_the_training_rows() -> None:
    experiment = built(WEIGHTED, "training.class_weights=balanced")
    table, training = experiment.table, np.array([0, 1, 2])  # one of a, two of b
    assert class_weights(experiment.spec, table, training) == {"a": 1.5, "b": 0.75}
    assert class_weights(built(WEIGHTED).spec, table, training) is None


MULTI_HOT = "[[0, 1], [1, 1], [0, 0], [1, 0]]"
TWO = ("network.layers=[2, 3, auto]",)


@pytest.mark.parametrize(
    ("targets", "overrides", "task"),
    [
        (MULTI_HOT, (), "multilabel"),
        ("[[0, 1], [1, 1], [0, 1], [1, 1]]", (), "multilabel"),  # one is constant
        ("[[0, 1], [1, 0], [0, 1], [1, 0]]", (), "classification"),  # one-hot
        ("[[0, 1], [1, 1], [0, 0], [1, 0.5]]", (), "regression"),
        (MULTI_HOT, ("data.task=regression",), "regression"),
        (MULTI_HOT, ("loss=mse",), "regression"),
        (MULTI_HOT, ("loss=mse", "data.task=multilabel"), "multilabel"),
        ("[[0, 1], [1, 0], [0, 1], [1, 0]]", ("data.task=multilabel",), "multilabel"),
        ("[[1, 2], [2, 2], [1, 1], [2, 1]]", ("data.task=multilabel",), "multilabel"),
        ("[3, 4, 5, 3]", ("data.task=classification", "loss=mse"), "classification"),
    ],
)
def test_several_zeros_and_ones_under_a_loss_of_independent_ones_are_labels(
    targets: str, overrides: tuple[str, ...], task: str
) -> None:
    experiment = built(INLINE, f"data.targets={targets}", *TWO, *overrides)
    assert experiment.table.task == task
    if task == "multilabel":
        assert experiment.table.Y is not None
        assert {*experiment.table.Y.ravel().tolist()} == {0, 1}
        assert experiment.network.outputs == 2
    said = [note for note in experiment.notes if note.endswith("(`multilabel`)")]
    assert len(said) == (task == "multilabel" and not overrides)


def test_the_task_of_rows_in_the_config_must_fit_their_targets() -> None:
    words = "data.targets=[a, b, a, b]"
    with pytest.raises(ConfigError, match="class names, but the task is `multilabel`: use numbers"):
        built(INLINE, words, "data.task=multilabel")
    with pytest.raises(ConfigError, match="column `y2` has 3 values, `0`, `1`, `2`: a label needs"):
        built(INLINE, "data.targets=[[0,1],[1,2],[0,0],[1,1]]", *TWO, "data.task=multilabel")


def test_words_of_labels_and_constant_ones_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [(n, "yes" if n < 5 else "no", n % 2, "no") for n in range(20)]
    Path("t.csv").write_text("x,a,b,c\n" + "".join(f"{x},{a},{b},{c}\n" for x, a, b, c in rows))
    Path("test.txt").write_text("\n".join(map(str, range(11, 21))))
    experiment = built(
        OF_TABLE,
        "data={file: t.csv, targets: [a, b, c], task: multilabel}",
        "data.split={index: {test: test.txt}}",
        "network.layers=[1, 2, auto]",
    )
    *_, words, train, test = experiment.notes
    assert words == "labels `a`, `c`: 1 means `yes`"
    assert train.startswith("label `c`: every row of the train split is `no`, so nothing")
    assert test.startswith("labels `a`, `c`: every row of the test split is `no`, so recall")
