from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from matplotlib.axes import Axes
from plotted import check_room, entries, heading_texts, points
from swept import setting, sweep_document

from bpcli.plots.style import FORMATS
from bpcli.plots.sweep import sweep_figure, sweep_plot

RATE, HIDDEN = "training.learning_rate", "hidden"


def grid(**changes: Any) -> dict[str, Any]:
    """Three rates by two shapes: the rate matters most, setting 3 is the best, setting 5 fails."""
    losses = {0: 0.5, 1: 0.6, 2: 0.2, 3: 0.1, 4: 0.8}
    shapes = ([16, 8], [5])
    return sweep_document(
        *(
            setting(
                2 * row + column,
                {HIDDEN: shape, RATE: rate},
                [losses.get(2 * row + column), losses.get(2 * row + column)],
                stopped=50 if 2 * row + column == 1 else None,
            )
            for row, rate in enumerate((0.01, 0.1, 1.0))
            for column, shape in enumerate(shapes)
        ),
        **changes,
    )


def ticks(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_xticklabels()]


def test_a_panel_per_key_names_key_and_metric_and_the_largest_effect_is_first() -> None:
    figure = sweep_figure(grid())
    left, right = figure.axes
    assert (left.get_xlabel(), right.get_xlabel()) == (RATE, HIDDEN)
    assert left.get_ylabel() == "val.loss (lower is better)"
    details = "iris · 6 settings · 12 trainings · 2 failed · 2 stopped by halving"
    assert heading_texts(figure) == ("Effect of each swept key", details)
    assert entries(figure) == ["setting", "stopped by halving", "failed", "best: setting 3",
                               "median of the settings", "± standard deviation"]  # fmt: skip
    assert left.get_ylim() == right.get_ylim()
    check_room(figure)


def test_each_kind_of_setting_has_its_mark() -> None:
    left, right = sweep_figure(grid()).axes
    assert left.get_xscale() == "log"
    assert ticks(left) == ["0.01", "0.1", "1"]
    assert [y for _, y in points(left, "setting")] == [0.2, 0.5, 0.8]
    ((best, lowest),) = points(left, "best: setting 3")
    assert best == pytest.approx(0.1, rel=0.2)
    assert lowest == 0.1
    (hollow,) = [line for line in left.lines if line.get_label() == "stopped by halving"]
    assert hollow.get_markerfacecolor() == "white"
    ((failed, edge),) = points(left, "failed")
    assert failed == pytest.approx(1, rel=0.2)
    assert 0.9 < edge < 1
    assert ticks(right) == ["[5]", "[16, 8]"], "shapes are in order of their size"


def test_failures_are_at_the_edge_of_the_worst_values() -> None:
    left, _ = sweep_figure(grid(greater_is_better=True)).axes
    ((_, edge),) = points(left, "failed")
    assert 0 < edge < 0.1
    assert left.get_ylabel() == "val.loss (higher is better)"


def test_a_line_joins_the_medians_over_numbers_and_categories_have_dashes() -> None:
    left, right = sweep_figure(grid()).axes
    medians = dict(points(left, "median of the settings"))
    assert {round(x, 9): y for x, y in medians.items()} == pytest.approx(
        {0.01: 0.55, 0.1: 0.15, 1.0: 0.8}
    )
    (dashes,) = [each for each in right.collections if "median" in str(each.get_label())]
    heights = [segment[0][1] for segment in dashes.get_segments()]  # type: ignore[attr-defined]
    assert heights == pytest.approx([0.35, 0.5])


def drawn_at_random(count: int) -> dict[str, Any]:
    """Rates without repetition, with a loss that is lowest at 1."""
    rates = [10 ** (6 * ((0.618 * n) % 1) - 3) for n in range(count)]
    return sweep_document(
        *(setting(n, {RATE: rate}, [0.1 + math.log10(rate) ** 2]) for n, rate in enumerate(rates))
    )


