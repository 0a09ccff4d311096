"""`bpcli.gradcheck`: derivatives compared with numerical ones."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from bpcli.api.configs import ConfigSource, Overrides, load_config
from bpcli.api.documents import Document, Page
from bpcli.api.run import Run
from bpcli.errors import ConfigError
from bpcli.experiment import Experiment, build
from bpcli.gradient_check.catalogue import check_catalogue
from bpcli.gradient_check.corruptions import CORRUPTIONS
from bpcli.gradient_check.page import show_catalogue, show_report
from bpcli.gradient_check.report import CheckReport, check_demonstration, check_experiment
from bpcli.nn.arrays import Vector
from bpcli.nn.numerics import repeatable_numerics


def gradcheck(
    config: ConfigSource | Run | None = None,
    *,
    overrides: Overrides = (),
    entries: int = 100,
    rows: int = 50,
    corrupt: str | None = None,
) -> Document:
    """Check the gradient of a config at its initial weights, or of a run, tensor by tensor.

    Each derivative of the training code is compared with the complex step, Im f(w + ih) / h with h
    = 1e-20, which has no truncation error, and with central differences; so are products with the
    Hessian and, for a sum of squares, the Jacobian. `entries` of each tensor are checked on `rows`
    training rows. `corrupt` names a wrong backward pass, to see how the check fails. Without a
    config, every activation and loss is checked.

    Returns the document of `bpnet gradcheck --json`; it is true if all tensors passed, and is
    displayed as the command's table. Raises `ConfigError` for a config that is not valid.

    >>> report = bpcli.gradcheck("configs/xor.yaml")
    >>> bool(report)
    True
    """
    if corrupt is not None and corrupt not in CORRUPTIONS:
        raise ConfigError(
            f"Unknown corruption `{corrupt}`: expected one of {', '.join(CORRUPTIONS)}."
        )
    for name, count in (("entries", entries), ("rows", rows)):
        if not isinstance(count, int | np.integer) or count < 1:
            raise ConfigError(f"`{name}` is {count!r}: expected a whole number of at least 1.")
    with repeatable_numerics():
        if config is not None:
            experiment, params = _of(config, overrides)
            report = check_experiment(
                experiment, params, rows=rows, entries=entries, corruption=corrupt
            )
            return _document(report)
        return _catalogue() if corrupt is None else _document(check_demonstration(corrupt))


def _of(config: ConfigSource | Run, overrides: Overrides) -> tuple[Experiment, Vector]:
    """What to check, and where."""
    if not isinstance(config, Run):
        experiment = build(load_config(config, overrides))
        return experiment, experiment.initial_params
    if overrides:
        raise ConfigError(
            "`overrides` are only for a config: the config of a run cannot be changed."
        )
    trained = config._trained.uncalibrated
    return trained.experiment, trained.params


def _document(report: CheckReport) -> Document:
    page = Page()
    show_report(report, page.stream)
    return Document(report.to_json(), page.text, report.passed)


def _catalogue() -> Document:
    rows, page = check_catalogue(), Page()
    show_catalogue(rows, page.stream)
    passed = all(row.passed for row in rows)
    return Document({"checks": [asdict(row) for row in rows]}, page.text, passed)
