"""A model as one SELECT that SQLite (3.35 and later) and PostgreSQL (12 and later) understand.

Each step is a table of a WITH clause: values, scaled inputs, sums and activations of each layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bpcli.errors import ConfigError
from bpcli.export.literals import number, options_of, sql_name, sql_string
from bpcli.export.model import Model
from bpcli.export.sql_columns import add_inputs, add_values, note
from bpcli.export.sql_query import ROW, Query, case
from bpcli.nn.network import Layer
from bpcli.notation.expressions import (
    RESULT,
    Expression,
    Language,
    Step,
    definition,
    names,
)
from bpcli.text import visible

TABLE = "inputs"
"""The name of the user's table in the query."""

_MOST_UNITS, _MOST_PARAMETERS = 400, 20_000
"""SQLite allows 1000 nested signs, and a union of 500 tables; PostgreSQL allows 1664 columns."""

_EXP = (
    "CASE WHEN {0} > 709.0 THEN 8.218407461554972e+307 WHEN {0} < -708.0 THEN 0.0 ELSE EXP({0}) END"
)

SQL = Language(
    "SQL",
    number,
    {
        "abs": "ABS({0})",
        "exp": _EXP,
        "expm1": f"(TANH(({{0}}) / 2.0) * ({_EXP} + 1.0))",
        "log": "LN({0})",
        "log1p": "CASE WHEN {0} < 1.0 THEN 2.0 * ATANH(({0}) / (2.0 + ({0}))) "
        "ELSE LN(1.0 + ({0})) END",
        "maximum": "CASE WHEN {0} > {1} THEN {0} ELSE {1} END",
        "minimum": "CASE WHEN {0} < {1} THEN {0} ELSE {1} END",
        "sqrt": "SQRT({0})",
        "tanh": "TANH({0})",
        "where": "CASE WHEN {0} THEN {1} ELSE {2} END",
    },
)
"""SQL has neither expm1 nor log1p: exp(x) - 1 = tanh(x/2) (exp(x) + 1) and ln(1 + x) =
2 artanh(x / (2 + x)) keep the digits of a small x. PostgreSQL stops with an error where EXP
overflows or underflows. SQLite has no GREATEST, and PostgreSQL no MAX of two numbers."""


def sql_text(model: Model) -> str:
    """The query. Raises `ConfigError` for a large network, and for names with control characters.

    Its columns are those of the table, then the outputs and words, and a note for each row.
    """
    model = model.in_double()
    _refuse_large(model)
    query, columns = Query(), model.encoder.inputs
    query.begin(
        "bpnet_rows", f"SELECT *, ROW_NUMBER() OVER () AS {ROW} FROM {TABLE}  -- your table"
    )
    add_values(query, columns)
    a = add_inputs(query, columns, model.preprocessor.inputs)
    matrices = model.network.matrices(model.params)
    for index, (layer, matrix) in enumerate(zip(model.network.layers, matrices, strict=True), 1):
        a = _Layer(query, index, layer).add(matrix.tolist(), a)
    outputs = list(_outputs(model, [f"{query.last}.{name}" for name in a]))
    return _head(model) + query.text(_select(model, query.last, outputs))


def _refuse_large(model: Model) -> None:
    network = model.network
    widest = max(
        network.inputs, *(layer.units * layer.activation.rows_per_unit for layer in network.layers)
    )
    if widest > _MOST_UNITS or len(model.params) > _MOST_PARAMETERS:
        raise ConfigError(
            f"The network has {len(model.params):,} parameters, and up to {widest:,} units or "
            f"inputs in a layer; a query is written for at most {_MOST_PARAMETERS:,} and "
            f"{_MOST_UNITS:,}: export to python, onnx or json."
        )


def _head(model: Model) -> str:
    """Comments at the beginning of the file."""
    lines = [
        f"{visible(model.name)}: a network trained by bpnet, for SQLite 3.35 and PostgreSQL 12.",
        f"It reads the table `{TABLE}`: write the name of yours instead, in the first SELECT.",
        "The result has its columns, the predictions, and a note: what is missing or unknown.",
        "Columns of numbers must have a numeric type.",
    ]
    if any(column.kind == "date" for column in model.encoder.inputs):
        lines += [
            "Dates are numbers of days since 1970-01-01, and clock times fractions of a day:",
            "  PostgreSQL: EXTRACT(EPOCH FROM date_column) / 86400",
            "  SQLite: julianday(date_column) - 2440587.5",
        ]
    return "".join(f"-- {line}\n" for line in lines)


# Layers.


