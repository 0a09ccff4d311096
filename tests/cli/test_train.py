from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Result
from systems import CONFIGS

from bpcli.errors import RunError
from bpcli.runs.metrics_log import LogLine, MetricsFile
from bpcli.runs.store import Run
from bpcli.terminal.sweep import SilentProgress

Bpnet = Callable[..., Result]
XOR = CONFIGS / "xor.yaml"
SHORT = ("--set", "training.epochs=40")


def test_train_saves_a_whole_run_and_says_how_it_ended(bpnet: Bpnet, tmp_path: Path) -> None:
    result = bpnet("train", CONFIGS / "moons.yaml", *SHORT, "--set", "seed=3")
    assert result.code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert {path.name for path in folder.iterdir()} == {
        "config.yaml", "resolved.yaml", "run.json", "metrics.jsonl", "split.npz",
        "weights.safetensors", "checkpoint-40.safetensors", "lock",
    }  # fmt: skip
    assert (folder / "config.yaml").read_bytes() == (CONFIGS / "moons.yaml").read_bytes()
    record = json.loads((folder / "run.json").read_text())
    assert (record["status"], record["stop_reason"], record["epochs"]) == ("finished", "epochs", 40)
    assert record["seed"] == 3
    assert record["rows"] == {"train": 420, "val": 90, "test": 90}
    assert {"train.accuracy", "val.loss", "test.log_loss"} <= set(record["metrics"])
    assert record["versions"]["numpy"] == np.__version__
    split = np.load(folder / "split.npz")
    assert sorted(row for name in split.files for row in split[name]) == list(range(600))
    assert "stop reason" in result.out
    assert folder.name in result.out
    assert "\x1b" not in result.out + result.err  # no escape codes off a terminal
    lines = [line.split() for line in result.err.splitlines()]
    shown = [int(line[0]) for line in lines if line and line[0].isdecimal()]
    assert shown == [0, 1, *range(2, 41, 2)]


STEPS = "training.learning_rate={schedule: step, start: 0.5, factor: 0.1, every: 20}"


def test_a_schedule_stands_in_the_log_and_in_the_record(bpnet: Bpnet, tmp_path: Path) -> None:
    result = bpnet("train", CONFIGS / "moons.yaml", *SHORT, "--set", STEPS)
    assert result.code == 0
    assert "learning rate step (start 0.5, factor 0.1, every 20), full batch" in result.err
    (folder,) = (tmp_path / "runs").iterdir()
    record = json.loads((folder / "run.json").read_text())
    asked = {"schedule": "step", "start": 0.5, "factor": 0.1, "every": 20}
    assert record["learning_rate"] == asked
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    expected = [0.5] * 20 + [0.05] * 20 + [0.005]
    assert [line["learning_rate"] for line in lines] == pytest.approx(expected)


def test_a_line_search_trains_to_where_it_finds_no_lower_loss(bpnet: Bpnet, tmp_path: Path) -> None:
    result = bpnet(
        "train", CONFIGS / "moons.yaml", "--set", "training.optimizer=lbfgs",
        "--set", "training.stop.max_fail=2000",
    )  # fmt: skip
    assert result.code == 0
    assert "`lbfgs` has no learning rate: `learning_rate` is not used" in result.err
    assert "stop reason" in result.out + result.err
    (folder,) = (tmp_path / "runs").iterdir()
    record = json.loads((folder / "run.json").read_text())
    assert (record["status"], record["stop_reason"]) == ("finished", "line_search")
    assert "found no lower loss" in record["stop_message"]
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 1e-2 * losses[0]
    assert lines[-1]["grad_norm"] < 1e-8
    assert lines[0]["step_length"] == 0
    assert all(line["step_length"] > 0 for line in lines[1:])


@pytest.mark.parametrize(
    ("optimizer", "why"),
    [
        ("lbfgs", "its line search compares losses over the same rows"),
        ("trainbfg", "its line search compares losses over the same rows"),
        ("cg", "its line search compares losses over the same rows"),
        ("scg", "its steps compare losses and gradients over the same rows"),
    ],
)
def test_mini_batches_are_refused_where_steps_compare_losses(
    optimizer: str, why: str, bpnet: Bpnet
) -> None:
    batches = ("--set", "training.batch_size=16")
    result = bpnet("train", XOR, "--set", f"training.optimizer={optimizer}", *batches)
    assert result.code == 2
    assert f"needs `batch_size: full`: {why}; for mini-batches use" in result.err


