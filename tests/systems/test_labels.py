"""Labels, of which a row may have any number: from a table with gaps to predictions elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import run_python

Bpnet = Callable[..., Any]
CONFIG = """\
data:
  file: t.csv
  targets: [smoker, ill, old]
  task: multilabel
  split: {val: 0.2, test: 0.2}
  scale: {inputs: standard}
network: {layers: [auto, 3, auto], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
training: {epochs: 20, optimizer: rprop}
"""
RNG = np.random.default_rng(5)
X = RNG.normal(size=(80, 2)).round(3)
ROWS = [
    (f"{a},{b}", ("no", "yes")[a > 0], ("False", "True")[a + b > 0.3], ("0", "1")[b > 0.8])
    for a, b in X.tolist()
]


@pytest.fixture
def trained(bpnet: Bpnet) -> Bpnet:
    lines = [",".join(row) for row in ROWS]
    lines[3] = f"{ROWS[3][0]},,True,1"
    lines[7] = f"{ROWS[7][0]},yes,,"
    Path("t.csv").write_text("\n".join(["a,b,smoker,ill,old", *lines]) + "\n")
    Path("t.yaml").write_text(CONFIG)
    done = bpnet("train", "t.yaml")
    assert done.code == 0
    assert "2 rows have no value of a target and cannot be used: 4, 8" in done.err
    assert "label `smoker`: 1 means `yes`" in done.err
    assert "(multilabel)" in done.err
    assert "label (test)" in done.out
    return bpnet


def test_labels_are_trained_scored_and_trained_again_to_the_bit(trained: Bpnet) -> None:
    record = json.loads(trained("runs", "show", "latest", "--json").out)
    found = json.loads(trained("eval", "latest", "--json").out)
    for path, value in record["metrics"].items():
        if path.startswith("test."):
            assert found["metrics"][path] == value
    assert found["metrics"]["test.accuracy"] > found["baselines"]["constant"]["test.accuracy"]
    assert [label["name"] for label in found["labels"]] == ["smoker", "ill", "old"]
    assert trained("verify", "latest").code == 0
    assert trained("eval", "latest", "--require", "test.f1.smoker>2").code == 4
    assert trained("train", "--resume", "latest", "--set", "training.epochs=25").code == 0
    assert trained("verify", "latest").code == 0


def test_all_that_predicts_says_the_same_words(trained: Bpnet) -> None:
    own = json.loads(trained("predict", "latest", "--json").out)["rows"]
    Path("new.csv").write_text("b,a\n" + "".join(f"{b},{a}\n" for a, b in X.tolist()))
    new = json.loads(trained("predict", "latest", "new.csv", "--json").out)["rows"]
    used = [row for number, row in enumerate(new) if number not in (3, 7)]
    assert [row["labels"] for row in used] == [row["labels"] for row in own]
    for row in new:
        said = zip(row["outputs"].values(), row["labels"].values(), strict=True)
        assert [word in ("yes", "true", "1") for _, word in said] == [
            p >= 0.5 for p in row["outputs"].values()
        ]
    assert trained("export", "latest", "--to", "python", "-o", "m.py").code == 0
    predict = run_python(Path("m.py").read_text())["predict"]
    table = predict({"a": X[:, 0].tolist(), "b": X[:, 1].tolist()})
    for name in ("smoker", "ill", "old"):
        assert table[name].tolist() == [row["labels"][name] for row in new]
        expected = [row["outputs"][f"P({name})"] for row in new]
        np.testing.assert_allclose(table[f"P({name})"], expected, rtol=1e-12)


def test_labels_in_another_file_are_scored_by_their_words(trained: Bpnet) -> None:
    some = [",".join(row[:3]) for row in ROWS[:20]]
    Path("more.csv").write_text("\n".join(["a,b,smoker,ill,old", *(f"{row},0" for row in some)]))
    done = trained("eval", "latest", "--data", "more.csv", "--json")
    document = json.loads(done.out)
    assert document["rows"] == 20
    assert document["metrics"]["data.recall.old"] is None
    smokers = sum(row[1] == "yes" for row in ROWS[:20])
    assert document["labels"][0]["rows"] == [20 - smokers, smokers]
    told = trained("eval", "latest", "--data", "more.csv").err
    assert "label `old`: every row of the data split is `0`, so recall and ROC AUC" in told


def test_labels_are_cross_validated_compared_and_checked(trained: Bpnet) -> None:
    folds = trained("train", "t.yaml", "--json", "--set", "data.split={folds: 3}")
    summary = json.loads(folds.out)["summary"]
    values = summary["test.accuracy.ill"]["values"]
    assert summary["test.accuracy.ill"]["mean"] == pytest.approx(np.mean(values))
    compared = trained("compare", "t.yaml", "--optimizers", "rprop", "--seeds", "1", "--json")
    assert json.loads(compared.out)["metric"] == "test.accuracy"
    assert trained("gradcheck", "latest").code == 0
    assert trained("trace", "t.yaml").code == 0
    counts = json.loads(trained("check", "t.yaml", "--json").out)["classes"]
    known = [row for number, row in enumerate(ROWS) if number not in (3, 7)]
    total = sum(counts[split]["ill"] for split in counts)
    assert total == sum(row[2] == "True" for row in known)
