"""The processor as the system tells of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bpcli import system


def test_cores_are_counted_where_nothing_says_which_may_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert system.usable_cores() == 5
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert system.usable_cores() == 1


def test_a_processor_has_a_name_if_the_kernel_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text("processor : 0\nmodel name\t: A fast one\n")
    assert system.cpu_model(str(tmp_path)) == "A fast one"
    monkeypatch.setattr("platform.processor", lambda: "another")
    assert system.cpu_model(str(tmp_path / "nowhere")) == "another"


def test_only_cores_that_this_process_may_use_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert system.usable_cores() == 3
