"""The names of a network's outputs."""

from __future__ import annotations

from bpcli.data.types import numbered
from bpcli.nn.network import Network


def output_names(
    network: Network,
    class_names: tuple[str, ...],
    target_names: tuple[str, ...],
    *,
    are_labels: bool = False,
) -> tuple[str, ...]:
    """P(setosa) for the probability of a class, or of a target that is a label.

    "predicted" and the target's name for a value.
    """
    if class_names or are_labels:
        mark = "P" if network.layers[-1].activation.gives_probabilities else "output"
        names = class_names or target_names
        return tuple(f"{mark}({name})" for name in names[-network.outputs :])
    if len(target_names) == network.outputs:
        return tuple(f"predicted {name}" for name in target_names)
    return numbered("output", network.outputs)
