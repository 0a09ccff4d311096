"""Tables of results, for a terminal or a plain stream.

Cells are plain text, never markup: names of runs and classes may hold any character.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from bpcli.views.numbers import duration, shown


def plain_table(*columns: str, title: str | None = None, text_columns: int = 1) -> Table:
    """An unframed table: the first columns hold text, the others numbers."""
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position < text_columns else "right")
    return table


def header_table(record: Mapping[str, Any]) -> Table:
    """What is about to be trained."""
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = record["rows"]
    parts = ", ".join(f"{name} {count}" for name, count in rows.items() if count)
    frozen = f", {record['n_frozen']} frozen" if record["n_frozen"] else ""
    for name, value in (
        ("run", record["run_id"]),
        ("rows", f"{parts} ({record['task']})"),
        ("layers", layers_text(record["layers"])),
        ("parameters", f"{record['n_params']:,}{frozen}"),
        ("loss", record["loss"]),
        ("optimizer", _named_text(record["optimizer"])),
        ("seed", str(record["seed"])),
    ):
        table.add_row(Text(name, "bold"), value)
    return table


def layers_text(layers: Sequence[Mapping[str, Any]]) -> str:
    """Sizes and activations from the input on: 2 - 16 tanh - 1 sigmoid."""
    texts = [str(layers[0]["inputs"])]
    for layer in layers:
        note = {"none": " (no bias)", "frozen": " (frozen bias)"}.get(layer["bias"], "")
        texts.append(f"{layer['units']} {_named_text(layer['activation'])}{note}")
    return " - ".join(texts)


def _named_text(item: Mapping[str, Any]) -> str:
    """The name with its options: elu (alpha 1.0)."""
    options = [f"{key} {value}" for key, value in item.items() if key != "name"]
    return f"{item['name']} ({', '.join(options)})" if options else str(item["name"])


def stop_table(record: Mapping[str, Any]) -> Table:
    """Every criterion with its start, now and target, and which one ended training."""
    table = plain_table("criterion", "start", "now", "target", "")
    for rule in record["stop"]:
        name, meaning = rule["name"], rule["meaning"]
        table.add_row(
            name if name == meaning else f"{name} ({meaning})",
            shown(rule["start"]),
            shown(rule["now"]),
            f"{'<=' if rule['falls'] else '>='} {shown(rule['target'])}",
            "ended training" if name == record["stop_reason"] else "",
        )
    return table


def record_tables(record: Mapping[str, Any]) -> list[Table]:
    """A run's record: what was trained, when and how it ended, and what it reached."""
    tables = [header_table(record)]
    facts = tables[0]
    for key in ("status", "started", "ended", "epochs", "best_epoch"):
        if key in record:
            facts.add_row(Text(key.replace("_", " "), "bold"), str(record[key]))
    if "stop" in record:
        tables.append(stop_table(record))
        tables.append(scores_table(record["metrics"], record["baselines"], record["loss"]))
    return tables


def scores_table(
    scores: Mapping[str, float | None],
    baselines: Mapping[str, Mapping[str, float | None]],
    loss_name: str,
) -> Table:
    """Metrics by part, a row a metric, with the baselines of the last part beside them."""
    parts = list(dict.fromkeys(path.partition(".")[0] for path in scores))
    metrics = list(dict.fromkeys(path.partition(".")[2] for path in scores))
    columns = [f"{label} ({parts[-1]})" for label in baselines]
    table = plain_table("metric", *parts, *columns)
    for metric in metrics:
        label = f"loss ({loss_name})" if metric == "loss" else metric
        values = [scores.get(f"{part}.{metric}") for part in parts]
        values += [found.get(f"{parts[-1]}.{metric}") for found in baselines.values()]
        table.add_row(label, *map(shown, values))
    return table


def class_table(report: Any) -> Table:
    """Precision, recall and F1 of each class."""
    table = plain_table("class", "precision", "recall", "F1", "rows")
    for scores in report.classes:
        table.add_row(
            scores.name,
            *(f"{value:.4f}" for value in (scores.precision, scores.recall, scores.f1)),
            str(scores.rows),
        )
    return table


