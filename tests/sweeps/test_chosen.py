from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from bpcli.config.domains import Choice, Distribution, LogUniform, LogWhole, Uniform, Whole
from bpcli.errors import RunError
from bpcli.sweeps.chosen import keep_settings, read_settings

DOMAINS: dict[str, Distribution] = {"l2": LogUniform(1e-4, 10), "hidden": Choice([1, True, [3]])}
SETTINGS = {
    0: {"l2": 0.1, "hidden": [3]},
    1: {"l2": 1e-4, "hidden": True},
    2: {"l2": 10.0, "hidden": 1},
}


def test_what_is_kept_is_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.jsonl"
    assert read_settings(path, DOMAINS) == {}
    assert keep_settings(path, DOMAINS, SETTINGS) == SETTINGS
    assert (
        path.read_text().splitlines()[0] == '{"setting": 0, "values": {"l2": 0.1, "hidden": [3]}}'
    )
    found = read_settings(path, DOMAINS)
    assert found == SETTINGS
    assert [type(each["hidden"]) for each in found.values()] == [list, bool, int]


def test_settings_that_are_known_win_and_a_line_without_its_end_does_not_count(
    tmp_path: Path,
) -> None:
    path = tmp_path / "settings.jsonl"
    keep_settings(path, DOMAINS, {0: SETTINGS[0]})
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"setting": 1, "val')
    others = {0: {"l2": 2.0, "hidden": 1}, 1: {"l2": 3.0, "hidden": 1}}
    assert keep_settings(path, DOMAINS, others) == {0: SETTINGS[0], 1: others[1]}
    assert path.read_bytes().startswith(whole)
    assert read_settings(path, DOMAINS) == {0: SETTINGS[0], 1: others[1]}


def test_a_number_that_json_lacks_is_found_in_its_list(tmp_path: Path) -> None:
    path, domains = tmp_path / "settings.jsonl", {"a": Choice([1.5, math.inf])}
    keep_settings(path, domains, {0: {"a": math.inf}})
    assert read_settings(path, domains) == {0: {"a": math.inf}}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"setting": 1, "values": {"l2": 1.0, "hidden": 1}}', "the setting is 1, not 0"),
        ('{"setting": 0, "values": {"l2": 1.0}}', "are not those of the sweep: l2, hidden"),
        ('{"setting": 0, "values": {"l2": 1.0, "hidden": 4}}', "4 is not one of the values"),
        ('{"setting": 0, "values": {"l2": 1.0, "hidden": 1.0}}', "1.0 is not one of the values"),
        ('{"setting": 0, "values": {"l2": 11.0, "hidden": 1}}', "11.0 is not one of the values"),
        ('{"setting": 0, "values": {"l2": "1", "hidden": 1}}', '"1" is not one of the values'),
        ('{"setting": 0, "values": {"l2": NaN, "hidden": 1}}', "JSON has no NaN"),
        ('{"setting": -1, "values": {}}', "see its `setting`"),
        ('{"setting": 0, "values": {}, "more": 1}', "see its `more`"),
        ("[]", "see its `top level`"),
        ("{", "Expecting property name"),
    ],
)
def test_damage_is_refused(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "settings.jsonl"
    path.write_text(f"{line}\n")
    with pytest.raises(RunError, match=r"settings\.jsonl is damaged") as caught:
        read_settings(path, DOMAINS)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("domain", "value", "is_known"),
    [
        (Whole(1, 3), 3, True), (Whole(1, 3), 4, False), (Whole(0, 3), True, False),
        (Whole(1, 3), 2.0, False), (LogWhole(1, 3), 1, True), (LogWhole(1, 3), 0, False),
        (Uniform(0, 1), 0.0, True), (Uniform(0, 1), 0, False), (Uniform(0, 1), -0.1, False),
        (LogUniform(1, 2), None, False), (Choice(["a", None]), None, True),
    ],
)  # fmt: skip
def test_a_value_is_one_that_its_key_can_have(
    tmp_path: Path, domain: Distribution, value: Any, is_known: bool
) -> None:
    path = tmp_path / "settings.jsonl"
    keep_settings(path, {"k": domain}, {0: {"k": value}})
    if is_known:
        assert read_settings(path, {"k": domain}) == {0: {"k": value}}
    else:
        with pytest.raises(RunError, match="is not one of the values allowed for its key"):
            read_settings(path, {"k": domain})
