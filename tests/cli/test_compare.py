from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import local_optimizers
import pytest
from systems import CONFIGS

from bpcli.terminal.comparison import PlainProgress

MOONS = CONFIGS / "moons.yaml"
SHORT = ("--set", "training.epochs=30", "--set", "training.stop={}")


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    local_optimizers.install(monkeypatch)


def test_it_prints_one_table_and_draws_a_plot(bpnet, tmp_path: Path) -> None:
    result = bpnet("compare", MOONS, "--optimizers", "traingd,traingdm,looking", *SHORT)
    assert result.code == 0
    head, _, *rows = result.out.splitlines()
    assert head.split("  ")[0] == "optimizer"
    assert [row.split()[:4] for row in rows[:3]] == [
        ["traingd", "0.5", "30", "30"],
        ["traingdm", "0.5", "30", "30"],
        ["looking", "-", "30", "31"],
    ]
    assert all(row.endswith(" epochs") for row in rows[:3])
    assert "test.accuracy: best weights on the test split (90 rows)" in result.out
    assert "plot saved in runs/compare-moons.svg" in result.out
    assert (tmp_path / "runs" / "compare-moons.svg").read_bytes().startswith(b"<?xml")
    assert [line.split(":")[0] for line in result.err.splitlines()] == [
        "note", "note", "1 of 3", "2 of 3", "3 of 3"
    ]  # fmt: skip
    assert "`traingdm` is called `gradient_descent` with momentum 0.9 here" in result.err


def test_seeds_are_summed_up_by_medians(bpnet) -> None:
    result = bpnet("compare", MOONS, "--optimizers", "sgd", "--seeds", 3, *SHORT)
    assert result.out.splitlines()[2].endswith("epochs 3")
    told = "medians over seeds 0 to 2; diverged trainings are left out unless all diverged\n"
    assert told in result.out
    assert "3 of 3: sgd, seed 2:" in result.err


