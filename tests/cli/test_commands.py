from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
import numpy as np
import pytest
import threadpoolctl
from systems import CONFIGS
from tampered import change_record, save_arrays, vouch

from bpcli.cli.main import bpnet as group
from bpcli.data.generators import GENERATORS
from bpcli.errors import RunError
from bpcli.gradcheck.catalogue import CatalogueRow
from bpcli.runs.files import load_arrays
from bpcli.runs.metrics_log import LogLine, MetricsFile
from bpcli.runs.store import Run
from bpcli.terminal.console import Console
from bpcli.workflows import evaluate

XOR = CONFIGS / "xor.yaml"
SHORT = ("--set", "training.epochs=40")


def commands(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for child in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), child)
            assert found is not None
            yield from commands(found, f"{name} {child}".strip())


@pytest.mark.parametrize(("name", "command"), list(commands(group)))
def test_every_commands_help_has_an_example(name: str, command: click.Command, bpnet) -> None:
    result = bpnet(*name.split(), "--help")
    assert result.code == 0
    assert f"bpnet {name}".strip() in result.out.split("Options:")[1]
    assert command.help


def test_train_saves_a_whole_run_and_says_how_it_ended(bpnet, tmp_path: Path) -> None:
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


def test_a_schedule_stands_in_the_log_and_in_the_record(bpnet, tmp_path: Path) -> None:
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


def test_a_schedule_in_a_config_is_for_its_own_optimizer(bpnet, tmp_path: Path) -> None:
    rate = "{schedule: step, start: 0.5, factor: 0.1, every: 20}"
    text = XOR.read_text().replace("learning_rate: 1", f"learning_rate: {rate}")
    (tmp_path / "scheduled.yaml").write_text(text)
    options = ("--optimizers", "traingdm,adam,gda,rprop", "--set", "training.epochs=20")
    result = bpnet("compare", "scheduled.yaml", *options, "--json")
    assert result.code == 0
    rates = [row["learning_rate"] for row in json.loads(result.out)["optimizers"]]
    step = {"schedule": "step", "start": 0.5, "factor": 0.1, "every": 20}
    assert rates == [step, 0.001, 0.01, None]


def test_a_line_search_trains_to_where_it_finds_no_lower_loss(bpnet, tmp_path: Path) -> None:
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
    optimizer: str, why: str, bpnet
) -> None:
    batches = ("--set", "training.batch_size=16")
    result = bpnet("train", XOR, "--set", f"training.optimizer={optimizer}", *batches)
    assert result.code == 2
    assert f"needs `batch_size: full`: {why}; for mini-batches use" in result.err


def test_quiet_prints_the_id_and_json_one_document(bpnet) -> None:
    quiet = bpnet("train", XOR, *SHORT, "--quiet")
    assert (quiet.code, quiet.err) == (0, "")
    assert quiet.out.strip() == Path("runs", quiet.out.strip()).name
    as_json = bpnet("train", XOR, *SHORT, "--json", "--name", "other")
    record = json.loads(as_json.out)
    assert as_json.err == ""
    assert record["name"] == "other"
    assert "-other-" in record["run_id"]
    shown = bpnet("runs", "show", "other", "--json")
    assert json.loads(shown.out) == record | {"tags": []}


def test_equal_configs_and_seeds_make_equal_weight_files(bpnet) -> None:
    contents = []
    for extra in ([], [], ["--name", "x"], ["--set", "training.workers=3"], ["--set", "seed=1"]):
        run_id = bpnet("train", CONFIGS / "moons.yaml", *SHORT, "--quiet", *extra).out.strip()
        contents.append(Path("runs", run_id, "weights.safetensors").read_bytes())
    assert contents[0] == contents[1] == contents[2] == contents[3] != contents[4]


def test_any_number_of_workers_makes_the_same_weight_file(bpnet) -> None:
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
def test_the_resolved_config_trains_the_same_run_again(bpnet, rate: str) -> None:
    changes = ("--set", "training.epochs=3", "--set", f"training.learning_rate={rate}")
    first = bpnet("train", CONFIGS / "digits.yaml", *changes, "--quiet").out.strip()
    second = bpnet("train", f"runs/{first}/resolved.yaml", "--quiet").out.strip()
    files = [Path("runs", run_id, "weights.safetensors").read_bytes() for run_id in (first, second)]
    assert files[0] == files[1]


def test_refused_configs_leave_no_run(bpnet, tmp_path: Path) -> None:
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
def test_divergence_always_exits_3_however_fast_it_is(rate: float, extra: list[str], bpnet) -> None:
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


def test_a_failure_in_training_saves_what_there_is(bpnet, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_closed_stderr_does_not_stop_training(tmp_path: Path) -> None:
    train = f"{sys.executable} -m bpcli train {XOR} --set training.epochs=3000"
    command = f"{train} 2>&1 >/dev/null | head -n 2"
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, capture_output=True)
    (folder,) = (tmp_path / "runs").iterdir()
    assert Run(folder).record().status == "finished"


