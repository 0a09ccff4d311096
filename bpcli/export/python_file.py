"""A model as one readable Python file that needs only numpy.

It contains the layers as formulas, z = W a + b with samples as columns, then the parameters with
all digits, and only the functions that the model uses.

A run may come from a stranger, so its values are written only by the functions of `literals`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from textwrap import indent
from typing import get_args

from bpcli.data.columns import InputColumn
from bpcli.data.types import Words
from bpcli.data.values import AMBIGUOUS, Kind
from bpcli.export.known_texts import fill_index, known_texts
from bpcli.export.literals import (
    identifier,
    number,
    number_lines,
    python_string,
    python_strings,
)
from bpcli.export.model import Model
from bpcli.export.parts import filled
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array
from bpcli.nn.network import Layer
from bpcli.registry import as_mapping, name_of


def python_text(model: Model) -> str:
    """The source text of the file."""
    definitions = [_names(model), *_encoding(model), *_activations(model), _network(model)]
    numbers = "\n".join([*_scales(model), *_parameters(model), *_half_widths(model)])
    sections = [_head(model), *definitions, _predict(model), numbers]
    return "\n\n\n".join(section.strip("\n") for section in sections) + "\n"


# Names and columns.


def _head(model: Model) -> str:
    layers = " - ".join([number(model.network.inputs), *map(_layer_name, model.network.layers)])
    trained = "" if model.params.dtype == "float64" else " It was trained in float32."
    has_dates = any(column.kind == "date" for column in model.encoder.inputs)
    modules = ["from datetime import datetime, timedelta\n"] * has_dates
    if any(column.spelling.casefold for column in model.encoder.inputs):
        modules.append("import unicodedata\n")
    standard = "".join(modules) + "\n" * bool(modules)
    return f'''"""A network of {layers}, trained by bpnet.

`predict` takes a list of dicts, one per row, or a dict of columns, and returns a dict of columns.
It needs only numpy and computes in float64.{trained}
"""

{standard}import numpy as np'''


def _layer_name(layer: Layer) -> str:
    return f"{number(layer.units)} {name_of(ACTIVATIONS, layer.activation)}"


def _names(model: Model) -> str:
    names = [
        f"NAME = {python_string(model.name)}",
        _assignment("OUTPUTS", model.output_names),
        *([_assignment("CLASSES", model.class_names)] if model.class_names else []),
        *([_labels(model.preprocessor.words)] if model.preprocessor.words else []),
    ]
    return "\n".join(names)


def _assignment(name: str, values: tuple[str, ...]) -> str:
    return f"{name} = [\n" + "".join(f"    {python_string(value)},\n" for value in values) + "]"


def _labels(words: Mapping[str, Words]) -> str:
    lines = (
        f"    {python_string(name)}: {python_strings(pair)},\n" for name, pair in words.items()
    )
    return f"LABELS = {{  # for each label, the texts for 0 and for 1\n{''.join(lines)}}}"


def _encoding(model: Model) -> Iterator[str]:
    """The functions that encode columns as numbers, and the list of columns."""
    columns = model.encoder.inputs
    used = {"missing", *(identifier(column.kind, get_args(Kind)) for column in columns)}
    used |= {"forms"} if used & {"boolean", "category"} else set()
    used |= {"gaps"} if used & {"date", "category"} else set()
    used |= {"waves"} if any(column.calendar for column in columns) else set()
    folds = any(column.spelling.casefold for column in columns)
    used |= {"folded"} if folds else set()
    look = "known[form] if form in known else folds.get(folded(form))"
    values = {
        "folds": ", folds" if folds else "",
        "index": look if folds else "known.get(form)",
        "waves": ", *waves(x, calendar)" if "waves" in used else "",
    }
    yield from (filled(source, values) for name, source in _FUNCTIONS.items() if name in used)
    lines = "".join(f"    ({', '.join(_entry(column, folds))}),\n" for column in columns)
    yield f"COLUMNS = [  # name, how to read it, options of this, how it becomes inputs\n{lines}]"
    yield filled(_ENCODE, values)


def _entry(column: InputColumn, folds: bool) -> Iterator[str]:
    """A column's name, its function and the function's options, and those of its inputs."""
    yield python_string(column.name)
    yield identifier(column.kind, get_args(Kind))
    options, becomes = {}, {}
    if column.kind == "date":
        text = column.date_format
        options["date_format"] = "None" if text is None else python_string(text)
    if column.kind == "category":
        known = known_texts(column)
        options["known"] = _dict(_indices(known.exact))
        if folds:
            options["folds"] = _dict(_indices(known.folded))
        becomes["width"] = number(len(column.categories))
    if column.fill is not None:
        fill = fill_index(column) if column.kind == "category" else column.fill
        becomes["fill"] = number(fill)
    if column.calendar:
        becomes["calendar"] = python_strings(column.calendar)
    if column.indicator:
        becomes["indicator"] = "True"
    yield from (_dict(options), _dict(becomes))


def _indices(known: Mapping[str, int | None]) -> dict[str, str]:
    return {text: "None" if index is None else number(index) for text, index in known.items()}


def _dict(options: Mapping[str, str]) -> str:
    entries = (f"{python_string(option)}: {value}" for option, value in options.items())
    return f"{{{', '.join(entries)}}}"


_FUNCTIONS = {
    "gaps": f"""
