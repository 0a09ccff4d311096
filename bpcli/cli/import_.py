"""`bpnet import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bpcli.cli.common import console, examples, json_option, runs_dir_option, say_notes
from bpcli.cli.documents import print_json
from bpcli.errors import GateFailed

if TYPE_CHECKING:
    from bpcli.runs.store import Run
    from bpcli.workflows.import_model import Import
    from bpcli.workflows.old_outputs import Differences


@click.command(
    "import",
    short_help="Import a network from MATLAB, ONNX or JSON as a run.",
    epilog=examples("import"),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--name", help="Name of the run; default: the file's name.")
@click.option(
    "--inputs",
    metavar="NAMES",
    help="The names of the inputs, separated by commas: length,width,height.",
)
@click.option("--targets", metavar="NAMES", help="The names of the targets, separated by commas.")
@click.option(
    "--classes", metavar="NAMES", help="The names of the classes in the order of the outputs."
)
@click.option(
    "--data",
    "table",
    type=click.Path(path_type=Path),
    help="A table with the columns of the network, stored with the run: `eval`, `plot` and "
    "`trace` use its rows.",
)
@click.option(
    "--check",
    type=click.Path(path_type=Path),
    help="A table, or a .mat or .npz file, with inputs and the outputs or classes that the "
    "other program computed: prints the largest difference, and imports nothing if it is "
    "too large or if a class differs.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=1e-6,
    show_default=True,
    help="The largest relative difference that --check accepts; exit code 4 if it is larger.",
)
@runs_dir_option
@json_option
def command(
    file: Path,
    name: str | None,
    inputs: str | None,
    targets: str | None,
    classes: str | None,
    table: Path | None,
    check: Path | None,
    tolerance: float,
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Import a network that another program trained, as a run.

    FILE is a MATLAB function (genFunction, or exported from an app), a .m or .mat file with IW, LW
    and b, an ONNX file of a plain network, or bpnet's own JSON. It is read as text or data: nothing
    of it is executed. Anything but a plain multilayer perceptron is refused, with the name of the
    part that is not supported.

    The relative difference of --check is max|a - b| / max|b| over the rows, for the output in which
    it is largest; b are the outputs in the file.
    """
    from bpcli.imports.model import renamed
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.workflows.import_model import Import, import_model

    source = Import.read(file)
    model = renamed(source.model, *map(_listed, (inputs, targets, classes)))
    source = Import(source.path, model, source.origin)
    with repeatable_numerics():
        say_notes(source.model.notes)
        measured = None if check is None else _checked(source, check, tolerance)
        run = import_model(source, runs_dir, name, table)
    if as_json:
        document = {"run_id": run.run_id, "imported": source.origin.to_json()}
        checked = {} if measured is None else {"check": measured.to_json()}
        print_json({**document, "layers": source.model.sizes, **checked})
    else:
        _print(run, source, measured)


def _listed(names: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",")) if names is not None else ()


def _checked(source: Import, path: Path, tolerance: float) -> Differences:
    """Compare with old outputs. Raises `GateFailed` if they differ by more than the tolerance."""
    from bpcli.text import plural
    from bpcli.workflows.old_outputs import differences

    network = source.network
    diff = differences(source.model, network, source.params(network), path)
    say_notes(diff.notes)
    if diff.classes:
        raise GateFailed(
            f"{diff.classes} of {plural(diff.rows, 'row')} in {path} have a different class "
            f"({diff.first}): nothing was imported."
        )
    if diff.relative is not None and not diff.relative <= tolerance:
        raise GateFailed(
            f"The outputs differ from those in {path} by up to {diff.absolute:.3g}, relative "
            f"{diff.relative:.3g}, which is more than the tolerance {tolerance:g}: nothing was "
            "imported."
        )
    return diff


def _print(run: Run, source: Import, checked: Differences | None) -> None:
    from bpcli.runs.references import reference_to
    from bpcli.text import plural

    out, reference = console(), reference_to(run)
    if checked is not None:
        said = []
        if checked.absolute is not None:
            size = f"{checked.absolute:.3g}, relative {checked.relative:.3g}"
            said = [f"the largest difference of an output is {size}"]
        if checked.classes is not None:
            said.append("all classes are the same")
        out.say(f"checked on {plural(checked.rows, 'row')}: {'; '.join(said)}")
    out.say(f"imported {source.path} ({source.model.form}): {source.network.summary}")
    out.say(f"saved in {run.folder}")
    out.say(f"predict new rows with: bpnet predict {reference} FILE -o predictions.csv")
    out.say(f"train it further with: bpnet train --from {reference} CONFIG")
