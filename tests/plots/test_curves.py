from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from plotted import entries, heading_texts, laid_out, logged, subject_of

from bpcli.errors import RunError
from bpcli.plots import PLOTS, plot_file, reasons
from bpcli.plots.curves import thinned
from bpcli.runs.run_json import BROKEN_OFF, Fold
from bpcli.runs.subject import Subject


@pytest.fixture(scope="module")
def moons(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return subject_of(tmp_path_factory.mktemp("runs"), "moons", training__epochs=6)


def losses(moons: Subject, train: list[float], val: list[float], **record: object) -> Subject:
    lines = [{"train.loss": a, "val.loss": b} for a, b in zip(train, val, strict=True)]
    return logged(moons, *lines, **record)


def curve(axes: Axes, label: str) -> tuple[list[float], list[float]]:
    (line,) = [line for line in axes.lines if line.get_label() == label]
    return list(line.get_xdata()), list(line.get_ydata())


def test_the_loss_curves_are_those_of_the_log_and_the_best_epoch_is_marked(moons: Subject) -> None:
    subject = losses(
        moons,
        [1, 0.1, 0.01],
        [1, 0.2, 0.3],
        best_epoch=1,
        stop_reason="max_fail",
        metrics={"val.loss": 0.2},
    )
    figure = laid_out("loss", subject)
    (axes,) = figure.axes
    assert curve(axes, "training") == ([0, 1, 2], [1, 0.1, 0.01])
    assert curve(axes, "validation") == ([0, 1, 2], [1, 0.2, 0.3])
    assert curve(axes, "best epoch") == ([1], [0.2])
    assert [text.get_text() for text in axes.texts] == ["epoch 1"]
    details = "moons · best epoch 1 (loss 0.2) · stop reason: max_fail"
    assert heading_texts(figure) == ("Loss by epoch", details)
    assert axes.get_ylabel() == "mean loss (binary_cross_entropy)"
    assert axes.get_yscale() == "log"


def test_the_final_loss_of_the_test_set_is_a_level_at_the_best_epoch(moons: Subject) -> None:
    results = {"train.loss": 0.1, "val.loss": 0.2, "test.loss": 0.4}
    subject = losses(moons, [1, 0.1, 0.01], [1, 0.2, 0.3], best_epoch=1, metrics=results)
    (axes,) = laid_out("loss", subject).axes
    assert curve(axes, "test, best weights") == ([1], [0.4])
    assert 0.4 in [line.get_ydata()[0] for line in axes.lines if len(set(line.get_ydata())) == 1]
    without = losses(moons, [1, 0.1], [1, 0.2], best_epoch=1, metrics={"train.loss": 0.1})
    assert "test, best weights" not in entries(laid_out("loss", without))


def test_logged_metrics_are_marked_points(moons: Subject) -> None:
    lines = [{"epoch": n, **({"train.accuracy": 0.5} if n % 10 == 0 else {})} for n in range(500)]
    (axes,) = laid_out("metrics", logged(moons, *lines)).axes
    (line,) = [line for line in axes.lines if line.get_label() == "training"]
    assert line.get_marker() == "o"
    assert list(line.get_xdata()) == list(range(0, 500, 10))


def test_an_axis_of_r2_is_cut_below_and_says_so(moons: Subject) -> None:
    lines = [{"train.r2": value} for value in (-6.5, 0.1, 0.9)]
    figure = laid_out("metrics", logged(moons, *lines))
    assert figure.axes[0].get_ylim()[0] == -0.25
    (legend,) = figure.legends
    said = "R² is cut at -0.25; its lowest value is -6.5".replace("-", "\N{MINUS SIGN}")
    assert legend.get_title().get_text() == said
    bad = laid_out("metrics", logged(moons, *lines[:1]))
    assert bad.axes[0].get_ylim()[0] < -6.5


def test_a_run_that_was_interrupted_is_not_ended_by_that(moons: Subject) -> None:
    record = replace(moons.record, status="interrupted", stop_reason="interrupted")
    subject = replace(moons, record=record)
    assert PLOTS["loss"]().details(subject)[-1] == "interrupted"


@pytest.mark.parametrize(
    ("train", "scale"),
    [
        ([1, 0.1, 0.01], "log"),
        ([1.0, 0.8, 0.6], "linear"),  # a power of ten would be the only tick, or none
        ([1, 0.1, 0.0], "symlog"),
        ([0, 0, 0], "linear"),
        ([1, 0, -1], "linear"),
        ([0.7], "linear"),
        ([1, math.nan, math.inf], "linear"),
        ([1e-300, 1e300, 1], "symlog"),
        ([1e308, 1e308, 1e-308], "symlog"),
    ],
)
def test_any_loss_is_drawn(moons: Subject, train: list[float], scale: str) -> None:
    subject = losses(moons, train, [None] * len(train))  # type: ignore[list-item]  # as NaN is saved
    (axes,) = laid_out("loss", subject).axes
    assert axes.get_yscale() == scale
    values = np.array(curve(axes, "training")[1])
    assert np.array_equal(np.isnan(values), ~np.isfinite(train))


def test_an_axis_of_few_powers_names_other_numbers_too(moons: Subject) -> None:
    (axes,) = laid_out("loss", losses(moons, [9, 5, 3], [9, 5, 3])).axes
    low, high = axes.get_ylim()
    shown = [text.get_text() for text in axes.get_yticklabels()]
    inside = [text for text in shown if low <= float(text) <= high]
    assert {"3", "4", "5", "6", "8"} <= set(inside)


@pytest.mark.parametrize("epochs", [1, 2, 50, 10**6])
def test_epochs_are_whole_numbers_and_only_those_there_were(moons: Subject, epochs: int) -> None:
    lines = ({"train.loss": 1 / (1 + n), "epoch": n * epochs // 4} for n in range(5))
    (axes,) = laid_out("loss", logged(moons, *lines, best_epoch=epochs)).axes
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert ticks
    assert all(tick == round(tick) and 0 <= tick <= epochs for tick in ticks)


def test_a_run_that_was_killed_says_so_in_the_title(moons: Subject) -> None:
    record = replace(moons.record, stop_reason="", best_epoch=0, epochs=0, ended="")
    killed = replace(moons, record=replace(record, status=BROKEN_OFF))
    assert PLOTS["loss"]().details(killed) == ("", "interrupted, resumable")


def test_no_finite_loss_is_no_plot(moons: Subject) -> None:
    subject = losses(moons, [math.nan, math.inf], [math.nan, math.nan])
    assert PLOTS["loss"]().why_not(subject) == "The log has no finite loss."


@pytest.mark.parametrize("name", ["$x^2$", "a_$b", "long_" * 60, "<svg>", "\\frac", "数据"])
def test_any_name_fits_above_the_plot(moons: Subject, name: str) -> None:
    laid_out("loss", losses(moons, [1, 0.5], [1, 0.5], name=name))


def test_a_fold_is_named(moons: Subject) -> None:
    figure = laid_out("loss", losses(moons, [1, 0.5], [1, 0.5], fold=Fold(2, 5, "g")))
    assert heading_texts(figure)[1].startswith("moons, fold 2 of 5 ·")


def test_thinning_keeps_the_ends_the_peaks_and_the_gaps() -> None:
    x = np.arange(1_000_000)
    y = np.sin(x / 1e5)
    y[[123_456, 654_321]] = 7, -7
    y[500_000:600_000] = np.nan
    kept_x, kept_y = thinned(x, y)
    assert len(kept_x) <= 4000
    assert (np.diff(kept_x) > 0).all()
    assert {0, 123_456, 654_321, 999_999} <= set(kept_x.tolist())
    assert np.array_equal(kept_y, y[kept_x], equal_nan=True)
    assert np.isnan(kept_y[(kept_x > 501_000) & (kept_x < 599_000)]).all()


def test_each_metric_has_a_panel(moons: Subject) -> None:
    figure = laid_out("metrics", moons)
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "accuracy (share of correct rows)",
        "log loss (nats)",
    ]
    expected = [
        (line.epoch, line.metrics["val.accuracy"])
        for line in moons.lines
        if "val.accuracy" in line.metrics
    ]
    assert list(zip(*curve(figure.axes[0], "validation"), strict=True)) == expected
    assert figure.axes[0].get_yscale() == "linear"


def test_metrics_that_are_never_defined_are_left_out(moons: Subject) -> None:
    lines = [{"train.loss": 1.0, "train.rmse": 2.0, "train.r2": None}] * 3
    (axes,) = laid_out("metrics", logged(moons, *lines)).axes
    assert axes.get_ylabel() == "RMSE (in units of the target)"
    assert reasons(logged(moons, {"train.loss": 1.0}))["metrics"] == (
        "The log has no metric besides the loss."
    )


def test_the_gradient_of_each_layer_is_a_curve(moons: Subject) -> None:
    lines = [{"grad_norms": [1e-8 * 0.5**epoch, 1e-3, 1.0]} for epoch in range(4)]
    (axes,) = laid_out("gradient_norms", logged(moons, *lines)).axes
    assert [line.get_label() for line in axes.lines] == [
        "layer 1: 16 tanh",
        "layer 2: 8 tanh",
        "layer 3: 1 sigmoid",
    ]
    assert curve(axes, "layer 1: 16 tanh")[1] == [1e-8, 5e-9, 2.5e-9, 1.25e-9]
    assert axes.get_yscale() == "log"


def test_the_gradients_of_the_first_and_the_last_layer_are_those_of_the_log(moons: Subject) -> None:
    (axes,) = laid_out("gradient_norms", moons).axes
    for place, label in ((0, "layer 1: 16 tanh"), (-1, "layer 3: 1 sigmoid")):
        expected = [line.grad_norms[place] for line in moons.lines]
        assert curve(axes, label)[1] == expected


@pytest.mark.parametrize(
    ("kind", "what"),
    [("gradient_norms", "gradient norms by layer"), ("units", "dead and saturated units")],
)
def test_a_log_of_an_earlier_version_says_so(moons: Subject, kind: str, what: str) -> None:
    reason = reasons(logged(moons, {"train.loss": 1.0}))[kind]
    assert (
        reason
        == f"The log has no {what}: an earlier version of bpnet wrote it. Train the run again."
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            {"grad_norms": [1.0, 2.0]},
            "values of `grad_norms` are not lists of 3 numbers, one per layer.",
        ),
        ({"grad_norms": 1.0}, "values of `grad_norms` are not lists of 3 numbers, one per layer."),
        ({"grad_norms": ["a", "b", "c"]}, "values of `grad_norms` are not all numbers."),
        ({"grad_norms": [[1], [2, 3], 4]}, "values of `grad_norms` are not all numbers."),
    ],
)
def test_a_damaged_log_is_one_sentence(moons: Subject, line: dict[str, object], told: str) -> None:
    with pytest.raises(
        RunError, match=re.escape(f"metrics.jsonl of {moons.run_id} is damaged: {told}")
    ):
        laid_out("gradient_norms", logged(moons, line))


