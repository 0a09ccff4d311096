"""`bpnet explain`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpcli.cli.common import (
    console,
    examples,
    noting_missing_fonts,
    require_plot_format,
    say_notes,
)
from bpcli.cli.dialect import dialect_options
from bpcli.cli.documents import print_json
from bpcli.cli.references import Reference, run_options
from bpcli.errors import ConfigError
from bpcli.text import plural

if TYPE_CHECKING:
    from bpcli.data.types import SplitName
    from bpcli.workflows.explain import Method
    from bpcli.workflows.explain_run import Asked


@click.command(
    "explain",
    short_help="Show which inputs matter and how the predictions depend on them.",
    epilog=examples("explain"),
)
@click.argument("run")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    help="The rows to use without FILE; default: the test set, else the validation set, else the "
    "training set.",
)
@click.option(
    "--row",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="Explain instead the prediction of one row by Shapley values; rows are numbered from 1.",
)
@click.option(
    "--effects",
    "method",
    type=click.Choice(["ale", "pd"]),
    default="ale",
    show_default=True,
    help="How effect curves are computed: accumulated local effects, or partial dependence.",
)
@click.option(
    "--figure",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for plots of importance and effects: .png, .svg or .pdf.",
)
@click.option("--rows", type=click.IntRange(2), help="Use at most this many rows.")
@click.option(
    "--repeats",
    type=click.IntRange(1, 256),
    help="Number of permutations of each input; default: 10, fewer if there are very many inputs.",
)
@click.option("--seed", type=click.IntRange(0), help="The seed; default: that of the run.")
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="The number of processes; it does not change results; default: as many as are useful.",
)
@dialect_options
@run_options
def command(
    run: Reference,
    file: Path | None,
    split: SplitName | None,
    row: int | None,
    method: Method,
    figure: Path | None,
    rows: int | None,
    repeats: int | None,
    seed: int | None,
    workers: int | None,
    signs: Mapping[str, Any],
    as_json: bool,
) -> None:
    """Show which inputs of a run matter and how the predictions depend on them.

    RUN is an id, a unique beginning of one, a tag, a name, `latest`, `latest~1`, or a path. An
    input is a column of the table: all its categories count as one input. The rows are those of a
    split, or of FILE, which has targets too; the options from --encoding to --missing-only describe
    how FILE differs from the training file.

    The importance of an input is how much the loss rises if its values are permuted between rows.
    Correlated inputs are permuted together as well. With --row, the difference between the
    prediction of one row and the mean prediction is divided among its inputs.
    """
    from bpcli.workflows.explain_run import Asked

    _require_options(file, split, figure, signs)
    asked = Asked(row, method, rows, repeats, seed, workers)
    document = _explained(run, split, file, signs, asked, is_silent=as_json)
    document |= {"weights": run.weights, "figure": None if figure is None else str(figure)}
    if figure is not None:
        _draw(document, figure)
    if as_json:
        print_json(document)
    elif row is None:
        _print(document, file)
    else:
        _print_row(document)


def _explained(
    run: Reference,
    split: SplitName | None,
    file: Path | None,
    signs: Mapping[str, Any],
    asked: Asked,
    *,
    is_silent: bool,
) -> dict[str, Any]:
    """Explain the rows of a split or of a file."""
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.terminal.progress.steps import steps_of
    from bpcli.workflows.explain_run import explain_run
    from bpcli.workflows.explained import load_explained

    with repeatable_numerics():
        explained = load_explained(
            run.find(), run.weights, split, file, signs, in_memory=asked.row is None
        )
        say_notes(explained.notes)
        with steps_of(console(stderr=True), is_silent=is_silent) as progress:
            return explain_run(explained, asked, progress)


def _require_options(
    file: Path | None, split: str | None, figure: Path | None, signs: Mapping[str, Any]
) -> None:
    if file is not None and split is not None:
        raise ConfigError("FILE and --split both select the rows: use only one.")
    if file is None and signs:
        raise ConfigError("The options from --encoding to --missing-only need FILE.")
    if figure is not None:
        require_plot_format("--figure", figure)


def _draw(document: dict[str, Any], path: Path) -> None:
    from bpcli.workflows.explain_run import save_explanation_plot

    with noting_missing_fonts():
        save_explanation_plot(document, path)


def _print(document: Mapping[str, Any], file: Path | None) -> None:
    from bpcli.terminal.explanation import explanation_notes, importance_table, sensitivity_table

    out = console()
    where = f"on {file}" if file is not None else f"on the {document['split']} split"
    say = console(stderr=True).say
    say(
        f"{document['run_id']}: {document['weights']} weights {where} "
        f"({plural(document['rows'], 'row')})"
    )
    out.show(importance_table(document, getattr(out, "width", None)))
    derivatives = sensitivity_table(document)
    if derivatives is not None:
        out.show(derivatives, ["Olden", "Garson", "per sd", "output"])
    for note in explanation_notes(document):
        out.say(f"- {note}")
    if document["figure"]:
        out.say(f"plots saved in {document['figure']}")


def _print_row(document: Mapping[str, Any]) -> None:
    from bpcli.terminal.explanation import row_lines, row_table

    out = console()
    out.show(row_table(document))
    for line in row_lines(document):
        out.say(line)
    for note in document["caveats"]:
        out.say(f"- {note}")
    if document["figure"]:
        out.say(f"plot saved in {document['figure']}")
