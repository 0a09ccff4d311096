from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from plotted import check_room, entries, heading_texts, points
from swept import size, size_document

from bpcli.plots.sizes import sizes_figure, sizes_plot
from bpcli.plots.style import FORMATS

LOSSES = {3: 0.5, 5: 0.22, 7: 0.2, 9: 0.3}


def searched(**options: Any) -> dict[str, Any]:
    sizes = (size(units, [mean - 0.03, mean + 0.03], **options) for units, mean in LOSSES.items())
    return size_document(*sizes)


def test_the_metric_has_every_training_its_mean_and_the_limit() -> None:
    figure = sizes_figure(searched(test=False))
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("hidden units", "val.loss")
    assert heading_texts(figure) == (
        "Metrics by number of hidden units",
        "iris · 4 hidden sizes, each on 2 splits · from 1 initialisation",
    )
    assert points(axes, "mean") == [pytest.approx(pair) for pair in LOSSES.items()]
    assert len(points(axes, "one split")) == 8
    assert points(axes, "enough: 5") == [pytest.approx((5, 0.22))]
    assert points(axes, "best: 7") == [pytest.approx((7, 0.2))]
    limit = [y for _, y in points(axes, "best mean + standard error")]
    assert limit == pytest.approx([0.2 + 0.03] * 2)  # both values are 0.03 from their mean
    assert entries(figure) == [
        "one split", "mean", "± standard error", "best mean + standard error", "enough: 5",
        "best: 7",
    ]  # fmt: skip
    check_room(figure)


def test_test_metric_and_evidence_have_panels_of_their_own() -> None:
    figure = sizes_figure(searched(evidence=True))
    first, test, evidence = figure.axes
    assert (test.get_ylabel(), evidence.get_ylabel()) == ("test.accuracy", "log evidence")
    assert points(test, "mean")[0] == pytest.approx((3, 1 - 0.5 / 4))
    assert points(evidence, "mean")[0] == pytest.approx((3, -125))
    assert points(evidence, "best: 7") == [pytest.approx((7, -110))]
    band = test.collections[0].get_datalim(test.transData)
    assert band.y0 == pytest.approx(1 - 0.5 / 4 - 0.01 / math.sqrt(2))
    assert first.get_xlim() == test.get_xlim() == evidence.get_xlim()
    check_room(figure)


def test_one_mark_is_both_best_and_enough() -> None:
    figure = sizes_figure(size_document(size(3, [0.5, 0.51]), size(5, [0.2, 0.21])))
    assert entries(figure)[-1] == "best and enough: 5"
    assert not any(line.get_label() == "enough: 5" for line in figure.axes[1].lines)


def test_doubled_sizes_are_evenly_spaced() -> None:
    document = size_document(*(size(2**n, [0.5, 0.6]) for n in range(7)), hidden_layers=2)
    axes = sizes_figure(document).axes[0]
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()][-1] == "64"
    assert axes.get_xlabel() == "hidden units in each of 2 layers"


def test_a_size_that_failed_has_a_cross_and_no_mean() -> None:
    document = size_document(size(3, [0.5, 0.51]), size(5, [None, None]), size(7, [0.4, None]))
    figure = sizes_figure(document)
    assert [x for x, _ in points(figure.axes[0], "mean")] == [3, 7]
    assert [x for x, _ in points(figure.axes[0], "failed")] == [5]
    assert heading_texts(figure)[1].endswith(" · 3 failed")
    check_room(figure)


@pytest.mark.parametrize(
    "document",
    [
        size_document(size(3, [None, None]), size(5, [None, None]), interrupted=True),
        size_document(size(3, [0.5, 0.6])),
        size_document(size(3, [0.5]), size(5, [0.2])),
        size_document(size(3, [1e-9, 1e3]), size(5, [-1.0, 0.0])),
    ],
    ids=["failed", "one size", "one training", "decades"],
)
def test_small_searches_are_drawn_all_the_same(document: dict[str, Any]) -> None:
    check_room(sizes_figure(document))


@pytest.mark.parametrize("suffix", FORMATS)
def test_equal_documents_give_equal_bytes(suffix: str) -> None:
    plot = sizes_plot(searched(), Path(f"x{suffix}"))
    assert sizes_plot(searched(), Path(f"y{suffix.upper()}")) == plot
