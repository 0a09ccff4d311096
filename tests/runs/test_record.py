"""What a run's files say of an experiment."""

from __future__ import annotations

from pathlib import Path

import pytest
from systems import CONFIGS

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.runs.record import config_record, describe, first_record, flat, weights_meta
from bpcli.runs.run_json import Fold, LayerRecord, Rows, RunRecord
from bpcli.runs.saved import check
from bpcli.runs.saved_weights import WeightsMeta


def test_a_flat_tree() -> None:
    assert flat({"a": {"b": {"c": 1}, "d": [{"e": 2}]}, "f": None}) == {
        "a.b.c": 1,
        "a.d": [{"e": 2}],
        "f": None,
    }


@pytest.mark.parametrize("config", ["moons", "softmax_iris", "linear_regression"])
def test_a_first_record_lacks_nothing_but_the_digests(config: str) -> None:
    experiment = build(load_config(CONFIGS / f"{config}.yaml"))
    record = first_record(experiment, "an-id", 1, "a-group", ["look out"])
    assert record.warnings == ["look out"]
    known = {"config.yaml": "0" * 64, "split.npz": "0" * 64}
    found = check(RunRecord, record.to_json() | {"sha256": known}, Path("a file"))
    assert found.to_json() | {"sha256": {}} == record.to_json()
    assert record.cores >= 1
    assert record.fold is None


def test_a_description_counts_rows_layers_and_parameters() -> None:
    found = describe(build(load_config(CONFIGS / "xor.yaml")))
    assert found.rows == Rows(train=4, val=0, test=0)
    assert found.layers[-1] == LayerRecord(found.layers[0].units, 1, {"name": "sigmoid"}, "trained")
    assert found.n_params == sum(each.units * (each.inputs + 1) for each in found.layers)


def test_a_fold_knows_its_number_and_its_group() -> None:
    settings = ["data.split={folds: 3, fold: 2}"]
    experiment = build(load_config(CONFIGS / "softmax_iris.yaml", settings))
    assert first_record(experiment, "an-id", 1, "a-group", []).fold == Fold(2, 3, "a-group")


def test_of_a_long_value_the_config_has_the_digest(tmp_path: Path) -> None:
    rows = [[0.125 * row] for row in range(100)]
    path = tmp_path / "long.yaml"
    path.write_text(
        f"data: {{inputs: {rows}, targets: {rows}}}\nloss: mse\n"
        "network: {layers: [1, 1], activations: [identity]}\n"
    )
    found = config_record(build(load_config(path)))
    assert str(found["data.inputs"]).startswith("sha256:")
    assert found["network.layers"] == [1, 1]


def test_the_description_of_weights_is_what_a_reader_takes() -> None:
    meta = weights_meta(build(load_config(CONFIGS / "xor.yaml")), 7)
    plain = meta | {key: [*meta[key]] for key in ("class_names", "input_names", "target_names")}
    assert check(WeightsMeta, plain, Path("a file")).best_epoch == 7
    assert "words" not in meta, "files of other targets than labels keep their bytes"
