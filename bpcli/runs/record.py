"""What a run's files say of an experiment, as JSON and arrays."""

from __future__ import annotations

import hashlib
import io
import secrets
import sys
import time
from collections.abc import Mapping

import numpy as np

from bpcli.data.types import SPLITS
from bpcli.experiment import Experiment
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Network
from bpcli.optimizers import OPTIMIZERS
from bpcli.optimizers.schedules import rate_record
from bpcli.registry import as_mapping, name_of
from bpcli.runs.files import file_digest, to_json
from bpcli.runs.provenance import data_digest, machine
from bpcli.runs.run_json import Description, Fold, LayerRecord, Rows, Rule, RunRecord
from bpcli.system import usable_cores
from bpcli.training.stopping import Criterion


def now() -> str:
    """The time, as records have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def argv() -> list[str]:
    """The command line, in characters that can be written."""
    return [argument.encode("utf-8", "replace").decode() for argument in sys.argv[1:]]


def first_record(experiment: Experiment, run_id: str, workers: int, group: str) -> RunRecord:
    """What is known before the first epoch."""
    return RunRecord(
        run_id=run_id,
        identity=secrets.token_hex(8),
        status="running",
        started=now(),
        **vars(describe(experiment)),
        fold=_fold(experiment, group),
        workers=workers,
        shards=len(experiment.plan.shards),
        block=experiment.plan.block,
        argv=argv(),
        data_sha256=data_digest(experiment.table),
        sha256={},
        **vars(machine()),
        cores=usable_cores(),
    )


def _fold(experiment: Experiment, group: str) -> Fold | None:
    """Which fold of how many the run is; None where there are no folds."""
    split = experiment.spec.data.split
    return None if split.folds is None else Fold(split.fold or 1, split.folds, group)


def split_bytes(experiment: Experiment) -> bytes:
    """The rows of each split, as split.npz holds them."""
    buffer = io.BytesIO()
    train, val, test = (experiment.splits[name].index for name in SPLITS)
    np.savez(buffer, train=train, val=val, test=test)
    return buffer.getvalue()


def describe(experiment: Experiment) -> Description:
    """The facts that stand at the head of a run."""
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
        overrides=list(experiment.config.overrides),
        targets_scaled=experiment.preprocessor.targets.changes_units,
        task=experiment.table.task,
        data_files={str(path): file_digest(path) for path in spec.data.files},
        rows=Rows(**{name: len(experiment.splits[name]) for name in SPLITS}),
        layers=layer_records(network),
        n_params=network.n_params,
        n_frozen=len(network.frozen),
    )


def config_record(experiment: Experiment) -> dict[str, object]:
    """The config with every default, one dotted key a value, so that runs are quickly compared.

    Of what would not fit on a line, rows of data and explicit parameters, it has the digest.
    """
    tree = flat(experiment.spec.model_dump())
    return {
        key: value if len(str(value)) <= _LINE else _digest(value) for key, value in tree.items()
    }


_LINE = 200


def _digest(value: object) -> str:
    return f"sha256:{hashlib.sha256(to_json(value, indent=None).encode()).hexdigest()}"


def flat(tree: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """A tree of mappings as one mapping with dotted keys."""
    found: dict[str, object] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def layer_records(network: Network) -> list[LayerRecord]:
    """Each layer's sizes, activation and bias."""
    return [
        LayerRecord(
            layer.inputs, layer.units, as_mapping(ACTIVATIONS, layer.activation), layer.bias
        )
        for layer in network.layers
    ]


def weight_arrays(experiment: Experiment, best: Vector, last: Vector) -> dict[str, Array]:
    """What weights.safetensors holds: `best.W1`, `best.b1`, …, `last.W1`, …, and the scales."""
    network = experiment.network
    return {
        **{f"best.{name}": tensor for name, tensor in network.tensors(best)},
        **{f"last.{name}": tensor for name, tensor in network.tensors(last)},
        **experiment.preprocessor.to_arrays(),
    }


def weights_meta(experiment: Experiment, best_epoch: int) -> dict[str, object]:
    """What describes the weights, so that they can be used without the data they come from.

    Nothing of time, host or workers: bytes repeat.
    """
    encoder = experiment.table.encoder
    return {
        "best_epoch": best_epoch,
        "class_names": experiment.preprocessor.class_names,
        "input_names": experiment.table.input_names,
        "target_names": experiment.table.target_names,
        "columns": None if encoder is None else encoder.to_json(),
        "layers": [layer.to_json() for layer in layer_records(experiment.network)],
        "params": experiment.network.n_params,
    }


def criterion_record(rule: Criterion) -> Rule:
    """A stop rule with what it measured at the start and at the end."""
    return Rule(rule.name, rule.meaning, rule.start, rule.now, rule.target, rule.falls)
