"""Which epochs are marked on a path, and where their labels stand."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from plotted import subject_of

from bpcli.plots.path_marks import label_places, marks
from bpcli.runs.subject import Subject


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return subject_of(tmp_path_factory.mktemp("runs"), "plane", training__epochs=3)


@pytest.mark.parametrize(
    ("best", "last", "expected"),
    [
        (57, 300, ["start", "end: epoch 300", "best: epoch 57", "epoch 1", "epoch 10",
                   "epoch 100"]),
        (2000, 2000, ["start", "end and best: epoch 2,000", "epoch 1", "epoch 10", "epoch 100",
                      "epoch 1,000"]),
        (10, 11, ["start", "end: epoch 11", "best: epoch 10", "epoch 1"]),
        (0, 1, ["start and best", "end: epoch 1"]),
        (30, 9, ["start", "end: epoch 9", "epoch 1"]),
    ],
)  # fmt: skip
def test_start_best_and_end_are_named(
    plane: Subject, best: int, last: int, expected: list[str]
) -> None:
    found = marks(replace(plane.record, best_epoch=best), last)
    assert [mark.label for mark in found] == expected


def test_labels_keep_off_each_other_the_edges_and_the_path() -> None:
    x = np.linspace(0.1, 5.2, 300)
    path = np.column_stack([x, 2 + np.sin(x)])
    labels = [(0, "start"), (299, "end and best: epoch 300"), (3, "epoch 3"), (150, "epoch 150")]
    places = label_places(path, labels)
    assert all(is_free for *_, is_free in places)
    boxes = []
    for (row, label), (dx, dy, _) in zip(labels, places, strict=True):
        (x_middle, y_middle), half = path[row] + [dx, dy], 0.07 * len(label) / 2
        assert x_middle - half > 0
        assert x_middle + half < 5.3
        boxes.append((x_middle, y_middle, half))
    for (x1, y1, half1), (x2, y2, half2) in combinations(boxes, 2):
        assert abs(x1 - x2) > half1 + half2 or abs(y1 - y2) > 0.17


def test_a_label_without_room_is_not_free() -> None:
    path = np.full((9, 2), 2.0)
    places = label_places(path, [(row, "a long label of a mark") for row in range(9)])
    assert not all(is_free for *_, is_free in places)
