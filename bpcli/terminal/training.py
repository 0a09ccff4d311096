"""What a training is, how it ended, and how long its parts take, in tables and lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bpcli.runs.run_json import Description, LayerRecord, Origin, RunRecord
from bpcli.runs.saved import Value
from bpcli.terminal.cells import named_text
from bpcli.terminal.grid import Facts, Grid
from bpcli.text import duration, plural, rounded


def header(record: RunRecord) -> Facts:
    """The run, data, network, loss and optimizer of a training that begins."""
    splits = ", ".join(f"{name} {count}" for name, count in vars(record.rows).items() if count)
    frozen = f", {record.n_frozen} frozen" if record.n_frozen else ""
    return [
        ("run", record.run_id),
        ("rows", f"{splits or 'not kept'} ({record.task})"),
        ("layers", layers_text(record.layers)),
        ("parameters", f"{record.n_params:,}{frozen}"),
        ("loss", objective_text(record)),
        *_class_weights(record),
        ("optimizer", f"{named_text(record.optimizer)}, {_batch_text(record)}"),
        ("seed", _seed_text(record)),
    ]


def _seed_text(record: RunRecord) -> str:
    """The seed, and those of single purposes: 0, init 7."""
    seeds = {
        key.removeprefix("seeds."): seed
        for key, seed in record.config.items()
        if key.startswith("seeds.") and seed is not None
    }
    return ", ".join([str(record.seed), *(f"{name} {seed}" for name, seed in seeds.items())])


def _class_weights(record: RunRecord) -> Facts:
    weights = record.class_weights or {}
    text = ", ".join(f"{name} {rounded(weight, 4)}" for name, weight in weights.items())
    return [("class weights", text)] if text else []


def loss_text(loss: str, reduction: str, l2: float, *, is_weighted: bool = False) -> str:
    """The objective in a line: mse, summed over the rows + L2 0.1."""
    details = ", summed over the rows" if reduction == "sum" else ""
    details += ", rows weighted" if is_weighted else ""
    penalty = f" + L2 {l2:g}" if l2 else ""
    return f"{loss}{details}{penalty}"


def objective_text(record: Description) -> str:
    """The objective of a run in a line."""
    return loss_text(record.loss, record.reduction, record.l2, is_weighted=record.weighted)


def _batch_text(record: RunRecord) -> str:
    size, rate = record.batch_size, record.learning_rate
    batch = "full batch" if size == "full" else f"batches of {size}"
    return f"{'' if rate is None else f'learning rate {_rate_text(rate)}, '}{batch}, {record.dtype}"


def _rate_text(rate: float | Mapping[str, Value]) -> str:
    """The number, or the schedule with its options."""
    return named_text(rate, "schedule") if isinstance(rate, Mapping) else f"{rate:g}"


def layers_text(layers: Sequence[LayerRecord]) -> str:
    """Sizes and activations from input to output: 2 - 16 tanh - 1 sigmoid."""
    texts = [str(layers[0].inputs)]
    for layer in layers:
        note = {"none": " (no bias)", "frozen": " (frozen bias)"}.get(layer.bias, "")
        texts.append(f"{layer.units} {named_text(layer.activation)}{note}")
    return " - ".join(texts)


def scored_text(record: RunRecord) -> str:
    """Whose scores a record has: those of the weights of an epoch, or of an average."""
    restarts = record.restarts
    if restarts is not None and restarts.combine == "mean":
        return f"the average of {plural(len(restarts.kept), 'network')}"
    best = ", the best on validation" * bool(record.rows.val)
    return f"the weights of epoch {record.best_epoch}{best}"


def stop_table(record: RunRecord) -> Grid:
    """Each criterion with its first, current and target value; the stop reason is marked."""
    table = Grid(["criterion", "measures", "start", "now", "target", ""], 2)
    for rule in record.stop:
        table.add_row(
            rule.name,
            rule.meaning,
            rounded(rule.start),
            rounded(rule.now),
            f"{'<=' if rule.falls else '>='} {rounded(rule.target)}",
            "stop reason" if rule.name == record.stop_reason else "",
        )
    return table


def profile_table(profile: Mapping[str, Any], workers: int) -> Grid:
    """The time of each part of an epoch."""
    table = Grid(["time per epoch", "one worker", "share"])
    for part, seconds in profile["seconds_per_epoch"].items():
        table.add_row(part, duration(seconds), f"{100 * seconds / profile['alone']:.1f} %")
    table.add_row("total", duration(profile["alone"]), "")
    count = "1 worker" if workers == 1 else f"{workers} workers"
    table.add_row(f"in this training, {count}", duration(profile["trained"]), "")
    table.add_row("log and view, in addition", duration(profile["log_and_view"]), "")
    return table


def origin_text(origin: Origin) -> str:
    """The file that a network comes from."""
    return f"{origin.file} ({origin.form}, SHA-256 {origin.sha256[:16]}…)"


def history(record: RunRecord, tags: Sequence[str]) -> Facts:
    """What was trained and when, and why it stopped."""
    facts = header(record)
    if tags:
        facts.insert(1, ("tags", ", ".join(tags)))
    if record.fold is not None:
        fold = record.fold
        facts.append(("fold", f"{fold.number} of {fold.of}, group {fold.group}"))
    if record.imported is not None:
        facts.append(("imported", origin_text(record.imported)))
    if record.started_from is not None:
        facts.append(("started from", origin_text(record.started_from)))
    results = [("epochs", str(record.epochs)), ("best epoch", str(record.best_epoch))]
    details = [
        ("overrides", ", ".join(record.overrides)),
        ("numerics", record.numerics),
        ("status", record.status),
        ("stop reason", record.stop_reason),
        ("started", record.started),
        ("ended", record.ended),
        *(results if record.has_results else []),
    ]
    return facts + [(name, text) for name, text in details if text]
