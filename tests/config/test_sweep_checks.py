from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_configs import MOONS, XOR, errors, load, parsed, trees

from bpcli.config.load import validate
from bpcli.config.sweep_spec import MOST_SETTINGS
from bpcli.errors import ConfigError
from bpcli.sweeps.space import Space, configs


def issue(section: str, base: str = XOR) -> str:
    """The one issue of a section `sweep` on one line, without the file's name and the line."""
    found = errors(f"{base}sweep: {section}\n")
    assert len(found) == 1, found
    return found[0].removeprefix("c.yaml:7:")


@pytest.mark.parametrize(
    "key",
    [
        "hidden", "network", "network.layers.1", "network.activations.0.slope", "network.init.bias",
        "training.optimizer", "training.optimizer.momentum", "training.optimizer.beta1",
        "training.stop.max_fail", "training.class_weights.0", "training.l2", "data.split.val",
        "data.n_samples", "data.noise", "loss", "loss.delta",
    ],
)  # fmt: skip
def test_any_key_of_the_config_may_be_swept(key: str) -> None:
    text = f"{MOONS}training: {{optimizer: sgd}}\n"
    assert load(f"{text}sweep: {{grid: {{{key}: [1, 2]}}}}\n").spec.sweep is not None


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("training.l3", "; the keys under `training` are optimizer, epochs, batch_size, learning_"),
        ("training.epoch", "; did you mean `training.epochs`?"),
        ("trainig.l2", "; did you mean `training.l2`?"),
        ("learning_rate", "; did you mean `training.learning_rate`?"),
        ("momentum", "; did you mean `training.optimizer.momentum`?"),
        ("data.max_fail", "; did you mean `training.stop.max_fail`?"),
        ("hiden", "; did you mean `hidden`?"),
        ("hidden.0", "; did you mean `hidden`?"),
        ("training.stop.gaol", "; did you mean `training.stop.goal`?"),
        ("network.activations.0.slop", "; did you mean"),
        ("slope", "; the keys at the top level are data, network, loss, training, seeds, hidden"),
    ],
)
def test_a_swept_key_that_does_not_exist_is_an_issue_at_the_key(key: str, message: str) -> None:
    base = XOR.replace("[tanh,", "[leaky_relu,")
    for part in ("grid", "random"):
        found = issue(f"{{{part}: {{{key}: [1, 2]}}}}", base)
        assert found.startswith(f"{len(part) + 12}: unknown key `{key}`{message}")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("network.layers.3", "`network.layers` is a list of 3; expected an index from 0 to 2"),
        ("network.layers.x", "`network.layers` is a list of 3; expected an index from 0 to 2"),
        ("network.layers.1.x", "`network.layers.1` is 4, which has no keys"),
        ("network.activations.2", "`network.activations` is a list of 2; expected an index"),
    ],
)
def test_a_place_that_is_not_there_is_an_issue(key: str, message: str) -> None:
    assert issue(f"{{grid: {{{key}: [1, 2]}}}}").startswith(f"16: {message}")


def test_what_varies_inside_a_value_that_varies_is_left_to_the_settings() -> None:
    load(f"{XOR}sweep: {{grid: {{network.layers: [[2, 1], [2, 3, 1]], network.layers.7: [1]}}}}")


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("name", "it names the runs"),
        ("seed", "use `seeds` for several trainings of each setting"),
        ("sweep", "a sweep cannot contain another sweep"),
        ("sweep.seeds", "a sweep cannot contain another sweep"),
        ("metrics", "it changes no result"),
        ("training.workers", "it changes no result"),
        ("training.engine", "it changes no result"),
        ("training.checkpoint_every.seconds", "it changes no result"),
        ("training.numerics", "it is the same for all trainings of a process"),
    ],
)
def test_what_makes_no_sense_to_sweep_is_refused(key: str, reason: str) -> None:
    assert issue(f"{{grid: {{{key}: [1, 2]}}}}") == f"16: `{key}` cannot be swept: {reason}"


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{}", "1: a sweep has `grid` or `random`, with at least one key that varies: add one"),
        ("{grid: {}}", "1: a sweep has `grid` or `random`, with at least one key that varies"),
        ("{seeds: 3}", "1: a sweep has `grid` or `random`, with at least one key that varies"),
        ("{trials: 3}", "9: `trials` is the number of settings, but no key varies: add `grid`"),
        (
            "{grid: {loss: [mse]}, random: {loss: [mse]}}",
            "39: `loss` is in `grid` and in `random`: keep one",
        ),
        (
            "{grid: {training.l2: [0, 1], hidden: [1, 2, 3]}, trials: 7}",
            "65: found 7, but the grid has only 6 combinations",
        ),
        (
            "{grid: {training.l2: [0, 1], training.epochs: 1..10000}}",
            f"9: the grid has 20,000 combinations, more than {MOST_SETTINGS:,}: set `trials`",
        ),
        (
            "{grid: {training.l2: [0, 1]}, trials: 10001}",
            "46: found 10001, expected a number of at most 10000",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(section: str, message: str) -> None:
    assert issue(section).startswith(message)


def test_a_grid_beside_drawn_values_takes_any_number_of_trials() -> None:
    load(f"{XOR}sweep: {{grid: {{training.l2: [0, 1]}}, random: {{loss: [mse]}}, trials: 99}}")
    load(f"{XOR}sweep: {{grid: {{hidden: 1..5000, training.l2: [0, 1, 2]}}, trials: 99}}")


def test_the_last_seed_is_one() -> None:
    text = XOR.replace("name: t", f"name: t\nseed: {2**63 - 3}")
    load(f"{text}sweep: {{grid: {{training.l2: [0, 1]}}, seeds: 3}}")
    (found,) = errors(f"{text}sweep: {{grid: {{training.l2: [0, 1]}}, seeds: 4}}")
    assert found.startswith("c.yaml:8:45: the seeds from 9223372036854775805 on exceed the largest")


@pytest.mark.parametrize(
    ("entry", "place", "found"),
    [
        ("[5, -1]", 28, "-1"),
        ("[5, 2.5]", 28, "2.5"),
        ("[[10, 0]]", 25, "`[10, 0]`"),
        ("[[10, x], 3]", 25, "`[10, x]`"),
        ("[auto]", 25, "`auto`"),
        ("[true]", 25, "true"),
        ("-2..3", 24, "-2"),
    ],
)
def test_the_sizes_of_hidden_layers_are_whole_numbers(entry: str, place: int, found: str) -> None:
    assert issue(f"{{grid: {{hidden: {entry}}}}}") == (
        f"{place}: found {found}, expected sizes of hidden layers: a whole number such as 5, a "
        "list such as [10, 5], or 0 for no hidden layer"
    )


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("uniform(1, 2)", "1.5"), ("int(-2, 5)", "-2"), ("choice(3, x)", "`x`"),
        ("loguniform(1, 1)", "1.0"),
    ],
)  # fmt: skip
def test_drawn_sizes_are_whole_numbers_too(entry: str, found: str) -> None:
    assert issue(f"{{random: {{hidden: '{entry}'}}}}").startswith(f"26: found {found}, expected si")


