from __future__ import annotations

import re
from pathlib import Path

import pytest
from systems import CONFIGS

from bpcli.config.load import Config, load_config, validate
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.data.generators import GENERATORS
from bpcli.errors import ConfigError
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS, Elu, Maxout
from bpcli.nn.initializers import INITIALIZERS
from bpcli.nn.losses import LOSSES, Huber
from bpcli.optimizers import GradientDescent, Optimizer
from bpcli.optimizers.bfgs import Bfgs
from bpcli.optimizers.conjugate_gradient import ConjugateGradient
from bpcli.optimizers.decays import Cosine
from bpcli.optimizers.scaled_conjugate_gradient import ScaledConjugateGradient
from bpcli.registry import name_of

MINIMAL = """\
name: t
data: {generator: xor}
network:
  layers: [2, 4, 1]
  activations: [tanh, sigmoid]
loss: binary_cross_entropy
"""


def load(text: str, *overrides: str) -> Config:
    source = Source.parse(text, "c.yaml")
    for assignment in overrides:
        override(source, assignment)
    return validate(source)


def test_the_defaults_of_sections_are_what_they_are_when_validated() -> None:
    sections = ("data.split={}", "data.scale={}", "training={}", "training.stop={}")
    spelled = load(MINIMAL, *sections, "training.checkpoint_every={seconds: 30}")
    assert spelled.resolved() == load(MINIMAL).resolved()
    assert spelled.spec == load(MINIMAL).spec


def errors(text: str, *overrides: str) -> list[str]:
    """The lines of an error that name a place, without excerpts."""
    with pytest.raises(ConfigError) as caught:
        load(text, *overrides)
    lines = str(caught.value).splitlines()
    found = [line for line in lines if line.startswith(("c.yaml:", "--set"))]
    assert lines[-1] == f"{len(found)} error{'s' if len(found) > 1 else ''} in c.yaml"
    return found


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_config_is_valid_and_its_resolved_form_means_the_same(path: Path) -> None:
    config = load_config(path)
    assert config.spec.name == path.stem
    again = validate(Source.parse(config.resolved(), "resolved.yaml"))
    assert again.spec == config.spec
    assert again.resolved() == config.resolved()
    assert path.read_text().startswith("# ")


def test_defaults() -> None:
    spec = load(MINIMAL).spec
    assert spec.seed == 0
    assert spec.network.dtype == "float64"
    assert spec.network.init == INITIALIZERS["xavier_uniform"]()
    assert spec.training.batch_size == "full"
    training = spec.training
    assert (training.learning_rate, training.epochs, training.l2) == (0.1, 1000, 0)
    assert (training.reduction, training.sampling) == ("mean", "shuffle")
    assert (training.workers, training.log_every) == ("auto", "auto")
    assert spec.data.split.fractions == {"train": 1, "val": 0, "test": 0}
    assert "max_fail: null" in load(MINIMAL).resolved()


def test_options_and_aliases_of_named_values() -> None:
    text = MINIMAL.replace("[tanh, sigmoid]", "[{name: elu, alpha: 0.5}, purelin]")
    config = load(text.replace("binary_cross_entropy", "{name: huber, delta: 2}"))
    assert config.spec.network.activations[0] == Elu(alpha=0.5)
    assert config.spec.loss == Huber(delta=2.0)
    assert config.notes == ("`purelin` is called `identity` here",)
    assert "- identity" in config.resolved()
    assert load(
        MINIMAL, "network.activations.0={name: maxout, pieces: 3}"
    ).spec.network.activations[0] == Maxout(3)


@pytest.mark.parametrize("alias", ACTIVATION_ALIASES)
def test_every_alias_is_accepted_as_its_name(alias: str) -> None:
    spec = load(MINIMAL, f"network.activations.0={alias}").spec
    assert name_of(ACTIVATIONS, spec.network.activations[0]) == ACTIVATION_ALIASES[alias]


