"""Networks that were trained elsewhere, as parameters of an estimator: scikit-learn, PyTorch, runs.

Nothing is imported of a library unless an object of it is given.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bpcli.config.models import Spec, Stop
from bpcli.config.named import shortest
from bpcli.estimators.fitted import Fitted
from bpcli.estimators.validity import ParameterError
from bpcli.experiment.streams import seed_of
from bpcli.export.model import Model
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS
from bpcli.nn.arrays import Array
from bpcli.nn.initializers import INITIALIZERS
from bpcli.nn.losses import LOSSES, Loss
from bpcli.optimizers import OPTIMIZERS
from bpcli.optimizers.schedules import rate_record
from bpcli.registry import as_mapping


def activation_named(name: str) -> Activation:
    """An activation by one of its names, also scikit-learn's."""
    return ACTIVATIONS[ACTIVATION_ALIASES.get(name, name)]()


# scikit-learn.


def require_fitted(mlp: Any, class_name: str) -> None:
    """Raises `ParameterError` for anything but a fitted estimator of this class or its heirs."""
    is_of_kind = any(each.__name__ == class_name for each in type(mlp).__mro__)
    if not is_of_kind or not hasattr(mlp, "coefs_"):
        raise ParameterError(f"{type(mlp).__name__} is not a fitted {class_name}: fit it first.")


def of_scikit_learn(mlp: Any, loss: Loss, class_names: tuple[str, ...]) -> Fitted:
    """The network of a fitted `MLPClassifier` or `MLPRegressor`."""
    hidden = len(mlp.coefs_) - 1
    names = [mlp.activation] * hidden + [mlp.out_activation_]
    return Fitted.of_layers(
        [W.T for W in mlp.coefs_],
        mlp.intercepts_,
        [*map(activation_named, names)],
        loss,
        class_names,
    )


SAME_IN_SCIKIT_LEARN = (
    "solver", "alpha", "batch_size", "learning_rate", "learning_rate_init", "power_t", "max_iter",
    "shuffle", "random_state", "tol", "verbose", "warm_start", "momentum", "nesterovs_momentum",
    "early_stopping", "validation_fraction", "beta_1", "beta_2", "epsilon", "n_iter_no_change",
    "max_fun",
)  # fmt: skip
"""The parameters that a network from scikit-learn keeps."""


# PyTorch.


def torch_layers(module: Any) -> tuple[list[Array], list[Array | None], list[Activation | None]]:
    """Weights, biases and activations of an `nn.Sequential`; None where a `Linear` has neither.

    Raises `ParameterError` naming a module of any other kind.
    """
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(module, torch.nn.Sequential):
        raise ParameterError(f"found {type(module).__name__}, expected a torch.nn.Sequential.")
    linear: list[Any] = []
    activations: list[Activation | None] = []
    for name, part in _modules(module, torch):
        if isinstance(part, torch.nn.Linear):
            linear.append(part)
            activations.append(None)
            continue
        activation = _activation_of(part)
        if activation is None or not activations or activations[-1] is not None:
            raise ParameterError(
                f"module {name}, {part}, is not supported: expected Linear layers, each followed "
                f"by at most one of {', '.join(_OF_TORCH)}."
            )
        activations[-1] = activation
    if not linear:
        raise ParameterError("the torch.nn.Sequential has no Linear layer.")
    weights = [part.weight.detach().cpu().numpy() for part in linear]
    biases = [None if part.bias is None else part.bias.detach().cpu().numpy() for part in linear]
    return weights, biases, activations


def with_identity(activations: Sequence[Activation | None]) -> list[Activation]:
    """The activations, with the identity where there is none."""
    return [activation or ACTIVATIONS["identity"]() for activation in activations]


def _modules(module: Any, torch: Any) -> Iterator[tuple[str, Any]]:
    """The modules in order, with their names, without those that do nothing when predicting."""
    ignored = (torch.nn.Dropout, torch.nn.Identity)
    for name, part in module.named_children():
        if isinstance(part, torch.nn.Sequential):
            yield from ((f"{name}.{inner}", each) for inner, each in _modules(part, torch))
        elif not isinstance(part, ignored):
            yield name, part


_OF_TORCH: Mapping[str, tuple[str, ...]] = {
    "Sigmoid": ("sigmoid",),
    "Tanh": ("tanh",),
    "ReLU": ("relu",),
    "LeakyReLU": ("leaky_relu", "negative_slope"),
    "ELU": ("elu", "alpha"),
    "Softplus": ("softplus",),
    "Softsign": ("softsign",),
    "Softmax": ("softmax",),
}
"""The activation by the class of a module, and the module's attribute with its option, if any."""


def _activation_of(part: Any) -> Activation | None:
    """The activation that a module computes; None if there is no such activation here."""
    name, *option = _OF_TORCH.get(type(part).__name__, ("",))
    is_other_softplus = name == "softplus" and part.beta != 1
    is_over_rows = name == "softmax" and part.dim not in (1, -1)
    if not name or is_other_softplus or is_over_rows:
        return None
    return ACTIVATIONS[name](*(getattr(part, attribute) for attribute in option))


# Runs.


def of_model(model: Model) -> Fitted:
    """A run's model. Raises `ParameterError` if an input is not simply a column of numbers."""
    for column in model.encoder.inputs:
        if column.kind != "number" or column.indicator:
            extra = " with an indicator of missing values" * column.indicator
            raise ParameterError(
                f"the run reads column `{column.name}` as {column.kind}{extra}, but an estimator "
                "takes numbers: use the run's own `predict`."
            )
    params = model.params.copy()
    return Fitted(model.network, params, model.preprocessor, params)


def options_of(spec: Spec) -> dict[str, Any]:
    """The parameters of an estimator that train as a config does, besides those of the network.

    The stop rules are those of the config alone, without those for a validation set: the estimator
    may be given none.
    """
    training, network = spec.training, spec.network
    rate = rate_record(training.learning_rate)
    return {
        "solver": as_mapping(OPTIMIZERS, training.optimizer),
        "learning_rate" if isinstance(rate, dict) else "learning_rate_init": rate,
        "alpha": training.l2,
        "batch_size": training.batch_size,
        "shuffle": training.sampling != "in_order",
        "max_iter": max(1, training.epochs),
        "tol": 0.0,
        "n_iter_no_change": math.inf,
        "stop": _stop_rules(training.stop),
        "random_state": seed_of(spec, "init"),
        "loss": shortest(LOSSES, spec.loss),
        "init": as_mapping(INITIALIZERS, network.init),
        "scale": spec.data.scale.model_dump(),
        "dtype": network.dtype,
    }


def _stop_rules(stop: Stop) -> dict[str, Any]:
    """The rules that need no validation set, as in a config."""
    rules = stop.model_dump(exclude_defaults=True)
    is_of_validation = stop.plateau is not None and stop.plateau.of != "loss"
    needing = {"max_fail", "generalization_loss", *["plateau"] * is_of_validation}
    return {name: value for name, value in rules.items() if name not in needing}
