from __future__ import annotations

import itertools
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from small_configs import MOONS, XOR, load, parsed

from bpcli.config.domains import Choice, Distribution, LogUniform, Uniform, Whole
from bpcli.config.load import config_of, load_config, validate
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.errors import ConfigError
from bpcli.sweeps.space import DEFAULT_TRIALS, Space, configs, with_seed

SWEEP = """\
sweep:
  grid:
    training.learning_rate: [0.01, 0.1]
    hidden: [5, [10, 5], 0]
  random:
    training.l2: loguniform(1e-4, 10)
    training.optimizer: [gradient_descent, {name: adam, beta1: 0.5}]
  trials: 12
"""
RANDOM: dict[str, Distribution] = {
    "training.l2": LogUniform(1e-4, 10),
    "hidden": Whole(1, 20),
    "training.optimizer": Choice(["rprop", "lbfgs", {"name": "adam"}]),
}
grids = st.dictionaries(
    st.sampled_from("abcde"), st.lists(st.integers(), min_size=1, max_size=4, unique=True)
)


def space(sweep: str, base: str = XOR) -> Space:
    return Space.of(load(f"{base}sweep: {sweep}\n").spec)


def made(sweep: str, base: str = XOR) -> list[Any]:
    """The networks of all settings, as resolved."""
    config = load(f"{base}sweep: {sweep}\n")
    asked = Space.of(config.spec)
    return [each.spec.network for each in configs(config, asked, range(len(asked)))]


def refused(sweep: str, base: str = XOR) -> list[str]:
    """The lines of the error of all settings that name a place, without the line."""
    config = load(f"{base}{sweep}\n")
    asked = Space.of(config.spec)
    with pytest.raises(ConfigError) as caught:
        configs(config, asked, range(len(asked)))
    return [line for line in str(caught.value).splitlines() if line.startswith("c.yaml:")]


# From a number to values.


@given(grids)
def test_a_grid_has_each_combination_once_and_the_last_key_changes_fastest(
    grid: dict[str, list[int]],
) -> None:
    asked = Space(grid, {}, seed=0)
    settings = [asked.setting(number) for number in range(len(asked))]
    assert settings == [
        dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())
    ]
    assert asked.setting(len(asked)) == settings[0]


def test_the_number_of_settings() -> None:
    two = "grid: {training.l2: [0, 1], hidden: 1..3}"
    drawn = "random: {training.epochs: [1, 2]}"
    assert len(space(f"{{{two}}}")) == 6
    assert len(space(f"{{{two}, trials: 4}}")) == 4
    assert len(space(f"{{{drawn}}}")) == DEFAULT_TRIALS == 20
    assert len(space(f"{{{two}, {drawn}}}")) == 24, "each combination as often as the others"
    assert len(space(f"{{{two}, {drawn}, trials: 7}}")) == 7


@given(st.integers(0, 2**63 - 1), st.integers(0, 10**6))
def test_another_key_changes_no_value_that_was_there(seed: int, number: int) -> None:
    asked = Space({}, RANDOM, seed).setting(number)
    for key, each in RANDOM.items():
        assert Space({}, {key: each}, seed, trials=3).setting(number) == {key: asked[key]}
    beside = Space({"training.epochs": [1, 2, 3]}, RANDOM, seed).setting(number)
    assert {key: beside[key] for key in RANDOM} == asked


@given(st.integers(0, 2**63 - 1), st.integers(0, 10**6))
def test_values_are_plain_and_the_same_whenever_they_are_asked_for(seed: int, number: int) -> None:
    first = Space({}, RANDOM, seed).setting(number)
    assert Space({}, RANDOM, seed).setting(number) == first
    assert [type(value) for value in first.values()][:2] == [float, int]
    assert json.loads(json.dumps(first)) == first
    assert 1e-4 <= first["training.l2"] <= 10
    assert first["hidden"] in range(1, 21)


