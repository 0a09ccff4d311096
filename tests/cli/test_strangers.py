"""Runs and tables of strangers: no name in them is run, computed, or steers a terminal."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from strangers import CANARY, is_harmless, poison

from bpcli.cli.main import main
from bpcli.export.export import FORMATS

CONFIG = """\
data: {file: t.csv, targets: 4, task: classification, split: {test: 0.3}}
network: {layers: [auto, 3, auto], activations: [tanh, OUTPUT]}
loss: LOSS
training: {epochs: 4, optimizer: rprop}
"""


def write_table(header: list[str], words: list[str], answers: list[str]) -> None:
    """t.csv: two columns of numbers, one of words, and the answers."""
    rows = [
        [f"{i % 7}", f"{i % 5}", words[i % len(words)], answers[i % len(answers)]]
        for i in range(30)
    ]
    with Path("t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def train(bpnet, tmp_path: Path):
    """Train on a table with these names; the run's folder."""

    def trained(header: list[str], words: list[str], answers: list[str]) -> Path:
        write_files(header, words, answers)
        result = bpnet("train", "c.yaml", "--quiet")
        assert result.code == 0, result.err
        return tmp_path / "runs" / result.out.strip()

    return trained


def write_files(header: list[str], words: list[str], answers: list[str]) -> None:
    """The table, and the config of a network for it."""
    write_table(header, words, answers)
    output, loss = "sigmoid", "binary_cross_entropy"
    if len(set(answers)) > 2:
        output, loss = "softmax", "cross_entropy"
    Path("c.yaml").write_text(CONFIG.replace("OUTPUT", output).replace("LOSS", loss))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table of plain names, its config and a run: copied, not trained again."""
    folder = tmp_path_factory.mktemp("plain")
    with contextlib.chdir(folder):
        write_files(["n", "m", "colour", "y"], ["red", "blue"], ["yes", "no"])
        assert main(["train", "c.yaml", "--quiet"]) == 0
    return folder


@pytest.fixture
def run(bpnet, plain: Path, tmp_path: Path) -> Path:
    """A run on a table of plain names, in a folder of its own."""
    shutil.copytree(plain, tmp_path, dirs_exist_ok=True)
    (copied,) = (tmp_path / "runs").iterdir()
    return copied


TOUCH = f"__import__('pathlib').Path('{CANARY}').touch()"


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("kind", [f"{TOUCH} or str", f"str, {{}}), ({TOUCH}, str", "missing", "np"])
def test_the_kind_of_a_strangers_column_is_never_run(bpnet, run, kind, to) -> None:
    poison(run, lambda meta: meta["columns"]["inputs"][0].update(kind=kind))
    result = bpnet("export", "latest", "--to", to)
    assert not Path(CANARY).exists()
    assert result.code == 2
    assert "`columns.inputs.0.kind`: Input should be 'number', 'boolean', 'cat" in result.err
    assert len(result.err.splitlines()) == 1
    assert not [*Path().glob("c.[jpocmstx]*")]
    assert bpnet("predict", "latest", "t.csv").code == 2


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda meta: meta["class_names"].__setitem__(0, f"' + {TOUCH} + '"), 0),
        (lambda meta: meta["columns"]["inputs"][0].update(name=f"')] + [{TOUCH}] + [('"), 0),
        (
            lambda meta: meta["columns"]["inputs"][2].update(
                categories=["a", f"\\'{TOUCH}"], fill="a"
            ),
            0,
        ),
        (
            lambda meta: meta["columns"]["inputs"][2].update(
                categories=["\x1b[31m", "\n"], fill="\n"
            ),
            0,  # for most formats
        ),
        (lambda meta: meta["class_names"].__setitem__(0, "yes"), 2),
        (lambda meta: meta["class_names"].__setitem__(0, "\ud800"), 2),
        (lambda meta: meta["class_names"].__setitem__(0, "\x1b[31m\x9b\u202e"), 2),
        (lambda meta: meta["columns"]["inputs"][0].update(name="m"), 2),
        (lambda meta: meta["columns"]["inputs"][0].update(kind="date", date_format=TOUCH), 2),
        (lambda meta: meta["columns"]["inputs"][2].update(categories=["a", "a"]), 2),
        (lambda meta: meta["columns"]["inputs"][2].update(categories=["a", "\ud800"]), 2),
    ],
)
def test_the_names_of_a_stranger_are_never_run(bpnet, run, change, code: int, to) -> None:
    poison(run, change)
    result = bpnet("export", "latest", "--to", to)
    assert not Path(CANARY).exists()
    is_refused = to in {"sql", "xlsx"} and "rename it" in result.err
    assert result.code == (2 if is_refused else code), result.err
    assert is_harmless(result.out + result.err)
    assert (result.code == 0) == bool([*Path().glob("c.[jpocmstx]*")])


def test_a_name_adds_no_line_to_an_error(bpnet, run) -> None:
    forged = "n\nError: forged\u2028"
    poison(run, lambda meta: meta["columns"]["inputs"][0].update(name=forged))
    result = bpnet("predict", "latest", "t.csv")
    assert result.code == 2
    assert "`columns.inputs.0.name`: a name must not have control characters" in result.err
    assert len(result.err.splitlines()) == 1


# Formulas.

FORMULAS = [
    "=cmd|' /C calc'!A0", "+1+2", "-2+3", "@SUM(1)", "＝1", "＋1", "－x", "＠A1", "--", "=", "-1-",
    "+", "-0x10", "+49 123",
]  # fmt: skip
NUMBERS = ["-1", "1.5", "-2.5", "+3", "-1e-05", "-.5"]


def cells(text: str, separator: str = "\t") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


@pytest.mark.parametrize("name", FORMULAS if os.environ.get("BPNET_FULL") else FORMULAS[::3])
def test_a_name_that_is_a_formula_gets_a_mark(bpnet, train, name) -> None:
    train([name, "m", "colour", "y"], ["red", name], [name, "no"])
    own = bpnet("predict", "latest")
    header, *rows = cells(own.out)
    assert header[:3] == ["row", f"'{name}", "m"]
    assert {*header[3:5]} == {"colour=red", f"colour={name}"}
    assert {row[-1] for row in rows} == {f"'{name}", "no"}
    assert "a ' was put before 1 name that a spreadsheet would read as a formula; --raw" in own.err
    raw = bpnet("predict", "latest", "--raw")
    assert raw.err == ""
    assert {row[-1] for row in cells(raw.out)[1:]} == {name, "no"}
    assert cells(raw.out)[0][1] == name
    document = json.loads(bpnet("predict", "latest", "--json").out)["rows"]
    assert {row["target"] for row in document} == {name, "no"}
    for output, separator in (("o.csv", ","), ("o.tsv", "\t")):
        expected = [
            row["class"]
            for row in json.loads(bpnet("predict", "latest", "t.csv", "--json").out)["rows"]
        ]
        marked = bpnet("predict", "latest", "t.csv", "-o", output)
        found = [row[-1] for row in cells(Path(output).read_text("utf-8"), separator)[1:]]
        assert found == [f"'{word}" if word == name else word for word in expected]
        assert ("--raw leaves names unchanged" in marked.err) == (name in expected)
        bare = bpnet("predict", "latest", "t.csv", "-o", output, "--raw")
        found = [row[-1] for row in cells(Path(output).read_text("utf-8"), separator)[1:]]
        assert found == expected
        assert "--raw" not in bare.err
    for output in ("o.json", "o.jsonl", "o.npz"):
        assert "--raw" not in bpnet("predict", "latest", "t.csv", "-o", output).err
    lines = [json.loads(line)["class"] for line in Path("o.jsonl").read_text("utf-8").splitlines()]
    assert lines == expected
    assert [row["class"] for row in json.loads(Path("o.json").read_text("utf-8"))] == expected


def test_numbers_never_get_a_mark(bpnet, train) -> None:
    train(["n", "m", "colour", "y"], ["red", "blue"], ["-1", "1", "-2.5"])
    for arguments in (("latest",), ("latest", "t.csv"), ("latest", "t.csv", "-o", "o.csv")):
        result = bpnet("predict", *arguments)
        assert "'" not in result.out
        assert "--raw" not in result.err
    assert "'" not in Path("o.csv").read_text()


def test_classes_that_are_said_for_no_row_are_not_counted(bpnet, train) -> None:
    train(["n", "m", "colour", "y"], ["red", "blue"], ["=a", "=b"])
    result = bpnet("predict", "latest", "t.csv")
    said = {row[-1] for row in cells(result.out)[1:]}
    assert f"{len(said)} name" in result.err


@pytest.mark.parametrize("word", ["a\tb", "a\nb", 'a"b', "a\rb", "a\r\nb", '"', ' "x', "a,b"])
def test_a_cell_of_any_characters_is_one_cell(bpnet, train, word) -> None:
    train(["n", "m", "colour", "y"], ["red", word], ["yes", "no"])
    document = json.loads(bpnet("predict", "latest", "--json").out)["rows"]
    header, *rows = cells(bpnet("predict", "latest").out)
    assert header == ["row", *document[0]["inputs"], "P(yes)", "class", "target"]
    assert {len(row) for row in rows} == {len(header)}
    assert len(rows) == 30


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("latest", "--raw", "--json"), "--raw is for CSV and TSV"),
        (("latest", "t.csv", "--raw", "--json"), "--raw is for CSV and TSV"),
        (("latest", "t.csv", "--raw", "-o", "o.json"), "o.json: --raw is for CSV and TSV"),
        (("latest", "t.csv", "--raw", "-o", "o.npz"), "o.npz: --raw is for CSV and TSV"),
    ],
)
def test_raw_is_for_what_would_be_marked(bpnet, arguments, complaint) -> None:
    result = bpnet("predict", *arguments)
    assert result.code == 2
    assert "outputs" not in result.out
    assert complaint in result.err


# Terminals.

STEERING = "\x1b[31mred\x1b]0;title\x07\x9b2J\x7f\u2028\u202egnp\u2066"


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """What a command writes to a terminal, without the codes that rich colours with."""
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    main, side = pty.openpty()
    environment = {"COLUMNS": "300", "TERM": "dumb", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "bpcli", *arguments],
        stdin=subprocess.DEVNULL, stdout=side, stderr=side, cwd=folder,
        env=os.environ | environment,
    ) as process:  # fmt: skip
        os.close(side)
        text = b""
        try:
            while chunk := os.read(main, 65536):
                text += chunk
        except OSError:  # Linux says so when the other end is closed
            pass
    os.close(main)
    assert process.returncode == 0, text
    return text.decode().replace("\r\n", "\n")


def test_names_do_not_steer_a_terminal(train, tmp_path: Path) -> None:
    train(["n", "m", "colour", "y"], ["red", STEERING], ["yes", "no", "perhaps"])
    assert is_harmless(on_a_terminal(tmp_path, "predict", "latest"))
    for options in ([], ["--raw"], ["--json"], ["-o", "-"]):
        for keep in ([], ["--keep", "colour,y"]):
            shown = on_a_terminal(tmp_path, "predict", "latest", "t.csv", *options, *keep)
            assert is_harmless(shown)
            assert "perhaps" in shown


def test_json_is_the_same_document_in_printable_characters(bpnet, train) -> None:
    words = [STEERING, "🙂 中文 é", "\ue000\U000f0000", "a\nb\tc"]
    train(["n", "m", "colour", "y"], words, ["yes", "no"])
    for arguments in (
        ("predict", "latest"),
        ("data", "t.csv"),
        ("check", "c.yaml"),
        ("runs", "show", "latest"),
    ):
        result = bpnet(*arguments, "--json")
        assert is_harmless(result.out)
        assert "\t" not in result.out
        json.loads(result.out)
    inputs = json.loads(bpnet("predict", "latest", "--json").out)["rows"][0]["inputs"]
    assert {name.removeprefix("colour=") for name in inputs} == {"n", "m", *words}
    assert "🙂 中文 é" in bpnet("predict", "latest", "--json").out


# Standard input.


def closed(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command whose standard input the shell has closed."""
    command = [sys.executable, "-m", "bpcli", *arguments]
    return subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(os.name == "nt", reason="the shell is that of a POSIX system")
def test_a_closed_standard_input_is_said(run, tmp_path: Path) -> None:
    done = closed(tmp_path, "predict", "latest", "-")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: Standard input is closed: name a FILE, or pipe rows to `-`.\n"
    done = closed(tmp_path, "runs", "rm", "latest")
    assert done.returncode == 2
    assert "standard input is not one; --yes deletes without a confirmation" in done.stderr
    assert run.is_dir()
    for arguments in (("export", "latest", "--to", "python"), ("eval", "latest")):
        assert closed(tmp_path, *arguments).returncode == 0
