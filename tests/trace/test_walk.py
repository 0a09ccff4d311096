"""The order of what a trace tells, and what it leaves out."""

from __future__ import annotations

import re

import numpy as np
from paged import EVERYTHING, page_of, text_of

from bpcli.trace import latex, markdown
from bpcli.trace.blocks import Arrays, Formula, Heading, Prose
from bpcli.trace.walk import walk


def test_wide_matrices_are_cut_on_a_page_and_whole_in_json() -> None:
    shown = page_of("plane", "network.layers=[2,30,1]", "network.activations=[tanh,identity]",
                   "network.parameters=null")  # fmt: skip
    text = text_of(shown)
    assert "… " in text
    assert "--format json" in text
    assert "\\cdots" in latex.document(walk(shown))
    assert "\\vdots" in latex.document(walk(shown))
    assert "| … |" in markdown.document(walk(shown))
    assert np.shape(shown.to_json()["updates"][0]["after"]["W1"]) == (30, 2)
    assert "--format json" not in text_of(page_of("xor"))


def test_several_updates_follow_each_other() -> None:
    text = text_of(page_of("xor", steps=2))
    assert text.startswith("2 updates of xor on rows 1 to 4, the whole training set\n")
    first, second = text.split("Update 2\n")
    assert "Update 1\n" in first
    (after,) = re.findall(r"and is ([\d.]+) after", first)
    assert f"The objective was {after} before" in second


def test_layer_by_layer_there_is_a_pass_for_each() -> None:
    optimizer = "training.optimizer={name: gradient_descent, update: layerwise}"
    text = text_of(page_of("mazur", optimizer))
    upper, lower = text.split("For layer 2, ")[1].split("For layer 1, ")
    for part, moved, kept in ((upper, 2, 1), (lower, 1, 2)):
        assert f"∂loss/∂W{moved} = delta{moved} a{moved - 1}ᵀ" in part
        assert f"W{moved} ← W{moved} - η" in part
        assert f"W{kept} ← " not in part
    assert "delta1" not in upper
    assert "delta2 = " in lower
    assert "One entry in detail: W1[" in lower


def test_a_refused_step_is_told() -> None:
    text = text_of(page_of("plane", "data.n_samples=6", "training.optimizer=bfgs", steps=100))
    assert "No step was made. " in text


def test_a_step_after_which_the_rate_is_too_small_is_told() -> None:
    rate = "training.learning_rate={schedule: plateau, start: 0.1, epochs: 1, tol: 9, end: 0.05}"
    page = page_of("plane", "data.n_samples=6", rate, steps=100, entry="W1[1,1]")
    text = text_of(page)
    assert "Training ends with this update. The loss did not fall by 9 in 2 epochs" in text
    assert text.count("Training ends") == 1
    assert "No step was made" not in text


SCHEDULE = "training.learning_rate={schedule: exponential, start: 2, decay: 0.5}"


def headings(name: str, *overrides: str, **options: object) -> list[str]:
    blocks = walk(page_of(name, *overrides, **options))
    return [block.text for block in blocks if isinstance(block, Heading) and block.level < 3]


def test_an_update_goes_forward_to_the_loss_and_back_to_a_step() -> None:
    assert headings("mazur", entry="W1[2,1]") == [
        "One update of mazur on row 1, the whole training set",
        "Forward", "Loss", "Backward", "The update, by gradient_descent",
        "One entry in detail: W1[2,1]",
    ]  # fmt: skip


def test_without_targets_there_is_a_forward_pass_alone() -> None:
    (title, forward) = headings("forward_3443")
    assert title.startswith("Forward pass of forward_3443 on ")
    assert forward == "Forward"


def test_the_backward_pass_begins_at_the_last_layer() -> None:
    texts = [b.text for b in walk(page_of("xor")) if isinstance(b, Heading) and b.level == 3]
    assert texts == [
        "Layer 1: 4 sigmoid units", "Layer 2: 1 sigmoid unit", "Layer 2", "Layer 1",
        "Row 1", "Row 2", "Row 3", "Row 4", "All rows",
    ]  # fmt: skip


def described(*overrides: str) -> str:
    """The line below the title."""
    return next(b.text for b in walk(page_of("xor", *overrides)) if isinstance(b, Prose))


def test_the_opening_describes_what_is_trained_and_how() -> None:
    nesterov = "training.optimizer={name: gradient_descent, momentum: 0.5, nesterov: true}"
    assert described(nesterov, "training.learning_rate=0.25").endswith(
        "; loss binary_cross_entropy; optimizer gradient_descent with η = 0.25, μ = 0.5, nesterov."
    )
    assert "η = 2 at first" in described(SCHEDULE)
    assert described("training.optimizer=rprop").endswith("; optimizer rprop.")


def test_a_slope_that_cancels_is_said_not_shown() -> None:
    blocks = walk(page_of("xor"))
    assert Prose("f'(z2) does not appear: it cancels with this loss.") in blocks
    formulas = [block.text for block in blocks if isinstance(block, Formula)]
    assert not any(text.startswith("f'(z2)") for text in formulas)
    assert any(text.startswith("f'(z1)") for text in formulas)


def test_weights_biases_and_l2_are_shown_where_there_are_any() -> None:
    page = page_of("softmax_iris", *EVERYTHING, rows=range(1, 4))
    blocks = walk(page)
    formulas = [block.text for block in blocks if isinstance(block, Formula)]
    names = {item.name for block in blocks if isinstance(block, Arrays) for item in block.items}
    assert "w" in names
    assert {"W1", "b1", "W2", "W3", "b3", "W3 new", "mean W1", "square W1"} <= names
    assert "b2" not in names
    assert Prose("b3 is frozen: training does not change it.") in blocks
    l2 = f" + (0.1/{page.setting.training_rows}) W1"
    assert any(text.startswith("∂objective/∂W1 = ") and text.endswith(l2) for text in formulas)


def test_the_step_shows_each_tensor_before_and_after() -> None:
    page = page_of("xor")
    blocks = walk(page)
    shown = {b.items[0].name: b.items[0].array for b in blocks if isinstance(b, Arrays)}
    before, after = (
        dict(page.setting.network.tensors(state.params))
        for state in (page.updates[0].before, page.updates[0].after)
    )
    for name in ("W1", "W2"):
        np.testing.assert_array_equal(shown[name], before[name])
        np.testing.assert_array_equal(shown[f"{name} new"], after[name])


def test_the_ending_says_what_became_of_the_objective_and_the_rate() -> None:
    page = page_of("xor", SCHEDULE)
    *_, objective, optimizer = [b.text for b in walk(page) if isinstance(b, Prose)]
    before, after = re.findall(r"[\d.]+\d", objective)
    update = page.updates[0]
    assert float(before) == float(f"{update.passes[0].loss.objective:.9g}")
    assert float(after) == float(f"{update.objective_after:.9g}")
    assert optimizer == "Optimizer: learning_rate 2 → 1."
