"""`bpnet gradcheck`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bpcli.cli.common import console, examples, json_option, runs_dir_option, set_option
from bpcli.cli.documents import print_json
from bpcli.cli.references import Reference
from bpcli.errors import ConfigError, GateFailed

if TYPE_CHECKING:
    from bpcli.gradient_check.report import CheckReport


@click.command(
    "gradcheck",
    epilog=examples("gradcheck"),
)
@click.argument("run_or_config", metavar="[CONFIG|RUN]", required=False)
@click.option(
    "--entries",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Entries to check per tensor.",
)
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Training rows to use.",
)
@click.option("--self-test", is_flag=True, help="Show that wrong backward passes are rejected.")
@click.option(
    "--corrupt", metavar="KIND", help="Use a wrong backward pass, to see how the check fails."
)
@set_option
@runs_dir_option
@json_option
def command(
    run_or_config: str | None,
    entries: int,
    rows: int,
    self_test: bool,
    corrupt: str | None,
    overrides: tuple[str, ...],
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Check the gradient, tensor by tensor.

    Compares the training code's gradient with complex-step derivatives, which have no truncation
    error, and with central differences. Also checks products with the Hessian and, if the loss is a
    sum of squares, the Jacobian of the residuals. Entries whose step crosses a kink, where a
    derivative jumps, are skipped and counted. Exit code 4 if any tensor fails. --self-test lists
    the kinds of --corrupt.
    """
    if overrides and run_or_config is None:
        raise ConfigError("--set needs a CONFIG.")
    if self_test:
        if run_or_config or corrupt:
            raise ConfigError("--self-test takes no CONFIG, RUN or --corrupt.")
        _self_test(as_json)
        return
    _refuse_unknown(corrupt)
    from bpcli.gradient_check.report import check_demonstration, check_experiment
    from bpcli.nn.numerics import repeatable_numerics

    with repeatable_numerics():
        if run_or_config is not None:
            experiment, params = Reference(run_or_config, runs_dir).load_experiment(
                overrides, needs_targets=True, as_trained=True
            )
            report = check_experiment(
                experiment, params, rows=rows, entries=entries, corruption=corrupt
            )
            _show(report, as_json)
        elif corrupt is not None:
            _show(check_demonstration(corrupt), as_json)
        else:
            _catalogue(as_json)


def _refuse_unknown(corrupt: str | None) -> None:
    from bpcli.gradient_check.corruptions import CORRUPTIONS

    if corrupt is not None and corrupt not in CORRUPTIONS:
        raise ConfigError(f"--corrupt {corrupt}: expected one of {', '.join(CORRUPTIONS)}.")


def _show(report: CheckReport, as_json: bool) -> None:
    from bpcli.gradient_check.page import show_report

    if as_json:
        print_json(report.to_json())
    else:
        show_report(report, console())
    if not report.passed:
        raise GateFailed(f"the {report.what_failed} is wrong.")


def _catalogue(as_json: bool) -> None:
    from dataclasses import asdict

    from bpcli.gradient_check.catalogue import check_catalogue
    from bpcli.gradient_check.page import show_catalogue

    rows = check_catalogue()
    if as_json:
        print_json({"checks": [asdict(row) for row in rows]})
    else:
        show_catalogue(rows, console())
    if not all(row.passed for row in rows):
        raise GateFailed("a gradient is wrong.")


def _self_test(as_json: bool) -> None:
    from dataclasses import asdict

    from bpcli.gradient_check.self_test import self_test
    from bpcli.gradient_check.tables import rejections_table

    rejections = self_test()
    if as_json:
        print_json({"rejections": [asdict(rejection) for rejection in rejections]})
    else:
        console().show(rejections_table(rejections), ["tensors that fail"])
    if not all(rejection.rejected for rejection in rejections):
        raise GateFailed("a wrong backward pass was not detected.")
