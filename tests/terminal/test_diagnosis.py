"""The blocks of a diagnosis, at several widths."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bpcli.diagnosis import Finding
from bpcli.terminal.diagnosis import diagnosis_lines

RECORD: Any = SimpleNamespace(run_id="r", status="finished", epochs=30, has_ended=True)
WORDS = "many words that do not fit on a single line of a narrow terminal, so that they are wrapped"
COMMAND = "bpnet train runs/r/resolved.yaml --set data.scale.inputs=standard --set training.l2=1"
FINDING = Finding.of("k", "warning", f"a title of {WORDS}", WORDS, "why", "change it", COMMAND)
OTHER = Finding.of("stuck", "error", f"stuck by {WORDS}", "", "", "")


def lines(width: int | None, *findings: Finding, **more: object) -> list[str]:
    document = {"findings": [each.to_json() for each in findings], "checked": ["a", "b"]}
    return list(diagnosis_lines(RECORD, {**document, "unchecked": [], **more}, width))


@pytest.mark.parametrize("width", [60, 80])
def test_all_but_the_command_fits(width: int) -> None:
    found = lines(width, FINDING.explaining([OTHER]))
    assert [line for line in found if len(line) > width] == [f"  try: {COMMAND}"]
    words = " ".join(" ".join(found).split())
    assert words.count("that they are wrapped.") == 3
    for label in ("evidence", "cause", "explains", "remedy"):
        assert sum(line.startswith(f"  {label}") for line in found) == 1


def test_a_stream_is_not_wrapped() -> None:
    assert f"  evidence  M{WORDS[1:]}." in lines(None, FINDING)


def test_what_was_found_is_counted() -> None:
    assert lines(80, FINDING, FINDING)[-1] == "2 warnings, by 2 rules"
    assert lines(80)[-1] == "nothing found; checked for: a, b"


def test_rules_that_could_not_be_applied_are_named_once_for_each_reason() -> None:
    unchecked = [{"rule": rule, "reason": "It has no log."} for rule in ("c", "d")]
    assert lines(80, unchecked=unchecked)[-1] == "not checked: c, d. It has no log."


def test_empty_parts_have_no_line() -> None:
    found = lines(80, OTHER)
    assert not [line for line in found if line.startswith("  ")]
