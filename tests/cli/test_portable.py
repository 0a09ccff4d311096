"""A command that is to compute portably starts again once, and nobody notices."""

from __future__ import annotations

import errno
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from portable import native_environment, needs_portable_numerics, process
from systems import CONFIGS

from bpcli.cli.main import main
from bpcli.errors import Interrupted, NumericsNotPinned
from bpcli.nn.numerics import _ALLOWED
from bpcli.runs.layout import RECORD
from bpcli.workflows.interrupts import stop_requests

XOR = CONFIGS / "xor.yaml"
SHORT = ("--set", "training.epochs=20")
LONGER = ("--set", "training.epochs=30")
_COUNTING = "with open({!r}, 'a') as file: file.write('started\\n')\n"


@pytest.fixture(autouse=True)
def _portable_is_possible() -> None:
    needs_portable_numerics()


def counting(folder: Path, more: str = "") -> dict[str, str]:
    """An environment in which every Python that starts writes a line into `folder`/starts."""
    site = folder / "site"
    site.mkdir()
    code = _COUNTING.format(str(folder / "starts")) + more
    (site / "sitecustomize.py").write_text(code)
    return native_environment(PYTHONPATH=str(site))


def starts(folder: Path) -> int:
    return len((folder / "starts").read_text().splitlines())


def record_of(runs_dir: Path) -> dict[str, Any]:
    (folder,) = runs_dir.iterdir()
    found: dict[str, Any] = json.loads((folder / RECORD).read_text())
    return found


def test_it_trains_pinned_after_one_more_start(tmp_path: Path) -> None:
    folder = tmp_path / "my models"
    folder.mkdir()
    config = folder / "my xor's.yaml"
    config.write_text(XOR.read_text())
    environment = counting(tmp_path)
    done = process(
        "train", config, "--portable", *SHORT, "--quiet", cwd=folder, environment=environment
    )
    assert done.returncode == 0
    record = record_of(folder / "runs")
    assert done.stderr.splitlines() == [f"warning: {warning}" for warning in record["warnings"]]
    assert done.stdout == f"{record['run_id']}\n"
    assert starts(tmp_path) == 2
    assert record["numerics"] == record["config"]["training.numerics"] == "portable"
    assert {library["architecture"] for library in record["blas"]} == {"Haswell"}
    assert set(record["simd"]) <= _ALLOWED
    assert record["argv"][:2] == ["train", str(config)]
    again = process("verify", "latest", cwd=folder)
    assert again.returncode == 0, again.stderr
    assert "portable, then and now" in again.stdout


def test_a_native_command_does_not_start_again(tmp_path: Path) -> None:
    done = process("train", XOR, *SHORT, cwd=tmp_path, environment=counting(tmp_path))
    assert done.returncode == 0
    assert starts(tmp_path) == 1
    assert record_of(tmp_path / "runs")["numerics"] == "native"


