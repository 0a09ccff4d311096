from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Result
from systems import CONFIGS

from bpcli.workflows import evaluate

Bpnet = Callable[..., Result]
XOR = CONFIGS / "xor.yaml"
SHORT = ("--set", "training.epochs=40")


def test_eval_scores_the_last_split_beside_a_baseline(bpnet: Bpnet) -> None:
    bpnet("train", CONFIGS / "softmax_iris.yaml", "--quiet", "--set", "seed=1")
    result = bpnet("eval", "latest")
    assert result.code == 0
    assert "test split (45 rows" in result.err
    for word in (
        "constant (test)",
        "precision",
        "recall",
        "F1",
        "virginica",
        "roc_auc",
        "log_loss",
    ):
        assert word in result.out
    document = json.loads(bpnet("eval", "softmax_iris", "--json", "--split", "train").out)
    assert document["rows"] == 105
    assert np.trace(document["confusion"]) / 105 == pytest.approx(
        document["metrics"]["train.accuracy"]
    )
    assert document["metrics"]["train.roc_auc"] > 0.99
    assert document["baselines"]["constant"]["train.accuracy"] == pytest.approx(1 / 3)


def test_eval_agrees_with_what_training_recorded(bpnet: Bpnet) -> None:
    bpnet("train", CONFIGS / "moons.yaml", *SHORT, "--quiet")
    record = json.loads(bpnet("runs", "show", "latest", "--json").out)
    for split in ("train", "val", "test"):
        metrics = json.loads(bpnet("eval", "latest", "--json", "--split", split).out)["metrics"]
        for path, value in metrics.items():
            assert path.endswith("roc_auc") or value == record["metrics"][path]


def test_best_and_last_weights_differ_and_can_be_chosen(bpnet: Bpnet) -> None:
    bpnet("train", CONFIGS / "moons.yaml", "--quiet")
    record = json.loads(bpnet("runs", "show", "latest", "--json").out)
    assert record["stop_reason"] == "max_fail"
    assert record["epochs"] == record["best_epoch"] + 300
    losses = {
        weights: json.loads(
            bpnet("eval", "latest", "--json", "--split", "val", "--weights", weights).out
        )["metrics"]["val.loss"]
        for weights in ("best", "last")
    }
    assert losses["best"] < losses["last"]


def test_eval_has_intervals_that_repeat_and_can_be_left_out(bpnet: Bpnet) -> None:
    bpnet("train", CONFIGS / "moons.yaml", *SHORT, "--quiet")
    once, again = (json.loads(bpnet("eval", "latest", "--json").out) for _ in range(2))
    assert once == again
    for path, interval in once["intervals"].items():
        assert interval[0] <= once["metrics"][path] <= interval[1]
    assert set(once["intervals"]) == {"test.loss", "test.accuracy", "test.log_loss"}
    assert once["intervals"]["test.loss"] == once["intervals"]["test.log_loss"]
    assert "95 % interval" in bpnet("eval", "latest").out
    assert "95 % interval" not in bpnet("eval", "latest", "--no-intervals").out
    assert "intervals" not in json.loads(bpnet("eval", "latest", "--json", "--no-intervals").out)


