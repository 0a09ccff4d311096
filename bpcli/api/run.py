"""A trained run as an object, and how to load one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from bpcli.api.configs import AnyPath, Overrides, assignments
from bpcli.api.documents import Document, Page
from bpcli.api.predictor import Predictor
from bpcli.api.progress import Callback, view_for
from bpcli.api.scratch import Scratch
from bpcli.api.summary import html_of, lines_of
from bpcli.api.warn import warn
from bpcli.data.types import SPLITS, DataFrame, SplitName
from bpcli.errors import ConfigError, Interrupted
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.references import find_run
from bpcli.runs.trained import Weights
from bpcli.text import did_you_mean
from bpcli.workflows.outcome import Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bpcli.pruning.removal import Saliency
    from bpcli.runs.subject import Subject
    from bpcli.workflows.intervals import Method
    from bpcli.workflows.prune import Only


class Run(Predictor):
    """A trained network with its config, results and data, in a folder.

    `train` and `load_run` make runs. Attributes that describe the training are those of the moment
    when the object was made; a run that was trained without a `runs_dir` exists as long as this
    object or one that it has made.

    >>> run = bpcli.load_run("latest")
    >>> run.metrics["train.accuracy"]
    1.0
    """

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
        from bpcli.api.evaluation import evaluation, requirements_of
        from bpcli.workflows.score_run import Asked

        chosen = _split_named(split)
        measured = None if interval is None else (interval, method, by)
        asked = Asked(intervals, requirements_of(require), measured)
        return evaluation(self._stored, self.weights, chosen, data, asked)

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
        from bpcli.workflows.explain_run import Asked

        chosen = _split_named(split)
        asked = Asked(row, effects, rows, repeats, seed, workers)
        return explanation(self._stored, self.weights, chosen, data, asked, figure)

    @property
    def plots(self) -> tuple[str, ...]:
        """The kinds of plots that this run has."""
        from bpcli.plots import reasons

        by_kind = reasons(self._subject(None))
        return tuple(kind for kind, reason in by_kind.items() if reason is None)

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
            trained = self._trained.uncalibrated
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
