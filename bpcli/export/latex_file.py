"""A small network as equations with its numbers, for a paper: a fragment of LaTeX with amsmath.

The equations have the notation of `bpnet trace`. Their numbers are rounded; a comment says how much
that changes the outputs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bpcli.data.columns import InputColumn
from bpcli.data.scaler import Scaler
from bpcli.errors import ConfigError, GateFailed
from bpcli.export.child import NotVerified, program, workspace
from bpcli.export.literals import text_of
from bpcli.export.model import Model
from bpcli.export.verify import encoded, probes
from bpcli.nn.arrays import Array
from bpcli.notation.layers import forward_formulas
from bpcli.notation.tex import math, prose
from bpcli.text import plural

DIGITS = 5
"""The significant digits of numbers, unless the user says otherwise."""

_MOST_ROWS, _MOST_COLUMNS = 40, 16
"""The largest matrix that a page can have."""


def latex_text(model: Model, digits: int = DIGITS) -> str:
    """The fragment. Raises `ConfigError` for a network that is too large for a page."""
    _refuse_large(model)
    parts = [_head(model, digits), *_inputs(model, digits), *_layers(model, digits)]
    return "\n\n".join([*parts, *_outputs(model, digits), *_words(model)]) + "\n"


def _refuse_large(model: Model) -> None:
    shapes = [matrix.shape for matrix in model.network.matrices(model.params)]
    rows, columns = (max(sizes) for sizes in zip(*shapes, strict=True))
    if rows > _MOST_ROWS or columns > _MOST_COLUMNS + 1:
        raise ConfigError(
            f"The largest matrix of the network has {plural(rows, 'row')} and "
            f"{plural(columns, 'column')}, and a page has room for {_MOST_ROWS} and "
            f"{_MOST_COLUMNS}: export to python, xlsx or json."
        )


# What is rounded.


def rounded(model: Model, digits: int) -> Model:
    """The model with the numbers that the fragment shows."""
    model = model.in_double()
    scales = model.preprocessor.inputs, model.preprocessor.targets
    inputs, targets = (
        Scaler(_few(scale.shift, digits), _few(scale.factor, digits)) for scale in scales
    )
    preprocessor = replace(model.preprocessor, inputs=inputs, targets=targets)
    return replace(model, params=_few(model.params, digits), preprocessor=preprocessor)


def _few(numbers: Array, digits: int) -> Array:
    return np.array([float(f"{number:.{digits}g}") for number in numbers.tolist()])


def _change(model: Model, digits: int) -> str:
    """How much the outputs change by rounding, on rows like those of the training."""
    X = encoded(model, next(probes(model)))
    exact = model.in_double().outputs(X)
    change = np.abs(rounded(model, digits).outputs(X) - exact).max()
    return f"{change:.2g} (the largest output is {np.abs(exact).max():.3g})"


# The fragment.


def _head(model: Model, digits: int) -> str:
    rounding = plural(digits, "significant digit")
    lines = [
        "A network trained by bpnet, for a document with \\usepackage{amsmath}.",
        f"Numbers are rounded to {rounding}. On random rows from the range of the training rows,",
        f"this changes an output by at most {_change(model, digits)}.",
    ]
    unknown = sum("?" in prose(name.replace("?", "")) for name in _names(model))
    if unknown:
        names = "1 name has" if unknown == 1 else f"{unknown} names have"
        lines.append(f"{names} characters that are written as ?: they need other fonts.")
    return "".join(f"% {line}\n" for line in lines).rstrip()


def _names(model: Model) -> list[str]:
    words = [word for words in model.answers.values() for word in words]
    return [*map(text_of, [*model.encoder.names, *model.output_names, *words])]


def _inputs(model: Model, digits: int) -> Iterator[str]:
    """The table of inputs, and their scaling."""
    scale = model.preprocessor.inputs
    yield from map(prose, _encoding(model.encoder.inputs))
    header, columns = ["input", ""], [[f"$x_{{{i}}}$" for i in _counted(model.encoder.names)]]
    columns.append([prose(name) for name in model.encoder.names])
    if scale.changes_nothing:
        yield _table(header, columns)
        yield _align(["a0 = x"])
        return
    numbers = [_dollars(part, digits) for part in (scale.shift, scale.factor)]
    yield _table([*header, "shift $s_i$", "factor $f_i$"], [*columns, *numbers])
    yield "\\begin{align*}\na^{(0)}_{i} &= \\frac{x_{i} - s_{i}}{f_{i}}\n\\end{align*}"


def _encoding(columns: Sequence[InputColumn]) -> Iterator[str]:
    """How values become inputs, in sentences."""
    kinds = {column.kind for column in columns}
    yield from (text for kind, text in _SENTENCES.items() if kind in kinds)
    if any(column.indicator for column in columns):
        yield "An input that is called missing is 1 where the value is missing, otherwise 0."
    for column in columns:
        if column.fill is not None:
            yield f"A missing value of {column.name} is replaced by {column.fill_text}."
        if column.calendar:
            yield (
                f"The sines and cosines of {column.name} are those of 2 pi times the fraction of "
                "the year (by month), the week (from Monday, by day) or the day."
            )


_SENTENCES = {
    "boolean": "True is 1 and false is 0.",
    "category": "An input with a sign of equality is 1 for this category, otherwise 0.",
    "date": "Dates are days since 1970-01-01, and clock times fractions of a day.",
}


def _layers(model: Model, digits: int) -> Iterator[str]:
    """The equations of each layer, and its W and b."""
    matrices = model.network.matrices(model.in_double().params)
    for index, (layer, matrix) in enumerate(zip(model.network.layers, matrices, strict=True), 1):
        yield _align(forward_formulas(layer, index))
        yield _matrix(f"W{index}", matrix[:, : layer.inputs], digits)
        if layer.has_bias:
            yield _matrix(f"b{index}", matrix[:, -1:], digits)


def _outputs(model: Model, digits: int) -> Iterator[str]:
    """The names of the outputs, and how they are scaled back."""
    scale, last = model.preprocessor.targets, len(model.network.layers)
    names = [prose(name) for name in model.output_names]
    columns = [[f"$y_{{{i}}}$" for i in _counted(names)], names]
    if scale.changes_nothing:
        yield _align([f"y = a{last}"])
        yield _table(["output", ""], columns)
        return
    unscaled = f"y_{{k}} &= f_{{k}} \\, a^{{({last})}}_{{k}} + s_{{k}}"
    yield f"\\begin{{align*}}\n{unscaled}\n\\end{{align*}}"
    numbers = [_dollars(part, digits) for part in (scale.shift, scale.factor)]
    yield _table(["output", "", "shift $s_k$", "factor $f_k$"], [*columns, *numbers])


def _words(model: Model) -> Iterator[str]:
    """Which class or label is predicted."""
    several = bool(model.class_names) and model.network.outputs > 1
    if several:
        yield "The predicted class is the one with the largest $y_k$."
        return
    for index, (name, words) in enumerate(model.answers.items(), start=1):
        zero, one = map(prose, words)
        yield f"{prose(name)}: {one} if $y_{{{index}}} \\ge \\tfrac{{1}}{{2}}$, otherwise {zero}."


# Pieces of LaTeX.


def _counted(items: Sequence[object]) -> range:
    return range(1, len(items) + 1)


def _align(formulas: Sequence[str]) -> str:
    lines = [" &= ".join(map(math, formula.split(" = ", 1))) for formula in formulas]
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"


def _dollars(numbers: Array, digits: int) -> list[str]:
    return [f"${_number(number, digits)}$" for number in numbers.tolist()]


def _number(number: float, digits: int) -> str:
    return math(f"{number:.{digits}g}")


def _table(header: Sequence[str], columns: Sequence[Sequence[str]]) -> str:
    lines = [" & ".join(row) for row in [header, *zip(*columns, strict=True)]]
    first, *rest = lines
    layout = "ll" + "r" * (len(columns) - 2)
    body = " \\\\\n".join(rest)
    return f"\\begin{{tabular}}{{{layout}}}\n{first} \\\\ \\hline\n{body}\n\\end{{tabular}}"


def _matrix(name: str, matrix: Array, digits: int) -> str:
    """A matrix whose columns are aligned at the right; amsmath's own have at most ten."""
    rows = [" & ".join(_number(number, digits) for number in row) for row in matrix.tolist()]
    body = " \\\\\n".join(rows)
    layout = "r" * matrix.shape[1]
    return (
        f"\\[\n{math(name)} = \\left(\\begin{{array}}{{{layout}}}\n{body}\n"
        "\\end{array}\\right)\n\\]"
    )


