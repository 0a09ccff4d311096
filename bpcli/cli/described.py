"""The documents of `--json`, key by key: what `bpnet schema --documents` prints.

A key that ends in `?` is there in some documents only. What a document has in its keys is told in
words; paths such as `test.accuracy` name a split and a metric.
"""

from __future__ import annotations

from collections.abc import Mapping

_RECORD = {
    "run_id": "its folder within the folder of the runs",
    "identity": "made once; a copy of the run has the same",
    "fold?": "of a cross-validation: its `group`, the `number` of the fold from 1, `of` how many",
    "status": "running, finished, stopped, interrupted or diverged",
    "started": "date and time, UTC",
    "ended": "date and time of the end, UTC",
    "name, config, overrides": "the name, every value of the config by its key, and each `--set`",
    "seed, loss, reduction, l2, class_weights, weighted": "what is minimised",
    "optimizer, learning_rate, batch_size, dtype": "how it is minimised",
    "task, targets_scaled": "classification or regression; whether targets were scaled",
    "data_files, data_sha256": "the files of the data and their digests; the digest of the rows",
    "rows": "of each split",
    "layers, n_params, n_frozen": "the network and its numbers of parameters",
    "workers, shards, block": "how the work was shared out",
    "argv": "the command line",
    "sha256": "the digest of each file of the run",
    "versions, platform, cpu, cores, numerics, simd, blas": "what it ran on",
    "epochs, best_epoch": "how many, and that of the lowest validation loss",
    "seconds, watching_seconds": "of training, and of what was shown and saved meanwhile",
    "stop_reason, stop_message, stop": "what ended training; each criterion, with its last value",
    "diagnostics": "what the optimizer tells of its state",
    "warning": "a likely mistake, or null",
    "metrics, baselines": "by path, of the best weights, and of a constant prediction",
}

_ISSUE = "each with `file`, `line` and `column` (from 1), `key` and `message`; where `--set` is "
_ISSUE += "wrong, `origin` is that option and `file` and `line` are null"

DOCUMENTS: Mapping[str, Mapping[str, str]] = {
    "a command that fails": {
        "error": "`kind` (config, data, run, usage, numerics, limit, diverged, worker, gate, "
        "interrupted, internal), `message`, and the `issues` of a config, " + _ISSUE,
    },
    "init": {"templates": "the first line of each template by its name"},
    "init TEMPLATE": {"file": "what was written", "template": "its name"},
    "init FILE": {
        "file": "what was written",
        "table": "the FILE",
        "header, why_header": "whether row 1 names the columns, and why that was taken",
        "target, why_target": "the column to predict",
        "task, why_task": "classification or regression",
        "left_out": "the reason by column",
    },
    "data": {
        "file, header, separator, encoding, missing_words": "how the file is read",
        "rows, duplicates": "how many",
        "target, why_target, task, why_task": "what is predicted, and why that was taken",
        "classes": "each with its rows",
        "columns": "each with its kind, missing values, range or most frequent words",
        "warnings": "likely mistakes, by column",
    },
    "check": {
        "config, origins": "every value, and where it comes from",
        "layers, n_params": "the network",
        "rows, classes": "of each split",
        "memory": "bytes needed and available",
        "start": "the loss before training, beside chance level and a constant prediction",
        "dead_units, saturated_units": "before training",
        "warnings, notes": "likely mistakes; how the config and the data were read",
    },
    "train": {**_RECORD, "profile?": "with --profile: where an epoch's time goes"},
    "train, with folds": {
        "group, of, finished": "what the runs have in common; how many folds; how many ended",
        "folds": "the record of each",
        "summary, baselines": "mean and standard deviation by path, of the runs and of baselines",
    },
    "compare": {
        "name, loss, reduction, l2, batch_size": "what is minimised",
        "rows, seeds, split, metric": "what is compared: the metric, on which split, by seed",
        "interrupted": "whether trainings are missing",
        "optimizers": "a summary of each",
        "trainings": "each with its curve",
        "figure": "the file of the plot, or null",
    },
    "eval": {
        "run_id, weights, split, rows": "what was scored",
        "metrics, baselines": "by path",
        "intervals?": "95 % intervals of the metrics",
        "classes?, confusion?": "of a classification: names; rows by class and prediction",
        "required": "each --require with its value, and whether it passed",
    },
    "predict": {"rows": "`outputs` by name and the `class`, if there are classes, a row each"},
    "trace": {
        "name, shown, notes, network, loss, optimizer, scale, l2": "what is worked out",
        "rows, splits, inputs, targets, row_weights, training_rows": "the rows that are used",
        "forward": "z and a of each layer",
        "updates": "gradient and new parameters of each step",
    },
    "gradcheck": {"checks": "each pair of loss and output with its largest error"},
    "gradcheck CONFIG|RUN": {
        "passed, rows, explanation": "the verdict",
        "tensors": "each with its error",
    },
    "gradcheck --self-test": {"rejections": "each wrong backward pass, and whether it was noticed"},
    "verify": {
        "run_id, identical, accepted, tolerance": "the verdict",
        "largest_relative_difference, largest_in": "the distance, and where it is largest",
        "epochs, losses, tensors, metrics, path_rows": "how many were compared",
        "first_data, first_split, first_epoch, first_line": "the first that differs, or null",
        "first_tensor, first_record, first_metric, first_path": "likewise",
        "then, now, breaks, explanation": "the machines, and what may be why",
    },
    "plot": {
        "run_id, weights, split": "what is shown",
        "drawn, files": "the kinds that were drawn, and the files written",
        "available, unavailable": "the kinds that the run has, and the reason by kind it has not",
    },
    "export": {
        "run_id, weights": "what was written",
        "format, file, sha256": "the file that was checked and written, and its digest",
    },
    "runs list": {"runs": "the record of each, with its tags"},
    "runs show": {**_RECORD, "tags": "its names", "folds_summary?": "as `summary` of train"},
    "runs diff": {
        "runs": "the two ids",
        "config, environment, results": "pairs of values by key, where they differ",
        "losses": "side by side",
    },
}


def documents_page() -> str:
    """The documents as Markdown."""
    sections = (
        "\n".join(
            [f"**{command}**", "", *(f"- {_code(keys)}: {told}" for keys, told in keys_.items())]
        )
        for command, keys_ in DOCUMENTS.items()
    )
    return "\n\n".join(sections)


def _code(keys: str) -> str:
    return ", ".join(
        f"`{key.rstrip('?')}`" + " (if any)" * key.endswith("?") for key in keys.split(", ")
    )
