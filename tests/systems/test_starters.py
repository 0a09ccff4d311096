"""Starter configs beat the constant baseline, and on average scikit-learn's MLP too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.mixed_tables import DRAWN, real_tables
from benchmarks.starters import drawn_tables, scores, trained


@pytest.mark.parametrize("name", ["adult", "wine", "abalone", "iris"])
def test_a_real_table_is_learned(name: str, shared_data: Path, tmp_path: Path) -> None:
    frame: pd.DataFrame = real_tables(shared_data / "csv")[name]
    _, ours, constant = trained(frame, tmp_path, seed=0)
    assert ours > constant + 0.05


def test_drawn_tables_are_learned_no_worse_than_by_scikit_learn(tmp_path: Path) -> None:
    found = {name: scores(frame, tmp_path, seed=0) for name, frame in drawn_tables().items()}
    assert found.keys() == DRAWN.keys()
    assert all(each.ours > each.constant for each in found.values()), found
    ours = np.mean([each.ours for each in found.values()])
    assert ours >= np.mean([each.peer for each in found.values()]), found
