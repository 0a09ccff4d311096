from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from functools import cache

import pytest
from mistakes import Entry, entries, inject
from systems import CONFIGS

from bpcli.data.generators import GENERATORS
from bpcli.errors import ConfigError
from bpcli.nn.initializers import INITIALIZERS
from bpcli.spec.load import Config, load_config, validate
from bpcli.spec.overrides import override
from bpcli.spec.source import Source
from bpcli.training.optimizers import OPTIMIZERS

# Mistakes put in at random.


@cache
def valid_configs() -> list[list[Entry]]:
    """The shipped configs, and one with each generator, start and optimizer, with all defaults."""
    texts = [config.resolved() for config in _valid_configs()]
    return [entries(Source.parse(text, "c.yaml").tree) for text in texts]


def _valid_configs() -> Iterator[Config]:
    yield from map(load_config, sorted(CONFIGS.rglob("*.yaml")))
    for name in GENERATORS:
        yield _changed(f"data={{generator: {name}}}", "loss={name: huber, delta: 2}")
    for name in INITIALIZERS:
        yield _changed(f"network.init={name}", "network.activations=[{name: elu}, sigmoid]")
    for name in OPTIMIZERS:
        yield _changed(f"training.optimizer={name}", "training.class_weights={0: 1, 1: 2}")


def _changed(*assignments: str) -> Config:
    source = Source.read(CONFIGS / "square.yaml")
    base = ("name=square", "network.layers=[auto, 3, 1]", "network.parameters=null", "loss=mse")
    for assignment in (*base, *assignments):
        override(source, assignment)
    return validate(source)


def places_of(text: str) -> set[tuple[int, int]]:
    """Where the faults of a text are reported."""
    with pytest.raises(ConfigError) as caught:
        validate(Source.parse(text, "c.yaml"))
    assert isinstance(caught.value, ConfigError)
    found = re.findall(r"^c\.yaml:(\d+):(\d+): ", str(caught.value), re.MULTILINE)
    return {(int(line), int(column)) for line, column in found}


CASES = 20_000 if os.environ.get("BPNET_FULL") else 2_000
CHUNKS = 10


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_each_mistake_is_reported_at_its_place_and_nothing_elsewhere(chunk: int) -> None:
    for number in range(chunk, CASES, CHUNKS):
        rng = random.Random(number)
        written = inject(rng.choice(valid_configs()), rng.randint(1, 6), rng)
        text = "\n".join(written.lines)
        found = places_of(text)
        lines = {line for line, _ in written.places}
        missed = written.places - found
        spurious = {place for place in found if place[0] not in lines}
        assert not missed, (number, text)
        assert not spurious, (number, text)
