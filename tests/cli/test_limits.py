from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import NoReturn

import pytest
from work import at_most

from bpcli import system
from bpcli.cli import limits
from bpcli.errors import LimitTooLow
from bpcli.system import Limit

MEGABYTE = 2**20


def test_without_limits_nothing_is_guarded_and_no_work_done() -> None:
    before = list(sys.meta_path)
    limits.guard_imports()  # imports a module, once
    with at_most(10):
        limits.guard_imports()
    assert sys.meta_path == before


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError("Unable to allocate"), "more memory than is available. Unable to allocate."),
        (OSError(12, "Cannot allocate memory"), "this needs more memory than is available"),
        (ImportError("x.so: failed to map segment from shared object"), "this needs more memory"),
        (OSError(24, "Too many open files", "x"), "raise the limit with `ulimit -n`"),
        (OSError(5, "Bad luck", "x"), "x could not be read or written: Bad luck."),
        (OSError(5, "Bad luck"), "output could not be read or written: Bad luck."),
    ],
)  # fmt: skip
def test_what_the_system_did_not_give_is_said(error: Exception, words: str) -> None:
    assert words in (limits.missing_resource(error) or "")
    later = RuntimeError("of it")
    later.__context__ = error
    said = limits.missing_resource(later)
    is_of_the_system = "could not be" not in words
    assert (said is not None and words in said) == is_of_the_system


def test_other_failures_are_no_lack() -> None:
    assert limits.missing_resource(ImportError("No module named x")) is None
    loop = ValueError("x")
    loop.__cause__ = loop
    assert limits.missing_resource(loop) is None


def set_limits(monkeypatch: pytest.MonkeyPatch, *found: Limit) -> None:
    monkeypatch.setattr(system, "memory_limits", lambda: [*found])


def test_a_library_that_does_not_fit_is_refused_with_what_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_limits(monkeypatch, Limit(False, 1000 * MEGABYTE, 600 * MEGABYTE))
    limits.require_room_for("numpy")
    with pytest.raises(LimitTooLow) as caught:
        limits.require_room_for("pyarrow.parquet")
    assert str(caught.value) == (
        "pyarrow needs about 1050 MiB of address space, and the limit is 1000 MiB: raise it with "
        f"`ulimit -v {1058 * 1024}` or more."
    )


def test_address_space_and_data_are_limits_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    set_limits(monkeypatch, Limit(False, 1000 * MEGABYTE, 0), Limit(True, 109 * MEGABYTE, 0))
    with pytest.raises(LimitTooLow, match=r"about 110 MiB of data, .* `ulimit -d 120832`"):
        limits.require_room_for("numpy")
    set_limits(monkeypatch, Limit(False, 1000 * MEGABYTE, 0), Limit(True, 110 * MEGABYTE, 0))
    limits.require_room_for("numpy")


@pytest.fixture
def _own_imports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    yield
    limits.missing_resource(MemoryError())  # gives back the memory that is kept for it


@pytest.mark.usefixtures("_own_imports")
def test_with_a_limit_a_large_library_is_refused_before_it_is_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_limits(monkeypatch, Limit(False, 100 * MEGABYTE, 50 * MEGABYTE))
    finders = len(sys.meta_path)
    for _ in range(2):
        limits.guard_imports()
        assert len(sys.meta_path) == finders + 1
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    with pytest.raises(LimitTooLow, match="onnxruntime needs"):
        __import__("onnxruntime")
    monkeypatch.delitem(sys.modules, "this_is_no_module", raising=False)
    with pytest.raises(ModuleNotFoundError):
        __import__("this_is_no_module")


class Left(Exception):
    """In place of the end of the process."""


def leave(code: int) -> NoReturn:
    raise Left(code)


def test_a_process_that_may_open_few_files_does_not_begin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_limits(monkeypatch)
    monkeypatch.setattr(system, "leave", leave)
    monkeypatch.setattr(system, "most_open_files", lambda: 16)
    limits.require_enough_to_start()
    monkeypatch.setattr(system, "most_open_files", lambda: 15)
    with pytest.raises(Left) as caught:
        limits.require_enough_to_start()
    assert caught.value.args == (2,)
    assert capsys.readouterr().err == (
        "Error: bpnet needs 16 open files, and the limit is 15: raise it with `ulimit -n 16` or "
        "more.\n"
    )


def test_where_standard_error_is_closed_it_leaves_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(system, "leave", leave)
    monkeypatch.setattr(sys, "stderr", None)
    set_limits(monkeypatch, Limit(False, MEGABYTE, 0))
    with pytest.raises(Left):
        limits.require_enough_to_start()


def test_what_ran_out_names_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    set_limits(monkeypatch, Limit(False, 100 * MEGABYTE, 0), Limit(True, 50 * MEGABYTE, 0))
    assert limits.missing_resource(MemoryError()) == (
        "this needs more memory than is available. `ulimit -v` allows 100 MiB. `ulimit -d` allows "
        "50 MiB."
    )
    assert limits.missing_resource(ModuleNotFoundError("No module named x")) is None
    assert limits.missing_resource(ImportError("cannot be mapped")) is not None
