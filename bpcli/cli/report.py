"""`bpnet report`."""

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
    say_warnings,
    set_option,
)
from bpcli.cli.documents import print_json
from bpcli.cli.references import names_a_config
from bpcli.errors import ConfigError, Diverged

if TYPE_CHECKING:
    from bpcli.runs.store import Run


@click.command(
    "report",
    short_help="Write a page that explains a run.",
    epilog=examples("report"),
)
@click.argument("runs", nargs=-1, required=True, metavar="RUN [RUN]...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The output file, with the ending .html; default: report.html in the run's folder.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@click.option(
    "--lang",
    "language",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="The language of the page: English or Chinese.",
)
@click.option(
    "--lesson",
    "has_lesson",
    is_flag=True,
    help="Add questions for students, with hidden answers. A CONFIG instead of a RUN is trained "
    "first, and all its epochs are recorded.",
)
@set_option
@runs_dir_option
@json_option
def command(
    runs: tuple[str, ...],
    output: Path | None,
    opens: bool,
    language: str,
    has_lesson: bool,
    overrides: tuple[str, ...],
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Write one HTML file that explains a run, or compares several.

    RUN is an id, a unique beginning of one, a tag, a name, `latest`, `latest~1`, or a path. The
    page needs no other file and loads nothing, so it can be passed on. It shows what was trained,
    its scores, likely problems, and how to reproduce it. Several runs need -o. An existing file is
    overwritten.
    """
    from bpcli.report.report import report_of
    from bpcli.report.saving import output_file
    from bpcli.runs.files import make_folder_of, write_atomically
    from bpcli.workflows.subject import load_subject

    chosen = _reported_runs(runs, runs_dir, overrides, has_lesson=has_lesson, is_silent=as_json)
    path = output_file(chosen, output)
    subjects = [load_subject(run, "best", None) for run in chosen]
    say_notes(
        dict.fromkeys(note for each in subjects if each.rebuilt for note in each.rebuilt.notes)
    )
    content = report_of(subjects, language, has_lesson=has_lesson).encode()
    make_folder_of(path)
    write_atomically(path, content)
    if as_json:
        print_json(_document(subjects, path, content, language))
    else:
        from bpcli.text import harmless

        click.echo(harmless(str(path)))
    if opens:
        _open(path)


def _reported_runs(
    references: tuple[str, ...],
    runs_dir: Path,
    overrides: tuple[str, ...],
    *,
    has_lesson: bool,
    is_silent: bool,
) -> list[Run]:
    """The runs; for a lesson about a CONFIG, the run that is trained for it."""
    from bpcli.runs.references import find_run

    is_config = has_lesson and names_a_config(references[0])
    if has_lesson and len(references) > 1:
        raise ConfigError("--lesson is about one RUN or CONFIG: name one of them.")
    if is_config:
        return [_trained(Path(references[0]), overrides, runs_dir, is_silent)]
    if overrides:
        raise ConfigError("--set is for --lesson with a CONFIG: a RUN keeps its config.")
    return [find_run(reference, runs_dir) for reference in references]


def _trained(config: Path, overrides: tuple[str, ...], runs_dir: Path, is_silent: bool) -> Run:
    """Train a config for a lesson. Raises failures, except a divergence after some epochs."""
    from bpcli.report.lesson.preparing import lesson_experiment
    from bpcli.terminal.progress.choice import view_of
    from bpcli.workflows.train import train

    experiment, notes = lesson_experiment(config, overrides)
    say_notes((*experiment.notes, *notes))
    with view_of(experiment, console(stderr=True), is_silent) as view:
        outcome = train(experiment, runs_dir, view)
    say_warnings(outcome.warnings)
    if isinstance(outcome.failure, Diverged) and outcome.record.epochs:
        say_warnings([str(outcome.failure)])  # a lesson can be about this too
    elif outcome.failure is not None:
        raise outcome.failure
    return outcome.run


def _document(subjects: Any, path: Path, content: bytes, language: str) -> dict[str, Any]:
    return {
        "file": str(path),
        "bytes": len(content),
        "language": language,
        "runs": [{"run_id": each.run_id, "missing": dict(each.errors)} for each in subjects],
    }


def _open(path: Path) -> None:
    """Open a page in the browser of the system; say so if there is none."""
    import webbrowser

    if not webbrowser.open(path.resolve().as_uri()):
        console(stderr=True).say(f"note: no browser was found: open {path} yourself")
