"""A trained run as an object, and how to load one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

from bpcli.api.configs import AnyPath, Overrides, assignments
from bpcli.api.documents import Document, Page
from bpcli.api.network import Network, Parameters
from bpcli.api.predictions import (
    RowSource,
    answers_of,
    answers_with_intervals,
    inputs_of,
    outputs_of,
    probabilities_of,
)
from bpcli.api.progress import Callback, view_for
from bpcli.api.scratch import Scratch
from bpcli.api.summary import html_of, lines_of
from bpcli.api.warn import warn
from bpcli.config.source import Source
from bpcli.data.types import SPLITS, DataFrame, SplitName
from bpcli.errors import ConfigError, Interrupted
from bpcli.export.model import Model, load_model
from bpcli.nn.arrays import Array
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs import store
from bpcli.runs.layout import RESOLVED
from bpcli.runs.metrics_log import Numbers
from bpcli.runs.references import find_run
from bpcli.runs.saved import Scores
from bpcli.runs.trained import Trained, Weights, load_trained
from bpcli.text import did_you_mean
from bpcli.workflows.frames import RowsInMemory
from bpcli.workflows.outcome import Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bpcli.pruning.removal import Saliency
    from bpcli.runs.subject import Subject
    from bpcli.workflows.interval_columns import Columns
    from bpcli.workflows.intervals import Method
    from bpcli.workflows.prune import Only

_WEIGHTS: tuple[Weights, ...] = ("best", "last")


class Run:
    """A trained network with its config, results and data, in a folder.

    `train` and `load_run` make runs. Attributes that describe the training are those of the moment
    when the object was made; a run that was trained without a `runs_dir` exists as long as this
    object or one that it has made.

    >>> run = bpcli.load_run("latest")
    >>> run.metrics["train.accuracy"]
    1.0
    """

    def __init__(
        self,
        stored: store.Run,
        weights: Weights = "best",
        *,
        notes: Sequence[str] = (),
        scratch: Scratch | None = None,
    ) -> None:
        if weights not in _WEIGHTS:
            raise ConfigError(f"The weights are `{weights}`: expected `best` or `last`.")
        self.weights: Weights = weights
        """The weights that predictions use: `best` on validation, or of the `last` epoch."""
        self.notes = tuple(notes)
        """What was guessed in reading the config and the data; empty for a run that was loaded."""
        self._stored = stored
        self._record = stored.record()
        self._scratch = scratch

    # What was trained, and how it ended.

    @property
    def id(self) -> str:
        """The name of its folder, which names it on the command line too."""
        return self._stored.run_id

    @property
    def name(self) -> str:
        """The name in its config."""
        return self._record.name

    @property
    def folder(self) -> Path:
        """Where it is saved."""
        return self._stored.folder

    @property
    def record(self) -> dict[str, Any]:
        """The content of run.json; the handbook's chapter `documents` has its keys."""
        return self._record.to_json()

    @cached_property
    def resolved(self) -> str:
        """The config as YAML with every default written out."""
        return self._stored.checked(RESOLVED, self._record).read_text("utf-8")

    @property
    def config(self) -> dict[str, Any]:
        """The config with every default, as nested mappings and lists."""
        return Source.parse(self.resolved, RESOLVED).tree

    @property
    def status(self) -> str:
        """`finished`, `interrupted`, `diverged`, `failed`, or `running` in another process."""
        return self._record.status

    @property
    def stop_reason(self) -> str:
        """The stop rule that ended training, `callback`, or another cause."""
        return self._record.stop_reason

    @property
    def epochs(self) -> int:
        """The number of epochs trained."""
        return self._record.epochs

    @property
    def best_epoch(self) -> int:
        """The epoch of the lowest validation loss; without a validation set, the last one."""
        return self._record.best_epoch

    @property
    def seconds(self) -> float:
        """The time that training took."""
        return self._record.seconds

    @property
    def metrics(self) -> Scores:
        """Metrics by path, such as `test.accuracy`, of the best weights; None if undefined."""
        return dict(self._record.metrics)

    @property
    def baselines(self) -> dict[str, Scores]:
        """The same metrics of predictions that use no network, such as a constant."""
        return {name: dict(scores) for name, scores in self._record.baselines.items()}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Likely mistakes, found before training and at its end."""
        return tuple(self._record.warnings)

    @property
    def history(self) -> DataFrame:
        """The logged epochs, one per row, with the epoch as index.

        Columns are the keys of metrics.jsonl; a list with a number for each layer becomes one
        column per layer: `grad_norms.1` … Values that are not finite are NaN, as are the metrics
        of a line without metrics. `training.log_every: 1` logs every epoch, and
        `training.metrics_every: 1` the metrics of every epoch.
        """
        import pandas as pd

        rows = [_flat(line.numbers()) for line in self._stored.metrics()]
        epochs = pd.Index([row.pop("epoch") for row in rows], int, name="epoch")
        return pd.DataFrame(rows, epochs).astype(float)

    # The trained network.

    @cached_property
    def _model(self) -> Model:
        with repeatable_numerics():
            model = load_model(self._stored, self.weights)
        warn(model.notes)
        return model

    @cached_property
    def _trained(self) -> Trained:
        with repeatable_numerics():
            trained = load_trained(self._stored, self.weights)
        warn(trained.notes)
        return trained

    def with_weights(self, weights: Weights) -> Run:
        """The same run, whose predictions use the `best` or the `last` weights."""
        return Run(self._stored, weights, notes=self.notes, scratch=self._scratch)

    @property
    def network(self) -> Network:
        """A copy of the trained network; its inputs and outputs are scaled, see `inputs`."""
        model = self._model
        return Network._of(model.network, model.params)

    @property
    def parameters(self) -> Parameters:
        """The trained parameters of each layer, {"W": (units, inputs), "b": (units,)}, as copies.

        A layer without biases has None in place of b.
        """
        return self.network.parameters

    @property
    def input_names(self) -> tuple[str, ...]:
        """The columns that a prediction needs, in the order of training."""
        return tuple(column.name for column in self._model.encoder.inputs)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, or of the labels; empty if the targets are values."""
        return self._model.preprocessor.categories

    # Predictions.

    @overload
    def predict(self, rows: RowSource) -> Array | DataFrame: ...

    @overload
    def predict(
        self, rows: RowSource, *, interval: float, method: Method = ..., by: str | None = ...
    ) -> tuple[Array, ...]: ...

    def predict(
        self,
        rows: RowSource,
        *,
        interval: float | None = None,
        method: Method = "conformal",
        by: str | None = None,
    ) -> Array | DataFrame | tuple[Array | DataFrame, ...]:
        """Predict rows: classes (n,), or values in original units, (n,) or (n, k).

        `rows` is a DataFrame, whose columns are found by name while others are ignored; an array or
        lists of the training's inputs in order; or the path of a file, read as `bpnet predict`
        reads it. For several labels, the result is a DataFrame of their texts. Missing values that
        were filled, unknown categories and guesses about a file are warnings (`BpnetWarning`).

        With a level as `interval`, such as 0.9, the result is the values with the low and the high
        ends of their intervals, or the classes with their sets (n, classes) of true and false;
        `method` and `by` are those of `bpnet predict`. `delta` and `posterior` also give the
        standard deviations by the parameters and by the noise.

        Raises `DataError` with the column and row of a value that cannot be used, `ConfigError` for
        a wrong level, and `RunError` if the run has no such intervals.

        >>> run.predict([[0, 0], [0, 1]])
        array([0, 1])
        """
        if interval is None:
            return answers_of(self._model, outputs_of(self._model, rows))
        return answers_with_intervals(self._model, rows, self._intervals(interval, method, by))

    def _intervals(self, level: float, method: Method, by: str | None) -> Columns:
        """What goes beside predictions; fitted once, as that may be a training of its own."""
        from bpcli.workflows.intervals import calibrated

        key = level, method, by
        if key not in self._calibrated:
            with repeatable_numerics():
                found = calibrated(self._trained, level, method, by=by, weights=self.weights)
            self._calibrated[key] = found.columns
        columns = self._calibrated[key].afresh()
        warn(columns.unpromised)
        return columns

    @cached_property
    def _calibrated(self) -> dict[tuple[float, Method, str | None], Columns]:
        return {}

    def predict_proba(self, rows: RowSource) -> Array:
        """The probabilities (n, classes) of the `classes` in their order, or of each label.

        Raises `RunError` if the network predicts values, or its outputs are not probabilities.
        """
        return probabilities_of(self._model, self.outputs(rows))

    def outputs(self, rows: RowSource) -> Array:
        """The network's outputs (n, outputs), in original units."""
        return outputs_of(self._model, rows)

    def inputs(self, rows: RowsInMemory) -> Array:
        """The rows (n, inputs) as the network gets them: categories one-hot, numbers scaled.

        `run.network.forward(run.inputs(rows))` are its outputs before they are scaled back.
        """
        return inputs_of(self._model, rows)

    # Scores, plots, and a closer look.

    def evaluate(
        self,
        split: str | None = None,
        *,
        data: DataFrame | AnyPath | None = None,
        intervals: bool | None = None,
        require: Sequence[str] = (),
        interval: float | None = None,
        method: Method = "conformal",
        by: str | None = None,
    ) -> Document:
        """Score a split, beside baselines: the document of `bpnet eval --json`.

        By default the test set, else the validation set, else the training set. `data` is a
        DataFrame or a file with other rows of the training's columns. `intervals` says whether to
        compute 95 % intervals by the bootstrap, by default for up to 20,000 rows. `require` are
        conditions such as "test.accuracy>=0.9". With a level as `interval`, the document has the
        measured `coverage` of the intervals of `predict`, with their `method` and `by`.

        Raises `GateFailed`, one of the `BpnetError`, if a condition is not met; `ConfigError` for
        an unknown split, `RunError` if it is empty.
        """
        from bpcli.api.evaluation import Interval, evaluation

        chosen = _split_named(split)
        asked = None if interval is None else Interval(interval, method, by)
        return evaluation(self._stored, self.weights, chosen, data, intervals, require, asked)

    def explain(
        self,
        split: str | None = None,
        *,
        data: DataFrame | AnyPath | None = None,
        row: int | None = None,
        effects: Literal["ale", "pd"] = "ale",
        rows: int | None = None,
        repeats: int | None = None,
        seed: int | None = None,
        workers: int | None = None,
        figure: AnyPath | None = None,
    ) -> Document:
        """Show which inputs matter, and how: the document of `bpnet explain --json`.

        The rows are those of a split, by default as in `evaluate`, or `data`, a DataFrame or a
        file with the training's columns. With `row`, the document has the Shapley values of the
        row with this number. `figure` is a file to draw plots into. The number of `workers` does
        not change the result.

        Raises `ConfigError` for an unknown split or value, `RunError` if there are too few rows.
        """
        from bpcli.api.explanation import explanation

        chosen = _split_named(split)
        options = effects, rows, repeats, seed, workers
        return explanation(self._stored, self.weights, chosen, data, row, options, figure)

    @property
    def plots(self) -> tuple[str, ...]:
        """The kinds of plots that this run has."""
        from bpcli.plots import reasons

        found = reasons(self._subject(None))
        return tuple(kind for kind, reason in found.items() if reason is None)

    def plot(
        self,
        kind: str,
        *,
        split: str | None = None,
        interval: float | None = None,
        method: Method = "conformal",
    ) -> Figure:
        """Draw one of the `plots`: a matplotlib figure, which a notebook shows.

        `split` chooses the rows of plots of predictions, by default as in `evaluate`. The figure
        does not belong to pyplot: save it with `figure.savefig("loss.svg")`. `interval` is a level,
        such as 0.9: `fit` and `predicted` then show intervals that contain the target with this
        probability, by a `method` of `bpnet predict`.

        Raises `ConfigError` for an unknown kind or split, `RunError` for one that this run does not
        have.
        """
        from bpcli.api.warn import warn
        from bpcli.plots.fonts import missing_characters, note_on_fonts
        from bpcli.workflows.plot import drawn

        with missing_characters() as missing:
            figure = drawn(self._subject(split, interval, method), kind)
        warn([note_on_fonts(missing)] if missing else [])
        return figure

    def _subject(
        self, split: str | None, level: float | None = None, method: Method = "conformal"
    ) -> Subject:
        from bpcli.workflows.intervals import Method
        from bpcli.workflows.subject import load_subject

        if method not in get_args(Method):
            raise ConfigError(
                f"There is no method `{method}`; allowed: {', '.join(get_args(Method))}."
            )
        return load_subject(self._stored, self.weights, _split_named(split), level, method)

    def trace(
        self, rows: Iterable[int] | None = None, *, steps: int = 1, entry: str | None = None
    ) -> Document:
        """Compute every number of some updates of the network, as `bpnet trace` does.

        `rows` are rows of the table, counted from 1, such as range(1, 5); by default the training
        set if it is small, else its first row. `entry` is an entry to compute in detail, such as
        "W1[2,1]". Returns the document of `bpnet trace --json`, which is displayed as text.
        """
        from bpcli.trace.numbers import trace
        from bpcli.trace.plain import show
        from bpcli.trace.walk import walk

        if steps < 1:
            raise ConfigError(f"`steps` is {steps}: expected at least 1.")
        chosen = None if rows is None else list(rows)
        with repeatable_numerics():
            trained = self._trained
            traced = trace(
                trained.experiment, trained.params, rows=chosen, steps=steps, entry=entry
            )
            page = Page()
            show(walk(traced), page.stream, str)
        return Document(traced.to_json(), page.text)

    # The run itself.

    def verify(self, tolerance: float | None = None) -> Document:
        """Train again and compare bit by bit: the document of `bpnet verify --json`.

        It is true if everything is identical, or the relative differences are at most `tolerance`.
        Takes as long as the training did. Raises `RunError` if the run cannot be trained again.
        """
        from bpcli.workflows.verify import verify

        verdict = verify(self._stored, tolerance)
        text = "\n".join([f"{verdict.run_id} is {verdict.sentence}", *verdict.explanation])
        return Document(verdict.to_json(), text, verdict.is_accepted)

    def resume(
        self,
        epochs: int | None = None,
        *,
        overrides: Overrides = (),
        callbacks: Sequence[Callback] = (),
        progress: bool = False,
    ) -> Run:
        """Continue from the newest checkpoint, with the same bits as an uninterrupted training.

        `epochs` is the new total. The run continues in its folder; this object is updated and
        returned. Otherwise like `train`.

        Raises `RunError` if there is nothing to do, or data, files or other keys have changed.
        """
        from dataclasses import replace

        from bpcli.workflows.resume import resume, resumption

        given = assignments(overrides)
        if epochs is not None:
            given.append(f"training.epochs={epochs}")
        with resumption(self._stored, given) as ready:
            ready = replace(ready, observers=tuple(callbacks))
            with view_for(ready.experiment, progress) as view:
                outcome = resume(ready, view)
            warned = ready.warnings
        run = run_of(outcome, self.notes, self._scratch, self.weights, warned)
        self.__dict__.clear()
        self.__dict__.update(vars(run))
        return self

    def prune(
        self,
        method: Saliency = "surgeon",
        *,
        only: Only | None = None,
        patience: int = 5,
        overrides: Overrides = (),
        runs_dir: AnyPath | None = None,
        name: str | None = None,
        progress: bool = False,
    ) -> tuple[Run, Document]:
        """Remove inputs and hidden units, as `bpnet prune` does.

        Returns the run of the smallest network that is as good, which is saved beside this run or
        in `runs_dir`, and the document of `bpnet prune --json`. If every smaller network is worse,
        it is this run. `overrides` are keys of `training`.

        Raises `RunError` for a run that cannot be pruned: it needs a validation set.
        """
        from bpcli.api.pruning import pruned
        from bpcli.workflows.prune import How

        given = assignments(overrides)
        folder = self.folder.parent if runs_dir is None else Path(runs_dir)
        how = How(method, only, patience, given)
        kept, document = pruned(self._stored, self.weights, how, folder, name, progress)
        if kept is None:
            return self, document
        return run_of(kept, (), None if runs_dir is not None else self._scratch), document

    def export(
        self,
        format: str,  # noqa: A002
        path: AnyPath | None = None,
        *,
        precision: str = "double",
        html: bool = False,
        digits: int | None = None,
        interval: float | None = None,
        force: bool = False,
    ) -> Path:
        """Write the network with its preprocessing for other programs; return the path.

        The format is `python`, `c`, `javascript`, `matlab`, `xlsx`, `sql`, `latex`, `onnx` or
        `json`. A C file computes in `precision`, double or float; with `html`, JavaScript is a page
        with a control per input; LaTeX has `digits` significant digits, by default 5. `interval` is
        a level, such as 0.9: Python, C, JSON and Excel files of values then have conformal
        intervals that contain the target with this probability, calibrated on validation rows.

        The file is run first, and written only if its predictions equal those of this run. If no
        program to run it is installed, a `BpnetWarning` says that it is not verified. Raises
        `ConfigError` if it exists and not `force`, or if the format is unknown.
        """
        from bpcli.export.export import FORMATS, export, variant_of
        from bpcli.workflows.export_intervals import with_intervals

        if format not in FORMATS:
            hint = f"{did_you_mean(format, FORMATS)}; allowed: {', '.join(FORMATS)}"
            raise ConfigError(f"There is no format `{format}`{hint}.")
        target = None if path is None else Path(path)
        variant = variant_of(precision, html, digits)
        with repeatable_numerics():
            model = self._model
            if interval is not None:
                model, _ = with_intervals(model, self._trained, interval)
            exported = export(
                model, format, target, variant=variant, force=force, hint="give force=True"
            )
        if exported.not_verified is not None:
            warn([f"{exported.path} is not verified: {exported.not_verified}"])
        return exported.path

    def __repr__(self) -> str:
        return "\n".join(lines_of(self._record, self._stored.folder, self.weights))

    def _repr_html_(self) -> str:
        return html_of(self._record, self._stored.folder, self.weights)


