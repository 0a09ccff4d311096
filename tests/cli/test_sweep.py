"""`bpnet sweep`, and the sweeps in `bpnet runs`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from conftest import Result
from sweep_runs import DIVERGES, SINE

import bpcli
from bpcli.runs.layout import JOURNAL, SWEEP
from bpcli.sweeps.folder import SweepFolder, list_sweeps
from bpcli.sweeps.restarts import restart_config

Bpnet = Callable[..., Result]
Document = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _config(bpnet: Bpnet) -> None:
    """A config in the folder of the test, in which `bpnet` runs."""
    Path("sine.yaml").write_text(SINE.replace("epochs: 30", "epochs: 4"))


def only_sweep() -> SweepFolder:
    (sweep,) = list_sweeps(Path("runs"))
    return sweep


def sweep_of(bpnet: Bpnet, *arguments: str) -> SweepFolder:
    grid = arguments or ("--grid", "hidden=1,2")
    assert bpnet("sweep", "sine.yaml", *grid, "--processes", "1").code == 0
    return only_sweep()


def test_a_table_and_sentences_are_the_results(bpnet: Bpnet) -> None:
    done = bpnet("sweep", "sine.yaml", "--grid", "hidden=1,2", "--seeds", "2", "--name", "one")
    sweep = only_sweep()
    assert done.code == 0
    header, *_ = done.out.splitlines()
    assert header.split() == ["setting", "hidden", "val.loss", "test.rmse", "parameters", "epochs",
                              "time"]  # fmt: skip
    assert "4 trainings of 2 settings: 4 finished.\n" in done.out
    assert f"plot saved in runs/{sweep.sweep_id}/sweep.svg" in done.out
    assert sweep.sweep_id.rsplit("-", 1)[0].endswith("-one")
    assert (sweep.folder / "sweep.svg").is_file()
    assert done.err.splitlines()[0].startswith("4 trainings of 2 settings, ")
    assert len([line for line in done.err.splitlines() if " of 4: setting " in line]) == 4


def test_the_commands_that_it_names_do_what_they_say(bpnet: Bpnet, document: Document) -> None:
    found = document("sweep", "sine.yaml", "--grid", "hidden=1,2", "--grid", "training.l2=0,1")
    best = found["settings"][0]
    out = bpnet("runs", "show", only_sweep().sweep_id).out
    (line,) = [line for line in out.splitlines() if line.startswith("train it again with: bpnet ")]
    command = line.removeprefix("train it again with: bpnet ").replace("'", "").split(" --set ")
    assert bpnet(*command[0].split(), *(part for each in command[1:] for part in ("--set", each)),
                 "--runs-dir", "again").code == 0  # fmt: skip
    (run,) = Path("again").iterdir()
    weights = Path("trainings", f"{best['setting']:04}-0", "weights.safetensors")
    assert (only_sweep().folder / weights).read_bytes() == (run / weights.name).read_bytes()
    (line,) = [line for line in out.splitlines() if line.startswith("score the best setting with")]
    scored = bpnet("eval", line.rpartition(" ")[2])
    assert scored.code == 0
    assert "test.rmse" in scored.out or "rmse" in scored.out


def test_json_is_one_document(document: Document) -> None:
    found = document("sweep", "sine.yaml", "--grid", "hidden=1,2")
    assert Path(found["figure"]).is_file()
    assert found["counts"]["finished"] == 2
    assert [each["status"] for each in found["trainings"]] == ["finished"] * 2
    shown = document("runs", "show", found["sweep"])
    assert shown == {key: value for key, value in found.items() if key != "figure"}


def test_a_plot_goes_where_it_is_asked_for(bpnet: Bpnet) -> None:
    done = bpnet("sweep", "sine.yaml", "--grid", "hidden=1,2", "--figure", "plots/a.png")
    assert "plot saved in plots/a.png\n" in done.out
    assert Path("plots/a.png").read_bytes().startswith(b"\x89PNG")
    refused = bpnet("sweep", "sine.yaml", "--grid", "hidden=1,2", "--figure", "a.gif")
    assert refused.code == 2
    assert len(list_sweeps(Path("runs"))) == 1, "it is refused before any training"


def test_failures_are_recorded_and_the_others_go_on(document: Document) -> None:
    found = document(
        "sweep", "sine.yaml", "--set", "training.epochs=30",
        "--grid", f"training.learning_rate=0.1,{DIVERGES}",
        "--grid", "hidden=2,1000000000", "--grid", "data.n_samples=40,1",
    )  # fmt: skip
    by_setting = {each["setting"]: each for each in found["trainings"]}
    assert [by_setting[n]["status"] for n in range(8)] == [
        "finished", "failed", "failed", "failed", "diverged", "failed", "failed", "failed",
    ]  # fmt: skip
    assert "of memory" in by_setting[2]["error"]
    assert "1 row" in by_setting[1]["error"]
    assert "no longer finite" in by_setting[4]["error"]
    assert found["counts"]["failed"] == 7
    assert found["settings"][0]["setting"] == 0


def test_if_all_diverge_the_exit_code_is_3(bpnet: Bpnet, document: Document) -> None:
    arguments = ("sweep", "sine.yaml", "--set", "training.epochs=30", "--grid",
                 f"training.learning_rate={DIVERGES},2e+9")  # fmt: skip
    done = bpnet(*arguments)
    assert done.code == 3
    assert "Error: All 2 trainings failed. The first one: Training diverged: " in done.err
    assert "2 trainings of 2 settings: 0 finished, 2 failed.\n" in done.out
    assert document(*arguments, code=3)["figure"] is None


def test_if_all_fail_the_exit_code_is_2(bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("within a training")

    monkeypatch.setattr("bpcli.sweeps.training.train", fail)
    done = bpnet("sweep", "sine.yaml", "--grid", "hidden=1,2", "--processes", "2")
    assert done.code == 2
    assert done.err.endswith(
        "Error: All 2 trainings failed. The first one: ZeroDivisionError: within a training\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Missing argument 'CONFIG', or --resume SWEEP."),
        (["sine.yaml"], ("The config has no `sweep` section: add one, or use options such as "
         "--grid training.learning_rate=0.01,0.1")),
        (["sine.yaml", "--grid", "hiden=1,2"], "unknown key `hiden`; did you mean `hidden`?"),
        (["--resume", "none"], "There is no sweep `none` in runs: `bpnet runs list` shows all."),
        (["--resume", "x", "--grid", "hidden=1"], ("--resume SWEEP keeps its keys and values: only "
         "--trials, --seeds and --metric can change.")),
        (["--resume", "x", "--halving"], "--resume SWEEP keeps its keys and values"),
        (["--resume", "x", "--random", "hidden=int(1, 3)"], "--resume SWEEP keeps its keys"),
        (["sine.yaml", "--resume", "x"], ("--resume SWEEP uses the sweep's own config: leave out "
         "CONFIG, --set and --name.")),
        (["--resume", "x", "--set", "seed=1"], "--resume SWEEP uses the sweep's own config"),
        (["--resume", "x", "--name", "y"], "--resume SWEEP uses the sweep's own config"),
        (["sine.yaml", "--grid", "hidden=1", "--metric", "val.x"], "found `val.x`, expected one"),
    ],
)  # fmt: skip
def test_what_cannot_begin_is_refused(bpnet: Bpnet, arguments: list[str], sentence: str) -> None:
    done = bpnet("sweep", *arguments)
    assert done.code == 2
    assert sentence in done.err
    assert not Path("runs").exists()


def test_more_seeds_train_only_what_is_new(bpnet: Bpnet, document: Document) -> None:
    sweep = sweep_of(bpnet)
    before = (sweep.folder / JOURNAL).read_bytes()
    for name in ("latest", "sine", sweep.sweep_id, sweep.sweep_id[:17], str(sweep.folder)):
        found = document("sweep", "--resume", name, "--seeds", "2")
        assert found["counts"]["finished"] == 4
    assert (sweep.folder / JOURNAL).read_bytes().startswith(before)
    assert len(sweep.results()) == 4
    refused = bpnet("sweep", "--resume", "latest", "--seeds", "1")
    assert refused.code == 2
    assert "cannot be resumed with fewer trainings: 2 finished ones" in refused.err


def test_another_kind_is_refused_with_its_command(bpnet: Bpnet) -> None:
    sweep = sweep_of(bpnet)
    refused = bpnet("size", "--resume", sweep.sweep_id)
    assert (refused.code, refused.err) == (
        2, f"Error: Resume {sweep.sweep_id} with: bpnet sweep --resume {sweep.sweep_id}\n",
    )  # fmt: skip
    refused = bpnet("train", "--resume", sweep.sweep_id)
    assert refused.code == 2
    assert f"bpnet sweep --resume {sweep.sweep_id}" in refused.err


def test_a_second_process_is_refused(bpnet: Bpnet) -> None:
    sweep = sweep_of(bpnet)
    with sweep.open():
        refused = bpnet("sweep", "--resume", sweep.sweep_id, "--seeds", "2")
        assert refused.code == 2
        assert f"{sweep.sweep_id} is being trained by process" in refused.err
        assert "running" in bpnet("runs", "list").out
        removed = bpnet("runs", "rm", sweep.sweep_id, "--yes")
        assert (removed.code, sweep.folder.is_dir()) == (2, True)
    assert len(sweep.results()) == 2


# Sweeps in `bpnet runs`.


def test_a_list_has_sweeps_in_a_table_of_their_own(bpnet: Bpnet, document: Document) -> None:
    sweep = sweep_of(bpnet)
    out = bpnet("runs", "list").out
    header, _, row, *_ = out.splitlines()
    assert header.split() == ["sweep", "kind", "age", "status", "trainings", "failed", "metric",
                              "best", "training"]  # fmt: skip
    assert row.split()[:2] == [sweep.sweep_id, "sweep"]
    assert "2 of 2" in row
    assert "finished" in row
    (sweep.folder / JOURNAL).write_bytes((sweep.folder / JOURNAL).read_bytes().splitlines(True)[0])
    assert "interrupted, resumable" in bpnet("runs", "list").out
    found = document("runs", "list")
    assert (found["runs"], found["sweeps"][0]["ended"]) == ([], 1)
    shown = bpnet("runs", "show", sweep.sweep_id).out
    assert "The sweep is not complete: 1 of 2 trainings is missing." in shown
    document("sweep", "--resume", sweep.sweep_id)
    assert document("runs", "list")["sweeps"][0]["status"] == "finished"


def test_runs_of_a_sweep_are_no_runs_of_the_folder(bpnet: Bpnet, document: Document) -> None:
    sweep_of(bpnet)
    assert bpnet("train", "sine.yaml", "--quiet").code == 0
    found = document("runs", "list")
    assert (len(found["runs"]), len(found["sweeps"])) == (1, 1)
    assert bpnet("eval", "latest").code == 0
    shown = document("runs", "show", "latest")
    assert shown["run_id"] == found["runs"][0]["run_id"]


def test_restarts_that_were_interrupted_say_how_to_finish(bpnet: Bpnet, document: Document) -> None:
    from bpcli.config.load import load_config
    from bpcli.experiment import build
    from bpcli.sweeps.folder import new_record

    config = load_config(Path("sine.yaml"), ["training.restarts=3"])
    first = build(restart_config(config, 0))
    sweep = SweepFolder.new(Path("runs"), config, new_record("restarts", config, first, 3,
                                                             "val.loss"))  # fmt: skip
    assert bpnet("runs", "show", sweep.sweep_id).out.splitlines() == [
        "0 of 3 restarts have ended.",
        f"finish them with: bpnet train --resume {sweep.sweep_id}",
    ]
    assert document("runs", "show", sweep.sweep_id)["kind"] == "restarts"
    refused = bpnet("sweep", "--resume", sweep.sweep_id)
    assert refused.err == (
        f"Error: Resume {sweep.sweep_id} with: bpnet train --resume {sweep.sweep_id}\n"
    )
    assert bpnet("train", "--resume", sweep.sweep_id, "--quiet").code == 0
    assert not (sweep.folder / SWEEP).exists()


def test_a_sweep_is_deleted_after_a_confirmation(
    bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = sweep_of(bpnet)
    refused = bpnet("runs", "rm", sweep.sweep_id)
    assert refused.code == 2
    assert "a confirmation needs a terminal" in refused.err
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    for answer, code in ((False, 2), (True, 0)):
        assert sweep.folder.is_dir()
        monkeypatch.setattr(click, "confirm", lambda *_, answer=answer, **__: answer)
        assert bpnet("runs", "rm", sweep.sweep_id).code == code
    assert not sweep.folder.exists()


@pytest.mark.parametrize("file", [SWEEP, JOURNAL])
@pytest.mark.parametrize("content", ["", "{}\n", "x\n", "[]\n", "\0\n", "[" * 5000 + "\n"])
def test_a_damaged_sweep_is_one_sentence_and_hides_no_other(
    bpnet: Bpnet, file: str, content: str
) -> None:
    sweep = sweep_of(bpnet)
    whole = (sweep.folder / file).read_text()
    (sweep.folder / file).write_text(content)
    if (file, content) == (JOURNAL, ""):
        assert "0 of 2" in bpnet("runs", "list").out, "no training has ended"
        return
    listed = bpnet("runs", "list")
    assert listed.code == 0
    assert "damaged" in listed.out
    is_unsealed = (file, content) == (SWEEP, "{}\n")
    sentence = f"{sweep.folder / file} {'has no `seal`' if is_unsealed else 'is damaged'}"
    assert listed.err.startswith(f"warning: {sentence}")
    for command in (("runs", "show"), ("sweep", "--resume")):
        refused = bpnet(*command, sweep.sweep_id)
        assert refused.code == 2
        assert refused.err.startswith(f"Error: {sentence}")
        assert refused.err.count("\n") == 1
    assert (sweep.folder / file).read_text() == content
    (sweep.folder / file).write_text(whole)
    assert bpnet("runs", "rm", sweep.sweep_id, "--yes").code == 0


def test_a_plot_that_cannot_be_saved_hides_no_results(bpnet: Bpnet, document: Document) -> None:
    sweep = sweep_of(bpnet)
    (sweep.folder / "sweep.svg").unlink()
    (sweep.folder / "sweep.svg").mkdir()
    shown = bpnet("sweep", "--resume", "latest")
    assert shown.code == 0
    assert "2 trainings of 2 settings: 2 finished." in shown.out
    assert "warning: the plot could not be saved: " in shown.err
    found = bpnet("sweep", "--resume", "latest", "--json")
    assert json.loads(found.out)["figure"] is None


def test_a_very_wide_range_is_drawn(bpnet: Bpnet) -> None:
    rates = "training.learning_rate=1e-300,1e-3,1e300"
    assert bpnet("sweep", "sine.yaml", "--grid", rates, "--processes", "1").code == 0


def test_other_commands_say_what_a_sweep_is(bpnet: Bpnet) -> None:
    sweep = sweep_of(bpnet)
    for reference in (sweep.sweep_id, f"runs/{sweep.sweep_id}"):
        refused = bpnet("eval", reference)
        assert refused.code == 2
        assert f"{sweep.sweep_id} is a sweep of many trainings" in refused.err


def test_a_sweep_is_shown_by_its_name(bpnet: Bpnet) -> None:
    assert bpnet("sweep", "sine.yaml", "--grid", "hidden=1,2", "--name", "tune").code == 0
    assert "Settings are ranked by" in bpnet("runs", "show", "tune").out
    assert bpnet("runs", "show", "latest").code == 2, "it means runs"


def test_latest_means_unfinished_restarts_too(bpnet: Bpnet) -> None:
    from bpcli.config.load import load_config
    from bpcli.experiment import build
    from bpcli.sweeps.folder import new_record

    config = load_config(Path("sine.yaml"), ["training.restarts=3"])
    record = new_record("restarts", config, build(restart_config(config, 0)), 3, "val.loss")
    sweep = SweepFolder.new(Path("runs"), config, record)
    assert bpnet("train", "--resume", "latest", "--quiet").out == f"{sweep.sweep_id}\n"
    assert "resumes at epoch" in bpnet("train", "--resume", "latest", "--set",
                                       "training.epochs=6").err  # fmt: skip


@pytest.mark.filterwarnings("ignore::bpcli.BpnetWarning")
def test_restarts_from_python_read_a_file_that_has_changed(bpnet: Bpnet) -> None:
    rows = "".join(f"{n},{n * n}\n" for n in range(20))
    Path("t.csv").write_text(f"x,y\n{rows}")
    Path("t.yaml").write_text(
        "data: {file: t.csv, split: {val: 0.3}}\nnetwork: {layers: [auto, 2, 1], activations: "
        "[tanh, identity]}\nloss: mse\ntraining: {epochs: 3}\n"
    )
    first = bpcli.train(Path("t.yaml"), "py", overrides={"training.restarts": 2})
    Path("t.csv").write_text(f"x,y\n{rows.replace('361', '9')}")
    second = bpcli.train(Path("t.yaml"), "py", overrides={"training.restarts": 2})
    assert first.record["data_sha256"] != second.record["data_sha256"]
    assert first.metrics != second.metrics
