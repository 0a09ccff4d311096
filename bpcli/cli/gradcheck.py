"""`bpnet gradcheck`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bpcli.cli.common import console, json_option, load_run_or_config, runs_dir_option, set_option
from bpcli.cli.documents import print_json
from bpcli.errors import ConfigError, GateFailed

if TYPE_CHECKING:
    from bpcli.gradcheck.catalogue import Proof


@click.command(
    "gradcheck",
    epilog="""\b
Examples:
  bpnet gradcheck                          everything that a config can ask for
  bpnet gradcheck configs/moons.yaml       your own network and data, at the start
  bpnet gradcheck latest                   the same, at trained weights
  bpnet gradcheck --self-test              wrong backward passes, each rejected
  bpnet gradcheck --corrupt no-derivative  what a failing check looks like""",
)
@click.argument("run_or_config", metavar="[CONFIG|RUN]", required=False)
@click.option(
    "--entries",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Entries to check of each tensor.",
)
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Training rows to check on.",
)
@click.option("--self-test", is_flag=True, help="Show that wrong backward passes are rejected.")
@click.option("--corrupt", metavar="KIND", help="Use a wrong backward pass, to see it fail.")
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
    """Prove the gradient, tensor by tensor.

    The analytic gradient is held against the complex step, which has no truncation error, and
    against central differences; so are the Jacobian of the residuals, where the loss is a sum of
    squares, and products with the Hessian. Entries whose step crosses a kink are skipped and
    counted. Exit code 4 if any tensor fails. The kinds of --corrupt are those that --self-test
    lists.
    """
    if overrides and run_or_config is None:
        raise ConfigError("--set is for a CONFIG.")
    if self_test:
        if run_or_config or corrupt:
            raise ConfigError("--self-test goes without CONFIG, RUN and --corrupt.")
        _self_test(as_json)
        return
    _known_corruption(corrupt)
    from bpcli.gradcheck.catalogue import prove_demonstration, prove_experiment
    from bpcli.nn.numerics import repeatable_numerics

    with repeatable_numerics():
        if run_or_config is not None:
            experiment, params = load_run_or_config(run_or_config, overrides, runs_dir)
            proof = prove_experiment(
                experiment, params, rows=rows, entries=entries, corruption=corrupt
            )
            _report(proof, as_json)
        elif corrupt is not None:
            _report(prove_demonstration(corrupt), as_json)
        else:
            _catalogue(as_json)


def _known_corruption(corrupt: str | None) -> None:
    from bpcli.gradcheck.cases import CORRUPTIONS

    if corrupt is not None and corrupt not in CORRUPTIONS:
        raise ConfigError(f"--corrupt {corrupt}: expected one of {', '.join(CORRUPTIONS)}.")


def _report(proof: Proof, as_json: bool) -> None:
    if as_json:
        print_json(proof.to_json())
    else:
        _print_proof(proof)
    if not proof.passed:
        raise GateFailed(f"the {_wrong(proof)} is wrong.")


def _wrong(proof: Proof) -> str:
    """What failed: the gradient, or what is made of it, or beside it."""
    failed = {check.term for check in proof.checks if not check.passed}
    for term in ("jacobian", "hessian"):
        if failed == {term}:
            return term.capitalize()
    return "gradient"


def _print_proof(proof: Proof) -> None:
    from bpcli.terminal.tables import checks_table

    out = console()
    out.show(checks_table(proof.checks), ["shape", "skipped", "entries", "term", "central"])
    rows = "1 row" if proof.rows == 1 else f"{proof.rows} rows"
    out.say(f"{proof.network}, on {rows}, in float64")
    out.say("error: norm of the difference over norm of the gradient, by the complex step;")
    out.say("central: the same by central differences, which are less exact")
    out.say("hessian: u·H v against v·H u, and H v against differences of the gradient")
    if proof.unchecked:
        out.say(
            "not checked, as every entry sits on a kink, or overflows: "
            f"{', '.join(proof.unchecked)}; other parameters or rows would show more"
        )
    if proof.blind:
        out.say(
            "not proven, as it is smaller than the rounding of what it is a sum of: "
            f"{', '.join(proof.blind)}; scaled data (`data.scale`) or other parameters would show "
            "more"
        )
    if proof.harmless:
        out.say(f"this error changes nothing here: it takes {proof.harmless}")
    if proof.explanation:
        out.say(f"hint: {proof.explanation}")


def _catalogue(as_json: bool) -> None:
    from dataclasses import asdict

    from bpcli.gradcheck.catalogue import prove_catalogue
    from bpcli.terminal.tables import catalogue_table

    rows = prove_catalogue()
    if as_json:
        print_json({"checks": [asdict(row) for row in rows]})
    else:
        out = console()
        out.show(catalogue_table(rows), ["skipped", "central", "cases"])
        cases, entries = sum(row.cases for row in rows), sum(row.checked for row in rows)
        worst = max(row.error for row in rows)
        out.say(f"{cases} networks, {entries} entries, largest error {worst:.1e}")
        out.say("error: as norms; largest: of single entries; central: by central differences")
    if not all(row.passed for row in rows):
        raise GateFailed("a gradient is wrong.")


def _self_test(as_json: bool) -> None:
    from dataclasses import asdict

    from bpcli.gradcheck.catalogue import self_test
    from bpcli.terminal.tables import rejections_table

    rejections = self_test()
    if as_json:
        print_json({"rejections": [asdict(rejection) for rejection in rejections]})
    else:
        console().show(rejections_table(rejections), ["tensors that fail"])
    if not all(rejection.rejected for rejection in rejections):
        raise GateFailed("a wrong backward pass was not noticed.")
