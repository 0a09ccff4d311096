"""The keys under `network.parameters`."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from bpcli.config.named import Strict

Numbers: TypeAlias = list[int | float]


class LayerParameters(Strict):
    """Explicit initial parameters of one layer: one row of weights per unit."""

    weights: Annotated[list[Numbers], Field(min_length=1)] = Field(
        description="One row of numbers per unit."
    )
    bias: Numbers | None = Field(default=None, description="One number per unit.")


class ParametersFile(Strict):
    """Initial parameters from the network in a file."""

    file: Annotated[str, Field(min_length=1)] = Field(
        description="A network that bpnet can import: .m, .mat, .onnx or .json, relative to the "
        "config's folder. `bpnet train --from RUN` names a run instead."
    )
    scales: Literal["keep", "refit"] = Field(
        default="keep",
        description="`keep`: the scales are those of the network, and `data.scale` is not used. "
        "`refit`: scales are fitted by `data.scale`, and the first and last "
        "layer are adapted so that the network computes the same as before.",
    )
