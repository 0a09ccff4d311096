"""Tables of what the inputs of a run do, and of the Shapley values of one row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bpcli.terminal.cells import aligned, spread_texts
from bpcli.terminal.grid import Grid
from bpcli.text import plain, plural, rounded, text_width

MOST_SHOWN = 30
_BAR, _LONGEST_NAME, _LEAST_ROOM = 10, 32, 12
_MOST_OUTPUTS = 4


def importance_table(document: Mapping[str, Any], width: int | None = None) -> Grid:
    """Inputs and groups of correlated ones by falling importance, and what outputs do along them.

    Without room for all of it, the effect is cut: a width is that of a terminal.
    """
    entries = _entries(document)[:MOST_SHOWN]
    measures = list(document["baseline"])
    columns = {"input": [name for name, _, _ in entries]}
    first, *others = measures
    columns[_heading(first)] = _changes(entries, first)
    columns["share"] = bars([each[first]["value"] for _, each, _ in entries])
    effect = _effect_heading(document)
    columns[effect] = [words for _, _, words in entries]
    columns |= {_heading(name): _changes(entries, name) for name in others}
    grid = _grid(columns)
    if width is None or grid.width <= width:
        return grid
    kept = [name for name in columns if name not in map(_heading, others)]
    columns = {name: columns[name] for name in kept}
    room = width - (_grid(columns).width - max(map(text_width, [*columns[effect], effect])))
    if room >= max(_LEAST_ROOM, text_width(effect)):
        columns[effect] = [_cut(words, room) for words in columns[effect]]
    return _grid(columns)


def _cut(words: str, room: int) -> str:
    """A text that is no wider on a terminal than so many columns."""
    if text_width(words) <= room:
        return words
    while text_width(words) >= room:
        words = words[:-1]
    return f"{words}…"


def _grid(columns: Mapping[str, Sequence[str]]) -> Grid:
    texts = [name for name in columns if name == "share" or name.startswith(_EFFECT)]
    grid = Grid([*columns], 1, text_names=texts)
    for cells in zip(*columns.values(), strict=True):
        grid.add_row(*cells)
    return grid


_EFFECT = "effect"


def _effect_heading(document: Mapping[str, Any]) -> str:
    """The heading of the effects; it names the output if there is only one."""
    outputs = document["outputs"]
    return f"{_EFFECT} on {plain(outputs[0], 20)}" if len(outputs) == 1 else _EFFECT


def _entries(document: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any], str]]:
    """Name, importance and effect of each input and group, by falling rise of the loss."""
    entries = [
        (plain(each["name"], _LONGEST_NAME), each["importance"], each["direction"])
        for each in document["inputs"]
    ]
    entries += [
        (together(each["inputs"]), each["importance"], "permuted together")
        for each in document["groups"]
    ]
    return sorted(entries, key=lambda entry: -(entry[1]["loss"]["value"] or 0.0))


def together(names: Sequence[str], most: int = _LONGEST_NAME) -> str:
    """The name of a group: its first columns, and how many more there are."""
    shown = " + ".join(plain(name, most // 2) for name in names[:2])
    return shown + f" + {len(names) - 2} more" * (len(names) > 2)


def _heading(measure: str) -> str:
    name, _, target = measure.partition(".")
    verb = "loss of" if name == "accuracy" else "rise of"
    return f"{verb} {name}" + f" of {plain(target, 16)}" * bool(target)


def _changes(entries: Sequence[tuple[str, Mapping[str, Any], str]], name: str) -> list[str]:
    changes = [each[name] for _, each, _ in entries]
    return spread_texts([each["value"] for each in changes], [each["error"] for each in changes])


def bars(values: Sequence[float | None]) -> list[str]:
    """A bar for each number, of the largest one's share; none for negative numbers."""
    largest = max((value or 0.0 for value in values), default=0.0)
    if largest <= 0:
        return ["" for _ in values]
    return ["█" * round(_BAR * max(0.0, value or 0.0) / largest) for value in values]


