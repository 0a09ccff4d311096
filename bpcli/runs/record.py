"""The description of an experiment in a run's files, as JSON and arrays."""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import sys
import time
from collections.abc import Mapping

import numpy as np

from bpcli.data.row_index import digest_of_rows
from bpcli.data.split import ROWS_AT_ONCE
from bpcli.data.types import SPLITS
from bpcli.engine.shards import ShardPlan
from bpcli.experiment import Experiment
from bpcli.metrics.baselines import constant_of
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Network
from bpcli.optimizers import OPTIMIZERS
from bpcli.optimizers.schedules import rate_record
from bpcli.registry import as_mapping, name_of
from bpcli.runs.files import file_digest, to_json
from bpcli.runs.provenance import data_digest, machine
from bpcli.runs.run_json import Description, Fold, LayerRecord, Origin, Rows, Rule, RunRecord
from bpcli.system import usable_cores
from bpcli.training.stopping import Criterion


def now() -> str:
    """Return the time in the format of records."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def argv() -> list[str]:
    """Return the command line; characters that cannot be encoded become `?`."""
    return [argument.encode("utf-8", "replace").decode() for argument in sys.argv[1:]]


def first_record(
    experiment: Experiment, run_id: str, workers: int, group: str, warnings: list[str]
) -> RunRecord:
    """Return the record before the first epoch. An experiment may have no rows."""
    has_rows = bool(len(experiment.splits["train"]))
    plan = experiment.plan if has_rows else _NO_PLAN
    return RunRecord(
        run_id=run_id,
        identity=secrets.token_hex(8),
        status="running",
        started=now(),
        **vars(describe(experiment)),
        constant=constant_of(experiment.splits["train"]).tolist() if has_rows else [],
        fold=_fold(experiment, group),
        started_from=_origin(experiment),
        workers=workers,
        shards=len(plan.shards),
        block=plan.block,
        argv=argv(),
        data_sha256=data_digest(experiment.table),
        sha256={},
        **vars(machine()),
        cores=usable_cores(),
        warnings=warnings,
    )


_NO_PLAN = ShardPlan(((0, 0),), 1)
"""Stands for the plan of no rows."""


def _fold(experiment: Experiment, group: str) -> Fold | None:
    """Return the fold that the run trains; None without folds."""
    split = experiment.spec.data.split
    return None if split.folds is None else Fold(split.fold or 1, split.folds, group)


def _origin(experiment: Experiment) -> Origin | None:
    """Return the file of the network that training starts from, if there is one."""
    start = experiment.start
    return None if start is None else Origin(start.file.name, start.sha256, start.model.form)


def split_bytes(experiment: Experiment) -> bytes:
    """Return the rows of each split as the bytes of split.npz."""
    buffer = io.BytesIO()
    np.savez(buffer, **split_arrays(experiment))  # type: ignore[arg-type]  # no key is an option
    return buffer.getvalue()


def split_arrays(experiment: Experiment) -> dict[str, Array]:
    """Return the row indices of each split, by its name.

    Of a table of more than `ROWS_AT_ONCE` rows, only the number of a split's rows and the SHA-256
    of their indices are kept: the config and the data tell which rows they are.
    """
    indices = {name: experiment.splits[name].index for name in SPLITS}
    if len(experiment.table) <= ROWS_AT_ONCE:
        return {name: index[:] for name, index in indices.items()}
    arrays: dict[str, Array] = {}
    for name, index in indices.items():
        arrays[f"{name}.rows"] = np.array([len(index)])
        arrays[f"{name}.sha256"] = np.frombuffer(digest_of_rows(index), np.uint8)
    return arrays


def describe(experiment: Experiment) -> Description:
    """Return the facts about an experiment that do not depend on its training."""
    network, spec = experiment.network, experiment.spec
    return Description(
        name=spec.name,
        config=config_record(experiment),
        seed=spec.seed,
        loss=name_of(LOSSES, spec.loss),
        reduction=spec.training.reduction,
        l2=spec.training.l2,
        class_weights=experiment.class_weights,
        weighted=experiment.table.weight is not None,
        optimizer=as_mapping(OPTIMIZERS, spec.training.optimizer),
        learning_rate=rate_record(spec.training.learning_rate),
        batch_size=spec.training.batch_size,
        dtype=spec.network.dtype,
        overrides=_overrides(experiment),
        targets_scaled=experiment.preprocessor.targets.changes_units,
        task=experiment.table.task,
        data_files=file_digests(experiment),
        rows=Rows(**{name: len(experiment.splits[name]) for name in SPLITS}),
        layers=layer_records(network),
        n_params=network.n_params,
        n_frozen=len(network.frozen),
    )


def _overrides(experiment: Experiment) -> list[str]:
    """Return the settings; the file of `train --from` without a folder that may be temporary."""
    texts, start = list(experiment.config.overrides), experiment.start
    if start is None:
        return texts
    path, name = json.dumps(str(start.file)), json.dumps(start.file.name)
    return [text.replace(path, name) for text in texts]


def file_digests(experiment: Experiment) -> dict[str, str]:
    """Return the digest of each data file; none if the rows are not kept."""
    files = experiment.spec.data.files if len(experiment.table) else ()
    return {str(path): file_digest(path) for path in files}


def config_record(experiment: Experiment) -> dict[str, object]:
    """Return the config with every default under dotted keys, so that runs are quickly compared.

    Long values, such as rows of data and explicit parameters, are replaced by digests.
    """
    tree = flat(experiment.spec.model_dump())
    if experiment.start is not None:
        tree["network.parameters.file"] = f"sha256:{experiment.start.sha256}"  # it may be moved
    return {
        key: value if len(str(value)) <= _LINE else _digest(value) for key, value in tree.items()
    }


_LINE = 200


def _digest(value: object) -> str:
    return f"sha256:{hashlib.sha256(to_json(value, indent=None).encode()).hexdigest()}"


def flat(tree: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Return a tree of mappings as one mapping with dotted keys."""
    result: dict[str, object] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            result |= flat(value, f"{prefix}{key}.")
        else:
            result[f"{prefix}{key}"] = value
    return result


