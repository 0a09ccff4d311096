"""`bpnet export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bpcli.cli.common import console, examples, say_notes
from bpcli.cli.documents import print_json
from bpcli.cli.references import Reference, run_options

if TYPE_CHECKING:
    from bpcli.export.export import Exported


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
    run: Reference,
    to: str,
    output: Path | None,
    precision: str,
    html: bool,
    digits: int | None,
    level: float | None,
    force: bool,
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
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.runs.trained import load_trained
    from bpcli.workflows.export_intervals import with_intervals

    variant = variant_of(precision, html, digits)
    with repeatable_numerics():
        saved, model = run.load_model()
        if level is not None:
            model, promise = with_intervals(model, load_trained(saved, run.weights), level)
            say_notes([promise])
        exported = export(model, to, output, variant=variant, force=force)
    named = {"run_id": saved.run_id, "weights": run.weights}
    if as_json:
        print_json(named | {"format": to, **_document(exported)})
    else:
        _print(exported, **named)


def _document(exported: Exported) -> dict[str, str | None]:
    from bpcli.runs.files import file_digest

    path = exported.path
    return {
        "file": str(path),
        "sha256": file_digest(path),
        "not_verified": exported.not_verified,
    }


def _print(exported: Exported, run_id: str, weights: str) -> None:
    path, reason = exported.path, exported.not_verified
    relation = "equivalent to" if reason is None else "made from"
    console().say(f"wrote {path}, {relation} {run_id} ({weights} weights)")
    if reason is not None:
        say_notes([f"{path} is not verified: {reason}"])