@dataclass
class _Layer:
    """Adds the tables of a layer."""

    query: Query
    number: int
    layer: Layer

    def add(self, matrix: Sequence[Sequence[float]], a: list[str]) -> list[str]:
        """Add the sums and the steps of the activation; return the columns of its outputs."""
        sums = [_sum(row, a, self.layer.has_bias) for row in matrix]
        self.columns = {"z": [f"z{self.number}_{unit}" for unit in range(1, len(sums) + 1)]}
        self.query.add(f"bpnet_z{self.number}", dict(zip(self.columns["z"], sums, strict=True)))
        steps = definition(self.layer.activation.source)
        for index, step in enumerate(steps):
            later = set().union(*(names(each.value) for each in steps[index + 1 :]))
            self._step(step, [name for name in self.columns if name in later])
        return self.columns[RESULT]

    def _step(self, step: Step, kept: Sequence[str]) -> None:
        each = self._values(step.value)
        if step.reduction is not None:
            pieces = self.layer.activation.rows_per_unit if step.shape == "units" else len(each)
            groups = [each[start : start + pieces] for start in range(0, len(each), pieces)]
            each = [_REDUCTIONS[step.reduction](group) for group in groups]
        name = f"{step.name}{self.number}"
        self.columns[step.name] = [f"{name}_{unit}" for unit in range(1, len(each) + 1)]
        self.query.add(
            f"bpnet_{name}",
            dict(zip(self.columns[step.name], each, strict=True)),
            kept=[column for of in kept for column in self.columns[of]],
        )

    def _values(self, value: Expression) -> list[str]:
        """The expression for each row or unit; a single one if it is the same for all."""
        used = {of: self.columns[of] for of in names(value) & self.columns.keys()}
        count = max(map(len, used.values()), default=1)
        return [
            SQL.write(
                value,
                options_of(self.layer.activation)
                | {of: each[index if len(each) > 1 else 0] for of, each in used.items()},
            )
            for index in range(count)
        ]


def _extreme(function: str) -> Callable[[Sequence[str]], str]:
    """The maximum or minimum of columns, by an aggregate, which all databases call the same."""

    def written(values: Sequence[str]) -> str:
        first, *rest = values
        union = "".join(f" UNION ALL SELECT {value}" for value in rest)
        return f"(SELECT {function}(v) FROM (SELECT {first} AS v{union}) AS t)"

    return written


_REDUCTIONS: dict[str, Callable[[Sequence[str]], str]] = {
    "max": _extreme("MAX"),
    "min": _extreme("MIN"),
    "sum": " + ".join,
}


def _sum(row: Sequence[float], a: Sequence[str], has_bias: bool) -> str:
    """w1 * a1 - w2 * a2 + … + b, with a line for every fourth term."""
    terms = [f"{_signed(weight)} * {name}" for weight, name in zip(row, a, strict=False)]
    terms += [_signed(row[-1])] if has_bias else []
    lines = [" ".join(terms[start : start + 4]) for start in range(0, len(terms), 4)]
    return "\n      ".join(lines).removeprefix("+ ")


def _signed(value: float) -> str:
    return f"- {number(-value)}" if value < 0 else f"+ {number(value)}"


# The result.


def _select(model: Model, last: str, outputs: Sequence[str]) -> str:
    """The columns of the table, outputs in original units, words and the note."""
    named = zip(outputs, model.output_names, strict=True)
    parts = [f"{text} AS {sql_name(name)}" for text, name in named]
    parts += [f"{text} AS {sql_name(f'predicted {name}')}" for name, text in _words(model, outputs)]
    parts.append(f"{note(model.encoder.inputs)} AS bpnet_note")
    listed = ",\n  ".join(["bpnet_rows.*", *parts])
    return (
        f"SELECT\n  {listed}\nFROM bpnet_rows\n"
        f"JOIN bpnet_values ON bpnet_values.{ROW} = bpnet_rows.{ROW}\n"
        f"LEFT JOIN {last} ON {last}.{ROW} = bpnet_rows.{ROW}\nORDER BY bpnet_rows.{ROW}"
    )


def _outputs(model: Model, a: Sequence[str]) -> Iterator[str]:
    scale = model.preprocessor.targets
    for name, shift, factor in zip(a, scale.shift.tolist(), scale.factor.tolist(), strict=True):
        text = name if factor == 1 else f"{name} * {number(factor)}"
        yield f"{text} {_signed(shift)}" if shift else text


def _words(model: Model, outputs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The class, or the word of each label; NULL if a row is not computed."""
    for index, (name, words) in enumerate(model.answers.items()):
        literals = [sql_string(word) for word in words]
        unknown = f"{outputs[index]} IS NULL", "NULL"
        if model.class_names and len(outputs) > 1:
            branches = zip(_largest(outputs), literals, strict=False)
            yield name, case(unknown, *branches, other=literals[-1])
        else:
            yield name, case(unknown, (f"{outputs[index]} < 0.5", literals[0]), other=literals[1])


def _largest(outputs: Sequence[str]) -> Iterator[str]:
    """For each output but the last, whether no later one is larger."""
    for index, output in enumerate(outputs[:-1], start=1):
        yield " AND ".join(f"{output} >= {later}" for later in outputs[index:])
