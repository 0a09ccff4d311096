from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from bpcli.config.data_models import DivideBy, InlineData, ScaleSpec, SplitConfig
from bpcli.config.data_spec import DataSpec
from bpcli.config.named import Strict
from bpcli.data.generators import GENERATORS
from bpcli.data.inline import InlineArrays

DATA: TypeAdapter[DataSpec] = TypeAdapter(DataSpec)


@given(val=st.floats(0, 0.5), test=st.floats(0, 0.49))
def test_train_defaults_to_the_rest(val: float, test: float) -> None:
    fractions = SplitConfig(val=val, test=test).fractions
    assert (fractions["val"], fractions["test"]) == (val, test)
    assert sum(fractions.values()) == pytest.approx(1)


@given(folds=st.integers(2, 100), val=st.floats(0, 0.99))
def test_a_fold_tests_once_and_val_is_a_fraction_of_the_other_rows(folds: int, val: float) -> None:
    fractions = SplitConfig(folds=folds, val=val).fractions
    assert fractions["test"] * folds == pytest.approx(1)
    assert fractions["val"] == pytest.approx(val * (1 - fractions["test"]))
    assert sum(fractions.values()) == pytest.approx(1)


def test_a_given_train_stands_as_it_is() -> None:
    assert SplitConfig(train=0.7, val=0.3).fractions == {"train": 0.7, "val": 0.3, "test": 0}


def test_all_folds_are_trained_unless_one_is_chosen() -> None:
    assert SplitConfig(folds=5).has_all_folds
    assert not SplitConfig(folds=5, fold=1).has_all_folds
    assert not SplitConfig().has_all_folds


@pytest.mark.parametrize(
    "split", [{"train": 0}, {"val": 1}, {"test": -0.1}, {"folds": 1}, {"fold": 0}, {"rest": 1}]
)
def test_a_split_has_bounds(split: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        SplitConfig.model_validate(split)


def test_a_scale_is_a_rule_or_a_divisor() -> None:
    scale: TypeAdapter[ScaleSpec] = TypeAdapter(ScaleSpec)
    assert scale.validate_python("standard") == "standard"
    assert scale.validate_python({"divide_by": 255}) == DivideBy(divide_by=255)
    for wrong in ("normal", {"divide_by": 0}, {"divide_by": -1}, 255):
        with pytest.raises(ValidationError):
            scale.validate_python(wrong)


def test_options_of_a_generator_become_its_own() -> None:
    data = DATA.validate_python({"generator": "moons", "n_samples": 7, "targets": "values"})
    assert data.source == replace(GENERATORS["moons"](), n_samples=7)
    assert data.files == ()
    assert data.asked_task is None
    assert isinstance(data, Strict)


def test_options_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"`low` \(11\) must be at most `high` \(10\)"):
        DATA.validate_python({"generator": "plane", "low": 11})


def test_rows_and_targets_are_taken_as_written() -> None:
    data = InlineData(inputs=[[0, 1], [2, 3]], targets=["a", "b"])
    assert data.source == InlineArrays([[0, 1], [2, 3]], ["a", "b"])
    assert data.files == ()


@pytest.mark.parametrize("targets", [None, "same_as_inputs"])
def test_an_autoencoder_has_no_targets_of_its_own(targets: str | None) -> None:
    data = InlineData.model_validate({"inputs": [1, 2], "targets": targets})
    assert data.source == InlineArrays([1, 2], None)


@pytest.mark.parametrize("data", [{}, {"inputs": 5}, {"inputs": [1], "targets": "as_inputs"}])
def test_what_is_no_list_of_rows_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        InlineData.model_validate(data)
