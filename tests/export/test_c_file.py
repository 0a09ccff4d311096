"""The exported C file: it compiles without a warning, and computes what bpnet does."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from drawn_models import drawn_models
from models import (
    MIXED,
    MIXED_ROWS,
    NAMES,
    VARIANTS,
    a_model,
    a_model_of_names,
    named_model,
)
from pandas import DataFrame
from strangers import CANARY

from bpcli.data.columns import InputColumn
from bpcli.data.spellings import Spelling
from bpcli.errors import ConfigError, GateFailed
from bpcli.export.c_child import c_predictions
from bpcli.export.c_file import c_text
from bpcli.export.export import FORMATS
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
TANH, EXP = ACTIVATIONS["tanh"](), ACTIVATIONS["exponential"]()
STRICT = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wshadow", "-Wconversion")
DRAWN = 200 if os.environ.get("BPNET_FULL") else 12


def compiled(text: str, tmp_path: Path, *flags: str) -> None:
    """Compile with all warnings as errors."""
    path = tmp_path / "m.c"
    path.write_text(text)
    command = ["cc", *STRICT, "-o", str(tmp_path / "m.out"), str(path), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr
    assert done.returncode == 0


def test_drawn_networks_compute_what_we_do() -> None:
    """Every activation, kind of output, column and scale; verified as before a file is written."""
    format_ = FORMATS["c"]
    with np.errstate(all="ignore"):
        for model in drawn_models(DRAWN):
            format_.verify(format_.content(model), model)


def test_a_network_that_overflows_in_float_alone_is_refused_with_the_way_out() -> None:
    """e^100 is finite in double precision; in single precision, ∞ - ∞ is NaN."""
    model = a_model(EXP, output="sigmoid", scaled=False)
    weights = np.array([[1.0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]])
    matrices = model.network.matrices(params := np.zeros(model.network.n_params))
    matrices[0][:, :3] = 100 * weights
    matrices[1][0, :2] = [1, -1]
    overflowing = replace(model, params=params)
    with pytest.raises(GateFailed, match=r"gives nan where .* Use `--precision double`\.$"):
        FORMATS["c"].variants["float"].verify(c_text(overflowing, "float").encode(), overflowing)


def test_drawn_networks_compute_the_same_in_float() -> None:
    """Those whose hidden layers do not leave the range of float far from the training rows."""
    format_ = FORMATS["c"].variants["float"]
    with np.errstate(all="ignore"):
        for model in drawn_models(DRAWN if DRAWN > 50 else 4):
            if not any(layer.activation == EXP for layer in model.network.layers[:-1]):
                format_.verify(format_.content(model), model)


@pytest.mark.parametrize("precision", ["double", "float"])
def test_it_compiles_without_a_warning_as_a_file_and_as_a_program(
    precision: str, tmp_path: Path
) -> None:
    labels = {"ill": ("no", "yes"), "old": ("0", "1")}
    for model in (
        a_model(ACTIVATIONS["softmax"](), output="softmax", outputs=2, classes=("a", "b")),
        a_model(ACTIVATIONS["maxout"](), output="sigmoid", outputs=2, words=labels, columns=MIXED),
    ):
        text = c_text(model, precision)
        compiled(text, tmp_path, "-c")
        compiled(text, tmp_path, "-DBPNET_MAIN", "-lm")


@pytest.mark.parametrize("hidden", VARIANTS, ids=str)
def test_no_memory_is_allocated_and_nothing_is_included_but_two_headers(hidden: Activation) -> None:
    library, _, program = c_text(a_model(hidden)).partition("#ifdef BPNET_MAIN")
    assert "malloc" not in library + program
    included = [line for line in library.splitlines() if line.startswith("#include")]
    assert included == ["#include <math.h>", "#include <stddef.h>"]


def test_a_program_may_call_it(tmp_path: Path) -> None:
    model = replace(a_model(TANH, columns=MIXED), name="my-model.v2")
    caller = """
