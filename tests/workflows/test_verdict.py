"""What a comparison of two trainings amounts to."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from bpcli.runs.machines import Break, Change
from bpcli.runs.run_json import Machine
from bpcli.workflows.verdict import (
    UNEXPLAINED,
    Counts,
    Difference,
    Differences,
    Verdict,
    relative_difference,
)

COUNTS = Counts(epochs=9, losses=10, tensors=4, metrics=3, path_rows=0)
MACHINE = Machine({}, "", "A", "native", [], [])
SAME = Verdict("a-run", COUNTS, {}, 0.0, None, None, MACHINE, MACHINE, [])
LOSS = Difference("the loss of epoch 3", 0.5, None)
OTHER = replace(SAME, differences={"epoch": LOSS}, largest=1e-9, largest_in="the losses")


@pytest.mark.parametrize(
    ("then", "again", "relative"),
    [
        ([4.0, -8.0], [4.0, -8.5], 0.0625),
        ([[1.0], [2.0]], [[1.5], [2.0]], 0.25),
        ([0.0, 0.0], [-0.0, 0.0], 0.0),
        ([0.0], [1e-300], np.inf),
        ([np.nan, 2.0], [np.nan, 3.0], 0.5),
        ([np.inf, 2.0], [1e308, 2.0], np.inf),
        ([1.0], [1.0, 2.0], np.inf),
        ([], [], 0.0),
    ],
)
def test_the_relative_difference_of_tensors(
    then: list[float], again: list[float], relative: float
) -> None:
    assert relative_difference(np.array(then), np.array(again)) == relative


def finding(what: str, relative: float | None) -> Difference:
    return Difference(what, 1, 2, relative, f"all of {what}")


def test_the_first_difference_of_an_aspect_and_the_first_of_the_largest_are_kept() -> None:
    differences = Differences()
    differences.add("data", [finding("data", None)])
    assert (differences.largest, differences.largest_in) == (0.0, None)
    differences.add("tensor", [finding("W1", 0.0), finding("W2", 0.5), finding("W3", 0.5)])
    differences.add("epoch", [])
    assert {aspect: each.what for aspect, each in differences.first.items()} == {
        "data": "data",
        "tensor": "W1",
    }
    assert (differences.largest, differences.largest_in) == (0.5, "all of W2")


def test_a_difference_of_no_size_is_named_as_the_largest_if_there_is_no_other() -> None:
    differences = Differences()
    differences.add("line", [finding("zeros", 0.0)])
    assert differences.largest_in == "all of zeros"


def test_no_difference_is_identical_and_needs_no_explanation() -> None:
    assert SAME.is_identical
    assert SAME.is_accepted
    assert SAME.explanation == []
    assert SAME.sentence == (
        "bit-identical: 10 losses, 4 tensors, 3 metrics and the split after 9 epochs"
    )
    with_path = replace(SAME, counts=replace(COUNTS, path_rows=10))
    assert ", 10 rows of recorded parameters and the split" in with_path.sentence


@pytest.mark.parametrize(
    ("tolerance", "accepted"), [(None, False), (0.0, False), (1e-9, True), (1e-8, True)]
)
def test_a_tolerance_accepts_a_distance_up_to_it(tolerance: float | None, accepted: bool) -> None:
    verdict = replace(OTHER, tolerance=tolerance)
    assert (verdict.is_identical, verdict.is_accepted) == (False, accepted)
    head = f"within tolerance {tolerance:g}" if accepted else "not identical"
    assert verdict.sentence.startswith(f"{head} (10 losses")
    assert verdict.sentence.endswith(": the loss of epoch 3 was 0.5 and is not finite")


def test_no_tolerance_accepts_an_infinite_distance() -> None:
    verdict = replace(OTHER, tolerance=1e300, largest=math.inf, largest_in="the size of W1")
    assert not verdict.is_accepted
    assert verdict.distance_text == "the largest relative difference is infinite: the size of W1"
    assert OTHER.distance_text == "the largest relative difference is 1e-09, in the losses"


def test_a_difference_is_explained_by_breaks_then_by_the_machine_or_not_at_all() -> None:
    assert OTHER.explanation == [UNEXPLAINED]
    broken = replace(
        OTHER, breaks=[Break(4, [Change("numpy", "1", "2")])], now=replace(MACHINE, cpu="B")
    )
    first, second = broken.explanation
    assert first.startswith("From epoch 4 on,")
    assert second == "Since the run began, these have changed: cpu: A became B."


def test_the_document_has_the_first_difference_of_every_aspect() -> None:
    document = OTHER.to_json()
    assert [key for key in document if key.startswith("first_")] == [
        "first_data", "first_split", "first_epoch", "first_line", "first_tensor", "first_record",
        "first_metric", "first_path",
    ]  # fmt: skip
    assert document["first_epoch"] == {"what": LOSS.what, "then": 0.5, "again": None}
    assert document["first_tensor"] is None
    assert (document["largest_relative_difference"], document["largest_in"]) == (1e-9, "the losses")
