"""What portable numerics need of a process, and where they are not to be had."""

from __future__ import annotations

import os
from collections.abc import Sequence
from threading import Event, Thread

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from bpcli.errors import NumericsError, NumericsNotPinned
from bpcli.nn import numerics
from bpcli.nn.numerics import in_force, repeatable_numerics, require, simd_groups

OLD_BASELINE = ["SSE", "SSE2", "SSE3"]
OLD = ["SSSE3", "SSE41", "POPCNT", "SSE42", "AVX", "F16C", "FMA3", "AVX2"]
OLD_ABOVE = ["AVX512F", "AVX512CD", "AVX512_SKX", "AVX512_CLX", "AVX512_CNL", "AVX512_ICL"]
NEW_BASELINE, NEW = ["X86_V2"], ["X86_V3"]
NEW_ABOVE = ["X86_V4", "AVX512_ICL", "AVX512_SPR"]
HASWELL = {"internal_api": "openblas", "architecture": "Haswell", "version": "0.3.31"}
SKYLAKE = HASWELL | {"architecture": "SkylakeX"}
PINNED = {"OPENBLAS_CORETYPE": "Haswell"}


class Here:
    """A machine as numpy and threadpoolctl tell of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.starts_with()
        self.is_a("x86_64")
        self.has_simd(NEW_BASELINE, NEW)
        self.has_blas(HASWELL)

    def starts_with(self, **variables: str) -> None:
        steering = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES")
        for name in steering:
            self._monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def is_a(self, machine: str) -> None:
        self._monkeypatch.setattr(numerics.platform, "machine", lambda: machine)

    def has_simd(self, baseline: Sequence[str], found: Sequence[str]) -> None:
        simd = {"baseline": list(baseline), "found": list(found)}
        told = {"SIMD Extensions": {kind: names for kind, names in simd.items() if names}}
        self._monkeypatch.setattr(np, "show_config", lambda **_: told)

    def has_blas(self, *libraries: dict[str, str]) -> None:
        self._monkeypatch.setattr(numerics, "blas_libraries", lambda: list(libraries))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Here:
    return Here(monkeypatch)


def variables_needed() -> dict[str, str]:
    with pytest.raises(NumericsNotPinned) as caught:
        require("portable")
    return dict(caught.value.variables)


def refusal() -> str:
    with pytest.raises(NumericsError) as caught:
        require("portable")
    assert not isinstance(caught.value, NumericsNotPinned)
    return str(caught.value)


def test_native_numerics_need_nothing(here: Here) -> None:
    here.is_a("riscv64")
    here.has_simd([], [])
    here.has_blas()
    require("native")


@pytest.mark.parametrize(
    ("baseline", "found", "disabled"),
    [
        (NEW_BASELINE, [*NEW, *NEW_ABOVE], "X86_V4 AVX512_ICL AVX512_SPR"),
        (NEW_BASELINE, [*NEW, *NEW_ABOVE[:1]], "X86_V4"),
        (OLD_BASELINE, [*OLD, *OLD_ABOVE], " ".join(OLD_ABOVE)),
        (OLD_BASELINE, [*OLD, "XOP", "FMA4"], "XOP FMA4"),  # not all makers have them
        (["X86_V3"], ["X86_V9"], "X86_V9"),  # of a numpy that is to come
    ],
)
def test_what_is_above_avx2_is_disabled_by_the_names_that_numpy_gives_it(
    here: Here, baseline: list[str], found: list[str], disabled: str
) -> None:
    here.has_simd(baseline, found)
    wanted = {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": disabled}
    assert variables_needed() == wanted


@pytest.mark.parametrize(("baseline", "found"), [(OLD_BASELINE, OLD), (NEW_BASELINE, NEW)])
def test_where_nothing_is_above_avx2_only_blas_is_pinned(
    here: Here, baseline: list[str], found: list[str]
) -> None:
    here.has_simd(baseline, found)
    assert variables_needed() == PINNED
    here.starts_with(**PINNED)
    require("portable")
    assert in_force([HASWELL]) == "portable"


def test_what_the_user_has_disabled_stays_so(here: Here) -> None:
    here.starts_with(OPENBLAS_CORETYPE="Zen", NPY_DISABLE_CPU_FEATURES="AVX512_SPR, AVX512_ICL")
    here.has_simd(NEW_BASELINE, [*NEW, "X86_V4"])
    disabled = "AVX512_SPR AVX512_ICL X86_V4"
    assert variables_needed() == PINNED | {"NPY_DISABLE_CPU_FEATURES": disabled}


def test_the_sentence_tells_a_caller_from_python_what_to_set(here: Here) -> None:
    here.has_simd(NEW_BASELINE, [*NEW, *NEW_ABOVE])
    with pytest.raises(NumericsNotPinned) as caught:
        require("portable", can_restart=False)
    assert caught.value.exit_code == 2
    assert not caught.value.can_restart
    assert (
        'OPENBLAS_CORETYPE="Haswell" and NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR" '
        "in the environment before numpy is imported"
    ) in str(caught.value)


def test_another_processor_is_refused(here: Here) -> None:
    here.is_a("aarch64")
    assert "needs an x86-64 processor, but this one is aarch64" in refusal()


@pytest.mark.parametrize(
    ("baseline", "found"), [(OLD_BASELINE, OLD[:-1]), (OLD_BASELINE, []), (NEW_BASELINE, [])]
)
def test_a_processor_without_avx2_is_refused(
    here: Here, baseline: list[str], found: list[str]
) -> None:
    here.has_simd(baseline, found)
    sentence = refusal()
    assert "needs a processor with AVX2 and FMA3" in sentence
    assert f"numpy uses only {' '.join(baseline + found)} here: use `native`." in sentence


def test_where_the_user_has_disabled_avx2_that_is_said(here: Here) -> None:
    here.starts_with(NPY_DISABLE_CPU_FEATURES="X86_V3")
    here.has_simd(NEW_BASELINE, [])
    assert "(NPY_DISABLE_CPU_FEATURES is X86_V3)" in refusal()


@pytest.mark.parametrize(
    ("kinds", "found"), [(["mkl"], "mkl"), ([], "another BLAS"), (["openblas", "mkl"], "mkl and")]
)
def test_another_blas_than_openblas_is_refused(here: Here, kinds: list[str], found: str) -> None:
    here.has_blas(*({"internal_api": kind, "architecture": "Haswell"} for kind in kinds))
    assert f"needs OpenBLAS, but numpy and scipy use {found}" in refusal()


def test_a_numpy_that_was_built_for_more_is_refused(here: Here) -> None:
    here.has_simd(["X86_V3", "X86_V4"], [])
    assert "a numpy that does not require X86_V4" in refusal()


def test_features_that_the_user_enabled_are_not_overruled(here: Here) -> None:
    here.starts_with(NPY_ENABLE_CPU_FEATURES="X86_V3 X86_V4")  # numpy refuses both variables
    here.has_simd(NEW_BASELINE, [*NEW, "X86_V4"])
    assert "needs the environment variable NPY_ENABLE_CPU_FEATURES to be unset" in refusal()


@pytest.mark.parametrize(
    ("libraries", "found", "told"),
    [
        ([SKYLAKE], NEW, "OpenBLAS uses its kernels for SkylakeX;"),
        ([HASWELL, SKYLAKE], NEW, "OpenBLAS uses its kernels for SkylakeX;"),  # scipy's
        ([HASWELL], [*NEW, "X86_V4"], "numpy uses X86_V4;"),
        ([SKYLAKE], [*NEW, "X86_V4"], "its kernels for SkylakeX and numpy uses X86_V4;"),
    ],
)
def test_a_pin_without_effect_is_refused(
    here: Here, libraries: list[dict[str, str]], found: list[str], told: str
) -> None:
    here.starts_with(OPENBLAS_CORETYPE="Haswell", NPY_DISABLE_CPU_FEATURES="X86_V4")
    here.has_simd(NEW_BASELINE, found)
    here.has_blas(*libraries)
    assert told in refusal()
    assert in_force(libraries) == "native"


def test_what_a_process_computes_with_is_what_it_does_whoever_asked(here: Here) -> None:
    assert in_force([HASWELL]) == "native"  # scipy's, loaded later, might take others
    here.starts_with(**PINNED)
    assert in_force([HASWELL]) == "portable"
    here.has_simd(NEW_BASELINE, [*NEW, "X86_V4"])
    assert in_force([HASWELL]) == "native"
    here.is_a("arm64")
    assert in_force([]) == "native"


def test_this_numpy_tells_its_groups_and_no_name_is_taken_for_more_than_it_is() -> None:
    groups = simd_groups()
    if numerics.platform.machine().lower() not in ("x86_64", "amd64"):
        pytest.skip("the names are those of x86-64")
    assert groups
    disabled = os.environ.get("NPY_DISABLE_CPU_FEATURES", "").split()
    above = [name for name in groups if name not in numerics._ALLOWED]
    assert all(name.startswith(("AVX512", "X86_V4")) for name in above), above
    assert not {*disabled} & {*groups}


def _blas_threads() -> list[int]:
    return [int(library["num_threads"]) for library in numerics.blas_libraries()]


def test_blas_keeps_one_thread_until_the_last_thread_leaves() -> None:
    entered, may_leave = Event(), Event()

    def compute() -> None:
        with repeatable_numerics():
            entered.set()
            may_leave.wait()

    thread = Thread(target=compute)
    with threadpool_limits(2, "blas"):
        assert max(_blas_threads()) == 2
        with repeatable_numerics():
            thread.start()
            entered.wait()
        assert set(_blas_threads()) == {1}
        may_leave.set()
        thread.join()
        assert max(_blas_threads()) == 2
