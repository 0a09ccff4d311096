"""How a command failed: the message, the exit code, and the kind that `--json` reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import click

from bpcli.cli.limits import missing_resource
from bpcli.errors import BpnetError, ConfigError, ConfigIssue, Interrupted, LeftAtOnce


class Failure(NamedTuple):
    """What to report on standard error, and in the document of `--json`."""

    kind: str
    message: str
    exit_code: int
    heading: str = "Error: "
    issues: Sequence[ConfigIssue] = ()
    chapter: str | None = None


def failure_of(error: BaseException) -> Failure:
    """Return what to report about an exception that ended a command."""
    if isinstance(error, click.ClickException):
        return Failure("usage", error.format_message(), error.exit_code)
    if isinstance(error, Interrupted):
        return Failure(error.kind, error.full_text, 128 + error.signal_number)
    if isinstance(error, BpnetError):
        issues = error.issues if isinstance(error, ConfigError) else ()
        return Failure(
            error.kind, error.full_text, error.exit_code, issues=issues, chapter=error.chapter
        )
    interruption = _interruption(error)
    if interruption is not None:
        number = interruption.signal_number if isinstance(interruption, LeftAtOnce) else 2
        return Failure("interrupted", "Interrupted.", 128 + number, heading="")
    missing = missing_resource(error)
    if missing is not None:
        return Failure("limit", missing, 2)
    message = (
        f"{type(error).__name__}: {error}\nThis is an error in bpnet, not in your input. Set "
        "BPNET_DEBUG=1 to see where it happened."
    )
    return Failure("internal", message, 1, heading="Internal error: ")


def _interruption(error: BaseException) -> BaseException | None:
    """Return the interruption that an exception is or was caused by.

    click wraps it in an exception of its own, and so does an import that was cut short.
    """
    if isinstance(error, click.Abort):
        return error.__cause__ or error
    causes = (error, error.__cause__ or error.__context__)
    return next((cause for cause in causes if isinstance(cause, KeyboardInterrupt)), None)
