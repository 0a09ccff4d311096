from __future__ import annotations

import pytest

from bpcli.errors import (
    BpnetError,
    ConfigError,
    ConfigIssue,
    DataError,
    Diverged,
    GateFailed,
    Interrupted,
    LeftAtOnce,
    Mark,
    NumericsNotPinned,
    WorkerLost,
)


def subclasses(error: type[BpnetError]) -> list[type[BpnetError]]:
    return [each for inner in error.__subclasses__() for each in (inner, *subclasses(inner))]


def test_every_failure_has_a_kind_and_an_exit_code_that_tells_of_a_failure() -> None:
    assert len(subclasses(BpnetError)) >= 10
    for error in subclasses(BpnetError):
        assert error.kind.isalpha()
        assert 1 <= error.exit_code <= 4


def test_scripts_can_tell_what_went_wrong_in_the_training_from_what_was_asked() -> None:
    codes = {error.exit_code: error for error in (WorkerLost, Diverged, GateFailed)}
    assert codes == {1: WorkerLost, 3: Diverged, 4: GateFailed}
    kinds = tuple(codes.values())
    others = [error for error in subclasses(BpnetError) if not issubclass(error, kinds)]
    assert {error.exit_code for error in others} == {2}


def test_notes_stand_below_the_message() -> None:
    error = ConfigError("It failed.")
    assert error.full_text == "It failed."
    error.add_note("The run is saved.")
    error.add_note("Resume it.")
    assert error.full_text == "It failed.\nThe run is saved.\nResume it."


@pytest.mark.parametrize(
    ("message", "line"),
    [("a `b\nc` d", "a `b c` d"), ("a\r\nb\x85c\u2028d", "a b c d"), ("a\n", "a"), ("", "")],
)
def test_an_error_of_the_data_is_one_line(message: str, line: str) -> None:
    error = DataError(message, "data.file")
    assert str(error) == line
    assert error.key == "data.file"


def test_a_place_in_a_file_is_counted_from_1() -> None:
    issue = ConfigIssue("bad", ("a", 0, "b"), mark=Mark(2, 4, 6), file="c.yaml")
    assert (issue.line, issue.column, issue.origin, issue.key) == (3, 5, None, "a.0.b")
    assert issue.to_json() == {
        "file": "c.yaml", "line": 3, "column": 5, "origin": None, "key": "a.0.b", "message": "bad",
    }  # fmt: skip


def test_a_place_in_an_option_has_no_line() -> None:
    issue = ConfigIssue("bad", ("a",), mark=Mark(0, 6, 7, "--set a=1"))
    assert (issue.line, issue.column, issue.origin) == (None, 7, "--set a=1")


def test_without_a_mark_there_is_no_place() -> None:
    issue = ConfigIssue("bad")
    assert (issue.line, issue.column, issue.origin, issue.key) == (None, None, None, "")


def test_issues_of_a_config_are_kept_whatever_held_them() -> None:
    issues = [ConfigIssue("bad"), ConfigIssue("worse")]
    assert ConfigError("2 errors", iter(issues)).issues == tuple(issues)


def test_variables_that_have_to_be_set_are_told_to_a_caller() -> None:
    error = NumericsNotPinned({"A": "1", "B": "x y"}, can_restart=False)
    assert 'needs A="1" and B="x y" in the environment before numpy is imported' in str(error)
    assert error.variables == {"A": "1", "B": "x y"}
    assert not error.can_restart
    assert NumericsNotPinned({}).can_restart


def test_a_signal_that_ends_at_once_is_no_exception_that_a_handler_swallows() -> None:
    assert LeftAtOnce(15).signal_number == Interrupted("saved", 15).signal_number == 15
    assert not isinstance(LeftAtOnce(15), Exception)