def test_warnings_are_those_of_a_check_and_told_before_training_but_not_on_resume(
    bpnet: Bpnet,
) -> None:
    options = ("--set", "network.init={name: normal, std: 100}", "--set", "training.epochs=2")
    checked = json.loads(bpnet("check", XOR, *options, "--json").out)["warnings"]
    assert len(checked) == 2
    trained = bpnet("train", XOR, *options)
    told = [line for line in trained.err.splitlines() if line.startswith("warning: ")]
    assert told[: len(checked)] == [f"warning: {warning}" for warning in checked]
    assert trained.err.index(told[0]) < trained.err.index("epoch  ")
    assert "warning" not in trained.out
    shown = bpnet("runs", "show", "latest").out.splitlines()
    assert [line for line in shown if line.startswith("warning: ")] == told
    resumed = bpnet("train", "--resume", "latest", "--set", "training.epochs=4")
    assert resumed.code == 0
    assert told[0] not in resumed.err
    record = json.loads(bpnet("runs", "show", "latest", "--json").out)
    assert record["warnings"][: len(checked)] == checked


@pytest.mark.parametrize("way", [[], ["--quiet"], ["--json"]])
def test_folds_are_warned_of_once(way: list[str], bpnet: Bpnet) -> None:
    options = ("--set", "network.layers.1=90", *SHORT, "--set", "training.stop={}", *FOLDS)
    result = bpnet("train", CONFIGS / "moons.yaml", *options, *way)
    assert result.code == 0
    assert result.err.count("fewer than the") == 1
    records = json.loads(bpnet("runs", "list", "--json").out)["runs"]
    assert len(records) == 3
    assert all("fewer than the" in record["warnings"][0] for record in records)


def test_quiet_prints_the_id_and_json_one_document(bpnet: Bpnet) -> None:
    saturated = ("--set", "network.init={name: normal, std: 20}")
    quiet = bpnet("train", XOR, *SHORT, *saturated, "--quiet")
    assert quiet.code == 0
    first, *_, last = quiet.err.splitlines()
    assert first.startswith("warning: many units are dead or saturated before training: ")
    assert last.startswith("warning: the training loss is 2.062, and that of a constant")
    assert ": 4 of 4 units in layer 1 are saturated: use another `seed`, smaller" in last
    assert quiet.out.strip() == Path("runs", quiet.out.strip()).name
    as_json = bpnet("train", XOR, *SHORT, *saturated, "--json", "--name", "other")
    record = json.loads(as_json.out)
    assert as_json.err == quiet.err
    assert [f"warning: {warning}" for warning in record["warnings"]] == quiet.err.splitlines()
    assert record["name"] == "other"
    assert "-other-" in record["run_id"]
    shown = bpnet("runs", "show", "other", "--json")
    assert json.loads(shown.out) == record | {"tags": []}


def test_equal_configs_and_seeds_make_equal_weight_files(bpnet: Bpnet) -> None:
    contents = []
    for extra in ([], [], ["--name", "x"], ["--set", "training.workers=3"], ["--set", "seed=1"]):
        run_id = bpnet("train", CONFIGS / "moons.yaml", *SHORT, "--quiet", *extra).out.strip()
        contents.append(Path("runs", run_id, "weights.safetensors").read_bytes())
    assert contents[0] == contents[1] == contents[2] == contents[3] != contents[4]


def test_any_number_of_workers_makes_the_same_weight_file(bpnet: Bpnet) -> None:
    values = (
        "data={generator: blobs, n_samples: 30000}",
        "network.layers=[2, 32, 32, 3]",
        "network.activations=[tanh, relu, softmax]",
        "loss=cross_entropy",
        "training.epochs=5",
        "training.stop={}",
    )
    wide = [word for value in values for word in ("--set", value)]
    files = set()
    for workers in ("auto", 1, 2, 3, 4):
        asked = ("--set", f"training.workers={workers}")
        run_id = bpnet("train", CONFIGS / "moons.yaml", *wide, *asked, "--quiet").out.strip()
        run = Run(Path("runs", run_id))
        assert run.record().shards > 1
        files.add(run.path("weights.safetensors").read_bytes())
    assert len(files) == 1


