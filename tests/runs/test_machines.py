"""What two machines do not have alike, and which of it can change a bit."""

from __future__ import annotations

from typing import Any

import pytest

from bpcli.runs.machines import breaks_of, changes, decisive, in_words, sessions_of

NUMPY = {"internal_api": "openblas", "version": "0.3.31", "architecture": "SkylakeX"}
SCIPY = NUMPY | {"version": "0.3.30"}
MACHINE: dict[str, Any] = {
    "versions": {"python": "3.11.7", "numpy": "2.4.6"},
    "platform": "Linux-6.1.0-13-amd64-x86_64-with-glibc2.36",
    "cpu": "AMD EPYC",
    "numerics": "native",
    "simd": ["X86_V2", "X86_V3", "X86_V4"],
    "blas": [NUMPY],
}


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
    assert in_words(decisive(MACHINE, MACHINE | other)) == text
    assert [change.what for change in changes(MACHINE, MACHINE | other)] == [text.split(":")[0]]


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"cpu": "Intel Xeon"}, "cpu"),
        ({"platform": "Linux-6.8.0-1-x86_64-with-glibc2.36"}, "platform"),
    ],
)
def test_a_name_alone_changes_no_bits_but_is_a_difference(other: dict[str, Any], what: str) -> None:
    assert not decisive(MACHINE, MACHINE | other)
    assert [change.what for change in changes(MACHINE, MACHINE | other)] == [what]


def test_a_library_that_one_process_loaded_later_is_no_difference() -> None:
    more = MACHINE | {
        "blas": [NUMPY, SCIPY],
        "versions": MACHINE["versions"] | {"scipy": "1.17"},
    }
    assert not changes(MACHINE, more)
    assert not changes(more, MACHINE)
    assert changes(more, more | {"blas": [SCIPY | {"architecture": "Zen"}, NUMPY]})


def test_a_record_that_lacks_a_fact_differs_in_none() -> None:
    assert not changes({"versions": {"numpy": "2.4.6"}}, MACHINE)


def session(at_epoch: int, **machine: Any) -> dict[str, Any]:
    return {"at_epoch": at_epoch, "machine": MACHINE | machine}


def test_a_break_is_where_a_session_goes_on_otherwise() -> None:
    resumed = [session(10), session(20, numerics="portable"), session(30, cpu="another")]
    found = breaks_of(MACHINE | {"resumed": resumed})
    told = [(each.epoch, in_words(each.changes)) for each in found]
    assert told == [
        (20, "numerics: native became portable"),
        (30, "numerics: portable became native"),
    ]
    assert not breaks_of(MACHINE)


def test_sessions_of_which_no_epoch_is_left_do_not_count() -> None:
    resumed = [session(20, cpu="b"), session(30, cpu="c"), session(20, cpu="d")]
    found = sessions_of(MACHINE | {"resumed": resumed})
    assert [(epoch, facts["cpu"]) for epoch, facts in found] == [(0, "AMD EPYC"), (20, "d")]
    begun_again = sessions_of(MACHINE | {"resumed": [*resumed, session(0, cpu="e")]})
    assert [(epoch, facts["cpu"]) for epoch, facts in begun_again] == [(0, "e")]