def test_one_that_is_pinned_already_does_not_either(tmp_path: Path) -> None:
    first = process("train", XOR, "--portable", *SHORT, "--json", cwd=tmp_path)
    found = json.loads(first.stdout)  # one document, printed once
    assert found["numerics"] == "portable"
    counted = counting(tmp_path)
    pinned = counted | {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": all_above()}
    done = process("train", XOR, "--portable", *SHORT, cwd=tmp_path, environment=pinned)
    assert done.returncode == 0, done.stderr
    assert starts(tmp_path) == 1


def all_above() -> str:
    """The groups that a native process here would have to disable."""
    import subprocess
    import sys

    code = (
        "from bpcli.nn.numerics import simd_groups, _ALLOWED\n"
        "print(*(name for name in simd_groups() if name not in _ALLOWED))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=native_environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_where_the_variables_get_lost_it_stops_after_one_try(tmp_path: Path) -> None:
    losing = counting(tmp_path, "import os; os.environ.pop('OPENBLAS_CORETYPE', None)\n")
    done = process("train", XOR, "--portable", *SHORT, cwd=tmp_path, environment=losing)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("Error: ") == 1
    assert 'needs OPENBLAS_CORETYPE="Haswell"' in done.stderr
    assert done.stderr.endswith(
        "A restart with these variables was tried, but they were lost: check any script that "
        "starts Python.\n"
    )
    assert starts(tmp_path) == 2
    assert not (tmp_path / "runs").exists()


def test_where_it_cannot_restart_it_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    monkeypatch.delenv("BPNET_RESTARTED", raising=False)
    monkeypatch.setattr(os, "execve", fail)
    command = ["train", str(XOR), "--portable", "--runs-dir", str(tmp_path)]
    assert main(command, can_restart=True) == 2
    reason = os.strerror(errno.ENOMEM)
    assert capsys.readouterr().err.endswith(f"A restart failed: {reason}.\n")


def test_what_comes_by_standard_input_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{x},{2 * x}\n" for x in range(20)))
    (tmp_path / "t.yaml").write_text(
        "data: {file: t.csv, targets: y}\nnetwork: {layers: [1, 3, 1], "
        "activations: [tanh, identity]}\nloss: mse\n"
        "training: {epochs: 5, optimizer: rprop, numerics: portable}\n"
    )
    assert process("train", "t.yaml", "--quiet", cwd=tmp_path).returncode == 0
    done = process("predict", "latest", "-", cwd=tmp_path, stdin="x\n1.5\n2.5\n")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3


def test_a_config_from_a_pipe_cannot_be_read_again_and_that_is_said(tmp_path: Path) -> None:
    text = XOR.read_text()
    done = process("train", "/dev/stdin", "--portable", *SHORT, cwd=tmp_path, stdin=text)
    assert done.returncode == 2
    assert "restarts by itself if its config is a file" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


ANY_WAY = [
    ("check", XOR, "--set", "training.numerics=portable"),
    ("gradcheck", XOR, "--set", "training.numerics=portable"),
    ("trace", XOR, "--set", "training.numerics=portable"),
    ("predict", XOR, "--set", "training.numerics=portable"),
    ("compare", XOR, "--optimizers", "rprop,adam", *SHORT, "--set", "training.numerics=portable"),
    ("train", XOR, "--set", "training.numerics=portable", "--set", "data.split={folds: 2}"),
    ("train", "--resume", "latest", "--set", "training.epochs=30"),
    ("verify", "latest"),
    ("eval", "latest"),
    ("predict", "latest"),
    ("trace", "latest"),
    ("gradcheck", "latest"),
    ("plot", "latest"),
    ("plot", "latest", "--list"),
    ("export", "latest", "--to", "json"),
]


def test_every_command_that_computes_does_so_portably(
    bpnet: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within this process, which is not pinned, each says so and does nothing else."""
    assert process("train", XOR, "--portable", *SHORT, "--quiet", cwd=tmp_path).returncode == 0
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("it left this process"))
    before = sorted(tmp_path.rglob("*"))
    for command in ANY_WAY:
        done = bpnet(*command)
        assert (done.code, done.out) == (2, ""), command
        assert done.err.startswith("Error: `training.numerics: portable` needs OPENBLAS"), command
        assert done.err.count("\n") == 1, done.err
        assert [path for path in sorted(tmp_path.rglob("*")) if path.name != "lock"] == [
            path for path in before if path.name != "lock"
        ]


@pytest.mark.parametrize("command", [("plot", "latest", "loss"), ("trace", "latest"), ANY_WAY[4]])
def test_others_start_again_too(command: tuple[str, ...], tmp_path: Path) -> None:
    assert process("train", XOR, "--portable", *SHORT, "--quiet", cwd=tmp_path).returncode == 0
    done = process(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_resume_may_change_the_numerics_and_says_what_that_means(tmp_path: Path) -> None:
    assert process("train", XOR, *SHORT, "--quiet", cwd=tmp_path).returncode == 0
    more = ("--portable", "--set", "training.epochs=40")
    done = process("train", "--resume", "latest", *more, "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("is resumed under different conditions") == 1
    assert "a single machine may not reproduce it bit for bit" in done.stderr
    assert "numerics: native became portable" in done.stderr
    (session,) = record_of(tmp_path / "runs")["resumed"]
    assert session["changed"] == ["training.epochs", "training.numerics"]
    assert session["machine"]["numerics"] == "portable"
    assert session["warning"] in done.stderr
    (tmp_path / "other").mkdir()
    native = process("train", XOR, *SHORT, "--quiet", cwd=tmp_path)
    assert native.returncode == 0
    diff = process("runs", "diff", "latest~1", "latest", "--json", cwd=tmp_path)
    assert json.loads(diff.stdout)["config"]["training.numerics"] == ["portable", "native"]


def test_runs_that_computed_otherwise_differ_in_their_environment(tmp_path: Path) -> None:
    for more in ([], ["--portable"]):
        assert process("train", XOR, *more, *SHORT, "--quiet", cwd=tmp_path).returncode == 0
    diff = process("runs", "diff", "latest~1", "latest", "--json", cwd=tmp_path)
    environment = json.loads(diff.stdout)["environment"]
    assert environment["numerics"] == ["native", "portable"]
    assert ("simd" in environment) == bool(all_above())


def leave_to_start_again(after: int | None) -> None:
    with stop_requests():
        if after is not None:
            os.kill(os.getpid(), after)
        raise NumericsNotPinned({"OPENBLAS_CORETYPE": "Haswell"})


def test_a_signal_that_came_before_the_restart_is_not_forgotten() -> None:
    with pytest.raises(Interrupted) as caught:
        leave_to_start_again(after=signal.SIGTERM)
    assert caught.value.signal_number == signal.SIGTERM
    with pytest.raises(NumericsNotPinned):
        leave_to_start_again(after=None)


def test_a_portable_run_is_of_use_where_portable_numerics_are_not_to_be_had(
    bpnet: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model is trained on one machine and used on another, such as a laptop with ARM."""
    assert process("train", XOR, "--portable", *SHORT, "--quiet", cwd=tmp_path).returncode == 0
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    Path("new.csv").write_text("x1,x2\n0,1\n")
    note = (
        "note: `training.numerics: portable` needs an x86-64 processor, but this one is "
        "aarch64; results computed here may differ in the last digits"
    )
    for command in (
        ("eval", "latest"), ("predict", "latest"), ("predict", "latest", "new.csv"),
        ("export", "latest", "--to", "python"), ("trace", "latest"), ("gradcheck", "latest"),
        ("plot", "latest", "weights", "-o", "w.svg"),
    ):  # fmt: skip
        done = bpnet(*command)
        assert (done.code, note in done.err) == (0, True), (command, done)
    for command in (("verify", "latest"), ("train", "--resume", "latest", *LONGER)):
        refused = bpnet(*command)
        assert refused.code == 2, command
        assert "needs an x86-64 processor" in refused.err
