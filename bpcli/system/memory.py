"""Memory that this process can still have: of the machine, its control groups and its limits."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator


class Limit:
    """A limit on this process's address space or data, and what it uses of that, in bytes."""

    def __init__(self, is_of_data: bool, most: int, used: int) -> None:
        self.is_of_data, self.most, self.used = is_of_data, most, used

    @property
    def what(self) -> str:
        """What it limits."""
        return "data" if self.is_of_data else "address space"

    @property
    def command(self) -> str:
        """What sets it in a shell, in KiB."""
        return "ulimit -d" if self.is_of_data else "ulimit -v"


def memory_limits(root: str = "") -> list[Limit]:
    """The limits on this process's memory that there are; only Linux keeps to them.

    `root` is the folder of a system's files.
    """
    if sys.platform != "linux":
        return []
    try:
        import resource
    except ImportError:
        return []
    most = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    if most == [resource.RLIM_INFINITY] * 2:
        return []
    pages = _text(f"{root}/proc/self/statm").split()
    if len(pages) < _PAGES_OF_DATA:
        return []
    page = resource.getpagesize()
    found = [
        Limit(False, most[0], int(pages[0]) * page),
        Limit(True, most[1], int(pages[_PAGES_OF_DATA - 1]) * page),
    ]
    return [limit for limit in found if limit.most != resource.RLIM_INFINITY]


_PAGES_OF_DATA = 6
"""Which figure of statm counts them."""


def available_memory(root: str = "") -> float:
    """Bytes that this process can still have: of the machine, its groups, and its own limits.

    Infinite where the system does not tell.
    """
    limits = (limit.most - limit.used for limit in memory_limits(root))
    return max(0.0, min([_of_machine(root), *_of_groups(root), *limits]))


def _of_machine(root: str) -> float:
    """MemAvailable of Linux; elsewhere the free pages, or all there are."""
    for name, value in _lines(f"{root}/proc/meminfo"):
        if name == "MemAvailable:":
            return float(value.split()[0]) * 1024
    known = getattr(os, "sysconf_names", {})
    for pages in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"):
        if pages in known:
            return float(os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE"))
    return math.inf


def _of_groups(root: str) -> Iterator[float]:
    """What the control groups leave, those of Linux's second version and of the first."""
    for line in _text(f"{root}/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _of_path(f"{root}/sys/fs/cgroup", path, _SECOND)
        elif "memory" in controllers.split(","):
            yield from _of_path(f"{root}/sys/fs/cgroup/memory", path, _FIRST)


_SECOND = ("memory.max", "memory.current", "inactive_file")
_FIRST = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def _of_path(mount: str, path: str, names: tuple[str, str, str]) -> Iterator[float]:
    """What a group and all groups around it leave; in a container the path may lead nowhere."""
    limit, usage, cache = names
    parts = [part for part in path.split("/") if part]
    for length in range(len(parts), -1, -1):
        group = "/".join([mount, *parts[:length]])
        most, used = _text(f"{group}/{limit}").strip(), _text(f"{group}/{usage}").strip()
        if most.isdecimal() and used.isdecimal():
            stat = dict(_lines(f"{group}/memory.stat"))
            yield float(most) - float(used) + float(stat.get(cache, 0))  # caches are given up


def _lines(path: str) -> Iterator[tuple[str, str]]:
    """The first word of each line, and the rest."""
    for line in _text(path).splitlines():
        name, _, rest = line.partition(" ")
        yield name, rest


def _text(path: str) -> str:
    """A file of the system; nothing where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return ""
