"""A starter config for a table; its comments say what was guessed."""

from __future__ import annotations

import os
from bisect import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bpcli.config.writing import inline
from bpcli.data.column_warnings import USELESS, WarningKind
from bpcli.data.description import ColumnFacts, Description
from bpcli.data.files.dialect import MISSING
from bpcli.data.files.grid import is_number
from bpcli.data.files.look import Look, is_text
from bpcli.errors import DataError
from bpcli.text import first_of, plain, plural

_MARGIN = 34
_FEWEST_ROWS_TO_SPLIT = 30
_MOST_NAMED = 5
_MANY_MISSING = 0.1
_TRAINING_SHARE = 0.7
_MOST_WORK_FOR_LEVENBERG_MARQUARDT = 3e8


def starter_config(look: Look, target: Path) -> str:
    """Return the text of a config for a table, to be written at `target`.

    Raises `DataError` if the table has no usable target, or no usable input.
    """
    about = look.description
    _refuse_hopeless_targets(about)
    if not about.inputs:
        reasons = "; ".join(f"{plain(name)} {why}" for name, why in about.unusable.items())
        raise DataError(f"no column can be an input{': ' * bool(reasons)}{reasons}")
    plan = _Plan(about)
    lines = [*_head(look), "data:", *_data(look, target), *_network(plan), *_training(plan)]
    return "".join(f"{line}\n" for line in lines)


def _refuse_hopeless_targets(about: Description) -> None:
    is_guessed = about.why_target not in ("as requested", "the array of targets")
    hopeless = _HOPELESS | _POOR if is_guessed else _HOPELESS
    for warning in about.warnings:
        if warning.column not in about.targets:
            continue
        facts = next(column for column in about.columns if column.name == warning.column)
        if warning.kind in hopeless or (warning.kind in _POOR and facts.unique == about.rows):
            raise DataError(
                f"the target `{plain(warning.column)}` ({about.why_target}) {warning.text}: name "
                "another one with --target, or correct the file"
            )
    unprintable = next((name for name, _ in about.classes if not name.isprintable()), None)
    if unprintable is not None:
        raise DataError(
            f"column `{plain(about.target)}`: the class name {unprintable!r} has control "
            "characters: correct the file"
        )


_HOPELESS = USELESS | {"dates as target", "many classes"}

_POOR: frozenset[WarningKind] = frozenset({"names as target"})
"""Refused for a guessed target; for a requested one, only if every class has one row."""


def _line(depth: int, key: str, value: object, comment: str = "") -> str:
    """Return a key with its value, and a comment beside it or, if that is too wide, above."""
    text = f"{'  ' * depth}{key}: {inline(value)}"
    if not comment:
        return text
    if len(text) > _MARGIN:
        return f"{'  ' * depth}# {comment}\n{text}"
    return f"{text:{_MARGIN}} # {comment}"


def _head(look: Look) -> Iterator[str]:
    about = look.description
    inputs, targets = plural(len(look.inputs), "column"), plain(about.target, 60)
    yield f"# {_what(about)} of {targets} from {inputs} of {plain(look.path.name, 60)}"
    yield f"# Written for the {about.rows:,} rows of that file; edit any wrong guesses."
    unusable = about.unusable
    for warning in about.warnings:
        if warning.column not in unusable:
            yield f"# Warning: {plain(warning.column)} {plain(warning.text, 120)}"


def _what(about: Description) -> str:
    if about.classes:
        return f"{len(about.classes)} classes"
    noun = "label" if about.task == "multilabel" else "value"
    return f"the {noun}{'s' * (len(about.targets) > 1)}"


# The data.


def _data(look: Look, target: Path) -> Iterator[str]:
    about = look.description
    path = os.path.relpath(look.path.absolute(), target.absolute().parent)
    yield _line(1, "file", Path(path).as_posix(), "relative to the folder of this file")
    if is_text(look.path):
        yield from _format(look)
    if look.chooses_columns:
        yield from _columns(look)
    elif look.dialect.layout is not None:
        yield _line(1, "layout", look.dialect.layout, "whether samples are rows or columns")
    if not look.is_one_hot:  # the loss of one-hot targets implies classes
        yield _line(1, "task", about.task, f"guessed: {about.why_task}")
    yield from _split(about)
    scale = {"inputs": "standard"}
    if about.task == "regression":
        scale["targets"] = "standard"
    yield _line(1, "scale", scale, "zero mean and unit variance on the training rows")


