"""The results of a saved sweep, for `bpnet runs show`."""

from __future__ import annotations

from bpcli.cli.common import console
from bpcli.cli.documents import print_json
from bpcli.cli.size import print_search
from bpcli.cli.sweep import print_sweep
from bpcli.sweeps.folder import SweepFolder
from bpcli.sweeps.listing import listed_sweep
from bpcli.sweeps.run_plan import saved_results
from bpcli.sweeps.size import plan_search, size_document, sizes_of
from bpcli.sweeps.sweep import plan_sweep


def show_saved(sweep: SweepFolder, as_json: bool) -> None:
    """Print the results of a sweep or a search, or how many restarts have ended."""
    shown = {"sweep": _show_sweep, "size": _show_search, "restarts": _show_restarts}
    shown[sweep.record().kind](sweep, as_json)


def _show_sweep(sweep: SweepFolder, as_json: bool) -> None:
    done = saved_results(sweep, plan_sweep(sweep.config(), sweep).plan(sweep.folder))
    if as_json:
        print_json(done.document)
    else:
        print_sweep(done, len(done.plan.settings))


def _show_search(sweep: SweepFolder, as_json: bool) -> None:
    planned = plan_search(sweep.config(), sizes_of(sweep.record()))
    done = saved_results(sweep, planned.plan(sweep.folder))
    document = size_document(planned, done)
    if as_json:
        print_json(document)
    else:
        print_search(done, document)


def _show_restarts(sweep: SweepFolder, as_json: bool) -> None:
    facts = listed_sweep(sweep)
    if as_json:
        print_json(facts)
        return
    out = console()
    out.say(f"{facts['ended']} of {facts['trainings']} restarts have ended.")
    out.say(f"finish them with: bpnet train --resume {sweep.sweep_id}")
