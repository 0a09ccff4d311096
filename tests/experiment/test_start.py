"""Training that starts from the network of a run, or of another program."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Result

from bpcli.config.load import load_config
from bpcli.experiment import build

Bpnet = Callable[..., Result]

CONFIG = """
data: {{file: rows.csv, targets: y, scale: {{inputs: {scale}, targets: {scale}}}}}
network: {{layers: [2, 3, 1], activations: [tanh, identity]}}
loss: mse
training: {{optimizer: levenberg_marquardt, epochs: {epochs}}}
"""
MATLAB = """function y1 = net(x1)
x1_step1.xoffset = [1; -2]; x1_step1.gain = [0.5; 4]; x1_step1.ymin = -1;
b1 = [0.1; -0.2; 0.3]; IW1_1 = [1 -0.5; 0.3 0.7; -0.9 0.2]; b2 = 0.4; LW2_1 = [0.6 -0.8 0.5];
y1_step1.xoffset = 10; y1_step1.gain = 0.2; y1_step1.ymin = -1;
xp1 = (x1 - x1_step1.xoffset) .* x1_step1.gain + x1_step1.ymin;
a1 = tansig(b1 + IW1_1*xp1);
y1 = (b2 + LW2_1*a1 - y1_step1.ymin) ./ y1_step1.gain + y1_step1.xoffset;
end
"""


def matlab_outputs(X: np.ndarray) -> np.ndarray:
    """What the function computes, written in numpy."""
    xp = (X - [1, -2]) * [0.5, 4] - 1
    a = np.tanh(xp @ np.array([[1, -0.5], [0.3, 0.7], [-0.9, 0.2]]).T + [0.1, -0.2, 0.3])
    return (a @ [0.6, -0.8, 0.5] + 0.4 + 1) / 0.2 + 10


@pytest.fixture
def rows(bpnet: Bpnet, tmp_path: Path) -> np.ndarray:
    """Two tables, a config for each and a MATLAB function."""
    X = np.random.default_rng(4).uniform(-1, 3, size=(30, 2))
    y = np.sin(X[:, 0]) * 9 + X[:, 1] ** 2
    for name, shift in (("rows.csv", 0.0), ("other.csv", 50.0)):
        table = np.column_stack([X + shift, y - shift]).tolist()
        lines = ["x1,x2,y", *(",".join(map(repr, row)) for row in table)]
        Path(name).write_text("\n".join(lines) + "\n")
    Path("rows.yaml").write_text(CONFIG.format(scale="standard", epochs=3))
    Path("other.yaml").write_text(
        CONFIG.format(scale="minmax", epochs=0).replace("rows.csv", "other.csv")
    )
    Path("net.m").write_text(MATLAB)
    return X


def prediction(bpnet: Bpnet, run: str, table: str) -> np.ndarray:
    result = bpnet("predict", run, table, "-o", "-")
    assert result.code == 0, result.err
    return np.array([float(line) for line in result.out.split()[2:]])


@pytest.mark.parametrize("scales", ["keep", "refit"])
def test_the_network_is_the_same_before_training(
    scales: str, bpnet: Bpnet, rows: np.ndarray
) -> None:
    assert bpnet("train", "rows.yaml", "--quiet").code == 0
    options = ("--set", f"network.parameters.scales={scales}", "--quiet")
    assert bpnet("train", "--from", "latest", "other.yaml", *options).code == 0
    old, new = (prediction(bpnet, run, "other.csv") for run in ("latest~1", "latest"))
    np.testing.assert_allclose(new, old, rtol=1e-10)
    shift = json.loads(bpnet("weights", "latest", "--json").out)["inputs"]["shift"]
    assert (min(shift) > 40) == (scales == "refit")


def test_a_training_from_a_run_names_it_and_is_verified_and_resumed(
    bpnet: Bpnet, rows: np.ndarray, tmp_path: Path
) -> None:
    first = bpnet("train", "rows.yaml", "--quiet").out.strip()
    assert bpnet("train", "--from", "latest", "rows.yaml", "--quiet").code == 0
    record = json.loads(bpnet("runs", "show", "latest", "--json").out)
    assert record["overrides"] == [f'network.parameters={{"file": "{first}.json"}}']
    assert record["started_from"]["file"] == f"{first}.json"
    resumed = bpnet("train", "--resume", "latest", "--set", "training.epochs=9", "--quiet")
    assert resumed.code == 0, resumed.err
    verified = bpnet("verify", "latest")
    assert (verified.code, "bit-identical" in verified.out) == (0, True), verified.err
    page = bpnet("report", "latest", "-o", "page.html")
    assert page.code == 0, page.err
    said = re.search("It reads (.*?): put", (tmp_path / "page.html").read_text())
    assert said is not None
    assert "rows.csv" in said[1]
    assert "start.json" in said[1]


def test_a_config_that_names_a_run_is_told_how_to_start_from_one(
    bpnet: Bpnet, rows: np.ndarray
) -> None:
    result = bpnet("train", "rows.yaml", "--set", "network.parameters.file=latest")
    assert result.code == 2
    assert "`bpnet train --from RUN CONFIG`" in result.err


@pytest.mark.parametrize("scales", ["keep", "refit"])
def test_training_starts_from_a_function_of_matlab(
    scales: str, bpnet: Bpnet, rows: np.ndarray
) -> None:
    options = ("--set", f"network.parameters.scales={scales}", "--set", "training.epochs=0")
    assert bpnet("train", "--from", "net.m", "rows.yaml", *options, "--quiet").code == 0
    expected = matlab_outputs(rows)
    np.testing.assert_allclose(prediction(bpnet, "latest", "rows.csv"), expected, rtol=1e-11)


def test_columns_of_numbers_are_encoded_once(
    bpnet: Bpnet, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bpcli.experiment import builder

    calls: list[Any] = []
    encode = builder.encode_table

    def counted(*given: Any) -> Any:
        calls.append(given)
        return encode(*given)

    monkeypatch.setattr(builder, "encode_table", counted)
    options = ("--set", "training.epochs=0", "--quiet")
    assert bpnet("train", "--from", "net.m", "rows.yaml", *options).code == 0
    assert bpnet("import", "net.m", "--targets", "y", "--data", "rows.csv").code == 0
    assert len(calls) == 2


def test_a_config_may_name_the_file(bpnet: Bpnet, rows: np.ndarray, tmp_path: Path) -> None:
    text = CONFIG.format(scale="none", epochs=0).replace(
        "[tanh, identity]", "[tanh, identity], parameters: {file: net.m}"
    )
    Path("named.yaml").write_text(text)
    experiment = build(load_config(tmp_path / "named.yaml"))
    assert experiment.initial_params[:3].tolist() == [1, -0.5, 0.1]
    assert bpnet("check", "named.yaml").code == 0


def test_a_run_keeps_its_start_and_is_resumed_and_verified_without_the_file(
    bpnet: Bpnet, rows: np.ndarray, tmp_path: Path
) -> None:
    run_id = bpnet("train", "--from", "net.m", "rows.yaml", "--quiet").out.strip()
    record = json.loads(bpnet("runs", "show", "latest", "--json").out)
    assert record["started_from"]["file"] == "net.m"
    assert record["started_from"]["form"] == "MATLAB function"
    folder = tmp_path / "runs" / run_id
    assert (folder / "start.m").read_text() == MATLAB
    assert "start.m" in (folder / "resolved.yaml").read_text()
    Path("net.m").unlink()
    verified = bpnet("verify", "latest")
    assert (verified.code, "bit-identical" in verified.out) == (0, True), verified.err
    resumed = bpnet("train", "--resume", "latest", "--set", "training.epochs=6", "--quiet")
    assert resumed.code == 0, resumed.err
    assert "file: start.m" in (folder / "resolved.yaml").read_text()
    verified = bpnet("verify", "latest")
    assert (verified.code, "bit-identical" in verified.out) == (0, True), verified.err
    (folder / "start.m").write_text(MATLAB.replace("0.1", "0.2"))
    changed = bpnet("train", "--resume", "latest", "--set", "training.epochs=9", "--quiet")
    assert (changed.code, "is not the network" in changed.err) == (2, True)


def test_a_resumed_training_gives_the_bits_of_an_uninterrupted_one(
    bpnet: Bpnet, rows: np.ndarray
) -> None:
    for name, epochs in (("whole", 6), ("half", 3)):
        options = ("--name", name, "--set", f"training.epochs={epochs}", "--quiet")
        assert bpnet("train", "--from", "net.m", "rows.yaml", *options).code == 0
    assert bpnet("train", "--resume", "half", "--set", "training.epochs=6", "--quiet").code == 0
    whole, half = (bpnet("weights", name, "--csv").out for name in ("whole", "half"))
    assert whole == half


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"network.layers": "[2, 4, 1]"}, "has the layers [2, 3, 1]"),
        ({"network.activations": "[relu, identity]"}, "`tanh`, but the config has `relu`"),
        ({"network.bias": "false"}, "has biases"),
        ({"data.inputs": "[x1]", "network.layers": "[1, 3, 1]"}, "x1, x2, but the data have x1"),
        ({"training.restarts": "3"}, "every restart"),
        ({"network.parameters.scales": "often"}, "scales"),
    ],
)  # fmt: skip
def test_a_network_that_does_not_fit_is_refused(
    settings: dict[str, str], said: str, bpnet: Bpnet, rows: np.ndarray
) -> None:
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    result = bpnet("train", "--from", "net.m", "rows.yaml", *options, "--quiet")
    assert result.code == 2
    assert said in result.err


def test_targets_in_another_order_are_refused(bpnet: Bpnet, rows: np.ndarray) -> None:
    config = CONFIG.format(scale="none", epochs=1).replace("targets: y,", "targets: [y, x2],")
    Path("two.yaml").write_text(config.replace("[2, 3, 1]", "[1, 3, 2]"))
    assert bpnet("train", "two.yaml", "--quiet").code == 0
    other = ("--set", "data.targets=[x2, y]", "--quiet")
    result = bpnet("train", "--from", "latest", "two.yaml", *other)
    assert (result.code, "has the targets y, x2, but the data have x2, y" in result.err) == (
        2,
        True,
    )


@pytest.mark.parametrize(
    ("reference", "said"),
    [("nothing", "There is no run `nothing`"), ("no.m", "There is no file"),
     ("rows.csv", "There is no run")],
)  # fmt: skip
def test_a_start_that_is_none_is_refused(
    reference: str, said: str, bpnet: Bpnet, rows: np.ndarray
) -> None:
    result = bpnet("train", "--from", reference, "rows.yaml", "--quiet")
    assert (result.code, said in result.err) == (2, True), result.err
    resumed = bpnet("train", "--from", reference, "--resume", "latest")
    assert (resumed.code, "--from" in resumed.err) == (2, True)


# Classes and categories.

_CLASSES = """
data: {file: flowers.csv, targets: kind, task: classification}
network: {layers: [auto, 3, 3], activations: [tanh, softmax]}
loss: cross_entropy
training: {optimizer: rprop, epochs: 4}
"""


def flowers(names: list[str], categories: list[str]) -> None:
    rng = np.random.default_rng(2)
    lines = ["size,soil,kind"]
    for number in range(30):
        size = rng.normal() + number % 3
        lines.append(f"{size!r},{categories[number % len(categories)]},{names[number % 3]}")
    Path("flowers.csv").write_text("\n".join(lines) + "\n")
    Path("flowers.yaml").write_text(_CLASSES)


def test_categories_and_classes_are_encoded_as_in_the_first_training(bpnet: Bpnet) -> None:
    flowers(["a", "b", "c"], ["sand", "clay"])
    assert bpnet("train", "flowers.yaml", "--quiet").code == 0
    flowers(["a", "b", "c"], ["sand", "rock"])
    result = bpnet("train", "--from", "latest", "flowers.yaml", "--set", "training.epochs=0")
    assert result.code == 0, result.err
    assert "`rock`" in result.err
    names = [json.loads(bpnet("weights", run, "--json").out)["inputs"]["names"]
             for run in ("latest~1", "latest")]  # fmt: skip
    assert names == [["size", "soil=clay", "soil=sand"]] * 2


def test_other_classes_are_refused(bpnet: Bpnet) -> None:
    flowers(["a", "b", "c"], ["sand", "clay"])
    assert bpnet("train", "flowers.yaml", "--quiet").code == 0
    flowers(["a", "b", "z"], ["sand", "clay"])
    result = bpnet("train", "--from", "latest", "flowers.yaml", "--quiet")
    assert result.code == 2
    assert "has the classes a, b, c, but the data have a, b, z" in result.err


def test_classes_in_another_order_keep_their_outputs(bpnet: Bpnet) -> None:
    flowers(["a", "b", "c"], ["1", "2"])
    assert bpnet("train", "flowers.yaml", "--quiet").code == 0
    assert bpnet("export", "latest", "--to", "json", "-o", "net.json").code == 0
    tree: dict[str, Any] = json.loads(Path("net.json").read_text())
    order = [2, 0, 1]
    tree["classes"] = [tree["classes"][k] for k in order]
    for key in ("weights", "bias"):
        tree["layers"][-1][key] = [tree["layers"][-1][key][k] for k in order]
    Path("turned.json").write_text(json.dumps(tree))
    options = ("--set", "training.epochs=0", "--quiet")
    assert bpnet("train", "--from", "turned.json", "flowers.yaml", *options).code == 0
    one, two = (bpnet("weights", run, "--csv").out for run in ("latest~1", "latest"))
    assert one == two
