"""Fixtures that every test may use."""

from __future__ import annotations

import compileall
import gc
import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

from bpcli.cli.main import main

ROOT = Path(__file__).parent.parent

# The same examples every time, so that a red test means a change; BPNET_FULL=1 looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=40)
settings.register_profile("searching", deadline=None, max_examples=1000)
settings.load_profile("searching" if os.environ.get("BPNET_FULL") else "repeatable")


def pytest_configure(config: pytest.Config) -> None:
    """Compile the package for the hundreds of processes that tests start.

    Many environments ask Python to write no bytecode: then each of them would compile it again.
    And one whose files may not grow, as in tests of a full disk, would write it in part.

    What is made while the tests are collected stays: looking for garbage in it, again and again,
    would take half of the time.
    """
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of what a shell starts with `&`
        signal.signal(signal.SIGINT, signal.default_int_handler)  # and all that is started here
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(ROOT / "bpcli", quiet=2)


def pytest_collection_finish() -> None:
    """Keep the garbage collector away from thousands of tests: also in processes that are forked.

    There it would write to all of their memory, which each of them then has a copy of.

    And give BLAS one thread, as bpnet does itself: others would wait, busily, for the products of
    small matrices. Tests of that ask for more; the processes that tests start have all there are.
    """
    gc.collect()
    gc.freeze()
    gc.enable()
    threadpool_limits(1, "blas")


_CHAPTER = re.compile(r"^more: bpnet docs [\w-]+\n", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def bpnet(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run a bpnet command line in an empty folder; give its exit code and output.

    The line that names a chapter of the handbook after an error is left out.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BPNET_DEBUG", "1")  # an internal fault shows its traceback

    def run(*arguments: str | Path) -> Result:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, _CHAPTER.sub("", captured.err))

    return run


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers of a test's own, so that what it draws depends on no other test.

    No data are drawn with this seed when a test file is imported: they would be the same numbers.
    """
    return np.random.default_rng(10)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data and published numbers, which not every checkout has."""
    folder = Path(os.environ.get("BPNET_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}: set BPNET_DATA to the folder of reference data")
    return folder
