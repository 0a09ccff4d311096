"""The rows that the network predicts worst, with their inputs."""

from __future__ import annotations

import numpy as np

from bpcli.data.types import Labels
from bpcli.nn.arrays import Array, Vector
from bpcli.plots.outcome import target_names
from bpcli.report.figures import text_of
from bpcli.report.html import Html, joined, paragraph, tag
from bpcli.report.inputs import inputs_at
from bpcli.report.outputs import Outputs, outputs_of
from bpcli.report.phrases import split_text
from bpcli.report.tables import Cell, Column, table
from bpcli.report.words import Words
from bpcli.runs.subject import Subject

MOST_ROWS = 10
_MOST_TARGETS = 3


def worst_rows(subject: Subject, words: Words) -> Html | None:
    """A table of the rows of the split to show with the largest errors."""
    outputs = outputs_of(subject, subject.split)
    if outputs is None:
        return None
    errors, name = _errors(outputs, words)
    order: Labels = np.argsort(-errors, kind="stable")[:MOST_ROWS]
    heads, answers = _answers(subject, outputs, order, words)
    index = subject.rows.index[order]
    inputs, left = inputs_at(subject, index)
    numbers = subject.experiment.table.numbers_of(index).tolist()
    rows: list[list[Cell]] = [
        [(number, str(number)), *answer, float(errors[row]), *cells]
        for number, answer, row, cells in zip(
            numbers, answers, order.tolist(), inputs.cells, strict=True
        )
    ]
    columns = [Column(words("page.row"), True), *heads, Column(name, True), *inputs.columns]
    caption = words("worst.caption", split=split_text(subject.split, words))
    more = paragraph(words("worst.more_inputs", count=f"{left:,}"), "aside") if left else None
    about = words(_about(subject))
    if outputs.values is not None and outputs.values.shape[1] > 1 and not outputs.is_probable:
        about += words("page.space") + words("worst.of_distance")
    parts = [tag("h3", words("worst.title")), paragraph(about), table(caption, columns, rows)]
    return joined(*parts, more)


def _about(subject: Subject) -> str:
    return "worst.of_classes" if subject.experiment.preprocessor.answers else "worst.of_values"


def _errors(outputs: Outputs, words: Words) -> tuple[Vector, str]:
    """The error (n,) of each row, and its name: log loss, share of wrong labels, or distance."""
    predicted = outputs.predicted
    if predicted.log_losses is not None:
        return predicted.log_losses, words("metric.log_loss")
    if outputs.labels is not None and predicted.classes is not None:
        return _shortfall(outputs, predicted.outputs), words("worst.shortfall")
    assert outputs.values is not None, "targets are classes or numbers"
    residuals = predicted.outputs - outputs.values
    if residuals.shape[1] == 1:
        return np.abs(residuals[:, 0]), words("worst.absolute")
    spread = outputs.values.std(axis=0)
    scaled = residuals / np.where(spread > 0, spread, 1.0)
    distances: Vector = np.sqrt((scaled**2).mean(axis=1))
    return distances, words("worst.distance")


def _shortfall(outputs: Outputs, values: Array) -> Vector:
    """How far the output of the true class is below 1, or a single output from its class."""
    labels = outputs.labels
    assert labels is not None, "the caller has asked"
    if values.shape[1] == 1:
        return np.abs(values[:, 0] - labels)
    shortfall: Vector = 1 - values[np.arange(len(values)), labels]
    return shortfall


def _answers(
    subject: Subject, outputs: Outputs, order: Labels, words: Words
) -> tuple[list[Column], list[list[Cell]]]:
    """Columns and cells of true and predicted answers, and of the outputs of the true class."""
    preprocessor = subject.experiment.preprocessor
    if preprocessor.class_names:
        return _classes(subject, outputs, order, words)
    assert outputs.values is not None, "the targets are not classes"
    names = list(preprocessor.words) or list(target_names(subject))
    some = range(min(len(names), _MOST_TARGETS))
    heads = [
        Column(words(key, name=names[place]), True)
        for place in some
        for key in ("worst.true_of", "worst.predicted_of")
    ]
    cells: list[list[Cell]] = [
        [
            float(value)
            for place in some
            for value in (outputs.values[row, place], outputs.predicted.outputs[row, place])
        ]
        for row in order.tolist()
    ]
    return heads, cells


def _classes(
    subject: Subject, outputs: Outputs, order: Labels, words: Words
) -> tuple[list[Column], list[list[Cell]]]:
    names = subject.experiment.preprocessor.class_names
    assert outputs.labels is not None, "the targets are classes"
    assert outputs.predicted.classes is not None, "the targets are classes"
    mark = subject.experiment.output_names[0].partition("(")[0]
    heads = [
        Column(words("worst.true_class")),
        Column(words("worst.predicted_class")),
        Column(words("worst.output", mark=mark), True),
    ]
    values = outputs.predicted.outputs
    cells: list[list[Cell]] = []
    for row in order.tolist():
        true, said = int(outputs.labels[row]), int(outputs.predicted.classes[row])
        if values.shape[1] == 1:
            one = float(values[row, 0])
            output = one if true == 1 else 1 - one
        else:
            output = float(values[row, true])
        cells.append([names[true], names[said], text_of(output)])
    return heads, cells
