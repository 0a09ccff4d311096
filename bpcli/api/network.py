"""A network on plain arrays, for teaching: the passes of training, one call each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from bpcli.config.load import config_of
from bpcli.engine.rows import Rows
from bpcli.errors import ConfigError, DataError
from bpcli.experiment.network import network_of_sizes
from bpcli.experiment.streams import stream
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Network as Layout
from bpcli.nn.numerics import repeatable_numerics
from bpcli.nn.propagation import Workspace, forward_rows, predict
from bpcli.registry import name_of
from bpcli.text import plural
from bpcli.training.objective import NetworkObjective

Parameters: TypeAlias = list[dict[str, Array | None]]
"""For each layer {"W": (rows, inputs), "b": (rows,)}; b is None in a layer without biases."""

Gradient: TypeAlias = list[tuple[Array, Array | None]]
"""For each layer (∂value/∂W, ∂value/∂b), of the shapes of W and b."""


class LayerValues(NamedTuple):
    """What a layer computes for some rows: z (n, rows of W), and a = f(z) (n, units)."""

    z: Array
    a: Array


class Network:
    """Fully connected layers with parameters, and a loss. Arrays have samples as rows.

    For layer l = 1 … L and inputs a[0]: z[l] = W[l] a[l-1] + b[l], a[l] = f_l(z[l]). A weight
    matrix is (units, inputs); with maxout it has k rows per unit. All numbers are float64.

    `layers` are the sizes, inputs first; `activations` one per layer after the inputs, as in a
    config: "tanh" or {"name": "elu", "alpha": 0.5}; `loss`, `bias` and `init` too. `seed` draws the
    same initial parameters as the config's `seed` does. `parameters` replaces them.

    Raises `ConfigError` for layers, names or options that are not valid.

    >>> network = bpcli.Network([2, 3, 1], ["tanh", "sigmoid"], "mse")
    >>> network.forward([[0, 0], [0, 1]]).shape
    (2, 1)
    """

    def __init__(
        self,
        layers: Sequence[int],
        activations: Sequence[str | Mapping[str, Any]],
        loss: str | Mapping[str, Any],
        *,
        bias: bool | str | Sequence[bool | str] = True,
        init: str | Mapping[str, Any] = "xavier_uniform",
        seed: int = 0,
        parameters: Sequence[Mapping[str, npt.ArrayLike | None]] | None = None,
    ) -> None:
        spec = config_of(
            {
                "seed": seed,
                "data": {"inputs": np.zeros((1, 1)), "targets": np.zeros((1, 1))},
                "network": {
                    "layers": layers,
                    "activations": activations,
                    "bias": bias,
                    "init": init,
                },
                "loss": loss,
            },
            name="Network",
        ).spec
        sizes = [size for size in spec.network.layers if size != "auto"]
        if len(sizes) < len(spec.network.layers):
            raise ConfigError(
                "Network: found `auto` in `layers`, which needs data: write a number."
            )
        self._layout = network_of_sizes(spec, sizes)
        self._params = self._layout.initial_params(spec.network.init, stream(seed, "init"))
        if parameters is not None:
            self.parameters = parameters

    @classmethod
    def _of(cls, layout: Layout, params: Vector) -> Network:
        """A network with this layout and a copy of these parameters."""
        network = cls.__new__(cls)
        network._layout = layout
        network._params = params.astype(np.float64)
        return network

    # Parameters.

    @property
    def parameters(self) -> Parameters:
        """The parameters of each layer, {"W": …, "b": …}, as copies; assign a list to set them."""
        return [
            {"W": W.copy(), "b": None if b is None else b.copy()}
            for W, b in zip(self.weights, self.biases, strict=True)
        ]

    @parameters.setter
    def parameters(self, given: Sequence[Mapping[str, npt.ArrayLike | None]]) -> None:
        self._require_layers(given, "parameters")
        for number, layer in enumerate(given, 1):
            if {*layer} != {"W", "b"}:
                keys = ", ".join(map(str, layer)) or "nothing"
                raise ConfigError(f"parameters of layer {number}: found {keys}, expected W and b.")
        weights = self._fitting(self.weights, [layer["W"] for layer in given], "weights")
        biases = self._fitting(self.biases, [layer["b"] for layer in given], "biases")
        _copy([*weights, *biases], [*self.weights, *self.biases])

    @property
    def weights(self) -> list[Array]:
        """The W of each layer (units, inputs), not copied: `network.weights[0] *= 2` changes it."""
        return [
            matrix[:, : layer.inputs]
            for layer, matrix in zip(self._layout.layers, self._matrices, strict=True)
        ]

    @weights.setter
    def weights(self, given: Sequence[npt.ArrayLike]) -> None:
        _copy(self._fitting(self.weights, given, "weights"), self.weights)

    @property
    def biases(self) -> list[Array | None]:
        """The b of each layer (units,), not copied; None for a layer without biases."""
        return [
            matrix[:, -1] if layer.has_bias else None
            for layer, matrix in zip(self._layout.layers, self._matrices, strict=True)
        ]

    @biases.setter
    def biases(self, given: Sequence[npt.ArrayLike | None]) -> None:
        _copy(self._fitting(self.biases, given, "biases"), self.biases)

    @property
    def _matrices(self) -> list[Array]:
        return self._layout.matrices(self._params)

    def _fitting(
        self, own: Sequence[Array | None], given: Sequence[npt.ArrayLike | None], what: str
    ) -> list[Array | None]:
        """The given arrays. Raises `ConfigError` if their shapes differ from those of `own`."""
        self._require_layers(given, what)
        try:
            arrays = [None if array is None else np.asarray(array, np.float64) for array in given]
        except (TypeError, ValueError):
            raise ConfigError(f"{what}: expected arrays of numbers.") from None
        for number, (mine, array) in enumerate(zip(own, arrays, strict=True), 1):
            expected = None if mine is None else mine.shape
            shape = None if array is None else array.shape
            if expected != shape:
                raise ConfigError(
                    f"{what} of layer {number}: found {_shape_text(shape)}, expected "
                    f"{_shape_text(expected)}."
                )
        return arrays

    def _require_layers(self, given: Sequence[object], what: str) -> None:
        expected = len(self._layout.layers)
        if len(given) != expected:
            raise ConfigError(f"{what}: found {len(given)}, expected {expected}: one per layer.")

    # Passes.

    def forward(self, X: npt.ArrayLike) -> Array:
        """The outputs a[L] (n, outputs) for the rows of X (n, inputs)."""
        with repeatable_numerics():
            return predict(self._layout, self._params, self._inputs(X))

    def layers(self, X: npt.ArrayLike) -> list[LayerValues]:
        """The values z and a of every layer for the rows of X (n, inputs), as copies."""
        work = Workspace(self._layout, self._params)
        with repeatable_numerics():
            forward_rows(work, self._inputs(X))
        return [LayerValues(layer.z.T.copy(), layer.a.T.copy()) for layer in work.layers]

    def loss(
        self, X: npt.ArrayLike, Y: npt.ArrayLike, weight: npt.ArrayLike | None = None
    ) -> float:
        """The mean loss Σ_i w_i loss_i / Σ_i w_i of the rows, for targets Y (n, outputs)."""
        with repeatable_numerics():
            return self._objective(X, Y, 0.0, weight).mean_loss(self._params)

    def value_and_grad(
        self,
        X: npt.ArrayLike,
        Y: npt.ArrayLike,
        l2: float = 0.0,
        weight: npt.ArrayLike | None = None,
    ) -> tuple[float, Gradient]:
        """The objective and its gradient by back-propagation, as training computes them.

            value = Σ_i w_i loss_i / Σ_i w_i  +  l2/(2n) Σ W²

        over the n rows of X (n, inputs) and Y (n, outputs), with row weights w (n,), all 1 by
        default. Frozen biases have the gradient 0. Gradient descent is a loop of

            value, grads = network.value_and_grad(X, Y)
            for W, b, (dW, db) in zip(network.weights, network.biases, grads):
                W -= rate * dW
                b -= rate * db

        Raises `DataError` for arrays that do not fit, and for targets that the loss cannot
        take, and `ConfigError` for a penalty below 0.
        """
        if not 0 <= l2 < np.inf:
            raise ConfigError(f"`l2` is {l2}: expected a finite number of at least 0.")
        with repeatable_numerics():
            evaluation = self._objective(X, Y, l2, weight).value_and_grad(self._params)
        of_layers = zip(self._layout.layers, self._layout.matrices(evaluation.grad), strict=True)
        return float(evaluation.value), [
            (matrix[:, : layer.inputs], matrix[:, -1] if layer.has_bias else None)
            for layer, matrix in of_layers
        ]

    def _objective(
        self, X: npt.ArrayLike, Y: npt.ArrayLike, l2: float, weight: npt.ArrayLike | None
    ) -> NetworkObjective:
        inputs = self._inputs(X)
        targets = self._targets(Y, len(inputs))
        weights = None if weight is None else _matrix("weight", weight, 1)[:, 0]
        if weights is not None and (len(weights) != len(inputs) or not (weights > 0).all()):
            raise DataError(f"weight: expected {len(inputs)} numbers greater than 0")
        rows = Rows.of(self._layout, inputs, targets, self._params.dtype, weights)
        return NetworkObjective(self._layout, rows, l2=l2)

    def _inputs(self, X: npt.ArrayLike) -> Array:
        return _matrix("X", X, self._layout.inputs)

    def _targets(self, Y: npt.ArrayLike, rows: int) -> Array:
        targets = _matrix("Y", Y, self._layout.outputs)
        if len(targets) != rows:
            raise DataError(f"Y has {plural(len(targets), 'row')}, and X has {rows}")
        issue = self._layout.loss.issue_of_targets(targets)
        if issue is not None:
            raise DataError(f"Y: {issue}")
        return targets

    def __repr__(self) -> str:
        loss = name_of(LOSSES, self._layout.loss)
        return f"Network({self._layout.summary}, {loss}, {self._layout.n_params} parameters)"


def _matrix(name: str, values: npt.ArrayLike, columns: int) -> Array:
    """Rows of finite numbers. Raises `DataError` for anything else; one column may be a list."""
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name} is not an array of numbers") from None
    if array.ndim == 1 and columns == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2 or array.shape[1] != columns or not len(array):
        raise DataError(
            f"{name} has the shape {_shape_text(array.shape)}, expected n × {columns} with n rows"
        )
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0] + 1
        raise DataError(f"{name} has a value that is not finite: row {row}, column {column}")
    return array


def _copy(arrays: Sequence[Array | None], to: Sequence[Array | None]) -> None:
    """Copy arrays into views of the parameters; None stands for the biases of a layer without."""
    for array, view in zip(arrays, to, strict=True):
        if array is not None and view is not None:
            view[...] = array


def _shape_text(shape: tuple[int, ...] | None) -> str:
    return "None" if shape is None else " × ".join(map(str, shape)) or "one number"
