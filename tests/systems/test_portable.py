"""Portable numerics give the bytes of other processors, which an emulator stands in for.

The emulator, qemu's for Linux programs, computes with what the processor asked for has. A process
that it runs must not start again: that one would run on the real processor.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from portable import native_environment, needs_portable_numerics, process
from systems import CONFIGS

from bpcli.nn.numerics import _ALLOWED
from bpcli.runs.layout import METRICS, RECORD, WEIGHTS

QEMU = shutil.which("qemu-x86_64")
FULL = bool(os.environ.get("BPNET_FULL"))
IN_EMULATOR = {"OPENBLAS_CORETYPE": "Haswell", "BPNET_RESTARTED": "1"}
MOONS = ("moons", "training.stop.max_fail=null")
SINE = ("sine", "training.batch_size=full")
WIDE = (*MOONS, "data.n_samples=12000", "network.layers=[2, 24, 24, 1]", "training.epochs=3")
CASES: dict[str, tuple[str, ...]] = {
    "xor": ("xor", f"training.epochs={5000 if FULL else 100}"),
    "moons": (*MOONS, "training.epochs=20"),
    "digits": ("digits", "training.epochs=5"),
    "levenberg_marquardt": (*SINE, "training.optimizer=lm", "training.epochs=30"),
    "float32": (
        *SINE, "network.dtype=float32", "training.optimizer=lbfgs", "training.epochs=30",
    ),
    "rprop": (*MOONS, "training.optimizer=rprop", "training.epochs=20"),
    **{f"{number} workers": (*WIDE, f"training.workers={number}") for number in (1, 2, 3, 4)},
}  # fmt: skip
IN_SHORT = [("Haswell-v4", "xor")]
AT_LENGTH = [
    *(("Haswell-v4", case) for case in CASES),
    *(("EPYC-Rome", case) for case in ("moons", "float32")),
    ("Broadwell-v4", "levenberg_marquardt"),
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(QEMU is None, reason="there is no qemu-x86_64 (Debian: qemu-user)"),
]


@pytest.fixture(autouse=True)
def _portable_is_possible() -> None:
    needs_portable_numerics()


def emulated(cpu: str) -> list[str]:
    assert QEMU is not None
    return [QEMU, "-cpu", cpu]


def simd_on(cpu: str | None) -> set[str]:
    """What numpy uses on an emulated processor, or on this one, if nothing is pinned.

    Skips where the emulator errs: qemu 7.2 gets the tanh of numpy 1.26 wrong.
    """
    code = (
        "import numpy as np; from bpcli.nn.numerics import simd_groups\n"
        "assert (abs(np.tanh(np.linspace(-5, 5, 41))) < 1).all(), 'tanh'\n"
        "print(*simd_groups())"
    )
    done = subprocess.run(
        [*(emulated(cpu) if cpu else []), sys.executable, "-c", code],
        env=native_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if cpu and "AssertionError: tanh" in done.stderr:
        pytest.skip("the emulator computes this numpy's tanh wrongly")
    assert done.returncode == 0, done.stderr
    return {*done.stdout.split()}


def trained(
    folder: Path, case: str, cpu: str | None, *more: str, **variables: str
) -> tuple[bytes, list[dict[str, Any]], dict[str, Any]]:
    """Weights, log without times, and record of a training here, or on an emulated processor."""
    name, *overrides = CASES[case]
    options = [word for override in overrides for word in ("--set", override)]
    runs_dir = folder / (cpu or "here")
    done = process(
        "train", CONFIGS / f"{name}.yaml", *options, *more, "--quiet", "--runs-dir", runs_dir,
        cwd=folder,
        before=emulated(cpu) if cpu else (),
        environment=native_environment(**variables),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (run,) = runs_dir.iterdir()
    log = [json.loads(line) for line in (run / METRICS).read_text().splitlines()]
    lines = [{key: value for key, value in line.items() if key != "seconds"} for line in log]
    return (run / WEIGHTS).read_bytes(), lines, json.loads((run / RECORD).read_text())


@pytest.mark.parametrize(("cpu", "case"), AT_LENGTH if FULL else IN_SHORT)
def test_another_processor_computes_the_same_bytes(cpu: str, case: str, tmp_path: Path) -> None:
    assert simd_on(cpu) <= _ALLOWED  # it is another one, unless this one has no more either
    here = trained(tmp_path, case, None, "--portable")
    there = trained(tmp_path, case, cpu, "--portable", **IN_EMULATOR)
    assert here[0] == there[0]
    assert here[1] == there[1]
    same = ("metrics", "best_epoch", "epochs", "data_sha256", "numerics", "blas")
    assert {key: here[2][key] for key in same} == {key: there[2][key] for key in same}
    assert here[2]["numerics"] == "portable"


def test_native_numerics_do_not(tmp_path: Path) -> None:
    """What makes the test above one that can fail."""
    if simd_on(None) <= _ALLOWED:
        pytest.skip("this processor has nothing above AVX2 either")
    assert simd_on("Haswell-v4") <= _ALLOWED
    here, there = (trained(tmp_path, "xor", cpu) for cpu in (None, "Haswell-v4"))
    assert here[2]["numerics"] == there[2]["numerics"] == "native"
    assert here[0] != there[0]
    assert here[1] != there[1]


@pytest.mark.parametrize("cpu", ["Nehalem", "max,-avx2"] if FULL else ["max,-avx2"])
def test_a_processor_without_avx2_is_refused_in_one_sentence(cpu: str, tmp_path: Path) -> None:
    done = process("train", CONFIGS / "xor.yaml", "--portable", cwd=tmp_path, before=emulated(cpu))
    said = [line for line in done.stderr.splitlines() if "TCG doesn't support" not in line]
    assert (done.returncode, done.stdout, len(said)) == (2, "", 1)
    assert "needs a processor with AVX2 and FMA3" in said[0]
    assert not (tmp_path / "runs").exists()
