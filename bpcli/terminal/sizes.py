"""A search for the size of the hidden layers: its table, and its result in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bpcli.terminal.cells import aligned, count_text, spreads, time_text
from bpcli.terminal.grid import Grid
from bpcli.terminal.sweep import missing_lines
from bpcli.text import plural, rounded

_FAILED, _MARK, _EVIDENCE = "failed", "result", "log_evidence"


def sizes_table(document: Mapping[str, Any]) -> tuple[Grid, list[str]]:
    """Return a table with one row per size, and the columns to drop if there is no room."""
    sizes = document["sizes"]
    test = next((f"{each['test']['metric']}" for each in sizes if each["test"]), None)
    extreme = "highest" if document["greater_is_better"] else "lowest"
    columns = {
        "hidden": [str(each["hidden"]) for each in sizes],
        "parameters": [count_text(each["n_params"]) for each in sizes],
        document["metric"]: spreads(sizes),
        extreme: aligned([each[extreme] for each in sizes], 4),
        **({} if test is None else {test: spreads([each["test"] for each in sizes])}),
        **_evidence(sizes, is_ranking=document["metric"] == _EVIDENCE),
    }
    if any(each["failed"] for each in sizes):
        columns[_FAILED] = [str(each["failed"]) for each in sizes]
    columns["epochs"] = [count_text(each["epochs"]) for each in sizes]
    columns["time"] = [time_text(each["seconds"]) for each in sizes]
    columns[_MARK] = [mark(document, each["hidden"]) for each in sizes]
    grid = Grid([*columns], 0, text_names=[_MARK])
    for cells in zip(*columns.values(), strict=True):
        grid.add_row(*cells)
    expendable = ["time", "epochs", extreme, "parameters", "effective", "evidence", str(test)]
    return grid, [name for name in expendable if name in columns]


def _evidence(sizes: Sequence[Mapping[str, Any]], *, is_ranking: bool) -> dict[str, list[str]]:
    """The log evidence and the number of effective parameters, which few optimizers have."""
    columns = {}
    if not is_ranking and any(each["evidence"] for each in sizes):
        columns["evidence"] = spreads([each["evidence"] for each in sizes])
    if any(each["effective_params"] is not None for each in sizes):
        columns["effective"] = [rounded(each["effective_params"], 4) for each in sizes]
    return columns


def mark(document: Mapping[str, Any], hidden: int) -> str:
    """What a size is: the best one, the one that is enough, both or neither."""
    return ", ".join(name for name in ("best", "enough") if document[name] == hidden)


def result_lines(document: Mapping[str, Any]) -> list[str]:
    """Which size is enough and why, what to try next, and what the search lacks."""
    return [*_result(document), *_shortfalls(document)]


def _result(document: Mapping[str, Any]) -> list[str]:
    means = {each["hidden"]: rounded(each["mean"], 4) for each in document["sizes"]}
    best, metric = document["best"], f"mean {document['metric']}"
    if best is None:
        return ["No size has a result."]
    if document["enough"] is None:
        return [] if document["counts"]["missing"] else [_no_better_than_a_constant(document)]
    if len(means) == 1:
        only = f"{units_text(document, best)} ({metric} {means[best]})"
        return [f"Only one size was tried: {only}. Name more with --hidden."]
    lines = [_enough(document, means, metric)]
    if best == max(means):
        lines.append(
            "The best size is the largest one tried, so larger ones may be better: bpnet size "
            f"--resume {document['sweep']} --hidden {best + 1}..{2 * best}"
        )
    return lines


def _enough(document: Mapping[str, Any], means: Mapping[int, str], metric: str) -> str:
    """Which size is enough, and why."""
    best, enough = document["best"], document["enough"]
    close, far = "is within one standard error of", "is more than one standard error from"
    if metric == f"mean {_EVIDENCE}":
        close, far = "is at most 1 below", "is more than 1 below"
    if enough != best:
        why = (
            f"the smallest size whose {metric} ({means[enough]}) {close} the best ({means[best]} "
            f"with {best} units)"
        )
    elif best == min(means):
        why = f"the smallest size tried has the best {metric} ({means[best]})"
    else:
        why = f"they have the best {metric} ({means[best]})"
        if document["repetitions"] > 1:
            why += f", and every smaller size {far} it"
    verb = "is" if enough == 1 and document["hidden_layers"] == 1 else "are"
    return f"{units_text(document, enough)} {verb} enough: {why}."


def _no_better_than_a_constant(document: Mapping[str, Any]) -> str:
    """A warning that no size has learned anything, so that none is enough."""
    constant = rounded(document["constant"], 4)
    return (
        f"warning: no size is better than a constant prediction ({document['metric']} {constant}): "
        "train longer, or change the optimizer, the inputs or `training.stop`."
    )


def units_text(document: Mapping[str, Any], hidden: int) -> str:
    """A size in words: 5 hidden units, or 5 hidden units in each of 2 layers."""
    layers: int = document["hidden_layers"]
    return plural(hidden, "hidden unit") + f" in each of {layers} layers" * (layers > 1)


def _shortfalls(document: Mapping[str, Any]) -> list[str]:
    """What the search lacks: trainings that failed or are missing, or a standard error."""
    counts, lines = document["counts"], list[str]()
    if counts["failed"]:
        lines.append(f"{counts['failed']:,} of {plural(counts['trainings'], 'training')} failed.")
    lines += missing_lines(document, "search")
    if document["best"] is not None and document["repetitions"] == 1:
        lines.append(
            "With one training per size there is no standard error: repeat with --splits 5."
        )
    return lines
