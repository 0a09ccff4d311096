"""The program of a worker: what it answers to orders, and when it ends."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed", reason='needs pip install "bpcli[dask]"')

from trainings import restarts
from work import no_hang

from bpcli.cluster.programs import Program, read_frame, write_frame
from bpcli.runs.files import file_digest
from bpcli.runs.layout import RECORD, WEIGHTS
from bpcli.runs.store import Run
from bpcli.sweeps.parcels import Delivery, Order, files_of, write_folder
from bpcli.sweeps.program import Digests
from bpcli.sweeps.remote import PROGRAM
from bpcli.sweeps.training import result_of, run_training

ORDER = Order(restarts(1)[0], {}, {}, ["sweep", "my.yaml"])


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    made = Program(PROGRAM, str(tmp_path_factory.mktemp("worker")))
    yield made
    made.close()


def delivery(program: Program, order: Any) -> Delivery:
    with no_hang():
        answer = program.exchange(pickle.dumps(order))
    assert answer is not None
    found: Delivery = pickle.loads(answer)
    return found


def test_a_delivery_is_the_run_that_is_trained_here(program: Program, tmp_path: Path) -> None:
    found = delivery(program, ORDER)
    run_training(ORDER.training, tmp_path / "here")
    write_folder(found.files, tmp_path / "there" / "0000-0")
    assert (found.error, found.refusal) == ("", "")
    digests = [file_digest(tmp_path / each / "0000-0" / WEIGHTS) for each in ("here", "there")]
    assert digests[0] == digests[1]
    assert Run(tmp_path / "there" / "0000-0").record().argv == ["sweep", "my.yaml"]


def test_a_run_goes_on_from_its_files(program: Program, tmp_path: Path) -> None:
    paused = delivery(program, replace(ORDER, training=replace(ORDER.training, until=5)))
    ended = delivery(program, replace(ORDER, files=paused.files))
    assert ended.files[WEIGHTS] == delivery(program, ORDER).files[WEIGHTS]
    write_folder(ended.files, tmp_path / "0000-0")
    assert Run(tmp_path / "0000-0").record().resumed[0].at_epoch == 5
    assert files_of(tmp_path / "0000-0") == ended.files


def test_nothing_of_a_run_stays_on_the_worker(program: Program) -> None:
    delivery(program, ORDER)
    assert [*Path(program._folder).iterdir()] == []


def test_what_fails_is_said_and_the_program_goes_on(program: Program) -> None:
    (invalid,) = restarts(1, "network.layers=[5, 3, 1]")
    assert "5 units" in delivery(program, replace(ORDER, training=invalid)).error
    assert delivery(program, "no order").error.startswith("AttributeError: ")
    damaged = {RECORD: b"{", "run": b""}
    assert "damaged" in delivery(program, replace(ORDER, files=damaged)).error
    assert delivery(program, ORDER).error == ""


@pytest.mark.parametrize("content", [None, b"other"])
def test_other_data_are_refused(content: bytes | None, program: Program, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    if content is not None:
        path.write_bytes(content)
    found = delivery(program, replace(ORDER, data_files={str(path): "0" * 64}))
    reason = f"cannot read {path}: No such file or directory"
    assert found.refusal == (f"has another file {path}" if content else reason)
    assert (found.error, found.files) == ("", {})


def test_a_digest_is_that_of_the_present_file(tmp_path: Path) -> None:
    path, digests = tmp_path / "a", Digests()
    path.write_bytes(b"one")
    assert digests.of(str(path)) == digests.of(str(path)) == file_digest(path)
    path.write_bytes(b"three")
    assert digests.of(str(path)) == file_digest(path)


def test_the_program_ends_with_its_input_also_in_a_training(tmp_path: Path) -> None:
    (endless,) = restarts(1, "training.epochs=1000000000", "training.stop={}")
    process = subprocess.Popen(
        [sys.executable, "-m", PROGRAM, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        write_frame(process.stdin, pickle.dumps(replace(ORDER, training=endless)))
        while not (tmp_path / "0000-0" / RECORD).exists():
            assert process.poll() is None
        process.stdin.close()
        assert process.wait(60) == 1
        assert read_frame(process.stdout) is None
    finally:
        process.kill()
        process.stdout.close()
    assert result_of(endless, tmp_path) is None