def _guess(why: str) -> str:
    return why if why == "as requested" else f"guessed: {why}"


def _format(look: Look) -> Iterator[str]:
    """The keys of the dialect that differ from their defaults."""
    dialect, names = look.dialect, look.dialect.columns
    named = "" if dialect.header else f"; columns are called {names[0]} to {names[-1]}"
    yield _line(1, "header", dialect.header, plain(_guess(look.why_header) + named, 100))
    if dialect.header and any(map(is_number, names)):
        yield _line(1, "columns", list(names), "the numbers in the header are names")
    if dialect.encoding not in (None, "utf-8-sig"):
        yield _line(
            1, "encoding", dialect.encoding, _reason(look, "encoding", "guessed: it is not UTF-8")
        )
    for key, usual in _USUAL_SIGNS.items():
        if (sign := getattr(dialect, key)) != usual:
            yield _line(1, key, sign, _reason(look, key, "guessed from the first rows"))
    words = [word for word in dialect.missing if word not in MISSING]
    if not {*MISSING} <= {*dialect.missing}:
        yield _line(1, "missing_only", list(dialect.missing), "only these cells are missing values")
    elif words:
        yield _line(1, "missing", words, "these cells are missing values too")


_USUAL_SIGNS = {
    "sheet": None,
    "separator": ",",
    "decimal": ".",
    "thousands": "",
    "skip": 0,
    "skip_last": 0,
    "comment": "",
    "date_format": None,
}


def _reason(look: Look, key: str, guess: str) -> str:
    return guess if getattr(look.asked, key) is None else "as requested"


def _columns(look: Look) -> Iterator[str]:
    about = look.description
    if about.unusable:
        yield _line(1, "inputs", [f"!{name}" for name in about.unusable], "all but these:")
        for name, why in about.unusable.items():
            yield f"  #   {plain(name)} {plain(why, 120)}"
    yield from _categories(about)
    yield from _spellings(about)
    yield from _dates(about)
    yield from _missing_values(look)
    selectors = [_selector(about, name) for name in about.targets]
    yield _line(
        1, "targets", selectors if len(selectors) > 1 else selectors[0], _guess(about.why_target)
    )


def _categories(about: Description) -> Iterator[str]:
    """A comment on columns of categories, which are encoded one-hot without a key."""
    categories = [column for column in about.inputs if column.kind == "category"]
    if categories:
        yield f"  # categories, one-hot encoded: {_named(categories, lambda column: column.unique)}"


def _spellings(about: Description) -> Iterator[str]:
    names = [name for name in about.spelled if name not in about.unusable]
    if names:
        yield _line(1, "casefold", names, "ignores case and spaces in categories")


def _dates(about: Description) -> Iterator[str]:
    dates = [column for column in about.inputs if column.kind == "date"]
    if dates:
        yield f"  # dates, as days since 1970: {_named(dates, lambda column: column.unique)}"
        yield "  # calendar: [month, weekday, hour]  # adds these as sine and cosine"


def _missing_values(look: Look) -> Iterator[str]:
    incomplete = [column for column in look.description.inputs if column.missing]
    if incomplete:
        yield f"  # missing values: {_named(incomplete, lambda column: column.missing)}"
        yield _line(1, "fill", "median", "of the training rows; for categories the most frequent")
    frequent = [column.name for column in incomplete if _is_often_missing(column, look.description)]
    if frequent:
        yield _line(1, "indicator", frequent, "adds inputs that are 1 where these are missing")


def _is_often_missing(column: ColumnFacts, about: Description) -> bool:
    return column.missing >= _MANY_MISSING * about.rows


def _named(columns: list[ColumnFacts], count: Callable[[ColumnFacts], int]) -> str:
    """Return the first columns, each with a count: x2 8, x4 16, …"""
    return first_of([f"{plain(each.name)} {count(each):,}" for each in columns], _MOST_NAMED)


def _selector(about: Description, target: str) -> str | int:
    """Return a target's name, or its number if the name would be read as something else."""
    if target.startswith("!") or target == "same_as_inputs":
        return 1 + [column.name for column in about.columns].index(target)
    return target


