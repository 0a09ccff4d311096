"""What two machines do not have alike, and which of it can change a bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tampered import a_record

from bpcli.runs.machines import breaks_of, changes, decisive, in_words, sessions_of
from bpcli.runs.run_json import Machine, RunRecord

NUMPY = {"internal_api": "openblas", "version": "0.3.31", "architecture": "SkylakeX"}
SCIPY = NUMPY | {"version": "0.3.30"}
MACHINE = Machine(
    versions={"python": "3.11.7", "numpy": "2.4.6"},
    platform="Linux-6.1.0-13-amd64-x86_64-with-glibc2.36",
    cpu="AMD EPYC",
    numerics="native",
    simd=["X86_V2", "X86_V3", "X86_V4"],
    blas=[NUMPY],
)


@pytest.mark.parametrize(
    ("other", "text"),
    [
        ({"versions": {"python": "3.11.7", "numpy": "2.5"}}, "numpy: 2.4.6 became 2.5"),
        ({"numerics": "portable"}, "numerics: native became portable"),
        ({"simd": ["X86_V2"]}, "simd: X86_V2 X86_V3 X86_V4 became X86_V2"),
        (
            {"blas": [NUMPY | {"architecture": "Haswell"}]},
            "blas: openblas 0.3.31 SkylakeX became openblas 0.3.31 Haswell",
        ),
        (
            {"platform": "Linux-6.1.0-13-amd64-x86_64-with-glibc2.41"},
            "platform: Linux with glibc2.36 became Linux with glibc2.41",
        ),
        (
            {"platform": "macOS-14.5-x86_64-i386-64bit"},
            "platform: Linux with glibc2.36 became macOS-14.5-x86_64-i386-64bit",
        ),
    ],
)
def test_what_may_change_bits_is_told(other: dict[str, Any], text: str) -> None:
    changed = replace(MACHINE, **other)
    assert in_words(decisive(MACHINE, changed)) == text
    assert [change.what for change in changes(MACHINE, changed)] == [text.split(":")[0]]


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"cpu": "Intel Xeon"}, "cpu"),
        ({"platform": "Linux-6.8.0-1-x86_64-with-glibc2.36"}, "platform"),
    ],
)
def test_a_name_alone_changes_no_bits_but_is_a_difference(other: dict[str, Any], what: str) -> None:
    changed = replace(MACHINE, **other)
    assert not decisive(MACHINE, changed)
    assert [change.what for change in changes(MACHINE, changed)] == [what]


def test_a_library_that_one_process_loaded_later_is_no_difference() -> None:
    more = replace(MACHINE, blas=[NUMPY, SCIPY], versions=MACHINE.versions | {"scipy": "1.17"})
    assert not changes(MACHINE, more)
    assert not changes(more, MACHINE)
    assert changes(more, replace(more, blas=[SCIPY | {"architecture": "Zen"}, NUMPY]))


def test_a_record_that_lacks_a_fact_differs_in_none() -> None:
    bare = Machine({"numpy": "2.4.6"}, "", "", "native", [], [])
    assert not changes(bare, MACHINE)


def trained_on(*resumed: dict[str, Any]) -> RunRecord:
    """A record of a training that began on `MACHINE`."""
    return a_record(**MACHINE.to_json(), resumed=[*resumed])


def session(at_epoch: int, **machine: Any) -> dict[str, Any]:
    known = {"when": "", "overrides": [], "changed": [], "argv": [], "warning": None}
    return known | {"at_epoch": at_epoch, "machine": MACHINE.to_json() | machine}


def test_a_break_is_where_a_session_goes_on_otherwise() -> None:
    resumed = [session(10), session(20, numerics="portable"), session(30, cpu="another")]
    found = breaks_of(trained_on(*resumed))
    told = [(each.epoch, in_words(each.changes)) for each in found]
    assert told == [
        (20, "numerics: native became portable"),
        (30, "numerics: portable became native"),
    ]
    assert not breaks_of(trained_on())


def test_sessions_of_which_no_epoch_is_left_do_not_count() -> None:
    resumed = [session(20, cpu="b"), session(30, cpu="c"), session(20, cpu="d")]
    found = sessions_of(trained_on(*resumed))
    assert [(epoch, facts.cpu) for epoch, facts in found] == [(0, "AMD EPYC"), (20, "d")]
    begun_again = sessions_of(trained_on(*resumed, session(0, cpu="e")))
    assert [(epoch, facts.cpu) for epoch, facts in begun_again] == [(0, "e")]
