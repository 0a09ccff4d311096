"""`bpnet data convert`: what it prints, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli.terminal.progress import conversion


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "花.csv"
    path.write_text(
        "长度,颜色,种类\n"
        + "".join(f"{i % 9}.5,{'红白'[i % 2]},{'甲乙丙'[i % 9 // 3]}\n" for i in range(90)),
        "gbk",
    )
    return path


def test_it_says_what_it_made_and_the_next_command(bpnet: Callable[..., Any], table: Path) -> None:
    done = bpnet("data", "convert", table.name, "花.npy", "--inputs", "长度,颜色")
    assert done.code == 0
    assert done.err.splitlines() == [
        (
            "note: 花.csv: not UTF-8, read as gb18030, with words such as 长度, 颜色; if that is "
            "wrong, set `encoding`"
        ),
        "note: the target is `种类`: the last column; --target names another",
    ]
    assert done.out.splitlines() == [
        "file     花.npy, 1,568 bytes",
        "names    花.npy.json",
        "numbers  float32: it represents every number exactly",
        "rows     90",
        "inputs   3: `长度`, `颜色=白`, `颜色=红`",
        "target   种类 (3 classes)",
        "",
        "describe it with: bpnet data '花.npy'",
    ]
    described = bpnet("data", "花.npy")
    assert "target   种类: recorded when the table was converted" in described.out
    assert np.load("花.npy")[:3].tolist() == [[0.5, 0, 1, 2], [1.5, 1, 0, 2], [2.5, 0, 1, 2]]


def test_from_a_table_by_way_of_an_array_to_predictions(
    bpnet: Callable[..., Any], table: Path
) -> None:
    assert bpnet("data", "convert", table.name, "t.npy").code == 0
    assert bpnet("init", "t.npy").code == 0
    trained = bpnet("train", "t.yaml", "--json", "--set", "training.epochs=30")
    assert json.loads(trained.out)["metrics"]["train.accuracy"] > 0.9
    assert sorted(Path(each).name for each in json.loads(trained.out)["data_files"]) == [
        "t.npy", "t.npy.json",
    ]  # fmt: skip
    predicted = bpnet("predict", "latest", "t.npy")
    assert predicted.out.splitlines()[0].split("\t") == ["P(丙)", "P(乙)", "P(甲)", "class"]
    assert len(predicted.out.splitlines()) == 91


def test_the_description_of_a_table_is_as_before(bpnet: Callable[..., Any], table: Path) -> None:
    assert bpnet("data", "--json", table.name).code == 0
    assert bpnet("data", table.name, "--json").code == 0
    assert "Missing argument 'FILE'" in bpnet("data").err
    assert "unexpected extra argument (b.csv)" in bpnet("data", table.name, "b.csv").err
    table.rename("convert")
    assert "encoding" in bpnet("data", "./convert", "--json").out
    help_text = bpnet("data", "--help").out
    assert help_text.startswith("Usage: bpnet data [OPTIONS] FILE\n")
    assert "\n  convert  Convert a table to numbers" in help_text
    assert bpnet("data", "convert", "-h").out.startswith(
        "Usage: bpnet data convert [OPTIONS] SOURCE DEST\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fill", "mean", "--drop-missing"], "use only one"),
        (["--indicator"], "--indicator needs --fill"),
        (["--target", "nothing"], "there is no column `nothing`"),
        (["--inputs", "种类"], "no columns are left for the inputs"),
        (["--sheet", "a"], "only spreadsheets have sheets"),
        (["--layout", "columns"], "transpose the table"),
    ],
)
def test_options_that_contradict(
    bpnet: Callable[..., Any], table: Path, options: list[str], message: str
) -> None:
    done = bpnet("data", "convert", table.name, "t.npy", *options)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert {path.name for path in Path().iterdir()} == {table.name}


def test_ctrl_c_ends_with_130_and_a_sentence(
    bpnet: Callable[..., Any], table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(conversion.PlainConversion, "read", interrupt)
    done = bpnet("data", "convert", table.name, "t.npy")
    assert done.code == 130
    assert "Repeat the command to continue." in done.err
    monkeypatch.undo()
    monkeypatch.chdir(table.parent)
    again = bpnet("data", "convert", table.name, "t.npy")
    assert "note: continues after row 90" in again.err


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i / 7},{i}\n" for i in range(3000)))
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))\n"
        "from bpcli.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    for size in (100, 30_000, 60_000, 10**6):
        done = subprocess.run(
            [sys.executable, "-c", program.format(size), "data", "convert", "t.csv", "t.npy"],
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == (0 if size == 10**6 else 2), done.stderr
        assert "could not be" in done.stderr or size == 10**6
        assert "Internal" not in done.stderr
        assert (tmp_path / "t.npy").exists() == (size == 10**6)
    assert len(np.load(tmp_path / "t.npy")) == 3000
    assert {path.name for path in tmp_path.iterdir()} == {"t.csv", "t.npy", "t.npy.json"}
