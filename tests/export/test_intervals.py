"""Intervals in exported files: they are those of `predict --interval`, or no file is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Result
from models import MIXED, a_model, as_columns, rows_of, run_python, with_half_widths
from pandas import read_csv

from bpcli import train
from bpcli.errors import ConfigError, GateFailed, RunError
from bpcli.export.child import NotVerified
from bpcli.export.export import FORMATS, export
from bpcli.export.json_file import json_text
from bpcli.export.python_file import python_text
from bpcli.imports.json_file import json_model
from bpcli.nn.activations import ACTIVATIONS

TANH = ACTIVATIONS["tanh"]()
TWO = with_half_widths(a_model(TANH, outputs=2, columns=MIXED), 0.1, 1 / 3)
CONFIG = {
    "name": "values",
    "data": {
        "generator": "sine",
        "n_samples": 80,
        "scale": {"targets": "standard"},
        "split": {"val": 0.5},
    },
    "network": {"layers": [1, 3, 1], "activations": ["tanh", "identity"]},
    "loss": "mse",
    "training": {"epochs": 30},
}


def test_low_and_high_are_the_output_minus_and_plus_its_half_width() -> None:
    model = with_half_widths(a_model(TANH, outputs=2), 0.1, 1 / 3)
    X = rows_of(model)
    found = run_python(python_text(model))["predict"](as_columns(model, X))
    assert list(found) == [*model.output_names, *model.end_names]
    assert model.end_names == (
        "predicted t0 low", "predicted t0 high", "predicted t1 low", "predicted t1 high",
    )  # fmt: skip
    outputs = model.outputs(X)
    for output, half in enumerate((0.1, 1 / 3)):
        for end, sign in (("low", -1), ("high", 1)):
            expected = outputs[:, output] + sign * half
            np.testing.assert_allclose(found[f"predicted t{output} {end}"], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("to", "change", "variant"),
    [
        ("python", ("y - half_width", "y - half_width * (1 + 1e-11)"), None),
        ("c", ("outputs[i] + half_widths[i]", "outputs[i] + (1 + 1e-11) * half_widths[i]"), None),
        ("c", ("outputs[i] + half_widths[i]", "outputs[i] + 1.0001f * half_widths[i]"), "float"),
        ("json", ('"half_widths": [0.1', '"half_widths": [0.2'), None),
    ],
)
def test_a_file_with_other_intervals_is_not_written(
    to: str, change: tuple[str, str], variant: str | None
) -> None:
    kind = FORMATS[to] if variant is None else FORMATS[to].variants[variant]
    content = kind.content(TWO)
    assert change[0] in content.decode()
    wrong = content.decode().replace(*change).encode()
    try:
        kind.verify(content, TWO)
        with pytest.raises(GateFailed, match=r"intervals of the|differs from the model"):
            kind.verify(wrong, TWO)
    except NotVerified as reason:
        pytest.skip(str(reason))


def test_other_formats_refuse_intervals(tmp_path: Path) -> None:
    holding = {name for name, kind in FORMATS.items() if kind.holds_intervals}
    assert holding == {"python", "c", "json", "xlsx"}
    for to in FORMATS.keys() - holding:
        with pytest.raises(
            ConfigError,
            match=f"Format {to} does not support intervals; supported by json, python, c",
        ):
            export(TWO, to, tmp_path / "model")
    with pytest.raises(ConfigError, match="Format javascript does not support intervals"):
        export(TWO, "javascript", tmp_path / "model", variant="html")
    assert not list(tmp_path.iterdir())


def test_a_file_has_the_bounds_of_predict(bpnet: Callable[..., Result], tmp_path: Path) -> None:
    run = train(CONFIG, runs_dir="runs")
    rows = tmp_path / "rows.csv"
    rows.write_text("x1\n" + "\n".join(map(str, np.linspace(-4, 4, 21))))
    predicted = tmp_path / "predicted.csv"
    assert bpnet("predict", run.id, str(rows), "--interval", "0.8", "-o", str(predicted)).code == 0
    said = bpnet("export", run.id, "--to", "python", "-o", "m.py", "--interval", "0.8")
    assert said.code == 0
    assert said.err.startswith("note: an interval contains the target with a probability of at ")
    found = run_python(Path("m.py").read_text())["predict"](read_csv(rows))
    expected = read_csv(predicted)
    names = ["predicted y", "predicted y low", "predicted y high"]
    assert list(expected) == list(found) == names
    for name in names:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-12)
    width = json.loads(run.export("json", "m.json", interval=0.8).read_text())["intervals"]
    assert width["level"] == 0.8
    half = (expected[names[2]] - expected[names[1]]) / 2
    np.testing.assert_allclose(half, width["half_widths"][0], rtol=1e-12)


@pytest.mark.filterwarnings("ignore::bpcli.errors.BpnetWarning")
def test_sets_of_classes_and_names_of_ends_are_refused(tmp_path: Path) -> None:
    classes = {**CONFIG, "data": {"generator": "moons", "split": {"val": 0.5}}}
    classes["network"] = {"layers": [2, 1], "activations": ["sigmoid"]}
    classes["loss"] = "binary_cross_entropy"
    run = train(classes, runs_dir="runs")
    with pytest.raises(RunError, match=r"depends on all bits .*: leave out --interval"):
        run.export("python", tmp_path / "m.py", interval=0.8)
    table = tmp_path / "table.csv"
    table.write_text(
        "x,y,y low\n" + "".join(f"{k / 40},{k % 7 / 7},{k % 5 / 5}\n" for k in range(40))
    )
    named = {
        **CONFIG,
        "data": {"file": str(table), "targets": ["y", "y low"], "split": {"val": 0.5}},
    }
    named["network"] = {"layers": [1, 2], "activations": ["identity"]}
    run = train(named, runs_dir="runs")
    with pytest.raises(
        ConfigError, match="the same name as a limit of an interval, `predicted y low`: rename"
    ):
        run.export("json", tmp_path / "m.json", interval=0.8)


def test_intervals_of_a_json_file_are_not_imported_and_a_note_says_so() -> None:
    assert json_model(json_text(replace(TWO, intervals=None))).notes == ()
    (note,) = json_model(json_text(TWO)).notes
    assert note.startswith("its `intervals` are left out")
