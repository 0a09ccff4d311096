"""`Run.prune`: a smaller network that is as good."""

from __future__ import annotations

from pathlib import Path

from bpcli.api.documents import Document, Page
from bpcli.api.progress import pruning_view_for
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs import store
from bpcli.runs.trained import Weights, load_trained
from bpcli.terminal.progress import SilentView
from bpcli.terminal.pruning import show_pruning
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.prune import How, prune, with_overrides
from bpcli.workflows.pruned_run import save_kept
from bpcli.workflows.pruning_document import pruning_document


def pruned(
    stored: store.Run,
    weights: Weights,
    how: How,
    runs_dir: Path,
    name: str | None,
    progress: bool,
) -> tuple[Outcome | None, Document]:
    """The run of the network that is kept, if it is a smaller one, and the document."""
    with repeatable_numerics():
        trained = with_overrides(load_trained(stored, weights), how)
    with pruning_view_for(progress) as view:
        path = prune(trained, how, view.on_step)
    kept = save_kept(path, runs_dir, SilentView(), name) if path.kept_number else None
    document, page = pruning_document(path, kept), Page()
    show_pruning(document, page.stream)
    return None if kept is None else kept.outcome, Document(document, page.text)
