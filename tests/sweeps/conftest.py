from __future__ import annotations

import sys

import pytest

from bpcli.system import children


@pytest.fixture(autouse=True)
def _trainings_are_in_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests of this process may have left threads, so that forking is avoided otherwise."""
    monkeypatch.setattr(children, "can_fork", lambda: sys.platform == "linux")
