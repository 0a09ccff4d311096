from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl
from systems import CONFIGS
from tampered import save_arrays, vouch

from bpcli.runs.files import load_arrays
from bpcli.runs.store import Run
from bpcli.terminal.console import Console

XOR = CONFIGS / "xor.yaml"
SHORT = ("--set", "training.epochs=40")


def test_a_closed_stderr_does_not_stop_training(tmp_path: Path) -> None:
    train = f"{sys.executable} -m bpcli train {XOR} --set training.epochs=3000"
    command = f"{train} 2>&1 >/dev/null | head -n 2"
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, capture_output=True)
    (folder,) = (tmp_path / "runs").iterdir()
    assert Run(folder).record().status == "finished"


def test_a_full_disk_is_one_sentence_and_leaves_whole_lines(tmp_path: Path) -> None:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))\n"
    program = limited + "import sys; from bpcli.cli.main import main; sys.exit(main(sys.argv[1:]))"
    for number, size in enumerate((100, 600, 3000, 8000, 20_000)):
        runs = tmp_path / str(number)
        done = subprocess.run(
            [sys.executable, "-c", program.format(size), "train", XOR, "--runs-dir", runs],
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 2, done.stderr
        assert "could not be" in done.stderr
        assert "Internal" not in done.stderr
        for folder in runs.iterdir():  # a run that began, or nothing
            assert json.loads((folder / "run.json").read_text())["epochs"] > 0 or size < 8000
            for line in (folder / "metrics.jsonl").read_text().splitlines():
                json.loads(line)
            assert not list(folder.glob(".*"))


def test_an_interrupt_at_any_early_moment_leaves_no_torn_folder(tmp_path: Path) -> None:
    for delay in np.linspace(0.25, 1.2, 12):
        process = subprocess.Popen(
            [sys.executable, "-m", "bpcli", "train", XOR, "--set", "training.epochs=1000000"],
            cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) != 0  # also while Python itself is still starting
    for folder in (tmp_path / "runs").glob("*"):
        assert Run(folder).record().status == "interrupted"
        assert Run(folder).path("weights.safetensors").is_file()


def test_names_with_brackets_are_printed_as_they_are(bpnet) -> None:
    for arguments in (["train", XOR, *SHORT], ["runs", "list"], ["runs", "show", "latest"]):
        result = bpnet(*arguments, "--runs-dir", "x[/b]")
        assert result.code == 0
    assert "x[/b]" in result.out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_training_saves_what_it_has(number: int, code: int, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bpcli", "train", XOR, "--set", "training.epochs=100000000"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    metrics: list[Path] = []
    while not (metrics and metrics[0].stat().st_size):
        time.sleep(0.05)
        metrics = list(tmp_path.glob("runs/*/metrics.jsonl"))
    time.sleep(0.2)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert "interrupted" in err
    run = Run(metrics[0].parent)
    assert run.record().status == "interrupted"
    assert run.record().epochs == run.metrics()[-1].epoch > 0
    assert run.path("weights.safetensors").is_file()


def test_damaged_runs_are_refused(bpnet) -> None:
    bpnet("train", XOR, *SHORT, "--quiet", "--name", "hurt")
    (folder,) = Path("runs").glob("*-hurt-*")
    weights = folder / "weights.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "digest" in bpnet("eval", "hurt").err
    arrays, meta = load_arrays(weights)
    for name, array, message in (
        ("best.W1", np.full((4, 2), np.nan), "NaN or infinity"),
        (
            "best.W1",
            np.zeros((2, 4)),
            "of shape (2, 4); the config implies float64 of shape (4, 2)",
        ),
        ("best.W1", np.zeros((4, 2), np.int32), "int32 of shape (4, 2)"),
        ("inputs.factor", np.zeros(2), "has an invalid inputs.factor"),
        ("inputs.shift", np.zeros(3), "has no inputs.shift of shape (2,)"),
    ):
        save_arrays(weights, arrays | {name: array}, meta)
        vouch(Run(folder))
        result = bpnet("predict", "hurt")
        assert result.code == 2
        assert message in result.err
    weights.unlink()
    assert "has no weights" in bpnet("eval", "hurt").err


@pytest.mark.parametrize("width", [40, 60, 80, 110])
def test_tables_never_cut_a_number(width: int, bpnet, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("gradcheck", "runs", "eval", "train"):
        monkeypatch.setattr(f"bpcli.cli.{module}.console", partial(_terminal, width))
    run_id = bpnet("train", XOR, *SHORT, "--quiet").out.strip()
    bpnet("gradcheck", XOR)
    for arguments, words in (
        (("gradcheck", XOR), ("W1[3,2]", "0.0354372624", "ok")),
        (("runs", "list"), (run_id, "finished")),
        (("eval", "latest"), ("accuracy", "constant (train)")),
    ):
        result = bpnet(*arguments)
        assert result.code == 0
        assert "…" not in result.out
        assert all(word in result.out for word in words)
        assert width < 80 or any("──" in line for line in result.out.splitlines())
        assert max(map(len, result.out.splitlines())) <= width


def _terminal(width: int, stderr: bool = False) -> Console:
    return Console(stderr=stderr, force_terminal=True, width=width, color_system=None)


def test_data_are_the_same_on_any_number_of_blas_threads(bpnet) -> None:
    digests = set()
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads, "blas"):
            bpnet("train", CONFIGS / "linear_regression.yaml", "--quiet", "--set",
                  "data={generator: regression, n_samples: 800, n_features: 700, "
                  "n_informative: 700, n_targets: 9}", "--set", "network.layers=[auto, auto]",
                  "--set", "training.epochs=1")  # fmt: skip
            assert bpnet("eval", "latest").code == 0
            record = json.loads(bpnet("runs", "show", "latest", "--json").out)
            digests.add((record["data_sha256"], record["sha256"]["weights.safetensors"]))
    assert len(digests) == 1


def test_paths_that_are_not_utf_8_work(bpnet, tmp_path: Path) -> None:
    assert bpnet("train", XOR, *SHORT, "--quiet", "--runs-dir", "r\udcff").code == 0
    assert bpnet("runs", "list", "--runs-dir", "r\udcff").code == 0


def test_hostile_references_and_files_are_refused(bpnet, tmp_path: Path) -> None:
    assert bpnet("eval", "latest~" + "9" * 5000).code == 2
    assert bpnet("eval", "").code == 2
    (tmp_path / "k.yaml").write_text('*a : 1\n"": 2\n')
    assert "no `&a` above for this alias" in bpnet("train", "k.yaml").err
    (tmp_path / "big.yaml").write_bytes(b"#" * (10 * 2**20 + 1))
    assert "too large" in bpnet("train", "big.yaml").err
    assert "no template `zzzz`; `bpnet init` lists" in bpnet("init", "zzzz").err


WIDE = """\
data: {generator: teacher, n_samples: 40000}
network: {layers: [10, 32, 32, 1], activations: [tanh, tanh, identity]}
loss: mse
training: {epochs: 1000000, workers: 3, log_every: 100}
"""
needs_fork = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")


@contextmanager
def _in_training(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A training in full swing, and the processes of its workers."""
    (tmp_path / "wide.yaml").write_text(WIDE)
    with subprocess.Popen(
        [sys.executable, "-m", "bpcli", "train", "wide.yaml", "--quiet"],
        cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            deadline = time.monotonic() + 30
            while len(found := children.read_text().split()) < 2 and time.monotonic() < deadline:
                time.sleep(0.02)
            time.sleep(0.3)
            yield process, [int(worker) for worker in found]
        finally:
            process.kill()


def _wait_until_gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@needs_fork
def test_a_killed_worker_ends_training_with_what_there_is_saved(tmp_path: Path) -> None:
    with _in_training(tmp_path) as (process, workers):
        os.kill(workers[0], signal.SIGKILL)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "A worker process was killed by signal 9" in err
    assert "The run is saved as" in err
    assert "Traceback" not in err
    (folder,) = (tmp_path / "runs").iterdir()
    record = Run(folder).record()
    assert (record.status, record.workers) == ("failed", 3)
    assert record.epochs > 0
    assert (folder / "weights.safetensors").is_file()
    assert _wait_until_gone(workers)


@needs_fork
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_the_training_however_it_ends(number: int, tmp_path: Path) -> None:
    with _in_training(tmp_path) as (process, workers):
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert _wait_until_gone(workers)