def test_json_is_one_document_with_every_training(bpnet) -> None:
    result = bpnet(
        "compare", MOONS, "--optimizers", "{name: sgd, momentum: 0.5},traingd", "--seeds", 2,
        "--json", "--figure", "plots/m.png", *SHORT,
    )  # fmt: skip
    assert (result.code, result.err) == (0, "")
    document = json.loads(result.out)
    assert [row["label"] for row in document["optimizers"]] == ["sgd (momentum 0.5)", "traingd"]
    assert document["optimizers"][0]["optimizer"]["momentum"] == 0.5
    assert (document["metric"], document["figure"]) == ("test.accuracy", "plots/m.png")
    assert [training["seed"] for training in document["trainings"]] == [0, 0, 1, 1]
    for training in document["trainings"]:
        curve = training["curve"]
        assert len({len(values) for values in curve.values()}) == 1
        assert curve["gradient_evaluations"][-1] == training["gradient_evaluations"] == 30
    assert Path("plots/m.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--optimizers", "sgd,traingdn"], "did you mean `traingd"),
        (["--optimizers", "sgd,lookin"], "did you mean `looking`?"),
        (["--optimizers", "sgd,,looking"], "expected names separated by commas"),
        (["--optimizers", "sgd,traingd"], "`sgd` and `traingd` are the same optimizer"),
        (["--optimizers", "sgd", "--figure", "x.jpg"], "a name that ends in .svg, .png, .pdf"),
        (["--optimizers", "sgd", "--figure", "."], "--figure"),
        (["--optimizers", "sgd", "--seeds", "0"], "--seeds"),
        ([], "--optimizers"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_training(
    arguments: list[str], message: str, bpnet, tmp_path: Path
) -> None:
    result = bpnet("compare", MOONS, *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert "1 of" not in result.err
    assert not list(tmp_path.iterdir())


def test_illegal_combinations_of_all_are_said_at_once(bpnet) -> None:
    result = bpnet("compare", MOONS, "--optimizers", "halving,sgd,looking", "--set",
                   "training.batch_size=10")  # fmt: skip
    assert result.code == 2
    assert "`halving` needs `batch_size: full`" in result.err
    assert "`looking` needs `batch_size: full`" in result.err
    assert "`halving` minimises sums of squares, and this loss is not one" in result.err


def test_one_that_diverges_is_a_row_and_all_that_do_exit_3(bpnet) -> None:
    arguments = (CONFIGS / "linear_two_layer.yaml", "--set", "training.learning_rate=1e9", *SHORT)
    some = bpnet("compare", *arguments, "--optimizers", "sgd,halving")
    assert some.code == 0
    assert some.out.splitlines()[2].split()[-3:] == ["-", "-", "diverged"]
    every = bpnet("compare", *arguments, "--optimizers", "sgd,traingdm")
    assert every.code == 3
    assert every.out.count("diverged") == 2
    assert "All 2 trainings diverged. The first one: Training diverged" in every.err


@pytest.mark.parametrize("as_json", [False, True])
def test_an_interrupt_prints_what_is_finished(
    as_json: bool, bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bpcli.terminal.progress import SilentView

    def interrupt(self: object, label: str, seed: int, epochs: int) -> None:
        if label == "traingdm":
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(SilentView, "on_trial_start", interrupt)
    assert PlainProgress.on_trial_start is interrupt
    option = ["--json"] if as_json else []
    result = bpnet("compare", MOONS, "--optimizers", "sgd,traingdm", *SHORT, *option)
    assert result.code == 130
    assert "Interrupted: 1 of 2 trainings were finished." in result.err
    if as_json:
        assert len(json.loads(result.out)["trainings"]) == 1
    else:
        assert "sgd" in result.out
        assert "traingdm" not in result.out
    monkeypatch.setattr(
        SilentView, "on_trial_start", lambda *_: os.kill(os.getpid(), signal.SIGTERM)
    )
    nothing = bpnet("compare", MOONS, "--optimizers", "sgd", *SHORT, "--figure", "none.svg")
    assert (nothing.code, nothing.out) == (143, "")
    assert not Path("none.svg").exists()


def test_a_plot_that_cannot_be_saved_is_known_before_any_training(bpnet, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for figure in ("file/x.svg", "file/deeper/x.svg"):
        result = bpnet("compare", MOONS, "--optimizers", "sgd", *SHORT, "--figure", figure)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith(f"Error: {figure} could not be saved: ")


def test_a_plot_that_cannot_be_saved_after_all_takes_no_result_with_it(
    bpnet, tmp_path: Path
) -> None:
    (tmp_path / "runs" / "compare-moons.svg").mkdir(parents=True)
    result = bpnet("compare", MOONS, "--optimizers", "sgd", *SHORT)
    assert result.code == 2
    assert result.out.splitlines()[2].startswith("sgd ")
    assert "plot saved" not in result.out
    assert "compare-moons.svg could not be saved: " in result.err.splitlines()[-1]


def test_without_metrics_the_loss_of_the_split_is_shown(bpnet) -> None:
    result = bpnet("compare", MOONS, "--optimizers", "sgd", "--set", "metrics=[]", "--set",
                   "data.split={val: 0.3}", *SHORT)  # fmt: skip
    assert "val.loss: best weights on the val split (180 rows" in result.out


def test_a_schedule_in_a_config_is_for_its_own_optimizer(bpnet, tmp_path: Path) -> None:
    rate = "{schedule: step, start: 0.5, factor: 0.1, every: 20}"
    text = (CONFIGS / "xor.yaml").read_text().replace("learning_rate: 1", f"learning_rate: {rate}")
    (tmp_path / "scheduled.yaml").write_text(text)
    options = ("--optimizers", "traingdm,adam,gda,rprop", "--set", "training.epochs=20")
    result = bpnet("compare", "scheduled.yaml", *options, "--json")
    assert result.code == 0
    rates = [row["learning_rate"] for row in json.loads(result.out)["optimizers"]]
    step = {"schedule": "step", "start": 0.5, "factor": 0.1, "every": 20}
    assert rates == [step, 0.05, 0.3, None]
