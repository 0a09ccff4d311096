"""The rows of a trace: by default, by number, and what is said of them."""

from __future__ import annotations

import pytest
from tracing import experiment_of, traced

from bpcli.errors import ConfigError
from bpcli.trace.numbers import trace
from bpcli.trace.rows import MOST_ROWS


def test_one_row_makes_an_update_of_its_own() -> None:
    document = traced("xor", rows=[3])
    (update,) = document["updates"]
    (one,) = update["passes"]
    assert (document["rows"], document["inputs"], document["targets"]) == ([3], [[1, 0]], [[1]])
    assert (document["scale"], len(one["loss_by_row"])) == (1, 1)
    assert "row 3 alone; training has 4 rows" in document["shown"]


def test_without_rows_a_small_training_split_is_taken_whole_else_its_first_row() -> None:
    assert traced("xor")["rows"] == [1, 2, 3, 4]
    assert traced("plane", f"data.n_samples={MOST_ROWS}")["rows"] == list(range(1, MOST_ROWS + 1))
    document = traced("plane", f"data.n_samples={MOST_ROWS + 1}")
    assert document["rows"] == [1]
    assert "row 1 alone, the first of the 9 training rows" in document["shown"]


def test_rows_are_those_of_predict_and_may_be_of_any_split() -> None:
    experiment = experiment_of("softmax_iris")
    test_row = int(experiment.splits["test"].index[0])
    found = trace(experiment, experiment.initial_params, rows=[test_row + 1])
    X = experiment.preprocessor.inputs.apply(experiment.table.X[[test_row]])
    assert found.to_json()["inputs"] == X.tolist()
    assert found.setting.splits == ("test",)
    assert "training does not use them" in " ".join(found.setting.notes)


@pytest.mark.parametrize("rows", [[5], [0], [1, 9], []])
def test_rows_that_there_are_not_are_refused(rows: list[int]) -> None:
    with pytest.raises(ConfigError, match="expected rows from 1 to 4"):
        traced("xor", rows=rows)
