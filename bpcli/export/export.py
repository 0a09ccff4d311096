"""Export a model to a file whose predictions were compared with bpnet's own.

A file whose predictions differ from bpnet's is not written. A file that cannot be run, because no
program for it is installed, is written, and the result says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bpcli.errors import ConfigError, GateFailed
from bpcli.export.c_child import c_predictions
from bpcli.export.c_file import c_text
from bpcli.export.child import NotVerified
from bpcli.export.javascript_child import javascript_predictions
from bpcli.export.javascript_file import javascript_text
from bpcli.export.javascript_page import page_text, script_of
from bpcli.export.json_file import document, json_text
from bpcli.export.latex_file import DIGITS, latex_text, verify_latex
from bpcli.export.matlab_child import matlab_predictions
from bpcli.export.matlab_file import matlab_text
from bpcli.export.model import Model
from bpcli.export.onnx_file import onnx_bytes, onnx_outputs
from bpcli.export.python_child import predictions
from bpcli.export.python_file import python_text
from bpcli.export.sql_child import predictions as run_sql
from bpcli.export.sql_file import sql_text
from bpcli.export.verify import Columns, by_running, check, encoded, probes
from bpcli.export.xlsx_child import predictions as run_xlsx
from bpcli.export.xlsx_file import xlsx_bytes
from bpcli.runs.files import write_atomically


@dataclass(frozen=True)
class Format:
    """A file format: how a file is made, and how it is verified before it is written.

    `verify` raises `GateFailed` if the file is wrong, and `NotVerified` if it cannot be run.
    """

    suffix: str
    content: Callable[[Model], bytes]
    verify: Callable[[bytes, Model], None]
    holds_intervals: bool = False
    variants: Mapping[str, Format] = field(default_factory=dict)
    """Other files of the format by name, such as `float` for numbers of single precision."""


@dataclass(frozen=True)
class Exported:
    """A file that was written."""

    path: Path
    not_verified: str | None = None
    """Why it could not be run before; None if its predictions equal bpnet's."""


def export(
    model: Model,
    to: str,
    path: Path | None,
    *,
    variant: str | None = None,
    force: bool = False,
    hint: str = "use --force",
) -> Exported:
    """Write a verified file. `hint` says how to overwrite a file.

    Raises `ConfigError` if the file exists and not `force`, if a package is missing, or if the
    format has no such variant or cannot hold the model or its intervals, `RunError` if the run is
    damaged, and `GateFailed` if the file's predictions differ from bpnet's.
    """
    format_ = _format(to, variant)
    if model.intervals is not None and not format_.holds_intervals:
        having = ", ".join(name for name, each in FORMATS.items() if each.holds_intervals)
        raise ConfigError(f"Format {to} does not support intervals; supported by {having}.")
    path = path or Path(model.module_name + format_.suffix)
    if path.exists() and not (force and path.is_file()):
        way_out = f"{hint} to overwrite it" if path.is_file() else "name another file"
        raise ConfigError(f"{path} already exists: {way_out}.")
    content = format_.content(model)
    not_verified = None
    try:
        format_.verify(content, model)
    except NotVerified as reason:
        not_verified = str(reason)
    write_atomically(path, content)
    return Exported(path, not_verified)


def variant_of(precision: str, html: bool, digits: int | None = None) -> str | None:
    """The name of a variant of a format: `float`, `html`, digits, or None for the format itself.

    Raises `ConfigError` for a precision that is none, or if two of them are asked for.
    """
    if precision not in PRECISIONS:
        raise ConfigError(f"There is no precision `{precision}`; allowed: {', '.join(PRECISIONS)}.")
    chosen = ["float"] * (precision == "float") + ["html"] * html
    chosen += [] if digits is None else [str(digits)]
    if len(chosen) > 1:
        raise ConfigError(
            "Precision float is for C, html for JavaScript, and digits for LaTeX: give one of them."
        )
    return chosen[0] if chosen else None


PRECISIONS = ("double", "float")


def _format(to: str, variant: str | None) -> Format:
    format_ = FORMATS[to]
    if variant is None:
        return format_
    if variant not in format_.variants:
        having = ", ".join(name for name, each in FORMATS.items() if variant in each.variants)
        raise ConfigError(
            f"Format {to} does not support `{variant}`; supported by {having or 'no format'}."
        )
    return format_.variants[variant]


# The formats.


def _run_python(content: bytes, _: Model, tables: Sequence[Columns]) -> list[Columns]:
    return predictions(content, tables)


def _c_float(model: Model) -> str:
    return c_text(model, "float")


def _run_page(content: bytes, model: Model, tables: Sequence[Columns]) -> list[Columns]:
    return javascript_predictions(script_of(content), model, tables)


def _verify_json(content: bytes, model: Model) -> None:
    if json.loads(content) != json.loads(json.dumps(document(model))):
        raise GateFailed("The JSON file differs from the model when read: it was not written.")


def _verify_onnx(content: bytes, model: Model) -> None:
    dtype = model.params.dtype
    for columns in probes(model):
        X = encoded(model, columns).astype(dtype).astype(np.float64)
        outputs, words = onnx_outputs(content, X, dtype)
        answers = {} if words is None else dict(zip(model.answers, words.T.tolist(), strict=True))
        check("ONNX file", model, X, outputs, answers, dtype)


def _text(make: Callable[[Model], str]) -> Callable[[Model], bytes]:
    return lambda model: make(model).encode()


def _latex(digits: int) -> Format:
    return Format(
        ".tex",
        lambda model: latex_text(model, digits).encode(),
        lambda content, model: verify_latex(content, model, digits),
    )


FORMATS: Mapping[str, Format] = {
    "onnx": Format(".onnx", onnx_bytes, _verify_onnx),
    "json": Format(".json", _text(json_text), _verify_json, holds_intervals=True),
    "python": Format(".py", _text(python_text), by_running("Python", _run_python), True),
    "c": Format(
        ".c",
        _text(c_text),
        by_running("C", c_predictions),
        holds_intervals=True,
        variants={
            "float": Format(".c", _text(_c_float), by_running("C", c_predictions, np.float32), True)
        },
    ),
    "javascript": Format(
        ".mjs",
        _text(javascript_text),
        by_running("JavaScript", javascript_predictions),
        variants={"html": Format(".html", _text(page_text), by_running("HTML", _run_page))},
    ),
    "matlab": Format(".m", _text(matlab_text), by_running("MATLAB", matlab_predictions)),
    "xlsx": Format(
        ".xlsx", xlsx_bytes, by_running("Excel", run_xlsx, has_infinity=False, digits=15), True
    ),
    "sql": Format(".sql", _text(sql_text), by_running("SQL", run_sql, has_infinity=False)),
    "latex": replace(
        _latex(DIGITS), variants={str(digits): _latex(digits) for digits in range(1, 18)}
    ),
}
