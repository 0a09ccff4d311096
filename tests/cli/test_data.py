"""A look at a table, a config from it, and the newcomer's path from a file to predictions."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
from pathlib import Path
from statistics import mean

import pytest
from systems import CONFIGS

FLOWERS = "".join(
    f"{1 + i % 3 + i % 10 / 20:.2f},{3 - i % 7 / 10:.1f},{'small' if i % 2 else 'large'},"
    f"{('rose', 'tulip', 'daisy')[i % 3]}\n"
    for i in range(90)
)


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    path = tmp_path / "flowers.csv"
    path.write_text(FLOWERS)
    return path


def test_data_shows_columns_classes_and_the_next_command(bpnet, flowers: Path) -> None:
    done = bpnet("data", "flowers.csv")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert "header   no: row 1 has a number, 1.00" in lines
    assert any(line.split()[:2] == ["x3", "category"] for line in lines)
    assert any(line.split() == ["rose", "30", "33.3", "%"] for line in lines)
    assert lines[-1] == "write a config with: bpnet init flowers.csv"
    assert "\x1b" not in done.out


def test_the_next_command_has_the_options_that_were_given(bpnet, tmp_path: Path) -> None:
    (tmp_path / "my table.csv").write_text("a,b c\n1,none\n2,x\n3,y\n4,x\n")
    options = ("--target", "b c", "--header", "--missing", "none", "--missing", "no ne")
    done = bpnet("data", "my table.csv", *options)
    command = done.out.splitlines()[-1].partition(": ")[2]
    assert shlex.split(command) == ["bpnet", "init", "my table.csv", *options]
    assert "1 unique" not in done.out
    assert bpnet("data", "my table.csv", "--no-header").out.endswith(" --no-header\n")


def test_data_prints_one_json_document(bpnet, flowers: Path) -> None:
    done = bpnet("data", "flowers.csv", "--json", "--target", "1")
    document = json.loads(done.out)
    assert (document["rows"], document["duplicates"], document["header"]) == (90, 0, False)
    assert (document["target"], document["task"]) == ("x1", "regression")
    assert [column["measure"] for column in document["columns"]] == [None, "r", "eta", "eta"]
    assert document["columns"][3]["most_frequent"][0] == ["daisy", 30]


def test_odd_columns_are_told(bpnet, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,c,y\n" + "".join(f"{i},1,{i % 2}.5\n" for i in range(30)))
    lines = bpnet("data", "t.csv").out.splitlines()
    assert "warning: x numbers the rows: an id, not a feature" in lines
    assert "warning: c is always 1" in lines


def test_many_odd_columns_are_counted(bpnet, tmp_path: Path) -> None:
    head = ",".join(f"c{i}" for i in range(30))
    (tmp_path / "t.csv").write_text(f"{head},x,y\n" + f"{'1,' * 30}2,p\n{'1,' * 30}3,q\n" * 20)
    lines = bpnet("data", "t.csv").out.splitlines()
    (constant,) = (line for line in lines if "same value" in line)
    assert constant.startswith("warning: 30 columns have the same value in all rows: c0, c1, ")


def test_of_many_columns_a_choice_is_shown_and_said_to_be_one(bpnet, tmp_path: Path) -> None:
    head = ",".join([*(f"c{i}" for i in range(50)), "y"])
    rows = ("".join(f"{i * j % 11}," for j in range(1, 51)) + f"{i}.5" for i in range(30))
    (tmp_path / "t.csv").write_text("\n".join([head, *rows]))
    out = bpnet("data", "t.csv").out
    assert "kinds           number 51\n" in out
    assert "shown: the target, and at most 40 inputs with the strongest" in out
    assert "association, of 51 columns; --json shows all" in out
    assert len(json.loads(bpnet("data", "t.csv", "--json").out)["columns"]) == 51


def test_a_category_cannot_steer_the_terminal(bpnet, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n1,\x1b[31mred\n2,b\n3,b\n")
    done = bpnet("data", "t.csv")
    assert done.code == 0
    assert "\x1b" not in done.out
    assert "\\x1b[31mred" in done.out
    refused = bpnet("init", "t.csv")
    assert refused.code == 2
    assert "control characters" in refused.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "t.csv: the file is empty"),
        (b"a,b\n", "no rows"),
        (b"\x00\x01", "NUL"),
        (b"a,b\n5,1,2\n7,1,3\n", "the header has 2 names, but each row has 3"),
        (b"a,b\n1,2\n1\n", "row 2 has 1 field"),
    ],
)
@pytest.mark.parametrize("command", ["data", "init"])
def test_what_is_no_table_is_one_sentence(
    bpnet, tmp_path: Path, command: str, content: bytes, message: str
) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    done = bpnet(command, "t.csv")
    assert done.code == 2
    assert message in done.err
    assert len(done.err.splitlines()) == 1


def test_a_file_or_a_target_that_is_not_there(bpnet, flowers: Path) -> None:
    for command in ("data", "init"):
        assert "there is no file no.csv" in bpnet(command, "no.csv").err
        done = bpnet(command, "flowers.csv", "--target", "x9")
        assert (done.code, done.out) == (2, "")
        assert "flowers.csv: there is no column `x9`; the columns are" in done.err


def test_init_writes_a_config_beside_what_it_says(bpnet, flowers: Path) -> None:
    done = bpnet("init", "flowers.csv")
    assert done.code == 0
    assert done.err.splitlines() == [
        "header: no: row 1 has a number, 1.00",
        "target: x4: the last column",
        "task: classification into 3 classes: it contains categories",
        "wrote flowers.yaml; train it with: bpnet train flowers.yaml",
    ]
    assert "exists; --force" in bpnet("init", "flowers.csv").err
    assert bpnet("init", "flowers.csv", "--force", "--target", "2").code == 0
    assert "targets: x2 " in Path("flowers.yaml").read_text()
    assert bpnet("init", "flowers.csv", "-o", "other.yaml").code == 0
    assert "targets: x4 " in Path("other.yaml").read_text()


def test_init_tells_what_it_leaves_out(bpnet, tmp_path: Path) -> None:
    rows = "".join(f"{i % 7},1,{'x' if i == 8 else i},{'pq'[i % 2]}\n" for i in range(40))
    (tmp_path / "t.csv").write_text(f"a,b,c,y\n{rows}")
    lines = bpnet("init", "t.csv").err.splitlines()
    assert lines[3:5] == [
        "left out: b is always 1",
        "left out: c cannot be read: column `c`, row 9: `x` is not a number; see `missing`",
    ]
    head = ",".join(f"c{i}" for i in range(30))
    (tmp_path / "t.csv").write_text(f"{head},x,y\n" + f"{'1,' * 30}2,p\n{'1,' * 30}3,q\n" * 9)
    assert bpnet("init", "t.csv", "--force").err.splitlines()[-2] == "and 10 more left out"


def test_options_for_a_table_are_refused_for_a_template(bpnet) -> None:
    done = bpnet("init", "xor", "--target", "y")
    assert done.code == 2
    assert "are for a FILE; `xor` is not a file" in done.err


def next_command(text: str, verb: str) -> list[str]:
    """The last command of that name that an output says to type."""
    return shlex.split(re.findall(rf"with: bpnet ({verb} .*)", text)[-1])


def from_file_to_predictions(bpnet, name: str) -> list[dict[str, str]]:
    """The path in three commands, of which each output says the next."""
    written = bpnet("init", name)
    assert written.code == 0, written.err
    trained = bpnet(*next_command(written.err, "train"))
    assert trained.code == 0, trained.err
    predict = [name if word == "FILE" else word for word in next_command(trained.out, "predict")]
    predicted = bpnet(*predict)
    assert predicted.code == 0, predicted.err
    with Path("predictions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_three_commands_lead_from_a_file_to_predictions(bpnet, flowers: Path) -> None:
    predictions = from_file_to_predictions(bpnet, "flowers.csv")
    truth = [line.rpartition(",")[2] for line in FLOWERS.splitlines()]
    classes = [row["class"] for row in predictions]
    assert len(classes) == 90
    assert sum(map(str.__eq__, classes, truth)) >= 88


def test_a_run_without_a_file_has_no_new_rows_to_predict(bpnet) -> None:
    done = bpnet("train", CONFIGS / "xor.yaml", "--set", "training.epochs=3")
    assert "score it with" in done.out
    assert "new rows" not in done.out


def test_three_commands_lead_from_iris_as_downloaded_to_predictions(
    bpnet, tmp_path: Path, shared_data: Path
) -> None:
    content = (shared_data / "csv" / "iris.csv").read_text()
    (tmp_path / "iris.csv").write_text(content)
    predictions = from_file_to_predictions(bpnet, "iris.csv")
    truth = [line.rpartition(",")[2] for line in content.split()]
    assert sum(map(str.__eq__, (row["class"] for row in predictions), truth)) >= 144


@pytest.mark.parametrize(
    ("name", "metric", "least"),
    [
        ("abalone", "test.r2", 0.5),
        ("winequality-white", "test.r2", 0.3),
        ("ionosphere", "test.accuracy", 0.85),
    ],
)
def test_written_configs_train_well_on_real_tables(
    bpnet, shared_data: Path, name: str, metric: str, least: float
) -> None:
    assert bpnet("init", shared_data / "csv" / f"{name}.csv").code == 0
    trained = [bpnet("train", f"{name}.yaml", "--json", "--set", f"seed={k}") for k in range(3)]
    assert mean(json.loads(each.out)["metrics"][metric] for each in trained) >= least


@pytest.mark.slow
def test_the_written_config_trains_well_on_adult(bpnet, tmp_path: Path, shared_data: Path) -> None:
    rows = (shared_data / "csv" / "adult.csv").read_text().splitlines(keepends=True)
    few = None if os.environ.get("BPNET_FULL") else 8000
    (tmp_path / "adult.csv").write_text("".join(rows[:few]))
    assert bpnet("init", "adult.csv").code == 0
    trained = bpnet("train", "adult.yaml", "--json")
    assert json.loads(trained.out)["metrics"]["test.accuracy"] >= 0.83
