"""The memory available to this process: on the machine, in its control groups, under its limits."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator


class Limit:
    """A limit on this process's address space or data, and its present use, in bytes."""

    def __init__(self, is_of_data: bool, most: int, used: int) -> None:
        self.is_of_data, self.most, self.used = is_of_data, most, used

    @property
    def what(self) -> str:
        """What it limits: data or address space."""
        return "data" if self.is_of_data else "address space"

    @property
    def command(self) -> str:
        """The shell command that sets it, in KiB."""
        return "ulimit -d" if self.is_of_data else "ulimit -v"


def memory_limits(root: str = "") -> list[Limit]:
    """The limits on this process's memory; only Linux enforces them.

    `root` is the root folder of the system's files.
    """
    if sys.platform != "linux":
        return []
    try:
        import resource
    except ImportError:
        return []
    most = [resource.getrlimit(limit)[0] for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    if most == [resource.RLIM_INFINITY] * 2:
        return []
    pages = _text(f"{root}/proc/self/statm").split()
    if len(pages) < _PAGES_OF_DATA:
        return []
    page = resource.getpagesize()
    limits = [
        Limit(False, most[0], int(pages[0]) * page),
        Limit(True, most[1], int(pages[_PAGES_OF_DATA - 1]) * page),
    ]
    return [limit for limit in limits if limit.most != resource.RLIM_INFINITY]


_PAGES_OF_DATA = 6
"""The field of statm that counts the pages of data, numbered from 1."""


def available_memory(root: str = "") -> float:
    """The bytes available to this process: on the machine, in its groups, under its own limits.

    Infinite if the system does not report it.
    """
    limits = (limit.most - limit.used for limit in memory_limits(root))
    return max(0.0, min([_of_machine(root), *_of_groups(root), *limits]))


def _of_machine(root: str) -> float:
    """MemAvailable on Linux; elsewhere the free pages, or all pages."""
    for name, value in _lines(f"{root}/proc/meminfo"):
        if name == "MemAvailable:":
            return float(value.split()[0]) * 1024
    known = getattr(os, "sysconf_names", {})
    for pages in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"):
        if pages in known:
            return float(os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE"))
    return float("inf")


def _of_groups(root: str) -> Iterator[float]:
    """The memory left in Linux's control groups, of version 2 and of version 1."""
    for line in _text(f"{root}/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _of_path(f"{root}/sys/fs/cgroup", path, _SECOND)
        elif "memory" in controllers.split(","):
            yield from _of_path(f"{root}/sys/fs/cgroup/memory", path, _FIRST)


_SECOND = ("memory.max", "memory.current", "inactive_file")
_FIRST = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def _of_path(mount: str, path: str, names: tuple[str, str, str]) -> Iterator[float]:
    """The memory left in a group and in its parents; in a container the path may not exist."""
    limit, usage, cache = names
    parts = [part for part in path.split("/") if part]
    for length in range(len(parts), -1, -1):
        group = "/".join([mount, *parts[:length]])
        most, used = _text(f"{group}/{limit}").strip(), _text(f"{group}/{usage}").strip()
        if most.isdecimal() and used.isdecimal():
            stat = dict(_lines(f"{group}/memory.stat"))
            yield float(most) - float(used) + float(stat.get(cache, 0))  # caches can be freed


def _lines(path: str) -> Iterator[tuple[str, str]]:
    """The first word of each line, and the rest."""
    for line in _text(path).splitlines():
        name, _, rest = line.partition(" ")
        yield name, rest


def _text(path: str) -> str:
    """The text of a system file; empty if it does not exist."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return ""