def test_numbers_drawn_at_random_have_a_running_median() -> None:
    (axes,) = sweep_figure(drawn_at_random(60)).axes
    medians = points(axes, "median of the settings")
    assert 5 < len(medians) < 20
    xs = [x for x, _ in medians]
    assert xs == sorted(xs)
    assert 0.3 < min(medians, key=lambda point: point[1])[0] < 3


def test_metrics_that_span_decades_have_a_logarithmic_axis() -> None:
    def scale(*losses: float) -> str:
        document = sweep_document(
            *(setting(n, {RATE: n + 1}, [loss]) for n, loss in enumerate(losses))
        )
        return sweep_figure(document).axes[0].get_yscale()

    assert scale(0.001, 0.2) == "log"
    assert scale(0.01, 0.9) == "linear"
    assert scale(-0.001, 900.0) == "linear"


def test_of_many_keys_those_with_the_largest_effect_are_drawn() -> None:
    keys = [f"k{number}" for number in range(8)]
    document = sweep_document(
        *(
            setting(n, {key: n >> bit & 1 for bit, key in enumerate(keys)},
                    [1 + sum(0.1 * bit * (n >> bit & 1) for bit in range(8))])
            for n in range(256)
        )
    )  # fmt: skip
    figure = sweep_figure(document)
    assert [axes.get_xlabel() for axes in figure.axes] == ["k7", "k6", "k5", "k4", "k3", "k2"]
    assert heading_texts(figure)[1].endswith(" · the 6 of 8 keys with the largest effect")
    check_room(figure)


@pytest.mark.parametrize("count", range(1, 7))
def test_any_number_of_panels_has_room(count: int) -> None:
    values = [
        {"name": "adam", "beta1": 0.8, "beta2": 0.99}, {"name": "sgd"}, "中文$", "", None, 3.5,
        [16, 8],
    ]  # fmt: skip
    document = sweep_document(
        *(setting(n, {f"training.key{k}": value for k in range(count)}, [1.0 + n])
          for n, value in enumerate(values))
    )  # fmt: skip
    figure = sweep_figure(document)
    assert len(figure.axes) == count
    assert len(ticks(figure.axes[0])) == len(values)
    check_room(figure)


def test_sweeps_without_results_or_keys_are_drawn_all_the_same() -> None:
    none = sweep_figure(sweep_document(setting(0, {RATE: 0.1}, [None])))
    check_room(none)
    assert none.axes[0].texts[0].get_text() == "no setting has a result"
    assert entries(none) == ["failed"]
    bare = sweep_figure(sweep_document(setting(0, {}, [0.5, 0.6])))
    check_room(bare)
    assert bare.axes[0].get_xlabel() == "setting"
    assert entries(bare) == ["best: setting 0", "± standard deviation"]


def test_what_is_not_finite_or_missing_is_no_point() -> None:
    document = sweep_document(
        setting(0, {RATE: 0.1}, [0.5]),
        setting(1, {RATE: 0.2}, [math.nan], mean=math.nan, failed=0),
        setting(2, {RATE: 0.3}, [None], failed=0),
    )
    (axes,) = sweep_figure(document).axes
    assert points(axes, "failed") == [pytest.approx((0.2, 0.965))]
    assert sum(len(line.get_xdata()) for line in axes.lines) == 2  # type: ignore[arg-type]


def test_a_number_0_beside_powers_of_ten_has_a_place_of_its_own() -> None:
    document = sweep_document(
        *(setting(n, {"l2": l2}, [1.0 + n]) for n, l2 in enumerate((0.1, 0, 0.001)))
    )
    assert ticks(sweep_figure(document).axes[0]) == ["0", "0.001", "0.1"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_equal_documents_give_equal_bytes(suffix: str) -> None:
    plot = sweep_plot(grid(), Path(f"x{suffix}"))
    assert sweep_plot(grid(), Path(f"y{suffix.upper()}")) == plot
    assert sweep_plot(grid(name="other"), Path(f"x{suffix}")) != plot
