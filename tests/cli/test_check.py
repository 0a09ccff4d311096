from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

CONFIG = """\
seed: 3
data:
  generator: blobs
  n_samples: 90
  split: {val: 0.2, test: 0.2}
  scale: {inputs: standard}
network:
  layers: [auto, 3, auto]
  activations: [tansig, softmax]
loss: cross_entropy
training:
  optimizer: traingdm
  epochs: 5
"""


@pytest.fixture
def checked(bpnet, tmp_path: Path):
    (tmp_path / "flowers.yaml").write_text(CONFIG)

    def check(*options: str, text: str = CONFIG) -> dict:
        (tmp_path / "flowers.yaml").write_text(text)
        result = bpnet("check", "flowers.yaml", *options, "--json")
        assert (result.code, result.err) == (0, "")
        assert [path.name for path in tmp_path.iterdir()] == ["flowers.yaml"], "it writes nothing"
        return json.loads(result.out)

    return check


def test_every_value_has_its_origin(checked) -> None:
    found = checked("--set", "training.epochs=7", "--set", "network.layers.1=4")["origins"]
    assert {
        "name": "default: the file's name",
        "seed": "flowers.yaml:1",
        "data.n_samples": "flowers.yaml:4",
        "data.split.train": "default",
        "data.split.val": "flowers.yaml:5",
        "network.layers.0": "flowers.yaml:8",
        "network.layers.1": "--set",
        "network.activations.0": "flowers.yaml:9, alias tansig",
        "network.activations.1": "flowers.yaml:9",
        "loss": "flowers.yaml:10",
        "training.optimizer.name": "flowers.yaml:12, alias traingdm",
        "training.optimizer.momentum": "alias traingdm",
        "training.optimizer.nesterov": "default",
        "training.learning_rate": "default of the optimizer",
        "training.epochs": "--set",
    }.items() <= found.items()


def test_a_value_that_is_not_used_says_so(checked) -> None:
    text = CONFIG.replace("traingdm", "rprop\n  learning_rate: 0.1")
    found = checked(text=text)
    assert found["origins"]["training.learning_rate"] == "flowers.yaml:13, not used"
    assert "`rprop` has no learning rate: `learning_rate` is not used" in found["notes"]


def test_options_beside_an_alias_are_those_of_the_file(checked) -> None:
    found = checked(text=CONFIG.replace("traingdm", "{name: traingdm, nesterov: true}"))["origins"]
    assert found["training.optimizer.name"] == "flowers.yaml:12, alias traingdm"
    assert found["training.optimizer.nesterov"] == "flowers.yaml:12"
    assert found["training.optimizer.momentum"] == "alias traingdm"


def test_layers_parts_and_memory_are_told(checked) -> None:
    found = checked()
    assert [(layer["weights"], layer["n_params"]) for layer in found["layers"]] == [
        ([3, 2], 9),
        ([3, 3], 12),
    ]
    assert found["n_params"] == 21
    assert found["rows"] == {"train": 54, "val": 18, "test": 18}
    assert found["classes"]["train"] == {"0": 18, "1": 18, "2": 18}
    assert found["memory"]["bytes"] == sum(need["bytes"] for need in found["memory"]["needs"])
    assert 0 < found["memory"]["bytes"] < found["memory"]["available"]


def test_the_initial_loss_is_compared_with_chance_level_and_a_constant(checked) -> None:
    initial = checked("--set", "network.init={name: constant, value: 0}")["initial_loss"]
    expected = math.log(3)  # equal classes, equal outputs
    assert initial["chance_formula"] == "ln 3"
    for value in (initial["loss"], initial["chance"], initial["constant"]):
        assert value == pytest.approx(expected, rel=1e-12)


def test_a_constant_has_the_variance_of_the_targets(checked) -> None:
    text = """\
data: {inputs: [[1], [2], [3], [6]], targets: [1, 2, 3, 6]}
network: {layers: [1, 1], activations: [identity], init: {name: constant, value: 0}}
loss: mse
"""
    initial = checked(text=text)["initial_loss"]
    assert initial == {
        "loss": 12.5,
        "mean": 12.5,
        "constant": 3.5,
        "chance": None,
        "chance_formula": None,
    }


