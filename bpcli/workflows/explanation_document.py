"""An explanation as a JSON document, with its caveats in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bpcli.explanation.columns import Column
from bpcli.explanation.groups import THRESHOLD
from bpcli.explanation.permutation import Change
from bpcli.explanation.shapes import shape
from bpcli.text import listed, listed_names, plural
from bpcli.workflows.explain import CURVE_ROWS, MOST_CURVES, REPEATS, Explanation, by_importance

_MOST_LISTED = 5

_MAINLY = 0.95
"""With so many derivatives of one sign, an input without a curve raises or lowers an output."""


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """The document of `bpnet explain --json`."""
    explained = explanation.explained
    return {
        "run_id": explained.trained.run.run_id,
        "name": explained.trained.record.name,
        "split": explained.name,
        "rows": explanation.importance.rows,
        "repeats": explanation.importance.repeats,
        "seed": explanation.seed,
        "method": explanation.options.method,
        "outputs": list(explained.output_names),
        "baseline": explanation.importance.baseline,
        "inputs": [_input(explanation, at) for at in explanation.order],
        "groups": [
            {
                "inputs": [explanation.columns[at].name for at in each.members],
                "association": each.strongest,
                "importance": _changes(each.importance),
            }
            for each in _ordered_groups(explanation)
        ],
        "effects": [
            _effect(explanation, at) for at in explanation.order if at in explanation.effects
        ],
        "bands": "restarts" if explained.members else "bootstrap",
        "surface": _surface(explanation),
        "connection_weights": explanation.shares if isinstance(explanation.shares, str) else None,
        "caveats": list(caveats(explanation)),
    }


def _ordered_groups(explanation: Explanation) -> list[Any]:
    order = by_importance([each.importance for each in explanation.importance.groups])
    return [explanation.importance.groups[at] for at in order]


def _changes(changes: Mapping[str, Change]) -> dict[str, Any]:
    return {name: change._asdict() for name, change in changes.items()}


def _input(explanation: Explanation, at: int) -> dict[str, Any]:
    column, names = explanation.columns[at], explanation.explained.output_names
    each = explanation.sensitivities[at]
    return {
        "name": column.name,
        "kind": column.rule.kind,
        "importance": _changes(explanation.importance.columns[at]),
        "direction": direction(explanation, at),
        "sensitivity": None
        if each is None
        else [{"output": name, **one._asdict()} for name, one in zip(names, each, strict=True)],
        **_connection_weights(explanation, column),
    }


def _connection_weights(explanation: Explanation, column: Column) -> dict[str, Any]:
    """Garson's share of a column by output; Olden's product, for a single network input."""
    if isinstance(explanation.shares, str):
        return {"garson": None, "olden": None}
    names = explanation.explained.output_names
    garson, olden = (each[:, column.where] for each in explanation.shares)
    return {
        "garson": dict(zip(names, garson.sum(axis=1).tolist(), strict=True)),
        "olden": dict(zip(names, olden[:, 0].tolist(), strict=True))
        if column.is_smooth and olden.shape[1] == 1
        else None,
    }


def direction(explanation: Explanation, at: int) -> str:
    """What the output that changes most along a column does, with its name if there are several."""
    column, curve = explanation.columns[at], explanation.effects.get(at)
    if curve is None:
        return _by_derivatives(explanation, at)
    spreads = explanation.spreads[explanation.outputs]
    ratios = curve.ranges / np.where(spreads > 0, spreads, 1)
    strongest = int(ratios.argmax())
    words = shape(column, curve, strongest, float(spreads[strongest]))
    return _named(explanation, explanation.outputs[strongest], words)


def _named(explanation: Explanation, output: int, words: str) -> str:
    names = explanation.explained.output_names
    return f"{names[output]} {words}" if len(names) > 1 and words != "hardly changes" else words


def _by_derivatives(explanation: Explanation, at: int) -> str:
    each = explanation.sensitivities[at]
    if explanation.order.index(at) < MOST_CURVES:
        return "always the same"
    if each is None:
        return "-"
    strongest = max(range(len(each)), key=lambda k: each[k].per_deviation)
    words = "goes up and down"
    for share, word in ((each[strongest].positive, "rises"), (each[strongest].negative, "falls")):
        words = word if share >= _MAINLY else words
    return _named(explanation, strongest, words)


def _effect(explanation: Explanation, at: int) -> dict[str, Any]:
    column, curve = explanation.columns[at], explanation.effects[at]
    return {
        "input": column.name,
        "kind": column.rule.kind,
        "at": _places(column, curve.at),
        "rows": curve.rows.tolist(),
        "outputs": [
            {
                "output": explanation.explained.output_names[output],
                "effect": curve.values[:, k].tolist(),
                "low": curve.low[:, k].tolist(),
                "high": curve.high[:, k].tolist(),
            }
            for k, output in enumerate(explanation.outputs)
        ],
    }


def _places(column: Column, at: Any) -> list[Any]:
    """Levels by their names, dates as text, numbers as they are."""
    if column.levels:
        return [column.levels[int(level)] for level in at]
    if column.rule.kind == "date":
        return [column.value_text(float(day)) for day in at]
    numbers: list[Any] = at.tolist()
    return numbers


def _surface(explanation: Explanation) -> dict[str, Any] | None:
    if explanation.surface is None:
        return None
    a, b, surface = explanation.surface
    return {
        "inputs": [explanation.columns[a].name, explanation.columns[b].name],
        "at": [
            _places(explanation.columns[a], surface.x),
            _places(explanation.columns[b], surface.y),
        ],
        "rows": surface.counts.astype(int).tolist(),
        "outputs": [
            {
                "output": explanation.explained.output_names[output],
                "effect": surface.values[:, :, k].tolist(),
                "interaction": float(surface.strength[k]),
            }
            for k, output in enumerate(explanation.outputs)
        ],
    }


# Caveats.


def caveats(explanation: Explanation) -> Iterator[str]:
    """What a reader must know before trusting the numbers, each in a sentence."""
    yield from _on_amount(explanation)
    for group in explanation.importance.groups:
        names = listed_names([explanation.columns[at].name for at in group.members])
        yield (
            f"{names} carry nearly the same information (association {group.strongest:.2f}, "
            f"above {THRESHOLD}): permuting one of them alone gives unrealistic rows, and one can "
            "replace the other, so judge them by their joint importance"
        )
    if explanation.outside:
        counts = [
            f"`{explanation.columns[at].name}` {count:,}"
            for at, count in explanation.outside.items()
        ]
        yield (
            "rows outside the range of the training rows, where the network extrapolates: "
            f"{listed(counts[:_MOST_LISTED], len(counts))}"
        )
    if explanation.options.method == "pd" and explanation.importance.groups:
        yield (
            "partial dependence combines every row with every value, also if correlated inputs "
            "never have these values together: --effects ale avoids most of this"
        )
    if explanation.surface is not None and explanation.surface[2].empty:
        yield (
            f"{explanation.surface[2].empty:.0%} of the cells of the surface have no rows and are "
            "extrapolated"
        )
    if len(explanation.columns) > MOST_CURVES:
        yield (
            f"effect curves are computed for the {MOST_CURVES} most important of "
            f"{plural(len(explanation.columns), 'input')}; the direction of others comes from "
            "derivatives"
        )
    if len(explanation.outputs) < len(explanation.explained.output_names):
        yield (
            f"effects are computed for the {len(explanation.outputs)} of "
            f"{plural(len(explanation.explained.output_names), 'output')} that vary most"
        )


def _on_amount(explanation: Explanation) -> Iterator[str]:
    """Whether fewer rows or permutations were used than there are, or than usual."""
    total, rows = len(explanation.explained.split), explanation.importance.rows
    curves = min(total, explanation.options.rows or CURVE_ROWS)
    if min(curves, explanation.slope_rows) < total:
        yield (
            f"curves are computed on {curves:,}, and derivatives on {explanation.slope_rows:,} of "
            f"{plural(total, 'row')}, evenly spaced"
        )
    repeats = explanation.importance.repeats
    if rows < total:
        why = ", to bound the time; --rows uses more" * (explanation.options.rows is None)
        yield f"importance is measured on {rows:,} of {plural(total, 'row')}, evenly spaced{why}"
    if explanation.options.repeats is None and repeats < REPEATS:
        yield (
            f"every input is permuted {plural(repeats, 'time')} instead of {REPEATS}, to bound the "
            "time; --repeats changes that"
        )
