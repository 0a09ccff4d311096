from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_configs import load
from sweep_runs import SINE, lasting
from trainings import moons

from bpcli.config.load import Config
from bpcli.errors import ConfigError, RunError
from bpcli.runs.layout import GIVEN, JOURNAL, SWEEP
from bpcli.sweeps import places
from bpcli.sweeps.folder import SweepFolder
from bpcli.sweeps.listing import listed_sweep, listed_sweeps
from bpcli.sweeps.options import SweepOptions
from bpcli.sweeps.run_plan import PlanResults
from bpcli.sweeps.sweep import plan_sweep, resumed_config
from bpcli.sweeps.training import run_training
from bpcli.terminal.sweep import SilentProgress

FOLDS = "data.split={folds: 2}"


def swept(sweep: str, *overrides: str) -> Config:
    return moons(*overrides, f"sweep={sweep}")


def test_settings_are_trained_with_each_seed_and_on_each_fold() -> None:
    planned = plan_sweep(swept("{grid: {training.l2: [0, 1]}, seeds: 2}", FOLDS, "seed=5"))
    assert [training.name for training in planned.trainings] == [
        "0000-5-fold1", "0000-5-fold2", "0000-6-fold1", "0000-6-fold2",
        "0001-5-fold1", "0001-5-fold2", "0001-6-fold1", "0001-6-fold2",
    ]  # fmt: skip
    assert [training.config.spec.training.l2 for training in planned.trainings] == [0] * 4 + [1] * 4
    document = planned.plan(Path("s")).document({})
    assert (document["seeds"], document["folds"], document["keys"]) == ([5, 6], 2, ["training.l2"])


def test_restarts_of_the_config_are_left_out() -> None:
    planned = plan_sweep(swept("{grid: {training.l2: [0, 1]}}", "training.restarts=4"))
    assert [each.config.spec.training.all_restarts.count for each in planned.trainings] == [1, 1]


@pytest.mark.parametrize(
    ("overrides", "metric", "warns"),
    [
        ([], "val.loss", False),
        ([FOLDS], "test.loss", False),
        (["data.split={}"], "objective", True),
        (["data.split={test: 0.3}"], "objective", True),
    ],
)
def test_settings_are_ranked_by_rows_that_training_has_not_used(
    overrides: list[str], metric: str, warns: bool
) -> None:
    planned = plan_sweep(swept("{grid: {training.l2: [0, 1]}}", *overrides))
    assert planned.criterion.name == metric
    assert [text.partition(",")[0] for text in planned.warnings] == [
        "there are no validation rows"
    ] * warns


def test_a_metric_must_be_one_that_trainings_have() -> None:
    planned = plan_sweep(swept("{grid: {training.l2: [0, 1]}, metric: val.accuracy}"))
    assert planned.criterion.greater_is_better
    with pytest.raises(
        ConfigError, match=r"found `test\.loss`, expected one of train\.loss, .*val"
    ):
        plan_sweep(swept("{grid: {training.l2: [0, 1]}, metric: test.loss}"))


def test_a_config_needs_a_sweep() -> None:
    with pytest.raises(ConfigError, match="no `sweep` section: add one, or use options such as"):
        plan_sweep(moons())


# Resuming.


def drawn(trials: int, seeds: int) -> str:
    return f"sweep={{random: {{training.l2: 'uniform(0, 1)'}}, trials: {trials}, seeds: {seeds}}}"


def begun(folder: Path, *overrides: str) -> tuple[SweepFolder, PlanResults]:
    config = load(SINE, "training.epochs=5", *overrides, drawn(2, 2))
    done = plan_sweep(config).start(folder, SilentProgress(), 1)
    return SweepFolder(done.plan.folder), done


def resumed(sweep: SweepFolder, **options: Any) -> PlanResults:
    config = resumed_config(sweep, SweepOptions(**options))
    return plan_sweep(config).resume(sweep, SilentProgress(), 1)


def test_more_trials_and_seeds_add_to_what_was_trained(tmp_path: Path) -> None:
    sweep, before = begun(tmp_path)
    after = resumed(sweep, trials=3, seeds=3)
    assert len(sweep.results()) == 9, "four of them before"
    assert [result.name for result in sweep.results()[:4]] == [
        "0000-0", "0000-1", "0001-0", "0001-1",
    ]  # fmt: skip
    for name, result in before.results.items():
        assert after.results[name] == result
    record = sweep.record()
    assert (record.trainings, len(record.resumed)) == (9, 1)
    again = resumed(sweep)
    assert again.document == after.document
    assert len(sweep.results()) == 9, "none is trained again"
    at_once = load(SINE, "training.epochs=5", drawn(3, 3))
    fresh = plan_sweep(at_once).start(tmp_path / "b", SilentProgress(), 1)
    assert lasting(fresh.document) == lasting(after.document)


