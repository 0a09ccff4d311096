from __future__ import annotations

from bpcli.gradient_check.report import check_demonstration
from bpcli.gradient_check.self_test import self_test


def test_every_wrong_backward_pass_is_rejected() -> None:
    assert [rejection.kind for rejection in self_test() if not rejection.rejected] == []
    assert check_demonstration(None).passed


def test_the_tensors_that_gave_it_away_are_named_with_their_terms() -> None:
    tensors = {rejection.kind: rejection.tensors for rejection in self_test()}
    assert tensors["l2-on-biases"] == ("b1 (L2)", "b2 (L2)", "b3 (L2)")
    assert tensors["sign"] == ("W3", "b3", "H")
    assert tensors["linear-jacobian"][::2] == ("W1 (J)", "W2 (J)", "W3 (J)")
