"""`bpnet runs`."""

from __future__ import annotations

from pathlib import Path

import click

from bpcli.cli.common import console, json_option, print_json, runs_dir_option


@click.group(
    "runs",
    epilog="""\b
Examples:
  bpnet runs list
  bpnet runs show latest""",
)
def command() -> None:
    """Look at saved runs."""


@command.command(
    "list",
    epilog="""\b
Example:
  bpnet runs list --limit 5""",
)
@click.option("--limit", type=click.IntRange(min=1), help="Show this many at most.")
@runs_dir_option
@json_option
def list_command(limit: int | None, runs_dir: Path, as_json: bool) -> None:
    """List the runs, newest first."""
    from bpcli.runs.references import list_runs
    from bpcli.views.tables import runs_table

    records = [run.record_or_damage() for run in list_runs(runs_dir)[:limit]]
    if as_json:
        print_json(records)
    elif records:
        console().show(runs_table(records), ["time", "epochs", "stopped by", "fold", "metric"])
    else:
        console(stderr=True).say(f"no runs in {runs_dir}")


@command.command(
    "show",
    epilog="""\b
Example:
  bpnet runs show latest --json""",
)
@click.argument("run")
@runs_dir_option
@json_option
def show_command(run: str, runs_dir: Path, as_json: bool) -> None:
    """Show how RUN was trained, why it stopped and what it reached."""
    from bpcli.runs.folds import document_of, siblings
    from bpcli.runs.references import find_run
    from bpcli.views.folds import folds_table, summary_table
    from bpcli.views.tables import history, scores_table, stop_table

    found = find_run(run, runs_dir)
    record = found.record()
    folds = siblings(record, found.folder.parent)
    if as_json:
        summary = {"folds_summary": document_of(folds)["summary"]} if len(folds) > 1 else {}
        print_json(record | summary)
        return
    out = console()
    out.show_facts(history(record))
    if "stop" in record:
        out.show(stop_table(record), ["measures"])
        out.say(f"Scores of the weights of epoch {record['best_epoch']}:")
        out.show(scores_table(record["metrics"], record["baselines"], record))
    if len(folds) > 1:
        out.show(folds_table(folds))
        out.show(summary_table(document_of(folds)))
    out.say(f"files in {found.folder}")
