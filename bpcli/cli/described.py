"""The documents of `--json`, key by key: what `bpnet schema --documents` prints.

A key that ends in `?` is there in some documents only. Paths such
as `test.accuracy` name a split and a metric.
"""

from __future__ import annotations

from collections.abc import Mapping

_RECORD = {
    "run_id": "the name of its folder",
    "identity": "a random id; copies of the run have the same one",
    "fold?": "in a cross-validation: the `group`, the `number` of the fold from 1, `of` how many",
    "status": "running, finished, stopped, interrupted or diverged",
    "started": "date and time, UTC",
    "ended": "date and time of the end, UTC",
    "name, config, overrides": "the name, every value of the config by its key, and each `--set`",
    "seed, loss, reduction, l2, class_weights, weighted": "what is minimised",
    "optimizer, learning_rate, batch_size, dtype": "how it is minimised",
    "task, targets_scaled": "classification or regression; whether targets were scaled",
    "data_files, data_sha256": "each file of the data with its digest; the digest of the rows",
    "rows": "number of rows of each split",
    "layers, n_params, n_frozen": "the network and its numbers of parameters",
    "workers, shards, block": "how the work was divided",
    "argv": "the command line",
    "sha256": "the digest of each file of the run",
    "versions, platform, cpu, cores, numerics, simd, blas": "what it ran on",
    "epochs, best_epoch": "how many epochs, and the one with the lowest validation loss",
    "seconds, watching_seconds": "time of training; time of displaying and saving meanwhile",
    "stop_reason, stop_message, stop": "why training ended; each criterion with its last value",
    "diagnostics": "values that the optimizer reports of its state",
    "warning": "a likely mistake, or null",
    "metrics, baselines": "by path, of the best weights and of a constant prediction",
}

_ISSUE = "each with `file`, `line` and `column` (from 1), `key` and `message`; for an error in "
_ISSUE += "`--set`, `origin` is that option, and `file` and `line` are null"

DOCUMENTS: Mapping[str, Mapping[str, str]] = {
    "a command that fails": {
        "error": "`kind` (config, data, run, usage, numerics, limit, diverged, worker, gate, "
        "interrupted, internal), `message`, and the `issues` of a config, " + _ISSUE,
    },
    "init": {"templates": "the first line of each template by its name"},
    "init TEMPLATE": {"file": "the file written", "template": "its name"},
    "init FILE": {
        "file": "the file written",
        "table": "the FILE",
        "header, why_header": "whether row 1 names the columns, and why",
        "target, why_target": "the column to predict",
        "task, why_task": "classification or regression",
        "left_out": "the columns left out, each with the reason",
    },
    "data": {
        "file, header, separator, encoding, missing_words": "how the file is read",
        "rows, duplicates": "number of rows, and of those that repeat an earlier one",
        "target, why_target, task, why_task": "what is predicted, and why",
        "classes": "each with its number of rows",
        "columns": "each with its kind, missing values, range or most frequent categories",
        "warnings": "likely mistakes, by column",
    },
    "check": {
        "config, origins": "every value and its origin",
        "layers, n_params": "the network",
        "rows, classes": "number of rows of each split",
        "memory": "bytes needed and available",
        "initial_loss": "the loss before training, beside chance level and a constant prediction",
        "dead_units, saturated_units": "per layer, before training",
        "warnings, notes": "likely mistakes; notes on how config and data were read",
    },
    "train": {**_RECORD, "profile?": "with --profile: where an epoch's time goes"},
    "train, with folds": {
        "group, of, finished": "the id that the runs share; the number of folds; how many ended",
        "folds": "the record of each",
        "summary, baselines": "means and standard deviations by path, of runs and baselines",
    },
    "compare": {
        "name, loss, reduction, l2, batch_size": "what is minimised",
        "rows, seeds, split, metric": "rows by split; the seeds; the metric and its split",
        "interrupted": "whether trainings are missing",
        "optimizers": "a summary of each",
        "trainings": "each training with its curve",
        "figure": "the file of the plot, or null",
    },
    "eval": {
        "run_id, weights, split, rows": "what was scored",
        "metrics, baselines": "by path",
        "intervals?": "95 % intervals of the metrics",
        "classes?, confusion?": "for classes: scores of each; rows by class and prediction",
        "required": "each --require with its value, and whether it passed",
    },
    "predict": {"rows": "one per row: `outputs` by name and, for a classification, the `class`"},
    "trace": {
        "name, shown, notes, network, loss, optimizer, scale, l2": "what is worked out",
        "rows, splits, inputs, targets, row_weights, training_rows": "the rows used",
        "forward": "z and a of each layer",
        "updates": "gradient and new parameters of each step",
    },
    "gradcheck": {"checks": "each pair of loss and output with its largest error"},
    "gradcheck CONFIG|RUN": {
        "passed, rows, explanation": "the verdict",
        "tensors": "each with its error",
    },
    "gradcheck --self-test": {
        "rejections": "each wrong backward pass, and whether it was rejected"
    },
    "verify": {
        "run_id, identical, accepted, tolerance": "the verdict",
        "largest_relative_difference, largest_in": "the largest difference, and where it is",
        "epochs, losses, tensors, metrics, path_rows": "how many were compared",
        "first_data, first_split, first_epoch, first_line": "the first that differs, or null",
        "first_tensor, first_record, first_metric, first_path": "likewise",
        "then, now, breaks, explanation": "the two machines, and possible causes",
    },
    "plot": {
        "run_id, weights, split": "what is shown",
        "drawn, files": "the kinds drawn, and the files written",
        "available, unavailable": "the kinds that can be drawn; the others, each with the reason",
    },
    "export": {
        "run_id, weights": "the weights exported",
        "format, file, sha256": "the file written, and its digest",
    },
    "runs list": {"runs": "the record of each, with its tags"},
    "runs show": {**_RECORD, "tags": "its tags", "folds_summary?": "as `summary` of train"},
    "runs diff": {
        "runs": "the two ids",
        "config, environment, results": "pairs of values by key, where they differ",
        "losses": "both losses by epoch",
    },
}


def documents_page() -> str:
    """The documents as Markdown."""
    sections = (
        "\n".join(
            [f"**{command}**", "", *(f"- {_code(keys)}: {text}" for keys, text in keys_.items())]
        )
        for command, keys_ in DOCUMENTS.items()
    )
    return "\n\n".join(sections)


def _code(keys: str) -> str:
    return ", ".join(
        f"`{key.rstrip('?')}`" + " (if any)" * key.endswith("?") for key in keys.split(", ")
    )
