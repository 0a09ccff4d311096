"""What is trained: networks, rows and learning rates, and the bpnet config of each.

Everything else is derived from here: the peers' arrays are written by bpnet from these configs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

DTYPES = ("float32", "float64")
ITEM_BYTES = {"float32": 4, "float64": 8}


@dataclass(frozen=True)
class Workload:
    """Rows of the `teacher` generator, and a network trained on all of them at once.

    One output is fitted by half_squared_error, several are classes: softmax and cross_entropy.
    """

    name: str
    rows: int
    layers: tuple[int, ...]
    hidden: str = "tanh"
    learning_rate: float = 0.1
    agreement_epochs: int = 10

    @property
    def has_classes(self) -> bool:
        return self.layers[-1] > 1

    @property
    def n_params(self) -> int:
        return sum((inputs + 1) * units for inputs, units in pairwise(self.layers))

    @property
    def size(self) -> str:
        return f"{self.rows}×{'-'.join(map(str, self.layers))} {self.hidden}"

    def flops(self) -> int:
        """Floating-point operations of one epoch's matrix products, 2 a multiplication and sum.

        z[l] = W[l] a[l-1] and delta[l] a[l-1]ᵀ in every layer, W[l]ᵀ delta[l] in all but the first.
        """
        products = [inputs * units for inputs, units in pairwise(self.layers)]
        return 2 * self.rows * (3 * sum(products) - products[0])

    def data_bytes(self, dtype: str) -> int:
        """The size of X and Y in the training dtype."""
        return self.rows * (self.layers[0] + self.layers[-1]) * ITEM_BYTES[dtype]

    def config(self, dtype: str, epochs: int = 500) -> str:
        """The bpnet config, as YAML."""
        return "\n".join(self._lines(dtype, epochs)) + "\n"

    def _lines(self, dtype: str, epochs: int) -> Iterator[str]:
        output = "softmax" if self.has_classes else "identity"
        activations = [*[self.hidden] * (len(self.layers) - 2), output]
        yield f"name: {self.name}"
        yield "data:"
        yield "  generator: teacher"
        yield f"  n_samples: {self.rows}"
        yield f"  n_features: {self.layers[0]}"
        if self.has_classes:
            yield f"  n_classes: {self.layers[-1]}"
        yield "network:"
        yield f"  layers: [{', '.join(map(str, self.layers))}]"
        yield f"  activations: [{', '.join(activations)}]"
        yield f"  dtype: {dtype}"
        yield f"loss: {'cross_entropy' if self.has_classes else 'half_squared_error'}"
        yield "training:"
        yield f"  learning_rate: {self.learning_rate}"
        yield f"  epochs: {epochs}"


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("tiny", 50, (3, 4, 1), hidden="relu"),
        Workload("small", 1_000, (20, 10, 1)),
        Workload("medium", 10_000, (100, 64, 64, 10)),
        Workload("wide", 200_000, (10, 32, 32, 1)),
        Workload("mnist", 60_000, (784, 300, 100, 10), hidden="relu", agreement_epochs=3),
        Workload("big", 20_000, (1024, 2048, 2048, 10), hidden="relu", agreement_epochs=2),
    )
}
