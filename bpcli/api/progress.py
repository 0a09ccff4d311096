"""What happens beside a training: callbacks of the caller, and lines or a live view of progress."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeAlias

from bpcli.experiment import Experiment
from bpcli.terminal.progress.plain import SilentView
from bpcli.training.loop import Epoch

Callback: TypeAlias = Callable[[Epoch], object]
"""Called after every epoch, also after epoch 0, the initial state; a true result ends training."""


def view_for(experiment: Experiment, progress: bool) -> SilentView:
    """Progress on stderr, as `bpnet train` shows it, or none."""
    if not progress:
        return SilentView()
    from bpcli.terminal.progress.choice import view_of
    from bpcli.terminal.stream import Stream

    if not sys.stderr.isatty():
        return view_of(experiment, Stream(sys.stderr), is_silent=False)
    from bpcli.terminal.console import Console

    return view_of(experiment, Console(stderr=True), is_silent=False)