@pytest.mark.parametrize("rate", ["0.3", "{schedule: cosine, start: 0.3}"])
def test_the_resolved_config_trains_the_same_run_again(bpnet: Bpnet, rate: str) -> None:
    changes = ("--set", "training.epochs=3", "--set", f"training.learning_rate={rate}")
    first = bpnet("train", CONFIGS / "digits.yaml", *changes, "--quiet").out.strip()
    second = bpnet("train", f"runs/{first}/resolved.yaml", "--quiet").out.strip()
    files = [Path("runs", run_id, "weights.safetensors").read_bytes() for run_id in (first, second)]
    assert files[0] == files[1]


def test_refused_configs_leave_no_run(bpnet: Bpnet, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        "nmae: x\ndata: {generator: xorr}\nnetwork:\n  layers: [2, x, 1]\n"
        "  activations: [tanhh, sigmoid]\n"
        "loss: binary_cross_entropy\ntraining:\n  epochs: many\n"
    )
    result = bpnet("train", bad)
    assert result.code == 2
    places = [
        line.split(": ")[0]
        for line in result.err.removeprefix("Error: ").splitlines()
        if "yaml:" in line
    ]
    assert places == [f"{bad}:{place}" for place in ("1:1", "2:19", "4:15", "5:17", "8:11")]
    assert result.out == ""
    assert bpnet("train", XOR, "--set", "network.layers=[3, 1, 1]").code == 2
    assert bpnet("train", "nothing.yaml").code == 2
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("rate", [3, 10, 100, 1e4, 1e9, 1e100, 1e300])
@pytest.mark.parametrize(
    "extra",
    [
        ["loss=mse"],
        ["data.split={val: 0.3}", "network.dtype=float32"],
        ["training.stop={min_grad: 1e-9}"],
        ["training.batch_size=7"],
    ],
)
def test_divergence_always_exits_3_however_fast_it_is(
    rate: float, extra: list[str], bpnet: Bpnet
) -> None:
    overrides = [word for value in extra for word in ("--set", value)]
    result = bpnet(
        "train", CONFIGS / "linear_two_layer.yaml", *overrides, "--quiet",
        "--set", f"training.learning_rate={rate}", "--set", "training.epochs=300",
        "--set", "data.n_samples=50",
    )  # fmt: skip
    assert result.code == 3, result.err
    (record,) = json.loads(bpnet("runs", "list", "--json").out)["runs"]
    assert record["status"] == "diverged"
    assert bpnet("eval", "latest", "--split", "train").code == 0


