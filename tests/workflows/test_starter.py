from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat
from sklearn.datasets import load_iris

from bpcli import docs
from bpcli.config.load import load_config, validate
from bpcli.config.models import Spec
from bpcli.config.source import Source
from bpcli.data.files.dialect import MISSING, Dialect
from bpcli.data.files.look import look_at
from bpcli.errors import DataError
from bpcli.experiment import build
from bpcli.workflows.starter import starter_config


def config_for(path: Path, *targets: str) -> str:
    look = look_at(path, Dialect(header=None), targets)
    return starter_config(look, path.with_suffix(".yaml"))


def spec_for(path: Path) -> Spec:
    """Of the config, once it was built with the data, too."""
    written = path.with_suffix(".yaml")
    written.write_text(config_for(path), encoding="utf-8")
    config = load_config(written)
    build(config)
    return config.spec


def table(tmp_path: Path, answers: list, rows: int, name: str = "t.csv") -> Path:
    """Two inputs, x and a colour, and the answers over and over."""
    path = tmp_path / name
    lines = [
        f"{x:.6f},{'red' if x > 0.5 else 'blue'},{answers[i % len(answers)]}"
        for i, x in enumerate(np.random.default_rng(5).normal(size=rows))
    ]
    path.write_text("\n".join(["x,colour,answer", *lines]) + "\n", encoding="utf-8")
    return path


def test_several_classes_get_a_softmax(tmp_path: Path) -> None:
    spec = spec_for(table(tmp_path, ["a", "b", "c"], 60))
    assert spec.data.task == "classification"
    assert [type(a).__name__ for a in spec.network.activations] == ["Tanh", "Softmax"]
    assert type(spec.loss).__name__ == "CrossEntropy"
    assert type(spec.training.optimizer).__name__ == "Lbfgs"
    assert spec.data.split.fractions == {"train": 0.7, "val": 0.15, "test": 0.15}
    assert spec.data.split.stratify is True
    assert spec.data.scale.inputs == "standard"
    assert (spec.training.l2, spec.training.stop.max_fail) == (1, 30)


def test_two_classes_get_a_sigmoid(tmp_path: Path) -> None:
    spec = spec_for(table(tmp_path, ["a", "b"], 60))
    assert [type(a).__name__ for a in spec.network.activations] == ["Tanh", "Sigmoid"]
    assert type(spec.loss).__name__ == "BinaryCrossEntropy"


def test_numbers_get_levenberg_marquardt_and_scaled_targets(tmp_path: Path) -> None:
    spec = spec_for(table(tmp_path, [0.5, 1.5, 2.5, 7.25], 60))
    assert spec.data.task == "regression"
    assert [type(a).__name__ for a in spec.network.activations] == ["Tanh", "Identity"]
    assert type(spec.training.optimizer).__name__ == "LevenbergMarquardt"
    assert spec.data.scale.targets == "standard"
    assert spec.training.stop.max_fail == 10


def test_a_large_regression_gets_lbfgs(tmp_path: Path) -> None:
    # 0.7 · 60,000 rows · (32 · 4 + 33)² parameters² > 3e8
    spec = spec_for(table(tmp_path, [0.5, 1.5, 2.5], 60_000))
    assert type(spec.training.optimizer).__name__ == "Lbfgs"
    assert spec.network.layers == ["auto", 32, "auto"]


@pytest.mark.parametrize(
    ("rows", "units", "l2"),
    [(299, 8, 1), (300, 16, 3), (999, 16, 3), (1000, 32, 10), (9999, 32, 10), (10_000, 32, 30)],
)
def test_more_rows_get_more_hidden_units_and_more_weight_decay(
    tmp_path: Path, rows: int, units: int, l2: int
) -> None:
    path = table(tmp_path, ["a", "b"], rows)
    spec = spec_for(path)
    assert spec.network.layers == ["auto", units, "auto"]
    assert spec.training.l2 == l2
    path.with_suffix(".yaml").write_text(config_for(path))
    experiment = build(load_config(path.with_suffix(".yaml")))
    trained, params = len(experiment.splits["train"]), experiment.network.n_params
    assert f"weight decay, for {trained:,} rows and {params:,} parameters" in config_for(path)


