"""Predicted against true numbers, residuals, and the errors of all splits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.data.types import SPLITS, SplitName
from bpcli.metrics.fitted_line import fitted_line
from bpcli.nn.arrays import Array
from bpcli.plots.outcome import shown_targets, target_names
from bpcli.report.charts import Curve
from bpcli.report.figures import text_of
from bpcli.report.html import Html, paragraph, tag
from bpcli.report.outputs import Outputs, outputs_of
from bpcli.report.phrases import split_text
from bpcli.report.points import histogram, point_chart
from bpcli.report.words import Words
from bpcli.runs.subject import Subject, some_rows

MOST_TARGETS = 4
MOST_DRAWN = 1000
"""The most rows of a chart: more would hide each other, and make the file large."""


def value_parts(subject: Subject, words: Words) -> list[Html | None]:
    """For each of a few targets: predicted against true values by split, residuals, errors."""
    by_split = {
        name: outputs for name in SPLITS if (outputs := outputs_of(subject, name)) is not None
    }
    if not by_split:
        return [paragraph(words("quality.too_many_rows"))]
    names = target_names(subject)
    values = next(iter(by_split.values())).values
    assert values is not None, "the targets are numbers"
    shown = shown_targets(values, MOST_TARGETS).tolist()
    parts: list[Html | None] = [tag("h3", words("values.title")), paragraph(words("values.how"))]
    if len(shown) < len(names):
        parts.append(paragraph(words("values.of_targets", shown=len(shown), count=len(names))))
    for number, target in enumerate(shown, 1):
        if len(names) > 1:
            parts.append(tag("h4", names[target]))
        parts.append(_charts(subject, by_split, (target, number), words))
    return parts


def _charts(
    subject: Subject, by_split: dict[SplitName, Outputs], target: tuple[int, int], words: Words
) -> Html:
    position, number = target
    pairs = {name: _pair(outputs, position) for name, outputs in by_split.items()}
    charts = [
        _predicted(subject, name, pair, f"predicted-{name}-{number}", words)
        for name, pair in pairs.items()
    ]
    charts.append(_residuals(subject, pairs[subject.split], f"residuals-{number}", words))
    charts.append(_errors(pairs, f"errors-{number}", words))
    return tag("div", charts, class_="charts")


def _pair(outputs: Outputs, position: int) -> tuple[Array, Array]:
    assert outputs.values is not None, "the targets are numbers"
    return outputs.values[:, position], outputs.predicted.outputs[:, position]


def _predicted(
    subject: Subject, name: SplitName, pair: tuple[Array, Array], id_: str, words: Words
) -> Html:
    true, predicted = pair
    fit = fitted_line(true, predicted)
    split = split_text(name, words)
    rows = some_rows(len(true), MOST_DRAWN)
    ends = np.array([true[rows].min(), true[rows].max()])
    lines = [Curve(words("values.diagonal"), ends, ends, -1)]
    caption = words("values.predicted", split=split)
    if fit is not None:
        formula = words(
            "values.line", slope=text_of(fit.slope, 3), intercept=_signed(fit.intercept)
        )
        lines.append(Curve(formula, ends, fit.slope * ends + fit.intercept, 1))
        caption += words("values.r", r=text_of(fit.r))
    caption += _drawn(len(rows), len(true), words)
    return point_chart(
        id_, true[rows], predicted[rows], caption, words,
        titles=(words("values.true"), words("values.of_network")),
        lines=lines, is_square=True, numbers=row_numbers(subject, name, rows),
    )  # fmt: skip


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'} {text_of(abs(value), 3)}"


def _drawn(drawn: int, count: int, words: Words) -> str:
    return words("values.drawn", drawn=f"{drawn:,}", count=f"{count:,}") if drawn < count else ""


def _residuals(subject: Subject, pair: tuple[Array, Array], id_: str, words: Words) -> Html:
    true, predicted = pair
    rows = some_rows(len(true), MOST_DRAWN)
    ends = np.array([predicted[rows].min(), predicted[rows].max()])
    caption = words("values.residuals", split=split_text(subject.split, words))
    return point_chart(
        id_, predicted[rows], (predicted - true)[rows],
        caption + _drawn(len(rows), len(true), words), words,
        titles=(words("values.of_network"), words("values.residual")),
        lines=[Curve(words("values.zero"), ends, np.zeros(2), -1)],
        numbers=row_numbers(subject, subject.split, rows),
    )  # fmt: skip


def _errors(pairs: dict[SplitName, tuple[Array, Array]], id_: str, words: Words) -> Html:
    groups = [
        (split_text(name, words), predicted - true) for name, (true, predicted) in pairs.items()
    ]
    return histogram(
        id_, groups, words("values.errors"), words,
        titles=(words("values.residual"), words("values.count")),
    )  # fmt: skip


def row_numbers(subject: Subject, name: SplitName, rows: Array) -> Sequence[int]:
    """The numbers of rows in their file, from 1."""
    index = subject.experiment.splits[name].index[rows]
    numbers: list[int] = subject.experiment.table.numbers_of(index).tolist()
    return numbers
