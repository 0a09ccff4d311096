from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from mistakes import Entry, entries, inject
from small_configs import MOONS, errors, parsed
from systems import CONFIGS

from bpcli.config.all_issues import all_issues
from bpcli.config.load import Config, load_config, validate
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.data.generators import GENERATORS
from bpcli.errors import ConfigError
from bpcli.nn.initializers import INITIALIZERS
from bpcli.optimizers import OPTIMIZERS


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
    """Where the errors of a text are reported."""
    with pytest.raises(ConfigError) as caught:
        validate(Source.parse(text, "c.yaml"))
    assert isinstance(caught.value, ConfigError)
    found = re.findall(r"^c\.yaml:(\d+):(\d+): ", str(caught.value), re.MULTILINE)
    return {(int(line), int(column)) for line, column in found}


CASES = 20_000 if os.environ.get("BPNET_FULL") else 300


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


@pytest.mark.parametrize(
    ("old", "new", "places"),
    [
        ("layers:", "layer:", ["4:3"]),  # not missing besides
        ("generator: moons", "generater: moons", ["2:8"]),
        ("generator: moons", "name: moons", ["2:8"]),
        ("generator: moons", "name: mons", ["2:8", "2:14"]),
        ("moons, n_samples: 40", "mons, n_samples: x, nose: 1", ["2:19", "2:36", "2:39"]),
        ("generator: moons", "generator: 5, split: {val: x}", ["2:19", "2:35"]),
        ("binary_cross_entropy", "cross_entropi", ["6:7"]),  # nor is that at odds with sigmoid
        ("[2, 4, 1]", "two", ["4:11"]),  # nor are there too many activations
        ("[2, 4, 1]", "[2, 4, 5, 1]", ["5:16"]),
        ("[2, 4, 1]", "!x [2, 0, 1]", ["4:11", "4:18"]),
    ],
)
def test_what_follows_from_a_mistake_is_not_reported_and_what_it_hides_is(
    old: str, new: str, places: list[str]
) -> None:
    found = errors(MOONS.replace(old, new))
    assert [line.split(": ")[0].removeprefix("c.yaml:") for line in found] == places


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        (
            MOONS.replace(
                "loss:", "  training: {learning_rate: {schedul: cosine, start: 1}}\nloss:"
            ),
            ["6:3: unknown key `training`", "6:30: unknown key `schedul`; did you mean `sch"],
        ),
        (
            MOONS + "training: {learning_rate: {schedule: zzz}}",
            ["7:38: found `zzz`, expected `step`"],
        ),
        (
            MOONS.replace("n_samples: 40", "every: 9").replace("loss:", "  schedule: step\nloss:")
            + "training: {learning_rate: {start: 1, factor: 0.5}}",
            ["2:26: unknown key `every`", "6:3: unknown key `schedule`; it belongs under `train"],
        ),
        (
            "strip: 1\n" + MOONS.replace("loss:", "  training: {stop: {goal: x}}\nloss:"),
            ["1:1: unknown key `strip`", "7:3: unknown key `training`", "7:27: found `x`"],
        ),
        (
            MOONS.replace("loss:", "  batch_size: 2\nloss:") + "training: {sampling: random}",
            ["6:3: unknown key `batch_size`"],
        ),
        (
            MOONS + "training: {optimizer: rprp, batch_size: 2}",
            ["7:23: found `rprp`, expected `gradient_descent`"],
        ),
    ],
)
def test_an_error_hides_no_other_and_brings_none_along(text: str, starts: list[str]) -> None:
    found = errors(text)
    assert len(found) == len(starts), found
    for line, start in zip(found, starts, strict=True):
        assert line.startswith(f"c.yaml:{start}")


def test_a_valid_config_has_none_and_those_of_syntax_are_left_to_the_source() -> None:
    assert all_issues(parsed(MOONS), lambda _: None) == []
    source = parsed(MOONS + "seed: 010\n")
    assert len(source.issues) == 1
    assert all_issues(source, lambda _: None) == []


def test_what_is_validated_is_a_corrected_copy() -> None:
    source = parsed(MOONS + "sede: 3\n")
    seen: list[Any] = []
    (issue,) = all_issues(source, seen.append)
    assert issue.message == "unknown key `sede`; did you mean `seed`?"
    assert issue.line == 7
    assert seen[0]["seed"] == 3
    assert "seed" not in source.tree
