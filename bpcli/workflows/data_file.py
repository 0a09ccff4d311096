"""Save the arrays of a Python program in a file that the config of a run can name."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from bpcli.config.data_models import ArrayData
from bpcli.config.load import Config, config_of
from bpcli.data.given import GivenArrays
from bpcli.errors import RunError
from bpcli.experiment import Experiment
from bpcli.runs.files import file_digest, write_atomically

_DIGITS = 16


def with_data_file(experiment: Experiment, folder: Path) -> Experiment:
    """The same experiment, whose config names a file in `folder` in place of arrays.

    The file is named by its content, so that runs on the same rows share it. Any other config stays
    as it is. Raises `RunError` if the file cannot be written.
    """
    data = experiment.spec.data
    if not isinstance(data, ArrayData):
        return experiment
    path = data_file(_as_read(experiment, data.source), folder)
    return replace(experiment, config=_naming(experiment.config, path))


def data_file(rows: GivenArrays, folder: Path) -> Path:
    """The absolute path of a file in `folder` with these rows, which is written once.

    Raises `RunError` if it cannot be written.
    """
    content = rows.to_bytes()
    path = folder / f"data-{hashlib.sha256(content).hexdigest()[:_DIGITS]}.npz"
    _write_once(path, content)
    return path.absolute()


def _as_read(experiment: Experiment, given: GivenArrays) -> GivenArrays:
    """The rows, with classes as the config has read them: a file may be read in other ways."""
    table = experiment.table
    if table.labels is None:
        return given
    return replace(given, targets=table.labels, classes=table.class_names)


def _write_once(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_written = path.is_file() and file_digest(path) == hashlib.sha256(content).hexdigest()
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}.") from None
    if not is_written:
        write_atomically(path, content)


def _naming(config: Config, path: Path) -> Config:
    """The config with a file in place of its arrays."""
    tree = dict(config.source.tree)
    fields = {*ArrayData.model_fields} - {"split", "scale", "task", "targets"}
    data = {key: value for key, value in tree["data"].items() if key not in fields}
    if not config.spec.data.targets_are_inputs:
        data.pop("targets", None)
    tree["data"] = {"file": str(path), **data}
    named = config_of(tree, name=config.source.name)
    return replace(named, notes=config.notes, overrides=config.overrides)
