"""Limits of memory, and what is available, as the system tells."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

import pytest
from programs import output_of
from work import at_most

from bpcli import system

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to these limits")


@on_linux
def test_limits_of_memory_are_told_with_what_is_used() -> None:
    program = (
        "import resource; from bpcli import system\n"
        "assert system.memory_limits() == []\n"
        "before = system.available_memory()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (2**29, 2**29))\n"
        "for limit in system.memory_limits():\n"
        "    print(limit.command, limit.what, limit.most, 2**22 < limit.used < 2**28)\n"
        "print(system.available_memory() < 2**29 <= before)"
    )
    assert output_of(program) == (
        f"ulimit -v address space {2**30} True\nulimit -d data {2**29} True\nTrue\n"
    )


def test_where_there_are_no_limits_none_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    assert system.memory_limits() == []
    assert system.most_open_files() == math.inf


def test_looking_for_limits_where_there_are_none_is_no_work() -> None:
    system.memory_limits()  # imports a module, once
    with at_most(10):
        assert system.memory_limits() == []


def written(root: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


MACHINE = {"proc/meminfo": "MemTotal:  4000 kB\nMemAvailable:  3000 kB\n"}


def test_the_machine_tells_what_is_available(tmp_path: Path) -> None:
    assert system.available_memory(written(tmp_path, MACHINE)) == 3000 * 1024


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # The second version: a limit, less what is used, but for caches that are given up.
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/memory.max": "1000000\n",
                "sys/fs/cgroup/a/b/memory.current": "600000\n",
                "sys/fs/cgroup/a/b/memory.stat": "anon 5\ninactive_file 100000\n",
            },
            500_000,
        ),
        # A group around the own one has the smaller limit.
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/memory.max": "max\n",
                "sys/fs/cgroup/a/b/memory.current": "600000\n",
                "sys/fs/cgroup/a/memory.max": "800000\n",
                "sys/fs/cgroup/a/memory.current": "700000\n",
            },
            100_000,
        ),
        # In a container the path leads nowhere, and the group is at the top.
        (
            {
                "proc/self/cgroup": "0::/elsewhere\n",
                "sys/fs/cgroup/memory.max": "900000\n",
                "sys/fs/cgroup/memory.current": "1000000\n",
            },
            0,
        ),
        # The first version.
        (
            {
                "proc/self/cgroup": "5:cpu,memory:/c\n0::/\n",
                "sys/fs/cgroup/memory/c/memory.limit_in_bytes": "500000\n",
                "sys/fs/cgroup/memory/c/memory.usage_in_bytes": "200000\n",
                "sys/fs/cgroup/memory/c/memory.stat": "total_inactive_file 50000\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "300000\n",
            },
            350_000,
        ),
        ({"proc/self/cgroup": "0::/\n"}, 3000 * 1024),
    ],
)
def test_control_groups_may_leave_less(
    tmp_path: Path, files: dict[str, str], expected: int
) -> None:
    assert system.available_memory(written(tmp_path, MACHINE | files)) == expected


def test_other_systems_tell_their_pages(tmp_path: Path) -> None:
    assert system.available_memory(str(tmp_path)) > 0


def test_pages_are_counted_where_nothing_else_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = {"SC_AVPHYS_PAGES": 10, "SC_PHYS_PAGES": 30, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__, raising=False)
    for names, expected in (
        (["SC_AVPHYS_PAGES", "SC_PHYS_PAGES"], 10 * 4096),
        (["SC_PHYS_PAGES"], 30 * 4096),
        ([], math.inf),
    ):
        monkeypatch.setattr(os, "sysconf_names", dict.fromkeys(names), raising=False)
        assert system.available_memory(str(tmp_path)) == expected
