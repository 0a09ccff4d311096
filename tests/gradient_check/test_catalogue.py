from __future__ import annotations

import os
from itertools import islice

import pytest
from small_problems import a_check

from bpcli.engine import passes
from bpcli.gradient_check import catalogue
from bpcli.gradient_check.cases import all_cases
from bpcli.gradient_check.catalogue import CatalogueRow, check_catalogue
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.losses import legal_losses


@pytest.mark.slow
@pytest.mark.parametrize("is_recorded", [True, False])
def test_the_catalogue_is_exact_to_rounding(
    is_recorded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As small networks are trained, and as large ones are, in place.

    By default every fifth case: these have all combinations of the 24 options that cases cycle
    through, and of each loss and output.
    """
    if not is_recorded:
        monkeypatch.setattr(passes, "_RECORDED_BYTES", 0)
    if not os.environ.get("BPNET_FULL"):
        first = 0 if is_recorded else 2
        monkeypatch.setattr(catalogue, "all_cases", lambda: islice(all_cases(), first, None, 5))
    rows = check_catalogue()
    assert all(row.passed for row in rows)
    assert max(row.error for row in rows) <= 1e-13
    assert max(row.largest_error for row in rows) <= 1e-13
    assert max(row.central_error for row in rows) <= 1e-6
    legal = {(loss, output) for output in ACTIVATIONS for loss in legal_losses(output)}
    assert {(row.loss, row.output) for row in rows} == legal
    assert all(row.checked > 100 for row in rows)


def test_a_row_keeps_the_largest_errors_of_its_cases() -> None:
    row = CatalogueRow("mse", "tanh")
    row.add([a_check(error=1e-15, largest_error=3e-15), a_check(central_error=None, checked=1)])
    row.add([a_check(central_error=1e-7, largest_error=2e-15)])
    assert row == CatalogueRow("mse", "tanh", 2, 9, 3, 1e-15, 3e-15, 1e-7, passed=True)
    row.add([a_check(), a_check(is_wrong=True), a_check()])
    assert (row.passed, row.error, row.cases) == (False, 1.0, 3)
