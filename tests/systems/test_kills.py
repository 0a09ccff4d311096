"""Kills at random moments lose nothing; of a saver that is not atomic they find that it does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from kills import Killer, save_naively

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="trainings are forked")


@needs_fork
@pytest.mark.slow
def test_kills_lose_no_acknowledged_checkpoint(tmp_path: Path) -> None:
    kills = 1000 if os.environ.get("BPNET_FULL") else 10
    tally = Killer(tmp_path, seed=11).kill(kills)
    assert tally.faults == 0, tally
    assert tally.inside_a_save >= 0.3 * kills


@needs_fork
@pytest.mark.slow
def test_kills_catch_a_naive_saver(tmp_path: Path) -> None:
    tally = Killer(tmp_path, seed=1, save=save_naively).kill(50, until_fault=True)
    assert tally.faults, tally
