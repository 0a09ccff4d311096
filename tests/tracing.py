"""Traces of shipped configs, as their JSON has them."""

from __future__ import annotations

from systems import CONFIGS

from bpcli.config.load import load_config
from bpcli.experiment import Experiment, build
from bpcli.trace.numbers import trace


def experiment_of(name: str, *overrides: str) -> Experiment:
    return build(load_config(CONFIGS / f"{name}.yaml", overrides), needs_targets=False)


def traced(name: str, *overrides: str, **options: object) -> dict:
    """The JSON of a trace of a shipped config at its initial parameters."""
    experiment = experiment_of(name, *overrides)
    return trace(experiment, experiment.initial_params, **options).to_json()  # type: ignore[arg-type]
