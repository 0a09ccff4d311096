"""What runs alongside a training: callbacks of the caller, and lines or a live view of progress."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeAlias

from bpcli.experiment import Experiment
from bpcli.terminal.progress.plain import SilentView
from bpcli.terminal.stream import Stream
from bpcli.terminal.sweep import SilentProgress
from bpcli.workflows.stop_decision import Observer

if TYPE_CHECKING:
    from bpcli.terminal.console import Console
    from bpcli.terminal.pruning_progress import SilentPathView

Callback: TypeAlias = Observer
"""Called after every epoch, also after epoch 0, the initial state; a true result ends training."""


def view_for(experiment: Experiment, progress: bool) -> SilentView:
    """Progress on stderr, as `bpnet train` shows it, or none."""
    if not progress:
        return SilentView()
    from bpcli.terminal.progress.choice import view_of

    view = view_of(experiment, _stderr(), is_silent=False)
    view.says_warnings = False
    return view


def sweep_view_for(progress: bool) -> SilentProgress:
    """Progress of many trainings on stderr, or none."""
    from bpcli.terminal.progress.choice import sweep_view_of

    return sweep_view_of(_stderr(), is_silent=not progress)


def pruning_view_for(progress: bool) -> SilentPathView:
    """Progress of a pruning on stderr, or none."""
    from bpcli.terminal.pruning_progress import path_view

    return path_view(_stderr(), is_silent=not progress)


def _stderr() -> Console | Stream:
    """Standard error as a terminal or a stream."""
    if sys.stderr.isatty():
        from bpcli.terminal.console import Console

        return Console(stderr=True)
    return Stream(sys.stderr)
