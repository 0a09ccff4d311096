"""The network of an estimator: its parameters as a config, and its attributes after a fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, is_regressor
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from bpcli.config.load import config_of
from bpcli.errors import ConfigError
from bpcli.estimators.callbacks import CallbackSupport
from bpcli.estimators.fitted import Fitted
from bpcli.estimators.options import Parameters, network_of, training_of
from bpcli.estimators.rows import FitRows, row_weights
from bpcli.estimators.validity import parameter_error
from bpcli.experiment import Experiment, build
from bpcli.nn.arrays import Array

_NOT_PARAMETERS = {"self", "__class__"}
_LARGEST_SEED = 2**31 - 1


class NetworkEstimator(Parameters, CallbackSupport, BaseEstimator):
    """An estimator's parameters as a config, and its network once it is fitted."""

    n_features_in_: int
    _fitted: Fitted

    def _set(self, given: Mapping[str, Any]) -> None:
        """Set each parameter that the estimator was made with, from the names of its `__init__`."""
        for name in given.keys() - _NOT_PARAMETERS:
            setattr(self, name, given[name])

    # What the two estimators differ in.

    def _encode(self, y: Any, classes: Any, *, is_first: bool) -> tuple[Array, Array | None]:
        """Targets as the config takes them, and the classes by which to stratify, if any."""
        raise NotImplementedError

    def _decode(self, y: Array) -> Array:
        """Targets as `fit` takes them, from those of the config."""
        raise NotImplementedError

    def _task(self, rows: FitRows | None = None) -> dict[str, Any]:
        """The keys of the config's `data` and `training` that depend on the task."""
        raise NotImplementedError

    def _loss(self) -> Any:
        """The config's `loss`."""
        raise NotImplementedError

    def _outputs_and_activation(self) -> tuple[int, Any]:
        """The number of outputs, and their activation."""
        raise NotImplementedError

    # Rows, and the config of a fit.

    def _rows(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        is_first: bool,
        classes: Any = None,
        dtype: Any = None,
    ) -> FitRows:
        X, y = validate_data(
            self,
            X,
            y,
            reset=is_first,
            accept_sparse=True,
            dtype=dtype or self._dtypes(is_first),
            order="C",  # in another order, sums over columns have other bits
            multi_output=True,
            y_numeric=is_regressor(self),
        )
        dense = X if isinstance(X, np.ndarray) else X.toarray(order="C")
        targets, strata = self._encode(y, classes, is_first=is_first)
        return FitRows(dense, targets, row_weights(sample_weight, dense), strata)

    def _as_fitted(self) -> dict[str, Any]:
        """For rows of a fit that need not have all of its classes."""
        return {"is_first": False, "classes": getattr(self, "classes_", None)}

    def _experiment(self, rows: FitRows, seed: int, epochs: int, name: str = "") -> Experiment:
        """The experiment of a fit. Raises `ParameterError` for what does not fit together."""
        task, count = self._task(rows), len(rows.training_rows)
        data = {**rows.data(), "input_names": self._input_names(), **task["data"]}
        training = {**training_of(self, count, epochs, rows.mean_weight), **task["training"]}
        tree = self._tree(seed, data, training, rows.X.dtype, name)
        try:
            return build(config_of(tree, name=tree["name"]))
        except ConfigError as error:
            hidden = len(tree["network"]["layers"]) - 2
            raise parameter_error(error, hidden) from None

    def _tree(
        self, seed: int, data: dict[str, Any], training: dict[str, Any], dtype: Any, name: str
    ) -> dict[str, Any]:
        """The config of a fit."""
        outputs, output_activation = self._outputs_and_activation()
        inputs = self.n_features_in_
        return {
            "name": name or type(self).__name__,
            "seed": seed,
            "data": data,
            "network": network_of(self, inputs, outputs, output_activation, str(dtype)),
            "loss": self._loss(),
            "training": training,
        }

    def _input_names(self) -> list[str] | None:
        names = getattr(self, "feature_names_in_", None)
        return None if names is None else [str(name) for name in names]

    def _seed(self) -> int:
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(_LARGEST_SEED))

    def _dtypes(self, is_first: bool) -> Any:
        """The precision: that of X by default, and once fitted, that of the parameters."""
        if not is_first:
            return self._fitted.params.dtype
        return [np.float64, np.float32] if self.dtype is None else np.dtype(self.dtype)

    def _adopt(self, fitted: Fitted) -> Self:
        """Take a network."""
        self._fitted = fitted
        self.n_features_in_ = fitted.network.inputs
        self.n_layers_ = len(fitted.network.layers) + 1
        self.n_outputs_ = fitted.network.outputs
        return self

    # The fitted network.

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_fitted")

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each layer (inputs, units), for scaled inputs: changes take effect."""
        return self._known("coefs_").weights

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer (units,): changes take effect."""
        return self._known("intercepts_").biases

    @property
    def out_activation_(self) -> str:
        """The name of the output activation, as scikit-learn spells it."""
        return self._known("out_activation_").activation_name

    def _known(self, attribute: str) -> Fitted:
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{type(self).__name__} has no {attribute} before `fit`.")
        return self._fitted

    def _checked(self, X: Any) -> Array:
        """The rows of X (n, d). Raises `ValueError` if X is not as in `fit`."""
        check_is_fitted(self)
        if self._is_plain(X):
            return X
        dtype = self._fitted.params.dtype
        X = validate_data(self, X, reset=False, accept_sparse=True, dtype=dtype, order="C")
        return X if isinstance(X, np.ndarray) else X.toarray(order="C")

    def _is_plain(self, X: Any) -> bool:
        """Whether X needs no further check: that takes longer than one row through the network."""
        return (
            type(X) is np.ndarray
            and X.ndim == 2
            and X.flags.c_contiguous
            and X.dtype == self._fitted.params.dtype
            and X.shape[1] == self.n_features_in_
            and len(X) > 0
            and not hasattr(self, "feature_names_in_")
            and bool(np.isfinite(X).all())
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
