"""The page on the documents of `--json`, against the documents themselves."""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import commands

from bpcli import cli
from bpcli.errors import BpnetError, ConfigIssue
from bpcli.gradient_check import catalogue

PAGE = (Path(cli.__file__).parents[1] / "docs" / "documents.md").read_text("utf-8")
DOCUMENTS = dict(re.findall(r"^\*\*(.*)\*\*\n\n((?:- .*\n)+)", PAGE, re.MULTILINE))
"""The lines on the keys of each document, by its name."""


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
        "data convert": "data convert t.csv t.npy",
        "check": "check t.yaml",
        "train": "train t.yaml --profile --set training.epochs=3",
        "train, with folds": f"train t.yaml --set training.epochs=3 --set '{folds}'",
        "compare": "compare t.yaml --optimizers rprop,adam --set training.epochs=3",
        "sweep": "sweep t.yaml --grid hidden=2,3 --set training.epochs=3",
        "size": "size t.yaml --hidden 2,3 --restarts 1 --splits 1 --set training.epochs=3",
        "eval": "eval latest",
        "eval RUN OTHER --paired": "eval latest~2 latest --paired",
        "diagnose": "diagnose latest",
        "explain": "explain latest",
        "explain --row": "explain latest --row 1",
        "predict": "predict latest",
        "trace": "trace xor.yaml",
        "gradcheck": "gradcheck",
        "gradcheck CONFIG|RUN": "gradcheck xor.yaml --rows 2 --entries 2",
        "gradcheck --self-test": "gradcheck --self-test",
        "verify": "verify latest",
        "plot": "plot latest loss",
        "report": "report latest",
        "export": "export latest --to json",
        "runs list": "runs list",
        "runs show": "runs show latest",
        "runs diff": "runs diff latest~1 latest",
        "import": "import t.json -o t",
        "weights": "weights latest",
        "prune": "prune latest~1 --set training.epochs=3",  # last, as it makes a run
        "a command that fails": "eval nothing",
    }
    assert commands.keys() == DOCUMENTS.keys()
    for name, command in commands.items():
        required, allowed = described(name)
        found = {*document(*shlex.split(command), code=2 if "fails" in name else 0)}
        assert required <= found <= allowed, (name, found ^ allowed)


def test_every_command_that_prints_a_document_is_described() -> None:
    with_documents = [
        name
        for name, command in commands()
        if any("--json" in parameter.opts for parameter in command.params)
    ]
    assert {"init", "plot", "export", "train", "runs list"} <= {*with_documents}
    for name in with_documents:
        assert any(title.startswith(name) for title in DOCUMENTS), name


def test_the_description_can_be_printed(bpnet: Callable[..., Any]) -> None:
    assert bpnet("schema", "--documents").out == PAGE
    assert "- `profile` (if any): " in PAGE


def test_every_kind_of_failure_is_described() -> None:
    def kinds(error: type[BpnetError]) -> set[str]:
        return {error.kind}.union(*map(kinds, error.__subclasses__()))

    told = DOCUMENTS["a command that fails"]
    for kind in {"usage", "internal"}.union(*map(kinds, BpnetError.__subclasses__())):
        assert kind in told
    issue = ConfigIssue("m").to_json()
    assert {*issue} <= {*told.replace("`", " ").split()}
