"""A model as one file of C99 that allocates no memory and needs only the standard library.

A row is a struct with a field for each column. The file has only the functions that the model uses.
With -DBPNET_MAIN it is a program too, by which the file is verified.

A run may come from a stranger, so its values are written only by the functions of `literals`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import get_args

import numpy as np

from bpcli.data.columns import InputColumn
from bpcli.data.date_formats import CalendarPart
from bpcli.data.scaler import Scaler
from bpcli.data.values import Kind
from bpcli.export.known_texts import fill_index, listed_texts, meaning_of
from bpcli.export.literals import (
    c_comment,
    c_string,
    distinct_identifiers,
    identifier,
    number,
    number_lines,
    single,
)
from bpcli.export.loops import Braces
from bpcli.export.model import Model
from bpcli.export.parts import filled, parts
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array
from bpcli.notation.expressions import Language, Reduction
from bpcli.registry import name_of

_PARTS = parts("parts.c")
_ENCODERS = (
    "number", "boolean", "date", "waves", "hour", "weekday", "month", "category",
)  # fmt: skip
_FUNCTIONS = {
    "abs": "fabs({})",
    "exp": "exp({})",
    "expm1": "expm1({})",
    "log": "log({})",
    "log1p": "log1p({})",
    "maximum": "fmax({}, {})",
    "minimum": "fmin({}, {})",
    "sqrt": "sqrt({})",
    "tanh": "tanh({})",
    "where": "(({}) ? ({}) : ({}))",
}
_OF_FLOATS = {
    name: text if name == "where" else text.replace("(", "f(", 1)
    for name, text in _FUNCTIONS.items()
}
_LANGUAGES = {
    "double": Language("C", number, _FUNCTIONS),
    "float": Language("C", single, _OF_FLOATS),
}
_RESERVED = {
    "asm", "auto", "bool", "break", "case", "char", "const", "continue", "default", "do", "double",
    "else", "enum", "errno", "extern", "far", "false", "float", "for", "goto", "if", "inline",
    "int", "linux", "long", "near", "register", "restrict", "return", "short", "signed", "sizeof",
    "static", "struct", "switch", "true", "typedef", "typeof", "union", "unix", "unsigned", "void",
    "volatile", "while",
}  # fmt: skip
"""Words that C, C++ or usual compilers give another meaning."""


def c_text(model: Model, precision: str = "double") -> str:
    """The source text of the file, which computes in `precision`: double or float.

    Raises `ConfigError` for a name with a NUL character, or a number too large for float.
    """
    return _File(model, precision).text()


@dataclass(frozen=True)
class _File:
    """Writes the sections of a file."""

    model: Model
    precision: str

    def text(self) -> str:
        sections = [
            self._part("head", **self._facts()),
            self._row(),
            *map(self._part, self._encoders()),
            *self._texts(),
            *self._scales(),
            self._encode(),
            self._part("affine"),
            *self._parameters(),
            *map(self._layer, range(1, len(self.model.network.layers) + 1)),
            self._predict(),
            self._intervals(),
            self._answers(),
            self._main(),
        ]
        return "\n".join(f"{section.strip()}\n" for section in sections if section)

    def _part(self, name: str, **values: str) -> str:
        """A part of `assets/parts.c` with its @names@ replaced."""
        names = {"prefix": self.prefix, "PREFIX": self.prefix.upper(), "real": self.precision}
        return filled(_PARTS[name], names | values)

    @cached_property
    def prefix(self) -> str:
        """The beginning of the names that other files see."""
        return distinct_identifiers([self.model.name], _RESERVED, "network")[0]

    @cached_property
    def fields(self) -> list[tuple[InputColumn, str]]:
        """Each column with its field of a row."""
        columns = self.model.encoder.inputs
        names = distinct_identifiers([column.name for column in columns], _RESERVED)
        return list(zip(columns, names, strict=True))

    @cached_property
    def braces(self) -> Braces:
        real = self.precision
        starts: dict[Reduction, str] = {"max": "-INFINITY", "min": "INFINITY", "sum": "0"}
        return Braces(
            _LANGUAGES[real], f"{real} {{}} = {{}};", f"{real} {{}}[{{}}];", "size_t", starts
        )

    # What a program that uses the file sees.

    def _facts(self) -> dict[str, str]:
        network = self.model.network
        return {
            "layers": network.summary,
            "trained": "" if self.model.params.dtype == "float64" else " Trained in float32.",
            "inputs": number(network.inputs),
            "outputs": number(network.outputs),
        }

    def _row(self) -> str:
        lines = (
            f"    {self._type(c)}{name}; /* {c_comment(meaning_of(c))} */"
            for c, name in self.fields
        )
        return self._part("row", fields="\n".join(lines), names=_strings(self.model.output_names))

    def _type(self, column: InputColumn) -> str:
        kind = identifier(column.kind, get_args(Kind))
        types = {"category": "const char *", "date": "double "}
        return types.get(kind, f"{self.precision} ")

    def _answers(self) -> str:
        """The functions that name the class, or the words of labels."""
        names, words = self.model.class_names, self.model.preprocessor.words
        listed = {"names": _strings(names or words), "count": number(len(names or words))}
        half = self._number(0.5)
        if names:
            rule = "largest" if self.model.network.outputs > 1 else "at_least_half"
            return self._part("class", decide=self._part(rule, half=half), **listed)
        if words:
            pairs = (f"    {{{c_string(no)}, {c_string(yes)}}},\n" for no, yes in words.values())
            return self._part("labels", pairs="".join(pairs), half=half, **listed)
        return ""

    # Encoding.

    def _encoders(self) -> Iterator[str]:
        kinds: set[str] = {column.kind for column, _ in self.fields}
        parts: set[str] = {part for column, _ in self.fields for part in column.calendar}
        kinds |= {"waves"} if parts else set()
        yield from (name for name in _ENCODERS if name in kinds | parts)

    def _texts(self) -> Iterator[str]:
        """The known texts of each category column."""
        for column, name in self.fields:
            if column.kind == "category":
                lines = "".join(
                    f"    {{{c_string(text)}, {number(int(folds))}, {number(category)}}},\n"
                    for text, folds, category in listed_texts(column)
                )
                yield f"static const known_text texts_of_{name}[] = {{\n{lines}}};"

    def _encode(self) -> str:
        kinds = {column.kind for column, _ in self.fields}
        locals_ = {"date": "    double days;\n", "category": "    int category;\n"}
        declared = "".join(line for kind, line in locals_.items() if kind in kinds)
        lines = [f"{declared}\n"] * bool(declared)
        starts = (start for _, start in self.model.encoder.starts)
        for code, ((column, name), start) in enumerate(zip(self.fields, starts, strict=True), 1):
            lines += [f"{line}\n" for line in self._column(column, f"row->{name}", start, code)]
        return self._part("encode", body="".join(lines))

    def _column(self, column: InputColumn, value: str, start: int, code: int) -> Iterator[str]:
        """The lines that encode a column as the inputs from `start`."""
        x, is_missing = f"&x[{start}]", f"isnan({value})"
        if column.kind == "category":
            texts = f"texts_of_{value.removeprefix('row->')}"
            fill = fill_index(column)
            size = f"sizeof {texts} / sizeof {texts}[0]"
            yield f"    category = category_of({value}, {size}, {texts});"
            call = f"one_hot(category, {fill}, {len(column.categories)}, {x})"
            is_missing = "category == MISSING"
        elif column.kind == "date":
            fill_days = "NAN" if column.fill is None else number(column.fill)
            call = f"date({value}, {fill_days}, &days)"
        else:
            fill_number = "NAN" if column.fill is None else self._number(column.fill)
            call = f"{column.kind}({value}, {fill_number}, {x})"
        yield f"    if ({call} != 0) {{\n        return {code};\n    }}"
        if column.kind == "date":
            yield f"    x[{start}] = ({self.precision})days;"
        for index, part in enumerate(column.calendar):
            turns = identifier(part, get_args(CalendarPart))
            yield f"    waves({turns}_turns(days), &x[{start + 1 + 2 * index}]);"
        if column.indicator:
            last = start + len(column.names) - 1
            yield f"    x[{last}] = ({self.precision})(({is_missing}) ? 1 : 0);"

    # Numbers.

    def _number(self, value: object) -> str:
        return self.braces.language.number(value)  # type: ignore[arg-type]

    def _scales(self) -> Iterator[str]:
        for name, scale in self._scalers().items():
            yield self._array(f"{name}_shift", scale.shift)
            yield self._array(f"{name}_factor", scale.factor)

    def _scalers(self) -> dict[str, Scaler]:
        """The scales that change numbers."""
        scales = {
            "input": self.model.preprocessor.inputs,
            "output": self.model.preprocessor.targets,
        }
        return {name: scale for name, scale in scales.items() if not scale.changes_nothing}

    def _parameters(self) -> Iterator[str]:
        matrices = self.model.network.matrices(self.model.params)
        for k, (layer, matrix) in enumerate(
            zip(self.model.network.layers, matrices, strict=True), 1
        ):
            yield self._array(f"W{k}", matrix[:, : layer.inputs])
            yield self._array(f"b{k}", matrix[:, -1] if layer.has_bias else np.zeros(layer.rows))

    def _array(self, name: str, array: Array) -> str:
        """A constant array; the rows of a matrix follow each other."""
        rows = np.atleast_2d(array).tolist()
        lines = "".join(number_lines(map(self._number, row), "    ") for row in rows)
        return f"static const {self.precision} {name}[{array.size}] = {{\n{lines}}};"

    # The network.

    def _layer(self, k: int) -> str:
        layer = self.model.network.layers[k - 1]
        return self._part(
            "layer",
            layer=f"{number(layer.units)} {name_of(ACTIVATIONS, layer.activation)}",
            k=number(k),
            rows=number(layer.rows),
            units=number(layer.units),
            columns=number(layer.inputs),
            body=self.braces.body(layer),
        )

    def _predict(self) -> str:
        layers = self.model.network.layers
        names = [*(f"a{k}" for k in range(len(layers))), "outputs"]
        widths = [self.model.network.inputs, *(layer.units for layer in layers[:-1])]
        calls = [
            f"    layer_{k}({below}, {above});\n"
            for k, (below, above) in enumerate(pairwise(names), 1)
        ]
        scaled = {
            "input": "a0[i] = (a0[i] - input_shift[i]) / input_factor[i];",
            "output": "outputs[i] = (outputs[i] * output_factor[i]) + output_shift[i];",
        }
        loops = {
            name: self.braces.loop("    ", "i", "0", number(len(scale.shift)), scaled[name])
            for name, scale in self._scalers().items()
        }
        return self._part(
            "predict",
            arrays="\n".join(
                f"    {self.precision} {name}[{number(width)}];"
                for name, width in zip(names[:-1], widths, strict=True)
            ),
            body="".join([loops.get("input", ""), *calls, loops.get("output", "")]),
        )

    def _intervals(self) -> str:
        intervals = self.model.intervals
        if intervals is None:
            return ""
        half_widths = self._array("half_widths", intervals.method.half)
        level = number(intervals.level)
        return self._part("intervals", half_widths=half_widths, level=level)

    # The program.

    def _main(self) -> str:
        reads = []
        for column, name in self.fields:
            read = "text_or_null" if column.kind == "category" else "parsed"
            cast = "(float)" if self._type(column) == "float " else ""
            reads.append(f"        row.{name} = {cast}{read}(&rest, &wrong);")
        readers = {"text" if column.kind == "category" else "number" for column, _ in self.fields}
        printed, writes = self._printed()
        return self._part(
            "main",
            count=number(len(self.fields)),
            longest=number(2**16 + 2**10 * len(self.fields)),
            printed=printed,
            readers="\n".join(_PARTS[f"read_{kind}"] for kind in sorted(readers)),
            writers=f"{_PARTS['writer']}\n" if self.model.answers else "",
            reads="\n".join(reads),
            writes=writes,
        )

    def _printed(self) -> tuple[str, str]:
        """What the program prints after the outputs, in words and as source text."""
        if self.model.intervals is not None:
            return ", then low and high of each", self._part("write_intervals")
        if self.model.class_names:
            return " and the class", self._part("write_class")
        words = self.model.preprocessor.words
        if words:
            count = number(len(words))
            return " and the word of each label", self._part("write_labels", count=count)
        return "", ""


def _strings(texts: Iterable[object]) -> str:
    return "".join(f"    {c_string(text)},\n" for text in texts)
