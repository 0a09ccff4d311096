"""Columns of a file that have one value in all training rows are no inputs of an `auto` layer."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpcli.config.load import load_config
from bpcli.errors import ConfigError
from bpcli.experiment import Experiment, build
from bpcli.terminal.progress import SilentView
from bpcli.workflows.train import train

ROWS = [(0.1 * k, 7, "red", 1.5 if k < 9 else 2.5, 0.3 * k - 1) for k in range(12)]


def built(folder: Path, *overrides: str, rows: list[tuple[object, ...]] = ROWS) -> Experiment:
    """Of a, b (always 7), c (always red), d (1.5 in the first nine rows) and the target y."""
    lines = [",".join(map(str, row)) for row in rows]
    (folder / "t.csv").write_text("\n".join(["a,b,c,d,y", *lines, ""]))
    (folder / "t.yaml").write_text(
        "data: {file: t.csv, targets: y}\n"
        "network: {layers: [auto, 2, 1], activations: [tanh, identity]}\nloss: mse\n"
    )
    return build(load_config(folder / "t.yaml", overrides))


def test_they_leave_the_network_and_are_counted_and_named(tmp_path: Path) -> None:
    experiment = built(tmp_path)
    assert experiment.network.inputs == 2
    assert experiment.table.input_names == ("a", "d")
    assert experiment.table.X.shape == (12, 2)
    note = "left out 2 input columns that have the same value in all training rows: `b`, `c`"
    assert note in experiment.notes
    assert not [each for each in experiment.scales.warnings if "constant" in each]


def test_a_layer_of_a_given_size_counts_them(tmp_path: Path) -> None:
    experiment = built(tmp_path, "network.layers=[4, 2, 1]")
    assert experiment.table.input_names == ("a", "b", "c=red", "d")
    assert experiment.constant_inputs == ["b", "c=red"]
    assert experiment.notes == ()


def test_only_training_rows_decide(tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("10\n11\n12\n")
    experiment = built(tmp_path, "data.split={index: {test: test.txt}}")
    assert experiment.table.input_names == ("a",)
    assert any("left out 3 input columns" in note for note in experiment.notes)


def test_each_fold_has_the_inputs_that_vary_in_it(tmp_path: Path) -> None:
    rows = [(k, 7, "red", int(k == 4), k) for k in range(12)]
    widths = [
        built(tmp_path, f"data.split={{folds: 3, fold: {fold}}}", rows=rows).network.inputs
        for fold in (1, 2, 3)
    ]
    assert sorted(widths) == [1, 2, 2]


def test_an_indicator_that_never_changes_leaves_alone(tmp_path: Path) -> None:
    rows = [(0.1 * k, "" if k == 3 else k % 4, "red", k, k) for k in range(12)]
    experiment = built(tmp_path, "data.indicator=[a, b]", "data.fill=mean", rows=rows)
    assert experiment.table.input_names == ("a", "b", "b missing", "d")
    assert "training rows: `a missing`, `c`" in " ".join(experiment.notes)


def test_without_any_other_input_there_is_nothing_to_learn(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        built(tmp_path, "data.inputs=[b, c]")
    assert "every input has the same value in all training rows: there is nothing to learn" in str(
        caught.value
    )


def test_a_single_row_has_no_constants(tmp_path: Path) -> None:
    assert built(tmp_path, rows=ROWS[:1]).network.inputs == 4


def test_an_autoencoder_keeps_what_it_is_to_reconstruct(tmp_path: Path) -> None:
    options = (
        "data.targets=same_as_inputs",
        "network.layers=[auto, 2, auto]",
        "data.inputs=[a, b]",
    )
    assert built(tmp_path, *options).network.inputs == 2


def test_new_rows_need_not_have_them(bpnet, tmp_path: Path) -> None:
    train(built(tmp_path, "training.epochs=3"), tmp_path / "runs", SilentView())
    (tmp_path / "with.csv").write_text("a,b,c,d\n0.5,8,blue,1.5\n0.25,7,red,2.5\n")
    (tmp_path / "without.csv").write_text("d,a\n1.5,0.5\n2.5,0.25\n")
    results = [bpnet("predict", "latest", name) for name in ("with.csv", "without.csv")]
    assert [result.code for result in results] == [0, 0]
    assert results[0].out == results[1].out
    assert len(results[0].out.splitlines()) == 3


def test_rows_without_names_go_by_position_with_or_without_them(bpnet, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("".join(f"{k},7,{k % 3},{k}\n" for k in range(12)))
    (tmp_path / "t.yaml").write_text(
        "data: {file: t.csv, header: false}\n"
        "network: {layers: [auto, 2, 1], activations: [tanh, identity]}\nloss: mse\n"
        "training: {epochs: 3}\n"
    )
    assert bpnet("train", "t.yaml", "--quiet").code == 0
    contents = {"all": "5,7,2,1\n", "inputs": "5,7,2\n", "varying": "5,2\n"}
    outputs = []
    for name, content in contents.items():
        (tmp_path / f"{name}.csv").write_text(content)
        result = bpnet("predict", "latest", f"{name}.csv")
        assert result.code == 0, result.err
        outputs.append(result.out)
    assert outputs[0] == outputs[1] == outputs[2]
