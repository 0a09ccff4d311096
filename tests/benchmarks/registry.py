"""Who is measured: each implementation's file, its options, and the package it needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec

from bpcli.system import usable_cores

CORES = usable_cores()


@dataclass(frozen=True)
class Implementation:
    """`title` heads its column; `module` is a file of implementations/."""

    title: str
    module: str
    package: str
    options: dict[str, int] = field(default_factory=dict)

    @property
    def is_bpnet(self) -> bool:
        return self.module == "bpnet"


IMPLEMENTATIONS = {
    "bpnet": Implementation("bpnet", "bpnet", "bpcli"),
    "bpnet_1": Implementation("bpnet, 1 worker", "bpnet", "bpcli", {"workers": 1}),
    "textbook_numpy": Implementation("textbook numpy", "textbook_numpy", "numpy"),
    "pytorch_eager": Implementation("PyTorch eager", "pytorch_eager", "torch"),
    "pytorch_compiled": Implementation("PyTorch compiled", "pytorch_compiled", "torch"),
    "jax_scan": Implementation("JAX scan", "jax_scan", "jax"),
    "jax_stepped": Implementation("JAX stepped", "jax_stepped", "jax"),
    "scikit_learn": Implementation("scikit-learn", "scikit_learn", "sklearn"),
}

SCRIPTS = {
    "pytorch": Implementation("PyTorch eager", "with_pytorch.py", "torch"),
    "jax": Implementation("JAX scan", "with_jax.py", "jax"),
    "scikit_learn": Implementation("scikit-learn", "with_scikit_learn.py", "sklearn"),
}
"""The peers' whole-process scripts; `module` is a file of scripts/."""


def installed(names: Iterable[str], among: dict[str, Implementation]) -> list[str]:
    """Those of the names whose package is there."""
    return [name for name in names if find_spec(among[name].package) is not None]
