"""A model as a function of MATLAB and Octave, in the form of MATLAB's `genFunction`.

Samples are columns. Scales that are exact as a gain have the form of `mapstd`; others divide, so
that all numbers are those of the model. Activations are local functions.

A run may come from a stranger, so its values are written only by the functions of `literals`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import count
from typing import get_args

import numpy as np

from bpcli.data.columns import InputColumn
from bpcli.data.date_formats import CalendarPart
from bpcli.data.scaler import Scaler
from bpcli.data.values import Kind
from bpcli.export.known_texts import fill_index, listed_texts, meaning_of
from bpcli.export.literals import (
    distinct_identifiers,
    identifier,
    matlab_comment,
    matlab_string,
    number,
    options_of,
)
from bpcli.export.model import Model
from bpcli.export.parts import filled, parts
from bpcli.nn.arrays import Array
from bpcli.nn.network import Layer
from bpcli.notation.matlab import COLUMNS, WHERE, function_name, function_text, needs_where

_PARTS = parts("parts.m")
_RESERVED = {
    "break", "case", "catch", "classdef", "continue", "do", "else", "elseif", "end", "for",
    "function", "global", "if", "otherwise", "parfor", "persistent", "return", "spmd", "switch",
    "try", "until", "while",
}  # fmt: skip


def matlab_text(model: Model) -> str:
    """The source text of the function."""
    writer = _File(model)
    return "\n".join(f"{section.strip()}\n" for section in writer.sections())


def matlab_name(model: Model) -> str:
    """The name of the function, which its file should have: the module's if MATLAB allows it."""
    name = model.module_name[:_LONGEST]
    is_allowed = name.isascii() and name[0].isalpha() and name not in _RESERVED
    return name if is_allowed else distinct_identifiers([model.name], _RESERVED, "network")[0]


_LONGEST = 63


def matlab_fields(model: Model) -> list[str]:
    """The field of each column in the struct of a model that has categories."""
    return distinct_identifiers([column.name for column in model.encoder.inputs], _RESERVED)


def takes_struct(model: Model) -> bool:
    """Whether a model has texts, which are no numbers of a matrix."""
    return any(column.kind == "category" for column in model.encoder.inputs)


