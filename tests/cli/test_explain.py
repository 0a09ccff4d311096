from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Result
from systems import CONFIGS

from bpcli.terminal.explanation import bars, importance_table
from bpcli.terminal.progress.steps import steps_line

Bpnet = Callable[..., Result]
Documents = Callable[..., Any]

CONFIG = """\
name: towns
data:
  file: t.csv
  targets: y
  fill: median
  indicator: [gap]
  calendar: [month]
  split: {train: 0.6, test: 0.4}
  scale: {inputs: standard}
network: {layers: [auto, 6, 1], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
training: {optimizer: rprop, epochs: 80, l2: 0.1}
"""


@pytest.fixture
def towns(bpnet: Bpnet) -> None:
    """Whether somebody buys depends on temp, the town and whether it is ok."""
    rng = random.Random(0)
    lines = ["day,temp,stadt,ok,gap,copy,y"]
    for _ in range(150):
        day = datetime.date(2020, 1, 1) + datetime.timedelta(days=rng.randrange(700))
        temp, town, ok = rng.gauss(20, 5), rng.choice(["Ulm", "Köln", "北京"]), rng.random() < 0.4
        gap = "" if rng.random() < 0.2 else f"{rng.gauss(0, 1):.2f}"
        score = (temp - 20) / 2 + {"Ulm": 0, "Köln": 3, "北京": -3}[town] + 2 * ok - 1
        copy = f"{2 * temp + rng.gauss(0, 0.1):.2f}"
        flag = str(ok).lower()
        cells = [
            f"{day:%d.%m.%Y}",
            f"{temp:.2f}",
            town,
            flag,
            gap,
            copy,
            ["no", "yes"][score > 0],
        ]
        lines.append(",".join(cells))
    Path("t.csv").write_text("\n".join(lines) + "\n", "utf-8")
    Path("t.yaml").write_text(CONFIG, "utf-8")
    assert bpnet("train", "t.yaml", "--quiet").code == 0


def test_inputs_are_columns_in_the_words_of_the_table(towns: None, bpnet: Bpnet) -> None:
    result = bpnet("explain", "latest")
    assert result.code == 0
    assert "best weights on the test split (60 rows)" in result.err
    head, _, *rows = result.out.splitlines()
    assert head.split() == [
        *("input", "rise", "of", "loss", "share", "effect", "on", "P(yes)", "loss", "of"),
        "accuracy",
    ]
    first = [row.split()[0] for row in rows[:7]]
    assert sorted(first) == ["copy", "day", "gap", "ok", "stadt", "temp", "temp"]
    assert {rows[0].split()[0], rows[1].split()[0]} == {"temp", "stadt"}
    assert any(row.startswith("temp + copy ") and "permuted together" in row for row in rows)
    assert any("highest for Köln, lowest for 北京" in row for row in rows)
    assert any("highest for true, lowest for false" in row for row in rows)
    assert "`temp`, `copy` carry nearly the same information" in result.out
    assert "Garson and Olden use only the scaled weights" in result.out


def test_the_document_and_the_options(towns: None, document: Documents) -> None:
    found = document("explain", "latest", "--repeats", 3, "--seed", 5, "--effects", "pd")
    assert (found["repeats"], found["seed"], found["method"]) == (3, 5, "pd")
    by_name = {each["name"]: each for each in found["inputs"]}
    assert by_name["stadt"]["kind"] == "category"
    assert by_name["stadt"]["sensitivity"] is None
    assert by_name["day"]["sensitivity"] is None, "a calendar has several inputs"
    assert by_name["stadt"]["olden"] is None
    assert sum(each["garson"]["P(yes)"] for each in by_name.values()) == pytest.approx(1)
    effects = {each["input"]: each for each in found["effects"]}
    assert effects["stadt"]["at"] == ["Köln", "Ulm", "北京"]
    assert effects["ok"]["at"] == ["false", "true"]
    assert effects["day"]["at"][0].startswith("2020-0")
    assert sum(effects["gap"]["rows"]) < 60, "rows without a value have no place on the curve"
    again = document(
        "explain", "latest", "--repeats", 3, "--seed", 5, "--effects", "pd", "--workers", 3
    )
    assert again == found


def test_one_row_by_its_number(towns: None, bpnet: Bpnet, document: Documents) -> None:
    out = bpnet("explain", "latest", "--row", 2).out
    line = Path("t.csv").read_text("utf-8").splitlines()[2].split(",")
    assert [row.split()[1] for row in out.splitlines() if row.startswith("stadt")] == [line[2]]
    assert "(mean of 90 training rows)" in out
    found = document("explain", "latest", "--row", 2)
    total = sum(each["shapley"][0]["value"] for each in found["inputs"])
    difference = found["prediction"]["P(yes)"] - found["base"]["P(yes)"]
    assert total == pytest.approx(difference, abs=1e-10)
    assert {each["shapley"][0]["error"] for each in found["inputs"]} == {0.0}
    other = bpnet("explain", "latest", "--row", 151)
    assert other.code == 2
    assert "There is no row 151 among the 150 rows up to row 150." in other.err


