from __future__ import annotations

import signal
from typing import Any

import click
import pytest

from bpcli.cli.failures import Failure, failure_of
from bpcli.errors import (
    ConfigError,
    ConfigIssue,
    DataError,
    Diverged,
    GateFailed,
    Interrupted,
    LeftAtOnce,
    NoSuchRun,
    WorkerLost,
)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (click.UsageError("no such option"), ("usage", "no such option", 2)),
        (Diverged("NaN."), ("diverged", "NaN.", 3, "Error: ", (), "problems")),
        (GateFailed("no."), ("gate", "no.", 4)),
        (WorkerLost("gone."), ("worker", "gone.", 1, "Error: ", (), "problems")),
        (DataError("rows."), ("data", "rows.", 2, "Error: ", (), "files")),
        (NoSuchRun("none."), ("run", "none.", 2, "Error: ", (), "runs")),
        (Interrupted("saved.", signal.SIGINT), ("interrupted", "saved.", 130)),
        (Interrupted("saved.", signal.SIGTERM), ("interrupted", "saved.", 143)),
        (
            OSError(28, "No space left on device", "a.json"),
            ("limit", "a.json could not be read or written: No space left on device.", 2),
        ),
    ],
)
def test_each_kind_of_failure_has_its_message_and_exit_code(
    error: Exception, failure: tuple[Any, ...]
) -> None:
    assert failure_of(error) == Failure(*failure)


def test_issues_and_notes_of_a_config_are_kept() -> None:
    issues = (ConfigIssue("bad"), ConfigIssue("worse"))
    error = ConfigError("2 errors", issues)
    error.add_note("The run is saved as x.")
    assert failure_of(error) == Failure(
        "config", "2 errors\nThe run is saved as x.", 2, issues=issues, chapter="config"
    )


def test_errors_in_the_data_of_a_config_name_the_chapter_on_tables() -> None:
    of_data, of_loss = ConfigIssue("bad", ("data", "fill")), ConfigIssue("bad", ("loss",))
    assert failure_of(ConfigError("", [of_data, of_data])).chapter == "tables"
    assert failure_of(ConfigError("", [of_data, of_loss])).chapter == "config"
    assert failure_of(ConfigError("An option.")).chapter is None


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def during(error: BaseException, context: BaseException) -> BaseException:
    error.__context__ = context
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (LeftAtOnce(signal.SIGTERM), 143),
        (click.Abort(), 130),
        (caused(click.Abort(), KeyboardInterrupt()), 130),
        (caused(click.Abort(), LeftAtOnce(signal.SIGHUP)), 129),
        (during(ImportError("cut short"), KeyboardInterrupt()), 130),
        (during(ImportError("cut short"), LeftAtOnce(signal.SIGTERM)), 143),
    ],
)
def test_an_interruption_is_known_by_itself_or_by_what_it_was_wrapped_in(
    error: BaseException, code: int
) -> None:
    assert failure_of(error) == Failure("interrupted", "Interrupted.", code, heading="")


def test_anything_else_is_a_fault_of_ours() -> None:
    failure = failure_of(during(ZeroDivisionError("oops"), ValueError("x")))
    assert (failure.kind, failure.exit_code) == ("internal", 1)
    assert failure.heading == "Internal error: "
    assert failure.message.startswith("ZeroDivisionError: oops\nThis is an error in bpnet")
