"""The output of `bpnet check`: the resolved config with origins, and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bpcli.experiment.memory import size_text
from bpcli.terminal.cells import named_text
from bpcli.terminal.grid import Facts, Grid
from bpcli.text import rounded, text_width

_WIDEST_LINE = 60
_MOST_CLASSES = 8


def commented(text: str, origins: Mapping[int, Sequence[str]], width: int | None) -> list[str]:
    """Return lines of YAML with the origins of their values in comments.

    `origins` are by line, from 0. Comments are beside the values or, if `width` has no room for
    that, above them; then defaults have no comment.
    """
    lines = text.splitlines()
    notes = {number: ", ".join(dict.fromkeys(texts)) for number, texts in origins.items()}
    column = max(
        (text_width(lines[n]) for n in notes if text_width(lines[n]) <= _WIDEST_LINE), default=0
    )
    widest = column + 4 + max(map(text_width, notes.values()), default=0)
    is_beside = width is None or widest <= width
    result: list[str] = []
    for number, line in enumerate(lines):
        note = notes.get(number)
        if note is None or (not is_beside and note == "default"):
            result.append(line)
        elif is_beside:
            result.append(f"{line}{' ' * max(0, column - text_width(line))}  # {note}")
        else:
            indent = " " * (len(line) - len(line.lstrip(" -")))
            result += [f"{indent}# {note}", line]
    return result


def layers_table(layers: Sequence[Mapping[str, Any]]) -> Grid:
    """One row per layer: activation, shape of the weights, number of parameters."""
    table = Grid(["layer", "activation", "weights", "biases", "parameters"], 2)
    for number, layer in enumerate(layers, 1):
        rows, columns = layer["weights"]
        bias = {"none": "-", "frozen": f"{rows} frozen"}.get(layer["bias"], str(rows))
        table.add_row(
            str(number),
            named_text(layer["activation"]),
            f"{rows} x {columns}",
            bias,
            f"{layer['n_params']:,}",
        )
    total = sum(layer["n_params"] for layer in layers)
    table.add_row("total", "", "", "", f"{total:,}")
    return table


def splits_table(
    rows: Mapping[str, int], classes: Mapping[str, Mapping[str, int]], names: Sequence[str]
) -> Grid:
    """One row per split, with its rows of each class."""
    known = names[:_MOST_CLASSES]
    table = Grid(["split", "rows", *known])
    for split, count in rows.items():
        table.add_row(split, f"{count:,}", *(f"{classes[split].get(name, 0):,}" for name in known))
    return table


def memory_table(memory: Mapping[str, Any]) -> Grid:
    """One row per use of memory, with its approximate size; the total, and the free memory."""
    table = Grid(["memory", "estimate"])
    for need in memory["needs"]:
        table.add_row(need["what"], size_text(need["bytes"]))
    table.add_row("total", size_text(memory["bytes"]))
    table.add_row("free now", size_text(memory["available"]))
    return table


def engine_facts(engine: Mapping[str, Any], file: str) -> Facts:
    """Where the rows are, if not in memory."""
    if engine["name"] == "memory":
        return []
    read = size_text(engine["bytes_per_epoch"])
    return [("engine", f"{engine['name']}: each epoch reads about {read} of {file}")]


def loss_facts(initial: Mapping[str, Any]) -> Facts:
    """The loss before training, beside chance level and a constant prediction."""
    facts = [("initial loss", rounded(initial["loss"]))]
    if initial["mean"] != initial["loss"]:
        facts.append(("mean data loss", rounded(initial["mean"])))
    if initial["chance"] is not None:
        level = f"{rounded(initial['chance'])} ({initial['chance_formula']})"
        facts.append(("chance level", level))
    return [*facts, ("constant baseline", rounded(initial["constant"]))]