def test_rows_of_a_file(towns: None, bpnet: Bpnet, document: Documents) -> None:
    head, *lines = Path("t.csv").read_text("utf-8").splitlines()
    Path("new.csv").write_text("\n".join([head, *lines[:40]]), "utf-8")
    result = bpnet("explain", "latest", "new.csv")
    assert "best weights on new.csv (40 rows)" in result.err
    assert document("explain", "latest", "new.csv")["split"] == "data"
    hot = [line.split(",") for line in lines[:9]]
    hot[0][1], hot[1][2] = "99", "Paris"
    Path("new.csv").write_text("\n".join([head, *map(",".join, hot)]), "utf-8")
    result = bpnet("explain", "latest", "new.csv")
    assert "Paris" in result.err
    assert "where the network extrapolates: `day` 1, `temp` 1\n" in result.out
    Path("new.csv").write_text(f"{head}\n{lines[0]}\n", "utf-8")
    result = bpnet("explain", "latest", "new.csv")
    assert result.code == 2
    assert "there is one row only: use more rows, or explain this one with --row." in result.err
    assert "latest" not in bpnet("explain", "latest", "new.csv", "--row", 1).err
    Path("new.csv").write_text(f"{head}\n", "utf-8")
    assert "no rows" in bpnet("explain", "latest", "new.csv").err


def test_options_that_contradict_each_other(towns: None, bpnet: Bpnet) -> None:
    for arguments, message in (
        (("t.csv", "--split", "test"), "FILE and --split both select the rows"),
        (("--decimal", ","), "need FILE"),
        (("--figure", "a.doc"), "--figure a.doc: expected a name that ends in .svg"),
    ):
        result = bpnet("explain", "latest", *arguments)
        assert result.code == 2
        assert message in result.err


@pytest.mark.parametrize("arguments", [(), ("--row", 3)])
def test_plots_in_every_format(arguments: tuple[Any, ...], towns: None, bpnet: Bpnet) -> None:
    formats = {".svg": b"<?xml"} | ({".png": b"\x89PNG", ".pdf": b"%PDF"} if arguments else {})
    for suffix, start in formats.items():
        result = bpnet("explain", "latest", "--figure", f"f/a{suffix}", *arguments)
        assert result.code == 0, result.err
        assert f"saved in f/a{suffix}" in result.out
        assert Path(f"f/a{suffix}").read_bytes().startswith(start)
    text = Path("f/a.svg").read_text("utf-8")
    assert "stadt" in text
    assert ("Importance of the inputs" in text) == (not arguments)


def test_an_imported_network_needs_a_file(towns: None, bpnet: Bpnet) -> None:
    assert bpnet("export", "latest", "--to", "json", "-o", "m.json").code == 0
    assert bpnet("import", "m.json", "-o", "imported").code == 0
    alone = bpnet("explain", "imported")
    assert alone.code == 2
    assert "`bpnet explain RUN FILE`" in alone.err
    text = Path("t.csv").read_text("utf-8").replace(",y\n", ",class\n")
    Path("t.csv").write_text(text, "utf-8")
    result = bpnet("explain", "imported", "t.csv")
    assert result.code == 0
    assert "the training rows are not used: " in result.err
    assert "temp + copy" in result.out
    assert "(mean of 100 new rows)" in bpnet("explain", "imported", "t.csv", "--row", 1).out


def test_streamed_rows_an_average_and_an_autoencoder(bpnet: Bpnet, document: Documents) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    np.save("s.npy", np.column_stack([X, X @ [1, -2]]))
    Path("s.yaml").write_text(
        "data: {file: s.npy}\n"
        "network: {layers: [2, 3, 1], activations: [tanh, identity]}\nloss: mse\n"
        "training: {optimizer: rprop, epochs: 30}\n"
    )
    assert bpnet("train", "s.yaml", "--quiet", "--set", "training.engine=stream").code == 0
    found = document("explain", "latest")
    assert [each["name"] for each in found["inputs"]] == ["x2", "x1"]
    assert document("explain", "latest", "--row", 300)["row"] == 300
    average = "training.restarts={count: 3, combine: mean, keep: 2}"
    assert bpnet("train", "s.yaml", "--quiet", "--set", average).code == 0
    found = document("explain", "latest")
    assert found["inputs"][0]["direction"] == "falls"
    assert found["bands"] == "restarts"
    (line,) = found["effects"][0]["outputs"]
    low, effect, high = (np.array(line[key]) for key in ("low", "effect", "high"))
    assert low + high == pytest.approx(2 * effect), "two curves, and their mean"
    assert (high > low).any()
    small = ("--set", "training.epochs=30")
    assert bpnet("train", CONFIGS / "encoder_8_3_8.yaml", "--quiet", *small).code == 0
    found = document("explain", "latest")
    assert {*found["baseline"]} == {"loss", "rmse"}
    assert len(found["inputs"]) == len(found["outputs"]) == 8


def test_an_input_that_is_constant_in_the_rows(towns: None, bpnet: Bpnet) -> None:
    head, *lines = Path("t.csv").read_text("utf-8").splitlines()
    cells = [line.split(",") for line in lines[:30]]
    same = [",".join([day, "20", *rest]) for day, _, *rest in cells]
    Path("new.csv").write_text("\n".join([head, *same]), "utf-8")
    result = bpnet("explain", "latest", "new.csv")
    assert result.code == 0, result.err
    (row,) = [line for line in result.out.splitlines() if line.startswith("temp ")][:1]
    assert "always the same" in row
    assert float(row.split()[1]) == 0
    assert "+" not in result.out.split("rise of loss:")[0]


def test_a_table_fits_a_terminal(towns: None, document: Documents) -> None:
    found = document("explain", "latest")
    for width in (80, 120):
        grid = importance_table(found, width)
        assert grid.width <= width
        assert "share" in grid.headers
    assert importance_table(found, 80).headers[-1].startswith("effect")
    assert importance_table(found, 200).headers[-1] == "loss of accuracy"


def test_bars_and_the_line_of_progress() -> None:
    assert bars([2.0, 1.0, -1.0, None]) == ["█" * 10, "█" * 5, "", ""]
    assert bars([-1.0, 0.0]) == ["", ""]
    assert steps_line("inputs", 5, 10) == f"inputs  {'━' * 12}{'╌' * 12}  5 of 10"
