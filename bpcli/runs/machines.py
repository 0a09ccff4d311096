"""The machines that trained a run, as its record tells of them, and what differs between two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bpcli.runs.run_json import Machine, RunRecord


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


def sessions_of(record: RunRecord) -> list[tuple[int, Machine]]:
    """First epoch and machine of each session whose epochs were not trained again."""
    found = [(0, record.machine)]
    for session in record.resumed:
        found = [(epoch, machine) for epoch, machine in found if epoch < session.at_epoch]
        found.append((session.at_epoch, session.machine))
    return found


def breaks_of(record: RunRecord) -> list[Break]:
    """Where a run was resumed under conditions that may give other bits."""
    sessions = sessions_of(record)
    found = [Break(epoch, decisive(then, now)) for (_, then), (epoch, now) in pairwise(sessions)]
    return [each for each in found if each.changes]


def changes(then: Machine, now: Machine) -> list[Change]:
    """The facts that differ, of those that both machines have."""
    return _changes(texts(then), texts(now))


def decisive(then: Machine, now: Machine) -> list[Change]:
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


def texts(machine: Machine) -> dict[str, str]:
    """A machine's facts in words, by name; those that it has."""
    libraries = (" ".join(filter(None, library.values())) for library in machine.blas)
    facts = {
        "platform": machine.platform,
        "cpu": machine.cpu,
        "numerics": machine.numerics,
        "simd": " ".join(machine.simd),
        _BLAS: _BETWEEN.join(dict.fromkeys(libraries)),
    }
    return machine.versions | {name: text for name, text in facts.items() if text}


_BLAS, _BETWEEN = "blas", " and "


def _decisive_texts(machine: Machine) -> dict[str, str]:
    found = texts(machine)
    for name in ("cpu", "safetensors"):  # neither computes
        found.pop(name, None)
    system, _, library = found.get("platform", "").partition("-with-")
    if library:  # Linux: what computes is the C library's
        found["platform"] = f"{system.partition('-')[0]} with {library}"
    return found
