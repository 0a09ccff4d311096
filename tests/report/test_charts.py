"""Charts: their lines are where their numbers are, and nothing is outside the picture."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
from systems import trained

from bpcli.report.charts import HEIGHT, LEFT, RIGHT, WIDTH, Curve, Mark, line_chart
from bpcli.report.points import histogram, point_chart
from bpcli.report.sections.quality import section
from bpcli.report.words import words_of
from bpcli.workflows.subject import load_subject

WORDS = words_of("en")
TITLES = ("x", "y")


def chart(*curves: Curve, **more: object) -> str:
    return str(line_chart("c", curves, "Loss", WORDS, x_title="epoch", y_title="loss", **more))


def data_of(markup: str) -> dict[str, object]:
    found = re.search(r'id="c-data">(.*?)</script>', markup)
    assert found is not None
    data: dict[str, object] = json.loads(found[1])
    return data


def test_a_curve_falls_from_the_left_to_the_right() -> None:
    epochs = np.arange(50)
    markup = chart(Curve("train", epochs, 100.0 - epochs))
    (path,) = re.findall(r'<path d="([^"]+)" class="line s0">', markup)
    points = [tuple(map(float, point.split())) for point in re.split("[ML]", path)[1:]]
    assert len(points) == 50
    assert all(one < other for (one, _), (other, _) in pairwise(points))
    assert all(one < other for (_, one), (_, other) in pairwise(points)), "y counts downwards"
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert data_of(markup)["curves"] == [["train", list(range(50)), [100.0 - e for e in epochs]]]


def test_a_number_that_is_not_finite_is_a_gap() -> None:
    y = np.array([1.0, 2.0, np.nan, np.inf, 3.0, 4.0])
    markup = chart(Curve("train", np.arange(6), y))
    (path,) = re.findall(r'<path d="([^"]+)" class="line s0">', markup)
    assert (path.count("M"), path.count("L")) == (2, 2)


def test_a_single_epoch_and_a_constant_are_drawn() -> None:
    assert "nan" not in chart(Curve("train", np.array([0]), np.array([0.5]))).lower()
    assert "nan" not in chart(Curve("train", np.arange(3), np.zeros(3))).lower()
    assert "Infinity" not in chart(Curve("train", np.arange(2), np.array([np.nan, np.nan])))


def test_points_between_which_nothing_is_known_are_marked() -> None:
    x = np.arange(0, 100, 2)
    assert 'class="dots' not in chart(Curve("train", x, x))
    (dots,) = re.findall(
        r'<path d="([^"]+)" class="dots small s0">', chart(Curve("train", x, x, is_sparse=True))
    )
    assert dots.count("h0") == 50


def test_one_curve_needs_no_legend_and_several_have_one() -> None:
    one, two = (Curve(name, np.arange(3), np.arange(3), n) for n, name in enumerate("ab"))
    assert "legend" not in chart(one)
    assert chart(one, two).count("<li>") == 2


def test_a_mark_at_the_right_edge_has_its_text_on_the_left() -> None:
    curve = Curve("train", np.arange(9), np.arange(9))
    assert 'class="note end"' in chart(curve, marks=[Mark(8, "best epoch 8")])
    assert 'class="note"' in chart(curve, marks=[Mark(0, "best epoch 0")])


def test_points_and_a_line_cut_at_the_frame() -> None:
    x = np.linspace(0, 1, 30)
    line = Curve("fitted", np.array([0.0, 1.0]), np.array([-5.0, 5.0]), 1)
    markup = str(
        point_chart(
            "c", x, x**2, "Fit", WORDS, titles=TITLES, lines=[line], is_square=True,
            numbers=range(1, 31),
        )
    )  # fmt: skip
    (dots,) = re.findall(r'<path d="([^"]+)" class="dots s0 large">', markup)
    assert dots.count("h0") == 30
    (straight,) = re.findall(r'<path d="([^"]+)" class="line fit">', markup)
    places = [float(number) for number in re.findall(r"[\d.]+", straight)]
    assert all(0 <= place <= WIDTH for place in places)
    data = data_of(markup)
    assert data["points"][0] == list(range(1, 31))  # type: ignore[index]


def test_bars_count_every_row() -> None:
    rng = np.random.default_rng(0)
    groups = [("a", rng.normal(size=100)), ("b", rng.normal(size=50))]
    markup = str(histogram("c", groups, "Errors", WORDS, titles=TITLES))
    said = re.findall(r'data-say="[^:]+: a (\d+), b (\d+)"', markup)
    assert sum(int(a) for a, _ in said) == 100
    assert sum(int(b) for _, b in said) == 50


def test_equal_errors_are_one_bar() -> None:
    markup = str(histogram("c", [("a", np.zeros(5))], "Errors", WORDS, titles=TITLES))
    assert markup.count("<rect") == 1


def test_a_sample_of_rows_keeps_its_lines_within_the_frame(tmp_path: Path) -> None:
    run = trained(tmp_path, "sine", training__epochs=3, data__n_samples=2500).run
    found = section(load_subject(run, "best", None), WORDS)
    assert found is not None
    markup = str(found.body)
    assert "1,000 of" in markup
    straight = re.findall(r'<path d="M([\d.-]+) [\d.-]+L([\d.-]+) [\d.-]+" class="', markup)
    assert straight
    assert all(LEFT <= float(x) <= WIDTH - RIGHT for ends in straight for x in ends)