@pytest.mark.parametrize("rows", [29, 30])
def test_few_rows_are_not_split(tmp_path: Path, rows: int) -> None:
    spec = spec_for(table(tmp_path, ["a", "b"], rows))
    assert (spec.data.split.val == 0) == (spec.training.stop.max_fail is None) == (rows < 30)


def test_the_comments_say_what_was_guessed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [
        f"{i};7;{'?' if i % 5 == 2 else i % 3};{'AB'[i % 2]};{'uvw'[i % 3 * (i % 7 > 0)]}"
        for i in range(60)
    ]
    path.write_text("\n".join(rows) + "\n")
    assert config_for(path) == EXPECTED


EXPECTED = """\
# 3 classes of x5 from 2 columns of t.csv
# Written for the 60 rows of that file; edit any wrong guesses.
data:
  file: t.csv                      # relative to the folder of this file
  header: false                    # guessed: row 1 has a number, 0; columns are called x1 to x5
  separator: ";"                   # guessed from the first rows
  inputs: ["!x2", "!x1"]           # all but these:
  #   x2 is always 7
  #   x1 numbers the rows: an id, not a feature
  # categories, one-hot encoded: x4 2
  # missing values: x3 12
  fill: median                     # of the training rows; for categories the most frequent
  indicator: [x3]                  # adds inputs that are 1 where these are missing
  targets: x5                      # guessed: the last column
  task: classification             # guessed: it contains categories
  # each split has the same share of every class
  split: {train: 0.7, val: 0.15, test: 0.15, stratify: true}
  scale: {inputs: standard}        # zero mean and unit variance on the training rows
network:
  layers: [auto, 8, auto]          # auto: from the data; `bpnet size` finds the best size
  activations: [tanh, softmax]     # softmax: a probability for each class
loss: cross_entropy
training:
  optimizer: lbfgs                 # a quasi-Newton method: no learning rate to set
  epochs: 1000                     # at most
  l2: 1                            # weight decay, for 42 rows and 67 parameters
  stop: {max_fail: 30}             # stop after 30 epochs without a lower validation loss
"""


def test_the_handbook_shows_what_is_written(tmp_path: Path) -> None:
    iris = load_iris(as_frame=True)
    species = iris.target_names[iris.target]
    path = tmp_path / "flowers.csv"
    iris.data.assign(species=species).to_csv(path, header=False, index=False)
    assert f"```yaml\n{config_for(path)}```" in docs.read("tables")


def test_that_config_trains_on_what_it_was_written_for(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    test_the_comments_say_what_was_guessed(tmp_path)
    config = path.with_suffix(".yaml")
    config.write_text(EXPECTED)
    experiment = build(load_config(config))
    assert experiment.table.input_names == ("x3", "x3 missing", "x4=A", "x4=B")
    assert experiment.table.class_names == ("u", "v", "w")


def test_the_file_counts_from_the_configs_folder(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    path = table(tmp_path / "here", ["a", "b"], 40)
    look = look_at(path, Dialect(header=None))
    written = tmp_path / "there" / "deep" / "t.yaml"
    text = starter_config(look, written)
    assert "file: ../../here/t.csv" in text
    written.parent.mkdir(parents=True)
    written.write_text(text)
    assert len(build(load_config(written)).table) == 40


def test_an_encoding_that_was_guessed_is_written_down(tmp_path: Path) -> None:
    path = table(tmp_path, ["ä", "ö"], 40)
    path.write_bytes(path.read_text("utf-8").encode("cp1252"))
    assert spec_for(path).data.encoding == "cp1252"


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (["a"], "is always a"),
        ([""], "has no value"),
        ([*map(str, range(30)), "z"], "cannot be read"),
        ([f"w{i}" for i in range(60)], "unique values"),
        ([f"w{i}" for i in range(40)], "names, not classes"),
        (["a", "b\x07"], "control characters"),
    ],
)
def test_a_hopeless_target_is_refused(tmp_path: Path, answers: list, message: str) -> None:
    path = table(tmp_path, answers, 60)
    if answers != [""]:  # then another column is guessed
        with pytest.raises(DataError, match=message):
            config_for(path)
    if answers[-1] != "w39":  # on request, classes of few rows are learned
        with pytest.raises(DataError, match=message):
            config_for(path, "answer")


