"""Tables of results, for a terminal or a plain stream.

Cells are plain text, never markup: names of runs and classes may hold any character.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from bpcli.runs.run_json import Description, LayerRecord, Origin, RunRecord
from bpcli.runs.saved import Value
from bpcli.terminal.grid import Facts, Grid
from bpcli.text import duration, plain, plural, rounded


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


def named_text(item: Mapping[str, object], name: str = "name") -> str:
    """The value of the key `name`, with the other keys as options: elu (alpha 1).

    Options that are null, so that the code chooses, are left out.
    """
    given = {key: value for key, value in item.items() if key != name and value is not None}
    options = [f"{key} {_option_text(value)}" for key, value in given.items()]
    return f"{item[name]} ({', '.join(options)})" if options else str(item[name])


def _option_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()  # as in YAML
    return f"{value:g}" if isinstance(value, float) else str(value)


def value_text(value: object) -> str:
    """A value of a config, shortened for a table."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, float):
        return rounded(value)
    if isinstance(value, list):
        return plain(f"[{', '.join(map(value_text, value))}]", 40)
    if isinstance(value, dict) and "name" in value:
        return plain(named_text(value), 40)
    if isinstance(value, dict):
        return plain(", ".join(f"{key} {value_text(inner)}" for key, inner in value.items()), 40)
    return plain(str(value), 40)


def key_heading(key: str, keys: Sequence[str], taken: Collection[str] = ()) -> str:
    """The shortest end of a key, in whole parts, that is not taken and that no other key has.

    Of `optimizer.name` and `loss.name`, no part is left out; of `training.l2`, the first one is.
    """
    others = [each for each in keys if each != key]
    parts = key.split(".")
    ends = (".".join(parts[start:]) for start in reversed(range(len(parts))))
    free = (
        end
        for end in ends
        if end not in taken and not any(f".{each}".endswith(f".{end}") for each in others)
    )
    return next(free, key)


def spread_texts(means: Sequence[float | None], sds: Sequence[float | None]) -> list[str]:
    """The cells of a column: 0.1203 ± 0.0102; only means if there is no standard deviation."""
    texts = aligned(means, 4)
    if not any(map(is_finite, sds)):
        return texts
    ends = aligned(sds, 2)
    widest = max(map(len, ends))
    return [
        f"{text} ± {end.rjust(widest)}" if is_finite(mean) else text
        for mean, text, end in zip(means, texts, ends, strict=True)
    ]


def spreads(rows: Sequence[Mapping[str, Any] | None]) -> list[str]:
    """Means and standard deviations of rows of a document; dashes for those that have none."""
    known = [row or {"mean": None, "sd": None} for row in rows]
    return spread_texts([row["mean"] for row in known], [row["sd"] for row in known])


def aligned(values: Sequence[float | None], digits: int) -> list[str]:
    """Numbers of a column with equally many decimals, so that they can be compared at a glance.

    The smallest has `digits` significant digits. Columns of very different, very large or very
    small numbers are rounded one by one.
    """
    sizes = [abs(value) for value in values if value and is_finite(value)]
    low, high = min(sizes, default=1.0), max(sizes, default=1.0)
    if low < _LEAST_ALIGNED or high >= _MOST_ALIGNED or high > _ALIGNED_SPAN * low:
        return [rounded(value, digits) for value in values]
    decimals = max(0, digits - 1 - math.floor(math.log10(low)))
    return [f"{value:.{decimals}f}" if is_finite(value) else rounded(value) for value in values]


_LEAST_ALIGNED, _MOST_ALIGNED, _ALIGNED_SPAN = 1e-4, 1e6, 100


def is_finite(value: float | None) -> TypeGuard[float]:
    """Whether a value of a document is a number that can be drawn and compared."""
    return value is not None and math.isfinite(value)


