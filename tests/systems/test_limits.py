"""Limits of a shell (ulimit): a command does its work, or says in one sentence which is too low."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from systems import CONFIGS

from bpcli.engine.pool import choice
from bpcli.engine.pool.base import SerialPool, ThreadPool
from bpcli.errors import RunError
from bpcli.runs.files import GrowingFile
from bpcli.runs.store import Run
from bpcli.workflows import train as training

resource = pytest.importorskip("resource", reason="there are no such limits")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to all of them")

IS_FULL = bool(os.environ.get("BPNET_FULL"))
LONGEST_SECONDS = 60
WIDE = """\
data: {generator: teacher, n_samples: 4000}
network: {layers: [10, 32, 32, 1], activations: [tanh, tanh, identity]}
loss: mse
training: {epochs: 4, workers: 2, log_every: 1, checkpoint_every: 2, record_params: true}
"""
COMMANDS = {
    "xor": ["train", str(CONFIGS / "xor.yaml"), "--quiet", "--set", "training.epochs=20"],
    "iris": ["train", str(CONFIGS / "softmax_iris.yaml"), "--quiet", "--set", "training.epochs=5"],
    "wide": ["train", "wide.yaml", "--quiet"],
    "eval": ["eval", "latest", "--runs-dir", "trained"],
    "plot": ["plot", "latest", "--runs-dir", "trained", "-o", "all.png"],
    "compare": ["compare", str(CONFIGS / "xor.yaml"), "--optimizers", "rprop,adam"],
    "tag": ["runs", "tag", "latest", "t", "--runs-dir", "trained"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a config and a run of iris, which needs scikit-learn."""
    found = tmp_path_factory.mktemp("limits")
    (found / "wide.yaml").write_text(WIDE)
    command = [sys.executable, "-m", "bpcli", *COMMANDS["iris"], "--runs-dir", "trained"]
    subprocess.run(command, cwd=found, check=True, capture_output=True)
    return found