def test_a_failure_in_training_saves_what_there_is(
    bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    appended = MetricsFile.append

    def fail_late(self: MetricsFile, line: LogLine) -> None:
        if line.epoch == 7:
            raise RunError("metrics.jsonl could not be written: No space left on device.")
        appended(self, line)

    monkeypatch.setattr(MetricsFile, "append", fail_late)
    result = bpnet("train", XOR, *SHORT)
    assert result.code == 2
    assert "No space left" in result.err
    record = json.loads(bpnet("runs", "show", "latest", "--json").out)
    assert (record["status"], record["epochs"]) == ("failed", 7)
    assert bpnet("eval", "latest").code == 0


def test_json_is_printed_also_when_training_fails(bpnet: Bpnet) -> None:
    result = bpnet(
        "train", CONFIGS / "linear_regression.yaml", "--set", "training.learning_rate=50", "--json"
    )
    assert result.code == 3
    assert json.loads(result.out)["status"] == "diverged"


def test_divergence_exits_3_after_saving_and_suggests_a_smaller_rate(bpnet: Bpnet) -> None:
    result = bpnet(
        "train", CONFIGS / "linear_regression.yaml", "--set", "training.learning_rate=50"
    )
    assert result.code == 3
    assert "Try a smaller `training.learning_rate`, such as 5 instead of 50" in result.err
    record = json.loads(bpnet("runs", "show", "latest", "--json").out)
    assert record["status"] == record["stop_reason"] == "diverged"
    assert bpnet("eval", "latest").code == 0  # the last finite weights are kept


FOLDS = ("--set", "data.split={folds: 3}")


def test_folds_are_trained_shown_and_summed_up(bpnet: Bpnet) -> None:
    moons = CONFIGS / "moons.yaml"
    short = (*SHORT, "--set", "training.stop={}", *FOLDS)
    result = bpnet("train", moons, *short)
    assert result.code == 0
    assert "fold 2 of 3: " in result.err
    assert "3 folds" in result.out
    assert "constant (mean)" in result.out
    shown = bpnet("runs", "show", "latest")
    assert "3 of 3, group" in shown.out
    assert "3 folds" in shown.out
    assert "2 of 3" in bpnet("runs", "list").out
    document = json.loads(bpnet("train", moons, *short, "--json").out)
    values = [fold["metrics"]["test.accuracy"] for fold in document["folds"]]
    assert document["summary"]["test.accuracy"]["mean"] == pytest.approx(np.mean(values))
    again = json.loads(bpnet("runs", "show", document["group"], "--json").out)
    assert again["folds_summary"] == document["summary"]
    assert len(bpnet("train", moons, *short, "--quiet").out.split()) == 3
    one = bpnet("train", moons, *short, "--set", "data.split.fold=2", "--quiet").out.split()
    assert len(one) == 1
    assert "3 folds" not in bpnet("runs", "show", one[0]).out
    evaluated = json.loads(bpnet("eval", one[0], "--json").out)
    assert evaluated["metrics"]["test.accuracy"] == values[1]
    refused = bpnet("train", moons, *short, "--profile")
    assert refused.code == 2
    assert "data.split.fold=1" in refused.err


def test_folds_that_diverge_exit_3(bpnet: Bpnet) -> None:
    result = bpnet(
        "train", CONFIGS / "linear_regression.yaml", *FOLDS, "--set", "training.learning_rate=50"
    )
    assert result.code == 3
    assert "Only 0 of 3 folds were finished" in result.err
    assert "diverged" in result.out


def test_a_runs_folder_that_is_a_file_is_refused(bpnet: Bpnet, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = bpnet("train", XOR, *SHORT, "--runs-dir", "file")
    assert result.code == 2
    assert "file" in result.err


def test_the_record_is_that_of_the_best_weights(bpnet: Bpnet) -> None:
    run_id = bpnet("train", CONFIGS / "moons.yaml", "--quiet").out.strip()
    run = Run(Path("runs", run_id))
    record = run.record()
    assert record.best_epoch is not None
    assert record.epochs is not None
    assert record.best_epoch < record.epochs
    found = json.loads(bpnet("eval", "latest", "--json", "--split", "val").out)["metrics"]
    assert found["val.loss"] == record.metrics["val.loss"]
    by_epoch = {line.epoch: line.metrics for line in run.metrics()}
    assert by_epoch[record.epochs]["val.loss"] > record.metrics["val.loss"]
    if record.best_epoch in by_epoch:
        assert by_epoch[record.best_epoch]["val.loss"] == record.metrics["val.loss"]


def test_without_a_test_split_everything_speaks_of_validation(bpnet: Bpnet) -> None:
    training = bpnet("train", CONFIGS / "sampled_updates.yaml", "--set", "training.epochs=3")
    assert training.out.startswith("criterion")
    assert "the best on validation" in training.out
    header = training.err.split("time/epoch")[0]
    assert all(word in header for word in ("parameters", "val.loss", "val.rmse"))
    assert json.loads(bpnet("eval", "latest", "--json").out)["split"] == "val"
    assert "val.rmse" in bpnet("runs", "list").out


def test_auto_logs_about_a_thousand_epochs_and_the_last(bpnet: Bpnet) -> None:
    run_id = bpnet("train", XOR, "--quiet", "--set", "training.epochs=1999").out.strip()
    epochs = [line.epoch for line in Run(Path("runs", run_id)).metrics()]
    assert epochs == [*range(52), *range(52, 1999, 2), 1999]


def test_name_outranks_set_and_faults_of_it_say_so(bpnet: Bpnet) -> None:
    arguments = ("train", XOR, "--quiet", "--set", "training.epochs=1")
    assert "-b.2-" in bpnet(*arguments, "--name", "b.2", "--set", "name=a").out
    assert "--name ../x: found `../x`" in bpnet(*arguments, "--name", "../x").err


def test_a_training_that_only_made_things_worse_is_warned_of(bpnet: Bpnet) -> None:
    arguments = ("--set", "training.learning_rate=1000", "--set", "training.epochs=20")
    start = ("--set", "data={generator: iris, split: {val: 0.3}}")
    result = bpnet("train", CONFIGS / "softmax_iris.yaml", *arguments, *start)
    assert result.code == 0
    assert "warning: the validation loss is " in result.err
    assert "the loss grew from 5.405 to " in result.err
    assert json.loads(bpnet("runs", "show", "latest", "--json").out)["best_epoch"] == 0
    explained = bpnet("diagnose", "latest").out
    assert "The validation loss never fell below its initial value." in explained


def test_no_metrics_are_fine(bpnet: Bpnet) -> None:
    result = bpnet("train", CONFIGS / "moons.yaml", *SHORT, "--set", "metrics=[]")
    assert result.code == 0
    assert result.err.count("val.loss") == 1


def test_levenberg_marquardt_from_the_command_line(bpnet: Bpnet, tmp_path: Path) -> None:
    squares = ("--set", "loss=mse", "--set", "training.optimizer=trainlm")
    result = bpnet("train", XOR, *squares, "--set", "training.stop.goal=1e-9")
    assert result.code == 0
    record = json.loads(next((tmp_path / "runs").glob("*/run.json")).read_text())
    assert record["stop_reason"] == "goal"
    assert record["epochs"] < 50
    assert record["diagnostics"]["damping"] > 0
    ended = bpnet("train", CONFIGS / "linear_regression.yaml", *squares)
    assert ended.code == 0
    assert "stop reason: max_damping. No step lowers the loss" in ended.out
    large = bpnet("train", XOR, *squares, "--set", "network.layers=[2, 1000000, 1]")
    assert large.code == 2
    assert "of memory for the state and equations of `levenberg_marquardt`" in large.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'CONFIG', or --resume RUN."),
        ([XOR, "--resume", "latest"], "leave out CONFIG and --name"),
        (["--resume", "latest", "--name", "x"], "leave out CONFIG and --name"),
    ],
)
def test_a_training_is_of_a_config_or_a_resumed_run(
    arguments: list[str | Path], message: str, bpnet: Bpnet
) -> None:
    result = bpnet("train", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_notes_are_told_once_for_all_folds(bpnet: Bpnet) -> None:
    short = ("--set", "training={epochs: 2, optimizer: traingdm}", *FOLDS)
    note = "note: `traingdm` is called `gradient_descent`"
    assert bpnet("train", CONFIGS / "moons.yaml", *short).err.count(note) == 1
    assert "note: " not in bpnet("train", CONFIGS / "moons.yaml", *short, "--quiet").err


@pytest.mark.parametrize("name", ["t.npz", "t.csv"])
def test_a_training_on_a_file_tells_how_to_predict_new_rows(name: str, bpnet: Bpnet) -> None:
    X = np.random.default_rng(0).normal(size=(20, 2))
    if name == "t.npz":
        np.savez(name, X=X, y=X[:, 0])
    else:
        np.savetxt(name, X, delimiter=",", header="x,y", comments="")
    Path("c.yaml").write_text(
        f"data: {{file: {name}}}\nnetwork: {{layers: [auto, auto], activations: [identity]}}\n"
        "loss: mse\ntraining: {learning_rate: 0.1, epochs: 2}\n"
    )
    result = bpnet("train", "c.yaml")
    command = result.out.splitlines()[-1].partition("predict new rows with: bpnet ")[2]
    assert bpnet(*command.replace("FILE", name).split()).code == 0


MOONS = (CONFIGS / "moons.yaml", *SHORT)
NO_STOP = ("--set", "training.stop={}")


def test_restarts_train_from_several_initialisations_and_tell_of_each(bpnet: Bpnet) -> None:
    result = bpnet("train", *MOONS, "--restarts", "3")
    assert result.code == 0
    assert "3 restarts, " in result.err
    for number in range(3):
        assert result.err.count(f": restart {number}: val.loss ") == 1
    head, _, *rows = result.out.splitlines()[:5]
    assert head.split("  ")[0] == "restart"
    values = [float(row.split()[2]) for row in rows]
    assert values == sorted(values)
    assert [row.split()[-1] for row in rows] == ["kept", "epochs", "epochs"]
    assert "val.loss of 3 restarts: best " in result.out
    assert "Scores of the weights of epoch " in result.out
    shown = bpnet("runs", "show", "latest")
    assert head in shown.out
    assert "val.loss of 3 restarts: best " in shown.out
    (listed,) = json.loads(bpnet("runs", "list", "--json").out)["runs"]
    assert listed["status"] == "finished"
    assert bpnet("verify", "latest").code == 0


def test_the_option_is_short_for_the_key(bpnet: Bpnet) -> None:
    option = json.loads(bpnet("train", *MOONS, "--restarts", "2", "--json").out)
    key = json.loads(bpnet("train", *MOONS, "--set", "training.restarts=2", "--json").out)
    assert option["sha256"]["weights.safetensors"] == key["sha256"]["weights.safetensors"]
    assert option["overrides"][-1] == "training.restarts.count=2"
    mean = "training.restarts={count: 9, combine: mean, keep: 2}"
    kept = json.loads(bpnet("train", *MOONS, "--set", mean, "--restarts", "2", "--json").out)
    assert (kept["restarts"]["combine"], len(kept["restarts"]["trainings"])) == ("mean", 2)
    for wrong in ("0", "-1", "x"):
        assert bpnet("train", *MOONS, "--restarts", wrong).code == 2


def test_one_restart_is_a_training_as_ever(bpnet: Bpnet) -> None:
    one = json.loads(bpnet("train", *MOONS, "--restarts", "1", "--json").out)
    usual = json.loads(bpnet("train", *MOONS, "--json").out)
    assert "restarts" not in one
    assert one["sha256"]["weights.safetensors"] == usual["sha256"]["weights.safetensors"]


def test_restarts_print_an_id_or_one_document(bpnet: Bpnet) -> None:
    quiet = bpnet("train", *MOONS, "--restarts", "2", "--quiet")
    (folder,) = Path("runs").iterdir()
    assert (quiet.code, quiet.out) == (0, f"{folder.name}\n")
    assert "restart" not in quiet.err.replace("warning: ", "")
    as_json = bpnet("train", *MOONS, "--restarts", "2", "--json")
    record = json.loads(as_json.out)
    assert as_json.err == quiet.err
    assert [each["number"] for each in record["restarts"]["trainings"]] == [0, 1]
    assert record | {"tags": []} == json.loads(bpnet("runs", "show", "latest", "--json").out)


def test_warnings_of_the_network_that_is_kept_are_told(bpnet: Bpnet) -> None:
    wide = ("--set", "network.layers.1=90")
    for way in ([], ["--quiet"], ["--json"]):
        result = bpnet("train", *MOONS, *wide, "--restarts", "2", *way)
        assert result.err.count("fewer than the") == 1


def test_an_average_is_told_as_one(bpnet: Bpnet) -> None:
    restarts = "training.restarts={count: 3, combine: mean, keep: 2}"
    result = bpnet("train", *MOONS, "--set", restarts)
    assert result.code == 0
    assert [row.split()[-1] for row in result.out.splitlines()[2:5]] == [
        "averaged", "averaged", "epochs",
    ]  # fmt: skip
    assert "Scores of the average of 2 networks:" in result.out
    assert "Scores of the average of 2 networks:" in bpnet("runs", "show", "latest").out
    assert bpnet("eval", "latest").code == 0
    refused = bpnet("verify", "latest")
    assert refused.code == 2
    assert "its network is the average of several" in refused.err
    wide = json.loads(bpnet("runs", "show", "latest", "--json").out)
    assert wide["config"]["network.layers"] == [2, 32, 16, 1]


@pytest.mark.parametrize("way", [[], ["--quiet"], ["--json"]])
def test_if_all_restarts_diverge_the_exit_code_says_so(way: list[str], bpnet: Bpnet) -> None:
    linear = ("--set", "network.activations=[identity, identity, identity]", "--set", "loss=mse")
    rate = ("--set", "training.learning_rate=1e300")
    result = bpnet("train", *MOONS, *linear, *rate, "--restarts", "2", *way)
    assert result.code == 3
    assert "All 2 restarts diverged. The first one: " in result.err
    (run,) = Path("runs").iterdir()
    if way == ["--json"]:
        assert json.loads(result.out)["run_id"] == run.name
    shown = bpnet("runs", "show", run.name).out
    assert "objective" not in shown
    assert shown.count("diverged") >= 2


def test_restarts_of_what_cannot_be_averaged_are_refused_with_a_place(bpnet: Bpnet) -> None:
    mean = ("--set", "training.restarts={count: 3, combine: mean}")
    tanh = ("--set", "network.activations.2=tanh", "--set", "loss=mse")
    result = bpnet("train", *MOONS, *tanh, *mean)
    assert result.code == 2
    assert "layer 3, the output, is tanh: only networks whose output is" in result.err
    assert "--set training.restarts={count: 3, combine: mean}" in result.err
    assert not Path("runs").exists()


def test_every_fold_has_its_restarts(bpnet: Bpnet) -> None:
    result = bpnet("train", *MOONS, *NO_STOP, *FOLDS, "--restarts", "2", "--json")
    assert result.code == 0, result.err
    listed = json.loads(bpnet("runs", "list", "--json").out)["runs"]
    assert len(listed) == 3
    records = [json.loads(bpnet("runs", "show", each["run_id"], "--json").out) for each in listed]
    records.sort(key=lambda record: record["fold"]["number"])
    assert [record["fold"]["number"] for record in records] == [1, 2, 3]
    assert {record["fold"]["group"] for record in records} == {records[0]["run_id"]}
    for record in records:
        assert len(record["restarts"]["trainings"]) == 2
        assert bpnet("verify", record["run_id"]).code == 0
    assert len({record["sha256"]["split.npz"] for record in records}) == 3


def _signal_after(trainings: int, fold: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C when so many trainings of a fold have ended."""
    ended: list[str] = []
    tell = SilentProgress.on_training_end

    def on_training_end(self: SilentProgress, training: Any, document: Any) -> None:
        tell(self, training, document)
        ended.append(training["label"])
        if len(ended) == trainings + 2 * (fold - 1):
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(SilentProgress, "on_training_end", on_training_end)


def test_interrupted_restarts_of_a_fold_are_finished_as_that_fold(
    bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = (*MOONS, *NO_STOP, *FOLDS, "--restarts", "2", "--quiet")
    whole = bpnet("train", *options, "--runs-dir", "whole").out.split()
    monkeypatch.setattr("bpcli.sweeps.run_plan.usable_cores", lambda: 1)
    with monkeypatch.context() as patched:
        _signal_after(1, 2, patched)
        result = bpnet("train", *options)
    assert result.code == 130
    assert "Interrupted: 1 of 2 restarts were finished." in result.err
    (command,) = [line for line in result.err.splitlines() if line.startswith("Finish them with")]
    again = bpnet(*command.partition("bpnet ")[2].split(), "--json")
    assert again.code == 0, again.err
    record = json.loads(again.out)
    (first,) = [path.name for path in Path("runs").iterdir() if path.name != record["run_id"]]
    assert record["fold"] == {"number": 2, "of": 3, "group": first}
    expected = json.loads(bpnet("runs", "show", whole[1], "--json", "--runs-dir", "whole").out)
    for file in ("weights.safetensors", "split.npz"):
        assert record["sha256"][file] == expected["sha256"][file]


def test_interrupted_restarts_are_finished_by_resume(
    bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = (*MOONS, "--restarts", "3", "--quiet")
    whole = json.loads(bpnet("train", *options[:-1], "--runs-dir", "whole", "--json").out)
    monkeypatch.setattr("bpcli.sweeps.run_plan.usable_cores", lambda: 1)
    with monkeypatch.context() as patched:
        _signal_after(2, 1, patched)
        result = bpnet("train", *options)
    assert (result.code, result.out) == (130, "")
    (sweep,) = [path.name for path in Path("runs").iterdir()]
    assert f"Finish them with: bpnet train --resume {sweep}" in result.err
    refused = bpnet("train", "--resume", sweep, "--set", "training.epochs=50")
    assert refused.code == 2
    assert f"The restarts of {sweep} are not finished" in refused.err
    resumed = bpnet("train", "--resume", sweep, "--json")
    assert resumed.code == 0, resumed.err
    record = json.loads(resumed.out)
    assert record["run_id"] == sweep
    assert record["sha256"]["weights.safetensors"] == whole["sha256"]["weights.safetensors"]
    more = bpnet("train", "--resume", sweep, "--set", "training.epochs=50", "--json")
    assert json.loads(more.out)["epochs"] == 50


def test_a_reference_that_is_too_long_or_odd_names_nothing(bpnet: Bpnet) -> None:
    for reference in ("x/" + "y" * 5000, "x\0/y", "x" * 5000):
        result = bpnet("train", "--resume", reference)
        assert result.code == 2, result.err
