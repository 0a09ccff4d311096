"""`bpnet runs`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpcli.cli.common import console, examples, json_option, runs_dir_option, show_restarts
from bpcli.cli.documents import print_json
from bpcli.errors import NoSuchRun, RunError
from bpcli.runs.layout import SWEEP

if TYPE_CHECKING:
    from bpcli.runs.store import Run


@click.group(
    "runs",
    epilog=examples("runs"),
)
def command() -> None:
    """List, show, compare, delete and tag saved runs.

    A run is named by its id or a unique beginning of it, a tag, its name if only one run has it,
    `latest`, `latest~1` (the one before), or a path.
    """


@command.command(
    "list",
    epilog=examples("runs list"),
)
@click.option("--limit", type=click.IntRange(min=1), help="Show at most this many runs.")
@click.option(
    "--sort",
    "sort_key",
    metavar="KEY",
    help="Sort by a metric (test.accuracy; best first), a key of the config "
    "(training.learning_rate), or status, epochs, seconds …; default: newest first.",
)
@runs_dir_option
@json_option
def list_command(limit: int | None, sort_key: str | None, runs_dir: Path, as_json: bool) -> None:
    """List the runs, newest first, with the keys in which their configs differ.

    Metrics are those of the best weights. Sweeps, searches for a size and unfinished restarts
    follow in a table of their own.
    """
    import time

    from bpcli.runs.listing import differing_keys, sorted_by
    from bpcli.runs.references import list_runs
    from bpcli.sweeps.listing import listed_sweeps
    from bpcli.terminal.runs import runs_table, sweeps_table

    runs = list_runs(runs_dir)
    shown = runs if sort_key else runs[:limit]
    records = [run.record_or_damage() for run in shown]
    tags = {run.run_id: _tags(run) for run in shown}
    if sort_key:
        records = sorted_by(records, sort_key)[:limit]
    sweeps = listed_sweeps(runs_dir)[:limit]
    if as_json:
        documents = [record.to_json() | {"tags": tags[record.run_id]} for record in records]
        print_json({"runs": documents, "sweeps": sweeps})
        return
    if records:
        shown_tags = [tags[record.run_id] for record in records]
        console().show(*runs_table(records, shown_tags, differing_keys(records), time.time()))
    if sweeps:
        console().show(*sweeps_table(sweeps, time.time()))
        for each in sweeps:
            if "error" in each:
                console(stderr=True).say(f"warning: {each['error']}")
    if not records and not sweeps:
        console(stderr=True).say(f"no runs in {runs_dir}")


def _tags(run: Run) -> list[str]:
    """Return the run's tags; print a warning if their file is damaged."""
    from bpcli.runs.tags import saved_tags

    try:
        return saved_tags(run)
    except RunError as error:
        console(stderr=True).say(f"warning: {error}")
        return []


@command.command(
    "show",
    epilog=examples("runs show"),
)
@click.argument("run")
@runs_dir_option
@json_option
def show_command(run: str, runs_dir: Path, as_json: bool) -> None:
    """Show how RUN was trained, why it stopped, and its scores; or the results of a sweep."""
    from bpcli.runs.folds import document_of, siblings
    from bpcli.terminal.folds import folds_table, summary_table
    from bpcli.terminal.scores import scores_tables
    from bpcli.terminal.training import history, scored_text, stop_table

    saved = _run_or_sweep(run, runs_dir, keeps_link=False)
    if saved.path(SWEEP).is_file():
        from bpcli.cli.saved_sweeps import show_saved
        from bpcli.sweeps.folder import SweepFolder

        show_saved(SweepFolder(saved.folder), as_json)
        return
    record, tags = saved.record(), _tags(saved)
    folds = siblings(record, saved.folder.parent)
    if as_json:
        summary = {"folds_summary": document_of(folds)["summary"]} if len(folds) > 1 else {}
        print_json(record.to_json() | {"tags": tags} | summary)
        return
    out = console()
    out.show_facts(history(record, tags))
    if record.restarts is not None:
        show_restarts(record.restarts, record.metrics)
    if record.stop:
        out.show(stop_table(record), ["measures"])
    if record.metrics:
        out.say(f"Scores of {scored_text(record)}:")
        for table in scores_tables(record, vars(record)):
            out.show(table)
    for warning in record.warnings:
        out.say(f"warning: {warning}")
    if len(folds) > 1:
        out.show(folds_table(folds))
        out.show(summary_table(document_of(folds)))
    out.say(f"files in {saved.folder}")


