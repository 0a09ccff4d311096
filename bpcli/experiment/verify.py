"""Train a run again, from what its folder says, and compare what comes of it bit by bit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bpcli.build import Experiment, build
from bpcli.errors import Interrupted, RunError
from bpcli.experiment.provenance import data_digest, machine
from bpcli.experiment.scores import EpochScores
from bpcli.experiment.train import train
from bpcli.experiment.trained import SavedWeights, load_weights
from bpcli.nn.arrays import Array
from bpcli.runs.files import load_arrays
from bpcli.runs.integrity import check_files
from bpcli.runs.references import reference_to
from bpcli.runs.store import RESOLVED, WEIGHTS, Record, Run
from bpcli.spec.load import validate
from bpcli.spec.overrides import override
from bpcli.spec.source import Source
from bpcli.training.loop import Epoch
from bpcli.training.stopping import Stopping

MACHINE = ("versions", "platform", "cpu", "blas")
"""What the last bits of a result may depend on."""


@dataclass(frozen=True)
class Difference:
    """A number that came out differently; None is one that is not finite."""

    what: str
    then: float | None
    again: float | None

    @property
    def sentence(self) -> str:
        return f"{self.what} was {_exact(self.then)} and is {_exact(self.again)}"


def _exact(number: float | None) -> str:
    return "not finite" if number is None else repr(number)


@dataclass(frozen=True)
class Verdict:
    """What the second training found: the first epoch and the first tensor that differ, if any."""

    run_id: str
    epochs: int
    losses: int
    tensors: int
    epoch: Difference | None
    tensor: Difference | None
    then: Record
    now: Record

    @property
    def is_identical(self) -> bool:
        return self.epoch is None and self.tensor is None

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        compared = f"{self.losses} losses and {self.tensors} tensors after {self.epochs} epochs"
        if self.is_identical:
            return f"bit-identical: {compared}"
        found = [each.sentence for each in (self.epoch, self.tensor) if each is not None]
        return f"not identical, of {compared}: {'; '.join(found)}"

    def to_json(self) -> Record:
        return {
            "run_id": self.run_id,
            "identical": self.is_identical,
            "epochs": self.epochs,
            "losses": self.losses,
            "tensors": self.tensors,
            "first_epoch": None if self.epoch is None else vars(self.epoch),
            "first_tensor": None if self.tensor is None else vars(self.tensor),
            "then": self.then,
            "now": self.now,
        }


@dataclass
class _Comparer:
    """Watches the second training with the log of the first in hand."""

    losses: Mapping[int, float | None]
    epochs: list[int] = field(init=False)
    first: Difference | None = None
    compared: int = 0

    def __post_init__(self) -> None:
        self.epochs = sorted(self.losses, reverse=True)

    def start(self, record: Record, stopping: Stopping) -> None: ...

    def next_due(self, number: int) -> int:
        """The next epoch that has a line."""
        while self.epochs and self.epochs[-1] <= number:
            self.epochs.pop()
        return self.epochs[-1] if self.epochs else number + 2**62

    def see(self, epoch: Epoch, scores: EpochScores, is_last: bool) -> None:
        if epoch.number not in self.losses:
            return
        then = self.losses[epoch.number]
        again = epoch.loss if math.isfinite(epoch.loss) else None
        self.compared += 1
        if self.first is None and then != again:
            self.first = Difference(f"the loss of epoch {epoch.number}", then, again)


def verify(run: Run) -> Verdict:
    """Train as many epochs again, in a folder that is deleted, and compare all there is.

    What ended the first training does not matter, and neither does where it was resumed: both are
    the same steps. Raises `RunError` where the run has no end to compare with, where its data have
    changed, where a file is damaged, or where its learning rate changed on the way.
    """
    saved = load_weights(run)
    record = saved.record
    _refuse_unrepeatable(run, record)
    check_files(run, record)
    experiment = _experiment(saved)
    comparer = _Comparer(_losses(run, record["epochs"]))
    with TemporaryDirectory(prefix="bpnet-verify-") as scratch:
        outcome = train(experiment, Path(scratch), comparer)
        if isinstance(outcome.failure, Interrupted):
            number = outcome.failure.signal_number
            raise Interrupted("The verification was interrupted.", number)
        if not outcome.run.path(WEIGHTS).is_file():
            raise outcome.failure or RunError(f"{run.run_id} could not be trained again.")
        again, _ = load_arrays(outcome.run.path(WEIGHTS))
    return Verdict(
        run.run_id,
        record["epochs"],
        comparer.compared,
        len(saved.arrays),
        comparer.first or _other_end(record["epochs"], outcome.record["epochs"]),
        next(_differing(saved.arrays, again), None),
        {key: record.get(key) for key in MACHINE},
        {key: value for key, value in machine().items() if key in MACHINE},
    )


def _refuse_unrepeatable(run: Run, record: Record) -> None:
    run_id = run.run_id
    if "stop" not in record:
        raise RunError(
            f"{run_id} has not come to its end: its status is `{record['status']}`. Go on with: "
            f"bpnet train --resume {reference_to(run)}"
        )
    for session in record.get("resumed", []):
        changed = any(key.startswith("training.learning_rate") for key in session["changed"])
        if changed and session["at_epoch"]:
            raise RunError(
                f"{run_id} had another learning rate from epoch {session['at_epoch']} on: no one "
                "config trains it again."
            )


def _experiment(saved: SavedWeights) -> Experiment:
    """The run's own experiment, for as many epochs as it had, whatever ended it."""
    source = Source.read(saved.run.checked(RESOLVED))
    for assignment in (
        f"training.epochs={saved.record['epochs']}",
        "training.stop={}",
        "training.record_params=false",
        "training.checkpoint_every={seconds: 1e9}",
    ):
        override(source, assignment)
    experiment = build(validate(source))
    if data_digest(experiment.table) != saved.record.get("data_sha256"):
        raise RunError(f"{saved.run.run_id} cannot be verified: its data have changed since then.")
    return experiment


def _losses(run: Run, epochs: int) -> dict[int, float | None]:
    return {line["epoch"]: line["loss"] for line in run.metrics() if line["epoch"] <= epochs}


def _other_end(then: int, again: int) -> Difference | None:
    return None if then == again else Difference("the number of epochs", then, again)


def _differing(then: Mapping[str, Array], again: Mapping[str, Array]) -> Iterator[Difference]:
    """The tensors that differ, each with its first entry that does."""
    for name in sorted(then.keys() | again.keys()):
        first, second = then.get(name), again.get(name)
        if first is None or second is None or _form(first) != _form(second):
            yield Difference(f"the size of {name}", _size(first), _size(second))
        elif first.tobytes() != second.tobytes():
            bits = np.dtype(f"u{first.itemsize}")  # of numbers, -0 and 0 would be equal
            place = tuple(np.argwhere(first.view(bits) != second.view(bits))[0].tolist())
            yield Difference(f"{name}{list(place)}", first[place].item(), second[place].item())


def _form(array: Array) -> tuple[tuple[int, ...], np.dtype]:
    return array.shape, array.dtype


def _size(array: Array | None) -> int:
    return 0 if array is None else array.nbytes
