"""The script's entry point: signals first, then the limits of this process, then all else.

Python turns Ctrl-C into an exception. During an import, it would print a traceback or get lost. No
work has started by then, so the system ends the process as it ends others, until `bpcli.cli.main`
can say what was interrupted.
"""

import os

try:
    import signal
except KeyboardInterrupt:  # the import takes long enough to be interrupted
    os._exit(130)


def run() -> None:
    """Check the limits of this process, then run the command line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not if it is ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from bpcli.cli.limits import require_enough_to_start

    require_enough_to_start()
    from bpcli.cli.main import run

    run()