def test_many_rows_have_intervals_where_they_are_asked_for(
    bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    bpnet("train", CONFIGS / "moons.yaml", *SHORT, "--quiet")
    monkeypatch.setattr(evaluate, "MOST_ROWS_WITH_INTERVALS", 89)  # the test set has 90
    assert "95 % interval" not in bpnet("eval", "latest").out
    assert "95 % interval" in bpnet("eval", "latest", "--intervals").out


def test_a_metric_that_is_not_as_required_exits_4(bpnet: Bpnet) -> None:
    bpnet("train", CONFIGS / "moons.yaml", *SHORT, "--quiet")
    held = bpnet("eval", "latest", "--require", "test.accuracy>0.5", "--require", "val.loss<9")
    assert (held.code, "Error" in held.err) == (0, False)
    two = ("--require", "test.accuracy > 1", "--require", "train.accuracy>=0.5")
    failed = bpnet("eval", "latest", *two)
    assert failed.code == 4
    assert "Error: required: test.accuracy > 1, but the value is 0." in failed.err
    assert "accuracy" in failed.out  # the scores are shown all the same
    document = json.loads(bpnet("eval", "latest", "--json", *two).out)
    assert [each["passed"] for each in document["required"]] == [False, True]
    assert document["required"][0]["value"] == document["metrics"]["test.accuracy"]
    for wrong in ("test.acuracy>1", "tset.accuracy>1", "test.accuracy"):
        assert bpnet("eval", "latest", "--require", wrong).code == 2


def test_eval_has_the_loss_in_original_units_where_targets_were_scaled(bpnet: Bpnet) -> None:
    plane = CONFIGS / "plane.yaml"
    bpnet("train", plane, *SHORT, "--quiet", "--set", "loss=mse",
          "--set", "data.scale={targets: minmax}")  # fmt: skip
    out = bpnet("eval", "latest").out
    assert "mean loss (scaled)" in out
    assert "mean loss (original units)" in out
    metrics = json.loads(bpnet("eval", "latest", "--json").out)["metrics"]
    assert metrics["train.loss_original"] == pytest.approx(metrics["train.rmse"] ** 2, rel=1e-12)
    assert metrics["train.loss"] < metrics["train.loss_original"]
    assert "train.rmse" in bpnet("runs", "list").out
    bpnet("train", plane, *SHORT, "--quiet")
    assert "train.loss_original" not in json.loads(bpnet("eval", "latest", "--json").out)["metrics"]


def test_class_weights_are_shown_and_proven_and_leave_metrics_alone(bpnet: Bpnet) -> None:
    weights = ("--set", "training.class_weights={'1': 4}")
    moons = CONFIGS / "moons.yaml"
    result = bpnet("train", moons, *SHORT, *weights)
    assert "rows weighted" in result.err
    assert "class weights" in result.err
    assert "weighted loss" in result.err
    assert "weighted mean loss" in result.out
    evaluated = json.loads(bpnet("eval", "latest", "--json").out)
    metrics, interval = evaluated["metrics"], evaluated["intervals"]["test.loss"]
    assert metrics["test.loss"] != metrics["test.log_loss"]  # equal where no row is weighted
    assert interval[0] <= metrics["test.loss"] <= interval[1]
    assert interval != evaluated["intervals"]["test.log_loss"]
    proof = bpnet("gradcheck", moons, *weights)
    assert proof.code == 0
    assert "weighted rows" in proof.out
    assert bpnet("gradcheck", moons, *weights, "--set", "loss=mse").code == 0


def test_eval_of_an_empty_split_or_an_unknown_run(bpnet: Bpnet) -> None:
    bpnet("train", XOR, *SHORT, "--quiet")
    for arguments, message in (
        (("latest", "--split", "test"), "The test split of"),
        (("nothing",), "There is no run `nothing`"),
        (("latest~5",), "There is no latest~5: runs contains 1 run."),
    ):
        result = bpnet("eval", *arguments)
        assert (result.code, result.out) == (2, "")
        assert message in result.err


def test_changed_data_are_noticed(bpnet: Bpnet) -> None:
    Path("rows.csv").write_text("x,y\n1,2\n2,4\n3,6\n")
    Path("rows.yaml").write_text(
        "data: {file: rows.csv, task: regression}\n"
        "network: {layers: [1, 1], activations: [identity]}\nloss: mse\n"
    )
    assert bpnet("train", "rows.yaml", *SHORT, "--quiet").code == 0
    Path("rows.csv").write_text("x,y\n1,2\n2,4\n3,7\n")
    result = bpnet("eval", "latest")
    assert result.code == 2
    assert "have changed since its training: their rows differ" in result.err


TWO_TARGETS = """\
data:
  {generator: regression, n_samples: 40, n_features: 3, n_targets: 2, split: {test: 0.25}}
network: {layers: [3, 2, 2], activations: [tanh, identity]}
loss: mse
training: {epochs: 3}
"""


def test_each_of_several_targets_is_scored_beside_all_of_them(bpnet: Bpnet) -> None:
    Path("two.yaml").write_text(TWO_TARGETS)
    trained = bpnet("train", "two.yaml").out
    heading = ["target", "(test)", "rmse", "mae", "r2", "constant", "rmse"]
    for shown in (trained, bpnet("eval", "latest").out, bpnet("runs", "show", "latest").out):
        rows = [line.split() for line in shown.splitlines()]
        start = rows.index(heading)
        assert [row[0] for row in rows[start + 2 : start + 4]] == ["y1", "y2"]
    document = json.loads(bpnet("eval", "latest", "--json").out)
    metrics, constant = document["metrics"], document["baselines"]["constant"]
    mean_square = (metrics["test.rmse.y1"] ** 2 + metrics["test.rmse.y2"] ** 2) / 2
    assert metrics["test.rmse"] == pytest.approx(mean_square**0.5)
    assert constant["test.rmse.y1"] != constant["test.rmse.y2"]
    assert bpnet("eval", "latest", "--require", "test.mae.y2<0").code == 4
    assert bpnet("eval", "latest", "--require", "test.mae.y2>0").code == 0


def test_two_runs_are_compared_on_the_same_rows(bpnet: Bpnet) -> None:
    for name, epochs in (("long", 60), ("short", 1)):
        bpnet(
            "train", CONFIGS / "moons.yaml", "--quiet", "--name", name,
            "--set", f"training.epochs={epochs}",
        )  # fmt: skip
    result = bpnet("eval", "long", "short", "--paired")
    assert result.code == 0
    heading, *rows = result.out.splitlines()
    assert heading.split() == [
        "metric", "long", "short", "difference", "95", "%", "interval",
    ]  # fmt: skip
    assert [row.split()[0] for row in rows[1:3]] == ["test.accuracy", "test.log_loss"]
    assert "long is better than short on these 90 rows." in result.out
    document = json.loads(bpnet("eval", "long", "short", "--paired", "--json").out)
    assert [run["name"] for run in document["runs"]] == ["long", "short"]
    assert document["better"] == "first"
    assert document["test"]["first"] > document["test"]["second"]
    for options in (["--no-intervals"], ["--split", "train"]):
        short = json.loads(bpnet("eval", "long", "short", "--paired", "--json", *options).out)
        assert ("intervals" in short) == (options[0] != "--no-intervals")
        assert short["split"] == ("train" if "train" in options else "test")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a", "b"], "To compare two runs on the same rows, add --paired."),
        (["a", "--paired"], "--paired needs two runs: bpnet eval RUN OTHER --paired."),
        (
            ["a", "b", "--paired", "--require", "test.rmse<1"],
            "--require checks the scores of one run: it cannot be combined with --paired.",
        ),
    ],
)
def test_options_that_do_not_fit_a_comparison_are_refused(
    bpnet: Bpnet, arguments: list[str], sentence: str
) -> None:
    result = bpnet("eval", *arguments)
    assert result.code == 2
    assert sentence in result.err
