"""`bpnet report`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bpcli.cli.common import console, examples, json_option, runs_dir_option, say_notes
from bpcli.cli.documents import print_json


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
    help="The file, which ends in .html; default: report.html in the run's folder.",
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
@runs_dir_option
@json_option
def command(
    runs: tuple[str, ...],
    output: Path | None,
    opens: bool,
    language: str,
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Write one HTML file that explains a run, or compares several.

    RUN is an id, a unique beginning of one, a tag, a name, `latest`, `latest~1`, or a path. The
    page needs no other file and loads nothing, so it can be passed on. It shows what was trained,
    how good it is, what looks wrong, and how to repeat it. Several runs need -o. An existing file
    is overwritten.
    """
    from bpcli.report.report import report_of
    from bpcli.report.saving import output_file
    from bpcli.runs.files import make_folder_of, write_atomically
    from bpcli.runs.references import find_run
    from bpcli.workflows.subject import load_subject

    found = [find_run(run, runs_dir) for run in runs]
    path = output_file(found, output)
    subjects = [load_subject(run, "best", None) for run in found]
    say_notes(
        dict.fromkeys(note for each in subjects if each.rebuilt for note in each.rebuilt.notes)
    )
    content = report_of(subjects, language).encode()
    make_folder_of(path)
    write_atomically(path, content)
    if as_json:
        print_json(_document(subjects, path, content, language))
    else:
        from bpcli.text import harmless

        click.echo(harmless(str(path)))
    if opens:
        _open(path)


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
