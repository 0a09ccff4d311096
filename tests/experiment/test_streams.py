from __future__ import annotations

import numpy as np
import pytest

from bpcli.experiment import stream


def test_streams_are_independent_and_named() -> None:
    draws = {name: stream(7, name).random() for name in ("data", "split", "init", "batches")}
    assert len(set(draws.values())) == 4
    assert draws["init"] == stream(7, "init").random() != stream(8, "init").random()


@pytest.mark.parametrize(
    ("name", "number"), [("data", 0), ("split", 1), ("init", 2), ("batches", 3), ("intervals", 4)]
)
def test_a_name_means_the_same_numbers_in_every_version(name: str, number: int) -> None:
    spawned = np.random.SeedSequence(7).spawn(5)[number]
    assert stream(7, name).random() == np.random.default_rng(spawned).random()
