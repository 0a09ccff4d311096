"""Cross-validation: one training per fold of the data.

Each fold is saved as a run, which `eval` and `predict` treat like any other. The runs of one
cross-validation have the id of the first one as their common group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from bpcli.config.load import Config
from bpcli.config.overrides import override
from bpcli.errors import Diverged, Interrupted
from bpcli.runs.references import reference_to
from bpcli.workflows.interrupts import stop_requests
from bpcli.workflows.outcome import Outcome

TrainFold: TypeAlias = Callable[[Config, str | None], Outcome]
"""Trains the config of a fold; the text is the id of the first fold, None for the first."""


def fold_configs(config: Config) -> Iterator[Config]:
    """Yield the config of each fold; it can train that fold again alone, and so can its source."""
    data = config.spec.data
    for number in range(1, (data.split.folds or 0) + 1):
        split = data.split.model_copy(update={"fold": number})
        spec = config.spec.model_copy(update={"data": data.model_copy(update={"split": split})})
        source = config.source.copy()
        override(source, f"data.split.fold={number}")
        yield replace(config, spec=spec, source=source)


@dataclass(frozen=True)
class CrossValidation:
    """The trained folds, and the failure of the whole, if any."""

    outcomes: list[Outcome]
    failure: Exception | None


def train_folds(
    config: Config, train_fold: TrainFold, on_fold_end: Callable[[Outcome], None]
) -> CrossValidation:
    """Train each fold in turn; call `on_fold_end` after each.

    A diverged fold counts as a result. After a signal or any other failure, no more folds are
    trained, and the folds so far are returned. Raises `ConfigError` if the data do not allow the
    training.
    """
    outcomes: list[Outcome] = []
    with stop_requests() as request:
        for fold in fold_configs(config):
            if request.signal_number is not None:
                break
            outcomes.append(train_fold(fold, outcomes[0].run.run_id if outcomes else None))
            on_fold_end(outcomes[-1])
            if not isinstance(outcomes[-1].failure, Diverged | None):
                break
    folds = config.spec.data.split.folds or 0
    return CrossValidation(outcomes, _failure(outcomes, folds, request.signal_number))


def _failure(
    outcomes: Sequence[Outcome], folds: int, signal_number: int | None
) -> Exception | None:
    """Return the failure of a cross-validation: interrupted, or with diverged folds."""
    failures = [outcome.failure for outcome in outcomes if outcome.failure is not None]
    finished = f"{len(outcomes) - len(failures)} of {folds} folds were finished"
    if signal_number is not None:
        interrupted = Interrupted(f"Interrupted: {finished} and saved.", signal_number)
        if failures:
            resume = f"bpnet train --resume {reference_to(outcomes[-1].run)}"
            interrupted.add_note(f"Finish this fold, but not the later ones, with: {resume}")
        return interrupted
    if failures and isinstance(failures[-1], Diverged):
        return Diverged(f"Only {finished}; the others diverged. The first one: {failures[0]}")
    return failures[-1] if failures else None
