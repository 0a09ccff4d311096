"""The names of a network's outputs."""

from __future__ import annotations

from bpcli.data.types import numbered
from bpcli.nn.network import Network


def output_names(
    network: Network, class_names: tuple[str, ...], target_names: tuple[str, ...]
) -> tuple[str, ...]:
    """P(setosa) for the probability of a class; "predicted" and the target's name for a value."""
    if class_names:
        mark = "P" if network.layers[-1].activation.gives_probabilities else "output"
        names = class_names if network.outputs > 1 else class_names[1:]
        return tuple(f"{mark}({name})" for name in names)
    if len(target_names) == network.outputs:
        return tuple(f"predicted {name}" for name in target_names)
    return numbered("output", network.outputs)
