"""Two machines beside each other: the one of a training, and this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bpcli.views.grid import Facts


def machine_facts(then: Mapping[str, Any], now: Mapping[str, Any]) -> Facts:
    """Versions, processor and BLAS: once where they are the same, else both."""
    was, is_now = _rows(then), _rows(now)
    names = dict.fromkeys([*was, *is_now])
    return [(name, _text(was.get(name, "-"), is_now.get(name, "-"))) for name in names]


def _text(was: str, is_now: str) -> str:
    return f"{was}, then and now" if was == is_now else f"then {was}, now {is_now}"


def _rows(machine: Mapping[str, Any]) -> dict[str, str]:
    versions: Mapping[str, Any] = machine.get("versions") or {}
    return {
        **{name: str(version) for name, version in versions.items()},
        "platform": str(machine.get("platform") or "-"),
        "cpu": str(machine.get("cpu") or "-"),
        "blas": _blas(machine.get("blas") or []),
    }


def _blas(libraries: Sequence[Mapping[str, Any]]) -> str:
    texts = [" ".join(str(value) for value in each.values() if value) for each in libraries]
    return ", ".join(dict.fromkeys(texts)) or "-"