@command.command(
    "diff",
    epilog=examples("runs diff"),
)
@click.argument("run")
@click.argument("other")
@runs_dir_option
@json_option
def diff_command(run: str, other: str, runs_dir: Path, as_json: bool) -> None:
    """Show the differences between RUN and OTHER, and their losses side by side.

    The loss is the one that was minimised, with L2 and reduction.
    """
    from bpcli.runs.listing import document_of_difference
    from bpcli.runs.references import find_run

    document = document_of_difference((find_run(run, runs_dir), find_run(other, runs_dir)))
    if as_json:
        print_json(document)
    else:
        _print_difference(document)


def _print_difference(document: dict[str, Any]) -> None:
    from bpcli.terminal.runs import difference_table, losses_table

    out = console()
    for section in ("config", "environment", "results"):
        if document[section]:
            out.show(difference_table(document, section, section))
        else:
            out.say(f"{section}: no difference")
    out.show(losses_table(document))


@command.command(
    "rm",
    epilog=examples("runs rm"),
)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Delete without a confirmation.")
@runs_dir_option
def rm_command(runs: tuple[str, ...], yes: bool, runs_dir: Path) -> None:
    """Delete runs and sweeps permanently, after a confirmation.

    Only folders within --runs-dir are deleted. For a symbolic link, only the link is removed.
    """
    from bpcli.runs.tags import changing_tags

    named = (_run_or_sweep(reference, runs_dir) for reference in runs)
    by_folder = {run.folder: run for run in named}
    for run in by_folder.values():
        run.check_removable(runs_dir)
    err = console(stderr=True)
    for run in by_folder.values():
        note = " (a symbolic link: only the link is removed)" * run.folder.is_symlink()
        err.say(f"{run.run_id}{note}")
    if not yes and not _confirmed(len(by_folder)):
        raise RunError("Nothing was deleted.")
    for run in by_folder.values():
        with changing_tags(runs_dir):  # so that no other process adds or moves its tags meanwhile
            run.remove(runs_dir)
    err.say(f"deleted {len(by_folder)} run{'s' * (len(by_folder) > 1)}")


def _run_or_sweep(reference: str, runs_dir: Path, *, keeps_link: bool = True) -> Run:
    """The folder of a run, or of a sweep with its runs; a name means runs first."""
    from bpcli.runs.references import find_run
    from bpcli.runs.store import Run
    from bpcli.sweeps.folder import find_sweep

    sweep = find_sweep(reference, runs_dir, by_id=True)
    if sweep is not None:
        return Run(sweep.folder)
    try:
        return find_run(reference, runs_dir, keeps_link=keeps_link)
    except NoSuchRun:
        sweep = None if reference.startswith("latest") else find_sweep(reference, runs_dir)
        if sweep is None:
            raise
        return Run(sweep.folder)


def _confirmed(count: int) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():  # None if the shell closed it
        raise RunError(
            "Nothing was deleted: a confirmation needs a terminal, and standard input is not "
            "one; --yes deletes without a confirmation."
        )
    return click.confirm(f"Delete {'this run' if count == 1 else f'these {count} runs'}?", err=True)


@command.command(
    "tag",
    epilog=examples("runs tag"),
)
@click.argument("run")
@click.argument("tag")
@click.option("--remove", is_flag=True, help="Remove the tag from RUN.")
@click.option("--force", is_flag=True, help="Move the tag if another run has it.")
@runs_dir_option
def tag_command(run: str, tag: str, remove: bool, force: bool, runs_dir: Path) -> None:
    """Add TAG to RUN; every command that takes a RUN also takes its tag."""
    from bpcli.runs.references import find_run, list_runs
    from bpcli.runs.tags import add_tag, changing_tags, remove_tag, tags_of

    folder = find_run(run, runs_dir).folder.parent
    with changing_tags(folder):
        saved = find_run(run, runs_dir)  # again: it may have been deleted, or its tag moved
        if remove:
            remove_tag(saved, tag)
        else:
            add_tag(saved, tag, list_runs(folder), moves=force)
        tags = tags_of(saved)
    console(stderr=True).say(f"{saved.run_id}: {', '.join(tags) if tags else 'no tags'}")
