"""Pruning: the path as a table, and its result in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bpcli.terminal.cells import aligned, count_text, spread_texts
from bpcli.terminal.grid import Grid
from bpcli.terminal.scores import paired_table
from bpcli.text import listed_names, plural, rounded

if TYPE_CHECKING:
    from bpcli.terminal.console import Console
    from bpcli.terminal.stream import Stream

_MOST_NAMED = 20
_SALIENCY = {"surgeon": "rise per parameter", "magnitude": "mean square"}


def show_pruning(document: Mapping[str, Any], out: Console | Stream) -> None:
    """Show the path, what is kept and why, and how it compares with the run on the test set."""
    out.show(*path_table(document))
    for line in result_lines(document):
        out.say(line)
    paired = document["paired"]
    if paired is not None:
        out.show(paired_table(paired))
        for line in paired["sentences"]:
            out.say(line)
    elif document["pruned"] is not None and not document["rows"]["test"]:
        out.say(
            "There is no test set. The network was chosen by its validation loss, which is "
            "therefore too optimistic: score it on other rows, with `bpnet eval --data FILE`."
        )


def path_table(document: Mapping[str, Any]) -> tuple[Grid, list[str]]:
    """Return a table with one row per network, and the columns to drop if there is no room."""
    steps, first = document["steps"], document["steps"][0]
    saliency = _SALIENCY[document["method"]]
    columns = {
        "removed": [removed_text(each) for each in steps],
        saliency: ["", *aligned([each["saliency"] for each in steps[1:]], 2)],
        "layers": [" - ".join(map(str, each["layers"])) for each in steps],
        "parameters": [count_text(each["n_params"]) for each in steps],
        "val.loss": spread_texts(
            [each["val_loss"] for each in steps], [each["se"] for each in steps]
        ),
        "epochs": [count_text(each["epochs"]) if each is not first else "" for each in steps],
        "result": [mark(document, number) for number in range(len(steps))],
    }
    grid = Grid([*columns], 1, text_names=["result"])
    for cells in zip(*columns.values(), strict=True):
        grid.add_row(*cells)
    return grid, ["epochs", saliency, "layers"]


def removed_text(step: Mapping[str, Any]) -> str:
    """The input or unit that was removed last; `nothing` for the first network."""
    removed = step["removed"]
    if removed is None:
        return "nothing"
    return f"input {removed['name']}" if removed["kind"] == "input" else str(removed["name"])


def mark(document: Mapping[str, Any], number: int) -> str:
    """What a network is: the best one, the one that is kept, both or neither."""
    return ", ".join(name for name in ("best", "kept") if document[name] == number)


def result_lines(document: Mapping[str, Any]) -> list[str]:
    """Which network is kept and why, what it lacks, and why the path ended."""
    return [*_result(document), *_end(document)]


def _result(document: Mapping[str, Any]) -> list[str]:
    steps, kept, best = document["steps"], document["kept"], document["best"]
    why = "the smallest network within one standard error of the best validation loss, "
    why += f"{rounded(steps[best]['val_loss'], 4)} ± {rounded(steps[best]['se'], 2)}"
    if not kept:
        return [f"Nothing was removed: the run already has {why}. No run was saved."]
    params = [steps[number]["n_params"] for number in (0, kept)]
    removed, inputs = document["inputs"]["removed"], len(document["inputs"]["kept"])
    names = listed_names(removed, _MOST_NAMED) or "none"
    units = [sum(document["units"][key]) for key in ("before", "kept")]
    counts = f"{inputs} of {plural(inputs + len(removed), 'input')}"
    counts += f" and {units[1]} of {plural(units[0], 'hidden unit')}" * bool(units[0])
    size = f"{params[1]:,} of {params[0]:,} parameters"
    return [
        f"Inputs removed, in this order: {names}.",
        f"The kept network, {document['network']}, has {counts}, and {size}. It is {why}.",
    ]


def _end(document: Mapping[str, Any]) -> list[str]:
    if document["ended"] == "diverged":
        return ["The path ended early: the training of the next network diverged."]
    if document["ended"] == "patience":
        count = plural(document["patience"], "network")
        return [f"The path ended after {count} that are worse than that; --patience changes it."]
    return []
