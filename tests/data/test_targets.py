"""Columns of targets."""

from __future__ import annotations

import pandas as pd
import pytest

from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.errors import DataError


def test_classes_are_found_again_and_unknown_ones_named() -> None:
    encoding = FeatureEncoder((InputColumn("x"),), ("y",), ("1", "2", "10"))
    assert encoding.labels(pd.DataFrame({"y": [10.0, 1, 2]})).tolist() == [2, 0, 1]
    with pytest.raises(DataError, match="row 2: `3` is none of the classes 1, 2, 10"):
        encoding.labels(pd.DataFrame({"y": ["10", "3"]}))


@pytest.mark.parametrize("name", ["{x}", "{", "{}", "{0}", "%s", "a{b}c"])
def test_a_class_of_any_name_can_be_named(name: str) -> None:
    encoding = FeatureEncoder((), ("y",), ("plain", name))
    with pytest.raises(DataError, match="row 1: `other` is none of the classes plain, ") as caught:
        encoding.labels(pd.DataFrame({"y": ["other"]}))
    assert str(caught.value).endswith(f"plain, {name}")
