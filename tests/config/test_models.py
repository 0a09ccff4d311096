from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from sklearn.neural_network import MLPRegressor
from small_configs import XOR, load, parsed

from bpcli.config.load import validate
from bpcli.config.models import Spec, Stop, Training
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.errors import ConfigError
from bpcli.nn.initializers import INITIALIZERS
from bpcli.optimizers import OPTIMIZERS, GradientDescent
from bpcli.optimizers.decays import Cosine
from bpcli.optimizers.plateau import Plateau


def test_defaults() -> None:
    spec = load(XOR).spec
    assert spec.seed == 0
    assert spec.network.dtype == "float64"
    assert spec.network.init == INITIALIZERS["xavier_uniform"]()
    assert spec.network.bias is True
    assert spec.training.batch_size == "full"
    training = spec.training
    assert (training.learning_rate, training.epochs, training.l2) == (0.1, 1000, 0)
    assert (training.reduction, training.sampling) == ("mean", "shuffle")
    assert (training.workers, training.log_every) == ("auto", "auto")
    assert spec.data.split.fractions == {"train": 1, "val": 0, "test": 0}
    assert "max_fail: null" in load(XOR).resolved()


def test_the_learning_rate_is_the_optimizers_unless_given() -> None:
    assert load(XOR).spec.training.learning_rate == GradientDescent.default_learning_rate
    assert load(XOR, "training.learning_rate=0.3").spec.training.learning_rate == 0.3
    with pytest.raises(ConfigError, match="a number greater than 0"):
        load(XOR, "training.learning_rate=null")


def test_a_learning_rate_may_have_a_schedule() -> None:
    asked = "training={epochs: 30, learning_rate: {schedule: cosine, start: 1}}"
    config = load(XOR, asked)
    assert config.spec.training.learning_rate == Cosine(1.0, end=0.0, epochs=30)
    longer = Source.parse(config.resolved(), "resolved.yaml")
    override(longer, "training.epochs=90")
    assert validate(longer).spec.training.learning_rate == Cosine(1.0, end=0.0, epochs=30)
    later = load(XOR, asked, "training.learning_rate.start=2")
    assert later.spec.training.learning_rate == Cosine(2.0, end=0.0, epochs=30)
    number = load(XOR, asked, "training.learning_rate=0.1")
    assert number.spec.training.learning_rate == 0.1
    unused = load(XOR, asked, "training.optimizer=rprop")
    assert unused.spec.training.learning_rate is None
    assert unused.notes == ("`rprop` has no learning rate: `learning_rate` is not used",)


def test_a_learning_rate_may_fall_on_a_plateau() -> None:
    config = load(XOR, "training.learning_rate={schedule: plateau, start: 1, epochs: 3}")
    assert config.spec.training.learning_rate == Plateau(1.0, 0.2, 3, 1e-4, 1e-6)
    with pytest.raises(ConfigError, match="found 0, expected"):
        load(XOR, "training.learning_rate={schedule: plateau, start: 1, epochs: 0}")
    with pytest.raises(ConfigError, match="changes the learning rate itself"):
        load(XOR, "training.learning_rate={schedule: plateau, start: 1}", "training.optimizer=gda")


def test_a_plateau_has_the_defaults_of_scikit_learn_and_may_be_off() -> None:
    theirs = MLPRegressor()
    plateau = load(XOR, "training.stop.plateau={}").spec.training.stop.plateau
    assert plateau is not None
    assert (plateau.tol, plateau.epochs, plateau.of) == (
        theirs.tol,
        theirs.n_iter_no_change,
        "loss",
    )
    assert load(XOR, "training.stop.plateau={}", "training.stop.plateau=null").spec.training.stop \
        == Stop()  # fmt: skip
    for wrong in ("{of: accuracy}", "{tol: -1}", "{epochs: 0}", "5"):
        with pytest.raises(ConfigError):
            load(XOR, f"training.stop.plateau={wrong}")


def test_the_defaults_of_sections_are_what_they_are_when_validated() -> None:
    sections = ("data.split={}", "data.scale={}", "training={}", "training.stop={}")
    spelled = load(XOR, *sections, "training.checkpoint_every={seconds: 30}")
    assert spelled.resolved() == load(XOR).resolved()
    assert spelled.spec == load(XOR).spec


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_default_learning_rate_is_the_optimizers(name: str) -> None:
    training = Training.model_validate({"optimizer": name})
    assert training.learning_rate == OPTIMIZERS[name].default_learning_rate


@pytest.mark.parametrize(
    ("name", "full", "mini"), [("adam", 0.05, 0.01), ("gradient_descent", 0.1, 0.1)]
)
def test_mini_batches_may_have_another_default_rate(name: str, full: float, mini: float) -> None:
    asked = f"training.optimizer={name}"
    assert load(XOR, asked).spec.training.learning_rate == full
    config = load(XOR, "training.batch_size=2", asked)
    assert config.spec.training.learning_rate == mini
    assert f"learning_rate: {mini}\n" in config.resolved()
    given = load(XOR, "training.batch_size=2", asked, "training.learning_rate=0.3")
    assert given.spec.training.learning_rate == 0.3


@pytest.mark.parametrize("rate", ["fast", [0.1]])
def test_a_rate_is_a_number_or_a_schedule(rate: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        Training.model_validate({"learning_rate": rate})
    assert "expected a number greater than 0, or a mapping with `schedule`" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("name", ["a", "A.b-c_9", "9" * 64]),
        ("seed", [0, 2**63 - 1]),
        ("metrics", ["auto", [], ["mae", "r2"]]),
        ("training", [{"epochs": 0}, {"epochs": 10**12}, {"workers": "auto"}, None]),
        ("network", [{"layers": ["auto", "auto"], "activations": ["tanh"], "bias": "frozen"}]),
    ],
)
def test_values_at_the_bounds_are_taken(key: str, values: list[Any]) -> None:
    for value in values:
        Spec.model_validate(parsed(XOR).tree | {key: value})


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("name", ["", "-a", "9" * 65, "a/b", "a\n", 5]),
        ("seed", [-1, 2**63, 1.5, True]),
        ("metrics", ["mae", ["mae", "mae"], ["accurate"]]),
        (
            "training",
            [{"epochs": -1}, {"workers": 0}, {"l2": -1e-9}, {"class_weights": {"a": 0}}],
        ),
        ("network", [{"layers": [2], "activations": ["tanh"]}, {"layers": [2, 1]}]),
    ],
)
def test_values_beyond_the_bounds_are_refused(key: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(ValidationError):
            Spec.model_validate(parsed(XOR).tree | {key: value})


@pytest.mark.parametrize("key", ["min_grad", "generalization_loss", "progress", "max_seconds"])
def test_thresholds_of_stop_rules_are_above_0(key: str) -> None:
    assert getattr(Stop.model_validate({key: 1e-300}), key) == 1e-300
    with pytest.raises(ValidationError, match="greater than 0"):
        Stop.model_validate({key: 0})
