"""Starter configs of `bpnet init` against scikit-learn's MLP, on tables with gaps and categories.

`python -m benchmarks.starters FOLDER [SEEDS]` prints a table for the handbook; FOLDER has the real
tables. Scores are accuracy or R² on the test set, with the constant baseline beside them.

scikit-learn trains on the training and the validation set, with its defaults, behind the usual
pipeline: medians and most frequent categories for gaps, one-hot categories, standard scaling of
inputs and of targets.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.mixed_tables import DRAWN, real_tables
from bpcli.config.load import load_config
from bpcli.data.columns import FeatureEncoder
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.look import look_at
from bpcli.experiment import Experiment, build
from bpcli.runs.run_json import RunRecord
from bpcli.terminal.progress import SilentView
from bpcli.workflows.starter import starter_config
from bpcli.workflows.train import train


@dataclass(frozen=True)
class Scores:
    """Accuracy or R² on the test set; for a classifier, the log loss too."""

    ours: float
    constant: float
    peer: float
    is_classification: bool


def drawn_tables() -> dict[str, pd.DataFrame]:
    return {name: draw(np.random.default_rng(i)) for i, (name, draw) in enumerate(DRAWN.items())}


def scores(frame: pd.DataFrame, folder: Path, seed: int) -> Scores:
    """Train both on the same rows."""
    experiment, record = trained(frame, folder, seed)
    is_classification = bool(experiment.table.class_names)
    metric = "test.accuracy" if is_classification else "test.r2"
    ours, (constant, *_) = record.metrics[metric], record.baselines.values()
    assert ours is not None
    peer = _peer(frame, experiment, seed)
    return Scores(ours, constant[metric] or 0.0, peer, is_classification)


def trained(frame: pd.DataFrame, folder: Path, seed: int) -> tuple[Experiment, RunRecord]:
    """Train as `init` proposes."""
    path = folder / "table.csv"
    frame.to_csv(path, index=False)
    config = path.with_suffix(".yaml")
    config.write_text(starter_config(look_at(path, Dialect(header=None)), config), "utf-8")
    experiment = build(load_config(config, (f"seed={seed}",)))
    return experiment, train(experiment, folder / "runs", SilentView()).record


def _peer(frame: pd.DataFrame, experiment: Experiment, seed: int) -> float:
    encoder, splits = experiment.table.encoder, experiment.splits
    assert encoder is not None
    training = np.concatenate([splits["train"].index, splits["val"].index])
    test, target = splits["test"].index, encoder.targets[0]
    model = _pipeline(encoder, seed)
    X, y = _columns(frame, encoder), frame[target]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of 200 iterations that are too few
        model.fit(X.iloc[training], y.iloc[training])
    return float(model.score(X.iloc[test], y.iloc[test]))


def _columns(frame: pd.DataFrame, encoder: FeatureEncoder) -> pd.DataFrame:
    """The inputs as scikit-learn takes them: floats, and texts with None for gaps."""
    columns = {}
    for column in encoder.inputs:
        values = frame[column.name]
        if column.kind == "category":
            columns[column.name] = values.astype(object).where(values.notna(), None)
        else:
            columns[column.name] = values.astype(float)
    return pd.DataFrame(columns)


def _pipeline(encoder: FeatureEncoder, seed: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    categories = [column.name for column in encoder.inputs if column.kind == "category"]
    numbers = [column.name for column in encoder.inputs if column.kind != "category"]
    fill = SimpleImputer(strategy="most_frequent", missing_values=None)
    prepare = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (make_pipeline(fill, OneHotEncoder(handle_unknown="ignore")), categories),
    )
    if encoder.class_names:
        return make_pipeline(prepare, MLPClassifier(random_state=seed))
    regressor = TransformedTargetRegressor(
        MLPRegressor(random_state=seed), transformer=StandardScaler()
    )
    return make_pipeline(prepare, regressor)


def rows(tables: dict[str, pd.DataFrame], seeds: int) -> Iterator[str]:
    """A row of the handbook's table for each table, and their mean."""
    means = []
    yield "| table | rows | score | `bpnet init` | scikit-learn | constant |"
    yield "|---|---|---|---|---|---|"
    for name, frame in tables.items():
        with tempfile.TemporaryDirectory() as folder:
            found = [scores(frame, Path(folder), seed) for seed in range(seeds)]
        ours, peer, constant = (
            np.mean([getattr(each, who) for each in found]) for who in ("ours", "peer", "constant")
        )
        means.append((ours, peer, constant))
        score = "accuracy" if found[0].is_classification else "R²"
        yield f"| {name} | {len(frame):,} | {score} | {ours:.3f} | {peer:.3f} | {constant:.3f} |"
    ours, peer, constant = np.mean(means, axis=0)
    yield f"| mean | | | {ours:.3f} | {peer:.3f} | {constant:.3f} |"


if __name__ == "__main__":
    every = real_tables(Path(sys.argv[1])) | drawn_tables()
    for row in rows(every, int(sys.argv[2]) if len(sys.argv) > 2 else 5):
        print(row, flush=True)
