"""Signals while Python starts: the process ends by them, silently, and nothing is torn."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from systems import CONFIGS

from bpcli import system
from bpcli.runs.store import Run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

SIGNALS = 400 if os.environ.get("BPNET_FULL") else 24
LONGEST_SECONDS = 0.3
TRAIN = ["train", str(CONFIGS / "xor.yaml"), "--set", "training.epochs=100000000", "--quiet"]
STARTS = {
    "module": ["-m", "bpcli"],
    "script": ["-c", "import re, sys; from bpcli.start import run; sys.exit(run())"],
}
FIRST_FILES = {"__init__.py", "__main__.py", "start.py"}
"""What is read, or run, before signals are out of Python's hands."""
LOST = re.compile(r"\AException ignored in: <function _get_module_lock\.<locals>\.cb [^\n]*\n")
"""Python lost it in one of its first imports. `test_an_interrupt_that_python_would_lose...` shows
that none is lost later."""


def fault_of(folder: Path, rng: random.Random) -> str | None:
    """What is wrong with the end of a process that got a signal when it had just begun."""
    number, start = rng.choice([signal.SIGINT, signal.SIGTERM]), rng.choice([*STARTS])
    seconds = rng.uniform(0, LONGEST_SECONDS)
    process = subprocess.Popen(
        [sys.executable, *STARTS[start], *TRAIN, "--runs-dir", folder],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(seconds)
    process.send_signal(number)
    try:
        _, err = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        _, err = process.communicate()
        if number == signal.SIGINT and LOST.search(err):
            return None
        return f"{start} goes on after {number} at {seconds}: {err[-2000:]}"
    ours = {Path(file).name for file in re.findall(r'File "([^"]*/bpcli/[^"]*)"', err)}
    is_pythons = "Traceback" in err and number == signal.SIGINT and ours <= FIRST_FILES
    if is_pythons and not folder.exists():
        return None
    is_silent = "Traceback" not in err and "ignored" not in err
    if is_silent and process.returncode in (-number, 128 + number):
        return None
    return f"{start} after {number} at {seconds}: {process.returncode}, {err[-2000:]}"


@pytest.mark.slow
def test_signals_at_the_start_end_the_process(tmp_path: Path) -> None:
    def fault(at: int) -> str | None:
        return fault_of(tmp_path / str(at), random.Random(at))

    with ThreadPoolExecutor(2) as pool:
        faults = list(filter(None, pool.map(fault, range(SIGNALS))))
    assert not faults
    folders = [run for runs in tmp_path.iterdir() for run in runs.iterdir()]
    for folder in folders:
        assert Run(folder).record().status == "interrupted"
    if folders:
        on = ["train", "--resume", str(folders[0]), "--set", "training.epochs=100000"]
        stop = ["--set", "training.stop.goal=100", "--quiet"]
        subprocess.run([sys.executable, "-m", "bpcli", *on, *stop], check=True, capture_output=True)


def outcome_of(program: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30
    )
    return done.returncode, done.stdout, done.stderr


INTERRUPT = "import signal; signal.raise_signal(signal.SIGINT)\n"


def test_an_interrupt_is_the_systems_until_the_command_begins() -> None:
    """The import of the command line is interrupted at its first line."""
    program = f"""
import sys, types
class Interrupter:
    def find_spec(self, name, path, target=None):
        if name == "bpcli.cli.main":
            {INTERRUPT}
sys.meta_path.insert(0, Interrupter())
from bpcli.start import run
run()
"""
    assert outcome_of(program) == (-signal.SIGINT, "", "")


def test_an_interrupt_while_a_command_is_imported_is_told() -> None:
    program = f"""
import sys
class Interrupter:
    def find_spec(self, name, path, target=None):
        if name == "bpcli.cli.runs":
            {INTERRUPT}
sys.meta_path.insert(0, Interrupter())
sys.argv = ["bpnet", "runs", "list"]
from bpcli.start import run
run()
"""
    code, out, err = outcome_of(program)
    assert (code, out, err.strip()) == (130, "", "Interrupted.")


def test_an_interrupt_that_python_would_lose_ends_the_process() -> None:
    """As in the callbacks that free the locks of imports."""
    program = f"""
import signal, weakref
from bpcli import system
signal.signal(signal.SIGINT, signal.SIG_DFL)
system.hear_interrupts()
class Thing: pass
thing = Thing()
def freed(_):
    {INTERRUPT}
reference = weakref.ref(thing, freed)
del thing
print("still here")
"""
    assert outcome_of(program) == (-signal.SIGINT, "", "")


def test_other_failures_that_python_loses_are_shown_as_ever() -> None:
    program = """
import signal, weakref
from bpcli import system
signal.signal(signal.SIGINT, signal.SIG_DFL)
system.hear_interrupts()
class Thing: pass
thing = Thing()
reference = weakref.ref(thing, lambda _: 1 / 0)
del thing
print("still here")
"""
    code, out, err = outcome_of(program)
    assert (code, out) == (0, "still here\n")
    assert "ZeroDivisionError" in err


def test_where_interrupts_are_ignored_they_stay_so() -> None:
    program = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
import bpcli.cli.main
bpcli.cli.main.run = lambda: print(signal.getsignal(signal.SIGINT).name)
from bpcli import start, system
start.run()
system.hear_interrupts()
print(signal.getsignal(signal.SIGINT).name)
system.end_on_interrupts()
print(signal.getsignal(signal.SIGINT).name)
"""
    assert outcome_of(program) == (0, "SIG_IGN\n" * 3, "")


@pytest.mark.parametrize("end", ["before", "after"])
def test_an_interrupt_just_beside_the_command_is_no_traceback(end: str) -> None:
    lines = ["heard()", INTERRUPT.strip()]
    program = f"""
import signal, sys
from bpcli import system
heard, ended = system.hear_interrupts, system.end_on_interrupts
def hear():
    {"; ".join(lines) if end == "before" else "heard()"}
def end():
    {INTERRUPT if end == "after" else "ended()"}
system.hear_interrupts, system.end_on_interrupts = hear, end
sys.argv = ["bpnet", "--version"]
from bpcli.start import run
run()
"""
    code, _, err = outcome_of(program)
    assert (code, err) == (130, "")


def test_terms_are_the_systems_until_training_hears_them() -> None:
    assert signal.SIGTERM in system.stop_signals()
    program = "import signal, bpcli.cli.main; print(signal.getsignal(signal.SIGTERM).name)"
    assert outcome_of(program) == (0, "SIG_DFL\n", "")
