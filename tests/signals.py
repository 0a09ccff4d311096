"""Ask trainings to stop at random moments, by Ctrl-C or SIGTERM, and see how they end.

Each training is a forked process that runs the command line. A few are asked twice.

    python tests/signals.py 100 --seed 1
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from bpcli.cli.main import main as bpnet
from bpcli.runs.checkpoint import Checkpoints
from bpcli.runs.layout import METRICS
from bpcli.runs.run_json import BROKEN_OFF
from bpcli.runs.store import Run

NAMES = ("moons", "xor")
CONFIGS = Path(__file__).parent.parent / "configs"
ARGUMENTS = [
    "--set", "training.epochs=1000000", "--set", "training.stop={}",
    "--set", "training.log_every=10", "--set", "training.checkpoint_every=50", "--quiet",
]  # fmt: skip
LONGEST_SECONDS = 0.5


def _started(runs_dir: Path, config: str) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            said = os.open(runs_dir.with_suffix(".said"), os.O_WRONLY | os.O_CREAT)
            os.dup2(said, 1)
            os.dup2(said, 2)
            path = str(CONFIGS / f"{config}.yaml")
            status = bpnet(["train", path, *ARGUMENTS, "--runs-dir", str(runs_dir)])
        finally:
            os._exit(status)
    deadline = time.monotonic() + 30
    while not list(runs_dir.glob(f"*/{METRICS}")):
        time.sleep(0.005)
        assert time.monotonic() < deadline, runs_dir.with_suffix(".said").read_text()
    return child


def fault_of(folder: Path, rng: random.Random) -> str | None:
    """What is wrong with one training that was asked to stop."""
    child = _started(folder, rng.choice(NAMES))
    time.sleep(rng.uniform(0, LONGEST_SECONDS))
    number, is_hurried = rng.choice([signal.SIGINT, signal.SIGTERM]), rng.random() < 0.2
    os.kill(child, number)
    if is_hurried:
        time.sleep(rng.uniform(0, 0.02))
        os.kill(child, number)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    (path,) = folder.iterdir()
    run = Run(path)
    record = run.record()
    if is_hurried and record.status == BROKEN_OFF:  # not a thing was torn
        wanted = code in (128 + number, -number)
        newest = Checkpoints(run, record.identity).newest()
        return None if wanted and (newest or run.metrics()) else f"{code}, {record.status}"
    if is_hurried and code == -number:
        code = 128 + number  # it came when all was saved, and no handler was left
    found = (code, record.status, record.epochs)
    last = run.metrics()[-1].epoch
    newest = Checkpoints(run, record.identity).newest()
    if found == (128 + number, "interrupted", last) and newest and newest.number == last:
        return None
    return f"signal {number}: {found}, last line {last}, {newest and newest.number}"


def faults_of(signals: int, seed: int, folder: Path) -> list[str]:
    """What is wrong after so many trainings were asked to stop."""
    rng = random.Random(seed)
    for config in NAMES:  # which imports what is needed, once for all
        short = ["train", str(CONFIGS / f"{config}.yaml"), "--set", "training.epochs=1", "--quiet"]
        assert bpnet([*short, "--runs-dir", str(folder / "first")]) == 0
    found = [fault_of(folder / str(number), rng) for number in range(signals)]
    return [fault for fault in found if fault is not None]


def main() -> None:
    """Stop as many trainings as the command line says, and print what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("signals", type=int)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        faults = faults_of(asked.signals, asked.seed, Path(folder))
    print(f"{asked.signals} signals, {len(faults)} wrong ends {faults[:5] or ''}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