def layer_records(network: Network) -> list[LayerRecord]:
    """Return each layer's sizes, activation and bias."""
    return [
        LayerRecord(
            layer.inputs, layer.units, as_mapping(ACTIVATIONS, layer.activation), layer.bias
        )
        for layer in network.layers
    ]


def weight_arrays(experiment: Experiment, best: Vector, last: Vector) -> dict[str, Array]:
    """Return the arrays of weights.safetensors: `best.W1`, `best.b1`, …, `last.W1`, …, scales."""
    network = experiment.network
    return {
        **{f"best.{name}": tensor for name, tensor in network.tensors(best)},
        **{f"last.{name}": tensor for name, tensor in network.tensors(last)},
        **experiment.preprocessor.to_arrays(),
    }


def weights_meta(experiment: Experiment, best_epoch: int) -> dict[str, object]:
    """Return the description of the weights, which makes them usable without the training data.

    It has no time, host or workers, so that equal runs have equal bytes. Only labels have `words`.
    """
    encoder, words = experiment.table.encoder, experiment.preprocessor.words
    return {
        "best_epoch": best_epoch,
        "class_names": experiment.preprocessor.class_names,
        "input_names": experiment.table.input_names,
        "target_names": experiment.table.target_names,
        "columns": None if encoder is None else encoder.to_json(),
        "layers": [layer.to_json() for layer in layer_records(experiment.network)],
        "params": experiment.network.n_params,
        **({"words": [*words.values()]} if words else {}),
    }


def criterion_record(rule: Criterion) -> Rule:
    """Return a stop rule with its first and last measured value."""
    return Rule(rule.name, rule.meaning, rule.start, rule.now, rule.target, rule.falls)
