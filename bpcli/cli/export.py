"""`bpnet export`."""

from __future__ import annotations

from pathlib import Path

import click

from bpcli.cli.common import console, json_option, runs_dir_option, say_notes, weights_option
from bpcli.cli.documents import print_json


@click.command(
    "export",
    epilog="""\b
Examples:
  bpnet export latest --to python
  bpnet export latest --to onnx -o model.onnx""",
)
@click.argument("run")
@click.option(
    "--to",
    type=click.Choice(["onnx", "json", "python"]),
    required=True,
    help="The kind of file.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file; default: the run's name with the ending of its kind.",
)
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@weights_option
@runs_dir_option
@json_option
def command(
    run: str,
    to: str,
    output: Path | None,
    force: bool,
    weights: str,
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Write a run's network, with its preprocessor, for use elsewhere.

    Rows go in as the table has them, and classes or values come out in their own units. The Python
    file needs numpy alone; ONNX needs `pip install 'bpcli[onnx]'`. A file is first tried on some
    rows, and written only if it computes what bpnet does.
    """
    from bpcli.export.export import export
    from bpcli.export.model import load_model
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.runs.references import find_run

    found = find_run(run, runs_dir)
    with repeatable_numerics():
        model = load_model(found, weights)  # type: ignore[arg-type]  # click checked it
        say_notes(model.notes)
        path = export(model, to, output, force=force)
    if as_json:
        from bpcli.runs.files import file_digest

        print_json(
            {
                "run_id": found.run_id,
                "weights": weights,
                "format": to,
                "file": str(path),
                "sha256": file_digest(path),
            }
        )
    else:
        console().say(f"wrote {path}, equivalent to {found.run_id} ({weights} weights)")
