"""`bpnet verify`."""

from __future__ import annotations

from pathlib import Path

import click

from bpcli.cli.common import console, json_option, runs_dir_option
from bpcli.cli.documents import print_json
from bpcli.errors import GateFailed


@click.command(
    "verify",
    short_help="Train a run again and compare bit for bit.",
    epilog="""\b
Examples:
  bpnet verify latest
  bpnet verify latest --tolerance 1e-9
  bpnet verify moons --json""",
)
@click.argument("run")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    help="Accept relative differences up to this one.",
)
@runs_dir_option
@json_option
def command(run: str, tolerance: float | None, runs_dir: Path, as_json: bool) -> None:
    """Train RUN again and compare all that came of it, bit by bit.

    Compared are every logged loss, the weights, the final metrics, the rows of each split and,
    where they were recorded, the parameters of every epoch. Takes as long as the training did.
    Exits with 4 where anything differs, names the first of each kind, and says what may be why:
    software, processor, or what of it was used.

    The relative difference of a tensor is max|a - b| / max|a| over its entries, a of the run and b
    of the second training. The losses count as one tensor, a metric and the parameters of an epoch
    as one each. The largest is printed, and --tolerance is compared with it.
    """
    from bpcli.workflows.interrupts import stop_requests

    with stop_requests():
        from bpcli.runs.references import find_run
        from bpcli.terminal.verdict import machine_facts
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
        raise GateFailed(f"Trained again, {verdict.run_id} differs.")