@dataclass(frozen=True)
class _File:
    model: Model

    def sections(self) -> Iterator[str]:
        yield self._head()
        yield from self._constants()
        yield self._simulation()
        yield from self._functions()

    @cached_property
    def encodes(self) -> bool:
        """Whether the columns are not the inputs of the network, as they are."""
        return any(
            column.kind != "number" or column.fill is not None or column.indicator
            for column in self.model.encoder.inputs
        )

    # The head and the constants.

    def _head(self) -> str:
        name = matlab_name(self.model)
        answers = "".join(
            f"%   answers{{{k}}} = {matlab_comment(label)}: one of {_listed(words)}\n"
            for k, (label, words) in enumerate(self.model.answers.items(), start=1)
        )
        return filled(
            _PARTS["head"],
            {
                "name": name,
                "NAME": name.upper(),
                "returns": "y1,answers" if answers else "y1",
                "layers": self.model.network.summary,
                "trained": "" if self.model.params.dtype == "float64" else " Trained in float32.",
                "arguments": "".join(self._arguments()),
                "outputs": number(self.model.network.outputs),
                "output_names": _listed(self.model.output_names),
                "answers": answers,
            },
        )

    def _arguments(self) -> Iterator[str]:
        columns = self.model.encoder.inputs
        if takes_struct(self.model):
            yield "%   x1 = struct with Q numbers, or a cell array of Q texts, for each column:\n"
            places = [f"x1.{field}" for field in matlab_fields(self.model)]
        else:
            yield f"%   x1 = {number(len(columns))}xQ matrix, input #1, with the rows\n"
            places = [number(k) for k in range(1, len(columns) + 1)]
        for column, position in zip(columns, places, strict=True):
            yield f"%     {position}: {_meaning(column)}\n"

    def _constants(self) -> Iterator[str]:
        yield "".join(["% Input 1\n", *_scale("x1_step1", self.model.preprocessor.inputs)])
        layers = [f"% Layer {k}\n" for k in range(1, len(self.model.network.layers) + 1)]
        for name, tensor in self.model.network.tensors(self.model.params):
            k = int(name[1:])
            called = _weights(k) if name.startswith("W") else name
            layers[k - 1] += f"{called} = {_matrix(tensor)};\n"
        yield from layers
        yield "".join(["% Output 1\n", *_scale("y1_step1", self.model.preprocessor.targets)])
        for k, column in enumerate(self.model.encoder.inputs, 1):
            if column.kind == "category":
                rows = ";...\n  ".join(_known(column))
                title = f"% Texts of column {k}: each, whether its case is ignored, its category"
                yield f"{title}\ntexts_{k} = {{...\n  {rows}}};\n"

    # The simulation.

    def _simulation(self) -> str:
        layers = self.model.network.layers
        outputs = self.model.preprocessor.targets
        last = f"a{len(layers)}"
        reversed_ = f"{_scale_function(outputs)}_reverse({last},y1_step1)"
        field = matlab_fields(self.model)[0]
        return filled(
            _PARTS["simulation"],
            {
                "samples": f"numel(x1.{field})" if takes_struct(self.model) else "size(x1,2)",
                "input": "".join(self._input()),
                "layers": "\n".join(self._layer(layer, k) for k, layer in enumerate(layers, 1)),
                "output": f"y1 = {last if outputs.changes_nothing else reversed_};\n",
                "answers": "".join(self._answers()),
            },
        )

    def _input(self) -> Iterator[str]:
        inputs = self.model.preprocessor.inputs
        if self.encodes:
            yield f"x = zeros({number(self.model.network.inputs)},Q);\n"
            starts = (start for _, start in self.model.encoder.starts)
            rows = zip(self.model.encoder.inputs, matlab_fields(self.model), starts, strict=True)
            for k, (column, field, start) in enumerate(rows, 1):
                yield from self._column(column, field, start + 1, k)
        x = "x" if self.encodes else "x1"
        applied = f"{_scale_function(inputs)}_apply({x},x1_step1)"
        yield f"xp1 = {x if inputs.changes_nothing else applied};\n"

    def _column(self, column: InputColumn, field: str, row: int, k: int) -> Iterator[str]:
        """The lines that encode a column as the rows of x from `row`."""
        values = f"x1.{field}" if takes_struct(self.model) else f"x1({k},:)"
        kind = identifier(column.kind, get_args(Kind))
        is_missing = f"isnan({values}(:)')" if takes_struct(self.model) else f"isnan({values})"
        if kind == "category":
            last = row + len(column.categories) - 1
            fill = fill_index(column) + 1 or -1
            arguments = f"{values},texts_{k},{len(column.categories)},{fill},{k}"
            yield f"[x({row}:{last},:),is_missing] = category_input({arguments});\n"
            is_missing = "is_missing"
        else:
            fill_number = "NaN" if column.fill is None else number(column.fill)
            function = "boolean" if kind == "boolean" else "number"
            yield f"x({row},:) = {function}_input({values},{fill_number},{k});\n"
        for part, first in zip(column.calendar, count(row + 1, 2), strict=False):
            turns = f"{identifier(part, get_args(CalendarPart))}_turns(x({row},:))"
            yield f"x({first}:{first + 1},:) = waves({turns});\n"
        if column.indicator:
            yield f"x({row + len(column.names) - 1},:) = {is_missing};\n"

    def _layer(self, layer: Layer, k: int) -> str:
        bias = f"repmat(b{k},1,Q) + " if layer.has_bias else ""
        z = f"{bias}{_weights(k)}*{'xp1' if k == 1 else f'a{k - 1}'}"
        if not layer.activation.is_identity:
            options = "".join(
                f",{number(value)}" for value in options_of(layer.activation).values()
            )
            z = f"{function_name(layer.activation)}({z}{options})"
        return f"% Layer {k}\na{k} = {z};\n"

    def _answers(self) -> Iterator[str]:
        """The lines that give the names of classes, or the words of labels."""
        for k, words in enumerate(self.model.answers.values(), start=1):
            if self.model.class_names and self.model.network.outputs > 1:
                yield "[~,index] = max(y1,[],1);\n"
            else:
                yield f"index = 1 + (y1({k},:) >= 0.5);\n"
            yield f"words = {{{','.join(map(matlab_string, words))}}};\n"
            yield f"answers{{{k}}} = words(index);\n"

    # The functions.

    def _functions(self) -> Iterator[str]:
        preprocessor = self.model.preprocessor
        for scale, end in ((preprocessor.inputs, "apply"), (preprocessor.targets, "reverse")):
            if not scale.changes_nothing:
                yield _PARTS[f"{_scale_function(scale)}_{end}"]
        used = {type(layer.activation): layer.activation for layer in self.model.network.layers}
        yield from (function_text(each) for each in used.values() if not each.is_identity)
        if any(map(needs_where, used.values())):
            yield WHERE
        if self.encodes:
            yield from (COLUMNS.get(name) or _PARTS[name] for name in self._encoders())

    def _encoders(self) -> Iterator[str]:
        kinds = {column.kind for column in self.model.encoder.inputs}
        turns: set[str] = {part for c in self.model.encoder.inputs for part in c.calendar}
        yield from ["number"] * bool(kinds - {"category"})
        yield from (name for name in ("boolean", "category") if name in kinds)
        yield from ["waves"] * bool(turns)
        yield from sorted(turns)


