"""One entry followed through an update: every line that is worked out is right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from paged import page_of, text_of, trace_of, value_of, worked
from strategies import Problem, problems

from bpcli.trace.blocks import Chain, Heading, Prose
from bpcli.trace.entry import Worked, factor, scaled_formula, terms
from bpcli.trace.followed import Entry
from bpcli.trace.numbers import Setting, Trace
from bpcli.trace.walk import walk


def test_a_piece_that_is_not_the_largest_has_the_delta_0() -> None:
    shown = page_of(
        "xor", "network.activations=[{name: maxout, pieces: 2}, sigmoid]", entry="W1[1,1]"
    )
    deltas = [
        block.parts
        for block in walk(shown)
        if isinstance(block, Chain) and block.parts[0] == "delta1[1]"
    ]
    lost = [parts for parts in deltas if len(parts) == 2]
    assert set(lost) == {("delta1[1]", "0")}
    assert all(parts[1] == "g1[1]" for parts in deltas if parts not in lost)
    assert 0 < len(lost) < len(deltas)


@settings(max_examples=60)
@given(problems(most_rows=4))
def test_what_is_worked_out_is_right(problem: Problem) -> None:
    shown = trace_of(problem)
    count = 0
    for numbers, result in worked(walk(shown)):
        assert value_of(numbers) == pytest.approx(float(result), rel=2e-4, abs=2e-4), numbers
        count += 1
    assert count >= 2


@settings(max_examples=40)
@given(problems(most_rows=4))
def test_a_weight_of_the_first_layer_is_followed_rightly_too(problem: Problem) -> None:
    first = problem.network.layers[0]
    shown = trace_of(problem, Entry("W1", 1, first.rows, first.inputs))
    for numbers, result in worked(walk(shown)):
        assert value_of(numbers) == pytest.approx(float(result), rel=2e-4, abs=2e-4), numbers


def test_the_worked_example_reads_as_in_a_book() -> None:
    text = text_of(page_of("mazur", entry="W1[2,1]"))
    assert "delta2[2] = (a2[2] - y[2]) · f'(z2[2])" in text
    assert "= (0.772928 - 0.99) · 0.17551 = -0.0380982" in text
    assert "delta1[2] = f'(z1[2]) · Σ_k W2[k,2] delta2[k]" in text
    assert "= 0.25 - 0.5 · 0.000497713 = 0.249751144" in text


def setting_of(**options: object) -> Setting:
    return page_of(
        "xor", *(f"{key.replace('__', '.')}={value}" for key, value in options.items())
    ).setting


def test_a_sum_over_rows_is_scaled_as_the_objective_is() -> None:
    assert scaled_formula(setting_of(), "loss") == "(1/4) loss"
    assert scaled_formula(setting_of(training__reduction="sum"), "loss") == "loss"
    assert scaled_formula(page_of("xor", rows=[3]).setting, "loss") == "loss"
    weighted = page_of("softmax_iris", "training.class_weights={setosa: 3}", rows=[1, 61]).setting
    assert weighted.weight is not None
    assert scaled_formula(weighted, "loss") == f"(1/{weighted.weight.sum():.6g}) loss"


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (["1", "-2", "3"], ["1 - 2 + 3"]),
        (["2"], []),
        (["2 · 3"], ["2 · 3"]),
        ([str(k) for k in range(12)], ["0 + 1 + 2 + 3 + 4 + 5 + … + 11"]),
    ],
)
def test_a_sum_reads_as_one_writes_it(numbers: list[str], expected: list[str]) -> None:
    assert terms(numbers) == expected


def test_a_negative_factor_has_brackets() -> None:
    assert [factor(value) for value in (0.5, -0.5, 0.0, -0.0)] == ["0.5", "(-0.5)", "0", "0"]


def followed(page: Trace) -> list[object]:
    assert page.entry is not None
    return [*Worked(page.setting, page.entry, page.updates[0]).blocks()]


def test_of_one_row_there_are_no_headings_of_rows() -> None:
    blocks = followed(page_of("xor", rows=[3], entry="W1[2,1]"))
    assert [b.text for b in blocks if isinstance(b, Heading)] == ["One entry in detail: W1[2,1]"]
    blocks = followed(page_of("xor", entry="W1[2,1]"))
    headings = [b.text for b in blocks if isinstance(b, Heading)]
    assert headings[1:] == ["Row 1", "Row 2", "Row 3", "Row 4", "All rows"]


def test_a_frozen_bias_stays_and_a_bias_has_no_product() -> None:
    page = page_of("xor", "network.bias=frozen", entry="b1[2]")
    blocks = followed(page)
    before = dict(page.setting.network.tensors(page.updates[0].before.params))["b1"][1]
    assert blocks[-1] == Prose(f"b1[2] is frozen at {before:.9g}.")
    assert not any("a0[" in part for b in blocks if isinstance(b, Chain) for part in b.parts)


def test_the_last_line_is_the_entrys_new_value() -> None:
    for optimizer in (
        "gradient_descent",
        "{name: gradient_descent, momentum: 0.9}",
        "adam",
        "rprop",
    ):
        page = page_of("xor", f"training.optimizer={optimizer}", entry="W2[1,3]")
        last = followed(page)[-1]
        assert isinstance(last, Chain)
        after = dict(page.setting.network.tensors(page.updates[0].after.params))["W2"][0, 2]
        assert float(last.parts[-1]) == pytest.approx(float(after), rel=1e-8)
        assert last.parts[0].startswith("W2[1,3] ← ")


def test_where_no_step_was_made_the_entry_stays() -> None:
    page = page_of("plane", "data.n_samples=6", "training.optimizer=bfgs", steps=100)
    refused = page.updates[-1]
    assert refused.ended is not None
    entry = Entry("W1", 1, 1, 1)
    *_, last = Worked(page.setting, entry, refused).blocks()
    value = np.asarray(dict(page.setting.network.tensors(refused.before.params))["W1"])[0, 0]
    assert last == Prose(f"No step was made: W1[1,1] remains {value:.9g}.")
