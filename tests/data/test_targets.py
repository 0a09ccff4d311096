"""Columns of targets."""

from __future__ import annotations

import pandas as pd
import pytest

from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.targets import label_values, words_of_labels
from bpcli.errors import DataError


def test_classes_are_found_again_and_unknown_ones_named() -> None:
    encoding = FeatureEncoder((InputColumn("x"),), ("y",), ("1", "2", "10"))
    assert encoding.labels(pd.DataFrame({"y": [10.0, 1, 2]})).tolist() == [2, 0, 1]
    with pytest.raises(DataError, match="row 2: `3` is not one of the classes 1, 2, 10"):
        encoding.labels(pd.DataFrame({"y": ["10", "3"]}))


@pytest.mark.parametrize("name", ["{x}", "{", "{}", "{0}", "%s", "a{b}c"])
def test_a_class_of_any_name_can_be_named(name: str) -> None:
    encoding = FeatureEncoder((), ("y",), ("plain", name))
    with pytest.raises(
        DataError, match="row 1: `other` is not one of the classes plain, "
    ) as caught:
        encoding.labels(pd.DataFrame({"y": ["other"]}))
    assert str(caught.value).endswith(f"plain, {name}")


def test_labels_of_any_two_words_are_one_for_the_second() -> None:
    frame = pd.DataFrame({"a": ["yes", "no", "yes"], "b": [True, True, False], "c": [0, 1.0, 1]})
    words = words_of_labels([frame], ("a", "b", "c"))
    assert words == (("no", "yes"), ("false", "true"), ("0", "1"))
    expected = [[1, 1, 0], [0, 1, 1], [1, 0, 1]]
    assert label_values(frame, ("a", "b", "c"), words).tolist() == expected
    as_text = frame.assign(b=["True", "true", "FALSE"], c=["0", "1.0", "1"])
    assert label_values(as_text, ("a", "b", "c"), words).tolist() == expected


def test_words_of_labels_are_those_of_all_files() -> None:
    files = [pd.DataFrame({"a": [answer]}) for answer in ("yes", "no")]
    assert words_of_labels(files, ("a",)) == (("no", "yes"),)
    with pytest.raises(
        DataError, match="column `a`, row 2: `maybe` is not one of the classes no, yes"
    ):
        label_values(pd.DataFrame({"a": ["no", "maybe"]}), ("a",), (("no", "yes"),))
