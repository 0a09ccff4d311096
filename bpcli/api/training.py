"""`bpcli.train`: train a network from a config."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bpcli.api.configs import AnyPath, ConfigSource, Overrides, load_config
from bpcli.api.progress import Callback, sweep_view_for, view_for
from bpcli.api.run import Run, run_of
from bpcli.api.scratch import Scratch
from bpcli.config.load import Config
from bpcli.errors import ConfigError, Interrupted
from bpcli.experiment import Experiment, build
from bpcli.workflows.data_file import with_data_file
from bpcli.workflows.train import train as train_experiment


def train(
    config: ConfigSource,
    runs_dir: AnyPath | None = None,
    *,
    callbacks: Sequence[Callback] = (),
    overrides: Overrides = (),
    progress: bool = False,
) -> Run:
    """Train a network.

    `config` is the path of a YAML file, a mapping with the same keys, or what `load_config` has
    returned. With `runs_dir`, the run is saved there, as by `bpnet train`, with the same bits;
    without it, the run is removed when nothing refers to it any more.

    With `training.restarts`, the run is the best of several trainings, or their average. Then
    Ctrl-C raises `Interrupted`: with `runs_dir`, `bpnet train --resume` trains the rest.

    `callbacks` are called after every epoch, also after epoch 0, with an object whose values are
    computed when they are read: `number`, `loss` (minimised), `mean_loss` (without L2), `val_loss`
    or None, `grad_norm`, `grad_norms` (by layer), `params` (all parameters in one vector, never to
    be changed), `diagnostics` and `seconds`. If one returns a true value, training ends with the
    stop reason `callback`. `progress` shows the training on stderr.

    Ctrl-C ends training after the current epoch: the run so far is returned, with the status
    `interrupted` and a warning. Likely mistakes are warnings of the class `BpnetWarning`.

    Raises `ConfigError` for a config that is not valid or does not fit its data, and `Diverged` if
    the loss becomes infinite; the error's attribute `run` has what was trained until then.

    >>> run = bpcli.train("configs/xor.yaml", overrides={"training.epochs": 500})
    >>> run.epochs
    500
    """
    loaded = load_config(config, overrides)
    _require_one_training(loaded, has_callbacks=bool(callbacks))
    experiment = build(loaded)
    scratch = Scratch() if runs_dir is None else None
    folder = Path(runs_dir or "") if scratch is None else scratch.folder
    experiment = with_data_file(experiment, folder)
    if loaded.spec.training.all_restarts.count > 1:
        return _best_of_restarts(experiment, folder, scratch, progress)
    with view_for(experiment, progress) as view:
        outcome = train_experiment(experiment, folder, view, observers=tuple(callbacks))
    return run_of(outcome, experiment.notes, scratch)


def _require_one_training(config: Config, *, has_callbacks: bool) -> None:
    """Raises `ConfigError` if a config asks for more than `train` does."""
    if config.spec.data.split.has_all_folds:
        raise ConfigError(
            "`data.split.folds` means one training per fold, but `train` creates a single run: "
            "set `data.split.fold` to the fold to train, counted from 1."
        )
    if has_callbacks and config.spec.training.all_restarts.count > 1:
        raise ConfigError(
            "`callbacks` cannot be combined with `training.restarts`, which runs several "
            "trainings: remove one of them."
        )


def _best_of_restarts(
    experiment: Experiment, folder: Path, scratch: Scratch | None, progress: bool
) -> Run:
    from bpcli.sweeps.restarts import train_restarts

    try:
        with sweep_view_for(progress) as view:
            outcome = train_restarts(experiment.config, folder, view)
    except Interrupted as interruption:
        if scratch is not None:  # its notes say how to resume in a folder that is removed
            vars(interruption).pop("__notes__", None)
        raise
    return run_of(outcome, experiment.notes, scratch)
