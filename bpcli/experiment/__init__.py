"""From a validated config to the data, network and objective of a training."""

from __future__ import annotations

from bpcli.experiment.builder import build
from bpcli.experiment.experiment import Experiment
from bpcli.experiment.streams import stream, stream_of

__all__ = ["Experiment", "build", "stream", "stream_of"]
