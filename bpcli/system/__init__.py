"""Calls of the operating system: files, locks, processes, streams, signals and memory.

All such calls of the package are made here, each with a substitute for systems without it. A call
is looked up when it is needed, so importing this package takes almost no time.
"""

from bpcli.system.children import Child, wait_for
from bpcli.system.files import (
    has_room_for_files,
    most_open_files,
    open_file,
    pins_open_files,
    rename,
    replace,
    sync_file,
    sync_folder,
    unlink,
)
from bpcli.system.locks import close_locked, has_shared_locks, take_lock
from bpcli.system.memory import Limit, available_memory, memory_limits
from bpcli.system.processes import after_fork_in_child, can_fork, leave, restart
from bpcli.system.processor import cpu_model, usable_cores
from bpcli.system.reading import FileChangedError, OpenFile, Stamp, stamp_of
from bpcli.system.signals import end_on_interrupts, hear_interrupts, stop_signals
from bpcli.system.streams import abandon, open_standard_streams
from bpcli.system.suspension import (
    is_in_foreground,
    off_suspension,
    on_suspension,
    suspension_postponed,
)

__all__ = [
    "Child",
    "FileChangedError",
    "Limit",
    "OpenFile",
    "Stamp",
    "abandon",
    "after_fork_in_child",
    "available_memory",
    "can_fork",
    "close_locked",
    "cpu_model",
    "end_on_interrupts",
    "has_room_for_files",
    "has_shared_locks",
    "hear_interrupts",
    "is_in_foreground",
    "leave",
    "memory_limits",
    "most_open_files",
    "off_suspension",
    "on_suspension",
    "open_file",
    "open_standard_streams",
    "pins_open_files",
    "rename",
    "replace",
    "restart",
    "stamp_of",
    "stop_signals",
    "suspension_postponed",
    "sync_file",
    "sync_folder",
    "take_lock",
    "unlink",
    "usable_cores",
    "wait_for",
]
