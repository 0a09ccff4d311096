"""`BPRegressor`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from bpcli.estimators.base import BPEstimator
from bpcli.nn.arrays import Array


class BPRegressor(RegressorMixin, BPEstimator):
    """Predict numbers by a network trained with back-propagation."""

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "lbfgs",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float | None = None,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        loss: Any = "squared_error",
        output_activation: Any = "auto",
        init: Any = "xavier_uniform",
        scale: Any = "standard",
        dtype: Any = None,
        stop: Any = None,
        callback: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self._set(locals())

    def _encode(self, y: Any, classes: Any, *, is_first: bool) -> tuple[Array, Array | None]:
        Y = np.asarray(y, np.float64)
        if is_first:
            self._is_column = Y.ndim == 1
            self._n_targets = 1 if Y.ndim == 1 else Y.shape[1]
        return Y, None

    def _outputs_and_activation(self) -> tuple[int, Any]:
        activation = self.output_activation
        if activation == "auto":
            activation = "exponential" if self.loss == "poisson" else "identity"
        return self._n_targets, activation

    def _task(self) -> dict[str, Any]:
        _, activation = self._outputs_and_activation()
        scale = self.scale
        if not isinstance(scale, dict):
            inputs = scale or "none"
            is_linear = activation in ("identity", "linear", "purelin")
            scale = {"inputs": inputs, "targets": inputs if is_linear else "none"}
        loss = "half_squared_error" if self.loss == "squared_error" else self.loss
        return {"data": {"task": "regression", "scale": scale}, "loss": loss, "training": {}}

    def predict(self, X: Any) -> Array:
        """The predicted values (n,), or (n, k) for several targets."""
        outputs = self._outputs(X).astype(self._params.dtype, copy=False)
        return outputs[:, 0] if self._is_column or outputs.shape[1] == 1 else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
