"""`BPRegressor`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin

from bpcli.estimators.base import BPEstimator
from bpcli.estimators.bridges import require_fitted, torch_layers, with_identity
from bpcli.estimators.calibration import quantile_of
from bpcli.estimators.fitted import Fitted
from bpcli.estimators.options import activation_name
from bpcli.estimators.rows import FitRows
from bpcli.estimators.validity import ParameterError
from bpcli.intervals.conformal import AbsoluteErrors
from bpcli.nn.arrays import Array
from bpcli.nn.losses import LOSSES
from bpcli.runs.trained import Weights

_LOSS_OF = {"squared_error": "half_squared_error"}
"""The loss that scikit-learn calls by another name: it halves the squared error."""


class BPRegressor(RegressorMixin, BPEstimator):
    """Predict numbers with a network trained by back-propagation, as `MLPRegressor` does.

    Targets are values (n,), or (n, k). The mean loss of the rows plus alpha/(2n) Σ W² is minimised,
    by default over all rows at once, with targets in standard units.

    The parameters are those of `BPClassifier`, except for

    - `loss`: `squared_error` as in scikit-learn, ½ Σ_k (a_k - y_k)² of each row (scikit-learn takes
      the mean over k targets), `poisson` for counts, or any loss of a config for values.
    - `output_activation`: `auto` is the identity; the exponential for `poisson`.
    - `scale`: one rule for inputs and targets, or a mapping {"inputs": …, "targets": …}. One rule
      leaves targets unscaled unless the output activation is the identity.
    - There is no `class_weight`.
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "rprop",
        alpha: float | None = None,
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
        init: Any = "xavier_uniform_biases",
        scale: Any = "standard",
        dtype: Any = None,
        stop: Any = None,
        callback: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self._set(locals())

    # Networks that were trained elsewhere.

    @classmethod
    def from_run(
        cls, run: Any, *, runs_dir: str | Path = "runs", weights: Weights = "best"
    ) -> Self:
        """The network of a run: a `Run`, its folder, or a reference such as `latest`.

        Raises `ParameterError` if the run predicts classes or labels, or has inputs that are not
        columns of numbers.
        """
        estimator, model = cls._of_run(run, runs_dir, weights)
        if model.preprocessor.categories:
            raise ParameterError("the run predicts classes or labels: use BPClassifier.from_run.")
        return estimator._with_targets(model.network.outputs)

    @classmethod
    def from_sklearn(cls, mlp: Any) -> Self:
        """The network and the options of a fitted `MLPRegressor`; nothing is scaled.

        Raises `ParameterError` for anything else.
        """
        require_fitted(mlp, "MLPRegressor")
        loss = getattr(mlp, "loss", "squared_error")  # scikit-learn has the parameter since 1.7
        estimator = cls._of_mlp(mlp, LOSSES[_LOSS_OF.get(loss, loss)]())
        return estimator.set_params(loss=loss)._with_targets(mlp.n_outputs_)

    @classmethod
    def from_torch(cls, module: Any) -> Self:
        """The network of a `torch.nn.Sequential` of `Linear` layers and activations.

        Raises `ParameterError` naming a module that is not supported.
        """
        weights, biases, activations = torch_layers(module)
        loss = LOSSES[_LOSS_OF["squared_error"]]()
        trained = Fitted.of_layers(weights, biases, with_identity(activations), loss)
        estimator = cls(**trained.parameters, scale=None)
        return estimator._adopt(trained)._with_targets(len(weights[-1]))

    def _with_targets(self, count: int) -> Self:
        self._n_targets = count
        return self

    # Targets and the config.

    def _encode(self, y: Any, classes: Any, *, is_first: bool) -> tuple[Array, Array | None]:
        Y = np.asarray(y, np.float64)
        if is_first:
            self._n_targets = 1 if Y.ndim == 1 else Y.shape[1]
        return Y, None

    def _decode(self, y: Array) -> Array:
        return y

    def _outputs_and_activation(self) -> tuple[int, Any]:
        activation = self.output_activation
        if activation == "auto":
            activation = "exponential" if self.loss == "poisson" else "identity"
        return self._n_targets, activation

    def _task(self, rows: FitRows | None = None) -> dict[str, Any]:
        _, activation = self._outputs_and_activation()
        scale = self.scale
        if not isinstance(scale, dict):
            inputs = scale or "none"
            is_linear = activation_name(activation) == "identity"
            scale = {"inputs": inputs, "targets": inputs if is_linear else "none"}
        return {"data": {"task": "regression", "scale": scale}, "training": {}}

    def _loss(self) -> Any:
        return _LOSS_OF.get(self.loss, self.loss) if isinstance(self.loss, str) else self.loss

    def predict(self, X: Any, interval: float | None = None) -> Any:
        """The predicted values (n,), or (n, k) for several targets.

        With a level as `interval`, such as 0.9: the values, and the low and high ends of intervals
        that contain the target with at least this probability, for rows from the same source as the
        validation rows of the fit (split conformal prediction). Raises `ParameterError` if the fit
        had no or too few validation rows: see `early_stopping` and `X_val`.
        """
        rows = self._checked(X)
        outputs = self._fitted.outputs(rows)
        values = self._as_targets(outputs.astype(self._fitted.params.dtype, copy=False))
        if interval is None:
            return values
        errors = AbsoluteErrors(quantile_of(self._fitted.scores, interval))
        return values, *map(self._as_targets, errors.bounds(rows, outputs))

    @staticmethod
    def _as_targets(outputs: Array) -> Array:
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
