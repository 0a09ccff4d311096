"""The settings that `benchmarks.defaults` compares, for each optimizer that has a choice.

`bfgs` has no options. The dampings of `levenberg_marquardt` and `bayesian_regularization` have a
study of their own, since a Gauss-Newton matrix costs more than a gradient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bpcli.optimizers import OPTIMIZERS, Optimizer

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Setting:
    """An optimizer with its options, and its learning rate if it has one."""

    name: str
    learning_rate: float | None = None
    options: Options = field(default_factory=dict)

    @property
    def label(self) -> str:
        rate = [] if self.learning_rate is None else [f"rate {self.learning_rate:g}"]
        return ", ".join([*rate, *(f"{key} {value}" for key, value in self.options.items())])

    def make(self) -> Optimizer:
        return OPTIMIZERS[self.name](**self.options)


@dataclass(frozen=True)
class Study:
    """Settings of one optimizer; `before` was the default before this study."""

    settings: Sequence[Setting]
    before: Setting
    is_full_batch: bool = True

    @property
    def name(self) -> str:
        return self.before.name

    @property
    def title(self) -> str:
        return f"{self.name}, {'full batch' if self.is_full_batch else 'mini-batches'}"

    @property
    def default(self) -> Setting:
        """The default now."""
        kind = OPTIMIZERS[self.name]
        rate = kind.default_rate(is_full_batch=self.is_full_batch)
        return next(
            each for each in self.settings if each.make() == kind() and each.learning_rate == rate
        )


def _grid(name: str, rates: Sequence[float | None], *options: Options) -> list[Setting]:
    return [Setting(name, rate, each) for each in options for rate in rates]


def _each(key: str, *values: object) -> list[Options]:
    return [{key: value} for value in values]


_NO_RATE = (None,)
_HEAVY: Options = {"momentum": 0.9}
_MOMENTA = (*_each("momentum", 0.0, 0.5, 0.9), {**_HEAVY, "nesterov": True})

_GRADIENT_DESCENT = "gradient_descent"
_ADAPTIVE = "adaptive_gradient_descent"
_PLUS: Options = {"variant": "irprop_plus"}

STUDIES = [
    Study(
        _grid(_GRADIENT_DESCENT, (0.03, 0.1, 0.2, 0.3, 0.5), *_MOMENTA),
        Setting(_GRADIENT_DESCENT, 0.1, {"momentum": 0.0}),
    ),
    Study(
        [
            *_grid(_ADAPTIVE, (0.01, 0.1, 0.3, 1.0), *_each("momentum", 0.0, 0.9)),
            *_grid(
                _ADAPTIVE,
                (0.1,),
                *_each("momentum", 0.5, 0.8, 0.95),
                {**_HEAVY, "increase": 1.1},
                {**_HEAVY, "decrease": 0.5},
                {**_HEAVY, "increase": 1.1, "decrease": 0.5},
                {**_HEAVY, "max_loss_increase": 1.0},
            ),
        ],
        Setting(_ADAPTIVE, 0.01, {"momentum": 0.0}),
    ),
    Study(
        _grid(
            "rprop",
            _NO_RATE,
            *_each("variant", "irprop_minus", "irprop_plus", "rprop_minus", "rprop_plus"),
            *_each("initial_step", 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4),
            *_each("max_step", 0.1, 0.3, 1.0, 5.0),
            {"initial_step": 0.1, "max_step": 1.0},
            {"initial_step": 0.2, "max_step": 1.0},
            {**_PLUS, "max_step": 1.0},
            {**_PLUS, "initial_step": 0.1, "max_step": 1.0},
        ),
        Setting("rprop", None, {"variant": "irprop_minus"}),
    ),
    Study(
        [
            *_grid(
                "adam",
                (0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2),
                *_each("beta2", 0.999, 0.99),
            ),
            *_grid("adam", (0.01, 0.03, 0.1), *_each("beta1", 0.8, 0.95)),
        ],
        Setting("adam", 0.001, {"beta2": 0.999}),
    ),
    Study(
        _grid("lbfgs", _NO_RATE, {}, *_each("memory", 3, 5, 10, 15, 20, 50)),
        Setting("lbfgs", None, {"memory": 10}),
    ),
    Study(
        _grid(
            "scaled_conjugate_gradient",
            _NO_RATE,
            *_each("sigma", 1e-6, 1e-5, 5e-5, 1e-3, 1e-2),
            *_each("damping", 1e-9, 1e-5, 1e-3, 1e-2, 0.1, 0.5),
        ),
        Setting("scaled_conjugate_gradient", None, {"sigma": 5e-5}),
    ),
    Study(
        _grid(
            "conjugate_gradient",
            _NO_RATE,
            *_each("variant", "polak_ribiere", "fletcher_reeves", "powell_beale"),
        ),
        Setting("conjugate_gradient", None, {"variant": "polak_ribiere"}),
    ),
    Study(
        _grid(_GRADIENT_DESCENT, (0.01, 0.03, 0.1, 0.2, 0.3, 0.5), *_MOMENTA),
        Setting(_GRADIENT_DESCENT, 0.1, {"momentum": 0.0}),
        is_full_batch=False,
    ),
    Study(
        [
            *_grid(
                "adam",
                (0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1),
                *_each("beta2", 0.999, 0.99),
            ),
            *_grid("adam", (0.01, 0.03), *_each("beta1", 0.8, 0.95)),
        ],
        Setting("adam", 0.001, {"beta2": 0.999}),
        is_full_batch=False,
    ),
]