def test_an_alias_may_imply_options_which_can_be_overridden() -> None:
    config = load(MINIMAL, "training.optimizer=traingdm")
    assert config.spec.training.optimizer == GradientDescent(momentum=0.9)
    assert config.notes == ("`traingdm` is called `gradient_descent` with momentum 0.9 here",)
    given = load(MINIMAL, "training.optimizer={name: traingdm, momentum: 0.5}")
    assert given.spec.training.optimizer == GradientDescent(momentum=0.5)


@pytest.mark.parametrize("alias", ["lm", "trainlm", "trainbr", "bayesian_regularization"])
def test_what_solves_for_squares_takes_no_other_loss_and_no_batches(alias: str) -> None:
    optimizer = f"training.optimizer={alias}"
    assert load(MINIMAL, optimizer, "loss=mse").spec.training.learning_rate is None
    name = "bayesian" if alias in ("trainbr", "bayesian_regularization") else "levenberg"
    (loss,) = errors(MINIMAL, optimizer)
    assert f"`{name}" in loss
    assert "use mse or squared_error or half_squared_error" in loss
    (batch,) = errors(MINIMAL, optimizer, "loss=mse", "training.batch_size=2")
    assert "needs `batch_size: full`" in batch


def test_layers_are_updated_one_by_one_by_gradient_descent_alone() -> None:
    option = "training.optimizer={name: %s, update: layerwise}"
    assert load(MINIMAL, option % "traingd").spec.training.optimizer.update == "layerwise"
    (error,) = errors(MINIMAL, option % "trainrp")
    assert "only `gradient_descent` updates layers one by one" in error
    assert "`rprop` chooses one step" in error


def test_bayesian_regularization_finds_its_own_weight_decay() -> None:
    squares = ("loss=mse", "training.l2=0.1")
    assert load(MINIMAL, *squares, "training.optimizer=lm").spec.training.l2 == 0.1
    (error,) = errors(MINIMAL, *squares, "training.optimizer=trainbr")
    assert "`bayesian_regularization` finds the strength of weight decay itself" in error


def test_the_learning_rate_is_the_optimizers_unless_given() -> None:
    assert load(MINIMAL).spec.training.learning_rate == GradientDescent.default_learning_rate
    assert load(MINIMAL, "training.learning_rate=0.3").spec.training.learning_rate == 0.3
    with pytest.raises(ConfigError, match="a number greater than 0"):
        load(MINIMAL, "training.learning_rate=null")