def confusion_table(report: Any) -> Table:
    """True classes down, predicted ones across."""
    names = [scores.name for scores in report.classes]
    table = plain_table("true \\ predicted", *names)
    for name, counts in zip(names, report.confusion, strict=True):
        table.add_row(name, *map(str, counts))
    return table


def checks_table(checks: Sequence[Any]) -> Table:
    """A gradient check, a row a tensor."""
    table = plain_table(
        "term", "tensor", "shape", "entries", "skipped", "error", "central", "worst entry",
        "analytic", "numeric", "", text_columns=3,
    )  # fmt: skip
    for check in checks:
        table.add_row(
            check.term,
            check.tensor,
            " x ".join(map(str, check.shape)),
            str(check.checked),
            str(check.skipped),
            f"{check.error:.1e}",
            f"{check.central_error:.1e}",
            check.worst_entry,
            f"{check.analytic + 0.0:.9g}",  # + 0.0: no negative zero
            f"{check.numeric + 0.0:.9g}",
            verdict(check.passed) if check.checked else Text("not checked", "yellow"),
        )
    return table


def catalogue_table(rows: Sequence[Any]) -> Table:
    """The gradient check of everything, a row for each loss on each output activation."""
    table = plain_table(
        "loss", "output", "cases", "entries", "skipped", "error", "largest", "central", "",
        text_columns=2,
    )  # fmt: skip
    for row in rows:
        table.add_row(
            row.loss,
            row.output,
            str(row.cases),
            str(row.checked),
            str(row.skipped),
            f"{row.error:.1e}",
            f"{row.largest_error:.1e}",
            f"{row.central_error:.1e}",
            verdict(row.passed),
        )
    return table


def rejections_table(rejections: Sequence[Any]) -> Table:
    """Wrong backward passes, and whether the check notices."""
    table = plain_table("kind", "what is wrong", "tensors that fail", "", text_columns=4)
    for rejection in rejections:
        table.add_row(
            rejection.kind,
            rejection.meaning,
            ", ".join(rejection.tensors),
            "rejected" if rejection.rejected else Text("NOT NOTICED", "bold red"),
        )
    return table


def verdict(passed: bool) -> Text:
    return Text("ok", "green") if passed else Text("WRONG", "bold red")


def runs_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """Runs, newest first."""
    table = plain_table(
        "run", "status", "stopped by", "epochs", "time", "metric", "value", text_columns=3
    )
    for record in records:
        metric, value = headline(record)
        seconds = record.get("seconds")
        table.add_row(
            str(record["run_id"]),
            str(record["status"]),
            record.get("stop_reason", "-"),
            str(record.get("epochs", "-")),
            "-" if seconds is None else duration(seconds),
            metric,
            shown(value, 4),
        )
    return table


def headline(record: Mapping[str, Any]) -> tuple[str, float | None]:
    """The metric that a list of runs shows: of the last part, the first but the loss."""
    metrics = record.get("metrics") or {}
    parts = list(dict.fromkeys(path.partition(".")[0] for path in metrics))
    paths = [path for path in metrics if parts and path.startswith(f"{parts[-1]}.")]
    chosen = next((path for path in paths if not path.endswith(".loss")), None)
    return (chosen, metrics[chosen]) if chosen else ("-", None)


def predictions_table(predicted: Any, most: int) -> Table:
    """Rows with their inputs (a few), outputs, class and target."""
    inputs = predicted.input_names if len(predicted.input_names) <= 6 else ()
    columns = ["row", *inputs, *predicted.output_names]
    columns += ["class"] if predicted.classes else []
    columns += ["target"] if predicted.targets else []
    table = plain_table(*columns)
    for cells in prediction_cells(predicted, bool(inputs), most):
        table.add_row(*cells)
    return table


def prediction_cells(predicted: Any, with_inputs: bool, most: int | None) -> list[list[str]]:
    """The cells of predicted rows as text; ten significant digits."""
    found = []
    for i in range(len(predicted.rows))[:most]:
        numbers = [*predicted.X[i]] if with_inputs else []
        cells = [str(predicted.rows[i]), *(f"{x:.10g}" for x in [*numbers, *predicted.outputs[i]])]
        if predicted.classes:
            cells.append(predicted.classes[i])
        if predicted.targets:
            target = predicted.targets[i]
            cells.append(f"{target:.10g}" if isinstance(target, float) else str(target))
        found.append(cells)
    return found
