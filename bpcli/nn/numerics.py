"""The settings of numpy and BLAS for all computations: one thread, and which kernels.

`native` uses the fastest kernels of the processor. `portable` uses what every x86-64 processor with
AVX2 and FMA3 has: OpenBLAS's Haswell kernels, and none of numpy's SIMD groups above those. Both
libraries choose when they are loaded, so a process must start with environment variables that fix
the choice.

Everything else is the same on all these processors. glibc's `exp`, `log`, `tanh` and so on have a
variant for AVX2 with FMA, which all of them use, and none above it: neither numpy nor OpenBLAS
calls its vector functions for AVX-512 (libmvec). Nor do they use instructions whose results differ
between vendors: approximate reciprocals (rcpps, rsqrtps) and the sines and logarithms of the x87.
OpenBLAS divides its work for Haswell in the same way whatever the size of a cache, also where
OPENBLAS_L2_SIZE or OPENBLAS_BLOCK_FACTOR is set. scipy, which comes with scikit-learn, has its own
OpenBLAS, which reads the same variable. safetensors only copies.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from bpcli.errors import NumericsError, NumericsNotPinned

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

Numerics: TypeAlias = Literal["native", "portable"]
Libraries: TypeAlias = Sequence[Mapping[str, Any]]
"""threadpoolctl's description of each library."""

CORE = "Haswell"
"""The OpenBLAS kernels that every processor with AVX2 and FMA3 can run."""

CORE_VARIABLE = "OPENBLAS_CORETYPE"
DISABLED_VARIABLE = "NPY_DISABLE_CPU_FEATURES"
_ENABLED_VARIABLE = "NPY_ENABLE_CPU_FEATURES"

_BELOW = {
    "SSE", "SSE2", "SSE3", "SSSE3", "SSE41", "POPCNT", "SSE42", "X86_V2", "AVX", "F16C",
}  # fmt: skip
_NEEDED = {"FMA3", "AVX2"}
_NEEDED_SINCE_2_4 = {"X86_V3"}
_ALLOWED = _BELOW | _NEEDED | _NEEDED_SINCE_2_4
"""numpy's names of the SIMD groups that portable numerics may use; all others are above them."""


@contextmanager
def repeatable_numerics() -> Iterator[None]:
    """Pin BLAS to one thread, so that results do not depend on the number of threads.

    Overflow raises no warning: losses and metrics that are not finite are reported elsewhere.
    """
    _ONE_THREAD.enter()
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    finally:
        _ONE_THREAD.leave()


class _OneThread:
    """BLAS with one thread, for as long as any thread of this process asks for it.

    A limit holds for the whole process: if each thread set and restored its own, the first to leave
    would restore the limit for the others, and the last could keep it for good.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._modules = 0
        self._limits = ExitStack()

    def enter(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1 or self._modules != len(sys.modules):
                self._modules = len(sys.modules)
                limit = _controller(self._modules).limit(limits=1, user_api="blas")
                self._limits.enter_context(limit)

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                _let_this_thread_set_limits(_controller(self._modules))
                self._limits.close()


def _let_this_thread_set_limits(libraries: ThreadpoolController) -> None:
    """Newer versions let only the thread that set a limit of OpenBLAS restore it."""
    for library in libraries.lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


_ONE_THREAD = _OneThread()


@lru_cache(maxsize=1)
def _controller(modules: int) -> ThreadpoolController:
    """The thread pools of the loaded libraries, found again after an import may have loaded more.

    Finding them takes 0.5 ms, which a fit on little data would pay several times.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def simd_groups() -> list[str]:
    """The SIMD groups that numpy uses: those it was built for, and those it detected."""
    return [*_simd("baseline"), *_simd("found")]


def blas_libraries() -> Libraries:
    """The BLAS libraries that are loaded."""
    import threadpoolctl

    return [info for info in threadpoolctl.threadpool_info() if info["user_api"] == "blas"]


def in_force(libraries: Libraries) -> Numerics:
    """The numerics of this process, with these BLAS libraries loaded."""
    is_pinned = os.environ.get(CORE_VARIABLE) == CORE
    is_portable = is_pinned and _why_impossible(libraries) is None and not _excess(libraries)
    return "portable" if is_portable else "native"


