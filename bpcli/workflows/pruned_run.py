"""Save the network that pruning keeps as a run of its own, and compare it with the first run.

It is an ordinary training: its config has fewer inputs and units, and starts from the parameters
that the last removal has left. So it trains that network again, with the same bits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from tempfile import TemporaryDirectory

import numpy as np

from bpcli.config.file_models import FileData
from bpcli.config.load import Config, validate
from bpcli.config.overrides import override
from bpcli.config.writing import inline
from bpcli.data.given import GivenArrays
from bpcli.data.selection import EVERY, Selector
from bpcli.data.table import Classes, MultiLabels, RawTable, Values
from bpcli.experiment import build
from bpcli.experiment.table import make_table, read_rows
from bpcli.export.json_file import json_text
from bpcli.export.model import load_model
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.files import write_atomically
from bpcli.runs.trained import load_trained, read_config
from bpcli.text import as_name
from bpcli.workflows.data_file import data_file
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.paired import PairedEvaluation, paired_on_rows
from bpcli.workflows.prune import Path, experiment_of, plain_training
from bpcli.workflows.run_epochs import TrainingCallback
from bpcli.workflows.train import train


@dataclass(frozen=True, eq=False)
class KeptRun:
    """The run of the network that is kept, and its scores on the test set beside the first's.

    `paired` is None without a test set, and after a training that was interrupted or failed.
    """

    outcome: Outcome
    paired: PairedEvaluation | None


def save_kept(
    path: Path, runs_dir: FilePath, callback: TrainingCallback, name: str | None = None
) -> KeptRun:
    """Train the network that is kept, as a new run in `runs_dir`.

    Raises `ConfigError` for a name that is none, and `RunError` if the run cannot be saved; a
    failure in training is in the outcome, as for `train`.
    """
    with TemporaryDirectory(prefix="bpnet-prune-") as folder:
        config = _config(path, runs_dir, FilePath(folder), name)
        outcome = train(build(config), runs_dir, callback)
    if outcome.failure is not None or not len(path.trained.experiment.splits["test"]):
        return KeptRun(outcome, None)
    with repeatable_numerics():
        kept = load_trained(outcome.run).uncalibrated
        experiment = experiment_of(path.trained.experiment, path.kept.remaining, kept.params)
        same_rows = replace(kept, experiment=experiment)
        return KeptRun(outcome, paired_on_rows(path.trained, same_rows, "test"))


def _config(path: Path, runs_dir: FilePath, folder: FilePath, name: str | None) -> Config:
    """The config of the run, whose parameters are in a file in `folder`."""
    trained, kept = path.trained, path.kept
    start = folder / f"{trained.run.run_id}.json"
    with repeatable_numerics():
        write_atomically(start, _start(path).encode())
    overrides = (
        *plain_training(path.how),
        f"name={inline(name or as_name(f'{trained.record.name}-pruned'))}",
        *_data(path, runs_dir),
        f"network.layers={inline(kept.remaining.sizes)}",
        f"network.parameters={json.dumps({'file': str(start)})}",
    )
    source = read_config(trained.run, trained.record)
    for assignment in overrides:
        override(source, assignment)
    return replace(validate(source), overrides=overrides)


def _start(path: Path) -> str:
    """The network from which the training starts, as a file that bpnet imports."""
    kept, model = path.kept, load_model(path.trained.run)
    experiment = experiment_of(path.trained.experiment, kept.remaining, kept.start)
    names = {column.name for column in kept.remaining.columns}
    inputs = tuple(column for column in model.encoder.inputs if column.name in names)
    smaller = replace(
        model,
        network=kept.remaining.network,
        params=kept.start,
        preprocessor=experiment.preprocessor,
        encoder=replace(model.encoder, inputs=inputs),
    )
    return json_text(smaller)


def _data(path: Path, runs_dir: FilePath) -> Iterator[str]:
    """The settings that choose the columns; rows in arrays have a file with these columns alone."""
    trained, encoder = path.trained, path.trained.experiment.table.encoder
    names = [column.name for column in path.kept.remaining.columns]
    if isinstance(trained.experiment.spec.data, FileData) and encoder is not None:
        columns = encoder.file_columns
        yield f"data.inputs={inline([_selector(name, columns) for name in names])}"
        return
    experiment = trained.experiment
    file = data_file(_rows(path), runs_dir)
    scale = experiment.spec.data.scale.model_dump()
    data = {"file": str(file), "task": experiment.table.task, "scale": scale}
    yield f"data={inline(data)}"


def _selector(name: str, columns: tuple[str, ...]) -> Selector:
    """The selector of a column: its number if its name would be read as another selector."""
    return columns.index(name) + 1 if name == EVERY or name.startswith("!") else name


def _rows(path: Path) -> GivenArrays:
    """The rows of the run, with the inputs that are kept, in the same splits."""
    base, kept = path.trained.experiment, path.kept
    experiment = experiment_of(base, kept.remaining, kept.start)
    table = make_table(base.config, read_rows)
    X = experiment.table.X
    assert isinstance(X, np.ndarray), "streams are refused"
    return replace(
        _targets(table, X),
        weight=table.weight,
        input_names=experiment.table.input_names,
        splits={name: split.index[:] for name, split in base.splits.items() if len(split)},
    )


def _targets(table: RawTable, X: np.ndarray) -> GivenArrays:
    """The inputs with the targets of a table, so that these are read as before."""
    targets = table.targets
    if isinstance(targets, Classes):
        return GivenArrays(X, targets.labels, classes=targets.names)
    assert isinstance(targets, Values), "a run has targets"
    Y = targets.Y
    if isinstance(targets, MultiLabels):
        zero, one = np.array(targets.words, np.float64).T
        Y = np.where(Y == 1, one, zero)
    return GivenArrays(X, Y, target_names=targets.names)
