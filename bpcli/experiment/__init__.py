"""From a validated config to what is trained."""

from __future__ import annotations

from bpcli.experiment.experiment import Experiment, build, stream

__all__ = ["Experiment", "build", "stream"]
