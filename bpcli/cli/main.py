"""The `bpnet` group, and how failures become messages and exit codes."""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

import click

from bpcli import system
from bpcli.cli.documents import Pending
from bpcli.cli.failures import Failure, failure_of
from bpcli.cli.limits import guard_imports
from bpcli.cli.outputs import lasting_outputs
from bpcli.cli.signs import HANDLER
from bpcli.cli.waiting import say_what_takes_long
from bpcli.errors import NumericsNotPinned
from bpcli.version import __version__

if TYPE_CHECKING:
    from io import TextIOWrapper

_COMMANDS = (
    "init", "data", "check", "train", "eval", "diagnose", "explain", "predict", "plot", "report",
    "export", "import", "weights", "compare", "size", "prune", "sweep", "trace", "gradcheck",
    "verify", "runs", "schema", "docs",
)  # fmt: skip


class _LazyGroup(click.Group):
    """Imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = cmd_name + "_" * iskeyword(cmd_name)
        command: click.Command = importlib.import_module(f"bpcli.cli.{module}").command
        return command


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Start with a table of your own:  bpnet init FILE.csv
or with an example:              bpnet init xor
Read the handbook:               bpnet docs""",
)
@click.version_option(__version__, prog_name="bpnet")
def bpnet() -> None:
    """Train fully connected networks by full-batch back-propagation from YAML files."""


def main(arguments: Sequence[str] | None = None, *, can_restart: bool = False) -> int:
    """Run a command line; return the exit code.

    With `can_restart`, a command that needs other environment variables replaces this process.
    """
    with lasting_outputs():
        return _exit_code_of(arguments, can_restart)


def _exit_code_of(arguments: Sequence[str] | None, can_restart: bool) -> int:
    for stream in (sys.stdout, sys.stderr):
        _survive_any_encoding(stream)
    given = list(sys.argv[1:] if arguments is None else arguments)
    document = Pending(given)
    try:
        guard_imports()
        say_what_takes_long(given)
        result = bpnet.main(given, "bpnet", standalone_mode=False, obj=document)
        document.release()
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except BrokenPipeError:
        system.abandon(sys.stdout)
        return 0
    except (Exception, KeyboardInterrupt) as error:
        failure = failure_of(error)
        if failure.kind == "internal" and os.environ.get("BPNET_DEBUG"):
            raise
        _report(error, failure, document, can_restart)
        return failure.exit_code


def _report(
    error: Exception | KeyboardInterrupt, failure: Failure, document: Pending, can_restart: bool
) -> None:
    """Report on stderr and in the document why a command failed, or restart the command."""
    if isinstance(error, NumericsNotPinned) and can_restart and error.can_restart:
        obstacle = _restart_with(error.variables)
        failure = failure._replace(message=f"{failure.message}{obstacle}")
    document.fail(failure.kind, failure.message, failure.issues)
    if failure.kind == "limit":
        system.abandon(sys.stdout)  # the limit may concern stdout itself
    if isinstance(error, click.ClickException):
        error.show(file=sys.stderr)
    else:
        more = f"\nmore: bpnet docs {failure.chapter}" if failure.chapter else ""
        _say(f"{failure.heading}{failure.message}{more}")


_RESTARTED = "BPNET_RESTARTED"


def _restart_with(variables: Mapping[str, str]) -> str:
    """Run this command again with these variables set; return what prevents that.

    Restart only once: a wrapper around Python may change the variables again.
    """
    if os.environ.get(_RESTARTED):
        return (
            " A restart with these variables was tried, but they were lost: check any script that "
            "starts Python."
        )
    if sys.orig_argv[1:2] in ([], ["-"]):
        return " A program that Python reads from standard input cannot be restarted."
    try:
        system.restart(
            [sys.executable, *sys.orig_argv[1:]], {**os.environ, **variables, _RESTARTED: "1"}
        )
    except OSError as error:
        return f" A restart failed: {error.strerror}."


def _say(message: str) -> None:
    """Print to stderr, with no character that could control the terminal, broken between words."""
    try:
        printable = _fit_for_stderr(message)
    except Exception:  # memory or files may have run out, and the message may be about that
        printable = "".join(sign if sign == "\n" or sign.isprintable() else "?" for sign in message)
    print(printable, file=sys.stderr)


def _fit_for_stderr(message: str) -> str:
    from bpcli.text import harmless, wrapped

    printable = harmless(message)
    if not sys.stderr.isatty():
        return printable
    width = shutil.get_terminal_size().columns
    lines = printable.split("\n")
    excerpts = (line.startswith("    ") for line in lines)  # not wrapped: carets point into them
    return "\n".join(
        part
        for line, is_excerpt in zip(lines, excerpts, strict=True)
        for part in ([line] if is_excerpt else wrapped(line, width))
    )


def _survive_any_encoding(stream: TextIOWrapper | Any) -> None:
    """Spell characters that the encoding lacks in ASCII, instead of failing."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=HANDLER)


def run() -> None:
    """Run `main` in a process of its own that starts and ends fast, and end that process.

    Three settings each save a twentieth or more of the CPU time of a short training (260 ms for
    3 epochs of xor; medians of 40 to 60 pairs of runs with and without):

    - Garbage collection starts at 200,000 objects. Imports make 70,000 that stay, and training
      makes hardly any garbage: +6 % with Python's own threshold, which collects 100 times.
    - `system.leave` ends the process without Python's shutdown, which frees objects one by one:
      +20 % with it. All files are closed and synced by then.
    - BLAS starts no threads, as everything is computed with one of them: +12 % with its own.

    Pydantic looks for no plugins: none is needed, and one could change how a config is read.

    Nothing is computed by joblib, which scikit-learn imports: without this setting, it tries a
    semaphore, and warns on stderr if there is no memory for one.
    """
    gc.set_threshold(200_000)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    os.environ.setdefault("JOBLIB_MULTIPROCESSING", "0")
    system.open_standard_streams()
    try:
        system.hear_interrupts()
        exit_code = main(can_restart=True)
        system.end_on_interrupts()
    except KeyboardInterrupt:  # raised just before or just after `main` can report it
        exit_code = 130
    system.leave(exit_code)