#include <stdio.h>
int main(void)
{
    const my_model_v2_row row = {20.0, 1.0, "smith", " a b ", my_model_v2_days(2024, 1, 31)
        + 8.0 / 24.0 + 5.0 / 1440.0, 1.0 / 3.0, my_model_v2_days(2024, 1, 31)};
    my_model_v2_row wrong = row;
    double outputs[MY_MODEL_V2_OUTPUTS];
    const int refused = my_model_v2_predict(&row, outputs);
    wrong.married = 2.0;
    printf("%d %.17g %s\\n", refused, outputs[0], my_model_v2_output_names[0]);
    printf("%d", my_model_v2_predict(&wrong, outputs));
    wrong = row;
    wrong.town = NULL;
    printf(" %d", my_model_v2_predict(&wrong, outputs));
    return 0;
}
"""
    compiled(c_text(model) + caller, tmp_path, "-lm")
    printed = subprocess.run(
        [tmp_path / "m.out"], capture_output=True, text=True, check=True
    ).stdout
    first, second = printed.splitlines()
    refused, value, name = first.split(maxsplit=2)
    expected = model.predict(DataFrame(MIXED_ROWS))[0, 0]
    assert (refused, name, second) == ("0", "predicted t0", "2 4")
    assert float(value) == pytest.approx(expected, rel=1e-12)


def test_rows_of_any_column_are_read_by_the_program() -> None:
    model = a_model(TANH, columns=MIXED)
    rows = MIXED_ROWS | {"age": [20, None, 40.5, None]}
    (found,) = c_predictions(c_text(model).encode(), model, [rows])
    expected = model.predict(DataFrame(rows))[:, 0]
    np.testing.assert_allclose(found["predicted t0"], expected, rtol=1e-12)


SPELLED = Spelling(casefold=True, rename={"N": "no", "Straße 7": "home", "H": "home", "h": "new"})


def test_other_spellings_are_the_same_category() -> None:
    texts = ["no", " NO ", "No", "n", "HOME", "STRASSE 7", "straße   7", "Straße 7", "ÉTÉ", "été",
             "e\u0301te\u0301", "elsewhere", "nope", "h", "H", "homes"]  # fmt: skip
    column = InputColumn("x", "category", ("no", "home", "Été"), spelling=SPELLED)
    model = a_model(TANH, columns=(column,), scaled=False)
    (found,) = c_predictions(c_text(model).encode(), model, [{"x": texts}])
    expected = model.predict(DataFrame({"x": texts}))[:, 0]
    np.testing.assert_allclose(found["predicted t0"], expected, rtol=1e-12)
    assert len(set(expected.tolist())) == 4


@pytest.mark.parametrize("value", ["-", "true", "True", "TRUE", "1", "1.0", "0", "None"])
def test_a_boolean_or_a_gap_has_the_names_that_it_has_here(value: str) -> None:
    column = InputColumn("x", "category", ("false", "true"), fill="true", indicator=True)
    model = a_model(TANH, columns=(column,))
    (found,) = c_predictions(c_text(model).encode(), model, [{"x": [value]}])
    expected = model.predict(DataFrame({"x": [value]}))[:, 0]
    np.testing.assert_allclose(found["predicted t0"], expected, rtol=1e-12)


def test_months_and_weekdays_of_four_centuries() -> None:
    shape = "%Y-%m-%d %H:%M"
    column = InputColumn("x", "date", date_format=shape, calendar=("month", "weekday", "hour"))
    model = a_model(ACTIVATIONS["identity"](), columns=(column,), scaled=False)
    start = datetime(1700, 1, 1)
    texts = [(start + timedelta(days=17.3 * k)).strftime(shape) for k in range(8800)]
    (found,) = c_predictions(c_text(model).encode(), model, [{"x": texts}])
    expected = model.predict(DataFrame({"x": texts}))[:, 0]
    np.testing.assert_allclose(found["predicted t0"], expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("1\t2", "row 2: expected 3 values, separated by tabs"),
        ("1\t2\t3\t4", "row 2: expected 3 values, separated by tabs"),
        ("1\ta\t3", "row 2: expected 3 values, separated by tabs"),
        ("1\t\t3", "row 2, column 2: the value is missing or wrong"),
        ("1\t2\tinf", "row 2, column 3: the value is missing or wrong"),
        ("1\t2\t" + "3" * 70_000, "row 2: expected 3 values, separated by tabs"),
    ],
)
def test_a_row_that_the_program_cannot_use_is_said(
    line: str, complaint: str, tmp_path: Path
) -> None:
    compiled(c_text(a_model(TANH)), tmp_path, "-DBPNET_MAIN", "-lm")
    done = subprocess.run(
        [tmp_path / "m.out"],
        input=f"1\t2\t3\n{line}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == complaint
    assert len(done.stdout.splitlines()) == 1


# A stranger's run.


def test_names_are_literals_and_harmless_in_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = tuple(name for name in NAMES if "\0" not in name)
    model = a_model_of_names((*names, "??/", "*/", "%s", "/*", "a" + chr(92)))
    text = c_text(model)
    compiled(text, tmp_path, "-c")
    table = {column.name: [column.categories[0], None, "c"] for column in model.encoder.inputs}
    (found,) = c_predictions(text.encode(), model, [table])
    outputs = model.predict(DataFrame(table))
    np.testing.assert_allclose([found[name] for name in model.output_names], outputs.T, rtol=1e-12)
    assert found["class"] == model.preprocessor.in_words(outputs)["class"]
    assert not Path(CANARY).exists()


def test_a_name_that_c_cannot_hold_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"C cannot represent the name .* NUL"):
        c_text(named_model("\0"))


def test_a_number_too_large_for_float_is_refused() -> None:
    model = a_model(TANH)
    large = replace(model, params=model.params * 1e39)
    with pytest.raises(
        ConfigError, match=r"is too large for single precision: use `--precision double`\."
    ):
        c_text(large, "float")


def test_fields_have_names_of_their_own() -> None:
    names = ("int", "Sepal length (cm)", "sepal-length cm", "中文", "2x", "NAN", "unix", "x")
    text = c_text(a_model(TANH, columns=tuple(map(InputColumn, names))))
    row = text.partition("typedef struct {")[2].partition("}")[0]
    fields = [line.split(";")[0].split()[-1] for line in row.strip().splitlines()]
    assert fields == ["int_", "sepal_length_cm", "sepal_length_cm_3_", "column_4", "column_2x",
                      "nan", "unix_", "x"]  # fmt: skip
