from __future__ import annotations

import json
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


def test_the_initial_loss_is_the_first_of_the_log(checked, bpnet, tmp_path: Path) -> None:
    text = CONFIG + "  reduction: sum\n  l2: 0.5\n"
    found = checked(text=text)["initial_loss"]
    assert bpnet("train", "flowers.yaml").code == 0
    (log,) = tmp_path.glob("runs/*/metrics.jsonl")
    assert json.loads(log.read_text().splitlines()[0])["loss"] == found["loss"]
    shown = bpnet("check", "flowers.yaml").out
    assert f"initial loss       {found['loss']:.6g}" in shown
    assert f"mean data loss     {found['mean']:.6g}" in shown


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
