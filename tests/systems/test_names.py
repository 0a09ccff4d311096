"""Names that are meant to do harm, through every command that shows, draws or exports them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from strangers import CANARY, any_name, is_harmless, poison, printable_name
from tampered import record_of

from bpcli.export.export import FORMATS
from bpcli.runs.layout import RECORD
from bpcli.runs.sealed import write_sealed
from bpcli.runs.store import Run
from bpcli.runs.tags import TAGS

FULL = bool(os.environ.get("BPNET_FULL"))
TABLES = range(300) if FULL else (0, 1, 5)
"""The three have two classes, three classes, and a regression."""
STRANGERS = 300 if FULL else 3
CONFIG = """\
data:
  {{file: t.csv, separator: ",", inputs: {inputs}, targets: 4, categories: [3], task: {task},
   fill: mean, indicator: true, split: {{val: 0.2, test: 0.2}}}}
network: {{layers: [auto, 3, auto], activations: [tanh, {output}]}}
loss: {loss}
training: {{epochs: 5, optimizer: rprop, record_params: true{weights}}}
"""
INPUTS = ([1, 2, 3], [1, 2], [1], [3])
"""Columns that are read: few of them have plots of a plane or of a curve."""

NO_FONT = re.compile(
    r"note: boxes are drawn for characters that no installed font has \([^\x00-\x1f]+\)"
    r": [^\x00-\x1f]+\n"
)
NAMED = ["confusion", "roc", "predicted", "residuals", "fit", "regions", "network", "loss"]
"""The plots with names in them."""


def names(draw: Callable[[Random], str], rng: Random, count: int) -> list[str]:
    """Different names, none of which is a number or stands for a missing value."""
    found: dict[str, None] = {}
    while len(found) < count:
        name = draw(rng).strip()
        try:
            float(name)
        except ValueError:
            if len(name) > 1 and name not in ("nan", "NA", "null"):
                found[name] = None
    return list(found)


def quoted(name: str) -> str:
    """A printable name in YAML."""
    return json.dumps(name, ensure_ascii=False)


class Case:
    """A table with odd names, and the config of a network for it."""

    def __init__(self, rng: Random) -> None:
        self.header = names(printable_name, rng, 4)
        self.words = names(any_name, rng, 3)
        self.classes = names(printable_name, rng, rng.choice([2, 3]))
        self.is_regression = rng.random() < 0.25
        self.inputs = rng.choice(INPUTS)
        self.rows = [self._row(rng, i) for i in range(36)]

    def _row(self, rng: Random, i: int) -> list[str]:
        answer = (
            f"{rng.random():.3f}" if self.is_regression else self.classes[i % len(self.classes)]
        )
        return [f"{rng.random():.3f}", f"{rng.random():.3f}", self.words[i % 3], answer]

    def write(self) -> None:
        with Path("t.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([self.header, *self.rows])
        outputs = {2: ("sigmoid", "binary_cross_entropy"), 3: ("softmax", "cross_entropy")}
        task, weights = "classification", f", class_weights: {{{quoted(self.classes[0])}: 2}}"
        output, loss = outputs[len(self.classes)]
        if self.is_regression:
            task, output, loss, weights = "regression", "identity", "mse", ""
        config = CONFIG.format(
            inputs=self.inputs, task=task, output=output, loss=loss, weights=weights
        )
        Path("c.yaml").write_text(config, "utf-8")

    def columns(self) -> dict[str, list[Any]]:
        """The rows as an exported file takes them."""
        columns = list(zip(*self.rows, strict=True))
        kinds = (float, float, str)
        return {
            self.header[place - 1]: list(map(kinds[place - 1], columns[place - 1]))
            for place in self.inputs
        }


SHOWING = [
    ["check", "c.yaml"], ["check", "c.yaml", "--json"], ["eval", "latest"],
    ["eval", "latest", "--json"], ["eval", "latest", "--data", "t.csv"],
    ["predict", "latest", "--json"], ["predict", "latest", "t.csv", "--json"],
    ["predict", "c.yaml", "--json"], ["runs", "list"], ["runs", "list", "--json"],
    ["runs", "show", "latest"], ["runs", "show", "latest", "--json"],
    ["runs", "diff", "latest~1", "latest"], ["runs", "diff", "latest~1", "latest", "--json"],
    ["gradcheck", "c.yaml", "--entries", "2"], ["verify", "latest"], ["plot", "latest", "--list"],
    *(["trace", "latest", "--row", "1", "--format", layout]
      for layout in ("rich", "markdown", "latex", "json")),
]  # fmt: skip
"""Commands that must end well, and print nothing but what a terminal only shows."""

LOOKING = [["data", "t.csv"], ["data", "t.csv", "--json"], ["init", "t.csv", "-o", "i.yaml"]]
"""Commands that may refuse a table: its separator is theirs to find out."""


@pytest.mark.parametrize("seed", TABLES)
def test_a_table_of_any_names_does_no_harm(bpnet, seed: int) -> None:
    rng = Random(seed)
    case = Case(rng)
    case.write()
    for arguments in LOOKING:
        result = bpnet(*arguments, "--target", "4")
        assert result.code in (0, 2), arguments
        assert is_harmless(result.out + result.err), arguments
    if result.code == 0:
        result = bpnet("check", "i.yaml")
        assert result.code == 0, result.err
        assert is_harmless(result.out + result.err)
    for epochs in (3, 5):
        trained = bpnet("train", "c.yaml", "--set", f"training.epochs={epochs}")
        assert trained.code == 0, trained.err
        assert is_harmless(trained.out + trained.err)
    for arguments in SHOWING:
        result = bpnet(*arguments)
        assert result.code == 0, (arguments, result.err)
        assert is_harmless(result.out + result.err), arguments
    _check_predictions(bpnet, case)
    _check_exports(bpnet, case)
    if FULL or seed % 4 == 0:
        _check_plots(bpnet)
    if FULL and seed % 10 == 0:
        assert bpnet("plot", "latest").code == 0, "every kind"
    assert not [*Path().rglob(CANARY)]


def _check_predictions(bpnet, case: Case) -> None:
    """Every kind of output holds the same classes; only those of CSV and TSV may have a mark."""
    expected = [
        row.get("class")
        for row in json.loads(bpnet("predict", "latest", "t.csv", "--json").out)["rows"]
    ]
    for output, separator in (("o.csv", ","), ("o.tsv", "\t")):
        for options in ([], ["--raw"]):
            result = bpnet("predict", "latest", "t.csv", "-o", output, *options)
            assert result.code == 0
            assert is_harmless(result.err)
            with Path(output).open(newline="", encoding="utf-8") as file:
                header, *rows = csv.reader(file, delimiter=separator)
            if not case.is_regression:
                assert header[-1] == "class"
                found = [row[-1] for row in rows]
                for cell, name in zip(found, expected, strict=True):
                    assert cell == name or (not options and cell == f"'{name}")
                assert all(cell[0] not in "=+-@\t\r＝＋－＠" for cell in found) or options
    for ending in ("json", "jsonl", "npz"):
        assert bpnet("predict", "latest", "t.csv", "-o", f"o.{ending}").code == 0
    assert [row.get("class") for row in json.loads(Path("o.json").read_text("utf-8"))] == expected
    own = json.loads(bpnet("predict", "latest", "--json").out)["rows"]
    lines = bpnet("predict", "latest")
    assert is_harmless(lines.err)
    table = list(csv.reader(io.StringIO(lines.out, newline=""), delimiter="\t"))
    width = sum(len(split) if isinstance(split, dict) else 1 for split in own[0].values())
    assert {len(row) for row in table} == {width}
    assert len(table) == 1 + len(own) == 37


def _check_exports(bpnet, case: Case) -> None:
    """Exported files give what `predict` gives."""
    rows = json.loads(bpnet("predict", "latest", "t.csv", "--json").out)["rows"]
    for to in EXPORTS:
        if to == "onnx":
            pytest.importorskip("onnxruntime")
        result = bpnet("export", "latest", "--to", to)
        assert result.code == 0 or (to == "sql" and "SQL has no escape" in result.err), result.err
        assert is_harmless(result.out + result.err)
    text = Path("c.py").read_text("utf-8")
    assert text.replace("\n", "").isprintable()
    exported: dict[str, Any] = {}
    exec(compile(text, "c.py", "exec"), exported)
    found = exported["predict"](case.columns())
    for name, values in found.items():
        if name == "class":
            assert values.tolist() == [row["class"] for row in rows]
        else:
            expected = [row["outputs"][name] for row in rows]
            np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-12)
    document = Path("c.json").read_text("utf-8")
    assert document.replace("\n", "").isprintable()
    assert json.loads(document)["outputs"] == [*rows[0]["outputs"]]


def _check_plots(bpnet) -> None:
    listed = [line.split() for line in bpnet("plot", "latest", "--list").out.splitlines()]
    kinds = [line[0] for line in listed if line[1:2] == ["yes"] and line[0] in NAMED]
    for file in ("all.svg", "all.pdf") if FULL else ("all.svg",):
        result = bpnet("plot", "latest", *kinds, "-o", file)
        assert (result.code, result.out) == (0, f"{file}\n"), result.err
        assert result.err == "" or NO_FONT.fullmatch(result.err), result.err


@pytest.mark.parametrize("seed", range(20 if FULL else 5))
def test_what_may_be_no_name_is_refused_in_one_clean_error(bpnet, seed: int) -> None:
    rng = Random(seed)
    (odd,) = names(lambda rng: any_name(rng) + "\x1b[31m\x9b" + any_name(rng), rng, 1)
    case = Case(rng)
    case.write()
    Path("config.yaml").write_text(
        f"name: {json.dumps(odd)}\n{Path('c.yaml').read_text('utf-8')}", "utf-8"
    )
    refused = [
        bpnet("train", "c.yaml", "--name", odd), bpnet("train", "c.yaml", "--set", f"name={odd}"),
        bpnet("train", "config.yaml"), bpnet("runs", "show", odd), bpnet("plot", odd),
        bpnet("export", odd, "--to", "json"), bpnet("predict", odd), bpnet("predict", odd, "t.csv"),
    ]  # fmt: skip
    case.header[0] = odd
    case.write()
    refused += [bpnet("train", "c.yaml"), bpnet("data", "t.csv"), bpnet("init", "t.csv")]
    case.header[0], case.classes = "x", [odd, *case.classes[1:]]
    case.is_regression, case.rows = False, [case._row(rng, i) for i in range(36)]
    case.write()
    refused += [bpnet("train", "c.yaml")]
    for result in refused:
        assert (result.code, result.out) == (2, "")
        assert result.err
        assert is_harmless(result.err)
    assert not Path("runs").exists()
    assert not [*Path().rglob(CANARY)]


# A stranger's run, where a name may be anything.


FREE = {"meaning", "overrides", "argv", "warning", "stop_message", "config"}
"""The keys of a record whose texts may be any."""


def rewritten(value: Any, rng: Random, keys: set[str] | None = None) -> Any:
    """The same document with some of its texts in other words, below some keys or everywhere."""
    if isinstance(value, str):
        return any_name(rng) if keys is None and rng.random() < 0.5 else value
    if isinstance(value, list):
        return [rewritten(item, rng, keys) for item in value]
    if isinstance(value, dict):
        return {
            key: rewritten(item, rng, None if keys is None or key in keys else keys)
            for key, item in value.items()
        }
    return value


def with_odd_names(meta: dict[str, Any], rng: Random) -> None:
    """Other names in what describes the weights; the kinds of things stay."""
    known: set[str] = set()

    def new(make: Callable[[Random], str]) -> str:
        name = next(name for name in iter(lambda: make(rng), None) if name not in known)
        known.add(name)
        return name

    meta["class_names"] = [new(printable_name) for _ in meta["class_names"]]
    for column in meta["columns"]["inputs"]:
        column["name"] = new(printable_name)
        column["categories"] = [new(any_name) for _ in column["categories"]]
        if isinstance(column["fill"], str):
            column["fill"] = column["categories"][0]


EXPORTS = tuple(FORMATS) if FULL else ("python", "json", "onnx", "javascript", "sql", "latex")

READING = [
    ["runs", "list"], ["runs", "list", "--json"], ["runs", "show", "latest"],
    ["runs", "show", "latest", "--json"], ["runs", "diff", "latest~1", "latest"],
    ["eval", "latest"], ["predict", "latest", "--json"], ["predict", "latest", "t.csv", "--json"],
    ["predict", "latest", "new.csv", "--json"], ["plot", "latest", "--list"],
    ["plot", "latest", "loss", "-o", "l.svg"], ["trace", "latest", "--row", "1"],
    ["verify", "latest"],
    *(["export", "latest", "--to", to, "--force"] for to in EXPORTS),
]  # fmt: skip


@pytest.fixture(scope="module")
def trained_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, its config and two runs: copied, not trained again, for each seed."""
    from bpcli.cli.main import main

    folder, before = tmp_path_factory.mktemp("runs"), Path.cwd()
    try:
        os.chdir(folder)
        case = Case(Random(1))
        case.is_regression, case.inputs = False, [1, 2, 3]
        case.rows = [case._row(Random(2), i) for i in range(36)]
        case.write()
        for _ in range(2):
            assert main(["train", "c.yaml", "--quiet"]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.mark.parametrize("seed", range(STRANGERS))
def test_a_stranger_s_run_does_no_harm(
    bpnet, trained_runs: Path, tmp_path: Path, seed: int
) -> None:
    import shutil

    shutil.copytree(trained_runs, tmp_path, dirs_exist_ok=True)
    rng = Random(seed)
    run = max((tmp_path / "runs").iterdir(), key=lambda run: (run / RECORD).stat().st_mtime_ns)
    if seed % 2:
        write_sealed(run / RECORD, rewritten(record_of(Run(run)), rng, FREE))
        write_sealed(run / TAGS, {"tags": [any_name(rng) for _ in range(3)]})
    else:
        poison(run, lambda meta: with_odd_names(meta, rng))
    with Path("t.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    with Path("new.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([row[:3] for row in rows])
    for arguments in READING:
        result = bpnet(*arguments)
        assert result.code in (0, 2, 3, 4), (arguments, result.err)
        assert is_harmless(result.out + result.err), arguments
        if result.code and "verify" not in arguments:
            assert result.err.startswith("Error: "), arguments
    assert not [*tmp_path.rglob(CANARY)]
    assert (tmp_path / "c.py").exists(), result
    exec(compile((tmp_path / "c.py").read_bytes(), "c.py", "exec"), {})
    assert not [*tmp_path.rglob(CANARY)]