def limited(
    folder: Path, name: str, ulimit: str, *, before: str = "", prefix: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a command with a limit; what trains does it in a folder of its own."""
    command = list(COMMANDS[name])
    if command[0] == "train":
        command += ["--runs-dir", f"runs {name} {ulimit} {before}"]
    start = f"{before}\nfrom bpcli.start import run; run()" if before else ""
    program = ["-c", start] if start else ["-m", "bpcli"]
    shell = f'ulimit {ulimit}; exec "$@"'
    return subprocess.run(
        ["bash", "-c", shell, "bash", *prefix, sys.executable, *program, *command],
        cwd=folder, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS,
        errors="replace",
    )  # fmt: skip


def assert_done_or_said(
    folder: Path, name: str, done: subprocess.CompletedProcess[str], *words: str
) -> None:
    """Either all was done, or one sentence says why not and nothing is left."""
    assert done.returncode in (0, 2), (name, done.args, done.stderr)
    own = folder / done.args[-1]
    runs = list(own.iterdir()) if own.name.startswith(f"runs {name}") and own.is_dir() else []
    if done.returncode == 0:
        assert "Error" not in done.stderr
        assert all(Run(run).record().status == "finished" for run in runs)
        for run in runs:
            shutil.rmtree(run)
        return
    assert done.stderr.startswith("Error: "), done.stderr
    assert done.stderr.count("\n") == 1
    assert "ulimit" in done.stderr
    for word in words:
        assert word in done.stderr
    assert runs == []


# Open files.


@pytest.mark.parametrize("name", ["wide", "eval", "tag"])
def test_open_files(name: str, folder: Path) -> None:
    for most in range(5, 31) if IS_FULL else (5, 15, 16):  # Python itself needs 5
        done = limited(folder, name, f"-n {most}")
        assert_done_or_said(folder, name, done, "raise it with `ulimit -n 16` or more.")
        assert done.returncode == (0 if most >= 16 else 2)


@pytest.mark.parametrize("left", range(1, 20) if IS_FULL else (2, 6, 9, 14))
def test_files_that_are_open_from_the_beginning(left: int, folder: Path) -> None:
    """The limit is high enough, but others have opened most files."""
    before = f"import os; held = [os.dup(1) for _ in range(40 - 3 - {left})]"
    done = limited(folder, "wide", "-n 40", before=before)
    assert_done_or_said(folder, "wide", done)
    assert done.returncode == 0 or left < 14


def test_a_run_that_has_not_begun_is_gone_even_if_no_file_can_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.claim(tmp_path, "mine")
    lock = run.lock()
    for file in ("config.yaml", "split.npz", "run.json", "metrics.jsonl"):
        run.write(file, "content")
    lock.close()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    for name in ("open", "scandir", "listdir"):
        monkeypatch.setattr(os, name, refuse)
    run.discard()
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_run_with_a_file_that_nobody_knows_is_gone_too(tmp_path: Path) -> None:
    run = Run.claim(tmp_path, "mine")
    run.write("unknown", "content")
    run.discard()
    assert list(tmp_path.iterdir()) == []


def test_what_a_run_that_has_not_begun_had_opened_is_closed(
    bpnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wide.yaml").write_text(WIDE)
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208
    opened = GrowingFile.__init__
    calls: list[object] = []

    def fail_late(self: GrowingFile, *arguments: object) -> None:
        calls.append(arguments)
        if len(calls) > 1:
            raise RunError("no more")
        opened(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(GrowingFile, "__init__", fail_late)
    assert bpnet("train", "wide.yaml", "--quiet").code == 2
    assert list((tmp_path / "runs").iterdir()) == []
    assert set(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_no_training_begins_that_could_not_be_saved(
    bpnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.system, "has_room_for_files", lambda count: count < 6)
    result = bpnet("train", CONFIGS / "xor.yaml", "--quiet")
    assert (result.code, result.out) == (2, "")
    assert "Training needs 6 more open files, and the system allows" in result.err
    assert not (tmp_path / "runs").exists()


# Processes and threads.


def as_somebody() -> list[str]:
    """What runs a command as a user who is not root, whom no limit of processes holds for."""
    if os.getuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root has no limit of processes, and there is no setpriv")
    rights = "-all,+dac_override,+dac_read_search"
    return [
        "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
        "--inh-caps", rights, "--ambient-caps", rights, "--bounding-set", rights,
    ]  # fmt: skip


@pytest.mark.parametrize("most", range(1, 7) if IS_FULL else (1, 2))
def test_processes(most: int) -> None:
    """Fewer workers train as well."""
    if shutil.which("prlimit") is None:
        pytest.skip("there is no prlimit")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)  # pytest's own are for root alone
        (folder / "wide.yaml").write_text(WIDE)
        prefix = [*as_somebody(), "prlimit", f"--nproc={most}"]
        done = limited(folder, "wide", "-c 0", prefix=prefix)
        assert done.returncode == 0, done.stderr
        assert_done_or_said(folder, "wide", done)


@pytest.mark.parametrize(("most", "kind"), [(0, SerialPool), (1, SerialPool), (3, ThreadPool)])
def test_where_few_threads_start_there_are_fewer_workers(
    most: int, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    start = choice.threading.Thread.start

    def limited_start(self: object) -> None:
        if len(started) == most:
            raise RuntimeError("can't start new thread")
        started.append(self)
        start(self)  # type: ignore[arg-type]

    monkeypatch.setattr(choice, "can_fork", lambda: False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice.threading.Thread, "start", limited_start)
        chosen = choice._fastest_pool(4, None)
    assert type(chosen) is kind
    done = []
    chosen.register(done.append)(5)
    assert sorted(done) == [0, 1, 2, 3, 4]
    chosen.close()


# Memory.


def sweep(folder: Path, letter: str, kibibytes: Sequence[int], names: Sequence[str]) -> set[int]:
    """Commands under limits of memory; the exit codes that there were."""
    jobs = [(name, size) for name in names for size in kibibytes]

    def run(job: tuple[str, int]) -> int:
        name, size = job
        done = limited(folder, name, f"-{letter} {size}")
        assert_done_or_said(folder, name, done, f"`ulimit -{letter}")
        return done.returncode

    with ThreadPoolExecutor(2) as pool:
        return set(pool.map(run, jobs))


@pytest.mark.slow
@pytest.mark.parametrize("letter", ["v", "d"])
def test_little_memory(letter: str, folder: Path) -> None:
    sizes = [*range(50, 650, 12), *range(700, 2001, 100)] if IS_FULL else [55, 130, 215, 480]
    names = ["xor", "iris", "eval", "plot"] if IS_FULL else ["xor", "eval"]
    assert sweep(folder, letter, [size * 1000 for size in sizes], names) == {0, 2}


def test_the_sentence_says_limit_and_need(folder: Path) -> None:
    done = limited(folder, "xor", "-v 150000")
    assert done.stderr.startswith("Error: numpy needs about ")
    assert (
        " MiB of address space, and the limit is 146 MiB: raise it with `ulimit -v " in done.stderr
    )
    needed = int(done.stderr.rpartition("ulimit -v ")[2].partition("`")[0])
    assert limited(folder, "xor", f"-v {needed}").returncode == 0
    start = limited(folder, "xor", "-v 30000")
    assert start.stderr.startswith("Error: bpnet needs about ")


@pytest.mark.parametrize("megabytes", [150, 160, 330])
def test_what_meets_the_limit_all_the_same_is_one_sentence(megabytes: int, folder: Path) -> None:
    """As where other versions of the libraries need more."""
    before = "import bpcli.cli.limits as limits; limits._LIBRARIES.clear()"
    done = limited(folder, "iris", f"-v {megabytes}000", before=before)
    if "OpenBLAS" in done.stderr:
        pytest.skip("OpenBLAS ended the process")
    if done.returncode == 0:
        pytest.skip("these versions of the libraries need less")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("Error: ")
    assert "more memory than is available" in done.stderr or " are free: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(folder.glob("runs iris*/*"))


def test_data_that_do_not_fit_the_limit_are_refused_before_they_are_made(folder: Path) -> None:
    command = [sys.executable, "-m", "bpcli", *COMMANDS["wide"], "--set", "data.n_samples=6000000"]
    done = subprocess.run(
        ["bash", "-c", 'ulimit -v 400000; exec "$@"', "bash", *command],
        cwd=folder, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS,
    )  # fmt: skip
    assert done.returncode == 2
    assert "of memory for 6,000,000 rows" in done.stderr


def test_a_library_that_lacks_memory_is_no_fault_of_a_run(folder: Path) -> None:
    done = limited(folder, "plot", "-v 300000")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: sklearn needs about ")


def test_a_comparison_that_could_not_be_drawn_is_not_begun(folder: Path) -> None:
    done = limited(folder, "compare", "-v 220000")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: matplotlib needs about ")
