"""Whether one run is better than another: which rows are compared, and what is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builds import MOONS, built
from tampered import a_record

from bpcli.errors import RunError
from bpcli.experiment import Experiment
from bpcli.metrics.bootstrap import Interval
from bpcli.metrics.paired import PairedTest, wilcoxon
from bpcli.runs.store import Run
from bpcli.runs.trained import Trained
from bpcli.workflows.evaluate import evaluate
from bpcli.workflows.paired import PairedEvaluation, paired
from bpcli.workflows.predict import predict_rows

VALUES = """\
name: t
data: {generator: sine, n_samples: 40, split: {test: 0.5}}
network: {layers: [1, 3, 1], activations: [tanh, identity]}
loss: mse
"""
LABELS = """\
name: t
data:
  file: labels.csv
  targets: [wet, cold]
  task: multilabel
  split: {test: 0.5}
network: {layers: [auto, 2, auto], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
"""


def run_of(experiment: Experiment, name: str, data: str = "same", seed: int = 0) -> Trained:
    """A run with random parameters, named like its folder."""
    record = replace(a_record(), name=name, data_sha256=data, data_files={})
    params = np.random.default_rng(seed).normal(size=experiment.network.n_params)
    return Trained(Run(Path(name)), record, experiment, params)


@pytest.mark.parametrize("text", [MOONS, VALUES])
def test_scores_and_differences_are_those_of_each_evaluation(text: str) -> None:
    first, second = run_of(built(text), "a", seed=1), run_of(built(text), "b", seed=2)
    found = paired(first, second, "test")
    scores = [evaluate(each, "test").scores for each in (first, second)]
    assert found.rows == len(first.experiment.splits["test"])
    assert found.notes == ()
    for metric, difference in found.differences.items():
        one, other = (each[metric] for each in scores)
        assert one is not None
        assert other is not None
        assert [each[metric] for each in found.scores] == pytest.approx([one, other], rel=1e-12)
        assert difference == pytest.approx(one - other, rel=1e-9, abs=1e-12)
    turned = paired(second, first, "test")
    assert turned.test[1:3] == found.test[2:0:-1]
    assert turned.test.p == found.test.p


def test_rows_on_which_one_alone_is_right_are_counted() -> None:
    first, second = run_of(built(MOONS), "a", seed=1), run_of(built(MOONS), "b", seed=2)
    split = first.experiment.splits["test"]
    assert split.labels is not None
    names = np.array(first.experiment.table.class_names)[split.labels]
    right = [
        np.array(predict_rows(each.experiment, each.params, split.index[:]).answers["class"])
        == names
        for each in (first, second)
    ]
    found = paired(first, second, "test").test
    assert found.name == "mcnemar"
    assert found.first == (right[0] & ~right[1]).sum()
    assert found.second == (right[1] & ~right[0]).sum()
    assert found.equal == (right[0] == right[1]).sum()


def test_only_common_rows_are_compared_in_the_same_order() -> None:
    first = run_of(built(VALUES), "a")
    second = run_of(built(VALUES, "seeds.split=7"), "b", seed=0)
    rows = [{*each.experiment.splits["test"].index[:].tolist()} for each in (first, second)]
    found = paired(first, second, "test")
    assert found.rows == len(rows[0] & rows[1])
    assert 0 < found.rows < len(rows[0])
    left_out = [len(each) - found.rows for each in rows]
    (note,) = found.notes
    assert note == (
        f"only the {found.rows} rows in the test split of both runs are compared; "
        f"{left_out[0]} and {left_out[1]} are in that of one"
    )


def test_the_same_network_on_its_common_rows_differs_by_nothing() -> None:
    """Rows in another order, or of another split, would differ."""
    experiment = built(VALUES)
    first = run_of(experiment, "a")
    split = experiment.splits["test"]
    turned = experiment.preprocessor.split("test", experiment.table, split.index[::-1][3:])
    second = run_of(replace(experiment, splits=experiment.splits | {"test": turned}), "b")
    found = paired(first, second, "test")
    assert set(found.differences.values()) == {0.0}
    assert found.test == PairedTest("wilcoxon", 0, 0, found.rows, 1.0, "neither")
    assert found.better == "neither"


def test_labels_are_compared_by_the_labels_that_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    lines = [f"{x:.3f},{int(x > 0)},{int(x < 1)}" for x in rng.normal(size=60)]
    Path("labels.csv").write_text("x,wet,cold\n" + "\n".join(lines))
    first, second = (run_of(built(LABELS), name, seed=k) for k, name in enumerate("ab"))
    found = paired(first, second, "test")
    assert found.test.name == "wilcoxon"
    assert found.metric == "accuracy"
    assert found.differences["accuracy"] == pytest.approx(
        (evaluate(first, "test").scores["accuracy"] or 0)
        - (evaluate(second, "test").scores["accuracy"] or 0)
    )


def test_equal_differences_of_wrong_labels_are_ties(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As shares they would not be: 0.3 - 0.2 is below 0.1 - 0."""
    monkeypatch.chdir(tmp_path)
    names = [f"l{number}" for number in range(10)]
    values = np.random.default_rng(1).normal(size=(80, 10))
    lines = [",".join(["0.5", *map(str, (row > 0).astype(int))]) for row in values]
    Path("labels.csv").write_text("\n".join([",".join(["x", *names]), *lines]))
    text = LABELS.replace("[wet, cold]", f"[{', '.join(names)}]").replace("auto, 2,", "1, 2,")
    first, second = (run_of(built(text), name, seed=k) for k, name in enumerate("ab"))
    wrong = []
    for each in (first, second):
        split = each.experiment.splits["test"]
        said = predict_rows(each.experiment, each.params, split.index[:])
        answers = np.array([*said.answers.values()]).T
        wrong.append((answers != np.array(said.targets)).sum(axis=1).astype(float))
    assert paired(first, second, "test").test == wilcoxon(*wrong)


def test_what_cannot_be_compared_is_refused() -> None:
    values, moons = built(VALUES), built(MOONS)
    with pytest.raises(RunError, match=r"^a has the task regression and b classification: only"):
        paired(run_of(values, "a"), run_of(moons, "b"), "test")
    with pytest.raises(RunError, match=r"a and b were trained on different data: .* --data"):
        paired(run_of(values, "a"), run_of(values, "b", data="other"), "test")
    with pytest.raises(RunError, match=r"^a was given twice"):
        paired(run_of(values, "a"), run_of(values, "a"), "test")
    reverse = replace(values, splits=values.splits | {"test": values.splits["train"]})
    with pytest.raises(RunError, match=r"No row is in the test split of both a and b: .*--data"):
        paired(run_of(values, "a"), run_of(reverse, "b"), "test")
    shifted = built(VALUES, "data.noise=0.5")
    with pytest.raises(RunError, match=r"^a and b predict different targets"):
        paired(run_of(values, "a"), run_of(shifted, "b"), "test")


def evaluation(low: float, high: float, test: PairedTest, metric: str) -> PairedEvaluation:
    middle = (low + high) / 2
    return PairedEvaluation(
        ("id-a", "id-b"), ("a", "b"), "test", 90, ({metric: 1.0}, {metric: 1 - middle}),
        {metric: middle}, {metric: Interval(low, high)}, test, (),
    )  # fmt: skip


FIRST = PairedTest("wilcoxon", 70, 20, 0, 0.001, "first")
EQUAL = PairedTest("wilcoxon", 44, 46, 0, 0.8, "neither")


@pytest.mark.parametrize(
    ("low", "high", "test", "metric", "better"),
    [
        (-0.3, -0.1, FIRST, "rmse", "first"),
        (0.1, 0.3, FIRST, "accuracy", "first"),
        (0.1, 0.3, FIRST, "rmse", "unclear"),
        (-0.3, 0.1, FIRST, "rmse", "unclear"),
        (-0.3, -0.1, EQUAL, "rmse", "unclear"),
        (-0.3, 0.1, EQUAL, "rmse", "neither"),
    ],
)
def test_a_run_is_better_if_interval_and_test_agree(
    low: float, high: float, test: PairedTest, metric: str, better: str
) -> None:
    found = evaluation(low, high, test, metric)
    assert found.better == better
    start = {
        "first": "a is better than b on",
        "neither": "a and b do not differ significantly on",
        "unclear": "It is unclear whether a or b is better on",
    }[better]
    assert found.sentences[0] == f"{start} these 90 rows."


def test_the_sentences_have_the_numbers() -> None:
    assert evaluation(-0.3, -0.1, FIRST, "rmse").sentences == (
        "a is better than b on these 90 rows.",
        "The rmse differs by -0.2, with the 95 % interval -0.3 to -0.1.",
        "a is closer on 70 rows, b on 20: p = 0.001 (Wilcoxon's signed-rank test).",
    )
