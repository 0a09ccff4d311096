"""Rows in memory and in files, as a run reads them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bpcli
from bpcli.errors import DataError

rng = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "age": rng.integers(18, 80, 90).astype(float),
        "town": rng.choice(["Ulm", "Bonn", "Kiel"], 90),
        "since": pd.date_range("2020-01-01", periods=90).strftime("%Y-%m-%d"),
        "member": rng.random(90) > 0.5,
    }
)
TABLE["risk"] = np.where(TABLE.age + 20 * (TABLE.town == "Ulm") > 55, "high", "low")
NEW = TABLE.drop(columns="risk").head(6)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> bpcli.Run:
    folder = tmp_path_factory.mktemp("table")
    table = TABLE.copy()
    table.loc[[3, 40], "age"] = np.nan
    table.to_csv(folder / "risk.csv", index=False)
    return trained(folder / "risk.csv", targets="risk", fill="median")


def trained(path: Path, activation: str = "sigmoid", **data: Any) -> bpcli.Run:
    losses = {"sigmoid": "binary_cross_entropy", "softmax": "cross_entropy", "identity": "mse"}
    config = {
        "data": {"file": path, "scale": {"inputs": "standard"}, **data},
        "network": {"layers": ["auto", 4, "auto"], "activations": ["tanh", activation]},
        "loss": losses[activation],
        "training": {"optimizer": "lbfgs", "epochs": 30, "l2": 1},
    }
    return bpcli.train(config)


def test_a_table_in_memory_is_read_like_the_same_table_in_a_file(
    run: bpcli.Run, tmp_path: Path
) -> None:
    TABLE.head(6).to_csv(tmp_path / "new.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predicted = run.predict(NEW)
        assert predicted.tolist() == run.predict(tmp_path / "new.csv").tolist()
        np.testing.assert_array_equal(run.outputs(NEW), run.outputs(str(tmp_path / "new.csv")))
    assert set(predicted.tolist()) <= {"high", "low"}
    assert isinstance(predicted, np.ndarray)


@pytest.mark.parametrize(
    "changed",
    [
        lambda frame: frame[["member", "since", "town", "age"]],
        lambda frame: frame.set_index(pd.Index(list("abcdef"))),
        lambda frame: frame.assign(town=frame.town.astype("category")),
        lambda frame: frame.assign(town=frame.town.astype("string")),
        lambda frame: frame.assign(age=frame.age.astype("Int64")),
        lambda frame: frame.assign(age=frame.age.astype("category")),
        lambda frame: frame.assign(since=pd.to_datetime(frame.since)),
        lambda frame: frame.assign(member=frame.member.astype("boolean")),
        lambda frame: frame.assign(risk="high", extra=object()),
        lambda frame: frame.to_numpy(),
        lambda frame: frame.to_numpy().tolist(),
        lambda frame: frame.set_axis(range(4), axis=1),
    ],
)
def test_the_type_of_a_column_does_not_matter(run: bpcli.Run, changed: Any) -> None:
    np.testing.assert_array_equal(run.outputs(changed(NEW)), run.outputs(NEW))


def test_what_is_filled_or_unknown_is_a_warning(run: bpcli.Run) -> None:
    rows = NEW.assign(age=[np.nan, *NEW.age[1:]], town=["Rome", *NEW.town[1:]])
    with pytest.warns(bpcli.BpnetWarning) as caught:
        run.predict(rows)
    said = sorted(str(warning.message) for warning in caught)
    assert said[0].startswith("column `town`: 1 value not seen in training: `Rome` (1")
    assert said[1].startswith("filled 1 missing value: `age` (1, by ")
    assert {Path(warning.filename).name for warning in caught} == {"test_predictions.py"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (NEW.drop(columns=["town"]), "there is no column `town`|town"),
        (NEW.assign(age="old"), "column `age`, row 1: `old` is not a number"),
        (NEW.assign(member=["no", "maybe", *["no"] * 4]), "column `member`, row 1"),
        (NEW.set_index(pd.Index(list("abcdef"))).assign(age="old"), "column `age`, row 1"),
        (np.zeros((2, 3)), "the array has 3 columns, expected 4 inputs in this order: age, town"),
        (np.zeros(4), r"the rows have 1 dimension, expected 2: \(rows, 4\)"),
        ([[1.0, "Ulm"]], "row 1 has 2 columns, expected 4 inputs in this order: age, town"),
        ([1.0, "Ulm", "2020-01-01", True], "row 1 is 1.0, expected a list of 4 values"),
    ],
)
def test_rows_that_do_not_fit_are_refused(run: bpcli.Run, rows: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        run.predict(rows)


def test_probabilities_are_in_the_order_of_the_classes(run: bpcli.Run) -> None:
    assert run.classes == ("high", "low")
    P = run.predict_proba(NEW)
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-15)
    np.testing.assert_array_equal(P[:, 1], run.outputs(NEW)[:, 0])
    assert [run.classes[index] for index in P.argmax(axis=1)] == run.predict(NEW).tolist()


def test_several_classes_have_a_probability_each(tmp_path: Path) -> None:
    TABLE[["age", "member", "town"]].to_csv(tmp_path / "t.csv", index=False)
    with pytest.warns(bpcli.BpnetWarning, match="that of a constant prediction"):
        run = trained(tmp_path / "t.csv", "softmax", targets="town")
    P = run.predict_proba(NEW)
    assert P.shape == (6, 3)
    np.testing.assert_array_equal(P, run.outputs(NEW))
    assert run.input_names == ("age", "member")


def test_values_are_in_their_units_and_have_no_probabilities(tmp_path: Path) -> None:
    values = TABLE[["age", "member"]].assign(pay=TABLE.age * 100, tax=TABLE.age * 10)
    values.to_csv(tmp_path / "t.csv", index=False)
    scale = {"inputs": "standard", "targets": "standard"}
    one = trained(tmp_path / "t.csv", "identity", targets="pay", inputs=["age"], scale=scale)
    pay = one.predict(NEW)
    assert pay.shape == (6,)
    np.testing.assert_allclose(pay, NEW.age * 100, rtol=0.05)
    two = trained(
        tmp_path / "t.csv", "identity", targets=["pay", "tax"], inputs=["age"], scale=scale
    )
    assert two.predict(NEW).shape == (6, 2)
    assert one.classes == ()
    with pytest.raises(
        bpcli.RunError, match="does not predict probabilities because of its targets"
    ):
        one.predict_proba(NEW)


def test_labels_are_texts_in_a_frame(tmp_path: Path) -> None:
    labels = TABLE[["age", "member"]].assign(old=TABLE.age > 50, ulm=TABLE.town == "Ulm")
    labels.astype(int).to_csv(tmp_path / "t.csv", index=False)
    run = trained(tmp_path / "t.csv", targets=["old", "ulm"], task="multilabel")
    predicted = run.predict(NEW[["age", "member"]].astype(int))
    assert list(predicted) == list(run.classes) == ["old", "ulm"]
    P = run.predict_proba(NEW[["age", "member"]].astype(int))
    assert ((P[:, 0] >= 0.5) == (predicted["old"] == "1")).all()


def test_other_rows_are_scored_in_memory_as_in_a_file(run: bpcli.Run, tmp_path: Path) -> None:
    rows = TABLE.iloc[10:40]
    rows.to_csv(tmp_path / "other.csv", index=False)
    mine = run.evaluate(data=rows)
    assert mine == run.evaluate(data=tmp_path / "other.csv")
    hits = run.predict(rows) == rows.risk.to_numpy()
    assert mine["metrics"]["data.accuracy"] == pytest.approx(hits.mean(), rel=1e-12)
    with pytest.raises(DataError, match="risk"):
        run.evaluate(data=NEW)


def test_the_inputs_are_encoded_and_scaled(run: bpcli.Run) -> None:
    inputs = run.inputs(NEW)
    assert inputs.shape == (6, 1 + 3 + 1 + 1)
    np.testing.assert_array_equal(run.network.forward(inputs), run.outputs(NEW))


@pytest.mark.filterwarnings("ignore::bpcli.BpnetWarning")
def test_columns_that_are_not_one_column_of_numbers_are_refused(run: bpcli.Run) -> None:
    with pytest.raises(DataError, match="two columns are called `age`"):
        run.predict(pd.concat([NEW, NEW[["age"]]], axis=1))
    with pytest.raises(DataError, match="column `age` contains complex numbers"):
        run.predict(NEW.assign(age=1j))
