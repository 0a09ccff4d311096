"""The rows that the network predicts worst, with their inputs."""

from __future__ import annotations

import numpy as np

from bpcli.data.types import Labels
from bpcli.nn.arrays import Vector
from bpcli.plots.outcome import target_names
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
    """Tables of the rows of the split to show with the largest errors.

    Of classes, the rows that are predicted wrongly, and those that are predicted least surely.
    """
    outputs = outputs_of(subject, subject.split)
    if outputs is None:
        return None
    if subject.experiment.preprocessor.class_names:
        parts = _of_classes(subject, outputs, words)
    else:
        parts = _of_numbers(subject, outputs, words)
    numbers = paragraph(words("worst.numbers"), "aside")
    return joined(tag("h3", words("worst.title")), *parts, _left_out(subject, words), numbers)


def _of_classes(subject: Subject, outputs: Outputs, words: Words) -> list[Html]:
    classes = outputs.predicted.classes
    assert classes is not None, "the targets are classes"
    order: Labels = np.argsort(-_class_errors(outputs), kind="stable")
    is_wrong = (classes != outputs.labels)[order]
    wrong, right = order[is_wrong], order[~is_wrong]
    split, parts = split_text(subject.split, words), [paragraph(words("worst.of_classes"))]
    if len(wrong):
        shown = min(len(wrong), MOST_ROWS)
        caption = words("worst.wrong", split=split, shown=shown, count=f"{len(wrong):,}")
        parts.append(_table(subject, outputs, wrong, caption, words))
    else:
        parts.append(paragraph(words("worst.none_wrong", split=split)))
    if len(right):
        parts.append(_table(subject, outputs, right, words("worst.unsure", split=split), words))
    return parts


def _of_numbers(subject: Subject, outputs: Outputs, words: Words) -> list[Html]:
    errors, _ = _errors(outputs, words)
    about = words("worst.of_classes" if outputs.is_probable else "worst.of_values")
    if outputs.values is not None and outputs.values.shape[1] > 1 and not outputs.is_probable:
        about += words("page.space") + words("worst.of_distance")
    order: Labels = np.argsort(-errors, kind="stable")
    caption = words("worst.caption", split=split_text(subject.split, words))
    return [paragraph(about), _table(subject, outputs, order, caption, words)]


def _table(subject: Subject, outputs: Outputs, order: Labels, caption: str, words: Words) -> Html:
    """The first rows: their answers, then their inputs, and their error last."""
    order = order[:MOST_ROWS]
    heads, answers = _answers(subject, outputs, order, words)
    last, errors = _last(subject, outputs, order, words)
    index = subject.rows.index[order]
    inputs, _ = inputs_at(subject, index)
    numbers = subject.experiment.table.numbers_of(index).tolist()
    rows: list[list[Cell]] = [
        [(number, str(number)), *answer, *cells, error]
        for number, answer, cells, error in zip(numbers, answers, inputs.cells, errors, strict=True)
    ]
    columns = [Column(words("page.row"), True), *heads, *inputs.columns, Column(last, True)]
    return table(caption, columns, rows)


def _left_out(subject: Subject, words: Words) -> Html | None:
    """How many columns of inputs are not shown."""
    left = inputs_at(subject, subject.rows.index[:1])[1]
    return paragraph(words("worst.more_inputs", count=f"{left:,}"), "aside") if left else None


def _last(
    subject: Subject, outputs: Outputs, order: Labels, words: Words
) -> tuple[str, list[float]]:
    """The name and values of the last column: of classes, the output of the true one."""
    if subject.experiment.preprocessor.class_names:
        mark = subject.experiment.output_names[0].partition("(")[0]
        return words("worst.output", mark=mark), _of_true_class(outputs)[order].tolist()
    errors, name = _errors(outputs, words)
    return name, errors[order].tolist()


def _errors(outputs: Outputs, words: Words) -> tuple[Vector, str]:
    """The error (n,) of each row with numbers or labels, and its name: log loss, or distance."""
    predicted = outputs.predicted
    if predicted.log_losses is not None:
        return predicted.log_losses, words("metric.log_loss")
    assert outputs.values is not None, "the targets are numbers"
    residuals = predicted.outputs - outputs.values
    if residuals.shape[1] == 1:
        return np.abs(residuals[:, 0]), words("worst.absolute")
    spread = outputs.values.std(axis=0)
    scaled = residuals / np.where(spread > 0, spread, 1.0)
    distances: Vector = np.sqrt((scaled**2).mean(axis=1))
    return distances, words("worst.distance")


def _class_errors(outputs: Outputs) -> Vector:
    """The log loss (n,) of each row, or how far the output of its class is from 1."""
    if outputs.predicted.log_losses is not None:
        return outputs.predicted.log_losses
    shortfall: Vector = 1 - _of_true_class(outputs)
    return np.abs(shortfall) if outputs.predicted.outputs.shape[1] == 1 else shortfall


def _of_true_class(outputs: Outputs) -> Vector:
    """The output (n,) of the true class; a single output is that of the second class."""
    labels, values = outputs.labels, outputs.predicted.outputs
    assert labels is not None, "the targets are classes"
    if values.shape[1] == 1:
        return np.where(labels == 1, values[:, 0], 1 - values[:, 0])
    chosen: Vector = values[np.arange(len(values)), labels]
    return chosen


def _answers(
    subject: Subject, outputs: Outputs, order: Labels, words: Words
) -> tuple[list[Column], list[list[Cell]]]:
    """Columns and cells of true and predicted answers."""
    preprocessor = subject.experiment.preprocessor
    if preprocessor.class_names:
        return _classes(subject, outputs, order, words)
    assert outputs.values is not None, "the targets are not classes"
    names = list(preprocessor.words) or list(target_names(subject))
    some = range(min(len(names), _MOST_TARGETS))
    heads = [
        Column(words(key, name=names[position]), True)
        for position in some
        for key in ("worst.true_of", "worst.predicted_of")
    ]
    cells: list[list[Cell]] = [
        [
            float(value)
            for position in some
            for value in (outputs.values[row, position], outputs.predicted.outputs[row, position])
        ]
        for row in order.tolist()
    ]
    return heads, cells


def _classes(
    subject: Subject, outputs: Outputs, order: Labels, words: Words
) -> tuple[list[Column], list[list[Cell]]]:
    names, classes = subject.experiment.preprocessor.class_names, outputs.predicted.classes
    assert outputs.labels is not None, "the targets are classes"
    assert classes is not None, "the targets are classes"
    heads = [Column(words("worst.true_class")), Column(words("worst.predicted_class"))]
    pairs = zip(outputs.labels[order].tolist(), classes[order].tolist(), strict=True)
    return heads, [[names[true], names[said]] for true, said in pairs]
