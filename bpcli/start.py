"""The script's entry point: signals first, then what this process may use, then all else.

Python answers Ctrl-C with an exception. In the middle of an import that would be a traceback, or
get lost. Nothing that could be lost has begun by then: the system may end the process as it ends
others, until `bpcli.cli.main` can say what was interrupted.
"""

import os

try:
    import signal
except KeyboardInterrupt:  # it takes long enough to be interrupted
    os._exit(130)


def run() -> None:
    """Run the command line, in a process that may use enough for that."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where it is ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from bpcli.cli.limits import require_enough_to_start

    require_enough_to_start()
    from bpcli.cli.main import run

    run()
