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


def explanation_document(found: Explanation) -> dict[str, Any]:
    """The document of `bpnet explain --json`."""
    explained = found.explained
    return {
        "run_id": explained.trained.run.run_id,
        "name": explained.trained.record.name,
        "split": explained.name,
        "rows": found.importance.rows,
        "repeats": found.importance.repeats,
        "seed": found.seed,
        "method": found.options.method,
        "outputs": list(explained.output_names),
        "baseline": found.importance.baseline,
        "inputs": [_input(found, at) for at in found.order],
        "groups": [
            {
                "inputs": [found.columns[at].name for at in each.members],
                "association": each.strongest,
                "importance": _changes(each.importance),
            }
            for each in _ordered_groups(found)
        ],
        "effects": [_effect(found, at) for at in found.order if at in found.effects],
        "bands": "restarts" if explained.members else "bootstrap",
        "surface": _surface(found),
        "connection_weights": found.shares if isinstance(found.shares, str) else None,
        "caveats": list(caveats(found)),
    }


def _ordered_groups(found: Explanation) -> list[Any]:
    order = by_importance([each.importance for each in found.importance.groups])
    return [found.importance.groups[at] for at in order]


def _changes(changes: Mapping[str, Change]) -> dict[str, Any]:
    return {name: change._asdict() for name, change in changes.items()}


def _input(found: Explanation, at: int) -> dict[str, Any]:
    column, names = found.columns[at], found.explained.output_names
    each = found.sensitivities[at]
    return {
        "name": column.name,
        "kind": column.rule.kind,
        "importance": _changes(found.importance.columns[at]),
        "direction": direction(found, at),
        "sensitivity": None
        if each is None
        else [{"output": name, **one._asdict()} for name, one in zip(names, each, strict=True)],
        **_connection_weights(found, column),
    }


def _connection_weights(found: Explanation, column: Column) -> dict[str, Any]:
    """Garson's share of a column by output; Olden's product, for a single network input."""
    if isinstance(found.shares, str):
        return {"garson": None, "olden": None}
    names = found.explained.output_names
    garson, olden = (each[:, column.where] for each in found.shares)
    return {
        "garson": dict(zip(names, garson.sum(axis=1).tolist(), strict=True)),
        "olden": dict(zip(names, olden[:, 0].tolist(), strict=True))
        if column.is_smooth and olden.shape[1] == 1
        else None,
    }


def direction(found: Explanation, at: int) -> str:
    """What the output that changes most along a column does, with its name if there are several."""
    column, curve = found.columns[at], found.effects.get(at)
    if curve is None:
        return _by_derivatives(found, at)
    spreads = found.spreads[found.outputs]
    ratios = curve.ranges / np.where(spreads > 0, spreads, 1)
    strongest = int(ratios.argmax())
    words = shape(column, curve, strongest, float(spreads[strongest]))
    return _named(found, found.outputs[strongest], words)


def _named(found: Explanation, output: int, words: str) -> str:
    names = found.explained.output_names
    return f"{names[output]} {words}" if len(names) > 1 and words != "hardly changes" else words


def _by_derivatives(found: Explanation, at: int) -> str:
    each = found.sensitivities[at]
    if found.order.index(at) < MOST_CURVES:
        return "always the same"
    if each is None:
        return "-"
    strongest = max(range(len(each)), key=lambda k: each[k].per_deviation)
    words = "goes up and down"
    for share, word in ((each[strongest].positive, "rises"), (each[strongest].negative, "falls")):
        words = word if share >= _MAINLY else words
    return _named(found, strongest, words)


def _effect(found: Explanation, at: int) -> dict[str, Any]:
    column, curve = found.columns[at], found.effects[at]
    return {
        "input": column.name,
        "kind": column.rule.kind,
        "at": _places(column, curve.at),
        "rows": curve.rows.tolist(),
        "outputs": [
            {
                "output": found.explained.output_names[output],
                "effect": curve.values[:, k].tolist(),
                "low": curve.low[:, k].tolist(),
                "high": curve.high[:, k].tolist(),
            }
            for k, output in enumerate(found.outputs)
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


def _surface(found: Explanation) -> dict[str, Any] | None:
    if found.surface is None:
        return None
    a, b, surface = found.surface
    return {
        "inputs": [found.columns[a].name, found.columns[b].name],
        "at": [_places(found.columns[a], surface.x), _places(found.columns[b], surface.y)],
        "rows": surface.counts.astype(int).tolist(),
        "outputs": [
            {
                "output": found.explained.output_names[output],
                "effect": surface.values[:, :, k].tolist(),
                "interaction": float(surface.strength[k]),
            }
            for k, output in enumerate(found.outputs)
        ],
    }


# Caveats.


def caveats(found: Explanation) -> Iterator[str]:
    """What a reader must know before trusting the numbers, each in a sentence."""
    yield from _on_amount(found)
    for group in found.importance.groups:
        names = listed_names([found.columns[at].name for at in group.members])
        yield (
            f"{names} carry nearly the same information (association {group.strongest:.2f}, "
            f"above {THRESHOLD}): permuting one of them alone gives unrealistic rows, and one can "
            "replace the other, so judge them by their joint importance"
        )
    if found.outside:
        counts = [f"`{found.columns[at].name}` {count:,}" for at, count in found.outside.items()]
        yield (
            "rows outside the range of the training rows, where the network extrapolates: "
            f"{listed(counts[:_MOST_LISTED], len(counts))}"
        )
    if found.options.method == "pd" and found.importance.groups:
        yield (
            "partial dependence combines every row with every value, also if correlated inputs "
            "never have these values together: --effects ale avoids most of this"
        )
    if found.surface is not None and found.surface[2].empty:
        yield (
            f"{found.surface[2].empty:.0%} of the cells of the surface have no rows and are "
            "extrapolated"
        )
    if len(found.columns) > MOST_CURVES:
        yield (
            f"effect curves are computed for the {MOST_CURVES} most important of "
            f"{plural(len(found.columns), 'input')}; the direction of others comes from derivatives"
        )
    if len(found.outputs) < len(found.explained.output_names):
        yield (
            f"effects are computed for the {len(found.outputs)} of "
            f"{plural(len(found.explained.output_names), 'output')} that vary most"
        )


def _on_amount(found: Explanation) -> Iterator[str]:
    """Whether fewer rows or permutations were used than there are, or than usual."""
    total, rows = len(found.explained.split), found.importance.rows
    curves = min(total, found.options.rows or CURVE_ROWS)
    if min(curves, found.slope_rows) < total:
        yield (
            f"curves are computed on {curves:,}, and derivatives on {found.slope_rows:,} of "
            f"{plural(total, 'row')}, evenly spaced"
        )
    repeats = found.importance.repeats
    if rows < total:
        why = ", to bound the time; --rows uses more" * (found.options.rows is None)
        yield f"importance is measured on {rows:,} of {plural(total, 'row')}, evenly spaced{why}"
    if found.options.repeats is None and repeats < REPEATS:
        yield (
            f"every input is permuted {plural(repeats, 'time')} instead of {REPEATS}, to bound the "
            "time; --repeats changes that"
        )
