"""Predictions for the rows of a file: columns by name, rows in their order, any kind of output."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

import bpcli
from bpcli.data.files.rendered import rendered
from bpcli.export.model import load_model
from bpcli.runs.references import find_run

RNG = np.random.default_rng(3)
NUMBERS = RNG.normal(20, 5, (60, 2)).round(2)
COLOURS = RNG.choice(["red", "dark blue", "green"], 60)
ANSWERS = np.where((NUMBERS[:, 0] > 20) ^ (COLOURS == "red"), "yes", "no, not")
CONFIG = """\
data: {file: t.csv, scale: {inputs: standard}}
network: {layers: [auto, 3, auto], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
training: {epochs: 20, optimizer: rprop}
"""
TABLE = [
    {"n": f"{n}", "m m": f"{m}", "colour": colour, "answer": f'"{answer}"'}
    for (n, m), colour, answer in zip(NUMBERS.tolist(), COLOURS, ANSWERS, strict=True)
]


def write(path: str, rows: list[dict[str, str]], columns: list[str], separator: str = ",") -> None:
    lines = [separator.join(columns)]
    lines += [separator.join(row[column] for column in columns) for row in rows]
    Path(path).write_text("\n".join(lines) + "\n")


@pytest.fixture
def folder(bpnet, tmp_path: Path) -> Path:
    """An empty folder with a run that was trained on a table."""
    write("t.csv", TABLE, ["n", "m m", "colour", "answer"])
    Path("c.yaml").write_text(CONFIG)
    assert bpnet("train", "c.yaml", "--quiet").code == 0
    return tmp_path


def lines_of(result) -> list[list[str]]:
    assert result.code == 0, result.err
    return [line.split("\t") for line in result.out.splitlines()]


def test_predictions_for_the_training_file_are_those_for_its_rows(bpnet, folder) -> None:
    own = json.loads(bpnet("predict", "latest", "--json").out)["rows"]
    result = bpnet("predict", "latest", "t.csv", "--json")
    assert json.loads(result.out)["rows"] == [
        {"outputs": row["outputs"], "class": row["class"]} for row in own
    ]
    assert result.err == "note: t.csv: ignored target column: `answer`\n"


def test_rows_that_are_too_large_for_the_network_are_said(bpnet, folder) -> None:
    """Their products with the weights are +inf and -inf, and the sum is no number."""
    signs = "parameters=[{weights: [[1, -1, 0, 0, 0]], bias: [0]}, {weights: [[1]], bias: [0]}]"
    sets = ["--set", "network={layers: [auto, 1, auto], activations: [relu, sigmoid]}"]
    sets += ["--set", "network.dtype=float32", "--set", f"network.{signs}"]
    sets += ["--set", "data.split={val: 0.3}", "--set", "training.epochs=0"]
    assert bpnet("train", "c.yaml", "--quiet", *sets).code == 0
    write("far.csv", [TABLE[0] | {"n": "1e300", "m m": "1e300"}, TABLE[1]], ["n", "m m", "colour"])
    shown = bpnet("predict", "latest", "far.csv")
    assert shown.out.splitlines()[1].startswith("nan\t")
    note = "1 row with an output that is not a finite number, because an input is too large"
    assert f"note: far.csv: {note}: do not use their predictions" in shown.err
    frame = pd.read_csv("far.csv")
    for prediction in ({}, {"interval": 0.9}):
        with pytest.warns(bpcli.BpnetWarning, match=note):
            bpcli.load_run("latest").predict(frame, **prediction)


def test_a_model_is_used_where_its_data_are_not(bpnet, folder) -> None:
    expected = bpnet("predict", "latest", "t.csv").out
    write("new.csv", TABLE, ["colour", "m m", "n"])
    Path("t.csv").unlink()
    result = bpnet("predict", "latest", "new.csv")
    assert result.out == expected
    assert result.err == ""


def test_the_order_of_columns_changes_nothing_and_that_of_rows_only_order(bpnet, folder) -> None:
    expected = bpnet("predict", "latest", "t.csv").out.splitlines()
    write("columns.csv", [row | {"id": "7"} for row in TABLE], ["id", "colour", "n", "m m"])
    result = bpnet("predict", "latest", "columns.csv")
    assert result.out.splitlines() == expected
    assert "ignored column: `id`" in result.err
    order = np.random.default_rng(1).permutation(len(TABLE))
    write("rows.csv", [TABLE[i] for i in order], ["n", "m m", "colour"])
    shuffled = lines_of(bpnet("predict", "latest", "rows.csv"))[1:]
    for found, i in zip(shuffled, order, strict=True):
        probability, name = expected[1 + i].split("\t")
        assert found[1] == name
        np.testing.assert_allclose(float(found[0]), float(probability), rtol=1e-13)


@pytest.mark.parametrize("renamed", ["n", "m m", "colour"])
def test_a_renamed_column_is_an_error_that_names_it(bpnet, folder, renamed) -> None:
    other = f"{renamed}s"
    write("r.csv", [row | {other: row[renamed]} for row in TABLE], [
        other if name == renamed else name for name in ("n", "m m", "colour")
    ])  # fmt: skip
    result = bpnet("predict", "latest", "r.csv", "-o", "out.csv")
    assert result.code == 2
    assert result.err.startswith(f"Error: r.csv: there is no column `{renamed}`")
    assert f"`{other}` is closest" in result.err
    assert not Path("out.csv").exists()


def test_every_kind_of_output_holds_the_same(bpnet, folder) -> None:
    expected = lines_of(bpnet("predict", "latest", "t.csv"))
    assert expected[0] == ["P(yes)", "class"]
    for ending in ("csv", "tsv", "json", "jsonl", "npz"):
        result = bpnet("predict", "latest", "t.csv", "-o", f"o.{ending}")
        assert result.err.endswith(f"wrote o.{ending}: 60 rows\n")
        assert result.out == ""
    assert Path("o.tsv").read_text().splitlines() == ["\t".join(row) for row in expected]
    with Path("o.csv").open(newline="") as file:
        assert list(csv.reader(file)) == expected
    documents = [
        {"outputs": {"P(yes)": float(probability)}, "class": name}
        for probability, name in expected[1:]
    ]
    assert json.loads(Path("o.json").read_text()) == documents
    assert [json.loads(line) for line in Path("o.jsonl").read_text().splitlines()] == documents
    with np.load("o.npz") as saved:
        assert saved["outputs"].ravel().tolist() == [float(row[0]) for row in expected[1:]]
        names = saved["class_names"][saved["labels"]].tolist()
    assert names == [row[1] for row in expected[1:]]


KEPT = ["colour", "n", "id"]
IDS = [f"{number:03d}" for number in range(60)]


def test_kept_columns_are_in_every_kind_of_output(bpnet, folder) -> None:
    rows = [row | {"id": code} for row, code in zip(TABLE, IDS, strict=True)]
    write("new.csv", rows, ["id", "n", "m m", "colour"])
    bare = lines_of(bpnet("predict", "latest", "new.csv"))
    keep = ("--keep", "colour,n", "--keep", "1")
    result = bpnet("predict", "latest", "new.csv", *keep)
    assert "ignored" not in result.err
    texts = [KEPT, *([row["colour"], row["n"], row["id"]] for row in rows)]
    expected = [[*kept, *line] for kept, line in zip(texts, bare, strict=True)]
    assert lines_of(result) == expected
    documents = [
        {"kept": {"colour": row["colour"], "n": float(row["n"]), "id": row["id"]}}
        | {"outputs": {"P(yes)": float(line[0])}, "class": line[1]}
        for row, line in zip(rows, bare[1:], strict=True)
    ]
    printed = bpnet("predict", "latest", "new.csv", *keep, "--json").out
    assert json.loads(printed)["rows"] == documents
    for ending in ("csv", "tsv", "json", "jsonl", "xlsx"):
        result = bpnet("predict", "latest", "new.csv", *keep, "-o", f"o.{ending}")
        assert result.err.endswith(f"wrote o.{ending}: 60 rows\n")
    assert json.loads(Path("o.json").read_text()) == documents
    assert [json.loads(line) for line in Path("o.jsonl").read_text().splitlines()] == documents
    assert Path("o.tsv").read_text().splitlines() == ["\t".join(row) for row in expected]
    with Path("o.csv").open(newline="") as file:
        assert list(csv.reader(file)) == expected
    sheet = list(csv.reader(rendered(Path("o.xlsx")).decode().splitlines()))
    numbers = [[float(row[1]), float(row[3])] for row in expected[1:]]
    assert [[float(row[1]), float(row[3])] for row in sheet[1:]] == numbers
    assert [row[::2] for row in sheet] == [row[::2] for row in expected]


def test_predictions_with_all_inputs_are_read_and_predicted_again(bpnet, folder) -> None:
    expected = lines_of(bpnet("predict", "latest", "t.csv"))
    for ending in ("csv", "tsv", "xlsx", "jsonl"):
        assert bpnet("predict", "latest", "t.csv", "--keep", "*", "-o", f"o.{ending}").code == 0
        described = json.loads(bpnet("data", f"o.{ending}", "--json").out)
        assert {column["name"].removeprefix("kept.") for column in described["columns"]} >= {
            "n", "m m", "colour", "answer",
        }  # fmt: skip
        if ending != "jsonl":
            assert lines_of(bpnet("predict", "latest", f"o.{ending}")) == expected


def test_kept_text_that_is_a_formula_is_marked_and_counted(bpnet, folder) -> None:
    notes = ["=1+1", "-3.5", "@x", "+49 1", "plain", "-"]
    rows = [row | {"note": note} for row, note in zip(TABLE, notes, strict=False)]
    write("new.csv", rows, ["n", "m m", "colour", "note"])
    result = bpnet("predict", "latest", "new.csv", "--keep", "note")
    assert [line[0] for line in lines_of(result)[1:]] == [
        "'=1+1", "-3.5", "'@x", "'+49 1", "plain", "-",
    ]  # fmt: skip
    assert result.err.endswith(
        "note: a ' was put before 3 kept values that a spreadsheet would read as a formula; --raw "
        "leaves values unchanged\n"
    )
    raw = bpnet("predict", "latest", "new.csv", "--keep", "note", "--raw")
    assert [line[0] for line in lines_of(raw)[1:]] == notes
    assert "--raw" not in raw.err


def test_a_byte_order_mark_is_written_if_asked(bpnet, folder) -> None:
    assert bpnet("predict", "latest", "t.csv", "-o", "o.csv", "--bom").code == 0
    assert bpnet("predict", "latest", "t.csv", "-o", "p.csv").code == 0
    assert Path("o.csv").read_bytes() == b"\xef\xbb\xbf" + Path("p.csv").read_bytes()


def test_a_workbook_that_cannot_hold_the_rows_is_not_there(bpnet, folder, monkeypatch) -> None:
    from bpcli.workflows import workbook

    monkeypatch.setattr(workbook, "MOST_ROWS", 60)
    result = bpnet("predict", "latest", "t.csv", "-o", "o.xlsx")
    assert (result.code, Path("o.xlsx").exists()) == (2, False)
    assert "an .xlsx file has at most 59 rows below its header, and there are more" in result.err
    assert not [path for path in folder.iterdir() if path.name.startswith(".o")]


@pytest.mark.parametrize(("rows", "more"), [(50, None), (51, "and 1 more row: -o writes all")])
def test_a_terminal_shows_the_first_rows_rounded(
    bpnet, folder, monkeypatch, rows: int, more: str | None
) -> None:
    write("new.csv", [row | {"n": "0.30000000000000004"} for row in TABLE[:rows]], list(TABLE[0]))
    piped = lines_of(bpnet("predict", "latest", "new.csv", "--keep", "n,colour"))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")
    shown = bpnet("predict", "latest", "new.csv", "--keep", "n,colour").out
    lines = shown.splitlines()
    assert lines[0].split() == ["row", "n", "colour", "P(yes)", "class"]
    for number, (line, full) in enumerate(zip(lines[2:52], piped[1:], strict=False), start=1):
        begin = f"{number} 0.3 {full[1]} {float(full[2]):.5g} {full[3]}"
        assert line.split() == begin.split()
    assert [line.split()[0] for line in lines[2:] if line[:1].isdigit()] == [
        str(number) for number in range(1, 51)
    ]
    assert (more in shown) if more else "more row" not in shown
    everything = bpnet("predict", "latest", "new.csv", "--keep", "n,colour", "-o", "-")
    assert lines_of(everything) == piped


def test_standard_input_is_a_file_like_others(bpnet, folder, monkeypatch) -> None:
    expected = bpnet("predict", "latest", "t.csv").out

    def given(text: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    given(Path("t.csv").read_bytes())
    assert bpnet("predict", "latest", "-", "-o", "-").out == expected
    write("s.tsv", TABLE, ["n", "m m", "colour"], ";")
    given(Path("s.tsv").read_bytes())
    assert bpnet("predict", "latest", "-").out == expected
    given(b"")
    result = bpnet("predict", "latest", "-")
    assert (result.code, result.err) == (2, "Error: standard input: the file is empty\n")


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("x,1,red", "column `n`, row 2: `x` is not a number"),
        ("1,inf,red", "column `m m`, row 2: the value is infinite"),
        ("1,2", "row 2 has 2 fields, the others have 3"),
        ("1,2,3,4", "has 4 fields"),
    ],
)
def test_a_row_that_does_not_fit_is_named_and_nothing_written(
    bpnet, folder, row, complaint
) -> None:
    Path("new.csv").write_text(f"n,m m,colour\n1,2,red\n{row}\n1,2,red\n")
    result = bpnet("predict", "latest", "new.csv", "-o", "out.csv")
    assert result.code == 2
    assert complaint in result.err
    assert "new.csv" in result.err
    assert not [path for path in folder.iterdir() if "out" in path.name]


def test_words_that_no_training_row_had_are_no_error(bpnet, folder) -> None:
    Path("new.csv").write_text("n,m m,colour\n1,2,purple\n")
    assert len(lines_of(bpnet("predict", "latest", "new.csv"))) == 2


def test_a_file_without_rows_gives_none(bpnet, folder) -> None:
    Path("new.csv").write_text("n,m m,colour\n")
    assert lines_of(bpnet("predict", "latest", "new.csv")) == [["P(yes)", "class"]]
    for ending in ("json", "npz"):
        assert bpnet("predict", "latest", "new.csv", "-o", f"o.{ending}").code == 0
    assert json.loads(Path("o.json").read_text()) == []


GENERATED = """\
data: {generator: regression, n_samples: 30, n_features: 2, n_targets: 2, noise: 1,
  scale: {inputs: standard, targets: standard}}
network: {layers: [2, 3, 2], activations: [tanh, identity], dtype: float32}
loss: mse
training: {epochs: 5}
"""


def test_a_run_without_a_table_takes_columns_and_arrays(bpnet, tmp_path) -> None:
    Path("c.yaml").write_text(GENERATED)
    assert bpnet("train", "c.yaml", "--quiet").code == 0
    X = np.random.default_rng(0).normal(size=(9, 2))
    expected = load_model(find_run("latest", Path("runs"))).outputs(X)
    Path("n.csv").write_text("\n".join(f"{a!r},{b!r}" for a, b in X.tolist()) + "\n")
    Path("h.csv").write_text("\n".join(["x2,x1", *(f"{b!r},{a!r}" for a, b in X.tolist())]) + "\n")
    np.save("n.npy", X)
    np.savez("n.npz", inputs=X, other=X[:1])
    np.savez("single.npz", whatever=X)
    savemat("n.mat", {"X": X, "y": X[:, 0]})
    for name in ("n.csv", "h.csv", "n.npy", "n.npz", "single.npz", "n.mat"):
        found = lines_of(bpnet("predict", "latest", name))
        assert found[0] == ["predicted y1", "predicted y2"]
        np.testing.assert_array_equal(np.array(found[1:], float), expected)
    for name, complaint in [
        ("wide.npy", "its 3 columns have no names, so they must be the 2 inputs in order: x1, x2"),
        ("wide.csv", "its 3 columns have no names"),
        ("flat.npy", "its 1 columns have no names"),
        (
            "two.npz",
            "set `inputs` in a config to `a` (9 × 2 float64), `b` (9 × 2 float64)",
        ),
        ("bad.npy", "or it is damaged"),
        ("bad.npz", "or it is damaged"),
        ("cut.npz", "or it is damaged"),
        ("harmed.npz", "or it is damaged"),
        ("none.npy", "there is no file none.npy"),
    ]:
        np.save("wide.npy", np.ones((3, 3)))
        np.save("flat.npy", X[:, 0])
        np.savez("two.npz", a=X, b=X)
        Path("wide.csv").write_text("1,2,3\n")
        Path("bad.npy").write_bytes(b"no array")
        Path("bad.npz").write_bytes(b"")
        np.savez_compressed("harmed.npz", inputs=X)
        whole = Path("harmed.npz").read_bytes()
        Path("cut.npz").write_bytes(whole[:100])
        Path("harmed.npz").write_bytes(whole[:100] + b"abcd" + whole[104:])
        result = bpnet("predict", "latest", name)
        assert result.code == 2, name
        assert complaint in result.err


def test_parquet_goes_by_name(bpnet, folder) -> None:
    pytest.importorskip("pyarrow")
    import pandas as pd

    expected = bpnet("predict", "latest", "t.csv").out
    frame = pd.read_csv("t.csv")[["colour", "n", "m m"]]
    frame.to_parquet("t.parquet")
    assert bpnet("predict", "latest", "t.parquet").out == expected
    frame.rename(columns={"n": "N"}).to_parquet("r.parquet")
    result = bpnet("predict", "latest", "r.parquet")
    assert "there is no column `n`; the unused column `N` is closest" in result.err


def test_options_that_do_not_belong_are_errors(bpnet, folder) -> None:
    for arguments, complaint in [
        (("latest", "t.csv", "--split", "all"), "--split is for the rows of the run's own data"),
        (("latest", "t.csv", "--set", "seed=1"), "--set is for the rows of the run's own data"),
        (("latest", "-o", "o.csv"), "--output needs a FILE"),
        (("latest", "--keep", "n"), "--keep needs a FILE"),
        (("latest", "--bom"), "--bom needs a FILE"),
        (("latest", "t.csv", "--bom"), "--bom is for a CSV or TSV file: name one with --output"),
        (("latest", "t.csv", "--bom", "-o", "o.xlsx"), "o.xlsx: --bom is for CSV and TSV"),
        (("latest", "t.csv", "--keep", "n", "-o", "o.npz"), ".npz cannot contain columns of FILE"),
        (
            ("latest", "t.csv", "--keep", "colr"),
            "t.csv: there is no column `colr`; did you mean `col",
        ),
        (("latest", "t.csv", "-o", "t.csv"), "t.csv is FILE itself or not a regular file"),
        (("latest", "t.csv", "-o", "runs"), "runs is FILE itself or not a regular file"),
        (("latest", "t.csv", "-o", "/dev/null"), "/dev/null is FILE itself or not a regular file"),
        (("latest", "t.csv", "-o", "o.xls"), "unknown ending `.xls`"),
        (("latest", "t.csv", "-o", "o.csv", "--json"), "--json prints"),
        (
            ("latest", "t.csv", "-o", "no/o.csv"),
            "no/o.csv could not be saved: there is no folder no.",
        ),
        (("latest", "none.csv"), "there is no file none.csv"),
        (("latest", "runs"), "runs is a folder"),
        (("c.yaml", "t.csv"), "c.yaml is a CONFIG: to predict a FILE, name a trained RUN"),
        (("c.yaml", "--weights", "best"), "--weights is for a RUN"),
    ]:
        result = bpnet("predict", *arguments)
        assert result.code == 2, arguments
        assert complaint in result.err


def test_exported_files_predict_what_predict_does(bpnet, folder) -> None:
    expected = [row[1] for row in lines_of(bpnet("predict", "latest", "t.csv"))[1:]]
    for to in ("python", "json"):
        result = bpnet("export", "latest", "--to", to)
        assert result.code == 0, result.err
        assert result.out.startswith(f"wrote c.{'py' if to == 'python' else to}, equivalent to ")
    assert bpnet("export", "latest", "--to", "json").code == 2
    namespace: dict = {}
    exec(compile(Path("c.py").read_text(), "c.py", "exec"), namespace)
    rows = [{name: row[name] for name in ("n", "m m", "colour")} for row in TABLE]
    assert namespace["predict"](rows)["class"].tolist() == expected


@pytest.mark.parametrize(
    ("text", "encoding", "options", "note"),
    [
        ("n;größe;y", "utf-8", ("-o", "o.csv"), "o.csv has decimal points; for a spreadsheet"),
        ("n;größe;y", "utf-8", ("-o", "o.xlsx"), None),
        ("n;größe;y", "utf-8", (), None),
        ("n,größe,y", "cp1252", ("-o", "o.csv"), "o.csv is in UTF-8; for Excel, add --bom or"),
        ("n,größe,y", "cp1252", ("-o", "o.csv", "--bom"), None),
        ("n,größe,y", "utf-8", ("-o", "o.csv"), None),
        ("größe,n,y", "cp1252", ("-o", "o.csv"), None),  # the predictions are ASCII
    ],
)
def test_what_a_spreadsheet_would_read_wrongly_is_said(
    text: str, encoding: str, options: tuple[str, ...], note: str | None, bpnet
) -> None:
    separator = text[1] if text[0] == "n" else ","
    sign = "," if separator == ";" else "."
    lines = [separator.join(f"{i % k}{sign}5" for k in (3, 5, 7)) for i in range(40)]
    Path("t.csv").write_text("\n".join([text, *lines, ""]), encoding)
    assert bpnet("init", "t.csv", "--target", "y").code == 0
    assert bpnet("train", "t.yaml", "--quiet", "--set", "training.epochs=2").code == 0
    result = bpnet("predict", "latest", "t.csv", "--keep", "2", *options)
    assert result.code == 0
    said = [line for line in result.err.splitlines() if "spreadsheet" in line or "Excel" in line]
    assert [line.startswith(f"note: {note}") for line in said] == [True] * (note is not None)


def test_intervals_stand_beside_predictions(bpnet, folder) -> None:
    bpnet("train", "c.yaml", "--quiet", "--set", "data.split={val: 0.4}")
    header, *rows = lines_of(bpnet("predict", "latest", "t.csv", "--interval", "0.8"))
    assert header == ["P(yes)", "class", "class set"]
    assert {row[-1] for row in rows} <= {"", "yes", "no, not", "no, not | yes"}
    result = bpnet("predict", "latest", "t.csv", "--interval", "0.8", "--json")
    documents = json.loads(result.out)["rows"]
    assert [" | ".join(row["class_set"]) for row in documents] == [row[-1] for row in rows]
    assert "a set contains the class with a probability of at least 0.8" in result.err
    covered = json.loads(
        bpnet("eval", "latest", "--interval", "0.8", "--data", "t.csv", "--json").out
    )["coverage"]
    assert (covered["calibration_split"], covered["calibration_rows"]) == ("val", 24)
    answers = [answer in row["class_set"] for answer, row in zip(ANSWERS, documents, strict=True)]
    assert covered["targets"][0]["coverage"] == np.mean(answers)
    shown = bpnet("eval", "latest", "--interval", "0.8", "--split", "train")
    assert "80 % intervals   coverage" in shown.out


def test_categories_have_their_own_level_and_others_are_counted(bpnet, folder) -> None:
    bpnet("train", "c.yaml", "--quiet", "--set", "data.split={val: 0.4}")
    rows = [TABLE[0] | {"colour": "violet"}, *TABLE[:5]]
    write("new.csv", rows, ["n", "m m", "colour", "answer"])
    options = ("--interval", "0.5", "--by", "colour")
    result = bpnet("predict", "latest", "new.csv", *options)
    assert len(lines_of(result)) == 7
    assert "probability of at least 0.5 within each category of `colour`" in result.err
    assert "note: 1 row with a category of `colour` that no calibration row has" in result.err
    result = bpnet("eval", "latest", "--split", "train", *options)
    assert result.code == 0, result.err
    assert "class, colour=" in result.out
    covered = json.loads(bpnet("eval", "latest", "--split", "train", *options, "--json").out)
    assert sum(each["rows"] for each in covered["coverage"]["categories"]) == 36
    bpnet("predict", "latest", "new.csv", *options, "-o", "o.npz")
    assert np.load("o.npz")["class_sets"].shape == (6, 2)
    by_class = bpnet("predict", "latest", "new.csv", "--interval", "0.5", "--by", "answer")
    assert by_class.code == 0
    assert "colour" not in by_class.err.split("note: a set")[1].split("\n")[0]


def test_all_folds_give_intervals_of_a_file(bpnet, folder) -> None:
    bpnet("train", "c.yaml", "--quiet", "--set", "data.split={folds: 3}")
    result = bpnet("predict", "latest", "t.csv", "--interval", "0.8", "--method", "cross")
    assert lines_of(result)[0][-1] == "class set"
    assert "for rows from the same source as the 60 rows of the 3 folds" in result.err
    options = ("--interval", "0.8", "--method", "cross", "--json")
    covered = json.loads(bpnet("eval", "latest", "--data", "t.csv", *options).out)["coverage"]
    assert (covered["calibration_split"], covered["calibration_rows"]) == (None, 60)
    sets = [row[-1].split(" | ") for row in lines_of(result)[1:]]
    inside = [answer in row for answer, row in zip(ANSWERS, sets, strict=True)]
    assert covered["targets"][0]["coverage"] == np.mean(inside)
    Path("none.csv").write_text(Path("t.csv").read_text().split("\n")[0] + "\n")
    for options in (["--method", "cross"], []):
        result = bpnet("predict", "latest", "none.csv", "--interval", "0.8", *options)
        assert len(lines_of(result)) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["predict", "latest", "--interval", "0.9"], "--interval needs a FILE."),
        (
            ["predict", "latest", "t.csv", "--by", "n"],
            "--by changes how --interval is computed: add",
        ),
        (["predict", "latest", "t.csv", "--interval", "90"], "give a number between 0 and 1."),
        (["predict", "latest", "t.csv", "--interval", "0.9"], "has no validation set on which"),
        (["eval", "latest", "--interval", "0.9"], "has no validation set on which"),
        (
            ["eval", "a", "b", "--paired", "--interval", "0.9"],
            "--interval checks the predictions of one",
        ),
    ],
)
def test_intervals_that_cannot_be_are_refused(bpnet, folder, arguments, sentence) -> None:
    result = bpnet(*arguments)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err