def test_values_are_the_same_in_another_process() -> None:
    program = (
        "from bpcli.config.domains import *; from bpcli.sweeps.space import Space\n"
        "space = Space({}, {'a': LogUniform(1e-4, 10), 'b': Whole(1, 10**9)}, 7)\n"
        "print([space.setting(number) for number in range(50)])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    asked = Space({}, {"a": LogUniform(1e-4, 10), "b": Whole(1, 10**9)}, 7)
    assert done.stdout.decode().strip() == str([asked.setting(number) for number in range(50)])


def test_the_rule_is_fixed() -> None:
    """These values may never change: a sweep that was begun with them is continued with them."""
    asked = Space({}, {"training.l2": LogUniform(1e-4, 10), "hidden": Whole(1, 20)}, seed=7)
    assert [asked.setting(number) for number in (0, 1, 39)] == [
        {"training.l2": 0.00173824, "hidden": 6},
        {"training.l2": 0.086055, "hidden": 6},
        {"training.l2": 0.0990587, "hidden": 2},
    ]


def test_the_logarithms_of_log_uniform_values_are_uniform() -> None:
    asked = Space({}, {"training.l2": LogUniform(1e-4, 10)}, seed=3)
    logarithms = [math.log(asked.setting(number)["training.l2"]) for number in range(4000)]
    law = stats.uniform(math.log(1e-4), math.log(10) - math.log(1e-4))
    assert stats.kstest(logarithms, law.cdf).pvalue > 0.01


def test_values_are_independent_of_those_of_other_keys_numbers_and_seeds() -> None:
    u = Uniform(0, 1)
    a, b = (
        np.array([[pair[key] for key in "ab"] for pair in (s.setting(n) for n in range(4000))]).T
        for s in (Space({}, {"a": u, "b": u}, seed) for seed in (0, 1))
    )
    series = np.array([*a, *b, np.roll(a[0], 1)])
    correlations = np.corrcoef(series) - np.eye(len(series))
    assert np.abs(correlations).max() < 4 / math.sqrt(4000)


def test_a_config_without_a_sweep_has_no_space() -> None:
    with pytest.raises(ConfigError, match="no `sweep` section: add one, or use options such as"):
        Space.of(load(XOR).spec)


# From values to configs.


def test_a_setting_is_the_config_with_its_values_set(tmp_path: Path) -> None:
    config = load(XOR + SWEEP, "training.epochs=7")
    asked = Space.of(config.spec)
    made = configs(config, asked, range(len(asked)))
    path = tmp_path / "t.yaml"
    path.write_text(XOR)
    for number, each in enumerate(made):
        values, spec = asked.setting(number), each.spec
        assert spec.sweep is None
        assert (spec.training.learning_rate, spec.training.l2, spec.training.epochs) == (
            values["training.learning_rate"],
            values["training.l2"],
            7,
        )
        again = load_config(path, ["training.epochs=7", *each.overrides])
        assert again.spec == spec
        assert again.resolved() == each.resolved()


def test_the_overrides_say_how_a_setting_was_made() -> None:
    config = load(XOR + SWEEP)
    asked = Space.of(config.spec)
    one, other = configs(config, asked, [1, 5])
    assert one.overrides[0] == "training.learning_rate=0.01"
    assert one.overrides[-2:] == (
        "network.layers=[2, 10, 5, 1]",
        "network.activations=[tanh, tanh, sigmoid]",
    )
    assert "training.optimizer={name: adam, beta1: 0.5}" in one.overrides + other.overrides


def test_the_config_itself_is_unchanged() -> None:
    config = load(XOR + SWEEP)
    before = repr(config)
    configs(config, Space.of(config.spec), range(12))
    assert repr(config) == before


def test_a_key_inside_a_value_that_varies_is_set_after_it() -> None:
    sweep = """{grid: {training.optimizer.beta1: [0.1, 0.2],
                training.optimizer: [{name: adam}, {name: adam, beta2: 0.5}]}}"""
    config = load(f"{XOR}sweep: {sweep}")
    before = repr(config)
    made = configs(config, Space.of(config.spec), range(4))
    optimizers = [each.spec.training.optimizer for each in made]
    assert [(each.beta1, each.beta2) for each in optimizers] == [
        (0.1, 0.999), (0.1, 0.5), (0.2, 0.999), (0.2, 0.5),
    ]  # fmt: skip
    assert made[3].overrides == (
        "training.optimizer={name: adam, beta2: 0.5}",
        "training.optimizer.beta1=0.2",
    )
    assert repr(config) == before


def test_arrays_of_a_python_program_are_shared() -> None:
    X, y = np.eye(2), np.array([0.0, 1.0])
    tree = Source.parse(XOR, "c.yaml").tree | {
        "data": {"inputs": X, "targets": y},
        "sweep": {"grid": {"training.l2": [0, 1], "hidden": (3, [4, 4])}},
    }
    config = config_of(tree)
    made = configs(config, Space.of(config.spec), range(4))
    assert [each.spec.network.layers for each in made] == [[2, 3, 1], [2, 4, 4, 1]] * 2
    assert all(each.spec.data.inputs is config.spec.data.inputs for each in made)


def test_seeds_follow_the_seed_of_the_config() -> None:
    text = XOR.replace("name: t", "name: t\nseed: 7")
    config = load(text, "training.l2=1")
    assert with_seed(config, 0) is config
    other = with_seed(config, 3)
    assert other.spec == load(text, "training.l2=1", "seed=10").spec == validate(other.source).spec
    assert other.overrides == ("seed=10",)
    assert config.source.tree["seed"] == 7


# Hidden layers.


@pytest.mark.parametrize(
    ("network", "hidden", "layers", "activations", "bias"),
    [
        ("layers: [2, 4, 1], activations: [relu, sigmoid]", "5", [2, 5, 1],
         ["relu", "sigmoid"], True),
        ("layers: [2, 4, 1], activations: [relu, sigmoid]", "[6, 5]", [2, 6, 5, 1],
         ["relu", "relu", "sigmoid"], True),
        ("layers: [2, 4, 3, 1], activations: [relu, tanh, sigmoid]", "[6, 5]", [2, 6, 5, 1],
         ["relu", "tanh", "sigmoid"], True),
        ("layers: [2, 4, 3, 1], activations: [relu, tanh, sigmoid], bias: [false, true, frozen]",
         "[6, 5]", [2, 6, 5, 1], ["relu", "tanh", "sigmoid"], [False, True, "frozen"]),
        ("layers: [2, 4, 3, 1], activations: [relu, tanh, sigmoid], bias: [false, true, frozen]",
         "7", [2, 7, 1], ["relu", "sigmoid"], [False, "frozen"]),
        ("layers: [2, 4, 1], activations: [relu, sigmoid], bias: [frozen, true]", "0", [2, 1],
         ["sigmoid"], [True]),
        ("layers: [2, 4, 1], activations: [relu, sigmoid], bias: false", "[]", [2, 1],
         ["sigmoid"], False),
        ("layers: [auto, 1], activations: [sigmoid], bias: [false]", "[3, 3]", ["auto", 3, 3, 1],
         ["tanh", "tanh", "sigmoid"], [True, True, False]),
    ],
)  # fmt: skip
def test_the_network_is_adapted_to_its_hidden_layers(
    network: str, hidden: str, layers: list[Any], activations: list[str], bias: Any
) -> None:
    base = f"name: t\ndata: {{generator: xor}}\nnetwork: {{{network}}}\nloss: mse\n"
    (one,) = made(f"{{grid: {{hidden: [{hidden}]}}}}", base)
    assert (one.layers, one.bias) == (layers, bias)
    assert one.model_dump()["activations"] == activations


def test_options_of_the_first_activation_are_repeated() -> None:
    base = XOR.replace("[tanh,", "[{name: elu, alpha: 0.5},")
    (one,) = made("{grid: {hidden: [[3, 3]], network.activations.0.alpha: [0.25]}}", base)
    elu = {"name": "elu", "alpha": 0.25}
    assert one.model_dump()["activations"] == [elu, elu, "sigmoid"]


# What is wrong in a setting.


def test_all_wrong_values_are_reported_once_at_their_places() -> None:
    sweep = """\
sweep:
  grid:
    training.learning_rate: [-1, 0.1, none]
    training.epochs: -3..2
    hidden: 1..3
    training.optimizer: [adamm, {name: adam, beta1: 3}]"""
    expected = [
        "c.yaml:9:30: found -1, expected a number greater than 0",
        "c.yaml:9:39: found `none`, expected a number greater than 0, or a mapping with `schedule`",
        "c.yaml:10:22: found -3, expected a number of at least 0",
        "c.yaml:12:26: found `adamm`, expected `gradient_descent`",
        "c.yaml:12:53: found 3, expected a number less than 1",
    ]
    found = refused(sweep)
    assert len(found) == len(expected)
    assert [line[: len(start)] for line, start in zip(found, expected, strict=True)] == expected
    assert found[3].endswith("did you mean `adam`?")


def test_of_values_that_are_drawn_one_is_reported() -> None:
    found = refused("sweep: {random: {training.l2: 'uniform(-2, -1)'}}")
    assert len(found) == 1
    assert found[0].startswith("c.yaml:7:31: found -1.")


def test_keys_that_do_not_fit_together_are_reported() -> None:
    (found,) = refused("sweep: {grid: {training.optimizer: [sgd, lm]}}")
    assert found.startswith("c.yaml:6:7: `levenberg_marquardt` minimises sums of squares")
    sweep = (
        "{grid: {training.learning_rate: [{schedule: step}, 1], training.learning_rate.start: [1]}}"
    )
    assert any("which has no keys" in each for each in refused(f"sweep: {sweep}"))


def test_hidden_layers_that_are_too_large_are_shown_as_they_were_written() -> None:
    (found,) = refused("sweep: {grid: {hidden: [4, [3, 2000000000000]]}}")
    assert found.startswith("c.yaml:7:28: found 2000000000000, expected a number of at most ")


def test_a_mistake_in_an_option_is_shown_in_the_option() -> None:
    source = parsed(XOR)
    override(source, "sweep={grid: {training.l2: [0, -1]}}")
    config = validate(source)
    with pytest.raises(ConfigError) as caught:
        configs(config, Space.of(config.spec), range(2))
    (issue,) = caught.value.issues
    assert issue.origin == "--set sweep={grid: {training.l2: [0, -1]}}"
    assert issue.origin[issue.mark.column : issue.mark.end_column] == "-1"  # type: ignore[union-attr]


def test_notes_of_a_setting_are_its_own() -> None:
    config = load(f"{MOONS}sweep: {{grid: {{training.optimizer: [sgd, rprop]}}}}")
    sgd, rprop = configs(config, Space.of(config.spec), range(2))
    assert sgd.notes == ("`sgd` is called `gradient_descent` here",)
    assert rprop.notes == ()
