from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from conftest import Result
from systems import CONFIGS
from workflows.test_verify import write_weights

from bpcli.runs.store import Run
from bpcli.workflows.verdict import UNEXPLAINED

Bpnet = Callable[..., Result]


def test_the_command_exits_with_4_where_anything_differs(bpnet: Bpnet, tmp_path: Path) -> None:
    short = ("--set", "training.epochs=20", "--quiet")
    assert bpnet("train", CONFIGS / "xor.yaml", *short).code == 0
    same = bpnet("verify", "latest")
    assert same.code == 0
    assert "is bit-identical: 21 losses, 12 tensors, 3 metrics and the split after 20" in same.out
    assert "relative difference" not in same.out
    assert "numpy" in same.out
    (folder,) = (tmp_path / "runs").iterdir()
    write_weights(Run(folder), "best.b1")
    other = bpnet("verify", "latest", "--json")
    assert other.code == 4
    document = json.loads(other.out)
    assert (document["identical"], document["first_epoch"]) == (False, None)
    assert document["first_tensor"]["what"] == "best.b1[0]"
    facts = {"versions", "platform", "cpu", "numerics", "simd", "blas"}
    assert document["then"].keys() == document["now"].keys() == facts
    assert document["explanation"] == [UNEXPLAINED]
    assert 0 < document["largest_relative_difference"] < 1e-15
    assert document["largest_in"] == "best.b1"


def test_a_tolerance_accepts_what_is_no_further_off(bpnet: Bpnet, tmp_path: Path) -> None:
    short = ("--set", "training.epochs=20", "--quiet")
    assert bpnet("train", CONFIGS / "xor.yaml", *short).code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    write_weights(Run(folder), "last.W1", factor=1 + 1e-7)
    near = bpnet("verify", "latest", "--tolerance", "1e-6")
    assert near.code == 0
    assert "is within tolerance 1e-06 (21 losses" in near.out
    assert "bit-identical" not in near.out
    (told,) = re.findall(r"the largest relative difference is (\S+), in last\.W1\n", near.out)
    assert 1e-9 < float(told) < 1.01e-7
    far = bpnet("verify", "latest", "--tolerance", "1e-9")
    assert far.code == 4
    assert "is not identical" in far.out
    document = json.loads(bpnet("verify", "latest", "--tolerance", "1e-6", "--json").out)
    assert (document["identical"], document["accepted"]) == (False, True)
    assert document["tolerance"] == 1e-6
    assert bpnet("verify", "latest", "--tolerance", "-1").code == 2


def test_a_run_that_is_none_is_refused(bpnet: Bpnet) -> None:
    result = bpnet("verify", "nothing")
    assert (result.code, result.out) == (2, "")
    assert "There is no run `nothing`" in result.err