def _is_split(about: Description) -> bool:
    return about.rows >= _FEWEST_ROWS_TO_SPLIT


def _split(about: Description) -> Iterator[str]:
    if not _is_split(about):
        yield f"  # no split: {plural(about.rows, 'row')} are too few for a test set"
        return
    split: dict[str, object] = {"train": 0.7, "val": 0.15, "test": 0.15}
    if about.classes:
        yield _line(
            1, "split", split | {"stratify": True}, "each split has the same share of every class"
        )
    else:
        yield _line(1, "split", split, "val decides when to stop, test is for the final score")


# The network and its training.


@dataclass(frozen=True)
class _Plan:
    """The network for a table, and how it is trained.

    On tables with missing values and categories (tests/benchmarks/starters.py), weight decay with
    early stopping scored better than early stopping alone, and than Bayesian regularization, which
    failed on some tables of fewer than 100 rows.
    """

    about: Description

    @property
    def inputs(self) -> int:
        return sum(
            (column.unique if column.kind == "category" else 1)
            + _is_often_missing(column, self.about)
            for column in self.about.inputs
        )

    @property
    def outputs(self) -> int:
        classes = self.about.classes
        return len(classes if len(classes) > 2 else self.about.targets)

    @property
    def hidden(self) -> int:
        """More units for more rows."""
        return self._by_rows(8, 16, 32, 32)

    @property
    def l2(self) -> int:
        """More weight decay for more rows and units."""
        return self._by_rows(1, 3, 10, 30)

    def _by_rows(self, *choices: int) -> int:
        return choices[bisect(_ROWS, self.about.rows)]

    @property
    def params(self) -> int:
        return self.hidden * (self.inputs + 1) + self.outputs * (self.hidden + 1)

    @property
    def training_rows(self) -> int:
        return (
            round(_TRAINING_SHARE * self.about.rows) if _is_split(self.about) else self.about.rows
        )

    @property
    def output(self) -> str:
        """The activation of the outputs."""
        if self.about.task == "classification":
            return "softmax" if len(self.about.classes) > 2 else "sigmoid"
        return "identity" if self.about.task == "regression" else "sigmoid"

    @property
    def optimizer(self) -> tuple[str, str, int, int]:
        """An optimizer, the reason for it, the most epochs, and `max_fail`.

        A step of Levenberg-Marquardt costs rows × parameters² operations: it is the first choice
        for regressions as long as that takes less than a second.
        """
        work = self.training_rows * self.params**2
        if self.about.task == "regression" and work <= _MOST_WORK_FOR_LEVENBERG_MARQUARDT:
            return "levenberg_marquardt", "for small regressions", 200, 10
        return "lbfgs", "a quasi-Newton method: no learning rate to set", 1000, 30


_ROWS = (300, 1000, 10_000)
"""The numbers of rows where the plan changes."""


_LOSSES = {"identity": "mse", "softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}


def _network(plan: _Plan) -> Iterator[str]:
    about_output = {
        "identity": "any number",
        "softmax": "a probability for each class",
        "sigmoid": "the probability of the second class",
    }
    if plan.about.task == "multilabel":
        about_output["sigmoid"] = "the probability of each label"
    output = plan.output
    yield "network:"
    layers = ["auto", plan.hidden, "auto"]
    yield _line(1, "layers", layers, "auto: from the data; `bpnet size` finds the best size")
    yield _line(1, "activations", ["tanh", output], f"{output}: {about_output[output]}")
    yield _line(0, "loss", _LOSSES[output])


def _training(plan: _Plan) -> Iterator[str]:
    optimizer, why, epochs, patience = plan.optimizer
    yield "training:"
    yield _line(1, "optimizer", optimizer, why)
    yield _line(1, "epochs", epochs, "at most")
    why_l2 = f"weight decay, for {plan.training_rows:,} rows and {plan.params:,} parameters"
    yield _line(1, "l2", plan.l2, why_l2)
    if _is_split(plan.about):
        stop = {"max_fail": patience}
        why_stop = f"stop after {patience} epochs without a lower validation loss"
        yield _line(1, "stop", stop, why_stop)
