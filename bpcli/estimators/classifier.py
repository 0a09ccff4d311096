"""`BPClassifier`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from bpcli.estimators.base import BPEstimator
from bpcli.estimators.options import ParameterError
from bpcli.nn.arrays import Array

_NO_OTHER_CLASS = "no other class"


def _gives_probabilities(estimator: BPClassifier) -> bool:
    return estimator.output_activation in ("auto", "logistic", "sigmoid", "logsig", "softmax")


class BPClassifier(ClassifierMixin, BPEstimator):
    """Classify by a network trained with back-propagation."""

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
        loss: Any = "auto",
        output_activation: Any = "auto",
        init: Any = "xavier_uniform",
        scale: Any = "standard",
        class_weight: Any = None,
        dtype: Any = None,
        stop: Any = None,
        callback: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self._set(locals())

    # Targets.

    def _encode(self, y: Any, classes: Any, *, is_first: bool) -> tuple[Array, Array | None]:
        check_classification_targets(y)
        if type_of_target(y).startswith("multilabel"):
            return self._encode_labels(y, is_first=is_first), None
        y = column_or_1d(y, warn=True)
        known = self._known_classes(y, classes, is_first=is_first)
        places = np.searchsorted(known, y).clip(max=len(known) - 1)
        return places, places

    def _encode_labels(self, y: Any, *, is_first: bool) -> Array:
        Y: Array = (y if isinstance(y, np.ndarray) else y.toarray()).astype(np.float64)
        if is_first:
            self._is_multilabel, self.classes_ = True, np.arange(Y.shape[1])
        return Y

    def _known_classes(self, y: Array, classes: Any, *, is_first: bool) -> Array:
        """The classes of all targets. Raises `ParameterError` if they are not as before."""
        present: Array = np.unique(y)
        given = present if classes is None else np.unique(classes)
        if is_first:
            self._is_multilabel, self.classes_ = False, given
        elif classes is None and self.warm_start and not np.array_equal(present, self.classes_):
            raise ParameterError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {present}"
            )
        elif classes is not None and not np.array_equal(given, self.classes_):
            raise ParameterError(
                f"`classes` is {given}, but the first call had {self.classes_}: give the same."
            )
        unknown = present[~np.isin(present, self.classes_)]
        if len(unknown):
            raise ParameterError(
                f"`y` has classes that are not in `classes`: {unknown}; known are {self.classes_}."
            )
        known: Array = self.classes_
        return known

    # The config.

    def _outputs_and_activation(self) -> tuple[int, Any]:
        count = len(self.classes_)
        is_single = not self._is_multilabel and count <= 2
        activation = self.output_activation
        if activation == "auto":
            activation = "sigmoid" if is_single or self._is_multilabel else "softmax"
        has_softmax = activation == "softmax"
        outputs = count if self._is_multilabel or count > 2 or has_softmax else 1
        return max(outputs, 2) if has_softmax else outputs, activation

    def _task(self) -> dict[str, Any]:
        _, activation = self._outputs_and_activation()
        names = [str(name) for name in self.classes_]
        names += [_NO_OTHER_CLASS] * (len(names) == 1 and not self._is_multilabel)
        scale = self.scale if isinstance(self.scale, dict) else {"inputs": self.scale or "none"}
        loss = self.loss
        if loss == "auto":
            loss = "cross_entropy" if activation == "softmax" else "binary_cross_entropy"
        return {
            "data": {"classes": names, "scale": scale},
            "loss": loss,
            "training": {"class_weights": self._class_weights(names)},
        }

    def _class_weights(self, names: list[str]) -> Any:
        rule = self.class_weight
        if rule is None or isinstance(rule, str):
            return rule
        name_of = dict(zip(self.classes_.tolist(), names, strict=False))
        return {name_of.get(name, str(name)): float(weight) for name, weight in rule.items()}

    # Predictions.

    def predict(self, X: Any) -> Array:
        """The class of each row (n,), or for labels, 0 and 1 (n, k)."""
        outputs = self._outputs(X)
        if self._is_multilabel:
            return (outputs >= 0.5).astype(np.int64)
        places = self._preprocessor.labels(outputs)
        assert places is not None, "the targets are classes"
        predicted: Array = self.classes_[places.clip(max=len(self.classes_) - 1)]
        return predicted

    @available_if(_gives_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """The probability of each class (n, classes), in the order of `classes_`."""
        outputs = self._outputs(X)
        if self._is_multilabel or outputs.shape[1] > 1:
            return outputs[:, : len(self.classes_)]
        both = np.hstack([1 - outputs, outputs])
        return both[:, : len(self.classes_)]

    @available_if(_gives_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """The natural logarithm of the probabilities."""
        with np.errstate(divide="ignore"):
            log: Array = np.log(self.predict_proba(X))
        return log

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