def _split_named(name: str | None) -> SplitName | None:
    """The split with this name. Raises `ConfigError` if there is none."""
    for split in SPLITS:
        if name == split:
            return split
    if name is not None:
        raise ConfigError(f"There is no split `{name}`: expected {', '.join(SPLITS)}.")
    return None


def _flat(line: Mapping[str, Numbers]) -> dict[str, float | None]:
    """A line of the log with one column for each number."""
    flat: dict[str, float | None] = {}
    for key, value in line.items():
        if isinstance(value, Sequence):
            flat |= {f"{key}.{layer}": each for layer, each in enumerate(value, 1)}
        else:
            flat[key] = value
    return flat


def load_run(
    reference: AnyPath = "latest",
    runs_dir: AnyPath = "runs",
    weights: Weights = "best",
) -> Run:
    """Load a saved run.

    `reference` is an id, a unique beginning of one, a tag, a name, `latest`, `latest~1`, or a path.
    `weights` are those that predictions use: the `best` on validation, or those of the `last`
    epoch.

    Raises `RunError` if it names no run or several, or if the run is damaged.

    >>> run = bpcli.load_run("latest")
    >>> run.predict([[0, 1]])
    array([1])
    """
    return Run(find_run(os.fspath(reference), Path(runs_dir)), weights)


def run_of(
    outcome: Outcome,
    notes: Sequence[str],
    scratch: Scratch | None,
    weights: Weights = "best",
    warned: Iterable[str] = (),
) -> Run:
    """The run of a training that has ended.

    Its warnings become Python warnings; so does an interruption by Ctrl-C, as the network is
    usable. Any other failure is raised, with the run as its attribute `run`.
    """
    run = Run(outcome.run, weights, notes=notes, scratch=scratch)
    failure = outcome.failure
    if isinstance(failure, Interrupted) and failure.signal_number == signal.SIGINT:
        warned = [*warned, f"interrupted after epoch {run.epochs}: `resume` continues the run"]
        failure = None
    warn([*warned, *run.warnings])
    if failure is None:
        return run
    if scratch is not None:
        _drop_notes_on(run.id, failure)
    failure.run = run  # type: ignore[attr-defined]  # other errors, such as a callback's, too
    raise failure


def _drop_notes_on(run_id: str, failure: Exception) -> None:
    """Drop the notes that say where the run is saved: that folder is removed."""
    notes = vars(failure).pop("__notes__", ())
    for note in notes:
        if run_id not in note:
            failure.add_note(note)