@pytest.mark.parametrize("entry", ["[0, 5, [], [10, 5]]", "0..3", "range(1, 9, 2)"])
def test_sizes_of_hidden_layers_may_be_none(entry: str) -> None:
    entry = entry if entry[0] == "[" else f"'{entry}'"
    load(f"{XOR}sweep: {{grid: {{hidden: {entry}}}}}")
    load(f"{XOR}sweep: {{random: {{hidden: 'logint(1, 9)'}}}}")


def test_hidden_layers_are_set_in_one_way() -> None:
    for key in ("network.layers", "network.layers.1"):
        assert issue(f"{{grid: {{hidden: [1], {key}: [1]}}}}") == (
            f"16: `hidden` and `{key}` both set the layers: keep one"
        )


def test_hidden_layers_cannot_have_given_parameters() -> None:
    layer = "{weights: [[1, 1]], bias: [0]}"
    flow = f"network: {{layers: [2, 1], activations: [sigmoid], parameters: [{layer}]}}"
    text = f"data: {{generator: xor}}\n{flow}\nloss: mse\nsweep: {{grid: {{hidden: [1]}}}}"
    (found,) = errors(text, "name=t")
    assert found.startswith("c.yaml:4:16: `hidden` changes the sizes of the layers, but `network.")
    found = issue("{grid: {hidden: [1], network.parameters: [null]}}")
    assert "`network.parameters` has their initial parameters" in found


def test_other_mistakes_are_reported_with_those_of_the_sweep() -> None:
    text = XOR.replace("loss:", "los:")
    found = errors(f"{text}sweep: {{grid: {{training.l3: [1], hidden: 5}}, sed: 1}}")
    assert [line.partition(": ")[2][:30] for line in found] == [
        "unknown key `los`; did you mea",
        "unknown key `training.l3`; the",
        "found 5, expected a list, rang",
        "unknown key `sed`; did you mea",
    ]


paths = st.lists(
    st.sampled_from(["training", "network", "layers", "activations", "optimizer", "init", "data",
                     "class_weights", "hidden", "l2", "seed", "0", "1", "²", "", "x", "9" * 5000]),
    min_size=1,
    max_size=4,
).map(".".join)  # fmt: skip
entries = trees | st.builds(
    "{}({})".format,
    st.sampled_from(["int", "uniform", "range", "choice", "x"]),
    st.text("1,.-e{[: "),
)
parts = st.dictionaries(paths, entries, max_size=3)


@given(
    st.fixed_dictionaries({}, optional={"grid": parts | trees, "random": parts, "trials": trees})
)
def test_whatever_the_section_has_is_a_sweep_or_an_error(sweep: dict[str, Any]) -> None:
    source = parsed(XOR)
    source.tree["sweep"] = sweep
    source.key_marks["sweep",] = source.value_marks["sweep",] = source.key_marks["loss",]
    with suppress(ConfigError):
        config = validate(source)
        configs(config, Space.of(config.spec), range(3))


def test_a_key_that_nests_too_deep_is_refused() -> None:
    path = ".".join(["training.class_weights", *["x"] * 60])
    assert issue(f"{{grid: {{{path}: [1]}}}}") == "16: this nests deeper than 50 levels"


def test_a_sampler_that_chooses_has_no_grid() -> None:
    drawn = "random: {training.epochs: [1, 2]}, sampler: tpe"
    assert issue(f"{{grid: {{training.l2: [0, 1]}}, {drawn}}}") == (
        "16: `sampler: tpe` chooses all values itself, but `grid` tries every combination: move "
        "`training.l2` to `random`, or use `sampler: random`"
    )
    assert load(f"{XOR}sweep: {{{drawn}}}\n").spec.sweep is not None
