"""Build an experiment from a config, or report everything that does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bpcli.config.data_models import DivideBy, GeneratedData, ScaleSpec
from bpcli.config.load import Config
from bpcli.config.models import Spec
from bpcli.config.parameters_spec import ParametersFile
from bpcli.data.preprocessing import Preprocessor, Split
from bpcli.data.rounding import rounded_columns, rounding_notes
from bpcli.data.row_index import RowIndex
from bpcli.data.scaler import ScaleRule
from bpcli.data.table import Table
from bpcli.data.types import SplitName
from bpcli.errors import ConfigIssue
from bpcli.experiment import issues
from bpcli.experiment.experiment import Experiment
from bpcli.experiment.memory import needs, of_memory
from bpcli.experiment.network import network_for, network_of_sizes
from bpcli.experiment.splits import notes_on_classes, notes_on_folds, split_table
from bpcli.experiment.streaming import chosen_reader
from bpcli.experiment.table import (
    ReadRows,
    encode_table,
    make_table,
    notes_on_labels,
    read_rows,
    weigh_table,
)
from bpcli.nn.arrays import Array
from bpcli.nn.numerics import prefer, repeatable_numerics, require

if TYPE_CHECKING:
    from bpcli.data.columns import FeatureEncoder
    from bpcli.experiment.start import Start


def build(
    config: Config,
    *,
    needs_targets: bool = True,
    encoder: FeatureEncoder | None = None,
    can_be_native: bool = False,
    read: ReadRows = read_rows,
) -> Experiment:
    """Make the data and the network. Raises `ConfigError` with everything that does not fit.

    `encoder` was fitted by an earlier training; without it, one is fitted to the training rows.
    `read` may know the rows already.

    Generators use matrix products too, so the data are made with one BLAS thread and the numerics
    of the training: the same rows, to the bit, on any number of cores.

    Raises `NumericsNotPinned`, before anything is made, if this process has other numerics, and
    `NumericsError` if it cannot have those of the config, unless `can_be_native`.
    """
    numerics, demand = config.spec.training.numerics, prefer if can_be_native else require
    demand(numerics, can_restart=_can_be_read_again(config))
    with repeatable_numerics():
        experiment = _build(config, needs_targets, encoder, read)
    demand(numerics)  # again: scikit-learn loads its own BLAS
    return experiment


def _can_be_read_again(config: Config) -> bool:
    """Whether the config is a file, not a pipe."""
    try:
        return Path(config.source.name).is_file()
    except OSError:  # the name is too long for a file
        return False


def _build(
    config: Config, needs_targets: bool, encoder: FeatureEncoder | None, read: ReadRows
) -> Experiment:
    spec = config.spec
    _refuse_what_cannot_fit(config)
    table = make_table(config, chosen_reader(config, read))
    _refuse(config, issues.of_folds(spec, table))
    indices = split_table(spec, table)
    notes = (*notes_on_folds(spec, table), *notes_on_classes(spec, table, indices))
    table = replace(table, notes=(*table.notes, *notes))
    raw, start = table, _start_of(config)
    table = encode_table(config, raw, indices["train"], encoder)
    if start is not None and encoder is None and table.encoder is not None:
        encoder = start.encoder_for(table.encoder)
        if encoder != table.encoder:
            table = encode_table(config, raw, indices["train"], encoder)
    rounded = rounding_notes(rounded_columns(table.X, table.input_names))
    table = replace(table, notes=(*table.notes, *rounded, *notes_on_labels(table, indices)))
    _refuse(
        config,
        issues.of_targets(spec, table, needs_targets),
        issues.of_weights(spec, table),
        issues.of_sizes(spec, table),
        issues.of_splits(spec, table, indices),
        issues.of_validation(spec, indices),
    )
    own_weight, table = table.weight, weigh_table(spec, table, indices["train"])
    network = network_for(spec, table)
    if start is not None:
        _refuse(config, start.issues(table, network))
    preprocessor, splits = _preprocessed(spec, table, indices, network.outputs, own_weight)
    _refuse(
        config,
        issues.of_parameters(spec, network),
        issues.of_calibration(spec, table, network, indices),
        of_memory(needs(spec, network, len(table), 0, table.buffer_bytes)),
        issues.of_overflow(preprocessor, splits),
        issues.of_loss(network, splits) if needs_targets else (),
    )
    experiment = Experiment(config, table, preprocessor, splits, network)
    return experiment if start is None else _started(experiment, start)


def _start_of(config: Config) -> Start | None:
    """The network that the training starts from; None if its parameters are drawn or written."""
    given = config.spec.network.parameters
    if not isinstance(given, ParametersFile):
        return None
    from bpcli.experiment.start import start_of  # here: it reads files of other programs

    return start_of(config, given)


def _started(experiment: Experiment, start: Start) -> Experiment:
    """The experiment with the parameters and the scales of a start."""
    adapted = start.adapted(experiment.network, experiment.preprocessor)
    scale = experiment.spec.data.scale
    if not start.refits and (scale.inputs, scale.targets) != ("none", "none"):
        note = f"the scales are those of {start.file.name}: `data.scale` is not used"
        table = replace(experiment.table, notes=(*experiment.table.notes, note))
        experiment = replace(experiment, table=table)
    started = replace(experiment, start=start, start_params=adapted.params)
    return started.with_preprocessor(adapted.preprocessor)


def _refuse(config: Config, *issues_of: Iterable[ConfigIssue]) -> None:
    """Raises `ConfigError` with all issues, if there are any."""
    all_issues = [issue for each in issues_of for issue in each]
    if all_issues:
        raise config.source.error(all_issues)


def _refuse_what_cannot_fit(config: Config) -> None:
    """Raises `ConfigError` if the config alone shows that there is too little memory.

    Only a generator makes rows that take memory; all other needs are checked once rows are known.
    """
    spec = config.spec
    if not isinstance(spec.data, GeneratedData):
        return
    rows, numbers = spec.data.source.rows, spec.data.source.numbers
    sizes = [1 if size == "auto" else size for size in spec.network.layers]
    network = network_of_sizes(spec, sizes)
    _refuse(config, of_memory(needs(spec, network, rows, _BYTES_PER_NUMBER * numbers)))


_BYTES_PER_NUMBER = 16
"""Bytes per number of a generated table: in double precision, and copied once."""


def _preprocessed(
    spec: Spec,
    table: Table,
    indices: Mapping[SplitName, RowIndex],
    outputs: int,
    own_weight: Array | None,
) -> tuple[Preprocessor, dict[SplitName, Split]]:
    rules = (_scale_rule(spec.data.scale.inputs), _scale_rule(spec.data.scale.targets))
    preprocessor = Preprocessor.fit(table, indices["train"], outputs, *rules, own_weight)
    splits = {name: preprocessor.split(name, table, index) for name, index in indices.items()}
    return preprocessor, splits


def _scale_rule(scale: ScaleSpec) -> ScaleRule | float:
    return scale.divide_by if isinstance(scale, DivideBy) else scale
