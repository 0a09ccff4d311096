"""Predictions for the rows of an experiment, in original units."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bpcli.data.types import Labels, Words, numbered
from bpcli.experiment import Experiment
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.propagation import predict as network_outputs


def exact(value: float) -> str:
    """The shortest text that reads back to a number; whole numbers without a decimal point."""
    return repr(value).removesuffix(".0")


@dataclass(frozen=True)
class PredictedRows:
    """Inputs, outputs, answers as text (the class, or each label), and targets if they are known.

    `numbers` are the row numbers in the file, from 1.
    """

    numbers: Labels
    input_names: tuple[str, ...]
    X: Array
    output_names: tuple[str, ...]
    outputs: Array
    answers: dict[str, list[str]]
    target_names: tuple[str, ...]
    targets: list[list[Any]]

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def columns(self) -> list[str]:
        """The names of the columns of a table."""
        return ["row", *self.input_names, *self.output_names, *self.answers, *self.target_names]

    @property
    def text_columns(self) -> set[str]:
        """The names of the columns of text."""
        has_words = bool(self.targets) and isinstance(self.targets[0][0], str)
        return {*self.answers, *self.target_names * has_words}

    def cells(
        self, number: Callable[[float], str] = exact, most: int | None = None
    ) -> list[list[str]]:
        """Return the rows as text; `number` formats numbers, by default with all digits."""

        def text(value: Any) -> str:
            return value if isinstance(value, str) else number(value)

        return [
            [
                str(self.numbers[i]),
                *map(number, [*self.X[i].tolist(), *self.outputs[i].tolist()]),
                *(words[i] for words in self.answers.values()),
                *map(text, self.targets[i] if self.targets else []),
            ]
            for i in range(len(self))[:most]
        ]

    def to_json(self) -> list[dict[str, Any]]:
        """Return a list with one mapping per row."""
        return [self._row(i) for i in range(len(self))]

    def _row(self, i: int) -> dict[str, Any]:
        row: dict[str, Any] = {
            "row": int(self.numbers[i]),
            "inputs": dict(zip(self.input_names, self.X[i].tolist(), strict=True)),
            "outputs": dict(zip(self.output_names, self.outputs[i].tolist(), strict=True)),
        }
        row |= answer_document({name: words[i] for name, words in self.answers.items()})
        if self.targets:
            row |= zip(self.target_names, self.targets[i], strict=True)
        return row


def answer_document(words: Mapping[str, str]) -> dict[str, Any]:
    """The `class` of a row, or its `labels` by name, in a JSON document; empty for values."""
    return dict(words) if words.keys() <= {"class"} else {"labels": words}


def predict_rows(experiment: Experiment, params: Vector, rows: Labels) -> PredictedRows:
    """Return the network's outputs for some rows of the table, given by their indices."""
    table, preprocessor = experiment.table, experiment.preprocessor
    X = table.X[rows]
    A = network_outputs(experiment.network, params, preprocessor.inputs.apply(X))
    original = preprocessor.original(A)
    targets: list[list[Any]] = []
    if table.labels is not None:
        targets = [[table.class_names[label]] for label in table.labels[rows]]
    elif table.Y is not None and table.words:
        targets = [_words(row, table.words) for row in table.Y[rows].tolist()]
    elif table.Y is not None and not table.is_autoencoder:
        targets = table.Y[rows].tolist()
    width = len(targets[0]) if targets else 0
    return PredictedRows(
        table.numbers_of(rows),
        table.input_names,
        X,
        experiment.output_names,
        original,
        preprocessor.in_words(original),
        ("target",) if width == 1 else numbered("target", width),
        targets,
    )


def _words(row: list[float], words: Mapping[str, Words]) -> list[str]:
    return [pair[value == 1] for value, pair in zip(row, words.values(), strict=True)]
