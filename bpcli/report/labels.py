"""How well each label is predicted, where a row may have any number of them."""

from __future__ import annotations

from collections.abc import Sequence

from bpcli.metrics.roc import defined_roc_curve
from bpcli.nn.arrays import Array
from bpcli.report.charts import SERIES, Curve
from bpcli.report.classes import roc_chart
from bpcli.report.figures import text_of
from bpcli.report.html import Html, paragraph, tag
from bpcli.report.outputs import outputs_of
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
    true, predicted = outputs.values == 1, outputs.predicted.labels == 1
    names, split = [*subject.experiment.preprocessor.words], split_text(subject.split, words)
    curves = _curves(true, outputs.ranks, names, words)
    caption = words("roc.labels", split=split)
    return [
        tag("h3", words("labels.title")),
        _counts(true, predicted, names, words("labels.counts", split=split), words),
        tag("div", roc_chart(curves, caption, words), class_="charts") if curves else None,
    ]


def _counts(
    true: Array, predicted: Array, names: Sequence[str], caption: str, words: Words
) -> Html:
    keys = ("hits", "false", "missed", "absent")
    heads = [Column(words("data.label")), *(Column(words(f"labels.{key}"), True) for key in keys)]
    rows: list[list[Cell]] = [
        [
            name,
            int((true[:, position] & predicted[:, position]).sum()),
            int((~true[:, position] & predicted[:, position]).sum()),
            int((true[:, position] & ~predicted[:, position]).sum()),
            int((~true[:, position] & ~predicted[:, position]).sum()),
        ]
        for position, name in enumerate(names[:MOST_LABELS])
    ]
    return table(caption, heads, rows)


def _curves(true: Array, ranks: Array, names: Sequence[str], words: Words) -> list[Curve]:
    curves = []
    for position, name in enumerate(names[:SERIES]):
        curve = defined_roc_curve(true[:, position], ranks[:, position])
        if curve is not None:
            x, y, area = curve
            text = words("roc.named", name=cut(name), area=text_of(area))
            curves.append(Curve(text, x, y, position))
    return curves
