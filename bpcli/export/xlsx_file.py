"""A model as a workbook of Excel with live formulas: the user types rows and reads predictions.

The sheet `predict` has the inputs and the outputs, `network` the numbers of every unit for each
row, `parameters` and `columns` what training fitted. Texts of a run stand in cells of text, to
which formulas refer, so that no name can become a formula.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bpcli.data.columns import InputColumn
from bpcli.errors import ConfigError
from bpcli.export.model import Model
from bpcli.export.verify import Columns, encoded, probes
from bpcli.export.xlsx_columns import style_of, typed, write_columns
from bpcli.export.xlsx_network import write_network
from bpcli.export.xlsx_notes import notes
from bpcli.export.xlsx_pages import (
    DIFFERENCE,
    FIRST,
    NOTE,
    OUTPUT,
    PROBABILITY,
    ROW,
    THEIR_PROBABILITY,
    THEIR_WORD,
    THEIRS,
    TITLE,
    WORD,
    Pages,
    cells,
)
from bpcli.nn.arrays import Array
from bpcli.workbook.book import Content, Formula
from bpcli.workbook.cells import MOST_CHARACTERS, MOST_COLUMNS, Cell
from bpcli.workbook.styles import Style

EXAMPLES = 10
"""Rows with examples; below them are rows for the user."""

_MOST_ROWS, _MOST_FORMULAS, _MOST_PARAMETERS = 72, 100_000, 500_000
"""Rows in total, unless they would have more formulas than this; examples are always there."""


def xlsx_bytes(model: Model) -> bytes:
    """The content of the workbook. Raises `ConfigError` if a sheet cannot hold the model."""
    model = model.in_double()
    width = _width(model)
    _refuse(model, width)
    pages = Pages(max(EXAMPLES, min(_MOST_ROWS, _MOST_FORMULAS // width)))
    rows = _examples(model)
    _write_inputs(pages, model, rows)
    first_output = write_network(pages, model, write_columns(pages, model.encoder.inputs))
    _write_outputs(pages, model, first_output, rows)
    return pages.book(notes(model)).to_bytes()


def first_output(model: Model) -> int:
    """The column of `predict` with the first output; ends of intervals or words follow."""
    return 1 + len(model.encoder.inputs) + 1


def _width(model: Model) -> int:
    """The columns of the sheet `network`, at least."""
    network, encoder = model.network, model.encoder
    units = sum(
        layer.units * (1 + layer.activation.rows_per_unit + layer.activation.mixes_units)
        for layer in network.layers
    )
    return 1 + 2 * len(encoder.inputs) + 2 * network.inputs + units + network.outputs


def _refuse(model: Model, width: int) -> None:
    shown = 3 * model.network.outputs + len(model.end_names)
    widest = max(width, 4 * len(model.encoder.inputs) + 4 + shown)
    if widest > MOST_COLUMNS:
        raise ConfigError(
            f"The network needs {widest:,} columns, and a sheet of Excel has {MOST_COLUMNS:,}: "
            "export to python, onnx or json."
        )
    if len(model.params) > _MOST_PARAMETERS:
        raise ConfigError(
            f"The network has {len(model.params):,} parameters, and a workbook is written for at "
            f"most {_MOST_PARAMETERS:,}: export to python, onnx or json."
        )
    for text in _categories(model):
        if not text.strip():
            raise ConfigError(
                f"A formula of Excel cannot tell the category {text!r} from an empty cell: rename "
                "it, or export to python, onnx or json."
            )
    longest = max(map(len, _texts(model)))
    if longest > MOST_CHARACTERS:
        raise ConfigError(
            f"A name has {longest:,} characters, and a cell of Excel at most {MOST_CHARACTERS:,}: "
            "export to python, onnx or json."
        )


def _texts(model: Model) -> Iterator[str]:
    yield from (model.name, *model.encoder.names, *model.output_names)
    yield from (word for words in model.answers.values() for word in words)
    yield from _categories(model)


def _categories(model: Model) -> Iterator[str]:
    for column in model.encoder.inputs:
        yield from (*column.categories, *column.spelling.rename)


# Inputs.


def _examples(model: Model) -> Columns:
    """Rows from the range of the training rows, with numbers of few digits."""
    probe = next(probes(model))
    return {
        column.name: [_readable(column, value) for value in probe[column.name][:EXAMPLES]]
        for column in model.encoder.inputs
    }


def _readable(column: InputColumn, value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if column.kind == "category" and isinstance(value, str) and not column.knows(value):
        return column.categories[0]
    return value


def _write_inputs(pages: Pages, model: Model, rows: Columns) -> None:
    sheet, columns = pages.predict.sheet, model.encoder.inputs
    sheet.put(0, 0, model.name, TITLE)
    sheet.put(1, 0, _HOW_TO, NOTE)
    sheet.put(2, 0, _WHAT_IS_WHAT, NOTE)
    sheet.heights[0] = 26
    pages.predict.add("row", [""], lambda row, _: _label(row), ROW)
    values = typed(columns, rows)

    def content(row: int, index: int) -> Content:
        return values[index][row - FIRST] if row - FIRST < EXAMPLES else ""

    names = [column.name for column in columns]
    pages.predict.add("inputs", names, content, lambda index: style_of(columns[index]))
    for index, column in enumerate(columns, start=1):
        if column.kind == "date":
            sheet.widen(index, 17)
    pages.predict.gap()


_HOW_TO = (
    "Type your own rows into the yellow cells, below or over the examples. The predictions beside "
    "them are computed by formulas; the sheet `notes` explains all."
)
_WHAT_IS_WHAT = (
    "The examples are random rows from the range of the training rows. The grey columns on the "
    "right show the predictions of bpnet for the exported examples, and the difference."
)


def _label(row: int) -> str:
    number = row - FIRST + 1
    return f"example {number}" if number <= EXAMPLES else f"row {number}"


# Outputs.


def _write_outputs(pages: Pages, model: Model, source: int, rows: Columns) -> None:
    outputs = model.outputs(encoded(model, rows))
    words = model.preprocessor.in_words(outputs)
    first, names = pages.predict.end, model.output_names
    predicted = _cells_of(outputs)

    def output(row: int, index: int) -> Content:
        cell = f"{pages.network.sheet.name}!{cells(row, source + index, 1)}"
        formula = f'IF({pages.network.sheet.name}!$A{row + 1},{cell},"")'
        return Formula(formula, _of_example(predicted, row, index))

    gives_probabilities = model.network.layers[-1].activation.gives_probabilities
    looks = (PROBABILITY, THEIR_PROBABILITY) if gives_probabilities else (OUTPUT, THEIRS)
    pages.predict.add("predictions", names, output, looks[0])
    _write_intervals(pages, model, first, outputs)
    _write_words(pages, model, first, list(words.values()))
    pages.predict.add("", ["note"], lambda row, _: Formula(_note(pages, model, row)), ROW)
    pages.predict.sheet.widen(pages.predict.end - 1, 34)
    pages.predict.gap()
    _write_bpnet(pages, first, names, predicted, words, looks[1])


def _write_intervals(pages: Pages, model: Model, first: int, outputs: Array) -> None:
    """Low and high of each output, which is 0 or more columns to the right of `first`."""
    if model.intervals is None:
        return
    half_widths = pages.block(
        f"Half widths of the {100 * model.intervals.level:g} % intervals",
        model.output_names,
        [("half width", [*model.intervals.half_widths])],
    )
    pages.name("half_width", half_widths, 1, 1, model.network.outputs)
    ends = _cells_of(model.intervals.method.bounds(outputs, outputs).columns)

    def end(row: int, index: int) -> Content:
        output, sign = cells(row, first + index // 2, 1), "-+"[index % 2]
        formula = f"{output}{sign}INDEX(half_width,{index // 2 + 1})"
        complete = f"{pages.network.sheet.name}!$A{row + 1}"
        return Formula(f'IF({complete},{formula},"")', _of_example(ends, row, index))

    pages.predict.add(f"{100 * model.intervals.level:g} % intervals", model.end_names, end, OUTPUT)


def _cells_of(outputs: Array) -> list[list[Cell]]:
    """Numbers as what cells hold: text for those that are not finite."""
    return [[y if math.isfinite(y) else str(y) for y in row] for row in outputs.tolist()]


def _of_example(values: Sequence[Sequence[Cell]], row: int, index: int) -> Cell | None:
    return values[row - FIRST][index] if row - FIRST < EXAMPLES else None


def _write_words(pages: Pages, model: Model, first: int, words: list[list[str]]) -> None:
    """The class, or the word of each label."""
    if not words:
        return
    answers, count = model.answers, model.network.outputs
    top = pages.block(
        "Texts of the predictions", [], [(name, [*labels]) for name, labels in answers.items()]
    )
    by_row = list(zip(*words, strict=True))

    def word(row: int, index: int) -> Content:
        known = pages.parameters.fixed(top + index, 1, 1, len([*answers.values()][index]))
        output = cells(row, first + index, 1)
        chosen = f"IF({output}<0.5,1,2)"
        if model.class_names and count > 1:
            every = cells(row, first, count)
            chosen = f"MATCH(MAX({every}),{every},0)"
        complete = f"{pages.network.sheet.name}!$A{row + 1}"
        return Formula(
            f'IF({complete},INDEX({known},{chosen}),"")', _of_example(by_row, row, index)
        )

    pages.predict.add("", [*answers], word, WORD)


def _note(pages: Pages, model: Model, row: int) -> str:
    """Why a row is not computed, or how many values are filled and which category is unknown."""
    count = len(model.encoder.inputs)
    codes = f"{pages.network.sheet.name}!{cells(row, 1, count)}"
    names = pages.predict.sheet.fixed(FIRST - 1, 1, 1, count).split("!")[1]

    def first(code: int) -> str:
        return f"INDEX({names},MATCH({code},{codes},0))"

    def counted(code: int, what: str, end: str) -> str:
        number = f"COUNTIF({codes},{code})"
        more = f'IF({number}>1," and others","")'
        return f'IF({number}>0,{number}&" {what}: "&{first(code)}&{more}&"{end}","")'

    return (
        f'IF(COUNTA({cells(row, 1, count)})=0,"",IF(COUNTIF({codes},3)>0,"not computed: check "&'
        f"{first(3)},{counted(1, 'filled', '. ')}&{counted(2, 'unknown', '.')}))"
    )


def _write_bpnet(
    pages: Pages,
    first: int,
    names: Sequence[str],
    predicted: Sequence[Sequence[Cell]],
    words: Mapping[str, Sequence[str]],
    look: Style,
) -> None:
    """What bpnet predicts for the examples, and the difference of the formulas from it."""
    table = pages.predict
    by_row = list(zip(*words.values(), strict=True))
    own = table.add(
        "bpnet, for the examples",
        names,
        lambda row, index: _of_example(predicted, row, index),
        look,
    )
    if words:
        table.add("", [*words], lambda row, index: _of_example(by_row, row, index), THEIR_WORD)

    def difference(row: int, index: int) -> Content | None:
        if row - FIRST >= EXAMPLES:
            return None
        formula, theirs = cells(row, first + index, 1), cells(row, own + index, 1)
        both = f"AND(ISNUMBER({formula}),ISNUMBER({theirs}))"
        return Formula(f'IF({both},{formula}-{theirs},"")')

    table.add("difference", names, difference, DIFFERENCE)
