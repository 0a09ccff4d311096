"""What an estimator's parameters may be, where the config cannot say it in their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np

from bpcli.errors import ConfigError, ConfigIssue


class ParameterError(ConfigError, ValueError):
    """A parameter of an estimator is not valid, or does not fit the data."""


Test: TypeAlias = Callable[[Any], bool]


def _is_a(expected_type: Any, value: Any) -> bool:
    """Whether a value is a number of a kind; booleans are none."""
    return isinstance(value, expected_type) and not isinstance(value, bool)


def _number(low: float) -> Test:
    """A test for real numbers of at least `low`."""
    return lambda value: _is_a(Real, value) and value >= low


def _positive(value: Any) -> bool:
    return _number(0)(value) and value > 0


def _fraction(value: Any) -> bool:
    return _number(0)(value) and value < 1


def _whole(low: int, *others: str | int | None) -> Test:
    """A test for whole numbers of at least `low`, and for other values."""

    def test(value: Any) -> bool:
        if _is_a(Integral, value):
            return bool(value >= low) or value in others
        return (value is None or isinstance(value, str)) and value in others

    return test


def _or_none(test: Test) -> Test:
    return lambda value: value is None or test(value)


def _sizes(value: Any) -> bool:
    """A test for the sizes of hidden layers: a number, or a sequence in an order that stays."""
    is_array = isinstance(value, np.ndarray) and value.ndim == 1
    is_sequence = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    return all(_whole(1)(size) for size in (value if is_array or is_sequence else [value]))


def _yes_or_no(value: Any) -> bool:
    return isinstance(value, bool | np.bool_) or (isinstance(value, Integral) and value in (0, 1))


def _rate(value: Any) -> bool:
    """A test for a learning rate of scikit-learn, or a schedule of a config."""
    is_named = isinstance(value, str) and value in ("constant", "invscaling", "adaptive")
    return is_named or isinstance(value, Mapping)


_RULES: Mapping[str, tuple[Test, str]] = {
    "alpha": (_or_none(_number(0)), "a number of at least 0, or None"),
    "batch_size": (_whole(1, "auto", "full"), "'auto', 'full', or a whole number of at least 1"),
    "learning_rate": (
        _rate,
        "'constant', 'invscaling', 'adaptive', or a mapping with `schedule` and its options",
    ),
    "learning_rate_init": (_or_none(_positive), "a number above 0, or None"),
    "power_t": (_number(0), "a number of at least 0"),
    "max_iter": (_whole(1), "a whole number of at least 1"),
    "max_fun": (_whole(1), "a whole number of at least 1"),
    "tol": (_number(0), "a number of at least 0"),
    "n_iter_no_change": (_number(1), "a number of at least 1, or infinity"),
    "momentum": (_fraction, "a number from 0 to below 1"),
    "validation_fraction": (_fraction, "a number from 0 to below 1"),
    "beta_1": (_fraction, "a number from 0 to below 1"),
    "beta_2": (_fraction, "a number from 0 to below 1"),
    "epsilon": (_positive, "a number above 0"),
    "stop": (
        _or_none(lambda value: isinstance(value, Mapping)),
        "None or a mapping from stop rules to their values",
    ),
    "callback": (_or_none(callable), "None or a function"),
    "shuffle": (_yes_or_no, "True or False"),
    "warm_start": (_yes_or_no, "True or False"),
    "nesterovs_momentum": (_yes_or_no, "True or False"),
    "early_stopping": (_yes_or_no, "True or False"),
    "n_jobs": (_whole(1, None, -1), "None, -1, or a whole number of at least 1"),
}


def require_valid(estimator: Any) -> None:
    """Raises `ParameterError` naming each parameter that is not valid."""
    if not _sizes(estimator.hidden_layer_sizes):
        raise ParameterError(
            f"hidden_layer_sizes must be > 0, got {estimator.hidden_layer_sizes!r}: expected whole "
            "numbers of at least 1."
        )
    wrong = [
        f"`{name}`: found {getattr(estimator, name)!r}, expected {allowed}."
        for name, (test, allowed) in _RULES.items()
        if not test(getattr(estimator, name))
    ]
    if wrong:
        raise ParameterError("\n".join(wrong))


# Issues of the config that an estimator makes.

_PARAMETER_OF = {
    ("network", "layers"): "hidden_layer_sizes",
    ("network", "activations"): "activation",
    ("network", "init"): "init",
    ("network", "dtype"): "dtype",
    ("training", "optimizer"): "solver",
    ("training", "l2"): "alpha",
    ("training", "batch_size"): "batch_size",
    ("training", "class_weights"): "class_weight",
    ("training", "learning_rate"): "learning_rate",
    ("training", "stop"): "stop",
    ("data", "scale"): "scale",
    ("data", "inputs"): "X",
    ("data", "targets"): "y",
    ("data", "weight"): "sample_weight",
    ("seed",): "random_state",
    ("loss",): "loss",
}


def parameter_error(error: ConfigError, hidden: int) -> ParameterError:
    """The issues of a config as those of the parameters that it was made of.

    `hidden` is the number of hidden layers: the activation after these is that of the outputs.
    """
    if not error.issues:
        return ParameterError(str(error))
    lines = [
        f"{_parameter_of(issue, hidden)}{message}{'' if message.endswith('?') else '.'}"
        for issue in error.issues
        for message in [issue.message.replace("`l2`", "`alpha`")]
    ]
    return ParameterError("\n".join(dict.fromkeys(lines)))


def _parameter_of(issue: ConfigIssue, hidden: int) -> str:
    """The parameter at the beginning of a message, with the option in it: `solver.increase`."""
    if issue.location[:3] == ("network", "activations", hidden):
        return f"`{'.'.join(['output_activation', *map(str, issue.location[3:])])}`: "
    for length in (2, 1):
        name = _PARAMETER_OF.get(tuple(map(str, issue.location[:length])))
        if name is not None:
            options = [key for key in issue.location[length:] if isinstance(key, str)]
            return f"`{'.'.join([name, *options])}`: "
    return f"`{issue.key}`: " if issue.location else ""
