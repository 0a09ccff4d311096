"""How a command failed: the message, the exit code, and the kind that `--json` tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import click

from bpcli.cli.limits import what_was_lacking
from bpcli.errors import BpnetError, ConfigError, ConfigIssue, Interrupted, LeftAtOnce


class Failure(NamedTuple):
    """What to tell people on standard error, and programs by `--json`."""

    kind: str
    message: str
    exit_code: int
    heading: str = "Error: "
    issues: Sequence[ConfigIssue] = ()


def failure_of(error: BaseException) -> Failure:
    """What an exception that ended a command means for its user."""
    if isinstance(error, click.ClickException):
        return Failure("usage", error.format_message(), error.exit_code)
    if isinstance(error, Interrupted):
        return Failure(error.kind, error.full_text, 128 + error.signal_number)
    if isinstance(error, BpnetError):
        issues = error.issues if isinstance(error, ConfigError) else ()
        return Failure(error.kind, error.full_text, error.exit_code, issues=issues)
    interruption = _interruption(error)
    if interruption is not None:
        number = interruption.signal_number if isinstance(interruption, LeftAtOnce) else 2
        return Failure("interrupted", "Interrupted.", 128 + number, heading="")
    lacking = what_was_lacking(error)
    if lacking is not None:
        return Failure("limit", lacking, 2)
    message = (
        f"{type(error).__name__}: {error}\nThis is an error in bpnet, not in what you gave it. Set "
        "BPNET_DEBUG=1 to see where it happened."
    )
    return Failure("internal", message, 1, heading="Internal error: ")


def _interruption(error: BaseException) -> BaseException | None:
    """The interruption that an exception is, or that it came of.

    click has an exception of its own for it, and an import that was cut short reports its own.
    """
    if isinstance(error, click.Abort):
        return error.__cause__ or error
    causes = (error, error.__cause__ or error.__context__)
    return next((cause for cause in causes if isinstance(cause, KeyboardInterrupt)), None)
