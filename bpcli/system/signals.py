"""Signals that ask this process to end."""

from __future__ import annotations

import sys


def stop_signals() -> list[int]:
    """The signals of this system that ask a process to end; under nohup, without SIGHUP."""
    import signal

    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    signals = {name: getattr(signal, name) for name in names if hasattr(signal, name)}
    if "SIGHUP" in signals and signal.getsignal(signals["SIGHUP"]) is signal.SIG_IGN:
        del signals["SIGHUP"]
    return list(signals.values())


def end_on_interrupts() -> None:
    """Let Ctrl-C end the process by the system's default, unless it is ignored."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def hear_interrupts() -> None:
    """Let Ctrl-C raise `KeyboardInterrupt` again, or end the process where that would get lost."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = _end_where_it_gets_lost


def _end_where_it_gets_lost(lost: sys.UnraisableHookArgs) -> None:
    """End the process on a `KeyboardInterrupt` that Python ignores, as in callbacks of imports."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.raise_signal(signal.SIGINT)
