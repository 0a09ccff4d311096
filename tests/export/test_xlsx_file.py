"""Workbooks are computed by LibreOffice, which knows nothing of bpnet; it starts once for many."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import numpy as np
import pytest
from drawn_models import drawn_models
from models import MIXED, NAMES, VARIANTS, a_model, named_model, with_half_widths
from python_calamine import CalamineWorkbook

from bpcli.data.columns import InputColumn
from bpcli.errors import ConfigError, GateFailed
from bpcli.export import xlsx_child, xlsx_file
from bpcli.export.export import FORMATS, export
from bpcli.export.model import Model
from bpcli.export.verify import Columns, _overflows, by_running, check, encoded, probes
from bpcli.export.xlsx_child import filled, predictions, recalculated
from bpcli.export.xlsx_file import first_output, xlsx_bytes
from bpcli.nn.activations import ACTIVATIONS, LeakyRelu

COUNT = 200 if os.environ.get("BPNET_FULL") else 6
DRAWN = [
    *(a_model(hidden, outputs=2) for hidden in VARIANTS),
    with_half_widths(a_model(VARIANTS[0], outputs=2, columns=MIXED), 0.1, 1 / 3),
    *drawn_models(COUNT),
]
TANH = ACTIVATIONS["tanh"]()
Rows = list[list[Any]]
WORDS = {"ill": ("no", "yes")}

needs_office = pytest.mark.skipif(
    not (shutil.which("soffice") or shutil.which("libreoffice")), reason="needs LibreOffice"
)

TYPED = {
    "age": [20.0, "20", None, 20.0, None, 20.0, 20.0],
    "married": [True, True, 1.0, "False", None, 2.0, "true"],
    "job": [" clerk ", "smith", None, 1.0, None, "smith", "CLERK"],
    "town": ["a b", "a b", "a b", "a  b", None, "a b", "c\"d'e"],
}
"""What may be typed into the columns of `typed_model`."""
NOTES = [
    "",
    "not computed: check age",
    "2 filled: age and others. ",
    "1 unknown: town.",
    "not computed: check married",
    "not computed: check married",
    "1 unknown: job.",
    "",  # an empty row
]


def typed_model() -> Model:
    return a_model(TANH, output="softmax", outputs=2, classes=("a", "b"), columns=MIXED[:4])


@pytest.fixture(scope="module")
def computed() -> dict[str, list[Rows]]:
    """The rows that LibreOffice computes: of drawn networks, and of what may be typed."""
    books: dict[str, list[bytes]] = {}
    for seed, model in enumerate(DRAWN):
        content = of_drawn(model)
        books[str(seed)] = filled(content, model, list(probes(model)))
    content = xlsx_bytes(typed_model())
    books["typed"] = [*filled(content, typed_model(), [TYPED]), with_wrong_values(content)]
    every = [book for each in books.values() for book in each]
    batches = [every[start : start + 40] for start in range(0, len(every), 40)]
    rows = iter([sheet for batch in batches for sheet in recalculated(batch)])
    return {name: [next(rows) for _ in each] for name, each in books.items()}


def with_wrong_values(content: bytes) -> bytes:
    """A workbook that says 99 for every formula until it is computed."""
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for name, text in parts(content):
            archive.writestr(name, re.sub("</f>(<v>[^<]*</v>)?", "</f><v>99</v>", text))
    return file.getvalue()


def of_drawn(model: Model) -> bytes:
    with np.errstate(over="ignore", invalid="ignore"):
        return xlsx_bytes(model)


@needs_office
@pytest.mark.parametrize("seed", range(len(DRAWN)))
def test_a_drawn_network_is_computed_as_we_do(
    seed: int, computed: dict[str, list[Rows]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = DRAWN[seed]
    monkeypatch.setattr(xlsx_child, "recalculated", lambda _: computed[str(seed)])
    with np.errstate(over="ignore", invalid="ignore"):  # far from the training rows
        FORMATS["xlsx"].verify(of_drawn(model), model)


@needs_office
def test_the_note_of_a_row_says_what_is_filled_unknown_or_of_no_use(
    computed: dict[str, list[Rows]],
) -> None:
    model, rows = typed_model(), computed["typed"][0]
    words = first_output(model) + 2
    assert [row[words + 1] for row in rows[: len(NOTES)]] == NOTES
    is_computed = [isinstance(row[words - 1], float) for row in rows[: len(NOTES)]]
    assert is_computed == [True, False, True, True, False, False, True, False]
    as_table = {"age": [20.0, None, 20.0], "married": [True, True, False],
                "job": ["clerk", None, "1"], "town": ["a b", "a b", "elsewhere"]}  # fmt: skip
    expected = model.outputs(encoded(model, as_table))
    found = [rows[index][words - 2 : words] for index in (0, 2, 3)]
    np.testing.assert_allclose(np.array(found, float), expected, rtol=1e-12)


@needs_office
def test_the_examples_have_no_difference_from_bpnet(computed: dict[str, list[Rows]]) -> None:
    rows = computed["typed"][1]
    differences = [row[-2:] for row in rows[: xlsx_file.EXAMPLES]]
    np.testing.assert_allclose(np.array(differences, float), 0, atol=1e-15)
    assert {row[-1] for row in rows[xlsx_file.EXAMPLES :]} == {""}


@needs_office
def test_a_workbook_that_computes_something_else_is_not_written(tmp_path: Path) -> None:
    model = a_model(TANH)
    other = replace(model, params=model.params * (1 + 1e-9))
    with pytest.raises(GateFailed, match=r"The Excel file gives .* where bpnet gives"):
        by_running("Excel", predictions)(xlsx_bytes(other), model)


def test_classes_are_compared_unless_digits_decide_that_libreoffice_does_not_show() -> None:
    model = a_model(TANH, output="tanh", outputs=2, classes=("a", "b"))
    X = np.ones((1, 3))
    last = model.network.matrices(model.params)[-1]
    last[:] = 0
    for difference, is_compared in ((3e-14, True), (1e-15, False)):
        last[:, -1] = [0.5 - difference, 0.5]
        outputs = model.outputs(X)
        assert model.preprocessor.in_words(outputs) == {"class": ["b"]}
        for digits in (None, 15):
            with nullcontext() if digits and not is_compared else pytest.raises(GateFailed):
                check("Excel file", model, X, outputs, {"class": ["a"]}, np.float64, digits)


def test_an_error_is_right_where_a_unit_of_ours_overflows_and_nowhere_else() -> None:
    model = a_model(ACTIVATIONS["exponential"](), output="sigmoid", words=WORDS, scaled=False)
    model = replace(model, params=model.params * 150)
    errors = np.nan

    def run(_: bytes, __: Model, tables: Sequence[Columns]) -> list[Columns]:
        found = []
        for table in tables:
            X = encoded(model, table)
            outputs, lost = model.outputs(X), _overflows(model, X)[:, 0]
            words = model.preprocessor.in_words(outputs)["ill"]
            outputs[lost] = errors
            named = dict(zip(model.output_names, outputs.T.tolist(), strict=True))
            found.append(named | {"ill": np.where(lost, "", words).tolist()})
        return found

    with np.errstate(over="ignore", invalid="ignore"):
        assert any(_overflows(model, encoded(model, table)).any() for table in probes(model))
        with pytest.raises(GateFailed, match="gives nan where bpnet gives"):
            by_running("Excel", run)(b"", model)
        by_running("Excel", run, has_infinity=False)(b"", model)
        errors = 0.25
        with pytest.raises(GateFailed, match=r"gives 0\.25 where bpnet gives"):
            by_running("Excel", run, has_infinity=False)(b"", model)


def test_without_libreoffice_it_is_written_and_said_not_to_be_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = export(a_model(TANH), "xlsx", tmp_path / "m.xlsx")
    assert found.not_verified == "no LibreOffice found"
    assert found.path.is_file()


# What is in the file.


def parts(content: bytes) -> Iterator[tuple[str, str]]:
    with ZipFile(io.BytesIO(content)) as archive:
        yield from ((name, archive.read(name).decode()) for name in archive.namelist())


def formulas(content: bytes) -> list[str]:
    return [found for _, text in parts(content) for found in re.findall("<f>(.*?)</f>", text)]


@pytest.mark.parametrize("name", [*NAMES, "=1+1", "@SUM(1)", "+cmd|' /C calc'!A0", "<f>1</f>"])
def test_no_name_is_in_a_formula(name: str) -> None:
    content = xlsx_bytes(named_model(name))
    assert formulas(content) == formulas(xlsx_bytes(named_model("harmless")))
    assert len(formulas(content)) > 1000
    for part, text in parts(content):
        ElementTree.fromstring(text)
        assert part.startswith("xl/worksheets/") or "harmless" not in text


def test_a_program_that_computes_nothing_finds_the_predictions_of_the_examples() -> None:
    model = typed_model()
    book = CalamineWorkbook.from_filelike(io.BytesIO(xlsx_bytes(model)))
    assert book.sheet_names == ["predict", "network", "parameters", "columns", "notes"]
    rows = book.get_sheet_by_name("predict").to_python(skip_empty_area=False)
    start = first_output(model)
    assert rows[5][start : start + 4] == ["P(a)", "P(b)", "class", "note"]
    for row in rows[6 : 6 + xlsx_file.EXAMPLES]:
        assert row[start : start + 3] == row[start + 5 : start + 8]
        assert row[start + 2] == "ab"[row[start + 1] >= 0.5]


def test_all_digits_of_every_parameter_are_in_the_file() -> None:
    model = a_model(LeakyRelu(0.1 + 0.2), outputs=2)
    text = "".join(text for _, text in parts(xlsx_bytes(model)))
    numbers = [*model.params, *model.preprocessor.inputs.shift, *model.preprocessor.targets.factor]
    assert all(f"<v>{number!r}</v>" in text for number in map(float, [*numbers, 0.1 + 0.2]))
    assert re.findall('<definedName name="([^"]*)"', text) == [
        "x_shift", "x_factor", "b_1", "W_1", "slope_1", "b_2", "W_2", "y_shift", "y_factor",
    ]  # fmt: skip
    assert 'fullCalcOnLoad="1"' in text


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("MOST_COLUMNS", r"needs 24 columns, and a sheet of Excel has 3: export to python, onnx"),
        ("_MOST_PARAMETERS", r"has 21 parameters, and a workbook is written for at most 3: export"),
        ("MOST_CHARACTERS", r"A name has 12 characters, and a cell of Excel at most 3: export to"),
    ],
)
def test_what_a_workbook_cannot_hold_is_refused(
    limit: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_file, limit, 3)
    with pytest.raises(ConfigError, match=message):
        xlsx_bytes(a_model(TANH))


def test_a_wide_network_has_fewer_rows_for_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    model = a_model(TANH, columns=(InputColumn("x"),))
    assert len(re.findall("<row ", dict(parts(xlsx_bytes(model)))["xl/worksheets/sheet1.xml"])) > 64
    monkeypatch.setattr(xlsx_file, "_MOST_FORMULAS", 1)
    few = re.findall("row \\d+", dict(parts(xlsx_bytes(model)))["xl/worksheets/sheet1.xml"])
    assert few == []
