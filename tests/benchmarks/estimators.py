"""`BPClassifier` and `BPRegressor` against scikit-learn's MLPs, on the same rows in the same run.

`python -m benchmarks.estimators` prints tables for the handbook. Scores are accuracy or R² on test
rows: a quarter of a set, drawn anew for each split. BLAS has one thread, and so has either side.

The peer comes as it is, behind a `StandardScaler` of its inputs, and for numbers with scaled
targets too, as the estimators here scale them. At the same penalty, both sides solve the same
problem if both scale inputs and targets, or neither does. Times are those of `fit` alone.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from scipy import stats
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks.estimator_data import DATA_SETS, FROM_FOLDER, DataSet
from benchmarks.estimator_times import time_lines
from benchmarks.facts import gather
from bpcli.estimators import BPClassifier, BPRegressor
from bpcli.nn.arrays import Array

_TEST_FRACTION = 0.25
_LEVEL = 0.95
_ROOT = Path(__file__).resolve().parents[2]

Maker = Callable[[], Any]

OURS, OURS_UNSCALED = "bpcli", "bpcli, `scale=None`"
PEER, PEER_SCALED, PEER_ALL_SCALED = "MLP", "MLP, scaled inputs", "MLP, scaled targets too"


@dataclass(frozen=True)
class Comparison:
    """`options` go to both sides; `against` has each peer, and the model of ours beside it.

    `timed` are the peers whose times are compared.
    """

    title: str
    options: Mapping[str, Any]
    against: Mapping[str, str]
    timed: Sequence[str]

    @property
    def models(self) -> list[str]:
        """Each model of ours, before its peers."""
        return [
            name
            for ours in dict.fromkeys(self.against.values())
            for name in (ours, *(peer for peer, other in self.against.items() if other == ours))
        ]


_AS_DEFAULT = {PEER: OURS, PEER_SCALED: OURS, PEER_ALL_SCALED: OURS}
_AS_SAME_PROBLEM = {PEER_SCALED: OURS, PEER_ALL_SCALED: OURS, PEER: OURS_UNSCALED}

COMPARISONS = [
    Comparison("Default against default", {}, _AS_DEFAULT, [PEER, PEER_SCALED]),
    *(
        Comparison(
            f"lbfgs, alpha={alpha:g}",
            {"solver": "lbfgs", "alpha": alpha},
            _AS_SAME_PROBLEM,
            [PEER_ALL_SCALED, PEER],
        )
        for alpha in (1.0, 1e-4)
    ),
]


@dataclass(frozen=True, eq=False)
class Measured:
    """Of one model on one data set, an entry for each split (k,): scores, and seconds of `fit`."""

    scores: Array
    processor: Array
    wall: Array


def makers(is_classes: bool, options: Mapping[str, Any]) -> dict[str, Maker]:
    """What makes each model. Classes are not scaled, so one of them is for numbers alone."""
    ours: Any = BPClassifier if is_classes else BPRegressor
    peer: Any = MLPClassifier if is_classes else MLPRegressor
    made = {
        OURS: lambda: ours(**options),
        OURS_UNSCALED: lambda: ours(**options, scale=None),
        PEER: lambda: peer(**options),
        PEER_SCALED: lambda: make_pipeline(StandardScaler(), peer(**options)),
    }
    if not is_classes:
        made[PEER_ALL_SCALED] = lambda: make_pipeline(
            StandardScaler(),
            TransformedTargetRegressor(peer(**options), transformer=StandardScaler()),
        )
    return made


def compare(data: DataSet, comparison: Comparison, splits: int) -> dict[str, Measured]:
    """Fit each model on the same rows of each split, in turns."""
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for split in range(splits):
        parts = train_test_split(
            data.X,
            data.y,
            test_size=_TEST_FRACTION,
            random_state=split,
            stratify=data.y if data.is_classes else None,
        )
        made = makers(data.is_classes, {**comparison.options, "random_state": split})
        for name in comparison.models:
            if name in made:
                rows.setdefault(name, []).append(_score_and_seconds(made[name](), *parts))
    return {name: Measured(*np.array(found).T) for name, found in rows.items()}


def _score_and_seconds(
    model: Any, X: Array, X_test: Array, y: Array, y_test: Array
) -> tuple[float, float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 200 iterations may be too few
        processor, wall = time.process_time(), time.perf_counter()
        model.fit(X, y)
        processor, wall = time.process_time() - processor, time.perf_counter() - wall
    return float(model.score(X_test, y_test)), processor, wall


def is_significant(differences: Array, level: float = _LEVEL) -> bool:
    """Whether the mean of differences over random splits (k,) is not 0 by chance.

    Splits of the same rows overlap, so the variance of the mean is taken as 1/k + rows of test over
    rows of training times that of a difference (Nadeau & Bengio 2003, Machine Learning 52, 239).
    """
    count, mean = len(differences), float(np.mean(differences))
    ratio = _TEST_FRACTION / (1 - _TEST_FRACTION)
    deviation = np.sqrt((1 / count + ratio) * np.var(differences, ddof=1))
    return abs(mean) > deviation * stats.t.ppf((1 + level) / 2, count - 1)


# Tables.

Found = Mapping[str, Measured]


def table(comparison: Comparison, data: Mapping[str, DataSet], splits: int) -> Iterator[str]:
    """The lines of a table with a row for each data set, and their mean."""
    names = comparison.models
    titles = [
        "data set",
        "rows × inputs",
        *names,
        "ms",
        *(f"{peer}: time" for peer in comparison.timed),
    ]
    yield _line(titles)
    yield _line(["---"] * len(titles)).replace(" ", "")
    every = []
    for name, each in data.items():
        found = compare(each, comparison, splits)
        every.append(found)
        yield line_of(name, each, comparison, found)
    means = [np.mean([_of(found, name).scores.mean() for found in every]) for name in names]
    ratios = [
        stats.gmean([_ratios(found, comparison, peer) for found in every])
        for peer in comparison.timed
    ]
    cells = [*(f"{mean:.3f}" for mean in means), "", *(_times(*ratio) for ratio in ratios)]
    yield _line(["mean", "", *cells])


def line_of(name: str, data: DataSet, comparison: Comparison, found: Found) -> str:
    """A row of the table. A * marks a peer's score that differs from ours by more than chance."""
    scores = [_score(found, model, comparison.against.get(model)) for model in comparison.models]
    times = [_times(*_ratios(found, comparison, peer)) for peer in comparison.timed]
    milliseconds = f"{1e3 * np.median(found[OURS].processor):.0f}"
    size = f"{len(data.X):,} × {data.X.shape[1]}"
    return _line([name, size, *scores, milliseconds, *times])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _score(found: Found, model: str, ours: str | None) -> str:
    if model not in found:
        return "–"
    scores = found[model].scores
    mark = "" if ours is None or not is_significant(found[ours].scores - scores) else "\\*"
    return f"{scores.mean():.3f} ± {scores.std(ddof=1):.3f}{mark}"


