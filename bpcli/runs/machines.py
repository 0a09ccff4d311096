"""The machines that trained a run, according to its record, and differences between two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bpcli.runs.run_json import Machine, RunRecord


@dataclass(frozen=True)
class Change:
    """A fact that differs between two machines, as texts."""

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
    """Join the changes into one text."""
    return "; ".join(change.text for change in changes)


def sessions_of(record: RunRecord) -> list[tuple[int, Machine]]:
    """Return first epoch and machine of each session whose epochs were not trained again later."""
    sessions = [(0, record.machine)]
    for session in record.resumed:
        sessions = [each for each in sessions if each[0] < session.at_epoch]
        sessions.append((session.at_epoch, session.machine))
    return sessions


def breaks_of(record: RunRecord) -> list[Break]:
    """Return the epochs at which a run was resumed under conditions that may give other bits."""
    sessions = sessions_of(record)
    breaks = [Break(epoch, decisive(then, now)) for (_, then), (epoch, now) in pairwise(sessions)]
    return [each for each in breaks if each.changes]


def changes(then: Machine, now: Machine) -> list[Change]:
    """Return the facts that differ, among those that both machines have."""
    return _changes(texts(then), texts(now))


def decisive(then: Machine, now: Machine) -> list[Change]:
    """Return the changes that may change bits: not the processor's name or the kernel's release."""
    return _changes(_decisive_texts(then), _decisive_texts(now))


def _changes(was: Mapping[str, str], is_now: Mapping[str, str]) -> list[Change]:
    return [
        Change(name, was[name], is_now[name])
        for name in was
        if name in is_now and not _is_alike(name, was[name], is_now[name])
    ]


def _is_alike(name: str, then: str, now: str) -> bool:
    """True if facts are equal; one may list more BLAS libraries, which are loaded when needed."""
    if name == _BLAS:
        some, others = ({*text.split(_BETWEEN)} for text in (then, now))
        return some <= others or others <= some
    return then == now


def texts(machine: Machine) -> dict[str, str]:
    """Return a machine's known facts as texts, by name."""
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
    facts = texts(machine)
    for name in ("cpu", "safetensors"):  # they do not affect results
        facts.pop(name, None)
    system, _, library = facts.get("platform", "").partition("-with-")
    if library:  # Linux: the C library affects results, the kernel does not
        facts["platform"] = f"{system.partition('-')[0]} with {library}"
    return facts
