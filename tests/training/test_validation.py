from __future__ import annotations

import numpy as np
import pytest
from courses import NETWORK, SumOfZ, epochs, objective

from bpcli.engine.rows import Rows
from bpcli.nn.propagation import predict
from bpcli.training.objective import NetworkObjective
from bpcli.training.validation import Validation


def many_rows() -> NetworkObjective:
    """So many that they are several blocks."""
    X = np.linspace(-1, 1, 20_000)[:, np.newaxis]
    return NetworkObjective(NETWORK, Rows.of(NETWORK, X, np.sin(3 * X), np.dtype(float)))


@pytest.mark.parametrize("rows", [objective(6, seed=5), many_rows()], ids=["block", "blocks"])
def test_score_is_of_the_parameters_of_the_epoch_whenever_it_is_read(
    rows: NetworkObjective,
) -> None:
    X = rows.data.columns[0][:1].T
    validation = Validation(rows, SumOfZ())
    records = []
    for record in epochs(4, validation=validation):
        if record.number % 2:
            assert record.val_score is not None
        records.append(record)
    scores = [record.val_score for record in records]
    expected = [predict(NETWORK, record.params, X).sum() for record in records]
    np.testing.assert_allclose(scores, expected, rtol=1e-11)
    assert len({*scores}) == 5


def test_without_a_validation_set_there_is_no_score() -> None:
    assert next(iter(epochs(1))).val_score is None


@pytest.mark.parametrize("values", [["val_loss", "val_score"], ["val_score", "val_loss"]])
@pytest.mark.parametrize("rows", [objective(6, seed=5), many_rows()], ids=["block", "blocks"])
def test_loss_and_score_take_one_forward_pass(
    rows: NetworkObjective, values: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sums = rows._sums[np.dtype(float)]
    loads: list[int] = []
    original = sums._load
    monkeypatch.setattr(sums, "_load", lambda *args: loads.append(1) or original(*args))
    records = epochs(3, validation=Validation(rows, SumOfZ()))
    for number, record in enumerate(records, 1):
        assert None not in [getattr(record, value) for value in values]
        assert len(loads) == number
