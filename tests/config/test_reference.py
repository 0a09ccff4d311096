from __future__ import annotations

import pytest

from bpcli.config.reference import keys_page
from bpcli.config.schema import json_schema

PAGE = keys_page(json_schema())
LINES = PAGE.splitlines()


@pytest.mark.parametrize(
    ("key", "kind", "default", "meaning"),
    [
        ("seed", "whole number >= 0", "`0`", "The seed of the random numbers for data"),
        (
            "network.init",
            "name, or mapping of `name` and options",
            "`xavier_uniform`",
            "How the parameters are initialised.",
        ),
        ("training", "mapping", "", "The optimizer, its settings, and when training stops."),
        (
            "training.learning_rate",
            "number > 0 or mapping, see below or null",
            "",
            "The learning rate, or its schedule over the epochs.",
        ),
        (
            "data.file",
            "text",
            "required",
            "The path of the table, relative to the config's folder: .csv",
        ),
        ("data.split.val", "number >= 0, < 1", "`0`", "The fraction held out to choose"),
    ],
)
def test_keys_stand_with_type_default_and_meaning(
    key: str, kind: str, default: str, meaning: str
) -> None:
    assert any(line.startswith(f"| `{key}` | {kind} | {default} | {meaning}") for line in LINES)


def test_names_stand_with_their_aliases_and_options() -> None:
    assert "| all: `bias` | number or null | `null` | Every bias; null: from the rule. |" in LINES
    assert "| `step`: `every` | whole number >= 1 | required | Epochs between steps. |" in LINES
    assert "| `adam`: `epsilon` | number > 0 | `1e-08` | Keeps the divisor above 0. |" in LINES
    assert any(
        line.startswith("| `tanh` (tansig) |  |  | Hyperbolic tangent. a = tanh(z);")
        for line in LINES
    )
    assert "| `plane`: `high` | number | `10` | The upper limit of the inputs. |" in LINES


def test_a_bar_in_a_formula_ends_no_cell() -> None:
    (softsign,) = (line for line in LINES if line.startswith("| `softsign`"))
    assert r"z / (1 + \|z\|)" in softsign
    assert {line.replace(r"\|", "").count("|") for line in LINES if line.startswith("|")} == {5}
