"""Comparisons of several runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from browser import opened
from systems import trained

from bpcli.report.comparison import labels_of
from bpcli.report.report import report_of
from bpcli.runs.subject import Subject
from bpcli.workflows.subject import load_subject


@pytest.fixture
def subjects(tmp_path: Path) -> list[Subject]:
    runs = [
        trained(tmp_path / "runs", "moons", training__epochs=epochs, name=name).run
        for epochs, name in ((4, "short"), (30, "long"))
    ]
    return [load_subject(run, "best", None) for run in runs]


def test_a_comparison_shows_what_differs_and_all_curves(
    browser: Any, subjects: list[Subject], tmp_path: Path
) -> None:
    file = tmp_path / "c.html"
    file.write_text(report_of(subjects, "en"), "utf-8")
    with opened(browser, file) as found:
        assert (found.said, found.requests()) == ([], [])
        assert found.violations() == []
        page = found.page
        ids = page.evaluate("[...document.querySelectorAll('main > section')].map(s => s.id)")
        assert ids == ["scores", "curves", "differences", "diagnosis"]
        keys = page.locator("#differences tbody th").all_inner_texts()
        assert keys == ["training.epochs"]
        assert page.locator("#differences tbody td").all_inner_texts() == ["4", "30"]
        assert page.locator("#curve-0 path.line").count() == 4  # two curves, two in the legend
        assert "All runs have the same data." in page.locator("#differences").inner_text()
    with opened(browser, file, width=390) as narrow:
        assert narrow.page.evaluate("document.documentElement.scrollWidth") == 390


def test_values_are_written_as_in_a_config_and_those_of_the_data_come_last(tmp_path: Path) -> None:
    runs = [
        trained(tmp_path, "moons", training__epochs=1, **different).run
        for different in (
            {"training__optimizer": "{name: gradient_descent, nesterov: true, momentum: 0.5}"},
            {
                "data__noise": 0.5,
                "network__activations": "[{name: elu, alpha: 0.5}, tanh, sigmoid]",
            },
        )
    ]
    page = report_of([load_subject(run, "best", None) for run in runs], "en")
    values = re.findall("<code>(.*?)</code>", page)
    assert "[{name: elu, alpha: 0.5}, tanh, sigmoid]" in values
    assert "true" in values
    keys = [value for value in values if re.match("(data|network|training)[.]", value)]
    assert keys.index("network.activations") < keys.index("data.noise") == len(keys) - 1


def test_the_best_run_is_named_and_doubted_if_intervals_overlap(subjects: list[Subject]) -> None:
    page = report_of([subjects[0], subjects[1]], "en")
    assert "long is best: its accuracy on the test set is" in page


def test_runs_of_the_same_name_are_told_apart_by_their_ids(subjects: list[Subject]) -> None:
    assert labels_of(subjects) == ["short", "long"]
    assert labels_of([subjects[0], subjects[0]]) == [subjects[0].run_id] * 2
