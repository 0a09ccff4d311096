"""How the training went: curves over the epochs, why it stopped, and a table of epochs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from bpcli.metrics.metrics import greater_is_better
from bpcli.report.charts import Curve, Mark, line_chart
from bpcli.report.figures import text_of
from bpcli.report.html import Html, joined, paragraph, tag
from bpcli.report.over_epochs import TestScores, test_scores
from bpcli.report.phrases import metric_text, spaced, split_text
from bpcli.report.scores import is_log_loss
from bpcli.report.section import Section
from bpcli.report.tables import Cell, Column, folded, table
from bpcli.report.words import Words
from bpcli.runs.subject import Subject

MOST_METRICS = 7
MOST_LAYERS = 8
MOST_LINES = 25


def section(subject: Subject, words: Words) -> Section | None:
    """Curves from the log, or why there are none; the stop reason always."""
    if not subject.lines:
        why = paragraph(words("history.no_log", why=subject.errors["log"]))
        return Section("history", words("history.title"), joined(why, _stop(subject, words)))
    test = test_scores(subject)
    body = joined(
        _stop(subject, words),
        paragraph(_about_test(test, words)) if test is not None else None,
        _about_calibration(subject, words),
        tag("div", _charts(subject, test, words), class_="charts"),
        folded(words("history.table"), _lines(subject, words), is_printed=False),
    )
    return Section("history", words("history.title"), body)


def _about_test(test: TestScores, words: Words) -> str:
    return words("history.test_path" if test.is_curve else "history.test_point")


def _about_calibration(subject: Subject, words: Words) -> Html | None:
    """That the losses by epoch are those before the probabilities were calibrated."""
    record = subject.record.calibration
    if record is None or not record.changes(subject.weights):
        return None
    return paragraph(words("history.calibrated", method=record.method, count=f"{record.rows:,}"))


def _charts(subject: Subject, test: TestScores | None, words: Words) -> list[Html]:
    charts = [_loss(subject, test, words)]
    charts += [
        _metric(subject, test, metric, f"metric-{position}", words)
        for position, metric in enumerate(_metrics(subject)[:MOST_METRICS], 1)
    ]
    if subject.has_numbers("grad_norms"):
        charts.append(_gradients(subject, words))
    charts += [
        _diagnostic(subject, key, f"diagnostic-{position}", words)
        for position, key in enumerate(filter(partial(_varies, subject), subject.diagnostics), 1)
    ]
    return [chart for chart in charts if chart is not None]


def _metrics(subject: Subject) -> list[str]:
    """The metrics of the log that are not the loss again."""
    return [name for name in subject.metrics if name not in _shown_as_loss(subject)]


def _shown_as_loss(subject: Subject) -> tuple[str, ...]:
    return ("loss", "log_loss") if is_log_loss(subject) else ("loss",)


def _varies(subject: Subject, key: str) -> bool:
    """Whether an optimizer's number is not the same throughout."""
    _, values = subject.series(key)
    finite = values[np.isfinite(values)]
    return bool(finite.min() != finite.max())


def _split_curves(
    subject: Subject, test: TestScores | None, metric: str, words: Words
) -> list[Curve]:
    curves = []
    for style, split in enumerate(("train", "val")):
        if f"{split}.{metric}" in subject.keys:
            epochs, values = subject.series(f"{split}.{metric}")
            is_sparse = 1 < len(epochs) < len(subject.lines)
            curves.append(Curve(split_text(split, words), epochs, values, style, is_sparse))  # type: ignore[arg-type]
    if test is not None and metric in test.values:
        key = "history.test_curve" if test.is_curve else "history.test_best"
        is_sparse = test.is_curve and len(test.epochs) < len(subject.lines)
        curves.append(Curve(words(key), test.epochs, test.values[metric], 2, is_sparse))
    return curves


def _captioned(caption: str, curves: Sequence[Curve], words: Words) -> str:
    """The caption, and at how many epochs the curves were measured that are marked."""
    said = [
        words("history.measured", name=curve.name, count=f"{len(curve.x):,}")
        for curve in curves
        if curve.is_sparse
    ]
    return words("page.semicolon").join([caption, *said])


def _best(subject: Subject, words: Words) -> list[Mark]:
    record = subject.record
    if not record.has_results or not record.rows.val:
        return []
    return [Mark(record.best_epoch, words("history.best", epoch=f"{record.best_epoch:,}"))]


