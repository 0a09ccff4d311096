"""The script's entry point: handles signals first, then checks limits, then imports the rest.

Python turns Ctrl-C into an exception. During an import, that exception would print a traceback or
get lost. No work has started at that point. So Ctrl-C ends the process by the system's default
until `bpcli.cli.main` can report an interruption.
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
