"""The script's entry point: signals first, then what this process may use, then all else.

Python answers Ctrl-C with an exception. In the middle of an import that would be a traceback, or
get lost. Nothing that could be lost has begun by then: the system may end the process as it ends
others, until `bpcli.cli.main` can say what was interrupted.
"""

# Not `signal`, whose import takes long enough to be interrupted: this one is there already.
from _signal import (  # type: ignore[import-not-found]
    SIG_DFL,
    SIGINT,
    default_int_handler,
    getsignal,
    signal,
)


def run() -> None:
    """Run the command line, in a process that may use enough for that."""
    if getsignal(SIGINT) is default_int_handler:  # not where Ctrl-C is to be ignored
        signal(SIGINT, SIG_DFL)
    from bpcli.cli.limits import require_enough_to_start

    require_enough_to_start()
    from bpcli.cli.main import run

    run()
