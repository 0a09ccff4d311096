from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from small_configs import XOR, errors, load
from systems import CONFIGS

from bpcli.config.load import config_of, load_config, validate
from bpcli.config.source import Source
from bpcli.data.generators import GENERATORS
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS, Elu, Maxout
from bpcli.nn.initializers import INITIALIZERS
from bpcli.nn.losses import Huber
from bpcli.optimizers import GradientDescent, Optimizer
from bpcli.optimizers.adaptive_gradient_descent import AdaptiveGradientDescent
from bpcli.optimizers.bfgs import Bfgs
from bpcli.optimizers.conjugate_gradient import ConjugateGradient
from bpcli.optimizers.scaled_conjugate_gradient import ScaledConjugateGradient
from bpcli.registry import name_of


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_config_is_valid_and_its_resolved_form_means_the_same(path: Path) -> None:
    config = load_config(path)
    assert config.spec.name == path.stem
    again = validate(Source.parse(config.resolved(), "resolved.yaml"))
    assert again.spec == config.spec
    assert again.resolved() == config.resolved()
    assert path.read_text().startswith("# ")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_pickled_config_is_the_same(path: Path) -> None:
    config = load_config(path, ["training.epochs=7"])
    copy = pickle.loads(pickle.dumps(config))
    assert copy == config
    assert copy.resolved() == config.resolved()


def test_a_pickled_config_has_its_arrays_and_its_file(tmp_path: Path) -> None:
    network = {"layers": ["auto", 1], "activations": ["identity"]}
    X, Y = np.arange(6.0).reshape(3, 2), np.arange(3.0).reshape(3, 1)
    tree = {"data": {"inputs": X, "targets": Y}, "network": network, "loss": "mse"}
    copy = pickle.loads(pickle.dumps(config_of(tree)))
    np.testing.assert_array_equal(copy.spec.data.inputs, X)
    np.testing.assert_array_equal(copy.spec.data.targets, Y)
    path = tmp_path / "c.yaml"
    path.write_text(
        "data: {file: t.csv}\nloss: mse\nnetwork: {layers: [1, 1], activations: [identity]}\n"
    )
    config = load_config(path)
    copy = pickle.loads(pickle.dumps(config))
    assert copy == config
    assert copy.spec.data.files == (tmp_path / "t.csv",)


def test_options_and_aliases_of_named_values() -> None:
    text = XOR.replace("[tanh, sigmoid]", "[{name: elu, alpha: 0.5}, purelin]")
    config = load(text.replace("binary_cross_entropy", "{name: huber, delta: 2}"))
    assert config.spec.network.activations[0] == Elu(alpha=0.5)
    assert config.spec.loss == Huber(delta=2.0)
    assert config.notes == ("`purelin` is called `identity` here",)
    assert "- identity" in config.resolved()
    assert load(XOR, "network.activations.0={name: maxout, pieces: 3}").spec.network.activations[
        0
    ] == Maxout(3)


@pytest.mark.parametrize("alias", ACTIVATION_ALIASES)
def test_every_alias_is_accepted_as_its_name(alias: str) -> None:
    spec = load(XOR, f"network.activations.0={alias}").spec
    assert name_of(ACTIVATIONS, spec.network.activations[0]) == ACTIVATION_ALIASES[alias]


def test_an_alias_may_imply_options_which_can_be_overridden() -> None:
    config = load(XOR, "training.optimizer=traingdm")
    assert config.spec.training.optimizer == GradientDescent(momentum=0.9)
    assert config.notes == ("`traingdm` is called `gradient_descent` with momentum 0.9 here",)
    given = load(XOR, "training.optimizer={name: traingdm, momentum: 0.5}")
    assert given.spec.training.optimizer == GradientDescent(momentum=0.5)


@pytest.mark.parametrize(
    ("alias", "momentum"), [("gda", 0), ("traingda", 0), ("gdx", 0.9), ("traingdx", 0.9)]
)
def test_matlabs_adaptive_rates_have_its_momentum(alias: str, momentum: float) -> None:
    optimizer = load(XOR, f"training.optimizer={alias}").spec.training.optimizer
    assert optimizer == AdaptiveGradientDescent(momentum=momentum)


@pytest.mark.parametrize(
    ("alias", "meant"),
    [
        ("cg", ConjugateGradient("polak_ribiere")),
        ("traincgp", ConjugateGradient("polak_ribiere")),
        ("traincgf", ConjugateGradient("fletcher_reeves")),
        ("traincgb", ConjugateGradient("powell_beale")),
        ("scg", ScaledConjugateGradient()),
        ("trainscg", ScaledConjugateGradient()),
        ("trainbfg", Bfgs()),
    ],
)
def test_other_names_of_optimizers(alias: str, meant: Optimizer) -> None:
    training = load(XOR, f"training.optimizer={alias}").spec.training
    assert training.optimizer == meant
    assert training.learning_rate is None


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_initializer_is_accepted(name: str) -> None:
    assert load(XOR, f"network.init={name}").spec.network.init == INITIALIZERS[name]()


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_is_accepted(name: str) -> None:
    assert load(XOR, f"data.generator={name}").spec.data.source == GENERATORS[name]()


def test_five_mistakes_are_five_errors_at_their_lines() -> None:
    text = """\
name: five
sede: 3
data:
  generator: mooons
network:
  layers: [2, 4.5, 1]
  activations: [tanh]
loss: cross_entropy
training:
  learning_rate: fast
"""
    found = errors(text)
    assert [re.match(r"c.yaml:(\d+:\d+)", line)[1] for line in found] == [  # type: ignore[index]
        "2:1", "4:14", "6:15", "7:16", "8:7", "10:18",
    ]  # fmt: skip
    assert "unknown key `sede`; did you mean `seed`?" in found[0]
    assert "did you mean `moons`?" in found[1]
    assert "found 4.5, expected a whole number or `auto`" in found[2]
    assert "`activations` has 1 entry, but 3 `layers` need 2" in found[3]
    assert "`cross_entropy` needs softmax outputs, but the last activation is `tanh`" in found[4]
    assert "found `fast`, expected a number" in found[5]


def test_a_key_twice_hides_nothing_else() -> None:
    found = errors(XOR + "training: {epochs: 1, epochs: 2, learning_rate: x}\n")
    assert len(found) == 2
    assert "is repeated" in found[0]
    assert "found `x`" in found[1]


def test_a_config_without_a_name_takes_its_files(tmp_path: Path) -> None:
    path = tmp_path / "my.config (2).yaml"
    path.write_text(XOR.replace("name: t\n", ""))
    assert load_config(path).spec.name == "my.config-2"
    assert load_config(path, name="other").spec.name == "other"
