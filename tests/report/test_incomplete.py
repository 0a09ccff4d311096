"""Runs of which something is missing: what is there is shown, and what is not is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browser import opened
from systems import trained
from tampered import change_record, vouch

from bpcli.errors import RunError
from bpcli.report.report import report_of
from bpcli.runs.layout import CONFIG, METRICS, WEIGHTS
from bpcli.runs.run_json import OF_THE_END
from bpcli.runs.store import Run
from bpcli.workflows.subject import load_subject


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return trained(tmp_path / "runs", "moons", training__epochs=5).run


def page_of(run: Run, language: str = "en") -> str:
    return report_of([load_subject(run, "best", None)], language)


def text_of(browser: Any, page: str, file: Path) -> str:
    file.write_text(page, "utf-8")
    with opened(browser, file) as found:
        assert (found.said, found.requests()) == ([], [])
        assert found.violations() == []
        text: str = found.page.locator("body").inner_text()
        return text


def test_a_run_without_weights_still_shows_its_log_and_scores(
    browser: Any, run: Run, tmp_path: Path
) -> None:
    run.path(WEIGHTS).unlink()
    text = text_of(browser, page_of(run), tmp_path / "r.html")
    assert "Some files of the run could not be read" in text
    assert "Loss by epoch" in text
    assert "There are no predictions" in text
    assert "the accuracy is " in text


def test_a_run_with_a_damaged_log_still_shows_its_predictions(
    browser: Any, run: Run, tmp_path: Path
) -> None:
    run.path(METRICS).write_bytes(b"{\n")
    text = text_of(browser, page_of(run), tmp_path / "r.html")
    assert "There are no curves: " in text
    assert "Confusion matrix, test set" in text


def test_a_training_that_was_broken_off_has_its_curves(
    browser: Any, run: Run, tmp_path: Path
) -> None:
    change_record(run, {"status": "running"}, without=OF_THE_END)
    text = text_of(browser, page_of(run), tmp_path / "r.html")
    assert "The training ended unexpectedly after 5 epochs, and can be resumed." in text
    assert "There are no scores, because the training has not finished." in text
    assert "Loss by epoch" in text


def test_without_the_given_config_the_values_have_no_origins(run: Run) -> None:
    assert "config.yaml:" in page_of(run)
    run.path(CONFIG).write_text("a: [\n")
    vouch(run)
    assert "The origins of the values are not known" in page_of(run)


def test_a_diverged_training_is_reported(browser: Any, tmp_path: Path) -> None:
    from systems import CONFIGS

    from bpcli.config.load import load_config
    from bpcli.experiment import build
    from bpcli.terminal.progress import SilentView
    from bpcli.workflows.train import train

    settings = ["training.learning_rate=1e300", "training.epochs=20"]
    config = load_config(CONFIGS / "linear_regression.yaml", settings)
    outcome = train(build(config), tmp_path / "runs", SilentView())
    assert outcome.failure is not None
    text = text_of(browser, page_of(outcome.run), tmp_path / "r.html")
    assert "The training diverged after" in text


def test_a_run_of_which_nothing_is_left_is_refused(run: Run) -> None:
    change_record(run, {"status": "running"}, without=OF_THE_END)
    run.path(WEIGHTS).unlink()
    run.path(METRICS).unlink()
    with pytest.raises(RunError, match="has nothing to report"):
        page_of(run)
