"""`bpnet eval`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bpcli.cli.common import console, json_option, print_json, runs_dir_option, weights_option

if TYPE_CHECKING:
    from bpcli.experiment.evaluate import PartEvaluation
    from bpcli.experiment.trained import Trained


@click.command(
    "eval",
    epilog="""\b
Examples:
  bpnet eval latest
  bpnet eval latest --split train --json""",
)
@click.argument("run")
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    help="The part to score; default: test, else val, else train.",
)
@weights_option
@runs_dir_option
@json_option
def command(run: str, split: str | None, weights: str, runs_dir: Path, as_json: bool) -> None:
    """Score a run, beside a baseline.

    RUN is an id, a unique beginning of one, a name, `latest`, `latest~1`, or a path. Metrics are
    in the data's own units. The baseline knows the training targets, but no inputs.
    """
    from bpcli.experiment.evaluate import default_part, evaluate
    from bpcli.experiment.trained import load_trained
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.runs.references import find_run

    found = find_run(run, runs_dir)
    with repeatable_numerics():
        trained = load_trained(found, weights)  # type: ignore[arg-type]  # click checked it
        part = split or default_part(trained.experiment)
        evaluation = evaluate(trained, part)  # type: ignore[arg-type]  # click checked it
    if as_json:
        print_json({"run_id": found.run_id, "weights": weights, **evaluation.to_json()})
        return
    chosen = "" if split else "; without --split: test, else val, else train"
    console(stderr=True).say(
        f"{found.run_id}: {weights} weights on the {evaluation.part} part "
        f"({evaluation.rows} rows{chosen})"
    )
    _print_tables(trained, evaluation)


def _print_tables(trained: Trained, evaluation: PartEvaluation) -> None:
    from bpcli.views.tables import class_table, confusion_table, scores_table

    document = evaluation.to_json()
    out = console()
    out.show(scores_table(document["metrics"], document["baselines"], trained.record))
    if evaluation.report is not None:
        out.show(class_table(evaluation.report))
        out.show(confusion_table(evaluation.report))
