"""`bpnet size`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpcli.cli.common import (
    console,
    examples,
    json_option,
    runs_dir_option,
    say_notes,
    set_option,
)
from bpcli.cli.many import (
    figure_option,
    finish,
    prepare_figure,
    processes_option,
    refuse_other_config,
    run_planned,
    sweep_to_resume,
)
from bpcli.cli.scheduler import Where, scheduler_of_many_option

if TYPE_CHECKING:
    from bpcli.config.load import Config
    from bpcli.sweeps.folder import SweepFolder
    from bpcli.sweeps.run_plan import PlanResults
    from bpcli.sweeps.size import PlannedSearch, Sizes

_HIDDEN, _RESTARTS, _SPLITS = "1..10", 10, 10


@click.command(
    "size",
    short_help="Find out how many hidden units are enough.",
    epilog=examples("size"),
)
@click.argument("config", type=click.Path(path_type=Path), required=False)
@click.option(
    "--resume", "resumed", metavar="SEARCH", help="Resume this search: train what is missing."
)
@click.option("--hidden", metavar="SIZES", help=f"The sizes: 1..20 or 1,2,4,8; default: {_HIDDEN}.")
@click.option(
    "--restarts",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help=f"Initialisations on each split; default: {_RESTARTS}.",
)
@click.option(
    "--splits",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help=f"Random splits of the rows; default: {_SPLITS}.",
)
@processes_option
@scheduler_of_many_option
@figure_option
@set_option
@click.option("--name", help="Name of the search; default: the config's.")
@runs_dir_option
@json_option
def command(
    config: Path | None,
    resumed: str | None,
    hidden: str | None,
    restarts: int | None,
    splits: int | None,
    processes: int | None,
    scheduler: str | None,
    figure: Path | None,
    overrides: tuple[str, ...],
    name: str | None,
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Train networks of several sizes, and find the smallest one that is enough.

    All hidden layers get the same number of units. Each size is trained on several random splits of
    the rows, and on each split from several initialisations, of which the one with the lowest
    training loss counts. Sizes are ranked by the validation loss, or by the evidence with
    bayesian_regularization. Enough is the smallest size that is at most one standard error worse
    than the best.

    Ctrl-C saves what was trained; --resume trains the rest, or more sizes, restarts and splits.
    """
    from bpcli.workflows.interrupts import stop_requests

    # From here on: an exception raised by Ctrl-C in the middle of an import can get lost.
    with stop_requests():
        from bpcli.sweeps.size import size_document

        prepare_figure(figure)
        given = (hidden, restarts, splits)
        into: Path | SweepFolder = runs_dir
        if resumed is not None:
            refuse_other_config("search", config, overrides, name)
            into = sweep_to_resume(resumed, runs_dir, "size")
            search, sizes = into.config(), _more_sizes(into, given)
        else:
            search, sizes = _loaded(config, overrides, name), _sizes(given)
        planned = _planned(search, sizes, is_silent=as_json)
        done = run_planned(planned, into, Where(scheduler, processes), as_json)
        document = size_document(planned, done)
        finish("size", done, document, figure, as_json, lambda done: print_search(done, document))


_Given = tuple[str | None, int | None, int | None]


def _loaded(config: Path | None, overrides: tuple[str, ...], name: str | None) -> Config:
    from bpcli.config.load import load_config

    if config is None:
        raise click.UsageError("Missing argument 'CONFIG', or --resume SEARCH.")
    return load_config(config, overrides, name)


def _sizes(given: _Given) -> Sizes:
    from bpcli.sweeps.size import Sizes, parsed_sizes

    hidden, restarts, splits = given
    sizes = parsed_sizes(_HIDDEN if hidden is None else hidden)
    return Sizes(sizes, restarts or _RESTARTS, splits or _SPLITS)


def _more_sizes(sweep: SweepFolder, given: _Given) -> Sizes:
    """The sizes of a search that is resumed, and those that are given beside them."""
    from bpcli.sweeps.size import Sizes, parsed_sizes, sizes_of

    before, (hidden, restarts, splits) = sizes_of(sweep.record()), given
    return Sizes(
        sorted({*before.hidden, *parsed_sizes(hidden)}) if hidden is not None else before.hidden,
        restarts or before.restarts,
        splits or before.splits,
    )


def _planned(config: Config, sizes: Sizes, *, is_silent: bool) -> PlannedSearch:
    """Plan the search, and print notes on it."""
    from bpcli.sweeps.size import plan_search

    planned = plan_search(config, sizes)
    if is_silent:
        return planned
    say_notes(planned.notes)
    if planned.config.spec.data.split.has_all_folds:
        say_notes(["the folds are the splits: --splits is not used"])
    elif planned.sizes.splits < sizes.splits:
        say_notes(["the split is not random: there is one split, and every restart counts"])
    return planned


def print_search(done: PlanResults, document: dict[str, Any]) -> None:
    """Print all sizes, which one is enough, and how to train it."""
    from bpcli.terminal.sizes import result_lines, sizes_table

    out = console()
    out.show(*sizes_table(document))
    for line in result_lines(document):
        out.say(line)
    if document["enough"] is not None:
        command = done.plan.command_of(document["enough"])
        out.say(f"train it with: {command} --restarts {document['restarts']}")
