"""Signals that ask this process to end."""

from __future__ import annotations

import sys


def stop_signals() -> list[int]:
    """The signals that ask a process to end, as far as this system has them.

    Under nohup the end of the terminal is none of them.
    """
    import signal

    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    found = {name: getattr(signal, name) for name in names if hasattr(signal, name)}
    if "SIGHUP" in found and signal.getsignal(found["SIGHUP"]) is signal.SIG_IGN:
        del found["SIGHUP"]
    return list(found.values())


def end_on_interrupts() -> None:
    """Have Ctrl-C end the process as it ends others, unless it is to be ignored."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def hear_interrupts() -> None:
    """Have Ctrl-C raise `KeyboardInterrupt` again, or end the process where that gets lost."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = _end_where_it_gets_lost


def _end_where_it_gets_lost(lost: sys.UnraisableHookArgs) -> None:
    """As in a callback of the import system, of which there are many when a command begins."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.raise_signal(signal.SIGINT)
