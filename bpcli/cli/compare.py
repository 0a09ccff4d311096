"""`bpnet compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpcli.cli.common import (
    console,
    examples,
    json_option,
    noting_missing_fonts,
    require_plot_format,
    runs_dir_option,
    say_notes,
    set_option,
)
from bpcli.cli.documents import print_json
from bpcli.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpcli.config.alternatives import Alternative
    from bpcli.workflows.compare import Comparison


@click.command(
    "compare",
    short_help="Train with several optimizers and compare them.",
    epilog=examples("compare"),
)
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--optimizers",
    required=True,
    metavar="LIST",
    help="The optimizers: names or mappings such as {name: sgd, momentum: 0.5}, separated by "
    "commas.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="The number of trainings per optimizer: the first uses the config's seed, each further "
    "one the next seed. The table shows medians.",
)
@click.option(
    "--figure",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the plot: .svg, .png or .pdf; default: compare-NAME.svg in --runs-dir.",
)
@set_option
@runs_dir_option
@json_option
def command(
    config: Path,
    optimizers: str,
    seeds: int,
    figure: Path | None,
    overrides: tuple[str, ...],
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Train the same network from the same initial weights with several optimizers.

    Prints the cost and the result of each, and plots the loss against gradient evaluations and
    time. The config's learning rate is for its own optimizer; the others use their defaults, unless
    --set gives a rate for all. Exit code 3 if every training diverged.
    """
    from bpcli.workflows.interrupts import stop_requests

    # From here on: an exception raised by Ctrl-C in the middle of an import can get lost.
    with stop_requests():
        from bpcli.config.alternatives import load_alternatives
        from bpcli.workflows.compare import begin, compare

        alternatives = load_alternatives(config, overrides, optimizers)
        path = figure or runs_dir / f"compare-{alternatives[0].config.spec.name}.svg"
        require_plot_format("--figure", path)
        comparison = begin(alternatives, seeds)
        _prepare_plot(path)
        with _progress(alternatives, seeds, is_silent=as_json) as progress:
            compare(comparison, progress)
        _report(comparison, path, as_json)
    if comparison.signal_number is not None:
        count = f"{len(comparison.trials)} of {len(alternatives) * seeds}"
        raise Interrupted(
            f"Interrupted: {count} trainings were finished.", comparison.signal_number
        )
    if comparison.failure is not None:
        raise comparison.failure


def _prepare_plot(path: Path) -> None:
    """Check before any training that the plot can be drawn, and make its folder."""
    from bpcli.cli.limits import require_room_for
    from bpcli.runs.files import make_folder_of

    require_room_for("matplotlib")
    make_folder_of(path)


def _progress(alternatives: Sequence[Alternative], seeds: int, is_silent: bool) -> Any:
    from bpcli.terminal.comparison import LiveProgress, PlainProgress
    from bpcli.terminal.progress import SilentView
    from bpcli.terminal.stream import Stream

    if is_silent:
        return SilentView()
    err = console(stderr=True)
    say_notes(dict.fromkeys(note for each in alternatives for note in each.config.notes))
    if alternatives[0].config.spec.training.calibration is not None:
        say_notes(["`training.calibration` is not used by `bpnet compare`"])
    if alternatives[0].config.spec.training.all_restarts.count > 1:
        say_notes(["`training.restarts` is not used by `bpnet compare`, which has --seeds"])
    trainings = len(alternatives) * seeds
    if isinstance(err, Stream):
        return PlainProgress(err, trainings)
    return LiveProgress(err, trainings)


def _report(comparison: Comparison, path: Path, as_json: bool) -> None:
    """Print and plot the finished trainings."""
    document = comparison.to_json()
    if as_json:
        print_json(document | {"figure": str(path) if comparison.trials else None})
    elif comparison.trials:
        _print_table(comparison, document)
    if comparison.trials:
        _draw(document, path)
        if not as_json:
            console().say(f"plot saved in {path}")


def _draw(document: dict[str, Any], path: Path) -> None:
    from bpcli.plots.comparison import comparison_plot
    from bpcli.runs.files import write_atomically

    with noting_missing_fonts():
        write_atomically(path, comparison_plot(document, path))


def _print_table(comparison: Comparison, document: dict[str, Any]) -> None:
    from bpcli.terminal.comparison import comparison_table

    out = console()
    out.show(comparison_table(document), ["learning rate", "loss evaluations"])
    rows = document["rows"][comparison.split]
    out.say(f"{document['metric']}: best weights on the {comparison.split} split ({rows} rows)")
    if len(comparison.seeds) > 1:
        first, last = comparison.seeds[0], comparison.seeds[-1]
        out.say(
            f"medians over seeds {first} to {last}; diverged trainings are left out unless all "
            "diverged"
        )
