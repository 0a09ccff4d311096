from __future__ import annotations

from pathlib import Path

import local_optimizers
import pytest
from local_optimizers import Halving
from systems import CONFIGS

from bpcli.config.alternatives import Alternative, load_alternatives, split_list
from bpcli.errors import ConfigError
from bpcli.optimizers import GradientDescent

MOONS = CONFIGS / "moons.yaml"  # gradient descent, momentum 0.9, learning rate 0.5


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    local_optimizers.install(monkeypatch)


def rates(found: list[Alternative]) -> list[float | None]:
    return [each.config.spec.training.learning_rate for each in found]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("a", ["a"]),
        (" a , b", ["a", "b"]),
        ("a,{name: b, c: [1, 2]},d", ["a", "{name: b, c: [1, 2]}", "d"]),
    ],
)
def test_commas_in_brackets_separate_nothing(text: str, items: list[str]) -> None:
    assert split_list(text) == items


@pytest.mark.parametrize("text", ["", " ", "a,", ",a", "a,,b"])
def test_an_empty_place_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected names separated by commas"):
        split_list(text)


def test_a_name_is_that_optimizer_with_its_own_defaults_called_as_it_was() -> None:
    found = load_alternatives(
        MOONS,
        ["loss=mse"],
        "gradient_descent,traingdm,{name: sgd, momentum: 0.5, nesterov: true},halving",
    )
    assert [each.label for each in found] == [
        "gradient_descent", "traingdm", "sgd (momentum 0.5, nesterov True)", "halving",
    ]  # fmt: skip
    assert [each.config.spec.training.optimizer for each in found] == [
        GradientDescent(), GradientDescent(0.9), GradientDescent(0.5, True), Halving(),
    ]  # fmt: skip


def test_the_rate_of_the_config_is_for_its_own_optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_optimizers.Looking, "default_learning_rate", 0.25)
    names = "gradient_descent,traingdm,looking"
    assert rates(load_alternatives(MOONS, [], names)) == [0.5, 0.5, 0.25]
    assert rates(load_alternatives(MOONS, ["training.optimizer=looking"], names)) == [0.1, 0.1, 0.5]
    assert rates(load_alternatives(MOONS, ["training.learning_rate=2"], names)) == [2, 2, 2]
    whole = "training={epochs: 3, learning_rate: 4}"
    assert rates(load_alternatives(MOONS, [whole], names)) == [4, 4, 4]


def test_the_rest_of_the_config_is_the_same() -> None:
    one, other = load_alternatives(MOONS, ["training.epochs=3"], "sgd,looking")
    rest = {"optimizer", "learning_rate"}
    assert one.config.spec.training.epochs == 3
    assert one.config.spec.model_dump(exclude={"training": rest}) == other.config.spec.model_dump(
        exclude={"training": rest}
    )


def test_errors_of_all_are_one_error_and_common_ones_are_said_once(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(
        "data: {generator: xor}\nnetwork: {layers: [2, 1], activations: [sigmoid]}\n"
        "loss: binary_cross_entropy\ntraining: {batch_size: 2, epoch: 5}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_alternatives(config, [], "sgd,halving,looking,{name: sgd, momentum: 2},traingdn")
    text = str(caught.value)
    assert text.count("unknown key `epoch`") == 1
    assert "`halving` needs `batch_size: full`" in text
    assert "`looking` needs `batch_size: full`" in text
    assert "`halving` minimises sums of squares" in text
    assert "--optimizers {name: sgd, momentum: 2}: found 2, expected a number less than 1" in text
    assert "--optimizers traingdn: found `traingdn`" in text
    assert "did you mean `traingd" in text
    assert text.endswith(f"6 errors in {config}")


@pytest.mark.parametrize(
    ("names", "twins"),
    [
        ("sgd,gradient_descent", "`sgd` and `gradient_descent` are"),
        ("sgd,sgd", "`sgd` and `sgd` are"),
        (
            "traingdm,looking,{name: sgd, momentum: 0.9}",
            r"`traingdm` and `sgd \(momentum 0.9\)` are",
        ),
        ("sgd,traingd,looking,looking", "`sgd` and `traingd` .*; `looking` and `looking` are"),
    ],
)
def test_the_same_optimizer_twice_is_refused(names: str, twins: str) -> None:
    with pytest.raises(ConfigError, match=twins):
        load_alternatives(MOONS, [], names)


@pytest.mark.parametrize("text", ["5", "[sgd]", "{", "{name: sgd", "sgd}", "null", "{nam: sgd}"])
def test_what_names_no_optimizer_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--optimizers"):
        load_alternatives(MOONS, [], text)
