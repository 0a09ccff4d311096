"""From an estimator's parameters to the config of its training.

Names that scikit-learn has mean what they mean there; `sgd` and `adam` take its options. Any other
name is one of a config.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bpcli.api.warn import warn
from bpcli.estimators.validity import ParameterError
from bpcli.nn.activations import ACTIVATION_ALIASES
from bpcli.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS, Optimizer
from bpcli.text import listed_names
from bpcli.training.epoch import Epoch

_STOCHASTIC = ("sgd", "adam")
"""The solvers that scikit-learn trains with mini-batches."""

_FIRST_ORDER = ("gradient_descent", "adaptive_gradient_descent", "rprop", "adam")
"""Optimizers whose steps are short: they end where the loss no longer falls, the others where the
gradient is small. Each of their steps is also meaningful on other rows: `partial_fit`."""

_OF_SCIKIT_LEARN = ("lbfgs", *_STOCHASTIC)
_ALPHA_OF_SCIKIT_LEARN = 0.0001
_ALPHA = 1.0
_RATE_OF_SCIKIT_LEARN = 0.001
_LONGEST_PATIENCE = 10**9
_BATCH_OF_SCIKIT_LEARN = 200
_END_OF_ADAPTIVE_RATE = 1e-6
_FACTOR_OF_ADAPTIVE_RATE = 0.2


class Parameters:
    """The parameters that both estimators have."""

    hidden_layer_sizes: Any
    activation: Any
    solver: Any
    alpha: float | None
    batch_size: Any
    learning_rate: Any
    learning_rate_init: float | None
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: bool
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    loss: Any
    output_activation: Any
    init: Any
    scale: Any
    dtype: Any
    stop: Mapping[str, Any] | None
    callback: Callable[[Epoch], bool | None] | None
    n_jobs: int | None


def optimizer_name(solver: Any) -> str:
    """The config's name of a solver; the solver itself if it is unknown."""
    name = solver.get("name", "gradient_descent") if isinstance(solver, Mapping) else solver
    alias = OPTIMIZER_ALIASES.get(name) if isinstance(name, str) else None
    return str(alias["name"] if alias else name)


def _optimizer_class(solver: Any) -> type[Optimizer] | None:
    """The optimizer of a solver; None if it is unknown."""
    return OPTIMIZERS.get(optimizer_name(solver))


def activation_name(activation: Any) -> str:
    """The config's name of an activation; the activation itself if it is unknown."""
    name = activation.get("name") if isinstance(activation, Mapping) else activation
    return ACTIVATION_ALIASES.get(name, name) if isinstance(name, str) else str(name)


def is_first_order(solver: Any) -> bool:
    """Whether the solver's steps are short and meaningful on changing rows."""
    return optimizer_name(solver) in _FIRST_ORDER


def network_of(
    given: Parameters, inputs: int, outputs: int, output_activation: Any, dtype: str
) -> dict[str, Any]:
    """The config's `network`. Raises `ParameterError` for one activation too many or too few."""
    sizes = given.hidden_layer_sizes
    hidden = [int(size) for size in (sizes if isinstance(sizes, Iterable) else [sizes])]
    activations = given.activation
    if not isinstance(activations, list | tuple):
        activations = [activations] * len(hidden)
    if len(activations) != len(hidden):
        raise ParameterError(
            f"`activation` has {len(activations)} entries, but there are {len(hidden)} hidden "
            "layers: give one for each, or one name for all."
        )
    return {
        "layers": [inputs, *hidden, outputs],
        "activations": [*activations, output_activation],
        "init": given.init,
        "dtype": dtype,
    }


def training_of(given: Parameters, rows: int, epochs: int, mean_weight: float) -> dict[str, Any]:
    """The config's `training` for a number of training rows.

    A config's row weights have the mean 1, so that `alpha` counts against more or fewer rows.
    """
    _warn_of_unused(given)
    size = _batch_size(given, rows)
    rate = _learning_rate(given, rows)
    return {
        "optimizer": _optimizer(given, mean_weight),
        "epochs": epochs,
        "l2": penalty_of(given) / mean_weight,
        "batch_size": size,
        "stop": _stop(given),
        "workers": "auto" if given.n_jobs == -1 else given.n_jobs or 1,
        **({} if rate is None else {"learning_rate": rate}),
        **({} if size == "full" or given.shuffle else {"sampling": "in_order"}),
    }


def penalty_of(given: Parameters) -> float:
    """λ: that of scikit-learn for its own solvers, and 0 for an optimizer that finds it itself.

    A larger one generalises better where inputs have unit variance and training goes to its end: in
    the benchmark of the estimators, 1 is best or near the best on most data sets.
    """
    if given.alpha is not None:
        return given.alpha
    if given.solver in _OF_SCIKIT_LEARN:
        return _ALPHA_OF_SCIKIT_LEARN
    optimizer = _optimizer_class(given.solver)
    return 0.0 if optimizer is not None and optimizer.finds_l2 else _ALPHA


