"""The entry that a trace follows: by name, and without one."""

from __future__ import annotations

import numpy as np
import pytest
from tracing import traced

from bpcli.errors import ConfigError


@pytest.mark.parametrize(
    "entry",
    ["W3[1,1]", "W1[5,1]", "W1[0,1]", "W1[1]", "b1[1,1]", "b2[2]", "W1", "W1[1,1", "x1[1]", "",
     "W1[²,1]", "W" + "9" * 400 + "[1,1]"],
)  # fmt: skip
def test_entries_that_there_are_not_are_refused_with_the_shapes(entry: str) -> None:
    shapes = r"W1 \(4 x 2\), b1 \(4\), W2 \(1 x 4\), b2 \(1\)"
    with pytest.raises(ConfigError, match=shapes):
        traced("xor", entry=entry)


@pytest.mark.parametrize("entry", ["W1[2,1]", " W1[ 2 , 1 ] ", "b1[2]", "W2[1,4]", "b2[1]"])
def test_an_entry_is_followed(entry: str) -> None:
    found = traced("xor", entry=entry)["updates"][0]["entry"]
    assert found["entry"] == entry.replace(" ", "")
    assert found["after"] == pytest.approx(found["before"] - found["objective_by_entry"])


def test_without_an_entry_the_steepest_weight_of_the_first_layer_is_followed() -> None:
    (update,) = traced("xor")["updates"]
    grad = np.array(update["passes"][0]["backward"][0]["objective_by_W"])
    row, column = (int(place) - 1 for place in update["entry"]["entry"][3:-1].split(","))
    assert abs(grad[row, column]) == np.abs(grad).max()


def test_an_entry_without_targets_is_refused() -> None:
    with pytest.raises(ConfigError, match="no targets"):
        traced("forward_3443", entry="W1[1,1]")
