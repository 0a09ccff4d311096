from __future__ import annotations

import numpy as np
from courses import epochs, objective

from bpcli.training.batches import Batches


def drawn(batches: Batches, rows: int = 10) -> list[list[float]]:
    """The input of every row of every batch of one epoch."""
    fit = objective(rows)
    return [
        batch.data.columns[0][0].tolist()
        for batch in batches.of_epoch(fit, np.random.default_rng(0))
    ]


def test_shuffle_takes_each_row_once_in_new_order() -> None:
    every = objective().data.columns[0][0].tolist()
    seen = drawn(Batches(size=4))
    assert [len(batch) for batch in seen] == [4, 4, 2]
    flat = [value for batch in seen for value in batch]
    assert sorted(flat) == sorted(every)
    assert flat != every


def test_in_order_takes_the_rows_as_they_stand() -> None:
    every = objective().data.columns[0][0].tolist()
    seen = drawn(Batches(size=4, sampling="in_order"))
    assert [value for batch in seen for value in batch] == every


def test_random_draws_with_replacement() -> None:
    seen = drawn(Batches(size=3, sampling="random", rows_per_epoch=56))
    assert [len(batch) for batch in seen] == [3] * 18 + [2]
    assert len({value for batch in seen for value in batch}) == 10


def test_rows_per_epoch_can_cut_a_shuffled_epoch_short() -> None:
    seen = drawn(Batches(size=2, rows_per_epoch=5))
    flat = [value for batch in seen for value in batch]
    assert len(flat) == len(set(flat)) == 5


def test_one_batch_of_all_rows_is_the_full_batch_in_another_order() -> None:
    full = [record.params for record in epochs(20)]
    batch = [record.params for record in epochs(20, batches=Batches(size=10))]
    np.testing.assert_allclose(full, batch, rtol=1e-10)
