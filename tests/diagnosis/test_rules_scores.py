"""When scores are no better than those of a constant prediction."""

from __future__ import annotations

from dataclasses import replace

import pytest
from faults import shipped, trained_on

from bpcli.diagnosis.evidence import Evidence
from bpcli.diagnosis.rules_scores import worse_than_constant
from bpcli.runs.subject import Subject
from bpcli.workflows.subject import load_subject


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    split = "data={generator: iris, split: {test: 0.5}}"
    plant = shipped("softmax_iris", split, "training.epochs=3")
    run = trained_on(plant(0), tmp_path_factory.mktemp("runs"))
    return load_subject(run, "best", None)


@pytest.mark.parametrize(("accuracy", "is_better"), [(0.9, True), (0.5, True), (0.36, False)])
def test_an_accuracy_that_is_clearly_better_counts_although_the_loss_is_worse(
    accuracy: float, is_better: bool, subject: Subject
) -> None:
    """Sure of itself where it is wrong: of 75 rows, chance alone gives 0.33 ± 0.05."""
    record = replace(
        subject.record,
        metrics={"test.loss": 5.0, "test.accuracy": accuracy},
        baselines={"constant": {"test.accuracy": 1 / 3}},
    )
    found = [*worse_than_constant(Evidence(replace(subject, record=record)))]
    titles = ["The test loss is 5, and that of a constant prediction is 1.099."]
    assert [each.title for each in found] == ([] if is_better else titles)


def test_a_loss_that_is_not_finite_is_worse(subject: Subject) -> None:
    record = replace(subject.record, metrics={"test.loss": None})
    (found,) = worse_than_constant(Evidence(replace(subject, record=record)))
    assert found.title.startswith("The test loss is not finite, ")
