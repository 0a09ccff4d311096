"""Why the gradient of a trained network has vanished, and what to do."""

from __future__ import annotations

from bpcli.experiment import Experiment
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Vector
from bpcli.nn.losses import LOSSES, canonical_loss
from bpcli.nn.units import can_fail
from bpcli.registry import name_of
from bpcli.text import plural
from bpcli.workflows.scores import unit_counter


def why_vanished(experiment: Experiment, params: Vector) -> str | None:
    """Return which units pass no gradient, and the next step; None if no layer is to blame.

    The output layer comes first: its delta is a factor of all gradients.
    """
    counts, layers = unit_counter(experiment).count(params), experiment.network.layers
    for number in reversed(range(len(layers))):
        failing = counts.dead[number] + counts.saturated[number]
        if failing == layers[number].units and can_fail(experiment.network, number):
            if number == len(layers) - 1 and _output_of(experiment) in ("sigmoid", "tanh"):
                return _of_outputs(experiment)
            return (
                f"{plural(failing, 'unit')} of {failing} in layer {number + 1} "
                f"{'is' if failing == 1 else 'are'} dead or saturated: use another `seed`, smaller "
                "initial weights (`network.init`), or scaled inputs (`data.scale`)"
            )
    return None


def _output_of(experiment: Experiment) -> str:
    return name_of(ACTIVATIONS, experiment.network.layers[-1].activation)


def _of_outputs(experiment: Experiment) -> str:
    network, output = experiment.network, _output_of(experiment)
    loss, canonical = name_of(LOSSES, network.loss), canonical_loss(output)
    other_loss = "" if canonical is None else f"`loss: {name_of(LOSSES, canonical)}`, "
    inside = "0.1 and 0.9" if output == "sigmoid" else "-0.9 and 0.9"
    return (
        f"the outputs are at the flat ends of `{output}`, where `{loss}` has no slope: use "
        f"{other_loss}targets inside the range of the outputs, such as {inside}, another `seed`, "
        "or smaller initial weights (`network.init`)"
    )
