"""`bpnet eval`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bpcli.cli.common import console, json_option, runs_dir_option, say_notes, weights_option
from bpcli.cli.documents import print_json
from bpcli.errors import ConfigError, GateFailed

if TYPE_CHECKING:
    from bpcli.runs.trained import Trained
    from bpcli.workflows.evaluate import SplitEvaluation


@click.command(
    "eval",
    epilog="""\b
Examples:
  bpnet eval latest
  bpnet eval latest --split train --json
  bpnet eval latest --data new.csv
  bpnet eval latest --require "test.accuracy>=0.95" --require "test.log_loss<0.2\"""",
)
@click.argument("run")
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    help="The split to score; default: test, else val, else train.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Score another file with the same columns, as the split `data`.",
)
@click.option(
    "--require",
    "required",
    multiple=True,
    metavar="METRIC>=NUMBER",
    help="Exit with code 4 unless this holds (>=, <=, > or <). May be repeated.",
)
@click.option(
    "--intervals/--no-intervals",
    "with_intervals",
    default=None,
    help="95 % intervals of the metrics, by the bootstrap. Default: of up to 20,000 rows.",
)
@weights_option
@runs_dir_option
@json_option
def command(
    run: str,
    split: str | None,
    data: Path | None,
    required: tuple[str, ...],
    with_intervals: bool | None,
    weights: str,
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Score a run, beside a baseline.

    RUN is an id, a unique beginning of one, a tag, a name, `latest`, `latest~1`, or a path.
    Metrics are in the data's own units. The baseline knows the training targets, but no inputs.
    Exit code 4 if a metric is not as required.
    """
    from bpcli.metrics.requirements import Requirement
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.runs.references import find_run
    from bpcli.runs.trained import load_trained
    from bpcli.workflows.evaluate import default_split, evaluate, judge_run
    from bpcli.workflows.other_data import with_other_data

    if data is not None and split is not None:
        raise ConfigError("--data and --split both say which rows to score: keep one.")
    requirements = [Requirement.parse(text) for text in required]
    found = find_run(run, runs_dir)
    with repeatable_numerics():
        trained = load_trained(found, weights)  # type: ignore[arg-type]  # click checked it
        say_notes(trained.notes)
        if data is not None:
            trained = with_other_data(trained, data)
            chosen_split = "data"
        else:
            chosen_split = split or default_split(trained.experiment)
        evaluation = evaluate(trained, chosen_split, with_intervals)  # type: ignore[arg-type]  # as above
        verdicts = judge_run(trained, evaluation, requirements)
    if as_json:
        document = {"run_id": found.run_id, "weights": weights, **evaluation.to_json()}
        print_json(document | {"required": [verdict.to_json() for verdict in verdicts]})
    else:
        where = f"on {data}" if data is not None else f"on the {evaluation.split} split"
        chosen = "" if data or split else "; without --split: test, else val, else train"
        console(stderr=True).say(
            f"{found.run_id}: {weights} weights {where} "
            f"({evaluation.rows} row{'s' * (evaluation.rows != 1)}{chosen})"
        )
        _print_tables(trained, evaluation)
    failed = [verdict.sentence for verdict in verdicts if not verdict.passed]
    if failed:
        raise GateFailed(f"{'; '.join(failed)}.")


def _print_tables(trained: Trained, evaluation: SplitEvaluation) -> None:
    from bpcli.terminal.tables import class_table, confusion_table, scores_table

    document = evaluation.to_json()
    out = console()
    scores = document["metrics"], document["baselines"], trained.record
    out.show(scores_table(*scores, document.get("intervals")))
    if evaluation.report is not None:
        out.show(class_table(evaluation.report))
        out.show(confusion_table(evaluation.report))
