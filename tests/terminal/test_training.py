"""What a training is, in tables and lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tampered import a_record

from bpcli.runs.run_json import LayerRecord, Rule
from bpcli.terminal.cells import named_text
from bpcli.terminal.training import layers_text, loss_text, stop_table


@pytest.mark.parametrize(
    ("reduction", "l2", "is_weighted", "text"),
    [
        ("mean", 0.0, False, "mse"),
        ("mean", 0.1, False, "mse + L2 0.1"),
        ("sum", 0.0, True, "mse, summed over the rows, rows weighted"),
    ],
)
def test_the_loss_is_shown_with_what_is_added(
    reduction: str, l2: float, is_weighted: bool, text: str
) -> None:
    assert loss_text("mse", reduction, l2, is_weighted=is_weighted) == text


def test_layers_are_told_from_the_input_on() -> None:
    layers = [
        LayerRecord(2, 8, {"name": "elu", "alpha": 0.5}, "trained"),
        LayerRecord(8, 1, {"name": "sigmoid"}, "none"),
    ]
    assert layers_text(layers) == "2 - 8 elu (alpha 0.5) - 1 sigmoid (no bias)"
    assert named_text({"schedule": "step", "every": 10}, "schedule") == "step (every 10)"


def test_only_the_criterion_that_stopped_a_training_is_marked() -> None:
    rules = [Rule("goal", "m", 1.0, 0.5, 0.25, True), Rule("max_fail", "m", 1.0, 0.5, 0.25, False)]
    record = replace(a_record(), stop=rules, stop_reason="max_fail")
    goal, max_fail = stop_table(record).rows
    assert goal[-2:] == ["<= 0.25", ""]
    assert max_fail[-2:] == [">= 0.25", "stop reason"]
