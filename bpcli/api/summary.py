"""A run in three lines, and as a table for a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from bpcli.runs.run_json import RunRecord
from bpcli.terminal.grid import Grid
from bpcli.terminal.runs import headline
from bpcli.terminal.scores import scores_tables
from bpcli.terminal.training import layers_text, objective_text
from bpcli.text import plural, rounded, visible


def lines_of(record: RunRecord, folder: Path, weights: str) -> Iterator[str]:
    """What was trained; how well, beside the baseline; and where it is."""
    yield f"Run {visible(record.run_id)}: {_trained(record)}"
    yield f"  {_ended(record)}{_score(record)}"
    yield f"  {weights} weights of {visible(str(folder))}"


def _trained(record: RunRecord) -> str:
    layers, optimizer = layers_text(record.layers), record.optimizer["name"]
    return f"{layers}, {objective_text(record)}, {optimizer}"


def _ended(record: RunRecord) -> str:
    if not record.has_results:
        return record.status
    best = f", the best is epoch {record.best_epoch}" * (record.best_epoch != record.epochs)
    reason = f" ({record.stop_reason})" * bool(record.stop_reason)
    return f"{record.status} after {plural(record.epochs, 'epoch')}{reason}{best}"


def _score(record: RunRecord) -> str:
    """The main score of the last split, beside that of the constant baseline."""
    path, value = headline(record)
    if path is None:
        return ""
    constant = record.baselines.get("constant", {}).get(path)
    beside = "" if constant is None else f" (constant baseline {rounded(constant, 4)})"
    return f": {path} {rounded(value, 4)}{beside}"


def html_of(record: RunRecord, folder: Path, weights: str) -> str:
    """The same with all scores, in the tables of `bpnet train`, without colours of its own."""
    first, *others = lines_of(record, folder, weights)
    below = "<br>".join(escape(line.strip()) for line in others)
    document = {"metrics": record.metrics, "baselines": record.baselines}
    tables = map(_table, scores_tables(record, document) if record.metrics else ())
    return f"<div><strong>{escape(first)}</strong><br>{below}{''.join(tables)}</div>"


def _table(grid: Grid) -> str:
    """A grid in HTML: text on the left of its cells, numbers on the right."""
    sides = ["left" if grid.is_text(index) else "right" for index in range(len(grid.headers))]

    def row(texts: Sequence[str], tag: str) -> str:
        cells = (
            f'<{tag} style="text-align: {side}">{escape(text)}</{tag}>'
            for side, text in zip(sides, texts, strict=True)
        )
        return f"<tr>{''.join(cells)}</tr>"

    headers, *rows = grid.texts()
    body = "".join(row(texts, "td") for texts in rows)
    return f"<table><thead>{row(headers, 'th')}</thead><tbody>{body}</tbody></table>"
