"""The program that trains on a worker of a cluster, started by `bpcli.cluster.programs`.

Its argument is the folder in which it trains. It reads orders and writes deliveries, and ends at
once when its input ends: then its worker has ended.
"""

from __future__ import annotations

import pickle
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO

from bpcli import system
from bpcli.cluster.programs import read_frame, write_frame
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.files import file_digest
from bpcli.sweeps.parcels import Delivery, Order, files_of, write_folder
from bpcli.sweeps.training import run_training
from bpcli.system import Stamp, stamp_of


def main() -> None:
    """Train what is ordered, until the input ends."""
    folder, answers = Path(sys.argv[1]), sys.stdout.buffer
    sys.stdout = sys.stderr
    orders: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_read, args=(sys.stdin.buffer, orders), daemon=True).start()
    digests = Digests()
    while True:
        write_frame(answers, pickle.dumps(_delivery(orders.get(), folder, digests)))


def _read(stream: IO[bytes], orders: SimpleQueue[bytes]) -> None:
    while (order := read_frame(stream)) is not None:
        orders.put(order)
    system.leave(1)


class Digests:
    """The digests of files, which are computed again if a file was changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Stamp, str]] = {}

    def of(self, path: str) -> str:
        """The digest of a file. Raises `OSError` if it cannot be read."""
        stamp = stamp_of(Path(path))
        if path not in self._known or self._known[path][0] != stamp:
            self._known[path] = stamp, file_digest(Path(path))
        return self._known[path][1]


def _delivery(order: bytes, folder: Path, digests: Digests) -> Delivery:
    """The result of an order; a failure is reported in it."""
    try:
        return _trained(pickle.loads(order), folder, digests)
    except Exception as error:
        return Delivery(f"{type(error).__name__}: {error}")


def _trained(order: Order, folder: Path, digests: Digests) -> Delivery:
    refusal = _refusal(order.data_files, digests)
    if refusal:
        return Delivery(refusal=refusal)
    sys.argv[1:] = order.argv  # the record of the run has them
    run = folder / order.training.name
    try:
        if order.files:
            write_folder(order.files, run)
        with repeatable_numerics():
            error = run_training(order.training, folder)
        return Delivery(error, files_of(run))
    finally:
        shutil.rmtree(run, ignore_errors=True)


def _refusal(data_files: Mapping[str, str], digests: Digests) -> str:
    """Why this machine must not train on these files; empty if it may."""
    for path, digest in data_files.items():
        try:
            if digests.of(path) != digest:
                return f"has another file {path}"
        except OSError as error:
            return f"cannot read {path}: {error.strerror}"
    return ""


if __name__ == "__main__":
    main()
