"""The run that a command reads: how the command line names it, and which of its weights to use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpcli.cli.common import (
    Command,
    json_option,
    runs_dir_option,
    say_notes,
    set_option,
    stacked,
    was_given,
)
from bpcli.errors import ConfigError

if TYPE_CHECKING:
    from bpcli.experiment import Experiment
    from bpcli.export.model import Model
    from bpcli.nn.arrays import Vector
    from bpcli.runs.store import Run
    from bpcli.runs.trained import Trained, Weights


@dataclass(frozen=True)
class Reference:
    """A name of a run, or the path of a config, and what the options say of a run."""

    name: str
    runs_dir: Path
    weights: Weights = "best"

    def find(self) -> Run:
        """The folder of the run. Raises `RunError` if there is none, or more than one."""
        from bpcli.runs.references import find_run

        return find_run(self.name, self.runs_dir)

    def load(self) -> Trained:
        """Load the run with its weights, and print notes on how it was loaded."""
        from bpcli.runs.trained import load_trained

        trained = load_trained(self.find(), self.weights)
        say_notes(trained.notes)
        return trained

    def load_model(self) -> tuple[Run, Model]:
        """Load what predicts new rows, and print notes on how it was loaded."""
        from bpcli.export.model import load_model

        run = self.find()
        model = load_model(run, self.weights)
        say_notes(model.notes)
        return run, model

    def load_experiment(
        self,
        overrides: tuple[str, ...],
        *,
        needs_targets: bool = False,
        as_trained: bool = False,
    ) -> tuple[Experiment, Vector]:
        """Load a run with its weights, or a config with its initial parameters.

        With `as_trained`, the weights are those before any calibration, and a note says so.

        Raises `ConfigError` or `RunError` if it names neither, if --set is given for a run, or if
        --weights is given for a config.
        """
        if not names_a_config(self.name):
            if overrides:
                raise ConfigError(
                    "--set is for a CONFIG: a RUN keeps the config it was trained with."
                )
            trained = self.load()
            if as_trained and trained.is_calibrated:
                say_notes(["the network is the one before the calibration of its probabilities"])
                trained = trained.uncalibrated
            return trained.experiment, trained.params
        if was_given("weights"):
            raise ConfigError("--weights is for a RUN: a CONFIG has no trained weights.")
        from bpcli.config.load import load_config
        from bpcli.experiment import build

        experiment = build(load_config(Path(self.name), overrides), needs_targets=needs_targets)
        return experiment, experiment.initial_params


def names_a_config(reference: str) -> bool:
    """True if RUN|CONFIG names a config: by the ending of its name, or because it is a file."""
    try:
        return Path(reference).suffix in (".yaml", ".yml") or Path(reference).is_file()
    except OSError:  # too long to be a file's name
        return False


weights_option = click.option(
    "--weights",
    type=click.Choice(["best", "last"]),
    default="best",
    show_default=True,
    help="The weights to use: those with the lowest validation loss, or those of the last epoch. "
    "They are the same if there is no validation set.",
)


def run_options(command: Command) -> Command:
    """Add the options of a command that reads a run, and give it `run` as a `Reference`."""
    options = stacked(weights_option, runs_dir_option, json_option)
    return options(_taking_a_reference(command, "run"))


def run_or_config_options(command: Command) -> Command:
    """Add the options of a command that reads a run or a config, its `Reference`."""
    options = stacked(weights_option, set_option, runs_dir_option, json_option)
    return options(_taking_a_reference(command, "run_or_config"))


def _taking_a_reference(command: Command, argument: str) -> Command:
    """A command that gets an argument and the options on it as one `Reference`."""

    @wraps(command)
    def with_reference(**options: Any) -> Any:
        named = [options.pop(name) for name in (argument, "runs_dir", "weights")]
        return command(**options, **{argument: Reference(*named)})

    return with_reference  # type: ignore[return-value]  # click calls it by names
