"""The output of `bpnet check`: the resolved config with origins, and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bpcli.terminal.grid import Facts, Grid
from bpcli.terminal.tables import named_text
from bpcli.text import rounded, text_width

_WIDEST_LINE = 60
_MOST_CLASSES = 8


def commented(text: str, origins: Mapping[int, Sequence[str]], width: int | None) -> list[str]:
    """Return lines of YAML with the origins of their values in comments.

    `origins` are by line, from 0. Comments stand beside the values or, if `width` has no room for
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


def layers_table(layers: Sequence[Mapping[str, object]]) -> Grid:
    """One row per layer: activation, shape of the weights, number of parameters."""
    table = Grid(["layer", "activation", "weights", "biases", "parameters"], 2)
    for number, layer in enumerate(layers, 1):
        weights = layer["weights"]
        assert isinstance(weights, list)
        bias = {"none": "-", "frozen": f"{weights[0]} frozen"}.get(
            str(layer["bias"]), str(weights[0])
        )
        table.add_row(
            str(number),
            named_text(layer["activation"]),  # type: ignore[arg-type]  # a mapping, of a record
            f"{weights[0]} x {weights[1]}",
            bias,
            f"{layer['n_params']:,}",
        )
    total = sum(int(str(layer["n_params"])) for layer in layers)
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


def memory_table(needs: Sequence[tuple[str, str]], total: str, available: str) -> Grid:
    """What needs memory, and how much is free."""
    table = Grid(["memory", "about"])
    for what, size in needs:
        table.add_row(what, size)
    table.add_row("total", total)
    table.add_row("free now", available)
    return table


def loss_facts(
    loss: float, mean: float, chance: float | None, formula: str | None, constant: float | None
) -> Facts:
    """The loss before training, beside chance level and a constant prediction."""
    facts = [("initial loss", rounded(loss))]
    if mean != loss:
        facts.append(("mean data loss", rounded(mean)))
    if chance is not None:
        facts.append(("chance level", f"{rounded(chance)} ({formula})"))
    return [*facts, ("constant baseline", rounded(constant))]