def _optimizer(given: Parameters, mean_weight: float) -> Any:
    if given.solver == "sgd":
        return {
            "name": "gradient_descent",
            "momentum": given.momentum,
            "nesterov": bool(given.nesterovs_momentum and given.momentum),
        }
    if given.solver == "adam":
        return {
            "name": "adam",
            "beta1": given.beta_1,
            "beta2": given.beta_2,
            "epsilon": given.epsilon,
        }
    if optimizer_name(given.solver) == "levenberg_marquardt" and mean_weight != 1:
        return _damped(given.solver, mean_weight)
    return given.solver


def _damped(solver: Any, mean_weight: float) -> dict[str, Any]:
    """Levenberg-Marquardt with a damping that is as large against JᵀJ as for repeated rows."""
    from bpcli.optimizers.levenberg_marquardt import LevenbergMarquardt

    options = {**solver} if isinstance(solver, Mapping) else {"name": solver}
    implied = {**OPTIMIZER_ALIASES.get(options["name"], {}), **options}
    given = {key: implied[key] for key in ("damping_rule", "damping") if key in implied}
    first = LevenbergMarquardt(**given).first_damping
    scaled = {"damping": first, "max_damping": options.get("max_damping")}
    return options | {name: value / mean_weight for name, value in scaled.items() if value}


def _learning_rate(given: Parameters, rows: int) -> Any:
    """A rate or a schedule; None for the optimizer's own, or if it has none."""
    start = given.learning_rate_init
    if start is None and given.solver in _STOCHASTIC:
        start = _RATE_OF_SCIKIT_LEARN
    if isinstance(given.learning_rate, Mapping):
        return {**({} if start is None else {"start": start}), **given.learning_rate}
    if not is_first_order(given.solver) or optimizer_name(given.solver) == "rprop":
        return None
    if given.solver == "sgd" and given.learning_rate == "invscaling" and given.power_t:
        return {"schedule": "inverse_time", "start": start, "decay": rows, "power": given.power_t}
    if given.solver == "sgd" and given.learning_rate == "adaptive":
        return {
            "schedule": "plateau",
            "start": start,
            "factor": _FACTOR_OF_ADAPTIVE_RATE,
            "epochs": _patience(given),
            "tol": given.tol,
            "end": _END_OF_ADAPTIVE_RATE,
        }
    return start


_OPTIONS = {
    "learning_rate": "constant",
    "learning_rate_init": None,
    "power_t": 0.5,
    "momentum": 0.9,
    "nesterovs_momentum": True,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
}
"""The options of scikit-learn's `sgd` and `adam`, with their defaults."""


def _warn_of_unused(given: Parameters) -> None:
    """Warn of options that the solver does not use: scikit-learn's default solver is adam.

    Beside its own solvers, scikit-learn says nothing, nor does this.
    """
    if given.solver in _OF_SCIKIT_LEARN:
        return
    optimizer = _optimizer_class(given.solver)
    has_rate = optimizer is not None and optimizer.default_learning_rate is not None
    used = {"learning_rate_init"} if has_rate else set[str]()
    if isinstance(given.learning_rate, Mapping):
        used.add("learning_rate")
    unused = [
        name
        for name, default in _OPTIONS.items()
        if name not in used and getattr(given, name) != default
    ]
    if unused:
        verb = "is" if len(unused) == 1 else "are"
        message = f"{listed_names(unused, len(unused))} {verb} not used by solver={given.solver!r}"
        hint = "leave out what is not used, or give solver='adam' or solver='sgd'."
        warn([f"{message}: {hint}"])


def _batch_size(given: Parameters, rows: int) -> int | str:
    """The rows of an update. As in scikit-learn, `auto` is up to 200 for `sgd` and `adam`."""
    size = given.batch_size
    if size == "full" or (size == "auto" and given.solver not in _STOCHASTIC):
        return "full"
    optimizer = _optimizer_class(given.solver)
    if optimizer is not None and optimizer.full_batch_because is not None and size != "auto":
        warn([f"`batch_size` is not used: {optimizer_name(given.solver)} needs all rows."])
        return "full"
    count = _BATCH_OF_SCIKIT_LEARN if size == "auto" else int(size)
    return "full" if count >= rows else count


def _stop(given: Parameters) -> dict[str, Any]:
    """The stop rules: a plateau of the loss or the validation score, or a small gradient."""
    rules: dict[str, Any] = {}
    is_limited = math.isfinite(given.n_iter_no_change)
    adapts = given.solver == "sgd" and given.learning_rate == "adaptive"
    if given.early_stopping and is_limited:
        rules["plateau"] = _plateau(given, "val_score")
    elif is_first_order(given.solver) and is_limited and not adapts:
        rules["plateau"] = _plateau(given, "loss")
    elif not is_first_order(given.solver) and given.tol > 0:
        rules["min_grad"] = given.tol
    return rules | dict(given.stop or {})


def _plateau(given: Parameters, of: str) -> dict[str, Any]:
    return {"tol": given.tol, "epochs": _patience(given), "of": of}


def _patience(given: Parameters) -> int:
    return int(min(given.n_iter_no_change, _LONGEST_PATIENCE))
