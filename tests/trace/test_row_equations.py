from __future__ import annotations

import re

import numpy as np
import pytest
from tracing import experiment_of

from bpcli.trace.followed import parse_entry
from bpcli.trace.numbers import objective_on, trace
from bpcli.trace.row_equations import Numbers, Quantity, RowEquations, Rows, tidy
from bpcli.trace.updates import trace_pass
from bpcli.trace.walk import walk

CONFIGS = [
    "xor", "mazur", "leaky_relu_moons", "sine", "softmax_iris", "counts", "encoder_8_3_8",
]  # fmt: skip


def equations_of(name: str, *overrides: str) -> tuple[RowEquations, Rows, object]:
    experiment = experiment_of(name, *overrides)
    objective = objective_on(experiment, np.arange(2))
    one = trace_pass(objective, experiment.initial_params)
    weight = objective.data.weight
    rows = Rows(one, objective.data.columns[1], weight)
    network = experiment.network
    return RowEquations(network, Numbers(rows, 0), weight is not None), rows, network


def numeric(text: str) -> float:
    """The value of a part of an equation, by Python."""
    for sign, python in {"·": "*", "|": "", "ln": "log", "½": "0.5"}.items():
        text = text.replace(sign, python)
    names = {name: getattr(np, name) for name in ("exp", "log", "tanh", "sign")} | {"max": max}
    return float(eval(re.sub(r"\b(\d+) \(", r"\1 * (", text), names))


@pytest.mark.parametrize("name", CONFIGS)
def test_the_numbers_of_z_and_a_give_their_values(name: str) -> None:
    row, _, network = equations_of(name)
    for layer, shape in enumerate(network.layers, start=1):  # type: ignore[attr-defined]
        for unit in range(shape.units):
            z = row.z(layer, unit).parts
            if "…" not in z[-2]:
                assert numeric(z[-2]) == pytest.approx(float(z[-1]), rel=1e-3, abs=1e-4)
            a = row.a(layer, unit).parts
            assert a[0] == f"a{layer}[{unit + 1}]"
            if "where" not in a[-2] and "…" not in a[-2]:
                numbers = a[-2] if len(a) > 3 else a[-1]
                assert numeric(numbers) == pytest.approx(float(a[-1]), rel=1e-3, abs=1e-4)


def test_a_negative_number_after_a_minus_has_brackets() -> None:
    row, rows, _ = equations_of("xor")
    for unit in range(4):
        z = float(rows.values(Quantity("z", 1, unit))[0])
        found = row.a(1, unit).parts[2]
        assert ("--" in found) is False
        assert ("-(-" in found) is (z < 0)


def test_options_of_an_activation_are_numbers_and_products_have_signs() -> None:
    row, _, _ = equations_of("leaky_relu_moons")
    symbols, numbers = row.a(1, 0).parts[1:3]
    assert re.fullmatch(r"max\(z1\[1\], 0\.\d+ z1\[1\]\)", symbols)
    assert re.fullmatch(r"max\(\S+, 0\.\d+ · \S+\)", numbers)


def test_a_sum_over_units_is_written_out() -> None:
    row, _, _ = equations_of("softmax_iris")
    symbols, numbers = row.a(1, 1).parts[1:3]
    assert symbols == "exp(z1[2]) / Σ_j exp(z1[j])"
    assert numbers.count("exp(") == 4


@pytest.mark.parametrize("name", ["xor", "mazur", "softmax_iris", "encoder_8_3_8"])
def test_the_delta_and_the_product_are_lines_of_a_trace(name: str) -> None:
    experiment = experiment_of(name)
    entry = parse_entry("W1[2,1]", experiment.network)
    first = int(experiment.splits["train"].index[0])
    traced = trace(experiment, experiment.initial_params, rows=[first + 1], entry=str(entry))
    lines = [block.parts for block in walk(traced) if hasattr(block, "parts")]
    objective = objective_on(experiment, np.array([first]))
    rows = Rows(trace_pass(objective, experiment.initial_params), objective.data.columns[1], None)
    row = RowEquations(experiment.network, Numbers(rows, 0), False)
    assert row.product(entry).parts in lines
    assert all(chain.parts in lines for chain in row.delta(1, 1))


def test_a_sum_subtracts_negative_numbers() -> None:
    assert tidy("1 + -2 + (-3) · 4") == "1 - 2 + (-3) · 4"
