from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from plotted import check_room, entries, heading_texts, points

from bpcli.plots.pruning import pruning_figure, pruning_plot


def step(kind: str | None, name: str, n_params: int, loss: float) -> dict[str, Any]:
    removed = None if kind is None else {"kind": kind, "name": name}
    return {"removed": removed, "inputs": 3, "n_params": n_params, "val_loss": loss, "se": 0.02}


DOCUMENT = {
    "name": "iris",
    "rows": {"val": 30},
    "steps": [
        step(None, "", 40, 0.3), step("unit", "unit 2 of layer 1", 30, 0.2),
        step("input", "age", 20, 0.21), step("input", "$x$", 10, 0.5),
    ],
    "best": 1,
    "kept": 2,
    "limit": 0.22,
}  # fmt: skip


def test_every_network_is_drawn_and_the_chosen_ones_are_marked() -> None:
    figure = pruning_figure(DOCUMENT)
    (axes,) = figure.axes
    assert heading_texts(figure) == (
        "Validation loss as the network is pruned",
        "iris · kept: 3 inputs, 20 parameters · 30 validation rows",
    )
    assert points(axes, "lowest loss") == [pytest.approx((30, 0.2))]
    assert points(axes, "kept") == [pytest.approx((20, 0.21))]
    assert [y for _, y in points(axes, "lowest loss + standard error")] == [0.22, 0.22]
    assert [text.get_text() for text in axes.texts] == ["age", r"\$x\$"]
    assert {*entries(figure)} == {
        "lowest loss + standard error", "kept", "lowest loss", "an input was removed",
        "a hidden unit was removed", "the run",
    }  # fmt: skip
    left, right = axes.get_xlim()
    assert left > right
    check_room(figure)


def test_equal_documents_give_equal_bytes() -> None:
    path = Path("p.svg")
    assert pruning_plot(DOCUMENT, path) == pruning_plot(DOCUMENT, path)