def _of(found: Found, model: str) -> Measured:
    """What was measured of a model; for classes, there are no targets to scale."""
    return found[PEER_SCALED] if model == PEER_ALL_SCALED and model not in found else found[model]


def _ratios(found: Found, comparison: Comparison, peer: str) -> tuple[float, float]:
    """A peer's median processor time over that of ours, and its median wall time over ours."""
    ours, theirs = found[comparison.against[peer]], _of(found, peer)
    return (
        float(np.median(theirs.processor) / np.median(ours.processor)),
        float(np.median(theirs.wall) / np.median(ours.wall)),
    )


def _times(processor: float, wall: float) -> str:
    return f"{processor:.1f}× ({wall:.1f}×)"


# The command.


@click.command()
@click.option("--splits", type=click.IntRange(2), default=10, show_default=True)
@click.option("--quick", is_flag=True, help="Two splits of the small data sets.")
def main(splits: int, quick: bool) -> None:
    """Compare scores and times, and print Markdown.

    BPNET_DATA names the folder of real data.
    """
    folder = Path(os.environ.get("BPNET_DATA", _ROOT.parent / "shared/data"))
    data = _data_sets(folder)
    if quick:
        data, splits = {name: each for name, each in data.items() if len(each.X) < 600}, 2
    facts = gather()
    click.echo(f"{facts['date']}, {facts['cpu']}, {facts['cores']} cores, {facts['versions']}\n")
    with threadpool_limits(1):
        _warm_up()
        for comparison in COMPARISONS:
            click.echo(f"## {comparison.title}, {splits} splits\n")
            for line in table(comparison, data, splits):
                click.echo(line)
            click.echo()
        for line in time_lines(repeats=20 if quick else 200):
            click.echo(line)


def _data_sets(folder: Path) -> dict[str, DataSet]:
    if not folder.is_dir():
        click.echo(f"Without {', '.join(FROM_FOLDER)}: there is no {folder}.", err=True)
    names = [name for name in DATA_SETS if folder.is_dir() or name not in FROM_FOLDER]
    return {name: DATA_SETS[name](folder) for name in names}


def _warm_up() -> None:
    """Import what the first fit of each model imports."""
    X, y = np.eye(8), np.arange(8) % 2
    for is_classes in (True, False):
        for comparison in COMPARISONS:
            for make in makers(is_classes, {**comparison.options, "max_iter": 2}).values():
                _score_and_seconds(make(), X, X, y, y)


if __name__ == "__main__":
    main()
