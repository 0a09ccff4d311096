"""`bpnet prune`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpcli.cli.common import (
    console,
    examples,
    noting_missing_fonts,
    require_plot_format,
    say_notes,
    say_warnings,
    set_option,
)
from bpcli.cli.documents import print_json
from bpcli.cli.references import Reference, run_options
from bpcli.errors import RunError

if TYPE_CHECKING:
    from bpcli.workflows.pruned_run import KeptRun


@click.command(
    "prune",
    short_help="Remove the inputs and hidden units that a run does not need.",
    epilog=examples("prune"),
)
@click.argument("run")
@click.option(
    "--method",
    type=click.Choice(["surgeon", "magnitude"]),
    default="surgeon",
    show_default=True,
    help="The order of removal. `surgeon`: first what raises the loss least by its second "
    "derivatives, and all other weights are adjusted (optimal brain surgeon). `magnitude`: "
    "first what has the smallest weights.",
)
@click.option("--only", type=click.Choice(["inputs", "units"]), help="Remove only these.")
@click.option(
    "--patience",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    metavar="N",
    help="Stop after N consecutive networks that are too poor to keep.",
)
@set_option
@click.option(
    "--name", help="Name of the new run; default: the name of RUN with `-pruned` appended."
)
@click.option(
    "--figure",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the plot: .svg, .png or .pdf; default: plots/pruning.svg in the new run's "
    "folder.",
)
@run_options
def command(
    run: Reference,
    method: str,
    only: str | None,
    patience: int,
    overrides: tuple[str, ...],
    name: str | None,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Remove inputs and hidden units one by one, and keep the smallest network that is as good.

    Each removal is followed by a training with the optimizer and the stop rules of RUN; --set
    changes keys of `training`. An input is a column of the table, with all its categories. Of the
    networks, the smallest one is kept whose validation loss is within one standard error of the
    best. It is saved as a new run, and compared with RUN on the test set, which was not used to
    choose it. RUN is not changed. Ctrl-C before the new run has begun saves nothing.
    """
    from bpcli.workflows.interrupts import stop_requests

    if figure is not None:
        require_plot_format("--figure", figure)
    # From here on: an exception raised by Ctrl-C in the middle of an import can get lost.
    with stop_requests():
        how = (method, only, patience, overrides)
        document, kept = _pruned(run, how, name, as_json)
    if not as_json:
        _print(document, kept)
    saved = _save_figure(document, figure, kept)
    if as_json:
        print_json(document | {"figure": None if saved is None else str(saved)})
    elif saved is not None:
        console().say(f"plot saved in {saved}")
    if kept is not None and kept.outcome.failure is not None:
        raise kept.outcome.failure


def _pruned(
    run: Reference,
    given: tuple[str, str | None, int, tuple[str, ...]],
    name: str | None,
    is_silent: bool,
) -> tuple[dict[str, Any], KeptRun | None]:
    """The document of the path, and the new run, if a smaller network is kept."""
    from bpcli.cli.limits import require_room_for
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.terminal.progress import SilentView
    from bpcli.terminal.pruning_progress import path_view
    from bpcli.workflows.prune import How, prune, with_overrides
    from bpcli.workflows.pruned_run import save_kept
    from bpcli.workflows.pruning_document import pruning_document

    require_room_for("matplotlib")
    how = How(*given)  # type: ignore[arg-type]  # click checked them
    with repeatable_numerics():
        trained = with_overrides(run.load(), how)
    with path_view(console(stderr=True), is_silent) as view:
        path = prune(trained, how, view.on_step)
    kept = save_kept(path, run.runs_dir, SilentView(), name) if path.kept_number else None
    return pruning_document(path, kept), kept


def _print(document: Mapping[str, Any], kept: KeptRun | None) -> None:
    from bpcli.runs.references import reference_to
    from bpcli.terminal.pruning import show_pruning

    out = console()
    show_pruning(document, out)
    if kept is None:
        return
    say_warnings(kept.outcome.warnings)
    if kept.paired is not None:
        say_notes(kept.paired.notes)
    run = reference_to(kept.outcome.run)
    out.say(f"saved in {kept.outcome.run.folder}")
    out.say(f"score it with: bpnet eval {run}")


def _save_figure(
    document: Mapping[str, Any], path: Path | None, kept: KeptRun | None
) -> Path | None:
    """Draw the path; return the file. A plot that fails is a warning."""
    from bpcli.plots.pruning import pruning_plot
    from bpcli.runs.files import make_folder_of, write_atomically

    if path is None and kept is not None:
        path = kept.outcome.run.folder / "plots" / "pruning.svg"
    if path is None:
        return None
    try:
        with noting_missing_fonts():
            make_folder_of(path)
            write_atomically(path, pruning_plot(document, path))
    except (RunError, ArithmeticError, ValueError) as error:
        say_warnings([f"the plot could not be saved: {error}"])
        return None
    return path
