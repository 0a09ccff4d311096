"""The names of a network's outputs."""

from __future__ import annotations

from bpcli.data.types import numbered
from bpcli.nn.network import Network


def output_names(
    network: Network, categories: tuple[str, ...], target_names: tuple[str, ...]
) -> tuple[str, ...]:
    """One name per output: P(setosa) for a probability, "predicted" and the target for a value.

    `categories` are classes or labels.
    """
    if categories:
        mark = "P" if network.layers[-1].activation.gives_probabilities else "output"
        return tuple(f"{mark}({name})" for name in categories[-network.outputs :])
    if len(target_names) == network.outputs:
        return tuple(f"predicted {name}" for name in target_names)
    return numbered("output", network.outputs)