def test_the_initial_loss_is_the_first_of_the_log(checked, bpnet, tmp_path: Path) -> None:
    text = CONFIG + "  reduction: sum\n  l2: 0.5\n"
    found = checked(text=text)["initial_loss"]
    assert bpnet("train", "flowers.yaml").code == 0
    (log,) = tmp_path.glob("runs/*/metrics.jsonl")
    assert json.loads(log.read_text().splitlines()[0])["loss"] == found["loss"]
    shown = bpnet("check", "flowers.yaml").out
    assert f"initial loss       {found['loss']:.6g}" in shown
    assert f"mean data loss     {found['mean']:.6g}" in shown


def test_a_single_row_is_not_called_constant(checked) -> None:
    (warning,) = checked(
        text="""\
data: {inputs: [[1, 2]], targets: [3]}
network: {layers: [2, 1], activations: [identity]}
loss: mse
"""
    )["warnings"]
    assert warning.startswith("1 training row is fewer than the 3 parameters")


def test_a_sound_config_has_no_warnings(checked) -> None:
    assert checked()["warnings"] == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["network.layers=[2, 30, 3]"], "54 training rows are fewer than the 183 parameters"),
        (
            ["network.init={name: normal, std: 100}"],
            "3 of 3 units of layer 1 are dead (0) or saturated (3) before training",
        ),
        (
            ["network.init={name: normal, std: 20}", "network.activations=[identity, softmax]"],
            "and that of chance level 1.099: scale the data, or use smaller initial weights",
        ),
    ],
)
def test_likely_mistakes_are_warned_of(checked, options: list[str], expected: str) -> None:
    found = checked(*(part for option in options for part in ("--set", option)))["warnings"]
    assert any(expected in warning for warning in found)


def test_constant_columns_and_unequal_ranges_are_warned_of(checked) -> None:
    rows = ", ".join(f"[{k}, {1000 * k}, 5]" for k in range(1, 9))
    text = f"""\
data: {{inputs: [{rows}], targets: [{", ".join("1.0" for _ in range(8))}]}}
network: {{layers: [3, 1], activations: [identity]}}
loss: mse
"""
    constant, unequal, *_ = checked(text=text)["warnings"]
    assert constant == "`x3` is constant over the training rows: leave out such inputs"
    assert unequal.startswith("the range of `x2` is 1,000 times that of `x1`")
    scaled = checked("--set", "data.scale.inputs=standard", text=text)["warnings"]
    assert not [warning for warning in scaled if "the range" in warning]


def test_it_is_shown_as_yaml_with_comments_and_tables(bpnet, tmp_path: Path) -> None:
    (tmp_path / "flowers.yaml").write_text(CONFIG)
    result = bpnet("check", "flowers.yaml", "--set", "training.epochs=7")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    column = lines[0].index("#")
    assert "  n_samples: 90".ljust(column) + "# flowers.yaml:4" in lines
    assert "  epochs: 7".ljust(column) + "# --set" in lines
    for expected in (
        "1        tanh         3 x 2          3            9",
        "train     54   18   18   18",
        "chance level       1.09861 (ln 3)",
        "note: `traingdm` is called `gradient_descent` with momentum 0.9 here",
        "no warnings",
    ):
        assert expected.split() in [line.split() for line in lines]


def test_what_it_shows_is_a_config_again(bpnet, tmp_path: Path) -> None:
    (tmp_path / "flowers.yaml").write_text(CONFIG)
    shown = bpnet("check", "flowers.yaml").out.split("\n\n")[0]
    (tmp_path / "again.yaml").write_text(shown)
    again = json.loads(bpnet("check", "again.yaml", "--json").out)
    assert again["config"] == json.loads(bpnet("check", "flowers.yaml", "--json").out)["config"]


def test_faults_are_reported_as_ever(bpnet, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(CONFIG.replace("epochs", "epoch"))
    result = bpnet("check", "wrong.yaml")
    assert (result.code, result.out) == (2, "")
    assert "wrong.yaml:13:3: unknown key `epoch`" in result.err
