from __future__ import annotations

from typing import Any

import pydantic
import pytest

import bpcli.config.named
from bpcli.config import models, schema
from bpcli.config.named import named
from bpcli.data.generators import GENERATORS
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.initializers import INITIALIZERS
from bpcli.nn.losses import LOSSES
from bpcli.optimizers import OPTIMIZERS
from bpcli.optimizers.schedules import SCHEDULES


def test_only_the_entry_that_is_named_becomes_a_model_and_that_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []

    def create_model(title: str, **options: Any) -> Any:
        made.append(title)
        return pydantic.create_model(title, **options)

    monkeypatch.setattr(bpcli.config.named, "create_model", create_model)
    loss: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(named("loss", LOSSES))
    assert made == []
    for delta in (0.5, 2.0):
        assert loss.validate_python({"name": "huber", "delta": delta}) == LOSSES["huber"](delta)
    assert made == ["loss_huber"]


@pytest.mark.parametrize(
    ("annotation", "what", "registry"),
    [
        (models.ActivationSpec, "activation", ACTIVATIONS),
        (models.InitializerSpec, "initializer", INITIALIZERS),
        (models.LossSpec, "loss", LOSSES),
        (models.OptimizerSpec, "optimizer", OPTIMIZERS),
        (models.RateSpec, "schedule", SCHEDULES),
        (models.DataSpec, "data", GENERATORS),
    ],
)
def test_the_json_schema_describes_every_entry(
    annotation: Any, what: str, registry: dict[str, type]
) -> None:
    described = pydantic.TypeAdapter(annotation).json_schema(schema_generator=schema._Generator)
    assert not [name for name in registry if f"'{what}_{name}'" not in str(described)]