def sensitivity_table(document: Mapping[str, Any]) -> Grid | None:
    """Derivatives of the output that each input of numbers moves most; None without any."""
    shown = [each for each in document["inputs"] if each["sensitivity"]][:MOST_SHOWN]
    if not shown:
        return None
    strongest = [max(each["sensitivity"], key=lambda s: s["per_deviation"]) for each in shown]
    columns = {"input": [plain(each["name"], _LONGEST_NAME) for each in shown]}
    if len(document["outputs"]) > 1:
        columns["output"] = [plain(each["output"], _LONGEST_NAME) for each in strongest]
    columns["mean slope"] = [rounded(each["mean"], 3) for each in strongest]
    columns["spread"] = [rounded(_spread(each), 3) for each in strongest]
    columns["positive"] = [f"{each['positive']:.0%}" for each in strongest]
    columns["per sd"] = [rounded(each["per_deviation"], 3) for each in strongest]
    for name in ("Garson", "Olden"):
        strengths = [each[name.lower()] for each in shown]
        if any(strengths):
            columns[name] = [
                "-" if each is None else _weight_text(name, each[one["output"]])
                for each, one in zip(strengths, strongest, strict=True)
            ]
    grid = Grid([*columns], 1, text_names=["output"])
    for cells in zip(*columns.values(), strict=True):
        grid.add_row(*cells)
    return grid


def _spread(each: Mapping[str, Any]) -> float:
    """The standard deviation of derivatives; 0 if it is the rounding error of a constant one."""
    sd: float = each["sd"]
    return 0.0 if sd < _ROUNDING * abs(each["mean"]) else sd


_ROUNDING = 1e-12


def _weight_text(name: str, value: float | None) -> str:
    return f"{value:.0%}" if name == "Garson" and value is not None else rounded(value, 3)


def explanation_notes(document: Mapping[str, Any]) -> Iterator[str]:
    """What the columns mean, what is left out, and the caveats."""
    more = len(_entries(document)) - MOST_SHOWN
    if more > 0:
        yield f"{more:,} more inputs or groups are in --json"
    yield (
        "rise of loss: how much larger the loss is if the values of an input are permuted between "
        f"rows, the mean of {plural(document['repeats'], 'permutation')}; ± is its standard error"
    )
    if document["connection_weights"] is None:
        yield (
            "Garson and Olden use only the scaled weights, not activations or rows: compare "
            "them with the permutation importance before you rely on them"
        )
    if document["surface"] is not None:
        strongest = max(document["surface"]["outputs"], key=lambda each: each["interaction"])
        a, b = (plain(name, _LONGEST_NAME) for name in document["surface"]["inputs"])
        yield (
            f"of all pairs of important numeric inputs, `{a}` and `{b}` interact most: their "
            f"joint effect on {plain(strongest['output'], _LONGEST_NAME)} differs from the sum of "
            f"both by {rounded(strongest['interaction'], 3)} (standard deviation over the rows)"
        )
    yield from document["caveats"]


def outputs_shown(document: Mapping[str, Any]) -> list[int]:
    """The outputs of a row that are shown: those whose predictions are farthest from the mean."""
    names = document["outputs"]
    far = [-abs(document["prediction"][name] - document["base"][name]) for name in names]
    order = sorted(range(len(names)), key=lambda k: far[k])
    return sorted(order[:_MOST_OUTPUTS])


def row_table(document: Mapping[str, Any]) -> Grid:
    """The inputs of one row with their values, and the share of each in each output."""
    inputs = document["inputs"][:MOST_SHOWN]
    columns = {
        "input": [plain(each["name"], _LONGEST_NAME) for each in inputs],
        "value": [plain(each["value"], _LONGEST_NAME) for each in inputs],
    }
    for k in outputs_shown(document):
        values = [each["shapley"][k]["value"] for each in inputs]
        errors = [each["shapley"][k]["error"] or None for each in inputs]
        output = plain(document["outputs"][k], _LONGEST_NAME)
        columns[output] = spread_texts(values, errors)
    grid = Grid([*columns], 2)
    for cells in zip(*columns.values(), strict=True):
        grid.add_row(*cells)
    return grid


def row_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """How the shares add up to the prediction, and the caveats."""
    background = document["background"]
    shown = [document["outputs"][k] for k in outputs_shown(document)]
    for output in shown:
        base, prediction = document["base"][output], document["prediction"][output]
        texts = aligned([base, prediction - base, prediction], 4)
        yield (
            f"{output}: {texts[0]} (mean of {background['rows']:,} {background['of']}) "
            f"{'+' if prediction >= base else '-'} {texts[1].lstrip('-')} (sum of the inputs) = "
            f"{texts[2]}"
        )
    if len(shown) < len(document["outputs"]):
        more = len(document["outputs"]) - len(shown)
        yield f"--json has {plural(more, 'more output')}, with smaller differences"
