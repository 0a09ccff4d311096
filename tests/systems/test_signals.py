"""Trainings that are asked to stop at random moments end as they should."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from signals import faults_of


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="trainings are forked")
def test_signals_end_trainings_with_all_saved(tmp_path: Path) -> None:
    signals = 100 if os.environ.get("BPNET_FULL") else 5
    assert not faults_of(signals, seed=1, folder=tmp_path)
