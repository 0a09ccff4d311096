"""Who solves what: each solver's file, the package it needs, and the optimizers it is a peer of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec

from benchmarks.solution.workloads import LBFGS, LM, RPROP


@dataclass(frozen=True)
class Solver:
    """`module` is a file of solvers/; `is_compiled` if it compiles before it solves."""

    title: str
    module: str
    package: str
    optimizers: tuple[str, ...]
    is_compiled: bool = False

    @property
    def is_installed(self) -> bool:
        return find_spec(self.package) is not None


SOLVERS = {
    "bpnet": Solver("bpnet", "bpnet", "bpcli", (LM, LBFGS, RPROP)),
    "minpack": Solver("MINPACK", "minpack", "scipy", (LM,)),
    "trf": Solver("scipy trf", "scipy_trf", "scipy", (LM,)),
    "optimistix": Solver("optimistix", "optimistix_lm", "optimistix", (LM,), is_compiled=True),
    "scipy": Solver("scipy L-BFGS-B", "scipy_lbfgsb", "scipy", (LBFGS,)),
    "scikit_learn": Solver("scikit-learn", "scikit_learn", "sklearn", (LBFGS,)),
    "pytorch": Solver("PyTorch LBFGS", "pytorch_lbfgs", "torch", (LBFGS,)),
    "jaxopt": Solver("jaxopt LBFGS", "jaxopt_lbfgs", "jaxopt", (LBFGS,), is_compiled=True),
    "pytorch_rprop": Solver("PyTorch Rprop", "pytorch_rprop", "torch", (RPROP,)),
}


def solvers_of(optimizer: str, names: Iterable[str]) -> list[str]:
    """Those of the names that are installed and solve what this optimizer of bpnet solves."""
    return [
        name
        for name in names
        if optimizer in SOLVERS[name].optimizers and SOLVERS[name].is_installed
    ]


def absent(names: Iterable[str]) -> dict[str, str]:
    """The solvers that are left out, and why."""
    return {
        name: f"{SOLVERS[name].package} is not installed"
        for name in names
        if not SOLVERS[name].is_installed
    }
