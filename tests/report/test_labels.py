"""The counts and curves of each label are those of scikit-learn."""

from __future__ import annotations

import re
from pathlib import Path

from sklearn.metrics import multilabel_confusion_matrix, roc_auc_score

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.report.figures import text_of
from bpcli.report.labels import label_parts
from bpcli.report.words import words_of
from bpcli.terminal.progress import SilentView
from bpcli.workflows.subject import load_subject
from bpcli.workflows.train import train

CONFIG = """\
name: t
data: {file: t.csv, inputs: [x], targets: [a, b, c], task: multilabel, scale: {inputs: standard}}
network: {layers: [1, 2, 3], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
training: {epochs: 30, optimizer: rprop}
"""


def test_each_label_has_its_counts_and_its_curve(tmp_path: Path) -> None:
    rows = "".join(f"{n},{'yn'[n % 3 > 1]},{n // 5},{'no' if n else 'yes'}\n" for n in range(10))
    (tmp_path / "t.csv").write_text("x,a,b,c\n" + rows)
    (tmp_path / "t.yaml").write_text(CONFIG)
    run = train(build(load_config(tmp_path / "t.yaml")), tmp_path / "runs", SilentView()).run
    subject = load_subject(run, "best", None)
    true, labels, ranks = (
        subject.rows.values, subject.predictions.labels, subject.predictions.ranks
    )  # fmt: skip
    assert true is not None
    assert labels is not None
    words = words_of("en")
    _, counts, curves = map(str, label_parts(subject, words))
    found = [[*map(int, re.findall(r">(\d+)<", row))] for row in counts.split("<tr")[2:]]
    expected = [
        [tp, fp, fn, tn]
        for (tn, fp), (fn, tp) in multilabel_confusion_matrix(true, labels).tolist()
    ]
    assert found == expected
    assert len({*map(tuple, expected)}) == 3
    for name, y, rank in zip("abc", true.T, ranks.T, strict=True):
        area = text_of(float(roc_auc_score(y, rank)))
        assert words("roc.named", name=name, area=area) in curves
