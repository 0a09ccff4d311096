"""A run that was stopped and resumed is the run that was not, byte for byte."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from systems import CONFIGS
from tampered import change_arrays

from bpcli.config.load import load_config
from bpcli.errors import ConfigError, Diverged, Interrupted, RunError
from bpcli.experiment import build
from bpcli.optimizers import OPTIMIZERS
from bpcli.runs.layout import METRICS, PATH, RESOLVED, WEIGHTS
from bpcli.runs.run_json import BROKEN_OFF, RunRecord
from bpcli.runs.store import Run
from bpcli.terminal.progress import SilentView
from bpcli.training.epoch import Epoch
from bpcli.workflows import interrupts
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.resume import resume, resumption
from bpcli.workflows.train import train

EPOCHS = 50
SMALL = [
    "data.n_samples=60", "data.split={val: 0.25, test: 0.2}", "network.layers=[2, 5, 1]",
    "network.activations=[tanh, sigmoid]", "loss=mse", f"training.epochs={EPOCHS}",
    "training.stop={}", "training.record_params=true",
]  # fmt: skip
STOPS = ["training.stop={max_fail: 20, generalization_loss: 30, progress: 0.5, strip: 4, goal: 0}"]
BATCHES = ["training.batch_size=7", *STOPS]
RATE = "{schedule: plateau, start: 0.2, factor: 0.5, epochs: 2, tol: 0.003, end: 1e-12}"
VARIANTS: dict[str, list[str]] = {
    **{name: [f"training.optimizer={name}"] for name in OPTIMIZERS},
    "momentum": ["training.optimizer={name: gradient_descent, momentum: 0.9, nesterov: true}"],
    "layerwise": ["training.optimizer={name: gradient_descent, momentum: 0.5, update: layerwise}"],
    "adaptive momentum": ["training.optimizer=traingdx"],
    **{
        f"rprop {name}": [f"training.optimizer={{name: rprop, variant: {name}}}"]
        for name in ("irprop_plus", "rprop_minus", "rprop_plus")
    },
    **{
        f"cg {name}": [f"training.optimizer={{name: conjugate_gradient, variant: {name}}}"]
        for name in ("fletcher_reeves", "powell_beale")
    },
    "step": ["training.learning_rate={schedule: step, start: 0.5, factor: 0.7, every: 6}"],
    "cosine": ["training.learning_rate={schedule: cosine, start: 0.5}", *BATCHES],
    "rate on a plateau": [f"training.learning_rate={RATE}", "training.stop={goal: 0}"],
    "rate on a plateau of batches": [
        "training.optimizer=adam",
        f"training.learning_rate={RATE}",
        *BATCHES,
    ],
    "plateau": ["training.stop={plateau: {tol: 1e-3, epochs: 2}}"],
    "plateau of scores": [
        "training.stop={plateau: {of: val_score, tol: 0, epochs: 9}}",
        "training.batch_size=7",
    ],
    "float32": ["training.optimizer=adam", "network.dtype=float32"],
    "shuffled": ["training.optimizer=adam", *BATCHES],
    "drawn": [*BATCHES, "training.sampling=random", "training.rows_per_epoch=30"],
    "early stopping": ["training.optimizer=rprop", "training.epochs=500", *STOPS],
    "without validation": ["data.split={test: 0.2}", "training.stop.min_grad=1e-12"],
}


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it syncs is tested elsewhere."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


class Stops(SilentView):
    """Asks to stop, so that each of some epochs is the last of a session."""

    def __init__(self, epochs: Collection[int]) -> None:
        self._epochs = epochs

    def next_due(self, number: int) -> int:
        return number + 1

    def on_epoch(self, epoch: Epoch, scores: object, is_last: bool) -> None:
        if epoch.number + 1 in self._epochs and not is_last:
            os.kill(os.getpid(), signal.SIGINT)


def trained(
    folder: Path, overrides: Sequence[str], stops: Collection[int] = (), config: str = "moons"
) -> Outcome:
    experiment = build(load_config(CONFIGS / f"{config}.yaml", overrides))
    return train(experiment, folder, Stops(stops))


def resumed(run: Run, *overrides: str, stops: Collection[int] = ()) -> Outcome:
    with resumption(run, overrides) as ready:
        return resume(ready, Stops(stops))


def stopped_and_resumed(folder: Path, overrides: Sequence[str], stops: Collection[int]) -> Outcome:
    outcome = trained(folder, overrides, stops)
    while isinstance(outcome.failure, Interrupted):
        outcome = resumed(outcome.run, stops=stops)
    return outcome


def lines(run: Run) -> list[dict[str, Any]]:
    return [line.to_json() | {"seconds": None} for line in run.metrics()]


TIMES = (
    "sha256",
    "run_id",
    "identity",
    "started",
    "ended",
    "seconds",
    "watching_seconds",
    "resumed",
)


def assert_same_run(found: Outcome, wanted: Outcome) -> None:
    assert found.failure is None
    assert wanted.failure is None
    for file in (WEIGHTS, PATH):
        if wanted.run.path(file).is_file():
            assert found.run.path(file).read_bytes() == wanted.run.path(file).read_bytes(), file
    assert lines(found.run) == lines(wanted.run)
    records = [outcome.run.record() for outcome in (found, wanted)]
    known = [
        {key: value for key, value in vars(each).items() if key not in TIMES} for each in records
    ]
    assert known[0] == known[1]


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_stopping_at_epochs_and_resuming_changes_no_byte(variant: str, tmp_path: Path) -> None:
    overrides = [*SMALL, *VARIANTS[variant]]
    whole = trained(tmp_path / "whole", overrides)
    epochs = whole.record.epochs
    stops = range(1, epochs + 1) if os.environ.get("BPNET_FULL") else [4]
    splits = stopped_and_resumed(tmp_path / "splits", overrides, stops)
    assert_same_run(splits, whole)
    reached = [stop for stop in stops if stop <= epochs]
    assert [each.at_epoch for each in splits.record.resumed] == reached


def test_early_stopping_stops_before_the_epochs_run_out(tmp_path: Path) -> None:
    whole = trained(tmp_path, [*SMALL, *VARIANTS["early stopping"]])
    assert whole.record.epochs < 500  # the variant above tests what it should


def test_the_variants_on_a_plateau_do_what_they_should(tmp_path: Path) -> None:
    records = {
        name: trained(tmp_path, [*SMALL, *VARIANTS[name]]).record
        for name in VARIANTS
        if "plateau" in name
    }
    for name in ("rate on a plateau", "rate on a plateau of batches"):
        rate = records[name].diagnostics["learning_rate"]
        assert rate is not None
        assert rate < 0.2 / 8
        assert 20 < records[name].epochs <= EPOCHS
    for name in ("plateau", "plateau of scores"):
        assert records[name].stop_reason == "plateau"
        assert 5 < records[name].epochs < EPOCHS


def test_a_run_whose_rate_came_to_its_end_has_finished(tmp_path: Path) -> None:
    rate = RATE.replace("1e-12", "0.05")
    outcome = trained(tmp_path, [*SMALL, f"training.learning_rate={rate}"])
    record = outcome.record
    assert (record.status, record.stop_reason) == ("finished", "smallest_rate")
    assert str(record.stop_message).startswith("The loss did not fall by 0.003 in 3 epochs in")
    with (
        pytest.raises(RunError, match=r"has finished at epoch \d+\. The loss did not fall"),
        resumption(outcome.run, ["training.epochs=900"]),
    ):
        pass


def test_a_rate_may_become_one_on_a_plateau_and_a_constant_again(tmp_path: Path) -> None:
    run = trained(tmp_path / "a", [*SMALL, "training.learning_rate=0.2"]).run
    outcome = resumed(run, f"training.learning_rate={RATE}", "training.epochs=80")
    reduced = outcome.record.diagnostics["learning_rate"]
    assert outcome.record.stop_reason == "epochs"
    assert reduced is not None
    assert reduced < 0.2
    outcome = resumed(run, "training.learning_rate=0.4", "training.epochs=90")
    assert outcome.record.diagnostics["learning_rate"] == 0.4
    with resumption(run, [f"training.learning_rate={RATE}", "training.epochs=100"]) as ready:
        assert ready.start is not None
        assert not ready.start.state.rate_state  # not that of epoch 80


@pytest.mark.parametrize(
    ("array", "value", "named"),
    [
        ("rate.count", np.asarray(-1), "rate.count"),
        ("stopping.plateau_loss.losses", np.ones(3), "stopping"),
    ],
)
def test_a_checkpoint_that_does_not_fit_its_plateaus_is_refused(
    array: str, value: np.ndarray, named: str, tmp_path: Path
) -> None:
    plateaus = [f"training.learning_rate={RATE}", "training.stop={plateau: {epochs: 99}}"]
    run = trained(tmp_path, [*SMALL, *plateaus]).run
    for path in run.folder.glob("checkpoint-*"):
        change_arrays(path, lambda arrays, _: arrays.update({array: value}))
    with (
        pytest.raises(RunError, match=rf"at epoch 50 does not match its config: its `{named}`"),
        resumption(run, ["training.epochs=60"]),
    ):
        pass


def test_the_number_of_epochs_of_a_plateau_may_be_raised(tmp_path: Path) -> None:
    longer = trained(tmp_path / "a", [*SMALL, "training.stop={plateau: {tol: 1e-3, epochs: 9}}"])
    run = trained(tmp_path / "b", [*SMALL, *VARIANTS["plateau"]]).run
    with (
        pytest.raises(RunError, match=r"is 3, .* >= 3. .* --set training.stop.plateau.epochs=…"),
        resumption(run, []),
    ):
        pass
    outcome = resumed(run, "training.stop.plateau.epochs=9")
    assert outcome.record.epochs == longer.record.epochs
    assert outcome.run.path(WEIGHTS).read_bytes() == longer.run.path(WEIGHTS).read_bytes()


def test_a_finished_run_trains_on_to_what_a_longer_one_is(tmp_path: Path) -> None:
    overrides = [*SMALL, "training.optimizer=adam", "training.batch_size=9"]
    longer = trained(tmp_path / "a", overrides)
    shorter = trained(tmp_path / "b", [*overrides, "training.epochs=20"])
    outcome = resumed(shorter.run, f"training.epochs={EPOCHS}")
    assert outcome.record.overrides[-1] == f"training.epochs={EPOCHS}"
    assert outcome.record.epochs == EPOCHS
    assert outcome.run.path(WEIGHTS).read_bytes() == longer.run.path(WEIGHTS).read_bytes()
    assert outcome.run.path(RESOLVED).read_bytes() == longer.run.path(RESOLVED).read_bytes()
    assert lines(outcome.run) == lines(longer.run)


def test_a_run_without_checkpoint_begins_again(tmp_path: Path) -> None:
    whole = trained(tmp_path / "a", SMALL)
    again = trained(tmp_path / "b", SMALL, stops=[7])
    for path in again.run.folder.glob("checkpoint-*"):
        path.unlink()
    with resumption(again.run, []) as ready:
        assert ready.note == f"{again.run.run_id} has no checkpoint: it starts again at epoch 0"
        assert_same_run(resume(ready, SilentView()), whole)


@pytest.mark.parametrize("every", ["auto", "1", "7"])
def test_the_same_lines_of_a_dense_log_have_metrics(every: str, tmp_path: Path) -> None:
    dense = [
        "data.n_samples=40", "training.epochs=240", "training.stop={}",
        "training.log_every=1", f"training.metrics_every={every}",
    ]  # fmt: skip
    whole = trained(tmp_path / "whole", dense)
    assert_same_run(stopped_and_resumed(tmp_path / "splits", dense, stops=[60, 101, 208]), whole)
    scored = [line["epoch"] for line in lines(whole.run) if "val.accuracy" in line]
    expected = {"auto": 100, "1": 241, "7": 36}
    assert len(lines(whole.run)) == 241
    assert len(scored) == expected[every]


@pytest.mark.parametrize("workers", [1, 3])
def test_a_long_epoch_is_left_after_its_shard(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = [
        "data.n_samples=12000", "network.layers=[2, 24, 24, 1]", "training.epochs=5",
        f"training.workers={workers}", "training.log_every=5",
    ]  # fmt: skip
    whole = trained(tmp_path / "whole", wide)
    monkeypatch.setattr(interrupts, "_PATIENCE_SECONDS", -1.0)
    outcome = trained(tmp_path / "splits", wide, stops=[3])
    assert isinstance(outcome.failure, Interrupted)
    assert outcome.record.epochs == 2  # epoch 3 had begun
    assert outcome.record.metrics == {}
    assert_same_run(resumed(outcome.run), whole)


def test_checkpoints_come_every_so_many_epochs_and_three_are_kept(tmp_path: Path) -> None:
    seen: dict[int, float] = {}

    class Watch(SilentView):
        def on_epoch(self, epoch: Epoch, scores: object, is_last: bool) -> None:
            if epoch.number % 4 == 0:
                seen[epoch.number] = epoch.val_loss or 0.0

    overrides = [*SMALL, "training.checkpoint_every=4", "training.learning_rate=6"]
    experiment = build(load_config(CONFIGS / "moons.yaml", overrides))
    run = train(experiment, tmp_path, Watch()).run
    lowest = min((e for e in seen if e), key=lambda e: seen[e])
    assert lowest < 48  # or it would be one of the newest
    kept = {int(path.stem.partition("-")[2]) for path in run.folder.glob("checkpoint-*")}
    assert kept == {lowest, 48, 50}


def test_what_the_run_is_cannot_change(tmp_path: Path) -> None:
    run = trained(tmp_path, SMALL, stops=[3]).run
    with (
        pytest.raises(
            RunError, match=r"`seed`, `data.n_samples`, `network.layers` of .* cannot be changed"
        ),
        resumption(run, ["seed=3", "data.n_samples=70", "network.layers=[2, 6, 1]"]),
    ):
        pass
    with pytest.raises(ConfigError, match="unknown key"), resumption(run, ["training.epoch=3"]):
        pass
    with (
        pytest.raises(RunError, match="has already been trained for 3 epochs"),
        resumption(run, ["training.epochs=2"]),
    ):
        pass


def test_a_finished_run_says_what_would_let_it_go_on(tmp_path: Path) -> None:
    run = trained(tmp_path, SMALL).run
    with (
        pytest.raises(RunError, match=r"`epochs` .* is 50, .* with --set training.epochs=…"),
        resumption(run, []),
    ):
        pass
    stopped = trained(tmp_path, [*SMALL, *VARIANTS["early stopping"]])
    reason = stopped.record.stop_reason
    with (
        pytest.raises(RunError, match=rf"`{reason}` .* with --set training.stop.{reason}=…"),
        resumption(stopped.run, ["training.epochs=900"]),
    ):
        pass


def test_a_run_that_is_being_trained_is_refused(tmp_path: Path) -> None:
    states = []

    class Meddler(SilentView):
        def on_epoch(self, epoch: Epoch, scores: object, is_last: bool) -> None:
            if epoch.number == 0:
                (folder,) = tmp_path.iterdir()
                states.append(Run(folder).record().status)
                with pytest.raises(RunError, match=rf"is being trained by process {os.getpid()}"):
                    resumption(Run(folder), []).__enter__()

    experiment = build(load_config(CONFIGS / "moons.yaml", SMALL))
    run = train(experiment, tmp_path, Meddler()).run
    assert states == ["running"]
    assert run.record().status == "finished"


def test_a_run_whose_process_died_reads_as_resumable(tmp_path: Path) -> None:
    whole = trained(tmp_path / "a", SMALL)
    child = os.fork()
    if child == 0:
        stop = {"training.checkpoint_every=4": 0}

        class Dies(SilentView):
            def on_epoch(self, epoch: Epoch, scores: object, is_last: bool) -> None:
                if epoch.number == 30:
                    os.kill(os.getpid(), signal.SIGKILL)

        trained_by = build(load_config(CONFIGS / "moons.yaml", [*SMALL, *stop]))
        train(trained_by, tmp_path / "b", Dies())
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    (folder,) = (tmp_path / "b").iterdir()
    assert Run(folder).record().status == BROKEN_OFF
    with resumption(Run(folder), ["training.checkpoint_every={seconds: 30}"]) as ready:
        assert (ready.warnings, ready.note) == ([], f"{folder.name} resumes at epoch 28")
        outcome = resume(ready, SilentView())
    assert outcome.run.path(WEIGHTS).read_bytes() == whole.run.path(WEIGHTS).read_bytes()
    assert lines(outcome.run) == lines(whole.run)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path: Path) -> None:
    whole = trained(tmp_path / "a", SMALL)
    run = trained(tmp_path / "b", [*SMALL, "training.checkpoint_every=10"], stops=[45]).run
    newest = run.path("checkpoint-45.safetensors")
    content = bytearray(newest.read_bytes())
    content[-5] ^= 1
    newest.write_bytes(content)
    with resumption(run, ["training.checkpoint_every={seconds: 30}"]) as ready:
        (warning,) = ready.warnings
        assert warning.endswith("is damaged: its digest does not match its content.")
        assert ready.note.endswith("resumes at epoch 40")
        outcome = resume(ready, SilentView())
    assert outcome.run.path(WEIGHTS).read_bytes() == whole.run.path(WEIGHTS).read_bytes()
    assert lines(outcome.run) == lines(whole.run)
    assert not newest.exists()


@pytest.mark.parametrize("stops", [[45], []], ids=["interrupted", "finished"])
def test_checkpoints_that_cannot_be_used_are_kept_and_said(
    stops: list[int], tmp_path: Path
) -> None:
    run = trained(tmp_path, [*SMALL, "training.checkpoint_every=10"], stops=stops).run
    run.path(METRICS).unlink()
    checkpoints = sorted(run.folder.glob("checkpoint-*"))
    with (
        pytest.raises(RunError, match="none of its checkpoints can be used") as caught,
        resumption(run, ["training.epochs=90"]),
    ):
        pass
    assert str(caught.value).count("does not match metrics.jsonl") == len(checkpoints) > 1
    assert f"bpnet train {run.path(RESOLVED)}" in str(caught.value)
    assert sorted(run.folder.glob("checkpoint-*")) == checkpoints


def test_whenever_it_is_killed_record_and_weights_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(tmp_path, SMALL).run
    write, states = Run.write_record, []

    def watched(self: Run, record: RunRecord) -> None:
        states.append(run.checked(WEIGHTS))  # as whoever comes after a kill just before it
        write(self, record)

    monkeypatch.setattr(Run, "write_record", watched)
    resumed(run, "training.epochs=60")
    assert len(states) >= 3


def test_a_run_that_diverged_does_so_again(tmp_path: Path) -> None:
    steep = ["training.learning_rate=3", "training.checkpoint_every=7", "training.stop={}"]
    outcome = trained(tmp_path, steep, config="linear_regression")
    again = resumed(outcome.run)
    assert again.record.resumed[0].at_epoch > 0
    assert isinstance(again.failure, Diverged)
    assert str(again.failure) == str(outcome.failure)


def test_changed_data_are_said(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    rows = [f"{x},{2 * x}" for x in range(12)]
    table.write_text("\n".join(["x,y", *rows]))
    config = tmp_path / "t.yaml"
    config.write_text(
        "data: {file: t.csv, targets: y}\nnetwork: {layers: [1, 2, 1], "
        "activations: [tanh, identity]}\nloss: mse\ntraining: {epochs: 4, learning_rate: 0.001}\n"
    )
    run = train(build(load_config(config)), tmp_path / "runs", SilentView()).run
    table.write_text("\n".join(["x,y", *rows[:-1], "11,23"]))
    with (
        pytest.raises(RunError, match="its data have changed since it began"),
        resumption(run, ["training.epochs=9"]),
    ):
        pass


def test_the_record_that_goes_on_is_one_document(tmp_path: Path) -> None:
    run = trained(tmp_path, SMALL, stops=[5]).run
    resumed(run, stops=[8])
    record = run.record()
    assert [(each.at_epoch, each.overrides) for each in record.resumed] == [(5, [])]
    assert (record.status, record.epochs) == ("interrupted", 8)
    assert np.load(run.path(PATH)).shape[0] == 9
