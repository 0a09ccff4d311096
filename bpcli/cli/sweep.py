"""`bpnet sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bpcli.cli.common import (
    console,
    examples,
    json_option,
    runs_dir_option,
    say_notes,
    say_warnings,
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
    from bpcli.sweeps.folder import SweepFolder
    from bpcli.sweeps.options import SweepOptions
    from bpcli.sweeps.run_plan import PlanResults
    from bpcli.sweeps.sweep import PlannedSweep


@click.command(
    "sweep",
    short_help="Train with many values of some keys, and rank them.",
    epilog=examples("sweep"),
)
@click.argument("config", type=click.Path(path_type=Path), required=False)
@click.option(
    "--resume", "resumed", metavar="SWEEP", help="Resume this sweep: train what is missing."
)
@click.option(
    "--grid",
    multiple=True,
    metavar="KEY=VALUES",
    help="Try every value: training.learning_rate=0.01,0.1 or hidden=1..10. All combinations of "
    "several are tried.",
)
@click.option(
    "--random",
    multiple=True,
    metavar="KEY=RANGE",
    help='Draw random values: "training.l2=loguniform(1e-4, 10)", uniform(a, b), int(a, b), '
    "logint(a, b) or choice(a, b, c).",
)
@click.option("--trials", type=int, metavar="N", help="The number of settings; default with "
              "--random: 20.")  # fmt: skip
@click.option(
    "--seeds", type=int, metavar="N", help="Trainings of each setting, each with another seed."
)
@click.option(
    "--metric", metavar="METRIC", help="What ranks the settings; default: the validation loss."
)
@click.option(
    "--halving",
    is_flag=True,
    help="Stop weak settings early: only the best third continues at 1/27, 1/9 and 1/3 of the "
    "epochs.",
)
@click.option(
    "--sampler",
    metavar="SAMPLER",
    help="How drawn values are chosen: random (default), or tpe, which learns from the results of "
    "earlier settings.",
)
@processes_option
@scheduler_of_many_option
@figure_option
@set_option
@click.option("--name", help="Name of the sweep; default: the config's.")
@runs_dir_option
@json_option
def command(
    config: Path | None,
    resumed: str | None,
    grid: tuple[str, ...],
    random: tuple[str, ...],
    trials: int | None,
    seeds: int | None,
    metric: str | None,
    halving: bool,
    sampler: str | None,
    processes: int | None,
    scheduler: str | None,
    figure: Path | None,
    overrides: tuple[str, ...],
    name: str | None,
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Train a network with many values of some keys of its config, and rank the settings.

    The keys are in the section `sweep` of the config, or in options, which add to it. KEY is any
    key, such as training.learning_rate; `hidden` is the sizes of the hidden layers. Settings are
    numbered, and each number always has the same values: more --trials or --seeds only add to a
    sweep, and it can be repeated.

    Each training is saved as a run in the folder of the sweep. Ctrl-C saves what was trained;
    --resume trains the rest. A training that fails is recorded, and the others go on.
    """
    from bpcli.sweeps.options import SweepOptions
    from bpcli.workflows.interrupts import stop_requests

    options = SweepOptions(grid, random, trials, seeds, metric, halving, sampler)
    # From here on: an exception raised by Ctrl-C in the middle of an import can get lost.
    with stop_requests():
        prepare_figure(figure)
        into: Path | SweepFolder = runs_dir
        if resumed is not None:
            _refuse(config, overrides, name, options)
            into = sweep_to_resume(resumed, runs_dir, "sweep")
            planned = _resumed(into, options)
        else:
            planned = _planned(config, overrides, name, options)
        _say(planned, as_json)
        done = run_planned(planned, into, Where(scheduler, processes), as_json)
        finish("sweep", done, done.document, figure, as_json, print_sweep)


def _planned(
    config: Path | None, overrides: tuple[str, ...], name: str | None, options: SweepOptions
) -> PlannedSweep:
    from bpcli.sweeps.options import load_sweep
    from bpcli.sweeps.sweep import plan_sweep

    if config is None:
        raise click.UsageError("Missing argument 'CONFIG', or --resume SWEEP.")
    return plan_sweep(load_sweep(config, overrides, options, name))


def _resumed(sweep: SweepFolder, options: SweepOptions) -> PlannedSweep:
    from bpcli.sweeps.sweep import plan_sweep, resumed_config

    return plan_sweep(resumed_config(sweep, options), sweep)


def _say(planned: PlannedSweep, is_silent: bool) -> None:
    if not is_silent:
        say_notes(planned.notes)
    say_warnings(planned.warnings)


def _refuse(
    config: Path | None, overrides: tuple[str, ...], name: str | None, options: SweepOptions
) -> None:
    """Refuse what would change the settings of a sweep that is resumed."""
    refuse_other_config("sweep", config, overrides, name)
    if options.grid or options.random or options.halving or options.sampler is not None:
        raise click.UsageError(
            "--resume SWEEP keeps its keys and values: only --trials, --seeds and --metric can "
            "change."
        )


def print_sweep(done: PlanResults, most: int = 10) -> None:
    """Print the best settings, and how to go on."""
    from bpcli.runs.references import reference_to
    from bpcli.runs.store import Run
    from bpcli.terminal.sweep import summary_lines, sweep_table

    out, document = console(), done.document
    out.show(*sweep_table(document, most))
    for line in summary_lines(document):
        out.say(line)
    if len(document["settings"]) > most:
        out.say(f"show all settings with: bpnet runs show {reference_to(Run(done.plan.folder))}")
    best = document["settings"][0]
    if best["mean"] is not None:
        first = next(each for each in document["trainings"] if each["setting"] == best["setting"])
        out.say(f"score the best setting with: bpnet eval {first['folder']}")
        out.say(f"train it again with: {done.plan.command_of(best['setting'])}")
