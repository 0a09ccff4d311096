"""Rows that stay in their file give the experiment of the rows in memory."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from builds import MOONS, built

from bpcli.config.file_models import FileData
from bpcli.data.row_index import Coded, Span, same_rows
from bpcli.errors import ConfigError
from bpcli.experiment import Experiment
from bpcli.runs.provenance import data_digest
from bpcli.runs.record import split_bytes
from bpcli.system import can_fork
from bpcli.workflows.check import Check

RNG = np.random.default_rng(0)
N = 40_000  # several pieces
X = RNG.standard_normal((N, 4))
CONFIG = """\
name: t
data: {{file: {file}, split: {{val: 0.2, test: 0.1}}, scale: {{inputs: standard}}}}
network: {{layers: [auto, 3, auto], activations: [tanh, {top}]}}
loss: {loss}
training: {{engine: {engine}}}
"""
REGRESSION = {"top": "identity", "loss": "mse"}
CLASSES = {"top": "softmax", "loss": "cross_entropy"}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)


def both(file: str, kind: dict[str, str], *overrides: str) -> tuple[Experiment, Experiment]:
    """The experiment with streamed rows, and with rows in memory."""
    streamed, in_memory = (
        built(CONFIG.format(file=file, engine=engine, **kind), *overrides)
        for engine in ("stream", "memory")
    )
    assert (streamed.table.is_stored, in_memory.table.is_stored) == (True, False)
    return streamed, in_memory


def assert_same(streamed: Experiment, in_memory: Experiment) -> None:
    """All that training uses, and what a run records of the data, have the same bits."""
    assert data_digest(streamed.table) == data_digest(in_memory.table)
    assert split_bytes(streamed) == split_bytes(in_memory)
    assert streamed.notes == in_memory.notes
    assert streamed.constant_inputs == in_memory.constant_inputs
    assert streamed.table.input_names == in_memory.table.input_names
    assert streamed.table.class_names == in_memory.table.class_names
    assert streamed.table.words == in_memory.table.words
    assert streamed.table.encoder == in_memory.table.encoder
    assert [*streamed.scales.warnings] == [*in_memory.scales.warnings]
    scales = (each.preprocessor.to_arrays() for each in (streamed, in_memory))
    for one, other in zip(*(arrays.values() for arrays in scales), strict=True):
        np.testing.assert_array_equal(one, other)
    for name, split in streamed.splits.items():
        assert same_rows(split.index, in_memory.splits[name].index)
        blocks = (each.rows(name).blocks() for each in (streamed, in_memory))
        for one, other in zip(*blocks, strict=True):
            np.testing.assert_array_equal(one.inputs, other.inputs)
            np.testing.assert_array_equal(one.targets, other.targets)
    checks = [Check(each).to_json() for each in (streamed, in_memory)]
    assert checks[1]["engine"] == {"name": "memory", "bytes_per_epoch": 0}
    share = 1 - len(streamed.splits["test"]) / len(streamed.table)
    read = round(streamed.table.X.source.bytes * share)  # type: ignore[union-attr]  # stored
    assert checks[0]["engine"] == {"name": "stream", "bytes_per_epoch": read}
    for key in ("rows", "classes", "initial_loss", "dead_units", "warnings"):
        assert checks[0][key] == checks[1][key]


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_regression_has_the_same_bits(dtype: str, precision: str) -> None:
    np.save("a.npy", (np.abs(X) * 40).astype(dtype))
    assert_same(*both("a.npy", REGRESSION, f"network.dtype={precision}"))


@pytest.mark.parametrize("order", "=<>")
def test_numbers_with_more_digits_than_double_precision_have_the_same_bits(order: str) -> None:
    dtype = np.dtype(np.longdouble).newbyteorder(order)  # type: ignore[call-overload]  # a letter
    np.save("a.npy", (X[:9000].astype(np.longdouble) / 3).astype(dtype))
    streamed, in_memory = both("a.npy", REGRESSION)
    assert_same(streamed, in_memory)
    assert streamed.table.X.dtype == in_memory.table.X.dtype == np.float64


@pytest.mark.parametrize("rule", ["none", "minmax", "robust", "{divide_by: 255}"])
def test_every_scale_has_the_same_bits(rule: str) -> None:
    np.save("a.npy", X)
    rules = f"data.scale={{inputs: {rule}, targets: {rule}}}"
    assert_same(*both("a.npy", REGRESSION, rules))


@pytest.mark.parametrize("order", ["random", "time", "blocks", "interleaved"])
@pytest.mark.parametrize("split", ["{val: 0.2, test: 0.1", "{val: 0.3", "{test: 0.25"])
@pytest.mark.parametrize("at_once", [3000, 2**20])
def test_every_split_has_the_same_rows(order: str, split: str, at_once: int, monkeypatch) -> None:
    monkeypatch.setattr("bpcli.experiment.splits.ROWS_AT_ONCE", at_once)
    np.save("a.npy", X[:7001])
    streamed, in_memory = both("a.npy", REGRESSION, f"data.split={split}, order: {order}}}")
    assert_same(streamed, in_memory)
    kind = Span if order in ("time", "blocks") else Coded
    assert at_once > 7001 or isinstance(streamed.splits["train"].index, kind)


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
@pytest.mark.parametrize("at_once", [3000, 2**20])
def test_classes_have_the_same_bits(
    dtype: str, at_once: int, monkeypatch, rng: np.random.Generator
) -> None:
    monkeypatch.setattr("bpcli.experiment.splits.ROWS_AT_ONCE", at_once)
    labels = rng.choice([0, 1, 4], N, p=[0.2, 0.5, 0.3])
    np.save("a.npy", np.column_stack([X > 0, labels]).astype(dtype))
    assert_same(*both("a.npy", CLASSES, "data.task=classification"))


def test_one_hot_classes_and_labels_have_the_same_bits(rng: np.random.Generator) -> None:
    labels = rng.integers(0, 3, N)
    np.save("a.npy", np.column_stack([X, np.eye(3)[labels]]))
    assert_same(*both("a.npy", CLASSES, "data.targets=[x5, x6, x7]"))
    np.save("a.npy", np.column_stack([X, rng.integers(0, 2, (N, 3))]))
    of_labels = {"top": "sigmoid", "loss": "binary_cross_entropy"}
    assert_same(*both("a.npy", of_labels, "data.targets=[x5, x6, x7]"))
    assert_same(*both("a.npy", of_labels, "data.targets=[x5, x6]", "data.task=multilabel"))


@pytest.mark.parametrize("rows", [2000, 20_000])
@pytest.mark.parametrize("split", ["{}", "{val: 0.2}", "{val: 0.2, order: time}"])
def test_columns_and_images_are_chosen_as_in_memory(rows: int, split: str) -> None:
    np.save("a.npy", X[: 2 * rows].reshape(rows, 2, 4))
    chosen = ('data.inputs=["!x3"]', "data.targets=[x2, x8]", "data.scale.targets=standard")
    assert_same(*both("a.npy", REGRESSION, *chosen, f"data.split={split}"))


@pytest.mark.parametrize("target", ["number", "flag", "code"])
def test_parquet_has_the_same_bits(target: str, rng: np.random.Generator) -> None:
    pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    import pandas as pd

    columns = {
        "a": X[:, 0].astype(np.float32),
        "one": 1,
        "b": rng.integers(0, 9, N),
        "f": X[:, 1] > 1,
    }
    targets = {"number": X[:, 2], "flag": X[:, 2] > 0, "code": rng.integers(3, 6, N)}
    frame = pd.DataFrame({**columns, "y": targets[target]})
    frame.to_parquet("t.parquet", row_group_size=17_000)
    kind = REGRESSION if target == "number" else CLASSES
    task = ["data.task=classification"] * (target == "code")
    assert_same(*both("t.parquet", kind, *task))


def test_constant_columns_of_arrays_are_kept_as_the_description_of_inputs_says() -> None:
    rows = np.where(np.arange(4) == 1, 3.0, X[:500])
    np.save("a.npy", rows)
    scipy.io.savemat("a.mat", {"X": rows[:, :3], "y": rows[:, 3:]})
    for experiment in (
        *both("a.npy", REGRESSION),
        built(CONFIG.format(file="a.mat", engine="memory", **REGRESSION)),
    ):
        assert experiment.table.input_names == ("x1", "x2", "x3")
        assert experiment.constant_inputs == ["x2"]
    description = FileData.model_fields["inputs"].description
    assert description is not None
    assert "if the file has arrays (.npy, .npz or .mat)" in description


def test_a_split_can_be_pickled_and_read_at_positions() -> None:
    np.save("a.npy", X)
    streamed, in_memory = both("a.npy", REGRESSION)
    split = pickle.loads(pickle.dumps(streamed.splits["val"]))
    where = np.array([0, 5, 7000])
    inputs, targets = split.read_at(where)
    read = np.empty(inputs.T.shape), np.empty(targets.T.shape)
    split.prepare(inputs, targets, *read)
    expected = in_memory.splits["val"]
    np.testing.assert_array_equal(read[0].T, expected.X[where])
    np.testing.assert_array_equal(read[1].T, expected.Y[where])


def refused(file: str, *overrides: str, kind: dict[str, str] = REGRESSION) -> str:
    with pytest.raises(ConfigError) as caught:
        built(CONFIG.format(file=file, engine="stream", **kind), *overrides)
    return str(caught.value)


def test_all_that_cannot_be_streamed_is_reported_at_once() -> None:
    pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    import pandas as pd

    frame = pd.DataFrame({"a": [1.0, 2], "w": [1.0, 2], "word": ["x", "y"], "y": [1, 2]})
    frame.to_parquet("t.parquet")
    said = refused(
        "t.parquet", "data.split={folds: 2, fold: 1, order: blocks, order_by: a}", "data.weight=w",
        "data.fill=mean", "training.class_weights=balanced", "training.calibration=temperature",
    )  # fmt: skip
    for key in ("`folds`", "`order_by`", "`fill`", "column, `word`"):
        assert key in said
    assert said.count("streamed rows have no weights") == 2
    assert "streamed rows are not used to calibrate" in said


@pytest.mark.parametrize("key", ["files", "index"])
def test_splits_that_are_given_are_refused(key: str) -> None:
    np.save("a.npy", X)
    assert f"`split.{key}`" in refused("a.npy", f"data.split={{{key}: {{test: b.txt}}}}")


def test_an_autoencoder_is_refused() -> None:
    np.save("a.npy", X)
    assert "an autoencoder cannot be streamed" in refused("a.npy", "data.targets=same_as_inputs")


@pytest.mark.parametrize(
    ("suffix", "way"),
    [
        (".csv", "bpnet data convert t.csv"),
        (".npz", "save them as one array in a .npy file"),
        (".txt", "bpnet data convert t.txt"),
    ],
)
def test_other_files_are_refused_with_a_way_on(suffix: str, way: str) -> None:
    Path(f"t{suffix}").write_text("a,b\n1,2\n")
    assert way in refused(f"t{suffix}")


def test_columns_that_are_contiguous_are_refused_with_a_way_on() -> None:
    np.save("a.npy", np.asfortranarray(X))
    assert "np.save(path, np.ascontiguousarray(array))" in refused("a.npy")


def test_rows_that_are_not_in_a_file_are_refused() -> None:
    text = MOONS
    with pytest.raises(ConfigError, match=r"only the rows of a \.npy or \.parquet file"):
        built(text, "training.engine=stream")
    assert not built(text).table.is_stored


BAD = X[:50].copy()
BAD[30, 2] = np.nan
OBJECTS = np.array([[1, 2, "x"]], object)
ARRAYS = {
    "row 31, column 3 of the inputs is not finite": BAD,
    "column `y`, row 31: the value is infinite": np.column_stack(
        [X[:50], np.nan_to_num(BAD[:, 2], nan=np.inf)]
    ),
    "an array of 1 × 3 object has no rows of numbers": OBJECTS,
    "an array of 50 × 4 complex128": X[:50] + 0j,
    "an array of 50 × 4 datetime64[s]": X[:50].astype("datetime64[s]"),
    "an array of 50 × 4 |V8": X[:50].astype("V8"),
    "an array of 9 [('a', '<f4'), ('b', '<f8')]": np.zeros(9, [("a", "f4"), ("b", "f8")]),
    "an array of 0 × 4 float64 has no rows": X[:0],
    "an array of one float64 has no rows": np.array(1.0),
}


@pytest.mark.parametrize("message", ARRAYS)
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_values_are_refused_as_in_memory(message: str, task: str) -> None:
    np.save("a.npy", ARRAYS[message])
    said = []
    for engine in ("stream", "memory"):
        with pytest.raises(ConfigError) as caught:
            built(CONFIG.format(file="a.npy", engine=engine, **CLASSES), f"data.task={task}")
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert message in said[0]


def test_auto_streams_only_what_does_not_fit(monkeypatch) -> None:
    np.save("a.npy", X)
    text = CONFIG.format(file="a.npy", engine="auto", **REGRESSION)
    assert not built(text).table.is_stored
    monkeypatch.setattr("bpcli.experiment.streaming.available_memory", lambda: 1e6)
    streamed = built(text)
    assert streamed.table.is_stored
    assert "they are read from a.npy in every epoch" in streamed.notes[-1]
    assert not built(text, "data.split={folds: 2, fold: 1}").table.is_stored


def test_a_large_text_file_is_refused_before_it_is_read(monkeypatch) -> None:
    Path("t.csv").write_text("a,b\n1,2\n")
    monkeypatch.setattr("bpcli.experiment.streaming._LARGE", 1)
    monkeypatch.setattr("bpcli.experiment.streaming.available_memory", lambda: 2.0)
    text = CONFIG.format(file="t.csv", engine="auto", **REGRESSION)
    with pytest.raises(ConfigError, match=r"convert the file by `bpnet data convert t\.csv`"):
        built(text)


def test_large_tables_need_little_memory(monkeypatch, rng: np.random.Generator) -> None:
    monkeypatch.setattr("bpcli.runs.record.ROWS_AT_ONCE", 2**16)
    monkeypatch.setattr("bpcli.experiment.splits.ROWS_AT_ONCE", 2**16)
    rows = 4_000_000  # 64 MB, and 32 MB of row numbers
    file = np.lib.format.open_memmap("a.npy", "w+", np.float32, (rows, 4))
    for start in range(0, rows, 2**16):
        file[start : start + 2**16] = rng.standard_normal((min(2**16, rows - start), 4))
    del file
    built(CONFIG.format(file="a.npy", engine="stream", **REGRESSION))  # imports modules
    tracemalloc.start()
    streamed = built(CONFIG.format(file="a.npy", engine="stream", **REGRESSION))
    data_digest(streamed.table)
    split_bytes(streamed)
    _ = streamed.constant_inputs, [*streamed.scales.warnings]
    for block in streamed.rows("train").blocks():
        assert block.samples
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16e6


def converted(targets: list[str], rows: np.ndarray) -> None:
    """An array with the names of its columns beside it, in `a.npy`."""
    words = {"kind": ["p", "q", "r"], "is_new": ["no", "yes"], "is_old": ["no", "yes"]}
    np.save("a.npy", rows)
    document = {
        "schema": 1,
        "rows": len(rows),
        "columns": ["u", "v", "kind", "is_new", "is_old"],
        "targets": targets,
        "classes": [{"target": name, "names": words[name]} for name in targets if name in words],
        "dtype": "float64",
        "source": {"name": "t.csv", "size": 10, "modified_ns": 5},
        "dialect": {},
        "notes": [],
    }
    Path("a.npy.json").write_text(json.dumps(document))


NAMED = np.column_stack([X[:, :2], *(RNG.integers(0, k, N) for k in (3, 2, 2))])


@pytest.mark.parametrize(
    ("targets", "kind"),
    [
        (["u"], REGRESSION),
        (["kind"], CLASSES),
        (["is_new", "is_old"], {"top": "sigmoid", "loss": "binary_cross_entropy"}),
    ],
)
def test_a_converted_table_has_its_names(targets: list[str], kind: dict[str, str]) -> None:
    converted(targets, NAMED)
    streamed, in_memory = both("a.npy", kind)
    assert_same(streamed, in_memory)
    assert "v" in streamed.table.input_names


@pytest.mark.skipif(not can_fork(), reason="links need rights on other systems")
def test_a_link_to_a_converted_table_has_its_names() -> None:
    converted(["u"], NAMED)
    Path("data").mkdir()
    for name in ("a.npy", "a.npy.json"):
        Path(name).rename(Path("data", name))
    Path("link.npy").symlink_to(Path("data", "a.npy"))
    for linked in both("link.npy", REGRESSION):
        assert linked.table.input_names == ("v", "kind", "is_new", "is_old")


def test_numbers_of_a_converted_table_are_classes_if_the_task_says_so() -> None:
    converted([], NAMED)
    asked = ("data.targets=kind", "data.task=classification")
    assert_same(*both("a.npy", CLASSES, *asked))
    labels = ("data.targets=[is_new, is_old]", "data.task=multilabel")
    kind = {"top": "sigmoid", "loss": "binary_cross_entropy"}
    assert_same(*both("a.npy", kind, *labels))


@pytest.mark.parametrize("wrong", [3.0, -1.0, 0.5])
def test_a_number_that_is_no_class_of_a_converted_table_is_refused(wrong: float) -> None:
    rows = NAMED.copy()
    rows[N // 2, 2] = wrong
    converted(["kind"], rows)
    assert f"column `kind` has {wrong:g}, which is not the index of" in refused(
        "a.npy", kind=CLASSES
    )