def test_classes_of_few_rows_are_learned_on_request(tmp_path: Path) -> None:
    path = table(tmp_path, [f"w{i}" for i in range(40)], 60)
    text = config_for(path, "answer")
    assert "# Warning: answer has 40 unique values in 60 rows: names, not classes" in text
    path.with_suffix(".yaml").write_text(text)
    assert len(build(load_config(path.with_suffix(".yaml"))).table.class_names) == 40


@pytest.mark.parametrize(
    ("columns", "task", "output", "loss"),
    [
        (("p", "q"), "regression", "identity", "mse"),
        (("r", "s"), "multilabel", "sigmoid", "binary_cross_entropy"),
        (("s", "t"), "classification", "sigmoid", "binary_cross_entropy"),
    ],
)
def test_several_targets(
    tmp_path: Path,
    columns: tuple[str, str],
    task: str,
    output: str,
    loss: str,
    rng: np.random.Generator,
) -> None:
    path = tmp_path / "t.csv"
    rows = [
        f"{rng.normal():.5f},{i / 7:.3f},{i % 5},{'ny'[i % 3 % 2]},{i % 2},{1 - i % 2}"
        for i in range(60)
    ]
    path.write_text("\n".join(["x,p,q,r,s,t", *rows]) + "\n")
    text = config_for(path, *columns)
    assert f"  targets: [{columns[0]}, {columns[1]}]" in text
    assert (f"task: {task}" in text) == (task != "classification")  # one-hot: by the loss
    assert f"activations: [tanh, {output}]" in text
    assert f"loss: {loss}" in text
    assert ("targets: standard" in text) == (task == "regression")


def test_a_table_with_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "1,p\n1,q\n" * 20)
    with pytest.raises(DataError, match="no column can be an input: a is always 1"):
        config_for(path)
    path.write_text("y\n" + "p\nq\n" * 20)
    with pytest.raises(DataError, match="no column can be an input"):
        config_for(path)


ODD_NAMES = [
    "!a",
    "same_as_inputs",
    "a, b",
    "x: y",
    "# no",
    "null",
    "true",
    "[x]",
    "a*",
    "é'\"",
]


@pytest.mark.parametrize("name", [*ODD_NAMES, "a" * 300, "{", "- x", "%a", "@b", "`c", "&d", "*e"])
def test_any_name_of_a_column_is_written_so_that_it_is_read_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / "t.csv"
    quoted = '"' + name.replace('"', '""') + '"'
    rows = "".join(f"1,{i % 7},{'pq'[i % 2]}\n" for i in range(40))
    path.write_text(f'{quoted},n,word\n{rows}')  # fmt: skip
    config = path.with_suffix(".yaml")
    look = look_at(path, Dialect(header=True))
    config.write_text(starter_config(look, config))  # the odd name is an input left out
    assert build(load_config(config)).table.input_names == ("n",)
    path.write_text(
        f"n,m,{quoted}\n" + "".join(f"{i % 7},{i % 5},{'pq'[i % 2]}\n" for i in range(40))
    )
    look = look_at(path, Dialect(header=True))
    config.write_text(starter_config(look, config))  # and now the target
    assert build(load_config(config)).table.input_names == ("n", "m")


FIELDS = st.one_of(
    st.sampled_from(["", "?", "1", "2.5", "-3", "1e999", "a", "b", "true", '"x, y"', "# c", "é"]),
    st.integers(-9, 9).map(str),
)


@given(
    st.lists(st.lists(FIELDS, min_size=3, max_size=3), min_size=1, max_size=8),
    st.integers(1, 12),
)
@settings(max_examples=60)
def test_any_small_table_gets_a_valid_config_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], times: int
) -> None:
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    path.write_text("".join(",".join(row) + "\n" for row in rows * times), encoding="utf-8")
    try:
        text = config_for(path)
    except DataError as error:
        assert str(error).isprintable()  # noqa: PT017  # most tables get a config
        return
    source = Source.parse(text, str(path.with_suffix(".yaml")))
    source.tree.setdefault("name", "t")
    experiment = build(validate(source))
    encoder, data = experiment.table.encoder, experiment.spec.data
    target = encoder.file_columns.index(data.targets)
    with_targets = [
        row for row in read_rows(rows * times, data.header) if row[target] not in {"", "?"}
    ]
    assert len(experiment.table) == len(with_targets)


