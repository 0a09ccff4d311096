"""`bpnet verify`."""

from __future__ import annotations

from pathlib import Path

import click

from bpcli.cli.common import console, examples, json_option, runs_dir_option
from bpcli.cli.documents import print_json
from bpcli.errors import GateFailed


@click.command(
    "verify",
    short_help="Train a run again and compare bit for bit.",
    epilog=examples("verify"),
)
@click.argument("run")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    help="The largest relative difference to accept; default: none is accepted.",
)
@runs_dir_option
@json_option
def command(run: str, tolerance: float | None, runs_dir: Path, as_json: bool) -> None:
    """Train RUN again and compare the results bit by bit.

    Compares every logged loss, the weights, the final metrics, the rows of each split and, if they
    were recorded, the parameters of every epoch. Takes as long as the training did. Exit code 4 if
    anything differs; then the first difference of each kind is printed, with possible causes:
    other software, another processor, or other processor instructions.

    The relative difference of a tensor is max|a - b| / max|a| over its entries, with a from the run
    and b from the second training. The losses count as one tensor; so does each metric, and so do
    the parameters of each epoch. The largest relative difference is printed; --tolerance is its
    limit.
    """
    from bpcli.workflows.interrupts import stop_requests

    with stop_requests():
        from bpcli.runs.references import find_run
        from bpcli.terminal.runs import machine_facts
        from bpcli.workflows.verify import verify

        verdict = verify(find_run(run, runs_dir), tolerance)
    if as_json:
        print_json(verdict.to_json())
    else:
        out = console()
        out.show_facts(machine_facts(verdict.then, verdict.now))
        out.say(f"{verdict.run_id} is {verdict.sentence}")
        if not verdict.is_identical:
            out.say(verdict.distance_text)
        for sentence in verdict.explanation:
            out.say(sentence)
    if not verdict.is_accepted:
        raise GateFailed(f"The second training of {verdict.run_id} gave different results.")
