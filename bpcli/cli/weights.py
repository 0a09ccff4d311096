"""`bpnet weights`."""

from __future__ import annotations

from pathlib import Path

import click

from bpcli.cli.common import console, examples
from bpcli.cli.documents import print_json, print_text
from bpcli.cli.references import Reference, run_options
from bpcli.errors import ConfigError


@click.command(
    "weights",
    short_help="Print the weights and biases of a run.",
    epilog=examples("weights"),
)
@click.argument("run")
@click.option("--csv", "as_csv", is_flag=True, help="Print one line for each number.")
@click.option(
    "--mat",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a .mat file with IW, LW, b and the settings of the scales, as MATLAB's networks "
    "have them; `bpnet import` reads it, too.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@run_options
def command(
    run: Reference,
    as_csv: bool,
    mat: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Print W and b of each layer of RUN, with all their digits, and the scales around them.

    A row is a unit, and a column an input of the layer. W[l] multiplies the outputs of the layer
    before: z[l] = W[l] a[l-1] + b[l]. a[0] are the scaled inputs, (x - shift) / factor; the outputs
    are a[L] · factor + shift of the targets.
    """
    from bpcli.workflows.weights import csv_text, mat_bytes, tables_of, tree_of

    if as_csv and as_json:
        raise ConfigError("--csv and --json are two forms of the output: use one of them.")
    saved, model = run.load_model()
    if mat is not None:
        from bpcli.runs.files import write_atomically

        if mat.exists() and not (force and mat.is_file()):
            raise ConfigError(f"{mat} already exists: use --force to overwrite it.")
        write_atomically(mat, mat_bytes(model))
        console(stderr=as_csv or as_json).say(f"wrote {mat}")
    if as_json:
        print_json({"run_id": saved.run_id, "weights": run.weights, **tree_of(model)})
    elif as_csv:
        print_text(csv_text(model), end="")
    elif mat is None:
        out = console()
        for table in tables_of(model):
            out.show(table)