def _loss(subject: Subject, test: TestScores | None, words: Words) -> Html | None:
    if not subject.has_numbers("train.loss"):
        return paragraph(words("history.no_loss"))
    curves = _split_curves(subject, test, "loss", words)
    caption = words("history.log_loss" if is_log_loss(subject) else "history.loss")
    return line_chart(
        "loss",
        curves,
        _captioned(caption, curves, words),
        words,
        x_title=words("history.epoch"),
        y_title=words("history.mean_loss", loss=subject.record.loss),
        marks=_best(subject, words),
    )


def _metric(subject: Subject, test: TestScores | None, metric: str, id_: str, words: Words) -> Html:
    name, curves = metric_text(metric, words), _split_curves(subject, test, metric, words)
    return line_chart(
        id_,
        curves,
        _captioned(words("history.metric", metric=name), curves, words),
        words,
        x_title=words("history.epoch"),
        y_title=name,
        marks=_best(subject, words),
        is_log=False if greater_is_better(metric) else None,
    )


def _gradients(subject: Subject, words: Words) -> Html:
    epochs, norms = subject.layer_series("grad_norms")
    shown = np.unique(np.linspace(0, norms.shape[1] - 1, min(norms.shape[1], MOST_LAYERS)).round())
    curves = [
        Curve(words("network.number", number=layer + 1), epochs, norms[:, layer], style)
        for style, layer in enumerate(shown.astype(int).tolist())
    ]
    caption = words("history.gradients")
    if len(shown) < norms.shape[1]:
        caption += words("history.of_layers", shown=len(shown), count=norms.shape[1])
    return line_chart(
        "gradients", curves, caption, words,
        x_title=words("history.epoch"), y_title=words("history.norm"),
    )  # fmt: skip


def _diagnostic(subject: Subject, key: str, id_: str, words: Words) -> Html:
    epochs, values = subject.series(key)
    name = words.get(f"diagnostic.{key}", spaced(key))
    return line_chart(
        id_, [Curve(name, epochs, values)], words("history.diagnostic", name=name), words,
        x_title=words("history.epoch"), y_title=name,
    )  # fmt: skip


def _stop(subject: Subject, words: Words) -> Html:
    """Why the training stopped, in a sentence, and its stop rules."""
    record = subject.record
    other = words("stop.other", reason=record.stop_reason)
    reason = words.get(f"stop.{record.stop_reason or 'none'}", other)
    message = tag("p", record.stop_message, lang="en") if record.stop_message else None
    if not record.stop:
        return joined(paragraph(reason), message)
    heads = [
        Column(words("history.rule")),
        *(Column(words(f"history.{key}"), True) for key in ("start", "now", "target")),
        Column(words("history.met")),
    ]
    rows: list[list[Cell]] = [
        [
            words.get(f"rule.{rule.name}", rule.meaning),
            rule.start,
            rule.now,
            f"{'≤' if rule.falls else '≥'} {text_of(rule.target)}",
            words("history.ended") if rule.name == record.stop_reason else "",
        ]
        for rule in record.stop
    ]
    return joined(
        paragraph(reason), message, table(words("history.rules"), heads, rows, sorts=False)
    )


def _lines(subject: Subject, words: Words) -> Html:
    """Some lines of the log: the first, the last, the best, and some between."""
    again = _shown_as_loss(subject)[1:]
    paths = [key for key in subject.keys if key == "grad_norm" or "." in key]
    keys = [key for key in paths if key.partition(".")[2] not in again]
    lines = [line.numbers() for line in subject.lines]
    wanted = set(np.linspace(0, len(lines) - 1, min(len(lines), MOST_LINES)).round().astype(int))
    wanted |= {at for at, line in enumerate(lines) if line["epoch"] == subject.record.best_epoch}
    heads = [Column(words("history.epoch"), True)]
    heads += [Column(_key_text(key, words), True) for key in keys]
    rows = [
        [lines[at].get(key) for key in ("epoch", *keys)]  # none of these is a list
        for at in sorted(wanted)
    ]
    said = words("history.shown", shown=len(rows), count=f"{len(lines):,}")
    return table(said, heads, rows)


def _key_text(key: str, words: Words) -> str:
    if key == "grad_norm":
        return words("history.norm")
    split, _, metric = key.partition(".")
    name = words.get(f"short.{split}", split)
    return words("history.of_split", metric=metric_text(metric, words), split=name)
