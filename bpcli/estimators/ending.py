"""How a fit ended, in the words of an estimator: warnings, and the errors that `fit` raises."""

from __future__ import annotations

from sklearn.exceptions import ConvergenceWarning

from bpcli.api.warn import warn
from bpcli.errors import BpnetWarning, Diverged
from bpcli.workflows.in_memory import Fit

_NOT_CONVERGED = {
    "epochs": "Maximum iterations ({max_iter}) reached and the optimization hasn't converged yet: "
    "raise `max_iter`, or choose a larger `tol`.",
    "max_fun": "Maximum evaluations ({max_fun}) reached and the optimization hasn't converged yet: "
    "raise `max_fun`, or choose a larger `tol`.",
}
"""The warnings for stop reasons that leave the optimization unfinished."""

_NAMES = {
    "training.learning_rate": "learning_rate_init",
    "training.learning_rate.start": "learning_rate_init",
    "data.scale": "scale",
    "network.init": "init",
}
"""The parameters that messages on a divergence call by the keys of a config."""


class FitDiverged(Diverged, ValueError):
    """A fit ended because its loss is no longer finite."""


def raise_failure(fitted: Fit, *, has_validation: bool) -> None:
    """Raise what ended a fit too early, unless there are parameters worth keeping: then warn.

    After an interruption these are the latest, after a divergence the best on a validation set.
    """
    failure = fitted.ending.failure
    if failure is None:
        return
    message = _in_parameters(str(failure))
    is_interrupted = fitted.ending.reason == "interrupted"
    if isinstance(failure, Diverged) and not (has_validation and fitted.ending.last):
        raise FitDiverged(message) from None
    if not is_interrupted and not isinstance(failure, Diverged):
        raise failure
    kept = f"The estimator keeps the parameters of epoch {fitted.best.number}."
    warn([f"{message} {kept}"], BpnetWarning if is_interrupted else ConvergenceWarning)


def warn_unless_converged(reason: str, max_iter: int, max_fun: int) -> None:
    """Warn if the limit on iterations or evaluations ended a fit."""
    if reason in _NOT_CONVERGED:
        message = _NOT_CONVERGED[reason].format(max_iter=max_iter, max_fun=max_fun)
        warn([message], ConvergenceWarning)


def _in_parameters(message: str) -> str:
    for key, name in _NAMES.items():
        message = message.replace(f"`{key}`", f"`{name}`").replace(f"`{key}: ", f"`{name}: ")
    return message
