"""What `bpnet sweep` and `bpnet size` share: options, figures, and how they end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpcli.cli.common import (
    console,
    noting_missing_fonts,
    require_plot_format,
    say_warnings,
    sweep_progress,
)
from bpcli.cli.documents import print_json
from bpcli.cli.scheduler import Where
from bpcli.errors import Diverged, Interrupted, RunError

if TYPE_CHECKING:
    from bpcli.sweeps.folder import Kind, SweepFolder
    from bpcli.sweeps.planned import Planned
    from bpcli.sweeps.run_plan import PlanResults

processes_option = click.option(
    "--processes",
    type=click.IntRange(1),
    metavar="N",
    help="Number of trainings at the same time; default: the number of cores. It does not "
    "change results.",
)
figure_option = click.option(
    "--figure",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the plot: .svg, .png or .pdf; default: an .svg in the folder of the trainings.",
)


def prepare_figure(path: Path | None) -> None:
    """Check before any training that a plot can be drawn, and make its folder."""
    from bpcli.cli.limits import require_room_for
    from bpcli.runs.files import make_folder_of

    require_room_for("matplotlib")
    if path is not None:
        require_plot_format("--figure", path)
        make_folder_of(path)


def _save_figure(kind: Kind, document: Mapping[str, Any], path: Path | None) -> Path | None:
    """Draw the finished trainings; return the file, or None if there are none.

    A plot that fails is a warning, as the results are what counts.
    """
    from bpcli.plots.sizes import sizes_plot
    from bpcli.plots.sweep import sweep_plot
    from bpcli.runs.files import write_atomically

    path = path or Path(document["folder"]) / f"{kind}.svg"
    values = document["settings"] if kind == "sweep" else document["sizes"]
    if all(each["mean"] is None for each in values):
        return None
    draw = sweep_plot if kind == "sweep" else sizes_plot
    try:
        with noting_missing_fonts():
            write_atomically(path, draw(document, path))
    except (RunError, ArithmeticError, ValueError) as error:
        say_warnings([f"the plot could not be saved: {error}"])
        return None
    return path


def sweep_to_resume(reference: str, runs_dir: Path, kind: Kind) -> SweepFolder:
    """The sweep that a reference names. Raises `RunError` if there is none of this kind."""
    from bpcli.sweeps.folder import find_sweep

    sweep = find_sweep(reference, runs_dir, [kind])
    if sweep is None:
        raise RunError(
            f"There is no sweep `{reference}` in {runs_dir}: `bpnet runs list` shows all."
        )
    own = sweep.record().kind
    if own != kind:
        command = "train" if own == "restarts" else own
        raise RunError(f"Resume {sweep.sweep_id} with: bpnet {command} --resume {sweep.sweep_id}")
    return sweep


def run_planned(
    planned: Planned, into: Path | SweepFolder, where: Where, is_silent: bool
) -> PlanResults:
    """Run the trainings in a new folder of a folder of runs, or those left of a sweep."""
    with where.open(planned.configs, is_silent) as place, sweep_progress(is_silent) as progress:
        if isinstance(into, Path):
            return planned.start(into, progress, *place)
        return planned.resume(into, progress, *place)


def refuse_other_config(
    what: str, config: Path | None, overrides: tuple[str, ...], name: str | None
) -> None:
    """Refuse what would change the config of a `what` that is resumed."""
    if config is not None or overrides or name is not None:
        raise click.UsageError(
            f"--resume {what.upper()} uses the {what}'s own config: leave out CONFIG, --set and "
            "--name."
        )


def finish(
    kind: Kind,
    done: PlanResults,
    document: dict[str, Any],
    figure: Path | None,
    as_json: bool,
    show: Callable[[PlanResults], None],
) -> None:
    """Print the results, and draw them to `figure` or to a file in the sweep's folder.

    Raises `Interrupted` after a signal, and an error if all trainings failed.
    """
    from bpcli.runs.references import reference_to
    from bpcli.runs.store import Run

    if not as_json and done.results:
        show(done)
    path = _save_figure(kind, document, figure)
    if as_json:
        print_json(document | {"figure": None if path is None else str(path)})
    elif path is not None:
        console().say(f"plot saved in {path}")
    if done.signal_number is not None:
        counts = document["counts"]
        ended = f"{counts['trainings'] - counts['missing']} of {counts['trainings']}"
        error = Interrupted(f"Interrupted: {ended} trainings were finished.", done.signal_number)
        reference = reference_to(Run(done.plan.folder))
        error.add_note(f"Train the rest with: bpnet {kind} --resume {reference}")
        raise error
    failed = [each for each in done.in_order if each.has_failed]
    if len(failed) == done.plan.n_trainings:
        is_divergence = all(each.status == "diverged" for each in failed)
        raise (Diverged if is_divergence else RunError)(
            f"All {len(failed)} trainings failed. The first one: {failed[0].error}"
        )