GAPS = {python_strings(AMBIGUOUS)}  # texts of missing values, if they are no category
""",
    "missing": """
def missing(values):
    \"""True for None, NaN and pandas' NA.\"""
    return np.array([v is None or type(v).__name__ == "NAType" or v != v for v in values], bool)
""",
    "forms": """
def forms_of(value):
    \"""The texts that may name a value: its own, in lower case, and its number's (1 for 1.0).\"""
    try:
        number = float("nan" if isinstance(value, str) and "_" in value else value)
    except (TypeError, ValueError):
        number = float("nan")
    of_number = repr(number) if number % 1 else f"{number:.0f}"
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, (bool, np.bool_)):
        text = str(value).lower()
    else:
        is_exact = isinstance(value, (int, np.integer)) or number != number
        text = str(value) if is_exact else of_number
    truth = [text.lower()] if text.lower() in ("true", "false") else []
    return [text, *truth, *([of_number] if abs(number) < 2**53 else [])]
""",
    "number": """
def number(values):
    \"""Numbers, NaN for missing ones.\"""
    gaps = missing(values)
    if any(isinstance(v, str) and ("_" in v or not v.isascii()) for v in values):
        raise ValueError("a text is not a number")  # only Python reads 1_000
    numbers = np.array([np.nan if gap else float(v) for v, gap in zip(values, gaps)])
    if not np.isfinite(numbers[~gaps]).all():
        raise ValueError("a number is infinite")
    return numbers
""",
    "boolean": """
def boolean(values):
    \"""1 for true and 0 for false, which may be given as text; NaN for missing ones.\"""
    texts = {"true": 1, "1": 1, "false": 0, "0": 0}
    found = [next((texts[form] for form in forms_of(v) if form in texts), 2) for v in values]
    numbers = np.where(missing(values), np.nan, found)
    if (numbers == 2).any():
        raise ValueError("a value is neither true nor false")
    return numbers
""",
    "date": """
def is_clock(date_format):
    \"""Whether a format has a time of day, but no date.\"""
    parts = {part[:1] for part in (date_format or "%Y").split("%")}
    return not parts & set("YymdbB")


def days_of(value, date_format):
    \"""The days from 1970 to a date, or the fraction of a day of a clock time.\"""
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    text = str(value).strip()
    is_iso = not date_format or isinstance(value, datetime)
    stamp = datetime.fromisoformat(text) if is_iso else datetime.strptime(text, date_format)
    if stamp.utcoffset() is not None:
        stamp = stamp.replace(tzinfo=None) - stamp.utcoffset()
    is_time = is_clock(date_format)
    start = datetime(stamp.year, stamp.month, stamp.day) if is_time else datetime(1970, 1, 1)
    return (stamp - start) / timedelta(days=1)


def date(values, date_format):
    \"""Days since 1970, NaN for missing dates. All may be ISO dates instead of the format.\"""
    gaps = [gap or str(v).strip() in GAPS for v, gap in zip(values, missing(values))]

    def read(given):
        return np.array([np.nan if g else days_of(v, given) for v, g in zip(values, gaps)], float)

    try:
        return read(date_format)
    except ValueError:
        if is_clock(date_format) or (date_format or "%Y").startswith("%Y"):
            raise
        return read(None)
""",
    "waves": """
def waves(days, calendar):
    \"""The sine and cosine of each calendar part (month, weekday, hour).\"""
    whole = np.floor(days)
    months = whole.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    turns = {"month": months % 12 / 12, "weekday": (whole + 3) % 7 / 7, "hour": days - whole}
    angles = [2 * np.pi * turns[part] for part in calendar]
    return [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
""",
    "folded": """
def folded(text):
    \"""A text without differences of case, width, accent encoding and spaces.\"""
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", text).split())
""",
    "category": """
def category(values, known@folds@):
    \"""The number of each value's category, NaN if it is missing, and -1 if it is unknown.\"""

    def index_of(value):
        found = (@index@ for form in forms_of(value))
        other = np.nan if value in GAPS else -1
        return next((index for index in found if index is not None), other)

    gaps = missing(values)
    return np.array([np.nan if gap else index_of(v) for v, gap in zip(values, gaps)], float)
""",
}
_ENCODE = '''
def values_of(rows, name):
    """A column of a list of dicts, or of a dict of columns."""
    return [row[name] for row in rows] if isinstance(rows, list) else list(rows[name])


def inputs_of(x, fill=None, width=None, calendar=(), indicator=False):
    """The inputs of a column: `width` categories are 1 or 0 each; `fill` replaces NaN."""
    is_missing = np.isnan(x)
    if fill is None and is_missing.any():
        raise ValueError("a value is missing")
    x = np.where(is_missing, np.nan if fill is None else fill, x)
    own = [x] if width is None else [x == category for category in range(width)]
    return np.column_stack([*own@waves@, *([is_missing] if indicator else [])])


def encode(rows):
    """The inputs of the network (n, inputs), in original units."""
    encoded = []
    for name, read, options, becomes in COLUMNS:
        try:
            encoded.append(inputs_of(read(values_of(rows, name), **options), **becomes))
        except (TypeError, ValueError) as error:
            raise ValueError(f"column {name!r}: {error}") from None
    return np.column_stack(encoded)
'''


