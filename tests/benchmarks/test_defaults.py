"""The study of defaults; measured with `python -m benchmarks.defaults`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from benchmarks.defaults import COLUMNS, Run, full_batch, judged, mini_batches, runs_of, table
from benchmarks.defaults_data import TASKS, Problem, data_sets
from benchmarks.defaults_settings import STUDIES, Setting, Study
from benchmarks.estimator_data import FROM_FOLDER
from bpcli.optimizers import OPTIMIZERS
from bpcli.optimizers.base import Point

NO_FOLDER = Path("no folder is read")
EVERY_STUDY = pytest.mark.parametrize("study", STUDIES, ids=lambda each: each.title)


def problem(name: str = "few rows", seed: int = 0) -> Problem:
    return Problem(name, data_sets(NO_FOLDER)[name], seed)


def test_there_are_data_sets_without_a_folder() -> None:
    found = data_sets(NO_FOLDER)
    assert found.keys() == TASKS.keys() - set(FROM_FOLDER)
    assert {each.is_classes for each in found.values()} == {True, False}
    assert all(len(each.X) == len(each.y) <= 1500 for each in found.values())


def test_every_optimizer_with_a_choice_has_a_study() -> None:
    studied = {study.name for study in STUDIES}
    elsewhere = {name for name, kind in OPTIMIZERS.items() if kind.needs_sum_of_squares}
    assert OPTIMIZERS.keys() - studied - elsewhere == {"bfgs"}  # which has no options
    batches = {study.name for study in STUDIES if not study.is_full_batch}
    assert batches == {name for name, kind in OPTIMIZERS.items() if not kind.full_batch_because}


@EVERY_STUDY
def test_a_study_has_both_defaults_and_no_setting_twice(study: Study) -> None:
    labels = [setting.label for setting in study.settings]
    assert len(set(labels)) == len(labels)
    assert {study.default.label, study.before.label} <= set(labels)


def test_a_problem_depends_on_its_seed_alone() -> None:
    first, same, other = problem(), problem(), problem(seed=1)
    assert np.array_equal(first.start, same.start)
    assert not np.array_equal(first.start, other.start)
    assert len(first.experiment.rows("train")) == 30
    assert len(first.experiment.rows("test")) == 10


def test_the_score_is_at_least_that_of_a_constant() -> None:
    for name, constant in (("few rows", 0.0), ("iris", 13 / 37)):
        subject = problem(name)
        assert subject.score(np.full_like(subject.start, np.nan)) == constant
        assert subject.score(np.full_like(subject.start, 1e3)) == constant


def test_the_objective_is_recorded_at_each_evaluation() -> None:
    subject = problem()
    setting = Setting("gradient_descent", 0.1)
    run = full_batch(subject, setting, 4)
    params, expected = subject.start, []
    for _ in range(4):
        evaluation = subject.objective.value_and_grad(params)
        expected.append(evaluation.value)
        params = params - 0.1 * evaluation.grad
    assert run.costs.tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(run.objectives, expected)
    # The step after the last evaluation is made: the score is that of the parameters behind it.
    assert run.score == subject.score(params)


def test_both_gradients_of_a_step_count() -> None:
    subject = problem()
    optimizer = OPTIMIZERS["scaled_conjugate_gradient"]()
    setting = Setting("scaled_conjugate_gradient")
    start = Point(subject.start)
    one, _ = optimizer.step(subject.objective, start, optimizer.init(start.params), np.asarray(0.0))
    # At the start, at a distance σ, and at the end of the first step; the fourth is not made.
    assert full_batch(subject, setting, 3).score == subject.score(one.params)
    assert full_batch(subject, setting, 2).score == subject.score(start.params)


def test_a_training_that_diverges_stays_at_its_best() -> None:
    subject = problem()
    with np.errstate(all="ignore"):
        runs = [
            train(subject, Setting("gradient_descent", 1e6), 20)
            for train in (full_batch, mini_batches)
        ]
    for run in runs:
        assert np.isfinite(run.objectives).all()
        assert (np.diff(run.objectives) <= 0).all()
        assert run.score == 0.0


def test_an_epoch_of_mini_batches_costs_one() -> None:
    run = mini_batches(problem(), Setting("adam", 0.01), 3)
    assert run.costs.tolist() == [1, 2, 3, 4]
    assert run.objectives[-1] < run.objectives[0]


def run_of(*objectives: float, score: float = 0.5) -> Run:
    return Run(np.arange(1.0, len(objectives) + 1), np.array(objectives), score)


def test_settings_are_judged_by_data_set() -> None:
    # Two data sets with one seed. In the first, f_L = 0: the targets are 10, 1 and 0.1 of 100.
    # `a` reaches them at costs 2, 2 and 2; `b` at 4, never and never. So the ratios of `b` are 2,
    # ∞, ∞; its area at the first is 1 - log2 2 / log2 32 = 0.8. The second is the other way round.
    fast, slow = run_of(100, 0), run_of(100, 50, 20, 10, score=0.2)
    found = judged({"a": [fast, slow], "b": [slow, fast]}, seeds=1)
    assert COLUMNS == ("area", "within 2×", "solved", "score")
    np.testing.assert_allclose(found["a"][0], [1, 1, 1, 0.5])
    np.testing.assert_allclose(found["b"][0], [0.8 / 3, 1 / 3, 1 / 3, 0.2])
    np.testing.assert_allclose(found["a"][1], found["b"][0])
    both = judged({"a": [fast, slow], "b": [slow, fast]}, seeds=2)
    np.testing.assert_allclose(both["a"], [(found["a"][0] + found["a"][1]) / 2])


def test_a_table_marks_both_defaults_and_has_gains_with_their_errors() -> None:
    found = {
        "new": np.array([[0.5, 0.5, 0.5, 0.9], [0.7, 0.7, 0.7, 0.7]]),
        "old": np.array([[0.4, 0.4, 0.4, 0.8], [0.4, 0.4, 0.4, 0.6]]),
    }
    _, _, new, old = table(found, "new", "old")
    assert new == r"| new\* | 0.60 | 0.60 | 0.60 | 0.800 | +0.200 ± 0.100 | +0.100 ± 0.000 |"
    assert old == "| old° | 0.40 | 0.40 | 0.40 | 0.700 | +0.000 ± 0.000 | +0.000 ± 0.000 |"


def test_all_settings_are_run_on_the_same_problems() -> None:
    study = next(each for each in STUDIES if each.name == "conjugate_gradient")
    with threadpool_limits(1):
        runs = runs_of(study, [problem(), problem("iris")], share=100)
    assert list(runs) == [setting.label for setting in study.settings]
    assert all(len(each) == 2 for each in runs.values())
    starts = {tuple(float(run.objectives[0]) for run in each) for each in runs.values()}
    assert len(starts) == 1
