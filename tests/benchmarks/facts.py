"""What the numbers depend on: processor, cores, BLAS kernels, versions. Run as a child's process.

`python -m benchmarks.facts` prints them as JSON.
"""

from __future__ import annotations

import json
import time
from importlib import metadata
from typing import Any

import numpy  # noqa: F401  # loads the BLAS that is reported

from bpcli.runs.provenance import machine
from bpcli.system import usable_cores

_PACKAGES = ("bpcli", "numpy", "scipy", "scikit-learn", "torch", "jax", "jaxlib")


def gather() -> dict[str, Any]:
    found = machine()
    blas = [" ".join(map(str, library.values())) for library in found.blas]
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": found.cpu,
        "cores": usable_cores(),
        "blas": blas,
        "python": found.versions["python"],
        "versions": {name: version for name in _PACKAGES if (version := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    print(json.dumps(gather()))
