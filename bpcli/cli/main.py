"""The `bpnet` group, and how failures become messages and exit codes."""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from bpcli import __version__, system
from bpcli.cli.limits import guard_imports, what_was_lacking
from bpcli.cli.outputs import lasting_outputs
from bpcli.cli.signs import HANDLER
from bpcli.errors import BpnetError, Interrupted, LeftAtOnce, NumericsNotPinned

if TYPE_CHECKING:
    from io import TextIOWrapper

_COMMANDS = (
    "train", "eval", "plot", "trace", "gradcheck", "predict", "export", "compare", "runs", "verify",
    "init", "data", "check", "schema",
)  # fmt: skip


class _LazyGroup(click.Group):
    """Imports a command's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"bpcli.cli.{cmd_name}").command
        return command


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Start with a table of your own:  bpnet init FILE.csv
or with an example:              bpnet init xor""",
)
@click.version_option(__version__, prog_name="bpnet")
def bpnet() -> None:
    """Train fully connected networks by full-batch back-propagation from YAML files."""


def main(arguments: Sequence[str] | None = None, *, can_restart: bool = False) -> int:
    """Run a command line; return the exit code.

    A process of its own `can_restart` where it needs another environment: then nothing returns.
    """
    with lasting_outputs():
        return _exit_code_of(arguments, can_restart)


def _exit_code_of(arguments: Sequence[str] | None, can_restart: bool) -> int:
    for stream in (sys.stdout, sys.stderr):
        _survive_any_encoding(stream)
    try:
        guard_imports()
        result = bpnet.main(
            None if arguments is None else list(arguments), "bpnet", standalone_mode=False
        )
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show(file=sys.stderr)
        return error.exit_code
    except NumericsNotPinned as error:
        may_restart = can_restart and error.can_restart
        obstacle = _restart_with(error.variables) if may_restart else ""
        _say(f"Error: {error}{obstacle}")
        return error.exit_code
    except BpnetError as error:
        _say(f"Error: {error.full_text}")
        return 128 + error.signal_number if isinstance(error, Interrupted) else error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        _say("Interrupted.")
        cause = error.__cause__ or error  # click has an exception of its own for it
        return 128 + cause.signal_number if isinstance(cause, LeftAtOnce) else 130
    except BrokenPipeError:
        system.abandon(sys.stdout)
        return 0
    except Exception as error:
        if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
            _say("Interrupted.")  # an import that was cut short reports a failure of its own
            return 130
        lacking = what_was_lacking(error)
        if lacking is not None:
            system.abandon(sys.stdout)
            _say(f"Error: {lacking}")
            return 2
        if os.environ.get("BPNET_DEBUG"):
            raise
        name = type(error).__name__
        _say(
            f"Internal error: {name}: {error}\nThis is a fault of bpnet, not of yours. Set "
            "BPNET_DEBUG=1 to see where it happened."
        )
        return 1


_RESTARTED = "BPNET_RESTARTED"


def _restart_with(variables: Mapping[str, str]) -> str:
    """Run this command again with these variables set; return what prevents that, if anything.

    Only once: a wrapper around Python may set others.
    """
    if os.environ.get(_RESTARTED):
        return " It did so, and the variables were lost on the way."
    if sys.orig_argv[1:2] in ([], ["-"]):
        return " It cannot restart a program that Python reads from standard input."
    try:
        system.restart(
            [sys.executable, *sys.orig_argv[1:]], {**os.environ, **variables, _RESTARTED: "1"}
        )
    except OSError as error:
        return f" It could not restart: {error.strerror}."


def _say(message: str) -> None:
    """Print to stderr, with no character that could steer the terminal, and words not cut."""
    try:
        printable = _fit_for_stderr(message)
    except Exception:  # where memory or files are lacking, of which the message may tell
        printable = "".join(sign if sign == "\n" or sign.isprintable() else "?" for sign in message)
    print(printable, file=sys.stderr)


def _fit_for_stderr(message: str) -> str:
    from bpcli.text import harmless, wrapped

    printable = harmless(message)
    if not sys.stderr.isatty():
        return printable
    width = shutil.get_terminal_size().columns
    lines = printable.split("\n")
    excerpts = (line.startswith("    ") for line in lines)  # with carets below: as they are
    return "\n".join(
        part
        for line, is_excerpt in zip(lines, excerpts, strict=True)
        for part in ([line] if is_excerpt else wrapped(line, width))
    )


def _survive_any_encoding(stream: TextIOWrapper | Any) -> None:
    """Spell what a terminal's encoding lacks, rather than fail."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=HANDLER)


def _look_for_no_plugins() -> None:
    """Have pydantic look for no plugins, which would take the metadata of all that is installed.

    Its switch alone would let it import `importlib.metadata` all the same, a thirtieth of a short
    training, at the head of the module that then does nothing.
    """
    if os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__") == "__all__":
        idle = _NoPlugins("pydantic.plugin._loader")
        sys.modules[idle.__name__] = idle


class _NoPlugins(ModuleType):
    """In the place of a module that looks for plugins; itself, for whatever else is asked of it."""

    @staticmethod
    def get_plugins() -> tuple[()]:
        return ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def run() -> None:
    """The script's entry point: `main` in a process of its own, which starts and ends fast.

    Importing makes 70,000 objects that stay, and neither it nor training makes much garbage: they
    are not looked through before there are many more, and at the end left to the system: to free
    them one by one would take a thirtieth of a short training. Nothing waits for Python's own end.
    BLAS starts no threads of its own, since everything is computed with one of them anyway: to
    start them takes a tenth of numpy's import, and twice that from the other processor.
    """
    gc.set_threshold(200_000)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _look_for_no_plugins()
    system.open_standard_streams()
    try:
        system.hear_interrupts()
        exit_code = main(can_restart=True)
        system.end_on_interrupts()
    except KeyboardInterrupt:  # just before `main` could say so, or just after
        exit_code = 130
    system.leave(exit_code)
