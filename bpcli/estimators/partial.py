"""`partial_fit` as a method that only some parameters allow."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from types import MethodType
from typing import Any

from bpcli.estimators.options import is_first_order
from bpcli.estimators.validity import ParameterError


class NoPartialFit(ParameterError, AttributeError):
    """These parameters allow no `partial_fit`, so that `hasattr` denies it."""


class PartialFit:
    """Makes a function a method of estimators whose solver and options allow it.

    scikit-learn's `available_if` would replace the reason by an `AttributeError`.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        update_wrapper(self, function)  # type: ignore[arg-type]  # it takes any object

    def __get__(self, estimator: Any, owner: type) -> Callable[..., Any]:
        if estimator is None:
            return self._function
        if estimator.early_stopping:
            raise NoPartialFit("partial_fit does not support early_stopping=True.")
        if not is_first_order(estimator.solver):
            raise NoPartialFit(
                f"partial_fit does not support solver={estimator.solver!r}, whose steps compare "
                "losses over the same rows: use sgd, adam or rprop."
            )
        return MethodType(self._function, estimator)
