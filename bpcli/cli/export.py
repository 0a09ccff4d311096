"""`bpnet export`."""

from __future__ import annotations

from pathlib import Path

import click

from bpcli.cli.common import console, examples, run_options, say_notes
from bpcli.cli.documents import print_json


@click.command(
    "export",
    short_help="Write a network as Python, C, Excel, SQL, LaTeX or in other formats.",
    epilog=examples("export"),
)
@click.argument("run")
@click.option(
    "--to",
    type=click.Choice(
        ["onnx", "json", "python", "c", "javascript", "matlab", "xlsx", "sql", "latex"]
    ),
    required=True,
    help="The format.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file to write; default: the run's name with the format's file extension.",
)
@click.option(
    "--precision",
    type=click.Choice(["double", "float"]),
    default="double",
    help="The number type that a C file computes with; default: double.",
)
@click.option("--html", is_flag=True, help="A page with sliders, with `--to javascript`.")
@click.option(
    "--digits",
    type=click.IntRange(1, 17),
    help="Significant digits of the numbers, with `--to latex`; default: 5.",
)
@click.option(
    "--interval",
    "level",
    type=float,
    metavar="LEVEL",
    help="With `--to python`, `c`, `json` or `xlsx`: add intervals that contain the target with "
    "this probability, such as 0.9, calibrated on the validation rows as by `predict --interval`.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@run_options
def command(
    run: str,
    to: str,
    output: Path | None,
    precision: str,
    html: bool,
    digits: int | None,
    level: float | None,
    force: bool,
    weights: str,
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Write a run's network, with its preprocessing, for use in other programs.

    The input is rows as in the table; the output is classes, or values in their original units. No
    file needs bpnet; the Python file needs numpy, and ONNX needs `pip install "bpcli[onnx]"`. Each
    file is first run on some rows, and written only if its results equal those of bpnet. If no
    program that can run it is installed, such as a C compiler or LibreOffice, the file is written
    without this check, and a note says so.
    """
    from bpcli.export.export import export, variant_of
    from bpcli.export.model import load_model
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.runs.references import find_run
    from bpcli.runs.trained import load_trained
    from bpcli.workflows.export_intervals import with_intervals

    saved = find_run(run, runs_dir)
    variant = variant_of(precision, html, digits)
    with repeatable_numerics():
        model = load_model(saved, weights)  # type: ignore[arg-type]  # click checked it
        say_notes(model.notes)
        if level is not None:
            model, promise = with_intervals(model, load_trained(saved, weights), level)  # type: ignore[arg-type]  # click checked it
            say_notes([promise])
        exported = export(model, to, output, variant=variant, force=force)
    path, reason = exported.path, exported.not_verified
    if as_json:
        from bpcli.runs.files import file_digest

        print_json(
            {
                "run_id": saved.run_id,
                "weights": weights,
                "format": to,
                "file": str(path),
                "sha256": file_digest(path),
                "not_verified": reason,
            }
        )
        return
    relation = "equivalent to" if reason is None else "made from"
    console().say(f"wrote {path}, {relation} {saved.run_id} ({weights} weights)")
    if reason is not None:
        say_notes([f"{path} is not verified: {reason}"])
