"""A run trained again is the same to the bit, and where it is not that is found and named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from confused import CONFIGS as CONFUSED
from confused import TABLE
from strangers import poison
from systems import CONFIGS
from tampered import change_record, log_of, record_of, save_arrays, vouch, vouch_for_all
from workflows.test_resume import RATE, SMALL, STOPS, resumed, trained

from bpcli.config.load import load_config
from bpcli.errors import RunError
from bpcli.experiment import build
from bpcli.runs import provenance
from bpcli.runs.files import load_arrays
from bpcli.runs.layout import METRICS, PATH, SPLIT, WEIGHTS
from bpcli.runs.store import Run
from bpcli.terminal.progress import SilentView
from bpcli.workflows.resume import resumption
from bpcli.workflows.train import train
from bpcli.workflows.verdict import UNEXPLAINED
from bpcli.workflows.verify import verify


def write_weights(run: Run, name: str, factor: float | None = None) -> None:
    """Change the first entry of a tensor by its last bit or a factor, and the digest with it."""
    arrays, meta = load_arrays(run.path(WEIGHTS))
    changed = arrays[name].copy()
    first = changed.flat[0]
    changed.flat[0] = np.nextafter(first, 2) if factor is None else factor * first
    save_arrays(run.path(WEIGHTS), arrays | {name: changed}, meta)
    vouch(run)


@pytest.mark.parametrize(
    "overrides",
    [
        ["training.optimizer=levenberg_marquardt"],  # ends where no step is found
        ["training.batch_size=7", "training.sampling=random", *STOPS],
        ["training.log_every=7"],
        [f"training.learning_rate={RATE}", "training.batch_size=7"],
        [f"training.learning_rate={RATE.replace('1e-12', '0.05')}"],  # ends by its schedule
        ["training.stop={plateau: {of: val_score, epochs: 5}}"],
        ["data.split={folds: 3, fold: 2}"],
    ],
)
def test_a_run_trained_again_is_identical(overrides: list[str], tmp_path: Path) -> None:
    run = trained(tmp_path, [*SMALL, *overrides]).run
    verdict = verify(run)
    assert verdict.is_identical, verdict.sentence
    assert verdict.counts.losses == len(run.metrics())
    assert verdict.counts.epochs == run.record().epochs
    assert verdict.counts.metrics == len(run.record().metrics) > 0
    assert verdict.counts.path_rows == run.record().epochs + 1
    assert verdict.then == verdict.now
    assert not verdict.explanation
    assert len(list(tmp_path.iterdir())) == 1


def test_a_run_that_was_stopped_resumed_and_lengthened_is_identical(tmp_path: Path) -> None:
    run = trained(tmp_path, [*SMALL, "training.optimizer=adam"], stops=[8]).run
    assert verify(run).is_identical  # as far as it came
    resumed(run)
    resumed(run, "training.epochs=2500")  # from here on, other epochs have lines
    verdict = verify(run)
    assert verdict.is_identical, verdict.sentence
    assert verdict.counts.epochs == 2500
    assert verdict.counts.losses == len(run.metrics()) > 600


def test_the_first_epoch_and_tensor_that_differ_are_named(tmp_path: Path) -> None:
    run = trained(tmp_path, SMALL).run
    lines = log_of(run)
    for number in (31, 17):
        lines[number]["loss"] = float(np.nextafter(lines[number]["loss"], 2))
    run.path(METRICS).write_text("".join(json.dumps(line) + "\n" for line in lines))
    for checkpoint in run.folder.glob("checkpoint-*"):  # which do not fit such a log
        checkpoint.unlink()
    write_weights(run, "last.W2")
    verdict = verify(run)
    assert verdict.differences.keys() == {"epoch", "tensor"}
    epoch = verdict.differences["epoch"]
    assert epoch.what == "the loss of epoch 17"
    assert epoch.then == lines[17]["loss"] != epoch.again
    assert verdict.differences["tensor"].what == "last.W2[0, 0]"
    assert verdict.sentence.startswith("not identical (51 losses, 1")


OF_DEFAULTS = ["data.n_samples=60", "data.split={}", "loss=mse", "training={epochs: 20}"]


def test_what_cannot_be_trained_again_is_refused(tmp_path: Path) -> None:
    rate = load_config(CONFIGS / "moons.yaml").spec.training.learning_rate
    for way in ("training.learning_rate=0.2", "training={epochs: 20, learning_rate: 0.2}"):
        run = trained(tmp_path, [*OF_DEFAULTS, f"training.learning_rate={rate}"], stops=[5]).run
        resumed(run, f"training.learning_rate={rate}", stops=[8])
        assert verify(run).is_identical
        resumed(run, way)
        with pytest.raises(RunError, match=r"was changed at epoch 8"):
            verify(run)


def test_a_table_that_has_changed_is_refused(tmp_path: Path) -> None:
    table, config = tmp_path / "t.csv", tmp_path / "t.yaml"
    table.write_text("x,y\n" + "".join(f"{x},{2 * x}\n" for x in range(12)))
    config.write_text(
        "data: {file: t.csv, targets: y}\nnetwork: {layers: [1, 2, 1], "
        "activations: [tanh, identity]}\nloss: mse\ntraining: {epochs: 4, learning_rate: 0.001}\n"
    )
    run = train(build(load_config(config)), tmp_path / "runs", SilentView()).run
    assert verify(run).is_identical
    with table.open("a") as file:
        file.write("12,25\n")
    with pytest.raises(RunError, match=r"t\.csv has changed since it was trained"):
        verify(run)


# All that is compared.


def test_data_that_come_out_with_other_bits_are_told_and_trained_on(tmp_path: Path) -> None:
    run = trained(tmp_path, SMALL).run
    change_record(run, {"data_sha256": "0" * 64})
    verdict = verify(run, tolerance=0)
    assert verdict.differences.keys() == {"data"}
    assert not verdict.is_identical
    assert verdict.is_accepted  # what came of them is the same
    assert verdict.distance_text == "the largest relative difference is 0"
    assert not verify(run).is_accepted


def test_final_metrics_are_compared(tmp_path: Path) -> None:
    run = trained(tmp_path, SMALL).run
    metrics = record_of(run)["metrics"]
    change_record(run, {"metrics": metrics | {"val.loss": metrics["val.loss"] * (1 + 1e-10)}})
    verdict = verify(run)
    assert verdict.differences.keys() == {"metric"}
    assert verdict.differences["metric"].what == verdict.largest_in == "val.loss"
    assert verdict.largest == pytest.approx(1e-10, rel=1e-4)
    assert verify(run, 2e-10).is_accepted
    assert not verify(run, 0.5e-10).is_accepted
    record_best = record_of(run)["best_epoch"]
    change_record(run, {"metrics": metrics, "best_epoch": 1})
    assert verify(run).differences["metric"].what == "the best epoch"
    change_record(run, {"metrics": {}, "best_epoch": record_best})
    assert not verify(run).is_identical
    change_record(run, {"status": "interrupted"})  # a training that was given up has none
    assert verify(run).is_identical


def test_all_that_a_record_and_a_log_say_of_the_training_is_compared(tmp_path: Path) -> None:
    run = trained(tmp_path, SMALL).run
    record = record_of(run)
    baselines = {"constant": record["baselines"]["constant"] | {"val.log_loss": 0.5}}
    for changes, what in (
        ({"baselines": baselines}, "constant baseline, val.log_loss"),
        ({"class_weights": {"0": 2.0}}, "weight of class 0"),
    ):
        change_record(run, changes)
        assert verify(run).differences["metric"].what == what
        change_record(run, record)
    lines = log_of(run)
    changed = [*lines[:5], lines[5] | {"grad_norm": 1.0}, *lines[6:]]
    for log, kind, what in (
        (changed, "line", "grad_norm of epoch 5"),
        (lines[:-1], "line", "the last epoch in the log"),
        ([], "line", "the last epoch in the log"),
    ):
        run.path(METRICS).write_text("".join(json.dumps(line) + "\n" for line in log))
        vouch_for_all(run)
        verdict = verify(run)
        assert verdict.differences.keys() == {kind}
        assert verdict.differences[kind].what == what


def test_what_describes_weights_and_run_is_compared(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE)
    (tmp_path / "t.yaml").write_text(f"name: t\n{CONFUSED['table']}")
    experiment = build(load_config(tmp_path / "t.yaml"))
    run = train(experiment, tmp_path / "runs", SilentView()).run
    assert verify(run).is_identical
    weights = run.path(WEIGHTS).read_bytes()
    for change, what in (
        (lambda meta: meta["columns"]["inputs"][0].update(fill=99.0), "the fill of age"),
        (lambda meta: meta["columns"]["inputs"][1].update(fill="clerk"), "the column job"),
        (lambda meta: meta["class_names"].reverse(), "`class_names` of the weights"),
    ):
        poison(run.folder, change)
        differences = verify(run).differences
        assert differences["record"].what == what
        run.path(WEIGHTS).write_bytes(weights)
        vouch(run)
    whole = record_of(run)
    for changes, what in (
        ({"seed": 5}, "`seed`"),
        ({"config": whole["config"] | {"loss": "mse"}}, "`loss` of the config"),
    ):
        change_record(run, changes)
        assert verify(run).differences["record"].what == what
        change_record(run, whole)


def test_a_learning_rate_of_no_epochs_that_are_left_is_no_obstacle(tmp_path: Path) -> None:
    run = trained(tmp_path, SMALL, stops=[8]).run
    session = {"at_epoch": 8, "changed": ["training.learning_rate"]}
    resumed(run)
    known = record_of(run)["resumed"][0]
    change_record(run, {"resumed": [known | session, known]})
    assert verify(run).is_identical  # all of its epochs were trained again
    change_record(run, {"resumed": [known | session]})
    with pytest.raises(RunError, match="was changed at epoch 8"):
        verify(run)


def test_numbers_that_are_not_finite_are_the_same_again(bpnet, tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text(f"name: d\n{CONFUSED['diverged']}")
    assert bpnet("train", "d.yaml").code == 3
    assert bpnet("verify", "latest").code == 0


def test_recorded_parameters_are_compared_row_by_row(tmp_path: Path) -> None:
    run = trained(tmp_path, SMALL).run
    path = np.load(run.path(PATH))
    changed = path.copy()
    changed[7, 3] = np.nextafter(changed[7, 3], 2)
    changed[9, 0] *= 1 + 1e-8
    np.save(run.path(PATH), changed)
    vouch_for_all(run)
    verdict = verify(run)
    assert verdict.differences.keys() == {"path"}
    assert verdict.differences["path"].what == "params_path.npy[7][3]"
    assert verdict.largest_in == "params_path.npy[9]"
    wanted = abs(changed[9, 0] - path[9, 0]) / abs(changed[9]).max()
    assert verdict.largest == pytest.approx(wanted)
    np.save(run.path(PATH), path[:-1])
    vouch(run)
    shorter = verify(run, tolerance=1)
    assert shorter.differences["path"].what == "the size of params_path.npy"
    assert not shorter.is_accepted
    run.path(PATH).unlink()
    with pytest.raises(RunError, match="missing"):
        verify(run)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda rows: rows[::-1], "row 0 of the train split in split.npz"),
        (lambda rows: rows[1:], "the rows of the train split in split.npz"),
    ],
)
def test_the_split_is_made_again_and_compared(change, what: str, tmp_path: Path) -> None:
    run = trained(tmp_path, SMALL).run
    with np.load(run.path(SPLIT)) as saved:
        splits = dict(saved)
    np.savez(run.path(SPLIT), **splits | {"train": change(splits["train"])})
    vouch_for_all(run)
    verdict = verify(run, tolerance=1)
    assert verdict.differences.keys() == {"split"}
    assert verdict.differences["split"].what == what
    assert not verdict.is_accepted
    assert "is infinite" in verdict.distance_text
    run.path(SPLIT).write_bytes(b"PK")
    vouch(run)
    with pytest.raises(RunError, match=r"split\.npz is damaged"):
        verify(run)


# What may be why.

HASWELL = [{"internal_api": "openblas", "version": "0.3.31", "architecture": "Haswell"}]
ZEN = [HASWELL[0] | {"architecture": "Zen"}]
ELSEWHERE: dict[str, tuple[object, object, str]] = {
    "versions": (
        {"numpy": "1.26.4"}, {"numpy": "2.4.6"}, "numpy: 1.26.4 became 2.4.6",
    ),
    "platform": (
        "Linux-6-x86_64-with-glibc2.31", "Linux-6-x86_64-with-glibc2.36",
        "platform: Linux-6-x86_64-with-glibc2.31 became Linux-6-x86_64-with-glibc2.36",
    ),
    "cpu": ("Xeon", "EPYC", "cpu: Xeon became EPYC"),
    "numerics": ("portable", "native", "numerics: portable became native"),
    "simd": (["X86_V2"], ["X86_V2", "X86_V3"], "simd: X86_V2 became X86_V2 X86_V3"),
    "blas": (ZEN, HASWELL, "blas: openblas 0.3.31 Zen became openblas 0.3.31 Haswell"),
}  # fmt: skip


def on(monkeypatch: pytest.MonkeyPatch, **facts: object) -> None:
    """Have what comes next recorded as done on another machine."""
    from bpcli.runs import record
    from bpcli.workflows import resume

    here = provenance.machine()
    for module in (record, resume):
        monkeypatch.setattr(module, "machine", lambda: replace(here, **facts))


@pytest.mark.parametrize("fact", ELSEWHERE)
def test_each_fact_explains_a_difference(
    fact: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    then, now, text = ELSEWHERE[fact]
    on(monkeypatch, **{fact: then})
    run = trained(tmp_path, [*SMALL, "training.epochs=5"]).run
    on(monkeypatch, **{fact: now})
    assert not verify(run).explanation  # there is nothing to explain
    write_weights(run, "last.W1")
    assert verify(run).explanation == [f"Since the run began, these have changed: {text}."]
    on(monkeypatch, **{fact: then})
    assert verify(run).explanation == [UNEXPLAINED]


def test_a_run_that_was_resumed_otherwise_is_repeated_by_no_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, blas=HASWELL)
    run = trained(tmp_path, SMALL, stops=[8]).run
    with resumption(run, []) as ready:
        assert ready.warnings == []
    on(monkeypatch, blas=ZEN, cpu="another")
    told = "blas: openblas 0.3.31 Haswell became openblas 0.3.31 Zen"
    with resumption(run, []) as ready:
        (warning,) = ready.warnings
        assert warning.endswith(f"a single machine may not reproduce it bit for bit: {told}")
    resumed(run, stops=[20])
    with resumption(run, []) as ready:
        assert ready.warnings == []  # as before
    resumed(run)
    first, second = record_of(run)["resumed"]
    assert first["warning"] == warning
    assert second["warning"] is None
    assert first["machine"].keys() == {*ELSEWHERE}
    assert first["machine"]["blas"] == ZEN
    write_weights(run, "last.W1")
    on(monkeypatch, blas=HASWELL)
    (sentence,) = verify(run).explanation
    assert sentence.startswith("From epoch 8 on, the run was trained under different conditions")
    assert sentence.endswith(f"a single machine may not reproduce it bit for bit: {told}.")
