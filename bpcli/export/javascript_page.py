"""A page of HTML that computes with the module of a model: a control for each input, live outputs.

It loads nothing. The elements are made by its script, in which texts of the run are literals.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from bpcli.data.columns import InputColumn
from bpcli.data.date_formats import is_clock
from bpcli.errors import GateFailed
from bpcli.export.javascript_file import javascript_text
from bpcli.export.literals import js_string, number
from bpcli.export.model import Model
from bpcli.export.parts import filled

_ASSETS = Path(__file__).parent / "assets"
_SCRIPT = re.compile(r'<script type="module">(.*?)</script>', re.DOTALL)


def page_text(model: Model) -> str:
    """The text of the page."""
    style = _asset("calculator.css")
    script = "\n".join(["", javascript_text(model), *_facts(model), _asset("calculator.mjs")])
    values = {
        "style": style,
        "script": script,
        "style_hash": _digest(style),
        "script_hash": _digest(script),
    }
    return filled(_asset("calculator.html"), values)


def script_of(page: bytes) -> bytes:
    """The script of a page, which is a module. Raises `GateFailed` if there is none."""
    script = _SCRIPT.search(page.decode())
    if script is None:
        raise GateFailed("The page has no script: it was not written.")
    return script[1].encode()


def _asset(name: str) -> str:
    return _ASSETS.joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _facts(model: Model) -> Iterator[str]:
    """What only the page needs: the range of each input, and how outputs are shown."""
    starts = (start for _, start in model.encoder.starts)
    lines = (
        f"    {_range(model, column, start)},\n"
        for column, start in zip(model.encoder.inputs, starts, strict=True)
    )
    yield f"const ranges = [\n{''.join(lines)}];"
    shares = model.preprocessor.categories and model.network.layers[-1].activation
    are_shares = bool(shares and shares.gives_probabilities)
    yield f"const areShares = {'true' if are_shares else 'false'};"
    yield f"const about = {js_string(f'A network of {model.network.summary}, trained by bpnet.')};"


def _range(model: Model, column: InputColumn, start: int) -> str:
    """The middle and the spread of a column in the training rows, as its scale knows them."""
    scale = model.preprocessor.inputs
    middle, spread = float(scale.shift[start]), abs(float(scale.factor[start]))
    clock = (
        column.kind == "date" and column.date_format is not None and is_clock(column.date_format)
    )
    return (
        f"{{ middle: {number(middle)}, spread: {number(spread)}, "
        f"isClock: {'true' if clock else 'false'} }}"
    )
