"""Whatever the system lacks, the main job is done, and its files are those of this system."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import other_systems
import pytest
from other_systems import LOSSES, SYSTEMS

from bpcli.runs.layout import METRICS, PATH, WEIGHTS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="they are played on Linux")

WIDE = """\
data: {generator: teacher, n_samples: 3000}
network: {layers: [10, 32, 32, 1], activations: [tanh, tanh, identity]}
loss: mse
training: {epochs: 4, workers: 2, log_every: 1, checkpoint_every: 2, record_params: true}
"""
HERE = ("--runs-dir", "r")
RESUME = ["train", "--resume", "latest", *HERE, "--quiet"]
CHANGES = [
    ["train", "wide.yaml", *HERE, "--quiet"],
    [*RESUME, "--set", "training.epochs=7"],
    ["runs", "tag", "latest", "kept", *HERE],
    ["train", "wide.yaml", *HERE, "--quiet", "--set", "training.epochs=1", "--name", "other"],
    ["runs", "rm", "other", *HERE, "--yes"],
]
LOOKS = [
    ["runs", "list", *HERE],
    ["runs", "show", "kept", *HERE],
    ["eval", "kept", *HERE, "--no-intervals"],
    ["predict", "kept", *HERE, "--split", "train", "--json"],
    ["verify", "kept", *HERE],
    ["export", "kept", *HERE, "--to", "json", "-o", "exported.json"],
]
JOB = [*CHANGES, *LOOKS]


def results_of(folder: Path) -> dict[str, Any]:
    """What is in the only run of a job, but for times."""
    (run,) = (path for path in (folder / "r").iterdir() if path.is_dir())
    log = run.joinpath(METRICS).read_bytes()
    return {
        "files": sorted(path.name for path in run.iterdir()),
        "log": re.sub(rb'"seconds": [0-9.e-]+', b"", log),
        "weights": run.joinpath(WEIGHTS).read_bytes(),
        "path": run.joinpath(PATH).read_bytes(),
        "tags": run.joinpath("tags.json").read_bytes(),
    }


def forked(system: str, folder: Path) -> list[dict[str, Any]]:
    """Do what changes runs in a forked process: nothing is imported again."""
    (folder / "wide.yaml").write_text(WIDE)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.chdir(folder)
            content = json.dumps(other_systems.run(system, CHANGES)).encode()
            with open(writing, "wb") as pipe:  # noqa: PTH123  # a handle
                pipe.write(content)
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123
        content = pipe.read()
    os.waitpid(child, 0)
    found: list[dict[str, Any]] = json.loads(content)
    return found


def program(system: str, commands: list[list[str]]) -> list[str]:
    return [sys.executable, other_systems.__file__, system, json.dumps(commands)]


def separate(
    system: str, folder: Path, commands: list[list[str]], limit: str = "unlimited"
) -> list[dict[str, Any]]:
    """Run commands in an interpreter that imports all of bpnet on that system.

    The limit is on the size of files, in KiB.
    """
    (folder / "wide.yaml").write_text(WIDE)
    done = subprocess.run(
        ["bash", "-c", f'ulimit -f {limit}; exec "$@"', "bash", *program(system, commands)],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def assert_done(results: list[dict[str, Any]]) -> None:
    for result in results:
        assert result["code"] == 0, result["err"]


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The results of the job on this system as it is."""
    folder = tmp_path_factory.mktemp("here")
    assert_done(forked("here", folder))
    return results_of(folder)


@pytest.mark.parametrize("name", LOSSES)
def test_what_lacks_a_single_call_does_the_same(
    name: str, wanted: dict[str, Any], tmp_path: Path
) -> None:
    assert_done(forked(f"without {name}", tmp_path))
    assert results_of(tmp_path) == wanted


def test_windows_does_the_same(wanted: dict[str, Any], tmp_path: Path) -> None:
    results = separate("windows", tmp_path, JOB)
    assert_done(results)
    assert results_of(tmp_path) == wanted
    assert "is bit-identical" in results[-2]["out"]
    assert results[-1]["counts"]["lock"] > 10


@pytest.mark.parametrize("file_system", ["macos", "macos on another file system"])
def test_macos_does_the_same_and_syncs_for_good(
    file_system: str, wanted: dict[str, Any], tmp_path: Path
) -> None:
    results = separate(file_system, tmp_path, JOB)
    assert_done(results)
    assert results_of(tmp_path) == wanted
    assert "is bit-identical" in results[-2]["out"]
    counts = results[0]["counts"]
    assert counts["full sync"] >= 10
    assert counts["sync of a folder"] > 0
    lacks_it = "another" in file_system
    assert counts.get("sync of a file", 0) == (counts["full sync"] if lacks_it else 0)


