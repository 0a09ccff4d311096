"""What a run records about its machine, software and data."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterable

import numpy as np
import safetensors

from bpcli.data.drawn import Inputs
from bpcli.data.row_blocks import row_blocks
from bpcli.data.table import Table
from bpcli.nn.numerics import blas_libraries, in_force, simd_groups
from bpcli.runs.machines import changes, in_words
from bpcli.runs.run_json import Machine, RunRecord
from bpcli.system import cpu_model
from bpcli.version import __version__


def machine() -> Machine:
    """Return versions, the processor, and the instructions that numpy and BLAS use."""
    libraries = blas_libraries()
    return Machine(
        versions={
            "python": platform.python_version(),
            "bpcli": __version__,
            "numpy": np.__version__,
            **_versions_of_loaded(),
            "safetensors": safetensors.__version__,
        },
        platform=_platform(),
        cpu=cpu_model(),
        numerics=in_force(libraries),
        simd=simd_groups(),
        blas=sorted(  # the order in which they were loaded is arbitrary
            ({key: info.get(key) for key in _BLAS} for info in libraries), key=str
        ),
    )


_BLAS = ("internal_api", "version", "architecture")


def _versions_of_loaded() -> dict[str, str]:
    """Return the versions of optional packages that were imported."""
    packages = {"scikit-learn": "sklearn", "scipy": "scipy"}
    loaded = {name: sys.modules.get(module) for name, module in packages.items()}
    return {name: module.__version__ for name, module in loaded.items() if module is not None}


def _platform() -> str:
    """Return the system, its release and C library, as `platform.platform()` spells them.

    On Linux that call starts a process for a value that it then leaves out.
    """
    if sys.platform != "linux":
        return platform.platform()
    system = platform.uname()
    libc = "".join(platform.libc_ver())
    return "-".join(filter(None, (system.system, system.release, system.machine, "with", libc)))


def since(record: RunRecord) -> str:
    """Return a sentence, after a space, on differences from the machine of a record, if any.

    They may explain why generated or loaded rows have other bits.
    """
    changed = changes(record.machine, machine())
    return f" Since then, these have changed: {in_words(changed)}." if changed else ""


def data_digest(table: Table) -> str:
    """Return the SHA-256 of inputs, targets and weights, by which a run detects changed data."""
    arrays: Iterable[Inputs | None] = (table.X, table.Y, table.labels, table.weight)
    digest = hashlib.sha256()
    for array in arrays:
        if array is not None:
            digest.update(f"{array.shape}{array.dtype.str}".encode())
            for some in row_blocks(array.shape):
                digest.update(np.ascontiguousarray(array[some]).data)
    return digest.hexdigest()
