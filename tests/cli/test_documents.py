from __future__ import annotations

import json
import random
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from systems import CONFIGS

from bpcli import cli
from bpcli.cli import train as train_command
from bpcli.cli.main import bpnet as group
from bpcli.errors import BpnetError, ConfigError, ConfigIssue, WorkerLost
from bpcli.gradcheck import catalogue

XOR = CONFIGS / "xor.yaml"
SHORT = ("--set", "training.epochs=3")
PAGE = (Path(cli.__file__).parents[1] / "docs" / "documents.md").read_text("utf-8")
DOCUMENTS = dict(re.findall(r"^\*\*(.*)\*\*\n\n((?:- .*\n)+)", PAGE, re.MULTILINE))
"""The lines on the keys of each document, by its name."""


@pytest.fixture
def document(bpnet: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command with `--json`; its exit code and its one document."""

    def run(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
        result = bpnet(*arguments, "--json")
        assert result.code == code, result.err
        found: dict[str, Any] = json.loads(result.out)
        assert next(iter(found)) == "schema"
        assert found.pop("schema") == 1
        assert ("error" in found) == bool(code)
        assert bool(result.err) or not code
        return found

    return run


def described(name: str) -> tuple[set[str], set[str]]:
    """The keys that a document has, and those that it may have."""
    heads = [line.partition(": ")[0] for line in DOCUMENTS[name].splitlines()]
    keys = [key for head in heads for key in re.findall(r"`(\w+)`( \(if any\))?", head)]
    return {key for key, condition in keys if not condition}, {key for key, _ in keys}


def test_every_document_has_the_keys_that_are_described(
    document: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "check_catalogue", list)  # it takes a minute
    rng = random.Random(0)
    rows = [f"{rng.random()},{rng.random()},{'pq'[number % 2]}\n" for number in range(60)]
    Path("t.csv").write_text("".join(["a,b,y\n", *rows]))
    folds = "data.split={folds: 2, val: 0.2}"
    commands = {
        "init": "init",
        "init TEMPLATE": "init xor",
        "init FILE": "init t.csv",
        "data": "data t.csv",
        "check": "check t.yaml",
        "train": "train t.yaml --profile --set training.epochs=3",
        "train, with folds": f"train t.yaml --set training.epochs=3 --set '{folds}'",
        "compare": "compare t.yaml --optimizers rprop,adam --set training.epochs=3",
        "eval": "eval latest",
        "predict": "predict latest",
        "trace": "trace xor.yaml",
        "gradcheck": "gradcheck",
        "gradcheck CONFIG|RUN": "gradcheck xor.yaml --rows 2 --entries 2",
        "gradcheck --self-test": "gradcheck --self-test",
        "verify": "verify latest",
        "plot": "plot latest loss",
        "export": "export latest --to json",
        "runs list": "runs list",
        "runs show": "runs show latest",
        "runs diff": "runs diff latest~1 latest",
        "a command that fails": "eval nothing",
    }
    assert commands.keys() == DOCUMENTS.keys()
    for name, command in commands.items():
        required, allowed = described(name)
        found = {*document(*shlex.split(command), code=2 if "fails" in name else 0)}
        assert required <= found <= allowed, (name, found ^ allowed)


def test_every_command_that_prints_a_document_is_described() -> None:
    def commands(inner: click.Group, path: str = "") -> list[str]:
        context = click.Context(inner)
        found = []
        for name in inner.list_commands(context):
            command = inner.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                found += commands(command, f"{path}{name} ")
            elif any("--json" in parameter.opts for parameter in command.params):
                found.append(f"{path}{name}")
        return found

    assert {"init", "plot", "export", "train", "runs list"} <= {*commands(group)}
    for name in commands(group):
        assert any(title.startswith(name) for title in DOCUMENTS), name


def test_the_description_can_be_printed(bpnet: Callable[..., Any]) -> None:
    assert bpnet("schema", "--documents").out == PAGE
    assert "- `profile` (if any): " in PAGE


def test_rows_of_a_file_are_one_document_too(document: Callable[..., Any]) -> None:
    Path("t.csv").write_text("a,y\n1,2\n2,4\n3,6\n4,8\n")
    Path("c.yaml").write_text(
        "data: {file: t.csv}\nnetwork: {layers: [auto, auto], activations: [identity]}\nloss: mse\n"
    )
    document("train", "c.yaml", *SHORT)
    own = document("predict", "latest")["rows"]
    rows = document("predict", "latest", "t.csv")["rows"]
    assert [row["outputs"] for row in rows] == [row["outputs"] for row in own]
    Path("bad.csv").write_text("a\n" + "1\n" * 50_000 + "x\n")
    error = document("predict", "latest", "bad.csv", code=2)["error"]
    assert error["kind"] == "data"
    assert "`x` is not a number" in error["message"]


# Failures.


def test_the_errors_of_a_config_are_told_with_their_places(document: Callable[..., Any]) -> None:
    Path("wrong.yaml").write_text(
        "data: {generator: mooons}\nnetwork:\n  layers: [2, 4, 1]\n  activations: [tanh]\n"
        "loss: mse\n"
    )
    command = ("check", "wrong.yaml", "--set", "training.epoch=5", "--set", "seed=010")
    error = document(*command, code=2)["error"]
    assert error["kind"] == "config"
    assert error["message"].endswith("4 errors in wrong.yaml")
    found = [
        [issue[key] for key in ("file", "line", "column", "origin", "key")]
        for issue in error["issues"]
    ]
    assert found == [
        [None, None, 12, "--set seed=010", "seed"],
        [None, None, 16, "--set training.epoch=5", "training.epoch"],
        ["wrong.yaml", 1, 19, None, "data.generator"],
        ["wrong.yaml", 4, 16, None, "network.activations"],
    ]
    assert error["issues"][1]["message"] == "unknown key `epoch`; did you mean `epochs`?"


def test_what_only_the_data_show_is_told_with_its_place(document: Callable[..., Any]) -> None:
    Path("c.yaml").write_text(
        "data: {generator: xor}\nnetwork:\n  layers: [3, 1]\n  activations: [sigmoid]\nloss: mse\n"
    )
    (issue,) = document("train", "c.yaml", code=2)["error"]["issues"]
    assert (issue["line"], issue["column"], issue["key"]) == (3, 12, "network.layers.0")
    Path("c.yaml").write_text("a: 1\nb: [1, 2\n")
    (issue,) = document("train", "c.yaml", code=2)["error"]["issues"]
    assert (issue["line"], issue["column"]) == (2, 4)
    assert "never closed" in issue["message"]


def test_a_caller_from_python_reads_the_same_issues() -> None:
    from bpcli.config.load import validate
    from bpcli.config.source import Source

    with pytest.raises(ConfigError) as caught:
        validate(Source.parse("name: t\nloss: mse\ntraining: {epochs: x}\n", "c.yaml"))
    places = [(issue.file, issue.line, issue.column, issue.key) for issue in caught.value.issues]
    assert places == [
        ("c.yaml", None, None, "data"),
        ("c.yaml", None, None, "network"),
        ("c.yaml", 3, 20, "training.epochs"),
    ]
    assert caught.value.issues[2].message == "found `x`, expected a whole number"


@pytest.mark.parametrize(
    ("command", "kind", "code"),
    [
        ("train", "usage", 2),
        ("nonsense", "usage", 2),
        ("train --nonsense", "usage", 2),
        ("eval x --split all", "usage", 2),
        ("train nothing.yaml", "config", 2),
        ("eval nothing", "run", 2),
        ("data nothing.csv", "data", 2),
    ],
)
def test_a_failure_is_a_document(
    document: Callable[..., Any], command: str, kind: str, code: int
) -> None:
    found = document(*command.split(), code=code)
    assert found["error"] | {"message": ""} == {"kind": kind, "message": "", "issues": []}
    assert found["error"]["message"]


def test_a_command_that_fails_at_its_end_tells_what_it_found_too(
    document: Callable[..., Any],
) -> None:
    document("train", XOR, *SHORT)
    found = document("eval", "latest", "--require", "train.accuracy>2", code=4)
    assert found["error"]["kind"] == "gate"
    assert found["required"][0]["passed"] is False
    Path("c.yaml").write_text(
        "data: {inputs: [[1.0e+200], [2.0e+200]], targets: [[1], [2]]}\n"
        "network: {layers: [1, 1], activations: [identity]}\nloss: mse\n"
    )
    found = document("train", "c.yaml", code=3)
    assert found["error"]["kind"] == found["status"] == "diverged"


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (KeyboardInterrupt(), "interrupted", 130),
        (WorkerLost("A worker process ended."), "worker", 1),
        (RuntimeError("oops"), "internal", 1),
        (MemoryError(), "limit", 2),
    ],
)
def test_so_is_what_happens_on_the_way(
    document: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    kind: str,
    code: int,
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.delenv("BPNET_DEBUG")
    monkeypatch.setattr(train_command, "_loaded", fail)
    if kind == "limit":
        monkeypatch.setattr("bpcli.system.abandon", lambda _: None)  # that of the tests
    assert document("train", XOR, code=code)["error"]["kind"] == kind


def test_without_json_a_failure_prints_nothing_on_stdout(bpnet: Callable[..., Any]) -> None:
    for command in ("train nothing.yaml", "train", "eval x -- --json"):
        result = bpnet(*command.split())
        assert (result.code, result.out) == (2, "")


def test_a_failure_after_the_reader_has_left_keeps_its_exit_code() -> None:
    command = [sys.executable, "-m", "bpcli", "train", "nothing.yaml", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait() == 2


def test_every_kind_of_failure_is_described() -> None:
    def kinds(error: type[BpnetError]) -> set[str]:
        return {error.kind}.union(*map(kinds, error.__subclasses__()))

    told = DOCUMENTS["a command that fails"]
    for kind in {"usage", "internal"}.union(*map(kinds, BpnetError.__subclasses__())):
        assert kind in told
    issue = ConfigIssue("m").to_json()
    assert {*issue} <= {*told.replace("`", " ").split()}