# Verifying.


def verify_latex(content: bytes, model: Model, digits: int = DIGITS) -> None:
    """Read the numbers back, and compile the fragment.

    Raises `GateFailed` if a number differs or TeX finds an error, and `NotVerified` without TeX.
    """
    text = content.decode()
    if _read_back(text) != [array.tolist() for array in _shown(rounded(model, digits))]:
        raise GateFailed("The numbers of the LaTeX file differ when read back: it was not written.")
    try:
        engine = program("TeX engine", *_ENGINES)
    except NotVerified:
        raise NotVerified(
            "no TeX engine was found to compile it; its numbers were read back and are correct"
        ) from None
    head = "\\documentclass{article}\\usepackage{amsmath}\\begin{document}"
    page = f"{head}\n{text}\\end{{document}}"
    options = [] if Path(engine).stem == "tectonic" else _OPTIONS
    with workspace("LaTeX", {"page.tex": page.encode()}) as child:
        child.run([engine, *options, "page.tex"])


_ENGINES = ("pdflatex", "lualatex", "xelatex", "tectonic")
_OPTIONS = ("-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape")


def _shown(model: Model) -> list[Array]:
    """The matrices and the columns of tables, in the order of the fragment."""
    inputs, targets = model.preprocessor.inputs, model.preprocessor.targets
    arrays = [] if inputs.changes_nothing else [np.column_stack([inputs.shift, inputs.factor])]
    for layer, matrix in zip(
        model.network.layers, model.network.matrices(model.params), strict=True
    ):
        arrays.append(matrix[:, : layer.inputs])
        arrays += [matrix[:, -1:]] if layer.has_bias else []
    if not targets.changes_nothing:
        arrays.append(np.column_stack([targets.shift, targets.factor]))
    return arrays


def _read_back(text: str) -> list[list[list[float]]]:
    """The numbers of all matrices and tables in a fragment."""
    arrays = []
    for environment, body in re.findall(_BLOCK, text, re.DOTALL):
        dollar = "$" * (environment == "array")  # a matrix is in math mode as a whole
        rows = [row.split(" & ") for row in re.split(r" \\\\(?: \\hline)?\n", body)]
        values = [[_value(f"{dollar}{cell}{dollar}") for cell in row] for row in rows]
        numbers = [[value for value in row if value is not None] for row in values]
        arrays.append([row for row in numbers if row])
    return [array for array in arrays if array]


_BLOCK = r"\\begin\{(array|tabular)\}\{[lr]+\}\n(.*?)\n\\end\{\1\}"
_NUMBER = re.compile(r"\$(-?\d+(?:\.\d+)?)(?: \\cdot 10\^\{(-?\d+)\})?\$")


def _value(cell: str) -> float | None:
    """The number of a cell; None for a name, which has no dollar signs."""
    match = _NUMBER.fullmatch(cell)
    return None if match is None else float(f"{match[1]}e{match[2] or 0}")
