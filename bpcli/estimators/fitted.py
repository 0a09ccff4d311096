"""The network of an estimator, with all that it needs to predict and to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bpcli.config.named import shortest
from bpcli.data.preprocessing import Preprocessor
from bpcli.data.scaler import Scaler
from bpcli.estimators.validity import ParameterError
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.losses import Loss
from bpcli.nn.network import Layer, Network
from bpcli.nn.numerics import repeatable_numerics
from bpcli.nn.propagation import output_z, predict
from bpcli.optimizers.base import Point
from bpcli.registry import name_of
from bpcli.training.state import TrainState


@dataclass(frozen=True, eq=False)
class Fitted:
    """A network with its parameters, and the scales around it.

    `last_params` are those of the last epoch, where `params` are those of the best; one array where
    these are the same epoch. `state` continues a training. `seed` and `rows` are the seed and
    the number of training rows of the fit.
    `is_repeatable` says whether a training from the start gives these parameters again. `scores`
    (n, targets) are those of the validation rows, from which intervals are calibrated.
    """

    network: Network
    params: Vector
    preprocessor: Preprocessor
    last_params: Vector
    state: TrainState | None = None
    seed: int = 0
    rows: int = 1
    is_repeatable: bool = False
    scores: Array | None = None

    @classmethod
    def of_layers(
        cls,
        weights: Sequence[Array],
        biases: Sequence[Array | None],
        activations: Sequence[Activation],
        loss: Loss,
        class_names: tuple[str, ...] = (),
    ) -> Fitted:
        """From the weights (units, inputs) and biases (units,) of each layer; nothing is scaled.

        A bias of None becomes 0.
        """
        layers = [
            Layer(W.shape[1], W.shape[0], activation)
            for W, activation in zip(weights, activations, strict=True)
        ]
        network = Network(tuple(layers), loss)
        params = np.empty(network.n_params, weights[0].dtype)
        matrices = network.matrices(params)
        for layer, matrix, W, b in zip(layers, matrices, weights, biases, strict=True):
            matrix[:, : layer.inputs] = W
            matrix[:, -1] = 0 if b is None else b
        scalers = (Scaler.fixed("none", network.inputs), Scaler.fixed("none", network.outputs))
        preprocessor = Preprocessor(*scalers, class_names, network.outputs)
        return cls(network, params, preprocessor, params)

    @property
    def start(self) -> TrainState | Vector:
        """Where a further training begins: at the parameters, which may have been changed."""
        params = self.params.copy()
        return params if self.state is None else self.state._replace(point=Point(params))

    @property
    def weights(self) -> list[Array]:
        """The weights (inputs, units) of each layer, as views."""
        matrices = zip(self.network.layers, self.network.matrices(self.params), strict=True)
        return [matrix[:, : layer.inputs].T for layer, matrix in matrices]

    @property
    def biases(self) -> list[Array]:
        """The biases (units,) of each layer, as views; zeros for a layer without."""
        matrices = zip(self.network.layers, self.network.matrices(self.params), strict=True)
        return [
            matrix[:, -1] if layer.has_bias else np.zeros(layer.rows, self.params.dtype)
            for layer, matrix in matrices
        ]

    @property
    def output_activation(self) -> Activation:
        return self.network.layers[-1].activation

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of an estimator that describe the network."""
        *hidden, last = self.network.layers
        return {
            "hidden_layer_sizes": tuple(layer.units for layer in hidden),
            "activation": [shortest(ACTIVATIONS, layer.activation) for layer in hidden],
            "output_activation": shortest(ACTIVATIONS, last.activation),
        }

    @property
    def activation_name(self) -> str:
        """The name of the output activation, as scikit-learn spells it."""
        name = name_of(ACTIVATIONS, self.output_activation)
        return {"sigmoid": "logistic", "exponential": "exp"}.get(name, name)

    def require_layers(self, network: Network) -> None:
        """Raises `ParameterError` if a network with an estimator's parameters has other layers."""
        if network.layers != self.network.layers:
            biases = " with biases" if network.summary == self.network.summary else ""
            raise ParameterError(
                f"the network was fitted as {self.network.summary}, and the parameters now "
                f"describe {network.summary}{biases}: give the same `hidden_layer_sizes` and "
                "`activation`, or fit anew with `warm_start=False`."
            )

    def outputs(self, X: Array) -> Array:
        """The outputs (n, K) for rows X (n, d), both in original units."""
        with repeatable_numerics():
            A = predict(self.network, self.params, self.preprocessor.inputs.apply(X))
            return self.preprocessor.original(A)

    def z(self, X: Array) -> Array:
        """Z of the output layer (n, K) for rows X (n, d) in original units."""
        with repeatable_numerics():
            return output_z(self.network, self.params, self.preprocessor.inputs.apply(X))