def test_another_metric_only_ranks_again(tmp_path: Path) -> None:
    sweep, _ = begun(tmp_path)
    document = resumed(sweep, metric="val.r2").document
    assert (document["metric"], document["greater_is_better"]) == ("val.r2", True)
    means = [each["mean"] for each in document["settings"]]
    assert means == sorted(means, reverse=True)
    assert len(sweep.results()) == 4


@pytest.mark.parametrize("fewer", [{"trials": 1}, {"seeds": 1}, {"trials": 3, "seeds": 1}])
def test_what_was_trained_is_not_left_out(fewer: dict[str, int], tmp_path: Path) -> None:
    sweep, _ = begun(tmp_path)
    before = (sweep.folder / SWEEP).read_bytes(), (sweep.folder / GIVEN).read_bytes()
    with pytest.raises(RunError, match="cannot be resumed with fewer trainings: 2 finished ones"):
        resumed(sweep, **fewer)
    assert before == ((sweep.folder / SWEEP).read_bytes(), (sweep.folder / GIVEN).read_bytes())


def test_a_sweep_that_is_being_trained_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    sweep, _ = begun(tmp_path)
    before = (sweep.folder / SWEEP).read_bytes(), (sweep.folder / GIVEN).read_bytes()
    with sweep.open():
        assert listed_sweep(sweep)["status"] == "running"
        with pytest.raises(RunError, match=f"{sweep.sweep_id} is being trained by process"):
            resumed(sweep, trials=3)
    assert before == ((sweep.folder / SWEEP).read_bytes(), (sweep.folder / GIVEN).read_bytes())
    assert listed_sweep(sweep)["status"] == "finished"


