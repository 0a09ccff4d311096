"""What the bits of a worker's results depend on, and how it differs from this process."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from bpcli.errors import NumericsError, NumericsNotPinned
from bpcli.nn.numerics import require
from bpcli.runs.machines import Change, decisive
from bpcli.runs.provenance import machine
from bpcli.runs.run_json import Machine

_PACKAGES = ("dask", "distributed")
_OF_THE_PROCESSOR = {"numerics", "simd", "blas"}


def facts() -> dict[str, Any]:
    """The machine of this process as JSON, with the versions of dask.

    `variables` are those that it would need for portable numerics, if it could have them.
    """
    described = machine().to_json()
    described["versions"] |= {name: version(name) for name in _PACKAGES}  # type: ignore[operator]
    return {"machine": described, "variables": _missing_variables()}


def _missing_variables() -> dict[str, str]:
    try:
        require("portable")
    except NumericsNotPinned as error:
        return dict(error.variables)
    except NumericsError:
        pass
    return {}


def differences(own: Mapping[str, Any], there: Mapping[str, Any], who: str) -> str | None:
    """A sentence on what would change the results of another process; None if nothing would."""
    ours, theirs = own["machine"], there["machine"]
    if ours["versions"]["bpcli"] != theirs["versions"]["bpcli"]:  # it may have another structure
        ours, theirs = ({"versions": each["versions"]} for each in (ours, theirs))
    changes = decisive(_machine(ours), _machine(theirs))
    if not changes:
        return None
    changed = "; ".join(f"{each.what} is {each.now} there and {each.then} here" for each in changes)
    return f"{who} would give different results: {changed}. {_advice(changes, there)}"


def _machine(described: Mapping[str, Any]) -> Machine:
    unknown = {"platform": "", "cpu": "", "numerics": "native", "simd": [], "blas": []}
    return Machine(**{**unknown, **described})


def _advice(changes: list[Change], there: Mapping[str, Any]) -> str:
    if {each.what for each in changes} - _OF_THE_PROCESSOR:
        return "Install the same versions on both."
    variables = " ".join(f"{name}={value!r}" for name, value in there["variables"].items())
    start = f", and start the worker with {variables} in its environment" if variables else ""
    return f"Set `training.numerics: portable`{start}."


def scheduler_mismatch(packages: Mapping[str, str], own: Mapping[str, Any]) -> str | None:
    """A sentence on other versions of the scheduler; None if they are the same."""
    ours = own["machine"]["versions"]
    mismatches = [
        f"{name} is {packages[name]} there and {ours[name]} here"
        for name in _PACKAGES
        if packages[name] != ours[name]
    ]
    if not mismatches:
        return None
    return (
        f"The scheduler has other versions: {'; '.join(mismatches)}. Install the same ones on both."
    )