def _listed(names: object) -> str:
    return ", ".join(map(matlab_comment, names))  # type: ignore[call-overload]


def _meaning(column: InputColumn) -> str:
    missing = "''" if column.kind == "category" else "NaN"
    return matlab_comment(meaning_of(column)) + (
        "" if column.fill is None else f"; {missing}: missing"
    )


_NUMBERS = {-1: -1, -2: 0}
"""What `category_of` returns for texts that are missing or unknown."""


def _known(column: InputColumn) -> Iterator[str]:
    """The known texts as rows of a cell array: text, whether it folds, number of the category."""
    for text, folds, category in listed_texts(column):
        code = number(_NUMBERS.get(category, category + 1))
        yield f"{matlab_string(text)},{number(int(folds))},{code}"


# Numbers.


def _weights(k: int) -> str:
    """The name of the weights of layer k."""
    return "IW1_1" if k == 1 else f"LW{k}_{k - 1}"


def _scale(name: str, scale: Scaler) -> Iterator[str]:
    """The constants of a scale; none if it changes nothing."""
    if scale.changes_nothing:
        return
    yield f"{name}.xoffset = {_matrix(scale.shift)};\n"
    if _scale_function(scale) == "mapstd":
        yield f"{name}.gain = {_matrix(1 / scale.factor)};\n{name}.ymean = 0;\n"
    else:
        yield f"{name}.divisor = {_matrix(scale.factor)};\n"


def _scale_function(scale: Scaler) -> str:
    """`mapstd` if gains have the same digits as the factors: 1 / gain is the factor, rounded."""
    with np.errstate(all="ignore"):
        gains = 1 / scale.factor
    if not np.isfinite(gains).all() or not gains.all():
        return "scale"
    pairs = zip(gains.tolist(), scale.factor.tolist(), strict=True)
    exact = all(float(1 / Fraction(gain)) == factor for gain, factor in pairs)
    return "mapstd" if exact else "scale"


def _matrix(array: Array) -> str:
    """A matrix; a vector is a column."""
    rows = (array[:, np.newaxis] if array.ndim == 1 else array).tolist()
    return f"[{';'.join(' '.join(map(number, row)) for row in rows)}]"