def test_whatever_steers_the_optimizer_is_drawn(tmp_path: Path, moons: Subject) -> None:
    (axes,) = laid_out("learning_rate", moons).axes
    assert axes.get_ylabel() == "learning rate"
    assert set(axes.lines[0].get_ydata()) == {moons.record.learning_rate}
    marquardt = subject_of(tmp_path, "matlab_defaults", training__epochs=4)
    figure = laid_out("learning_rate", marquardt)
    assert figure.axes[0].get_ylabel() == "damping"
    assert heading_texts(figure) == ("Damping", "matlab_defaults · levenberg_marquardt")


def test_a_diagnostic_may_be_negative(moons: Subject) -> None:
    lines = [{"log_evidence": value} for value in (None, -30.0, 12.0)]
    panels = laid_out("learning_rate", logged(moons, *lines)).axes
    (axes,) = (axes for axes in panels if axes.get_ylabel() == "log evidence")
    assert axes.get_ylim()[0] < -30


def test_an_optimizer_without_figures_says_so(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=2, training__optimizer="rprop")
    assert reasons(subject)["learning_rate"] == (
        "The optimizer rprop logs no learning rate, step length or damping."
    )


def test_equal_runs_give_equal_plots(tmp_path: Path) -> None:
    first, again = (subject_of(tmp_path, "xor", training__epochs=3) for _ in range(2))
    assert first.run_id != again.run_id
    kinds = ["loss", "metrics", "weights"]
    assert plot_file(kinds, first, ".svg") == plot_file(kinds, again, ".svg")