def test_a_learning_rate_may_have_a_schedule() -> None:
    asked = "training={epochs: 30, learning_rate: {schedule: cosine, start: 1}}"
    config = load(MINIMAL, asked)
    assert config.spec.training.learning_rate == Cosine(1.0, end=0.0, epochs=30)
    longer = Source.parse(config.resolved(), "resolved.yaml")
    override(longer, "training.epochs=90")
    assert validate(longer).spec.training.learning_rate == Cosine(1.0, end=0.0, epochs=30)
    later = load(MINIMAL, asked, "training.learning_rate.start=2")
    assert later.spec.training.learning_rate == Cosine(2.0, end=0.0, epochs=30)
    number = load(MINIMAL, asked, "training.learning_rate=0.1")
    assert number.spec.training.learning_rate == 0.1
    unused = load(MINIMAL, asked, "training.optimizer=rprop")
    assert unused.spec.training.learning_rate is None
    assert unused.notes == ("`rprop` has no learning rate: `learning_rate` is not used",)


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
    training = load(MINIMAL, f"training.optimizer={alias}").spec.training
    assert training.optimizer == meant
    assert training.learning_rate is None


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_initializer_is_accepted(name: str) -> None:
    assert load(MINIMAL, f"network.init={name}").spec.network.init == INITIALIZERS[name]()


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_is_accepted(name: str) -> None:
    assert load(MINIMAL, f"data.generator={name}").spec.data.source == GENERATORS[name]()


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
    assert (
        "`cross_entropy` needs a softmax output layer, but the last activation is `tanh`"
        in found[4]
    )
    assert "found `fast`, expected a number" in found[5]


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("training.epochs=2.5", "found 2.5, expected a whole number"),
        ("training.epochs=-1", "found -1, expected a number of at least 0"),
        ("training.epochs=yes", "found `yes`, expected a whole number"),
        ("training.learning_rate=0", "a number greater than 0"),
        ("training.learning_rate=.nan", "expected a finite number"),
        ("training.learning_rate=fast", "or a mapping with `schedule` and its options"),
        ("training.learning_rate={start: 0.5}", "the key `schedule` is missing under"),
        ("training.learning_rate={schedul: cosine, start: 1}", "did you mean `schedule`?"),
        ("training.learning_rate={schedule: cosin, start: 1}", "did you mean `cosine`?"),
        ("training.learning_rate={schedule: cosine}", "the key `start` is missing under"),
        ("training.learning_rate={schedule: cosine, start: 0}", "a number greater than 0"),
        (
            "training.learning_rate={schedule: step, start: 1, factor: 0.5, evry: 2, every: 2}",
            "did you mean `every`?",
        ),
        (
            "training={optimizer: gdx, learning_rate: {schedule: cosine, start: 1}}",
            "`adaptive_gradient_descent` changes the learning rate itself",
        ),
        ("training.record_params=1", "found 1, expected true or false"),
        ("training.optimizer=adma", "found `adma`, expected `gradient_descent`"),
        ("training.optimizer={name: lbfgs, memory: 0}", "a number of at least 1"),
        ("training.optimizer={name: cg, variant: hestenes}", "expected `polak_ribiere`"),
        ("training.optimizer={name: scg, sigma: 0}", "a number greater than 0"),
        ("training.optimizer.momentum=1", "a number less than 1"),
        ("training.optimizer.nesterov=true", "set `momentum` above 0"),
        ("training.optimizer={momentum: 0, nesterov: true}", "set `momentum` above 0"),
        ("data.split={train: 0.5, val: 0.49}", "add up to 0.99, not 1"),
        ("network.inputs=1", "it belongs under `data`"),
        ("training.patience=3", "the keys under `training` are optimizer, epochs, learning_rate,"),
        (
            "data={generator: diabetes, targets: same_as_inputs, scale: {targets: minmax}}",
            "remove this key",
        ),
        ("training.sampling=random", "set `training.batch_size` to a number"),
        ("training.rows_per_epoch=3", "set `training.batch_size` to a number"),
        ("training.stop.max_fail=6", "set `data.split.val`"),
        ("training.stop.generalization_loss=5", "set `data.split.val`"),
        ("training.stop={progress: 0.1, strip: 1}", "a `strip` of at least 2 epochs"),
        ("training.stop.progress=0", "a number greater than 0"),
        ("training.optimizer={name: rprop, max_step: 0.01}", "`initial_step` (0.07) must lie"),
        ("training={optimizer: rprop, batch_size: 2}", "it compares the signs of successive"),
        ("training.loss=mse", "unknown key `loss`; it belongs at the top level"),
        ("epochs=3", "unknown key `epochs`; it belongs under `training`"),
        ("data.split={train: 0.5, test: 0.2}", "the splits add up to 0.7, not 1"),
        ("data.split={val: 0.5, test: 0.5}", "no rows are left for training"),
        ("data.split={folds: 1}", "a number of at least 2"),
        ("data.split={folds: 5, test: 0.2}", "each of the `folds` is the test set once"),
        ("data.split={folds: 5, train: 0.2}", "remove `train`"),
        ("data.split={folds: 5, fold: 6}", "found 6, but there are 5 `folds`"),
        ("data.split={fold: 2}", "`fold` chooses one of the `folds`: set `folds` too"),
        ("data.n_samples=3", "unknown key `n_samples`"),
        ("training.stop.goal.x=3", "found a mapping, expected a number"),
        ("foo.bar.baz=1", "unknown key `foo`"),
        ("data={inputs: [1, .inf], targets: [1, 2]}", "found inf, expected a finite number"),
        (
            "data={inputs: [[1], [null]], targets: [1, 2]}",
            "found nothing, expected a finite number",
        ),
        ("data={inputs: [1, 2], targets: [1, a]}", "found `a`, expected a finite number"),
        ("data.scale={targets: standard}", "scales targets beyond [0, 1]"),
        ("data.scale={inputs: {divide_by: 0}}", "a number greater than 0"),
        ("data.scale={inputs: standrad}", "did you mean `standard`?"),
        ("data.inputs=[[1]]", "two sources of data"),
        ("network.layers=[2]", "a list of at least 2"),
        ("network.layers=[2, auto, 1]", "only the first and the last layer can"),
        ("network.layers=[2, 0, 1]", "a number of at least 1"),
        ("network.bias=[true]", "`bias` has 1 entry"),
        ("network.init={name: uniform, hihg: 1}", "did you mean `high`?"),
        ("network.activations.0={name: leaky_relu, slope: 1}", "a number less than 1"),
        ("loss=mean_squared", "found `mean_squared`, expected `mse`"),
        ("loss=cross_entropy", "needs a softmax output layer"),
        ("metrics=[accuracy, accuracy]", "each metric once"),
        ("network.init={name: uniform, low: 2, high: 1}", "`low` (2) must be at most `high` (1)"),
        ("data={generator: plane, low: 11}", "`low` (11) must be at most `high` (10)"),
        (
            "data={generator: moons, n_samples: 100000000000000000000}",
            "a number of at most 1000000000",
        ),
        ("network.bias=[]", "`bias` has 0 entries"),
        ("network.parameters=[]", "`parameters` has 0 entries"),
        ("metrics=[acuracy]", "did you mean `accuracy`?"),
        ("name=../up", "at most 64 letters, digits, - _ and ."),
        ("seed=-1", "a number of at least 0"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(assignment: str, message: str) -> None:
    found = errors(MINIMAL, assignment)
    assert len(found) == 1, found
    assert message in found[0]
    assert found[0].startswith(f"--set {assignment}: ")


def test_a_key_twice_hides_nothing_else() -> None:
    found = errors(MINIMAL + "training: {epochs: 1, epochs: 2, learning_rate: x}\n")
    assert len(found) == 2
    assert "is repeated" in found[0]
    assert "found `x`" in found[1]


def test_missing_keys_are_named_where_they_belong() -> None:
    found = errors("name: t\nnetwork:\n  layers: [2, 1]\n")
    assert [line.split(": ", 1)[1] for line in found] == [
        "the key `data` is missing at the top level",
        "the key `loss` is missing at the top level",
        "the key `activations` is missing under `network`",
    ]
    assert found[2].startswith("c.yaml:2:1")


def test_the_excerpt_has_a_caret_under_the_error() -> None:
    with pytest.raises(ConfigError) as caught:
        load(MINIMAL.replace("4, 1]", "4, wide]"))
    assert str(caught.value).splitlines()[1:3] == [
        "      layers: [2, 4, wide]",
        "                     ^^^^",
    ]


def test_a_config_without_a_name_takes_its_files(tmp_path: Path) -> None:
    path = tmp_path / "my.config (2).yaml"
    path.write_text(MINIMAL.replace("name: t\n", ""))
    assert load_config(path).spec.name == "my.config-2"
    assert load_config(path, name="other").spec.name == "other"


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("output", ACTIVATIONS)
def test_a_loss_is_accepted_on_its_own_outputs_only(loss: str, output: str) -> None:
    text = MINIMAL.replace("sigmoid]", f"{output}]").replace("binary_cross_entropy", loss)
    allowed = LOSSES[loss].output_activations
    if allowed is None or output in allowed:
        load(text)
    else:
        assert f"needs a {allowed[0]} output layer" in errors(text)[0]


def test_errors_of_one_line_stand_in_the_order_of_their_columns() -> None:
    found = errors(
        MINIMAL.replace("{generator: xor}", "{generator: xor, split: {val: x, tset: 1}}")
    )
    assert [line.split(": ")[0] for line in found] == ["c.yaml:2:37", "c.yaml:2:40", "c.yaml:2:46"]
