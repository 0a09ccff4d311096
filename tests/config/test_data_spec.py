from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bpcli.config.data_models import GeneratedData, InlineData
from bpcli.config.data_spec import DataSpec
from bpcli.config.file_models import FileData
from bpcli.data.generators import GENERATORS

DATA: TypeAdapter[DataSpec] = TypeAdapter(DataSpec)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_has_a_model_with_its_options(name: str) -> None:
    data = DATA.validate_python({"generator": name})
    assert isinstance(data, GeneratedData)
    assert data.source == GENERATORS[name]()
    assert type(data) is type(DATA.validate_python({"generator": name}))


@pytest.mark.parametrize(
    ("data", "model"),
    [
        ({"file": "a.csv"}, FileData),
        ({"file": "a.csv", "inputs": "x*"}, FileData),
        ({"inputs": [1, 2], "targets": [3, 4]}, InlineData),
    ],
)
def test_a_key_tells_the_source(data: dict[str, Any], model: type) -> None:
    found = DATA.validate_python(data)
    assert type(found) is model
    assert found.key in data


@pytest.mark.parametrize(
    "data", [{}, {"generator": 5}, {"generator": "mons"}, {"split": {}}, [], "moons", None]
)
def test_without_a_source_there_are_no_data(data: object) -> None:
    with pytest.raises(ValidationError):
        DATA.validate_python(data)


@pytest.mark.parametrize("other", ["file", "inputs"])
def test_a_generator_decides_before_other_sources(other: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DATA.validate_python({"generator": "moons", other: "a"})
    (error,) = caught.value.errors()
    assert error["type"] == "extra_forbidden"
    assert error["loc"][-1] == other
