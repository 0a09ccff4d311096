"""The evaluation of a run on a split: scores, intervals, classes, and what is required."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from builds import INLINE, MOONS, built
from sklearn import metrics as reference
from tampered import a_record

from bpcli.errors import ConfigError, RunError
from bpcli.experiment import Experiment
from bpcli.metrics.requirements import Requirement
from bpcli.runs.store import Run
from bpcli.runs.trained import Trained
from bpcli.workflows import evaluate as module
from bpcli.workflows.evaluate import default_split, evaluate, judge_run
from bpcli.workflows.predict import predict_rows

THREE = """\
name: t
data: {generator: blobs, n_samples: 60, split: {test: 0.5}}
network: {layers: [2, 3, 3], activations: [tanh, softmax]}
loss: cross_entropy
"""
VALUES = """\
name: t
data: {generator: sine, n_samples: 40, split: {test: 0.25}}
network: {layers: [1, 3, 1], activations: [tanh, identity]}
loss: mse
"""


def untrained(experiment: Experiment) -> Trained:
    """A run at its initial parameters."""
    return Trained(Run(Path("a-run")), a_record(), experiment, experiment.initial_params)


@pytest.mark.parametrize(
    ("split", "expected"),
    [("{val: 0.2, test: 0.2}", "test"), ("{val: 0.2}", "val"), ("{}", "train")],
)
def test_by_default_the_split_farthest_from_training_is_scored(split: str, expected: str) -> None:
    assert default_split(built(MOONS, f"data.split={split}")) == expected


@pytest.mark.parametrize("text", [MOONS, THREE])
def test_the_report_of_classes_is_that_of_the_predictions(text: str) -> None:
    trained = untrained(built(text))
    found = evaluate(trained, "test").report
    assert found is not None
    split = trained.experiment.splits["test"]
    said = predict_rows(trained.experiment, trained.params, split.index).answers["class"]
    assert split.labels is not None
    names = trained.experiment.table.class_names
    pairs = [(names[true], name) for true, name in zip(split.labels, said, strict=True)]
    assert found.confusion == [[pairs.count((a, b)) for b in names] for a in names]
    for row, counts in zip(found.classes, found.confusion, strict=True):
        right = pairs.count((row["name"], row["name"]))
        assert row["rows"] == sum(counts)
        assert row["recall"] == pytest.approx(right / sum(counts))
        predicted = said.count(row["name"])
        assert row["precision"] == pytest.approx(right / predicted if predicted else 0)


def rank_auc(is_one: np.ndarray, score: np.ndarray) -> float:
    """The share of pairs of a one and another that are in order; ties count half."""
    difference = score[is_one][:, np.newaxis] - score[~is_one]
    return float((np.sign(difference) / 2 + 0.5).mean())


def test_the_area_under_roc_is_the_share_of_pairs_in_order() -> None:
    for text in (MOONS, THREE):
        trained = untrained(built(text))
        split = trained.experiment.splits["test"]
        outputs = predict_rows(trained.experiment, trained.params, split.index).outputs
        labels = split.labels
        assert labels is not None
        expected = [rank_auc(labels == label, score) for label, score in enumerate(outputs.T)]
        if len(expected) == 1:
            expected = [rank_auc(labels == 1, outputs[:, 0])]
        report = evaluate(trained, "test").report
        assert report is not None
        assert report.roc_auc == pytest.approx(np.mean(expected), rel=1e-12)


def test_of_a_class_that_the_split_lacks_there_is_no_curve() -> None:
    experiment = built(THREE, "data.split={test: 0.02}")
    found = evaluate(untrained(experiment), "test")
    assert found.report is not None
    assert found.report.roc_auc is None
    assert found.to_json()["metrics"]["test.roc_auc"] is None


def test_values_have_no_report() -> None:
    found = evaluate(untrained(built(VALUES)), "test")
    assert found.report is None
    assert {*found.to_json()} == {"split", "rows", "metrics", "baselines", "intervals"}


def test_the_document_names_everything_by_its_path() -> None:
    found = evaluate(untrained(built(MOONS)), "val", with_intervals=False)
    document = found.to_json()
    json.dumps(document, allow_nan=False)
    assert (document["split"], document["rows"]) == ("val", 10)
    assert "intervals" not in document
    for paths in (document["metrics"], *document["baselines"].values()):
        assert {path.partition(".")[0] for path in paths} == {"val"}
    assert document["metrics"]["val.accuracy"] == found.scores["accuracy"]
    assert sum(map(sum, document["confusion"])) == 10


def test_intervals_are_the_same_every_time_and_left_out_where_they_take_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trained = untrained(built(VALUES))
    first, again = (evaluate(trained, "train").intervals for _ in range(2))
    assert first is not None
    assert first == again
    low, high = first["loss"] or (0, 0)
    loss = evaluate(trained, "train").scores["loss"]
    assert loss is not None
    assert low < loss < high
    monkeypatch.setattr(module, "MOST_ROWS_WITH_INTERVALS", 29)
    assert evaluate(trained, "train").intervals is None
    assert evaluate(trained, "train", with_intervals=True).intervals == first


def test_an_empty_split_is_said() -> None:
    with pytest.raises(RunError) as caught:
        evaluate(untrained(built(INLINE)), "val")
    assert str(caught.value) == "The val split of a-run is empty: choose another split."


def test_a_requirement_may_be_of_another_split_than_the_one_that_is_shown() -> None:
    trained = untrained(built(MOONS))
    shown = evaluate(trained, "test")
    texts = ["test.accuracy>=0", "train.loss<0", "val.accuracy<=1"]
    found = judge_run(trained, shown, [Requirement.parse(text) for text in texts])
    assert [verdict.passed for verdict in found] == [True, False, True]
    assert found[1].value == evaluate(trained, "train").scores["loss"]


def test_what_is_required_of_no_metric_is_said() -> None:
    trained = untrained(built(MOONS, "data.split={}"))
    shown = evaluate(trained, "train")
    for text in ("train.acuracy>1", "val.accuracy>0"):
        with pytest.raises(ConfigError, match=f"unknown metric `{text[:-2]}`; expected one of "):
            judge_run(trained, shown, [Requirement.parse(text)])


LABELS = """\
name: t
data: {file: t.csv, targets: [a, b, c], task: multilabel, split: {index: {test: test.txt}}}
network: {layers: [2, 3, 3], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
"""


def of_labels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """An untrained network of three labels; no test row has the last one."""
    monkeypatch.chdir(folder)
    rng = np.random.default_rng(2)
    rows = [
        f"{rng.normal()},{rng.normal()},{'yes' if rng.random() < 0.4 else 'no'},"
        f"{rng.integers(2)},{'no' if n >= 20 else ['yes', 'no'][n % 2]}\n"
        for n in range(40)
    ]
    Path("t.csv").write_text("x,z,a,b,c\n" + "".join(rows))
    Path("test.txt").write_text("\n".join(map(str, range(21, 41))))
    return untrained(built(LABELS))


def test_the_report_of_labels_has_their_words_rows_and_areas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = of_labels(tmp_path, monkeypatch)
    found = evaluate(trained, "test")
    document = found.to_json()
    split = trained.experiment.splits["test"]
    assert split.values is not None
    assert [label["name"] for label in document["labels"]] == ["a", "b", "c"]
    assert [label["words"] for label in document["labels"]] == [
        ["no", "yes"],
        ["0", "1"],
        ["no", "yes"],
    ]
    ones = split.values.sum(axis=0).astype(int).tolist()
    assert [label["rows"] for label in document["labels"]] == [[20 - one, one] for one in ones]
    outputs = predict_rows(trained.experiment, trained.params, split.index).outputs
    areas = reference.roc_auc_score(split.values[:, :2], outputs[:, :2], average=None)
    metrics = document["metrics"]
    assert [metrics["test.roc_auc.a"], metrics["test.roc_auc.b"]] == pytest.approx(areas.tolist())
    assert metrics["test.roc_auc.c"] is None
    assert metrics["test.recall.c"] is None
    assert metrics["test.roc_auc"] == pytest.approx(areas.mean())
    assert document["baselines"]["constant"]["test.accuracy.c"] == 1
    (note,) = found.notes
    assert note.startswith("label `c`: every row of the test split is `no`, so recall and ROC")
    assert "classes" not in document
    assert "test.f1.a" not in document["intervals"]
    requirements = [Requirement.parse("test.roc_auc.a>=0"), Requirement.parse("test.recall.c>=0")]
    assert [each.passed for each in judge_run(trained, found, requirements)] == [True, False]


def test_the_area_of_all_labels_is_roc_auc_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = of_labels(tmp_path, monkeypatch)
    split = trained.experiment.splits["train"]
    outputs = predict_rows(trained.experiment, trained.params, split.index).outputs
    found = evaluate(trained, "train")
    expected = reference.roc_auc_score(split.values, outputs, average="macro")
    assert found.to_json()["metrics"]["train.roc_auc"] == pytest.approx(expected)
    assert found.notes == ()
