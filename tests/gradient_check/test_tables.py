from __future__ import annotations

from small_problems import a_check

from bpcli.gradient_check.catalogue import CatalogueRow
from bpcli.gradient_check.self_test import Rejection
from bpcli.gradient_check.tables import catalogue_table, checks_table, rejections_table
from bpcli.terminal.grid import Styled


def test_a_row_for_each_tensor_tells_whether_it_passed() -> None:
    checks = [
        a_check("W1", shape=(2, 3), analytic=-0.0), a_check("b1", is_wrong=True),
        a_check("W2", checked=0), a_check("b2", allowed_error=2.0),
        a_check("H", central_error=None),
    ]  # fmt: skip
    rows = checks_table(checks).rows
    assert rows[0][:7] == ["data", "W1", "2 x 3", "4", "0", "1.0e-16", "1.0e-10"]
    assert rows[0][7:10] == ["W1[1,2]", "0", "1"]  # no negative zero
    status = [cell.text for cell in (row[-1] for row in rows) if isinstance(cell, Styled)]
    assert status == ["ok", "WRONG", "not checked", "not verified", "ok"]
    assert rows[-1][6] == "-"


def test_a_row_for_each_loss_and_output() -> None:
    table = catalogue_table([CatalogueRow("mse", "tanh", 2, 9, 3, 1e-15, 3e-15, 1e-7, False)])
    *texts, status = table.rows[0]
    assert texts == ["mse", "tanh", "2", "9", "3", "1.0e-15", "3.0e-15", "1.0e-07"]
    assert isinstance(status, Styled)
    assert status.text == "WRONG"


def test_a_wrong_pass_that_slips_through_stands_out() -> None:
    table = rejections_table(
        [Rejection("sign", "a sign", True, ("W1", "H")), Rejection("n", "no n", False, ())]
    )
    assert table.rows[0] == ["sign", "a sign", "W1, H", "rejected"]
    assert table.rows[1][-1] == Styled("NOT DETECTED", "bold red")
