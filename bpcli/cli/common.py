"""What several commands share: options, consoles, and the reading of their arguments."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bpcli.cli.outputs import Output
from bpcli.docs import help_of
from bpcli.errors import ConfigError

if TYPE_CHECKING:
    from bpcli.runs.run_json import RestartsRecord
    from bpcli.runs.saved import Scores
    from bpcli.terminal.console import Console
    from bpcli.terminal.stream import Stream
    from bpcli.terminal.sweep import SilentProgress
    from bpcli.workflows.intervals import Method


def examples(command: str) -> str:
    """The end of a command's help: its examples and the chapters to read, from the handbook."""
    commands, topics = help_of(command)
    title = f"\b\nExample{'s' * (len(commands) > 1)}:"
    chapters = ", ".join(f"bpnet docs {topic}" for topic in topics or [""]).rstrip()
    return "\n".join([title, *(f"  {line}" for line in commands), "", f"More: {chapters}"])


Command = TypeVar("Command", bound=Callable[..., Any])

runs_dir_option = click.option(
    "--runs-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    show_default=True,
    help="The folder of the runs.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else on stdout."
)
set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a value, such as training.epochs=50. May be repeated.",
)
method_option = click.option(
    "--method",
    type=click.Choice(["conformal", "normalized", "ensemble", "cross", "delta", "posterior"]),
    help="How --interval is computed. From errors on validation rows, for any network: `conformal` "
    "(default), with one width; `normalized`, wider where errors are larger; `ensemble`, wider "
    "where averaged networks disagree. `cross`: from the errors on all folds. Without validation "
    "rows: `delta` from the Jacobian of a least-squares fit; `posterior` from Bayesian "
    "regularization.",
)
_by_option = click.option(
    "--by",
    metavar="COLUMN",
    help="Calibrate --interval separately for each category of this input, or for each class of "
    "this target.",
)


def stacked(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator; help lists them in this order."""

    def decorate(function: Command) -> Command:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


method_options = stacked(method_option, _by_option)


def console(stderr: bool = False) -> Console | Stream:
    """Return the output for results, or with `stderr` for all else: a terminal or a stream."""
    file = sys.stderr if stderr else sys.stdout
    if isinstance(file, Output):
        file.is_prose = True
    if file.isatty():
        from bpcli.terminal.console import Console

        return Console(stderr=stderr)
    from bpcli.terminal.stream import Stream

    return Stream(file)


def sweep_progress(is_silent: bool) -> SilentProgress:
    """Return what shows many trainings: nothing, a live table, or lines in a pipe."""
    from bpcli.terminal.progress.choice import sweep_view_of

    return sweep_view_of(console(stderr=True), is_silent)


def show_restarts(restarts: RestartsRecord, metrics: Scores) -> None:
    """Print the trainings of a run with restarts, and how much their results differ."""
    from bpcli.terminal.restarts import average_line, restarts_table, spread_line

    out = console()
    out.show(restarts_table(restarts), ["time", "init seed", "stop reason"])
    for line in filter(None, [spread_line(restarts), average_line(restarts, metrics)]):
        out.say(line)


def say_notes(notes: Iterable[str]) -> None:
    """Print notes on how something was read or computed."""
    for note in notes:
        console(stderr=True).say(f"note: {note}")


@contextmanager
def noting_missing_fonts() -> Iterator[None]:
    """A context after which a note names the characters that no font has of what was drawn."""
    from bpcli.plots.fonts import missing_characters, note_on_fonts

    with missing_characters() as missing:
        yield
    say_notes([note_on_fonts(missing)] if missing else [])


def say_warnings(warnings: Iterable[str]) -> None:
    """Print likely mistakes, also with --quiet or --json."""
    for warning in warnings:
        console(stderr=True).say(f"warning: {warning}")


def interval_asked(
    level: float | None, method: Method | None, by: str | None = None
) -> tuple[float, Method, str | None] | None:
    """The level, the method and the column of intervals; None if nobody asked for any.

    Raises `ConfigError` for options of intervals without --interval.
    """
    for option, value in (("--method", method), ("--by", by)):
        if value is not None and level is None:
            raise ConfigError(f"{option} changes how --interval is computed: add --interval LEVEL.")
    return None if level is None else (level, method or "conformal", by)


def was_given(option: str) -> bool:
    """True if the command line has the option, even with its default value."""
    source = click.get_current_context().get_parameter_source(option)
    return source is click.core.ParameterSource.COMMANDLINE


def require_plot_format(option: str, path: Path) -> None:
    """Raises `ConfigError` if the name of a plot's file does not end in a known format."""
    from bpcli.plots.style import FORMATS

    if path.suffix.lower() not in FORMATS:
        raise ConfigError(f"{option} {path}: expected a name that ends in {', '.join(FORMATS)}.")
