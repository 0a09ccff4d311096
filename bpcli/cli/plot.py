"""`bpnet plot`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpcli.cli.common import (
    console,
    examples,
    interval_asked,
    method_option,
    noting_missing_fonts,
    require_plot_format,
    say_notes,
)
from bpcli.cli.documents import print_json
from bpcli.cli.references import Reference, run_options

if TYPE_CHECKING:
    from bpcli.data.types import SplitName
    from bpcli.runs.subject import Subject
    from bpcli.workflows.intervals import Method


@click.command(
    "plot",
    epilog=f"""\b
Kinds:
  training log: loss metrics gradient_norms learning_rate units
  weights:      weights activations network path
  predictions:  confusion roc precision_recall calibration
                predicted residuals errors fit regions
                hidden_regions

{examples("plot")}""",
)
@click.argument("run")
@click.argument("kinds", nargs=-1, metavar="[KIND]...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="One file for all plots: .png, .svg or .pdf; default: a file for each, plots/KIND.png in "
    "the run's folder.",
)
@click.option(
    "--list",
    "only_list",
    is_flag=True,
    help="List the kinds that can be drawn, and why the others cannot, without drawing.",
)
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    help="Show predictions of this split; default: the test set, else the "
    "validation set, else the training set.",
)
@click.option(
    "--interval",
    "level",
    type=float,
    metavar="LEVEL",
    help="Draw the intervals of `predict --interval` in `fit` and `predicted`, such as 0.9.",
)
@method_option
@run_options
def command(
    run: Reference,
    kinds: tuple[str, ...],
    output: Path | None,
    only_list: bool,
    split: SplitName | None,
    level: float | None,
    method: Method | None,
    as_json: bool,
) -> None:
    """Draw plots of a run.

    RUN is an id, a unique beginning of one, a tag, a name, `latest`, `latest~1`, or a path. Without
    KIND, draws every possible kind. Several plots in one file become the pages of a .pdf; in other
    formats, they are side by side. Existing files are overwritten.
    """
    from bpcli.text import harmless
    from bpcli.workflows.plot import chosen_kinds, save_plots
    from bpcli.workflows.subject import load_subject

    if output is not None:
        require_plot_format("-o", output)
    interval_asked(level, method)
    saved = run.find()
    subject = load_subject(saved, run.weights, split, level, method or "conformal")
    if subject.rebuilt is not None:
        say_notes(subject.rebuilt.notes)
    if subject.intervals is not None:
        say_notes([subject.intervals.note])
    drawn = [] if only_list else chosen_kinds(subject, kinds)
    with noting_missing_fonts():
        files = [str(path) for path in save_plots(saved, subject, drawn, output)] if drawn else []
    if as_json:
        print_json(_document(subject, drawn, files))
    elif only_list:
        _print_list(subject)
    else:
        for file in files:
            click.echo(harmless(file))


def _document(subject: Subject, drawn: list[str], files: list[str]) -> dict[str, Any]:
    from bpcli.plots import reasons

    by_kind = reasons(subject)
    return {
        "run_id": subject.run_id,
        "weights": subject.weights,
        "split": subject.split,
        "drawn": drawn,
        "files": files,
        "available": [kind for kind, reason in by_kind.items() if reason is None],
        "unavailable": {kind: reason for kind, reason in by_kind.items() if reason is not None},
    }


def _print_list(subject: Subject) -> None:
    from bpcli.plots import reasons
    from bpcli.terminal.grid import Grid

    table = Grid(["kind", "possible", "why not"], 3)
    for kind, reason in reasons(subject).items():
        table.add_row(kind, "no" if reason else "yes", reason or "")
    console().show(table)