def count_text(value: float | None) -> str:
    """A number with all its digits, and one decimal if it is not whole; a dash for None."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


def time_text(seconds: float | None) -> str:
    """A time span; a dash for None."""
    return "-" if seconds is None else duration(seconds)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value of a config is a finite number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and is_finite(value)


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


def scores_tables(record: Description, document: Mapping[str, Any]) -> Iterator[Grid]:
    """The tables of the scores in a document: of all targets together, then of each of several.

    The document has `metrics` and `baselines` by path, and may have `intervals` and `labels`.
    """
    yield _scores_table(record, document)
    if any(is_of_one_target(path) for path in document["metrics"]):
        yield _targets_table(record, document)


def is_of_one_target(path: str) -> bool:
    """Whether a path such as `test.rmse.height` has one of several targets."""
    return path.count(".") > 1


def _scores_table(record: Description, document: Mapping[str, Any]) -> Grid:
    """One row per metric: its value on each split, then intervals and baselines of the last split.

    The loss is the mean data loss (without L2) of scaled outputs and targets.
    """
    scores, baselines = document["metrics"], document["baselines"]
    intervals = document.get("intervals")
    paths = [path for path in scores if not is_of_one_target(path)]
    splits = list(dict.fromkeys(path.partition(".")[0] for path in paths))
    metrics = list(dict.fromkeys(path.partition(".")[2] for path in paths))
    columns = [f"{label} ({split})" for label in baselines for split in splits[-1:]]
    table = Grid(["metric", *splits, *([] if intervals is None else ["95 % interval"]), *columns])
    loss = "weighted mean loss" if record.weighted else "mean loss"
    labels = {
        "loss": f"{loss} (scaled)" if record.targets_scaled else loss,
        "loss_original": f"{loss} (original units)",
        **(_OF_LABELS if record.task == "multilabel" else {}),
    }
    for metric in metrics:
        last = f"{splits[-1]}.{metric}"
        table.add_row(
            labels.get(metric, metric),
            *(rounded(scores.get(f"{split}.{metric}")) for split in splits),
            *([] if intervals is None else [_interval_text(intervals.get(last))]),
            *(rounded(values.get(last)) for values in baselines.values()),
        )
    return table


_OF_LABELS = {
    "precision": "precision (macro)",
    "recall": "recall (macro)",
    "f1": "F1 (macro)",
    "f1_micro": "F1 (micro)",
    "roc_auc": "roc_auc (macro)",
}
"""Metrics that are means over labels, as tables call them."""

_MOST_TARGETS = 40


def _targets_table(record: Description, document: Mapping[str, Any]) -> Grid:
    """One row per target: its metrics on the last split, and the baselines of the first metric."""
    scores, rows = document["metrics"], {each["name"]: each for each in document.get("labels", ())}
    split = list(dict.fromkeys(path.partition(".")[0] for path in scores))[-1]
    paths = [path.split(".", 2) for path in scores if path.startswith(f"{split}.")]
    own = [path[1:] for path in paths if len(path) > 2]
    metrics = list(dict.fromkeys(metric for metric, _ in own))
    targets = list(dict.fromkeys(target for _, target in own))
    noun = "label" if record.task == "multilabel" else "target"
    baselines = [f"{label} {metrics[0]}" for label in document["baselines"]]
    counts = ["rows with 1"] if rows else []
    table = Grid([f"{noun} ({split})", *counts, *metrics, *baselines])
    for target in targets[:_MOST_TARGETS]:
        table.add_row(
            target,
            *([str(rows[target]["rows"][1])] if rows else []),
            *(rounded(scores.get(f"{split}.{metric}.{target}")) for metric in metrics),
            *(
                rounded(values.get(f"{split}.{metrics[0]}.{target}"))
                for values in document["baselines"].values()
            ),
        )
    if len(targets) > _MOST_TARGETS:
        more = f"{len(targets) - _MOST_TARGETS} more: use --json"
        table.add_row(more, *[""] * (len(counts) + len(metrics) + len(baselines)))
    return table


def paired_table(document: Mapping[str, Any]) -> Grid:
    """One row per metric: the two runs, their difference, and its interval."""
    scores, intervals = [run["metrics"] for run in document["runs"]], document.get("intervals")
    names = [run["name"] for run in document["runs"]]
    ends = [] if intervals is None else ["95 % interval"]
    table = Grid(["metric", *names, "difference", *ends])
    for path, difference in document["differences"].items():
        table.add_row(
            path,
            *(rounded(values[path]) for values in scores),
            rounded(difference, 4),
            *([] if intervals is None else [_interval_text(intervals[path])]),
        )
    return table


def _interval_text(interval: Sequence[float] | None) -> str:
    """Both ends with four digits; large ones with all digits before the decimal point."""
    if interval is None:
        return "-"
    return " to ".join(
        f"{end:.0f}" if 1e4 <= abs(end) < 1e6 else rounded(end, 4) for end in interval
    )


def coverage_table(coverage: Mapping[str, Any]) -> Grid:
    """One row per target: how often it is in its interval or set, and how large these are.

    Below them are the same rows for each category, if the intervals are computed by categories.
    """
    targets = coverage["targets"]
    size = "mean width" if "mean_width" in targets[0] else "mean number of classes"
    table = Grid([f"{100 * coverage['level']:g} % intervals", "coverage", "95 % interval", size])
    rows = [(row["name"], row) for row in targets]
    for category in coverage.get("categories", ()):
        rows += [(f"{row['name']}, {category['name']}", row) for row in category["targets"]]
    for name, row in rows:
        table.add_row(
            name,
            rounded(row["coverage"], 4),
            _interval_text(row["interval"]),
            rounded(row[size.replace("number of ", "").replace(" ", "_")], 4),
        )
    return table


def class_table(document: Mapping[str, Any]) -> Grid:
    """Precision, recall and F1 of each class."""
    table = Grid(["class", "precision", "recall", "F1", "rows"])
    for scores in document["classes"]:
        shares = (f"{scores[key]:.4f}" for key in ("precision", "recall", "f1"))
        table.add_row(scores["name"], *shares, str(scores["rows"]))
    return table


def confusion_table(document: Mapping[str, Any]) -> Grid:
    """One row per true class, one column per predicted class."""
    names = [scores["name"] for scores in document["classes"]]
    table = Grid(["true \\ predicted", *names])
    for name, counts in zip(names, document["confusion"], strict=True):
        table.add_row(name, *map(str, counts))
    return table


def predictions_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Collection[str]
) -> Grid:
    """One line per row: its number, inputs or columns kept, outputs, class and targets."""
    table = Grid([*columns], text_names=text_columns)
    for cells in rows:
        table.add_row(*cells)
    return table
