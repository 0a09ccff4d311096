from __future__ import annotations

import pytest
from hypothesis import given
from small_configs import trees

from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.config.writing import inline


@given(trees)
def test_what_is_written_inline_is_read_back_by_set(value: object) -> None:
    text = inline(value)
    assert "\n" not in text
    source = Source("c.yaml", "")
    override(source, f"a={text}")
    assert not source.issues
    assert repr(source.tree["a"]) == repr(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("rprop", "rprop"),
        ("null", '"null"'),
        ("1..20", '"1..20"'),
        (0.1, "0.1"),
        (1e-5, "1e-05"),
        (None, "null"),
        ({"name": "adam", "beta1": 0.9}, "{name: adam, beta1: 0.9}"),
        ([10, [5, True]], "[10, [5, true]]"),
    ],
)
def test_short_values_need_no_quotes(value: object, text: str) -> None:
    assert inline(value) == text