# Numbers.


def _scales(model: Model) -> Iterator[str]:
    inputs, outputs = model.preprocessor.inputs, model.preprocessor.targets
    if not inputs.changes_nothing:
        yield f"INPUT_SHIFT = {_literal(inputs.shift)}\nINPUT_FACTOR = {_literal(inputs.factor)}"
    if not outputs.changes_nothing:
        yield (
            f"OUTPUT_SHIFT = {_literal(outputs.shift)}\nOUTPUT_FACTOR = {_literal(outputs.factor)}"
        )


def _parameters(model: Model) -> Iterator[str]:
    for name, tensor in model.network.tensors(model.params):
        as_column = "[:, np.newaxis]" if tensor.ndim == 1 else ""
        yield f"{name} = {_literal(tensor)}{as_column}"


def _half_widths(model: Model) -> Iterator[str]:
    if model.intervals is not None:
        yield f"HALF_WIDTHS = {_literal(model.intervals.method.half)}"


def _literal(array: Array) -> str:
    """An array as source text, each number with all its digits."""
    if array.ndim == 1:
        return f"np.array([\n{_lines(array, '    ')}])"
    rows = "".join(f"    [\n{_lines(row, '        ')}    ],\n" for row in array)
    return f"np.array([\n{rows}])"


def _lines(vector: Array, indent: str) -> str:
    return number_lines(map(number, vector.tolist()), indent)


# Formulas.


def _activations(model: Model) -> Iterator[str]:
    used = {type(layer.activation) for layer in model.network.layers}
    yield from (_function(name, entry) for name, entry in ACTIVATIONS.items() if entry in used)


def _function(name: str, activation: type[Activation]) -> str:
    parameters = ", ".join(["z", *(field.name for field in fields(activation))])
    return f"def {name}({parameters}):\n{indent(activation.source, '    ')}"


def _network(model: Model) -> str:
    lines = []
    for k, layer in enumerate(model.network.layers, start=1):
        bias = f" + b{k}" if layer.has_bias else ""
        z = f"W{k} @ a{k - 1}{bias}"
        lines.append(f"    a{k} = {_call(layer.activation, z)}\n")
    return f'''
def network(X):
    """The outputs (n, outputs) of the network for its inputs (n, inputs)."""
    a0 = X.T
{"".join(lines)}    return a{len(lines)}.T
'''


def _call(activation: Activation, z: str) -> str:
    options = as_mapping(ACTIVATIONS, activation)
    name = options.pop("name")
    arguments = "".join(f", {option}={number(value)}" for option, value in options.items())
    return f"{name}({z}{arguments})"


def _predict(model: Model) -> str:
    inputs, outputs = model.preprocessor.inputs, model.preprocessor.targets
    scaled = "" if inputs.changes_nothing else "    X = (X - INPUT_SHIFT) / INPUT_FACTOR\n"
    unscaled = "" if outputs.changes_nothing else "    Y = Y * OUTPUT_FACTOR + OUTPUT_SHIFT\n"
    return f'''
def predict(rows):
    """{_what_is_predicted(model)}"""
    X = encode(rows)
{scaled}    Y = network(X)
{unscaled}    predicted = dict(zip(OUTPUTS, Y.T))
{_class_line(model)}{_interval_lines(model)}    return predicted
'''


def _what_is_predicted(model: Model) -> str:
    if model.class_names:
        return "The outputs and the predicted `class` of each row."
    if model.preprocessor.words:
        return "The outputs and the predicted text of each label, for each row."
    if model.intervals is None:
        return "The predicted values of each row, in original units."
    level = number(model.intervals.level)
    return f"""The predicted values of each row, in original units, and their intervals.

    An interval contains its target with a probability of at least {level}, for rows from
    the same source as those on which it was calibrated.
    """


def _interval_lines(model: Model) -> str:
    if model.intervals is None:
        return ""
    return """    for name, y, half_width in zip(OUTPUTS, Y.T, HALF_WIDTHS):
        predicted[f"{name} low"], predicted[f"{name} high"] = y - half_width, y + half_width
"""


def _class_line(model: Model) -> str:
    if model.preprocessor.words:
        return """    for (name, words), y in zip(LABELS.items(), Y.T):
        predicted[name] = np.array(words, object)[(y >= 0.5).astype(int)]
"""
    if not model.class_names:
        return ""
    label = "Y.argmax(axis=1)" if model.network.outputs > 1 else "(Y[:, 0] >= 0.5).astype(int)"
    return f'    predicted["class"] = np.array(CLASSES, object)[{label}]\n'
