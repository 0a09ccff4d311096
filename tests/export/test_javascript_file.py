"""The exported module of JavaScript, and the page that computes with it."""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import chromium, opened
from drawn_models import drawn_models
from models import MIXED, MIXED_ROWS, NAMES, VARIANTS, a_model, a_model_of_names
from pandas import DataFrame
from strangers import CANARY

from bpcli.data.columns import InputColumn
from bpcli.data.date_formats import FORMATS as DATE_FORMATS
from bpcli.data.spellings import Spelling
from bpcli.errors import GateFailed
from bpcli.export.export import FORMATS
from bpcli.export.javascript_child import javascript_predictions
from bpcli.export.javascript_file import javascript_text
from bpcli.export.javascript_page import page_text, script_of
from bpcli.export.model import Model
from bpcli.nn.activations import ACTIVATIONS

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node")
TANH = ACTIVATIONS["tanh"]()
DRAWN = 200 if os.environ.get("BPNET_FULL") else 12


def outputs_of(model: Model, table: dict[str, list[Any]]) -> list[float]:
    """The first output of each row of a table, by the module."""
    (found,) = javascript_predictions(javascript_text(model).encode(), model, [table])
    first: list[float] = found[model.output_names[0]]
    return first


def test_drawn_networks_compute_what_we_do() -> None:
    """Every activation, kind of output, column and scale; verified as before a file is written."""
    format_ = FORMATS["javascript"]
    with np.errstate(all="ignore"):
        for model in drawn_models(DRAWN):
            format_.verify(format_.content(model), model)


def test_a_page_has_the_same_module() -> None:
    model = a_model(TANH, output="softmax", outputs=2, classes=("a", "b"), columns=MIXED)
    page = page_text(model).encode()
    assert javascript_text(model).encode() in script_of(page)
    FORMATS["javascript"].variants["html"].verify(page, model)


def test_rows_of_any_column_are_encoded_as_we_do() -> None:
    model = a_model(TANH, columns=MIXED)
    rows = MIXED_ROWS | {"age": [20, None, "40.5", ""], "job": ["smith", None, " clerk", 1.0]}
    expected = model.predict(DataFrame(MIXED_ROWS))[:, 0]
    np.testing.assert_allclose(outputs_of(model, rows), expected, rtol=1e-12)


SPELLED = Spelling(casefold=True, rename={"N": "no", "Straße 7": "home", "H": "home", "h": "new"})
TEXTS = ["H", "h", "no", " NO ", "No", "n", "HOME", "STRASSE 7", "straße   7", "ÉtÉ",
         "e\u0301te\u0301", "Ｎｏ", "elsewhere", "ΟΔΟΣ", "οδος", "Οδοσ", "I", "ı", "İ", "ﬁ",
         "FI", "ꭰ", "Ꭰ"]  # fmt: skip


def test_other_spellings_are_the_same_category() -> None:
    categories = ("no", "home", "Été", "οδός", "Οδος", "fi", "i", "Ꭰ")
    column = InputColumn("x", "category", categories, spelling=SPELLED)
    model = a_model(TANH, columns=(column,), scaled=False)
    expected = model.predict(DataFrame({"x": TEXTS}))[:, 0]
    np.testing.assert_allclose(outputs_of(model, {"x": TEXTS}), expected, rtol=1e-12)
    assert len(set(expected.tolist())) > 6


FORMS = ["-", "true", "True", "TRUE", "1", "1.0", "0", "None", "1e0", "0x1", 1, 0, 1.5, True,
         False, "constructor", "__proto__"]  # fmt: skip


@pytest.mark.parametrize("categories", [("false", "true"), ("0", "1"), ("a", "1.5"), ("-", "a")])
def test_a_value_has_the_names_that_it_has_here(categories: tuple[str, str]) -> None:
    column = InputColumn("x", "category", categories, fill=categories[0], indicator=True)
    model = a_model(TANH, columns=(column,), scaled=False)
    expected = [model.predict(DataFrame({"x": [form]}))[0, 0] for form in FORMS]
    np.testing.assert_allclose(outputs_of(model, {"x": FORMS}), expected, rtol=1e-12)


