"""How well each label is predicted, where a row may have any number of them."""

from __future__ import annotations

import numpy as np

from bpcli.report.charts import SERIES, Curve
from bpcli.report.classes import roc_chart, roc_of
from bpcli.report.figures import text_of
from bpcli.report.html import Html, paragraph, tag
from bpcli.report.outputs import Outputs, outputs_of
from bpcli.report.phrases import cut, split_text
from bpcli.report.tables import Cell, Column, table
from bpcli.report.words import Words
from bpcli.runs.subject import Subject

MOST_LABELS = 60


def label_parts(subject: Subject, words: Words) -> list[Html | None]:
    """Counts of right and wrong answers of each label, and ROC curves."""
    outputs = outputs_of(subject, subject.split)
    if outputs is None or outputs.values is None or outputs.predicted.labels is None:
        return [paragraph(words("quality.too_many_rows"))]
    names = list(subject.experiment.preprocessor.words)
    return [
        tag("h3", words("labels.title")),
        _counts(outputs, names, subject, words),
        _curves(outputs, names, subject, words),
    ]


def _counts(outputs: Outputs, names: list[str], subject: Subject, words: Words) -> Html:
    true = np.equal(outputs.values, 1)  # type: ignore[arg-type]  # the caller has asked
    predicted = np.equal(outputs.predicted.labels, 1)  # type: ignore[arg-type]
    keys = ("hits", "false", "missed", "absent")
    heads = [Column(words("data.label")), *(Column(words(f"labels.{key}"), True) for key in keys)]
    rows: list[list[Cell]] = [
        [
            name,
            int((true[:, place] & predicted[:, place]).sum()),
            int((~true[:, place] & predicted[:, place]).sum()),
            int((true[:, place] & ~predicted[:, place]).sum()),
            int((~true[:, place] & ~predicted[:, place]).sum()),
        ]
        for place, name in enumerate(names[:MOST_LABELS])
    ]
    return table(words("labels.counts", split=split_text(subject.split, words)), heads, rows)


def _curves(outputs: Outputs, names: list[str], subject: Subject, words: Words) -> Html | None:
    curves = []
    for place, name in enumerate(names[:SERIES]):
        curve = roc_of(outputs, place)
        if curve is not None:
            x, y, area = curve
            text = words("roc.named", name=cut(name), area=text_of(area))
            curves.append(Curve(text, x, y, place))
    if not curves:
        return None
    caption = words("roc.labels", split=split_text(subject.split, words))
    return tag("div", roc_chart("roc", curves, caption, words), class_="charts")
