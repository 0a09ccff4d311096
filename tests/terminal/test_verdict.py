"""The machine of a training beside this one."""

from __future__ import annotations

from bpcli.terminal.verdict import machine_facts


def test_what_is_the_same_is_said_once_and_what_differs_twice() -> None:
    then = {"versions": {"numpy": "2.0", "python": "3.11"}, "cpu": "old"}
    now = {"versions": {"numpy": "2.1", "python": "3.11"}, "platform": "Linux"}
    assert dict(machine_facts(then, now)) == {
        "numpy": "then 2.0, now 2.1", "python": "3.11, then and now", "cpu": "then old, now -",
        "platform": "then -, now Linux",
    }  # fmt: skip
