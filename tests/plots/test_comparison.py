from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from plotted import heading_texts

from bpcli.plots.comparison import comparison_figure, comparison_plot
from bpcli.plots.style import FORMATS

SIGNATURE = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}


def document(
    labels: tuple[str, ...] = ("sgd", "lbfgs"), seeds: int = 1, stop_reason: str = "epochs"
) -> dict[str, Any]:
    trainings = [
        {
            "optimizer": label,
            "seed": seed,
            "stop_reason": stop_reason,
            "curve": {
                "epochs": [0, 1, 2],
                "gradient_evaluations": [0.0, 1.0 + place, 3.0 + place],
                "seconds": [0.0, 0.003, 0.007 + seed],
                "loss": [1.0, 0.1, 0.01],
            },
        }
        for seed in range(seeds)
        for place, label in enumerate(labels)
    ]
    return {
        "name": "moons", "loss": "mse", "reduction": "mean", "l2": 0.25,
        "seeds": list(range(seeds)), "optimizers": [{"label": label} for label in labels],
        "trainings": trainings,
    }  # fmt: skip


def texts(figure: Figure) -> list[str]:
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def test_both_panels_say_what_they_show_and_in_which_unit() -> None:
    figure = comparison_figure(document())
    left, right = figure.axes
    assert left.get_xlabel() == "gradient evaluations (each over all training rows)"
    assert right.get_xlabel() == "time of the training steps (s)"
    assert left.get_ylabel() == "loss: mse + L2 0.25"
    assert heading_texts(figure) == ("Comparison of optimizers", "moons · seed 0")
    assert heading_texts(comparison_figure(document(seeds=3)))[1] == "moons · seeds 0 to 2"
    assert left.get_yscale() == "log"


def test_the_lines_are_the_curves() -> None:
    left, right = comparison_figure(document()).axes
    assert list(left.lines[1].get_xdata()) == [0, 2, 4]
    assert list(right.lines[1].get_xdata()) == [0, 0.003, 0.007]
    assert list(left.lines[1].get_ydata()) == [1, 0.1, 0.01]
    assert left.get_xlim()[0] == 0


def test_a_line_a_training_and_an_entry_an_optimizer() -> None:
    figure = comparison_figure(document(seeds=3))
    assert texts(figure) == ["sgd", "lbfgs"]
    for axes in figure.axes:
        assert len(axes.lines) == 6
        assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == 2


def test_many_optimizers_differ_in_colour_or_dashes_and_neighbours_in_both() -> None:
    labels = tuple(f"optimizer_{number}" for number in range(20))
    left, _ = comparison_figure(document(labels)).axes
    styles = [(line.get_color(), line.get_linestyle()) for line in left.lines]
    assert len(set(styles)) == 20
    assert all(a[0] != b[0] and a[1] != b[1] for a, b in pairwise(styles))


@pytest.mark.parametrize("length", [5, 40, 100])
def test_the_legend_stands_inside_the_plot_and_beside_the_panels(length: int) -> None:
    labels = tuple(f"{number:0{length}}" for number in range(6))
    figure = comparison_figure(document(labels))
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert all(box.y1 <= axes.get_tightbbox().y0 for axes in figure.axes)


def test_what_diverged_ends_in_a_cross() -> None:
    for stop_reason, marker in (("diverged", "X"), ("goal", "o")):
        left, _ = comparison_figure(document(stop_reason=stop_reason)).axes
        assert {line.get_marker() for line in left.lines} == {marker}


def test_what_diverges_leaves_the_others_room() -> None:
    shown = document(stop_reason="diverged")
    shown["trainings"][1]["curve"]["loss"] = [1.0, 1e150, 1e300]
    left, right = comparison_figure(shown).axes
    assert left.get_ylim() == right.get_ylim()
    assert list(left.lines[1].get_ydata()) == [1, 100, 100]
    assert left.get_ylim()[0] > 0.001
    assert 100 < left.get_ylim()[1] < 1000


@pytest.mark.parametrize("losses", [[0.0, 0.0, 0.0], [-1.0, -2.0, -3.0]])
def test_losses_that_have_no_logarithm_are_drawn_all_the_same(losses: list[float]) -> None:
    shown = document()
    for training in shown["trainings"]:
        training["curve"]["loss"] = losses
    figure = comparison_figure(shown)
    figure.draw_without_rendering()
    assert figure.axes[0].get_yscale() == "linear"
    assert list(figure.axes[0].lines[0].get_ydata()) == losses


@pytest.mark.parametrize("count", [0, 1])
def test_trainings_without_a_step_are_drawn_all_the_same(count: int) -> None:
    shown = document()
    for training in shown["trainings"]:
        training["curve"] = {key: values[:count] for key, values in training["curve"].items()}
    figure = comparison_figure(shown)
    figure.draw_without_rendering()
    assert len(figure.axes[0].lines) == 2 * count


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_suffix_chooses_the_format_and_equal_documents_give_equal_bytes(suffix: str) -> None:
    plot = comparison_plot(document(), Path(f"x{suffix}"))
    assert plot.startswith(SIGNATURE[suffix])
    assert comparison_plot(document(), Path(f"y{suffix.upper()}")) == plot


def test_a_plot_needs_no_display_and_no_settings_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("axes.facecolor: red\nbackend: tkagg\n")
    probe = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from pathlib import Path\n"
        "from views_document import document\n"
        "from bpcli.plots.comparison import comparison_plot\n"
        "sys.stdout.buffer.write(comparison_plot(document(), Path('x.svg')))\n"
        "assert 'matplotlib.pyplot' not in sys.modules and 'tkinter' not in sys.modules\n"
    )
    (tmp_path / "views_document.py").write_text(f"def document():\n    return {document()!r}\n")
    done = subprocess.run(
        [sys.executable, "-c", probe, tmp_path], cwd=tmp_path, capture_output=True, check=True,
        env={"MPLBACKEND": "tkagg", "HOME": str(Path.home())},
    )  # fmt: skip
    assert done.stdout == comparison_plot(document(), Path("x.svg"))
