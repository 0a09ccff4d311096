"""Sixty rows in the shapes in which people have tables: read, trained and predicted alike."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(
    os.environ.get("BPNET_CASES", Path(__file__).parents[2].parent / "shared" / "cases" / "tables")
)
EXPECTED: dict[str, Any] = (
    json.loads((FOLDER / "expected.json").read_text("utf-8")) if FOLDER.is_dir() else {}
)
OPTIONS = {
    "numeric_header.csv": ["--header"],
    "sentinel.csv": ["--missing", "-999"],
    "spaces_and_quotes.data": ["--target", "1"],
    "two_targets.csv": ["--target", "y1", "--target", "y2"],
}
AS_CLEAN = ("european.csv", "sheet.xlsx")
WITHOUT_COLOUR = (
    "units_row.csv", "comments.csv", "excel_sep_line.csv", "trailing_comma.csv", "blank_rows.csv",
    "row_names.csv", "header_again.csv", "packed.csv.gz", "records.jsonl", "newline_in_header.csv",
    "aligned_spaces.csv",
)  # fmt: skip
"""The same numbers as in clean.csv, without its column `colour`."""

pytestmark = pytest.mark.skipif(not EXPECTED, reason=f"there is no {FOLDER}: set BPNET_CASES")


def predictions(bpnet: Callable[..., Any], path: Path, *options: str) -> list[list[str]]:
    """The predictions for a table's own rows, after a short training as `init` proposes it."""
    shutil.copy(path, path.name)
    assert bpnet("init", path.name, *options).code == 0
    trained = bpnet("train", f"{Path(path.name).stem}.yaml", "--set", "training.epochs=40")
    assert trained.code == 0, trained.err
    done = bpnet("predict", "latest", path.name, "-o", "p.csv")
    assert done.code == 0, done.err
    with Path("p.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]


@pytest.mark.parametrize("name", [*EXPECTED] or [""])
def test_a_table_is_read_trained_and_predicted(name: str, bpnet: Callable[..., Any]) -> None:
    expected, options = EXPECTED[name], OPTIONS.get(name, [])
    about = json.loads(bpnet("data", FOLDER / name, *options, "--json").out)
    columns = {column["name"]: column for column in about["columns"]}
    assert about["rows"] == expected["rows"]
    assert list(columns) == expected.get("columns", list(columns))
    kinds = [column["kind"] for column in columns.values()]
    assert kinds == expected.get("kinds", kinds)
    for column, missing in expected.get("missing", {}).items():
        assert columns[column]["missing"] == missing
    assert about["target"] == expected.get("target", about["target"])
    assert about["task"] == expected.get("task", about["task"])
    classes = [name for name, _ in about["classes"]]
    assert sorted(classes) == expected.get("classes", sorted(classes))
    assert len(predictions(bpnet, FOLDER / name, *options)) == expected["rows"]
    init = json.loads(bpnet("init", name, *options, "--json", "--force").out)
    assert init["inputs"] == expected.get("inputs", init["inputs"])
    assert init["task"] == about["task"]
    assert not {*init["inputs"]} & {*init["targets"]}


@pytest.mark.parametrize("names", [AS_CLEAN, WITHOUT_COLOUR])
def test_the_same_numbers_give_the_same_predictions(
    names: tuple[str, ...], bpnet: Callable[..., Any], tmp_path: Path
) -> None:
    plain = FOLDER / "clean.csv"
    if names == WITHOUT_COLOUR:
        with plain.open(newline="", encoding="utf-8") as file:
            rows = [[row[0], row[1], row[3]] for row in csv.reader(file)]
        plain = tmp_path / "elsewhere" / "plain.csv"
        plain.parent.mkdir()
        plain.write_text("".join(",".join(row) + "\n" for row in rows), "utf-8")
    expected = predictions(bpnet, plain)
    for name in names:
        assert predictions(bpnet, FOLDER / name) == expected, name
