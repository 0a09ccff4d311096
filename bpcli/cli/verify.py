"""`bpnet verify`."""

from __future__ import annotations

from pathlib import Path

import click

from bpcli.cli.common import console, json_option, print_json, runs_dir_option
from bpcli.errors import GateFailed


@click.command(
    "verify",
    short_help="Train a run again and compare bit for bit.",
    epilog="""\b
Examples:
  bpnet verify latest
  bpnet verify moons --json""",
)
@click.argument("run")
@runs_dir_option
@json_option
def command(run: str, runs_dir: Path, as_json: bool) -> None:
    """Train RUN again and compare every logged loss and the final weights, bit by bit.

    Takes as long as the training did. Exits with 4 where anything differs, and names the first
    epoch and tensor that do; another processor or BLAS may be why.
    """
    from bpcli.experiment.interrupts import stop_requests

    with stop_requests():
        from bpcli.experiment.verify import verify
        from bpcli.runs.references import find_run
        from bpcli.views.verdict import machine_facts

        verdict = verify(find_run(run, runs_dir))
    if as_json:
        print_json(verdict.to_json())
    else:
        out = console()
        out.show_facts(machine_facts(verdict.then, verdict.now))
        out.say(f"{verdict.run_id} is {verdict.sentence}")
    if not verdict.is_identical:
        raise GateFailed(f"Trained again, {verdict.run_id} came out differently.")
