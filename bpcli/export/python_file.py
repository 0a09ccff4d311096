"""A model as one readable Python file that needs only numpy.

It contains the layers as formulas, z = W a + b with samples as columns, then the parameters with
all digits, and only the functions that the model uses.

A run may come from a stranger, so its values are written only by the functions of `literals`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from textwrap import indent
from typing import TypeAlias, get_args

from bpcli.data.columns import InputColumn
from bpcli.data.types import Words
from bpcli.data.values import Kind
from bpcli.export.literals import (
    identifier,
    number,
    number_lines,
    python_string,
    python_strings,
)
from bpcli.export.model import Model
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
    if any(not column.spelling.is_plain for column in model.encoder.inputs):
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
    entries = [entry for column in model.encoder.inputs for entry in _entries(column)]
    kinds = {"missing", *(kind for _, kind, _ in entries)}
    if "boolean" in kinds:
        kinds.add("number")
    if "spelled_category" in kinds:
        kinds.add("category")
    yield from (source for kind, source in _FUNCTIONS.items() if kind in kinds)
    lines = "".join(
        f"    ({python_string(name)}, {kind}, {_dict(options)}),\n"
        for name, kind, options in entries
    )
    yield f"COLUMNS = [  # name, encoding function, options\n{lines}]"
    yield _ENCODE


Entry: TypeAlias = tuple[str, str, dict[str, str]]
"""A column's name, its encoding function, and the function's options as source text."""


def _entries(column: InputColumn) -> Iterator[Entry]:
    is_category, options = column.kind == "category", {}
    if is_category:
        options["categories"] = python_strings(column.categories)
    if column.kind == "date":
        text = column.date_format
        options["date_format"] = "None" if text is None else python_string(text)
        options["calendar"] = python_strings(column.calendar)
    if column.fill is not None:
        options["fill"] = python_string(column.fill) if is_category else number(column.fill)
    kind = identifier(column.kind, get_args(Kind))
    if is_category and not column.spelling.is_plain:
        kind = f"spelled_{kind}"
        options["casefold"] = "True" if column.spelling.casefold else "False"
        options["rename"] = _dict(
            {old: python_string(new) for old, new in column.spelling.rename.items()}
        )
    yield column.name, kind, options
    if column.indicator:
        yield column.name, "missing", {}


def _dict(options: dict[str, str]) -> str:
    entries = (f"{python_string(option)}: {value}" for option, value in options.items())
    return f"{{{', '.join(entries)}}}"


_FUNCTIONS = {
    "missing": """
def missing(values):
    \"""True for None and NaN.\"""
    return np.array([value is None or value != value for value in values], bool)
""",
    "number": """
def number(values, fill=None):
    \"""Numbers; `fill` replaces missing ones.\"""
    if fill is None and missing(values).any():
        raise ValueError("a number is missing")
    values = [fill if is_missing else value for value, is_missing in zip(values, missing(values))]
    numbers = np.array(values, float)
    if not np.isfinite(numbers).all():
        raise ValueError("a number is infinite")
    return numbers
""",
    "boolean": """
def boolean(values, fill=None):
    \"""1 for True and 0 for False, which may be given as text.\"""
    texts = {"true": 1, "1": 1, "false": 0, "0": 0}
    values = [texts.get(v.strip().lower(), 2) if isinstance(v, str) else v for v in values]
    numbers = number(values, fill)
    if not np.isin(numbers, (0, 1)).all():
        raise ValueError("a value is neither true nor false")
    return numbers
""",
    "date": """
def days_of(value, date_format):
    \"""The days from 1970 to a date, or the fraction of a day of a clock time.\"""
    text = str(value).strip()
    stamp = datetime.strptime(text, date_format) if date_format else datetime.fromisoformat(text)
    if stamp.utcoffset() is not None:
        stamp = stamp.replace(tzinfo=None) - stamp.utcoffset()
    is_clock = date_format and not {part[:1] for part in date_format.split("%")} & set("YymdbB")
    start = datetime(stamp.year, stamp.month, stamp.day) if is_clock else datetime(1970, 1, 1)
    return (stamp - start) / timedelta(days=1)


def date(values, date_format, calendar=(), fill=None):
    \"""Days since 1970, and the sine and cosine of each calendar part (month, weekday, hour).\"""
    is_missing = missing(values)
    if fill is None and is_missing.any():
        raise ValueError("a date is missing")
    days = [fill if gap else days_of(value, date_format) for value, gap in zip(values, is_missing)]
    days = np.array(days, float)
    whole = np.floor(days)
    months = whole.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    turns = {"month": months % 12 / 12, "weekday": (whole + 3) % 7 / 7, "hour": days - whole}
    angles = [2 * np.pi * turns[part] for part in calendar]
    waves = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
    return np.column_stack([days, *waves])
""",
    "category": """
def text_of(value, categories):
    \"""A value as a category, or as the shortest text of its number: 1 for 1.0.\"""
    text = str(value).lower() if isinstance(value, (bool, np.bool_)) else str(value).strip()
    if text not in categories and text.lower() in ("true", "false"):
        return next((known for known in categories if known.lower() == text.lower()), text)
    try:
        number = float("nan") if text in categories else float(text)
    except ValueError:
        return text
    if number != number:
        return text
    return repr(number) if number % 1 else f"{number:.0f}"


def category(values, categories, fill=None):
    \"""One column per category: 1 for its rows, else 0; all 0 for unknown categories.\"""
    is_missing = missing(values)
    if fill is None and is_missing.any():
        raise ValueError("a category is missing")
    texts = [fill if gap else text_of(value, categories) for value, gap in zip(values, is_missing)]
    return np.array([[text == known for known in categories] for text in texts], float)
""",
    "spelled_category": """
def folded(text):
    \"""A text without differences of case, width, accent encoding and spaces.\"""
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", text).split())


def spelled_category(values, categories, casefold, rename, fill=None):
    \"""Like `category`, after renaming; with `casefold`, in any letter case.\"""
    key = folded if casefold else str
    known = {key(name): name for name in categories}
    new_names = {key(old): new for old, new in rename.items()} | rename

    def spelled(value):
        plain = str(value).strip()
        lower = plain.lower() if plain.lower() in ("true", "false") else plain
        for text in (plain, lower, text_of(value, [])):
            text = new_names.get(text) or new_names.get(key(text), text)
            if key(text) in known:
                return known[key(text)]
        return value

    gaps = missing(values)
    values = [value if gap else spelled(value) for value, gap in zip(values, gaps)]
    return category(values, categories, fill)
""",
}
_ENCODE = '''
def values_of(rows, name):
    """A column of a list of dicts, or of a dict of columns."""
    return [row[name] for row in rows] if isinstance(rows, list) else list(rows[name])


def encode(rows):
    """The inputs of the network (n, inputs), in original units."""
    encoded = []
    for name, encoding, options in COLUMNS:
        try:
            encoded.append(encoding(values_of(rows, name), **options))
        except ValueError as error:
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