def test_a_full_disk_is_one_sentence_and_leaves_whole_lines(tmp_path: Path) -> None:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))\n"
    program = limited + "import sys; from bpcli.cli.main import main; sys.exit(main(sys.argv[1:]))"
    for number, size in enumerate((100, 600, 3000, 8000, 20_000)):
        runs = tmp_path / str(number)
        done = subprocess.run(
            [sys.executable, "-c", program.format(size), "train", XOR, "--runs-dir", runs],
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 2, done.stderr
        assert "could not be" in done.stderr
        assert "Internal" not in done.stderr
        for folder in runs.iterdir():  # a run that began, or nothing
            assert json.loads((folder / "run.json").read_text())["epochs"] > 0 or size < 8000
            for line in (folder / "metrics.jsonl").read_text().splitlines():
                json.loads(line)
            assert not list(folder.glob(".*"))


def test_an_interrupt_at_any_early_moment_leaves_no_torn_folder(tmp_path: Path) -> None:
    for delay in np.linspace(0.25, 1.2, 12):
        process = subprocess.Popen(
            [sys.executable, "-m", "bpcli", "train", XOR, "--set", "training.epochs=1000000"],
            cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) != 0  # also while Python itself is still starting
    for folder in (tmp_path / "runs").glob("*"):
        assert Run(folder).record().status == "interrupted"
        assert Run(folder).path("weights.safetensors").is_file()


def test_json_is_printed_also_when_training_fails(bpnet) -> None:
    result = bpnet(
        "train", CONFIGS / "linear_regression.yaml", "--set", "training.learning_rate=50", "--json"
    )
    assert result.code == 3
    assert json.loads(result.out)["status"] == "diverged"


def test_what_is_quoted_from_a_file_cannot_steer_the_terminal(bpnet, tmp_path: Path) -> None:
    path = tmp_path / "evil.yaml"
    path.write_text('data: {generator: "\\e]0;PWNED\\a\\e[31mxor"}\n"\\e[2J": 1\n')
    result = bpnet("train", path)
    assert result.code == 2
    assert "\x1b" not in result.err
    assert "\\x1b[2J" in result.err


def test_output_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    command = f"{sys.executable} -m bpcli predict {CONFIGS / 'digits.yaml'} --json > /dev/full"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "Error: output could not be read or written: No space left on device.\n"


@pytest.mark.parametrize(
    ("arguments", "closed", "code"),
    [("--version", ">&-", 0), ("train missing.yaml", "2>&-", 2), ("--version", ">&- 2>&-", 0)],
)
def test_an_output_that_the_shell_closed_takes_nothing(
    arguments: str, closed: str, code: int, tmp_path: Path
) -> None:
    command = f"{sys.executable} -m bpcli {arguments} {closed}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_names_with_brackets_are_printed_as_they_are(bpnet) -> None:
    for arguments in (["train", XOR, *SHORT], ["runs", "list"], ["runs", "show", "latest"]):
        result = bpnet(*arguments, "--runs-dir", "x[/b]")
        assert result.code == 0
    assert "x[/b]" in result.out


def test_divergence_exits_3_after_saving_and_suggests_a_smaller_rate(bpnet) -> None:
    result = bpnet(
        "train", CONFIGS / "linear_regression.yaml", "--set", "training.learning_rate=50"
    )
    assert result.code == 3
    assert "Try a smaller `training.learning_rate`, such as 5 instead of 50" in result.err
    record = json.loads(bpnet("runs", "show", "latest", "--json").out)
    assert record["status"] == record["stop_reason"] == "diverged"
    assert bpnet("eval", "latest").code == 0  # the last finite weights are kept


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_training_saves_what_it_has(number: int, code: int, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bpcli", "train", XOR, "--set", "training.epochs=100000000"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    metrics: list[Path] = []
    while not (metrics and metrics[0].stat().st_size):
        time.sleep(0.05)
        metrics = list(tmp_path.glob("runs/*/metrics.jsonl"))
    time.sleep(0.2)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert "interrupted" in err
    run = Run(metrics[0].parent)
    assert run.record().status == "interrupted"
    assert run.record().epochs == run.metrics()[-1].epoch > 0
    assert run.path("weights.safetensors").is_file()


FOLDS = ("--set", "data.split={folds: 3}")


def test_folds_are_trained_shown_and_summed_up(bpnet) -> None:
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


def test_folds_that_diverge_exit_3(bpnet) -> None:
    result = bpnet(
        "train", CONFIGS / "linear_regression.yaml", *FOLDS, "--set", "training.learning_rate=50"
    )
    assert result.code == 3
    assert "Only 0 of 3 folds were finished" in result.err
    assert "diverged" in result.out


def test_eval_scores_the_last_split_beside_a_baseline(bpnet) -> None:
    bpnet("train", CONFIGS / "softmax_iris.yaml", "--quiet", "--set", "seed=1")
    result = bpnet("eval", "latest")
    assert result.code == 0
    assert "test split (45 rows" in result.err
    for word in (
        "constant (test)",
        "precision",
        "recall",
        "F1",
        "virginica",
        "roc_auc",
        "log_loss",
    ):
        assert word in result.out
    document = json.loads(bpnet("eval", "softmax_iris", "--json", "--split", "train").out)
    assert document["rows"] == 105
    assert np.trace(document["confusion"]) / 105 == pytest.approx(
        document["metrics"]["train.accuracy"]
    )
    assert document["metrics"]["train.roc_auc"] > 0.99
    assert document["baselines"]["constant"]["train.accuracy"] == pytest.approx(1 / 3)


def test_eval_agrees_with_what_training_recorded(bpnet) -> None:
    bpnet("train", CONFIGS / "moons.yaml", *SHORT, "--quiet")
    record = json.loads(bpnet("runs", "show", "latest", "--json").out)
    for split in ("train", "val", "test"):
        metrics = json.loads(bpnet("eval", "latest", "--json", "--split", split).out)["metrics"]
        for path, value in metrics.items():
            assert path.endswith("roc_auc") or value == record["metrics"][path]


def test_best_and_last_weights_differ_and_can_be_chosen(bpnet) -> None:
    bpnet("train", CONFIGS / "moons.yaml", "--quiet")
    record = json.loads(bpnet("runs", "show", "latest", "--json").out)
    assert record["stop_reason"] == "max_fail"
    assert record["epochs"] == record["best_epoch"] + 300
    losses = {
        weights: json.loads(
            bpnet("eval", "latest", "--json", "--split", "val", "--weights", weights).out
        )["metrics"]["val.loss"]
        for weights in ("best", "last")
    }
    assert losses["best"] < losses["last"]


def test_eval_has_intervals_that_repeat_and_can_be_left_out(bpnet) -> None:
    bpnet("train", CONFIGS / "moons.yaml", *SHORT, "--quiet")
    once, again = (json.loads(bpnet("eval", "latest", "--json").out) for _ in range(2))
    assert once == again
    for path, interval in once["intervals"].items():
        assert interval[0] <= once["metrics"][path] <= interval[1]
    assert set(once["intervals"]) == {"test.loss", "test.accuracy", "test.log_loss"}
    assert once["intervals"]["test.loss"] == once["intervals"]["test.log_loss"]
    assert "95 % interval" in bpnet("eval", "latest").out
    assert "95 % interval" not in bpnet("eval", "latest", "--no-intervals").out
    assert "intervals" not in json.loads(bpnet("eval", "latest", "--json", "--no-intervals").out)


def test_many_rows_have_intervals_where_they_are_asked_for(
    bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    bpnet("train", CONFIGS / "moons.yaml", *SHORT, "--quiet")
    monkeypatch.setattr(evaluate, "MOST_ROWS_WITH_INTERVALS", 89)  # the test set has 90
    assert "95 % interval" not in bpnet("eval", "latest").out
    assert "95 % interval" in bpnet("eval", "latest", "--intervals").out


def test_a_metric_that_is_not_as_required_exits_4(bpnet) -> None:
    bpnet("train", CONFIGS / "moons.yaml", *SHORT, "--quiet")
    held = bpnet("eval", "latest", "--require", "test.accuracy>0.5", "--require", "val.loss<9")
    assert (held.code, "Error" in held.err) == (0, False)
    two = ("--require", "test.accuracy > 1", "--require", "train.accuracy>=0.5")
    failed = bpnet("eval", "latest", *two)
    assert failed.code == 4
    assert "Error: test.accuracy > 1 was required, but it is 0." in failed.err
    assert "accuracy" in failed.out  # the scores are shown all the same
    document = json.loads(bpnet("eval", "latest", "--json", *two).out)
    assert [each["passed"] for each in document["required"]] == [False, True]
    assert document["required"][0]["value"] == document["metrics"]["test.accuracy"]
    for wrong in ("test.acuracy>1", "tset.accuracy>1", "test.accuracy"):
        assert bpnet("eval", "latest", "--require", wrong).code == 2


def test_eval_has_the_loss_in_original_units_where_targets_were_scaled(bpnet) -> None:
    plane = CONFIGS / "plane.yaml"
    bpnet("train", plane, *SHORT, "--quiet", "--set", "loss=mse",
          "--set", "data.scale={targets: minmax}")  # fmt: skip
    out = bpnet("eval", "latest").out
    assert "mean loss (scaled)" in out
    assert "mean loss (original units)" in out
    metrics = json.loads(bpnet("eval", "latest", "--json").out)["metrics"]
    assert metrics["train.loss_original"] == pytest.approx(metrics["train.rmse"] ** 2, rel=1e-12)
    assert metrics["train.loss"] < metrics["train.loss_original"]
    assert "train.rmse" in bpnet("runs", "list").out
    bpnet("train", plane, *SHORT, "--quiet")
    assert "train.loss_original" not in json.loads(bpnet("eval", "latest", "--json").out)["metrics"]


def test_class_weights_are_shown_and_proven_and_leave_metrics_alone(bpnet) -> None:
    weights = ("--set", "training.class_weights={'1': 4}")
    moons = CONFIGS / "moons.yaml"
    result = bpnet("train", moons, *SHORT, *weights)
    assert "rows weighted" in result.err
    assert "class weights" in result.err
    assert "weighted loss" in result.err
    assert "weighted mean loss" in result.out
    evaluated = json.loads(bpnet("eval", "latest", "--json").out)
    metrics, interval = evaluated["metrics"], evaluated["intervals"]["test.loss"]
    assert metrics["test.loss"] != metrics["test.log_loss"]  # equal where no row is weighted
    assert interval[0] <= metrics["test.loss"] <= interval[1]
    assert interval != evaluated["intervals"]["test.log_loss"]
    proof = bpnet("gradcheck", moons, *weights)
    assert proof.code == 0
    assert "weighted rows" in proof.out
    assert bpnet("gradcheck", moons, *weights, "--set", "loss=mse").code == 0


def test_eval_of_an_empty_split_or_an_unknown_run(bpnet) -> None:
    bpnet("train", XOR, *SHORT, "--quiet")
    for arguments, message in (
        (("latest", "--split", "test"), "The test split of"),
        (("nothing",), "There is no run `nothing`"),
        (("latest~5",), "There is no latest~5: runs holds"),
    ):
        result = bpnet("eval", *arguments)
        assert (result.code, result.out) == (2, "")
        assert message in result.err


def test_damaged_runs_are_refused(bpnet) -> None:
    bpnet("train", XOR, *SHORT, "--quiet", "--name", "hurt")
    (folder,) = Path("runs").glob("*-hurt-*")
    weights = folder / "weights.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "digest" in bpnet("eval", "hurt").err
    arrays, meta = load_arrays(weights)
    for name, array, message in (
        ("best.W1", np.full((4, 2), np.nan), "NaN or infinity"),
        (
            "best.W1",
            np.zeros((2, 4)),
            "of shape (2, 4); the config implies float64 of shape (4, 2)",
        ),
        ("best.W1", np.zeros((4, 2), np.int32), "int32 of shape (4, 2)"),
        ("inputs.factor", np.zeros(2), "cannot scale"),
        ("inputs.shift", np.zeros(3), "has no inputs.shift of shape (2,)"),
    ):
        save_arrays(weights, arrays | {name: array}, meta)
        vouch(Run(folder))
        result = bpnet("predict", "hurt")
        assert result.code == 2
        assert message in result.err
    weights.unlink()
    assert "has no weights" in bpnet("eval", "hurt").err


def test_changed_data_are_noticed(bpnet) -> None:
    Path("rows.csv").write_text("x,y\n1,2\n2,4\n3,6\n")
    Path("rows.yaml").write_text(
        "data: {file: rows.csv, task: regression}\n"
        "network: {layers: [1, 1], activations: [identity]}\nloss: mse\n"
    )
    assert bpnet("train", "rows.yaml", *SHORT, "--quiet").code == 0
    Path("rows.csv").write_text("x,y\n1,2\n2,4\n3,7\n")
    result = bpnet("eval", "latest")
    assert result.code == 2
    assert "have changed since its training: their rows differ" in result.err


def test_predict_prints_original_units_and_chosen_rows(bpnet) -> None:
    bpnet("train", CONFIGS / "sampled_updates.yaml", *SHORT, "--quiet")
    lines = bpnet("predict", "latest", "--split", "val").out.splitlines()
    assert lines[0].endswith("\tpredicted y\ttarget")
    assert len(lines) == 1 + 88
    values = np.array([[float(cell) for cell in line.split("\t")] for line in lines[1:]])
    rmse = json.loads(bpnet("eval", "latest", "--json", "--split", "val").out)["metrics"][
        "val.rmse"
    ]
    assert np.sqrt(np.mean((values[:, -2] - values[:, -1]) ** 2)) == pytest.approx(rmse, rel=1e-8)
    documents = json.loads(bpnet("predict", "latest", "--split", "val", "--json").out)["rows"]
    assert [row["row"] for row in documents] == values[:, 0].astype(int).tolist()
    assert bpnet("predict", "latest", "--set", "seed=1").code == 2
    assert "test split is empty" in bpnet("predict", "latest", "--split", "test").err
    assert "There is no run" in bpnet("predict", "x" * 5000).err


def test_runs_list_and_show(bpnet) -> None:
    assert "no runs" in bpnet("runs", "list").err
    for name in ("first", "second"):
        bpnet("train", XOR, *SHORT, "--quiet", "--name", name)
    result = bpnet("runs", "list")
    ids = [line.split()[0] for line in result.out.splitlines() if line[:1].isdecimal()]
    assert [run_id.split("-")[2] for run_id in ids] == ["second", "first"]
    assert len(json.loads(bpnet("runs", "list", "--json", "--limit", "1").out)["runs"]) == 1
    shown = bpnet("runs", "show", "first").out
    for word in (
        "2 - 4 sigmoid - 1 sigmoid",
        "gradient_descent",
        "stop reason",
        "accuracy",
        "17",
    ):
        assert word in shown


def test_one_damaged_run_does_not_hide_the_others(bpnet) -> None:
    for name in ("good", "bad"):
        bpnet("train", XOR, *SHORT, "--quiet", "--name", name)
    (folder,) = Path("runs").glob("*-bad-*")
    (folder / "run.json").write_text("{")
    result = bpnet("runs", "list")
    assert result.code == 0
    assert "-good-" in result.out
    assert "damaged" in result.out


def test_init_lists_copies_and_never_overwrites(bpnet, tmp_path: Path) -> None:
    listed = bpnet("init")
    assert [line.split()[0] for line in listed.out.splitlines() if line] == [
        path.stem
        for folder in (CONFIGS, CONFIGS / "tables")
        for path in sorted(folder.glob("*.yaml"))
    ]
    assert bpnet("init", "xor").code == 0
    assert (tmp_path / "xor.yaml").read_bytes() == XOR.read_bytes()
    (tmp_path / "xor.yaml").write_text("mine")
    refused = bpnet("init", "xor")
    assert refused.code == 2
    assert "--force" in refused.err
    assert (tmp_path / "xor.yaml").read_text() == "mine"
    assert bpnet("init", "xor", "--force").code == 0
    assert bpnet("init", "moons", "-o", "my.yaml").code == 0
    assert (tmp_path / "my.yaml").read_bytes() == (CONFIGS / "moons.yaml").read_bytes()
    assert bpnet("init", "adult").code == 0
    assert (tmp_path / "adult.yaml").read_bytes() == (CONFIGS / "tables/adult.yaml").read_bytes()
    assert "did you mean `moons`" in bpnet("init", "moon").err


def test_gradcheck_of_a_config_and_of_a_run(bpnet) -> None:
    result = bpnet("gradcheck", CONFIGS / "digits.yaml", "--entries", 20, "--rows", 10)
    assert result.code == 0
    assert result.out.count(" ok\n") == 5
    bpnet("train", XOR, "--quiet")
    assert bpnet("gradcheck", "latest").code == 0
    document = json.loads(bpnet("gradcheck", "latest", "--json").out)
    assert document["passed"]
    assert {tensor["tensor"] for tensor in document["tensors"]} == {"W1", "b1", "W2", "b2", "H"}
    squares = bpnet("gradcheck", XOR, "--set", "loss=mse", "--json")
    checked = {(tensor["term"], tensor["tensor"]) for tensor in json.loads(squares.out)["tensors"]}
    assert checked >= {("jacobian", "W1"), ("jacobian", "b2"), ("hessian", "H")}
    wrong = bpnet("gradcheck", XOR, "--set", "loss=mse", "--corrupt", "linear-jacobian")
    assert wrong.code == 4
    assert "the Jacobian of the residuals is not" in wrong.out


@pytest.mark.parametrize("config", ["xor_by_hand", "gate_or", "mazur", "autoencoder_digits"])
def test_a_right_gradient_passes_however_saturated_the_units(config: str, bpnet) -> None:
    result = bpnet("gradcheck", CONFIGS / f"{config}.yaml", "--entries", 10, "--rows", 10)
    assert result.code == 0, result.out


def test_gradcheck_fails_on_a_corrupted_pass_with_a_hint(bpnet) -> None:
    result = bpnet("gradcheck", CONFIGS / "diamond.yaml", "--corrupt", "no-mean", "--rows", 12)
    assert result.code == 4
    assert "off by exactly n = 12" in result.out
    assert "the gradient is wrong" in result.err
    assert bpnet("gradcheck", "--corrupt", "sign").code == 4
    unknown = bpnet("gradcheck", "--corrupt", "everything")
    assert unknown.code == 2
    assert "no-derivative" in unknown.err


def test_gradcheck_says_what_it_could_not_check(bpnet) -> None:
    zeros = ("--set", "network.activations.0=relu", "--set", "network.init={name: constant}")
    result = bpnet("gradcheck", XOR, *zeros)
    assert result.code == 0
    assert "not checked" in result.out
    assert "W1, b1" in result.out
    harmless = bpnet("gradcheck", XOR, "--corrupt", "l2-on-biases")
    assert "has no effect here: it needs L2, and biases that are not 0" in harmless.out
    infinite = bpnet(
        "gradcheck",
        XOR,
        "--set",
        "network.init={name: constant, value: 1.0e+308}",
        "--set",
        "loss=mse",
        "--set",
        "network.activations=[identity, identity]",
    )
    assert infinite.code == 3
    assert "not finite" in infinite.err
    assert "(`network.init`)" in infinite.err
    large = bpnet("gradcheck", XOR, "--set", "training.l2=1e300")
    assert (large.code, large.err) == (0, "")
    assert "WRONG" not in large.out
    larger = bpnet("gradcheck", XOR, "--set", "training.l2=1e306")
    assert larger.code == 3
    assert larger.err.endswith("or too large to check: lower `training.l2`.\n")
    wrong = bpnet("gradcheck", XOR, "--set", "training.l2=1e300", "--corrupt", "sign")
    assert wrong.code == 4
    assert "the sign is wrong" in wrong.out


def test_gradcheck_says_what_rounding_hides(bpnet) -> None:
    Path("c.yaml").write_text(
        "data: {inputs: [[1, 2], [2, 1.0e+100], [3, 5]], targets: [[1], [2], [4]]}\n"
        "network: {layers: [2, 4, 1], activations: [tanh, identity]}\nloss: mse\n"
    )
    for options in ((), ("--corrupt", "sign")):
        result = bpnet("gradcheck", "c.yaml", *options)
        assert result.code == 0
        assert "not verified: " in result.out
        assert "data W2" in result.out
        assert "smaller than the rounding errors of the terms" in result.out
        assert "has no effect here" not in result.out
        row = next(line for line in result.out.splitlines() if line.startswith("data       W2"))
        assert row.endswith("not verified")


def test_gradcheck_without_a_config_takes_no_overrides(bpnet) -> None:
    assert bpnet("gradcheck", "--set", "seed=1").code == 2


def test_gradcheck_self_test(bpnet) -> None:
    result = bpnet("gradcheck", "--self-test")
    assert result.code == 0
    assert result.out.count("rejected") == 11
    assert all(
        row["rejected"]
        for row in json.loads(bpnet("gradcheck", "--self-test", "--json").out)["rejections"]
    )
    assert bpnet("gradcheck", "--self-test", "--corrupt", "sign").code == 2


def test_usage_errors_exit_2_and_the_version_0(bpnet) -> None:
    assert bpnet("nonsense").code == 2
    assert bpnet("train").code == 2
    assert bpnet("--version").out.startswith("bpnet, version ")


@pytest.mark.parametrize("encoding", ["ascii", "gbk"])
def test_the_text_survives_a_terminal_of_another_encoding(encoding: str, tmp_path: Path) -> None:
    for arguments in (
        ["train", str(XOR), *SHORT],
        ["gradcheck", "--self-test"],
        ["eval", "latest"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "bpcli", *arguments],
            cwd=tmp_path, env=os.environ | {"PYTHONIOENCODING": encoding}, capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        done.stdout.decode(encoding)


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m bpcli predict {CONFIGS / 'digits.yaml'} | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert done.stdout.startswith("row\t")


def test_a_runs_folder_that_is_a_file_is_refused(bpnet, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = bpnet("train", XOR, *SHORT, "--runs-dir", "file")
    assert result.code == 2
    assert "file" in result.err


def test_an_internal_fault_is_one_line_and_exit_1(bpnet, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("bpcli.experiment.build", fail)
    monkeypatch.delenv("BPNET_DEBUG")
    result = bpnet("train", XOR)
    assert result.code == 1
    assert result.err.startswith("Internal error: ZeroDivisionError: oops\n")


def test_the_record_is_that_of_the_best_weights(bpnet) -> None:
    run_id = bpnet("train", CONFIGS / "moons.yaml", "--quiet").out.strip()
    run = Run(Path("runs", run_id))
    record = run.record()
    assert record.best_epoch < record.epochs
    found = json.loads(bpnet("eval", "latest", "--json", "--split", "val").out)["metrics"]
    assert found["val.loss"] == record.metrics["val.loss"]
    by_epoch = {line.epoch: line.metrics for line in run.metrics()}
    assert by_epoch[record.epochs]["val.loss"] > record.metrics["val.loss"]
    if record.best_epoch in by_epoch:
        assert by_epoch[record.best_epoch]["val.loss"] == record.metrics["val.loss"]


def test_without_a_test_split_everything_speaks_of_validation(bpnet) -> None:
    training = bpnet("train", CONFIGS / "sampled_updates.yaml", "--set", "training.epochs=3")
    assert training.out.startswith("criterion")
    assert "the best on validation" in training.out
    header = training.err.split("time/epoch")[0]
    assert all(word in header for word in ("parameters", "val.loss", "val.rmse"))
    assert json.loads(bpnet("eval", "latest", "--json").out)["split"] == "val"
    assert "val.rmse" in bpnet("runs", "list").out


def test_init_says_what_it_wrote_on_stderr(bpnet) -> None:
    result = bpnet("init", "xor")
    assert result.out == ""
    assert "wrote xor.yaml" in result.err


def test_auto_logs_about_a_thousand_epochs_and_the_last(bpnet) -> None:
    run_id = bpnet("train", XOR, "--quiet", "--set", "training.epochs=1999").out.strip()
    epochs = [line.epoch for line in Run(Path("runs", run_id)).metrics()]
    assert epochs == [*range(0, 1999, 2), 1999]


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (MemoryError("x"), 2)])
def test_exit_codes_of_what_no_command_expects(
    error: BaseException, code: int, bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("bpcli.experiment.build", fail)
    assert bpnet("train", XOR).code == code


def test_a_saved_scale_is_used_as_saved(bpnet) -> None:
    config = CONFIGS / "sampled_updates.yaml"
    run_id = bpnet("train", config, "--quiet", "--set", "training.epochs=3").out.strip()
    run = Run(Path("runs", run_id))

    def first_output() -> float:
        return json.loads(bpnet("predict", "latest", "--json").out)["rows"][0]["outputs"][
            "predicted y"
        ]

    before = first_output()
    weights = run.path("weights.safetensors")
    arrays, meta = load_arrays(weights)
    save_arrays(weights, arrays | {"targets.shift": arrays["targets.shift"] + 1000}, meta)
    vouch(run)
    assert first_output() == pytest.approx(before + 1000)


def test_gradcheck_of_a_run_is_at_its_trained_weights(bpnet) -> None:
    bpnet("train", XOR, "--quiet")

    def largest(what: object) -> float:
        tensors = json.loads(bpnet("gradcheck", what, "--json").out)["tensors"]
        return max(abs(tensor["analytic"]) for tensor in tensors)

    assert largest("latest") < 0.01 < largest(XOR)


def test_one_wrong_row_of_the_catalogue_fails(bpnet, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [CatalogueRow("mse", "tanh"), CatalogueRow("mae", "tanh", passed=False)]
    monkeypatch.setattr("bpcli.gradcheck.catalogue.check_catalogue", lambda: rows)
    result = bpnet("gradcheck")
    assert result.code == 4
    assert "WRONG" in result.out


def test_predicted_rows_have_their_own_inputs_and_targets(bpnet) -> None:
    table = GENERATORS["iris"]().table(np.random.default_rng(0))
    config = CONFIGS / "softmax_iris.yaml"
    for row in json.loads(bpnet("predict", config, "--split", "test", "--json").out)["rows"]:
        assert row["target"] == table.class_names[table.labels[row["row"]]]
        assert list(row["inputs"].values()) == table.X[row["row"]].tolist()
        assert list(row["outputs"]) == ["P(setosa)", "P(versicolor)", "P(virginica)"]


def test_name_outranks_set_and_faults_of_it_say_so(bpnet) -> None:
    arguments = ("train", XOR, "--quiet", "--set", "training.epochs=1")
    assert "-b.2-" in bpnet(*arguments, "--name", "b.2", "--set", "name=a").out
    assert "--name ../x: found `../x`" in bpnet(*arguments, "--name", "../x").err


def test_a_training_that_only_made_things_worse_is_warned_of(bpnet) -> None:
    arguments = ("--set", "training.learning_rate=1000", "--set", "training.epochs=20")
    start = ("--set", "data={generator: iris, split: {val: 0.3}}")
    result = bpnet("train", CONFIGS / "softmax_iris.yaml", *arguments, *start)
    assert result.code == 0
    record = json.loads(bpnet("runs", "show", "latest", "--json").out)
    assert (record["best_epoch"] == 0) == ("warning: no epoch had a lower" in result.out)
    assert record["best_epoch"] == 0


@pytest.mark.parametrize("width", [40, 60, 80, 110])
def test_tables_never_cut_a_number(width: int, bpnet, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("gradcheck", "runs", "eval", "train"):
        monkeypatch.setattr(f"bpcli.cli.{module}.console", partial(_terminal, width))
    run_id = bpnet("train", XOR, *SHORT, "--quiet").out.strip()
    bpnet("gradcheck", XOR)
    for arguments, words in (
        (("gradcheck", XOR), ("W1[3,2]", "0.0354372624", "ok")),
        (("runs", "list"), (run_id, "finished")),
        (("eval", "latest"), ("accuracy", "constant (train)")),
    ):
        result = bpnet(*arguments)
        assert result.code == 0
        assert "…" not in result.out
        assert all(word in result.out for word in words)
        assert width < 80 or any("──" in line for line in result.out.splitlines())
        assert max(map(len, result.out.splitlines())) <= width


def _terminal(width: int, stderr: bool = False) -> Console:
    return Console(stderr=stderr, force_terminal=True, width=width, color_system=None)


def test_data_are_the_same_on_any_number_of_blas_threads(bpnet) -> None:
    digests = set()
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads, "blas"):
            bpnet("train", CONFIGS / "linear_regression.yaml", "--quiet", "--set",
                  "data={generator: regression, n_samples: 800, n_features: 700, "
                  "n_informative: 700, n_targets: 9}", "--set", "network.layers=[auto, auto]",
                  "--set", "training.epochs=1")  # fmt: skip
            assert bpnet("eval", "latest").code == 0
            record = json.loads(bpnet("runs", "show", "latest", "--json").out)
            digests.add((record["data_sha256"], record["sha256"]["weights.safetensors"]))
    assert len(digests) == 1


@pytest.mark.parametrize(
    "damage", [{"rows": 3}, {"seconds": "a"}, {"metrics": [1]}, {"loss": None}]
)
def test_a_record_of_another_shape_is_damaged(damage: dict, bpnet) -> None:
    for name in ("good", "bad"):
        bpnet("train", XOR, *SHORT, "--quiet", "--name", name)
    (folder,) = Path("runs").glob("*-bad-*")
    change_record(Run(folder), damage)
    shown = bpnet("runs", "show", "bad")
    assert shown.code == 2
    assert f"see its `{next(iter(damage))}`" in shown.err
    listed = bpnet("runs", "list")
    assert listed.code == 0
    assert "damaged" in listed.out


def test_a_renamed_run_is_known_by_its_folder(bpnet) -> None:
    run_id = bpnet("train", XOR, *SHORT, "--quiet").out.strip()
    Path("runs", run_id).rename(Path("runs", "20200101-000000-old-aaaa"))
    assert "20200101-000000-old-aaaa" in bpnet("runs", "list").out
    assert bpnet("eval", "old").code == 0
    os.chdir("runs/20200101-000000-old-aaaa")
    assert "20200101-000000-old-aaaa: best weights" in bpnet("eval", "./").err


def test_paths_that_are_not_utf_8_work(bpnet, tmp_path: Path) -> None:
    assert bpnet("train", XOR, *SHORT, "--quiet", "--runs-dir", "r\udcff").code == 0
    assert bpnet("runs", "list", "--runs-dir", "r\udcff").code == 0


def test_hostile_references_and_files_are_refused(bpnet, tmp_path: Path) -> None:
    assert bpnet("eval", "latest~" + "9" * 5000).code == 2
    assert bpnet("eval", "").code == 2
    (tmp_path / "k.yaml").write_text('*a : 1\n"": 2\n')
    assert "no `&a` above for this alias" in bpnet("train", "k.yaml").err
    (tmp_path / "big.yaml").write_bytes(b"#" * (10 * 2**20 + 1))
    assert "too large" in bpnet("train", "big.yaml").err
    assert "no template `zzzz`; `bpnet init` lists" in bpnet("init", "zzzz").err


def test_no_metrics_are_fine(bpnet) -> None:
    result = bpnet("train", CONFIGS / "moons.yaml", *SHORT, "--set", "metrics=[]")
    assert result.code == 0
    assert result.err.count("val.loss") == 1


WIDE = """\
data: {generator: teacher, n_samples: 40000}
network: {layers: [10, 32, 32, 1], activations: [tanh, tanh, identity]}
loss: mse
training: {epochs: 1000000, workers: 3, log_every: 100}
"""
needs_fork = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")


@contextmanager
def _in_training(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A training in full swing, and the processes of its workers."""
    (tmp_path / "wide.yaml").write_text(WIDE)
    with subprocess.Popen(
        [sys.executable, "-m", "bpcli", "train", "wide.yaml", "--quiet"],
        cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            deadline = time.monotonic() + 30
            while len(found := children.read_text().split()) < 2 and time.monotonic() < deadline:
                time.sleep(0.02)
            time.sleep(0.3)
            yield process, [int(worker) for worker in found]
        finally:
            process.kill()


def _wait_until_gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@needs_fork
def test_a_killed_worker_ends_training_with_what_there_is_saved(tmp_path: Path) -> None:
    with _in_training(tmp_path) as (process, workers):
        os.kill(workers[0], signal.SIGKILL)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "A worker process ended by signal 9" in err
    assert "The run is saved as" in err
    assert "Traceback" not in err
    (folder,) = (tmp_path / "runs").iterdir()
    record = Run(folder).record()
    assert (record.status, record.workers) == ("failed", 3)
    assert record.epochs > 0
    assert (folder / "weights.safetensors").is_file()
    assert _wait_until_gone(workers)


@needs_fork
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_the_training_however_it_ends(number: int, tmp_path: Path) -> None:
    with _in_training(tmp_path) as (process, workers):
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert _wait_until_gone(workers)


def test_levenberg_marquardt_from_the_command_line(bpnet, tmp_path: Path) -> None:
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
