"""`bpnet import` and `bpnet weights`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Result
from models import NAMES, named_model
from scipy.io import savemat

from bpcli.export.json_file import json_text
from bpcli.runs.files import file_digest

DATA = Path(__file__).parents[1] / "imports" / "data"
GOLDEN = json.loads((DATA / "octave.json").read_text())
Bpnet = Callable[..., Result]


def table_of(name: str, path: Path, *, inputs: bool = True, outputs: bool = True) -> Path:
    """A table with the inputs and the outputs that Octave computed."""
    X, Y = np.array(GOLDEN[name]["X"]), np.array(GOLDEN[name]["Y"])
    columns, names = [], []
    if inputs:
        columns += [*X.T]
        names += [f"x{k + 1}" for k in range(X.shape[1])]
    if outputs:
        columns += [*Y.T]
        names += ["y"] if Y.shape[1] == 1 else [f"y{k + 1}" for k in range(Y.shape[1])]
    lines = [",".join(names), *(",".join(map(repr, row)) for row in np.array(columns).T.tolist())]
    path.write_text("\n".join(lines) + "\n")
    return path


def predicted(bpnet: Bpnet, run: str, table: Path) -> np.ndarray:
    result = bpnet("predict", run, table, "-o", "out.csv")
    assert result.code == 0, result.err
    return np.loadtxt("out.csv", delimiter=",", skiprows=1, ndmin=2)


def test_a_run_of_a_matlab_function_predicts_as_octave_does(bpnet: Bpnet, tmp_path: Path) -> None:
    file = DATA / "fit_rows.m"
    result = bpnet("import", file, "-o", "engine")
    assert result.code == 0, result.err
    assert "2 - 5 tanh - 2 identity" in result.out
    table = table_of("fit_rows", tmp_path / "new.csv", outputs=False)
    expected = np.array(GOLDEN["fit_rows"]["Y"])
    np.testing.assert_allclose(predicted(bpnet, "engine", table), expected, rtol=1e-12)


def test_the_record_has_the_file_its_digest_and_its_form(
    bpnet: Bpnet, document: Callable[..., dict[str, Any]]
) -> None:
    file = DATA / "fit_rows.m"
    origin = {"file": file.name, "sha256": file_digest(file), "form": "MATLAB function"}
    assert document("import", file)["imported"] == origin
    assert document("runs", "show", "latest")["imported"] == origin
    shown = bpnet("runs", "show", "latest")
    assert "fit_rows.m" in shown.out
    assert "imported" in bpnet("runs", "list").out


def test_commands_work_with_an_imported_run(bpnet: Bpnet, tmp_path: Path) -> None:
    assert bpnet("import", DATA / "fit_rows.m").code == 0
    table = table_of("fit_rows", tmp_path / "rows.csv")
    scored = bpnet("eval", "latest", "--data", table)
    assert (scored.code, "rmse" in scored.out) == (0, True), scored.err
    assert bpnet("plot", "latest", "network", "-o", "n.svg").code == 0
    for form in ("python", "json"):
        assert bpnet("export", "latest", "--to", form).code == 0
    for command in ("eval", "trace"):
        assert "imported without a table" in bpnet(command, "latest").err
    refused = bpnet("verify", "latest")
    assert (refused.code, "imported, not trained" in refused.err) == (2, True)


def test_with_a_table_it_is_scored_and_traced_on_its_rows(bpnet: Bpnet, tmp_path: Path) -> None:
    table = table_of("fit_rows", tmp_path / "rows.csv")
    result = bpnet("import", DATA / "fit_rows.m", "--data", table)
    assert result.code == 0, result.err
    scored = bpnet("eval", "latest", "--json")
    assert json.loads(scored.out)["metrics"]["train.rmse"] < 1e-12
    assert bpnet("trace", "latest", "--row", "1").code == 0
    assert bpnet("plot", "latest", "predicted", "-o", "p.svg").code == 0


def test_classes_of_a_table_are_matched_by_their_names(bpnet: Bpnet, tmp_path: Path) -> None:
    X, Y = (np.array(GOLDEN["pattern"][key]) for key in "XY")
    names = np.array(["red", "green", "blue"])
    chosen = [*names[Y.argmax(axis=1)], "red", "green", "blue"]
    rows = [*X.tolist(), *X[:3].tolist()]
    lines = [",".join([*map(repr, row), name]) for row, name in zip(rows, chosen, strict=True)]
    Path("kinds.csv").write_text("\n".join(["a,b,c,d,kind", *lines]) + "\n")
    options = ("--inputs", "a,b,c,d", "--targets", "kind", "--data", "kinds.csv", "--classes")
    assert bpnet("import", DATA / "pattern.m", *options, "red,green,blue").code == 0
    own = bpnet("predict", "latest", "kinds.csv", "-o", "-").out.split("\n")
    assert own[0].split("\t") == ["P(blue)", "P(green)", "P(red)", "class"]
    assert [line.split("\t")[-1] for line in own[1:6]] == chosen[:5]
    scored = json.loads(bpnet("eval", "latest", "--json").out)
    assert scored["metrics"]["train.accuracy"] >= 5 / 8
    refused = bpnet("import", DATA / "pattern.m", *options, "red,green,purple")
    assert (refused.code, "red, green, purple, but the data" in refused.err) == (2, True)


@pytest.mark.parametrize("name", [name for name in NAMES if name.isprintable()])
def test_names_of_strangers_do_no_harm(name: str, bpnet: Bpnet) -> None:
    Path("net.json").write_text(json_text(named_model(name)))
    assert bpnet("import", "net.json").code == 0
    shown = [bpnet(command, "latest") for command in ("weights", "plot")]
    assert [each.code for each in (*shown, bpnet("runs", "show", "latest"))] == [0, 0, 0]


def test_a_file_with_an_odd_name_is_shown_in_one_line(bpnet: Bpnet) -> None:
    Path("a\n\x1b[31m.m").write_bytes((DATA / "fit_rows.m").read_bytes())
    result = bpnet("import", "a\n\x1b[31m.m")
    assert (result.code, "\x1b" in result.out) == (0, False)
    assert "\x1b" not in bpnet("runs", "show", "latest").out


def test_a_table_may_be_a_file_of_arrays(bpnet: Bpnet, tmp_path: Path) -> None:
    X, Y = (np.array(GOLDEN["fit_rows"][key]) for key in "XY")
    savemat(tmp_path / "rows.mat", {"inputs": X, "targets": Y})
    assert bpnet("import", DATA / "fit_rows.m", "--data", "rows.mat", "-o", "a b").code == 2
    result = bpnet("import", DATA / "fit_rows.m", "--data", "rows.mat")
    assert result.code == 0, result.err
    assert json.loads(bpnet("eval", "latest", "--json").out)["metrics"]["train.rmse"] < 1e-12


def test_a_table_without_the_columns_is_refused(bpnet: Bpnet, tmp_path: Path) -> None:
    table = tmp_path / "other.csv"
    table.write_text("a,b,c\n1,2,3\n4,5,6\n")
    result = bpnet("import", DATA / "fit_rows.m", "--data", table)
    assert result.code == 2
    assert "The table of --data cannot be used: other.csv: there is no column `y1`" in result.err
    assert not [*tmp_path.glob("runs/*")]


def test_names_are_given_by_options(bpnet: Bpnet) -> None:
    options = ("--inputs", "a,b,c,d", "--classes", "red,green,blue", "--targets", "colour")
    result = bpnet("import", DATA / "pattern.m", *options)
    assert (result.code, result.err) == (0, "")
    tree = json.loads(bpnet("weights", "latest", "--json").out)
    assert tree["inputs"]["names"] == ["a", "b", "c", "d"]
    assert tree["outputs"]["names"] == ["P(red)", "P(green)", "P(blue)"]
    refused = bpnet("import", DATA / "pattern.m", "--inputs", "a,b")
    assert (refused.code, "--inputs has 2 names" in refused.err) == (2, True)


# --check.


def test_check_prints_the_largest_difference(bpnet: Bpnet, tmp_path: Path) -> None:
    table = table_of("fit_rows", tmp_path / "old.csv")
    result = bpnet("import", DATA / "fit_rows.m", "--check", table, "--tolerance", "1e-12")
    assert result.code == 0, result.err
    assert "checked on 5 rows: the largest difference" in result.out


@pytest.mark.parametrize("by_column", [True, False])
def test_check_reads_arrays_of_samples_as_rows_or_columns(
    by_column: bool, bpnet: Bpnet, tmp_path: Path
) -> None:
    X, Y = (np.array(GOLDEN["fit_rows"][key]) for key in "XY")
    savemat(tmp_path / "old.mat", {"x": X.T if by_column else X, "y": Y.T if by_column else Y})
    np.savez(tmp_path / "old.npz", x=X, y=Y)
    for file in ("old.mat", "old.npz"):
        result = bpnet("import", DATA / "fit_rows.m", "--check", tmp_path / file)
        assert result.code == 0, result.err


def test_outputs_that_differ_end_with_exit_code_4_and_import_nothing(
    bpnet: Bpnet, tmp_path: Path
) -> None:
    table = table_of("fit_rows", tmp_path / "old.csv")
    lines = table.read_text().splitlines()
    cells = lines[2].split(",")
    cells[-1] = repr(float(cells[-1]) * 1.01)
    table.write_text("\n".join([*lines[:2], ",".join(cells), *lines[3:]]))
    result = bpnet("import", DATA / "fit_rows.m", "--check", table)
    assert result.code == 4
    assert "nothing was imported" in result.err
    assert not [*tmp_path.glob("runs/*")]
    assert bpnet("import", DATA / "fit_rows.m", "--check", table, "--tolerance", "0.1").code == 0


@pytest.mark.parametrize("has_outputs", [True, False])
@pytest.mark.parametrize("header", ["x1,x2,x3,x4", "a,b,c,d"])
def test_check_compares_classes_too(
    header: str, has_outputs: bool, bpnet: Bpnet, tmp_path: Path
) -> None:
    X, Y = (np.array(GOLDEN["pattern"][key]) for key in "XY")
    names = np.array(["red", "green", "blue"])
    options = ("--classes", ",".join(names), "--check", tmp_path / "old.csv")

    def write(classes: list[str]) -> None:
        outputs = Y if has_outputs else Y[:, :0]
        head = f"{header}{',y1,y2,y3' * has_outputs},colour\n"
        rows = zip(X.tolist(), outputs.tolist(), classes, strict=True)
        lines = [",".join([*map(repr, (*x, *y)), name]) for x, y, name in rows]
        (tmp_path / "old.csv").write_text(head + "\n".join(lines) + "\n")

    predicted = names[Y.argmax(axis=1)].tolist()
    write(predicted)
    result = bpnet("import", DATA / "pattern.m", *options)
    assert result.code == 0, result.err
    assert "all classes are the same" in result.out
    assert ("largest difference" in result.out) == has_outputs
    document = json.loads(bpnet("import", DATA / "pattern.m", *options, "--json").out)
    assert document["check"]["classes"] == 0
    other = next(name for name in names if name != predicted[1])
    write([predicted[0], str(other), *predicted[2:]])
    result = bpnet("import", DATA / "pattern.m", *options)
    assert result.code == 4
    said = f"have a different class (row 2: `{other}`, here `{predicted[1]}`): nothing was imported"
    assert said in result.err


def test_check_takes_columns_in_order_with_a_note(bpnet: Bpnet, tmp_path: Path) -> None:
    table = table_of("fit_rows", tmp_path / "old.csv")
    table.write_text("\n".join(table.read_text().splitlines()[1:]) + "\n")
    result = bpnet("import", DATA / "fit_rows.m", "--check", table)
    assert result.code == 0, result.err
    table.write_text("a,b,c,d\n" + table.read_text())
    result = bpnet("import", DATA / "fit_rows.m", "--check", table)
    assert (result.code, "in order" in result.err) == (0, True), result.err
    table.write_text("a,b,c\n1,2,3\n")
    assert "neither named" in bpnet("import", DATA / "fit_rows.m", "--check", table).err


# Refusals.


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("net.txt", "x", "expected a file that ends in .m"),
        ("net.m", None, "There is no file net.m"),
        ("net.m", "x = 1;", "no network"),
        ("net.m", "\0", "not a text file"),
        ("net.json", "{}", "`format`"),
        ("net.mat", "hello", "not a MATLAB file"),
        ("net.onnx", "hello", "not an ONNX file"),
        ("net.m", "function y = f(x)\nIW1_1 = [1 2];\ny = satlin(IW1_1*x);\n", "`satlin`"),
    ],
)
def test_a_file_that_is_no_network_is_refused_in_a_sentence(
    name: str, content: str | None, said: str, bpnet: Bpnet, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    result = bpnet("import", name)
    assert result.code == 2
    assert said in result.err
    assert name in result.err


# Weights.


def test_weights_are_printed_with_all_digits_and_names(bpnet: Bpnet) -> None:
    assert bpnet("import", DATA / "fit_rows.m").code == 0
    shown = bpnet("weights", "latest")
    tree = json.loads(bpnet("weights", "latest", "--json").out)
    numbers = [*np.ravel(tree["layers"][0]["W"]), *tree["layers"][1]["b"], *tree["inputs"]["shift"]]
    for number in numbers:
        assert str(number) in shown.out
    rows = [line.split(",") for line in bpnet("weights", "latest", "--csv").out.splitlines()]
    assert rows[0] == ["tensor", "row", "column", "unit", "input", "value"]
    assert ["W1", "1", "2", "h1.1", "x2", str(tree["layers"][0]["W"][0][1])] in rows
    assert len(rows) == 1 + sum(layer.size for layer in map(np.array, _tensors(tree)))


def _tensors(tree: dict[str, Any]) -> list[Any]:
    return [layer[key] for layer in tree["layers"] for key in ("W", "b")]


def test_weights_written_for_matlab_come_back(bpnet: Bpnet) -> None:
    assert bpnet("import", DATA / "fit_rows.m", "-o", "one").code == 0
    assert bpnet("weights", "one", "--mat", "net.mat").code == 0
    assert bpnet("weights", "one", "--mat", "net.mat").code == 2
    assert bpnet("import", "net.mat", "-o", "two").code == 0
    one, two = (json.loads(bpnet("weights", name, "--json").out) for name in ("one", "two"))
    assert one["layers"] == two["layers"]
