"""The machines that trained a run, as its record tells of them, and what differs between two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bpcli.runs.store import Record

FACTS = ("versions", "platform", "cpu", "numerics", "simd", "blas")
"""What the last bits of a result may depend on, of all that a record tells of a machine."""


@dataclass(frozen=True)
class Change:
    """A fact that two machines do not have alike, as texts."""

    what: str
    then: str
    now: str

    @property
    def text(self) -> str:
        return f"{self.what}: {self.then} became {self.now}"


@dataclass(frozen=True)
class Break:
    """An epoch at which a run was resumed with other numerics, kernels or versions."""

    epoch: int
    changes: Sequence[Change]


def in_words(changes: Sequence[Change]) -> str:
    """All the changes, one after the other."""
    return "; ".join(change.text for change in changes)


def facts_of(machine: Mapping[str, Any]) -> Record:
    """A machine's facts, of a record or a session of one that has more."""
    return {key: machine[key] for key in FACTS if key in machine}


def sessions_of(record: Mapping[str, Any]) -> list[tuple[int, Record]]:
    """First epoch and machine of each session whose epochs were not trained again."""
    found = [(0, facts_of(record))]
    for session in record.get("resumed", []):
        if "machine" in session:
            begun = session["at_epoch"]
            found = [(epoch, facts) for epoch, facts in found if epoch < begun]
            found.append((begun, facts_of(session["machine"])))
    return found


def breaks_of(record: Mapping[str, Any]) -> list[Break]:
    """Where a run was resumed under conditions that may give other bits."""
    sessions = sessions_of(record)
    found = [Break(epoch, decisive(then, now)) for (_, then), (epoch, now) in pairwise(sessions)]
    return [each for each in found if each.changes]


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """The facts that differ, of those that both machines have."""
    return _changes(texts(then), texts(now))


def decisive(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Those that may change a bit: not the processor's name, nor the release of a Linux kernel."""
    return _changes(_decisive_texts(then), _decisive_texts(now))


def _changes(was: Mapping[str, str], is_now: Mapping[str, str]) -> list[Change]:
    return [
        Change(name, was[name], is_now[name])
        for name in was
        if name in is_now and not _is_alike(name, was[name], is_now[name])
    ]


def _is_alike(name: str, then: str, now: str) -> bool:
    """Equal; of BLAS libraries one may have been loaded later, by what else the process does."""
    if name == _BLAS:
        some, others = ({*text.split(_BETWEEN)} for text in (then, now))
        return some <= others or others <= some
    return then == now


def texts(machine: Mapping[str, Any]) -> dict[str, str]:
    """A machine's facts in words, by name; those that it has."""
    found = {str(name): str(version) for name, version in (machine.get("versions") or {}).items()}
    for name in ("platform", "cpu", "numerics"):
        if machine.get(name):
            found[name] = str(machine[name])
    if machine.get("simd"):
        found["simd"] = " ".join(map(str, machine["simd"]))
    if machine.get("blas"):
        libraries = (
            " ".join(str(value) for value in library.values() if value)
            for library in machine["blas"]
        )
        found[_BLAS] = _BETWEEN.join(dict.fromkeys(libraries))
    return found


_BLAS, _BETWEEN = "blas", " and "


def _decisive_texts(machine: Mapping[str, Any]) -> dict[str, str]:
    found = texts(machine)
    for name in ("cpu", "safetensors"):  # neither computes
        found.pop(name, None)
    system, _, library = found.get("platform", "").partition("-with-")
    if library:  # Linux: what computes is the C library's
        found["platform"] = f"{system.partition('-')[0]} with {library}"
    return found