def test_dates_of_every_format_are_read() -> None:
    stamps = [datetime(1970, 1, 1) + timedelta(days=877.3 * k, microseconds=k) for k in range(40)]
    columns = tuple(
        InputColumn(f"x{k}", "date", date_format=shape, calendar=("month", "hour"))
        for k, shape in enumerate(DATE_FORMATS)
    )
    model = a_model(ACTIVATIONS["identity"](), columns=columns, scaled=False)
    table = {
        column.name: [
            (stamp.strftime(str(shape).replace("%z", "")) + "+05:30" * ("%z" in str(shape)))
            for stamp in stamps
        ]
        for column, shape in zip(columns, DATE_FORMATS, strict=True)
    }
    expected = model.predict(DataFrame(table))[:, 0]
    np.testing.assert_allclose(outputs_of(model, table), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("town", None, "column `town`: the value is missing"),
        ("married", "yes", "column `married`: `yes` is neither true nor false"),
        ("married", "constructor", "is neither true nor false"),
        ("age", "inf", "column `age`: `inf` is not a finite number"),
        ("age", "1,5", "column `age`: `1,5` is not a finite number"),
        ("seen", "31.02.24 08:05", "column `seen`: .* is not a date like %d.%m.%y %H:%M"),
    ],
)
def test_a_value_that_does_not_fit_is_said_with_its_column(
    column: str, value: Any, complaint: str
) -> None:
    model = a_model(TANH, columns=MIXED)
    with pytest.raises(GateFailed, match=f"JavaScript file failed .*{complaint}"):
        outputs_of(model, MIXED_ROWS | {"age": [1] * 4, column: [value] * 4})


@pytest.mark.parametrize("hidden", VARIANTS, ids=str)
def test_it_imports_nothing_and_has_only_what_it_uses(hidden: Any) -> None:
    text = javascript_text(a_model(hidden))
    assert "import " not in text
    assert "function category" not in text
    assert "Date(" not in text


# A stranger's run.

HOSTILE = (*NAMES, "__proto__", "</script><script>alert(1)</script>", "<!--", "`${1}`", "\u2028")


def test_names_are_literals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = a_model_of_names(HOSTILE)
    text = javascript_text(model)
    assert text.replace("\n", "").isprintable()
    table = {column.name: [column.categories[0], None, "c"] for column in model.encoder.inputs}
    (found,) = javascript_predictions(text.encode(), model, [table])
    outputs = model.predict(DataFrame(table))
    np.testing.assert_allclose([found[name] for name in model.output_names], outputs.T, rtol=1e-12)
    assert found["class"] == model.preprocessor.in_words(outputs)["class"]
    assert not Path(CANARY).exists()


# The page in a browser.


def test_the_page_predicts_live_and_loads_nothing(tmp_path: Path) -> None:
    columns = (InputColumn("</script><b>x", fill=2.5), *MIXED[1:])
    kind = ACTIVATIONS["identity"]()
    model = a_model(kind, output="softmax", outputs=2, classes=("a", "</script>"), columns=columns)
    file = tmp_path / "m.html"
    file.write_text(page_text(model))
    with chromium() as browser:
        with opened(browser, file, scheme="dark") as found:
            assert found.violations() == []
        with opened(browser, file, width=400) as found:
            assert found.said == []
            assert found.requests() == []
            assert found.violations() == []
            page = found.page
            before = page.inner_text("td")
            page.fill("#input-0", "27.75")
            assert page.inner_text("td") != before
            assert page.input_value("input[type=range]") == "27.8"  # its nearest step
            page.fill("#input-0", "")
            assert float(page.inner_text("td")) == pytest.approx(page_value(page), rel=1e-5)
            page.select_option("#input-3", label="(another one)")
            page.fill("#input-4", "")
            assert page.inner_text("[role=alert]") == ""  # it has a fill
            page.fill("#input-5", "")
            assert page.inner_text("[role=alert]") == "column `clock`: the value is missing"
            assert page.title() == "a-model"
            assert page.evaluate("document.documentElement.scrollWidth") <= 400


def page_value(page: Any) -> float:
    """The first output where the first input is said to be unknown."""
    page.check("input[type=checkbox] >> nth=0")
    value = float(page.inner_text("td"))
    page.uncheck("input[type=checkbox] >> nth=0")
    return value
