from __future__ import annotations

import pytest
from pydantic import ValidationError

from bpcli.config.inline_models import InlineData
from bpcli.data.inline import InlineArrays


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
