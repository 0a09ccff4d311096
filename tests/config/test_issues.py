from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from functools import cache

import pytest
from mistakes import Entry, entries, inject
from systems import CONFIGS

from bpcli.config.load import Config, load_config, validate
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.data.generators import GENERATORS
from bpcli.errors import ConfigError
from bpcli.nn.initializers import INITIALIZERS
from bpcli.optimizers import OPTIMIZERS

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
    """Where the errors of a text are reported."""
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


# Single ones.

BASE = """\
name: t
data: {generator: moons, n_samples: 40}
network:
  layers: [2, 4, 1]
  activations: [tanh, sigmoid]
loss: binary_cross_entropy
"""


def messages(text: str, *overrides: str) -> list[str]:
    """Each error, without its excerpt."""
    source = Source.parse(text, "c.yaml")
    for assignment in overrides:
        override(source, assignment)
    with pytest.raises(ConfigError) as caught:
        validate(source)
    lines = str(caught.value).splitlines()[:-1]
    return [line for line in lines if line.startswith(("c.yaml:", "--set"))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("momentum: 0.5", "c.yaml:7:1: unknown key `momentum`; it belongs under `training.optimi"),
        ("n_samples: 3", "c.yaml:7:1: unknown key `n_samples`; it belongs under `data`"),
        ("max_fail: 3", "c.yaml:7:1: unknown key `max_fail`; it belongs under `training.stop`"),
        ("slope: 1", "it belongs under `network.activations`, with `leaky_relu`"),
        ("training: {noise: 1}", "c.yaml:7:12: unknown key `noise`; it belongs under `data`"),
        ("training: {optimizer: {name: rprop, momentum: 0.9}}", "an option of `gradient_descent`"),
        ("training: {optimizer: {name: sgd, mometum: 0.9}}", "did you mean `momentum`?"),
        ("training:\n  epochs:5", "c.yaml:8:3: put a space after the colon, `epochs: …`"),
        ("training: {epochs: 1_000}", "c.yaml:7:20: found `1_000`, expected a whole number; wri"),
        ("training: {l2: '0,5'}", "expected a number; write `0.5`"),
        ("training: {record_params: yes}", "expected true or false; write `true`"),
        ("training: {learning_rate: {name: step, start: 1, factor: 0.5, every: 9}}", "`schedule`?"),
        ("training: {learning_rate: {schedule: null, start: 1}}", "`inverse_time`"),
        (
            "metrics: [2]",
            "c.yaml:7:11: found 2, expected `accuracy`, `log_loss`, `rmse`, `mae` or `r2`",
        ),
        ("training: {epochs: 010}", "c.yaml:7:20: write 10 or '010', not 010"),
    ],
)
def test_a_mistake_is_one_error_that_says_what_to_do(text: str, message: str) -> None:
    found = messages(f"{BASE}{text}\n")
    assert len(found) == 1, found
    assert message in found[0]


@pytest.mark.parametrize("value", ["null", "2", "true"])
def test_what_is_no_word_is_near_to_none(value: str) -> None:
    for text in (f"training: {{learning_rate: {{schedule: {value}}}}}", f"metrics: [{value}]"):
        assert not [line for line in messages(BASE + text) if "did you mean" in line]


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
    found = messages(BASE.replace(old, new))
    assert [line.split(": ")[0].removeprefix("c.yaml:") for line in found] == places


def test_a_section_in_the_wrong_place_is_looked_into() -> None:
    text = BASE.replace("loss:", "  stop: {gaol: 1, max_fail: 0}\nloss:")
    assert [line.partition(": ")[2] for line in messages(text)] == [
        "unknown key `stop`; it belongs under `training`",
        "unknown key `gaol`; did you mean `goal`?",
        "found 0, expected a number of at least 1",
    ]


def test_every_option_that_is_wrong_is_pointed_at() -> None:
    source = Source.parse(BASE, "c.yaml")
    override(source, "training.epoch=5")
    override(source, "training.stop={goal: x}")
    with pytest.raises(ConfigError) as caught:
        validate(source)
    assert str(caught.value).splitlines() == [
        "--set training.epoch=5: unknown key `epoch`; did you mean `epochs`?",
        "    --set training.epoch=5",
        "                   ^^^^^",
        "--set training.stop={goal: x}: found `x`, expected a number",
        "    --set training.stop={goal: x}",
        "                               ^",
        "2 errors in c.yaml",
    ]


def test_an_option_that_nests_too_deep_is_refused() -> None:
    path = ".".join("x" * 3000)
    assert messages(BASE, f"{path}=1") == [
        f"--set {path[:111]}...: this nests deeper than 50 levels"
    ]


def test_a_long_or_strange_option_heads_its_errors_in_short() -> None:
    found = messages(BASE, f"network.layers=[{'x, ' * 50}1]")
    assert {len(line.partition(": found")[0]) for line in found if "layers=" in line} == {120}
    assert messages(BASE, "seed=\x1b[1m")[0].startswith(r"--set seed=\x1b[1m: the character")


def test_a_misspelt_section_is_looked_into_although_a_key_of_it_stands_elsewhere() -> None:
    text = "generator: moons\n" + BASE.replace("data: {generator: moons,", "dataa: {noise: x,")
    assert [line.partition(": ")[2] for line in messages(text)] == [
        "unknown key `generator`; it belongs under `data`",
        "unknown key `dataa`; did you mean `data`?",
        "found `x`, expected a number",
    ]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        (
            BASE.replace(
                "loss:", "  training: {learning_rate: {schedul: cosine, start: 1}}\nloss:"
            ),
            ["6:3: unknown key `training`", "6:30: unknown key `schedul`; did you mean `sch"],
        ),
        (
            BASE + "training: {learning_rate: {schedule: zzz}}",
            ["7:38: found `zzz`, expected `step`"],
        ),
        (
            BASE.replace("n_samples: 40", "every: 9").replace("loss:", "  schedule: step\nloss:")
            + "training: {learning_rate: {start: 1, factor: 0.5}}",
            ["2:26: unknown key `every`", "6:3: unknown key `schedule`; it belongs under `train"],
        ),
        (
            "strip: 1\n" + BASE.replace("loss:", "  training: {stop: {goal: x}}\nloss:"),
            ["1:1: unknown key `strip`", "7:3: unknown key `training`", "7:27: found `x`"],
        ),
        (
            BASE.replace("loss:", "  batch_size: 2\nloss:") + "training: {sampling: random}",
            ["6:3: unknown key `batch_size`"],
        ),
        (
            BASE + "training: {optimizer: rprp, batch_size: 2}",
            ["7:23: found `rprp`, expected `gradient_descent`"],
        ),
    ],
)
def test_an_error_hides_no_other_and_brings_none_along(text: str, errors: list[str]) -> None:
    found = messages(text)
    assert len(found) == len(errors), found
    for line, start in zip(found, errors, strict=True):
        assert line.startswith(f"c.yaml:{start}")