def test_tables_are_read_and_predictions_written_on_windows(tmp_path: Path) -> None:
    rows = "".join(f"{k},{k % 7},{3 * k}\n" for k in range(40))
    (tmp_path / "t.csv").write_text(f"a,b,c\n{rows}")
    commands = [
        ["init", "t.csv"],
        ["train", "t.yaml", *HERE, "--quiet", "--set", "training.epochs=2"],
        *(
            ["predict", "latest", "t.csv", *HERE, "-o", f"p{ending}"]
            for ending in (".csv", ".npz", ".json")
        ),
        ["eval", "latest", *HERE, "--data", "t.csv"],
    ]
    for result in separate("windows", tmp_path, commands):
        assert result["code"] == 0, result["err"]
    assert b"\r" not in (tmp_path / "p.csv").read_bytes()


# Two processes.


@contextmanager
def in_training(system: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    (folder / "wide.yaml").write_text(WIDE)
    command = ["train", "wide.yaml", *HERE, "--quiet", "--set", "training.epochs=20000"]
    with subprocess.Popen(
        program(system, [command]), cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            deadline = time.monotonic() + 60
            while not list(folder.glob("r/*/checkpoint-4*")):
                time.sleep(0.01)
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("system", ["windows", "macos"])
def test_a_run_in_training_is_neither_resumed_nor_deleted(system: str, tmp_path: Path) -> None:
    remove = ["runs", "rm", "latest", *HERE, "--yes"]
    commands = [["runs", "list", *HERE], RESUME, remove, ["runs", "tag", "latest", "t", *HERE]]
    with in_training(system, tmp_path) as process:
        listed, resumed, removed, tagged = separate(system, tmp_path, commands)
        assert process.poll() is None
    assert "running" in listed["out"]
    assert resumed["code"] == removed["code"] == 2
    assert f"is being trained by process {process.pid}: wait until" in resumed["err"]
    assert "is being trained: end the training before deleting it" in removed["err"]
    assert tagged["code"] == 0
    on = [*RESUME, "--set", "training.epochs=19999", "--set", "training.stop.goal=1000"]
    listed, _, removed = separate(system, tmp_path, [["runs", "list", *HERE], on, remove])
    assert "resumable" in listed["out"]
    assert removed["code"] == 0
    assert not [path for path in (tmp_path / "r").iterdir() if path.name != ".tags.lock"]


@pytest.mark.parametrize("system", ["windows", "macos"])
def test_of_two_resumes_at_once_one_is_refused(system: str, tmp_path: Path) -> None:
    with in_training(system, tmp_path):
        pass  # and killed
    command = program(system, [[*RESUME, "--set", "training.epochs=19999"]])
    resumes = [
        subprocess.Popen(
            command, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    try:
        deadline = time.monotonic() + 60
        while all(each.poll() is None for each in resumes):
            time.sleep(0.01)
            assert time.monotonic() < deadline
        time.sleep(0.5)
        refused, going_on = sorted(resumes, key=lambda each: each.poll() is None)
        assert going_on.poll() is None
        result = json.loads(refused.communicate()[0])
        assert result["code"] == 2
        assert f"is being trained by process {going_on.pid}: wait until" in result["err"]
    finally:
        for each in resumes:
            each.kill()
            each.communicate()


@pytest.mark.parametrize("system", ["windows", "macos"])
def test_a_run_that_does_not_begin_leaves_nothing(system: str, tmp_path: Path) -> None:
    (result,) = separate(system, tmp_path, JOB[:1], limit="1")
    assert result["code"] == 2
    assert "could not be saved: File too large" in result["err"]
    assert list((tmp_path / "r").iterdir()) == []


def test_the_systems_are_played_as_they_are(tmp_path: Path) -> None:
    """What these tests would not show if nothing were played."""
    script = f"""
import os, pathlib, sys
sys.path.insert(0, {str(Path(other_systems.__file__).parent)!r})
import other_systems
other_systems.SYSTEMS["windows"]()
handle = os.open("text", os.O_WRONLY | os.O_CREAT)
os.write(handle, b"1\\n")
for act in (lambda: os.unlink("text"), lambda: pathlib.Path("text").rename("b"),
            lambda: os.rename(os.getcwd(), "x"), lambda: os.open(".", os.O_RDONLY)):
    try:
        act()
    except PermissionError:
        print("refused")
os.close(handle)
print(pathlib.Path("text").read_bytes())
os.unlink("text")
import msvcrt
one, two = (os.open("locked", os.O_RDWR | os.O_CREAT) for _ in range(2))
for handle in (one, two):
    os.lseek(handle, 2**30, os.SEEK_SET)
msvcrt.locking(one, msvcrt.LK_NBLCK, 1)
try:
    msvcrt.locking(two, msvcrt.LK_NBLCK, 1)
except PermissionError:
    print("locked")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "refused\n" * 4 + "b'1\\r\\n'\nlocked\n"


def test_every_system_has_a_test() -> None:
    assert set(SYSTEMS) == {"here", "windows", "macos", "macos on another file system"} | {
        f"without {name}" for name in LOSSES
    }
