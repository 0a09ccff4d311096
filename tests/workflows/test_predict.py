"""Predictions for rows of an experiment: what they hold, as a table and as JSON."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builds import INLINE, MOONS, built

from bpcli.nn.propagation import predict as network_outputs
from bpcli.workflows.predict import PredictedRows, predict_rows

SCALED = "data.scale={inputs: standard, targets: standard}"
VALUES = """\
name: t
data:
  generator: regression
  n_samples: 20
  n_features: 3
  n_targets: 2
network: {layers: [3, 2, 2], activations: [tanh, identity]}
loss: mse
"""


def some(**changes: object) -> PredictedRows:
    fields: dict[str, object] = {
        "numbers": np.array([4, 7]), "input_names": ("x1",), "X": np.array([[1 / 3], [1e-20]]),
        "output_names": ("P(yes)",), "outputs": np.array([[0.25], [1.0]]),
        "answers": {"class": ["no", "yes"]},
        "target_names": ("target",), "targets": [["no"], ["no"]],
    }  # fmt: skip
    return PredictedRows(**fields | changes)  # type: ignore[arg-type]


def test_rows_of_classes_have_probabilities_classes_and_targets() -> None:
    experiment = built(MOONS)
    rows = np.array([7, 0, 7])
    found = predict_rows(experiment, experiment.initial_params, rows)
    np.testing.assert_array_equal(found.numbers, rows + 1)
    np.testing.assert_array_equal(found.X, experiment.table.X[rows])
    assert found.columns == ["row", "x1", "x2", "P(1)", "class", "target"]
    assert found.answers == {"class": ["01"[int(p >= 0.5)] for p in found.outputs[:, 0]]}
    assert experiment.table.labels is not None
    assert found.targets == [[str(label)] for label in experiment.table.labels[rows]]


@pytest.mark.parametrize("overrides", [(), (SCALED,)])
def test_inputs_outputs_and_targets_are_in_original_units(overrides: tuple[str, ...]) -> None:
    experiment = built(VALUES, *overrides)
    rows, scales = np.arange(20), experiment.preprocessor
    found = predict_rows(experiment, experiment.initial_params, rows)
    X, Y = experiment.table.X, experiment.table.Y
    assert Y is not None
    np.testing.assert_array_equal(found.X, X)
    assert found.targets == Y.tolist()
    outputs = network_outputs(
        experiment.network,
        experiment.initial_params,
        (X - scales.inputs.shift) / scales.inputs.factor,
    )
    expected = outputs * scales.targets.factor + scales.targets.shift
    np.testing.assert_allclose(found.outputs, expected, rtol=1e-13)
    assert (found.answers, found.target_names) == ({}, ("target1", "target2"))


def test_targets_that_are_the_inputs_are_not_shown_twice() -> None:
    experiment = built(
        "name: t\ndata: {generator: encoder, n_patterns: 3}\n"
        "network: {layers: [3, 2, 3], activations: [sigmoid, sigmoid]}\nloss: mse\n"
    )
    found = predict_rows(experiment, experiment.initial_params, np.array([1]))
    assert (found.targets, found.target_names) == ([], ())


def test_cells_have_all_digits_or_as_many_as_are_asked_for() -> None:
    assert some().cells() == [
        ["4", "0.3333333333333333", "0.25", "no", "no"],
        ["7", "1e-20", "1", "yes", "no"],
    ]
    assert len(some().columns) == 5
    assert some().cells(most=1) == some().cells()[:1]
    assert some().cells("{:.2f}".format, 1) == [["4", "0.33", "0.25", "no", "no"]]


def test_columns_of_names_are_told() -> None:
    assert some().text_columns == {"class", "target"}
    values = some(answers={}, targets=[[1.0], [2.0]])
    assert values.text_columns == set()
    assert values.cells()[1][-1] == "2"


def test_the_documents_have_all_digits() -> None:
    assert some().to_json()[0] == {
        "row": 4, "inputs": {"x1": 1 / 3}, "outputs": {"P(yes)": 0.25}, "class": "no",
        "target": "no",
    }  # fmt: skip


def test_without_classes_and_targets_there_are_no_cells_for_them() -> None:
    bare = some(answers={}, targets=[], target_names=())
    assert bare.columns == ["row", "x1", "P(yes)"]
    assert bare.cells(most=1) == [["4", "0.3333333333333333", "0.25"]]
    assert {*bare.to_json()[0]} == {"row", "inputs", "outputs"}


def test_a_single_target_has_no_number() -> None:
    experiment = built(INLINE, "loss=mse")
    found = predict_rows(experiment, experiment.initial_params, np.arange(4))
    assert found.columns[-1] == "target"
    assert found.to_json()[1]["target"] == 1.0


def test_rows_of_labels_have_a_probability_and_a_word_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("x,ill,old\n1,yes,0\n2,no,1\n3,no,1\n4,yes,1\n")
    experiment = built(
        VALUES,
        "data={file: t.csv, targets: [ill, old], task: multilabel}",
        "network={layers: [1, 2, 2], activations: [tanh, sigmoid]}",
    )
    found = predict_rows(experiment, experiment.initial_params, np.array([0, 2]))
    assert found.columns[2:] == ["P(ill)", "P(old)", "ill", "old", "target1", "target2"]
    assert found.targets == [["yes", "0"], ["no", "1"]]
    is_one = (found.outputs >= 0.5).T.tolist()
    assert found.answers == {
        "ill": ["yes" if one else "no" for one in is_one[0]],
        "old": ["1" if one else "0" for one in is_one[1]],
    }
    row = found.to_json()[1]
    assert row["labels"] == {name: words[1] for name, words in found.answers.items()}
    assert "class" not in row