def read_rows(rows: list[list[str]], header: bool) -> list[list[str]]:
    """The rows of data: no blank ones, and none that repeats a header of names."""
    rows = [row for row in rows if any(row)]
    if not header:
        return rows
    is_named = not any(name in MISSING for name in rows[0])
    return [row for row in rows[1:] if row != rows[0] or not is_named]


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".mat"])
def test_arrays_get_a_config_too(tmp_path: Path, suffix: str, rng: np.random.Generator) -> None:
    X, y = rng.normal(size=(60, 3)), np.arange(60) % 3
    path = tmp_path / f"t{suffix}"
    if suffix == ".npz":
        np.savez(path, X=X, y=y)
    elif suffix == ".mat":
        savemat(path, {"X": X, "y": y})
    else:
        np.save(path, np.column_stack([X, y]))
    spec = spec_for(path)
    assert type(spec.loss).__name__ == "CrossEntropy"
    assert spec.data.targets == ("x4" if suffix == ".npy" else None)


@pytest.mark.parametrize(
    ("targets", "why_task"),
    [
        (np.eye(3)[np.arange(60) % 3], "each row has a single 1"),
        (np.arange(60) % 3, "it counts from 0 to 2"),
    ],
)
def test_the_reasons_for_the_targets_of_arrays(
    targets: Any, why_task: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "t.npz"
    np.savez(path, X=rng.normal(size=(60, 3)), y=targets)
    about = look_at(path, Dialect()).description
    assert (about.why_target, about.why_task) == ("the array of targets", why_task)
    with pytest.raises(DataError, match=r"array of targets, named `y` here: leave out --target t$"):
        look_at(path, Dialect(), ["t"])


def test_all_columns_of_targets_are_taken_from_arrays(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "t.npz"
    np.savez(path, X=rng.normal(size=(60, 3)), y=rng.normal(size=(60, 2)))
    assert "# the values of y1, y2 from 3 columns of t.npz" in config_for(path)
    assert type(spec_for(path).loss).__name__ == "Mse"
    assert config_for(path, "y2", "y1") == config_for(path)
    with pytest.raises(DataError, match="named `y1, y2` here: leave out --target y1"):
        config_for(path, "y1")
    np.savez(path, X=rng.normal(size=(60, 3)), y=rng.normal(size=60))
    with pytest.raises(DataError, match="named `y` here: leave out --target x1"):
        config_for(path, "x1")


@pytest.mark.parametrize(
    "name", ["🙂\u200b.csv", "a\x9b\u202e.csv", 'q"\\\x7f中.csv', "\U000e0001.csv"]
)
def test_a_file_of_any_name_is_found_again(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("a,y\n1,x\n2,z\n3,x\n")
    target = tmp_path / "c.yaml"
    text = starter_config(look_at(path, Dialect(header=None)), target)
    assert text.replace("\n", "").isprintable()
    source = Source.parse(text, str(target))
    assert source.tree["data"]["file"] == name


@pytest.mark.parametrize(
    ("missing", "line"),
    [
        (MISSING, None),
        ((*MISSING, "-999"), '  missing: ["-999"]'),
        (("NA",), "  missing_only: [NA]"),
        (("x", ""), '  missing_only: [x, ""]'),
    ],
)
def test_words_for_missing_values_are_written_as_they_were_told(
    tmp_path: Path, missing: tuple[str, ...], line: str | None
) -> None:
    path = table(tmp_path, ["a", "b"], 40)
    text = starter_config(look_at(path, Dialect(header=None, missing=missing)), path)
    written = [row.split(" #")[0].rstrip() for row in text.splitlines() if "missing" in row]
    assert written == ([] if line is None else [line])
    path.with_suffix(".yaml").write_text(text, encoding="utf-8")
    assert load_config(path.with_suffix(".yaml")).spec.data.dialect.missing == missing
