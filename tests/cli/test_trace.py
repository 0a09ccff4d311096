"""`bpnet trace` as a person types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Result
from systems import CONFIGS

XOR = CONFIGS / "xor.yaml"
Bpnet = Callable[..., Result]


def test_a_config_is_traced_from_its_initial_parameters(bpnet: Bpnet) -> None:
    done = bpnet("trace", XOR)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("One update of xor on rows 1 to 4, the whole training set\n")


@pytest.mark.parametrize(
    ("layout", "start"),
    [("rich", "One update"), ("markdown", "# One update"), ("latex", "% "), ("json", "{")],
)
def test_each_format(bpnet: Bpnet, layout: str, start: str) -> None:
    done = bpnet("trace", XOR, "--format", layout)
    assert done.code == 0
    assert done.out.startswith(start)


def test_json_is_one_document_by_either_name(bpnet: Bpnet) -> None:
    done = bpnet("trace", XOR, "--json", "--row", 1)
    assert json.loads(done.out)["rows"] == [1]
    assert bpnet("trace", XOR, "--format", "json", "--row", 1).out == done.out


def test_a_run_is_traced_from_its_trained_weights(bpnet: Bpnet) -> None:
    assert bpnet("train", XOR, "--quiet", "--set", "training.epochs=20").code == 0
    document = json.loads(bpnet("trace", "latest", "--json").out)
    (lines,) = Path("runs").glob("*/metrics.jsonl")
    last = json.loads(lines.read_text().splitlines()[-1])
    assert last["epoch"] == 20
    assert document["updates"][0]["passes"][0]["objective"] == last["loss"]
    assert document["notes"] == []


def test_a_run_with_momentum_begins_anew_and_says_so(bpnet: Bpnet) -> None:
    momentum = "training.optimizer={name: gradient_descent, momentum: 0.9}"
    options = ["--set", momentum, "--set", "training.epochs=5"]
    assert bpnet("train", XOR, "--quiet", *options).code == 0
    document = json.loads(bpnet("trace", "latest", "--json").out)
    assert "The optimizer starts in its initial state" in " ".join(document["notes"])
    assert set(document["updates"][0]["state_before"]["velocity"]["b2"]) == {0.0}
    assert json.loads(bpnet("trace", XOR, "--set", momentum, "--json").out)["notes"] == []


def test_steps_and_rows_and_an_entry(bpnet: Bpnet) -> None:
    done = bpnet(
        "trace", XOR, "--rows", "2:3", "--steps", 2, "--entry", "b1[4]", "--set",
        "training.learning_rate=0.5", "--json",
    )  # fmt: skip
    document = json.loads(done.out)
    assert document["rows"] == [2, 3]
    first, second = document["updates"]
    assert first["after"] == second["before"]
    assert first["entry"]["entry"] == "b1[4]"
    assert document["optimizer"]["learning_rate"] == 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--row", "1", "--rows", "1:2"], "--row and --rows exclude each other"),
        (["--rows", "3:2"], "expected A:B with A ≤ B"),
        (["--rows", "-1:2"], "expected A:B with A ≤ B"),
        (["--rows", "3"], "expected A:B with A ≤ B"),
        (["--rows", "4:9"], "expected rows from 1 to 4"),
        (["--row", "5"], "expected rows from 1 to 4"),
        (["--rows", "0:999999999999"], "expected rows from 1 to 4"),
        (["--entry", "W1[5,1]"], "W1 (4 x 2), b1 (4), W2 (1 x 4), b2 (1)"),
        (["--json", "--format", "latex"], "exclude each other"),
        (["--weights", "last"], "--weights is for a RUN"),
        (["--steps", "0"], "Invalid value for '--steps'"),
        (["--format", "html"], "Invalid value for '--format'"),
    ],
)
def test_what_cannot_be_traced_is_refused(bpnet: Bpnet, options: list[str], message: str) -> None:
    done = bpnet("trace", XOR, *options)
    assert done.code == 2
    assert bool(done.out) == ("--json" in options)
    assert message in done.err


def test_data_without_targets_give_the_forward_pass(bpnet: Bpnet) -> None:
    done = bpnet("trace", CONFIGS / "forward_3443.yaml")
    assert done.code == 0
    assert "no targets" in done.out
    assert "0.727806" in done.out
    assert "Backward" not in done.out


def test_a_poorer_terminal_keeps_its_columns(bpnet: Bpnet) -> None:
    command = [sys.executable, "-m", "bpcli", "trace", str(XOR)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    text = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
    header, rule, first, *_ = text.decode("ascii").split("\nW2^T delta2", 1)[1].splitlines()
    assert header.endswith("row 4")
    assert len("W2^T delta2" + header) == len(rule) == len(first)


def test_divergence_has_its_exit_code(bpnet: Bpnet) -> None:
    plane = CONFIGS / "plane.yaml"
    done = bpnet("trace", plane, "--set", "training.learning_rate=1e200", "--steps", 3)
    assert done.code == 3
    assert "is not finite" in done.err
