"""Experiments built from short configs."""

from __future__ import annotations

from bpcli.config.load import validate
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.experiment import Experiment, build

MOONS = """\
name: t
data:
  generator: moons
  n_samples: 40
  split: {val: 0.25, test: 0.25}
network:
  layers: [2, 3, 1]
  activations: [tanh, sigmoid]
loss: binary_cross_entropy
"""
INLINE = """\
name: t
data: {inputs: [[0, 0], [0, 1], [1, 0], [1, 1]], targets: [[0], [1], [1], [0]]}
network: {layers: [2, 3, 1], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
"""
OF_TABLE = """\
name: t
data: {file: t.csv, inputs: [x, z], targets: y, split: {folds: 2, fold: 1}}
network: {layers: [2, 2, auto], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
"""


def built(text: str, *overrides: str, needs_targets: bool = True) -> Experiment:
    source = Source.parse(text, "c.yaml")
    for assignment in overrides:
        override(source, assignment)
    return build(validate(source), needs_targets=needs_targets)