def require(numerics: Numerics, *, can_restart: bool = True) -> None:
    """Check that this process computes with these numerics.

    Raises `NumericsNotPinned`, with `can_restart`, if a restart with other environment variables
    would help, and `NumericsError` if this machine cannot provide portable numerics.
    """
    if numerics == "native":
        return
    libraries = blas_libraries()
    reason = _why_impossible(libraries)
    if reason is not None:
        raise NumericsError(f"`training.numerics: portable` {reason}{_WAY_OUT}")
    changes = _changes()
    if changes:
        raise NumericsNotPinned(changes, can_restart=can_restart)
    excess = _excess(libraries)
    if excess:
        raise NumericsError(
            f"`training.numerics: portable` has no effect: {CORE_VARIABLE} and {DISABLED_VARIABLE} "
            f"have the right values, but {excess}; they have an effect only if they are set before "
            "numpy is imported, and if OpenBLAS can choose its kernels, as numpy's "
            f"can{_WAY_OUT}"
        )


def prefer(numerics: Numerics, *, can_restart: bool = True) -> tuple[str, ...]:
    """Like `require`, for results that are useful in any numerics, such as predictions.

    If this machine cannot provide portable numerics, returns a note and raises nothing.
    """
    try:
        require(numerics, can_restart=can_restart)
    except NumericsNotPinned:
        raise
    except NumericsError as error:
        reason = str(error).removesuffix(_WAY_OUT)
        return (f"{reason}; results computed here may differ in the last digits",)
    return ()


_WAY_OUT = ": use `native`."


def _why_impossible(libraries: Libraries) -> str | None:
    """Why no environment variables can make numerics portable; None if they can."""
    machine = platform.machine()
    if machine.lower() not in ("x86_64", "amd64"):
        return f"needs an x86-64 processor, but this one is {machine}"
    groups = set(simd_groups())
    if not (groups >= _NEEDED or groups >= _NEEDED_SINCE_2_4):
        disabled = os.environ.get(DISABLED_VARIABLE)
        hint = f" ({DISABLED_VARIABLE} is {disabled})" if disabled else ""
        return (
            "needs a processor with AVX2 and FMA3, but numpy uses only "
            f"{' '.join(simd_groups())} here{hint}"
        )
    built_in = _above(_simd("baseline"))
    if built_in:
        return f"needs a numpy that does not require {' '.join(built_in)}, but this one does"
    names = sorted({str(library.get("internal_api")) for library in libraries})
    if names != ["openblas"]:
        loaded = " and ".join(names) or "another BLAS"
        return f"needs OpenBLAS, but numpy and scipy use {loaded} here"
    if _above(_simd("found")) and os.environ.get(_ENABLED_VARIABLE):
        return f"needs the environment variable {_ENABLED_VARIABLE} to be unset"
    return None


def _changes() -> dict[str, str]:
    """The environment variables to set before this process starts; empty if all are set."""
    changes = {}
    if os.environ.get(CORE_VARIABLE) != CORE:
        changes[CORE_VARIABLE] = CORE
    disabled = os.environ.get(DISABLED_VARIABLE, "")
    more = [name for name in _above(_simd("found")) if name not in _names(disabled)]
    if more:  # only groups that numpy detects: it warns about others
        changes[DISABLED_VARIABLE] = " ".join([*_names(disabled), *more])
    return changes


def _excess(libraries: Libraries) -> str | None:
    """The kernels and SIMD groups in use that portable numerics exclude; None if there are none."""
    cores = [str(library.get("architecture")) for library in libraries]
    others = sorted({core for core in cores if core.lower() != CORE.lower()})
    above = _above(_simd("found"))
    excess = [f"OpenBLAS uses its kernels for {' and '.join(others)}"] if others else []
    excess += [f"numpy uses {' '.join(above)}"] if above else []
    return " and ".join(excess) or None


def _above(groups: Sequence[str]) -> list[str]:
    return [name for name in groups if name not in _ALLOWED]


def _names(features: str) -> list[str]:
    """The names in one of numpy's variables, separated by blanks or commas."""
    return features.replace(",", " ").split()


def _simd(key: Literal["baseline", "found"]) -> list[str]:
    """The SIMD groups that numpy lists under this key; empty if it lists none."""
    return list(np.show_config(mode="dicts")["SIMD Extensions"].get(key, []))
