"""The data: splits, classes, columns, and what was filled or read in another way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.data.columns import InputColumn
from bpcli.data.dates import date_text
from bpcli.data.types import SPLITS, SplitName
from bpcli.nn.arrays import Array
from bpcli.report.html import Html, joined, paragraph, prose, tag
from bpcli.report.phrases import cut, split_text
from bpcli.report.scores import is_sampled, rows_of
from bpcli.report.section import Section
from bpcli.report.tables import Cell, Column, folded, table
from bpcli.report.words import Words
from bpcli.runs.subject import MOST_ROWS, Subject, some_rows
from bpcli.text import listed
from bpcli.workflows.check import class_counts

MOST_COLUMNS = 100
_MANY = 12
_MOST_CLASSES = 30
_MOST_CATEGORIES = 4


def section(subject: Subject, words: Words) -> Section | None:
    """The splits always; columns and classes if the data could be loaded."""
    parts: list[Html | None] = [paragraph(_source(subject, words)), _splits(subject, words)]
    if subject.rebuilt is None:
        parts.append(paragraph(words("data.not_loaded", why=subject.errors["network"])))
    else:
        parts += [_columns(subject, words), _targets(subject, words), _notes(subject, words)]
    return Section("data", words("data.title"), joined(*parts))


def _source(subject: Subject, words: Words) -> str:
    record = subject.record
    files = ", ".join(name.rpartition("/")[2] for name in record.data_files)
    generator = record.config.get("data.generator")
    if files:
        return words("data.from_file", files=files)
    if isinstance(generator, str):
        return words("data.from_generator", name=generator)
    return words("data.given")


def _splits(subject: Subject, words: Words) -> Html:
    """One row per split, with its rows of each class."""
    names = [name for name in SPLITS if rows_of(subject, name)]
    total = sum(rows_of(subject, name) for name in names)
    counts = _class_counts(subject, names)
    categories = list(counts[names[0]])[:_MOST_CLASSES] if counts else []
    columns = [
        Column(words("data.split")),
        Column(words("data.rows"), True),
        Column(words("data.share"), True),
        *(Column(name, True) for name in categories),
    ]
    rows: list[list[Cell]] = [
        [
            split_text(name, words),
            rows_of(subject, name),
            f"{100 * rows_of(subject, name) / total:.1f} %",
            *(counts[name][category] for category in categories),
        ]
        for name in names
    ]
    content = table(words("data.splits"), columns, rows, sorts=False)
    more = sum(map(len, list(counts.values())[:1])) - len(categories)
    left_out = paragraph(words("data.more_classes", count=more), "aside") if more else None
    return joined(content, left_out)


def _class_counts(subject: Subject, names: Sequence[SplitName]) -> dict[SplitName, dict[str, int]]:
    """The rows of each class or label; empty for numbers, and if only a sample is known."""
    if subject.rebuilt is None or is_sampled(subject):
        return {}
    counts = {name: class_counts(subject.experiment.splits[name]) for name in names}
    return counts if counts[names[0]] else {}


def _columns(subject: Subject, words: Words) -> Html:
    """The inputs as columns of the file, or as the numbers that a generator makes."""
    experiment = subject.experiment
    encoder = experiment.table.encoder
    index = experiment.splits["train"].index
    some = index[some_rows(len(index), MOST_ROWS)]
    X = np.asarray(experiment.table.X[some], np.float64)
    rows: list[list[Cell]]
    if encoder is None:
        rows = [
            [name, words("kind.number"), 1, *_statistics(X[:, at]), words("data.complete"), ""]
            for at, name in enumerate(experiment.table.input_names[:MOST_COLUMNS])
        ]
        count = len(experiment.table.input_names)
    else:
        rows = [
            [
                column.name,
                words(f"kind.{column.kind}"),
                len(column.names),
                *_values(column, X[:, start]),
                words("data.complete") if column.fill is None else column.fill_text,
                _categories(column, X[:, start:]),
            ]
            for column, start in encoder.starts[:MOST_COLUMNS]
        ]
        count = len(encoder.inputs)
    columns = _column_heads(words)
    if not any(row[-1] for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    content = table(words("data.columns_caption"), columns, rows)
    said = words("data.of_columns", shown=len(rows), count=f"{count:,}")
    note = paragraph(said, "aside") if len(rows) < count else None
    if count <= _MANY:
        return joined(tag("h3", words("data.columns")), content, note)
    summary = words("data.all_columns", count=f"{count:,}")
    hidden = folded(summary, content, note, is_printed=count <= MOST_COLUMNS)
    return joined(tag("h3", words("data.columns")), hidden)


def _column_heads(words: Words) -> list[Column]:
    numbers = [
        Column(words(f"data.{key}"), True) for key in ("inputs", "low", "mean", "sd", "high")
    ]
    return [
        Column(words("data.column")), Column(words("data.kind")), *numbers,
        Column(words("data.fill")), Column(words("data.categories")),
    ]  # fmt: skip


def _statistics(values: Array) -> list[float]:
    """Least value, mean, standard deviation and largest value."""
    return [float(values.min()), float(values.mean()), float(values.std()), float(values.max())]


def _values(column: InputColumn, x: Array) -> list[Cell]:
    """The statistics of a column; of dates, the first and the last one."""
    if column.kind == "category":
        return [None] * 4
    if column.kind == "date":
        ends = [(value, date_text(value, column.date_format)) for value in (x.min(), x.max())]
        return [ends[0], None, None, ends[1]]
    return [*_statistics(x)]


def _categories(column: InputColumn, X: Array) -> str:
    """The most frequent categories with their shares: gas 40 %, oil 33 %."""
    shares = X[:, : len(column.categories)].mean(axis=0)
    order = np.argsort(-shares, kind="stable")[:_MOST_CATEGORIES].tolist()
    named = [f"{cut(column.categories[k])} {100 * shares[k]:.0f} %" for k in order]
    return listed(named, len(column.categories))


def _targets(subject: Subject, words: Words) -> Html | None:
    """The targets that are numbers, or the words of labels."""
    table_ = subject.experiment.table
    if table_.is_autoencoder:
        return paragraph(words("data.autoencoder"))
    values = subject.experiment.splits["train"].values
    if table_.words:
        rows = [[name, *pair] for name, pair in table_.words.items()]
        heads = [
            Column(words("data.label")),
            Column(words("data.without")),
            Column(words("data.with")),
        ]
        return joined(tag("h3", words("data.targets")), table(words("data.labels"), heads, rows))
    if values is None:
        return None
    heads = [Column(words("data.target"))]
    heads += [Column(words(f"data.{key}"), True) for key in ("low", "mean", "sd", "high")]
    rows_: list[list[Cell]] = [
        [name, *_statistics(values[:, position])]
        for position, name in enumerate(table_.target_names[:MOST_COLUMNS])
    ]
    content = table(words("data.targets_caption"), heads, rows_)
    return joined(tag("h3", words("data.targets")), content)


def _notes(subject: Subject, words: Words) -> Html | None:
    """What was filled, dropped or guessed while the data were read."""
    assert subject.rebuilt is not None, "the caller has asked"
    notes = [*subject.experiment.notes, *subject.rebuilt.notes]
    if not notes:
        return paragraph(words("data.no_notes"))
    items = [tag("li", prose(note)) for note in notes]
    return joined(tag("h3", words("data.notes")), tag("ul", items, lang="en"))
