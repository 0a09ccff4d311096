"""The description of a checkpoint: what it may hold, and what is said of anything else."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli.errors import RunError
from bpcli.runs.saved import check
from bpcli.runs.saved_checkpoint import CheckpointMeta

META: dict[str, Any] = {
    "run": "a" * 16, "sha256": "0" * 64, "epoch": 3,
    "random_state": np.random.PCG64(0).state, "ended": None, "seconds": 0.5, "val_loss": None,
    "log_bytes": 100, "log_sha256": "1" * 64, "path_rows": 0, "path_sha256": "2" * 64,
}  # fmt: skip


def checked(*way: str, value: Any = None) -> CheckpointMeta:
    """The description with another value at the end of a way through it."""
    tree = deepcopy(META)
    inner: Any = {"": tree}
    for key in ("", *way)[:-1]:
        inner = inner[key]
    if way:
        inner[way[-1]] = value
    return check(CheckpointMeta, tree, Path("a file"))


@pytest.mark.parametrize("seed", range(5))
def test_the_state_of_any_generator_is_accepted_unchanged(seed: int) -> None:
    generator = np.random.default_rng(seed)
    generator.integers(9, dtype=np.int32)  # half a word is left over
    state = generator.bit_generator.state
    found = checked("random_state", value=state)
    assert found.random_state.to_json() == state
    assert found.to_json() == META | {"random_state": state}


@pytest.mark.parametrize(
    "ended", [["goal", ""], ["line_search", "No step\nwas found."], ["a" * 64, "é"]]
)
def test_a_reason_and_a_message_end_a_training(ended: list[str]) -> None:
    assert checked("ended", value=ended).ended == ended


@pytest.mark.parametrize(
    ("way", "value", "message"),
    [
        (("random_state", "bit_generator"), "MT19937", "should be 'PCG64'"),
        (("random_state", "state", "inc"), 2**128, "should be less than"),
        (("random_state", "state", "inc"), 2, "expected an odd number"),
        (("random_state", "state", "inc"), -1, "should be greater than or equal to 0"),
        (("random_state", "state", "state"), 1.0, "should be a valid integer"),
        (("random_state", "has_uint32"), 2, "should be 0 or 1"),
        (("random_state", "uinteger"), 2**32, "should be less than 4294967296"),
        (("ended",), ["boo X", ""], "a reason and a message are needed"),
        (("ended",), ["goal"], "a reason and a message are needed"),
        (("ended",), ["", "stopped"], "a reason and a message are needed"),
        (("ended",), ["a" * 65, ""], "a reason and a message are needed"),
        (("epoch",), -1, "should be greater than or equal to 0"),
        (("epoch",), True, "should be a valid integer"),
        (("sha256",), "A" * 64, "should match pattern"),
        (("val_loss",), float("nan"), "should be a finite number"),
        (("more",), 1, "Extra inputs are not permitted"),
    ],
)
def test_anything_else_is_named(way: tuple[str, ...], value: Any, message: str) -> None:
    with pytest.raises(RunError) as caught:
        checked(*way, value=value)
    said = str(caught.value)
    assert said.startswith(
        f"a file is damaged or was not written by bpnet: see its `{'.'.join(way)}"
    )
    assert message in said
