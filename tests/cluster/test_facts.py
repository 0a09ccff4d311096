"""What is compared between processes, and what the user is advised to do."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

pytest.importorskip("distributed", reason='needs pip install "bpcli[dask]"')

from bpcli.cluster.facts import differences, facts, scheduler_mismatch


def changed(**changes: Any) -> dict[str, Any]:
    there = deepcopy(facts())
    there["machine"] |= changes
    there["variables"] = {}
    return there


def test_a_process_does_not_differ_from_itself() -> None:
    assert differences(facts(), facts(), "It") is None


@pytest.mark.parametrize("changes", [{"cpu": "another with the same kernels"}])
def test_what_changes_no_bits_is_no_difference(changes: dict[str, Any]) -> None:
    assert differences(facts(), changed(**changes), "It") is None


def test_another_kind_of_processor_needs_portable_numerics() -> None:
    there = changed(simd=["SSE", "AVX512_ICL"])
    there["variables"] = {"OPENBLAS_CORETYPE": "Haswell"}
    sentence = differences(facts(), there, "The worker w")
    assert sentence is not None
    assert sentence.startswith(
        "The worker w would give different results: simd is SSE AVX512_ICL there"
    )
    assert sentence.endswith(
        "Set `training.numerics: portable`, and start the worker with OPENBLAS_CORETYPE='Haswell' "
        "in its environment."
    )


def test_another_blas_is_a_difference() -> None:
    there = changed(blas=[{"internal_api": "mkl", "version": "2024.0", "architecture": None}])
    sentence = differences(facts(), there, "It")
    assert sentence is not None
    assert "blas is mkl 2024.0 there" in sentence


def test_another_bpcli_may_describe_itself_in_another_way() -> None:
    there = {"machine": {"versions": {"bpcli": "0.1"}, "new": 1}, "variables": {}}
    sentence = differences(facts(), there, "It")
    assert sentence is not None
    assert "bpcli is 0.1 there" in sentence
    assert sentence.endswith("Install the same versions on both.")


def test_the_versions_of_a_scheduler() -> None:
    ours = facts()["machine"]["versions"]
    assert scheduler_mismatch(ours, facts()) is None
    sentence = scheduler_mismatch(ours | {"dask": "1.0"}, facts())
    assert sentence == (
        f"The scheduler has other versions: dask is 1.0 there and {ours['dask']} here. "
        "Install the same ones on both."
    )
