"""Comparison of two machines: that of a training, and this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpcli.runs.machines import texts
from bpcli.terminal.grid import Facts

if TYPE_CHECKING:
    from bpcli.runs.run_json import Machine


def machine_facts(then: Machine, now: Machine) -> Facts:
    """Versions, processor and its instructions, for both machines if they differ."""
    was, is_now = texts(then), texts(now)
    names = dict.fromkeys([*was, *is_now])
    return [(name, _text(was.get(name, "-"), is_now.get(name, "-"))) for name in names]


def _text(was: str, is_now: str) -> str:
    return f"{was}, then and now" if was == is_now else f"then {was}, now {is_now}"
