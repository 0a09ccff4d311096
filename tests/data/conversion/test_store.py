from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bpcli.data.conversion import store
from bpcli.data.conversion.store import Store, count_texts, means, medians
from bpcli.nn.arrays import Array


def test_the_rows_come_in_order_and_in_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_VALUES_AT_ONCE", 10)
    rows = np.arange(33.0).reshape(11, 3)
    (tmp_path / "cells").write_bytes(rows.tobytes() + b"torn")
    own = Store(tmp_path / "cells", 3, 11)
    chunks = list(own.chunks())
    assert [len(each) for each in chunks] == [3, 3, 3, 2]
    assert np.concatenate(chunks).tolist() == rows.tolist()
    assert own.size == rows.nbytes


def chunks_of(rows: Array) -> Iterator[Array]:
    return iter(np.array_split(rows, 3))


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_means_and_medians_are_those_of_numpy(count: int) -> None:
    rng = np.random.default_rng(count)
    rows = rng.standard_normal((count, 6)) * [1, 1e300, 1e-310, 1, 1, 0]
    rows[:, 3] = np.round(rows[:, 3])  # many equal ones
    rows[:, 4] = -np.abs(rows[:, 4])
    rows[1:, 0][rng.random(count - 1) < 0.3] = np.nan
    rows[:, 5][::2] = -0.0
    counts = np.count_nonzero(~np.isnan(rows), axis=0)
    assert medians(lambda: chunks_of(rows), counts) == np.nanmedian(rows, axis=0).tolist()
    np.testing.assert_allclose(means(chunks_of(rows)), np.nanmean(rows, axis=0), rtol=1e-13)


def test_texts_are_counted_and_the_first_ones_known() -> None:
    cells = np.array([[0, 1], [1, np.nan], [2, 0], [0, 0], [2, 1.0]])
    are_words = {0: np.array([False, True, False]), 1: np.array([False, False, True])}
    found = count_texts(chunks_of(cells), are_words, 3)
    assert found[0][0].tolist() == [2, 1, 2]
    assert found[0][1] == [0, 2, 0], "text 1 is an entry for missing values"
    assert found[1][0].tolist() == [2, 2, 0]
    assert found[1][1] == [1, 0, 0]
