"""What the scores of a run amount to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from systems import trained

from bpcli.metrics.bootstrap import Interval
from bpcli.report.over_epochs import test_scores as scores_of_test_set
from bpcli.report.scores import Comparison, Score, compared, is_log_loss, main_score, scores
from bpcli.report.sections import history, quality
from bpcli.report.words import words_of
from bpcli.workflows.evaluate import evaluate
from bpcli.workflows.subject import load_subject


@pytest.mark.parametrize(
    ("metric", "value", "interval", "constant", "expected"),
    [
        ("accuracy", 0.9, (0.8, 0.95), 0.5, "better"),
        ("accuracy", 0.6, (0.4, 0.7), 0.5, "unclear"),
        ("accuracy", 0.3, (0.2, 0.4), 0.5, "worse"),
        ("rmse", 1.0, (0.8, 1.2), 2.0, "better"),
        ("rmse", 1.0, (0.8, 2.2), 2.0, "unclear"),
        ("rmse", 3.0, (2.5, 3.2), 2.0, "worse"),
        ("accuracy", 0.9, None, 0.5, "better"),
        ("accuracy", 0.5, None, 0.5, "worse"),
        ("accuracy", 0.9, (0.8, 1), None, "unknown"),
        ("accuracy", None, None, 0.5, "unknown"),
    ],
)
def test_a_score_is_compared_with_the_baseline_by_its_interval(
    metric: str,
    value: float | None,
    interval: tuple[float, float] | None,
    constant: float | None,
    expected: Comparison,
) -> None:
    baselines = {} if constant is None else {"constant": constant}
    bounds = None if interval is None else Interval(*interval)
    assert compared(Score("test", metric, value, bounds, baselines)) == expected


def test_scores_are_those_of_the_record_with_the_intervals_of_eval(tmp_path: Path) -> None:
    run = trained(tmp_path, "moons", training__epochs=5).run
    subject = load_subject(run, "best", None)
    found = {f"{score.split}.{score.metric}": score for score in scores(subject)}
    assert {path: score.value for path, score in found.items()} == subject.record.metrics
    assert subject.rebuilt is not None
    intervals = evaluate(subject.rebuilt, "test").intervals
    assert intervals is not None
    assert found["test.accuracy"].interval == intervals["accuracy"]
    main = main_score(subject)
    assert main is not None
    assert (main.split, main.metric) == ("test", "accuracy")


def test_recorded_parameters_give_the_curve_of_the_test_set(tmp_path: Path) -> None:
    run = trained(tmp_path, "sine", training__epochs=9, training__record_params="true").run
    subject = load_subject(run, "last", None)
    found = scores_of_test_set(subject)
    assert found is not None
    assert found.epochs.tolist() == list(range(10))
    assert found.values["loss"][-1] == pytest.approx(subject.record.metrics["test.loss"])


def test_without_them_the_test_set_is_a_point(tmp_path: Path) -> None:
    subject = load_subject(trained(tmp_path, "moons", training__epochs=5).run, "best", None)
    found = scores_of_test_set(subject)
    assert found is not None
    assert found.epochs.tolist() == [subject.record.best_epoch]
    assert found.values["accuracy"].tolist() == [subject.record.metrics["test.accuracy"]]


def test_a_loss_that_is_the_log_loss_is_shown_once(tmp_path: Path) -> None:
    run = trained(tmp_path, "softmax_iris", training__epochs=3).run
    subject = load_subject(run, "best", None)
    assert is_log_loss(subject)
    weighted = "{setosa: 3, versicolor: 1, virginica: 1}"
    other = trained(tmp_path, "softmax_iris", training__epochs=3, training__class_weights=weighted)
    assert not is_log_loss(load_subject(other.run, "best", None))
    for one, times in ((subject, 0), (load_subject(other.run, "best", None), 2)):
        scored, went = (part.section(one, words_of("en")) for part in (quality, history))
        assert scored is not None
        assert went is not None
        assert len(re.findall('scope="row" class="short">loss<', str(scored.body))) == times
        assert ("Log loss by epoch" in str(went.body)) is bool(times)
        assert ("log loss, training" in str(went.body)) is bool(times)
