"""Commands on runs whose files hold other things than bpnet writes: refused or harmless."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from confused import KINDS, Confuser, confuse, places


@pytest.mark.slow
def test_confused_runs_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    commands = 5000 if os.environ.get("BPNET_FULL") else 300
    tally = Confuser(tmp_path, seed=1).confuse(commands)
    assert not tally.wrong, tally.wrong[:5]
    assert tally.commands >= commands
    assert {0, 2} <= tally.codes.keys()
    touched = "; ".join(tally.touched)
    assert all(f"{kind}: " in touched for kind in KINDS)


def test_every_place_is_confused_some_time() -> None:
    tree = {"a": [1, {"b": None}], "c": "d"}
    assert [*places(tree)] == [("a",), ("a", 0), ("a", 1), ("a", 1, "b"), ("c",)]
    rng = random.Random(0)
    found = {confuse({"a": [1, {"b": None}], "c": "d"}, rng) for _ in range(100)}
    assert found == {"a", "a.b", "c"}
