"""`BPClassifier`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy.special import expit, log_expit, log_softmax, logsumexp
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from bpcli.data.labels import class_values
from bpcli.estimators.base import BPEstimator
from bpcli.estimators.bridges import activation_named, require_fitted, torch_layers, with_identity
from bpcli.estimators.calibration import quantile_of
from bpcli.estimators.fitted import Fitted
from bpcli.estimators.options import activation_name
from bpcli.estimators.rows import FitRows
from bpcli.estimators.validity import ParameterError
from bpcli.intervals.conformal import AdaptiveSets
from bpcli.metrics.metrics import class_probabilities
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array
from bpcli.nn.losses import LOSSES, canonical_loss
from bpcli.registry import name_of
from bpcli.runs.trained import Weights

_NO_OTHER_CLASS = "no other class"


def _gives_probabilities(estimator: BPClassifier) -> bool:
    return activation_name(estimator.output_activation) in ("auto", "sigmoid", "softmax")


def _same(present: Array, known: Array) -> bool:
    """Whether the classes that are present, in ascending order, are those that are known."""
    return np.array_equal(present, np.sort(known))


class BPClassifier(ClassifierMixin, BPEstimator):
    """Classify with a network trained by back-propagation, as `MLPClassifier` does.

    Targets are two or more classes, or labels (n, k) of 0 and 1. The mean cross-entropy of the rows
    plus alpha/(2n) Σ W² is minimised, by default over all rows at once.

    Parameters that scikit-learn's `MLPClassifier` has, too:

    - `hidden_layer_sizes`: units of each hidden layer, or one number; () for none.
    - `activation`: of the hidden layers, or a list with one for each: any activation of a config, a
      name or a mapping with options; scikit-learn's `logistic` is `sigmoid`.
    - `solver`: any optimizer of a config, a name or a mapping with options. `sgd` and `adam` train
      with mini-batches and take `learning_rate`, `learning_rate_init`, `power_t`, `momentum`,
      `nesterovs_momentum`, `beta_1`, `beta_2`, `epsilon` and `shuffle` as in scikit-learn.
    - `alpha`: λ of the penalty; None is 1, but scikit-learn's 0.0001 for its solvers `sgd`, `adam`
      and `lbfgs`. scikit-learn divides it by the rows of a mini-batch; here it is divided by all n
      rows, for mini-batches too.
    - `batch_size`: `auto` is all rows, but 200 for `sgd` and `adam`; `full`, or a number.
    - `learning_rate`: `constant`; for `sgd` also `invscaling` and `adaptive`; or a mapping with a
      `schedule` of a config. `learning_rate_init`: the first rate; None is 0.001 for `sgd` and
      `adam`, and the optimizer's default for others that have a rate.
    - `max_iter`: the maximum number of epochs. `max_fun`: the maximum number of evaluations, for
    `lbfgs`.
    - `tol`, `n_iter_no_change`: with `sgd`, `adam`, `rprop` and plain gradient descent, training
      ends when the loss has not fallen by more than `tol` in more than `n_iter_no_change` epochs in
      a row. All other optimizers end when the norm of the gradient is at most `tol`.
    - `early_stopping`, `validation_fraction`: hold out rows, end when their score has not risen by
      `tol` in `n_iter_no_change` epochs, and keep the epoch of their lowest loss; for any solver.
    - `random_state`, `verbose`, `warm_start`: as in scikit-learn. An integer is the `seed` of a
    config.

    Further parameters:

    - `loss`, `output_activation`: `auto` is the cross-entropy with a softmax, or with a sigmoid for
      two classes and for labels; any of a config that fit together.
    - `init`: how weights are initialised, as in a config.
    - `scale`: the scale of the inputs, fitted to the training rows with their weights: `standard`,
      `minmax`, `robust`, or None.
    - `class_weight`: None, `balanced`, or a weight for each class.
    - `dtype`: `float64` or `float32`; None is that of X.
    - `stop`: further stop rules of a config, such as {"goal": 0.01, "max_seconds": 60}.
    - `callback`: a function that is called with each `Epoch`; training ends if it returns True.
    - `n_jobs`: worker processes that share each epoch of a large table; None is 1, -1 as many as
      are useful. They do not change the result.

    Attributes after `fit` are those of scikit-learn (`coefs_`, `intercepts_`, `classes_`, `loss_`,
    `loss_curve_`, `best_loss_`, `n_iter_`, `validation_scores_`, …); `stop_reason_` says why
    training ended. `coefs_` belong to scaled inputs, and are views: changes take effect.

    Parameters that are not valid raise `ValueError`, with a sentence for each.
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
        loss: Any = "auto",
        output_activation: Any = "auto",
        init: Any = "xavier_uniform_biases",
        scale: Any = "standard",
        class_weight: Any = None,
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

        Classes whose names are numbers, or true and false, become those. Raises `ParameterError` if
        the run does not predict classes or labels, or has inputs that are not columns of numbers.
        """
        estimator, model = cls._of_run(run, runs_dir, weights)
        if not model.preprocessor.categories:
            raise ParameterError("the run predicts values: use BPRegressor.from_run.")
        estimator.class_weight = estimator.run_.config["training"]["class_weights"]
        estimator._is_multilabel = not model.class_names
        labels = np.arange(len(model.preprocessor.words))
        estimator.classes_ = class_values(model.class_names) if model.class_names else labels
        return estimator

    @classmethod
    def from_sklearn(cls, mlp: Any) -> Self:
        """The network and the options of a fitted `MLPClassifier`; nothing is scaled.

        Raises `ParameterError` for anything else.
        """
        require_fitted(mlp, "MLPClassifier")
        loss = "cross_entropy" if mlp.out_activation_ == "softmax" else "binary_cross_entropy"
        is_multilabel = mlp.n_outputs_ > 1 and loss == "binary_cross_entropy"
        names = () if is_multilabel else tuple(map(str, mlp.classes_))
        estimator = cls._of_mlp(mlp, LOSSES[loss](), names)
        estimator.classes_, estimator._is_multilabel = mlp.classes_, is_multilabel
        return estimator

    @classmethod
    def from_torch(cls, module: Any, classes: Any = None) -> Self:
        """The network of a `torch.nn.Sequential` of `Linear` layers and activations.

        A last `Linear` without an activation gives logits: a softmax follows, or for one output a
        sigmoid. `classes` are those of the outputs, by default 0, 1, 2 … Raises `ParameterError`
        naming a module that is not supported.
        """
        weights, biases, activations = torch_layers(module)
        outputs = len(weights[-1])
        activations[-1] = activations[-1] or activation_named(
            "sigmoid" if outputs == 1 else "softmax"
        )
        loss = canonical_loss(name_of(ACTIVATIONS, activations[-1]))
        if loss is None:
            raise ParameterError(
                "the last activation gives no probabilities: expected a Sigmoid, a Softmax, or "
                "none after the last Linear."
            )
        known = np.arange(max(outputs, 2)) if classes is None else np.asarray(classes)
        if len(known) != max(outputs, 2):
            raise ParameterError(
                f"`classes` has {len(known)} entries, but the network is for {max(outputs, 2)}."
            )
        names = tuple(map(str, known))
        trained = Fitted.of_layers(weights, biases, with_identity(activations), loss, names)
        estimator = cls(**trained.parameters, scale=None)
        estimator.classes_, estimator._is_multilabel = known, False
        return estimator._adopt(trained)

    # Targets.

    def _encode(self, y: Any, classes: Any, *, is_first: bool) -> tuple[Array, Array | None]:
        y_type = type_of_target(y, input_name="y")
        if not is_first and self._is_multilabel != (y_type == "multilabel-indicator"):
            before, now = ("labels", "classes") if self._is_multilabel else ("classes", "labels")
            raise ParameterError(f"`y` has {now}, but the targets of the fit were {before}.")
        if y_type == "multilabel-indicator":
            return self._encode_labels(y, is_first=is_first), None
        if y_type not in ("binary", "multiclass"):
            raise ParameterError(
                f"Unknown label type: {y_type}. Expected classes (n,), or labels (n, k) of 0 and "
                "1; for numbers, use BPRegressor."
            )
        y = column_or_1d(y, warn=True)
        known = self._known_classes(y, classes, is_first=is_first)
        order = np.argsort(known)  # those of a run are in its order
        places = order[np.searchsorted(known, y, sorter=order)]
        return places, places

    def _encode_labels(self, y: Any, *, is_first: bool) -> Array:
        Y: Array = (y if isinstance(y, np.ndarray) else y.toarray()).astype(np.float64)
        if is_first:
            self._is_multilabel, self.classes_ = True, np.arange(Y.shape[1])
        return Y

    def _decode(self, y: Array) -> Array:
        classes: Array = y.astype(np.int64) if self._is_multilabel else self.classes_[y]
        return classes

    def _known_classes(self, y: Array, classes: Any, *, is_first: bool) -> Array:
        """The classes of all targets. Raises `ParameterError` if they are not as before."""
        present: Array = np.unique(y)
        given = present if classes is None else np.unique(classes)
        if is_first:
            self._is_multilabel, self.classes_ = False, given
        elif classes is None and self.warm_start and not _same(present, self.classes_):
            raise ParameterError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {present}"
            )
        elif classes is not None and not _same(given, self.classes_):
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
        has_softmax = activation_name(activation) == "softmax"
        outputs = count if self._is_multilabel or count > 2 or has_softmax else 1
        return max(outputs, 2) if has_softmax else outputs, activation

    def _task(self, rows: FitRows | None = None) -> dict[str, Any]:
        names = [str(name) for name in self.classes_]
        names += [_NO_OTHER_CLASS] * (len(names) == 1 and not self._is_multilabel)
        scale = self.scale if isinstance(self.scale, dict) else {"inputs": self.scale or "none"}
        return {
            "data": {"classes": names, "scale": scale},
            "training": {"class_weights": self._class_weights(names, rows)},
        }

    def _loss(self) -> Any:
        if self.loss != "auto":
            return self.loss
        _, activation = self._outputs_and_activation()
        has_softmax = activation_name(activation) == "softmax"
        return "cross_entropy" if has_softmax else "binary_cross_entropy"

    def _class_weights(self, names: list[str], rows: FitRows | None) -> Any:
        """The config's `class_weights`.

        Its `balanced` counts rows. Beside row weights, classes are balanced by the sums of these.
        """
        rule = self.class_weight
        if not isinstance(rule, str | Mapping | None):
            raise ParameterError(
                f"`class_weight`: found {rule!r}, expected None, 'balanced', or a mapping from "
                "classes to weights."
            )
        if rule == "balanced" and rows is not None and rows.weight is not None and rows.y.ndim == 1:
            train = rows.training_rows
            sums = np.bincount(rows.y[train], rows.weight[train], len(names))
            share = sums.sum() / np.count_nonzero(sums)
            return {name: share / w for name, w in zip(names, sums.tolist(), strict=True) if w}
        if not isinstance(rule, Mapping):
            return rule
        name_by_class = dict(zip(self.classes_.tolist(), names, strict=False))
        return {name_by_class.get(key, str(key)): weight for key, weight in rule.items()}

    # Predictions.

    def predict(self, X: Any, interval: float | None = None) -> Any:
        """The class of each row (n,), or for labels, 0 and 1 (n, k).

        With a level as `interval`, such as 0.9: the classes, and sets (n, classes) of true and
        false in the order of `classes_`, which contain the class with at least this probability,
        for rows from the same source as the validation rows of the fit (adaptive prediction sets).
        Raises `ParameterError` if the fit had no or too few validation rows: see `early_stopping`
        and `X_val`.
        """
        rows = self._checked(X)
        outputs = self._fitted.outputs(rows)
        if interval is None:
            return self._answers(outputs)
        sets = AdaptiveSets(quantile_of(self._fitted.scores, interval))
        inside = sets.sets(class_probabilities(outputs))
        return self._answers(outputs), inside[:, : len(self.classes_)]

    def _answers(self, outputs: Array) -> Array:
        if self._is_multilabel:
            return (outputs >= 0.5).astype(np.int64)
        places = self._fitted.preprocessor.labels(outputs)
        assert places is not None, "the targets are classes"
        predicted: Array = self.classes_[places.clip(max=len(self.classes_) - 1)]
        return predicted

    @available_if(_gives_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """The probability of each class (n, classes), or of each label, as in `classes_`."""
        rows = self._checked(X)
        with np.errstate(under="ignore"):
            if self._is_multilabel:
                return expit(self._fitted.z(rows))
            return np.exp(self._log_shares(rows))

    @available_if(_gives_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """The natural logarithm of the probabilities; for classes from z, without rounding to 0.

        For labels it is that of the rounded probabilities, to the bit, as in scikit-learn.
        """
        rows = self._checked(X)
        if self._is_multilabel:
            return np.log(expit(self._fitted.z(rows)))
        return self._log_shares(rows)

    def _log_shares(self, rows: Array) -> Array:
        """The logarithm of the probability of each class (n, classes)."""
        Z = self._fitted.z(rows)
        if len(self.classes_) == 1:
            return np.zeros((len(Z), 1))
        if self._fitted.output_activation.gives_distribution:
            return log_softmax(Z, axis=1)
        if Z.shape[1] == 1:
            return log_expit(np.hstack([-Z, Z]))
        log = log_expit(Z)  # one sigmoid a class: their shares
        return log - logsumexp(log, axis=1, keepdims=True)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