def test_changed_data_are_refused(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("x,y\n" + "".join(f"{n},{n % 3}\n" for n in range(30)))
    config = load(
        SINE, "data={file: " + str(table) + ", targets: y, task: regression, split: {val: 0.3}}",
        "training.epochs=5", "sweep={grid: {training.l2: [0, 1]}}",
    )  # fmt: skip
    done = plan_sweep(config).start(tmp_path, SilentProgress(), 1)
    sweep = SweepFolder(done.plan.folder)
    assert resumed(sweep).document == done.document
    table.write_text(table.read_text().replace("7,1", "7,2"))
    with pytest.raises(RunError, match=r"its data have changed since it began\. Restore the data"):
        resumed(sweep)


# Lists of sweeps.


def test_a_list_counts_and_names_the_best(tmp_path: Path) -> None:
    sweep, done = begun(tmp_path, "training.learning_rate=0.2")
    (facts,) = listed_sweeps(tmp_path)
    values = [each["value"] for each in done.document["trainings"]]
    assert facts["best"] == min(values)
    assert (facts["ended"], facts["trainings"], facts["failed"]) == (4, 4, 0)
    assert (facts["kind"], facts["name"], facts["status"]) == ("sweep", "sine", "finished")
    assert sweep.record().ended
    sweep.write(replace(sweep.record(), trainings=6, ended=""))
    assert listed_sweep(sweep)["status"] == "interrupted, resumable"


def test_a_sweep_whose_journal_was_cut_is_not_finished(tmp_path: Path) -> None:
    sweep, _ = begun(tmp_path)
    assert listed_sweep(sweep)["status"] == "finished"
    journal = sweep.folder / JOURNAL
    journal.write_text(journal.read_text().splitlines(keepends=True)[0])
    assert listed_sweep(sweep)["status"] == "interrupted, resumable"


@pytest.mark.parametrize("file", ["sweep.json", "trainings.jsonl"])
def test_a_damaged_sweep_does_not_hide_the_others(file: str, tmp_path: Path) -> None:
    sweep, _ = begun(tmp_path)
    begun(tmp_path)
    (sweep.folder / file).write_text("{\n")
    damaged = next(each for each in listed_sweeps(tmp_path) if each["sweep"] == sweep.sweep_id)
    assert damaged["status"] == "damaged"
    assert damaged["error"].startswith(f"{sweep.folder / file} is damaged: ")
    assert sorted(each["status"] for each in listed_sweeps(tmp_path)) == ["damaged", "finished"]


# What must not happen in silence.


def test_a_grid_that_is_not_tried_as_a_whole_is_a_warning() -> None:
    grid = "grid: {training.l2: [0, 1, 2]}"
    drawn = "random: {training.learning_rate: 'uniform(0.1, 1)'}"
    assert plan_sweep(swept(f"{{{grid}, {drawn}}}")).warnings == ()
    (few,) = plan_sweep(swept(f"{{{grid}, {drawn}, trials: 2}}")).warnings
    assert few.startswith("1 of the 3 combinations of the grid are not tried, as `trials` is 2")
    (uneven,) = plan_sweep(swept(f"{{{grid}, {drawn}, trials: 4}}")).warnings
    assert uneven.startswith("some of the 3 combinations of the grid are tried once more")


def test_ranking_by_test_scores_is_a_warning() -> None:
    sweep = "{grid: {training.l2: [0, 1]}, metric: test.loss}"
    split = "data.split={val: 0.2, test: 0.2}"
    (warning,) = plan_sweep(swept(sweep, split)).warnings
    assert "the best score is too optimistic" in warning
    assert plan_sweep(swept(sweep, FOLDS)).warnings == ()


def test_more_trainings_than_can_be_planned_are_refused_at_once() -> None:
    with pytest.raises(ConfigError, match=r"1,000 settings × 10,000 seeds × 1 folds are 10,000,00"):
        plan_sweep(swept("{grid: {training.l2: 'range(0, 999, 1)'}, seeds: 10000}"))


def test_a_halved_sweep_keeps_its_seeds_and_its_metric(tmp_path: Path) -> None:
    config = load(SINE, "sweep={grid: {training.l2: [0, 1, 2]}, halving: true}")
    done = plan_sweep(config).start(tmp_path, SilentProgress(), 1)
    sweep = SweepFolder(done.plan.folder)
    for options in (SweepOptions(seeds=2), SweepOptions(metric="val.rmse")):
        with pytest.raises(ConfigError, match="has stopped settings by halving"):
            resumed_config(sweep, options)
    assert resumed_config(sweep, SweepOptions(trials=2)).spec.sweep is not None


def test_what_halving_has_paused_is_missing_until_the_sweep_has_ended(tmp_path: Path) -> None:
    config = load(
        SINE, "sweep={grid: {training.learning_rate: [0.1, 0.01, 0.001, 1.0e-4]}, halving: true}"
    )
    done = plan_sweep(config).start(tmp_path, SilentProgress(), 1)
    stopped = done.document["counts"]["stopped"]
    assert stopped
    assert done.document["counts"]["missing"] == 0
    counts = replace(done, has_ended=False).document["counts"]
    assert (counts["stopped"], counts["missing"]) == (0, stopped)


def test_a_setting_without_epochs_is_trained_with_halving_too(tmp_path: Path) -> None:
    config = load(SINE, "sweep={grid: {training.epochs: [0, 6]}, halving: true}")
    done = plan_sweep(config).start(tmp_path, SilentProgress(), 1)
    assert done.document["counts"]["missing"] == 0
    assert {each["setting"]: each["epochs"] for each in done.document["trainings"]}[0] == 0


def test_what_has_failed_is_tried_again_on_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load(SINE, "sweep={grid: {training.l2: [0, 1]}}")
    with monkeypatch.context() as patched:
        patched.setattr(
            places,
            "run_training",
            lambda one, at: "The disk is full." if one.setting else run_training(one, at),
        )
        done = plan_sweep(config).start(tmp_path, SilentProgress(), 1)
    assert [each.status for each in done.in_order] == ["finished", "failed"]
    before = done.in_order[0].to_json()
    again = plan_sweep(config).resume(SweepFolder(done.plan.folder), SilentProgress(), 1)
    assert [each.status for each in again.in_order] == ["finished", "finished"]
    assert again.in_order[0].to_json() == before


@pytest.mark.parametrize("what", ["link", "other"])
def test_a_folder_that_is_not_of_the_sweep_is_left_alone(what: str, tmp_path: Path) -> None:
    config = load(SINE, "sweep={grid: {training.l2: [0, 1]}}")
    planned = plan_sweep(config)
    sweep = SweepFolder.new(tmp_path, planned.config, planned.record)
    victim = tmp_path / "victim"
    other = plan_sweep(load(SINE, "sweep={grid: {training.l2: [5, 6]}}")).trainings[0]
    assert run_training(other, victim) == ""
    (victim / "precious").write_text("x")
    if what == "link":
        sweep.trainings.symlink_to(victim)
    else:
        victim.rename(sweep.trainings)
        victim = sweep.trainings
    before = {path.name: path.read_bytes() for path in (victim / other.name).iterdir()}
    done = planned.resume(sweep, SilentProgress(), 1)
    first = done.in_order[0]
    assert first.status == "failed"
    assert "a symbolic link" in str(first.error) or "the run of another config" in str(first.error)
    assert {path.name: path.read_bytes() for path in (victim / other.name).iterdir()} == before
    assert (victim / "precious").exists()
